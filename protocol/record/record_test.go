package record_test

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/ipfs/go-cid"

	"github.com/parley-protocol/parley/crypto"
	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/codec"
	"github.com/parley-protocol/parley/protocol/record"
	"github.com/parley-protocol/parley/protocol/record/recordtest"
)

// The example of spec/02-records.md, byte for byte.
func TestSpecExample(t *testing.T) {
	const block = `
		82a76176016261741a6955b90062627978386469643a6b65793a7a364d6b6568
		52676637794a62676147665973646f41734b6442504533646a324359686f7751
		64636a71534a6776566464747970656a7769746864726177616c66696e74656e
		74d82a58250001711220b8b25c3ed47aedd53d02d90c21193f83545d84ffe1f9
		8ba47fefbfe7dfdc2b4766726561736f6e66626f756768746b72657461696e55
		6e74696c1a697e97805840d9ec38c2b3245a0f774c837fade2200366d88a479d
		6d6c8d51f286ec7eba71ca52f43595e507471003bbaa89e5585d59f2bf7cfa87
		9eff298b025a3437de0a01`
	want, err := hex.DecodeString(strings.Join(strings.Fields(block), ""))
	if err != nil {
		t.Fatal(err)
	}
	var seed [crypto.SeedSize]byte
	for i := range seed {
		seed[i] = byte(i)
	}
	header := record.Header{At: 1767225600, RetainUntil: 1769904000}
	body := &record.Withdrawal{Intent: codec.Sum([]byte("an intent")), Reason: protocol.ReasonBought}
	r, err := record.Sign(header, body, crypto.NewSigner(seed))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(r.Raw(), want) {
		t.Errorf("signed\n%x, want\n%x", r.Raw(), want)
	}
	if id := "bafyreia3fpzctf6gjdajo3bv6qqzpgrlvux6idfssvoxycvc7ezcg3qo3a"; r.ID().String() != id {
		t.Errorf("ID %s, want %s", r.ID(), id)
	}
	if _, err := record.Parse(want); err != nil {
		t.Error(err)
	}
}

