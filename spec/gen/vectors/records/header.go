package main

import (
	"fmt"

	"github.com/parley-protocol/parley/spec/gen/vectors/kit"
)

// header is document 2, "Body".
func header() kit.File {
	f := newFile("header", "The keys that every body has.")
	key, body := withdrawal()
	with := func(path string, value any) kit.Map { return kit.With(body, path, value) }
	other := kit.Header("thing", key, kit.Map{"colour": "red"})

	for _, k := range []string{"type", "v", "by", "at", "retainUntil"} {
		f.bad("without-"+k, kit.Musts("REC-18"), key, with(k, kit.Absent), "missing_field")
		codes := []string{"bad_field"}
		if k == "by" {
			codes = append(codes, "bad_key")
		}
		f.bad("null-for-"+k, kit.Musts("REC-18", "REC-20"), key, with(k, nil), codes...)
	}

	f.bad("v-2", kit.Musts("REC-15"), key, with("v", 2), "unsupported_version")
	f.bad("v-0", kit.Musts("REC-15"), key, with("v", 0), "unsupported_version")
	f.bad("v-minus-1", kit.Musts("REC-15"), key, with("v", -1), "unsupported_version")
	f.bad("v-text", kit.Musts("REC-18"), key, with("v", "1"), "bad_field")
	f.bad("v-true", kit.Musts("REC-18"), key, with("v", true), "bad_field")
	f.bad("v-2-of-an-unknown-type", kit.Musts("REC-15", "REC-29"), key, kit.With(other, "v", 2), "unsupported_version")

	unknown := kit.Musts("REC-29")
	f.good("type-unknown", unknown, key, other)
	f.good("type-of-one-letter", unknown, key, kit.With(other, "type", "x"))
	f.good("type-with-digits", unknown, key, kit.With(other, "type", "a1-2b-3"))
	f.good("type-of-64-bytes", unknown, key, kit.With(other, "type", kit.Letters(64)))
	f.good("type-unknown-with-the-fields-of-no-schema", unknown, key, kit.With(other, "validUntil", "soon"))
	f.bad("type-of-65-bytes", kit.Musts("REC-19"), key, kit.With(other, "type", kit.Letters(65)), "bad_field")
	for i, t := range []string{"", "Offer", "-a", "a-", "a--b", "1a", "a_b", "a b", "ä", "a\n"} {
		f.bad(fmt.Sprintf("type-of-another-form-%d", i), kit.Musts("REC-18"), key, kit.With(other, "type", t), "bad_field")
	}
	f.bad("type-integer", kit.Musts("REC-18"), key, with("type", 1), "bad_field")
	f.bad("null-in-a-list-of-an-unknown-type", kit.Musts("REC-20", "REC-29"), key, kit.With(other, "colour", kit.List{nil}), "bad_field")
	for _, b := range kit.Bodies() {
		bare := kit.Header(b.Type, b.Key, nil)
		f.bad("header-alone-of-"+b.Type, kit.Musts("REC-18", "REC-29"), b.Key, bare, "missing_field")
	}
	f.bad("null-in-an-unknown-type", kit.Musts("REC-20"), key, kit.With(other, "colour", nil), "bad_field")

	for _, c := range []struct {
		name      string
		at, until int64
	}{{"from-the-beginning", 0, 0}, {"to-the-end", 253402300799, 253402300799}, {"same-time", kit.T0, kit.T0}} {
		f.good("times-"+c.name, kit.Musts("REC-16", "REC-17"), key, kit.WithAll(body, "at", c.at, "retainUntil", c.until))
	}
	f.bad("retainUntil-before-at", kit.Musts("REC-17"), key, with("retainUntil", kit.T0-1), "bad_field")
	f.bad("at-negative", kit.Musts("REC-16"), key, with("at", -1), "bad_field")
	f.bad("times-after-the-end", kit.Musts("REC-16"), key, kit.WithAll(body, "at", int64(253402300799), "retainUntil", int64(253402300800)), "bad_field")
	f.bad("at-text", kit.Musts("REC-16"), key, with("at", "2026-01-01T00:00:00Z"), "bad_field")
	f.bad("retainUntil-bytes", kit.Musts("REC-16"), key, with("retainUntil", []byte{1}), "bad_field")

	authors(f)

	ext := func(crit, ext any) kit.Map { return kit.WithAll(body, "crit", crit, "ext", ext) }
	many := func(n int) (crit kit.List, m kit.Map) {
		m = kit.Map{}
		for i := range n {
			name := fmt.Sprintf("key-%d", i)
			crit, m[name] = append(crit, name), i
		}
		return crit, m
	}
	f.good("crit", kit.Musts("REC-22", "REC-25"), key, ext(kit.List{"a"}, kit.Map{"a": 1, "b": 2}))
	f.good("crit-in-any-order", kit.Musts("REC-22", "REC-25"), key, ext(kit.List{"b", "a"}, kit.Map{"a": 1, "b": 2}))
	crit, entries := many(16)
	f.good("crit-of-16", kit.Musts("REC-22"), key, ext(crit, entries))
	crit, entries = many(17)
	f.bad("crit-of-17", kit.Musts("REC-18"), key, ext(crit, entries), "bad_field")
	f.good("crit-entry-of-64-bytes", kit.Musts("REC-19"), key, ext(kit.List{kit.Letters(64)}, kit.Map{kit.Letters(64): 1}))
	f.bad("crit-entry-of-65-bytes", kit.Musts("REC-19"), key, ext(kit.List{kit.Letters(65)}, kit.Map{kit.Letters(65): 1}), "bad_field")
	f.bad("crit-empty", kit.Musts("REC-18"), key, ext(kit.List{}, kit.Map{"a": 1}), "bad_field")
	f.bad("crit-without-ext", kit.Musts("REC-22"), key, with("crit", kit.List{"a"}), "bad_field")
	f.bad("crit-not-in-ext", kit.Musts("REC-22"), key, ext(kit.List{"c"}, kit.Map{"a": 1}), "bad_field")
	f.bad("crit-twice", kit.Musts("REC-22"), key, ext(kit.List{"a", "a"}, kit.Map{"a": 1}), "bad_field")
	f.bad("crit-of-integers", kit.Musts("REC-18"), key, ext(kit.List{1}, kit.Map{"a": 1}), "bad_field")
	f.bad("crit-text", kit.Musts("REC-18"), key, ext("a", kit.Map{"a": 1}), "bad_field")
	f.bad("crit-with-the-empty-text", kit.Musts("REC-19"), key, ext(kit.List{""}, kit.Map{"": 1}), "bad_field")

	f.good("ext-of-anything", kit.Musts("REC-24"), key, with("ext", kit.Map{
		"example.com/colour": "oak", "nested": kit.Map{"list": kit.List{nil, true, -1, []byte{}, "", kit.SomeID("x")}}, "": kit.Map{}, "id": 1,
	}))
	f.bad("ext-empty", kit.Musts("REC-18"), key, with("ext", kit.Map{}), "bad_field")
	f.bad("ext-array", kit.Musts("REC-18"), key, with("ext", kit.List{}), "bad_field")
	f.bad("ext-null", kit.Musts("REC-20"), key, with("ext", nil), "bad_field")
	f.bad("id", kit.Musts("REC-41"), key, with("id", "x"), "bad_field")
	f.bad("id-of-an-unknown-type", kit.Musts("REC-41"), key, kit.With(other, "id", 1), "bad_field")
	f.bad("id-of-an-acceptance", kit.Musts("REC-28", "REC-41"), kit.Customer, kit.With(kit.BodyOf("acceptance").Min, "id", "x"), "bad_field", "unknown_field")
	f.good("id-below-the-top", kit.Musts("REC-26", "REC-41"), kit.Customer, kit.With(kit.BodyOf("intent").Min, "replyTo.id", "x"), "replyTo.id")
	return f.File
}

