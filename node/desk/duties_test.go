package desk

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/ipfs/go-cid"

	"github.com/parley-protocol/parley/crypto"
	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/deal"
	"github.com/parley-protocol/parley/protocol/record"
	"github.com/parley-protocol/parley/protocol/record/recordtest"
)

// Nothing in what a person signs joins two of their requests, or two of a
// seller's deals.
//
//spec:shows SEAL-3 INT-1
func TestNothingJoinsTwoRequests(t *testing.T) {
	w := newWorld(t)
	customer, seller := w.node("customer"), w.node("seller")
	tokens, keys, authors := map[[32]byte]bool{}, map[string]bool{}, map[crypto.DID]bool{}
	const requests = 3
	for range requests {
		intent := customer.request(1)
		offer := seller.offer(intent, "100", time.Hour)
		if err := customer.accept(offer, false); err != nil {
			t.Fatal(err)
		}
		acceptance := customer.state(offer).Acceptance
		for rec, suite := range map[*record.Record]crypto.Suite{
			intent: crypto.SuiteX25519, offer: crypto.SuiteMLKEM768X25519, acceptance: crypto.SuiteMLKEM768X25519,
		} {
			rt := replyTo(t, rec)
			tokens[rt.Token], keys[string(rt.Key)] = true, true
			if rt.Suite != suite {
				t.Errorf("a %s asks for suite %d, want %d", rec.Type(), rt.Suite, suite)
			}
		}
		authors[intent.Header().By] = true
	}
	if len(tokens) != 3*requests || len(keys) != 3*requests || len(authors) != requests || authors[customer.did()] {
		t.Errorf("%d requests have %d tokens, %d keys and %d authors", requests, len(tokens), len(keys), len(authors))
	}
}

//spec:shows SEAL-4
func TestNewestAddressIsUsed(t *testing.T) {
	d := recordtest.NewDeal(t, "addresses")
	at := int64(recordtest.Now)
	offer := func(at int64, where string) *record.Record {
		return recordtest.Offer(t, d.Vendor, d.Intent, recordtest.At[record.Offer](at), func(_ *record.Header, o *record.Offer) {
			o.ReplyTo = recordtest.NewParty(where).ReplyTo(t)
		})
	}
	// Two of the same second: the higher ID counts.
	recs := []*record.Record{offer(at, "old"), offer(at+2, "a"), offer(at+2, "b"), offer(at+1, "between"), d.Acceptance,
		recordtest.Cancel(t, d.Customer, d.Key, recordtest.At[record.Cancel](at+9))}
	want := recs[1]
	if slices.Compare(recs[2].ID().Bytes(), want.ID().Bytes()) > 0 {
		want = recs[2]
	}
	for range 20 {
		rand.Shuffle(len(recs), func(i, j int) { recs[i], recs[j] = recs[j], recs[i] })
		if got, ok := newestReplyTo(recs, d.Vendor.DID()); !ok || got.Token != replyTo(t, want).Token {
			t.Fatalf("%x of %v", got.Token, recs)
		}
	}
	// A customer that came back, with a clock behind that of its acceptance.
	fresh := recordtest.NewParty("fresh").ReplyTo(t)
	back := []*record.Record{d.Acceptance, recordtest.Cancel(t, d.Customer, d.Key, recordtest.At[record.Cancel](d.Acceptance.Header().At-60),
		func(_ *record.Header, c *record.Cancel) { c.Reason, c.ReplyTo = protocol.ReasonRecovered, &fresh })}
	if got, ok := newestReplyTo(back, d.Customer.DID()); !ok || got.Token != fresh.Token {
		t.Error("the address that was lost")
	}
	if _, ok := newestReplyTo(recs, recordtest.NewParty("another").DID()); ok {
		t.Error("an address of somebody who said nothing")
	}
}

