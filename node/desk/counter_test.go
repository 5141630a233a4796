package desk

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ipfs/go-cid"

	"github.com/parley-protocol/parley/crypto"
	"github.com/parley-protocol/parley/node/event"
	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/codec"
	"github.com/parley-protocol/parley/protocol/deal"
	"github.com/parley-protocol/parley/protocol/decimal"
	"github.com/parley-protocol/parley/protocol/record"
	"github.com/parley-protocol/parley/protocol/record/recordtest"
)

// counters answers an offer with a price.
func (s *side) counters(offer *record.Record, price string) (*record.Record, error) {
	p := decimal.MustParse(price)
	return s.Counter(s.w.t.Context(), offer.ID(), record.Counter{PriceCurrency: "EUR", TotalPrice: &p, Reason: protocol.ReasonPrice})
}

// kinds collects the kinds of event about a record until stop.
func (s *side) kinds(rec cid.Cid) (stop func() []string) {
	events, end := s.Watch()
	return func() []string {
		end()
		var out []string
		for e := range events {
			if e.Record == rec.String() {
				out = append(out, e.Kind)
			}
		}
		return out
	}
}

// An offer is answered with what the customer would accept, the seller's next
// offer answers that, and nothing of it binds before it is accepted. Both may
// stop in between, and mail may be late.
func TestCounterAndSecondOffer(t *testing.T) {
	w := newWorld(t)
	customer, seller := w.node("customer"), w.node("seller")
	intent := customer.request(1)
	first := seller.offer(intent, "100", time.Hour)
	customer.has(first)
	w.set(func() { w.lost = true })
	counter, err := customer.counters(first, "80")
	if err != nil {
		t.Fatal(err)
	}
	if until := counter.ValidUntil(); until < w.clock.Load()+int64(answerFor/time.Second) {
		t.Errorf("an answer is welcome until %d", until)
	}
	customer = customer.again()
	w.set(func() { w.lost = false })
	seller.has(counter)
	w.quiet(customer)
	seller, customer = seller.again(), customer.again()
	if st := seller.state(first); len(st.Counters) != 1 || st.Phase != deal.PhaseOpen {
		t.Fatalf("%d counters, phase %s", len(st.Counters), st.Phase)
	}
	second := seller.offer(intent, "85", time.Hour)
	if o := second.Body().(*record.Offer); o.Number != 2 || o.Counter != counter.ID() {
		t.Errorf("the second offer has the number %d and answers %s", o.Number, o.Counter)
	}
	third := seller.offer(intent, "84", time.Hour)
	if o := third.Body().(*record.Offer); o.Number != 3 || o.Counter.Defined() {
		t.Errorf("the third offer has the number %d and answers %s", o.Number, o.Counter)
	}
	if err := customer.accept(second, false); err != nil {
		t.Fatal(err)
	}
	customer.phase(second, deal.PhaseAgreed)
	w.same(second, customer, seller)
	mine, _ := customer.proofOf(second)
	theirs, _ := seller.proofOf(second)
	if string(mine) != string(theirs) {
		t.Error("the two sides' proofs differ")
	}
	_, err = customer.counters(first, "70")
	wants(t, err, protocol.CodeDealClosed)
	_, err = seller.counters(first, "70")
	wants(t, err, protocol.CodeNotFound)
}

func TestCountersAreTold(t *testing.T) {
	w := newWorld(t)
	customer, seller := w.node("customer"), w.node("seller")
	intent := customer.request(1)
	first := seller.offer(intent, "100", time.Hour)
	customer.has(first)
	// One that says an offer came in, and not again when it is kept for good.
	heard := customer.kinds(first.ID())
	at, stop := seller.Watch()
	defer stop()
	counter, err := customer.counters(first, "80")
	if err != nil {
		t.Fatal(err)
	}
	for e := range at {
		if e.Kind == event.CounterReceived {
			if e.Record != counter.ID().String() || e.Phase != "open" {
				t.Errorf("event %+v", e)
			}
			break
		}
	}
	w.quiet(customer)
	if got := heard(); len(got) > 0 {
		t.Errorf("of the offer it tells again: %v", got)
	}
	events, end := customer.Watch()
	defer end()
	second := seller.offer(intent, "85", time.Hour)
	for e := range events {
		if e.Record == second.ID().String() {
			if e.Kind != event.OfferReceived {
				t.Errorf("the answer is told as %s", e.Kind)
			}
			break
		}
	}
}

