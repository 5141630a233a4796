package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/dgraph-io/badger/v4"
	"github.com/ipfs/go-cid"

	"github.com/parley-protocol/parley/protocol/record"
)

// Delete removes records of whatever class and reports how many were held. An
// intent keeps the mark of a deleted withdrawal for as long as it is held.
func (s *Store) Delete(ctx context.Context, ids ...cid.Cid) (int, error) {
	end, err := s.begin(ctx)
	if err != nil {
		return 0, err
	}
	defer end()
	s.write.Lock()
	defer s.write.Unlock()
	if err := s.room(); err != nil {
		return 0, err
	}
	var ds []digest
	seen := make(map[digest]bool, len(ids))
	for _, id := range ids {
		if d, ok := digestOf(id); ok && !seen[d] {
			seen[d] = true
			ds = append(ds, d)
		}
	}
	n := 0
	err = guard(func() error {
		n, err = s.remove(ctx, ds)
		return err
	})
	if err != nil {
		return n, fmt.Errorf("store: delete: %w", err)
	}
	return n, nil
}

// Prune removes the records that were put with Elsewhere set and that the source
// has no more, and reports how many.
func (s *Store) Prune(ctx context.Context) (int, error) {
	end, err := s.begin(ctx)
	if err != nil {
		return 0, err
	}
	defer end()
	s.write.Lock()
	defer s.write.Unlock()
	n := 0
	err = guard(func() error {
		lost, err := s.lost(ctx)
		if err != nil {
			return err
		}
		n, err = s.remove(ctx, lost)
		return err
	})
	if err != nil {
		return n, fmt.Errorf("store: prune: %w", err)
	}
	return n, nil
}

// lost lists the records that are elsewhere no more.
func (s *Store) lost(ctx context.Context) (out []digest, err error) {
	txn := s.db.NewTransaction(false)
	defer txn.Discard()
	for _, class := range [...]Class{ClassDeal, ClassOwn} {
		prefix := classTag(class).prefix()
		it := txn.NewIterator(keysOnly(prefix, false))
		defer it.Close()
		for it.Seek(prefix); it.Valid(); it.Next() {
			if err := s.interrupted(ctx); err != nil {
				return nil, err
			}
			key := it.Item().Key()
			if len(key) != len(prefix)+suffixLen {
				return nil, errRow
			}
			d := digest(key[len(prefix)+timeLen:])
			r, raw, err := readRow(txn, d)
			if err != nil && !errors.Is(err, errRow) {
				return nil, err
			}
			if err != nil || !r.elsewhere {
				continue
			}
			if _, err := s.record(d, &r, raw); errors.Is(err, badger.ErrKeyNotFound) {
				out = append(out, d)
			}
		}
	}
	return out, nil
}

// Expire removes what is past its time at now: foreign records past their
// retainUntil, foreign intents past their validUntil, and records of deals past
// their retainUntil, unless an own record cites them or belongs to the same
// deal: a deal of one's own is kept whole, for its state follows from all of
// its records. A withdrawal stays as long as an intent may live. Own records
// stay. It reports how many records went.
func (s *Store) Expire(ctx context.Context, now int64) (int, error) {
	end, err := s.begin(ctx)
	if err != nil {
		return 0, err
	}
	defer end()
	s.write.Lock()
	defer s.write.Unlock()
	if err := s.room(); err != nil {
		return 0, err
	}
	n := 0
	err = guard(func() error {
		due, err := s.due(ctx, now)
		if err != nil {
			return err
		}
		n, err = s.remove(ctx, due)
		return err
	})
	if err != nil {
		return n, fmt.Errorf("store: expire: %w", err)
	}
	return n, nil
}

