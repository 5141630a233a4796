package network

import (
	"fmt"
	"slices"
	"time"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"

	"github.com/parley-protocol/parley/protocol"
)

// UserAgent is what a node tells everyone it connects to. It names the protocol
// and not the build, so that it doesn't tell nodes apart.
const UserAgent = "parley/1"

// Bounds of a configuration.
const (
	MaxListenAddrs = 16
	MaxStaticPeers = 64
	MaxRelays      = 16
	minMemory      = 32 << 20
)

// Config says how a node attaches to the network. Start from [DefaultConfig].
type Config struct {
	// Seed is the Ed25519 seed of the transport key. It is never derived from,
	// or shared with, a key that signs records.
	Seed [32]byte
	// ListenAddrs are the multiaddrs to listen on: TCP and QUIC. None: the node
	// only dials.
	ListenAddrs []string
	// AnnounceAddrs are further multiaddrs, without /p2p, at which others reach
	// this node, such as a forwarded port. They go into invites.
	AnnounceAddrs []string
	// StaticPeers are multiaddrs ending in /p2p/PEER that are kept connected.
	StaticPeers []string
	// MDNS looks for nodes on the local network and answers those that look.
	MDNS bool
	// Traversal finds out whether others reach this node, gets it a place at
	// relays when they don't, and goes from relayed connections to direct ones.
	// It isn't for simulated networks: others are dialled by a host of their own.
	Traversal bool
	// PortMapping asks the router for a port, by UPnP or NAT-PMP; with Traversal.
	PortMapping bool
	// Relays are multiaddrs ending in /p2p/PEER of the only relays to have a place
	// at; none: nodes met that relay. With Traversal.
	Relays []string
	// ServeRelay relays for others, within the limits of document 8.
	ServeRelay bool
	// UserAgent is told to every peer.
	UserAgent string
	// ConnsLow and ConnsHigh are the connection manager's marks: above the
	// second, connections are closed until the first is reached. Static peers
	// are exempt.
	ConnsLow, ConnsHigh int
	// Memory is the most that the network's buffers may take, in bytes.
	Memory int64
	// DialTimeout bounds one attempt to connect.
	DialTimeout time.Duration
	// Mailbox lets one IP address have as many connections as the couriers of a
	// person with many deals need.
	Mailbox bool
	// TestProfile lifts the limits per IP address, so that many nodes can run
	// on one machine. It is for test networks only.
	TestProfile bool
	// Options are appended to the host's options. Tests put a simulated network
	// in through them.
	Options []libp2p.Option
}

// DefaultConfig suits a laptop: it listens on a free port of every interface
// and looks for no one.
func DefaultConfig() Config {
	return Config{
		ListenAddrs: []string{
			"/ip4/0.0.0.0/udp/0/quic-v1",
			"/ip4/0.0.0.0/tcp/0",
			"/ip6/::/udp/0/quic-v1",
			"/ip6/::/tcp/0",
		},
		UserAgent:   UserAgent,
		ConnsLow:    32,
		ConnsHigh:   96,
		Memory:      128 << 20,
		DialTimeout: 15 * time.Second,
	}
}

// Validate tells the first thing that is wrong, as a [protocol.Error] of code
// usage whose field is the configuration's.
func (c Config) Validate() error {
	switch {
	case c.Seed == [32]byte{}:
		return usage("seed", "the transport key is missing")
	case len(c.ListenAddrs) > MaxListenAddrs:
		return usage("listen", "%d addresses; at most %d", len(c.ListenAddrs), MaxListenAddrs)
	case len(c.StaticPeers) > MaxStaticPeers:
		return usage("peers", "%d peers; at most %d", len(c.StaticPeers), MaxStaticPeers)
	case c.UserAgent == "" || len(c.UserAgent) > 64:
		return usage("userAgent", "must have 1 to 64 bytes")
	case c.ConnsLow < 1 || c.ConnsHigh < c.ConnsLow:
		return usage("conns", "low mark %d and high mark %d don't fit together", c.ConnsLow, c.ConnsHigh)
	case c.Memory < minMemory:
		return usage("memory", "%d bytes; at least %d", c.Memory, minMemory)
	case c.DialTimeout <= 0:
		return usage("dialTimeout", "must be positive")
	}
	if _, err := parseAddrs("listen", c.ListenAddrs); err != nil {
		return err
	}
	if _, err := parseAddrs("announce", c.AnnounceAddrs); err != nil {
		return err
	}
	if err := validateRelays(c.Relays); err != nil {
		return err
	}
	_, err := ParsePeers(c.StaticPeers)
	return err
}

func validateRelays(texts []string) error {
	relays, err := ParsePeers(texts)
	if err != nil {
		return usage("relays", "%w", err)
	}
	if len(relays) > MaxRelays {
		return usage("relays", "%d relays; at most %d", len(relays), MaxRelays)
	}
	for _, r := range relays {
		if slices.ContainsFunc(r.Addrs, isCircuit) {
			return usage("relays", "a relay is reached directly, not through another")
		}
	}
	return nil
}

// perAddress is how many connections one address may have.
func (c Config) perAddress() int {
	switch {
	case c.TestProfile:
		return unlimited
	case c.Mailbox:
		return mailboxPerAddr
	default:
		return usualPerAddress
	}
}

// parseAddrs reads multiaddrs that name no peer.
func parseAddrs(field string, texts []string) ([]ma.Multiaddr, error) {
	addrs := make([]ma.Multiaddr, 0, len(texts))
	for i, text := range texts {
		addr, err := ma.NewMultiaddr(text)
		if err != nil {
			return nil, usage(fmt.Sprintf("%s[%d]", field, i), "%q is not a multiaddr: %w", text, err)
		}
		if _, id := peer.SplitAddr(addr); id != "" {
			return nil, usage(fmt.Sprintf("%s[%d]", field, i), "%q names a peer; leave /p2p/… out", text)
		}
		if !dialable(addr) {
			return nil, usage(fmt.Sprintf("%s[%d]", field, i), "%q is neither TCP nor QUIC", text)
		}
		addrs = append(addrs, addr)
	}
	return addrs, nil
}

func usage(field, format string, args ...any) error {
	return protocol.Errorf(protocol.CodeUsage, field, format, args...)
}
