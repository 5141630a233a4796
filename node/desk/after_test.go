package desk

import (
	"slices"
	"testing"
	"time"

	"github.com/parley-protocol/parley/crypto"
	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/deal"
	"github.com/parley-protocol/parley/protocol/decimal"
	"github.com/parley-protocol/parley/protocol/record"
)

// agree brings two sides to an agreement.
func (w *world) agree(customer, seller *side) *record.Record {
	w.t.Helper()
	offer := seller.offer(customer.request(1), "100", time.Hour)
	if err := customer.accept(offer, false); err != nil {
		w.t.Fatal(err)
	}
	customer.phase(offer, deal.PhaseAgreed)
	seller.phase(offer, deal.PhaseAgreed)
	return offer
}

func (s *side) after(offer *record.Record) []*record.Record {
	d, ok := s.Book().Deal(dealID(offer))
	if !ok {
		return nil
	}
	return d.After
}

func TestAfterTheAgreement(t *testing.T) {
	w := newWorld(t)
	customer, seller := w.node("customer"), w.node("seller")
	offer := w.agree(customer, seller)
	id := dealID(offer)

	sent, err := seller.SayOrder(t.Context(), id, record.OrderEvent{OrderStatus: protocol.OrderStatusDispatched, TrackingURL: "https://example.com/1"})
	if err != nil {
		t.Fatal(err)
	}
	customer.has(sent)
	receipt, err := seller.GiveReceipt(t.Context(), id, record.Receipt{Identifier: "2026-1"})
	if err != nil {
		t.Fatal(err)
	}
	customer.has(receipt)
	if r := receipt.Body().(*record.Receipt); r.TotalPrice.String() != "100" || r.PriceCurrency != "EUR" || r.OrderDate != customer.state(offer).Confirmation.Header().At {
		t.Errorf("receipt %+v", r)
	}
	paid, err := customer.SayOrder(t.Context(), id, record.OrderEvent{
		OrderStatus: protocol.OrderStatusPaid, Payment: &record.Payment{PriceCurrency: "EUR", Price: decimal.MustParse("100")},
	})
	if err != nil {
		t.Fatal(err)
	}
	seller.has(paid)
	outcome, err := customer.SayOutcome(t.Context(), id, record.Outcome{Result: protocol.OutcomeFulfilled})
	if err != nil {
		t.Fatal(err)
	}
	seller.has(outcome)
	w.quiet(customer, seller)

	customer, seller = customer.again(), seller.again()
	for _, s := range []*side{customer, seller} {
		if got := len(s.after(offer)); got != 4 {
			t.Errorf("%s keeps %d records, want 4", s.name, got)
		}
		if st := s.state(offer); st.Phase != deal.PhaseAgreed || len(st.Misfits) > 0 {
			t.Errorf("%s: %s, %d misfits", s.name, st.Phase, len(st.Misfits))
		}
	}
}

func TestNothingIsSaidWithoutAnAgreement(t *testing.T) {
	w := newWorld(t)
	customer, seller := w.node("customer"), w.node("seller")
	open := seller.offer(customer.request(1), "100", time.Hour)
	customer.has(open)
	for _, s := range []*side{customer, seller} {
		_, err := s.SayOrder(t.Context(), dealID(open), record.OrderEvent{OrderStatus: protocol.OrderStatusProblem})
		wants(t, err, protocol.CodeNotPermitted)
		_, err = s.SayOutcome(t.Context(), dealID(open), record.Outcome{Result: protocol.OutcomeFulfilled})
		wants(t, err, protocol.CodeNotPermitted)
	}
	_, err := customer.Introduce(t.Context(), dealID(open))
	wants(t, err, protocol.CodeNotPermitted)

	agreed := w.agree(customer, seller)
	_, err = customer.GiveReceipt(t.Context(), dealID(agreed), record.Receipt{})
	wants(t, err, protocol.CodeNotPermitted)
	_, err = seller.Introduce(t.Context(), dealID(agreed))
	wants(t, err, protocol.CodeNotFound)
}

