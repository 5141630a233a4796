package schemaorg

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/parley-protocol/parley/crypto"
	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/decimal"
	"github.com/parley-protocol/parley/protocol/draft"
	"github.com/parley-protocol/parley/protocol/record"
	"github.com/parley-protocol/parley/protocol/terms"
	"github.com/parley-protocol/parley/spec/vectors/fuzzing"
)

// now is 2026-11-21T00:00:00Z, later 30 days on.
const (
	now   = 1795219200
	later = now + 30*24*60*60
)

func options() Options { return Options{draft.Options{Now: now}} }

func exact(t testing.TB, text string) *decimal.Decimal {
	t.Helper()
	d, err := decimal.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return &d
}

// sign fills in what the caller of Draft fills in, and signs.
func sign(t testing.TB, intent record.Intent) (*record.Record, error) {
	t.Helper()
	public, err := crypto.SealingSeed{4}.PublicKey(crypto.SuiteX25519)
	if err != nil {
		t.Fatal(err)
	}
	intent.Salt, intent.Terms, intent.Awards = [32]byte{2}, []record.TermsRef{terms.Default()}, 1
	intent.ReplyTo = record.ReplyTo{Suite: crypto.SuiteX25519, Key: public, Token: [32]byte{3}}
	return record.Sign(record.Header{At: now, RetainUntil: intent.ValidUntil}, &intent, crypto.NewSigner([32]byte{1}))
}

// demand is a whole Demand with some members replaced; null takes one out.
func demand(members ...string) []byte {
	object := map[string]any{
		"@context": "https://schema.org", "@type": "Demand", "name": "A bicycle", "validThrough": "2026-12-21T00:00:00Z",
		"category": "gpc:10003735",
	}
	for i := 0; i < len(members); i += 2 {
		object[members[i]] = json.RawMessage(members[i+1])
	}
	data, err := json.Marshal(object)
	if err != nil {
		panic(err)
	}
	return data
}

// must drafts and signs.
func must(t *testing.T, data []byte) *draft.Draft {
	t.Helper()
	d, err := Draft(data, options())
	if err != nil {
		t.Fatalf("%v\n%s", err, data)
	}
	if _, err := sign(t, *d.Intent); err != nil {
		t.Fatalf("the draft is not valid: %v\n%s", err, data)
	}
	return d
}

func noted(d *draft.Draft, words string) bool {
	for _, note := range d.Notes {
		if strings.Contains(note.Text, words) {
			return true
		}
	}
	return false
}

func TestContexts(t *testing.T) {
	for _, document := range []string{
		`{"@context": "https://schema.org", "@type": "Demand", "name": "A bicycle", "validThrough": "2026-12-21"}`,
		`{"@context": "http://schema.org/", "@type": ["Thing", "Demand"], "name": "A bicycle", "validThrough": "2026-12-21"}`,
		`{"@context": {"@vocab": "https://schema.org/"}, "@type": "Demand", "name": {"@value": "A bicycle", "@language": "en"}, "validThrough": "2026-12-21"}`,
		`{"@context": ["https://schema.org", {"x": "https://example.org/"}], "@type": "Demand", "name": "A bicycle", "validThrough": "2026-12-21"}`,
		`{"@context": {"schema": "http://schema.org/"}, "@type": "schema:Demand", "schema:name": "A bicycle", "schema:validThrough": "2026-12-21"}`,
		`{"@context": "https://schema.org", "@graph": [{"@type": "Person", "name": "X"}, {"@type": "https://schema.org/Demand", "https://schema.org/name": "A bicycle", "https://schema.org/validThrough": "2026-12-21"}]}`,
		`[{"@context": "https://schema.org", "@type": "Demand", "name": "A bicycle", "validThrough": "2026-12-21"}]`,
	} {
		if d := must(t, []byte(document)); d.Intent.Name != "A bicycle" || d.Intent.ItemOffered[0].Name != "A bicycle" || !noted(d, "stands in") {
			t.Errorf("%s: %+v, %v", document, d.Intent, d.Notes)
		}
	}
}

