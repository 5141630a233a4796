package ocds

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/parley-protocol/parley/crypto"
	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/draft"
	"github.com/parley-protocol/parley/protocol/record"
	"github.com/parley-protocol/parley/protocol/terms"
	"github.com/parley-protocol/parley/spec/vectors/fuzzing"
)

// now is 2026-11-21T00:00:00Z.
const now = 1795219200

// later is 30 days on.
const later = now + 30*24*60*60

// publish fills in what the caller of Draft fills in, with the largest reply
// key and the most mailboxes that there can be, and signs: what validation
// finds in the draft, a publisher would meet.
func publish(t testing.TB, d *draft.Draft) (*record.Record, error) {
	t.Helper()
	signer := crypto.NewSigner([32]byte{1})
	intent := *d.Intent
	intent.Salt = [32]byte{2}
	intent.Terms = []record.TermsRef{terms.Default()}
	intent.Awards = 1
	intent.ReplyTo = record.ReplyTo{Suite: crypto.Suite(2), Key: make([]byte, 1216), Token: [32]byte{3}}
	for i := range protocol.MaxMailboxes {
		addr := fmt.Sprintf("/dns4/mailbox-%d.%s.example.org/udp/4001/quic-v1/p2p/12D3KooWPjceQrSwdWXPyLLeABRXmuqt69Rg3sBYbU1Nft9HyQ6X", i, strings.Repeat("a", 60))
		intent.ReplyTo.Mailboxes = append(intent.ReplyTo.Mailboxes, addr)
	}
	header := record.Header{At: now, RetainUntil: intent.ValidUntil, Ext: d.Ext}
	return record.Sign(header, &intent, signer)
}

// notice builds a release of the tender stage, changed by edits of its tender.
func notice(edit ...func(release, tender map[string]any)) []byte {
	tender := map[string]any{
		"title":          "Desks",
		"description":    "Twenty desks.",
		"status":         "active",
		"classification": map[string]any{"scheme": "CPV", "id": "39121100-7"},
		"tenderPeriod":   map[string]any{"endDate": "2026-12-31T12:00:00Z"},
	}
	release := map[string]any{"ocid": "ocds-000000-1", "id": "1", "tag": []any{"tender"}, "language": "EN", "tender": tender}
	for _, f := range edit {
		f(release, tender)
	}
	data, err := json.Marshal(release)
	if err != nil {
		panic(err)
	}
	return data
}

// with is notice with one member of the tender replaced by raw JSON.
func with(key, value string) []byte {
	return notice(func(_, tender map[string]any) { tender[key] = json.RawMessage(value) })
}

// must drafts and signs.
func must(t *testing.T, data []byte, opt Options) *draft.Draft {
	t.Helper()
	opt.Now = now
	d, err := Draft(data, opt)
	if err != nil {
		t.Fatalf("%v\n%s", err, data)
	}
	if _, err := publish(t, d); err != nil {
		t.Fatalf("the draft is not valid: %v\n%s", err, data)
	}
	return d
}

// noted reports whether a note has the words.
func noted(d *draft.Draft, words string) bool {
	for _, note := range d.Notes {
		if strings.Contains(note.Text, words) {
			return true
		}
	}
	return false
}

