package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/parley-protocol/parley/spec/gen/vectors/kit"
)

// field is one field of a type: its path in the fullest example, whether it is
// required, and what its value may be.
type field struct {
	path     string
	required bool
	kind     kind
}

// kind is a rule for values: some that are right, and some that break it.
type kind struct {
	good, bad []value
}

type value struct {
	name  string
	v     any
	musts []string
	codes []string
}

func ok(name string, v any, musts ...string) value {
	return value{name: name, v: v, musts: append([]string{"REC-18"}, musts...)}
}

func wrong(name string, v any, musts ...string) value {
	return value{name, v, append([]string{"REC-18"}, musts...), []string{"bad_field"}}
}

// coded is wrong with other codes.
func coded(name string, v any, codes []string, musts ...string) value {
	return value{name, v, musts, codes}
}

// text is a line of at most n bytes.
func text(n int) kind {
	k := long(n)
	k.good = k.good[:1]
	k.bad = append(k.bad, wrong("with-a-line-feed", "a\nb", "REC-19"), wrong("with-a-tab", "a\tb", "REC-19"))
	return k
}

// long is a text of at most n bytes, of several lines.
func long(n int) kind {
	umlauts := strings.Repeat("ü", n/2) + kit.Letters(n%2)
	return kind{
		[]value{ok(fmt.Sprintf("of-%d-bytes", n), umlauts, "REC-19"), ok("with-lines-and-tabs", "a\n\tb", "REC-19")},
		[]value{
			wrong("empty", "", "REC-19"),
			wrong(fmt.Sprintf("of-%d-bytes", n+1), umlauts+"x", "REC-19"),
			wrong("with-a-carriage-return", "a\r\nb", "REC-19"),
			wrong("with-c1-control", "a\u0085b", "REC-19"),
			wrong("with-delete", "a\u007fb", "REC-19"),
			wrong("with-null", "a\x00b", "REC-19"),
			wrong("bytes", []byte("a")),
		},
	}
}

// form is a text of another form, shown by one example; 02-records/names.json
// has more.
func formed(good, bad string, musts ...string) kind {
	return kind{
		[]value{ok("of-another-value", good, musts...)},
		[]value{wrong("of-another-form", bad, musts...), wrong("empty", "", append(musts, "REC-19")...), wrong("integer", 1, musts...)},
	}
}

func link() kind {
	return kind{
		[]value{ok("of-another-value", kit.SomeID("another"))},
		[]value{
			wrong("as-text", kit.SomeID("another").String()),
			wrong("as-bytes", cid()),
			wrong("of-codec-raw", kit.Link(kit.Join([]byte{0x01, 0x55}, cid()[2:])), "REC-21"),
		},
	}
}

func instant(optional bool) kind {
	k := kind{nil, []value{
		wrong("negative", -1, "REC-16"),
		wrong("after-the-end", int64(253402300800), "REC-16"),
		wrong("as-text", "2026-01-01T00:00:00Z", "REC-16"),
	}}
	if optional {
		k.bad = append(k.bad, wrong("zero", 0))
	}
	return k
}

// validUntil is a time that can't be after the end alone.
func validUntil() kind {
	k := instant(false)
	k.bad[1].codes = []string{"bad_field", "life_too_long"}
	return k
}

func integer(least, most int) kind {
	return kind{
		[]value{ok("least", least), ok("most", most)},
		[]value{wrong("too-small", least-1), wrong("too-large", most+1), wrong("as-text", "1")},
	}
}

// number is a decimal; those in bad are right decimals and wrong here.
func number(good []string, bad ...string) kind {
	k := kind{nil, []value{
		wrong("with-a-zero-at-the-end", "1.50", "REC-23"),
		wrong("integer", 1, "REC-23"),
		wrong("minus-zero", "-0", "REC-23"),
		wrong("of-16-digits", "1000000000000000", "REC-23"),
	}}
	for _, text := range good {
		k.good = append(k.good, ok("of-"+text, text, "REC-23"))
	}
	for _, text := range bad {
		k.bad = append(k.bad, wrong("of-"+text, text, "REC-43"))
	}
	return k
}

func octets(n int) kind {
	return kind{
		[]value{ok("of-another-value", kit.Filler("another", n))},
		[]value{wrong("short", kit.Filler("x", n-1)), wrong("long", kit.Filler("x", n+1)), wrong("as-text", kit.Letters(n))},
	}
}

// several is a list of least to most entries; entry makes different ones.
func several(least, most int, differ bool, entry func(int) any) kind {
	n := func(n int) kit.List {
		l := kit.List{}
		for i := range n {
			l = append(l, entry(i))
		}
		return l
	}
	k := kind{
		[]value{ok(fmt.Sprintf("of-%d", max(least, 1)), n(max(least, 1))), ok(fmt.Sprintf("of-%d", most), n(most))},
		[]value{wrong(fmt.Sprintf("of-%d", most+1), n(most+1)), wrong("no-list", entry(0)), wrong("of-integers", kit.List{1})},
	}
	if least == 0 {
		k.good = append(k.good, ok("empty", kit.List{}))
	} else {
		k.bad = append(k.bad, wrong("empty", kit.List{}))
	}
	if twice := (kit.List{entry(0), entry(1), entry(0)}); differ {
		k.bad = append(k.bad, wrong("entries-twice", twice, "REC-42"))
	} else {
		k.good = append(k.good, ok("entries-twice", twice, "REC-42"))
	}
	return k
}

// object is a map; its own fields are described apart.
func object(good ...value) kind {
	return kind{good, []value{wrong("list", kit.List{}), wrong("text", "x")}}
}

