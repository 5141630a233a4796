package deal_test

import (
	"fmt"
	"slices"

	"github.com/ipfs/go-cid"

	"github.com/parley-protocol/parley/protocol/deal"
	"github.com/parley-protocol/parley/protocol/record"
)

// check looks at the properties that hold all the time; their numbers are those
// of spec/model/README.md.
func (r *run) check() error {
	won := int64(0)
	for _, t := range r.tables {
		c, v := t.customer.state, t.seller.state
		honestC, honestV, both := !r.sc.badCustomer, r.honestVendor(t), r.bothHonest(t)
		fail := func(property, format string, args ...any) error {
			return &violation{property, fmt.Sprintf(format, args...)}
		}
		if both && c.Phase == deal.PhaseAgreed && !r.recovering(t) && c.Agreement != v.Agreement {
			return fail("P1", "agreed at the customer, and not at the seller")
		}
		if honestV && !r.recovering(t) && count[*record.CustomerVoid](t.net) == 0 {
			for _, rec := range t.net {
				if _, ok := rec.Body().(*record.Confirmation); ok && !slices.Contains(t.seller.recs, rec) {
					return fail("P1", "a confirmation that the seller doesn't have is about")
				}
			}
		}
		if honestC && len(t.acceptances) > 1 {
			return fail("P2", "two acceptances")
		}
		if honestV && len(t.confirmations) > 1 {
			return fail("P2", "two confirmations")
		}
		if both && c.Phase == deal.PhaseVoided && v.Committed || both && c.Phase == deal.PhaseAgreed && v.Phase == deal.PhaseVoided {
			return fail("P3", "a split outcome")
		}
		if both && (c.Phase == deal.PhaseConflict || v.Phase == deal.PhaseConflict) {
			return fail("P3", "honest parties in conflict")
		}
		if honestC && t.released && !confirmed(t) {
			return fail("P4", "data was released without a confirmation of the customer's acceptance")
		}
		if err := r.stable(&t.customer, c.Phase, c.Phase == deal.PhaseAgreed, false); err != nil {
			return fail("P5", "at the customer: %v", err)
		}
		if err := r.stable(&t.seller, v.Phase, v.Committed, v.CustomerVoid != nil && !r.cheats()); err != nil {
			return fail("P5", "at the seller: %v", err)
		}
		if r.changes(t) {
			continue // the agreement that it changes has been counted
		}
		if !honestV {
			// With a cheat: agreements that nobody has signed a void of.
			if confirmed(t) && count[*record.Void](t.net)+count[*record.CustomerVoid](t.net)+count[*record.CustomerVoid](t.customer.recs) == 0 {
				won++
			}
		} else if v.Committed {
			won++
		}
	}
	if !r.sc.badCustomer && won > r.sc.awards+r.overrides {
		return &violation{"P7", fmt.Sprintf("%d agreements, %d awards, %d overrides", won, r.sc.awards, r.overrides)}
	}
	return nil
}

// stable holds a side to its first final phase. A cheat's contradiction may
// make it a conflict; a commitment that a restored seller lost may be voided by
// the customer.
func (r *run) stable(side *disk, phase deal.Phase, agreed, mayVoid bool) error {
	now := phase
	if agreed {
		now = deal.PhaseAgreed
	}
	was := side.final
	switch {
	case !now.Final() || now == was:
	case was == "":
		side.final = now
	case now == deal.PhaseConflict && r.cheats():
		side.final = now
	case was == deal.PhaseAgreed && now == deal.PhaseVoided && mayVoid:
	case was == deal.PhaseConflict && now == deal.PhaseVoided && r.badVendorAt(side):
	default:
		return fmt.Errorf("%s became %s", was, now)
	}
	return nil
}

// changes reports whether what was accepted changes an agreement.
func (r *run) changes(t *table) bool {
	for _, rec := range append(slices.Clone(t.net), t.customer.recs...) {
		body, ok := rec.Body().(*record.Acceptance)
		if !ok {
			continue
		}
		for _, cited := range append(slices.Clone(t.net), t.customer.recs...) {
			if offer, ok := cited.Body().(*record.Offer); ok && cited.ID() == body.Offer && offer.Changes.Defined() {
				return true
			}
		}
	}
	return false
}

