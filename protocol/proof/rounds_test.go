package proof

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/ipfs/go-cid"

	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/deal"
	"github.com/parley-protocol/parley/protocol/record"
)

// story is a deal that was changed, with all that was said about it.
type story struct {
	*cast
	counter, next, offer2, acceptance2, confirmation2 *record.Record
	sellers                                           *record.Record // the seller's own terms, which it asked for
	termsCounter, paid, delivered, problem, receipt   *record.Record
	outcome                                           *record.Record
}

func newStory(t testing.TB) *story {
	t.Helper()
	s := &story{cast: newCast(t)}
	second := s.key
	second.Round = 2
	s.sellers = s.sign(t, s.seller, 2, &record.Terms{Name: "Ours", Text: "We count."})
	s.termsCounter = s.sign(t, s.seller, 5, &record.TermsCounter{Deal: s.key, Terms: record.TermsRef{Record: s.sellers.ID()}, ReplyTo: s.replyTo})
	s.counter = s.sign(t, s.customer, 15, &record.Counter{Deal: s.key, Offer: s.offer.ID(), Description: "Blue, please.", ValidUntil: at0 + 500})
	s.next = s.sign(t, s.customer, 40, &record.NextRound{Deal: second, Previous: s.confirmation.ID(), Description: "Red after all."})
	s.offer2 = s.sign(t, s.seller, 50, func() *record.Offer {
		body := *s.offer.Body().(*record.Offer)
		body.Deal, body.Changes = second, s.confirmation.ID()
		return &body
	}())
	s.acceptance2 = s.sign(t, s.customer, 60, &record.Acceptance{Deal: second, Offer: s.offer2.ID(), ReplyTo: s.replyTo})
	s.confirmation2 = s.sign(t, s.seller, 70, &record.Confirmation{Deal: second, Acceptance: s.acceptance2.ID()})
	about := record.Subject{Deal: second, Agreement: s.confirmation2.ID()}
	s.paid = s.sign(t, s.customer, 80, &record.OrderEvent{Subject: about, OrderStatus: protocol.OrderStatusPaid})
	s.delivered = s.sign(t, s.seller, 90, &record.OrderEvent{Subject: about, OrderStatus: protocol.OrderStatusPaymentReceived})
	s.problem = s.sign(t, s.customer, 95, &record.OrderEvent{Subject: about, OrderStatus: "of_later"})
	s.receipt = s.sign(t, s.seller, 91, &record.Receipt{Subject: about, OrderDate: at0, PriceCurrency: "EUR", TotalPrice: s.price})
	s.outcome = s.sign(t, s.customer, 99, &record.Outcome{Subject: about, Result: protocol.OutcomeNotFulfilled})
	return s
}

func (s *story) all() []*record.Record {
	return append(s.whole(), s.counter, s.next, s.offer2, s.acceptance2, s.confirmation2, s.sellers, s.termsCounter,
		s.paid, s.delivered, s.problem, s.receipt, s.outcome)
}

// An archive carries all rounds, the terms and what was said since, and tells of
// all in words.
//
//spec:shows ARC-2 ARC-5 ARC-8
func TestVerifyRounds(t *testing.T) {
	s := newStory(t)
	file := s.archive(t, s.all()...)
	shuffled := s.all()
	slices.Reverse(shuffled)
	if !bytes.Equal(file, s.archive(t, append(shuffled, s.paid)...)) {
		t.Error("another order of the records gives another file")
	}
	archive, err := Read(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	report := Verify(archive)
	if !report.OK || len(report.Deals) != 2 || archive.Manifest.Deal.Round != 2 || archive.Manifest.Agreement != s.confirmation2.ID() {
		t.Fatalf("manifest %+v, report %+v", archive.Manifest, report)
	}
	first, second := report.Deals[0], report.Deals[1]
	if first.InForce || !second.InForce || *second.Changes != *first.Agreement || first.Counters != 1 {
		t.Errorf("%+v, %+v", first, second)
	}
	if !slices.Equal(second.Customers.Events, []string{"paid", deal.StatusOther}) || second.Customers.Outcome != "not_fulfilled" ||
		!slices.Equal(second.Sellers.Events, []string{"payment_received"}) || !slices.Equal(second.Sellers.Receipts, []cid.Cid{s.receipt.ID()}) || first.Customers != nil {
		t.Errorf("%+v, %+v", second.Customers, second.Sellers)
	}
	proves := strings.Join(report.Proves, "\n")
	for _, words := range []string{
		"It takes the place of the agreement " + s.confirmation.ID().String(), "It no longer holds", "By the customer's word since: paid, other.",
		"By the seller's word since: payment received.", "The seller gave 1 receipt.", "by the customer's word: not fulfilled",
	} {
		if !strings.Contains(proves, words) {
			t.Errorf("%q is not in:\n%s", words, proves)
		}
	}
}

// A change that was voided leaves the agreement before it.
func TestVerifyVoidedChange(t *testing.T) {
	s := newStory(t)
	void := s.sign(t, s.seller, 45, &record.Void{Deal: record.DealKey{Intent: s.key.Intent, Vendor: s.key.Vendor, Round: 2}, Reason: protocol.ReasonNoOffer})
	archive, err := Read(bytes.NewReader(s.archive(t, append(s.whole(), s.next, void)...)))
	if err != nil {
		t.Fatal(err)
	}
	report := Verify(archive)
	if !report.OK || archive.Manifest.Deal.Round != 1 || !report.Deals[0].InForce || report.Deals[1].Phase != deal.PhaseVoided {
		t.Fatalf("manifest %+v, report %+v", archive.Manifest, report)
	}
	if proves := strings.Join(report.Proves, "\n"); !strings.Contains(proves, "made no agreement and changed none") {
		t.Errorf("%s", proves)
	}
}

// What one side said that only the other may, or about an agreement that isn't
// there, has no effect; a stranger's word has no place.
func TestVerifyFollowUps(t *testing.T) {
	s := newStory(t)
	about := record.Subject{Deal: s.key, Agreement: s.confirmation.ID()}
	wrong := s.sign(t, s.seller, 80, &record.OrderEvent{Subject: about, OrderStatus: protocol.OrderStatusPaid})
	strange := s.sign(t, s.other, 80, &record.OrderEvent{Subject: about, OrderStatus: protocol.OrderStatusPaid})
	about.Agreement = s.offer.ID()
	lost := s.sign(t, s.customer, 81, &record.Outcome{Subject: about, Result: protocol.OutcomeDisputed})
	file := s.archive(t, append(s.whole(), wrong, strange, lost)...)
	archive, err := Read(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	report := Verify(archive)
	if !report.OK || len(archive.Records) != 7 || report.Deals[0].Sellers != nil || report.Deals[0].Customers != nil {
		t.Errorf("%d records, %+v", len(archive.Records), report)
	}
	for _, want := range []protocol.Code{protocol.CodeWrongAuthor, protocol.CodeMissingRecord} {
		if !slices.ContainsFunc(report.Checks, func(c Check) bool { return c.Name == "follow-up" && c.Status == Open && c.Code == want }) {
			t.Errorf("no open check says %s: %+v", want, report.Checks)
		}
	}
	if _, err := WriteDeal(new(bytes.Buffer), s.intent, []*record.Record{s.paid}); protocol.CodeOf(err) != protocol.CodeMissingRecord {
		t.Errorf("follow-ups alone: %v", err)
	}
}
