package store

import (
	"cmp"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"slices"

	"github.com/parley-protocol/parley/protocol/record"
)

// row is what stands before a record's bytes: all that the indexes were made
// from, so that a query can pass over a record without decoding it and a
// deletion needs nothing else.
//
//	version byte (1) ‖ CRC32C of ID and header, 4 bytes ‖ header's length, uvarint ‖ header ‖ record
//	header: class, flags ‖ uvarints at, expires, retain, due ‖ markets ‖ tags
type row struct {
	class     Class
	withdrawn bool
	elsewhere bool // the source has the record's bytes, and they don't stand here
	at        int64
	expires   int64
	retain    int64
	due       int64    // when it goes while it is of class foreign
	markets   []string // sorted
	tags      []tag    // sorted
	size      int      // the record's length
}

const (
	rowVersion    = 1
	flagWithdrawn = 1
	flagElsewhere = 2
	rowFixed      = 5 // version and checksum
)

var errRow = errors.New("the row's header is damaged")

func compareTags(a, b tag) int {
	return cmp.Or(cmp.Compare(a.kind, b.kind), slices.Compare(a.hash[:], b.hash[:]))
}

func (r *row) has(t tag) bool {
	_, found := slices.BinarySearchFunc(r.tags, t, compareTags)
	return found
}

// addMarkets notes more markets and reports whether that changed anything.
func (r *row) addMarkets(markets ...string) bool {
	changed := false
	for _, m := range markets {
		i, found := slices.BinarySearch(r.markets, m)
		if found || m == "" || len(r.markets) >= maxMarkets {
			continue
		}
		r.markets = slices.Insert(slices.Clone(r.markets), i, m)
		changed = true
	}
	return changed
}

// encode is the row's value in Badger.
func (r *row) encode(d digest, raw []byte) []byte {
	header := make([]byte, 0, 64+len(r.tags)*(1+hashLen))
	var flags byte
	if r.withdrawn {
		flags |= flagWithdrawn
	}
	if r.elsewhere {
		flags, raw = flags|flagElsewhere, nil
	}
	header = append(header, byte(r.class), flags)
	for _, t := range [...]int64{r.at, r.expires, r.retain, r.due} {
		header = binary.AppendUvarint(header, uint64(t))
	}
	header = binary.AppendUvarint(header, uint64(len(r.markets)))
	for _, m := range r.markets {
		header = binary.AppendUvarint(header, uint64(len(m)))
		header = append(header, m...)
	}
	header = binary.AppendUvarint(header, uint64(len(r.tags)))
	for _, t := range r.tags {
		header = append(append(header, t.kind), t.hash[:]...)
	}

	value := make([]byte, 0, rowFixed+binary.MaxVarintLen32+len(header)+len(raw))
	value = append(value, rowVersion)
	value = binary.BigEndian.AppendUint32(value, headerSum(d, header))
	value = binary.AppendUvarint(value, uint64(len(header)))
	value = append(value, header...)
	return append(value, raw...)
}

func headerSum(d digest, header []byte) uint32 {
	table := crc32.MakeTable(crc32.Castagnoli)
	return crc32.Update(crc32.Checksum(d[:], table), table, header)
}

