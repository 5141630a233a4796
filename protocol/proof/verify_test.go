package proof

import (
	"bytes"
	"encoding/json"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/ipfs/go-cid"

	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/deal"
	"github.com/parley-protocol/parley/protocol/record"
)

// verify writes records as a store, which takes any, and checks it.
func verify(t *testing.T, recs ...*record.Record) *Report {
	t.Helper()
	var file bytes.Buffer
	if _, err := WriteStore(&file, each(recs...)); err != nil {
		t.Fatal(err)
	}
	archive, err := Read(&file)
	if err != nil {
		t.Fatal(err)
	}
	return Verify(archive)
}

// outcome is the first check of that name with that status.
func outcome(r *Report, name string, status Status) (Check, bool) {
	for _, check := range r.Checks {
		if check.Name == name && check.Status == status {
			return check, true
		}
	}
	return Check{}, false
}

func TestVerifyAgreement(t *testing.T) {
	c := newCast(t)
	archive, err := Read(bytes.NewReader(c.archive(t, c.whole()...)))
	if err != nil {
		t.Fatal(err)
	}
	report := Verify(archive)
	if !report.OK || len(report.Deals) != 1 {
		t.Fatalf("report: %+v", report)
	}
	fact := report.Deals[0]
	if fact.Phase != deal.PhaseAgreed || *fact.Agreement != c.confirmation.ID() || fact.Customer != c.customer.DID() || fact.Seller != c.seller.DID() {
		t.Errorf("deal: %+v", fact)
	}
	for _, check := range report.Checks {
		if check.Status != Passed {
			t.Errorf("check %+v", check)
		}
	}
	proves, doesNot := strings.Join(report.Proves, "\n"), strings.Join(report.DoesNotProve, "\n")
	for _, words := range []string{"All 5 records", "this is the agreement " + c.confirmation.ID().String(), "99.5 EUR", "words of one's own"} {
		if !strings.Contains(proves, words) {
			t.Errorf("%q is not in:\n%s", words, proves)
		}
	}
	for _, words := range []string{"who the people", "times", "missing", "delivered, paid"} {
		if !strings.Contains(doesNot, words) {
			t.Errorf("%q is not in:\n%s", words, doesNot)
		}
	}
	if _, err := json.Marshal(report); err != nil {
		t.Error(err)
	}
}

func TestVerifyPhases(t *testing.T) {
	c := newCast(t)
	expired := c.void(t, 901, protocol.ReasonOfferExpired)
	unlawful := c.void(t, 40, protocol.ReasonOutOfStock)
	tests := []struct {
		name  string
		recs  []*record.Record
		phase deal.Phase
		ok    bool
		says  string
	}{
		{"open", []*record.Record{c.intent, c.offer}, deal.PhaseOpen, true, "nothing was accepted"},
		{"pending", []*record.Record{c.intent, c.offer, c.acceptance}, deal.PhasePending, true, "decision is not in this file"},
		{"agreed", []*record.Record{c.confirmation, c.intent, c.offer, c.acceptance}, deal.PhaseAgreed, true, "this is the agreement"},
		{"voided", []*record.Record{c.intent, c.offer, expired}, deal.PhaseVoided, true, "there is no agreement"},
		{"conflict", []*record.Record{c.intent, c.offer, c.acceptance, c.confirmation, unlawful}, deal.PhaseConflict, true, "contradict each other"},
		{"without the intent", []*record.Record{c.offer}, "", true, "not the request"},
		// A forged block has an ID of its own: the deal's intent is missing, too.
		{"with a forged intent", []*record.Record{forged(t, c.intent), c.offer}, "", false, "not the request"},
		{"with a forged confirmation", []*record.Record{c.intent, c.offer, c.acceptance, forged(t, c.confirmation)}, deal.PhasePending, false, "Some checks failed"},
		{"with somebody else's offer", []*record.Record{c.intent, c.offerOf(t, c.key, c.other)}, deal.PhaseOpen, true, "nothing was accepted"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			report := verify(t, test.recs...)
			if len(report.Deals) != 1 || report.Deals[0].Phase != test.phase {
				t.Fatalf("deals: %+v, want phase %s", report.Deals, test.phase)
			}
			if report.OK != test.ok || !strings.Contains(strings.Join(report.Proves, "\n"), test.says) {
				t.Errorf("ok %t, want %t; %q, want %q", report.OK, test.ok, report.Proves, test.says)
			}
			if failed, found := outcome(report, "signature", Failed); found && failed.Code != protocol.CodeBadSignature {
				t.Errorf("check %+v", failed)
			}
			if test.phase == deal.PhaseConflict && len(report.Deals[0].Evidence) == 0 {
				t.Error("a conflict without evidence")
			}
		})
	}
}

