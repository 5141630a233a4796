package record_test

import (
	"strings"
	"testing"

	"github.com/ipfs/go-cid"
	"github.com/multiformats/go-multihash"

	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/record"
	"github.com/parley-protocol/parley/protocol/record/recordtest"
)

// parseAs parses body as signed by the tables' author.
func parseAs(t *testing.T, body any) (*record.Record, error) {
	t.Helper()
	return record.Parse(signRaw(t, body.(map[string]any), author().Key))
}

// refused checks that an error has the code and the field, and says something.
func refused(t *testing.T, err error, code protocol.Code, field string) {
	t.Helper()
	e, ok := err.(*protocol.Error)
	if !ok {
		t.Errorf("not refused: %v", err)
		return
	}
	if e.Code != code || e.Field != field || e.Detail == "" {
		t.Errorf("got %v, want %s at %q", e, code, field)
	}
}

// requiredFields is, by type, the fields that must be there; any other field of
// the full records may be left out.
func requiredFields() map[string]string {
	const (
		reply = "replyTo.suite replyTo.key replyTo.token replyTo.mailboxes "
		ask   = "deal reason " + reply
	)
	return map[string]string{
		"intent": "salt name category itemOffered itemOffered.0.name itemOffered.1.name " +
			"itemOffered.0.eligibleQuantity.value itemOffered.0.eligibleQuantity.unitCode " +
			"priceSpecification.priceCurrency validUntil terms awards replyTo " + reply +
			"identifier.0.propertyID identifier.0.value",
		"withdrawal": "intent",
		"profile":    "name nextKey replyTo " + reply,
		"terms":      "name text",
		"offer": "deal number itemOffered itemOffered.0.name itemOffered.0.price itemOffered.1.name itemOffered.1.price " +
			"itemOffered.0.eligibleQuantity.value itemOffered.0.eligibleQuantity.unitCode " +
			"charges.0.kind charges.0.price priceCurrency totalPrice terms validUntil " +
			"deliveryWindow.starts deliveryWindow.ends returnPolicy.returnPolicyCategory replyTo " + reply,
		"acceptance":          "deal offer replyTo " + reply,
		"confirmation":        "deal acceptance",
		"void":                ask,
		"cancel":              ask,
		"decline":             ask,
		"award-notice":        ask,
		"restored":            "deal replyTo " + reply,
		"held":                "deal restored decision",
		"customer-void":       "deal restored",
		"delivery-receipt":    "records",
		"counter":             "deal offer validUntil itemOffered.0.name itemOffered.0.price charges.0.kind charges.0.price",
		"terms-counter":       "deal terms replyTo " + reply,
		"next-round":          "deal previous " + reply,
		"order-event":         "deal agreement orderStatus payment.priceCurrency payment.price",
		"receipt":             "deal agreement orderDate priceCurrency totalPrice items.0.name items.0.price charges.0.kind charges.0.price",
		"outcome":             "deal agreement result measure.0.name measure.0.value",
		"introduction":        "intent vendor relationship proof",
		"preference":          "name value",
		"membership":          "programName",
		"transaction-history": "transactions transactions.0.agreement transactions.1.agreement",
		"deletion-notice":     "intent erased kept kept.0.record kept.0.reason",
		"writer":              "instance started",
		"rating":              "",
	}
}

// leftOut is what optional fields bring down with them, by type and field.
func leftOut() map[string]change {
	const bad, sum = protocol.CodeBadField, protocol.CodeTotalMismatch
	return map[string]change{
		"offer/charges":         {field: "totalPrice", code: sum},
		"counter/charges":       {field: "totalPrice", code: sum},
		"receipt/charges":       {field: "totalPrice", code: sum},
		"counter/itemOffered":   {field: "charges", code: bad},
		"receipt/items":         {field: "charges", code: bad},
		"counter/priceCurrency": {field: "priceCurrency", code: bad},
		"counter/totalPrice":    {field: "totalPrice", code: bad},
		"transaction-history/transactions.0.priceCurrency": {field: "transactions[0].priceCurrency", code: bad},
		"transaction-history/transactions.0.totalPrice":    {field: "transactions[0].totalPrice", code: bad},
	}
}

