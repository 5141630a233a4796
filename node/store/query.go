package store

import (
	"bytes"
	"context"
	"errors"
	"iter"
	"slices"

	"github.com/dgraph-io/badger/v4"

	"github.com/parley-protocol/parley/protocol/record"
)

// Query gives the records that pass the filter, in its order, as they were when
// the loop began. The loop may call other methods of the store, but not Close.
//
// A damaged record gives its [*DamageError] and the query goes on; any other
// error ends it.
//
// The index with the fewest keys is read and the rest filtered, so a filter
// costs by the smallest thing that it names. [ByExpiry] has an index for a
// market and one for everything; with another filter it reads one of these.
func (s *Store) Query(ctx context.Context, f Filter) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		f.Types = slices.Compact(slices.Sorted(slices.Values(f.Types)))
		f.Classes = slices.Compact(slices.Sorted(slices.Values(f.Classes)))
		tags := f.tags()
		given := 0
		s.query(ctx, &f, func(d digest, txn *badger.Txn) bool {
			e, ok, err := s.match(txn, d, &f, tags)
			if err == nil && !ok {
				return true
			}
			e.order = f.Order
			given++
			return yield(e, err) && (f.Limit <= 0 || given < f.Limit)
		}, func(err error) { yield(Entry{}, err) })
	}
}

// query plans and scans.
func (s *Store) query(ctx context.Context, f *Filter, visit func(digest, *badger.Txn) bool, fail func(error)) {
	end, err := s.begin(ctx)
	if err != nil {
		fail(err)
		return
	}
	defer end()
	txn := s.db.NewTransaction(false)
	defer txn.Discard()
	var p *plan
	err = guard(func() (err error) {
		p, err = planOf(txn, f)
		return err
	})
	if err == nil {
		err = s.run(ctx, txn, p, visit)
	}
	if err != nil {
		fail(err)
	}
}

// scan runs a ready plan on a fresh snapshot.
func (s *Store) scan(ctx context.Context, p *plan, visit func(digest, *badger.Txn) bool, fail func(error)) {
	end, err := s.begin(ctx)
	if err != nil {
		fail(err)
		return
	}
	defer end()
	txn := s.db.NewTransaction(false)
	defer txn.Discard()
	if err := s.run(ctx, txn, p, visit); err != nil {
		fail(err)
	}
}

// run walks the plan's merged indexes until visit says no.
func (s *Store) run(ctx context.Context, txn *badger.Txn, p *plan, visit func(digest, *badger.Txn) bool) error {
	m := &merge{plan: p}
	defer m.close()
	err := guard(func() error { m.start(txn); return nil })
	for err == nil {
		if err = s.interrupted(ctx); err != nil {
			break
		}
		var d digest
		var ok bool
		err = guard(func() error { d, ok = m.next(); return nil })
		if err != nil || !ok || !visit(d, txn) {
			break
		}
	}
	return err
}

// merge reads several indexes of one order as one.
type merge struct {
	plan *plan
	its  []*badger.Iterator
	lens []int // of their prefixes
}

func (m *merge) start(txn *badger.Txn) {
	for _, prefix := range m.plan.prefixes {
		it := txn.NewIterator(keysOnly(prefix, m.plan.reverse))
		m.its = append(m.its, it)
		m.lens = append(m.lens, len(prefix))
		it.Seek(append(bytes.Clone(prefix), m.plan.seek...))
		if it.Valid() && m.plan.after != nil && bytes.Equal(it.Item().Key()[len(prefix):], m.plan.after) {
			it.Next()
		}
	}
}

// next gives the ID at the front and steps behind it.
func (m *merge) next() (d digest, ok bool) {
	var front []byte
	at := -1
	for i, it := range m.its {
		if !it.Valid() {
			continue
		}
		suffix := it.Item().Key()[m.lens[i]:]
		if front == nil || (bytes.Compare(suffix, front) < 0) != m.plan.reverse {
			front, at = suffix, i
		}
	}
	if at < 0 || m.plan.past(front) || len(front) < digestLen {
		return d, false
	}
	d = digest(front[len(front)-digestLen:])
	m.its[at].Next()
	return d, true
}

func (m *merge) close() {
	for _, it := range m.its {
		it.Close()
	}
}

// tags are the filter's attributes that a row's header has.
func (f *Filter) tags() (tags []tag) {
	if f.Author != "" {
		tags = append(tags, tagOfText(kindAuthor, string(f.Author)))
	}
	if f.Category != "" {
		tags = append(tags, tagOfText(kindCategory, f.Category))
	}
	if f.Deal.Defined() {
		tags = append(tags, tagOf(kindDeal, f.Deal.Bytes()))
	}
	if f.Cites.Defined() {
		tags = append(tags, tagOf(kindCites, f.Cites.Bytes()))
	}
	return tags
}

// match reads a record if its row's header passes, and decides by the record.
func (s *Store) match(txn *badger.Txn, d digest, f *Filter, tags []tag) (e Entry, ok bool, err error) {
	var r row
	var raw []byte
	passes := false
	err = guard(func() error {
		item, err := txn.Get(rowKey(d))
		if err != nil {
			return err
		}
		return item.Value(func(value []byte) (err error) {
			var alias []byte
			if r, alias, err = decodeRow(d, value); err != nil || !f.passesRow(&r, tags) {
				return err
			}
			raw, passes = bytes.Clone(alias), true
			return nil
		})
	})
	if errors.Is(err, badger.ErrKeyNotFound) {
		// An index key without its row: the folder is damaged, and this record lost.
		return e, false, &DamageError{ID: d.id(), Err: err}
	}
	if err != nil {
		return e, false, s.readError(d, err)
	}
	if !passes {
		return e, false, nil
	}
	rec, err := s.record(d, &r, raw)
	if errors.Is(err, badger.ErrKeyNotFound) {
		return e, false, nil // erased where it was, and not yet here
	}
	if err != nil {
		return e, false, err
	}
	return r.entry(rec), f.passesRecord(rec), nil
}

// passesRow is all of the filter that a row's header can tell.
func (f *Filter) passesRow(r *row, tags []tag) bool {
	if r.at < f.AtFrom || f.AtTo > 0 && r.at >= f.AtTo ||
		f.ExpiresBefore > 0 && r.expires >= f.ExpiresBefore ||
		f.Live && (r.withdrawn || r.expires <= f.Now || r.retain <= f.Now) ||
		f.Market != "" && !slices.Contains(r.markets, f.Market) ||
		len(f.Classes) > 0 && !slices.Contains(f.Classes, r.class) {
		return false
	}
	for _, t := range tags {
		if !r.has(t) {
			return false
		}
	}
	return true
}

// passesRecord is what only the record itself can tell, tags being hashes.
func (f *Filter) passesRecord(r *record.Record) bool {
	if f.Author != "" && r.Header().By != f.Author ||
		len(f.Types) > 0 && !slices.Contains(f.Types, r.Type()) ||
		f.Category != "" && !slices.Contains(categoriesOf(r), f.Category) ||
		f.Cites.Defined() && !slices.ContainsFunc(r.Links(), f.Cites.Equals) {
		return false
	}
	if f.Deal.Defined() {
		key, ok := r.Deal()
		return ok && key.ID().Equals(f.Deal)
	}
	return true
}
