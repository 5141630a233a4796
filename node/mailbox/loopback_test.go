package mailbox

import (
	"bytes"
	"crypto/rand"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/parley-protocol/parley/crypto"
	parley "github.com/parley-protocol/parley/node/network"
)

func hostInfo(h host.Host) peer.AddrInfo { return peer.AddrInfo{ID: h.ID(), Addrs: h.Addrs()} }

// TestOverRealTransports has what the simulation leaves out: TCP, the resource
// manager, the real couriers.
func TestOverRealTransports(t *testing.T) {
	for name, listen := range map[string]string{"QUIC": "/ip4/127.0.0.1/udp/0/quic-v1", "TCP": "/ip4/127.0.0.1/tcp/0"} {
		t.Run(name, func(t *testing.T) {
			cfg := parley.DefaultConfig()
			rand.Read(cfg.Seed[:])
			cfg.ListenAddrs = []string{listen}
			cfg.TestProfile = true
			n, err := parley.New(cfg)
			if err != nil {
				t.Fatal(err)
			}
			defer n.Close()
			serve(t, n.Host(), nil, Limits{})
			if err := n.Start(t.Context()); err != nil {
				t.Fatal(err)
			}
			courier := parley.NewCourier(parley.CourierConfig{TestProfile: true})
			defer courier.Close()
			client := NewClient(courier, nil, 0)
			seed := crypto.NewSealingSeed()
			in := receive(t, client, seed, nil, n.Addrs()...)
			for i := range 10 {
				envelope := bytes.Repeat(letter(i), 15_000/(i+1))
				if _, err := leave(t, client, n.Addrs(), token(seed), envelope); err != nil {
					t.Fatal(err)
				}
				if e := in.next(t, 10*time.Second); !bytes.Equal(e.Bytes, envelope) {
					t.Errorf("%d bytes came for %d", len(e.Bytes), len(envelope))
				}
			}
			in.close()
		})
	}
}
