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

func TestAssertions(t *testing.T) {
	w := newWorld(t)
	customer, seller, other := w.node("customer"), w.node("seller"), w.node("other")
	bought := w.agree(customer, seller)
	w.agree(customer, other)
	first, err := customer.Assert(t.Context(), &record.Preference{Name: "Packaging", Value: record.PreferenceValue{Text: "none"}})
	if err != nil {
		t.Fatal(err)
	}
	_, err = customer.ShareAssertion(t.Context(), first.ID(), seller.did())
	wants(t, err, protocol.CodeNotPermitted) // it doesn't know who that is
	for _, offer := range []*record.Record{bought, customer.state(customer.dealsWith(other.did())[0].Records[0]).Offers[0]} {
		if _, err := customer.Introduce(t.Context(), dealID(offer)); err != nil {
			t.Fatal(err)
		}
	}
	w.quiet(customer)

	var authors []crypto.DID
	for _, s := range []*side{seller, other} {
		shared, err := customer.ShareAssertion(t.Context(), first.ID(), s.did())
		if err != nil {
			t.Fatal(err)
		}
		if same, err := customer.ShareAssertion(t.Context(), first.ID(), s.did()); err != nil || same.ID() != shared.ID() {
			t.Errorf("shared twice: %v", err)
		}
		s.has(shared)
		authors = append(authors, shared.Header().By)
	}
	if authors[0] == authors[1] || slices.Contains(authors, first.Header().By) {
		t.Errorf("copies by %v of one by %s", authors, first.Header().By)
	}
	w.quiet(customer)

	second, err := customer.Assert(t.Context(), &record.Preference{Name: "Packaging", Value: record.PreferenceValue{Text: "paper"}, Supersedes: first.ID()})
	if err != nil {
		t.Fatal(err)
	}
	if second.Header().By != first.Header().By {
		t.Error("a successor by another key")
	}
	_, err = customer.Assert(t.Context(), &record.Membership{ProgramName: "Library", Supersedes: first.ID()})
	wants(t, err, protocol.CodeUsage)
	shared, err := customer.ShareAssertion(t.Context(), second.ID(), seller.did())
	if err != nil {
		t.Fatal(err)
	}
	seller.has(shared)
	if got := seller.Assertions(); len(got) != 2 || got[0].Record.ID() != shared.ID() || got[0].SupersededBy.Defined() || got[1].SupersededBy != shared.ID() {
		t.Errorf("the seller has %+v", got)
	}
	if got := customer.SharedWith(second.ID()); !slices.Equal(got, []crypto.DID{seller.did()}) {
		t.Errorf("shared with %v", got)
	}

	// A history names the agreement that the seller has too.
	h, err := customer.History(dealID(bought))
	if err != nil {
		t.Fatal(err)
	}
	if len(h.Transactions) != 1 || h.Transactions[0].Agreement != seller.state(bought).Agreement {
		t.Errorf("history %+v", h)
	}
	_, err = seller.History()
	wants(t, err, protocol.CodeNotFound)

	// A seller makes its customer a member, who keeps that.
	member, err := seller.IssueMembership(t.Context(), dealID(bought), record.Membership{ProgramName: "Friends of the chair"})
	if err != nil {
		t.Fatal(err)
	}
	customer.has(member)
	w.quiet(seller)
	if m := member.Body().(*record.Membership); m.Member != authors[0] {
		t.Errorf("%s is a member, want %s", m.Member, authors[0])
	}
	if customer.Book().InLedger(member.ID()) {
		t.Error("it is kept before anybody asked")
	}
	if err := customer.KeepAssertion(t.Context(), member.ID()); err != nil {
		t.Fatal(err)
	}
	customer = customer.again()
	if !customer.Book().InLedger(member.ID()) {
		t.Error("it isn't kept")
	}
	seller = seller.again()
	if got := seller.Assertions(); len(got) != 3 {
		t.Errorf("%d assertions after a restart, want 3", len(got))
	}
	w.sleep(200 * 24 * time.Hour)
	seller.forget(t.Context())
	if seller.again().Book().Has(shared.ID()) {
		t.Error("what nobody kept is there after its time")
	}
}

// Nobody but those whom one has dealt with leaves assertions.
//
//spec:shows INT-33
func TestStrangersAssertNothing(t *testing.T) {
	w := newWorld(t)
	customer, seller, stranger := w.node("customer"), w.node("seller"), w.node("stranger")
	offer := w.agree(customer, seller)
	rec, err := record.Sign(stranger.header(), &record.Preference{Name: "x", Value: record.PreferenceValue{Text: "y"}}, stranger.keys.Identity().Persona())
	if err != nil {
		t.Fatal(err)
	}
	to := customer.state(offer).Acceptance.Body().(*record.Acceptance).ReplyTo
	payload, err := record.EncodeBundle(rec)
	if err != nil {
		t.Fatal(err)
	}
	envelope, err := crypto.Seal(to.Suite, to.Key, payload)
	if err != nil {
		t.Fatal(err)
	}
	_, err = customer.OpenDeposit(t.Context(), to.Token, envelope)
	wants(t, err, protocol.CodeDealMismatch)
	if customer.Book().Has(rec.ID()) {
		t.Error("it was taken")
	}
}