// authors are faults of by. The signature is by the key that the text comes
// from, where there is one.
func authors(f *recordFile) {
	key, body := withdrawal()
	with := func(by any) kit.Map { return kit.With(body, "by", by) }
	musts := kit.Musts("REC-30", "KEY-1")
	did := key.DID()
	f.bad("by-key-of-another-method", musts, key, with("did:web:example.com"), "bad_key")
	f.bad("by-with-a-fragment", musts, key, with(did+"#"+did[8:]), "bad_key")
	f.bad("by-another-multibase", musts, key, with("did:key:b5ua"+did[12:]), "bad_key")
	f.bad("by-x25519", musts, key, with("did:key:z"+kit.Base58(kit.Join([]byte{0xec, 0x01}, key.Public()))), "bad_key")
	f.bad("by-short", musts, key, with(did[:55]), "bad_key")
	f.bad("by-long", musts, key, with(did+"1"), "bad_key")
	f.bad("by-empty", musts, key, with(""), "bad_key", "bad_field")
	f.bad("by-key-as-bytes", musts, key, with(key.Public()), "bad_key", "bad_field")
	f.bad("by-small-order", kit.Musts("REC-30", "KEY-2", "KEY-5"), key,
		with(kit.DIDOf(append([]byte{1}, make([]byte, 31)...))), "bad_key")
	f.bad("by-no-point", kit.Musts("REC-30", "KEY-2", "KEY-4"), key,
		with(kit.DIDOf(append([]byte{2}, make([]byte, 31)...))), "bad_key")
}

