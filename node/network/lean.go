package network

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/sec"
	"github.com/libp2p/go-libp2p/core/transport"
	"github.com/libp2p/go-libp2p/p2p/host/blank"
	"github.com/libp2p/go-libp2p/p2p/host/eventbus"
	"github.com/libp2p/go-libp2p/p2p/host/peerstore/pstoremem"
	"github.com/libp2p/go-libp2p/p2p/muxer/yamux"
	"github.com/libp2p/go-libp2p/p2p/net/swarm"
	"github.com/libp2p/go-libp2p/p2p/net/upgrader"
	circuit "github.com/libp2p/go-libp2p/p2p/protocol/circuitv2/client"
	"github.com/libp2p/go-libp2p/p2p/security/noise"
	quic "github.com/libp2p/go-libp2p/p2p/transport/quic"
	"github.com/libp2p/go-libp2p/p2p/transport/quicreuse"
	"github.com/libp2p/go-libp2p/p2p/transport/tcp"
	ma "github.com/multiformats/go-multiaddr"
	quicgo "github.com/quic-go/quic-go"
)

// leanHost is a host that dials and opens streams, and does nothing else: it has
// no listener and no service, and resets every stream that others open, those of
// identify too. What it has in memory is little more than its connections.
//
// Nothing of it is shared with another lean host but the accounts of memory: a
// socket that two had in common would show that they belong together.
type leanHost struct {
	host.Host
	addQUIC, addRelay func() error // do so once

	mu   sync.Mutex
	rest []io.Closer
}

func newLeanHost(resources network.ResourceManager, dialTimeout time.Duration) (h *leanHost, err error) {
	quietQUIC()
	key, _, err := crypto.GenerateEd25519Key(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("key: %w", err)
	}
	id, err := peer.IDFromPrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("peer ID: %w", err)
	}
	h = new(leanHost)
	defer func() {
		if err != nil {
			err = errors.Join(err, h.Close())
		}
	}()
	peers, err := pstoremem.NewPeerstore()
	if err != nil {
		return nil, fmt.Errorf("peer store: %w", err)
	}
	h.rest = append(h.rest, peers)
	if err := peers.AddPrivKey(id, key); err != nil {
		return nil, fmt.Errorf("key: %w", err)
	}
	bus := eventbus.NewBus()
	net, err := swarm.NewSwarm(id, peers, bus,
		swarm.WithConnectionGater(&gater{}),
		swarm.WithResourceManager(resources),
		swarm.WithDialTimeout(dialTimeout),
		swarm.WithUDPBlackHoleSuccessCounter(nil),
		swarm.WithIPv6BlackHoleSuccessCounter(nil),
	)
	if err != nil {
		return nil, fmt.Errorf("swarm: %w", err)
	}
	h.rest = append(h.rest, net)
	up, err := newUpgrader(key, resources)
	if err != nil {
		return nil, err
	}
	overTCP, err := tcp.NewTCPTransport(up, resources, nil, tcp.DisableReuseport())
	if err != nil {
		return nil, fmt.Errorf("TCP: %w", err)
	}
	if err := net.AddTransport(overTCP); err != nil {
		return nil, fmt.Errorf("TCP: %w", err)
	}
	h.addQUIC = sync.OnceValue(func() error { return h.newQUIC(net, key, resources) })
	blank := blankhost.NewBlankHost(net, blankhost.WithEventBus(bus))
	if blank == nil {
		return nil, errors.New("host")
	}
	h.Host = blank
	h.addRelay = sync.OnceValue(func() error {
		through, err := circuit.New(blank, up)
		if err != nil {
			return err
		}
		return net.AddTransport(through)
	})
	net.SetStreamHandler(func(s network.Stream) { s.Reset() })
	return h, nil
}

// newUpgrader makes Noise and Yamux of a connection.
func newUpgrader(key crypto.PrivKey, resources network.ResourceManager) (transport.Upgrader, error) {
	muxers := []upgrader.StreamMuxer{{ID: yamux.ID, Muxer: yamux.DefaultTransport}}
	security, err := noise.New(noise.ID, key, muxers)
	if err != nil {
		return nil, fmt.Errorf("noise: %w", err)
	}
	up, err := upgrader.New([]sec.SecureTransport{security}, muxers, nil, resources, &gater{})
	if err != nil {
		return nil, fmt.Errorf("upgrader: %w", err)
	}
	return up, nil
}

// newQUIC gives a swarm QUIC, with a socket of its own.
func (h *leanHost) newQUIC(net *swarm.Swarm, key crypto.PrivKey, resources network.ResourceManager) error {
	// No listener, so nothing is ever reset or redeemed with these two keys.
	sockets, err := quicreuse.NewConnManager(quicgo.StatelessResetKey{}, quicgo.TokenGeneratorKey{})
	if err != nil {
		return fmt.Errorf("QUIC: %w", err)
	}
	h.mu.Lock()
	h.rest = append([]io.Closer{sockets}, h.rest...) // closed after the swarm
	h.mu.Unlock()
	overQUIC, err := quic.NewTransport(key, sockets, nil, &gater{}, resources)
	if err != nil {
		return fmt.Errorf("QUIC: %w", err)
	}
	return net.AddTransport(overQUIC)
}

// Connect has a connection to a peer. QUIC and relays come with the first address
// that needs them.
func (h *leanHost) Connect(ctx context.Context, to peer.AddrInfo) error {
	for _, a := range to.Addrs {
		for _, p := range a.Protocols() {
			var err error
			switch p.Code {
			case ma.P_QUIC_V1:
				err = h.addQUIC()
			case ma.P_CIRCUIT:
				err = h.addRelay()
			}
			if err != nil {
				return fmt.Errorf("%s: %w", p.Name, err)
			}
		}
	}
	return h.Host.Connect(ctx, to)
}

// Close ends its connections.
func (h *leanHost) Close() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	var errs []error
	for i := len(h.rest) - 1; i >= 0; i-- {
		errs = append(errs, h.rest[i].Close())
	}
	return errors.Join(errs...)
}
