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
			{"replyTo", true, briefReplyTo()},
		}, items()...), availability()...),
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
			if parent := fd.path[:max(strings.LastIndex(fd.path, "."), 0)]; kit.At(b.Min, parent) != nil && !strings.HasSuffix(fd.path, "]") {
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
		if b.Type == "offer" {
			totals(f, b, full)
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

// totals is [DEAL-4].
func totals(f *recordFile, b kit.Body, base kit.Map) {
	four := kit.Musts("DEAL-4")
	of := func(total string, prices []string, charges ...string) kit.Map {
		items, rest := kit.List{}, kit.List{}
		for _, p := range prices {
			items = append(items, kit.Map{"name": "x", "price": p})
		}
		for _, p := range charges {
			rest = append(rest, kit.Map{"kind": "other", "price": p})
		}
		body := kit.WithAll(base, "itemOffered", items, "totalPrice", total, "charges", rest)
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
		{"total-of-unit-prices", kit.With(of("5", []string{"2"}), "itemOffered[0].unitPrice", "5")},
	} {
		f.bad(c.name, four, b.Key, c.body, "total_mismatch")
	}
	f.bad("total-below-zero", four, b.Key, of("-1", []string{"-1"}), "bad_field")
	f.good("item-beyond-the-intents", kit.Musts("INT-4"), b.Key, kit.With(base, "itemOffered[0].item", 7)).Note =
		"a record is judged without the intent"
}
