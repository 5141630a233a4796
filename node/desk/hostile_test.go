package desk

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/parley-protocol/parley/crypto"
	"github.com/parley-protocol/parley/node/book"
	"github.com/parley-protocol/parley/node/event"
	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/deal"
	"github.com/parley-protocol/parley/protocol/record"
	"github.com/parley-protocol/parley/protocol/record/recordtest"
)

// send seals a bundle to an address and leaves it there; it returns what the
// receiving desk makes of it.
func send(t *testing.T, to *side, rt record.ReplyTo, recs ...*record.Record) error {
	t.Helper()
	payload, err := record.EncodeBundle(recs...)
	if err != nil {
		t.Fatal(err)
	}
	envelope, err := crypto.Seal(rt.Suite, rt.Key, payload)
	if err != nil {
		t.Fatal(err)
	}
	_, err = to.OpenDeposit(t.Context(), rt.Token, envelope)
	return err
}

func replyTo(t *testing.T, rec *record.Record) record.ReplyTo {
	t.Helper()
	rt, ok := rec.ReplyTo()
	if !ok {
		t.Fatalf("a %s has no address", rec.Type())
	}
	return rt
}

// strangersOffer is made with keys that no node has.
func strangersOffer(t *testing.T, w *world, name string, intent *record.Record, opts ...recordtest.Option[record.Offer]) *record.Record {
	t.Helper()
	now := w.clock.Load()
	opts = append([]recordtest.Option[record.Offer]{recordtest.At[record.Offer](now), func(_ *record.Header, o *record.Offer) {
		o.ValidUntil = now + 3600
	}}, opts...)
	return recordtest.Offer(t, recordtest.NewParty(name), intent, opts...)
}

// Whoever knows one address of a person must not find out by it what else is
// theirs.
func TestAddressAnswersForItsOwnIntentAlone(t *testing.T) {
	w := newWorld(t)
	both, customer := w.node("both"), w.node("customer")
	profile, err := both.SetProfile(t.Context(), record.Profile{Name: "b", Category: []string{"cpv:39112000"}, Markets: []string{market}})
	if err != nil {
		t.Fatal(err)
	}
	one, two := both.request(1), both.request(1)
	both.until("the market has both", func() bool { return !both.withheld(one) && !both.withheld(two) })
	entries := both.ledger.Len()
	offer := strangersOffer(t, w, "curious", two)
	request := recordtest.NewParty("curious").Sign(t, w.clock.Load(), func() *record.Intent {
		in := *one.Body().(*record.Intent)
		in.Salt, in.Market = recordtest.Bytes32("curious"), ""
		return &in
	}())
	wants(t, send(t, both, replyTo(t, one), offer), protocol.CodeDealMismatch)
	wants(t, send(t, both, replyTo(t, profile), offer), protocol.CodeDealMismatch)
	wants(t, send(t, both, replyTo(t, one), request), protocol.CodeDealMismatch)
	wants(t, send(t, both, replyTo(t, one), recordtest.DeliveryReceipt(t, recordtest.NewParty("curious"), two)), protocol.CodeDealMismatch)
	if both.Book().Has(offer.ID()) || both.Book().Has(request.ID()) || both.ledger.Len() != entries {
		t.Error("something of it was kept")
	}
	// As a seller, too: an offer's address is for its deal.
	theirs := customer.request(1)
	mine := both.offer(theirs, "100", time.Hour)
	wants(t, send(t, both, replyTo(t, mine), request), protocol.CodeDealMismatch)
	if err := send(t, both, replyTo(t, two), offer); err != nil {
		t.Errorf("at the right address: %v", err)
	}
	if err := send(t, both, replyTo(t, profile), request); err != nil {
		t.Errorf("a request to the seller: %v", err)
	}
}

func TestReceiptsOfStrangersDontCount(t *testing.T) {
	w := newWorld(t)
	customer, seller := w.node("customer"), w.node("seller")
	intent := customer.request(1)
	offer := seller.offer(intent, "100", time.Hour)
	customer.has(offer)
	w.quiet(seller)
	w.set(func() { w.lost = true })
	if err := customer.accept(offer, false); err != nil {
		t.Fatal(err)
	}
	acceptance := customer.state(offer).Acceptance
	entries := customer.ledger.Len()
	for i := range 20 {
		stranger := recordtest.NewParty(fmt.Sprint("stranger ", i))
		if err := send(t, customer, replyTo(t, intent), recordtest.DeliveryReceipt(t, stranger, acceptance, intent)); err != nil {
			t.Fatal(err)
		}
	}
	if n := customer.ledger.Len(); n != entries {
		t.Errorf("strangers have written %d entries to the ledger", n-entries)
	}
	if len(customer.Outbox().Pending()) != 1 {
		t.Error("the acceptance counts as delivered")
	}
}