func categories(most int) kind {
	return several(1, most, true, func(i int) any { return fmt.Sprintf("test:%d", i) })
}

func terms(most int) kind {
	k := several(1, most, true, func(i int) any {
		if i%2 == 0 {
			return fmt.Sprintf("T%d", i)
		}
		return kit.SomeID(fmt.Sprint("terms", i))
	})
	k.good = append(k.good, ok("not-on-the-roster", kit.List{"NOT-ON-THE-ROSTER"}, "TERMS-6", "TERMS-7", "ERR-1"),
		ok("of-a-link-alone", kit.List{kit.SomeID("terms")}, "TERMS-1", "TERMS-11"))
	k.bad = append(k.bad, wrong("link-twice", kit.List{kit.SomeID("a"), kit.SomeID("a")}, "REC-42", "TERMS-1"),
		wrong("lower-case", kit.List{"pdc-intent"}, "TERMS-6"),
		wrong("link-of-codec-raw", kit.List{kit.Link(kit.Join([]byte{0x01, 0x55}, cid()[2:]))}, "REC-21"))
	return k
}

func termsRef() kind {
	return kind{
		[]value{ok("not-on-the-roster", "NOT-ON-THE-ROSTER", "TERMS-6"), ok("link", kit.SomeID("terms"), "TERMS-1")},
		[]value{wrong("lower-case", "pdc-intent", "TERMS-6"), wrong("integer", 1), wrong("bytes", cid()), wrong("of-33-bytes", strings.Repeat("A", 33)),
			wrong("link-of-codec-raw", kit.Link(kit.Join([]byte{0x01, 0x55}, cid()[2:])), "REC-21")},
	}
}

func reason() kind {
	k := formed("not_registered", "Not registered", "DEAL-6")
	k.good[0].musts = append(k.good[0].musts, "ERR-1")
	k.bad = append(k.bad, wrong("of-33-bytes", kit.Letters(33)))
	return k
}

func area() kind {
	return object(
		ok("with-a-country-alone", kit.Map{"addressCountry": "FR"}, "REC-43"),
		ok("with-a-region-alone", kit.Map{"addressRegion": kit.Letters(100)}, "REC-43"),
		ok("with-a-town-alone", kit.Map{"addressLocality": kit.Letters(100)}, "REC-43"),
		ok("with-a-postcode-alone", kit.Map{"postalCode": kit.Letters(16)}, "REC-43"),
	).but(
		coded("empty", kit.Map{}, []string{"bad_field"}, "REC-43"),
		coded("with-unknown-keys-alone", kit.Map{"colour": "red"}, []string{"bad_field"}, "REC-43"),
		wrong("with-a-country-in-lower-case", kit.Map{"addressCountry": "fr"}),
		wrong("with-a-region-of-101-bytes", kit.Map{"addressRegion": kit.Letters(101)}, "REC-19"),
		wrong("with-a-town-of-101-bytes", kit.Map{"addressLocality": kit.Letters(101)}, "REC-19"),
		wrong("with-a-postcode-of-17-bytes", kit.Map{"postalCode": kit.Letters(17)}, "REC-19"),
		wrong("with-an-empty-town", kit.Map{"addressLocality": ""}, "REC-19"),
	)
}

func quantity() kind {
	return object(
		ok("of-the-smallest-value", kit.Map{"value": "0.0001", "unitCode": "KGM"}, "REC-43", "INT-5"),
		ok("of-the-largest-value", kit.Map{"value": "999999999999999.9999", "unitCode": "HUR"}, "REC-43", "INT-5"),
	).but(
		wrong("of-0", kit.Map{"value": "0", "unitCode": "C62"}, "REC-43"),
		wrong("below-0", kit.Map{"value": "-1", "unitCode": "C62"}, "REC-43"),
		wrong("of-an-integer", kit.Map{"value": 1, "unitCode": "C62"}, "REC-23"),
		wrong("with-a-unit-in-lower-case", kit.Map{"value": "1", "unitCode": "kgm"}, "INT-5"),
		coded("without-value", kit.Map{"unitCode": "C62"}, []string{"missing_field"}, "REC-18"),
		coded("without-unitCode", kit.Map{"value": "1"}, []string{"missing_field"}, "REC-18"),
	)
}

// but is a kind with more that breaks it.
func (k kind) but(bad ...value) kind {
	k.bad = append(k.bad, bad...)
	return k
}

