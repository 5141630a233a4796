package testnet_test

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/parley-protocol/parley/node/api"
	"github.com/parley-protocol/parley/protocol/proof"
	"github.com/parley-protocol/parley/testnet"
)

// Nothing of a deal, and nothing that leads to the customer's node, is in a byte
// that the mailbox, the other seller or a bystander received or stored. Every
// node writes down what it receives, with the transport's encryption off. The
// customer's node is known to the one it is connected to for gossip (entry), as
// the specification says, and to nobody else.
//
//spec:shows PEER-4
func TestNothingPersonalInClear(t *testing.T) {
	taps := t.TempDir()
	tap := func(name string) []string { return []string{"PARLEY_TAP=" + filepath.Join(taps, name)} }
	s := story{t: t, net: testnet.Start(t, testnet.Spec{Binary: binary(t, programs.failpoints), Nodes: []testnet.NodeSpec{
		{Name: "entry"},
		{Name: "mailbox", Peers: []string{"entry"}, ServeMailbox: true, Env: tap("mailbox")},
		{Name: "bystander", Peers: []string{"entry"}, Env: tap("bystander")},
		{Name: "customer", Peers: []string{"entry"}, Mailbox: "mailbox"},
		{Name: "north", Peers: []string{"entry"}},
		{Name: "south", Peers: []string{"entry"}, Env: tap("south")},
	}})}
	for _, n := range s.net.Nodes() {
		s.must(n.Name, http.MethodPost, "/v1/markets", map[string]string{"name": market}, nil)
	}
	const canary = "CANARY-5d1b7c"
	intent, err := s.publish(tender(testnet.SampleTender()), "Library furniture")
	if err != nil {
		t.Fatal(err)
	}
	for i, seller := range []string{"north", "south"} {
		until(s, seller, "the request", api.Path("/v1/intents/%s", intent.ID), func(v api.Intent) bool { return v.ID == intent.ID })
		offer := offerOn(intent, []string{"95.5", "110"}[i])
		offer.Description = canary + seller
		s.must(seller, http.MethodPost, "/v1/offers", offer, nil)
	}
	s.poll("the acceptance", func() (bool, error) { err := s.accept(intent); return err == nil, err })
	s.ending(intent)
	s.nothingOwed()
	for _, name := range []string{"mailbox", "bystander"} {
		until(s, name, "the request", api.Path("/v1/intents/%s", intent.ID), func(v api.Intent) bool { return v.ID == intent.ID })
	}

	secrets := s.secrets(canary)
	watched := map[string][]byte{}
	for _, name := range []string{"mailbox", "bystander", "south"} {
		received, err := os.ReadFile(filepath.Join(taps, name))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Contains(received, []byte(intent.Name)) {
			t.Fatalf("the tap of %s doesn't even hold the public request: it shows nothing", name)
		}
		if err := s.node(name).Stop(); err != nil {
			t.Fatal(err)
		}
		watched[name] = append(received, stored(t, s.node(name).Home)...)
	}
	for name, bytesOf := range watched {
		for what, secret := range secrets {
			if name == "south" && what.known == "south" {
				continue // it is its own deal
			}
			if bytes.Contains(bytesOf, secret) {
				t.Errorf("%s is among what %s received or stored", what.name, name)
			}
		}
		t.Logf("%s: %d secrets are not in %d bytes", name, len(secrets), len(bytesOf))
	}
}

type secret struct{ name, known string }

// secrets are what nobody else may have: the texts, the signatures and the IDs
// of each deal's records, and what leads to the customer's node.
func (s story) secrets(canary string) map[secret][]byte {
	s.t.Helper()
	out := map[secret][]byte{}
	var deals list[api.Deal]
	s.must("customer", http.MethodGet, "/v1/deals", nil, &deals)
	if len(deals.Items) != 2 {
		s.t.Fatalf("%d deals", len(deals.Items))
	}
	for _, d := range deals.Items {
		seller := "north"
		if d.Seller == s.node("south").Info().DID {
			seller = "south"
		}
		out[secret{"the text of " + seller + "'s offer", seller}] = []byte(canary + seller)
		var file bytes.Buffer
		s.must("customer", http.MethodGet, api.Path("/v1/deals/%s/proof", d.ID), nil, &file)
		archive, err := proof.Read(&file)
		if err != nil {
			s.t.Fatal(err)
		}
		for _, rec := range archive.Records[1:] { // the first is the public request
			raw := rec.Raw()
			out[secret{"the signature of " + seller + "'s " + rec.Type(), seller}] = raw[len(raw)-64:]
			out[secret{"the hash of " + seller + "'s " + rec.Type(), seller}] = rec.ID().Hash()[2:]
		}
	}
	info := s.node("customer").Info()
	out[secret{name: "the customer's peer ID"}] = []byte(info.PeerID)
	for i, addr := range info.Addrs {
		out[secret{name: fmt.Sprintf("the customer's address %d", i)}] = []byte(addr)
		if port := portOf(addr); port != "" {
			out[secret{name: "the customer's port " + port}] = []byte("/" + port + "/")
		}
	}
	return out
}

// portOf finds the port of a multiaddr such as /ip4/127.0.0.1/tcp/4001/p2p/….
func portOf(addr string) string {
	parts := bytes.Split([]byte(addr), []byte("/"))
	for i, p := range parts {
		if (string(p) == "tcp" || string(p) == "udp") && i+1 < len(parts) {
			if _, err := net.LookupPort(string(p), string(parts[i+1])); err == nil {
				return string(parts[i+1])
			}
		}
	}
	return ""
}

// stored is every byte of every file below a folder, and the files' names, those
// in hexadecimal also as what they stand for.
func stored(t *testing.T, dir string) []byte {
	t.Helper()
	var out []byte
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		out = append(out, d.Name()...)
		if name, err := hex.DecodeString(d.Name()); err == nil {
			out = append(out, name...)
		}
		b, err := os.ReadFile(path)
		out = append(out, b...)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}
