package mailbox

import (
	"context"
	"errors"
	"maps"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/parley-protocol/parley/crypto"
	"github.com/parley-protocol/parley/protocol"
)

// Times of receiving.
const (
	pollWait    = 48 * time.Second // one pick-up at another's mailbox, give or take a quarter
	pollApart   = 2 * time.Second  // within which those begin that are opened together
	quietLow    = 10 * time.Second // pause of an address without news, while others wait for a turn
	quietHigh   = 5 * time.Minute
	pollShort   = 3 * time.Second // after which others may have the turn
	ownWait     = time.Hour       // one pick-up at the own mailbox
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
// mailbox is served in process and at once, without polling. handle is called by
// one goroutine per mailbox. What it took isn't handed to it again when another
// mailbox brings its copy at about the same time; apart from that an envelope may
// come more than once. If no mailbox can be read at all it returns why.
func (c *Client) Receive(ctx context.Context, purpose string, mailboxes []string, seed crypto.SealingSeed, handle Handle) error {
	boxes, errs := c.parse(mailboxes)
	if len(boxes) == 0 {
		errs = append(errs, protocol.Errorf(protocol.CodeMissingField, "mailboxes", "no mailbox to pick up from"))
		return errors.Join(errs...)
	}
	var work sync.WaitGroup
	taken := new(takenIDs)
	for _, box := range boxes {
		work.Go(func() {
			r := &receiver{client: c, purpose: purpose, box: box, seed: seed, handle: handle, taken: taken}
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
	taken   *takenIDs // by any of the mailboxes

	after   []byte        // the last envelope that was kept, to see what is behind it
	retryAt time.Time     // when those kept are tried again; zero: none was
	pause   time.Duration // until then, the next time
	removed recentIDs
	quiet   time.Duration // how long to leave the turn to others, the next time
}

// run picks up until ctx ends, with growing pauses while it fails.
func (r *receiver) run(ctx context.Context) {
	r.pause = backoffLow
	failed := backoffLow
	if !r.client.isOwn(r.box.ID) {
		// Addresses that are opened together, as after a start, don't show that by
		// their times.
		sleep(ctx, rand.N(pollApart))
	}
	for ctx.Err() == nil {
		err := r.round(ctx)
		if ctx.Err() != nil {
			return
		}
		r.client.health.note(r.box.ID, err)
		if err != nil {
			sleep(ctx, jitter(failed))
			failed = min(2*failed, backoffHigh)
			continue
		}
		failed = backoffLow
	}
}

// round is one pick-up, with what follows of it.
func (r *receiver) round(ctx context.Context) error {
	if !r.retryAt.IsZero() && !time.Now().Before(r.retryAt) {
		r.after, r.retryAt = nil, time.Time{}
	}
	first := r.after == nil
	page, err := r.poll(ctx)
	if err != nil {
		return err
	}
	if page.More && len(page.Envelopes) == 0 {
		return protocol.Errorf(protocol.CodeMalformed, "more", "the mailbox promises more and gives nothing")
	}
	again := r.again(page)
	if err := r.deliver(ctx, page); err != nil {
		return err
	}
	if again {
		return protocol.Errorf(protocol.CodeDuplicate, "envelopes", "the mailbox gives what was removed")
	}
	if first && r.after == nil && !page.More {
		r.pause = backoffLow // the handler took all there is
	}
	return nil
}

// again reports whether a page has nothing but what was removed lately. Senders
// do deposit an envelope again, until they hear that it has come; but a mailbox
// that only pretends to remove must not keep this node busy.
func (r *receiver) again(page Page) bool {
	for _, e := range page.Envelopes {
		if !r.removed.has(e.ID) {
			return false
		}
	}
	return len(page.Envelopes) > 0
}

// deliver hands a page's envelopes over and removes those that were taken.
func (r *receiver) deliver(ctx context.Context, page Page) error {
	var done []ID
	for _, e := range page.Envelopes {
		if !r.taken.has(e.ID, r.box.ID) {
			if err := r.handle(ctx, e); err != nil {
				r.keep(e.ID)
				continue
			}
			r.taken.add(e.ID, r.box.ID)
		}
		done = append(done, e.ID)
	}
	if len(done) == 0 {
		return ctx.Err()
	}
	_, err := r.client.removeAt(ctx, r.purpose, r.box, r.seed, done)
	if err == nil {
		r.removed.add(done)
	}
	return err
}

// keep notes an envelope that the handler didn't take. It won't change its mind
// at once, and what comes behind it must not wait for that.
func (r *receiver) keep(id ID) {
	r.after = id[:]
	if r.retryAt.IsZero() {
		r.retryAt = time.Now().Add(jitter(r.pause))
		r.pause = min(2*r.pause, backoffHigh)
	}
}

// poll waits for envelopes. At others' mailboxes it takes turns with the other
// receivers of this node.
func (r *receiver) poll(ctx context.Context) (Page, error) {
	c := r.client
	if c.isOwn(r.box.ID) {
		return r.pickup(ctx, ownWait)
	}
	turn, done, err := c.turns.take(ctx)
	if err != nil {
		return Page{}, err
	}
	page, err := r.pickup(turn, jitter(pollWait))
	ended := turn.Err() != nil
	done()
	if len(page.Envelopes) > 0 {
		r.quiet = 0
	}
	if !ended || ctx.Err() != nil {
		return page, err
	}
	// Somebody else's turn. Where more addresses are listened at than there are
	// turns, those without news come less and less often: each time costs a
	// connection.
	r.quiet = min(max(2*r.quiet, quietLow), quietHigh)
	sleep(ctx, jitter(r.quiet))
	return Page{}, nil
}

func (r *receiver) pickup(ctx context.Context, wait time.Duration) (Page, error) {
	if !r.retryAt.IsZero() {
		wait = min(wait, max(time.Until(r.retryAt), 0).Truncate(time.Second)+time.Second)
	}
	began := time.Now()
	page, err := r.client.pickupAt(ctx, r.purpose, r.box, r.seed, r.after, pageSize, wait)
	if err == nil && len(page.Envelopes) == 0 && time.Since(began) < wait/2 {
		// It is too busy to wait, or doesn't want to.
		err = protocol.Errorf(protocol.CodeTimeout, "", "the mailbox doesn't wait")
	}
	return page, err
}

// recentIDs remembers the last IDs added, a few pages of them.
type recentIDs struct {
	ids  map[ID]bool
	list []ID
}

func (r *recentIDs) has(id ID) bool { return r.ids[id] }

func (r *recentIDs) add(ids []ID) {
	if r.ids == nil {
		r.ids = make(map[ID]bool)
	}
	for _, id := range ids {
		if r.ids[id] {
			continue
		}
		if len(r.list) >= 4*pageSize {
			delete(r.ids, r.list[0])
			r.list = r.list[1:]
		}
		r.ids[id] = true
		r.list = append(r.list, id)
	}
}

// copyTime is how long after an envelope another mailbox's copy of it counts as
// the same deposit. Later, or at the same mailbox, its sender has left it again
// and waits for an answer.
const copyTime = 30 * time.Second

// takenIDs are the envelopes that a handler took lately, and the mailbox that each
// came by.
type takenIDs struct {
	mu  sync.Mutex
	ids map[ID]taken
}

type taken struct {
	by peer.ID
	at time.Time
}

// has tells whether an envelope at a mailbox is the copy of one that was taken.
func (t *takenIDs) has(id ID, at peer.ID) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	earlier, known := t.ids[id]
	return known && earlier.by != at && time.Since(earlier.at) < copyTime
}

func (t *takenIDs) add(id ID, by peer.ID) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.ids) >= 4*pageSize {
		maps.DeleteFunc(t.ids, func(_ ID, old taken) bool { return time.Since(old.at) >= copyTime })
	}
	if len(t.ids) >= 16*pageSize {
		return // a handler stands an envelope twice
	}
	if t.ids == nil {
		t.ids = make(map[ID]taken)
	}
	t.ids[id] = taken{by, time.Now()}
}

// jitter spreads pauses by a quarter either way.
func jitter(d time.Duration) time.Duration { return d - d/4 + rand.N(d/2+1) }

func sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