// Every field of every body, taken away, is missed or isn't.
func TestRequiredFields(t *testing.T) {
	required, others := requiredFields(), leftOut()
	for name, full := range fullRecords(t) {
		t.Run(name, func(t *testing.T) {
			list, ok := required[name]
			if !ok {
				t.Fatal("the table doesn't have this type")
			}
			must := map[string]bool{"type": true, "v": true, "by": true, "at": true, "retainUntil": true}
			for _, path := range strings.Fields(list) {
				must[path] = true
			}
			body := bodyOf(t, full)
			walk(body, "", func(path string, _ any) {
				if last := path[strings.LastIndexByte(path, '.')+1:]; last[0] <= '9' {
					return // an entry of a list
				}
				_, err := parseAs(t, with(body, path, absent{}))
				other, brings := others[name+"/"+path]
				switch {
				case must[path]:
					refused(t, err, protocol.CodeMissingField, fieldOf(path))
				case brings:
					refused(t, err, other.code, other.field)
				case path == "ext":
					refused(t, err, protocol.CodeBadField, "crit[0]")
				case err != nil:
					t.Errorf("without %s: %v", path, err)
				}
				delete(must, path)
			})
			for path := range must {
				t.Errorf("the table has %s, and the full record hasn't", path)
			}
		})
	}
}

// No field takes a value of another type, or null.
func TestWrongTypes(t *testing.T) {
	for name, full := range fullRecords(t) {
		if name == "rating" {
			continue // nothing is known of its fields
		}
		body := bodyOf(t, full)
		walk(body, "", func(path string, _ any) {
			for _, wrong := range []any{true, nil} {
				if wrong == true && path == "taxIncluded" {
					wrong = "true"
				}
				_, err := parseAs(t, with(body, path, wrong))
				refused(t, err, protocol.CodeBadField, fieldOf(path))
			}
		})
	}
}

// A key that the specification doesn't have, in any map: listed where the type
// allows it, refused where not.
func TestUnknownKeys(t *testing.T) {
	closed := map[string]bool{
		"acceptance": true, "confirmation": true, "void": true, "cancel": true, "decline": true,
		"award-notice": true, "restored": true, "held": true, "customer-void": true,
		"next-round": true, "introduction": true, "writer": true,
	}
	blocking := map[string]bool{"offer": true, "counter": true, "terms": true}
	for name, full := range fullRecords(t) {
		if name == "rating" {
			continue
		}
		body := with(bodyOf(t, full), "crit", absent{})
		check := func(path string) {
			changed := with(body, path, int64(1))
			r, err := parseAs(t, changed)
			if closed[name] {
				refused(t, err, protocol.CodeUnknownField, fieldOf(path))
				return
			}
			if err != nil {
				t.Errorf("%s with %s: %v", name, path, err)
				return
			}
			if got := r.Unknown(); len(got) != 1 || got[0] != fieldOf(path) {
				t.Errorf("%s with %s: unknown %q", name, path, got)
			}
			if err := r.CheckUnderstood(); blocking[name] {
				refused(t, err, protocol.CodeUnknownField, fieldOf(path))
			} else if err != nil {
				t.Errorf("%s with %s: %v", name, path, err)
			}
			_, err = parseAs(t, with(changed, path, nil))
			refused(t, err, protocol.CodeBadField, fieldOf(path))
			_, err = parseAs(t, with(changed, path, []any{map[string]any{"a": nil}}))
			refused(t, err, protocol.CodeBadField, fieldOf(path)+"[0].a")
		}
		check("penalty")
		walk(body, "", func(path string, value any) {
			if _, ok := value.(map[string]any); ok && !strings.HasSuffix(path, "ext") && path != "policy" {
				check(path + ".penalty")
			}
		})
	}
}

// Odd keys are shown so that they can't pass for something else.
func TestUnknownKeyShown(t *testing.T) {
	body := bodyOf(t, fullRecords(t)["offer"])
	for key, shown := range map[string]string{
		"penalty":                  "penalty",
		"a.b":                      `"a.b"`,
		"x\n\u202e":                `"x\n\u202e"`,
		strings.Repeat("long", 20): `"` + strings.Repeat("long", 16) + `\u2026"`,
		"":                         `""`,
	} {
		body := with(body, "ext", absent{}).(map[string]any)
		delete(body, "crit")
		body[key] = int64(1)
		r, err := parseAs(t, body)
		if err != nil {
			t.Errorf("%q: %v", key, err)
		} else if got := r.Unknown(); len(got) != 1 || got[0] != shown {
			t.Errorf("%q is shown as %q, want %q", key, got, shown)
		}
	}
}

type change struct {
	path  string
	value any
	code  protocol.Code // "" for valid
	field string        // "" for path's own
}

