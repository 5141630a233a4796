package node

import (
	"github.com/parley-protocol/parley/node/stem"
)

// openStem hides where the person's requests come from, unless it is turned off.
func (n *Node) openStem(rooms *wiring) {
	if !n.opts.Config.Stem {
		return
	}
	timing := stem.Usual()
	if n.opts.Config.TestNetwork {
		timing = stem.Quick()
	}
	n.Stem = stem.New(n.Network.Host(), n.Gossip, stem.Options{
		Secret: n.Keys.Key("stem"), Timing: timing, Published: rooms.spread,
	})
	rooms.stem = n.Stem
	n.opened(n.Stem.Close)
}