// signatures is document 2, "Signature".
func signatures() kit.File {
	f := newFile("signatures", "A record's signature. The forms of signatures themselves are in 03-keys/signatures.json.")
	key, body := withdrawal()
	encoded := kit.Encode(body)
	good := key.Record(body)
	musts := kit.Musts("REC-30", "KEY-8")
	signed := func(message []byte) kit.Block { return kit.Signed(encoded, key.Sign(message)) }

	f.goodBlock("valid", musts, good, body)
	for _, c := range []struct {
		name  string
		block kit.Block
	}{
		{"body-alone", signed(encoded)},
		{"label-without-the-zero", signed(append([]byte("parley/1/record"), encoded...))},
		{"label-of-a-pickup", signed(append([]byte("parley/1/pickup\x00"), encoded...))},
		{"label-of-version-2", signed(append([]byte("parley/2/record\x00"), encoded...))},
		{"hash-of-the-message", signed(kit.Sum(kit.RecordMessage(encoded)))},
		{"body-and-array-head", signed(kit.RecordMessage(append([]byte{0x82}, encoded...)))},
		{"by-another-key", kit.Signed(encoded, kit.Stranger.Sign(kit.RecordMessage(encoded)))},
		{"all-zero", kit.Signed(encoded, make([]byte, 64))},
		{"over-another-body", kit.Signed(encoded, key.Sign(kit.RecordMessage(kit.Encode(kit.With(body, "retainUntil", kit.T0+61*kit.Day)))))},
	} {
		f.badBlock(c.name, musts, c.block, "bad_signature")
	}
	for _, at := range []int{0, 31, 32, 63} {
		spoiled := good.Clone()
		spoiled[len(spoiled)-64+at] ^= 1
		f.badBlock("bit-flipped-in-byte-"+string(rune('0'+at/10))+string(rune('0'+at%10)), musts, spoiled, "bad_signature")
	}
	f.bad("of-an-unknown-type", kit.Musts("REC-29", "REC-30"), kit.Stranger, kit.Header("thing", key, nil), "bad_signature")
	return f.File
}

