package store

import (
	"context"
	"fmt"

	"github.com/dgraph-io/badger/v4"

	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/record"
)

// Put stores items and says for each what became of it. Putting a record again
// is harmless: its class may rise, never fall, and a further market is noted.
// A foreign record that an own record cites counts as one of the deal.
//
// Small calls are one transaction; a call of more than about 500 KiB is
// several, in the order of the items. meta is written with the last of them, so
// that a mark in it stands only if all items do. After an error the outcomes of
// what was stored before it are given; the rest are zero.
//
// Nothing is synced to the disk: what must survive a power cut belongs in the
// ledger first.
func (s *Store) Put(ctx context.Context, items []Item, meta ...KV) ([]Outcome, error) {
	for i, item := range items {
		if item.Record == nil || !item.Class.valid() {
			return nil, fmt.Errorf("store: item %d has no record or no class", i)
		}
	}
	if err := checkMeta(meta); err != nil {
		return nil, err
	}
	end, err := s.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer end()
	s.write.Lock()
	defer s.write.Unlock()

	outcomes := make([]Outcome, len(items))
	done := 0
	for {
		if err := s.interrupted(ctx); err != nil {
			return outcomes, err
		}
		if err := s.room(); err != nil {
			return outcomes, err
		}
		n, err := s.putSome(ctx, items[done:], outcomes[done:], meta)
		if err != nil {
			clear(outcomes[done:])
			return outcomes, fmt.Errorf("store: put: %w", err)
		}
		if done += n; done == len(items) {
			return outcomes, nil
		}
	}
}

// putSome puts as many items as fit one transaction.
func (s *Store) putSome(ctx context.Context, items []Item, outcomes []Outcome, meta []KV) (n int, err error) {
	err = guard(func() error {
		w := s.newSession()
		defer w.discard()
		touched := make([]*change, 0, len(items))
		for n < len(items) && !w.full() {
			c, outcome, err := w.put(items[n])
			if err != nil {
				return err
			}
			if outcome == 0 {
				break // what it cites fills the transaction; its own turn comes with the next
			}
			outcomes[n] = outcome
			touched = append(touched, c)
			n++
		}
		if n < len(items) {
			meta = nil
		}
		if err := w.commit(ctx, meta); err != nil {
			return err
		}
		for i, c := range touched {
			if c != nil && c.refused {
				outcomes[i] = Refused
			}
		}
		return nil
	})
	return n, err
}

// put takes one item into the session. No outcome means that the session is
// full and the item must be put again in the next one.
func (w *session) put(item Item) (*change, Outcome, error) {
	r := item.Record
	if _, ok := withdrawalOf(r); ok {
		item.Elsewhere = false // its tombstone is found by it
	}
	d, ok := digestOf(r.ID())
	if !ok {
		return nil, 0, fmt.Errorf("%s is no record's ID", r.ID())
	}
	if item.Class == ClassOwn {
		if done, err := w.raiseCited(r); err != nil || !done {
			return nil, 0, err
		}
	}
	c, err := w.find(d)
	if err != nil {
		return nil, 0, err
	}
	outcome := Known
	if c == nil {
		if c, err = w.add(d, item); err != nil || c == nil {
			return nil, Refused, err
		}
		outcome = Added
	} else {
		if item.Class > c.cur.class {
			c.cur.class = item.Class
			outcome = Changed
		}
		if item.Elsewhere && !c.cur.elsewhere {
			outcome = Changed
		}
		if c.cur.addMarkets(item.Market) {
			outcome = Changed
		}
		if outcome == Changed {
			w.keep(c)
		}
	}
	if item.Elsewhere {
		c.cur.elsewhere, c.cur.size = true, 0
	}
	if c.cur.class == ClassOwn {
		for _, t := range c.cur.tags {
			if t.kind == kindCites {
				w.holds[t] = true
			}
		}
	}
	return c, outcome, nil
}

// raiseCited raises the foreign records that an own record is about to cite.
// They are written before it, or with it, so that what it cites is never left
// foreign. It is not done when the session is full before the end.
func (w *session) raiseCited(r *record.Record) (done bool, err error) {
	for _, d := range citedDigests(r.Links()) {
		c, err := w.find(d)
		if err != nil {
			return false, err
		}
		if c == nil || c.cur.class != ClassForeign {
			continue
		}
		if w.full() {
			return false, nil
		}
		c.cur.class = ClassDeal
		w.keep(c)
	}
	return true, nil
}

// add makes the row of a new record; nil if its author has too many.
func (w *session) add(d digest, item Item) (*change, error) {
	r := item.Record
	author := string(r.Header().By)
	intent, isWithdrawal := withdrawalOf(r)
	if isWithdrawal {
		// Whatever becomes of the record: its author has spoken.
		if err := w.markWithdrawn(intent, author); err != nil {
			return nil, err
		}
	}
	c := &change{d: d, cur: newRow(r, item.Class), raw: r.Raw()}
	c.cur.addMarkets(marketsOf(r)...)
	c.cur.addMarkets(item.Market)
	if c.cur.class == ClassForeign && w.cited(tagOf(kindCites, r.ID().Bytes())) {
		c.cur.class = ClassDeal
	}
	if c.cur.class == ClassForeign && w.authorIsFull(&c.cur) {
		return nil, nil
	}
	if isWithdrawal {
		w.tombstone(tombstonePrefix(intent, author), d)
	}
	if _, ok := r.Body().(*record.Intent); ok {
		c.cur.withdrawn = w.withdrawn(tombstonePrefix(d, author))
	}
	w.keep(c)
	return c, nil
}

// markWithdrawn marks the intent, if it is held and of that author.
func (w *session) markWithdrawn(intent digest, author string) error {
	c, err := w.find(intent)
	if err != nil || c == nil || c.cur.withdrawn || !c.cur.has(tagOfText(kindAuthor, author)) {
		return err
	}
	r, err := w.s.record(c.d, &c.cur, c.raw)
	if err != nil || string(r.Header().By) != author {
		return nil // damaged, or hashes alike only: nothing of the author's to mark
	}
	if _, ok := r.Body().(*record.Intent); ok {
		c.cur.withdrawn = true
		w.keep(c)
	}
	return nil
}

// record is a row's record: of the bytes that stand behind it, or of the source.
// The error is [badger.ErrKeyNotFound] when the source has it no more.
func (s *Store) record(d digest, r *row, raw []byte) (*record.Record, error) {
	if !r.elsewhere {
		return parse(d, raw)
	}
	if source := s.source.Load(); source != nil {
		if rec, ok := (*source)(d.id()); ok {
			return rec, nil
		}
	}
	return nil, badger.ErrKeyNotFound
}

// parse decodes stored bytes. They were verified when they were put and hash to
// the same ID, so the signature isn't verified again.
func parse(d digest, raw []byte) (*record.Record, error) {
	if !d.hashes(raw) {
		return nil, &DamageError{ID: d.id(), Err: errHash}
	}
	r, err := record.ParseUnverified(raw)
	if err != nil {
		return nil, &DamageError{ID: d.id(), Err: err}
	}
	return r, nil
}

var errHash = protocol.Errorf(protocol.CodeDamaged, "", "the bytes don't hash to the ID")
