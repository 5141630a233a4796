package deal

import (
	"slices"

	"github.com/ipfs/go-cid"

	"github.com/parley-protocol/parley/crypto"
	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/record"
)

// Side is one of the two that an agreement is between.
type Side string

// The sides. The words are those of the registries.
const (
	SideCustomer Side = "customer"
	SideVendor   Side = "vendor"
)

// FollowUp is what both sides have said about an agreement since. None of it
// changes the agreement, and none of it is more than its author's word.
type FollowUp struct {
	Deal      record.DealKey
	Agreement cid.Cid

	Events   []Event          // the order-events, by time and ID
	Receipts []*record.Record // the seller's, by time and ID
	Customer Word             // what the customer says
	Vendor   Word             // what the seller says
	Misfits  []Misfit         // records that have no part in it, and why
}

// Event is an order-event that counts.
type Event struct {
	Record *record.Record
	By     Side
	Status string // as registered; "other" for one that isn't
}

// Word is what one side says about an agreement.
type Word struct {
	Statuses map[string]*record.Record // its newest order-event of each status
	Latest   *Event                    // its newest order-event; nil: none
	Outcome  *record.Record            // its newest outcome; nil: none
	Outcomes []*record.Record          // all its outcomes, by time and ID
}

// StatusOther is how a status that isn't registered is shown.
const StatusOther = "other"

// Follow adds up what was said about an agreement of a deal. It is a pure
// function of the set of records: order and repetition don't matter, and nothing
// else than the set does. The records are taken as [record.Parse] let them
// through. It fails only for a nil record ([protocol.CodeInternal]).
func Follow(customer crypto.DID, key record.DealKey, agreement cid.Cid, recs []*record.Record) (FollowUp, error) {
	if slices.Contains(recs, nil) {
		return FollowUp{}, protocol.Errorf(protocol.CodeInternal, "", "a record is nil")
	}
	f := FollowUp{Deal: key, Agreement: agreement}
	f.Customer.Statuses, f.Vendor.Statuses = map[string]*record.Record{}, map[string]*record.Record{}
	unique := slices.SortedFunc(slices.Values(recs), byTime)
	unique = slices.CompactFunc(unique, func(a, b *record.Record) bool { return a.ID() == b.ID() })
	for _, r := range unique {
		if code, detail := f.add(customer, r); code != "" {
			f.Misfits = append(f.Misfits, Misfit{Record: r, Code: code, Detail: detail})
		}
	}
	return f, nil
}

// add puts a record where it belongs, or says why it has no part.
func (f *FollowUp) add(customer crypto.DID, r *record.Record) (protocol.Code, string) {
	about, ok := r.FollowsUp()
	if !ok || about.Deal != f.Deal || about.Agreement != f.Agreement {
		return protocol.CodeDealMismatch, "the record isn't about this agreement"
	}
	// Who deals with itself is both sides: then it speaks as the one who may.
	var sides []Side
	if r.Header().By == customer {
		sides = append(sides, SideCustomer)
	}
	if r.Header().By == f.Deal.Vendor {
		sides = append(sides, SideVendor)
	}
	status, said := StatusOther, "both"
	switch body := r.Body().(type) {
	case *record.Receipt:
		said = string(SideVendor)
	case *record.OrderEvent:
		status, said = orderStatus(body.OrderStatus)
	}
	i := slices.IndexFunc(sides, func(s Side) bool { return said == "both" || said == string(s) })
	switch {
	case i < 0:
		return protocol.CodeWrongAuthor, "its author may not say this"
	case len(r.Header().Crit) > 0:
		return protocol.CodeCriticalExtension, "an extension must be understood and isn't"
	}
	by := sides[i]
	word := &f.Customer
	if by == SideVendor {
		word = &f.Vendor
	}
	switch r.Body().(type) {
	case *record.Receipt:
		f.Receipts = append(f.Receipts, r)
	case *record.Outcome:
		word.Outcome, word.Outcomes = r, append(word.Outcomes, r)
	case *record.OrderEvent:
		event := Event{Record: r, By: by, Status: status}
		f.Events = append(f.Events, event)
		word.Latest, word.Statuses[status] = &event, r
	}
	return "", ""
}

// orderStatus is how a status is shown, and who may say it.
func orderStatus(code string) (status, saidBy string) {
	for _, s := range protocol.OrderStatuses() {
		if s.Code == code {
			return s.Code, s.SaidBy
		}
	}
	return StatusOther, "both"
}