// replyTo is an intent's, and briefReplyTo, with less to try, the others'.
func replyTo() kind {
	one := func(path string, v any) kit.Map { return kit.With(kit.ReplyTo(1, "x"), path, v) }
	k := object(ok("of-suite-2", kit.ReplyTo(2, "x"), "SEAL-1"), ok("with-no-mailbox", one("mailboxes", kit.List{}), "SEAL-1")).but(
		coded("of-suite-3", one("suite", 3), []string{"seal_unknown_suite"}, "SEAL-1"),
		coded("of-suite-0", one("suite", 0), []string{"seal_unknown_suite"}, "SEAL-1"),
		wrong("of-suite-text", one("suite", "1"), "SEAL-1"),
		wrong("of-suite-1-with-a-key-of-suite-2", one("key", kit.Filler("x", 1216)), "SEAL-1"),
		wrong("of-suite-2-with-a-key-of-suite-1", one("suite", 2), "SEAL-1"),
		wrong("with-a-key-of-31-bytes", one("key", kit.Filler("x", 31)), "SEAL-1"),
		wrong("with-a-key-as-text", one("key", kit.Letters(32)), "SEAL-1"),
		wrong("with-a-token-of-31-bytes", one("token", kit.Filler("x", 31))),
		wrong("with-mailboxes-as-text", one("mailboxes", kit.Address("mail"))),
		wrong("with-an-address-without-a-peer", one("mailboxes", kit.List{"/dns/mail.example.com/tcp/4001"}), "SEAL-2", "NET-6"),
		wrong("with-a-mailbox-twice", one("mailboxes", kit.List{kit.Address("a"), kit.Address("a")}), "REC-42"),
	)
	boxes := func(n int) kit.List {
		l := kit.List{}
		for i := range n {
			l = append(l, kit.Address(fmt.Sprint("mail", i)))
		}
		return l
	}
	k.good = append(k.good, ok("with-8-mailboxes", one("mailboxes", boxes(8))))
	k.bad = append(k.bad, wrong("with-9-mailboxes", one("mailboxes", boxes(9))))
	for _, key := range []string{"suite", "key", "token", "mailboxes"} {
		k.bad = append(k.bad, coded("without-"+key, one(key, kit.Absent), []string{"missing_field"}, "REC-18"))
	}
	return k
}

func briefReplyTo() kind {
	k := replyTo()
	keep := []string{"with-no-mailbox", "of-suite-3", "with-a-key-of-31-bytes", "with-an-address-without-a-peer", "without-token"}
	not := func(v value) bool { return !slices.Contains(keep, v.name) }
	return kind{slices.DeleteFunc(k.good, not), slices.DeleteFunc(k.bad, not)}
}

// dealKey is an offer's, and briefDealKey, with less to try, the others'.
func briefDealKey() kind {
	k := dealKey()
	return kind{k.good[:1], k.bad[:4]}
}

func dealKey() kind {
	musts := []string{"DEAL-1"}
	good := func(name string, path string, v any) value {
		return ok(name, kit.At(kit.With(dealOf(), path, v), "deal"), musts...)
	}
	bad := func(name string, path string, v any, codes ...string) value {
		return coded(name, kit.At(kit.With(dealOf(), path, v), "deal"), codes, "DEAL-1", "REC-18")
	}
	return kind{
		[]value{good("of-round-1000", "deal[2]", 1000), good("of-another-vendor", "deal[1]", kit.Stranger.DID())},
		[]value{
			bad("of-round-0", "deal[2]", 0, "bad_field"),
			bad("of-round-1001", "deal[2]", 1001, "bad_field"),
			bad("of-round-text", "deal[2]", "1", "bad_field"),
			bad("of-a-vendor-without-a-key", "deal[1]", "did:web:example.com", "bad_key"),
			bad("of-a-vendor-of-small-order", "deal[1]", kit.DIDOf(append([]byte{1}, make([]byte, 31)...)), "bad_key"),
			bad("of-a-vendor-as-bytes", "deal[1]", kit.Vendor.Public(), "bad_field", "bad_key"),
			bad("of-an-intent-as-text", "deal[0]", kit.SomeID("intent").String(), "bad_field"),
			bad("of-an-intent-of-codec-raw", "deal[0]", kit.Link(kit.Join([]byte{0x01, 0x55}, cid()[2:])), "bad_field"),
			wrong("of-2-entries", kit.DealKey()[:2], musts...),
			wrong("of-4-entries", append(kit.DealKey(), 1), musts...),
			wrong("map", kit.Map{"round": 1}, musts...),
		},
	}
}

// subject is what every follow-up record states.
func subject() []field {
	return []field{{"deal", true, briefDealKey()}, {"agreement", true, link()}}
}

// code is a code of a registry that may grow.
func code() kind {
	k := formed("not_registered", "Not registered", "ERR-1")
	k.bad = append(k.bad, wrong("of-33-bytes", kit.Letters(33)))
	return k
}

// amount is a decimal that isn't negative, and percent one of at most 100.
func amount() kind {
	k := number([]string{"0", "0.0001", "999999999999999.9999"})
	k.bad = append(k.bad, wrong("below-0", "-0.0001", "REC-44"))
	return k
}

func percent() kind {
	k := number([]string{"0", "7.5", "100"})
	k.bad = append(k.bad, wrong("below-0", "-1", "REC-44"), wrong("above-100", "100.0001", "REC-44"))
	return k
}

func window() kind {
	return object(ok("of-one-moment", kit.Map{"starts": 5, "ends": 5}, "REC-44"), ok("from-the-epoch", kit.Map{"starts": 0, "ends": 1}, "REC-16")).but(
		wrong("that-ends-before-it-starts", kit.Map{"starts": 5, "ends": 4}, "REC-44"),
		wrong("as-text", kit.Map{"starts": "2026-01-01T00:00:00Z", "ends": 5}, "REC-16"),
		coded("without-ends", kit.Map{"starts": 5}, []string{"missing_field"}, "REC-18"),
		coded("without-starts", kit.Map{"ends": 5}, []string{"missing_field"}, "REC-18"))
}

func didKind() kind {
	return kind{
		[]value{ok("of-another-key", kit.Stranger.DID(), "KEY-1")},
		[]value{coded("of-another-method", "did:web:example.com", []string{"bad_key"}, "KEY-1"), coded("as-bytes", kit.Stranger.Public(), []string{"bad_field", "bad_key"}, "REC-18"),
			coded("of-small-order", kit.DIDOf(append([]byte{1}, make([]byte, 31)...)), []string{"bad_key"}, "KEY-2")},
	}
}