// withKey is a record of a body with one more key, as a later version may have it.
func withKey(t *testing.T, rec *record.Record, key crypto.Signer, name string, value any) *record.Record {
	t.Helper()
	v, err := codec.Decode(rec.Raw())
	if err != nil {
		t.Fatal(err)
	}
	fields := v.([]any)[0].(map[string]any)
	fields[name] = value
	body, err := codec.Encode(fields)
	if err != nil {
		t.Fatal(err)
	}
	block, err := codec.Encode([]any{fields, key.Sign(append([]byte("parley/1/record\x00"), body...))})
	if err != nil {
		t.Fatal(err)
	}
	out, err := record.Parse(block)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// What a later program says in a counter beside what this one knows is there to
// be shown; a text with such words can't be approved.
func TestUnknownKeysAreShown(t *testing.T) {
	w := newWorld(t)
	customer, seller := w.node("customer"), w.node("seller")
	intent := customer.request(1)
	first := seller.offer(intent, "100", time.Hour)
	customer.has(first)
	counter, err := customer.counters(first, "80")
	if err != nil {
		t.Fatal(err)
	}
	seller.has(counter)
	in, _ := customer.Book().Intent(intent.ID())
	odd := withKey(t, counter, customer.intentKey(in), "music", "loud")
	if err := seller.take(t.Context(), []*record.Record{odd}); err != nil {
		t.Fatal(err)
	}
	shown := false
	for _, c := range seller.state(first).Counters {
		shown = shown || slices.Equal(c.Unknown(), []string{"music"})
	}
	if !shown {
		t.Errorf("of %d counters none has the unknown key", len(seller.state(first).Counters))
	}
	stranger := recordtest.NewParty("stranger")
	text := withKey(t, stranger.Sign(t, w.clock.Load(), &record.Terms{Name: "Mine", Text: "No resale."}), stranger.Key, "except", "on Sundays")
	seller.hear(t.Context(), frame{market, text})
	_, err = seller.ApproveTerms(t.Context(), text.ID())
	wants(t, err, protocol.CodeUnknownField)
}

// A counter may name another one's offer, and only an offer.
func TestAnswersNamesACounter(t *testing.T) {
	w := newWorld(t)
	customer, seller := w.node("customer"), w.node("seller")
	intent := customer.request(1)
	first := seller.offer(intent, "100", time.Hour)
	customer.has(first)
	one, err := customer.counters(first, "80")
	if err != nil {
		t.Fatal(err)
	}
	w.sleep(time.Second)
	two, err := customer.counters(first, "82")
	if err != nil {
		t.Fatal(err)
	}
	seller.has(one)
	seller.has(two)
	answer := func(to cid.Cid) (*record.Record, error) {
		o := *first.Body().(*record.Offer)
		o.Counter = to
		return seller.MakeOffer(t.Context(), OfferRequest{Intent: intent.ID(), Offer: o})
	}
	rec, err := answer(one.ID())
	if err != nil || rec.Body().(*record.Offer).Counter != one.ID() {
		t.Errorf("the older counter isn't answered: %v", err)
	}
	if rec, err = answer(cid.Undef); err != nil || rec.Body().(*record.Offer).Counter != two.ID() {
		t.Errorf("the newest counter isn't answered: %v", err)
	}
	_, err = answer(first.ID())
	wants(t, err, protocol.CodeNotFound)
}

// However much the two haggle, the decision finds room.
func TestCountersAreBounded(t *testing.T) {
	w := newWorld(t)
	customer, seller := w.node("customer"), w.node("seller")
	intent := customer.request(1)
	first := seller.offer(intent, "100", time.Hour)
	customer.has(first)
	var last *record.Record
	for i := range protocol.MaxCounters {
		w.sleep(time.Second)
		c, err := customer.counters(first, fmt.Sprint(80+i))
		if err != nil {
			t.Fatal(err)
		}
		last = c
	}
	_, err := customer.counters(first, "99")
	wants(t, err, protocol.CodeOverQuota)
	seller.has(last)
	w.quiet(customer)
	// A customer whose program has no such bound.
	in, _ := customer.Book().Intent(intent.ID())
	key, _ := first.Deal()
	last, err = record.Sign(customer.header(), &record.Counter{Deal: key, Offer: first.ID(), Description: "And one more.", ValidUntil: w.clock.Load() + 100}, customer.intentKey(in))
	if err != nil {
		t.Fatal(err)
	}
	wants(t, seller.take(t.Context(), []*record.Record{last}), protocol.CodeOverQuota)
	for {
		if _, err := seller.tryOffer(intent, "90", time.Hour); err != nil {
			wants(t, err, protocol.CodeOverQuota)
			break
		}
	}
	w.quiet(seller)
	if err := customer.accept(first, false); err != nil {
		t.Fatal(err)
	}
	customer.phase(first, deal.PhaseAgreed)
	seller.phase(first, deal.PhaseAgreed)
}

// profiles makes a seller known to a customer.
func (s *side) presents(to *side) {
	s.w.t.Helper()
	if _, err := s.SetProfile(s.w.t.Context(), record.Profile{Name: s.name, Markets: []string{market}}); err != nil {
		s.w.t.Fatal(err)
	}
	to.until("the profile is there", func() bool { _, err := to.profileOf(s.w.t.Context(), s.did()); return err == nil })
}

func (s *side) countersTerms(intent *record.Record, ref record.TermsRef, texts ...OwnTerms) (*record.Record, error) {
	s.w.t.Helper()
	s.until("the request is there", func() bool { return s.Known(intent.ID()) })
	return s.CounterTerms(s.w.t.Context(), TermsCounterRequest{Intent: intent.ID(), Terms: ref, Texts: texts, Description: "We can't do without analytics."})
}

// A seller proposes other terms, once; the customer who takes them publishes a
// new request, and the seller offers under it without further ado.
//
//spec:shows TERMS-13 TERMS-14
func TestTermsCounterIsAdopted(t *testing.T) {
	for _, c := range []struct {
		name     string
		ref      record.TermsRef
		texts    []OwnTerms
		toMarket bool
	}{
		{name: "roster, sealed", ref: record.TermsRef{Roster: protocol.TermsSDBase}},
		{name: "roster, market", ref: record.TermsRef{Roster: protocol.TermsSDBase}, toMarket: true},
		{name: "words, sealed", ref: record.TermsRef{Roster: "ours"}, texts: []OwnTerms{{Name: "ours", Text: "We keep your order for ten years."}}},
		{name: "words, market", ref: record.TermsRef{Roster: "ours"}, texts: []OwnTerms{{Name: "ours", Text: "We keep your order for ten years."}}, toMarket: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			customer, seller := w.node("customer"), w.node("seller")
			seller.presents(customer)
			intent := customer.request(1)
			proposal, err := seller.countersTerms(intent, c.ref, c.texts...)
			if err != nil {
				t.Fatal(err)
			}
			_, err = seller.countersTerms(intent, record.TermsRef{Roster: protocol.TermsTPR})
			wants(t, err, protocol.CodeTermsCounterSpent)
			customer.has(proposal)
			seller, customer = seller.again(), customer.again()
			customer.forget(t.Context())
			ref := proposal.Body().(*record.TermsCounter).Terms
			if ref.Record.Defined() && !customer.Book().Has(ref.Record) {
				t.Fatal("the proposal is here without its words")
			}
			if st := customer.state(proposal); st.TermsCounter == nil || st.Phase != deal.PhaseOpen {
				t.Fatalf("phase %s", st.Phase)
			}
			req, err := customer.Adoption(t.Context(), proposal.ID(), c.toMarket, 0)
			if err != nil {
				t.Fatal(err)
			}
			adopted, err := customer.PublishIntent(t.Context(), req)
			if err != nil {
				t.Fatal(err)
			}
			if adopted.Header().By == intent.Header().By {
				t.Error("two requests have one key")
			}
			body := adopted.Body().(*record.Intent)
			if in, _ := customer.Book().Intent(adopted.ID()); c.toMarket != (len(in.To) == 0 && body.Market == market) {
				t.Errorf("it went to %v and the market %q", in.To, body.Market)
			}
			if c.toMarket && body.Terms[0].Record.Defined() && body.Terms[0] == ref {
				t.Error("the market sees the seller's signature under the terms")
			}
			if c.toMarket && len(c.texts) > 0 {
				// Signed anew, it is another record: its text takes a person's word.
				seller.until("the text is there", func() bool { return seller.Known(adopted.ID()) && seller.Known(body.Terms[0].Record) })
				if _, err := seller.ApproveTerms(t.Context(), body.Terms[0].Record); err != nil {
					t.Fatal(err)
				}
			}
			offer := seller.offer(adopted, "100", time.Hour)
			if got := offer.Body().(*record.Offer).Terms; got != body.Terms[0] {
				t.Errorf("the offer is under %v", got)
			}
			if err := customer.accept(offer, false); err != nil {
				t.Fatal(err)
			}
			customer.phase(offer, deal.PhaseAgreed)
			w.same(offer, customer, seller)
			mine, _ := customer.proofOf(offer)
			theirs, _ := seller.proofOf(offer)
			if string(mine) != string(theirs) {
				t.Error("the two sides' proofs differ")
			}
		})
	}
}

