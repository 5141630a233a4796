package node

import (
	"context"
	"slices"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/parley-protocol/parley/node/discovery"
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

// openDiscovery makes ready to look for nodes of one's markets, unless the
// person has turned that off.
func (n *Node) openDiscovery() (err error) {
	c := n.opts.Config
	if c.Discovery == "off" {
		return nil
	}
	n.Discovery, err = discovery.New(n.Network.Host(), discovery.Options{
		Mode:      discovery.Mode(c.Discovery),
		Bootstrap: n.bootstrap,
		Peers:     func(market string) int { return len(n.Gossip.Peers(market)) },
		Local:     c.TestNetwork,
		Log:       n.opts.Log,
	})
	if err == nil {
		n.opened(n.Discovery.Close)
	}
	return err
}

// bootstrap are the nodes to begin with: those of the settings, and those that
// were joined.
func (n *Node) bootstrap() []peer.AddrInfo {
	addrs := slices.Concat(n.opts.Config.Bootstrap, n.opts.Config.Peers)
	if n.deskThere.Load() {
		for a := range n.Desk.Book().Settings(settingPeer) {
			addrs = append(addrs, a)
		}
	}
	infos, err := network.ParsePeers(addrs) // each was read before
	if err != nil {
		n.opts.Log.Warn("an address to begin with isn't one", "error", err)
	}
	return infos
}