// decodeRow takes a value apart. The record's bytes are not checked here, and
// they alias value.
func decodeRow(d digest, value []byte) (row, []byte, error) {
	if len(value) < rowFixed || value[0] != rowVersion {
		return row{}, nil, errRow
	}
	n, w := binary.Uvarint(value[rowFixed:])
	if w <= 0 || n > uint64(len(value)-rowFixed-w) {
		return row{}, nil, errRow
	}
	header := value[rowFixed+w:][:n]
	raw := value[rowFixed+w+int(n):]
	if headerSum(d, header) != binary.BigEndian.Uint32(value[1:]) {
		return row{}, nil, errRow
	}
	c := headerReader{rest: header}
	class, flags := Class(c.byte()), c.byte()
	r := row{class: class, withdrawn: flags&flagWithdrawn != 0, elsewhere: flags&flagElsewhere != 0, size: len(raw)}
	for _, t := range [...]*int64{&r.at, &r.expires, &r.retain, &r.due} {
		*t = int64(c.uvarint())
	}
	if n := c.uvarint(); n > 0 && n <= maxMarkets {
		r.markets = make([]string, 0, n)
		for range n {
			r.markets = append(r.markets, string(c.take(c.uvarint())))
		}
	}
	n = c.uvarint()
	tags := c.take(n * (1 + hashLen))
	if c.bad || !r.class.valid() || len(c.rest) != 0 {
		return row{}, nil, errRow
	}
	r.tags = make([]tag, 0, n)
	for ; len(tags) > 0; tags = tags[1+hashLen:] {
		r.tags = append(r.tags, tag{tags[0], [hashLen]byte(tags[1 : 1+hashLen])})
	}
	return r, raw, nil
}

// headerReader reads a header whose checksum fits; bad is for what this
// program would never have written.
type headerReader struct {
	rest []byte
	bad  bool
}

func (c *headerReader) take(n uint64) []byte {
	if n > uint64(len(c.rest)) {
		c.bad, c.rest = true, nil
		return nil
	}
	b := c.rest[:n]
	c.rest = c.rest[n:]
	return b
}

func (c *headerReader) byte() byte {
	if b := c.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (c *headerReader) uvarint() uint64 {
	n, w := binary.Uvarint(c.rest)
	if w <= 0 {
		c.bad, c.rest = true, nil
		return 0
	}
	c.rest = c.rest[w:]
	return n
}

// indexed is an index key with its value, nil for none.
type indexed struct{ key, value []byte }

// maxIndexKey is the longest index key: what an own record holds.
const maxIndexKey = 2 + hashLen + suffixLen

// intentTag is what every intent has.
var intentTag = tagOfText(kindType, (*record.Intent)(nil).Type())

// keys are the index keys of the row, none twice. They share one allocation.
func (r *row) keys(d digest) []indexed {
	n := 5 + 2*len(r.tags) + 3*len(r.markets)
	isIntent := r.has(intentTag)
	out := make([]indexed, 0, n)
	room := make([]byte, 0, n*maxIndexKey)
	add := func(end []byte, value []byte) {
		out = append(out, indexed{end[len(room):len(end):len(end)], value})
		room = end
	}
	at := func(kind byte, unix int64, value []byte) {
		add(append(appendTime(append(room, kind), unix), d[:]...), value)
	}
	of := func(t tag, unix int64) {
		add(append(appendTime(append(append(room, t.kind), t.hash[:]...), unix), d[:]...), nil)
	}
	at(kindAt, r.at, nil)
	at(kindExpires, r.expires, nil)
	for _, t := range r.tags {
		of(t, r.at)
	}
	for _, m := range r.markets {
		t := tagOfText(kindMarket, m)
		of(t, r.at)
		of(t.as(kindMarketExp), r.expires)
		if !isIntent {
			continue
		}
		of(intentsOf(t, tag{}), r.at)
		for _, c := range r.tags {
			if c.kind == kindCategory {
				of(intentsOf(t, c), r.at)
			}
		}
	}
	switch r.class {
	case ClassForeign:
		at(kindDueOf, r.due, nil)
		at(kindForeign, r.at, binary.AppendUvarint(nil, uint64(r.size)))
	case ClassDeal:
		at(kindDueOfDeal, r.retain, nil)
		of(classTag(ClassDeal), r.at)
	case ClassOwn:
		of(classTag(ClassOwn), r.at)
		for _, t := range r.tags {
			if t.kind == kindCites || t.kind == kindDeal {
				add(append(append(append(room, kindHeld, t.kind), t.hash[:]...), d[:]...), nil)
			}
		}
	}
	return out
}
