// Package outbox brings sealed messages to the mailboxes of others, and again,
// until the recipient itself says that it has them. What is owed is in the
// book; the outbox holds only when to try next.
package outbox

import (
	"cmp"
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/parley-protocol/parley/node/book"
	"github.com/parley-protocol/parley/node/failpoint"
)

// Message is what is due for one record.
type Message struct {
	Purpose   string   // which throw-away transport key to use
	Mailboxes []string // multiaddrs, any of them will do
	Token     [32]byte
	Envelope  []byte
	Copies    int // at so many of them
}

// Custody is a mailbox's word that it has an envelope.
type Custody struct {
	Mailbox  string // its peer ID
	Token    [32]byte
	Envelope [32]byte // its ID
	Until    time.Time
	Proof    []byte // the mailbox's signature, none of one's own
}

// ErrNothingDue is what a [Source] returns for a record that need not be sent
// any more; the outbox forgets it.
var ErrNothingDue = errors.New("nothing is due for this record")

// Source knows what is due for a record at this moment.
type Source interface {
	Due(ctx context.Context, d book.Delivery) (Message, error)
}

// Depositor leaves an envelope in as many of the mailboxes as there are to be
// copies, or in fewer if the others don't take it, and returns when those have it
// on their disks. Only when none has it is there an error.
type Depositor interface {
	Deposit(ctx context.Context, m Message) ([]Custody, error)
}

// Copies is at how many mailboxes an envelope is left at first. While the
// recipient is silent, each further try leaves one more.
const Copies = 2

// Status is how far the delivery of a record has come.
type Status struct {
	book.Delivery
	Attempts int
	Since    time.Time // when a mailbox first took custody, zero: not yet
	Stored   time.Time // when one did last
	Custody  []Custody // who has it, by the last try that left it anywhere
	Next     time.Time // when it is tried again
	Err      error     // of the last try
}

// Limits of the retry schedule.
const (
	firstRetry  = 500 * time.Millisecond
	lastRetry   = 5 * time.Minute
	firstResend = time.Minute // after custody, while the recipient is silent
	lastResend  = 24 * time.Hour
	parallel    = 16
	tryFor      = 90 * time.Second
)

// Outbox schedules deliveries. Start it once; Put and Done may come before.
type Outbox struct {
	source  Source
	deposit Depositor
	notify  func(Status)

	mu    sync.Mutex
	items map[book.Delivery]*item
	wake  chan struct{}

	cancel context.CancelFunc
	done   sync.WaitGroup
}

type item struct {
	Status
	busy    bool
	resends int
	again   bool    // something changed during the try
	sealed  Message // what was stored last
}

// New makes an outbox; notify hears of every change of a status.
func New(source Source, deposit Depositor, notify func(Status)) *Outbox {
	return &Outbox{source: source, deposit: deposit, notify: notify, items: map[book.Delivery]*item{}, wake: make(chan struct{}, 1)}
}

// Start begins to deliver; ctx bounds only the start.
func (o *Outbox) Start(context.Context) error {
	ctx, cancel := context.WithCancel(context.Background())
	o.cancel = cancel
	o.done.Add(1)
	go func() {
		defer o.done.Done()
		o.run(ctx)
	}()
	return nil
}

// Close stops deliveries under way; what is owed stays owed.
func (o *Outbox) Close() error {
	if o.cancel != nil {
		o.cancel()
		o.done.Wait()
	}
	return nil
}

// Put makes the record due now.
func (o *Outbox) Put(d book.Delivery) {
	o.mu.Lock()
	it := o.items[d]
	if it == nil {
		it = &item{Status: Status{Delivery: d}}
		o.items[d] = it
	}
	it.Next = time.Now()
	it.again = it.busy
	o.mu.Unlock()
	o.kick()
}

// Done forgets the record: its recipient has it.
func (o *Outbox) Done(d book.Delivery) {
	o.mu.Lock()
	delete(o.items, d)
	o.mu.Unlock()
}

