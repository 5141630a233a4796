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

// step is how many items stand between two sums that are kept: a sum for each item
// would take nearly as much memory as the items.
const step = 16

// Set is a sorted set that doesn't change. It may be used concurrently. It takes 42
// bytes of memory for each item.
type Set struct {
	items []Item
	sums  []sum // sums[k] is that of items[:k*step]
	first int   // the items before it are not the set's, see After
}

// NewSet makes a set of items, which it takes over, in any order and with any
// repeated.
func NewSet(items []Item) *Set {
	slices.SortFunc(items, Item.compare)
	return newSet(slices.Compact(items))
}

// newSet makes a set of items that are in order.
func newSet(items []Item) *Set {
	s := &Set{items: items, sums: make([]sum, 1, len(items)/step+1)}
	var total sum
	for i, it := range items {
		total = total.add(it.ID)
		if (i+1)%step == 0 {
			s.sums = append(s.sums, total)
		}
	}
	return s
}

// After is the set's items with a time after t; it shares the set's memory.
func (s *Set) After(t uint64) *Set {
	cut := *s
	cut.first = s.find(s.first, bound{time: t + 1})
	return &cut
}

// With makes a set of this one's items and others, with add true, or without them.
// It takes time in proportion to the whole set.
func (s *Set) With(changes map[Item]bool) *Set {
	order := make([]Item, 0, len(changes))
	for it := range changes {
		order = append(order, it)
	}
	slices.SortFunc(order, Item.compare)
	items := make([]Item, 0, s.Len()+len(order))
	rest := s.Items()
	for _, it := range order {
		n, had := slices.BinarySearchFunc(rest, it, Item.compare)
		items = append(items, rest[:n]...)
		if rest = rest[n:]; had {
			rest = rest[1:]
		}
		if changes[it] {
			items = append(items, it)
		}
	}
	return newSet(append(items, rest...))
}

// Len is how many items the set has.
func (s *Set) Len() int { return len(s.items) - s.first }

// Items are the set's items in their order; not to be changed.
func (s *Set) Items() []Item { return s.items[s.first:] }

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
	buf := s.sum(upper).minus(s.sum(lower)).bytes()
	digest := sha256.Sum256(appendVarint(buf[:], uint64(upper-lower)))
	copy(f[:], digest[:])
	return f
}

// sum is that of items[:n].
func (s *Set) sum(n int) sum {
	total := s.sums[n/step]
	for _, it := range s.items[n/step*step : n] {
		total = total.add(it.ID)
	}
	return total
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
