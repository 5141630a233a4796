package desk

import (
	"testing"
	"time"

	"github.com/ipfs/go-cid"

	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/deal"
	"github.com/parley-protocol/parley/protocol/decimal"
	"github.com/parley-protocol/parley/protocol/record"
)

// agrees brings two sides to an agreement on a request, and returns the offer.
func (w *world) agrees(customer, seller *side, intent *record.Record, price string) *record.Record {
	w.t.Helper()
	offer := seller.offer(intent, price, time.Hour)
	if err := customer.accept(offer, false); err != nil {
		w.t.Fatal(err)
	}
	customer.phase(offer, deal.PhaseAgreed)
	seller.phase(offer, deal.PhaseAgreed)
	return offer
}

// changes offers a change of an agreement.
func (s *side) changes(offer *record.Record, agreement cid.Cid, price string) (*record.Record, error) {
	p := decimal.MustParse(price)
	key, _ := offer.Deal()
	return s.MakeOffer(s.w.t.Context(), OfferRequest{Intent: key.Intent, Offer: record.Offer{
		ItemOffered: []record.OfferItem{{Name: "Chair", Price: p}}, PriceCurrency: "EUR", TotalPrice: p,
		ValidUntil: s.w.clock.Load() + 3600, Changes: agreement,
	}})
}

func (s *side) inForce(rec *record.Record) cid.Cid {
	key, _ := rec.Deal()
	return InForce(s.Rounds(key))
}

func (s *side) asksRound(offer *record.Record, change bool) (*record.Record, error) {
	dl, err := s.AskRound(s.w.t.Context(), NextRoundRequest{Deal: dealID(offer), Change: change, Description: "Please."})
	if err != nil {
		return nil, err
	}
	return dl.State.NextRounds[0], nil
}

// After a void the customer asks for another round, and the seller offers in it;
// both may stop in between.
func TestNextRoundAfterAVoid(t *testing.T) {
	w := newWorld(t)
	customer, seller := w.node("customer"), w.node("seller")
	intent := customer.request(1)
	first := seller.offer(intent, "100", time.Hour)
	customer.has(first)
	_, err := customer.asksRound(first, false)
	wants(t, err, protocol.CodeNotPermitted)
	if _, err := customer.DeclineOffer(t.Context(), first.ID(), protocol.ReasonPrice); err != nil {
		t.Fatal(err)
	}
	customer.phase(first, deal.PhaseVoided)
	_, err = seller.tryOffer(intent, "90", time.Hour)
	wants(t, err, protocol.CodeDealClosed)
	_, err = customer.asksRound(first, true)
	wants(t, err, protocol.CodeNotPermitted)
	w.set(func() { w.lost = true })
	asked, err := customer.asksRound(first, false)
	if err != nil {
		t.Fatal(err)
	}
	_, err = customer.asksRound(first, false)
	wants(t, err, protocol.CodeDuplicate)
	customer = customer.again()
	w.set(func() { w.lost = false })
	seller.has(asked)
	w.quiet(customer)
	seller = seller.again()
	next := seller.offer(intent, "90", time.Hour)
	if key, _ := next.Deal(); key.Round != 2 || next.Body().(*record.Offer).Number != 1 {
		t.Errorf("offer %d of round %d", next.Body().(*record.Offer).Number, key.Round)
	}
	if err := customer.accept(next, false); err != nil {
		t.Fatal(err)
	}
	customer.phase(next, deal.PhaseAgreed)
	w.same(next, customer, seller)
	w.same(first, customer, seller)
	if a, b := customer.inForce(first), seller.inForce(next); a != b || a != customer.state(next).Agreement {
		t.Errorf("in force is %s here and %s there", a, b)
	}
	_, err = customer.asksRound(first, false)
	wants(t, err, protocol.CodeNotPermitted)
}

