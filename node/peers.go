package node

import (
	"context"

	"github.com/parley-protocol/parley/node/network"
)

// settingPeer marks the nodes that the person joined.
const settingPeer = "peer/"

// JoinPeers stays connected to nodes, now and after every start.
func (n *Node) JoinPeers(ctx context.Context, addrs []string) error {
	if _, err := network.ParsePeers(addrs); err != nil {
		return err
	}
	if err := n.Network.AddPeers(addrs...); err != nil {
		return err
	}
	for _, a := range addrs {
		if n.Desk.Book().Setting(settingPeer+a) == "" {
			if err := n.Desk.Book().Set(ctx, settingPeer+a, "joined"); err != nil {
				return err
			}
		}
	}
	return nil
}

// rejoin connects to the nodes that were joined before.
func (n *Node) rejoin() {
	for a := range n.Desk.Book().Settings(settingPeer) {
		if err := n.Network.AddPeers(a); err != nil {
			n.opts.Log.Warn("a node that was joined can't be reached for", "address", a, "error", err)
		}
	}
}
