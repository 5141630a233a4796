package deal_test

import (
	"slices"
	"testing"

	"github.com/parley-protocol/parley/crypto"
	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/codec"
	"github.com/parley-protocol/parley/protocol/deal"
	"github.com/parley-protocol/parley/protocol/record"
)

// recs is short for a set of records.
type recs = []*record.Record

func TestFoldPhases(t *testing.T) {
	c := newCast()
	o1, o2 := c.offer(1, 1, 100), c.offer(2, 2, 200)
	a1, a2 := c.acceptance(10, o1), c.acceptance(11, o2)
	conf := c.confirmation(20, a1)
	cancel := c.cancel(15)
	decline := c.customerSays(15, &record.Decline{Ask: record.Ask{Deal: c.key(0, 1), Reason: protocol.ReasonPrice}})
	notice := c.customerSays(15, &record.AwardNotice{Ask: record.Ask{Deal: c.key(0, 1), Reason: protocol.ReasonPrice}})
	restored := c.restored(50)
	lateVoid := c.void(101, protocol.ReasonOfferExpired, a1)

	tests := []struct {
		name  string
		recs  recs
		phase deal.Phase
		award bool // the acceptance takes an award
		bound bool // the seller is committed
	}{
		{"nothing", nil, deal.PhaseOpen, false, false},
		{"an offer", recs{o1}, deal.PhaseOpen, false, false},
		{"accepted", recs{o1, a1}, deal.PhasePending, true, false},
		{"accepted, the offer still on its way", recs{a1}, deal.PhasePending, true, false},
		{"confirmed", recs{o1, a1, conf}, deal.PhaseAgreed, true, true},
		{"offers don't retire each other", recs{o1, o2, a1, conf}, deal.PhaseAgreed, true, true},
		{"confirmed, the offer still on its way", recs{a1, conf}, deal.PhasePending, true, true},
		{"confirmed, the acceptance still on its way", recs{o1, conf}, deal.PhasePending, false, true},
		{"the confirmation cites another acceptance", recs{o1, o2, a2, conf}, deal.PhasePending, true, true},

		{"a cancel ends nothing", recs{o1, a1, cancel}, deal.PhasePending, true, false},
		{"a cancel ends no agreement", recs{o1, a1, conf, cancel}, deal.PhaseAgreed, true, true},
		{"a cancel without an acceptance", recs{o1, cancel}, deal.PhaseOpen, false, false},
		{"void for a cancel", recs{o1, a1, cancel, c.void(20, protocol.ReasonCustomerAsked, cancel)}, deal.PhaseVoided, false, false},
		{"void for a decline", recs{o1, decline, c.void(20, protocol.ReasonCustomerAsked, decline)}, deal.PhaseVoided, false, false},
		{"void for an award notice", recs{o1, notice, c.void(20, protocol.ReasonCustomerAsked, notice)}, deal.PhaseVoided, false, false},
		{"void for a late acceptance", recs{o1, a1, lateVoid}, deal.PhaseVoided, false, false},
		{"void for a late acceptance while another offer is firm", recs{o1, o2, a1, lateVoid}, deal.PhaseVoided, false, false},
		{"void citing an acceptance in time", recs{o1, a1, c.void(100, protocol.ReasonOfferExpired, a1)}, deal.PhaseConflict, false, false},
		{"void of a firm offer", recs{o1, c.void(100, protocol.ReasonOutOfStock, nil)}, deal.PhaseConflict, false, false},
		{"void of an accepted firm offer", recs{o1, a1, c.void(100, protocol.ReasonOutOfStock, nil)}, deal.PhaseConflict, false, false},
		{"void of an offer that ran out", recs{o1, c.void(101, protocol.ReasonOutOfStock, nil)}, deal.PhaseVoided, false, false},
		{"void while one of two offers is firm", recs{o1, o2, c.void(101, protocol.ReasonOutOfStock, nil)}, deal.PhaseConflict, false, false},
		{"void without an offer", recs{c.void(1, protocol.ReasonNoOffer, nil)}, deal.PhaseVoided, false, false},
		{"void citing an offer", recs{o1, c.void(101, protocol.ReasonOfferExpired, o1)}, deal.PhaseConflict, false, false},
		{"void citing what isn't there", recs{o1, a1, c.void(20, protocol.ReasonCustomerAsked, cancel)}, deal.PhasePending, true, false},
		{"two lawful voids", recs{o1, a1, cancel, lateVoid, c.void(20, protocol.ReasonCustomerAsked, cancel)}, deal.PhaseVoided, false, false},

		{"two acceptances", recs{o1, o2, a1, a2}, deal.PhaseConflict, true, false},
		{"two acceptances of one offer", recs{o1, a1, c.acceptance(12, o1)}, deal.PhaseConflict, true, false},
		{"two acceptances, one of them too late to bind", recs{o1, a1, c.acceptance(101, o1)}, deal.PhaseConflict, true, false},
		{"two confirmations", recs{o1, a1, conf, c.confirmation(21, a1)}, deal.PhaseConflict, true, false},
		{"a confirmation and a void", recs{o1, a1, conf, lateVoid}, deal.PhaseConflict, true, false},
		{"a confirmation and a void, without what they cite", recs{conf, lateVoid}, deal.PhaseConflict, false, false},
		{"a confirmation and the void that was asked for", recs{o1, a1, conf, cancel, c.void(20, protocol.ReasonCustomerAsked, cancel)}, deal.PhaseConflict, true, false},

		{"restored", recs{o1, a1, restored}, deal.PhasePending, true, false},
		{"the customer's void", recs{o1, a1, restored, c.customerVoid(60, restored)}, deal.PhaseVoided, true, false},
		{"the customer's void without restored", recs{o1, a1, c.customerVoid(60, restored)}, deal.PhasePending, true, false},
		{"the customer's void, adopted", recs{o1, a1, restored, c.customerVoid(60, restored), c.void(61, protocol.ReasonRecovered, c.customerVoid(60, restored))}, deal.PhaseVoided, false, false},
		{"the customer's void outranks a lost confirmation", recs{o1, a1, conf, restored, c.customerVoid(60, restored)}, deal.PhaseVoided, true, false},
		{"and its adoption", recs{o1, a1, conf, restored, c.customerVoid(60, restored), c.void(61, protocol.ReasonRecovered, c.customerVoid(60, restored))}, deal.PhaseVoided, false, false},
		{"a void citing a customer's void without grounds", recs{o1, a1, c.customerVoid(60, restored), c.void(61, protocol.ReasonRecovered, c.customerVoid(60, restored))}, deal.PhasePending, true, false},
		{"held", recs{o1, a1, conf, restored, c.held(60, restored, conf)}, deal.PhaseAgreed, true, true},
		{"both answers", recs{o1, a1, conf, restored, c.held(60, restored, conf), c.customerVoid(61, restored)}, deal.PhaseConflict, true, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := c.fold(t, deal.Options{}, test.recs...)
			if s.Phase != test.phase || s.TakesAward != test.award || s.Committed != test.bound {
				t.Errorf("got %s, award %v, committed %v; want %s, %v, %v\n%s",
					s.Phase, s.TakesAward, s.Committed, test.phase, test.award, test.bound, digest(s))
			}
			if (s.Phase == deal.PhaseConflict) != (len(s.Evidence) > 0) {
				t.Errorf("phase %s with %d records of evidence", s.Phase, len(s.Evidence))
			}
			if (s.Phase == deal.PhaseAgreed) != s.Agreement.Defined() {
				t.Errorf("phase %s with agreement %v", s.Phase, s.Agreement)
			}
		})
	}
}