func TestVerifyLinks(t *testing.T) {
	c := newCast(t)
	report := verify(t, c.intent, c.offer)
	open, found := outcome(report, "link", Open)
	if !found || open.Code != protocol.CodeMissingRecord || !strings.Contains(open.Detail, c.terms.ID().String()) {
		t.Errorf("the link to terms that aren't here: %+v", open)
	}
	if _, found := outcome(report, "link", Passed); !found || !report.OK {
		t.Error("the link to the intent should resolve, and what is missing is no failure")
	}
}

// TestVerifyManifest: what the manifest states is checked against the records.
func TestVerifyManifest(t *testing.T) {
	c := newCast(t)
	archive, err := Read(bytes.NewReader(c.archive(t, c.whole()...)))
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name string
		edit func(*Archive)
		code protocol.Code
	}{
		{"another agreement", func(a *Archive) { a.Manifest.Agreement = c.offer.ID() }, protocol.CodeBadField},
		{"no agreement", func(a *Archive) { a.Manifest.Agreement = cid.Undef }, protocol.CodeBadField},
		{"an agreement that isn't", func(a *Archive) { a.Records = a.Records[:3] }, protocol.CodeBadField},
		{"another deal", func(a *Archive) { a.Manifest.Deal.Round = 2 }, protocol.CodeBadField},
		{"another seller", func(a *Archive) { a.Manifest.Deal.Vendor = c.other.DID() }, protocol.CodeMissingRecord},
		{"no deal", func(a *Archive) { a.Records = a.Records[:1] }, protocol.CodeMissingRecord},
	}
	for _, test := range tests {
		edited := *archive
		test.edit(&edited)
		report := Verify(&edited)
		if failed, found := outcome(report, "agreement", Failed); !found || failed.Code != test.code || report.OK {
			t.Errorf("%s: ok %t, %+v; want %s", test.name, report.OK, failed, test.code)
		}
	}
}

// TestVerifyMembers: an archive of a deal has what is of the deal, in order.
func TestVerifyMembers(t *testing.T) {
	c := newCast(t)
	right, err := Read(bytes.NewReader(c.archive(t, c.whole()...)))
	if err != nil {
		t.Fatal(err)
	}
	stray := c.sign(t, c.seller, 40, &record.Terms{Name: "Others", Text: "No."})
	other := c.offerOf(t, record.DealKey{Intent: c.intent.ID(), Vendor: c.other.DID(), Round: 1}, c.other)
	about := record.Subject{Deal: c.key, Agreement: c.confirmation.ID()}
	tests := []struct {
		name string
		recs []*record.Record
		code protocol.Code
	}{
		{"another order", []*record.Record{c.intent, c.terms, c.acceptance, c.offer, c.confirmation}, protocol.CodeBadField},
		{"a record that isn't cited", append(right.Records[:5:5], stray), protocol.CodeDealMismatch},
		{"a record of another deal", append(right.Records[:5:5], other), protocol.CodeDealMismatch},
		{"a stranger's word", append(right.Records[:5:5], c.sign(t, c.other, 50, &record.Outcome{Subject: about, Result: "disputed"})), protocol.CodeWrongAuthor},
		{"a stranger's record", append(right.Records[:5:5], c.sign(t, c.other, 50, c.confirmation.Body())), protocol.CodeWrongAuthor},
	}
	for _, test := range tests {
		edited := *right
		edited.Records = test.recs
		report := Verify(&edited)
		failed := slices.IndexFunc(report.Checks, func(check Check) bool { return check.Status == Failed && check.Code == test.code })
		if failed < 0 || report.OK {
			t.Errorf("%s: ok %t, %+v; want %s", test.name, report.OK, report.Checks, test.code)
		}
	}
}

// TestWriteDealLeavesStrangersOut: what a stranger says about the deal does not
// spoil the proof of it.
func TestWriteDealLeavesStrangersOut(t *testing.T) {
	c := newCast(t)
	strange := c.sign(t, c.other, 50, c.confirmation.Body())
	if !bytes.Equal(c.archive(t, append(c.whole(), strange)...), c.archive(t, c.whole()...)) {
		t.Error("a stranger's record is in the archive")
	}
	if _, err := WriteDeal(io.Discard, c.intent, []*record.Record{strange}); protocol.CodeOf(err) != protocol.CodeMissingRecord {
		t.Errorf("strangers' records alone: %v", err)
	}
}

// TestLateAcceptance: a part of the story without effect is no failure.
func TestLateAcceptance(t *testing.T) {
	c := newCast(t)
	late := c.sign(t, c.customer, 950, &record.Acceptance{Deal: c.key, Offer: c.offer.ID(), ReplyTo: c.replyTo})
	void := c.sign(t, c.seller, 960, &record.Void{Deal: c.key, Reason: protocol.ReasonOfferExpired, Cites: late.ID()})
	report := verify(t, c.intent, c.offer, late, void)
	if !report.OK || report.Deals[0].Phase != deal.PhaseVoided {
		t.Errorf("ok %t, %+v", report.OK, report.Deals)
	}
}
