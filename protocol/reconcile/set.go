package reconcile

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"sort"
)

// IDSize is the length of an ID in bytes.
const IDSize = 32

// fingerprintSize is the length of a fingerprint in bytes.
const fingerprintSize = 16

// Item is one element of a set: ordered by time, then by ID.
type Item struct {
	Time uint64 // any number that both sides give it, such as Unix seconds of its expiry; below 2^63
	ID   [IDSize]byte
}

func (a Item) compare(b Item) int {
	if c := cmp.Compare(a.Time, b.Time); c != 0 {
		return c
	}
	return bytes.Compare(a.ID[:], b.ID[:])
}

// Set is a sorted set that doesn't change. It may be used concurrently.
type Set struct {
	items []Item
	sums  []sum // sums[i] is that of items[:i]
}

// NewSet makes a set of items, which it takes over, in any order and with any
// repeated.
func NewSet(items []Item) *Set {
	slices.SortFunc(items, Item.compare)
	items = slices.Compact(items)
	s := &Set{items: items, sums: make([]sum, len(items)+1)}
	for i, it := range items {
		s.sums[i+1] = s.sums[i].add(it.ID)
	}
	return s
}

// Len is how many items the set has.
func (s *Set) Len() int { return len(s.items) }

// Items are the set's items in their order; not to be changed.
func (s *Set) Items() []Item { return s.items }

// find is the index of the first item at or after a bound, from index from on.
func (s *Set) find(from int, b bound) int {
	if b.infinite {
		return len(s.items)
	}
	return from + sort.Search(len(s.items)-from, func(i int) bool { return s.items[from+i].compare(b.item()) >= 0 })
}

// fingerprint of items[lower:upper]: the sum of the IDs as little-endian
// numbers modulo 2^256, and their count, hashed.
func (s *Set) fingerprint(lower, upper int) (f [fingerprintSize]byte) {
	buf := s.sums[upper].minus(s.sums[lower]).bytes()
	digest := sha256.Sum256(appendVarint(buf[:], uint64(upper-lower)))
	copy(f[:], digest[:])
	return f
}

// sum is a number modulo 2^256, the least significant word first.
type sum [4]uint64

func (a sum) add(id [IDSize]byte) (c sum) {
	carry := uint64(0)
	for i := range c {
		b := binary.LittleEndian.Uint64(id[8*i:])
		t := a[i] + carry
		over := t < carry
		c[i] = t + b
		carry = 0
		if over || c[i] < b {
			carry = 1
		}
	}
	return c
}

func (a sum) minus(b sum) (c sum) {
	borrow := uint64(0)
	for i := range c {
		t := a[i] - b[i]
		under := a[i] < b[i]
		c[i] = t - borrow
		under = under || t < borrow
		borrow = 0
		if under {
			borrow = 1
		}
	}
	return c
}

func (a sum) bytes() (b [IDSize]byte) {
	for i, w := range a {
		binary.LittleEndian.PutUint64(b[8*i:], w)
	}
	return b
}

// bound lies between items: the first item that is not below it is beyond it.
type bound struct {
	infinite bool
	time     uint64
	prefix   []byte // of an ID, the rest of which is zeros
}

func (b bound) item() Item {
	it := Item{Time: b.time}
	copy(it.ID[:], b.prefix)
	return it
}

func (b bound) compare(c bound) int {
	switch {
	case b.infinite && c.infinite:
		return 0
	case b.infinite:
		return 1
	case c.infinite:
		return -1
	}
	return b.item().compare(c.item())
}

// between is the shortest bound after prev and not after next.
func between(prev, next Item) bound {
	if prev.Time != next.Time {
		return bound{time: next.Time}
	}
	n := 0
	for prev.ID[n] == next.ID[n] {
		n++
	}
	return bound{time: next.Time, prefix: next.ID[:n+1]}
}