func TestAgreementIsNamedByTheConfirmation(t *testing.T) {
	c := newCast()
	offer := c.offer(1, 1, 100)
	acceptance := c.acceptance(100, offer)  // the deadline itself is in time,
	conf := c.confirmation(100, acceptance) // for either side
	s := c.fold(t, deal.Options{}, conf, acceptance, offer)
	if s.Agreement != conf.ID() || s.Acceptance != acceptance || s.Confirmation != conf {
		t.Errorf("got %s", digest(s))
	}
}

// TestEvidence checks that a conflict names exactly the records that prove it.
func TestEvidence(t *testing.T) {
	c := newCast()
	o1, o2 := c.offer(1, 1, 100), c.offer(2, 2, 200)
	a1, a2 := c.acceptance(10, o1), c.acceptance(11, o2)
	conf := c.confirmation(20, a1)
	cancel := c.cancel(15)
	restored := c.restored(50)
	held, customerVoid := c.held(60, restored, conf), c.customerVoid(61, restored)
	bad := c.void(100, protocol.ReasonOutOfStock, nil)
	early := c.void(100, protocol.ReasonOfferExpired, a1)
	tests := []struct {
		name  string
		more  recs
		proof recs
	}{
		{"two acceptances", recs{a1, a2, cancel}, recs{a1, a2}},
		{"two confirmations", recs{a1, conf, c.confirmation(21, a1)}, recs{conf, c.confirmation(21, a1)}},
		{"confirmation and void", recs{a1, conf, cancel, c.void(22, protocol.ReasonCustomerAsked, cancel)}, recs{conf, c.void(22, protocol.ReasonCustomerAsked, cancel)}},
		{"void of firm offers", recs{a1, bad}, recs{o1, o2, bad}},
		{"void for an acceptance in time", recs{a1, early}, recs{o1, a1, early}},
		{"both answers", recs{a1, conf, restored, held, customerVoid}, recs{restored, held, customerVoid}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := c.fold(t, deal.Options{}, append(recs{o1, o2}, test.more...)...)
			if !slices.Equal(s.Evidence, test.proof) {
				t.Errorf("got %s", digest(s))
			}
			// The evidence stands by itself, together with the intent.
			if alone := c.fold(t, deal.Options{}, s.Evidence...); alone.Phase != deal.PhaseConflict {
				t.Errorf("the evidence alone gives %s", digest(alone))
			}
		})
	}
}

