package discovery

import (
	"context"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/event"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
)

func newHost(t *testing.T) host.Host {
	t.Helper()
	h, err := libp2p.New(libp2p.ListenAddrStrings("/ip4/127.0.0.1/udp/0/quic-v1"), libp2p.DisableRelay())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.Close() })
	return h
}

func begin(t *testing.T, h host.Host, mode Mode, known ...peer.AddrInfo) *Discovery {
	t.Helper()
	return beginWith(t, h, Options{Mode: mode, Bootstrap: func() []peer.AddrInfo { return known }})
}

// beginWith is begin with further options.
func beginWith(t *testing.T, h host.Host, o Options) *Discovery {
	t.Helper()
	o.Local, o.Timing = true, Timing{First: 50 * time.Millisecond, Most: 500 * time.Millisecond, Ask: 100 * time.Millisecond}
	if o.Peers == nil {
		o.Peers = func(string) (int, int) { return 0, 0 }
	}
	if o.Bootstrap == nil {
		o.Bootstrap = func() []peer.AddrInfo { return nil }
	}
	d, err := New(h, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	if err := d.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	return d
}

func info(h host.Host) peer.AddrInfo { return peer.AddrInfo{ID: h.ID(), Addrs: h.Addrs()} }

// await waits until a host is connected to another.
func await(t *testing.T, h host.Host, to peer.ID) {
	t.Helper()
	sub, err := h.EventBus().Subscribe(new(event.EvtPeerConnectednessChanged))
	if err != nil {
		t.Fatal(err)
	}
	defer sub.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	for h.Network().Connectedness(to) != network.Connected {
		select {
		case <-sub.Out():
		case <-ctx.Done():
			t.Fatal("the two never met")
		}
	}
}

// TestMarketsMeet: nodes that know one other node, which is in no market, find
// those of their market, and not the others.
//
//spec:shows PEER-3
func TestMarketsMeet(t *testing.T) {
	middle := newHost(t)
	begin(t, middle, Server)
	seller, customer, other := newHost(t), newHost(t), newHost(t)
	begin(t, seller, Client, info(middle)).Join("repair")
	begin(t, other, Client, info(middle)).Join("books")
	d := begin(t, customer, Client, info(middle))
	d.Join("repair")
	d.Join("repair")
	await(t, customer, seller.ID())
	if customer.Network().Connectedness(other.ID()) == network.Connected {
		t.Error("met a node of another market")
	}
	if s := d.Status(); s.Nodes != 1 || s.Serves {
		t.Errorf("%+v", s)
	}
	d.Leave("repair")
	d.Leave("repair")
}

// TestTheFirstNodeIsReplaceable: when the node through which the others met is
// gone, newcomers come in through any other.
func TestTheFirstNodeIsReplaceable(t *testing.T) {
	first := newHost(t)
	gone := begin(t, first, Server)
	second, seller := newHost(t), newHost(t)
	begin(t, second, Server, info(first))
	begin(t, seller, Client, info(first), info(second)).Join("repair")
	await(t, second, first.ID())
	await(t, seller, second.ID())
	if err := gone.Close(); err != nil {
		t.Fatal(err)
	}
	first.Close()
	customer := newHost(t)
	begin(t, customer, Client, info(second)).Join("repair")
	await(t, customer, seller.ID())
}

//spec:shows PEER-3
func TestRendezvous(t *testing.T) {
	// printf /parley/1/repair | sha256sum, behind 01 55 12 20, in base32.
	got, err := Rendezvous("repair")
	if want := "bafkreih7s33exbxgvpde43qgoikharkkxyvccspi26jnlrnkrjacap4kxu"; err != nil || got.String() != want {
		t.Errorf("%s, %v; want %s", got, err, want)
	}
}

func TestClosed(t *testing.T) {
	d := begin(t, newHost(t), Client)
	d.Join("repair")
	if err := d.Close(); err != nil {
		t.Error(err)
	}
	if err := d.Close(); err != nil {
		t.Error(err)
	}
	d.Join("books")
}
