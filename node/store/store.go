package store

import (
	"context"
	"iter"
	"log/slog"

	"github.com/ipfs/go-cid"

	"github.com/parley-protocol/parley/protocol/record"
)

// Options are the knobs of a store. The zero value is good.
type Options struct {
	InMemory bool         // nothing on disk; dir is ignored
	Logger   *slog.Logger // nil: silent
	Quota    Quota        // for ClassForeign
}

// Quota bounds the records of class foreign. A zero is no bound.
type Quota struct {
	Count     int   // records
	Bytes     int64 // bytes of records; with its indexes a record takes about twice its size on disk
	PerAuthor int   // records by one author
}

// Store is an open view.
type Store struct{}

// Stats is what the store holds.
type Stats struct {
	Own, Deal, Foreign Usage
}

// Usage counts the records of one class.
type Usage struct {
	Count int
	Bytes int64 // of the records themselves
}

// Open opens the view in dir, which it creates if need be. The errors to tell
// apart are [*RebuildError], [*NewerSchemaError] and the code "locked".
func Open(ctx context.Context, dir string, opts Options) (*Store, error) { panic("soon") }

// Drop removes the view's files in dir.
func Drop(dir string) error { panic("soon") }

// Close flushes and closes.
func (s *Store) Close() error { panic("soon") }

// Clean reports whether the folder was closed in order before it was opened.
func (s *Store) Clean() bool { panic("soon") }

// Put stores items; meta is written with the last of them.
func (s *Store) Put(ctx context.Context, items []Item, meta ...KV) ([]Outcome, error) { panic("soon") }

// Get gives the record.
func (s *Store) Get(ctx context.Context, id cid.Cid) (*record.Record, error) { panic("soon") }

// Entry gives the record with what the store knows about it.
func (s *Store) Entry(ctx context.Context, id cid.Cid) (Entry, error) { panic("soon") }

// Has reports whether the record is held.
func (s *Store) Has(ctx context.Context, id cid.Cid) (bool, error) { panic("soon") }

// Query gives the records that pass the filter.
func (s *Store) Query(ctx context.Context, f Filter) iter.Seq2[Entry, error] { panic("soon") }

// All gives every record, by ID.
func (s *Store) All(ctx context.Context) iter.Seq2[Entry, error] { panic("soon") }

// Withdrawn reports whether the intent is known to be withdrawn.
func (s *Store) Withdrawn(ctx context.Context, intent *record.Record) (bool, error) { panic("soon") }

// Resolve finds the ID that a shortened one stands for.
func (s *Store) Resolve(ctx context.Context, prefix string) (cid.Cid, error) { panic("soon") }

// Delete removes records of any class.
func (s *Store) Delete(ctx context.Context, ids ...cid.Cid) (int, error) { panic("soon") }

// Expire removes what is past its time.
func (s *Store) Expire(ctx context.Context, now int64) (int, error) { panic("soon") }

// Stats counts what is held.
func (s *Store) Stats() Stats { panic("soon") }

// KV is a small value of the node's own, kept beside the records. A nil Value deletes.
type KV struct {
	Key   string
	Value []byte
}

// Meta reads a value; nil if there is none.
func (s *Store) Meta(ctx context.Context, key string) ([]byte, error) { panic("soon") }

// SetMeta writes values.
func (s *Store) SetMeta(ctx context.Context, kvs ...KV) error { panic("soon") }