func memberKind() kind {
	k := didKind()
	k.good = append(k.good, ok("that-is-the-author", kit.Vendor.DID(), "INT-31"))
	return k
}

// salt is optional: 32 bytes, not all of them zero.
func salt() kind { return octets(32).but(wrong("of-zeros", make([]byte, 32))) }

// also is a kind that is about other requirements, too.
func (k kind) also(musts ...string) kind {
	for _, list := range [][]value{k.good, k.bad} {
		for i := range list {
			list[i].musts = append(list[i].musts, musts...)
		}
	}
	return k
}

// less is a kind without what has that name.
func (k kind) less(name string) kind {
	not := func(v value) bool { return v.name == name }
	return kind{slices.DeleteFunc(slices.Clone(k.good), not), slices.DeleteFunc(slices.Clone(k.bad), not)}
}

func dealOf() kit.Map { return kit.Map{"deal": kit.DealKey()} }

func availability() []field {
	return []field{{"availabilityStarts", false, instant(true)}, {"availabilityEnds", false, instant(true)}}
}

func demandItem(i int) any { return kit.Map{"name": fmt.Sprint("Desk ", i)} }

// schema is the fields of all types. Headers have a file of their own.
func schema() map[string][]field {
	items := func() []field {
		return []field{
			{"itemOffered[0].name", true, text(500)},
			{"itemOffered[0].description", false, long(2000)},
			{"itemOffered[0].category", false, categories(8)},
			{"itemOffered[0].eligibleQuantity", false, quantity()},
		}
	}
	ask := []field{{"deal", true, briefDealKey()}, {"reason", true, reason()}, {"replyTo", false, briefReplyTo()}}
	return map[string][]field{
		"intent": append(append([]field{
			{"salt", true, octets(32)},
			{"market", false, formed("test", "Test", "INT-21")},
			{"name", true, text(200)},
			{"description", false, long(8000)},
			{"inLanguage", false, formed("de", "d_e")},
			{"category", true, categories(8).but(wrong("of-another-form", kit.List{"cpv"}, "INT-3"))},
			{"itemOffered", true, several(1, 200, false, demandItem)},
			{"itemOffered[0].areaServed", false, area()},
			{"areaServed", false, area()},
			{"priceSpecification", false, prices()},
			{"validUntil", true, validUntil()},
			{"terms", true, terms(8)},
			{"awards", true, integer(1, 1000)},
			{"replyTo", true, replyTo()},
			{"identifier", false, several(1, 4, false, func(i int) any { return kit.Map{"propertyID": "x", "value": fmt.Sprint(i)} })},
			{"identifier[0].propertyID", true, text(64)},
			{"identifier[0].value", true, text(256)},
		}, items()...), availability()...),
		"withdrawal": {
			{"intent", true, link()},
			{"market", false, formed("test", "/test", "INT-21")},
			{"reason", false, reason()},
		},
		"profile": {
			{"name", true, text(200)},
			{"description", false, long(4000)},
			{"url", false, formed("https://example.com", "http://example.com")},
			{"category", false, categories(32)},
			{"areaServed", false, several(1, 32, true, func(i int) any { return kit.Map{"postalCode": fmt.Sprint(i)} }).but(
				wrong("entries-that-differ-in-unknown-keys-alone", kit.List{kit.Map{"addressCountry": "FR"}, kit.Map{"addressCountry": "FR", "colour": "red"}}, "REC-42"))},
			{"areaServed[0]", true, kind{bad: area().bad}},
			{"markets", false, several(1, 32, true, func(i int) any { return fmt.Sprintf("market-%d", i) })},
			{"terms", false, terms(32)},
			{"nextKey", true, octets(32)},
			{"previous", false, link()},
			{"replyTo", true, briefReplyTo()},
		},
		"terms": {
			{"name", true, text(200)},
			{"text", true, long(32768)},
			{"inLanguage", false, formed("de", "d_e")},
			{"basedOn", false, formed("NOT-ON-THE-ROSTER", "sd-base", "TERMS-6")},
			{"policy", false, object(ok("of-anything", kit.Map{"a": kit.List{1, kit.Map{}}})).but(wrong("empty", kit.Map{}))},
		},
		"offer": append(append([]field{
			{"deal", true, dealKey()},
			{"number", true, integer(1, 1000)},
			{"description", false, long(4000)},
			{"itemOffered", true, kind{bad: several(1, 200, false, func(i int) any { return kit.Map{"name": "x", "price": "0"} }).bad}},
			{"itemOffered[0].item", false, integer(0, 199)},
			{"itemOffered[0].unitPrice", false, number([]string{"-1", "0", "999999999999999.9999"})},
			{"itemOffered[0].price", true, kind{bad: number(nil).bad}},
			{"charges", false, kind{bad: several(1, 32, false, func(i int) any { return kit.Map{"kind": "tax", "price": "0"} }).bad}},
			{"charges[0].kind", true, kind{
				[]value{ok("tax", "tax"), ok("fee", "fee"), ok("discount", "discount"), ok("other", "other")},
				[]value{wrong("of-another-word", "tip"), wrong("empty", ""), wrong("integer", 1)},
			}},
			{"charges[0].name", false, text(200)},
			{"charges[0].price", true, kind{bad: number(nil).bad}},
			{"priceCurrency", true, formed("XTS", "eur")},
			{"totalPrice", true, kind{bad: number(nil).bad}},
			{"terms", true, termsRef()},
			{"validUntil", true, validUntil()},
			{"deliveryWindow", false, window()},
			{"returnPolicy", false, object(ok("of-a-category-alone", kit.Map{"returnPolicyCategory": "not_permitted"}, "DEAL-35"))},
			{"returnPolicy.returnPolicyCategory", true, code()},
			{"returnPolicy.merchantReturnDays", false, integer(0, 3660)},
			{"returnPolicy.returnFees", false, code()},
			{"returnPolicy.returnFeeAmount", false, amount()},
			{"returnPolicy.description", false, long(2000)},
			{"taxIncluded", false, kind{[]value{ok("false", false, "DEAL-35")}, []value{wrong("integer", 1), wrong("as-text", "true")}}},
			{"itemOffered[0].taxRate", false, percent()},
			{"charges[0].taxRate", false, percent()},
			{"counter", false, link()},
			{"changes", false, link()},
			{"replyTo", true, briefReplyTo()},
		}, items()...), availability()...),
		"counter": append([]field{
			{"deal", true, briefDealKey()},
			{"offer", true, link()},
			{"itemOffered", false, kind{bad: several(1, 200, false, func(i int) any { return kit.Map{"name": "x", "price": "0"} }).bad}},
			{"itemOffered[0].name", true, text(500)},
			{"itemOffered[0].price", true, kind{bad: number(nil).bad}},
			{"charges", false, kind{bad: several(1, 32, false, func(i int) any { return kit.Map{"kind": "tax", "price": "0"} }).bad}},
			{"charges[0].kind", true, kind{[]value{ok("tax", "tax")}, []value{wrong("of-another-word", "tip")}}},
			{"priceCurrency", false, formed("XTS", "eur")},
			{"totalPrice", false, kind{bad: number(nil).bad}},
			{"description", false, long(4000)},
			{"reason", false, reason()},
			{"validUntil", true, validUntil()},
		}, availability()...),
		"terms-counter": {{"deal", true, briefDealKey()}, {"terms", true, termsRef()}, {"description", false, long(4000)}, {"replyTo", true, briefReplyTo()}},
		"next-round": {
			{"deal", true, kind{[]value{ok("of-round-1000", kit.At(kit.With(dealOf(), "deal[2]", 1000), "deal"), "DEAL-40")},
				[]value{wrong("of-round-1", kit.DealKey(), "DEAL-40"), wrong("map", kit.Map{"round": 2}, "DEAL-1")}}},
			{"previous", true, link()}, {"reason", false, reason()}, {"description", false, long(4000)}, {"replyTo", false, briefReplyTo()},
		},
		"order-event": append([]field{
			{"orderStatus", true, code()},
			{"occurred", false, instant(true)},
			{"description", false, long(2000)},
			{"trackingUrl", false, formed("https://example.com", "http://example.com")},
			{"payment", false, object(ok("without-a-method", kit.Map{"priceCurrency": "EUR", "price": "0"}, "REC-44"))},
			{"payment.priceCurrency", true, formed("XTS", "eur")},
			{"payment.price", true, amount()},
			{"payment.method", false, text(64)},
			{"items", false, several(1, 200, true, func(i int) any { return i }).less("of-integers").but(wrong("beyond-199", kit.List{200}), wrong("below-0", kit.List{-1}))},
		}, subject()...),
		"receipt": append([]field{
			{"orderDate", true, instant(false)},
			{"priceCurrency", true, formed("XTS", "eur")},
			{"totalPrice", true, kind{bad: number(nil).bad}},
			{"items", false, kind{bad: several(1, 200, false, func(i int) any { return kit.Map{"name": "x", "price": "0"} }).bad}},
			{"items[0].name", true, text(500)},
			{"charges", false, kind{bad: several(1, 32, false, func(i int) any { return kit.Map{"kind": "tax", "price": "0"} }).bad}},
			{"identifier", false, text(64)},
			{"paymentMethod", false, text(64)},
			{"seller", false, object(ok("of-a-name-alone", kit.Map{"legalName": "x"}, "REC-44"), ok("of-a-tax-id-alone", kit.Map{"taxID": "x"}, "REC-44"),
				ok("of-an-address-alone", kit.Map{"address": "x"}, "REC-44")).but(wrong("empty", kit.Map{}, "REC-44"),
				wrong("of-unknown-keys-alone", kit.Map{"colour": "red"}, "REC-44"))},
			{"seller.legalName", false, text(200)},
			{"seller.taxID", false, text(64)},
			{"seller.address", false, text(500)},
		}, subject()...),
		"outcome": append([]field{
			{"result", true, code()},
			{"description", false, long(4000)},
			{"measure", false, several(1, 16, false, func(i int) any { return kit.Map{"name": "x", "value": fmt.Sprint(i)} })},
			{"measure[0].name", true, text(100)},
			{"measure[0].value", true, number([]string{"-1", "0"})},
			{"measure[0].unitCode", false, formed("KGM", "kgm")},
		}, subject()...),
		"introduction": {
			{"intent", true, kind{bad: link().bad}},
			{"vendor", true, kind{bad: didKind().bad}},
			{"relationship", true, kind{bad: didKind().bad}},
			{"proof", true, kind{bad: octets(64).bad}},
		},
		"preference": {
			{"salt", false, salt()},
			{"name", true, text(200)},
			{"category", false, categories(8)},
			{"value", true, long(4000).but(wrong("of-an-empty-map", kit.Map{}), wrong("list", kit.List{"M"}), wrong("of-null-in-a-map", kit.Map{"a": nil}, "REC-20"))},
			{"supersedes", false, link().also("INT-32")},
		},
		"membership": {
			{"salt", false, salt()},
			{"member", false, memberKind()},
			{"programName", true, text(200)},
			{"hostingOrganization", false, didKind()},
			{"membershipNumber", false, text(64)},
			{"validFrom", false, instant(true)},
			{"validThrough", false, instant(true).but(wrong("before-validFrom", kit.T0-kit.Day-1, "REC-44"))},
			{"supersedes", false, link()},
		},
		"transaction-history": {
			{"salt", false, salt()},
			{"transactions", true, several(1, 256, false, func(i int) any { return kit.Map{"agreement": kit.SomeID(fmt.Sprint(i))} })},
			{"transactions[0].agreement", true, link()},
			{"transactions[0].seller", false, didKind()},
			{"transactions[0].orderDate", false, instant(true)},
			{"transactions[0].name", false, text(200)},
			{"transactions[0].category", false, categories(8)},
			{"transactions[0].totalPrice", false, amount()},
			{"transactions[0].receipt", false, link()},
			{"periodStarts", false, instant(true)},
			{"periodEnds", false, instant(true).but(wrong("before-periodStarts", kit.T0-9*kit.Day-1, "REC-44"))},
			{"supersedes", false, link()},
		},
		"deletion-notice": {
			{"intent", true, kind{bad: link().bad}},
			{"deal", false, briefDealKey().but(wrong("on-another-intent", append(kit.List{kit.SomeID("another")}, kit.DealKey()[1:]...), "REC-46"))},
			{"erased", true, several(0, 64, true, func(i int) any { return kit.SomeID(fmt.Sprint(i)) }).but(wrong("what-is-kept", kit.List{kit.SomeID("agreement")}, "REC-46", "INT-34"))},
			{"kept", true, several(0, 64, false, func(i int) any { return kit.Map{"record": kit.SomeID(fmt.Sprint(i)), "reason": "dispute"} }).less("entries-twice").but(
				wrong("a-record-twice", kit.List{kit.Map{"record": kit.SomeID("x"), "reason": "dispute"}, kit.Map{"record": kit.SomeID("x"), "reason": "other"}}, "REC-46"))},
			{"kept[0].record", true, link()},
			{"kept[0].reason", true, formed("not_registered", "Not registered", "INT-35", "ERR-1")},
			{"kept[0].until", false, instant(true)},
			{"description", false, long(2000)},
		},
		"writer": {
			{"instance", true, octets(16)},
			{"started", true, instant(false).but(wrong("after-at", kit.T0+1, "REC-44"))},
		},
		"acceptance":    {{"deal", true, briefDealKey()}, {"offer", true, link()}, {"replyTo", true, briefReplyTo()}},
		"confirmation":  {{"deal", true, briefDealKey()}, {"acceptance", true, link()}},
		"void":          append([]field{{"cites", false, link()}}, ask...),
		"cancel":        ask,
		"decline":       ask,
		"award-notice":  append([]field{{"offersReceived", false, integer(1, 100_000)}}, ask...),
		"restored":      {{"deal", true, briefDealKey()}, {"replyTo", true, briefReplyTo()}},
		"held":          {{"deal", true, briefDealKey()}, {"restored", true, link()}, {"decision", true, link()}},
		"customer-void": {{"deal", true, briefDealKey()}, {"restored", true, link()}},
		"delivery-receipt": {{"records", true, several(1, 64, true, func(i int) any { return kit.SomeID(fmt.Sprint(i)) }).but(
			wrong("of-text", kit.List{kit.SomeID("x").String()}), wrong("of-codec-raw", kit.List{kit.Link(kit.Join([]byte{0x01, 0x55}, cid()[2:]))}, "REC-21"))}},
	}
}

