package network

import (
	"context"
	"io"
	"slices"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/event"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	autonat "github.com/libp2p/go-libp2p/p2p/host/autonat"
	"github.com/libp2p/go-libp2p/p2p/protocol/autonatv2"
	circuit "github.com/libp2p/go-libp2p/p2p/protocol/circuitv2/client"
	"github.com/libp2p/go-libp2p/p2p/protocol/circuitv2/proto"
	"github.com/libp2p/go-libp2p/p2p/protocol/holepunch"
	ma "github.com/multiformats/go-multiaddr"

	"github.com/parley-protocol/parley/node/nodetest"
)

func traversing(t *testing.T, change func(*Config)) *Network {
	t.Helper()
	cfg := config(t, loopTCP)
	cfg.Traversal = true
	if change != nil {
		change(&cfg)
	}
	return start(t, cfg)
}

// An offer that is made while a relay restarts names the address that will hold
// again in a moment.
func TestLostRelayIsStillNamed(t *testing.T) {
	circuit, err := ma.NewMultiaddr("/ip4/192.0.2.7/tcp/4001/p2p/12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN/p2p-circuit")
	if err != nil {
		t.Fatal(err)
	}
	r, now := newTraversal(Config{}), time.Now()
	named := func(want bool, after time.Duration) {
		t.Helper()
		if got := len(r.lately(now.Add(after))) == 1; got != want {
			t.Errorf("named after %s: %t", after, got)
		}
	}
	r.leave([]ma.Multiaddr{circuit}, now)
	named(false, 0) // the host names it itself
	r.leave(nil, now)
	named(true, 59*time.Minute)
	r.state = network.ReachabilityPublic
	named(false, time.Minute)
	r.state = network.ReachabilityPrivate
	r.leave([]ma.Multiaddr{circuit}, now)
	named(false, time.Minute)
	r.leave(nil, now)
	named(false, 61*time.Minute)
}

// The router is asked for a port only if the person lets the node ask.
//
//spec:shows NAT-6
func TestPortMappingIsAChoice(t *testing.T) {
	for _, asked := range []bool{true, false} {
		var c libp2p.Config
		if err := c.Apply((&traversal{cfg: Config{Traversal: true, PortMapping: asked, ListenAddrs: []string{"/ip4/0.0.0.0/tcp/0"}}}).options()...); err != nil {
			t.Fatal(err)
		}
		if (c.NATManager != nil) != asked {
			t.Errorf("the router is asked: %t", !asked)
		}
	}
}

// A node that nobody on the internet can dial knows it, and says so to the rooms
// that go by it; its person's word counts too.
//
//spec:shows NAT-2
func TestReachability(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*Config)
		want   Reachability
		told   network.Reachability
	}{
		"on this machine alone": {nil, Unreachable, network.ReachabilityPrivate},
		"announced":             {func(c *Config) { c.AnnounceAddrs = []string{"/dns/node.example/tcp/4001"} }, Reachable, network.ReachabilityPublic},
	} {
		t.Run(name, func(t *testing.T) {
			n := traversing(t, test.change)
			nodetest.Await(t, "it is known", func() bool { return n.Reach().Reachable == test.want })
			sub, err := n.Host().EventBus().Subscribe(new(event.EvtLocalReachabilityChanged))
			if err != nil {
				t.Fatal(err)
			}
			defer sub.Close()
			if e := (<-sub.Out()).(event.EvtLocalReachabilityChanged); e.Reachability != test.told {
				t.Errorf("the host was told %s", e.Reachability)
			}
			protocols := n.Host().Mux().Protocols()
			if slices.Contains(protocols, autonat.AutoNATProto) || !slices.Contains(protocols, autonatv2.DialProtocol) {
				t.Errorf("it speaks %s", protocols)
			}
		})
	}
	if r := start(t, config(t, loopTCP)).Reach(); r.Reachable != Unknown {
		t.Errorf("one that doesn't look knows %q", r.Reachable)
	}
}

// What other nodes have dialled is confirmed, what they couldn't isn't; a single
// one that works is enough.
func TestJudge(t *testing.T) {
	n := traversing(t, nil)
	a, b := ma.StringCast("/ip4/192.0.2.1/tcp/1"), ma.StringCast("/ip4/192.0.2.1/udp/1/quic-v1")
	for _, test := range []struct {
		e    event.EvtHostReachableAddrsChanged
		want Reachability
	}{
		{event.EvtHostReachableAddrsChanged{Reachable: []ma.Multiaddr{a}, Unreachable: []ma.Multiaddr{b}}, Reachable},
		{event.EvtHostReachableAddrsChanged{Unreachable: []ma.Multiaddr{a, b}}, Unreachable},
	} {
		n.traverse.judge(test.e)
		if got := n.Reach().Reachable; got != test.want {
			t.Errorf("%+v is %q", test.e, got)
		}
	}
}

// relays reports whether a node keeps a place for another.
func keepsPlace(at *Network, of peer.ID) bool {
	info := at.Host().ConnManager().GetTagInfo(of)
	return info != nil && info.Tags["relay-reservation"] > 0
}

