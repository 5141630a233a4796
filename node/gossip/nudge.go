package gossip

import (
	"slices"
	"time"

	"github.com/libp2p/go-libp2p/core/event"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/parley-protocol/parley/protocol"
)

// nudges is how many peers may wait to be given a turn; more aren't noted.
const nudges = 256

// nudge asks for a turn with a peer, in one market or in all.
type nudge struct {
	id     peer.ID
	market string // empty: all
	back   bool   // it has shown to have something
}

// nudge gives a peer a turn. It never blocks: pubsub's own loop calls it.
func (g *Gossip) nudge(n nudge) {
	select {
	case g.nudged <- n:
	default:
	}
}

// attend passes the nudges on, and gives a turn to peers that are connected over a
// relay alone: gossip doesn't run there, and tells nothing of their markets.
func (g *Gossip) attend(identified event.Subscription) {
	defer identified.Close()
	for {
		select {
		case <-g.ctx.Done():
			return
		case n := <-g.nudged:
			for _, a := range g.askersOf(n.market) {
				if n.back {
					a.askBack(n.id)
				} else {
					a.enqueue(n.id, turn{due: time.Now().Add(g.timing.Second)})
				}
			}
		case e, ok := <-identified.Out():
			if !ok {
				return
			}
			if e, ok := e.(event.EvtPeerIdentificationCompleted); ok && g.limited(e.Peer) && slices.Contains(e.Protocols, protocol.ProtocolReconcile) {
				for _, a := range g.askersOf("") {
					a.peer(e.Peer, true)
				}
			}
		}
	}
}

// askersOf are those of one market, or of all.
func (g *Gossip) askersOf(market string) (out []*asker) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for name, m := range g.markets {
		if m.asker != nil && (market == "" || market == name) {
			out = append(out, m.asker)
		}
	}
	return out
}

// limited reports whether a peer is connected over a relay alone.
func (g *Gossip) limited(id peer.ID) bool {
	return g.host.Network().Connectedness(id) == network.Limited
}

// limitedPeers are those that are and that reconcile.
func (g *Gossip) limitedPeers() (out []peer.ID) {
	for _, id := range g.host.Network().Peers() {
		if !g.limited(id) {
			continue
		}
		if spoken, err := g.host.Peerstore().SupportsProtocols(id, protocol.ProtocolReconcile); err == nil && len(spoken) > 0 {
			out = append(out, id)
		}
	}
	return out
}

// inMarket is why a market isn't answered for.
func (g *Gossip) inMarket(name string) error {
	_, err := g.market(name)
	return err
}