// Every limit and rule, each by what is just inside and what is just outside.
func TestRules(t *testing.T) {
	const bad, long = protocol.CodeBadField, protocol.CodeLifeTooLong
	text := func(n int) string { return strings.Repeat("x", n) }
	repeat := func(n int, entry func(i int) any) []any {
		list := make([]any, n)
		for i := range list {
			list[i] = entry(i)
		}
		return list
	}
	same := func(v any) func(int) any { return func(int) any { return v } }
	number := func(prefix string) func(int) any {
		return func(i int) any { return prefix + strings.Repeat("i", i+1) }
	}
	rawLink := cid.NewCidV1(cid.Raw, mustSum(t, "raw"))
	link := func(i int) any { return someID(text(i + 1)) }
	mailboxes := func(i int) any { return recordtest.MailboxAddress(text(i + 1)) }
	item := map[string]any{"name": "n"}
	line := map[string]any{"name": "n", "price": "0"}
	charge := map[string]any{"kind": "fee", "price": "0"}
	property := map[string]any{"propertyID": "p", "value": "v"}
	area := func(i int) any { return map[string]any{"postalCode": text(i/10+1) + string(rune('a'+i%10))} }
	peer := recordtest.PeerID("x")

	texts := func(path string, max int, lines bool) []change {
		newline := change{path, "a\nb\tc", bad, ""}
		if lines {
			newline.code = ""
		}
		return []change{
			{path, "", bad, ""}, {path, text(max), "", ""}, {path, text(max + 1), bad, ""}, newline,
			{path, "a\x00", bad, ""}, {path, "a\r", bad, ""}, {path, "a\x7f", bad, ""}, {path, "a\u0085", bad, ""},
			{path, "Čaues e\u0301 🥬", "", ""},
		}
	}
	replyTo := []change{
		{"replyTo.suite", int64(0), protocol.CodeSealUnknownSuite, ""},
		{"replyTo.suite", int64(3), protocol.CodeSealUnknownSuite, ""},
		{"replyTo.suite", int64(257), protocol.CodeSealUnknownSuite, ""},
		{"replyTo.key", make([]byte, 31), bad, ""}, {"replyTo.key", make([]byte, 33), bad, ""},
		{"replyTo.token", make([]byte, 31), bad, ""}, {"replyTo.token", make([]byte, 33), bad, ""},
		{"replyTo.mailboxes", []any{}, "", ""},
		{"replyTo.mailboxes", repeat(8, mailboxes), "", ""}, {"replyTo.mailboxes", repeat(9, mailboxes), bad, ""},
		{"replyTo.mailboxes", repeat(2, same(mailboxes(0))), bad, "replyTo.mailboxes[1]"},
		{"replyTo.mailboxes.0", "", bad, ""},
		{"replyTo.mailboxes.0", "/ip4/192.0.2.1/tcp/4001", bad, ""},
		{"replyTo.mailboxes.0", "/p2p/" + peer, bad, ""},
		{"replyTo.mailboxes.0", "ip4/192.0.2.1/p2p/" + peer, bad, ""},
		{"replyTo.mailboxes.0", "/ip4/192.0.2.1/p2p/" + peer + "/x", bad, ""},
		{"replyTo.mailboxes.0", "/ip4//p2p/" + peer, bad, ""},
		{"replyTo.mailboxes.0", "/dns4/a b/tcp/1/p2p/" + peer, bad, ""},
		{"replyTo.mailboxes.0", "/dns4/mailbox.example/tcp/443/p2p/" + peer, "", ""},
		{"replyTo.mailboxes.0", "/dns4/a/tcp/1/p2p/" + peer + "/p2p-circuit/p2p/" + peer, "", ""},
		{"replyTo.mailboxes.0", "/dns4/a/tcp/1/p2p/QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N", bad, ""},
		{"replyTo.mailboxes.0", "/dns4/" + text(256-len("/dns4//p2p/"+peer)) + "/p2p/" + peer, "", ""},
		{"replyTo.mailboxes.0", "/dns4/" + text(257-len("/dns4//p2p/"+peer)) + "/p2p/" + peer, bad, ""},
	}
	deal := []change{
		{"deal.0", rawLink, bad, ""}, {"deal.0", "bafy", bad, ""},
		{"deal.1", "did:key:z6Mk", protocol.CodeBadKey, ""},
		{"deal.2", int64(0), bad, ""}, {"deal.2", int64(1000), "", ""}, {"deal.2", int64(1001), bad, ""},
		{"deal", []any{someID("i")}, bad, ""},
		{"deal", []any{someID("i"), string(author().DID()), int64(1), int64(1)}, bad, ""},
	}
	reason := []change{
		{"reason", "some_reason_of_later", "", ""}, {"reason", "", bad, ""}, {"reason", "No", bad, ""},
		{"reason", "a__b", bad, ""}, {"reason", text(32), "", ""}, {"reason", text(33), bad, ""},
	}
	links := func(path string) []change {
		return []change{{path, rawLink, bad, ""}, {path, someID("x").String(), bad, ""}}
	}
	decimals := func(path string) []change {
		var list []change
		for _, wrong := range []string{"", "-0", "01", "1.0", "1.50", "+1", ".5", "1.", "1e3", "1.23456", "1000000000000000", " 1", "1,5", "١"} {
			list = append(list, change{path, wrong, bad, ""})
		}
		return list
	}
	categories := func(path string, most int) []change {
		return []change{
			{path, []any{}, bad, ""}, {path, repeat(most, number("a:")), "", ""}, {path, repeat(most+1, number("a:")), bad, ""},
			{path, []any{"a:b", "a:b"}, bad, path + "[1]"},
			{path, []any{"A:b"}, bad, path + "[0]"}, {path, []any{"a"}, bad, path + "[0]"}, {path, []any{"a:"}, bad, path + "[0]"},
			{path, []any{text(16) + ":" + text(64)}, "", ""},
			{path, []any{text(17) + ":b"}, bad, path + "[0]"}, {path, []any{"a:" + text(65)}, bad, path + "[0]"},
			{path, []any{"a:b c"}, bad, path + "[0]"}, {path, []any{"a:b:c"}, bad, path + "[0]"}, {path, []any{"a:b\n"}, bad, path + "[0]"},
		}
	}
	market := func(path string) []change {
		return []change{
			{path, "a/b", "", ""}, {path, "a/b/c", bad, ""}, {path, "A", bad, ""}, {path, "a-", bad, ""}, {path, "/a", bad, ""},
			{path, "", bad, ""}, {path, text(64), "", ""}, {path, text(65), bad, ""}, {path, "a b", bad, ""},
		}
	}
	termsRefs := func(path string, most int) []change {
		return []change{
			{path, []any{}, bad, ""}, {path, repeat(most, link), "", ""}, {path, repeat(most+1, link), bad, ""},
			{path, []any{"SD-BASE", "SD-BASE"}, bad, path + "[1]"}, {path, []any{"sd-base"}, bad, path + "[0]"},
			{path, []any{"SD--BASE"}, bad, path + "[0]"}, {path, []any{strings.Repeat("A", 32)}, "", ""},
			{path, []any{strings.Repeat("A", 33)}, bad, path + "[0]"}, {path, []any{rawLink}, bad, path + "[0]"},
		}
	}
	areaServed := func(path string) []change {
		return join(
			[]change{
				{path, map[string]any{}, bad, ""},
				{path + ".addressCountry", "at", bad, ""}, {path + ".addressCountry", "AUT", bad, ""},
			},
			texts(path+".addressRegion", 100, false), texts(path+".addressLocality", 100, false), texts(path+".postalCode", 16, false),
		)
	}
	times := func(path string) []change {
		return []change{{path, int64(-1), bad, ""}, {path, int64(protocol.MaxTime + 1), bad, ""}}
	}
	availability := []change{
		{"availabilityStarts", int64(0), bad, ""}, {"availabilityEnds", int64(0), bad, ""},
		{"availabilityEnds", int64(now + day - 1), bad, ""},
		{"availabilityEnds", int64(protocol.MaxTime), "", ""}, {"availabilityEnds", int64(protocol.MaxTime + 1), bad, ""},
	}
	language := []change{
		{"inLanguage", "zh-Hant-TW", "", ""}, {"inLanguage", "de_AT", bad, ""}, {"inLanguage", "", bad, ""},
		{"inLanguage", "abcdefgh-abcdefgh-abcdefgh-abcdefgh", "", ""}, {"inLanguage", "abcdefgh-abcdefgh-abcdefgh-abcdefgh-a", bad, ""},
	}
	quantity := join([]change{
		{"itemOffered.0.eligibleQuantity.value", "0", bad, ""}, {"itemOffered.0.eligibleQuantity.value", "-1", bad, ""},
		{"itemOffered.0.eligibleQuantity.unitCode", "kg", bad, ""}, {"itemOffered.0.eligibleQuantity.unitCode", "K", bad, ""},
		{"itemOffered.0.eligibleQuantity.unitCode", "KILO", bad, ""},
	}, decimals("itemOffered.0.eligibleQuantity.value"))
	header := join(times("at"), times("retainUntil"), []change{
		{"v", int64(0), protocol.CodeUnsupportedVersion, ""}, {"v", int64(2), protocol.CodeUnsupportedVersion, ""},
		{"type", "Intent", bad, ""}, {"type", "", bad, ""}, {"type", text(65), bad, ""},
		{"by", "did:web:example.com", protocol.CodeBadKey, ""}, {"by", "", protocol.CodeBadKey, ""},
		{"by", string(recordtest.NewParty("other").DID()), protocol.CodeBadSignature, "-"},
		{"retainUntil", int64(now - 1), bad, ""},
		{"crit", []any{}, bad, ""}, {"crit", []any{"example.com/none"}, bad, "crit[0]"},
		{"crit", []any{"example.com/a", "example.com/b"}, "", ""}, {"crit", []any{"example.com/a", "example.com/a"}, bad, "crit[1]"},
		{"crit", repeat(17, number("k")), bad, ""}, {"crit", []any{""}, bad, "crit[0]"}, {"crit", []any{text(129)}, bad, "crit[0]"},
		{"ext", map[string]any{}, bad, ""}, {"ext", true, bad, ""}, {"ext", nil, bad, ""}, {"ext", []any{}, bad, ""},
		{"ext", map[string]any{"example.com/a": map[string]any{"b": nil, "c": cid.NewCidV1(cid.Raw, mustSum(t, "x"))}}, "", ""},
		{"id", "bafy", bad, ""},
	})
	retention := func(days int64) []change {
		return []change{
			{"retainUntil", now + days*day, "", ""}, {"retainUntil", now + days*day + 1, long, ""},
		}
	}

	tables := map[string][]change{
		"intent": join(header, replyTo, availability, language, quantity, retention(366),
			texts("name", 200, false), texts("description", 8000, true),
			categories("category", 8), categories("itemOffered.0.category", 8), market("market"), termsRefs("terms", 8),
			areaServed("areaServed"), areaServed("itemOffered.0.areaServed"),
			texts("itemOffered.0.name", 500, false), texts("itemOffered.0.description", 2000, true),
			texts("identifier.0.propertyID", 64, false), texts("identifier.0.value", 256, false),
			decimals("priceSpecification.minPrice"), decimals("priceSpecification.maxPrice"), times("validUntil"),
			[]change{
				{"salt", make([]byte, 31), bad, ""}, {"salt", make([]byte, 33), bad, ""},
				{"itemOffered", []any{}, bad, ""}, {"itemOffered", repeat(200, same(item)), "", ""}, {"itemOffered", repeat(201, same(item)), bad, ""},
				{"identifier", []any{}, bad, ""}, {"identifier", repeat(4, same(property)), "", ""}, {"identifier", repeat(5, same(property)), bad, ""},
				{"awards", int64(0), bad, ""}, {"awards", int64(1000), "", ""}, {"awards", int64(1001), bad, ""},
				{"priceSpecification", map[string]any{"priceCurrency": "EUR"}, bad, ""},
				{"priceSpecification", map[string]any{"priceCurrency": "EUR", "minPrice": "1"}, "", ""},
				{"priceSpecification.priceCurrency", "eur", bad, ""}, {"priceSpecification.priceCurrency", "EURO", bad, ""},
				{"priceSpecification.minPrice", "-1", bad, ""}, {"priceSpecification.maxPrice", "-1", bad, ""},
				{"priceSpecification.minPrice", "10.25", "", ""}, {"priceSpecification.minPrice", "10.2501", bad, "priceSpecification.maxPrice"},
				{"validUntil", int64(now), bad, ""}, {"validUntil", int64(now + 1), "", ""},
				{"validUntil", int64(now + 180*day + 1), long, ""},
				{"validUntil", int64(now + 90*day), "", ""}, {"validUntil", int64(now + 90*day + 1), bad, "retainUntil"},
			}),
		"withdrawal": join(links("intent"), market("market"), reason, retention(366)),
		"profile": join(texts("name", 200, false), texts("description", 4000, true), categories("category", 32),
			areaServed("areaServed.0"), market("markets.0"), termsRefs("terms", 32), links("previous"), retention(3660),
			[]change{
				{"url", "http://example.com", bad, ""}, {"url", "https://user@example.com", bad, ""}, {"url", "https://", bad, ""},
				{"url", "https://example.com/a b", bad, ""}, {"url", "https://example.com/\u00e4", bad, ""}, {"url", "https://xn--bcher-kva.example", "", ""},
				{"url", "https://a/" + text(502), "", ""}, {"url", "https://a/" + text(503), bad, ""},
				{"areaServed", []any{}, bad, ""}, {"areaServed", repeat(32, area), "", ""}, {"areaServed", repeat(33, area), bad, ""},
				{"areaServed", repeat(2, same(area(0))), bad, "areaServed[1]"},
				{"markets", []any{}, bad, ""}, {"markets", repeat(32, number("m")), "", ""}, {"markets", repeat(33, number("m")), bad, ""},
				{"markets", []any{"a", "a"}, bad, "markets[1]"},
				{"nextKey", make([]byte, 31), bad, ""},
				{"replyTo.key", make([]byte, 32), bad, ""}, {"replyTo.key", make([]byte, 1216), "", ""},
			}),
		"terms": join(texts("name", 200, false), texts("text", 32768, true), language, []change{
			{"basedOn", "sd", bad, ""}, {"policy", map[string]any{}, bad, ""}, {"policy", true, bad, ""}, {"policy", nil, bad, ""},
			{"policy", map[string]any{"a": nil}, bad, "policy.a"}, {"policy", map[string]any{"a": rawLink}, "", ""},
		}),
		"offer": join(deal, replyTo, availability, quantity, texts("description", 4000, true), times("validUntil"),
			texts("itemOffered.0.name", 500, false), texts("itemOffered.0.description", 2000, true), categories("itemOffered.0.category", 8),
			texts("charges.0.name", 200, false), decimals("itemOffered.0.price"), decimals("itemOffered.0.unitPrice"),
			decimals("charges.0.price"), decimals("totalPrice"),
			[]change{
				{"number", int64(0), bad, ""}, {"number", int64(1000), "", ""}, {"number", int64(1001), bad, ""},
				{"itemOffered", []any{}, bad, ""}, {"itemOffered", repeat(201, same(line)), bad, ""},
				{"itemOffered", repeat(200, same(line)), protocol.CodeTotalMismatch, "totalPrice"},
				{"charges", []any{}, bad, ""}, {"charges", repeat(33, same(charge)), bad, ""},
				{"charges", repeat(32, same(charge)), protocol.CodeTotalMismatch, "totalPrice"},
				{"charges.0.kind", "bribe", bad, ""}, {"charges.0.kind", "discount", "", ""},
				{"itemOffered.0.taxRate", "100", "", ""}, {"itemOffered.0.taxRate", "100.0001", bad, ""}, {"itemOffered.0.taxRate", "-0.1", bad, ""},
				{"charges.0.taxRate", "0", "", ""}, {"charges.0.taxRate", "101", bad, ""}, {"taxIncluded", false, "", ""},
				{"deliveryWindow.ends", int64(now + day), "", ""}, {"deliveryWindow.ends", int64(now + day - 1), bad, ""},
				{"returnPolicy.returnPolicyCategory", "of_later", "", ""}, {"returnPolicy.returnPolicyCategory", "No", bad, ""},
				{"returnPolicy.merchantReturnDays", int64(0), "", ""}, {"returnPolicy.merchantReturnDays", int64(3661), bad, ""},
				{"returnPolicy.returnFeeAmount", "-1", bad, ""},
				{"number", int64(1), bad, "counter"}, {"deal.2", int64(1), bad, "changes"}, {"counter", rawLink, bad, ""}, {"changes", rawLink, bad, ""},
				{"itemOffered.0.item", int64(0), "", ""}, {"itemOffered.0.item", int64(-1), bad, ""}, {"itemOffered.0.item", int64(200), bad, ""},
				{"priceCurrency", "eur", bad, ""},
				{"totalPrice", "-1", bad, ""},
				{"totalPrice", "11.4001", protocol.CodeTotalMismatch, ""},
				{"itemOffered.0.price", "999999999999999.9999", protocol.CodeTotalMismatch, "totalPrice"},
				{"itemOffered.0.price", "10.0001", protocol.CodeTotalMismatch, "totalPrice"},
				{"terms", []any{}, bad, ""}, {"terms", "lower", bad, ""}, {"terms", someID("t"), "", ""},
				{"validUntil", int64(now), bad, ""}, {"validUntil", int64(now + 1), "", ""},
				{"validUntil", int64(now + 180*day + 1), long, ""}, {"validUntil", int64(now + 90*day + 1), bad, "retainUntil"},
			}),
		"acceptance":       join(deal, links("offer"), []change{{"replyTo.key", make([]byte, 32), bad, ""}}),
		"confirmation":     join(deal, links("acceptance"), retention(3660)),
		"void":             join(deal, reason, replyTo, links("cites")),
		"cancel":           join(deal, reason, replyTo),
		"decline":          join(deal, reason, replyTo),
		"award-notice":     join(deal, reason, replyTo, []change{{"offersReceived", int64(0), bad, ""}, {"offersReceived", int64(100_000), "", ""}, {"offersReceived", int64(100_001), bad, ""}}),
		"restored":         join(deal, replyTo),
		"held":             join(deal, links("restored"), links("decision")),
		"customer-void":    join(deal, links("restored")),
		"delivery-receipt": join([]change{{"records", []any{}, bad, ""}, {"records", repeat(64, link), "", ""}, {"records", repeat(65, link), bad, ""}, {"records", repeat(2, same(someID("a"))), bad, "records[1]"}, {"records", []any{rawLink}, bad, "records[0]"}}),
		"counter": join(deal, links("offer"), availability, reason, texts("description", 4000, true), times("validUntil"), decimals("totalPrice"),
			texts("itemOffered.0.name", 500, false), texts("charges.0.name", 200, false), []change{
				{"deal.2", int64(1), "", ""},
				{"itemOffered", []any{}, bad, ""}, {"itemOffered", repeat(201, same(line)), bad, ""},
				{"itemOffered", repeat(200, same(line)), protocol.CodeTotalMismatch, "totalPrice"},
				{"charges", []any{}, bad, ""}, {"charges", repeat(33, same(charge)), bad, ""},
				{"itemOffered.0.price", "9.0001", protocol.CodeTotalMismatch, "totalPrice"}, {"totalPrice", "-1", bad, ""},
				{"priceCurrency", "eur", bad, ""},
				{"validUntil", int64(now), bad, ""}, {"validUntil", int64(now + 1), "", ""},
				{"validUntil", int64(now + 180*day + 1), long, ""}, {"validUntil", int64(now + 90*day + 1), bad, "retainUntil"},
			}),
		"terms-counter": join(deal, replyTo, texts("description", 4000, true), []change{
			{"terms", "lower", bad, ""}, {"terms", rawLink, bad, ""}, {"terms", "SD-BASE", "", ""}, {"terms", []any{}, bad, ""},
		}),
		"next-round": join(deal, links("previous"), reason, texts("description", 4000, true), []change{
			{"deal.2", int64(1), bad, "deal"}, {"replyTo.key", make([]byte, 32), bad, ""},
		}),
		"order-event": join(deal, links("agreement"), texts("description", 2000, true), times("occurred"), decimals("payment.price"),
			texts("payment.method", 64, false), []change{
				{"orderStatus", "of_later", "", ""}, {"orderStatus", "No", bad, ""}, {"orderStatus", text(32), "", ""}, {"orderStatus", text(33), bad, ""},
				{"occurred", int64(0), bad, ""}, {"occurred", int64(now + day), "", ""},
				{"trackingUrl", "http://example.com", bad, ""}, {"payment.price", "-1", bad, ""}, {"payment.price", "0", "", ""},
				{"payment.priceCurrency", "eur", bad, ""},
				{"items", []any{}, bad, ""}, {"items", []any{int64(1), int64(1)}, bad, "items[1]"}, {"items", []any{int64(200)}, bad, "items[0]"},
				{"items", repeat(200, func(i int) any { return int64(i) }), "", ""},
			}),
		"receipt": join(deal, links("agreement"), times("orderDate"), decimals("totalPrice"), texts("identifier", 64, false),
			texts("paymentMethod", 64, false), texts("seller.legalName", 200, false), texts("seller.taxID", 64, false), texts("seller.address", 500, false),
			[]change{
				{"totalPrice", "9", protocol.CodeTotalMismatch, ""}, {"totalPrice", "-1", bad, ""}, {"priceCurrency", "eur", bad, ""},
				{"items", []any{}, bad, ""}, {"items", repeat(201, same(line)), bad, ""}, {"items", repeat(200, same(line)), protocol.CodeTotalMismatch, "totalPrice"},
				{"charges", []any{}, bad, ""}, {"charges", repeat(33, same(charge)), bad, ""}, {"seller", map[string]any{}, bad, ""},
				{"orderDate", int64(0), "", ""},
			}),
		"outcome": join(deal, links("agreement"), texts("description", 4000, true), texts("measure.0.name", 100, false), decimals("measure.0.value"),
			[]change{
				{"result", "of_later", "", ""}, {"result", "No", bad, ""}, {"measure", []any{}, bad, ""},
				{"measure", repeat(16, same(map[string]any{"name": "n", "value": "-1"})), "", ""},
				{"measure", repeat(17, same(map[string]any{"name": "n", "value": "1"})), bad, ""}, {"measure.0.unitCode", "kg", bad, ""},
			}),
		"introduction": join(links("intent"), retention(3660), []change{
			{"intent", someID("another"), protocol.CodeBadSignature, "proof"},
			{"vendor", "did:key:z6Mk", protocol.CodeBadKey, ""}, {"vendor", string(author().DID()), protocol.CodeBadSignature, "proof"},
			{"relationship", string(author().DID()), protocol.CodeBadSignature, "proof"},
			{"proof", make([]byte, 63), bad, ""}, {"proof", make([]byte, 65), bad, ""}, {"proof", make([]byte, 64), protocol.CodeBadSignature, ""},
		}),
		"preference": join(texts("name", 200, false), texts("value", 4000, true), categories("category", 8), links("supersedes"), []change{
			{"salt", make([]byte, 31), bad, ""}, {"salt", make([]byte, 32), bad, ""},
			{"value", map[string]any{}, bad, ""}, {"value", map[string]any{"a": nil}, bad, "value.a"}, {"value", map[string]any{"a": []any{int64(1)}}, "", ""},
			{"value", []any{"a"}, bad, ""},
		}),
		"membership": join(texts("programName", 200, false), texts("membershipNumber", 64, false), links("supersedes"), times("validFrom"), times("validThrough"),
			[]change{
				{"member", "did:web:a", protocol.CodeBadKey, ""}, {"hostingOrganization", "did:web:a", protocol.CodeBadKey, ""},
				{"validFrom", int64(0), bad, ""}, {"validThrough", int64(0), bad, ""}, {"validThrough", int64(now - day), "", ""}, {"validThrough", int64(now - day - 1), bad, ""},
			}),
		"transaction-history": join(links("supersedes"), links("transactions.0.agreement"), links("transactions.0.receipt"), times("periodStarts"), times("transactions.0.orderDate"),
			texts("transactions.0.name", 200, false), categories("transactions.0.category", 8), decimals("transactions.0.totalPrice"),
			[]change{
				{"transactions", []any{}, bad, ""}, {"transactions", repeat(256, same(map[string]any{"agreement": someID("a")})), "", ""},
				{"transactions", repeat(257, same(map[string]any{"agreement": someID("a")})), bad, ""},
				{"transactions.0.totalPrice", "-1", bad, ""}, {"transactions.0.seller", "did:web:a", protocol.CodeBadKey, ""},
				{"periodEnds", int64(now - 9*day), "", ""}, {"periodEnds", int64(now - 9*day - 1), bad, ""},
			}),
		"deletion-notice": join(links("intent"), texts("description", 2000, true), times("kept.0.until"), links("kept.0.record"), []change{
			{"deal.2", int64(0), bad, ""}, {"deal.0", someID("another"), bad, "deal"}, {"kept.0.reason", "No", bad, ""}, {"kept.0.reason", "of_later", "", ""},
			{"erased", []any{}, "", ""}, {"kept", []any{}, "", ""}, {"erased", repeat(64, link), "", ""}, {"erased", repeat(65, link), bad, ""},
			{"erased", repeat(2, same(someID("a"))), bad, "erased[1]"}, {"kept.0.record", someID("payload"), bad, "kept[0]"},
			{"kept", repeat(64, func(i int) any { return map[string]any{"record": link(i), "reason": "dispute"} }), "", ""},
			{"kept", repeat(65, func(i int) any { return map[string]any{"record": link(i), "reason": "dispute"} }), bad, ""},
			{"kept", repeat(2, same(map[string]any{"record": someID("a"), "reason": "dispute"})), bad, "kept[1]"},
		}),
		"writer": {
			{"instance", make([]byte, 15), bad, ""}, {"instance", make([]byte, 17), bad, ""}, {"instance", make([]byte, 16), "", ""},
			{"started", int64(now), "", ""}, {"started", int64(now + 1), bad, ""}, {"started", int64(0), "", ""},
			{"retainUntil", int64(now + 600), "", ""}, {"retainUntil", int64(now + 601), long, ""},
		},
		"rating": join(header, retention(3660), []change{{"any", nil, bad, ""}, {"any", map[string]any{"a": []any{nil}}, bad, "any.a[0]"}}),
	}
	for name, full := range fullRecords(t) {
		t.Run(name, func(t *testing.T) {
			changes, ok := tables[name]
			if !ok {
				t.Fatal("no table for this type")
			}
			body := bodyOf(t, full)
			for _, c := range changes {
				_, err := parseAs(t, with(body, c.path, c.value))
				field := fieldOf(c.path)
				switch {
				case c.field == "-":
					field = ""
				case c.field != "":
					field = fieldOf(c.field)
				}
				if c.code != "" {
					refused(t, err, c.code, field)
				} else if err != nil {
					t.Errorf("%s: %v", c.path, err)
				}
			}
		})
	}
}

func join(lists ...[]change) []change {
	var all []change
	for _, list := range lists {
		all = append(all, list...)
	}
	return all
}

func mustSum(t *testing.T, data string) multihash.Multihash {
	t.Helper()
	hash, err := multihash.Sum([]byte(data), multihash.SHA2_256, -1)
	if err != nil {
		t.Fatal(err)
	}
	return hash
}

// A total that is wrong is told with the sum that it should be.
func TestTotalMismatchTells(t *testing.T) {
	_, err := parseAs(t, with(bodyOf(t, fullRecords(t)["offer"]), "totalPrice", "11.5"))
	refused(t, err, protocol.CodeTotalMismatch, "totalPrice")
	for _, sum := range []string{"11.5", "11.4"} {
		if !strings.Contains(err.Error(), sum) {
			t.Errorf("%v doesn't say %s", err, sum)
		}
	}
}