// With a disk that takes nothing, nobody is told that it has.
//
//spec:shows SEAL-12
func TestNoReceiptBeforeTheDisk(t *testing.T) {
	w := newWorld(t)
	customer, seller := w.node("customer"), w.node("seller")
	intent := customer.request(1)
	offer := seller.offer(intent, "100", time.Hour)
	customer.has(offer)
	w.quiet(seller)

	refused := make(chan struct{}, 64)
	thanks := map[[32]byte][][]byte{}
	w.set(func() {
		w.left = func(token [32]byte, envelope []byte) { thanks[token] = append(thanks[token], envelope) }
		w.write = func(name string) error {
			if name != "seller" {
				return nil
			}
			refused <- struct{}{}
			return protocol.Errorf(protocol.CodeDiskFull, "", "full")
		}
	})
	if err := customer.accept(offer, false); err != nil {
		t.Fatal(err)
	}
	acceptance := customer.state(offer).Acceptance
	own := replyTo(t, offer).Token
	for range 5 {
		<-refused
		w.set(func() {
			for token, envelopes := range thanks {
				if token != own {
					t.Errorf("%d messages for the customer while the seller's disk takes nothing", len(envelopes))
				}
			}
		}) // and the mailbox hands it out again
	}
	if seller.Book().Has(acceptance.ID()) {
		t.Error("the seller has it without its disk")
	}
	w.set(func() { w.write = nil })
	customer.phase(offer, deal.PhaseAgreed)
	w.quiet(customer, seller)

	// Whoever signs a receipt is who it is in the deal.
	open := func(s *side, address *record.Record, by crypto.DID, about cid.Cid) {
		t.Helper()
		addr, ok := s.Book().Address(replyTo(t, address).Token)
		if !ok {
			t.Fatal("no such address")
		}
		seed, err := s.keys.Get(addr.Seed)
		if err != nil {
			t.Fatal(err)
		}
		w.mu.Lock()
		envelopes := slices.Clone(thanks[replyTo(t, address).Token])
		w.mu.Unlock()
		found := false
		for _, envelope := range envelopes {
			payload, err := seed.Open(envelope)
			if err != nil {
				t.Fatal(err)
			}
			bundle, err := record.DecodeBundle(payload)
			if err != nil {
				t.Fatal(err)
			}
			main := bundle[len(bundle)-1]
			if receipt, ok := main.Body().(*record.DeliveryReceipt); ok {
				found = found || slices.Contains(receipt.Records, about)
				if main.Header().By != by {
					t.Errorf("%s signed the receipt, want %s", main.Header().By, by)
				}
			}
		}
		if !found {
			t.Errorf("no receipt for %s", about)
		}
	}
	open(customer, acceptance, seller.did(), acceptance.ID())
	open(seller, offer, intent.Header().By, seller.state(offer).Confirmation.ID())
}

//spec:shows SEAL-14
func TestReceiptsAgainAndNeverForReceipts(t *testing.T) {
	w := newWorld(t)
	customer := w.node("customer")
	intent := customer.request(1)
	offer := strangersOffer(t, w, "stranger", intent)
	left := make(chan [32]byte, 64)
	w.set(func() { w.left = func(token [32]byte, _ []byte) { left <- token } })
	for i := range 3 {
		receipt := recordtest.DeliveryReceipt(t, recordtest.NewParty("stranger"), intent)
		if err := send(t, customer, replyTo(t, intent), receipt); err != nil {
			t.Fatal(err)
		}
		if err := send(t, customer, replyTo(t, intent), offer); err != nil {
			t.Fatal(err)
		}
		if token := <-left; token != replyTo(t, offer).Token {
			t.Errorf("time %d: the receipt went to %x", i, token)
		}
	}
	if len(left) != 0 {
		t.Errorf("%d messages more than offers came", len(left))
	}
}

//spec:shows TERMS-4
func TestTermsOfARequestWithoutAny(t *testing.T) {
	w := newWorld(t)
	customer := w.node("customer")
	terms := customer.request(1).Body().(*record.Intent).Terms
	if len(terms) != 1 || terms[0] != (record.TermsRef{Roster: "PDC-INTENT"}) {
		t.Errorf("%v", terms)
	}
	_, err := customer.PublishIntent(t.Context(), IntentRequest{Intent: record.Intent{
		Market: market, Name: "Chairs", Category: []string{"cpv:39112000"}, ItemOffered: []record.DemandItem{{Name: "Chair"}},
		ValidUntil: w.clock.Load() + 86400, Terms: []record.TermsRef{{Roster: "MY-OWN"}},
	}})
	wants(t, err, protocol.CodeUnknownAgreement)
}

// One acceptance is under way when the request is withdrawn, one comes after it.
//
//spec:shows INT-16
func TestWithdrawalEndsNoDeal(t *testing.T) {
	w := newWorld(t)
	customer, early, late := w.node("customer"), w.node("early"), w.node("late")
	intent := customer.request(2)
	offers := []*record.Record{early.offer(intent, "100", time.Hour), late.offer(intent, "90", time.Hour)}
	customer.has(offers[0])
	customer.has(offers[1])
	w.set(func() { w.lost = true })
	if err := customer.accept(offers[0], false); err != nil {
		t.Fatal(err)
	}
	if _, err := customer.WithdrawIntent(t.Context(), intent.ID(), protocol.ReasonBought); err != nil {
		t.Fatal(err)
	}
	for _, s := range []*side{early, late} {
		s.until("it is withdrawn", func() bool { return s.Gone(intent) })
	}
	if err := customer.accept(offers[1], false); err != nil {
		t.Fatal(err)
	}
	w.set(func() { w.lost = false })
	for i, s := range []*side{early, late} {
		customer.phase(offers[i], deal.PhaseAgreed)
		s.phase(offers[i], deal.PhaseAgreed)
		w.same(offers[i], customer, s)
	}
}