func prices() kind {
	spec := func(pairs ...any) kit.Map {
		m := kit.Map{"priceCurrency": "EUR"}
		for i := 0; i < len(pairs); i += 2 {
			m[pairs[i].(string)] = pairs[i+1]
		}
		return m
	}
	return object(
		ok("of-least-alone", spec("minPrice", "0.01"), "REC-43"),
		ok("of-most-alone", spec("maxPrice", "999999999999999.9999"), "REC-43"),
		ok("of-one-price", spec("minPrice", "5", "maxPrice", "5"), "REC-43"),
		ok("of-nothing-paid", spec("minPrice", "0", "maxPrice", "0"), "REC-43"),
		ok("that-text-would-sort-otherwise", spec("minPrice", "9", "maxPrice", "10"), "REC-43"),
	).but(
		coded("without-a-price", spec(), []string{"bad_field"}, "REC-43"),
		wrong("of-a-negative-least", spec("minPrice", "-0.01"), "REC-43"),
		wrong("of-a-negative-most", spec("maxPrice", "-0.01"), "REC-43"),
		wrong("of-a-most-below-the-least", spec("minPrice", "10", "maxPrice", "9"), "REC-43"),
		wrong("of-an-integer", spec("maxPrice", 5), "REC-23"),
		wrong("in-lower-case", kit.Map{"priceCurrency": "eur", "maxPrice": "1"}),
		coded("without-a-currency", kit.Map{"maxPrice": "1"}, []string{"missing_field"}, "REC-18"),
	)
}