// times is document 2, "Time".
func times() kit.File {
	f := newFile("times", "How the times of a record lie to each other and to the reader's clock.")
	const day = kit.Day
	customer, vendor := kit.Customer, kit.Vendor
	intent, offer := kit.BodyOf("intent").Min, kit.BodyOf("offer").Min
	profile := kit.BodyOf("profile").Min

	now := func(name string, musts []string, key kit.Key, body kit.Map, now int64, codes ...string) {
		block := key.Record(body)
		in := kit.Values{"block": block, "now": now}
		if len(codes) > 0 {
			f.Fail(name, musts, in, codes...)
			return
		}
		f.Add(name, musts, in, outOf(block, body))
	}
	now("600-seconds-ahead", kit.Musts("REC-32"), vendor, profile, kit.T0-600)
	now("601-seconds-ahead", kit.Musts("REC-32"), vendor, profile, kit.T0-601, "not_yet_valid")
	now("offer-601-seconds-ahead", kit.Musts("REC-32"), vendor, offer, kit.T0-601, "not_yet_valid")
	now("a-second-before-retainUntil", kit.Musts("REC-33"), vendor, profile, kit.T0+60*day-1)
	now("at-retainUntil", kit.Musts("REC-33"), vendor, profile, kit.T0+60*day, "expired")
	now("offer-at-retainUntil", kit.Musts("REC-33"), vendor, offer, kit.T0+60*day, "expired")
	now("intent-a-second-before-validUntil", kit.Musts("REC-34"), customer, intent, kit.T0+14*day-1)
	now("intent-at-validUntil", kit.Musts("REC-34"), customer, intent, kit.T0+14*day, "expired")
	now("offer-at-validUntil", kit.Musts("REC-34"), vendor, offer, kit.T0+7*day)
	now("offer-after-validUntil", kit.Musts("REC-34"), vendor, offer, kit.T0+30*day)
	other := kit.Header("thing", vendor, kit.Map{"validUntil": kit.T0 + 1})
	now("unknown-type-after-validUntil", kit.Musts("REC-34"), vendor, other, kit.T0+2)
	now("unknown-type-expired", kit.Musts("REC-29", "REC-33"), vendor, other, kit.T0+60*day, "expired")

	for _, b := range kit.Bodies() {
		most := int64(3660)
		musts := kit.Musts("REC-35")
		if b.Type == "intent" || b.Type == "withdrawal" {
			most = 366
			musts = map[string][]string{"intent": kit.Musts("REC-36"), "withdrawal": kit.Musts("REC-37")}[b.Type]
		}
		if b.Type == "writer" {
			f.good("writer-kept-for-600-seconds", kit.Musts("REC-45"), b.Key, b.Min)
			f.bad("writer-kept-for-601-seconds", kit.Musts("REC-45"), b.Key, kit.With(b.Min, "retainUntil", kit.T0+601), "life_too_long")
			continue
		}
		f.good(b.Type+"-longest-life", musts, b.Key, kit.With(b.Min, "retainUntil", kit.T0+most*day))
		f.bad(b.Type+"-life-a-second-too-long", musts, b.Key, kit.With(b.Min, "retainUntil", kit.T0+most*day+1), "life_too_long")
	}
	f.good("unknown-type-longest-life", kit.Musts("REC-29", "REC-35"), vendor, kit.With(other, "retainUntil", kit.T0+3660*day))
	f.bad("unknown-type-life-a-second-too-long", kit.Musts("REC-29", "REC-35"), vendor, kit.With(other, "retainUntil", kit.T0+3660*day+1), "life_too_long")

	for _, c := range []struct {
		typ   string
		key   kit.Key
		body  kit.Map
		musts []string
	}{{"intent", customer, intent, kit.Musts("REC-36")}, {"offer", vendor, offer, kit.Musts("REC-38")}, {"counter", customer, kit.BodyOf("counter").Min, kit.Musts("REC-38")}} {
		with := func(validUntil, retainUntil int64) kit.Map {
			return kit.WithAll(c.body, "validUntil", validUntil, "retainUntil", retainUntil)
		}
		f.good(c.typ+"-open-for-a-second", c.musts, c.key, with(kit.T0+1, kit.T0+1))
		f.bad(c.typ+"-open-for-no-second", c.musts, c.key, with(kit.T0, kit.T0+day), "bad_field")
		f.bad(c.typ+"-closed-before", c.musts, c.key, with(kit.T0-1, kit.T0+day), "bad_field")
		f.good(c.typ+"-open-for-180-days", c.musts, c.key, with(kit.T0+180*day, kit.T0+180*day))
		f.bad(c.typ+"-open-for-180-days-and-a-second", c.musts, c.key, with(kit.T0+180*day+1, kit.T0+181*day), "life_too_long")
		f.bad(c.typ+"-forgotten-before-validUntil", c.musts, c.key, with(kit.T0+2*day, kit.T0+2*day-1), "bad_field")
	}
	return f.File
}

