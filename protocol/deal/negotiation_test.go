package deal_test

import (
	"testing"

	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/deal"
	"github.com/parley-protocol/parley/protocol/record"
)

// Counters change no phase and bind nobody.
//
//spec:shows DEAL-31
func TestCountersBindNobody(t *testing.T) {
	c := newCast()
	o1 := c.offer(1, 1, 100)
	counter, terms := c.counter(6, o1), c.termsCounter(2, "SD-BASE")
	a1 := c.acceptance(10, o1)
	for _, set := range []recs{{o1}, {o1, a1}, {o1, a1, c.confirmation(20, a1)}, {c.void(3, protocol.ReasonNoOffer, nil)}} {
		without, with := c.fold(t, deal.Options{}, set...), c.fold(t, deal.Options{}, append(set, counter, terms)...)
		if without.Phase != with.Phase || without.Agreement != with.Agreement || without.TakesAward != with.TakesAward || without.Committed != with.Committed {
			t.Errorf("%s became %s", digest(without), digest(with))
		}
		if says(without.Decide(t0+20)) != says(with.Decide(t0+20)) {
			t.Errorf("the seller decides %s, and with counters %s", says(without.Decide(t0+20)), says(with.Decide(t0+20)))
		}
	}
}

//spec:shows DEAL-32 DEAL-33
func TestMisfitCounters(t *testing.T) {
	c := newCast()
	o1 := c.offer(1, 1, 100)
	foreign := c.offerBody(c.key(0, 1), 3, t0+100)
	foreign.Terms = record.TermsRef{Roster: "SD-BASE"}
	misfit := c.vendorSays(4, foreign)
	counter, early, late, same := c.counter(6, o1), c.termsCounter(2, "SD-BASE"), c.termsCounter(3, "SD-BASE-A"), c.termsCounter(1, "PDC-INTENT")
	for _, test := range []struct {
		name    string
		recs    recs
		rec     *record.Record
		code    protocol.Code // "" for a fit
		waiting bool
	}{
		{"a counter", recs{o1, counter}, counter, "", false},
		{"a counter before its offer", recs{counter}, counter, "", true},
		{"a counter to a misfit", recs{misfit, c.counter(6, misfit)}, c.counter(6, misfit), protocol.CodeTermsNotOffered, false},
		{"a counter to a counter", recs{o1, counter, c.counter(7, counter)}, c.counter(7, counter), protocol.CodeBadField, false},
		{"the seller's counter", recs{o1, c.sign(c.vendors[0], t0+6, counter.Body())}, c.sign(c.vendors[0], t0+6, counter.Body()), protocol.CodeWrongAuthor, false},
		{"terms", recs{early}, early, "", false},
		{"other terms later", recs{late, early}, late, protocol.CodeTermsCounterSpent, false},
		{"terms that the request has", recs{same}, same, protocol.CodeBadField, false},
		{"and they spend nothing", recs{same, early}, early, "", false},
		{"the customer's terms-counter", recs{c.sign(c.customer, t0+2, early.Body())}, c.sign(c.customer, t0+2, early.Body()), protocol.CodeWrongAuthor, false},
	} {
		s := c.fold(t, deal.Options{}, test.recs...)
		code, waits := protocol.Code(""), false
		for _, m := range s.Misfits {
			if m.Record.ID() == test.rec.ID() {
				code = m.Code
			}
		}
		for _, w := range s.Waiting {
			waits = waits || w.Record.ID() == test.rec.ID()
		}
		if code != test.code || waits != test.waiting {
			t.Errorf("%s: misfit %q, waiting %t", test.name, code, waits)
		}
		if s.Phase != deal.PhaseOpen {
			t.Errorf("%s: %s", test.name, s.Phase)
		}
	}
	s := c.fold(t, deal.Options{}, o1, counter, late, early)
	if len(s.Counters) != 1 || s.TermsCounter.ID() != early.ID() {
		t.Errorf("%s", digest(s))
	}
}

//spec:shows DEAL-32 DEAL-33
func TestMayCounter(t *testing.T) {
	c := newCast()
	o1 := c.offer(1, 1, 100)
	a1, cancel := c.acceptance(10, o1), c.cancel(15)
	full := recs{o1}
	for i := range int64(protocol.MaxCounters) {
		full = append(full, c.counter(10+i, o1))
	}
	restored := c.restored(50)
	for _, test := range []struct {
		name           string
		recs           recs
		opts           deal.Options
		counter, terms protocol.Code
	}{
		{"open", recs{o1}, deal.Options{}, "", ""},
		{"nothing", nil, deal.Options{}, protocol.CodeNotFound, ""},
		{"one less", full[:protocol.MaxCounters], deal.Options{}, "", ""},
		{"all", full, deal.Options{}, protocol.CodeOverQuota, ""},
		{"accepted", recs{o1, a1}, deal.Options{}, protocol.CodeAlreadyAccepted, protocol.CodeAlreadyAccepted},
		{"agreed", recs{o1, a1, c.confirmation(20, a1)}, deal.Options{}, protocol.CodeDealClosed, protocol.CodeDealClosed},
		{"asked", recs{o1, cancel}, deal.Options{}, protocol.CodeDealClosed, protocol.CodeDealClosed},
		{"voided", recs{c.void(3, protocol.ReasonNoOffer, nil)}, deal.Options{}, protocol.CodeDealClosed, protocol.CodeDealClosed},
		{"voided by the customer", recs{o1, restored, c.customerVoid(60, restored)}, deal.Options{}, protocol.CodeDealClosed, protocol.CodeDealClosed},
		{"in conflict", recs{o1, a1, c.acceptance(11, o1)}, deal.Options{}, protocol.CodeConflict, protocol.CodeConflict},
		{"restored", recs{o1}, deal.Options{Restored: true}, protocol.CodeRecovering, protocol.CodeRecovering},
		{"countered", recs{o1, c.termsCounter(2, "SD-BASE")}, deal.Options{}, "", protocol.CodeTermsCounterSpent},
	} {
		s := c.fold(t, test.opts, test.recs...)
		if got := protocol.CodeOf(s.MayCounter(o1.ID())); got != test.counter {
			t.Errorf("%s: MayCounter %q, want %q", test.name, got, test.counter)
		}
		if got := protocol.CodeOf(s.MayCounterTerms(record.TermsRef{Roster: "SD-BASE-A"})); got != test.terms {
			t.Errorf("%s: MayCounterTerms %q, want %q", test.name, got, test.terms)
		}
	}
	if got := protocol.CodeOf(c.fold(t, deal.Options{}, o1).MayCounterTerms(record.TermsRef{Roster: "PDC-INTENT"})); got != protocol.CodeBadField {
		t.Errorf("the request's own terms: %q", got)
	}
}