func TestTermsCounterIsRefusedOrDeclined(t *testing.T) {
	w := newWorld(t)
	customer, seller := w.node("customer"), w.node("seller")
	seller.presents(customer)
	intent := customer.request(1)
	_, err := seller.countersTerms(intent, record.TermsRef{Roster: protocol.TermsPDCIntent})
	wants(t, err, protocol.CodeBadField)
	_, err = seller.countersTerms(intent, record.TermsRef{Roster: "nobody-has-this"})
	wants(t, err, protocol.CodeUnknownAgreement)
	_, err = customer.countersTerms(intent, record.TermsRef{Roster: protocol.TermsSDBase})
	wants(t, err, protocol.CodeNotPermitted)
	proposal, err := seller.countersTerms(intent, record.TermsRef{Roster: protocol.TermsSDBase})
	if err != nil {
		t.Fatal(err)
	}
	customer.has(proposal)
	_, err = seller.DeclineTerms(t.Context(), proposal.ID())
	wants(t, err, protocol.CodeNotFound)
	if _, err := customer.DeclineTerms(t.Context(), proposal.ID()); err != nil {
		t.Fatal(err)
	}
	seller.phase(proposal, deal.PhaseVoided)
	customer.phase(proposal, deal.PhaseVoided)
	w.same(proposal, customer, seller)

	// Beside an offer, no would be said to all of it.
	second := customer.request(1)
	offer := seller.offer(second, "100", time.Hour)
	if proposal, err = seller.countersTerms(second, record.TermsRef{Roster: protocol.TermsSDBase}); err != nil {
		t.Fatal(err)
	}
	customer.has(offer)
	customer.has(proposal)
	_, err = customer.DeclineTerms(t.Context(), proposal.ID())
	wants(t, err, protocol.CodeNotPermitted)
	w.sleep(25 * time.Hour)
	_, err = customer.Adoption(t.Context(), proposal.ID(), false, 0)
	wants(t, err, protocol.CodeExpired)
	if _, err = customer.Adoption(t.Context(), proposal.ID(), false, w.clock.Load()+3600); err != nil {
		t.Error(err)
	}
	_, err = seller.countersTerms(second, record.TermsRef{Roster: protocol.TermsTPR})
	wants(t, err, protocol.CodeExpired)
}

