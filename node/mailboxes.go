package node

import (
	"math/rand/v2"
	"slices"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/parley-protocol/parley/node/mailbox"
	"github.com/parley-protocol/parley/node/network"
	"github.com/parley-protocol/parley/protocol"
)

// How many mailboxes a person's record names: with two, one may fail. Each is
// named by few of its addresses.
const (
	wantedMailboxes = 2
	mostMailboxes   = 3
	addrsOfMailbox  = 2
)

// Mailboxes are where others leave replies to a customer's next record: some of
// those in the settings; where these are fewer than two, mailboxes of connected
// nodes that serve everybody; and where there is none, this node itself. Each call
// chooses anew, so that two requests have as little in common as can be.
func (n *Node) Mailboxes() []string {
	boxes := chooseMailboxes(n.configuredMailboxes(), n.FoundMailboxes(), n.mailboxDown, rand.Shuffle)
	if len(boxes) == 0 {
		return n.sellersMailboxes()
	}
	return boxes
}

// sellersMailboxes are where replies to a seller go: its addresses are no secret,
// and here they come at once. While others don't reach it directly, mailboxes that
// serve everybody stand in.
func (n *Node) sellersMailboxes() []string {
	boxes := n.opts.Config.Mailboxes
	if len(boxes) == 0 {
		boxes = reachable(n.Network.Addrs())
		if n.Network.Reach().Reachable != network.Reachable {
			others := chooseMailboxes(nil, n.FoundMailboxes(), n.mailboxDown, rand.Shuffle)
			boxes = append(boxes[:min(len(boxes), protocol.MaxMailboxes-len(others))], others...)
		}
	}
	return boxes[:min(len(boxes), protocol.MaxMailboxes)]
}

// configuredMailboxes are those of the settings, one entry a peer.
func (n *Node) configuredMailboxes() []peer.AddrInfo {
	boxes, err := network.ParsePeers(n.opts.Config.Mailboxes)
	if err != nil {
		n.opts.Log.Warn("a mailbox in the settings has no address", "error", err) // each was read before
	}
	return boxes
}

// FoundMailboxes are connected nodes that keep sealed replies for everybody, none
// if the person doesn't want to use such.
func (n *Node) FoundMailboxes() []peer.AddrInfo {
	if !n.opts.Config.FindMailboxes || n.Network == nil {
		return nil
	}
	return n.Network.Offering(protocol.ProtocolMailboxOpen)
}

// MailboxHealth tells how the mailboxes have behaved that were used since the
// start.
func (n *Node) MailboxHealth() []mailbox.Health {
	return n.mail.Health()
}

func (n *Node) mailboxDown(id peer.ID) bool { return n.mail.HealthOf(id).Down() }

// chooseMailboxes picks the configured ones, a few of many at random, and tops them
// up with found ones. One that is down is the last choice of the configured and no
// choice of the others.
func chooseMailboxes(configured, found []peer.AddrInfo, down func(peer.ID) bool, shuffle func(int, func(i, j int))) []string {
	configured, found = slices.Clone(configured), slices.Clone(found)
	if len(configured) > mostMailboxes {
		shuffle(len(configured), func(i, j int) { configured[i], configured[j] = configured[j], configured[i] })
	}
	works := func(a, b peer.AddrInfo) int { return truth(down(a.ID)) - truth(down(b.ID)) }
	slices.SortStableFunc(configured, works)
	chosen := configured[:min(len(configured), mostMailboxes)]
	shuffle(len(found), func(i, j int) { found[i], found[j] = found[j], found[i] })
	up := 0
	for _, box := range chosen {
		up += 1 - truth(down(box.ID))
	}
	for _, box := range found {
		named := slices.ContainsFunc(configured, func(c peer.AddrInfo) bool { return c.ID == box.ID })
		if up < wantedMailboxes && !named && !down(box.ID) {
			chosen = append(slices.Clone(chosen), box)
			up++
		}
	}
	var texts []string
	for _, box := range chosen {
		for _, a := range box.Addrs[:min(len(box.Addrs), addrsOfMailbox)] {
			texts = append(texts, a.String()+"/p2p/"+box.ID.String())
		}
	}
	return texts[:min(len(texts), protocol.MaxMailboxes)]
}

func truth(b bool) int {
	if b {
		return 1
	}
	return 0
}