func TestRefusals(t *testing.T) {
	tagged := func(tags ...any) []byte { return notice(func(release, _ map[string]any) { release["tag"] = tags }) }
	one := string(notice())
	tests := []struct {
		name string
		data string
		code protocol.Code
		says string
	}{
		{"empty", "", protocol.CodeMalformed, "ends too early"},
		{"not JSON", "<html>", protocol.CodeMalformed, "at byte 1"},
		{"cut off", one[:len(one)-3], protocol.CodeMalformed, "ends too early"},
		{"two lines", one + "\n" + one, protocol.CodeMalformed, "after the end"},
		{"too large", strings.Repeat(" ", draft.MaxDocument+1), protocol.CodeTooLarge, "at most"},
		{"not OCDS", `{"name": "x"}`, protocol.CodeUnsupportedFormat, "no ocid"},
		{"a list", `[]`, protocol.CodeUnsupportedFormat, "not an OCDS release"},
		{"an empty package", `{"releases": []}`, protocol.CodeUnsupportedFormat, "empty"},
		{"two releases", `{"releases": [` + one + "," + one + `]}`, protocol.CodeAmbiguous, "2 releases"},
		{"two records", `{"records": [{}, {}]}`, protocol.CodeAmbiguous, "2 records"},
		{"record without compiled release", `{"records": [{"ocid": "x", "releases": []}]}`, protocol.CodeUnsupportedFormat, "no compiled release"},
		{"a link", `{"releases": [{"url": "https://example.org/1", "tag": ["tender"]}]}`, protocol.CodeUnsupportedFormat, "links"},
		{"award", string(tagged("award")), protocol.CodeNotARequest, "announces an award that was already made, not a request; tags: award"},
		{"tender and award", string(tagged("tender", "award")), protocol.CodeNotARequest, "tags: tender, award"},
		{"contract", string(tagged("contract")), protocol.CodeNotARequest, "contract that was already made"},
		{"implementation", string(tagged("implementation")), protocol.CodeNotARequest, "delivery of a contract"},
		{"compiled with awards", string(notice(func(r, _ map[string]any) { r["tag"], r["awards"] = []any{"compiled"}, []any{map[string]any{"id": "1"}} })), protocol.CodeNotARequest, "award"},
		{"complete", string(with("status", `"complete"`)), protocol.CodeNotARequest, "complete"},
		{"cancelled", string(with("status", `"cancelled"`)), protocol.CodeWithdrawn, "taken this tender back"},
		{"withdrawn", string(with("status", `"withdrawn"`)), protocol.CodeWithdrawn, "taken this tender back"},
		{"cancellation", string(tagged("tenderCancellation")), protocol.CodeWithdrawn, "taken this tender back"},
		{"unsuccessful", string(with("status", `"unsuccessful"`)), protocol.CodeNotARequest, "without an award"},
		{"no tender", `{"ocid": "x", "tag": ["planning"]}`, protocol.CodeNotARequest, "no tender section"},
		{"no title", string(with("title", `" \u0007 "`)), protocol.CodeMissingField, "no title"},
		{"no deadline", string(with("tenderPeriod", `{}`)), protocol.CodeMissingField, "no deadline"},
		{"past", string(with("tenderPeriod", `{"endDate": "2025-01-30T12:00:00Z"}`)), protocol.CodeExpired, "the deadline 2025-01-30 has passed"},
		{"unclassified", string(with("classification", `null`)), protocol.CodeMissingField, "not classified"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := Draft([]byte(test.data), Options{Options: draft.Options{Now: now}})
			refusal, ok := err.(*protocol.Error)
			if !ok {
				t.Fatalf("got %v, want a coded refusal", err)
			}
			if refusal.Code != test.code || !strings.Contains(refusal.Detail, test.says) {
				t.Errorf("got %v; want %s with %q", err, test.code, test.says)
			}
			if refusal.Hint == "" || !refusal.Code.Known() {
				t.Errorf("%v: hint %q, code registered: %t", err, refusal.Hint, refusal.Code.Known())
			}
		})
	}
}

func TestDeadline(t *testing.T) {
	past := with("tenderPeriod", `{"endDate": "2025-01-30T12:00:00Z"}`)
	if got := must(t, past, Options{Options: draft.Options{ValidUntil: later}}); got.Intent.ValidUntil != later || !noted(got, "own deadline, 2025-01-30, was replaced by 2026-12-21") {
		t.Errorf("override: %d, %v", got.Intent.ValidUntil, got.Notes)
	}
	far := with("tenderPeriod", `{"endDate": "2028-01-01T00:00:00Z"}`)
	if got := must(t, far, Options{}); got.Intent.ValidUntil != now+protocol.MaxIntentLife || !noted(got, "180 days") {
		t.Errorf("far deadline: %d, %v", got.Intent.ValidUntil, got.Notes)
	}
	bare := with("tenderPeriod", `{"endDate": "2026-12-31"}`)
	if got := must(t, bare, Options{}); got.Intent.ValidUntil != 1798761599 || !noted(got, "no time zone") {
		t.Errorf("bare date: %d, %v", got.Intent.ValidUntil, got.Notes)
	}
	for code, until := range map[protocol.Code]int64{protocol.CodeBadField: now, protocol.CodeLifeTooLong: now + protocol.MaxIntentLife + 1} {
		if _, err := Draft(past, Options{Options: draft.Options{Now: now, ValidUntil: until}}); protocol.CodeOf(err) != code {
			t.Errorf("override %d: got %v, want %s", until, err, code)
		}
	}
}

