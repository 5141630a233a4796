package node_test

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	libp2p "github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/parley-protocol/parley/node"
	"github.com/parley-protocol/parley/node/config"
	"github.com/parley-protocol/parley/node/home"
	"github.com/parley-protocol/parley/node/network"
	"github.com/parley-protocol/parley/node/nodetest"
	"github.com/parley-protocol/parley/protocol"
)

// meet waits until a node is connected to another.
func meet(t testing.TB, n *node.Node, id peer.ID) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
	defer cancel()
	met := make(chan struct{}, 64)
	defer n.Network.OnPeer(func(network.PeerEvent) {
		select {
		case met <- struct{}{}:
		default:
		}
	})()
	for n.Network.Host().Network().Connectedness(id) != libp2p.Connected {
		select {
		case <-met:
		case <-ctx.Done():
			t.Fatalf("%s and %s never met", n.Network.ID(), id)
		}
	}
}

func shut(t testing.TB, nodes ...*node.Node) {
	t.Helper()
	for _, n := range nodes {
		if err := n.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// listenAt is where a node listened.
func listenAt(n *node.Node) string { return n.Network.Host().Addrs()[0].String() }

// Two nodes that have met through a third find each other again after both were
// off, when the third is gone and nobody tells them of anybody. A spoilt memory
// is begun anew, and the table of nodes fills it again.
//
//spec:shows NET-4 PEER-1
func TestNoBootstrapNeededAgain(t *testing.T) {
	first := start(t, t.TempDir(), func(c *config.Config) { c.Discovery = "server" })
	dirs := []string{t.TempDir(), t.TempDir()}
	var nodes []*node.Node
	var at []string
	for _, dir := range dirs {
		n := start(t, dir, func(c *config.Config) { c.Bootstrap = first.Network.Addrs() })
		if err := n.Desk.JoinMarket(t.Context(), market); err != nil {
			t.Fatal(err)
		}
		nodes, at = append(nodes, n), append(at, listenAt(n))
	}
	meet(t, nodes[0], nodes[1].Network.ID())
	for i, n := range nodes {
		other := nodes[1-i].Network.ID()
		nodetest.Await(t, "the other is remembered", func() bool { _, ok := n.Peers.Get(other); return ok })
	}
	shut(t, append(nodes, first)...)
	nodes = nil
	for i, dir := range dirs {
		nodes = append(nodes, start(t, dir, func(c *config.Config) { c.Listen = []string{at[i]} }))
	}
	meet(t, nodes[0], nodes[1].Network.ID())
	meet(t, nodes[1], nodes[0].Network.ID())
	origins := []network.Origin{nodes[0].Network.Origin(nodes[1].Network.ID()), nodes[1].Network.Origin(nodes[0].Network.ID())}
	if !slices.Contains(origins, network.OriginStored) {
		t.Errorf("they met by %v", origins)
	}
	trade(t, nodes[0], nodes[1])
	shut(t, nodes...)

	h, _ := home.At(dirs[0])
	if err := os.WriteFile(h.Peers(), []byte("PARLEYP1 and nothing good"), 0o600); err != nil {
		t.Fatal(err)
	}
	b := start(t, dirs[1], func(c *config.Config) { c.Listen, c.Discovery = []string{at[1]}, "server" })
	a := start(t, dirs[0], func(c *config.Config) { c.Bootstrap = b.Network.Addrs() })
	if a.Peers.Began() == nil {
		t.Error("nothing is said of the spoilt file")
	}
	meet(t, a, b.Network.ID())
}

// Whom the person adds stays over a restart; whom they remove doesn't come back,
// and whom they block can't.
//
//spec:shows PEER-7
func TestPeersOfThePerson(t *testing.T) {
	dir := t.TempDir()
	other, configured := start(t, t.TempDir(), nil), start(t, t.TempDir(), nil)
	id := other.Network.ID()
	settings := func(c *config.Config) { c.Peers = configured.Network.Addrs() }
	n := start(t, dir, settings)
	if err := n.AddPeers(t.Context(), n.Network.Addrs()); protocol.CodeOf(err) != protocol.CodeUsage {
		t.Errorf("itself: %v", err)
	}
	if err := n.AddPeers(t.Context(), other.Network.Addrs()); err != nil {
		t.Fatal(err)
	}
	meet(t, n, id)
	meet(t, n, configured.Network.ID())
	if o := n.Network.Peers(); len(o) != 2 || !o[0].Static || !o[1].Static {
		t.Errorf("%+v", o)
	}
	shut(t, n)
	n = start(t, dir, settings)
	meet(t, n, id)
	for _, p := range n.Network.Peers() {
		if want := map[peer.ID]network.Origin{id: network.OriginAdded, configured.Network.ID(): network.OriginConfig}[p.ID]; p.Origin != want {
			t.Errorf("%s came by %q, not %q", p.ID, p.Origin, want)
		}
	}
	if err := n.RemovePeer(t.Context(), configured.Network.ID()); protocol.CodeOf(err) != protocol.CodeNotPermitted || !strings.Contains(fmt.Sprint(err), "settings") {
		t.Errorf("one of the settings: %v", err)
	}
	if err := n.RemovePeer(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	if n.Network.Keeps(id) {
		t.Error("kept after all")
	}
	if err := n.BlockPeer(t.Context(), configured.Network.ID()); err != nil {
		t.Fatal(err)
	}
	for range 2 { // then after a restart
		for who, blocked := range map[*node.Node]bool{other: false, configured: true} {
			who.Network.Host().Peerstore().AddAddrs(n.Network.ID(), n.Network.Host().Addrs(), time.Hour)
			// The blocked one's handshake may end before this side has looked.
			conn, err := who.Network.Host().Network().DialPeer(t.Context(), n.Network.ID())
			if err == nil && blocked {
				nodetest.Await(t, "the connection is closed again", func() bool {
					return conn.IsClosed() && len(n.Network.Host().Network().ConnsToPeer(configured.Network.ID())) == 0
				})
			} else if err != nil && !blocked {
				t.Errorf("who isn't blocked can't come: %v", err)
			}
		}
		if n.Network.Keeps(configured.Network.ID()) || len(n.Network.Host().Network().ConnsToPeer(configured.Network.ID())) != 0 || !slices.Equal(n.BlockedPeers(), []peer.ID{configured.Network.ID()}) {
			t.Error("blocked and connected")
		}
		if err := n.AddPeers(t.Context(), configured.Network.Addrs()); protocol.CodeOf(err) != protocol.CodeNotPermitted {
			t.Errorf("added although it is blocked: %v", err)
		}
		shut(t, n)
		n = start(t, dir, settings)
	}
	if err := n.UnblockPeer(t.Context(), configured.Network.ID()); err != nil {
		t.Fatal(err)
	}
	meet(t, n, configured.Network.ID())
}

// Without discovery nobody is looked for and nobody is remembered.
func TestDiscoveryOff(t *testing.T) {
	dir := t.TempDir()
	off := func(c *config.Config) { c.Discovery = "off" }
	n := start(t, dir, off)
	other := start(t, t.TempDir(), nil)
	join(t, n, other)
	join(t, other)
	meet(t, n, other.Network.ID())
	nodetest.Await(t, "they are in a market together", func() bool { return len(n.Gossip.Peers(market)) == 1 })
	if n.Peers != nil || n.Discovery != nil {
		t.Error("they are there")
	}
	shut(t, n)
	h, _ := home.At(dir)
	if _, err := os.Stat(h.Peers()); err == nil {
		t.Error("it has written down whom it met")
	}
}