// due lists what has to go.
func (s *Store) due(ctx context.Context, now int64) (out []digest, err error) {
	txn := s.db.NewTransaction(false)
	defer txn.Discard()
	for _, kind := range [...]byte{kindDueOf, kindDueOfDeal} {
		prefix := []byte{kind}
		it := txn.NewIterator(keysOnly(prefix, false))
		defer it.Close()
		for it.Seek(prefix); it.Valid(); it.Next() {
			if err := s.interrupted(ctx); err != nil {
				return nil, err
			}
			key := it.Item().Key()
			if len(key) != 1+suffixLen || parseTime(key[1:]) > now {
				break
			}
			d := digest(key[1+timeLen:])
			if kind == kindDueOfDeal {
				keep, err := heldByOwn(txn, d)
				if err != nil {
					return nil, err
				}
				if keep {
					continue
				}
			}
			out = append(out, d)
		}
	}
	return out, nil
}

// heldByOwn reports whether an own record cites d or is of the same deal.
func heldByOwn(txn *badger.Txn, d digest) (bool, error) {
	if hasPrefix(txn, heldPrefix(tagOf(kindCites, d.id().Bytes()))) {
		return true, nil
	}
	r, _, err := readRow(txn, d)
	if err != nil {
		if errors.Is(err, errRow) {
			return false, nil
		}
		return false, err
	}
	for _, t := range r.tags {
		if t.kind == kindDeal && hasPrefix(txn, heldPrefix(t)) {
			return true, nil
		}
	}
	return false, nil
}

// remove deletes rows with all their keys, in as many transactions as it
// takes. The writer's lock is held.
func (s *Store) remove(ctx context.Context, ds []digest) (n int, err error) {
	for len(ds) > 0 {
		if err := s.interrupted(ctx); err != nil {
			return n, err
		}
		done, gone, err := s.removeSome(ds)
		n += gone
		if err != nil {
			return n, err
		}
		ds = ds[done:]
	}
	return n, nil
}

// removeSome deletes as many as fit one transaction.
func (s *Store) removeSome(ds []digest) (done, gone int, err error) {
	snap := s.db.NewTransaction(false)
	defer snap.Discard()
	txn := s.db.NewTransaction(true)
	defer txn.Discard()
	stats := s.stats.get()
	var removed []digest
	var rows []row
	for keys := int64(0); done < len(ds) && keys < s.db.MaxBatchCount()/4; done++ {
		d := ds[done]
		r, raw, err := readRow(snap, d)
		if errors.Is(err, badger.ErrKeyNotFound) {
			continue
		}
		if err != nil {
			return 0, 0, err
		}
		for _, k := range r.keys(d) {
			if err := txn.Delete(k.key); err != nil {
				return 0, 0, err
			}
			keys++
		}
		if tomb := tombstoneOf(d, &r, raw); tomb != nil {
			if err := txn.Delete(tomb); err != nil {
				return 0, 0, err
			}
		}
		if err := txn.Delete(rowKey(d)); err != nil {
			return 0, 0, err
		}
		stats.add(&r, -1)
		removed, rows = append(removed, d), append(rows, r)
		keys += 2
		gone++
	}
	if gone == 0 {
		return done, 0, nil
	}
	if err := txn.Set([]byte{kindStats}, stats.encode()); err != nil {
		return 0, 0, err
	}
	if err := txn.Commit(); err != nil {
		return 0, 0, err
	}
	s.stats.set(stats)
	for i, d := range removed {
		s.live.note(d, &rows[i], nil)
	}
	return done, gone, nil
}

var withdrawalTag = tagOfText(kindType, (*record.Withdrawal)(nil).Type())

// tombstoneOf is the tombstone that a withdrawal has set; nil for other records.
func tombstoneOf(d digest, r *row, raw []byte) []byte {
	if !r.has(withdrawalTag) {
		return nil
	}
	rec, err := parse(d, raw)
	if err != nil {
		return nil // it stands on, which does no harm
	}
	intent, ok := withdrawalOf(rec)
	if !ok {
		return nil
	}
	return append(tombstonePrefix(intent, string(rec.Header().By)), d[:]...)
}