// drop forgets an item for which nothing is due, unless it was put again
// meanwhile.
func (o *Outbox) drop(it *item) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if it.busy = false; it.again {
		it.again = false
		return
	}
	if o.items[it.Delivery] == it {
		delete(o.items, it.Delivery)
	}
}

// Pending are the records that are still owed, in no order.
func (o *Outbox) Pending() []Status {
	o.mu.Lock()
	defer o.mu.Unlock()
	out := make([]Status, 0, len(o.items))
	for _, it := range o.items {
		out = append(out, it.Status)
	}
	return out
}

// Status tells how far a record is; ok is false when nothing is owed for it.
func (o *Outbox) Status(d book.Delivery) (s Status, ok bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	it, ok := o.items[d]
	if !ok {
		return Status{}, false
	}
	return it.Status, true
}

func (o *Outbox) kick() {
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

func (o *Outbox) run(ctx context.Context) {
	slots := make(chan struct{}, parallel)
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		due, wait := o.due(time.Now(), cap(slots)-len(slots))
		for _, it := range due {
			slots <- struct{}{} // there is room: only this loop fills them
			o.done.Add(1)
			go func() {
				defer o.done.Done()
				o.try(ctx, it)
				<-slots
				o.kick()
			}()
		}
		timer.Reset(wait)
		select {
		case <-ctx.Done():
			return
		case <-o.wake:
		case <-timer.C:
		}
	}
}

// due takes up to room records whose time has come, those tried least first: the
// mailboxes that keep one waiting must not keep the others' mail waiting. It
// tells how long until the next, if nothing else happens before.
func (o *Outbox) due(now time.Time, room int) (due []*item, wait time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	wait = time.Hour
	if room == 0 {
		return nil, wait
	}
	for _, it := range o.items {
		switch left := it.Next.Sub(now); {
		case it.busy:
		case left <= 0:
			i, _ := slices.BinarySearchFunc(due, it, before)
			due = slices.Insert(due, i, it)
			due = due[:min(len(due), room)] // the others come when a try ends
		case left < wait:
			wait = left
		}
	}
	for _, it := range due {
		it.busy = true
	}
	return due, wait
}

func before(a, b *item) int {
	return cmp.Or(cmp.Compare(a.Attempts, b.Attempts), a.Next.Compare(b.Next))
}

func (o *Outbox) try(ctx context.Context, it *item) {
	ctx, cancel := context.WithTimeout(ctx, tryFor)
	defer cancel()
	var kept []Custody
	msg, err := o.source.Due(ctx, it.Delivery)
	if errors.Is(err, ErrNothingDue) {
		o.drop(it)
		return
	}
	if err == nil {
		// The very bytes that a mailbox has already cost it nothing: copies don't
		// pile up for a recipient that is away.
		if it.sealed.Envelope != nil && it.sealed.Token == msg.Token && slices.Equal(it.sealed.Mailboxes, msg.Mailboxes) {
			msg = it.sealed
		}
		msg.Copies = Copies + it.resends
		failpoint.Hit("outbox/before-send")
		kept, err = o.deposit.Deposit(ctx, msg)
	}
	failpoint.Hit("outbox/after-send")
	now := time.Now()
	o.mu.Lock()
	it.busy = false
	it.Attempts++
	it.Err = err
	if err == nil {
		if it.Since.IsZero() {
			it.Since = now
		}
		it.Stored, it.Custody, it.sealed = now, kept, msg
		it.resends++
		it.Next = now.Add(backoff(firstResend, lastResend, it.resends))
	} else {
		it.Next = now.Add(backoff(firstRetry, lastRetry, it.Attempts))
	}
	if it.again {
		it.again, it.Next = false, now
	}
	status := it.Status
	owed := o.items[it.Delivery] == it
	o.mu.Unlock()
	if owed {
		o.notify(status)
	}
}

// backoff doubles from first at n = 1 up to last, give or take a quarter.
func backoff(first, last time.Duration, n int) time.Duration {
	d := first << min(n-1, 20)
	if d > last || d <= 0 {
		d = last
	}
	return d*3/4 + rand.N(d/2)
}