// A customer can't fill a seller's ledger round by round: it asks for a round once,
// and no other may follow before that one has ended.
func TestRoundsOfOneSideAreBounded(t *testing.T) {
	w := newWorld(t)
	customer, seller := w.node("customer"), w.node("seller")
	intent := customer.request(1)
	first := seller.offer(intent, "100", time.Hour)
	customer.has(first)
	if _, err := customer.DeclineOffer(t.Context(), first.ID(), protocol.ReasonPrice); err != nil {
		t.Fatal(err)
	}
	customer.phase(first, deal.PhaseVoided)
	asked, err := customer.asksRound(first, false)
	if err != nil {
		t.Fatal(err)
	}
	seller.has(asked)
	in, _ := customer.Book().Intent(intent.ID())
	key, _ := asked.Deal()
	says := func(body record.Body) error {
		rec, err := record.Sign(customer.header(), body, customer.intentKey(in))
		if err != nil {
			t.Fatal(err)
		}
		return seller.take(t.Context(), []*record.Record{rec})
	}
	void := customer.state(first).Void.ID()
	before := len(seller.Rounds(key))
	wants(t, says(&record.NextRound{Deal: key, Previous: void, Description: "Again."}), protocol.CodeNotPermitted)
	further := key
	further.Round++
	wants(t, says(&record.NextRound{Deal: further, Previous: void}), protocol.CodeNotPermitted)
	wants(t, says(&record.Cancel{Ask: record.Ask{Deal: further, Reason: protocol.ReasonOther}}), protocol.CodeNotPermitted)
	if err := seller.take(t.Context(), []*record.Record{asked}); err != nil {
		t.Errorf("what is known is taken again, for its receipt: %v", err)
	}
	if after := len(seller.Rounds(key)); after != before {
		t.Errorf("%d rounds, and %d after", before, after)
	}
}

// Who has asked for another round takes that back while the seller is silent: it
// ends with the seller's void, also where the question for it comes late or is
// lost, and the next round can be asked for. Without end that doesn't go on.
//
//spec:shows DEAL-18 DEAL-30
func TestRoundIsTakenBack(t *testing.T) {
	w := newWorld(t)
	customer, seller := w.node("customer"), w.node("seller")
	intent := customer.request(1)
	first := seller.offer(intent, "100", time.Hour)
	customer.has(first)
	if _, err := customer.DeclineOffer(t.Context(), first.ID(), protocol.ReasonPrice); err != nil {
		t.Fatal(err)
	}
	customer.phase(first, deal.PhaseVoided)
	for round := int64(2); round < 2+maxTakenBack; round++ {
		w.set(func() { w.lost = round == 2 }) // the first goes out together
		asked, err := customer.asksRound(first, false)
		if err != nil {
			t.Fatal(err)
		}
		if key, _ := asked.Deal(); key.Round != round {
			t.Fatalf("round %d, not %d", key.Round, round)
		}
		if _, err := customer.CancelDeal(t.Context(), dealID(asked), protocol.ReasonChangedMind); err != nil {
			t.Fatal(err)
		}
		_, err = customer.CancelDeal(t.Context(), dealID(asked), protocol.ReasonChangedMind)
		if code := protocol.CodeOf(err); code != protocol.CodeDuplicate && code != protocol.CodeDealClosed {
			t.Errorf("asked twice: %v", err)
		}
		if round == 2 {
			customer = customer.again()
			w.set(func() { w.lost = false })
			customer.sendAgain(seller.did())
		}
		customer.phase(asked, deal.PhaseVoided)
		seller.phase(asked, deal.PhaseVoided)
		w.same(asked, customer, seller)
		if st := customer.state(asked); st.Void.Body().(*record.Void).Reason != protocol.ReasonCustomerAsked {
			t.Errorf("voided for %s", st.Void.Body().(*record.Void).Reason)
		}
		w.quiet(customer, seller)
	}
	in, _ := customer.Book().Intent(intent.ID())
	rounds := customer.Rounds(record.DealKey{Intent: intent.ID(), Vendor: seller.did()})
	last := rounds[len(rounds)-1].State
	body, err := last.NextRound()
	if err != nil {
		t.Fatal(err)
	}
	rec, err := record.Sign(customer.header(), body, customer.intentKey(in))
	if err != nil {
		t.Fatal(err)
	}
	wants(t, seller.take(t.Context(), []*record.Record{rec}), protocol.CodeNotPermitted)
}

