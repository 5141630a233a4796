package store

import (
	"bytes"

	"github.com/dgraph-io/badger/v4"
)

// plan is how a query reads: one or more indexes, merged, from a place on.
type plan struct {
	prefixes [][]byte
	reverse  bool
	seek     []byte // suffix to start at
	after    []byte // suffix to start behind, nil for none
	last     []byte // suffix to stop behind, nil for none
}

// probeKeys is how many keys of an index are counted to see whether it is the
// smallest of those that a query could use.
const probeKeys = 64

// planOf picks the index for a filter.
func planOf(txn *badger.Txn, f *Filter) (*plan, error) {
	p := &plan{reverse: f.Order == Newest}
	low, high := f.AtFrom, int64(maxTime)
	if f.AtTo > 0 {
		high = f.AtTo - 1
	}
	if f.Order == ByExpiry {
		low, high = 0, maxTime
		if f.Live {
			low = f.Now + 1
		}
		if f.ExpiresBefore > 0 {
			high = f.ExpiresBefore - 1
		}
	}
	first := appendTime(nil, low)
	last := append(appendTime(nil, high), bytes.Repeat([]byte{0xff}, digestLen)...)
	p.seek, p.last = first, last
	if p.reverse {
		p.seek, p.last = last, first
	}
	if low > high {
		return p, nil // nothing can match; no prefix, no results
	}
	if f.Cursor != "" {
		c, err := parseCursor(f.Cursor, f.Order)
		if err != nil {
			return nil, err
		}
		if at := bytes.Compare(c.suffix(), p.seek); at == 0 || at > 0 != p.reverse {
			p.seek, p.after = c.suffix(), c.suffix()
		}
	}
	p.prefixes = f.smallest(txn, p)
	return p, nil
}

// smallest gives the prefixes of the index with the fewest keys for the filter.
func (f *Filter) smallest(txn *badger.Txn, p *plan) [][]byte {
	usable := f.indexes()
	if len(usable) == 1 {
		return usable[0]
	}
	best, fewest := usable[0], probeKeys+1
	for _, prefixes := range usable {
		n := 0
		for _, prefix := range prefixes {
			n += p.probe(txn, prefix, fewest-n)
		}
		if n < fewest {
			best, fewest = prefixes, n
		}
		if fewest == 0 {
			break
		}
	}
	return best
}

// probe counts the keys of an index from the plan's start on, up to a limit.
func (p *plan) probe(txn *badger.Txn, prefix []byte, limit int) (n int) {
	it := txn.NewIterator(keysOnly(prefix, p.reverse))
	defer it.Close()
	for it.Seek(append(bytes.Clone(prefix), p.seek...)); it.Valid() && n < limit; it.Next() {
		if p.past(it.Item().Key()[len(prefix):]) {
			break
		}
		n++
	}
	return n
}

// past reports whether a suffix lies behind the plan's end.
func (p *plan) past(suffix []byte) bool {
	if p.last == nil {
		return false
	}
	if p.reverse {
		return bytes.Compare(suffix, p.last) < 0
	}
	return bytes.Compare(suffix, p.last) > 0
}

// indexes are those that hold everything the filter wants, in its order; the
// ones that are likely to be small come first.
func (f *Filter) indexes() (usable [][][]byte) {
	one := func(t tag) { usable = append(usable, [][]byte{t.prefix()}) }
	if f.Order == ByExpiry {
		if f.Market != "" {
			one(tagOfText(kindMarketExp, f.Market))
			return usable
		}
		return [][][]byte{{{kindExpires}}}
	}
	if f.Deal.Defined() {
		one(tagOf(kindDeal, f.Deal.Bytes()))
	}
	if f.Market != "" && len(f.Types) == 1 && tagOfText(kindType, f.Types[0]) == intentTag {
		category := tag{}
		if f.Category != "" {
			category = tagOfText(kindCategory, f.Category)
		}
		one(intentsOf(tagOfText(kindMarket, f.Market), category))
	}
	if f.Cites.Defined() {
		one(tagOf(kindCites, f.Cites.Bytes()))
	}
	if f.Author != "" {
		one(tagOfText(kindAuthor, string(f.Author)))
	}
	if prefixes := f.classPrefixes(); prefixes != nil {
		usable = append(usable, prefixes)
	}
	if f.Category != "" {
		one(tagOfText(kindCategory, f.Category))
	}
	if f.Market != "" {
		one(tagOfText(kindMarket, f.Market))
	}
	if len(f.Types) > 0 {
		var prefixes [][]byte
		for _, t := range f.Types {
			prefixes = append(prefixes, tagOfText(kindType, t).prefix())
		}
		usable = append(usable, prefixes)
	}
	if usable == nil {
		return [][][]byte{{{kindAt}}}
	}
	return usable
}

// classPrefixes are those of the wanted classes, nil if one has no index.
func (f *Filter) classPrefixes() (prefixes [][]byte) {
	for _, c := range f.Classes {
		if c == ClassForeign {
			return nil
		}
		prefixes = append(prefixes, classTag(c).prefix())
	}
	return prefixes
}
