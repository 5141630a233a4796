package network

import (
	"context"
	"crypto/rand"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/p2p/muxer/yamux"
	"github.com/libp2p/go-libp2p/p2p/protocol/ping"
	"github.com/libp2p/go-libp2p/p2p/security/noise"
	quic "github.com/libp2p/go-libp2p/p2p/transport/quic"
	"github.com/libp2p/go-libp2p/p2p/transport/tcp"

	"github.com/parley-protocol/parley/protocol"
)

const (
	loopQUIC = "/ip4/127.0.0.1/udp/0/quic-v1"
	loopTCP  = "/ip4/127.0.0.1/tcp/0"
)

func seed(t testing.TB) (s [32]byte) {
	t.Helper()
	if _, err := rand.Read(s[:]); err != nil {
		t.Fatal(err)
	}
	return s
}

func config(t testing.TB, listen ...string) Config {
	cfg := DefaultConfig()
	cfg.Seed = seed(t)
	cfg.ListenAddrs = listen
	cfg.TestProfile = true
	cfg.DialTimeout = 5 * time.Second
	return cfg
}

// start makes a network that is closed with the test.
func start(t testing.TB, cfg Config) *Network {
	t.Helper()
	n, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := n.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	return n
}

//spec:shows NET-3
func TestConnect(t *testing.T) {
	for name, listen := range map[string]string{"QUIC": loopQUIC, "TCP": loopTCP} {
		t.Run(name, func(t *testing.T) {
			a, b := start(t, config(t, listen)), start(t, config(t, listen))
			if len(b.Addrs()) != 1 {
				t.Fatalf("addresses %q, want one", b.Addrs())
			}
			id, err := a.Connect(t.Context(), b.Addrs()[0])
			if err != nil || id != b.ID() {
				t.Fatalf("Connect gave (%s, %v), want %s", id, err, b.ID())
			}
			if result := <-ping.Ping(t.Context(), a.Host(), id); result.Error != nil {
				t.Fatal(result.Error)
			}
			peers := a.Peers()
			if len(peers) != 1 || !peers[0].Connected || peers[0].Inbound || peers[0].Static || peers[0].UserAgent != UserAgent {
				t.Errorf("peers %+v", peers)
			}
		})
	}
}

func TestConnectRefuses(t *testing.T) {
	a := start(t, config(t, loopTCP))
	if _, err := a.Connect(t.Context(), a.Addrs()[0]); protocol.CodeOf(err) != protocol.CodeUsage {
		t.Errorf("own address: %v", err)
	}
	if _, err := a.Connect(t.Context(), loopTCP); protocol.CodeOf(err) != protocol.CodeBadField {
		t.Errorf("address without a peer: %v", err)
	}
}

// stranger is a host of some other program, with a key of some type.
func stranger(t *testing.T, typ int, options ...libp2p.Option) host.Host {
	t.Helper()
	key, _, err := crypto.GenerateKeyPair(typ, 2048)
	if err != nil {
		t.Fatal(err)
	}
	h, err := libp2p.New(append([]libp2p.Option{
		libp2p.Identity(key),
		libp2p.ListenAddrStrings(loopQUIC, loopTCP),
		libp2p.Transport(quic.NewTransport),
		libp2p.Transport(tcp.NewTCPTransport),
		libp2p.Security(noise.ID, noise.New),
		libp2p.Muxer(yamux.ID, yamux.DefaultTransport),
		libp2p.DisableRelay(),
		libp2p.DisableMetrics(),
	}, options...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.Close() })
	return h
}

func TestEd25519PeersOnly(t *testing.T) {
	for name, typ := range map[string]int{"RSA": crypto.RSA, "secp256k1": crypto.Secp256k1, "ECDSA": crypto.ECDSA, "Ed25519": crypto.Ed25519} {
		for transport, listen := range map[string]string{"QUIC": loopQUIC, "TCP": loopTCP} {
			t.Run(name+" over "+transport, func(t *testing.T) {
				welcome := typ == crypto.Ed25519
				n := start(t, config(t, listen))
				h := stranger(t, typ)
				info, err := peer.AddrInfoFromString(n.Addrs()[0])
				if err != nil {
					t.Fatal(err)
				}
				// The dialling side of a handshake may end before the other side
				// has looked at its key, so the ping counts and not the dial.
				ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
				defer cancel()
				err = h.Connect(ctx, *info)
				if err == nil {
					err = (<-ping.Ping(ctx, h, info.ID)).Error
				}
				if (err == nil) != welcome {
					t.Errorf("dialled by the stranger: %v", err)
				}
				if welcome {
					return
				}
				if err := n.Host().Connect(ctx, peer.AddrInfo{ID: h.ID(), Addrs: h.Addrs()}); err == nil {
					t.Error("the node dialled the stranger")
				}
				if len(n.Host().Network().Peers()) != 0 {
					t.Error("the stranger is among the peers")
				}
			})
		}
	}
}

