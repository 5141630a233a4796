package mailbox

import (
	"bytes"
	"crypto/rand"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/p2p/protocol/circuitv2/client"
	"github.com/libp2p/go-libp2p/p2p/protocol/circuitv2/relay"

	sealing "github.com/parley-protocol/parley/crypto"
	parley "github.com/parley-protocol/parley/node/network"
)

// A mailbox that is reached through a relay gives out, and takes in, more than a
// circuit carries: 128 KiB each way, as relays of other programs have it.
//
//spec:shows NAT-8 NET-25
func TestMoreThanACircuit(t *testing.T) {
	plain := func(options ...libp2p.Option) libp2p.Option {
		return libp2p.ChainOptions(append(options, libp2p.DisableMetrics())...)
	}
	between, err := libp2p.New(plain(libp2p.ListenAddrStrings("/ip4/127.0.0.1/tcp/0")))
	if err != nil {
		t.Fatal(err)
	}
	defer between.Close()
	service, err := relay.New(between)
	if err != nil {
		t.Fatal(err)
	}
	defer service.Close()
	key, _, err := crypto.GenerateEd25519Key(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	hidden, err := libp2p.New(libp2p.Identity(key), plain(libp2p.NoListenAddrs, libp2p.EnableRelay()))
	if err != nil {
		t.Fatal(err)
	}
	defer hidden.Close()
	serve(t, hidden, nil, Limits{})
	if err := hidden.Connect(t.Context(), hostInfo(between)); err != nil {
		t.Fatal(err)
	}
	if _, err := client.Reserve(t.Context(), hidden, hostInfo(between)); err != nil {
		t.Fatal(err)
	}
	at := between.Addrs()[0].String() + "/p2p/" + between.ID().String() + "/p2p-circuit/p2p/" + hidden.ID().String()
	courier := parley.NewCourier(parley.CourierConfig{TestProfile: true})
	defer courier.Close()
	c := NewClient(courier, nil, 0)
	seed := sealing.NewSealingSeed()
	const letters, size = 8, 60_000
	for i := range letters {
		if _, err := c.Deposit(t.Context(), "sender", []string{at}, token(seed), append(letter(i), make([]byte, size)...), 1); err != nil {
			t.Fatal(err)
		}
	}
	page, err := c.Pickup(t.Context(), "recipient", at, seed, nil, letters, 0)
	if err != nil || len(page.Envelopes) != 1 || !page.More {
		t.Fatalf("%d envelopes, more %v, %v", len(page.Envelopes), page.More, err)
	}
	in := receive(t, c, seed, nil, at)
	seen := map[ID]bool{}
	for range letters {
		e := in.next(t, time.Minute)
		if seen[e.ID] || !bytes.HasPrefix(e.Bytes, []byte("envelope ")) {
			t.Errorf("%q came twice or isn't one", e.Bytes[:10])
		}
		seen[e.ID] = true
	}
	in.close()
}