// What isn't a body and a signature is no record.
func TestParseForm(t *testing.T) {
	good := recordtest.NewDeal(t, "form").Acceptance
	body := bodyOf(t, good)
	signature := good.Raw()[good.Size()-64:]
	for name, value := range map[string]any{
		"a map":             body,
		"no signature":      []any{body},
		"three parts":       []any{body, signature, int64(0)},
		"an empty list":     []any{},
		"a list for a body": []any{[]any{body}, signature},
		"text for one":      []any{body, string(make([]byte, 64))},
		"a short signature": []any{body, signature[:63]},
		"a long signature":  []any{body, append(bytes.Clone(signature), 0)},
	} {
		block, err := codec.Encode(value)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := record.Parse(block); protocol.CodeOf(err) != protocol.CodeMalformed {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := record.Parse(make([]byte, codec.MaxBlock+1)); protocol.CodeOf(err) != protocol.CodeTooLarge {
		t.Errorf("a block that is too large: %v", err)
	}
}

// A signature by another key, over another domain or body, is none.
func TestParseSignature(t *testing.T) {
	good := recordtest.NewDeal(t, "signature").Offer
	body := good.Raw()[1 : good.Size()-66]
	vendor, other := recordtest.NewParty("signature/vendor").Key, recordtest.NewParty("other").Key
	for name, signature := range map[string][]byte{
		"another key":    other.Sign(append([]byte("parley/1/record\x00"), body...)),
		"no domain":      vendor.Sign(body),
		"another domain": vendor.Sign(append([]byte("parley/1/stamp\x00"), body...)),
		"no zero byte":   vendor.Sign(append([]byte("parley/1/record"), body...)),
		"no key":         make([]byte, 64),
	} {
		block := append(bytes.Clone(good.Raw()[:good.Size()-64]), signature...)
		if _, err := record.Parse(block); protocol.CodeOf(err) != protocol.CodeBadSignature {
			t.Errorf("%s: %v", name, err)
		}
		r, err := record.ParseUnverified(block)
		if err != nil {
			t.Errorf("%s: without the signature: %v", name, err)
		} else if err := r.Verify(); protocol.CodeOf(err) != protocol.CodeBadSignature {
			t.Errorf("%s: verify: %v", name, err)
		}
	}
}

// A record keeps nothing of its caller's.
func TestParseCopies(t *testing.T) {
	raw := bytes.Clone(recordtest.NewDeal(t, "copy").Offer.Raw())
	r, err := record.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	clear(raw)
	if err := r.Verify(); err != nil {
		t.Error(err)
	}

	intent := *recordtest.NewDeal(t, "copy").Intent.Body().(*record.Intent)
	signed := author().Sign(t, now, &intent)
	intent.Category[0] = "changed:later"
	if got := signed.Body().(*record.Intent).Category[0]; got == "changed:later" {
		t.Error("a signed record changes with the body that it was made of")
	}
}

// badSigner is a signer that is broken.
type badSigner struct{ crypto.Signer }

func (badSigner) Sign([]byte) []byte { return nil }

// foreignBody is a body from outside of the package.
type foreignBody struct{}

func (foreignBody) Type() string { return "foreign" }

func TestSignRefuses(t *testing.T) {
	key := author().Key
	header := record.Header{At: now, RetainUntil: now + day}
	deal := recordtest.NewDeal(t, "sign").Key
	for name, c := range map[string]struct {
		body   record.Body
		signer crypto.Signer
		code   protocol.Code
		field  string
	}{
		"a missing link":           {&record.Confirmation{Deal: deal}, key, protocol.CodeMissingField, "acceptance"},
		"a missing key":            {&record.Restored{Deal: deal}, key, protocol.CodeSealUnknownSuite, "replyTo.suite"},
		"a deal without intent":    {&record.Cancel{Ask: record.Ask{Deal: record.DealKey{Vendor: key.DID(), Round: 1}, Reason: "price"}}, key, protocol.CodeMissingField, "deal[0]"},
		"a link that isn't one":    {&record.Withdrawal{Intent: cid.NewCidV0(mustSum(t, "x"))}, key, protocol.CodeBadField, "intent"},
		"two terms for one":        {&record.Profile{Name: "n", Terms: []record.TermsRef{{Roster: "A", Record: someID("t")}}}, key, protocol.CodeBadField, "terms[0]"},
		"no terms":                 {&record.Profile{Name: "n", Terms: []record.TermsRef{{}}}, key, protocol.CodeMissingField, "terms[0]"},
		"no text":                  {&record.Terms{Name: "n"}, key, protocol.CodeBadField, "text"},
		"text that isn't UTF-8":    {&record.Terms{Name: "n", Text: "\xff"}, key, protocol.CodeBadField, ""},
		"a policy with a float":    {&record.Terms{Name: "n", Text: "t", Policy: map[string]any{"a": 1.5}}, key, protocol.CodeBadField, ""},
		"no receipts":              {&record.DeliveryReceipt{}, key, protocol.CodeBadField, "records"},
		"opaque of a known type":   {&record.Opaque{Name: "intent"}, key, protocol.CodeBadField, "type"},
		"opaque of an odd type":    {&record.Opaque{Name: "Odd"}, key, protocol.CodeBadField, "type"},
		"opaque with an ID":        {&record.Opaque{Name: "odd", Fields: map[string]any{"id": "x"}}, key, protocol.CodeBadField, "id"},
		"opaque over the header":   {&record.Opaque{Name: "odd", Fields: map[string]any{"by": "x"}}, key, protocol.CodeBadField, "by"},
		"a foreign body":           {foreignBody{}, key, protocol.CodeInternal, ""},
		"no body":                  {nil, key, protocol.CodeInternal, ""},
		"a signer without a voice": {&record.Withdrawal{Intent: someID("i")}, badSigner{key}, protocol.CodeInternal, ""},
	} {
		_, err := record.Sign(header, c.body, c.signer)
		if e, ok := err.(*protocol.Error); !ok || e.Code != c.code || e.Field != c.field {
			t.Errorf("%s: got %v, want %s at %q", name, err, c.code, c.field)
		}
	}
	if _, err := record.Sign(record.Header{At: now}, &record.Withdrawal{Intent: someID("i")}, key); protocol.CodeOf(err) != protocol.CodeBadField {
		t.Errorf("retained until before it is made: %v", err)
	}
}

func TestCheckTime(t *testing.T) {
	intent := author().SignHeader(t, record.Header{At: now, RetainUntil: now + 40*day}, fullBodies(t)[0])
	offer := author().SignHeader(t, record.Header{At: now, RetainUntil: now + 40*day}, fullBodies(t)[4])
	for _, c := range []struct {
		r    *record.Record
		at   int64
		code protocol.Code
	}{
		{intent, now - 600, ""}, {intent, now - 601, protocol.CodeNotYetValid}, {intent, 0, protocol.CodeNotYetValid},
		{intent, now + 30*day - 1, ""}, {intent, now + 30*day, protocol.CodeExpired},
		{offer, now + 30*day, ""}, {offer, now + 40*day - 1, ""}, {offer, now + 40*day, protocol.CodeExpired},
		{offer, protocol.MaxTime, protocol.CodeExpired},
	} {
		if err := c.r.CheckTime(c.at); protocol.CodeOf(err) != c.code {
			t.Errorf("%s at %+d: got %v, want %q", c.r.Type(), c.at-now, err, c.code)
		}
	}
}

func TestCheckUnderstood(t *testing.T) {
	full := fullRecords(t)
	if err := full["offer"].CheckUnderstood(); protocol.CodeOf(err) != protocol.CodeCriticalExtension {
		t.Errorf("a critical extension: %v", err)
	}
	if err := recordtest.NewDeal(t, "plain").Offer.CheckUnderstood(); err != nil {
		t.Errorf("nothing odd: %v", err)
	}
}

func TestAccessors(t *testing.T) {
	full := fullRecords(t)
	reply := map[string]bool{
		"intent": true, "profile": true, "offer": true, "acceptance": true, "void": true, "cancel": true,
		"decline": true, "award-notice": true, "restored": true, "terms-counter": true, "next-round": true,
	}
	inDeal := map[string]bool{
		"offer": true, "acceptance": true, "confirmation": true, "void": true, "cancel": true, "decline": true,
		"award-notice": true, "restored": true, "held": true, "customer-void": true,
		"counter": true, "terms-counter": true, "next-round": true,
	}
	follows := map[string]bool{"order-event": true, "receipt": true, "outcome": true}
	supersedes := map[string]cid.Cid{
		"preference": someID("preference"), "membership": someID("membership"), "transaction-history": someID("history"),
	}
	for name, r := range full {
		if deal, ok := r.Deal(); ok != inDeal[name] {
			t.Errorf("%s: deal %v, %t", name, deal, ok)
		} else if ok && (deal.Round != 2 || deal.Intent != someID("intent")) {
			t.Errorf("%s: deal %v", name, deal)
		}
		if to, ok := r.ReplyTo(); ok != reply[name] || ok != (len(to.Key) > 0) {
			t.Errorf("%s: replyTo %v, %t", name, to, ok)
		}
		if about, ok := r.FollowsUp(); ok != follows[name] || ok && (about.Deal.Round != 2 || about.Agreement != someID("agreement")) {
			t.Errorf("%s: follows up %v, %t", name, about, ok)
		}
		if got := r.Supersedes(); got != supersedes[name] {
			t.Errorf("%s: supersedes %s", name, got)
		}
		if r.Registered() == (name == "rating") {
			t.Errorf("%s: registered %t", name, r.Registered())
		}
		if want := name + " " + r.ID().String(); r.String() != want {
			t.Errorf("%s, want %s", r, want)
		}
		if r.Type() != name || r.Size() != len(r.Raw()) || r.Header().By != author().DID() {
			t.Errorf("%s: type %s, size %d, by %s", name, r.Type(), r.Size(), r.Header().By)
		}
	}
	for _, c := range []struct {
		name, market string
		validUntil   int64
	}{
		{"intent", "home/garden-tools", now + 30*day}, {"withdrawal", "home", 0}, {"profile", "", 0}, {"offer", "", now + 7*day}, {"void", "", 0}, {"counter", "", now + 7*day},
	} {
		if r := full[c.name]; r.Market() != c.market || r.ValidUntil() != c.validUntil {
			t.Errorf("%s: market %q, valid until %d", c.name, r.Market(), r.ValidUntil())
		}
	}
	// Short types have no replyTo of their own.
	if _, ok := recordtest.Cancel(t, author(), recordtest.NewDeal(t, "short").Key).ReplyTo(); ok {
		t.Error("a cancel without replyTo has one")
	}
}

func TestLinks(t *testing.T) {
	for name, want := range map[string][]cid.Cid{
		"held":             {someID("intent"), someID("decision"), someID("restored")}, // deal, decision, restored
		"void":             {someID("intent"), someID("cancel")},
		"delivery-receipt": {someID("a"), someID("b")},
		"terms":            nil,
		"rating":           {someID("deal")},
	} {
		got := fullRecords(t)[name].Links()
		if len(got) != len(want) {
			t.Errorf("%s: %v", name, got)
			continue
		}
		for i := range want {
			if got[i] != want[i] {
				t.Errorf("%s: link %d is %s", name, i, got[i])
			}
		}
	}
	// A link that comes twice, and one in an extension.
	r := author().SignHeader(t, record.Header{At: now, Ext: map[string]any{"a": []any{someID("e"), someID("i")}}}, &record.Withdrawal{Intent: someID("i")})
	if got := r.Links(); len(got) != 2 || got[0] != someID("e") || got[1] != someID("i") {
		t.Errorf("links %v", got)
	}
}

// A deal's ID is that of the three-entry list, and any part of the key changes it.
func TestDealID(t *testing.T) {
	key := record.DealKey{Intent: someID("intent"), Vendor: author().DID(), Round: 1}
	block, err := codec.Encode([]any{key.Intent, string(key.Vendor), key.Round})
	if err != nil {
		t.Fatal(err)
	}
	if key.ID() != codec.Sum(block) {
		t.Errorf("ID %s", key.ID())
	}
	round, vendor, intent := key, key, key
	round.Round, vendor.Vendor, intent.Intent = 2, recordtest.NewParty("other").DID(), someID("other")
	for _, other := range []record.DealKey{round, vendor, intent} {
		if other.ID() == key.ID() {
			t.Errorf("%v and %v have one ID", key, other)
		}
	}
	if id := (record.DealKey{}).ID(); id.Defined() {
		t.Errorf("no deal has the ID %s", id)
	}
}

func TestJSON(t *testing.T) {
	signer := recordtest.NewParty("json")
	r := signer.SignHeader(t, record.Header{
		At: now, RetainUntil: now + day,
		Ext: map[string]any{"a<b": nil, "b": []byte{1, 2, 3}, "c": []any{true, int64(-1), map[string]any{}, "\"\n"}},
	}, &record.CustomerVoid{
		Deal:     record.DealKey{Intent: someID("intent"), Vendor: signer.DID(), Round: 1},
		Restored: someID("restored"),
	})
	did := string(signer.DID())
	want := `{"id":"` + r.ID().String() + `","v":1,"at":"2026-01-01T00:00:00Z","by":"` + did + `",` +
		`"ext":{"b":{"/":{"bytes":"AQID"}},"c":[true,-1,{},"\"\n"],"a<b":null},` +
		`"deal":[{"/":"` + someID("intent").String() + `"},"` + did + `",1],"type":"customer-void",` +
		`"restored":{"/":"` + someID("restored").String() + `"},"retainUntil":"2026-01-02T00:00:00Z"}`
	got, err := r.JSON()
	if err != nil || string(got) != want {
		t.Errorf("got  %s, %v\nwant %s", got, err, want)
	}

	// Every time that the specification has reads as one; nobody else's number does.
	text, err := fullRecords(t)["intent"].JSON()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`"availabilityStarts":"2026-01-02T00:00:00Z"`, `"availabilityEnds":"2026-01-03T00:00:00Z"`,
		`"validUntil":"2026-01-31T00:00:00Z"`, `"retainUntil":"2026-04-01T00:00:00Z"`, `"awards":2`,
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("no %s in %s", want, text)
		}
	}
	// Times within maps and lists of maps are times too.
	for name, want := range map[string]string{
		"offer":               `"deliveryWindow":{"ends":"2026-01-03T00:00:00Z","starts":"2026-01-02T00:00:00Z"}`,
		"transaction-history": `"orderDate":"2025-12-31T00:00:00Z"`,
		"deletion-notice":     `"until":"2026-01-10T00:00:00Z"`,
	} {
		if text, err := fullRecords(t)[name].JSON(); err != nil || !strings.Contains(string(text), want) {
			t.Errorf("no %s in %s, %v", want, text, err)
		}
	}
	stranger := with(bodyOf(t, recordtest.Withdrawal(t, author(), recordtest.Intent(t, author()))), "validUntil", int64(7))
	if r, err = parseAs(t, stranger); err != nil {
		t.Fatal(err)
	}
	if text, _ := r.JSON(); !strings.Contains(string(text), `"validUntil":7`) {
		t.Errorf("a field that isn't known is shown as known: %s", text)
	}
	for _, key := range []string{"until", "starts", "kept[0].until"} {
		body := with(bodyOf(t, fullRecords(t)["deletion-notice"]), "crit", absent{}).(map[string]any)
		body[key] = int64(7)
		if r, err = parseAs(t, body); err != nil {
			t.Fatal(err)
		}
		if text, _ := r.JSON(); !strings.Contains(string(text), `"`+key+`":7`) {
			t.Errorf("%s passes for a time of the specification: %s", key, text)
		}
	}
}

