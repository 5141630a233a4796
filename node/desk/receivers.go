package desk

import (
	"context"
	"encoding/hex"
	"sync"

	"github.com/parley-protocol/parley/node/book"
	"github.com/parley-protocol/parley/node/keyring"
	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/deal"
	"github.com/parley-protocol/parley/protocol/record"
)

// receivers listen at one's own addresses, one listener for each.
type receivers struct {
	d *Desk

	mu      sync.Mutex
	byToken map[[32]byte]*receiver
	closed  bool
	done    sync.WaitGroup
}

type receiver struct {
	addr   book.Address
	cancel context.CancelFunc
}

func newReceivers(d *Desk) *receivers {
	return &receivers{d: d, byToken: map[[32]byte]*receiver{}}
}

// open listens at an address, if there is still anything to be expected there.
func (r *receivers) open(addr book.Address) {
	rt, ok := addr.Record.ReplyTo()
	if !ok || len(rt.Mailboxes) == 0 || !r.d.expects(addr.Record, r.d.now()) {
		return
	}
	seed, err := r.d.keys.Get(addr.Seed)
	if err != nil {
		return // destroyed: what is left there can't be opened any more
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed || r.byToken[rt.Token] != nil {
		return
	}
	ctx, cancel := context.WithCancel(r.d.ctx)
	r.byToken[rt.Token] = &receiver{addr, cancel}
	r.done.Add(1)
	go func() {
		defer r.done.Done()
		defer cancel()
		err := r.d.mail.Receive(ctx, "token/"+hex.EncodeToString(rt.Token[:]), rt.Mailboxes, seed,
			func(ctx context.Context, envelope []byte) error { return r.d.receive(ctx, addr, envelope) })
		if err != nil && ctx.Err() == nil {
			r.d.cfg.Log.Warn("an address can't be listened at", "error", err)
		}
	}()
}

// closeStale stops listening where nothing is expected any more.
func (r *receivers) closeStale(now int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for token, rc := range r.byToken {
		if !r.d.expects(rc.addr.Record, now) {
			rc.cancel()
			delete(r.byToken, token)
		}
	}
}

// stop ends the listening at addresses that were erased.
func (r *receivers) stop(tokens [][32]byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, token := range tokens {
		if rc := r.byToken[token]; rc != nil {
			rc.cancel()
			delete(r.byToken, token)
		}
	}
}

func (r *receivers) close() {
	r.mu.Lock()
	r.closed = true
	for _, rc := range r.byToken {
		rc.cancel()
	}
	r.mu.Unlock()
	r.done.Wait()
}

// lateFor is how long after its last deadline an address is still listened at:
// a mailbox keeps what comes for as long.
const lateFor = protocol.MailboxRetention

// agreedFor is how much longer an address is listened at where there is an
// agreement: it may be changed, and more be said about it.
const agreedFor = 150 * 24 * 3600

// expects tells whether mail may still come to the address that a record states.
func (d *Desk) expects(rec *record.Record, now int64) bool { return expects(d.book, rec, now) }

// SeedsInUse are the sealing seeds behind the addresses at which mail may still
// come.
func SeedsInUse(b *book.Book, now int64) []keyring.KeyID {
	var out []keyring.KeyID
	for _, addr := range b.Addresses() {
		if addr.Seed != (keyring.KeyID{}) && expects(b, addr.Record, now) {
			out = append(out, addr.Seed)
		}
	}
	return out
}

func expects(b *book.Book, rec *record.Record, now int64) bool {
	switch rec.Type() {
	case protocol.TypeProfile:
		p := b.Profile()
		return p == nil || p.ID() == rec.ID() || now < p.Header().At+lateFor
	case protocol.TypeIntent:
		return now < rec.ValidUntil()+lateFor
	}
	key, ok := rec.Deal()
	if !ok {
		return false
	}
	dl, ok := b.Deal(key.ID())
	if !ok {
		return false
	}
	last := rec.Header().At
	for _, r := range append(dl.All(), dl.After...) {
		last = max(last, r.Header().At, r.ValidUntil())
	}
	if dl.State.Phase == deal.PhaseAgreed {
		last += agreedFor
	}
	return now < last+lateFor || dl.State.Phase == deal.PhasePending
}