// unknownKeys is document 2, "Unknown keys".
func unknownKeys() kit.File {
	f := newFile("unknown-keys", "Keys that the schema does not have, in every type, at the top and below.")
	musts := map[string][]string{}
	for _, t := range []string{"intent", "withdrawal", "profile", "delivery-receipt", "terms-counter", "order-event", "receipt", "outcome",
		"preference", "membership", "transaction-history", "deletion-notice"} {
		musts[t] = kit.Musts("REC-26")
	}
	for _, t := range []string{"offer", "terms", "counter"} {
		musts[t] = kit.Musts("REC-27")
	}
	for _, b := range kit.Bodies() {
		body := kit.With(b.Min, "colour", "red")
		must, lax := musts[b.Type]
		if !lax {
			f.bad(b.Type+"-key", kit.Musts("REC-28"), b.Key, body, "unknown_field")
			f.bad(b.Type+"-key-of-another-type", kit.Musts("REC-28"), b.Key, kit.With(b.Min, "salt", kit.Hash("salt")), "unknown_field")
			if _, has := b.Full["replyTo"]; has {
				f.bad(b.Type+"-key-in-replyTo", kit.Musts("REC-28"), b.Key,
					kit.WithAll(b.Min, "replyTo", kit.ReplyTo(1, "x"), "replyTo.colour", "red"), "unknown_field")
			}
			continue
		}
		f.good(b.Type+"-key", must, b.Key, body, "colour")
		f.good(b.Type+"-two-keys", must, b.Key, kit.WithAll(b.Min, "zebra", 1, "a", kit.List{kit.Map{"b": 1}}), "a", "zebra")
		f.bad(b.Type+"-null-under-a-key", kit.Musts("REC-20"), b.Key, kit.With(b.Min, "colour", nil), "bad_field")
		f.bad(b.Type+"-null-deep-under-a-key", kit.Musts("REC-20"), b.Key, kit.With(b.Min, "colour", kit.List{kit.Map{"a": nil}}), "bad_field")
		f.good(b.Type+"-raw-link-under-a-key", kit.Musts("REC-21"), b.Key,
			kit.With(b.Min, "colour", kit.Link(kit.Join([]byte{0x01, 0x55}, cid()[2:]))), "colour")
	}
	nested := func(typ, note string, paths ...string) {
		b := kit.BodyOf(typ)
		body := kit.WithAll(b.Full, "crit", kit.Absent)
		for _, p := range paths {
			body = kit.With(body, p, "red")
		}
		f.good(typ+"-"+note, musts[typ], b.Key, body, append([]string{}, paths...)...)
	}
	nested("intent", "in-item", "itemOffered[0].colour")
	nested("intent", "in-second-item", "itemOffered[1].colour")
	nested("intent", "in-quantity", "itemOffered[0].eligibleQuantity.colour")
	nested("intent", "in-area-of-an-item", "itemOffered[0].areaServed.colour")
	nested("intent", "in-area", "areaServed.colour")
	nested("intent", "in-prices", "priceSpecification.colour")
	nested("intent", "in-identifier", "identifier[0].colour")
	nested("intent", "in-replyTo", "replyTo.colour")
	nested("intent", "in-several-places", "replyTo.colour", "colour", "areaServed.colour", "itemOffered[1].colour")
	nested("profile", "in-area", "areaServed[1].colour")
	nested("profile", "in-replyTo", "replyTo.colour")
	nested("offer", "in-item", "itemOffered[1].colour")
	nested("offer", "in-quantity", "itemOffered[0].eligibleQuantity.colour")
	nested("offer", "in-charge", "charges[0].colour")
	nested("offer", "in-replyTo", "replyTo.colour")
	nested("offer", "in-deliveryWindow", "deliveryWindow.colour")
	nested("offer", "in-returnPolicy", "returnPolicy.colour")
	nested("counter", "in-item", "itemOffered[0].colour")
	nested("counter", "in-charge", "charges[0].colour")
	nested("terms-counter", "in-replyTo", "replyTo.colour")
	nested("order-event", "in-payment", "payment.colour")
	nested("receipt", "in-item", "items[0].colour")
	nested("receipt", "in-seller", "seller.colour")
	nested("outcome", "in-measure", "measure[0].colour")
	nested("transaction-history", "in-transaction", "transactions[1].colour")
	nested("deletion-notice", "in-kept", "kept[0].colour")
	preference := kit.BodyOf("preference")
	f.good("preference-value-is-free", kit.Musts("REC-26"), preference.Key, kit.With(preference.Min, "value", kit.Map{"colour": kit.List{kit.Map{"a": 1}}}))
	terms := kit.BodyOf("terms")
	f.good("terms-policy-is-free", kit.Musts("REC-27", "REC-21"), terms.Key, kit.With(terms.Min, "policy",
		kit.Map{"colour": "red", "list": kit.List{kit.Link(kit.Join([]byte{0x01, 0x55}, cid()[2:])), kit.Map{"a": []byte{}}}}))
	f.bad("terms-null-in-policy", kit.Musts("REC-20"), terms.Key, kit.With(terms.Min, "policy", kit.Map{"a": nil}), "bad_field")
	f.bad("offer-null-in-an-optional-field", kit.Musts("REC-20"), kit.Vendor, kit.With(kit.BodyOf("offer").Min, "description", nil), "bad_field")
	f.good("key-of-another-type-is-unknown", kit.Musts("REC-26"), kit.Customer, kit.With(kit.BodyOf("withdrawal").Min, "nextKey", 1), "nextKey")
	return f.File
}

