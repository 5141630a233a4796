package store

import (
	"context"
	"errors"
	"iter"

	"github.com/dgraph-io/badger/v4"
	"github.com/ipfs/go-cid"

	"github.com/parley-protocol/parley/crypto"
	"github.com/parley-protocol/parley/protocol/record"
)

// Get gives the record with that ID, or the code "not_found". Bytes that don't
// match the ID are never given out: a [*DamageError] is.
func (s *Store) Get(ctx context.Context, id cid.Cid) (*record.Record, error) {
	e, err := s.Entry(ctx, id)
	return e.Record, err
}

// Entry gives the record with what the store knows about it. Its errors are
// those of [Store.Get].
func (s *Store) Entry(ctx context.Context, id cid.Cid) (Entry, error) {
	end, err := s.begin(ctx)
	if err != nil {
		return Entry{}, err
	}
	defer end()
	d, ok := digestOf(id)
	if !ok {
		return Entry{}, notFound(id)
	}
	var e Entry
	err = s.view(func(txn *badger.Txn) (err error) {
		e, err = s.readEntry(txn, d)
		return err
	})
	if err != nil {
		return Entry{}, s.readError(d, err)
	}
	return e, nil
}

// Has reports whether the record is held. It doesn't look at its bytes.
func (s *Store) Has(ctx context.Context, id cid.Cid) (bool, error) {
	end, err := s.begin(ctx)
	if err != nil {
		return false, err
	}
	defer end()
	d, ok := digestOf(id)
	if !ok {
		return false, nil
	}
	err = s.view(func(txn *badger.Txn) error {
		_, err := txn.Get(rowKey(d))
		return err
	})
	if errors.Is(err, badger.ErrKeyNotFound) {
		return false, nil
	}
	if err != nil {
		return false, s.readError(d, err)
	}
	return true, nil
}

// Withdrawn reports whether a withdrawal of the intent by that author is held,
// whether or not the intent is.
func (s *Store) Withdrawn(ctx context.Context, intent cid.Cid, author crypto.DID) (found bool, err error) {
	end, err := s.begin(ctx)
	if err != nil {
		return false, err
	}
	defer end()
	d, ok := digestOf(intent)
	if !ok {
		return false, nil
	}
	err = s.view(func(txn *badger.Txn) error {
		found = hasPrefix(txn, tombstonePrefix(d, string(author)))
		return nil
	})
	return found, err
}

// All gives every record, in the order of their IDs, for exports and checks. A
// damaged record gives its [*DamageError] and the iteration goes on; any other
// error ends it. What is put or deleted meanwhile isn't seen.
func (s *Store) All(ctx context.Context) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		s.scan(ctx, &plan{prefixes: [][]byte{{kindRow}}, seek: []byte{}}, func(d digest, txn *badger.Txn) bool {
			e, err := s.readGuarded(txn, d)
			return yield(e, err)
		}, func(err error) { yield(Entry{}, err) })
	}
}

// readEntry reads, hashes and decodes.
func (s *Store) readEntry(txn *badger.Txn, d digest) (Entry, error) {
	r, raw, err := readRow(txn, d)
	if err != nil {
		return Entry{}, err
	}
	rec, err := s.record(d, &r, raw)
	if err != nil {
		return Entry{}, err
	}
	return r.entry(rec), nil
}

func (r *row) entry(rec *record.Record) Entry {
	return Entry{Record: rec, Class: r.class, Markets: r.markets, Withdrawn: r.withdrawn, Expires: r.expires}
}

// readGuarded is readEntry for a loop.
func (s *Store) readGuarded(txn *badger.Txn, d digest) (e Entry, err error) {
	err = guard(func() (err error) {
		e, err = s.readEntry(txn, d)
		return err
	})
	if err != nil {
		return Entry{}, s.readError(d, err)
	}
	return e, nil
}

// readError makes an error of reading a row one that callers know.
func (s *Store) readError(d digest, err error) error {
	if _, ok := errors.AsType[*DamageError](err); ok {
		return err
	}
	switch {
	case errors.Is(err, badger.ErrKeyNotFound):
		return notFound(d.id())
	case errors.Is(err, badger.ErrDBClosed):
		return ErrClosed
	default:
		return &DamageError{ID: d.id(), Err: err}
	}
}