// A customer that came back from a backup in the middle of a round that it has
// asked for gets the seller's answer, although the seller is silent there.
//
//spec:shows DEAL-24
func TestRestoredInASilentRound(t *testing.T) {
	w := newWorld(t)
	customer, seller := w.node("customer"), w.node("seller")
	intent := customer.request(1)
	first := seller.offer(intent, "100", time.Hour)
	customer.has(first)
	if _, err := customer.DeclineOffer(t.Context(), first.ID(), protocol.ReasonPrice); err != nil {
		t.Fatal(err)
	}
	customer.phase(first, deal.PhaseVoided)
	asked, err := customer.asksRound(first, false)
	if err != nil {
		t.Fatal(err)
	}
	seller.has(asked)
	w.quiet(customer, seller)
	w.clock.Add(1)
	customer = customer.restored()
	customer.phase(asked, deal.PhaseVoided)
	seller.phase(asked, deal.PhaseVoided)
	w.quiet(customer, seller)
}

// A seller changes an agreement of its own accord; the new one replaces the old
// one on both sides, and takes no award.
func TestChangeOfAnAgreement(t *testing.T) {
	w := newWorld(t)
	customer, seller, other := w.node("customer"), w.node("seller"), w.node("other")
	intent := customer.request(1)
	rival := other.offer(intent, "120", time.Hour)
	customer.has(rival)
	first := w.agrees(customer, seller, intent, "100")
	old := customer.state(first).Agreement
	customer.phase(rival, deal.PhaseVoided)
	w.quiet(customer, seller, other)

	_, err := seller.tryOffer(intent, "90", time.Hour)
	wants(t, err, protocol.CodeDealClosed)
	_, err = seller.changes(first, first.ID(), "90")
	wants(t, err, protocol.CodeChangeMismatch)
	w.sleep(25 * time.Hour) // the request has run out; the agreement hasn't
	change, err := seller.changes(first, old, "90")
	if err != nil {
		t.Fatal(err)
	}
	customer.has(change)
	customer.settle(t.Context(), intent.ID())
	if st := customer.state(change); len(st.Asks) > 0 {
		t.Fatal("the change of an agreement is answered with a notice that another was chosen")
	}
	if got := customer.inForce(first); got != old {
		t.Errorf("an offer alone has put %s in force", got)
	}
	customer, seller = customer.again(), seller.again()
	if err := customer.accept(change, false); err != nil {
		t.Fatal(err)
	}
	customer.phase(change, deal.PhaseAgreed)
	seller.phase(change, deal.PhaseAgreed)
	w.same(change, customer, seller)
	w.same(first, customer, seller)
	now := customer.state(change).Agreement
	if a, b := customer.inForce(first), seller.inForce(first); a != now || b != now || now == old {
		t.Errorf("in force is %s here and %s there, and the new one is %s", a, b, now)
	}
	if st := customer.state(change); st.Changes != old || st.TakesAward {
		t.Errorf("it changes %s, takes an award: %v", st.Changes, st.TakesAward)
	}
	if customer.state(first).Phase != deal.PhaseAgreed {
		t.Error("the old agreement is no longer evidence")
	}
}

// An agreement can be changed long after it was made, when its request and its
// offer have had their time.
func TestLateChangeArrives(t *testing.T) {
	w := newWorld(t)
	customer, seller := w.node("customer"), w.node("seller")
	intent := customer.request(1)
	first := w.agrees(customer, seller, intent, "100")
	w.quiet(customer, seller)
	w.sleep(100 * 24 * time.Hour)
	customer.forget(t.Context())
	seller.forget(t.Context())
	customer, seller = customer.again(), seller.again()
	change, err := seller.changes(first, seller.state(first).Agreement, "90")
	if err != nil {
		t.Fatal(err)
	}
	if err := customer.accept(change, false); err != nil {
		t.Fatal(err)
	}
	customer.phase(change, deal.PhaseAgreed)
	seller.phase(change, deal.PhaseAgreed)
	w.sleep(100 * 24 * time.Hour)
	customer.forget(t.Context())
	seller.forget(t.Context())
	asked, err := customer.asksRound(first, true)
	if err != nil {
		t.Fatal(err)
	}
	seller.has(asked)
	w.quiet(customer, seller)
}

