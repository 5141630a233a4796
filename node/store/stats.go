package store

import (
	"encoding/binary"
	"errors"
	"sync"

	"github.com/dgraph-io/badger/v4"
)

// Usage counts the records of one class.
type Usage struct {
	Count int
	Bytes int64 // of the records themselves, without rows and indexes
}

// Stats is what the store holds.
type Stats struct {
	Own, Deal, Foreign Usage
}

// Total is all classes together.
func (s Stats) Total() Usage {
	return Usage{
		Count: s.Own.Count + s.Deal.Count + s.Foreign.Count,
		Bytes: s.Own.Bytes + s.Deal.Bytes + s.Foreign.Bytes,
	}
}

// of is the usage of a class.
func (s *Stats) of(c Class) *Usage {
	switch c {
	case ClassOwn:
		return &s.Own
	case ClassDeal:
		return &s.Deal
	default:
		return &s.Foreign
	}
}

func (s *Stats) add(r *row, sign int) {
	u := s.of(r.class)
	u.Count += sign
	u.Bytes += int64(sign) * int64(r.size)
}

func (s *Stats) encode() []byte {
	var out []byte
	for _, c := range [...]Class{ClassForeign, ClassDeal, ClassOwn} {
		u := s.of(c)
		out = binary.AppendVarint(out, int64(u.Count))
		out = binary.AppendVarint(out, u.Bytes)
	}
	return out
}

func decodeStats(raw []byte) (s Stats, err error) {
	for _, c := range [...]Class{ClassForeign, ClassDeal, ClassOwn} {
		var n [2]int64
		for i := range n {
			v, w := binary.Varint(raw)
			if w <= 0 || v < 0 {
				return s, errors.New("the counts are damaged")
			}
			n[i], raw = v, raw[w:]
		}
		*s.of(c) = Usage{Count: int(n[0]), Bytes: n[1]}
	}
	return s, nil
}

// statsBox holds the counts; they are written in the transaction that changes
// them, so they are as exact after a crash as the records are.
type statsBox struct {
	mu  sync.Mutex
	now Stats
}

func (b *statsBox) get() Stats {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.now
}

func (b *statsBox) set(s Stats) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.now = s
}

// Stats counts what is held.
func (s *Store) Stats() Stats { return s.stats.get() }

func (s *Store) loadStats() error {
	return s.view(func(txn *badger.Txn) error {
		item, err := txn.Get([]byte{kindStats})
		if errors.Is(err, badger.ErrKeyNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		return item.Value(func(raw []byte) error {
			stats, err := decodeStats(raw)
			s.stats.set(stats)
			return err
		})
	})
}

// recount counts the rows, for a folder that wasn't closed: a lost piece of
// Badger's log may hold records whose counts stood in a piece that wasn't lost.
func (s *Store) recount() error {
	var stats Stats
	err := s.view(func(txn *badger.Txn) error {
		prefix := []byte{kindRow}
		it := txn.NewIterator(keysOnly(prefix, false))
		defer it.Close()
		for it.Seek(prefix); it.Valid(); it.Next() {
			item := it.Item()
			if len(item.Key()) != 1+digestLen {
				return errRow
			}
			d := digest(item.Key()[1:])
			err := item.Value(func(value []byte) error {
				r, _, err := decodeRow(d, value)
				stats.add(&r, +1)
				return err
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	s.stats.set(stats)
	return nil
}
