package desk

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/parley-protocol/parley/crypto"
	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/deal"
	"github.com/parley-protocol/parley/protocol/proof"
	"github.com/parley-protocol/parley/protocol/record"
	"github.com/parley-protocol/parley/protocol/terms"
)

const noResale = "What I tell you stays with you: no resale, no profiles, and you delete it after delivery."

// asks publishes a request under terms that are named.
func (s *side) asks(to []crypto.DID, names ...string) *record.Record {
	s.w.t.Helper()
	var refs []record.TermsRef
	for _, name := range names {
		refs = append(refs, record.TermsRef{Roster: name})
	}
	req := IntentRequest{To: to, Intent: record.Intent{
		Name: "Twelve chairs", Category: []string{"cpv:39112000"}, Terms: refs,
		ItemOffered: []record.DemandItem{{Name: "Chair"}}, ValidUntil: s.w.clock.Load() + 86400,
	}}
	if len(to) == 0 {
		req.Intent.Market = market
	}
	rec, err := s.PublishIntent(s.w.t.Context(), req)
	if err != nil {
		s.w.t.Fatal(err)
	}
	return rec
}

func (s *side) addTerms(name, text string) {
	s.w.t.Helper()
	if err := s.AddTerms(s.w.t.Context(), OwnTerms{Name: name, Text: text, BasedOn: protocol.TermsSDBase,
		Policy: json.RawMessage(`{"@type":"Offer","permission":[{"action":"use","count":3}]}`)}); err != nil {
		s.w.t.Fatal(err)
	}
}

// proofOf is a side's proof of a deal, which must hold.
func (s *side) proofOf(rec *record.Record) ([]byte, *proof.Archive) {
	s.w.t.Helper()
	_, recs, err := s.DealRecords(dealID(rec))
	if err != nil {
		s.w.t.Fatal(err)
	}
	var out bytes.Buffer
	if _, err := proof.WriteDeal(&out, recs[0], recs[1:]); err != nil {
		s.w.t.Fatal(err)
	}
	archive, err := proof.Read(bytes.NewReader(out.Bytes()))
	if err != nil {
		s.w.t.Fatal(err)
	}
	if report := proof.Verify(archive); !report.OK {
		s.w.t.Errorf("the proof of %s doesn't hold: %+v", s.name, report.Checks)
	}
	return out.Bytes(), archive
}

// A text of the customer's own reaches the seller with the request, takes a
// person's word there, and is part of both sides' proofs.
//
//spec:shows TERMS-9
func TestTermsInOnesOwnWords(t *testing.T) {
	for _, how := range []string{"market", "sealed"} {
		t.Run(how, func(t *testing.T) {
			w := newWorld(t)
			customer, seller := w.node("customer"), w.node("seller")
			if _, err := seller.SetProfile(t.Context(), record.Profile{Name: "Seller", Markets: []string{market}}); err != nil {
				t.Fatal(err)
			}
			var to []crypto.DID
			if how == "sealed" {
				customer.until("the profile is there", func() bool { _, err := customer.profileOf(t.Context(), seller.did()); return err == nil })
				to = []crypto.DID{seller.did()}
			}
			customer.addTerms("no-resale", noResale)
			intent := customer.asks(to, "no-resale", protocol.TermsSDBase)
			ref := intent.Body().(*record.Intent).Terms[0].Record
			seller.until("the request is there", func() bool { return seller.Known(intent.ID()) && seller.Known(ref) })

			// The person prefers their own words, the roster comes next.
			first := seller.offer(intent, "100", time.Hour)
			if got := first.Body().(*record.Offer).Terms.Roster; got != protocol.TermsSDBase {
				t.Errorf("without anybody's word it agrees to %q", got)
			}
			insist := func() (*record.Record, error) {
				o := *first.Body().(*record.Offer)
				o.Terms = record.TermsRef{Record: ref}
				return seller.MakeOffer(t.Context(), OfferRequest{Intent: intent.ID(), Offer: o})
			}
			_, err := insist()
			wants(t, err, protocol.CodeNotPermitted)
			if _, err := seller.ApproveTerms(t.Context(), ref); err != nil {
				t.Fatal(err)
			}
			seller, customer = seller.again(), customer.again()
			if n := len(seller.Approvals()); n != 1 {
				t.Fatalf("%d approvals after a restart", n)
			}
			offer := seller.offer(intent, "100", time.Hour)
			if got := offer.Body().(*record.Offer).Terms.Record; got != ref {
				t.Fatalf("the offer is under %s, not under the text", offer.Body().(*record.Offer).Terms.Roster)
			}
			if err := customer.accept(offer, false); err != nil {
				t.Fatal(err)
			}
			customer.phase(offer, deal.PhaseAgreed)
			w.same(offer, customer, seller)
			mine, archive := customer.proofOf(offer)
			theirs, _ := seller.proofOf(offer)
			if !bytes.Equal(mine, theirs) {
				t.Error("the two sides' proofs differ")
			}
			carried := false
			for _, rec := range archive.Records {
				carried = carried || rec.ID() == ref
			}
			if !carried {
				t.Error("the proof lacks the terms")
			}
		})
	}
}

