package stem

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"time"

	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/parley-protocol/parley/protocol"
)

const (
	relays = 2 // of a node in an epoch
	// diffuse is how likely a node brings to gossip what it is handed, rather than
	// passing it on, for a whole epoch: a path has 5 hops on average.
	diffuse = 0.2
	// leastPeers of whom to choose; with fewer there is no path, and waiting for
	// one hides nobody.
	leastPeers = 3
)

// routes decides by the node's secret alone. Within an epoch the same peers give
// the same answers, also after a restart: who could see a new draw each time
// would see the author next to itself sooner or later.
type routes struct {
	secret [32]byte
	epoch  time.Duration
	host   host.Host
	peers  func(market string) []peer.ID
}

// number is the epoch's. Each node's epochs change at a time of its own.
func (r *routes) number(now time.Time) uint64 {
	shift := r.draw(0, "shift", "") % uint64(r.epoch)
	return (uint64(now.UnixNano()) + shift) / uint64(r.epoch)
}

// draw is a number that nobody else can tell.
func (r *routes) draw(epoch uint64, what string, of peer.ID) uint64 {
	mac := hmac.New(sha256.New, r.secret[:])
	var n [8]byte
	binary.BigEndian.PutUint64(n[:], epoch)
	mac.Write(n[:])
	mac.Write([]byte(what))
	mac.Write([]byte{0})
	mac.Write([]byte(of))
	return binary.BigEndian.Uint64(mac.Sum(nil))
}

// diffuser tells whether the node brings to gossip what it is handed.
func (r *routes) diffuser(market string, now time.Time) bool {
	_, n := r.relays(market, now)
	return n < leastPeers || float64(r.draw(r.number(now), "diffuse", ""))/(1<<64) < diffuse
}

// next lists the relays for what a peer has handed over, or for what is the
// node's own when from is empty, the one that it belongs to first. A relay that
// comes or goes doesn't move what belongs to the other.
func (r *routes) next(market string, from peer.ID, now time.Time) []peer.ID {
	list, _ := r.relays(market, now)
	epoch := r.number(now)
	slices.SortFunc(list, func(a, b peer.ID) int {
		return cmp.Compare(r.draw(epoch, "from", from+a), r.draw(epoch, "from", from+b))
	})
	return slices.DeleteFunc(list, func(id peer.ID) bool { return id == from })
}

// relays are the epoch's two among the peers in the market who pass on, and of
// how many they were chosen. Those that this node has dialled come first: who
// wants to be chosen can't dial its way in. A relayed connection comes last.
func (r *routes) relays(market string, now time.Time) (chosen []peer.ID, of int) {
	type candidate struct {
		id   peer.ID
		kind int
		rank uint64
	}
	var all []candidate
	epoch := r.number(now)
	for _, id := range r.peers(market) {
		if speaks, err := r.host.Peerstore().SupportsProtocols(id, protocol.ProtocolStem); err != nil || len(speaks) == 0 {
			continue
		}
		kind := 3
		for _, conn := range r.host.Network().ConnsToPeer(id) {
			switch stat := conn.Stat(); {
			case stat.Limited:
				kind = min(kind, 2)
			case stat.Direction == network.DirInbound:
				kind = min(kind, 1)
			default:
				kind = 0
			}
		}
		if kind < 3 { // connected
			all = append(all, candidate{id, kind, r.draw(epoch, "relay", id)})
		}
	}
	slices.SortFunc(all, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.rank, b.rank), cmp.Compare(a.id, b.id))
	})
	for _, c := range all[:min(relays, len(all))] {
		chosen = append(chosen, c.id)
	}
	return chosen, len(all)
}