// ids is [REC-3].
func ids() kit.File {
	f := kit.File{Path: "02-records/ids.json", Kind: "cid", Description: "The ID of a block."}
	example, _ := documentExample()
	f.Add("example-of-document-2", kit.Musts("REC-3"), kit.Values{"block": example}, kit.Values{
		"bytes": "017112201b2bf22997c648c0976c35f421979a2bad2fe40cb2955d7c0aa2f932236e0ed8",
		"text":  "bafyreia3fpzctf6gjdajo3bv6qqzpgrlvux6idfssvoxycvc7ezcg3qo3a",
	}).Note = "the values stand in the document"
	for _, b := range kit.Bodies()[:3] {
		block := b.Key.Record(b.Min)
		id := block.ID()
		f.Add(b.Type, kit.Musts("REC-3"), kit.Values{"block": block}, kit.Values{"bytes": id[:], "text": id})
	}
	key, body := withdrawal()
	block := key.Record(body).Clone()
	block[len(block)-1] ^= 1
	id := block.ID()
	f.Add("covers-the-signature", kit.Musts("REC-3", "REC-4"), kit.Values{"block": block}, kit.Values{"bytes": id[:], "text": id}).Note =
		"the record of withdrawal with another signature; it has an ID though it is not valid"
	return f
}