func TestStrangersDontFillTheLedger(t *testing.T) {
	w := newWorld(t)
	customer := w.node("customer")
	intent := customer.request(1)
	customer.until("the market has it", func() bool { return !customer.withheld(intent) })
	entries := customer.ledger.Len()
	at := w.clock.Load()
	for i := range 4 {
		stranger := recordtest.NewParty(fmt.Sprint("stranger ", i))
		key := record.DealKey{Intent: intent.ID(), Vendor: stranger.DID(), Round: 2}
		if err := send(t, customer, replyTo(t, intent), recordtest.Restored(t, stranger, key, recordtest.At[record.Restored](at))); err != nil {
			t.Fatal(err)
		}
	}
	var err error
	for i := range maxWaiting + 1 {
		err = send(t, customer, replyTo(t, intent), strangersOffer(t, w, "pest", intent, func(_ *record.Header, o *record.Offer) { o.Number = int64(i + 1) }))
	}
	wants(t, err, protocol.CodeOverQuota)
	if n := len(customer.state(strangersOffer(t, w, "pest", intent)).Offers); n != maxWaiting {
		t.Errorf("%d offers of one stranger wait", n)
	}
	customer.settle(t.Context(), intent.ID())
	if n := customer.ledger.Len(); n != entries {
		t.Errorf("strangers have written %d entries to the ledger", n-entries)
	}
	w.sleep(60 * 24 * time.Hour)
	customer.forget(t.Context())
	if n := len(customer.Book().Deals()); n != 0 {
		t.Errorf("%d deals of strangers are kept for good", n)
	}
}

// An honest seller that was restored is answered, once and also by a customer
// that has nothing of it but the question.
func TestRestoredSellerIsAnswered(t *testing.T) {
	w := newWorld(t)
	customer := w.node("customer")
	intent := customer.request(1)
	vendor := recordtest.NewParty("restored")
	offer := strangersOffer(t, w, "restored", intent)
	key, _ := offer.Deal()
	restored := recordtest.Restored(t, vendor, key, recordtest.At[record.Restored](w.clock.Load()))
	for range 2 {
		if err := send(t, customer, replyTo(t, intent), offer, restored); err != nil {
			t.Fatal(err)
		}
	}
	customer.phase(offer, deal.PhaseVoided)
	if s := customer.state(offer); s.CustomerVoid == nil || s.Void != nil {
		t.Errorf("state %+v", s)
	}
}

//spec:shows DEAL-30 ERR-4
func TestCustomerCantFillASellersLedger(t *testing.T) {
	w := newWorld(t)
	seller := w.node("seller")
	customer := recordtest.NewParty("hostile")
	at := w.clock.Load()
	intent := recordtest.Intent(t, customer, recordtest.At[record.Intent](at), func(_ *record.Header, in *record.Intent) {
		in.Market, in.ValidUntil = market, at+86400
	})
	withdraw := func(i int) *record.Record {
		return recordtest.Withdrawal(t, customer, intent, recordtest.At[record.Withdrawal](at+int64(i)))
	}
	w.frames = append(w.frames, frame{market, intent})
	if err := seller.JoinMarket(t.Context(), market); err != nil {
		t.Fatal(err)
	}
	offer := seller.offer(intent, "100", time.Hour)
	key, _ := offer.Deal()
	entries := seller.ledger.Len()
	for round := int64(2); round < 20; round++ {
		key.Round = round
		cancel := recordtest.Cancel(t, customer, key, recordtest.At[record.Cancel](at))
		wants(t, send(t, seller, replyTo(t, offer), cancel), protocol.CodeNotPermitted)
	}
	if n := seller.ledger.Len(); n != entries {
		t.Errorf("%d entries of rounds that never began", n-entries)
	}
	for i := range 20 {
		if err := send(t, seller, replyTo(t, offer), withdraw(i)); err != nil {
			t.Fatal(err)
		}
	}
	if n := seller.ledger.Len(); n > entries+2 { // the first one, and the answer to it
		t.Errorf("%d entries for withdrawals of one request", n-entries)
	}
	key.Round = 1
	var err error
	for i := range maxDealRecords {
		err = errors.Join(err, send(t, seller, replyTo(t, offer), recordtest.Cancel(t, customer, key, recordtest.At[record.Cancel](at+int64(i)))))
	}
	wants(t, err, protocol.CodeOverQuota)
	if d, _ := seller.Book().Deal(key.ID()); len(d.Records) > maxDealRecords {
		t.Errorf("%d records in one deal", len(d.Records))
	}
}

