package peers

import (
	"net/netip"
	"slices"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"
)

// Bounds.
const (
	MaxPeers   = 512
	MaxAddrs   = 8  // of a peer
	MaxMarkets = 16 // of a peer
	maxAddr    = 256

	// maxHeard is how many peers may be remembered that came by themselves and
	// that this node has never dialled: their addresses are their word alone.
	maxHeard = 128
	// maxGroup is how many may be of one part of the internet: an IPv4 /16, an
	// IPv6 /32. Private networks and DNS names may have maxPrivate.
	maxGroup   = 32
	maxPrivate = 256

	keepReached = 60 * 24 * time.Hour // since they were last met
	keepHeard   = 3 * 24 * time.Hour
	mostFailed  = 10 // dials in vain, one after the other, within a week or more
	failedFor   = 7 * 24 * time.Hour
)

// Peer is a node that was met.
type Peer struct {
	ID      peer.ID   `json:"id"`
	Addrs   []string  `json:"addrs"` // multiaddrs without /p2p, best first
	Markets []string  `json:"markets,omitempty"`
	Source  string    `json:"source,omitempty"` // how it was met at first
	First   time.Time `json:"first"`
	Last    time.Time `json:"last"`
	// Reached: this node has dialled it at one of the addresses, so it is there.
	Reached bool `json:"reached,omitempty"`
	// Failed is how many dials in vain there were since it was last met.
	Failed int `json:"failed,omitempty"`

	group string // the part of the internet that the best address is in
	limit int    // how many peers may be of it
}

// known is for how long the peer has been around.
func (p Peer) known() time.Duration { return p.Last.Sub(p.First) }

// Info is the form in which hosts dial.
func (p Peer) Info() peer.AddrInfo {
	info := peer.AddrInfo{ID: p.ID}
	for _, text := range p.Addrs {
		if a, err := ma.NewMultiaddr(text); err == nil {
			info.Addrs = append(info.Addrs, a)
		}
	}
	return info
}

// expired tells whether there is no more reason to remember it.
func (p Peer) expired(now time.Time) bool {
	gone := now.Sub(p.Last)
	if !p.Reached {
		return gone > keepHeard
	}
	return gone > keepReached || p.Failed >= mostFailed && gone > failedFor
}

// bounded cuts what strangers said to its limits, and tells whether something to
// dial is left.
func (p *Peer) bounded() bool {
	p.Addrs = slices.DeleteFunc(slices.Clone(p.Addrs), func(a string) bool {
		_, err := ma.NewMultiaddr(a)
		return err != nil || len(a) > maxAddr
	})
	p.Addrs = p.Addrs[:min(len(p.Addrs), MaxAddrs)]
	p.Markets = p.Markets[:min(len(p.Markets), MaxMarkets)]
	if len(p.Addrs) == 0 || p.ID.Validate() != nil {
		return false
	}
	p.group, p.limit = groupOf(p.Addrs[0])
	return true
}

// groupOf is the part of the internet that an address is in, and how many peers it
// may have: whoever has many addresses mostly has them in few parts.
func groupOf(text string) (string, int) {
	a, err := ma.NewMultiaddr(text)
	if err != nil {
		return "", maxGroup
	}
	return group(a)
}

// Group names the part of the internet that an address is in.
func Group(a ma.Multiaddr) string {
	name, _ := group(a)
	return name
}

func group(a ma.Multiaddr) (string, int) {
	ip, err := manet.ToIP(a)
	if err != nil {
		return "name", maxPrivate
	}
	addr, _ := netip.AddrFromSlice(ip)
	addr = addr.Unmap()
	switch {
	case addr.IsPrivate(), addr.IsLoopback(), addr.IsLinkLocalUnicast():
		return "private", maxPrivate
	case addr.Is4():
		prefix, _ := addr.Prefix(16)
		return prefix.String(), maxGroup
	default:
		prefix, _ := addr.Prefix(32)
		return prefix.String(), maxGroup
	}
}

// worse orders peers by how little is lost with them.
func worse(a, b Peer) bool {
	switch {
	case a.Reached != b.Reached:
		return b.Reached
	case (a.Failed >= 3) != (b.Failed >= 3):
		return a.Failed >= 3
	case a.known() != b.known():
		return a.known() < b.known()
	default:
		return a.First.After(b.First)
	}
}