// What sellers that wait for an answer send along as terms is bounded too.
func TestWaitingTextsAreBounded(t *testing.T) {
	w := newWorld(t)
	customer := w.node("customer")
	intent := customer.request(1)
	stranger := recordtest.NewParty("stranger")
	long := strings.Repeat("All of this is ours. ", 1550)
	refused := false
	for i := range maxWaiting {
		text := stranger.Sign(t, w.clock.Load(), &record.Terms{Name: fmt.Sprint("Text ", i), Text: long})
		rt := intent.Body().(*record.Intent).ReplyTo
		proposal := stranger.Sign(t, w.clock.Load(), &record.TermsCounter{Deal: record.DealKey{Intent: intent.ID(), Vendor: stranger.DID(), Round: 1},
			Terms: record.TermsRef{Record: text.ID()}, ReplyTo: rt})
		if err := customer.take(t.Context(), []*record.Record{text, proposal}); err != nil {
			wants(t, err, protocol.CodeOverQuota)
			refused = true
			break
		}
	}
	size := 0
	for _, rec := range customer.Book().Unanswered() {
		size += rec.Size()
	}
	if !refused || size > maxWaitingBytes {
		t.Errorf("%d bytes of one seller wait", size)
	}
	// A text that nothing cites isn't kept.
	loose := stranger.Sign(t, w.clock.Load(), &record.Terms{Name: "Loose", Text: long})
	wants(t, customer.take(t.Context(), []*record.Record{loose}), protocol.CodeUnknownType)
	if customer.Book().Has(loose.ID()) {
		t.Error("a loose text is kept")
	}
}
