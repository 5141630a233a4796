package network

import (
	"sync"
	"sync/atomic"

	"github.com/libp2p/go-libp2p/core/connmgr"
	"github.com/libp2p/go-libp2p/core/control"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"
)

// gater lets only peers in whose ID is an Ed25519 key: one signature scheme to
// get right, and IDs from which the key can be read without asking anyone. And
// nobody whom the person has blocked.
type gater struct {
	// listens, if there is one, is set once the host listens. It dials nobody
	// before: that would be from another port than the one it listens on, and
	// others would learn an address of it that is of no use to anybody.
	listens *atomic.Bool

	mu      sync.RWMutex
	blocked map[peer.ID]bool
}

var _ connmgr.ConnectionGater = (*gater)(nil)

func (g *gater) allows(id peer.ID) bool {
	g.mu.RLock()
	defer g.mu.RUnlock()
	return !g.blocked[id] && isEd25519(id)
}

func (g *gater) set(id peer.ID, blocked bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.blocked == nil {
		g.blocked = map[peer.ID]bool{}
	}
	if delete(g.blocked, id); blocked {
		g.blocked[id] = true
	}
}

func (g *gater) InterceptPeerDial(id peer.ID) bool {
	return g.allows(id) && (g.listens == nil || g.listens.Load())
}

func (g *gater) InterceptAddrDial(peer.ID, ma.Multiaddr) bool                    { return true }
func (g *gater) InterceptAccept(network.ConnMultiaddrs) bool                     { return true }
func (g *gater) InterceptUpgraded(network.Conn) (bool, control.DisconnectReason) { return true, 0 }

func (g *gater) InterceptSecured(_ network.Direction, id peer.ID, _ network.ConnMultiaddrs) bool {
	return g.allows(id)
}

// Block ends the connections to a peer and lets none come about until Unblock. To
// remember it beyond a restart is up to the caller.
func (n *Network) Block(id peer.ID) error {
	n.gate.set(id, true)
	return n.RemovePeer(id)
}

// Unblock lets a peer in again; one of the configuration is dialled again.
func (n *Network) Unblock(id peer.ID) {
	n.gate.set(id, false)
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, info := range n.static {
		if info.ID == id && n.started && !n.closed {
			n.keep(info, OriginConfig)
		}
	}
}
