package store

import (
	"crypto/sha256"
	"slices"

	"github.com/ipfs/go-cid"

	"github.com/parley-protocol/parley/protocol/record"
)

// withdrawalStands is how long after its own at a withdrawal is kept, whatever
// its retainUntil says: an intent lives 180 days at the most and may be dated
// ten minutes ahead, and until then a copy of it may come by.
const withdrawalStands = 180*24*3600 + 600

// maxMarkets bounds the markets noted for one record.
const maxMarkets = 32

// expiresOf is when a record stops being of use.
func expiresOf(r *record.Record) int64 {
	if t := r.ValidUntil(); t != 0 {
		return t
	}
	return r.Header().RetainUntil
}

// dueOf is when a record of class foreign goes. It is an intent's validUntil;
// a withdrawal stays as long as it may have to stand.
func dueOf(r *record.Record) int64 {
	h := r.Header()
	switch r.Body().(type) {
	case *record.Intent:
		return min(r.ValidUntil(), h.RetainUntil)
	case *record.Withdrawal:
		return max(h.RetainUntil, h.At+withdrawalStands)
	default:
		return h.RetainUntil
	}
}

// categoriesOf are the categories of the record as a whole, not of its items.
func categoriesOf(r *record.Record) []string {
	switch b := r.Body().(type) {
	case *record.Intent:
		return b.Category
	case *record.Profile:
		return b.Category
	default:
		return nil
	}
}

// marketsOf are the markets that the record itself names.
func marketsOf(r *record.Record) []string {
	if b, ok := r.Body().(*record.Profile); ok {
		return b.Markets
	}
	if m := r.Market(); m != "" {
		return []string{m}
	}
	return nil
}

// withdrawalOf is the intent that a withdrawal takes back.
func withdrawalOf(r *record.Record) (digest, bool) {
	w, ok := r.Body().(*record.Withdrawal)
	if !ok {
		return digest{}, false
	}
	return digestOf(w.Intent)
}

// tagsOf are the record's attributes for the indexes, sorted, without markets
// and class, which may change while it is held.
func tagsOf(r *record.Record) []tag {
	tags := []tag{
		tagOfText(kindType, r.Type()),
		tagOfText(kindAuthor, string(r.Header().By)),
	}
	for _, c := range categoriesOf(r) {
		tags = append(tags, tagOfText(kindCategory, c))
	}
	if key, ok := r.Deal(); ok {
		tags = append(tags, tagOf(kindDeal, key.ID().Bytes()))
	}
	for _, link := range r.Links() {
		tags = append(tags, tagOf(kindCites, link.Bytes()))
	}
	slices.SortFunc(tags, compareTags)
	return slices.Compact(tags)
}

// newRow is the row of a record that isn't held yet.
func newRow(r *record.Record, class Class) row {
	return row{
		class:   class,
		at:      r.Header().At,
		expires: expiresOf(r),
		retain:  r.Header().RetainUntil,
		due:     dueOf(r),
		tags:    tagsOf(r),
		size:    len(r.Raw()),
	}
}

// hashes reports whether raw is the block with that digest.
func (d digest) hashes(raw []byte) bool { return sha256.Sum256(raw) == d }

// citedDigests are the records among a record's links.
func citedDigests(links []cid.Cid) []digest {
	var out []digest
	for _, link := range links {
		if d, ok := digestOf(link); ok {
			out = append(out, d)
		}
	}
	return out
}