// Two parties with one deal make the same records whoever asks.
func TestFixturesAreFixed(t *testing.T) {
	a, b := recordtest.NewDeal(t, "fixed"), recordtest.NewDeal(t, "fixed")
	for i, r := range a.Records() {
		if r.ID() != b.Records()[i].ID() {
			t.Errorf("%s differs", r.Type())
		}
	}
	recordtest.Profile(t, a.Vendor)
	restored := recordtest.Restored(t, a.Vendor, a.Key)
	recordtest.Held(t, a.Customer, restored, a.Confirmation)
	recordtest.CustomerVoid(t, a.Customer, restored)
	recordtest.Decline(t, a.Customer, a.Key)
	recordtest.AwardNotice(t, a.Customer, a.Key)
	recordtest.DeliveryReceipt(t, a.Customer, a.Confirmation)
	counter := recordtest.Counter(t, a.Customer, a.Offer)
	if counter.Body().(*record.Counter).Offer != a.Offer.ID() {
		t.Error("a counter to another offer")
	}
	recordtest.TermsCounter(t, a.Vendor, a.Key)
	next := recordtest.NextRound(t, a.Customer, a.Confirmation)
	if key, _ := next.Deal(); key.Round != 2 {
		t.Errorf("round %d", key.Round)
	}
	for _, r := range []*record.Record{
		recordtest.OrderEvent(t, a.Vendor, a.Confirmation, protocol.OrderStatusDispatched),
		recordtest.Receipt(t, a.Vendor, a.Confirmation), recordtest.Outcome(t, a.Customer, a.Confirmation, protocol.OutcomeFulfilled),
	} {
		if about, ok := r.FollowsUp(); !ok || about.Agreement != a.Confirmation.ID() {
			t.Errorf("%s is about %s", r, about.Agreement)
		}
	}
	cancel := recordtest.Cancel(t, a.Customer, a.Key)
	recordtest.Void(t, a.Vendor, a.Key, protocol.ReasonCustomerAsked, cancel.ID())
	late := recordtest.Offer(t, a.Vendor, a.Intent, recordtest.At[record.Offer](now+9))
	if late.Header().At != now+9 {
		t.Errorf("an offer dated %d", late.Header().At)
	}
}