// badVendorAt: the customer's void, which a seller has asked for that contradicts
// itself, outranks all that the seller has signed.
func (r *run) badVendorAt(side *disk) bool {
	s := side.state
	return r.sc.badVendor && s.CustomerVoid != nil && count[*record.Acceptance](side.recs) < 2
}

// confirmed reports whether a confirmation that cites an acceptance by the
// customer is about.
func confirmed(t *table) bool {
	for _, conf := range append(slices.Clone(t.net), t.customer.recs...) {
		body, ok := conf.Body().(*record.Confirmation)
		if !ok {
			continue
		}
		for _, acceptance := range append(slices.Clone(t.net), t.customer.recs...) {
			if _, ok := acceptance.Body().(*record.Acceptance); ok && acceptance.ID() == body.Acceptance {
				return true
			}
		}
	}
	return false
}

// checkAtRest looks at what must hold where nothing can move any more.
func (r *run) checkAtRest() error {
	for _, t := range r.tables {
		c, v := t.customer.state, t.seller.state
		world := slices.Concat(t.net, t.customer.recs, t.seller.recs)
		inPlay := count[*record.Acceptance](world)+count[*record.Confirmation](world)+count[*record.Void](world)+count[*record.CustomerVoid](world) > 0
		if r.bothHonest(t) && inPlay {
			if c.Phase != v.Phase || !c.Phase.Final() || c.Agreement != v.Agreement {
				return &violation{"P6", fmt.Sprintf("at rest, %s at the customer, %s at the seller", c.Phase, v.Phase)}
			}
		}
		if r.bothHonest(t) && !r.customerR && !r.restoredSeller(t) && c.Phase == deal.PhaseAgreed && v.Phase == deal.PhaseAgreed {
			if c.Changes != v.Changes {
				return &violation{"P6", "the two sides say that it changes different agreements"}
			}
			if c.Changes.Defined() {
				r.met.changes++
			}
			if n := r.inForce(t.vendor); n != 1 {
				return &violation{"P7", fmt.Sprintf("%d agreements with one seller are in force", n)}
			}
		}
		if contradictory(world) {
			if !r.sc.badCustomer && c.Phase != deal.PhaseConflict || r.honestVendor(t) && v.Phase != deal.PhaseConflict {
				return &violation{"P8", fmt.Sprintf("a contradiction is about, and it is %s at the customer, %s at the seller", c.Phase, v.Phase)}
			}
		}
	}
	return nil
}

// inForce counts the agreements with a seller that no other one changes.
func (r *run) inForce(vendor int) (n int) {
	agreed, changed := map[cid.Cid]bool{}, map[cid.Cid]bool{}
	for _, t := range r.tables {
		if s := t.customer.state; t.vendor == vendor && s.Phase == deal.PhaseAgreed {
			agreed[s.Agreement], changed[s.Changes] = true, true
		}
	}
	for id := range agreed {
		if !changed[id] {
			n++
		}
	}
	return n
}

// contradictory is the plain definition of a conflict, without voids that are
// unlawful for what they cite: those are the table tests' matter.
func contradictory(world []*record.Record) bool {
	different := func(is func(record.Body) bool) int {
		seen := map[string]bool{}
		for _, rec := range world {
			if is(rec.Body()) {
				seen[rec.ID().KeyString()] = true
			}
		}
		return len(seen)
	}
	acceptances := different(func(b record.Body) bool { _, ok := b.(*record.Acceptance); return ok })
	confirmations := different(func(b record.Body) bool { _, ok := b.(*record.Confirmation); return ok })
	voids := different(func(b record.Body) bool { _, ok := b.(*record.Void); return ok })
	customerVoids := different(func(b record.Body) bool { _, ok := b.(*record.CustomerVoid); return ok })
	helds := different(func(b record.Body) bool { _, ok := b.(*record.Held); return ok })
	return acceptances > 1 || customerVoids > 0 && helds > 0 ||
		customerVoids == 0 && confirmations > 0 && confirmations+voids > 1
}
