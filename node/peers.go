package node

import (
	"context"
	"slices"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/parley-protocol/parley/node/network"
	"github.com/parley-protocol/parley/protocol"
)

// Settings of the book that tell of nodes.
const (
	settingPeer    = "peer/"         // then an address: one that the person chose, and how
	settingBlocked = "blocked-peer/" // then an ID
)

// How the person chose a node: the values of settingPeer.
const (
	chosenByInvite = "joined"
	chosenByHand   = "added"
)

// JoinPeers stays connected to the nodes of an invite, now and after every start.
func (n *Node) JoinPeers(ctx context.Context, addrs []string) error {
	return n.stayWith(ctx, addrs, chosenByInvite)
}

// AddPeers stays connected to nodes that the person names.
func (n *Node) AddPeers(ctx context.Context, addrs []string) error {
	return n.stayWith(ctx, addrs, chosenByHand)
}

func (n *Node) stayWith(ctx context.Context, addrs []string, chosen string) error {
	infos, err := network.ParsePeers(addrs)
	if err != nil {
		return err
	}
	for _, info := range infos {
		switch {
		case n.PeerBlocked(info.ID):
			return &protocol.Error{Code: protocol.CodeNotPermitted, Field: "peer", Detail: info.ID.String() + " is blocked", Hint: "parley peer unblock " + info.ID.String()}
		case info.ID == n.Network.ID() && chosen == chosenByHand:
			return &protocol.Error{Code: protocol.CodeUsage, Field: "peer", Detail: "that is this node's own address", Hint: "give the other node's, which parley id shows there"}
		}
	}
	if err := n.Network.KeepPeers(originOf(chosen), addrs...); err != nil {
		return err
	}
	for _, a := range addrs {
		if n.Desk.Book().Setting(settingPeer+a) == "" {
			if err := n.Desk.Book().Set(ctx, settingPeer+a, chosen); err != nil {
				return err
			}
		}
	}
	return nil
}

func originOf(chosen string) network.Origin {
	if chosen == chosenByHand {
		return network.OriginAdded
	}
	return network.OriginInvite
}

// rejoin connects to the nodes that were chosen before.
func (n *Node) rejoin() {
	for a, chosen := range n.Desk.Book().Settings(settingPeer) {
		if err := n.Network.KeepPeers(originOf(chosen), a); err != nil {
			n.opts.Log.Warn("a node that was joined can't be reached for", "address", a, "error", err)
		}
	}
}

// RemovePeer forgets a node and hangs up. It is found again if it looks for this
// one, or this one for the nodes of its market: BlockPeer ends that.
func (n *Node) RemovePeer(ctx context.Context, id peer.ID) error {
	if n.configured(id) {
		return &protocol.Error{Code: protocol.CodeNotPermitted, Field: "peer", Detail: "this node is told by its settings to stay connected to " + id.String(),
			Hint: "take it out of peers in " + n.opts.Home.Config() + ", or block it: parley peer block " + id.String()}
	}
	if err := n.forget(ctx, id); err != nil {
		return err
	}
	return n.Network.RemovePeer(id)
}

func (n *Node) configured(id peer.ID) bool {
	infos, _ := network.ParsePeers(n.opts.Config.Peers) // they passed once
	return slices.ContainsFunc(infos, func(p peer.AddrInfo) bool { return p.ID == id })
}

func (n *Node) forget(ctx context.Context, id peer.ID) error {
	for a := range n.Desk.Book().Settings(settingPeer) {
		if info, err := network.ParsePeer(a); err == nil && info.ID == id {
			if err := n.Desk.Book().Set(ctx, settingPeer+a, ""); err != nil {
				return err
			}
		}
	}
	if n.Peers != nil {
		n.Peers.Forget(id)
	}
	return nil
}

// BlockPeer forgets a node, hangs up, and neither calls nor answers it any more.
func (n *Node) BlockPeer(ctx context.Context, id peer.ID) error {
	if id == n.Network.ID() {
		return protocol.Errorf(protocol.CodeUsage, "peer", "that is this node itself")
	}
	if err := n.Desk.Book().Set(ctx, settingBlocked+id.String(), "blocked"); err != nil {
		return err
	}
	if err := n.forget(ctx, id); err != nil {
		return err
	}
	return n.Network.Block(id)
}

// UnblockPeer takes that back.
func (n *Node) UnblockPeer(ctx context.Context, id peer.ID) error {
	n.Network.Unblock(id)
	return n.Desk.Book().Set(ctx, settingBlocked+id.String(), "")
}

// PeerBlocked tells whether the person has blocked a node.
func (n *Node) PeerBlocked(id peer.ID) bool {
	return n.Desk.Book().Setting(settingBlocked+id.String()) != ""
}

// BlockedPeers lists the nodes that the person has blocked.
func (n *Node) BlockedPeers() []peer.ID {
	var out []peer.ID
	for text := range n.Desk.Book().Settings(settingBlocked) {
		if id, err := peer.Decode(text); err == nil {
			out = append(out, id)
		}
	}
	slices.Sort(out)
	return out
}

// blockPeers shuts out, before anybody can come, whom the person has blocked.
func (n *Node) blockPeers() {
	for _, id := range n.BlockedPeers() {
		_ = n.Network.Block(id) // nobody is connected yet
	}
}
