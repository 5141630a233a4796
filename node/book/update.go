package book

import (
	"context"
	"sync"

	"github.com/ipfs/go-cid"

	"github.com/parley-protocol/parley/crypto"
	"github.com/parley-protocol/parley/node/failpoint"
	"github.com/parley-protocol/parley/node/keyring"
	"github.com/parley-protocol/parley/protocol/deal"
	"github.com/parley-protocol/parley/protocol/record"
)

// Tx is one update under way. What it reads can't change before its records
// are on disk.
type Tx struct {
	book    *Book
	intent  cid.Cid
	entries []entry
}

// Intent is the intent that the update is about, or nil when it isn't in the book.
func (tx *Tx) Intent() *Intent {
	in, _ := tx.book.Intent(tx.intent)
	return in
}

// Deals are the intent's deals.
func (tx *Tx) Deals() []*Deal { return tx.book.DealsOf(tx.intent) }

// Deal returns one of them.
func (tx *Tx) Deal(id cid.Cid) (*Deal, bool) { return tx.book.Deal(id) }

// State is what a deal on the intent would be with further records, also one
// that has none yet.
func (tx *Tx) State(intent *record.Record, key record.DealKey, more ...*record.Record) (deal.State, error) {
	tx.book.mu.RLock()
	opts := tx.book.options(intent, key)
	tx.book.mu.RUnlock()
	for _, e := range tx.entries {
		opts.Restored = opts.Restored || e.kind == kindRecovering
	}
	if d, ok := tx.Deal(key.ID()); ok {
		more = append(d.All(), more...)
	}
	return deal.Fold(intent, key, more, opts)
}

// Has tells whether the record is in the ledger or already part of this update.
func (tx *Tx) Has(id cid.Cid) bool {
	for _, e := range tx.entries {
		if e.kind == kindRecord && e.rec.ID() == id {
			return true
		}
	}
	tx.book.mu.RLock()
	defer tx.book.mu.RUnlock()
	_, ok := tx.book.entries[id]
	return ok
}

// Keep adds a record of others.
func (tx *Tx) Keep(recs ...*record.Record) {
	for _, rec := range recs {
		if !tx.Has(rec.ID()) {
			tx.entries = append(tx.entries, entry{kind: kindRecord, rec: rec, topic: tx.intent})
		}
	}
}

// Sign adds an own record; seed is behind its replyTo, zero when it has none; to
// names the sellers that it is sealed to when no deal says so. With the first
// own record in a deal, what waited in the inbox for it enters the ledger too.
func (tx *Tx) Sign(rec *record.Record, seed keyring.KeyID, to ...crypto.DID) {
	if key, ok := rec.Deal(); ok {
		if d, ok := tx.book.Deal(key.ID()); ok {
			tx.Keep(d.Inbox...)
		}
		tx.Keep(tx.book.Introductions(key.Intent)...)
	}
	tx.entries = append(tx.entries, entry{kind: kindRecord, rec: rec, own: true, seed: seed, to: to, topic: tx.intent})
}

// Update is the one way in which records enter the ledger: fn looks at the
// intent and its deals and adds records; they are on disk, all or none, when
// Update returns nil. Nothing else can change the intent or its deals meanwhile.
func (b *Book) Update(ctx context.Context, intent cid.Cid, fn func(*Tx) error) error {
	unlock := b.writing.lock(intent)
	defer unlock()
	tx := &Tx{book: b, intent: intent}
	if err := fn(tx); err != nil {
		return err
	}
	return b.append(ctx, tx.entries)
}

func (b *Book) append(ctx context.Context, es []entry) error {
	if len(es) == 0 {
		return nil
	}
	if err := b.refuseErased(es); err != nil {
		return err
	}
	payloads := make([][]byte, len(es))
	for i := range es {
		var err error
		if es[i].kind == kindReceipt { // erased with what it is for
			b.mu.RLock()
			es[i].dealKey = b.entries[es[i].receipt.Record].dealKey
			b.mu.RUnlock()
		}
		if payloads[i], err = b.sealer.seal(ctx, &es[i]); err != nil {
			return err
		}
	}
	failpoint.Hit("book/before-append")
	if _, err := b.ledger.Append(ctx, payloads...); err != nil {
		return err
	}
	failpoint.Hit("book/after-append")

	var change Change
	var waited []*record.Record
	before := map[cid.Cid]*Deal{}
	touched := map[cid.Cid]bool{}
	b.mu.Lock()
	for _, e := range es {
		if e.kind != kindRecord {
			continue
		}
		for _, id := range b.ofIntent[topic(e.rec)] {
			before[id] = b.deals[id]
		}
	}
	for _, e := range es {
		if e.kind == kindRecord {
			change.Records = append(change.Records, e.rec)
			if e.own {
				change.Own = append(change.Own, e.rec)
			}
			if r := b.waiting[e.rec.ID()]; r != nil {
				waited = append(waited, r)
			}
		}
		if e.kind == kindRecovering {
			for id, d := range b.deals {
				before[id] = d
			}
		}
		b.take(e, touched)
	}
	for _, e := range es {
		// A deal can come before its intent, and an intent's news (a
		// withdrawal) after its deals.
		if e.kind != kindRecord {
			continue
		}
		for _, id := range b.ofIntent[intentOf(e.rec)] {
			b.dealOf(b.deals[id].Key, touched)
		}
	}
	for _, id := range b.foldAll(touched) {
		change.Deals = append(change.Deals, DealChange{before[id], b.deals[id]})
	}
	var unanswered []*record.Record
	for _, e := range es {
		if e.kind != kindErased {
			continue
		}
		if d := b.deals[e.topic]; d != nil {
			unanswered = append(unanswered, d.Inbox...)
		}
		change.Erased = append(change.Erased, b.bury(e.topic, e.tombstone))
	}
	b.mu.Unlock()

	for _, r := range append(waited, unanswered...) {
		// It is in the ledger now, or erased; a copy left behind is found out at
		// the next start.
		_ = b.inbox.Delete(b.sealer.bucket(r), b.sealer.blind(r.ID()))
	}
	b.observe(change)
	return b.finish(ctx, es)
}

// intentOf is the intent that a record is, or speaks of outside any deal.
func intentOf(rec *record.Record) cid.Cid {
	switch body := rec.Body().(type) {
	case *record.Intent:
		return rec.ID()
	case *record.Withdrawal:
		return body.Intent
	}
	return cid.Undef
}

// keyedMutex is a mutex per intent; an unused one takes no memory.
type keyedMutex struct {
	mu    sync.Mutex
	locks map[cid.Cid]*countedMutex
}

type countedMutex struct {
	sync.Mutex
	users int
}

func (k *keyedMutex) lock(id cid.Cid) (unlock func()) {
	k.mu.Lock()
	if k.locks == nil {
		k.locks = map[cid.Cid]*countedMutex{}
	}
	m := k.locks[id]
	if m == nil {
		m = &countedMutex{}
		k.locks[id] = m
	}
	m.users++
	k.mu.Unlock()
	m.Lock()
	return func() {
		m.Unlock()
		k.mu.Lock()
		defer k.mu.Unlock()
		if m.users--; m.users == 0 {
			delete(k.locks, id)
		}
	}
}
