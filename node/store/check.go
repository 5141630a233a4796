package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/table"
)

// Verify looks at everything: the checksums of all files, every record against
// its ID, every row's index keys, and the counts. It is for a doctor or an idle
// hour, and takes about as long as reading the whole folder. Reading alone
// can't tell: what stands in a damaged block looks to Badger's callers as if it
// weren't there. The error has the code "damaged"; the way out is that of a [RebuildError].
func (s *Store) Verify(ctx context.Context) error {
	end, err := s.begin(ctx)
	if err != nil {
		return err
	}
	defer end()
	s.write.Lock() // the counts must not change meanwhile
	defer s.write.Unlock()
	err = s.view(func(txn *badger.Txn) error {
		if err := s.db.VerifyChecksum(); err != nil {
			return err
		}
		return s.verifyRows(ctx, txn)
	})
	if err == nil || s.interrupted(ctx) != nil {
		return err
	}
	return &RebuildError{Dir: s.dir, Reason: FolderDamaged, Err: err}
}

// Scrub verifies the tables that were too many for Open to look through, from
// their files and without keeping anybody from the store. Damage is remembered:
// [Store.Damage] tells of it, and the next Open refuses the folder.
func (s *Store) Scrub(ctx context.Context) error {
	end, err := s.begin(ctx)
	if err != nil {
		return err
	}
	defer end()
	for id, info := range s.left {
		if err := s.interrupted(ctx); err != nil {
			return err
		}
		name := table.NewFilename(id, s.dir)
		err := guard(func() error { return checkTable(name, info, true) })
		if err == nil {
			continue
		}
		if _, gone := os.Stat(name); errors.Is(gone, fs.ErrNotExist) {
			continue // merged into another one meanwhile
		}
		err = &RebuildError{Dir: s.dir, Reason: FolderDamaged, Err: fmt.Errorf("%s: %w", filepath.Base(name), err)}
		s.damage.CompareAndSwap(nil, &err)
		return err
	}
	return nil
}

// Damage is what [Store.Scrub] has found, nil if nothing.
func (s *Store) Damage() error {
	if found := s.damage.Load(); found != nil {
		return *found
	}
	return nil
}

// verifyRows reads every row, and compares how many index keys of each kind
// there are with how many the rows should have.
func (s *Store) verifyRows(ctx context.Context, txn *badger.Txn) error {
	var stats Stats
	var want, found [256]int
	it := txn.NewIterator(keysOnly(nil, false))
	defer it.Close()
	for it.Rewind(); it.Valid(); it.Next() {
		if err := s.interrupted(ctx); err != nil {
			return err
		}
		key := it.Item().Key()
		found[key[0]]++
		if key[0] != kindRow {
			continue
		}
		if len(key) != 1+digestLen {
			return errRow
		}
		d := digest(key[1:])
		r, raw, err := readRow(txn, d)
		if err == nil {
			if _, err = s.record(d, &r, raw); r.elsewhere && errors.Is(err, badger.ErrKeyNotFound) {
				err = nil
			}
		}
		if err != nil {
			return fmt.Errorf("%s: %w", d.id(), err)
		}
		for _, k := range r.keys(d) {
			want[k.key[0]]++
		}
		if tombstoneOf(d, &r, raw) != nil {
			want[kindTombstone]++
		}
		stats.add(&r, +1)
	}
	for kind := range want {
		switch kind {
		case kindRow, kindMeta, kindStats:
		default:
			if want[kind] != found[kind] {
				return fmt.Errorf("index %q has %d keys instead of %d", rune(kind), found[kind], want[kind])
			}
		}
	}
	if counts := s.stats.get(); stats != counts {
		return fmt.Errorf("there is %+v, and the counts say %+v", stats, counts)
	}
	return nil
}