// leaning is the fields that may not be there without others.
var leaning = []string{
	"offer counter", "offer changes", "counter itemOffered", "counter charges", "counter priceCurrency", "counter totalPrice",
	"receipt items", "receipt charges", "deletion-notice erased", "deletion-notice kept", "membership validThrough",
	"transaction-history transactions[0].totalPrice", "transaction-history periodEnds",
}

// fields is a file for each type. A value breaks one rule in a record
// that is else right.
func fields() (files []kit.File) {
	all := schema()
	for _, b := range kit.Bodies() {
		f := newFile("fields-"+b.Type, "Fields of the type "+b.Type+": what may be there, and what may not.")
		full := kit.WithAll(b.Full, "crit", kit.Absent, "ext", kit.Absent)
		for _, fd := range all[b.Type] {
			// What is short is read with less trouble.
			base := full
			if parent := fd.path[:max(strings.LastIndex(fd.path, "."), 0)]; kit.At(b.Min, parent) != nil && !strings.HasSuffix(fd.path, "]") && !slices.Contains(leaning, b.Type+" "+fd.path) {
				base = b.Min
			}
			if fd.required {
				f.omit(b, base, fd.path)
			} // what is optional is not there in form.json's minimal records
			about := func(v value) []string { return append(slices.Clone(v.musts), explained(b.Type, fd.path)...) }
			for _, v := range fd.kind.good {
				f.good(fd.path+"-"+v.name, about(v), b.Key, kit.With(base, fd.path, v.v))
			}
			for _, v := range fd.kind.bad {
				f.bad(fd.path+"-"+v.name, about(v), b.Key, kit.With(base, fd.path, v.v), v.codes...)
			}
		}
		if _, has := b.Full["availabilityEnds"]; has {
			start := b.Full["availabilityStarts"].(int)
			f.good("availabilityEnds-at-the-start", kit.Musts("REC-43"), b.Key, kit.With(full, "availabilityEnds", start))
			f.bad("availabilityEnds-before-the-start", kit.Musts("REC-43"), b.Key, kit.With(full, "availabilityEnds", start-1), "bad_field")
		}
		switch b.Type {
		case "offer":
			totals(f, b, full, "itemOffered")
			links(f, b)
		case "counter":
			totals(f, b, full, "itemOffered")
			counters(f, b)
		case "receipt":
			totals(f, b, full, "items")
			f.good("total-without-lines", kit.Musts("DEAL-34"), b.Key, kit.With(b.Min, "totalPrice", "0"))
			f.bad("total-below-zero-without-lines", kit.Musts("DEAL-34"), b.Key, kit.With(b.Min, "totalPrice", "-1"), "bad_field")
			f.bad("charges-without-lines", kit.Musts("DEAL-34"), b.Key, kit.WithAll(full, "items", kit.Absent, "totalPrice", "0.1"), "bad_field")
		case "introduction":
			proofs(f, b)
		case "transaction-history":
			f.bad("total-without-a-currency", kit.Musts("REC-44"), b.Key, kit.With(full, "transactions[0].priceCurrency", kit.Absent), "bad_field")
			f.bad("currency-without-a-total", kit.Musts("REC-44"), b.Key, kit.With(full, "transactions[0].totalPrice", kit.Absent), "bad_field")
		}
		files = append(files, f.File)
	}
	return files
}

