package network

import (
	"slices"

	"github.com/libp2p/go-libp2p/core/network"
	basichost "github.com/libp2p/go-libp2p/p2p/host/basic"
	ma "github.com/multiformats/go-multiaddr"
)

// portMapper asks the router for ports, by UPnP or NAT-PMP, and can tell whether
// it has got one.
type portMapper struct {
	basichost.NATManager
	net network.Network
}

func (t *traversal) newMapper(n network.Network) basichost.NATManager {
	t.mapper = &portMapper{NATManager: basichost.NewNATManager(n), net: n}
	return t.mapper
}

func (m *portMapper) found() bool {
	return m.HasDiscoveredNAT() && slices.ContainsFunc(m.net.ListenAddresses(), func(a ma.Multiaddr) bool { return m.GetMapping(a) != nil })
}
