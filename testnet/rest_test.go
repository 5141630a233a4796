package testnet_test

import (
	"bytes"
	"errors"
	"net/http"
	"os"
	"testing"

	"github.com/parley-protocol/parley/node/api"
	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/testnet"
)

// No file of any of the parties holds a word of a request or a deal, nor a
// signature, an ID or whom it is with, in clear: neither where a node was killed
// nor where it was closed.
//
//spec:shows REST-1
func TestNothingInClearAtRest(t *testing.T) {
	s := parties(t, binary(t, programs.plain))
	const canary = "CANARY-90e2"
	ask := tender(testnet.SampleTender())
	ask.Name = "Library furniture " + canary
	var intent api.Intent
	s.must("customer", http.MethodPost, "/v1/intents", ask, &intent)
	for i, seller := range []string{"north", "south"} {
		until(s, seller, "the request", api.Path("/v1/intents/%s", intent.ID), func(v api.Intent) bool { return v.ID == intent.ID })
		offer := offerOn(intent, []string{"95.5", "110"}[i])
		offer.Description = canary + seller
		s.must(seller, http.MethodPost, "/v1/offers", offer, nil)
	}
	waiting := func() {
		t.Helper()
		until(s, "customer", "both offers", "/v1/offers?intent="+intent.ID, func(v list[api.Offer]) bool { return len(v.Items) == 2 })
	}
	waiting()
	words := map[string][]byte{"the text": []byte(canary), "the seller's ID": []byte(s.node("north").Info().DID)}
	search := func(how string) {
		t.Helper()
		for _, n := range s.net.Nodes() {
			files := dense(stored(t, n.Home))
			for what, word := range words {
				if bytes.Contains(files, word) {
					t.Errorf("%s: %s is in a file of %s", how, what, n.Name)
				}
			}
			t.Logf("%s, %s: nothing in %d bytes", how, n.Name, len(files))
		}
	}
	kill := func(nodes ...*testnet.Node) {
		t.Helper()
		for _, n := range nodes {
			if err := n.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	start := func(nodes ...*testnet.Node) {
		t.Helper()
		for _, n := range nodes {
			if err := n.Start(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	kill(s.node("customer"))
	search("offers wait in the inbox")
	start(s.node("customer"))
	waiting()
	s.poll("the acceptance", func() (bool, error) { err := s.accept(intent); return err == nil, err })
	s.ending(intent)
	for what, secret := range s.secrets(canary) {
		if what.known != "" {
			words[what.name] = secret
		}
	}
	kill(s.net.Nodes()...)
	search("agreed, and all were killed")
	start(s.net.Nodes()...)
	for _, n := range s.net.Nodes() {
		if err := n.Stop(); err != nil {
			t.Fatal(err)
		}
	}
	search("agreed, and all were closed")
}

// dense leaves out whole pages of zeros, of which the view has many.
func dense(files []byte) (out []byte) {
	const page = 4096
	zeros := make([]byte, page)
	for len(files) > 0 {
		n := min(page, len(files))
		if !bytes.Equal(files[:n], zeros[:n]) {
			out = append(out, files[:n]...)
		}
		files = files[n:]
	}
	return out
}

// A seller dies at every step of an erasure: afterwards the deal is as it was, or
// it is gone, and the node goes on; what belongs to other deals stays. The plain
// run takes three steps, PARLEY_SOAK=1 all of them.
//
//spec:shows REST-3 REST-5
func TestDeathWhileErasing(t *testing.T) {
	if testing.Short() {
		t.Skip("it tells a story for every step")
	}
	s := parties(t, binary(t, programs.failpoints))
	publish := func(name string) (deal string) {
		t.Helper()
		ask := tender(testnet.SampleTender())
		ask.Name = name
		var intent api.Intent
		s.must("customer", http.MethodPost, "/v1/intents", ask, &intent)
		until(s, "north", "the request", api.Path("/v1/intents/%s", intent.ID), func(v api.Intent) bool { return v.ID == intent.ID })
		var offer api.Offer
		s.must("north", http.MethodPost, "/v1/offers", offerOn(intent, "95.5"), &offer)
		s.poll("the decline", func() (bool, error) {
			err := s.do("customer", http.MethodPost, api.Path("/v1/offers/%s/decline", offer.ID), map[string]string{"reason": "price"}, nil)
			return err == nil || protocol.CodeOf(err) == protocol.CodeDuplicate || protocol.CodeOf(err) == protocol.CodeDealClosed, err
		})
		until(s, "north", "the void", api.Path("/v1/deals/%s", offer.Deal), func(v api.Deal) bool { return v.Phase == "voided" })
		until(s, "customer", "the void", api.Path("/v1/deals/%s", offer.Deal), func(v api.Deal) bool { return v.Phase == "voided" })
		return offer.Deal
	}
	kept := publish("To be kept")
	north := s.node("north")
	points := []string{"book/before-append", "book/after-append", "keyring/sealing/after-rename"}
	if os.Getenv("PARLEY_SOAK") == "1" {
		points = append(points, "book/before-destroy", "keyring/sealing/before-write", "keyring/sealing/before-fsync", "keyring/sealing/before-rename",
			"keyring/sealing/after-fsync-dir", "keyring/sealing/after-wipe", "book/after-destroy")
	}
	died, undone := 0, 0
	for _, point := range points {
		deal := publish("To be erased at " + point)
		if err := north.Restart(t.Context(), "PARLEY_FAILPOINT="+point+":1"); err != nil {
			// It has something to do with this file at its start: then that is
			// where it dies, and there is nothing to be seen.
			if _, early := errors.AsType[*testnet.ExitError](err); !early {
				t.Fatal(err)
			}
			t.Logf("%s: it dies before it is asked", point)
			if err := north.Start(t.Context()); err != nil {
				t.Fatal(err)
			}
			continue
		}
		erase := func() error {
			return s.do("north", http.MethodPost, api.Path("/v1/deals/%s/erase", deal), map[string]any{}, nil)
		}
		if err := erase(); err == nil {
			t.Errorf("%s: it didn't die", point)
			continue
		}
		<-north.Exited()
		died++
		if err := north.Start(t.Context()); err != nil {
			t.Fatalf("%s: it doesn't start again: %v", point, err)
		}
		err := s.do("north", http.MethodGet, api.Path("/v1/deals/%s", deal), nil, nil)
		if err == nil {
			undone++
			err = erase()
			if err == nil {
				err = s.do("north", http.MethodGet, api.Path("/v1/deals/%s", deal), nil, nil)
			}
		}
		if protocol.CodeOf(err) != protocol.CodeErased {
			t.Errorf("%s: the deal gives %v", point, err)
		}
		s.must("north", http.MethodGet, api.Path("/v1/deals/%s", kept), nil, nil)
		until(s, "customer", "the notice", api.Path("/v1/deals/%s", deal), func(v api.Deal) bool { return len(v.Notices) > 0 })
	}
	t.Logf("%d deaths, %d of them before anything was erased", died, undone)
	if died < len(points)*2/3 || undone == 0 || undone == died {
		t.Errorf("%d deaths, %d before anything was erased: this shows less than it should", died, undone)
	}
}
