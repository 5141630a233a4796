package network

import (
	"slices"
	"strings"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"
)

// Origin is how this node came to a peer.
type Origin string

// The origins.
const (
	OriginConfig    Origin = "config"    // it stands in the settings
	OriginInvite    Origin = "invite"    // the person joined it by a link
	OriginAdded     Origin = "added"     // the person named it
	OriginLocal     Origin = "mdns"      // found on the local network
	OriginDiscovery Origin = "discovery" // found in the table of nodes
	OriginExchange  Origin = "exchange"  // a good peer named it
	OriginStored    Origin = "stored"    // met before the last start
	OriginIncoming  Origin = "incoming"  // it came by itself
)

const (
	originKey = "parley/origin" // in the peerstore, which forgets peers that are gone
	ownPrefix = "/parley/"      // of Parley's protocol IDs
	// mostProtocols bounds what is shown of a peer's list.
	mostProtocols = 32
)

// NoteOrigin notes how this node comes to a peer that it is about to dial. One
// that is connected already keeps its origin.
func (n *Network) NoteOrigin(id peer.ID, o Origin) {
	if !n.connected(id) {
		_ = n.host.Peerstore().Put(id, originKey, o) // memory: it doesn't fail
	}
}

// Origin is how this node came to a peer that is connected.
func (n *Network) Origin(id peer.ID) Origin {
	conns := n.host.Network().ConnsToPeer(id)
	if len(conns) == 0 {
		return ""
	}
	if !slices.ContainsFunc(conns, func(c network.Conn) bool { return c.Stat().Direction == network.DirOutbound }) {
		return OriginIncoming
	}
	if v, err := n.host.Peerstore().Get(id, originKey); err == nil {
		if o, ok := v.(Origin); ok {
			return o
		}
	}
	return OriginDiscovery // the table dials whom it needs
}

// speaks are Parley's protocols that a peer has told of.
func (n *Network) speaks(id peer.ID) []string {
	all, _ := n.host.Peerstore().GetProtocols(id) // memory: it doesn't fail
	var own []string
	for _, p := range all {
		if text := string(p); strings.HasPrefix(text, ownPrefix) && len(text) <= 128 && len(own) < mostProtocols {
			own = append(own, text)
		}
	}
	slices.Sort(own)
	return own
}

// Dialled reports whether this node has dialled the peer directly, and the
// address at which it did.
func (n *Network) Dialled(id peer.ID) (ma.Multiaddr, bool) {
	for _, c := range n.host.Network().ConnsToPeer(id) {
		if c.Stat().Direction == network.DirOutbound && !c.Stat().Limited && dialable(c.RemoteMultiaddr()) {
			return c.RemoteMultiaddr(), true
		}
	}
	return nil, false
}

// AddrsFor lists at most limit addresses of a peer that it makes sense to give to
// whoever is at that place: to the machine itself all, on a private network those
// of private networks and of the internet, elsewhere those of the internet. An
// address that this node has dialled comes first.
func (n *Network) AddrsFor(id peer.ID, at ma.Multiaddr, limit int) []ma.Multiaddr {
	var out []ma.Multiaddr
	add := func(a ma.Multiaddr) {
		if len(out) < limit && dialable(a) && len(a.String()) <= MaxAddr-64 && near(a) <= near(at) && !ma.Contains(out, a) {
			out = append(out, a)
		}
	}
	if a, ok := n.Dialled(id); ok {
		add(a)
	}
	for _, a := range n.host.Peerstore().Addrs(id) {
		add(a)
	}
	return out
}

// near is 0 for addresses of the internet and names, 1 for private networks, 2 for
// this machine, 3 for what nobody can dial.
func near(a ma.Multiaddr) int {
	ip, err := manet.ToIP(a)
	switch {
	case err != nil:
		return 0
	case ip.IsUnspecified(), ip.IsMulticast():
		return 3
	case ip.IsLoopback():
		return 2
	case manet.IsPrivateAddr(a), ip.IsLinkLocalUnicast():
		return 1
	}
	return 0
}