func TestStaticPeersAreKept(t *testing.T) {
	a := start(t, config(t, loopQUIC))
	came := make(chan PeerEvent, 16)
	defer a.OnPeer(func(e PeerEvent) { came <- e })()
	cfg := config(t)
	cfg.StaticPeers = a.Addrs()
	b, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	events := make(chan PeerEvent, 16)
	stop := b.OnPeer(func(e PeerEvent) { events <- e })
	defer stop()
	if err := b.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	expect(t, events, PeerEvent{Peer: a.ID(), Connected: true})
	if !b.Host().ConnManager().IsProtected(a.ID(), staticTag) {
		t.Error("a static peer isn't protected")
	}
	expect(t, came, PeerEvent{Peer: b.ID(), Connected: true})
	if err := a.Host().Network().ClosePeer(b.ID()); err != nil {
		t.Fatal(err)
	}
	expect(t, events, PeerEvent{Peer: a.ID(), Connected: false})
	expect(t, events, PeerEvent{Peer: a.ID(), Connected: true})

	if err := b.RemovePeer(a.ID()); err != nil {
		t.Fatal(err)
	}
	expect(t, events, PeerEvent{Peer: a.ID(), Connected: false})
	if err := b.AddPeers(a.Addrs()...); err != nil {
		t.Fatal(err)
	}
	expect(t, events, PeerEvent{Peer: a.ID(), Connected: true})
	if peers := b.Peers(); len(peers) != 1 || !peers[0].Static {
		t.Errorf("peers %+v", peers)
	}
}

// TestStaticPeerIsRedialled: a dial that joins one that has just ended is told of
// its connection, even when that is closed by now.
func TestStaticPeerIsRedialled(t *testing.T) {
	a := start(t, config(t, loopQUIC))
	cfg := config(t)
	cfg.StaticPeers = a.Addrs()
	b, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	b.host = &lateHost{Host: b.host}
	events := make(chan PeerEvent, 16)
	defer b.OnPeer(func(e PeerEvent) { events <- e })()
	if err := b.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	expect(t, events, PeerEvent{Peer: a.ID(), Connected: true})
}

// lateHost says that its first connection stands, which doesn't.
type lateHost struct {
	host.Host
	dialled atomic.Bool
}

func (h *lateHost) Connect(ctx context.Context, info peer.AddrInfo) error {
	if h.dialled.CompareAndSwap(false, true) {
		return nil
	}
	return h.Host.Connect(ctx, info)
}

func expect(t *testing.T, events <-chan PeerEvent, want PeerEvent) {
	t.Helper()
	select {
	case got := <-events:
		if got != want {
			t.Fatalf("event %+v, want %+v", got, want)
		}
	case <-time.After(10 * time.Second):
		t.Fatalf("no event, want %+v", want)
	}
}

func TestListenErrorNamesTheAddress(t *testing.T) {
	a := start(t, config(t, loopTCP))
	taken, _, _ := strings.Cut(a.Addrs()[0], "/p2p/")
	n, err := New(config(t, taken))
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	err = n.Start(t.Context())
	if protocol.CodeOf(err) != protocol.CodeUsage || !strings.Contains(err.Error(), taken) {
		t.Errorf("port in use: %v", err)
	}
}

//spec:shows NET-4
func TestDefaultConfigStarts(t *testing.T) {
	cfg := DefaultConfig()
	cfg.Seed = seed(t)
	n := start(t, cfg)
	if len(n.Addrs()) == 0 {
		t.Error("no addresses")
	}
	for _, addr := range n.Addrs() {
		if _, err := ParsePeer(addr); err != nil {
			t.Errorf("an own address doesn't parse: %v", err)
		}
	}
}

func TestMDNSFindsTheOther(t *testing.T) {
	a, b := config(t, "/ip4/0.0.0.0/udp/0/quic-v1"), config(t, "/ip4/0.0.0.0/udp/0/quic-v1")
	a.MDNS, b.MDNS = true, true
	events := make(chan PeerEvent, 16)
	n, err := New(a)
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	defer n.OnPeer(func(e PeerEvent) { events <- e })()
	if err := n.Start(t.Context()); err != nil {
		t.Skipf("no multicast here: %v", err)
	}
	m, err := New(b)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if err := m.Start(t.Context()); err != nil {
		t.Skipf("no multicast here: %v", err)
	}
	for late := time.After(3 * time.Second); ; {
		select {
		case e := <-events:
			if e.Peer == m.ID() && e.Connected {
				return
			} // else: another node on this network
		case <-late:
			t.Skip("multicast doesn't come back on this machine")
		}
	}
}

func TestValidate(t *testing.T) {
	good := config(t, loopTCP)
	if err := good.Validate(); err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(*Config){
		"no seed": func(c *Config) { c.Seed = [32]byte{} },
		"listen on a peer": func(c *Config) {
			c.ListenAddrs = []string{loopTCP + "/p2p/12D3KooWGC6TvWhfapngX6wvJHMYvKpDMXPb3ZnCZ6dMoaMtimQ5"}
		},
		"listen on UDP":   func(c *Config) { c.ListenAddrs = []string{"/ip4/127.0.0.1/udp/1"} },
		"no multiaddr":    func(c *Config) { c.AnnounceAddrs = []string{"127.0.0.1:1"} },
		"peer without ID": func(c *Config) { c.StaticPeers = []string{loopTCP} },
		"marks swapped":   func(c *Config) { c.ConnsLow = c.ConnsHigh + 1 },
		"no memory":       func(c *Config) { c.Memory = 1 },
		"no agent":        func(c *Config) { c.UserAgent = "" },
		"no timeout":      func(c *Config) { c.DialTimeout = 0 },
		"many peers":      func(c *Config) { c.StaticPeers = make([]string, MaxStaticPeers+1) },
	} {
		t.Run(name, func(t *testing.T) {
			bad := good
			spoil(&bad)
			if bad.Validate() == nil {
				t.Error("it passes")
			}
			if _, err := New(bad); err == nil {
				t.Error("a network was made of it")
			}
		})
	}
}

func BenchmarkStart(b *testing.B) {
	cfg := DefaultConfig()
	cfg.Seed = seed(b)
	for b.Loop() {
		n, err := New(cfg)
		if err != nil {
			b.Fatal(err)
		}
		if err := n.Start(b.Context()); err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		n.Close()
		b.StartTimer()
	}
}