func TestAllowAwarded(t *testing.T) {
	award := notice(func(release, tender map[string]any) { release["tag"], tender["status"] = []any{"award"}, "complete" })
	if got := must(t, award, Options{AllowAwarded: true}); !noted(got, "an award that was already made") {
		t.Errorf("notes: %v", got.Notes)
	}
}

func TestMoney(t *testing.T) {
	gbp := func(amount string) string { return `{"amount": ` + amount + `, "currency": "GBP"}` }
	tests := []struct{ value, minValue, min, max, note string }{
		{gbp("100"), "null", "", "100", ""},
		{gbp("3000000.0"), gbp("1e3"), "1000", "3000000", ""},
		{gbp("0.1"), "null", "", "0.1", ""},
		{gbp("123456789012345.6789"), "null", "", "123456789012345.6789", ""},
		{gbp("9007199254740993"), "null", "", "", "is not a number that a record can hold"},
		{gbp("900719925474099.3"), "null", "", "900719925474099.3", ""},
		{gbp("1.00005"), "null", "", "1.0001", "rounded from 1.00005 to 1.0001"},
		{gbp(`"2500.50"`), "null", "", "2500.5", ""},
		{gbp("1e99"), "null", "", "", "is not a number"},
		{gbp("1e999999999"), "null", "", "", "is not a number"},
		{gbp("0"), "null", "", "", "says nothing"},
		{gbp("-5"), "null", "", "", "says nothing"},
		{gbp("5"), gbp("6"), "", "5", "above the value"},
		{gbp("5"), `{"amount": 4, "currency": "EUR"}`, "", "5", "it is in EUR"},
		{"null", gbp("7"), "7", "", ""},
		{`{"amount": 5}`, "null", "", "", "not a currency"},
		{`{"amount": {}, "currency": "GBP"}`, "null", "", "", "expected"},
	}
	for _, test := range tests {
		data := notice(func(_, tender map[string]any) {
			tender["value"], tender["minValue"] = json.RawMessage(test.value), json.RawMessage(test.minValue)
		})
		d := must(t, data, Options{})
		var min, max string
		if p := d.Intent.PriceSpecification; p != nil {
			if p.MinPrice != nil {
				min = p.MinPrice.String()
			}
			if p.MaxPrice != nil {
				max = p.MaxPrice.String()
			}
		}
		if min != test.min || max != test.max || !noted(d, test.note) && test.note != "" {
			t.Errorf("%s, %s: got %q to %q, notes %v; want %q to %q, note %q", test.value, test.minValue, min, max, d.Notes, test.min, test.max, test.note)
		}
	}
}