// A customer asks for a change; a void of it leaves the old agreement in force,
// and another round is about that agreement still.
func TestChangeThatComesToNothing(t *testing.T) {
	w := newWorld(t)
	customer, seller := w.node("customer"), w.node("seller")
	intent := customer.request(1)
	first := w.agrees(customer, seller, intent, "100")
	old := customer.state(first).Agreement
	_, err := customer.asksRound(first, false)
	wants(t, err, protocol.CodeNotPermitted)
	asked, err := customer.asksRound(first, true)
	if err != nil {
		t.Fatal(err)
	}
	seller.has(asked)
	// What the customer asked for, the seller answers without naming it.
	change := seller.offer(intent, "130", time.Hour)
	if o := change.Body().(*record.Offer); o.Changes != old || o.Deal.Round != 2 {
		t.Fatalf("it changes %s, in round %d", o.Changes, o.Deal.Round)
	}
	customer.has(change)
	counter, err := customer.counters(change, "105")
	if err != nil {
		t.Fatal(err)
	}
	seller.has(counter)
	if _, err := customer.DeclineOffer(t.Context(), change.ID(), protocol.ReasonPrice); err != nil {
		t.Fatal(err)
	}
	customer.phase(change, deal.PhaseVoided)
	seller.phase(change, deal.PhaseVoided)
	if a, b := customer.inForce(first), seller.inForce(first); a != old || b != old {
		t.Errorf("in force is %s here and %s there, not %s", a, b, old)
	}
	again, err := customer.asksRound(first, true)
	if err != nil {
		t.Fatal(err)
	}
	seller.has(again)
	third := seller.offer(intent, "105", time.Hour)
	if o := third.Body().(*record.Offer); o.Changes != old || o.Deal.Round != 3 {
		t.Fatalf("it changes %s, in round %d", o.Changes, o.Deal.Round)
	}
	if err := customer.accept(third, false); err != nil {
		t.Fatal(err)
	}
	customer.phase(third, deal.PhaseAgreed)
	seller.phase(third, deal.PhaseAgreed)
	w.same(third, customer, seller)
	if a, b := customer.inForce(first), seller.inForce(third); a != b || a != customer.state(third).Agreement {
		t.Errorf("in force is %s here and %s there", a, b)
	}
}

// Awards are counted once for a seller, over all rounds and changes; beyond them
// it takes the person's word.
func TestAwardsOverRounds(t *testing.T) {
	w := newWorld(t)
	customer, seller, other := w.node("customer"), w.node("seller"), w.node("other")
	intent := customer.request(2)
	first := w.agrees(customer, seller, intent, "100")
	change, err := seller.changes(first, customer.state(first).Agreement, "90")
	if err != nil {
		t.Fatal(err)
	}
	if err := customer.accept(change, false); err != nil {
		t.Fatal(err)
	}
	customer.phase(change, deal.PhaseAgreed)
	// One of two awards is left, not none.
	second := w.agrees(customer, other, intent, "120")
	third := w.node("third")
	late, err := third.tryOffer(intent, "80", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	customer.has(late)
	customer.phase(late, deal.PhaseVoided)
	again, err := other.changes(second, customer.state(second).Agreement, "110")
	if err != nil {
		t.Fatal(err)
	}
	if err := customer.accept(again, false); err != nil {
		t.Errorf("a change takes an award: %v", err)
	}
	customer.phase(again, deal.PhaseAgreed)
	w.same(again, customer, other)
}