// A node that can't be reached asks those it meets for a place, and only those
// that its settings name when there are any. Nobody relays unasked.
//
//spec:shows NAT-3 NAT-4
func TestPlaceAtRelays(t *testing.T) {
	serving := func(c *Config) { c.ServeRelay = true }
	relay, other, silent := traversing(t, serving), traversing(t, serving), traversing(t, nil)
	if protocols := silent.Host().Mux().Protocols(); slices.Contains(protocols, proto.ProtoIDv2Hop) {
		t.Error("it relays unasked")
	}
	meets := traversing(t, func(c *Config) { c.StaticPeers = slices.Concat(relay.Addrs(), silent.Addrs()) })
	nodetest.Await(t, "there is a place", func() bool { return keepsPlace(relay, meets.ID()) })

	chooses := traversing(t, func(c *Config) {
		c.StaticPeers, c.Relays = relay.Addrs(), other.Addrs()
	})
	nodetest.Await(t, "there is a place at the relay of the settings", func() bool { return keepsPlace(other, chooses.ID()) })
	if keepsPlace(relay, chooses.ID()) {
		t.Error("it has a place at a relay that its settings don't name")
	}
	for _, n := range []*Network{relay, silent} {
		if got := n.Reach().ServesRelay; got != (n == relay) {
			t.Errorf("it says %v", got)
		}
	}
}

// A mailbox that is reached through a relay sees the relay and not its visitor,
// each visit has a circuit and a key of its own, and a circuit takes the largest
// envelope each way.
//
//spec:shows NAT-1 NAT-4 NAT-8 NAT-9
func TestVisitsThroughARelay(t *testing.T) {
	relay := traversing(t, func(c *Config) { c.ServeRelay = true })
	hidden := traversing(t, func(c *Config) { c.ListenAddrs = nil; c.StaticPeers = relay.Addrs() })
	nodetest.Await(t, "there is a place", func() bool { return keepsPlace(relay, hidden.ID()) })
	const size = 163840
	visits := make(chan network.Conn, 8)
	hidden.Host().SetStreamHandler(echoProtocol, func(s network.Stream) {
		visits <- s.Conn()
		io.CopyN(s, s, size)
		s.Close()
	})
	to, err := ParsePeer(relay.Addrs()[0] + "/p2p-circuit/p2p/" + hidden.ID().String())
	if err != nil {
		t.Fatal(err)
	}
	c := courier(t, CourierConfig{})
	seen := map[peer.ID]bool{}
	for range 3 {
		err := c.Do(t.Context(), "a", to, echoProtocol, func(s network.Stream) error {
			go s.Write(make([]byte, size))
			_, err := io.CopyN(io.Discard, s, size)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		conn := <-visits
		visitor := conn.RemotePeer()
		if seen[visitor] {
			t.Error("two visits had one key, and so one circuit")
		}
		seen[visitor] = true
		if a := conn.RemoteMultiaddr(); !conn.Stat().Limited || !isCircuit(a) {
			t.Errorf("the mailbox was visited from %s", a)
		}
		for _, a := range hidden.Host().Peerstore().Addrs(visitor) {
			if !isCircuit(a) {
				t.Errorf("the mailbox knows the visitor at %s", a)
			}
		}
		if limit := conn.Stat().Extra[circuit.StatLimitData]; limit != uint64(relayedBytes) {
			t.Errorf("a circuit takes %v bytes", limit)
		}
		// The mailbox may want to come back directly: nobody answers.
		ctx, cancel := context.WithTimeout(network.WithAllowLimitedConn(t.Context(), "test"), 5*time.Second)
		if s, err := hidden.Host().NewStream(network.WithNoDial(ctx, "test"), visitor, holepunch.Protocol); err == nil {
			t.Error("a visitor takes part in hole punching")
			s.Reset()
		}
		cancel()
	}
}

// A direct way isn't left out because there is a relay that has TCP.
func TestPreferTCP(t *testing.T) {
	direct := "/ip4/192.0.2.1/udp/1/quic-v1"
	through := "/ip4/192.0.2.2/tcp/1/p2p/" + relayPeer + "/p2p-circuit"
	tcp := "/ip4/192.0.2.1/tcp/1"
	for _, test := range []struct{ from, want []string }{
		{[]string{direct, through}, []string{direct, through}},
		{[]string{direct, tcp, through}, []string{tcp, through}},
		{[]string{direct}, []string{direct}},
	} {
		var in, want []ma.Multiaddr
		for _, a := range test.from {
			in = append(in, ma.StringCast(a))
		}
		for _, a := range test.want {
			want = append(want, ma.StringCast(a))
		}
		if got := preferTCP(peer.AddrInfo{Addrs: in}).Addrs; !slices.EqualFunc(got, want, ma.Multiaddr.Equal) {
			t.Errorf("of %s it dials %s", test.from, got)
		}
	}
}

// Nobody is dialled before the node listens: others would see it at a port at
// which nobody reaches it, and no hole could be punched.
func TestNoDialBeforeListening(t *testing.T) {
	to := start(t, config(t, loopQUIC))
	info, err := ParsePeers(to.Addrs())
	if err != nil {
		t.Fatal(err)
	}
	n, err := New(config(t, loopQUIC))
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	if err := n.Host().Connect(t.Context(), info[0]); err == nil {
		t.Error("it dials before")
	}
	if err := n.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := n.Host().Connect(t.Context(), info[0]); err != nil {
		t.Fatal(err)
	}
	at := n.Host().Network().ConnsToPeer(info[0].ID)[0].LocalMultiaddr()
	if want := n.Host().Network().ListenAddresses(); !ma.Contains(want, at) {
		t.Errorf("it dials from %s and listens at %s", at, want)
	}
}