func TestItems(t *testing.T) {
	show := func(d *draft.Draft) string {
		var b strings.Builder
		for _, item := range d.Intent.ItemOffered {
			fmt.Fprintf(&b, "%s|%s|", item.Name, strings.ReplaceAll(item.Description, "\n", "/"))
			if q := item.Quantity; q != nil {
				fmt.Fprintf(&b, "%s %s", q.Value, q.UnitCode)
			}
			fmt.Fprintf(&b, "|%s;", strings.Join(item.Category, ","))
		}
		return b.String()
	}
	tests := []struct{ name, items, lots, want, note string }{
		{"none", "null", "null", "Desks||||;", ""},
		{"a quantity in a known unit", `[{"description": "Desk", "quantity": 20, "unit": {"scheme": "UNCEFACT", "id": "c62"}}]`, "null", "Desk||20 C62|;", ""},
		{"a unit by name", `[{"description": "Road", "quantity": 8.50, "unit": {"name": "Miles"}}]`, "null", "Road||8.5 SMI|;", ""},
		{"a quantity without a unit", `[{"description": "Desk", "quantity": 20}]`, "null", "Desk||20 C62|;", ""},
		{"an unknown unit", `[{"description": "Desk", "quantity": 20, "unit": {"name": "furlongs"}}]`, "null", "Desk|20 furlongs||;", "not known"},
		{"no quantity", `[{"description": "Desk", "quantity": 0}]`, "null", "Desk|||;", "quantity of 0"},
		{"a name from the classification", `[{"classification": {"scheme": "CPV", "id": "45233130.0", "description": "Highways"}}]`, "null", "Highways|||cpv:45233130;", ""},
		{"a name from the lot", `[{"description": "Desk"}, {"relatedLot": "2"}]`, `[{"id": "2", "title": "Chairs"}]`, "Desk|||;Chairs|||;", ""},
		{"lots for nameless items", `[{"relatedLot": "1", "classification": {"scheme": "CPV", "id": "1"}}, {"relatedLot": "2"}]`,
			`[{"id": "1", "title": "North"}, {"id": "2", "description": "All of it"}]`, "North|||cpv:1;Lot 2|All of it||;", ""},
		{"a lot that was cancelled", "null", `[{"id": "1", "title": "North", "status": "cancelled"}, {"id": "2", "title": "South"}]`, "South|||;", "it is cancelled"},
		{"a single lot without a title", "null", `[{"id": "1", "description": "Twenty desks."}]`, "Desks|||;", ""},
		{"a classification that doesn't fit", `[{"description": "Desk", "classification": {"scheme": "My own scheme", "id": "1"}}]`, "null", "Desk|||;", "doesn't fit"},
	}
	for _, test := range tests {
		d := must(t, notice(func(_, tender map[string]any) {
			tender["items"], tender["lots"] = json.RawMessage(test.items), json.RawMessage(test.lots)
		}), Options{})
		want := strings.Replace(test.want, "||||;", "|||;", 1)
		if got := show(d); got != want || test.note != "" && !noted(d, test.note) {
			t.Errorf("%s: got %q, notes %v; want %q, note %q", test.name, got, d.Notes, want, test.note)
		}
	}
}

func TestPlaces(t *testing.T) {
	tests := []struct{ addresses, want string }{
		{`[]`, "<nil>"},
		{`[{"countryName": "United Kingdom", "postalCode": "WR2 6AJ", "streetAddress": "1 High Street"}]`, "GB///WR2"},
		{`[{"postalCode": "sw1a 2aa"}]`, "GB///SW1A"},
		{`[{"countryName": "Germany", "postalCode": "10115", "locality": "Berlin"}]`, "DE//Berlin/"},
		{`[{"region": "UKM71"}]`, "GB/Scotland//"},
		{`[{"region": "UKM71"}, {"region": "UKM5"}]`, "GB/Scotland//"},
		{`[{"region": "UKM71"}, {"region": "UKL"}]`, "GB///"},
		{`[{"region": "DE21A"}]`, "DE/DE21A//"},
		{`[{"region": "KENT", "countryName": "UK"}]`, "GB/KENT//"},
		{`[{"region": "England"}]`, "GB/England//"},
		{`[{"region": "London", "locality": "Somewhere", "countryName": "United Kingdom"}]`, "GB/London//"},
		{`[{"countryName": "Germany"}, {"countryName": "France"}]`, "<nil>"},
		{`[{"countryName": "Germany"}, {"countryName": "Rest of the World"}]`, "<nil>"},
	}
	for _, test := range tests {
		d := must(t, with("items", `[{"description": "Desk", "deliveryAddresses": `+test.addresses+`}]`), Options{})
		got := "<nil>"
		if a := d.Intent.AreaServed; a != nil {
			got = strings.Join([]string{a.AddressCountry, a.AddressRegion, a.AddressLocality, a.PostalCode}, "/")
		}
		if got != test.want {
			t.Errorf("%s: got %s, want %s", test.addresses, got, test.want)
		}
		// Whatever was given, no street and no inward half of a postcode comes out.
		if text := fmt.Sprintf("%+v", d.Intent); strings.Contains(text, "High Street") || strings.Contains(text, "6AJ") || strings.Contains(text, "10115") {
			t.Errorf("%s: too exact: %s", test.addresses, text)
		}
	}
}

