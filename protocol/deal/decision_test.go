package deal_test

import (
	"fmt"
	"testing"

	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/deal"
	"github.com/parley-protocol/parley/protocol/record"
)

// says writes out a decision: the type, the reason and what is cited.
func says(d deal.Decision) string {
	switch b := d.Body.(type) {
	case nil:
		return "nothing"
	case *record.Confirmation:
		return "confirmation of " + shortID(b.Acceptance)
	case *record.Void:
		return "void " + b.Reason + " citing " + shortID(b.Cites)
	case *record.Restored:
		return "restored"
	case *record.Held:
		return fmt.Sprintf("held %s, answering %s", shortID(b.Decision), shortID(b.Restored))
	case *record.CustomerVoid:
		return "customer-void answering " + shortID(b.Restored)
	case *record.Cancel:
		return "cancel " + b.Reason
	default:
		return b.Type()
	}
}

//spec:shows DEAL-21 DEAL-26
func TestDecide(t *testing.T) {
	c := newCast()
	o1, o2 := c.offer(1, 1, 100), c.offer(2, 2, 200)
	a1, a2 := c.acceptance(10, o1), c.acceptance(11, o2)
	conf := c.confirmation(20, a1)
	cancel := c.cancel(15)
	restored := c.restored(50)
	customerVoid := c.customerVoid(60, restored)
	back := deal.Options{Restored: true}
	confirm := "confirmation of " + shortID(a1.ID())
	asked := "void customer_asked citing " + shortID(cancel.ID())
	late := "void offer_expired citing " + shortID(a1.ID())
	adopt := "void recovered citing " + shortID(customerVoid.ID())

	tests := []struct {
		name string
		now  int64
		opts deal.Options
		recs recs
		want string
	}{
		{"nothing to decide", 5, deal.Options{}, recs{o1}, "nothing"},
		{"an acceptance in time", 20, deal.Options{}, recs{o1, a1}, confirm},
		{"at the last moment", 100, deal.Options{}, recs{o1, a1}, confirm},
		{"one second late", 101, deal.Options{}, recs{o1, a1}, late},
		{"late, while another offer is firm", 101, deal.Options{}, recs{o1, o2, a1}, late},
		{"an acceptance of an offer that isn't there", 20, deal.Options{}, recs{o2, a1}, "nothing"},
		{"an acceptance that is a misfit", 150, deal.Options{}, recs{o1, c.acceptance(101, o1)}, "nothing"},
		{"asked for, without an acceptance", 20, deal.Options{}, recs{o1, cancel}, asked},
		{"asked for, before the offer arrives", 20, deal.Options{}, recs{cancel}, asked},
		{"asked for and accepted: the ask goes first", 20, deal.Options{}, recs{o1, a1, cancel}, asked},
		{"asked for and late", 101, deal.Options{}, recs{o1, a1, cancel}, asked},
		{"the first of two asks", 20, deal.Options{}, recs{o1, c.cancel(16), cancel}, asked},
		{"confirmed", 20, deal.Options{}, recs{o1, a1, conf}, "nothing"},
		{"confirmed, then asked", 20, deal.Options{}, recs{o1, a1, conf, cancel}, "nothing"},
		{"confirmed, then late", 101, deal.Options{}, recs{o1, a1, conf}, "nothing"},
		{"confirmed, what it cites is lost", 20, deal.Options{}, recs{conf, cancel}, "nothing"},
		{"voided", 120, deal.Options{}, recs{o1, a1, c.void(101, protocol.ReasonOfferExpired, a1)}, "nothing"},
		{"voided, what it cites is lost", 20, deal.Options{}, recs{o1, a1, c.void(16, protocol.ReasonCustomerAsked, cancel)}, "nothing"},
		{"conflict", 20, deal.Options{}, recs{o1, o2, a1, a2}, "nothing"},

		{"restored, nothing left", 20, back, nil, "restored"},
		{"restored, with an acceptance", 20, back, recs{o1, a1}, "restored"},
		{"restored, with an ask", 20, back, recs{o1, a1, cancel}, "restored"},
		{"restored, said so", 60, back, recs{o1, a1, cancel, restored}, "nothing"},
		{"said so, though the flag is lost", 60, deal.Options{}, recs{o1, a1, restored}, "nothing"},
		{"restored, decided before", 60, back, recs{o1, a1, conf}, "nothing"},
		{"restored, answered with a void", 61, back, recs{o1, a1, restored, customerVoid}, adopt},
		{"answered with a void, the flag is lost", 61, deal.Options{}, recs{o1, a1, restored, customerVoid}, adopt},
		{"restored, the void is adopted", 62, back, recs{o1, a1, restored, customerVoid, c.void(61, protocol.ReasonRecovered, customerVoid)}, "nothing"},
		{"a customer's void without grounds", 61, back, recs{o1, a1, customerVoid}, "restored"},
		{"restored, answered with a decision that isn't there", 61, back, recs{o1, a1, restored, c.held(60, restored, conf)}, "nothing"},
		{"restored, answered with a decision", 61, back, recs{o1, a1, restored, c.held(60, restored, conf), conf}, "nothing"},
		{"restored, answered twice", 61, back, recs{o1, a1, restored, c.held(60, restored, conf), customerVoid}, "nothing"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			d := c.fold(t, test.opts, test.recs...).Decide(t0 + test.now)
			if got := says(d); got != test.want {
				t.Fatalf("got %q, want %q", got, test.want)
			}
			if d.None() {
				return
			}
			// What was decided is lawful, and is the last decision.
			if r, ok := d.Body.(*record.Restored); ok {
				r.ReplyTo = c.replyTo
			}
			signed := c.sign(c.vendors[0], d.At, d.Body)
			s := c.fold(t, test.opts, append(test.recs, signed)...)
			if s.Phase == deal.PhaseConflict || !s.Decide(t0+test.now).None() {
				t.Errorf("after signing: %s, then %s", digest(s), says(s.Decide(t0+test.now)))
			}
		})
	}
}

