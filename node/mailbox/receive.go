package mailbox

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/parley-protocol/parley/crypto"
	"github.com/parley-protocol/parley/protocol"
)

// Times of receiving.
const (
	pollWait    = 50 * time.Second // one pick-up at another's mailbox
	pollShort   = 5 * time.Second  // the same when others wait for their turn
	ownWait     = time.Hour        // one pick-up at the own mailbox
	backoffLow  = time.Second
	backoffHigh = 5 * time.Minute
	pageSize    = 64
)

// Handle takes an envelope that was picked up. When it returns nil the envelope
// is removed from the mailbox, so by then what matters of it must be durable. An
// envelope that will never be of use (it doesn't open, it is a duplicate) is
// nil's case too. For any other error the envelope stays and comes again.
type Handle func(ctx context.Context, e Envelope) error

// Receive picks up from every mailbox at once, full multiaddrs, and passes each
// envelope to handle, until ctx ends; then it returns ctx's error. The own
// mailbox is served in process and at once, without polling. An envelope may
// come more than once and by several mailboxes; handle is called by one
// goroutine per mailbox. If no mailbox can be read at all it returns why.
func (c *Client) Receive(ctx context.Context, purpose string, mailboxes []string, seed crypto.SealingSeed, handle Handle) error {
	boxes, errs := c.parse(mailboxes)
	if len(boxes) == 0 {
		errs = append(errs, protocol.Errorf(protocol.CodeMissingField, "mailboxes", "no mailbox to pick up from"))
		return errors.Join(errs...)
	}
	var work sync.WaitGroup
	for _, box := range boxes {
		work.Go(func() {
			r := &receiver{client: c, purpose: purpose, box: box, seed: seed, handle: handle}
			r.run(ctx)
		})
	}
	work.Wait()
	return ctx.Err()
}

// receiver picks up from one mailbox.
type receiver struct {
	client  *Client
	purpose string
	box     peer.AddrInfo
	seed    crypto.SealingSeed
	handle  Handle

	after []byte // the last envelope that was kept, to see what is behind it
	kept  bool   // some envelope of this round was
}

func (r *receiver) run(ctx context.Context) {
	pause := backoffLow
	for ctx.Err() == nil {
		err := r.round(ctx)
		if err == nil && !r.kept {
			pause = backoffLow
			continue
		}
		// After what the handler kept, too: it will not change its mind at once.
		r.after, r.kept = nil, false
		sleep(ctx, pause-pause/4+rand.N(pause/2+1))
		pause = min(2*pause, backoffHigh)
	}
}

// round takes one pass through the mailbox, from its first envelope to where
// there are no more.
func (r *receiver) round(ctx context.Context) error {
	for {
		page, err := r.poll(ctx)
		if err != nil {
			return err
		}
		if err := r.deliver(ctx, page); err != nil {
			return err
		}
		if !page.More {
			return nil
		}
		if len(page.Envelopes) == 0 {
			return protocol.Errorf(protocol.CodeMalformed, "more", "the mailbox promises more and gives nothing")
		}
	}
}

// deliver hands a page's envelopes over and removes those that were taken.
func (r *receiver) deliver(ctx context.Context, page Page) error {
	var done []ID
	for _, e := range page.Envelopes {
		if err := r.handle(ctx, e); err != nil {
			r.kept = true
			r.after = e.ID[:]
			continue
		}
		done = append(done, e.ID)
	}
	if len(done) == 0 {
		return ctx.Err()
	}
	_, err := r.client.removeAt(ctx, r.purpose, r.box, r.seed, done)
	return err
}

// poll waits for envelopes. At others' mailboxes it takes turns with the other
// receivers of this node.
func (r *receiver) poll(ctx context.Context) (Page, error) {
	c := r.client
	if c.isOwn(r.box.ID) {
		return c.pickupAt(ctx, r.purpose, r.box, r.seed, r.after, pageSize, r.patience(ownWait))
	}
	c.waiting.Add(1)
	select {
	case c.polls <- struct{}{}:
		c.waiting.Add(-1)
		defer func() { <-c.polls }()
	case <-ctx.Done():
		c.waiting.Add(-1)
		return Page{}, ctx.Err()
	}
	wait := pollWait
	if c.waiting.Load() > 0 {
		wait = pollShort
	}
	return c.pickupAt(ctx, r.purpose, r.box, r.seed, r.after, pageSize, r.patience(wait))
}

// patience is none in the middle of a mailbox: behind what was kept there is
// either something or not.
func (r *receiver) patience(wait time.Duration) time.Duration {
	if r.kept {
		return 0
	}
	return wait
}

func sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