func TestMessyText(t *testing.T) {
	d := must(t, notice(func(release, tender map[string]any) {
		tender["title"] = "  Desks\u0007 and\r\n\tchairs\u202e "
		tender["description"] = "One\r\n\r\n\r\n\u0000Two " + strings.Repeat("é", 5000)
		release["language"] = "en_gb"
		release["buyer"] = map[string]any{"name": "Example Borough Council", "id": 7}
	}), Options{Options: draft.Options{Market: "office/furniture"}})
	if d.Intent.Name != "Desks and chairs" || d.Intent.InLanguage != "en-GB" || d.Intent.Market != "office/furniture" {
		t.Errorf("name %q, language %q, market %q", d.Intent.Name, d.Intent.InLanguage, d.Intent.Market)
	}
	if !strings.HasPrefix(d.Intent.Description, "One\n\nTwo é") || !strings.HasSuffix(d.Intent.Description, "é…") {
		t.Errorf("description %.20q … %q", d.Intent.Description, d.Intent.Description[len(d.Intent.Description)-6:])
	}
	if !noted(d, "tender.description was shortened from 10,009 to 8,000 bytes") && !noted(d, "tender.description was shortened from 10,009 to 7,999 bytes") {
		t.Errorf("notes: %v", d.Notes)
	}
	if got := fmt.Sprint(d.Ext); got != "map[ocds:map[buyer:map[id:7 name:Example Borough Council]]]" || !noted(d, "will be public") {
		t.Errorf("ext: %s, notes %v", got, d.Notes)
	}
}

// TestHuge fills every list and text: what doesn't fit into one record is
// shortened, with a note, and never an error.
func TestHuge(t *testing.T) {
	for _, size := range []int{60, 400, 3000} {
		var items []any
		for i := range 300 {
			items = append(items, map[string]any{
				"description": fmt.Sprintf("Thing %d %s", i, strings.Repeat("x", size)), "quantity": 1,
				"classification":    map[string]any{"scheme": "CPV", "id": fmt.Sprint(i)},
				"deliveryAddresses": []any{map[string]any{"countryName": "Germany", "region": strings.Repeat("r", 200)}},
			})
		}
		d := must(t, notice(func(_, tender map[string]any) {
			tender["items"], tender["title"], tender["description"] = items, strings.Repeat("t", 500), strings.Repeat("d", 9000)
		}), Options{})
		if n := len(d.Intent.ItemOffered); n > protocol.MaxItems || n < 50 || len(d.Notes) > 40 || !noted(d, "of 300 items") {
			t.Errorf("size %d: %d items, notes %v", size, n, d.Notes)
		}
	}
}

func FuzzDraft(f *testing.F) {
	f.Add(notice())
	f.Add(with("items", `[{"description": "Desk", "quantity": 2e1, "unit": {"name": "box"}, "deliveryAddresses": [{"region": "UKM71"}]}]`))
	f.Add([]byte(`{"releases": [{"ocid": 1, "tender": {"title": ["x"], "value": {"amount": "1", "currency": "eur"}}}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var d *draft.Draft
		var err error
		fuzzing.Bounded(t, len(data), func() {
			d, err = Draft(data, Options{Options: draft.Options{Now: now, ValidUntil: later}, AllowAwarded: true})
		})
		if err != nil {
			if !protocol.CodeOf(err).Known() {
				t.Fatalf("refused without a code: %v", err)
			}
			return
		}
		if _, err := publish(t, d); err != nil {
			t.Fatalf("the draft is not valid: %v", err)
		}
	})
}