// explained is the requirements that speak of a field.
func explained(typ, path string) []string {
	if typ != "intent" {
		return nil
	}
	return map[string][]string{
		"category": {"INT-3"}, "itemOffered": {"INT-4"}, "areaServed": {"INT-6"}, "priceSpecification": {"INT-7"},
		"terms": {"INT-8"}, "awards": {"INT-9"}, "validUntil": {"INT-10"}, "identifier": {"INT-11"},
	}[path]
}

// omit leaves a required field out. An entry of a list is no field.
func (f *recordFile) omit(b kit.Body, base kit.Map, path string) {
	if !strings.HasSuffix(path, "]") {
		f.bad("without-"+path, kit.Musts("REC-18"), b.Key, kit.With(base, path, kit.Absent), "missing_field")
	}
}

// links is [DEAL-36] and [DEAL-37].
func links(f *recordFile, b kit.Body) {
	f.bad("counter-of-the-first-offer", kit.Musts("DEAL-36"), b.Key, kit.With(b.Min, "counter", kit.SomeID("counter")), "bad_field")
	f.good("counter-of-the-second-offer", kit.Musts("DEAL-36"), b.Key, kit.WithAll(b.Min, "counter", kit.SomeID("counter"), "number", 2))
	f.bad("changes-in-the-first-round", kit.Musts("DEAL-37"), b.Key, kit.With(b.Min, "changes", kit.SomeID("agreement")), "bad_field")
	f.good("changes-in-the-second-round", kit.Musts("DEAL-37"), b.Key, kit.WithAll(b.Min, "changes", kit.SomeID("agreement"), "deal[2]", 2))
}

// counters is [DEAL-32]: what a counter has to say.
func counters(f *recordFile, b kit.Body) {
	musts := kit.Musts("DEAL-32")
	silent := kit.With(b.Min, "description", kit.Absent)
	f.bad("that-says-nothing", musts, b.Key, silent, "bad_field")
	f.bad("that-gives-a-reason-alone", musts, b.Key, kit.With(silent, "reason", "price"), "bad_field")
	f.good("of-a-total-alone", musts, b.Key, kit.WithAll(silent, "totalPrice", "0", "priceCurrency", "EUR"))
	f.good("of-a-start-alone", musts, b.Key, kit.With(silent, "availabilityStarts", kit.T0))
	f.good("of-an-end-alone", musts, b.Key, kit.With(silent, "availabilityEnds", kit.T0))
	f.bad("of-a-currency-alone", musts, b.Key, kit.With(silent, "priceCurrency", "EUR"), "bad_field")
	f.bad("total-without-a-currency", musts, b.Key, kit.With(b.Min, "totalPrice", "1"), "bad_field")
	f.bad("currency-without-a-total", musts, b.Key, kit.With(b.Min, "priceCurrency", "EUR"), "bad_field")
	lines := kit.List{kit.Map{"name": "x", "price": "1"}}
	f.bad("lines-without-a-total", kit.Musts("DEAL-34"), b.Key, kit.With(b.Min, "itemOffered", lines), "bad_field")
	charges := kit.List{kit.Map{"kind": "fee", "price": "1"}}
	f.bad("charges-without-lines", kit.Musts("DEAL-34"), b.Key, kit.WithAll(silent, "charges", charges, "totalPrice", "1", "priceCurrency", "EUR"), "bad_field")
	f.bad("charges-alone", kit.Musts("DEAL-34"), b.Key, kit.With(b.Min, "charges", charges), "bad_field")
	f.bad("total-below-zero-without-lines", kit.Musts("DEAL-34"), b.Key, kit.WithAll(silent, "totalPrice", "-1", "priceCurrency", "EUR"), "bad_field")
}