func TestRefusals(t *testing.T) {
	one := string(demand())
	tests := []struct {
		name, document string
		code           protocol.Code
		says           string
	}{
		{"not JSON", "Demand", protocol.CodeMalformed, "not a JSON document"},
		{"no context", `{"@type": "Demand", "name": "x"}`, protocol.CodeUnsupportedFormat, "@context"},
		{"another context", `{"@context": "https://example.org", "@type": "Demand"}`, protocol.CodeUnsupportedFormat, "@context"},
		{"an Offer", `{"@context": "https://schema.org", "@type": "Offer"}`, protocol.CodeNotARequest, "this is an Offer"},
		{"a Person", `{"@context": "https://schema.org", "@type": "Person"}`, protocol.CodeUnsupportedFormat, "only: Person"},
		{"two Demands", "[" + one + "," + one + "]", protocol.CodeAmbiguous, "2 Demands"},
		{"no name", string(demand("name", "null")), protocol.CodeMissingField, "no name"},
		{"no deadline", string(demand("validThrough", "null")), protocol.CodeMissingField, "no deadline"},
		{"past", string(demand("validThrough", `"2025-01-30"`)), protocol.CodeExpired, "2025-01-30 has passed"},
	}
	for _, test := range tests {
		_, err := Draft([]byte(test.document), options())
		refusal, ok := err.(*protocol.Error)
		if !ok || refusal.Code != test.code || !strings.Contains(refusal.Detail, test.says) || refusal.Hint == "" {
			t.Errorf("%s: got %v; want %s with %q and a hint", test.name, err, test.code, test.says)
		}
	}
}