func TestMisfits(t *testing.T) {
	c := newCast()
	o1 := c.offer(1, 1, 100)
	a1 := c.acceptance(10, o1)

	otherTerms := c.offerBody(c.key(0, 1), 2, t0+100)
	otherTerms.Terms = record.TermsRef{Roster: "SD-BASE"}
	foreignTerms := c.vendorSays(1, otherTerms)
	odd := withUnknownField(t, c.vendors[0], o1)
	crit := func(by *crypto.SigningKey, at int64, b record.Body) *record.Record {
		h := record.Header{At: t0 + at, RetainUntil: t0 + 100_000, Crit: []string{"x"}, Ext: map[string]any{"x": int64(1)}}
		return c.signWith(by, h, b)
	}
	critOffer := crit(c.vendors[0], 1, c.offerBody(c.key(0, 1), 3, t0+100))
	lateAcceptance := c.acceptance(101, o1)
	cancel := c.cancel(20)

	tests := []struct {
		name string
		fits recs
		odd  *record.Record
		code protocol.Code
	}{
		{"acceptance by somebody else", recs{o1}, c.sign(c.vendors[1], t0+10, a1.Body()), protocol.CodeWrongAuthor},
		{"acceptance by the seller", recs{o1}, c.sign(c.vendors[0], t0+10, a1.Body()), protocol.CodeWrongAuthor},
		{"confirmation by the customer", recs{o1, a1}, c.customerSays(20, c.confirmation(20, a1).Body()), protocol.CodeWrongAuthor},
		{"void by another seller", recs{o1}, c.sign(c.vendors[1], t0+200, c.void(200, protocol.ReasonPolicy, nil).Body()), protocol.CodeWrongAuthor},
		{"offer by another seller", recs{o1}, c.sign(c.vendors[1], t0+1, o1.Body()), protocol.CodeWrongAuthor},
		{"restored by the customer", recs{o1}, c.customerSays(1, c.restored(1).Body()), protocol.CodeWrongAuthor},
		{"another seller's deal", recs{o1}, c.sign(c.vendors[1], t0+1, c.offerBody(c.key(1, 1), 1, t0+9)), protocol.CodeDealMismatch},
		{"another round", recs{o1}, c.vendorSays(1, c.offerBody(c.key(0, 2), 1, t0+9)), protocol.CodeDealMismatch},
		{"a record of no deal", recs{o1}, c.intent, protocol.CodeDealMismatch},
		{"other terms", recs{o1}, foreignTerms, protocol.CodeTermsNotOffered},
		{"acceptance of an offer under other terms", recs{o1, foreignTerms}, c.acceptance(10, foreignTerms), protocol.CodeTermsNotOffered},
		{"acceptance of what isn't an offer", recs{o1, cancel}, c.acceptance(30, cancel), protocol.CodeBadField},
		{"late acceptance", recs{o1}, lateAcceptance, protocol.CodeOfferExpired},
		{"confirmation of a late acceptance", recs{o1, lateAcceptance}, c.confirmation(102, lateAcceptance), protocol.CodeOfferExpired},
		{"late confirmation", recs{o1, a1}, c.confirmation(101, a1), protocol.CodeOfferExpired},
		{"confirmation of what isn't an acceptance", recs{o1}, c.confirmation(20, o1), protocol.CodeBadField},
		{"acceptance of an offer with an unknown field", recs{odd}, c.acceptance(10, odd), protocol.CodeUnknownField},
		{"acceptance of an offer with a critical extension", recs{critOffer}, c.acceptance(10, critOffer), protocol.CodeCriticalExtension},
		{"acceptance with a critical extension", recs{o1}, crit(c.customer, 10, a1.Body()), protocol.CodeCriticalExtension},
		{"customer-void of what isn't a restored", recs{o1}, c.customerVoid(10, o1), protocol.CodeBadField},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			with := c.fold(t, deal.Options{}, append(slices.Clone(test.fits), test.odd)...)
			without := c.fold(t, deal.Options{}, test.fits...)
			at := slices.IndexFunc(with.Misfits, func(m deal.Misfit) bool { return m.Record == test.odd })
			if at < 0 || with.Misfits[at].Code != test.code || with.Misfits[at].Detail == "" {
				t.Fatalf("got %+v", with.Misfits)
			}
			if with.Phase != without.Phase || with.TakesAward != without.TakesAward || with.Committed != without.Committed {
				t.Errorf("the misfit changed the state: %s", digest(with))
			}
		})
	}
}

