package network

import (
	"crypto/ed25519"
	"fmt"
	"os"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/p2p/muxer/yamux"
	"github.com/libp2p/go-libp2p/p2p/net/connmgr"
	"github.com/libp2p/go-libp2p/p2p/security/noise"
	quic "github.com/libp2p/go-libp2p/p2p/transport/quic"
	"github.com/libp2p/go-libp2p/p2p/transport/tcp"
)

// newHost makes a host that doesn't listen yet, so that every protocol handler
// is in place before the first peer can arrive.
func newHost(cfg Config, gate *gater, t *traversal) (host.Host, error) {
	key, err := transportKey(cfg.Seed)
	if err != nil {
		return nil, err
	}
	resources, err := newResources(cfg.Memory, cfg.ConnsHigh, cfg.perAddress())
	if err != nil {
		return nil, fmt.Errorf("resource manager: %w", err)
	}
	conns, err := connmgr.NewConnManager(cfg.ConnsLow, cfg.ConnsHigh)
	if err != nil {
		resources.Close()
		return nil, fmt.Errorf("connection manager: %w", err)
	}
	options := append(commonOptions(key, resources, cfg.UserAgent),
		libp2p.ConnectionManager(conns),
		libp2p.ConnectionGater(gate),
		libp2p.WithDialTimeout(cfg.DialTimeout),
	)
	options = append(options, t.options()...)
	h, err := libp2p.New(append(options, cfg.Options...)...)
	if err != nil {
		return nil, fmt.Errorf("libp2p host: %w", err)
	}
	return h, nil
}

// commonOptions are those of every host of a node: QUIC, and TCP with Noise and
// Yamux; no metrics.
func commonOptions(key crypto.PrivKey, resources network.ResourceManager, userAgent string) []libp2p.Option {
	quietQUIC()
	return []libp2p.Option{
		libp2p.Identity(key),
		libp2p.UserAgent(userAgent),
		libp2p.NoListenAddrs,
		libp2p.Transport(quic.NewTransport),
		libp2p.Transport(tcp.NewTCPTransport, tcp.DisableReuseport()),
		libp2p.Security(noise.ID, noise.New),
		libp2p.Muxer(yamux.ID, yamux.DefaultTransport),
		libp2p.ResourceManager(resources),
		libp2p.DisableMetrics(),
		// A dead static peer, redialled for days, must not make the host think
		// that UDP or IPv6 is blocked.
		libp2p.UDPBlackHoleSuccessCounter(nil),
		libp2p.IPv6BlackHoleSuccessCounter(nil),
	}
}

// transportKey expands the seed of the transport identity.
func transportKey(seed [32]byte) (crypto.PrivKey, error) {
	key, err := crypto.UnmarshalEd25519PrivateKey(ed25519.NewKeyFromSeed(seed[:]))
	if err != nil {
		return nil, fmt.Errorf("transport key: %w", err)
	}
	return key, nil
}

// quietQUIC keeps quic-go from writing about the kernel's UDP buffers straight
// to stderr, which belongs to the program. The library has this one switch for
// it, and reads it when the first socket opens.
func quietQUIC() {
	const name = "QUIC_GO_DISABLE_RECEIVE_BUFFER_WARNING"
	if _, set := os.LookupEnv(name); !set {
		os.Setenv(name, "true")
	}
}