func TestProperties(t *testing.T) {
	area := func(country, region, locality, postcode string) *record.Area {
		return &record.Area{AddressCountry: country, AddressRegion: region, AddressLocality: locality, PostalCode: postcode}
	}
	tests := []struct {
		name    string
		members []string
		got     func(*record.Intent) any
		want    any
		note    string
	}{
		{"item as text", []string{"itemOffered", `"A red bicycle"`}, func(i *record.Intent) any { return i.ItemOffered[0].Name }, "A red bicycle", ""},
		{"items as a list", []string{"itemOffered", `[{"@type": "Product", "name": "A"}, {"@type": "Service", "name": "B"}]`},
			func(i *record.Intent) any { return i.ItemOffered[0].Name + i.ItemOffered[1].Name }, "AB", ""},
		{"an item without a name", []string{"itemOffered", `[{"@type": "Product"}]`}, func(i *record.Intent) any { return i.ItemOffered[0].Name }, "A bicycle", "no name"},
		{"quantity", []string{"eligibleQuantity", `{"@type": "QuantitativeValue", "value": 2.5, "unitCode": "KGM"}`},
			func(i *record.Intent) any {
				return i.ItemOffered[0].Quantity.Value.String() + i.ItemOffered[0].Quantity.UnitCode
			}, "2.5KGM", ""},
		{"a bare quantity", []string{"eligibleQuantity", `3`},
			func(i *record.Intent) any {
				return i.ItemOffered[0].Quantity.Value.String() + i.ItemOffered[0].Quantity.UnitCode
			}, "3C62", ""},
		{"an unknown unit", []string{"eligibleQuantity", `{"value": 2, "unitText": "furlongs"}`},
			func(i *record.Intent) any { return i.ItemOffered[0].Quantity == nil }, true, "furlongs"},
		{"a quantity of several things", []string{"itemOffered", `["A", "B"]`, "eligibleQuantity", `3`},
			func(i *record.Intent) any { return i.ItemOffered[0].Quantity == nil }, true, "which of the things"},
		{"amounts of several things", []string{"includesObject", `[{"@type": "TypeAndQuantityNode", "amountOfThisGood": 4, "unitCode": "C62", "typeOfGood": {"name": "Chair"}}]`},
			func(i *record.Intent) any { return i.ItemOffered[0].Name + i.ItemOffered[0].Quantity.Value.String() }, "Chair4", ""},
		{"country as area", []string{"areaServed", `"Germany"`}, func(i *record.Intent) any { return i.AreaServed }, area("DE", "", "", ""), ""},
		{"region as area", []string{"areaServed", `"Bavaria"`}, func(i *record.Intent) any { return i.AreaServed }, area("", "Bavaria", "", ""), ""},
		{"Country", []string{"areaServed", `{"@type": "Country", "name": "France"}`}, func(i *record.Intent) any { return i.AreaServed }, area("FR", "", "", ""), ""},
		{"an address", []string{"areaServed", `{"@type": "Place", "address": {"@type": "PostalAddress", "streetAddress": "12 High Street", "postalCode": "SW1A 2AA", "addressLocality": "London", "addressCountry": {"@type": "Country", "name": "GB"}}}`},
			func(i *record.Intent) any { return i.AreaServed }, area("GB", "", "London", "SW1A"), "the street was left out"},
		{"price", []string{"price", `"150.50"`, "priceCurrency", `"eur"`}, func(i *record.Intent) any {
			return i.PriceSpecification.MaxPrice.String() + i.PriceSpecification.PriceCurrency
		}, "150.5EUR", ""},
		{"price range", []string{"priceSpecification", `{"@type": "PriceSpecification", "minPrice": 100, "maxPrice": 9007199254740.9931, "priceCurrency": "EUR"}`},
			func(i *record.Intent) any {
				return i.PriceSpecification.MinPrice.String() + " " + i.PriceSpecification.MaxPrice.String()
			}, "100 9007199254740.9931", ""},
		{"price without a currency", []string{"price", `1`}, func(i *record.Intent) any { return i.PriceSpecification == nil }, true, "not a currency code"},
		{"price below zero", []string{"price", `-1`, "priceCurrency", `"EUR"`}, func(i *record.Intent) any { return i.PriceSpecification == nil }, true, "below zero"},
		{"category as text", []string{"category", `"Bicycles"`}, func(i *record.Intent) any { return i.Category[0] }, "schemaorg:Product", "doesn't have the form"},
		{"CategoryCode", []string{"category", `{"@type": "CategoryCode", "codeValue": "34430000-0", "inCodeSet": {"@type": "CategoryCodeSet", "name": "CPV"}}`},
			func(i *record.Intent) any { return i.Category[0] }, "cpv:34430000", ""},
		{"categories", []string{"category", `["gpc:1", "cpv:2"]`}, func(i *record.Intent) any { return strings.Join(i.Category, " ") }, "gpc:1 cpv:2", ""},
		{"language", []string{"inLanguage", `"DE-at"`}, func(i *record.Intent) any { return i.InLanguage }, "de-AT", ""},
		{"identifier", []string{"identifier", `["7", {"@type": "PropertyValue", "propertyID": "order", "value": "8"}]`},
			func(i *record.Intent) any { return i.Identifier }, []record.PropertyValue{{PropertyID: "identifier", Value: "7"}, {PropertyID: "order", Value: "8"}}, ""},
		{"availability", []string{"availabilityStarts", `"2027-01-01T00:00:00Z"`, "availabilityEnds", `"2026-01-01T00:00:00Z"`},
			func(i *record.Intent) any { return i.AvailabilityStarts + i.AvailabilityEnds }, int64(0), "runs backwards"},
		{"an unknown property", []string{"seller", `{"@type": "Person", "name": "Jo"}`}, func(i *record.Intent) any { return i.Name }, "A bicycle", "seller was left out"},
		{"an unknown property of an item", []string{"itemOffered", `{"name": "A", "gtin13": "4006381333931"}`}, func(i *record.Intent) any { return i.ItemOffered[0].Name }, "A", "itemOffered.gtin13 was left out"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			d := must(t, demand(test.members...))
			if got := test.got(d.Intent); !reflect.DeepEqual(got, test.want) {
				t.Errorf("got %v, want %v", got, test.want)
			}
			if noted(d, test.note) != (test.note != "") {
				t.Errorf("notes %v, want %q", d.Notes, test.note)
			}
		})
	}
}