// It is the text that is approved, and not its record: the next request has
// another record of it. Another text isn't approved, be it by a word.
func TestApprovalIsOfTheText(t *testing.T) {
	w := newWorld(t)
	customer, seller := w.node("customer"), w.node("seller")
	customer.addTerms("no-resale", noResale)
	customer.addTerms("other", noResale+" Really.")
	one, two, other := customer.asks(nil, "no-resale"), customer.asks(nil, "no-resale"), customer.asks(nil, "other")
	refOf := func(in *record.Record) record.TermsRef { return in.Body().(*record.Intent).Terms[0] }
	if refOf(one) == refOf(two) {
		t.Error("two requests share a terms record")
	}
	text, _ := customer.Book().Record(refOf(one).Record)
	if text.Header().By != one.Header().By || text.Header().RetainUntil > text.Header().At+protocol.MaxIntentRetention {
		t.Errorf("the text is signed by %s until %d", text.Header().By, text.Header().RetainUntil)
	}
	hash, err := terms.Hash(text.Body().(*record.Terms))
	if err != nil {
		t.Fatal(err)
	}
	if n := customer.SameTermsBefore(hex.EncodeToString(hash[:])); n != 2 {
		t.Errorf("%d requests carry the text, not 2", n)
	}
	for _, in := range []*record.Record{one, two, other} {
		seller.until("the text is there", func() bool { return seller.Known(in.ID()) && seller.Known(refOf(in).Record) })
		_, err := seller.tryOffer(in, "100", time.Hour)
		wants(t, err, protocol.CodeNotPermitted)
	}
	approval, err := seller.ApproveTerms(t.Context(), refOf(one).Record)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := seller.ApproveTerms(t.Context(), refOf(two).Record); err != nil || again.Hash != approval.Hash {
		t.Errorf("the same text is approved as %x and %x: %v", approval.Hash, again.Hash, err)
	}
	if _, err := seller.tryOffer(two, "100", time.Hour); err != nil {
		t.Errorf("the approved text is refused: %v", err)
	}
	_, err = seller.tryOffer(other, "100", time.Hour)
	wants(t, err, protocol.CodeNotPermitted)
	if err := seller.RevokeTerms(t.Context(), approval.Hash); err != nil {
		t.Fatal(err)
	}
	wants(t, seller.RevokeTerms(t.Context(), approval.Hash), protocol.CodeNotFound)
	_, err = seller.tryOffer(one, "100", time.Hour)
	wants(t, err, protocol.CodeNotPermitted)
	_, err = seller.ApproveTerms(t.Context(), one.ID())
	wants(t, err, protocol.CodeBadField)
}

// A text that waits with a sealed request goes with it.
func TestSealedTermsExpireWithTheirRequest(t *testing.T) {
	w := newWorld(t)
	customer, seller := w.node("customer"), w.node("seller")
	if _, err := seller.SetProfile(t.Context(), record.Profile{Name: "Seller", Markets: []string{market}}); err != nil {
		t.Fatal(err)
	}
	customer.until("the profile is there", func() bool { _, err := customer.profileOf(t.Context(), seller.did()); return err == nil })
	customer.addTerms("no-resale", noResale)
	intent := customer.asks([]crypto.DID{seller.did()}, "no-resale")
	ref := intent.Body().(*record.Intent).Terms[0].Record
	seller.has(intent)
	seller = seller.again()
	seller.forget(t.Context())
	if !seller.Book().Has(ref) {
		t.Fatal("the text is gone before its request")
	}
	w.sleep(25 * time.Hour)
	seller.forget(t.Context())
	seller.forget(t.Context())
	if seller.Book().Has(ref) || seller.Book().Has(intent.ID()) {
		t.Error("the request has run out and is still kept")
	}
}

func TestOwnTermsAreChecked(t *testing.T) {
	w := newWorld(t)
	customer := w.node("customer")
	for name, c := range map[string]struct {
		o    OwnTerms
		code protocol.Code
	}{
		"a roster's name":   {OwnTerms{Name: "MINE", Text: noResale}, protocol.CodeBadField},
		"no name":           {OwnTerms{Text: noResale}, protocol.CodeBadField},
		"no text":           {OwnTerms{Name: "mine"}, protocol.CodeBadField},
		"too long":          {OwnTerms{Name: "mine", Text: strings.Repeat("x", 1<<15+1)}, protocol.CodeBadField},
		"based on nothing":  {OwnTerms{Name: "mine", Text: noResale, BasedOn: "NOTHING"}, protocol.CodeUnknownAgreement},
		"policy isn't JSON": {OwnTerms{Name: "mine", Text: noResale, Policy: json.RawMessage("no")}, protocol.CodeBadField},
		"policy of halves":  {OwnTerms{Name: "mine", Text: noResale, Policy: json.RawMessage(`{"a":[{"b":0.5}]}`)}, protocol.CodeBadField},
	} {
		if err := customer.AddTerms(t.Context(), c.o); protocol.CodeOf(err) != c.code {
			t.Errorf("%s: got %v, want %s", name, err, c.code)
		}
	}
	customer.addTerms("mine", noResale)
	customer.addTerms("mine", noResale)
	wants(t, customer.AddTerms(t.Context(), OwnTerms{Name: "mine", Text: "Something else."}), protocol.CodeDuplicate)
	if all := customer.AllOwnTerms(); len(all) != 1 || all[0].Text != noResale {
		t.Errorf("kept: %+v", all)
	}
	if err := customer.RemoveTerms(t.Context(), "mine"); err != nil {
		t.Fatal(err)
	}
	wants(t, customer.RemoveTerms(t.Context(), "mine"), protocol.CodeNotFound)
	_, err := customer.PublishIntent(t.Context(), IntentRequest{Intent: record.Intent{Name: "x", Category: []string{"x:1"}, Market: market,
		ItemOffered: []record.DemandItem{{Name: "x"}}, ValidUntil: w.clock.Load() + 1000, Terms: []record.TermsRef{{Roster: "mine"}}}})
	wants(t, err, protocol.CodeUnknownAgreement)
}
