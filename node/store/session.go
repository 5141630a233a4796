package store

import (
	"context"
	"errors"

	"github.com/dgraph-io/badger/v4"
)

// change is a row before and after.
type change struct {
	d       digest
	old     *row // nil: new
	cur     row
	raw     []byte
	refused bool
}

// session gathers the changes of one transaction over a snapshot. The writer's
// lock is held for as long as it lives, so the snapshot stays true.
type session struct {
	s       *Store
	snap    *badger.Txn
	changes map[digest]*change
	order   []*change
	tombs   map[string][]digest // new tombstones: prefix to withdrawals
	holds   map[tag]bool        // what the session's own records cite
	size    int64               // estimated bytes of the transaction
	count   int64               // estimated keys of the transaction

	heldKeys, tombKeys *badger.Iterator // over the snapshot, opened when first used
}

func (s *Store) newSession() *session {
	return &session{
		s:       s,
		snap:    s.db.NewTransaction(false),
		changes: make(map[digest]*change),
		tombs:   make(map[string][]digest),
		holds:   make(map[tag]bool),
	}
}

func (w *session) discard() {
	for _, it := range [...]*badger.Iterator{w.heldKeys, w.tombKeys} {
		if it != nil {
			it.Close()
		}
	}
	w.snap.Discard()
}

// full reports whether the transaction should be committed before it grows
// beyond what Badger takes in one.
func (w *session) full() bool {
	return w.size > w.s.db.MaxBatchSize()/2 || w.count > w.s.db.MaxBatchCount()/2
}

// find gives the row as this session sees it, nil if there is none. A row that
// can't be read counts as none: putting the record again mends it.
func (w *session) find(d digest) (*change, error) {
	if c, ok := w.changes[d]; ok {
		return c, nil
	}
	r, raw, err := readRow(w.snap, d)
	switch {
	case errors.Is(err, badger.ErrKeyNotFound), errors.Is(err, errRow):
		return nil, nil
	case err != nil:
		return nil, err
	}
	before := r
	return &change{d: d, old: &before, cur: r, raw: raw}, nil
}

// keep makes a change part of the session.
func (w *session) keep(c *change) {
	if _, ok := w.changes[c.d]; ok {
		return
	}
	w.changes[c.d] = c
	w.order = append(w.order, c)
	// Counted high: the keys of an own record twice, for what it holds, and
	// those of a known record twice, for the old and the new.
	keys := int64(7 + 3*len(c.cur.markets) + len(c.cur.tags))
	if c.cur.has(intentTag) {
		keys += int64(len(c.cur.markets) * len(c.cur.tags))
	}
	if c.cur.class == ClassOwn {
		keys += int64(len(c.cur.tags))
	}
	if c.old != nil {
		keys *= 2
	}
	const perKey = 1 + hashLen + suffixLen + 14 // with Badger's own bytes
	w.count += keys
	w.size += int64(len(c.raw)) + keys*perKey
}

func (w *session) tombstone(prefix []byte, withdrawal digest) {
	w.tombs[string(prefix)] = append(w.tombs[string(prefix)], withdrawal)
	w.count++
	w.size += int64(len(prefix)) + digestLen
}

// withdrawn reports whether a tombstone stands under the prefix.
func (w *session) withdrawn(prefix []byte) bool {
	if _, ok := w.tombs[string(prefix)]; ok {
		return true
	}
	return w.stored(&w.tombKeys, kindTombstone, prefix)
}

// cited reports whether an own record cites the target.
func (w *session) cited(target tag) bool {
	return w.holds[target] || w.stored(&w.heldKeys, kindHeld, heldPrefix(target))
}

// stored reports whether the snapshot has a key with the prefix. One iterator
// serves the whole session: opening it costs more than a seek.
func (w *session) stored(it **badger.Iterator, kind byte, prefix []byte) bool {
	if *it == nil {
		*it = w.snap.NewIterator(keysOnly([]byte{kind}, false))
	}
	(*it).Seek(prefix)
	return (*it).ValidForPrefix(prefix)
}

// commit makes room, writes the session in one transaction and sets the counts.
func (w *session) commit(ctx context.Context, meta []KV) error {
	if err := w.makeRoom(ctx); err != nil {
		return err
	}
	stats := w.s.stats.get()
	txn := w.s.db.NewTransaction(true)
	defer txn.Discard()
	dirty := false
	for _, c := range w.order {
		if c.refused {
			continue
		}
		if err := c.write(txn); err != nil {
			return err
		}
		if c.old != nil {
			stats.add(c.old, -1)
		}
		stats.add(&c.cur, +1)
		dirty = true
	}
	for prefix, withdrawals := range w.tombs {
		for _, d := range withdrawals {
			if c := w.changes[d]; c != nil && c.refused {
				continue
			}
			if err := txn.Set(append([]byte(prefix), d[:]...), nil); err != nil {
				return err
			}
		}
	}
	if dirty {
		if err := txn.Set([]byte{kindStats}, stats.encode()); err != nil {
			return err
		}
	}
	if err := writeMeta(txn, meta); err != nil {
		return err
	}
	if err := txn.Commit(); err != nil {
		return err
	}
	w.s.stats.set(stats)
	for _, c := range w.order {
		if !c.refused {
			w.s.live.note(c.d, c.old, &c.cur)
		}
	}
	return nil
}

// write sets the row and brings its index keys from what they were to what
// they are.
func (c *change) write(txn *badger.Txn) error {
	if err := txn.Set(rowKey(c.d), c.cur.encode(c.d, c.raw)); err != nil {
		return err
	}
	var before map[string]bool // true: to be deleted
	if c.old != nil {
		before = make(map[string]bool)
		for _, k := range c.old.keys(c.d) {
			before[string(k.key)] = true
		}
	}
	for _, k := range c.cur.keys(c.d) {
		if before[string(k.key)] {
			before[string(k.key)] = false
		} else if err := txn.Set(k.key, k.value); err != nil {
			return err
		}
	}
	for key, gone := range before {
		if !gone {
			continue
		}
		if err := txn.Delete([]byte(key)); err != nil {
			return err
		}
	}
	return nil
}

// readRow reads a row from a snapshot; raw is a copy.
func readRow(txn *badger.Txn, d digest) (r row, raw []byte, err error) {
	item, err := txn.Get(rowKey(d))
	if err != nil {
		return r, nil, err
	}
	err = item.Value(func(value []byte) error {
		var alias []byte
		r, alias, err = decodeRow(d, value)
		raw = append([]byte(nil), alias...)
		return err
	})
	return r, raw, err
}

// keysOnly are the options of an iterator over the keys with a prefix.
func keysOnly(prefix []byte, reverse bool) badger.IteratorOptions {
	return badger.IteratorOptions{Prefix: prefix, Reverse: reverse}
}

func hasPrefix(txn *badger.Txn, prefix []byte) bool {
	it := txn.NewIterator(keysOnly(prefix, false))
	defer it.Close()
	it.Seek(prefix)
	return it.Valid()
}