// A decision that the seller has lost is its own again only once the customer
// has bound itself to it.
func TestLostDecisionIsAdoptedWithHeldAlone(t *testing.T) {
	w := newWorld(t)
	seller := w.node("seller")
	customer := recordtest.NewParty("keeps it")
	at := w.clock.Load()
	intent := recordtest.Intent(t, customer, recordtest.At[record.Intent](at), func(_ *record.Header, in *record.Intent) {
		in.Market, in.ValidUntil = market, at+86400
	})
	w.frames = append(w.frames, frame{market, intent})
	if err := seller.JoinMarket(t.Context(), market); err != nil {
		t.Fatal(err)
	}
	offer := seller.offer(intent, "100", time.Hour)
	key, _ := offer.Deal()
	by := func(body record.Body) *record.Record {
		t.Helper()
		rec, err := record.Sign(seller.headerAt(at), body, seller.keys.Identity().Persona())
		if err != nil {
			t.Fatal(err)
		}
		return rec
	}
	cancel := recordtest.Cancel(t, customer, key, recordtest.At[record.Cancel](at))
	// As if the seller had said these before its backup was taken back.
	void := by(&record.Void{Deal: key, Reason: protocol.ReasonCustomerAsked, Cites: cancel.ID()})
	restored := by(&record.Restored{Deal: key, ReplyTo: replyTo(t, offer)})
	wants(t, send(t, seller, replyTo(t, offer), void), protocol.CodeMissingRecord)
	if seller.Book().Has(void.ID()) {
		t.Error("adopted without held")
	}
	held := recordtest.Held(t, customer, restored, void, recordtest.At[record.Held](at))
	if err := send(t, seller, replyTo(t, offer), restored, cancel, void, held); err != nil {
		t.Fatal(err)
	}
	if s := seller.state(offer); s.Phase != deal.PhaseVoided || s.Void.ID() != void.ID() || len(s.Evidence) != 0 {
		t.Errorf("%s", s.Phase)
	}
}

func TestImport(t *testing.T) {
	w := newWorld(t)
	customer, seller, reader := w.node("customer"), w.node("seller"), w.node("reader")
	intent := customer.request(1)
	offer := seller.offer(intent, "100", time.Hour)
	customer.has(offer)
	w.set(func() { w.lost = true })
	if err := customer.accept(offer, false); err != nil {
		t.Fatal(err)
	}
	acceptance := customer.state(offer).Acceptance
	if n, err := seller.Import(t.Context(), []*record.Record{intent, offer, acceptance}); n != 1 || err != nil {
		t.Fatalf("%d, %v", n, err)
	}
	confirmation := seller.state(offer).Confirmation
	if confirmation == nil {
		t.Fatal("an imported acceptance is decided like any other")
	}
	if n, err := customer.Import(t.Context(), []*record.Record{confirmation}); n != 1 || err != nil {
		t.Fatalf("%d, %v", n, err)
	}
	if p := customer.state(offer).Phase; p != deal.PhaseAgreed {
		t.Errorf("%s", p)
	}
	if n, err := customer.Import(t.Context(), []*record.Record{confirmation}); n != 0 || err != nil {
		t.Errorf("again: %d, %v", n, err)
	}
	// What is nobody's business here is kept as it is, of whatever type.
	alien, err := record.Sign(record.Header{At: w.clock.Load(), RetainUntil: w.clock.Load() + 100},
		&record.Opaque{Name: "someday", Fields: map[string]any{"mood": "hopeful"}}, recordtest.NewParty("later").Key)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := reader.Import(t.Context(), []*record.Record{alien, offer}); n != 2 || err != nil {
		t.Fatalf("%d, %v", n, err)
	}
	reader = reader.again()
	if got, ok := reader.Book().Record(alien.ID()); !ok || string(got.Raw()) != string(alien.Raw()) {
		t.Error("a record of an unknown type has changed")
	}
	w.sleep(1000 * 24 * time.Hour)
	_, err = w.node("late").Import(t.Context(), []*record.Record{intent})
	wants(t, err, protocol.CodeExpired)
}

// silence is a mailbox that never answers.
const silence = "silent"

// Strangers whose mailboxes don't answer hold up nobody whose deal is under way.
func TestReceiptsOfDealsUnderWayGoThrough(t *testing.T) {
	w := newWorld(t)
	customer, seller := w.node("customer"), w.node("seller")
	intent := customer.request(1)
	for i := range 3 * receiptSenders {
		stranger := strangersOffer(t, w, fmt.Sprint(silence, i), intent)
		if err := send(t, customer, replyTo(t, intent), stranger); err != nil {
			t.Fatal(err)
		}
	}
	offer := seller.offer(intent, "100", time.Hour)
	if err := customer.accept(offer, false); err != nil {
		t.Fatal(err)
	}
	customer.phase(offer, deal.PhaseAgreed)
	seller.until("the confirmation was received", func() bool {
		return seller.Book().Receipted(book.Delivery{Record: seller.state(offer).Confirmation.ID(), To: intent.Header().By})
	})
}

func TestEventsOfADeal(t *testing.T) {
	w := newWorld(t)
	customer, seller := w.node("customer"), w.node("seller")
	events, stop := customer.Watch()
	defer stop()
	offer := seller.offer(customer.request(1), "100", time.Hour)
	if err := customer.accept(offer, false); err != nil {
		t.Fatal(err)
	}
	for _, want := range []struct{ kind, typ string }{
		{event.IntentPublished, protocol.TypeIntent}, {event.OfferReceived, protocol.TypeOffer},
		{event.DealChanged, protocol.TypeAcceptance}, {event.DealChanged, protocol.TypeConfirmation},
	} {
		for {
			select {
			case e := <-events:
				if e.Kind != want.kind || e.Type != want.typ {
					continue
				}
				if e.Text == "" || e.Intent == "" || e.By == "" {
					t.Errorf("%+v", e)
				}
			case <-time.After(10 * time.Second):
				t.Fatalf("no %s of a %s", want.kind, want.typ)
			}
			break
		}
	}
}
