package node

import (
	"context"
	"sync"

	"github.com/parley-protocol/parley/node/spool"
)

// watchHealth tells of what opening the disk has found damaged, and looks in the
// background through what it hasn't looked at. The book has read the inbox by now.
func (n *Node) watchHealth() {
	for _, lost := range n.inbox.Damaged() {
		n.opts.Log.Error("something that was received and acknowledged is lost", "path", lost.Path, "number", lost.Arrival, "what", lost.What)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var scrub sync.WaitGroup
	scrub.Go(func() {
		if err := n.Store.Scrub(ctx); err != nil && ctx.Err() == nil {
			n.opts.Log.Error("the view is damaged; it is built anew at the next start", "error", err)
		}
	})
	n.opened(func() error { cancel(); scrub.Wait(); return nil })
}

// Damaged lists what others were told is kept here, in the inbox and in the
// mailbox, and can't be given out any more.
func (n *Node) Damaged() (inbox, mailbox []spool.Damage) {
	return n.inbox.Damaged(), n.custody.Damaged()
}
