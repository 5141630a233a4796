package desk

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/ipfs/go-cid"
	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/deal"
	"github.com/parley-protocol/parley/protocol/proof"
	"github.com/parley-protocol/parley/protocol/record"
)

func TestAgreementAndNotice(t *testing.T) {
	w := newWorld(t)
	customer, seller, loser := w.node("customer"), w.node("seller"), w.node("loser")
	intent := customer.request(1)
	good, dear := seller.offer(intent, "100", time.Hour), loser.offer(intent, "120", time.Hour)
	customer.has(dear)
	if err := customer.accept(good, false); err != nil {
		t.Fatal(err)
	}
	customer.phase(good, deal.PhaseAgreed)
	seller.phase(good, deal.PhaseAgreed)
	loser.phase(dear, deal.PhaseVoided)
	customer.phase(dear, deal.PhaseVoided)
	w.same(good, customer, seller)
	w.same(dear, customer, loser)
	notice := loser.state(dear).Asks[0].Body().(*record.AwardNotice)
	if notice.Reason != protocol.ReasonPrice || notice.OffersReceived != 2 {
		t.Errorf("notice %+v", notice)
	}
	var proofs [2]bytes.Buffer
	for i, s := range []*side{customer, seller} {
		_, recs, err := s.DealRecords(dealID(good))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := proof.WriteDeal(&proofs[i], recs[0], recs[1:]); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(proofs[0].Bytes(), proofs[1].Bytes()) {
		t.Error("the two sides' proofs differ")
	}
}

func TestCancelBeforeAcceptance(t *testing.T) {
	w := newWorld(t)
	customer, seller := w.node("customer"), w.node("seller")
	offer := seller.offer(customer.request(1), "100", time.Hour)
	customer.has(offer)
	if _, err := customer.CancelDeal(t.Context(), dealID(offer), protocol.ReasonChangedMind); err != nil {
		t.Fatal(err)
	}
	wants(t, customer.accept(offer, false), protocol.CodeDealClosed)
	customer.phase(offer, deal.PhaseVoided)
	w.same(offer, customer, seller)
	_, err := customer.CancelDeal(t.Context(), dealID(offer), protocol.ReasonChangedMind)
	wants(t, err, protocol.CodeDealClosed)
	_, err = seller.CancelDeal(t.Context(), dealID(offer), protocol.ReasonChangedMind)
	wants(t, err, protocol.CodeNotFound)
}

// The seller hears of the acceptance and the cancel at once: nobody is held to
// what they took back before it was confirmed, and the award is free again.
func TestCancelWhilePending(t *testing.T) {
	w := newWorld(t)
	customer, seller, other := w.node("customer"), w.node("seller"), w.node("other")
	intent := customer.request(1)
	offer, second := seller.offer(intent, "100", time.Hour), other.offer(intent, "90", time.Hour)
	customer.has(offer)
	customer.has(second)
	w.set(func() { w.lost = true })
	if err := customer.accept(offer, false); err != nil {
		t.Fatal(err)
	}
	if _, err := customer.CancelDeal(t.Context(), dealID(offer), protocol.ReasonPrice); err != nil {
		t.Fatal(err)
	}
	customer.phase(offer, deal.PhasePending)
	wants(t, customer.accept(second, false), protocol.CodeAwardsExhausted)
	w.set(func() { w.lost = false })
	customer.until("a decision is there", func() bool { return customer.state(offer).Phase.Final() })
	w.same(offer, customer, seller)
	switch phase := customer.state(offer).Phase; phase {
	case deal.PhaseVoided:
		if err := customer.accept(second, false); err != nil {
			t.Errorf("the award wasn't given back: %v", err)
		}
	case deal.PhaseAgreed: // the acceptance went first; that is lawful too
		if customer.accept(second, false) == nil {
			t.Error("one award, two acceptances")
		}
	default:
		t.Errorf("phase %s", phase)
	}
}

func TestDeclineAndSecondOffer(t *testing.T) {
	w := newWorld(t)
	customer, seller := w.node("customer"), w.node("seller")
	intent := customer.request(1)
	first := seller.offer(intent, "100", time.Hour)
	second := seller.offer(intent, "80", time.Hour)
	if n := second.Body().(*record.Offer).Number; n != 2 {
		t.Errorf("number %d", n)
	}
	customer.has(first)
	customer.has(second)
	if _, err := customer.DeclineOffer(t.Context(), first.ID(), protocol.ReasonPrice); err != nil {
		t.Fatal(err)
	}
	seller.phase(first, deal.PhaseVoided)
	customer.phase(first, deal.PhaseVoided)
	w.same(second, customer, seller)
	_, err := seller.tryOffer(intent, "70", time.Hour)
	wants(t, err, protocol.CodeDealClosed)
	// The void opens the next round, once the customer asks for it.
	again := func() (*record.Record, error) {
		p := second.Body().(*record.Offer)
		return seller.MakeOffer(t.Context(), OfferRequest{Intent: intent.ID(), Round: 2, Offer: record.Offer{
			ItemOffered: p.ItemOffered, PriceCurrency: p.PriceCurrency, TotalPrice: p.TotalPrice, ValidUntil: p.ValidUntil,
		}})
	}
	_, err = again()
	wants(t, err, protocol.CodeNotPermitted)
	asked, err := customer.AskRound(t.Context(), NextRoundRequest{Deal: dealID(first)})
	if err != nil {
		t.Fatal(err)
	}
	seller.has(asked.State.NextRounds[0])
	next, err := again()
	if err != nil {
		t.Fatal(err)
	}
	if err := customer.accept(next, false); err != nil {
		t.Fatal(err)
	}
	customer.phase(next, deal.PhaseAgreed)
	w.same(next, customer, seller)
}

func TestWithdrawalIsSeenBySellers(t *testing.T) {
	w := newWorld(t)
	customer, dealer, bystander := w.node("customer"), w.node("dealer"), w.node("bystander")
	intent := customer.request(1)
	dealer.offer(intent, "100", time.Hour)
	bystander.until("the request is there", func() bool { return bystander.Known(intent.ID()) })
	rec, err := customer.WithdrawIntent(t.Context(), intent.ID(), protocol.ReasonBought)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := customer.WithdrawIntent(t.Context(), intent.ID(), protocol.ReasonBought); err != nil || again != rec {
		t.Errorf("withdrawn twice: %v", err)
	}
	for _, s := range []*side{dealer, bystander} {
		s.until("it is withdrawn", func() bool { return s.Gone(intent) })
		_, err := s.tryOffer(intent, "90", time.Hour)
		wants(t, err, protocol.CodeWithdrawn)
	}
	dealer.until("it is kept", func() bool { return dealer.Book().InLedger(rec.ID()) })
	if bystander.Book().Has(rec.ID()) {
		t.Error("a bystander keeps it for good")
	}
	_, err = dealer.WithdrawIntent(t.Context(), intent.ID(), protocol.ReasonBought)
	wants(t, err, protocol.CodeNotFound)
}

func TestLateAcceptanceVoidsTheDeal(t *testing.T) {
	w := newWorld(t)
	customer, seller := w.node("customer"), w.node("seller")
	intent := customer.request(1)
	offer, firm := seller.offer(intent, "100", time.Minute), seller.offer(intent, "120", 10*time.Hour)
	customer.has(firm)
	w.set(func() { w.lost = true })
	if err := customer.accept(offer, false); err != nil {
		t.Fatal(err)
	}
	w.sleep(2 * time.Minute)
	if s := customer.state(offer); !s.InDoubt(w.clock.Load()) || !s.TakesAward {
		t.Error("the deal is in doubt, and takes its award")
	}
	w.set(func() { w.lost = false })
	customer.phase(offer, deal.PhaseVoided)
	if reason := customer.state(offer).Void.Body().(*record.Void).Reason; reason != protocol.ReasonOfferExpired {
		t.Errorf("void for %s", reason)
	}
	w.same(offer, customer, seller)
}

func TestExpiredOfferIsRefused(t *testing.T) {
	w := newWorld(t)
	customer, seller := w.node("customer"), w.node("seller")
	intent := customer.request(1)
	offer := seller.offer(intent, "100", time.Minute)
	customer.has(offer)
	w.quiet(seller)
	w.sleep(2 * time.Minute)
	wants(t, customer.accept(offer, false), protocol.CodeOfferExpired)
	customer.forget(t.Context())
	if customer.Book().Has(offer.ID()) || len(customer.Book().Deals()) != 0 {
		t.Error("a stranger's offer that has had its time is still kept")
	}
	w.sleep(48 * time.Hour)
	_, err := seller.tryOffer(intent, "90", time.Hour)
	wants(t, err, protocol.CodeExpired)
}

func TestAwards(t *testing.T) {
	w := newWorld(t)
	customer := w.node("customer")
	intent := customer.request(2)
	var offers []*record.Record
	for i := range 3 {
		offers = append(offers, w.node(fmt.Sprint("seller ", i)).offer(intent, "100", time.Hour))
	}
	for _, o := range offers {
		customer.has(o)
	}
	w.set(func() { w.silenced = true })
	for _, o := range offers[:2] {
		if err := customer.accept(o, false); err != nil {
			t.Fatal(err)
		}
	}
	wants(t, customer.accept(offers[2], false), protocol.CodeAwardsExhausted)
	if err := customer.accept(offers[2], true); err != nil {
		t.Fatal(err)
	}
	wants(t, customer.accept(offers[2], true), protocol.CodeAlreadyAccepted)
	w.set(func() { w.silenced = false })
	for _, o := range offers {
		customer.phase(o, deal.PhaseAgreed)
	}
}

//spec:shows INT-19 SEAL-4
func TestSealedRequest(t *testing.T) {
	w := newWorld(t)
	customer, seller, other := w.node("customer"), w.node("seller"), w.node("other")
	for _, s := range []*side{seller, other} {
		if _, err := s.SetProfile(t.Context(), record.Profile{Name: s.name, Category: []string{"cpv:39112000"}, Markets: []string{market}}); err != nil {
			t.Fatal(err)
		}
		customer.until("the profile came by", func() bool { _, err := customer.profileOf(t.Context(), s.did()); return err == nil })
	}
	intent := customer.request(1, seller.did(), other.did())
	for _, s := range []*side{seller, other} {
		s.has(intent)
		if in, ok := s.Book().Intent(intent.ID()); !ok || !in.Waiting || s.Book().InLedger(intent.ID()) {
			t.Errorf("%s keeps it for good before it answers", s.name)
		}
	}
	w.quiet(customer)
	dl, err := other.DeclineIntent(t.Context(), intent.ID(), protocol.ReasonOutOfStock)
	if err != nil {
		t.Fatal(err)
	}
	void := dl.State.Void
	customer.has(void)
	if customer.Book().InLedger(void.ID()) {
		t.Error("a stranger's void is in the ledger")
	}
	offer := seller.offer(intent, "100", time.Hour)
	if err := customer.accept(offer, false); err != nil {
		t.Fatal(err)
	}
	customer.phase(offer, deal.PhaseAgreed)
	w.same(offer, customer, seller)
	_, err = customer.tryOffer(intent, "1", time.Hour)
	wants(t, err, protocol.CodeNotPermitted)
	_, err = customer.DeclineIntent(t.Context(), intent.ID(), protocol.ReasonOutOfStock)
	wants(t, err, protocol.CodeNotPermitted)
}

func TestSealedRequestIsWithdrawn(t *testing.T) {
	w := newWorld(t)
	customer, seller := w.node("customer"), w.node("seller")
	if _, err := seller.SetProfile(t.Context(), record.Profile{Name: "s", Category: []string{"cpv:39112000"}, Markets: []string{market}}); err != nil {
		t.Fatal(err)
	}
	customer.until("the profile came by", func() bool { _, err := customer.profileOf(t.Context(), seller.did()); return err == nil })
	intent := customer.request(1, seller.did())
	seller.has(intent)
	entries := seller.ledger.Len()
	if _, err := customer.WithdrawIntent(t.Context(), intent.ID(), protocol.ReasonOther); err != nil {
		t.Fatal(err)
	}
	w.quiet(customer)
	seller = seller.again()
	if seller.Known(intent.ID()) || seller.ledger.Len() != entries {
		t.Errorf("known %v, %d entries more", seller.Known(intent.ID()), seller.ledger.Len()-entries)
	}
	_, err := seller.tryOffer(intent, "100", time.Hour)
	wants(t, err, protocol.CodeNotFound)
	if len(seller.Book().Intents()) != 0 {
		t.Error("the request is still there")
	}
}

// Both sides restart after every step; the story goes on.
func TestRestarts(t *testing.T) {
	w := newWorld(t)
	customer, seller := w.node("customer"), w.node("seller")
	again := func() { customer, seller = customer.again(), seller.again() }
	intent := customer.request(1)
	again()
	offer := seller.offer(intent, "100", time.Hour)
	again()
	customer.has(offer)
	again()
	if err := customer.accept(offer, false); err != nil {
		t.Fatal(err)
	}
	again()
	customer.phase(offer, deal.PhaseAgreed)
	again()
	w.same(offer, customer, seller)
	again()
	if s := customer.state(offer); s.Phase != deal.PhaseAgreed || len(s.Evidence) != 0 {
		t.Errorf("%s", s.Phase)
	}
}

func TestBlocked(t *testing.T) {
	w := newWorld(t)
	customer, seller, pest := w.node("customer"), w.node("seller"), w.node("pest")
	intent := customer.request(1)
	block := func(s *side) {
		t.Helper()
		if err := customer.SetContact(t.Context(), Contact{DID: s.did(), Blocked: true}); err != nil {
			t.Fatal(err)
		}
	}
	block(pest)
	annoying := pest.offer(intent, "1", time.Hour)
	offer := seller.offer(intent, "100", time.Hour)
	customer.has(offer)
	w.quiet(seller)
	if customer.Book().Has(annoying.ID()) {
		t.Error("the offer of somebody who is blocked came through")
	}
	// What was begun is brought to its end.
	w.set(func() { w.lost = true })
	if err := customer.accept(offer, false); err != nil {
		t.Fatal(err)
	}
	block(seller)
	w.set(func() { w.lost = false })
	customer.phase(offer, deal.PhaseAgreed)
	w.same(offer, customer, seller)
}

func TestFilesInsteadOfNetwork(t *testing.T) {
	w := newWorld(t)
	customer, seller, bystander := w.node("customer"), w.node("seller"), w.node("bystander")
	w.set(func() { w.lost = true })
	intent := customer.request(1)
	offer := seller.offer(intent, "100", time.Hour)
	bring := func(rec *record.Record, from, to *side) {
		t.Helper()
		token, envelope, err := from.SealForFile(t.Context(), rec)
		if err != nil {
			t.Fatal(err)
		}
		_, err = bystander.OpenDeposit(t.Context(), token, envelope)
		wants(t, err, protocol.CodeSealOpenFailed)
		if got, err := to.OpenDeposit(t.Context(), token, envelope); err != nil || got.ID() != rec.ID() {
			t.Fatalf("%v", err)
		}
	}
	bring(offer, seller, customer)
	if err := customer.accept(offer, false); err != nil {
		t.Fatal(err)
	}
	bring(customer.state(offer).Acceptance, customer, seller)
	bring(seller.state(offer).Confirmation, seller, customer)
	if p := customer.state(offer).Phase; p != deal.PhaseAgreed {
		t.Errorf("%s", p)
	}
	_, _, err := customer.SealForFile(t.Context(), intent)
	wants(t, err, protocol.CodeUsage)
}

func dealID(rec *record.Record) cid.Cid {
	key, _ := rec.Deal()
	return key.ID()
}
