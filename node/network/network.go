package network

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/event"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/p2p/host/eventbus"
	ma "github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"

	"github.com/parley-protocol/parley/protocol"
)

// Network is a node's host and the peers that it keeps up with. Its methods are
// safe for concurrent use.
type Network struct {
	cfg      Config
	host     host.Host
	gate     gater
	listen   []ma.Multiaddr
	announce []ma.Multiaddr
	static   []peer.AddrInfo // of the configuration
	events   event.Subscription
	watchers watchers
	traverse *traversal
	relay    io.Closer // nil when this node doesn't relay

	mu      sync.Mutex
	started bool
	closed  bool
	kept    map[peer.ID]*keeper
	mdns    io.Closer

	ctx  context.Context // ends when the network is closed
	stop context.CancelFunc
	work sync.WaitGroup
}

// New makes the host. It doesn't listen or dial before [Network.Start], so that
// protocol handlers can be set on [Network.Host] first. A network that was made
// must be closed, started or not.
func New(cfg Config) (*Network, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	n := &Network{cfg: cfg, kept: make(map[peer.ID]*keeper)}
	// All three passed Validate.
	n.listen, _ = parseAddrs("listen", cfg.ListenAddrs)
	n.announce, _ = parseAddrs("announce", cfg.AnnounceAddrs)
	n.static, _ = ParsePeers(cfg.StaticPeers)

	n.traverse = newTraversal(cfg)
	n.gate.listens = &n.traverse.listens

	var err error
	if n.host, err = newHost(cfg, &n.gate, n.traverse); err != nil {
		return nil, err
	}
	if err := n.traverse.attach(n.host); err != nil {
		n.host.Close()
		return nil, fmt.Errorf("traversal: %w", err)
	}
	n.events, err = n.host.EventBus().Subscribe(new(event.EvtPeerConnectednessChanged),
		eventbus.Name("parley"), eventbus.BufSize(256))
	if err != nil {
		n.traverse.close()
		n.host.Close()
		return nil, fmt.Errorf("peer events: %w", err)
	}
	n.ctx, n.stop = context.WithCancel(context.Background())
	n.work.Go(n.watch)
	n.host.Network().Notify(&network.NotifyBundle{ConnectedF: n.probeOlder})
	return n, nil
}

// Start listens, looks around and dials the static peers. It returns when the
// host listens on every address; dialling goes on in the background until
// [Network.Close]. ctx bounds the start alone.
func (n *Network) Start(ctx context.Context) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	switch {
	case n.closed:
		return errClosed()
	case n.started:
		return errors.New("network: started twice")
	case ctx.Err() != nil:
		return ctx.Err()
	}
	if err := n.listenAll(); err != nil {
		return err
	}
	if n.cfg.MDNS {
		service, err := startMDNS(n)
		if err != nil {
			return fmt.Errorf("local discovery: %w", err)
		}
		n.mdns = service
	}
	if n.cfg.ServeRelay {
		service, err := serveRelay(n.host, n.cfg.TestProfile)
		if err != nil {
			return fmt.Errorf("relay: %w", err)
		}
		n.relay = service
	}
	n.started = true
	n.traverse.start()
	for _, info := range n.static {
		n.keep(info, OriginConfig)
	}
	return nil
}

// listenAll listens on each address by itself: libp2p is content when one of
// several works, and a person who named a port wants to know.
func (n *Network) listenAll() error {
	for _, addr := range n.listen {
		err := n.host.Network().Listen(addr)
		if err == nil || isIPv6(addr) && manet.IsIPUnspecified(addr) && !hasIPv6() {
			continue
		}
		return &protocol.Error{
			Code:   protocol.CodeUsage,
			Field:  "listen",
			Detail: fmt.Sprintf("can't listen on %s: %v", addr, err),
			Hint:   "choose another address or port, or stop the program that uses it",
			Err:    err,
		}
	}
	return nil
}

// Close ends every connection and waits until nothing of the network runs any
// more. Further calls do nothing.
func (n *Network) Close() error {
	n.mu.Lock()
	if n.closed {
		n.mu.Unlock()
		return nil
	}
	n.closed = true
	n.mu.Unlock()

	n.stop()
	var errs []error
	if n.mdns != nil {
		errs = append(errs, n.mdns.Close())
	}
	if n.relay != nil {
		errs = append(errs, n.relay.Close())
	}
	n.traverse.close()
	errs = append(errs, n.events.Close(), n.host.Close())
	n.work.Wait()
	return errors.Join(errs...)
}

// Host is the libp2p host, for protocol handlers and streams.
func (n *Network) Host() host.Host { return n.host }

// ID is the node's peer ID.
func (n *Network) ID() peer.ID { return n.host.ID() }

// Addrs lists the full multiaddrs at which others may reach this node: those
// announced, those of the internet, those through relays, those of the local
// network, and loopback last. It is what an invite and a replyTo carry.
func (n *Network) Addrs() []string {
	addrs := append(slices.Clone(n.host.Addrs()), n.traverse.lately(time.Now())...)
	slices.SortStableFunc(addrs, func(a, b ma.Multiaddr) int { return cmp.Compare(farness(a), farness(b)) })
	suffix := "/p2p/" + n.host.ID().String()
	var texts []string
	for _, addr := range append(slices.Clone(n.announce), addrs...) {
		if text := addr.String() + suffix; !slices.Contains(texts, text) {
			texts = append(texts, text)
		}
	}
	return texts
}

// farness orders addresses by from where they can be dialled, the widest first.
func farness(addr ma.Multiaddr) int {
	switch {
	case isCircuit(addr):
		return 1
	case manet.IsPublicAddr(addr):
		return 0
	case manet.IsIPLoopback(addr):
		return 3
	default:
		return 2
	}
}

// Reach tells how others get to this node, as far as it knows.
func (n *Network) Reach() Reach { return n.traverse.reach() }

func isIPv6(addr ma.Multiaddr) bool {
	return addr[0].Protocol().Code == ma.P_IP6
}

// hasIPv6 reports whether the machine can open an IPv6 socket at all.
func hasIPv6() bool {
	conn, err := net.ListenPacket("udp6", "[::]:0")
	if err != nil {
		return false
	}
	conn.Close()
	return true
}

func errClosed() error {
	return protocol.Errorf(protocol.CodeNotRunning, "", "the network is closed")
}
