package store

import (
	"bytes"
	"context"
	"encoding/binary"
	"slices"

	"github.com/dgraph-io/badger/v4"
)

// Quota bounds the records of class foreign. A zero is no bound. What was signed
// earliest goes first, however long it is valid: to be valid for long costs a
// stranger nothing, and must not push out what is valid for a day. Records of
// one's own and of one's deals never go.
type Quota struct {
	Count     int   // records
	Bytes     int64 // bytes of records; on the disk a record of 600 bytes with its indexes takes about 900
	PerAuthor int   // records by one author, of whatever class; a foreign one beyond it is refused
}

func (q Quota) exceeded(u Usage) bool {
	return q.Count > 0 && u.Count > q.Count || q.Bytes > 0 && u.Bytes > q.Bytes
}

// authorIsFull reports whether the row's author has all the records that one may have.
func (w *session) authorIsFull(r *row) bool {
	limit := w.s.opts.Quota.PerAuthor
	if limit <= 0 {
		return false
	}
	n := 0
	for _, t := range r.tags {
		if t.kind != kindAuthor {
			continue
		}
		for _, c := range w.order {
			if c.old == nil && c.cur.has(t) {
				n++
			}
		}
		n += countPrefix(w.snap, t.prefix(), limit)
	}
	return n >= limit
}

// countPrefix counts keys, up to a limit.
func countPrefix(txn *badger.Txn, prefix []byte, limit int) (n int) {
	it := txn.NewIterator(keysOnly(prefix, false))
	defer it.Close()
	for it.Seek(prefix); it.Valid() && n < limit; it.Next() {
		n++
	}
	return n
}

// makeRoom brings the foreign records, with those of the session, under the
// quota: of both together the earliest signed are deleted or refused. Deletions
// come before the session's own transaction, so that no crash in between leaves
// the store over its quota.
func (w *session) makeRoom(ctx context.Context) error {
	quota := w.s.opts.Quota
	after := w.s.stats.get()
	var fresh []*change // new foreign records, earliest first
	for _, c := range w.order {
		if c.old != nil {
			after.add(c.old, -1)
		} else if c.cur.class == ClassForeign {
			fresh = append(fresh, c)
		}
		after.add(&c.cur, +1)
	}
	if !quota.exceeded(after.Foreign) {
		return nil
	}
	slices.SortFunc(fresh, func(a, b *change) int {
		return bytes.Compare(a.suffix(), b.suffix())
	})

	held := w.snap.NewIterator(keysOnly([]byte{kindForeign}, false))
	defer held.Close()
	held.Seek([]byte{kindForeign})
	var victims []digest
	for quota.exceeded(after.Foreign) {
		for held.Valid() && w.raised(held.Item().Key()) {
			held.Next()
		}
		var suffix []byte
		if held.Valid() {
			suffix = held.Item().Key()[1:]
		}
		switch {
		case len(fresh) > 0 && (suffix == nil || bytes.Compare(fresh[0].suffix(), suffix) < 0):
			fresh[0].refused = true
			after.add(&fresh[0].cur, -1)
			fresh = fresh[1:]
		case suffix != nil:
			size, err := foreignSize(held.Item())
			if err != nil {
				return err
			}
			after.Foreign.Count--
			after.Foreign.Bytes -= size
			victims = append(victims, digest(suffix[timeLen:]))
			held.Next()
		default:
			// Counts and index disagree, which only damage can bring about.
			return errRow
		}
	}
	for _, d := range victims {
		// The session may hold a victim too: a withdrawal for it, or a market.
		if c, ok := w.changes[d]; ok {
			c.refused = true
		}
	}
	_, err := w.s.remove(ctx, victims)
	return err
}

// suffix orders a change among the foreign records by when it was signed.
func (c *change) suffix() []byte { return indexKey(nil, c.cur.at, c.d) }

// raised reports whether the session takes the record of this key out of the
// foreign class.
func (w *session) raised(key []byte) bool {
	c, ok := w.changes[digest(key[1+timeLen:])]
	return ok && c.cur.class != ClassForeign
}

// foreignSize is the record's length, kept with its key.
func foreignSize(item *badger.Item) (size int64, err error) {
	err = item.Value(func(value []byte) error {
		n, w := binary.Uvarint(value)
		if w <= 0 {
			return errRow
		}
		size = int64(n)
		return nil
	})
	return size, err
}
