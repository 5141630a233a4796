package network

import (
	"cmp"
	"slices"

	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	ma "github.com/multiformats/go-multiaddr"
)

// Offering lists the connected peers that speak a protocol, as identify told,
// each with the addresses at which others may reach it, the widest first.
func (n *Network) Offering(proto protocol.ID) []peer.AddrInfo {
	var out []peer.AddrInfo
	for _, id := range n.host.Network().Peers() {
		known, err := n.host.Peerstore().SupportsProtocols(id, proto)
		if err != nil || len(known) == 0 || !isEd25519(id) {
			continue
		}
		var addrs []ma.Multiaddr
		for _, a := range n.host.Peerstore().Addrs(id) {
			if dialable(a) {
				addrs = append(addrs, a)
			}
		}
		slices.SortStableFunc(addrs, func(a, b ma.Multiaddr) int { return cmp.Compare(farness(a), farness(b)) })
		if len(addrs) > 0 {
			out = append(out, peer.AddrInfo{ID: id, Addrs: addrs})
		}
	}
	return out
}