// withUnknownField is the offer with a field that this version doesn't know.
func withUnknownField(t *testing.T, by *crypto.SigningKey, offer *record.Record) *record.Record {
	t.Helper()
	block, err := codec.Decode(offer.Raw())
	if err != nil {
		t.Fatal(err)
	}
	body := block.([]any)[0].(map[string]any)
	body["penalty"] = "1000"
	raw, err := codec.Encode(body)
	if err != nil {
		t.Fatal(err)
	}
	sig := by.Sign(append([]byte("parley/1/record\x00"), raw...))
	raw, err = codec.Encode([]any{body, sig})
	if err != nil {
		t.Fatal(err)
	}
	r, err := record.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestWaiting(t *testing.T) {
	c := newCast()
	o1 := c.offer(1, 1, 100)
	a1 := c.acceptance(10, o1)
	conf := c.confirmation(20, a1)
	cancel, restored := c.cancel(15), c.restored(50)
	customerVoid := c.customerVoid(60, restored)
	tests := []struct {
		name    string
		recs    recs
		waits   *record.Record
		missing *record.Record
	}{
		{"acceptance", recs{a1}, a1, o1},
		{"confirmation for its acceptance", recs{o1, conf}, conf, a1},
		{"confirmation for the offer", recs{a1, conf}, conf, o1},
		{"void for its ask", recs{o1, c.void(20, protocol.ReasonCustomerAsked, cancel)}, c.void(20, protocol.ReasonCustomerAsked, cancel), cancel},
		{"void for the offer", recs{a1, c.void(101, protocol.ReasonOfferExpired, a1)}, c.void(101, protocol.ReasonOfferExpired, a1), o1},
		{"void for restored", recs{customerVoid, c.void(61, protocol.ReasonRecovered, customerVoid)}, c.void(61, protocol.ReasonRecovered, customerVoid), restored},
		{"customer-void for restored", recs{customerVoid}, customerVoid, restored},
		{"held for restored", recs{c.held(60, restored, conf)}, c.held(60, restored, conf), restored},
		{"held for the decision", recs{restored, c.held(60, restored, conf)}, c.held(60, restored, conf), conf},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := c.fold(t, deal.Options{}, test.recs...)
			if !slices.Contains(s.Waiting, deal.Waiting{Record: test.waits, Missing: test.missing.ID()}) {
				t.Errorf("got %s", digest(s))
			}
			s = c.fold(t, deal.Options{}, o1, a1, conf, cancel, restored, customerVoid, test.waits)
			if len(s.Waiting) != 0 {
				t.Errorf("with all there, got %s", digest(s))
			}
		})
	}
}

func TestFoldRefuses(t *testing.T) {
	c := newCast()
	offer := c.offer(1, 1, 100)
	other := c.key(0, 1)
	other.Intent = offer.ID()
	tests := []struct {
		name   string
		intent *record.Record
		key    record.DealKey
		recs   recs
		code   protocol.Code
	}{
		{"no intent", nil, c.key(0, 1), nil, protocol.CodeInternal},
		{"nil among the records", c.intent, c.key(0, 1), recs{offer, nil}, protocol.CodeInternal},
		{"an intent that isn't one", offer, other, nil, protocol.CodeBadField},
		{"another intent's key", c.intent, other, nil, protocol.CodeDealMismatch},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if _, err := deal.Fold(test.intent, test.key, test.recs, deal.Options{}); protocol.CodeOf(err) != test.code {
				t.Errorf("got %v, want %s", err, test.code)
			}
		})
	}
}