// What one side says is bounded, and the deal goes on.
func TestFollowUpsAreBounded(t *testing.T) {
	w := newWorld(t)
	customer, seller := w.node("customer"), w.node("seller")
	offer := w.agree(customer, seller)
	var last *record.Record
	for range maxFollowUps {
		var err error
		if last, err = seller.SayOrder(t.Context(), dealID(offer), record.OrderEvent{OrderStatus: protocol.OrderStatusProcessing}); err != nil {
			t.Fatal(err)
		}
		w.clock.Add(1) // the same words within a second are the same record
	}
	_, err := seller.SayOrder(t.Context(), dealID(offer), record.OrderEvent{OrderStatus: protocol.OrderStatusProcessing})
	wants(t, err, protocol.CodeOverQuota)
	customer.has(last)
	paid, err := customer.SayOrder(t.Context(), dealID(offer), record.OrderEvent{OrderStatus: protocol.OrderStatusPaid})
	if err != nil {
		t.Fatal(err)
	}
	seller.has(paid)
}

func TestRelationship(t *testing.T) {
	w := newWorld(t)
	customer, seller, other := w.node("customer"), w.node("seller"), w.node("other")
	for _, s := range []*side{seller, other} {
		if _, err := s.SetProfile(t.Context(), record.Profile{Name: s.name, Category: []string{"cpv:39112000"}, Markets: []string{market}}); err != nil {
			t.Fatal(err)
		}
		customer.until("the profile came by", func() bool { _, err := customer.profileOf(t.Context(), s.did()); return err == nil })
	}
	known := map[crypto.DID]bool{}
	for _, s := range []*side{seller, other} {
		offer := w.agree(customer, s)
		intro, err := customer.Introduce(t.Context(), dealID(offer))
		if err != nil {
			t.Fatal(err)
		}
		if same, err := customer.Introduce(t.Context(), dealID(offer)); err != nil || same.ID() != intro.ID() {
			t.Errorf("introduced twice: %v", err)
		}
		s.has(intro)
		known[s.Customer(offer.Body().(*record.Offer).Deal.Intent)] = true
	}
	if len(known) != 2 || known[""] {
		t.Errorf("two sellers know the customer as %v", known)
	}
	if rs := seller.Relationships(); len(rs) != 1 || rs[0].Own || len(rs[0].Deals) != 1 || !known[rs[0].DID] {
		t.Errorf("the seller's relationships %+v", rs)
	}

	// The next request says who asks, to each of them alone.
	rec, err := customer.PublishIntent(t.Context(), IntentRequest{Introduce: true, To: []crypto.DID{seller.did(), other.did()}, Intent: record.Intent{
		Name: "Two more chairs", Category: []string{"cpv:39112000"}, ItemOffered: []record.DemandItem{{Name: "Chair"}}, ValidUntil: w.clock.Load() + 86400,
	}})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []*side{seller, other} {
		s.until("the customer is known", func() bool { return s.Customer(rec.ID()) != "" })
		rs := s.Relationships()
		if len(rs) != 1 || len(rs[0].Intents) != 2 {
			t.Errorf("%s: relationships %+v", s.name, rs)
		}
	}
	if rs := customer.Relationships(); len(rs) != 2 || !rs[0].Own || len(rs[0].Intents) != 2 {
		t.Errorf("the customer's relationships %+v", rs)
	}
	if rec.Header().By == "" || slices.ContainsFunc(customer.Relationships(), func(r Relationship) bool { return r.DID == rec.Header().By }) {
		t.Error("the request is signed by a relationship's key")
	}

	// It waits as a stranger's request does, and stays once it is answered.
	seller = seller.again()
	if seller.Customer(rec.ID()) == "" || seller.Book().InLedger(rec.ID()) {
		t.Error("the introduction is gone, or the request is kept before it is answered")
	}
	seller.offer(rec, "20", time.Hour)
	seller = seller.again()
	if seller.Customer(rec.ID()) == "" || !seller.Book().InLedger(seller.Book().Introductions(rec.ID())[0].ID()) {
		t.Error("the introduction isn't kept with the offer")
	}
	w.sleep(30 * 24 * time.Hour)
	other.forget(t.Context())
	if other.Customer(rec.ID()) != "" {
		t.Error("an unanswered introduction outlives its request")
	}
}
