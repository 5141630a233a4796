package deal

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"

	"github.com/ipfs/go-cid"

	"github.com/parley-protocol/parley/crypto"
	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/record"
)

// facts are a deal's records by kind: each authored by the side that may say
// it, each once, ordered by time and ID.
type facts struct {
	known         map[cid.Cid]*record.Record // all that state the deal's key, misfits too
	offers        []*record.Record
	acceptances   []*record.Record
	confirmations []*record.Record
	voids         []*record.Record
	asks          []*record.Record
	restored      []*record.Record
	helds         []*record.Record
	customerVoids []*record.Record
	counters      []*record.Record
	termsCounters []*record.Record
	nextRounds    []*record.Record
}

// gather sorts the records into facts; what has no part in the deal, whatever
// else may arrive, is a misfit. A record that doesn't state the deal's key isn't
// even known: what the others add up to must not hang on what else is passed in.
func gather(intent *record.Intent, customer crypto.DID, key record.DealKey, recs []*record.Record) (facts, []Misfit) {
	unique := slices.SortedFunc(slices.Values(recs), byTime)
	unique = slices.CompactFunc(unique, func(a, b *record.Record) bool { return a.ID() == b.ID() })

	f := facts{known: make(map[cid.Cid]*record.Record, len(unique))}
	var misfits []Misfit
	for _, r := range unique {
		if of, ok := r.Deal(); !ok || of != key {
			misfits = append(misfits, Misfit{Record: r, Code: protocol.CodeDealMismatch, Detail: "the record isn't of this deal"})
			continue
		}
		f.known[r.ID()] = r
		if m, ok := f.place(intent, customer, key, r); !ok {
			misfits = append(misfits, m)
		}
	}
	slices.SortStableFunc(f.offers, func(a, b *record.Record) int {
		return cmp.Compare(a.Body().(*record.Offer).Number, b.Body().(*record.Offer).Number)
	})
	return f, misfits
}

// place puts one record of the deal under its kind, or says why it has no place.
func (f *facts) place(intent *record.Intent, customer crypto.DID, key record.DealKey, r *record.Record) (Misfit, bool) {
	misfit := func(code protocol.Code, format string, args ...any) (Misfit, bool) {
		return Misfit{Record: r, Code: code, Detail: fmt.Sprintf(format, args...)}, false
	}
	var list *[]*record.Record
	author := customer
	switch r.Body().(type) {
	case *record.Offer:
		list, author = &f.offers, key.Vendor
	case *record.Confirmation:
		list, author = &f.confirmations, key.Vendor
	case *record.Void:
		list, author = &f.voids, key.Vendor
	case *record.Restored:
		list, author = &f.restored, key.Vendor
	case *record.Acceptance:
		list = &f.acceptances
	case *record.Cancel, *record.Decline, *record.AwardNotice:
		list = &f.asks
	case *record.Held:
		list = &f.helds
	case *record.CustomerVoid:
		list = &f.customerVoids
	case *record.Counter:
		list = &f.counters
	case *record.NextRound:
		list = &f.nextRounds
	case *record.TermsCounter:
		list, author = &f.termsCounters, key.Vendor
	default:
		return misfit(protocol.CodeDealMismatch, "a %s has no part in a deal", r.Type())
	}
	if r.Header().By != author {
		return misfit(protocol.CodeWrongAuthor, "a %s of this deal is signed by %s", r.Type(), author)
	}
	if offer, ok := r.Body().(*record.Offer); ok {
		// An extension in an offer blocks its acceptance, not the offer.
		if !slices.Contains(intent.Terms, offer.Terms) {
			return misfit(protocol.CodeTermsNotOffered, "the offer's terms aren't among those of the request")
		}
	} else if len(r.Header().Crit) > 0 {
		return misfit(protocol.CodeCriticalExtension, "the extension %q must be understood and isn't", r.Header().Crit[0])
	}
	if counter, ok := r.Body().(*record.TermsCounter); ok && slices.Contains(intent.Terms, counter.Terms) {
		return misfit(protocol.CodeBadField, "the request has these terms: there is nothing to counter")
	}
	*list = append(*list, r)
	return Misfit{}, true
}

// offer finds one of the deal's offers.
func (f *facts) offer(id cid.Cid) (*record.Record, *record.Offer) {
	r := find(f.offers, id)
	if r == nil {
		return nil, nil
	}
	return r, r.Body().(*record.Offer)
}

// firmAt lists the offers that the seller can't void without a reason of the
// customer's at that time.
func (f *facts) firmAt(at int64) []*record.Record {
	var firm []*record.Record
	for _, r := range f.offers {
		if r.Body().(*record.Offer).ValidUntil >= at {
			firm = append(firm, r)
		}
	}
	return firm
}

// find is the record with that ID, or nil.
func find(list []*record.Record, id cid.Cid) *record.Record {
	for _, r := range list {
		if r.ID() == id {
			return r
		}
	}
	return nil
}

// first is the first record of a list, or nil.
func first(list []*record.Record) *record.Record {
	if len(list) == 0 {
		return nil
	}
	return list[0]
}

// byTime orders records by their stated time, then by their ID's bytes.
func byTime(a, b *record.Record) int {
	if c := cmp.Compare(a.Header().At, b.Header().At); c != 0 {
		return c
	}
	return bytes.Compare(a.ID().Bytes(), b.ID().Bytes())
}
