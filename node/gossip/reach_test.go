package gossip

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/p2p/protocol/circuitv2/client"
	"github.com/libp2p/go-libp2p/p2p/protocol/circuitv2/relay"
	ma "github.com/multiformats/go-multiaddr"

	"github.com/parley-protocol/parley/node/nodetest"
)

// A customer's frame goes to the mesh alone, which is small; a seller's may go to
// everybody. The others here know nobody but the author, so what they have at
// once they have from it.
//
//spec:shows NET-17
func TestOnlySellersTellEverybody(t *testing.T) {
	for _, flood := range []bool{false, true} {
		t.Run(fmt.Sprintf("flood %v", flood), func(t *testing.T) {
			const others = 24
			simulate(t, others+1, func(t *testing.T, hosts []host.Host) {
				author := attach(t, hosts[0], Options{Flood: flood})
				if author.AwaitMesh(expired(t), testMarket) {
					t.Error("there is a mesh, and nobody in it")
				}
				var nodes []*node
				for _, h := range hosts[1:] {
					nodes = append(nodes, attach(t, h, Options{}))
					connect(t, h, hosts[0])
				}
				if !author.AwaitMesh(t.Context(), testMarket) {
					t.Fatal("no mesh")
				}
				time.Sleep(5 * time.Second)
				publish(t, author, "hello")
				time.Sleep(5 * latency) // hashes are told a heartbeat later
				synctest.Wait()
				got := 0
				for _, n := range nodes {
					if n.desk.has("hello") {
						got++
					}
				}
				if limit := gossipParams().Dhi; flood && got != others || !flood && (got == 0 || got > limit) {
					t.Errorf("%d of %d were told at once; a mesh has at most %d", got, others, limit)
				}
			})
		})
	}
}

// Two nodes that reach each other over a relay alone, whose connections libp2p
// calls limited, catch up like others.
//
//spec:shows NET-25 NET-35 NAT-7
func TestCatchingUpOverARelay(t *testing.T) {
	middle, far, near := loopback(t, libp2p.DisableRelay()), loopback(t, libp2p.EnableRelay()), loopback(t, libp2p.EnableRelay())
	service, err := relay.New(middle)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { service.Close() })
	connect(t, far, middle)
	if _, err := client.Reserve(t.Context(), far, *host.InfoFromHost(middle)); err != nil {
		t.Fatal(err)
	}
	d := new(desk)
	early := attach(t, far, Options{Handler: d, Catchup: d, Timing: quick()})
	publish(t, early, "hello")
	late := attachBoth(t, near, quick())

	circuit, err := ma.NewMultiaddr(fmt.Sprintf("%s/p2p/%s/p2p-circuit", middle.Addrs()[0], middle.ID()))
	if err != nil {
		t.Fatal(err)
	}
	ctx := network.WithAllowLimitedConn(t.Context(), "test")
	if err := near.Connect(ctx, peer.AddrInfo{ID: far.ID(), Addrs: []ma.Multiaddr{circuit}}); err != nil {
		t.Fatal(err)
	}
	for _, c := range near.Network().ConnsToPeer(far.ID()) {
		if !c.Stat().Limited {
			t.Fatal("they have another connection")
		}
	}
	nodetest.Await(t, "the record came", func() bool { return late.desk.has("hello") })
	// And what is said later, though gossip doesn't run there.
	publish(t, early, "later")
	nodetest.Await(t, "what was said later came", func() bool { return late.desk.has("later") })
}

// loopback is a plain host on this machine.
func loopback(t *testing.T, more ...libp2p.Option) host.Host {
	t.Helper()
	h, err := libp2p.New(append(more, libp2p.ListenAddrStrings("/ip4/127.0.0.1/tcp/0"), libp2p.DisableMetrics())...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.Close() })
	return h
}

// expired is a context that has ended.
func expired(t *testing.T) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}

// sized is a size that a variable may change.
func sized(t *testing.T, variable string, usual int) int {
	t.Helper()
	text := os.Getenv(variable)
	if text == "" {
		return usual
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