// proofs is [KEY-22]: the proof is the relationship key's, of the three fields.
func proofs(f *recordFile, b kit.Body) {
	musts := kit.Musts("KEY-22", "KEY-8")
	relationship, other := kit.NewKey("relationship"), kit.NewKey("another relationship")
	bad := func(name string, pairs ...any) {
		f.bad(name, musts, b.Key, kit.WithAll(b.Min, pairs...), "bad_signature")
	}
	others := []kit.Map{
		kit.Introduction(kit.SomeID("another"), kit.Vendor.DID(), relationship),
		kit.Introduction(kit.SomeID("intent"), kit.Stranger.DID(), relationship),
		kit.Introduction(kit.SomeID("intent"), kit.Vendor.DID(), other),
	}
	for i, name := range []string{"another-intent", "another-vendor", "another-relationship"} {
		bad("proof-of-"+name, "proof", others[i]["proof"])
		f.good("of-"+name, musts, b.Key, kit.Header("introduction", b.Key, others[i]))
	}
	statement := kit.Encode(kit.List{kit.SomeID("intent"), kit.Vendor.DID(), relationship.DID()})
	bad("proof-without-a-label", "proof", relationship.Sign(statement))
	bad("proof-under-the-label-of-records", "proof", relationship.Sign(kit.RecordMessage(statement)))
	bad("proof-by-the-author", "proof", b.Key.Sign(kit.Join([]byte("parley/1/introduction\x00"), statement)))
	spoiled := append([]byte{}, b.Min["proof"].([]byte)...)
	spoiled[0] ^= 1
	bad("proof-with-a-bit-flipped", "proof", spoiled)
	own := kit.Introduction(kit.SomeID("intent"), kit.Vendor.DID(), b.Key)
	f.good("of-the-author-itself", musts, b.Key, kit.Header("introduction", b.Key, own))
}

// totals is [DEAL-4], and [DEAL-34] where it is not about offers; items is the
// name of the lines.
func totals(f *recordFile, b kit.Body, base kit.Map, items string) {
	four := kit.Musts("DEAL-4")
	if b.Type != "offer" {
		four = kit.Musts("DEAL-34")
	}
	of := func(total string, prices []string, charges ...string) kit.Map {
		lines, rest := kit.List{}, kit.List{}
		for _, p := range prices {
			lines = append(lines, kit.Map{"name": "x", "price": p})
		}
		for _, p := range charges {
			rest = append(rest, kit.Map{"kind": "other", "price": p})
		}
		body := kit.WithAll(base, items, lines, "totalPrice", total, "charges", rest)
		if len(rest) == 0 {
			body = kit.With(body, "charges", kit.Absent)
		}
		return body
	}
	same := func(n int, text string) (l []string) {
		for range n {
			l = append(l, text)
		}
		return l
	}
	for _, c := range []struct {
		name string
		body kit.Map
	}{
		{"total-of-one", of("19.99", []string{"19.99"})},
		{"total-that-binary-floating-point-gets-wrong", of("0.3", []string{"0.1"}, "0.2")},
		{"total-of-200-items-and-32-charges", of("232", same(200, "1"), same(32, "1")...)},
		{"total-zero", of("0", []string{"5"}, "-5")},
		{"total-the-largest", of("999999999999999.9999", []string{"999999999999999", "0.9999"})},
		{"total-over-the-end-and-back", of("999999999999999.9999", []string{"999999999999999.9999", "1"}, "-1")},
		{"total-with-an-item-below-zero", of("1", []string{"-1", "2"})},
	} {
		f.good(c.name, four, b.Key, c.body)
	}
	for _, c := range []struct {
		name string
		body kit.Map
	}{
		{"total-a-ten-thousandth-off", of("0.3001", []string{"0.1"}, "0.2")},
		{"total-without-the-charges", of("0.1", []string{"0.1"}, "0.2")},
		{"total-of-the-charges-alone", of("0.2", []string{"0.1"}, "0.2")},
		{"total-of-no-decimal", of("999999999999999.9999", []string{"999999999999999.9999", "0.0001"})},
		{"total-of-unit-prices", kit.With(of("5", []string{"2"}), items+"[0].unitPrice", "5")},
	} {
		f.bad(c.name, four, b.Key, c.body, "total_mismatch")
	}
	f.bad("total-below-zero", four, b.Key, of("-1", []string{"-1"}), "bad_field")
	f.good("item-beyond-the-intents", kit.Musts("INT-4"), b.Key, kit.With(base, items+"[0].item", 7)).Note =
		"a record is judged without the intent"
}
