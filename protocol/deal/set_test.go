package deal_test

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/deal"
	"github.com/parley-protocol/parley/protocol/record"
)

// pool is about every kind of record that a deal can meet, lawful or not.
func pool(c *cast) []*record.Record {
	o1, o2, short := c.offer(1, 1, 100), c.offer(2, 2, 200), c.offer(1, 1, 5)
	a1, a2 := c.acceptance(10, o1), c.acceptance(11, o2)
	lateAcceptance := c.acceptance(9, short)
	conf := c.confirmation(20, a1)
	cancel, restored, again := c.cancel(15), c.restored(50), c.restored(51)
	customerVoid := c.customerVoid(60, restored)
	asked := c.void(20, protocol.ReasonCustomerAsked, cancel)
	countered := c.counter(6, o1)
	otherTerms := c.offerBody(c.key(0, 1), 3, t0+100)
	otherTerms.Terms = record.TermsRef{Roster: "SD-BASE"}
	return []*record.Record{
		o1, o2, short, a1, a2, lateAcceptance, conf, c.confirmation(21, a1), c.confirmation(22, a2), c.confirmation(110, a1),
		cancel, c.cancel(16), restored, again, customerVoid, c.customerVoid(61, again), asked,
		c.void(101, protocol.ReasonOfferExpired, a1), c.void(100, protocol.ReasonOfferExpired, a1),
		c.void(3, protocol.ReasonNoOffer, nil), c.void(150, protocol.ReasonOutOfStock, nil), c.void(300, protocol.ReasonOutOfStock, nil),
		c.void(61, protocol.ReasonRecovered, customerVoid), c.void(30, protocol.ReasonPolicy, conf),
		c.held(60, restored, conf), c.held(62, again, asked),
		c.vendorSays(4, otherTerms), c.acceptance(12, c.vendorSays(4, otherTerms)),
		countered, c.counter(7, short), c.counter(8, countered), c.termsCounter(2, "SD-BASE"), c.termsCounter(3, "SD-BASE-A"), c.termsCounter(3, "PDC-INTENT"),
		c.sign(c.vendors[1], t0+6, countered.Body()),
		c.sign(c.vendors[1], t0+10, a1.Body()), c.vendorSays(1, c.offerBody(c.key(0, 2), 1, t0+9)), c.intent,
	}
}

// TestFoldIsOfTheSet draws sets of records: order and repetition change
// nothing, and every set folds to a state that makes sense.
func TestFoldIsOfTheSet(t *testing.T) {
	c := newCast()
	all := pool(c)
	rapid.Check(t, func(rt *rapid.T) {
		set := rapid.SliceOfNDistinct(rapid.SampledFrom(all), 0, 8, (*record.Record).ID).Draw(rt, "set")
		opts := deal.Options{Restored: rapid.Bool().Draw(rt, "restored")}
		now := t0 + rapid.Int64Range(0, 400).Draw(rt, "now")
		s := c.fold(t, opts, set...)

		shuffled := rapid.Permutation(set).Draw(rt, "order")
		shuffled = append(shuffled, rapid.SliceOfN(rapid.SampledFrom(append(set, nil)), 0, 4).Draw(rt, "again")...)
		shuffled = slices.DeleteFunc(shuffled, func(r *record.Record) bool { return r == nil })
		if got := c.fold(t, opts, shuffled...); digest(got) != digest(s) || says(got.Decide(now)) != says(s.Decide(now)) {
			rt.Fatalf("in another order:\n%s\n%s", digest(s), digest(got))
		}
		if err := legal(c, s, set, now); err != "" {
			rt.Fatalf("%s: %s", err, digest(s))
		}
		// One more record never undoes a conflict, save for the customer's void.
		more := c.fold(t, opts, append(slices.Clone(set), rapid.SampledFrom(all).Draw(rt, "more"))...)
		if s.Phase == deal.PhaseConflict && more.Phase != deal.PhaseConflict && more.CustomerVoid == nil {
			rt.Fatalf("a conflict went away:\n%s\n%s", digest(s), digest(more))
		}
		if s.Phase == deal.PhaseAgreed && more.Phase != deal.PhaseAgreed && more.Phase != deal.PhaseConflict && more.CustomerVoid == nil {
			rt.Fatalf("an agreement went away:\n%s\n%s", digest(s), digest(more))
		}
		if s.Phase == deal.PhaseVoided && more.Phase != deal.PhaseVoided && more.Phase != deal.PhaseConflict {
			rt.Fatalf("a void went away:\n%s\n%s", digest(s), digest(more))
		}
		if alone := c.fold(t, opts, s.Evidence...); len(s.Evidence) > 0 && alone.Phase != deal.PhaseConflict {
			rt.Fatalf("the evidence doesn't stand alone:\n%s\n%s", digest(s), digest(alone))
		}
	})
}

// legal says what is wrong with a state, "" if nothing is.
func legal(c *cast, s deal.State, set []*record.Record, now int64) string {
	switch {
	case (s.Phase == deal.PhaseConflict) != (len(s.Evidence) > 0):
		return "a conflict and its evidence go together"
	case (s.Phase == deal.PhaseAgreed) != s.Agreement.Defined():
		return "an agreement and its name go together"
	case s.Phase == deal.PhaseAgreed && (!s.Committed || !s.TakesAward || s.Acceptance == nil || len(s.Offers) == 0):
		return "an agreement without its chain"
	case s.Phase == deal.PhaseVoided && s.Void == nil && s.CustomerVoid == nil:
		return "voided by nobody"
	case s.Committed && (s.Confirmation == nil || s.Void != nil || s.CustomerVoid != nil):
		return "committed without a confirmation or beside a void"
	case s.TakesAward && s.Phase == deal.PhaseOpen:
		return "an award is taken in an open deal"
	case s.InDoubt(now) && s.Phase != deal.PhasePending:
		return "in doubt without being pending"
	}
	for _, r := range s.Evidence {
		if !slices.Contains(set, r) {
			return "evidence that isn't in the set"
		}
	}
	if d := s.Decide(now); !d.None() && s.Phase.Final() && s.CustomerVoid == nil {
		return "a decision after the end"
	}
	return ""
}

// FuzzFold builds sets from bytes: each byte is a record of the pool.
func FuzzFold(f *testing.F) {
	c := newCast()
	all := pool(c)
	f.Add([]byte{})
	f.Add([]byte{0, 3, 6})
	f.Add([]byte{0, 3, 10, 16})
	f.Add([]byte{0, 3, 6, 12, 14, 22})
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 64 {
			data = data[:64]
		}
		var set []*record.Record
		for _, b := range data {
			set = append(set, all[int(b)%len(all)])
		}
		s := c.fold(t, deal.Options{}, set...)
		slices.Reverse(set)
		if got := c.fold(t, deal.Options{}, set...); digest(got) != digest(s) {
			t.Fatalf("backwards:\n%s\n%s", digest(s), digest(got))
		}
		if err := legal(c, s, set, t0+int64(len(data))*7); err != "" {
			t.Fatalf("%s: %s", err, digest(s))
		}
	})
}