//spec:shows DEAL-25
func TestAnswerRestored(t *testing.T) {
	c := newCast()
	o1 := c.offer(1, 1, 100)
	a1 := c.acceptance(10, o1)
	conf, cancel, restored := c.confirmation(20, a1), c.cancel(15), c.restored(50)
	void := c.void(21, protocol.ReasonCustomerAsked, cancel)
	back := deal.Options{Restored: true}
	deny := "customer-void answering " + shortID(restored.ID())
	tests := []struct {
		name string
		opts deal.Options
		recs recs
		want string
	}{
		{"nobody was restored", deal.Options{}, recs{o1, a1}, "nothing"},
		{"no decision in hand", deal.Options{}, recs{o1, a1, restored}, deny},
		{"nothing in hand", deal.Options{}, recs{restored}, deny},
		{"a confirmation in hand", deal.Options{}, recs{o1, a1, conf, restored}, "held " + shortID(conf.ID()) + ", answering " + shortID(restored.ID())},
		{"a void in hand", deal.Options{}, recs{o1, a1, cancel, void, restored}, "held " + shortID(void.ID()) + ", answering " + shortID(restored.ID())},
		{"a void in hand that waits", deal.Options{}, recs{o1, a1, void, restored}, "held " + shortID(void.ID()) + ", answering " + shortID(restored.ID())},
		{"a confirmation in hand that came too late to bind", deal.Options{}, recs{o1, a1, c.confirmation(101, a1), restored}, deny},
		{"answered with a void", deal.Options{}, recs{o1, a1, restored, c.customerVoid(60, restored)}, "nothing"},
		{"and then the lost decision arrives", deal.Options{}, recs{o1, a1, restored, c.customerVoid(60, restored), conf}, "nothing"},
		{"answered with the decision", deal.Options{}, recs{o1, a1, conf, restored, c.held(60, restored, conf)}, "nothing"},
		{"the seller says it twice", deal.Options{}, recs{o1, a1, restored, c.restored(55), c.customerVoid(60, c.restored(55))}, "nothing"},
		{"restored oneself: ask", back, recs{o1}, "cancel recovered"},
		{"restored oneself, accepted before", back, recs{o1, a1}, "cancel recovered"},
		{"restored oneself, asked", back, recs{o1, a1, cancel}, "nothing"},
		{"restored oneself, decided", back, recs{o1, a1, conf}, "nothing"},
		{"restored both: no answer that could be a second one", back, recs{o1, a1, cancel, restored}, "nothing"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			d := c.fold(t, test.opts, test.recs...).AnswerRestored(t0 + 70)
			if got := says(d); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

//spec:shows DEAL-16 DEAL-24
func TestMayAccept(t *testing.T) {
	c := newCast()
	o1, o2 := c.offer(1, 1, 100), c.offer(2, 2, 200)
	a1 := c.acceptance(10, o1)
	restored := c.restored(50)
	odd := withUnknownField(t, c.vendors[0], o1)
	other := c.offerBody(c.key(0, 1), 3, t0+100)
	other.Terms = record.TermsRef{Roster: "SD-BASE"}
	otherTerms := c.vendorSays(1, other)
	crit := c.signWith(c.vendors[0], record.Header{At: t0 + 1, RetainUntil: t0 + 100_000, Crit: []string{"x"}, Ext: map[string]any{"x": int64(1)}}, o1.Body())
	tests := []struct {
		name  string
		offer *record.Record
		now   int64
		opts  deal.Options
		recs  recs
		want  protocol.Code
	}{
		{"a firm offer", o1, 50, deal.Options{}, recs{o1}, ""},
		{"the older of two offers", o1, 50, deal.Options{}, recs{o1, o2}, ""},
		{"the last moment", o1, 100, deal.Options{}, recs{o1}, ""},
		{"an offer that ran out", o1, 101, deal.Options{}, recs{o1, o2}, protocol.CodeOfferExpired},
		{"no such offer", o2, 50, deal.Options{}, recs{o1}, protocol.CodeNotFound},
		{"other terms", otherTerms, 50, deal.Options{}, recs{otherTerms}, protocol.CodeTermsNotOffered},
		{"an unknown field", odd, 50, deal.Options{}, recs{odd}, protocol.CodeUnknownField},
		{"a critical extension", crit, 50, deal.Options{}, recs{crit}, protocol.CodeCriticalExtension},
		{"a second acceptance", o2, 50, deal.Options{}, recs{o1, o2, a1}, protocol.CodeAlreadyAccepted},
		{"after one that came too late to bind", o2, 150, deal.Options{}, recs{o1, o2, c.acceptance(101, o1)}, protocol.CodeAlreadyAccepted},
		{"after a cancel", o1, 50, deal.Options{}, recs{o1, c.cancel(15)}, protocol.CodeDealClosed},
		{"agreed", o2, 50, deal.Options{}, recs{o1, o2, a1, c.confirmation(20, a1)}, protocol.CodeDealClosed},
		{"voided", o1, 50, deal.Options{}, recs{o1, c.void(20, protocol.ReasonCustomerAsked, c.cancel(15)), c.cancel(15)}, protocol.CodeDealClosed},
		{"voided for reasons still on their way", o1, 50, deal.Options{}, recs{o1, c.void(20, protocol.ReasonCustomerAsked, c.cancel(15))}, protocol.CodeDealClosed},
		{"voided by oneself", o1, 70, deal.Options{}, recs{o1, restored, c.customerVoid(60, restored)}, protocol.CodeDealClosed},
		{"conflict", o1, 50, deal.Options{}, recs{o1, c.void(20, protocol.ReasonOutOfStock, nil)}, protocol.CodeConflict},
		{"restored", o1, 50, deal.Options{Restored: true}, recs{o1}, protocol.CodeRecovering},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			err := c.fold(t, test.opts, test.recs...).MayAccept(test.offer.ID(), t0+test.now)
			if protocol.CodeOf(err) != test.want {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

// TestPermissions checks the other things that either side may do.
//
//spec:shows DEAL-15 DEAL-22
func TestPermissions(t *testing.T) {
	c := newCast()
	o1 := c.offer(1, 1, 100)
	a1 := c.acceptance(10, o1)
	conf, cancel, restored := c.confirmation(20, a1), c.cancel(15), c.restored(50)
	asked := c.void(20, protocol.ReasonCustomerAsked, cancel)
	bad := c.void(20, protocol.ReasonOutOfStock, nil)
	const ok = protocol.Code("")
	tests := []struct {
		name                string
		opts                deal.Options
		recs                recs
		offer, decline, ask protocol.Code
	}{
		{"nothing", deal.Options{}, nil, ok, ok, ok},
		{"a firm offer", deal.Options{}, recs{o1}, ok, protocol.CodeUnlawfulVoid, ok},
		{"an offer that ran out", deal.Options{}, recs{c.offer(1, 1, 49)}, ok, ok, ok},
		{"accepted", deal.Options{}, recs{o1, a1}, protocol.CodeAlreadyAccepted, protocol.CodeAlreadyAccepted, ok},
		{"an acceptance of nothing", deal.Options{}, recs{a1}, protocol.CodeAlreadyAccepted, ok, ok},
		{"asked", deal.Options{}, recs{o1, cancel}, protocol.CodeDealClosed, protocol.CodeUnlawfulVoid, protocol.CodeDuplicate},
		{"agreed", deal.Options{}, recs{o1, a1, conf}, protocol.CodeDealClosed, protocol.CodeDealClosed, protocol.CodeDealClosed},
		{"voided", deal.Options{}, recs{o1, cancel, asked}, protocol.CodeDealClosed, protocol.CodeDealClosed, protocol.CodeDealClosed},
		{"conflict", deal.Options{}, recs{o1, bad}, protocol.CodeConflict, protocol.CodeConflict, protocol.CodeConflict},
		{"restored", deal.Options{Restored: true}, nil, protocol.CodeRecovering, protocol.CodeRecovering, ok},
		{"said to be restored", deal.Options{}, recs{restored}, protocol.CodeRecovering, protocol.CodeRecovering, ok},
		{"voided after a restore", deal.Options{}, recs{restored, c.customerVoid(60, restored)}, protocol.CodeDealClosed, protocol.CodeDealClosed, protocol.CodeDealClosed},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := c.fold(t, test.opts, test.recs...)
			for what, got := range map[string]struct {
				err  error
				want protocol.Code
			}{
				"MayOffer":   {s.MayOffer(), test.offer},
				"MayDecline": {s.MayDecline(t0 + 50), test.decline},
				"MayAsk":     {s.MayAsk(), test.ask},
			} {
				if protocol.CodeOf(got.err) != got.want {
					t.Errorf("%s: got %v, want %q", what, got.err, got.want)
				}
			}
		})
	}
}

//spec:shows DEAL-20
func TestInDoubt(t *testing.T) {
	c := newCast()
	o1 := c.offer(1, 1, 100)
	a1 := c.acceptance(10, o1)
	pending := c.fold(t, deal.Options{}, o1, a1)
	if pending.InDoubt(t0+100) || !pending.InDoubt(t0+101) {
		t.Error("the deadline is the offer's validUntil")
	}
	if !pending.TakesAward || pending.Phase != deal.PhasePending {
		t.Error("being in doubt changes nothing")
	}
	if c.fold(t, deal.Options{}, o1, a1, c.confirmation(20, a1)).InDoubt(t0 + 101) {
		t.Error("an agreement is in doubt")
	}
	if c.fold(t, deal.Options{}, o1).InDoubt(t0 + 101) {
		t.Error("an offer is in doubt")
	}
}

func TestAwardsLeft(t *testing.T) {
	c := newCast()
	o1 := c.offer(1, 1, 100)
	a1, cancel := c.acceptance(10, o1), c.cancel(15)
	open, pending := c.fold(t, deal.Options{}, o1), c.fold(t, deal.Options{}, o1, a1, cancel)
	agreed := c.fold(t, deal.Options{}, o1, a1, c.confirmation(20, a1))
	voided := c.fold(t, deal.Options{}, o1, a1, cancel, c.void(20, protocol.ReasonCustomerAsked, cancel))
	conflict := c.fold(t, deal.Options{}, o1, a1, c.confirmation(20, a1), c.void(101, protocol.ReasonOfferExpired, a1))
	tests := []struct {
		states []deal.State
		want   int64
	}{
		{nil, 2},
		{[]deal.State{open, voided}, 2},
		{[]deal.State{open, pending}, 1},
		{[]deal.State{agreed, voided, pending}, 0},
		{[]deal.State{agreed, conflict, pending}, -1},
	}
	for i, test := range tests {
		if got := deal.AwardsLeft(2, test.states); got != test.want {
			t.Errorf("%d: got %d, want %d", i, got, test.want)
		}
	}
}

// TestMayAdopt shows why a restored seller takes a decision of its own back only
// with the customer's held: without it the customer could void the deal after
// the seller has come to believe in it.
func TestMayAdopt(t *testing.T) {
	c := newCast()
	o1 := c.offer(1, 1, 100)
	a1 := c.acceptance(10, o1)
	conf, restored := c.confirmation(20, a1), c.restored(50)
	back := deal.Options{Restored: true}

	before := c.fold(t, back, o1, a1, restored)
	if got := protocol.CodeOf(before.MayAdopt(conf.ID())); got != protocol.CodeMissingRecord {
		t.Errorf("without held: got %q", got)
	}
	held := c.held(60, restored, conf)
	with := c.fold(t, back, o1, a1, restored, held)
	if err := with.MayAdopt(conf.ID()); err != nil {
		t.Errorf("with held: %v", err)
	}
	if with.MayAdopt(a1.ID()) == nil {
		t.Error("held speaks of another decision")
	}

	customerVoid := c.customerVoid(61, restored)
	if s := c.fold(t, back, o1, a1, restored, conf, customerVoid); s.Phase != deal.PhaseVoided {
		t.Errorf("taken back without held, then voided: %s", s.Phase)
	}
	if s := c.fold(t, back, o1, a1, restored, held, conf, customerVoid); s.Phase != deal.PhaseConflict {
		t.Errorf("taken back with held, then voided: %s", s.Phase)
	}
}
