package network

import (
	"fmt"
	"slices"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"

	"github.com/parley-protocol/parley/protocol"
)

// MaxAddr is the longest multiaddr in bytes that a record or an invite may carry.
const MaxAddr = 256

// ParsePeer reads a full multiaddr: an IP address or a DNS name, TCP or QUIC,
// and /p2p/PEER with an Ed25519 peer at the end; or such an address of a relay,
// then /p2p-circuit and the /p2p/PEER that is reached through it. Mailboxes and
// static peers are written that way. The error is a [protocol.Error] of code
// bad_field.
func ParsePeer(text string) (peer.AddrInfo, error) {
	if len(text) > MaxAddr {
		return peer.AddrInfo{}, badAddr(text[:32]+"…", "longer than %d bytes", MaxAddr)
	}
	addr, err := ma.NewMultiaddr(text)
	if err != nil {
		return peer.AddrInfo{}, badAddr(text, "not a multiaddr: %w", err)
	}
	transport, id := peer.SplitAddr(addr)
	switch {
	case id == "":
		return peer.AddrInfo{}, badAddr(text, "has no /p2p/PEER at its end")
	case !isEd25519(id):
		return peer.AddrInfo{}, badAddr(text, "the peer's key isn't Ed25519")
	case transport == nil || !dialable(transport) && !throughRelay(transport, id):
		return peer.AddrInfo{}, badAddr(text, "needs an IP address or DNS name with TCP or QUIC, or a relay's and /p2p-circuit")
	}
	return peer.AddrInfo{ID: id, Addrs: []ma.Multiaddr{transport}}, nil
}

// ParsePeers reads full multiaddrs as [ParsePeer] does and groups them by peer,
// in the order in which peers first appear.
func ParsePeers(texts []string) ([]peer.AddrInfo, error) {
	var peers []peer.AddrInfo
	for i, text := range texts {
		info, err := ParsePeer(text)
		if err != nil {
			return nil, fmt.Errorf("address %d: %w", i+1, err)
		}
		at := slices.IndexFunc(peers, func(p peer.AddrInfo) bool { return p.ID == info.ID })
		switch {
		case at < 0:
			peers = append(peers, info)
		case !ma.Contains(peers[at].Addrs, info.Addrs[0]):
			peers[at].Addrs = append(peers[at].Addrs, info.Addrs[0])
		}
	}
	return peers, nil
}

// dialable reports whether the address is one that this package's hosts can
// dial: ip4, ip6 or dns, then tcp, or udp with quic-v1, and nothing after it.
func dialable(addr ma.Multiaddr) bool {
	var codes []int
	for _, part := range addr {
		if part.Protocol().Code != ma.P_IP6ZONE {
			codes = append(codes, part.Protocol().Code)
		}
	}
	if len(codes) < 2 {
		return false
	}
	switch codes[0] {
	case ma.P_IP4, ma.P_IP6, ma.P_DNS, ma.P_DNS4, ma.P_DNS6:
	default:
		return false
	}
	return slices.Equal(codes[1:], []int{ma.P_TCP}) ||
		slices.Equal(codes[1:], []int{ma.P_UDP, ma.P_QUIC_V1})
}

// throughRelay reports whether the address leads to the peer through a relay that
// this package's hosts can dial: another peer's address, and /p2p-circuit.
func throughRelay(addr ma.Multiaddr, to peer.ID) bool {
	rest, last := ma.SplitLast(addr)
	if last == nil || last.Protocol().Code != ma.P_CIRCUIT {
		return false
	}
	transport, relay := peer.SplitAddr(rest)
	return relay != to && isEd25519(relay) && transport != nil && dialable(transport)
}

// isCircuit reports whether an address leads through a relay.
func isCircuit(addr ma.Multiaddr) bool {
	_, err := addr.ValueForProtocol(ma.P_CIRCUIT)
	return err == nil
}

// isEd25519 reports whether the peer's ID is an inlined Ed25519 public key.
func isEd25519(id peer.ID) bool {
	key, err := id.ExtractPublicKey()
	return err == nil && key.Type() == crypto.Ed25519
}

func badAddr(text, format string, args ...any) error {
	return protocol.Errorf(protocol.CodeBadField, "", "%q "+format, append([]any{text}, args...)...)
}
