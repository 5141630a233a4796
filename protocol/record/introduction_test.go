package record_test

import (
	"testing"

	"github.com/ipfs/go-cid"

	"github.com/parley-protocol/parley/crypto"
	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/record"
	"github.com/parley-protocol/parley/protocol/record/recordtest"
)

// An introduction counts for the intent's author, before the vendor that it
// names, and nobody else's copy of it does.
//
//spec:shows INT-28 INT-30 KEY-21
func TestIntroduces(t *testing.T) {
	customer, vendor, other := recordtest.NewParty("customer"), recordtest.NewParty("vendor"), recordtest.NewParty("other")
	known := recordtest.NewParty("relationship")
	intent, another := recordtest.Intent(t, customer), recordtest.Intent(t, other)
	good := recordtest.Introduction(t, customer, intent, vendor, known)
	copied := other.Sign(t, recordtest.Now, good.Body())
	for name, c := range map[string]struct {
		r      *record.Record
		intent *record.Record
		vendor crypto.DID
		code   protocol.Code
	}{
		"as it should be":    {good, intent, vendor.DID(), ""},
		"another intent":     {good, another, vendor.DID(), protocol.CodeBadField},
		"another vendor":     {good, intent, other.DID(), protocol.CodeBadField},
		"signed by others":   {copied, intent, vendor.DID(), protocol.CodeWrongAuthor},
		"no introduction":    {intent, intent, vendor.DID(), protocol.CodeBadField},
		"an intent for none": {recordtest.Introduction(t, customer, another, vendor, known), another, vendor.DID(), protocol.CodeWrongAuthor},
	} {
		if got := protocol.CodeOf(c.r.CheckIntroduces(c.intent, c.vendor)); got != c.code {
			t.Errorf("%s: %q, want %q", name, got, c.code)
		}
	}
	// The same relationship in two intents of different keys.
	second := recordtest.NewParty("customer of another intent")
	again := recordtest.Introduction(t, second, recordtest.Intent(t, second), vendor, known)
	if a, b := good.Body().(*record.Introduction), again.Body().(*record.Introduction); a.Relationship != b.Relationship || good.Header().By == again.Header().By {
		t.Errorf("%s and %s", a.Relationship, b.Relationship)
	}
}

// What can't be verified isn't made.
func TestIntroductionIsSignedWithItsProof(t *testing.T) {
	author := recordtest.NewParty("author")
	body, err := record.Introduce(someID("intent"), recordtest.NewParty("vendor").DID(), recordtest.NewParty("relationship").Key)
	if err != nil {
		t.Fatal(err)
	}
	body.Intent = someID("another")
	if _, err := record.Sign(record.Header{At: now, RetainUntil: now}, body, author.Key); protocol.CodeOf(err) != protocol.CodeBadSignature {
		t.Errorf("a proof for another intent: %v", err)
	}
	if _, err := record.Introduce(cid.Undef, author.DID(), author.Key); err == nil {
		t.Error("an introduction on no intent")
	}
}

// Another instance shows itself until it is no longer there.
//
//spec:shows INT-26
func TestOtherWriter(t *testing.T) {
	persona, other := recordtest.NewParty("persona"), recordtest.NewParty("other")
	mine, theirs := [16]byte{1}, [16]byte{2}
	says := func(by recordtest.Party, instance [16]byte) *record.Record {
		return by.Sign(t, now, &record.Writer{Instance: instance, Started: now - 60})
	}
	for name, c := range map[string]struct {
		r    *record.Record
		at   int64
		want bool
	}{
		"oneself":            {says(persona, mine), now, false},
		"another":            {says(persona, theirs), now, true},
		"at the last second": {says(persona, theirs), now + 599, true},
		"gone":               {says(persona, theirs), now + 600, false},
		"of the future":      {says(persona, theirs), now - 601, false},
		"of somebody else":   {says(other, theirs), now, false},
		"no writer":          {recordtest.Profile(t, persona), now, false},
	} {
		if got := c.r.OtherWriter(persona.DID(), mine, c.at); got != c.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}

// Gossip carries few types, and terms not for long.
//
//spec:shows TERMS-11
func TestCheckGossip(t *testing.T) {
	carried := map[string]bool{"intent": true, "withdrawal": true, "profile": true, "terms": true, "writer": true}
	for name, r := range fullRecords(t) {
		if got := protocol.CodeOf(r.CheckGossip()); carried[name] != (got == "") || got != "" && got != protocol.CodeUnknownType {
			t.Errorf("%s: %q", name, got)
		}
	}
	for _, rt := range protocol.RecordTypes() {
		if rt.Gossip != carried[rt.Name] {
			t.Errorf("the registry says otherwise of %s", rt.Name)
		}
	}
	for days, want := range map[int64]protocol.Code{366: "", 367: protocol.CodeLifeTooLong} {
		r := author().SignHeader(t, record.Header{At: now, RetainUntil: now + days*day}, &record.Terms{Name: "n", Text: "t"})
		if got := protocol.CodeOf(r.CheckGossip()); got != want {
			t.Errorf("terms for %d days: %q", days, got)
		}
	}
}