// TestRoundTrip: what FromIntent shows, Draft reads back without a loss.
func TestRoundTrip(t *testing.T) {
	whole := record.Intent{
		Name: "Two bicycles", Description: "Red.\n\nWith bells.", InLanguage: "en-GB", Category: []string{"gpc:10003735", "cpv:34430000"},
		ItemOffered: []record.DemandItem{
			{Name: "A bicycle", Description: "Tall", Category: []string{"cpv:34430000"},
				Quantity: &record.QuantitativeValue{Value: *exact(t, "1.5"), UnitCode: "C62"}, AreaServed: &record.Area{AddressCountry: "DE", AddressRegion: "Hamburg"}},
			{Name: "A small bicycle"},
		},
		AreaServed:         &record.Area{AddressCountry: "GB", AddressLocality: "London", PostalCode: "SW1A"},
		PriceSpecification: &record.PriceSpecification{PriceCurrency: "EUR", MinPrice: exact(t, "99.9999"), MaxPrice: exact(t, "123456789012345.6789")},
		AvailabilityStarts: later, AvailabilityEnds: later + 100, ValidUntil: later,
		Identifier: []record.PropertyValue{{PropertyID: "ocid", Value: "ocds-000000-1"}},
	}
	single := whole
	single.ItemOffered = whole.ItemOffered[:1:1]
	plain := record.Intent{Name: "A bicycle", Category: []string{"gpc:1"}, ItemOffered: []record.DemandItem{{Name: "A"}, {Name: "B"}}, ValidUntil: later}
	for _, intent := range []record.Intent{whole, single, plain} {
		signed, err := sign(t, intent)
		if err != nil {
			t.Fatal(err)
		}
		document, err := FromIntent(signed)
		if err != nil {
			t.Fatal(err)
		}
		d, err := Draft(document, options())
		if err != nil {
			t.Fatalf("%v\n%s", err, document)
		}
		if !reflect.DeepEqual(*d.Intent, intent) {
			t.Errorf("got  %+v\nwant %+v\n%s", *d.Intent, intent, document)
		}
		if len(d.Notes) != 1 || !noted(d, "validFrom was left out") {
			t.Errorf("notes %v", d.Notes)
		}
	}
}

func TestFromOffer(t *testing.T) {
	signed, err := sign(t, record.Intent{Name: "A", Category: []string{"gpc:1"}, ItemOffered: []record.DemandItem{{Name: "A"}}, ValidUntil: later})
	if err != nil {
		t.Fatal(err)
	}
	seller := crypto.NewSigner([32]byte{9})
	offer, err := record.Sign(record.Header{At: now, RetainUntil: later}, &record.Offer{
		Deal: record.DealKey{Intent: signed.ID(), Vendor: seller.DID(), Round: 1}, Number: 1,
		ItemOffered:   []record.OfferItem{{Name: "A bicycle", Quantity: &record.QuantitativeValue{Value: *exact(t, "2"), UnitCode: "C62"}, Price: *exact(t, "200")}},
		Charges:       []record.Charge{{Kind: "delivery", Price: *exact(t, "10.5")}, {Kind: "discount", Name: "Winter", Price: *exact(t, "-0.5")}},
		PriceCurrency: "EUR", TotalPrice: *exact(t, "210"), Terms: terms.Default(), ValidUntil: later,
		ReplyTo: signed.Body().(*record.Intent).ReplyTo,
	}, seller)
	if err != nil {
		t.Fatal(err)
	}
	document, err := FromOffer(offer)
	if err != nil {
		t.Fatal(err)
	}
	for _, words := range []string{
		`"@type":"Offer"`, `"@id":"ipfs://` + offer.ID().String(), `"price":210`, `"@type":"DeliveryChargeSpecification"`, `"price":-0.5`,
		`"name":"Winter"`, `"eligibleQuantity"`, `"@id":"` + string(seller.DID()), `"validThrough":"2026-12-21T00:00:00Z"`,
	} {
		if !strings.Contains(string(document), words) {
			t.Errorf("%s is not in\n%s", words, document)
		}
	}
	if _, err := Draft(document, options()); protocol.CodeOf(err) != protocol.CodeNotARequest {
		t.Errorf("an offer as a demand: %v", err)
	}
	if _, err := FromIntent(offer); protocol.CodeOf(err) != protocol.CodeBadField {
		t.Errorf("an offer as an intent: %v", err)
	}
	if _, err := FromOffer(signed); protocol.CodeOf(err) != protocol.CodeBadField {
		t.Errorf("an intent as an offer: %v", err)
	}
}

func FuzzDraft(f *testing.F) {
	f.Add(demand())
	f.Add(demand("itemOffered", `[{"name": "A", "category": ["cpv:1"], "areaServed": "UKM71"}, "B"]`, "priceSpecification", `[{"price": 1e2, "priceCurrency": "EUR"}]`))
	f.Add([]byte(`{"@context": {"schema": "http://schema.org/"}, "@graph": [{"@type": "schema:Demand", "schema:name": {"@value": 7}}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var d *draft.Draft
		var err error
		fuzzing.Bounded(t, len(data), func() { d, err = Draft(data, Options{draft.Options{Now: now, ValidUntil: later}}) })
		if err != nil {
			if !protocol.CodeOf(err).Known() {
				t.Fatalf("refused without a code: %v", err)
			}
			return
		}
		if _, err := sign(t, *d.Intent); err != nil {
			t.Fatalf("the draft is not valid: %v", err)
		}
	})
}
