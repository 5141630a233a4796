package schemaorg

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/parley-protocol/parley/crypto"
	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/draft"
	"github.com/parley-protocol/parley/protocol/record"
	"github.com/parley-protocol/parley/protocol/record/recordtest"
	"github.com/parley-protocol/parley/protocol/terms"
)

// signOffer fills in what the caller of DraftOffer fills in, and signs.
func signOffer(t testing.TB, offer record.Offer) (*record.Record, error) {
	t.Helper()
	seller := crypto.NewSigner([32]byte{9})
	intent := recordtest.Intent(t, recordtest.NewParty("customer"))
	offer.Deal = record.DealKey{Intent: intent.ID(), Vendor: seller.DID(), Round: 1}
	offer.Number, offer.Terms, offer.ReplyTo = 1, terms.Default(), intent.Body().(*record.Intent).ReplyTo
	if offer.ValidUntil == 0 {
		offer.ValidUntil = later
	}
	return record.Sign(record.Header{At: now, RetainUntil: offer.ValidUntil + 1}, &offer, seller)
}

// Offers as pages of shops have them, and what becomes of them: lines as
// name|quantity|price, charges as kind|name|price, or the code of the refusal.
//
//spec:shows EXP-19 EXP-21
func TestDraftOffer(t *testing.T) {
	const c = `"@context": "https://schema.org", `
	tests := []struct {
		name, document, want, noted string
	}{
		{"smallest", `{` + c + `"@type": "Offer", "name": "Desk", "price": 199.9, "priceCurrency": "EUR"}`, "Desk||199.9 = 199.9 EUR", ""},
		{"price as text, in a product, with stock and seller",
			`{` + c + `"@type": "Product", "name": "Desk", "sku": "D1", "description": "Oak", "offers": {"@type": "Offer", "price": "199.90", "priceCurrency": "eur",
			"availability": "https://schema.org/InStock", "url": "https://example.com/d1", "seller": {"@type": "Organization", "name": "Desks Ltd"}, "priceValidUntil": "2026-12-01"}}`,
			"Desk||199.9 = 199.9 EUR", "offers.availability"},
		{"product's own properties are told", `{` + c + `"@type": "Product", "name": "Desk", "gtin13": "4006381333931", "offers": [{"@type": "Offer", "price": 5, "priceCurrency": "EUR"}]}`, "Desk||5 = 5 EUR", "gtin13"},
		{"graph, prefixes and values", `{"@context": {"schema": "http://schema.org/"}, "@graph": [{"@type": "schema:WebSite", "schema:name": "x"},
			{"@type": ["schema:Offer"], "schema:itemOffered": {"@type": "schema:Service", "schema:name": {"@value": "Repair"}}, "schema:price": {"@value": "80"}, "schema:priceCurrency": "GBP"}]}`, "Repair||80 = 80 GBP", ""},
		{"a text as what is offered", `[{` + c + `"@type": "Offer", "itemOffered": "Repair", "price": 80, "priceCurrency": "GBP"}]`, "Repair||80 = 80 GBP", ""},
		{"a price for so many", `{` + c + `"@type": "Offer", "itemOffered": {"name": "Boards"}, "eligibleQuantity": {"value": 12, "unitCode": "MTR"},
			"priceSpecification": {"@type": "UnitPriceSpecification", "price": 8.25, "priceCurrency": "EUR", "unitCode": "MTR"}}`, "Boards|12 MTR|99 = 99 EUR", ""},
		{"a price per hundred", `{` + c + `"@type": "Offer", "itemOffered": {"name": "Screws"}, "eligibleQuantity": {"value": 250, "unitCode": "C62"},
			"priceSpecification": {"@type": "UnitPriceSpecification", "price": 4, "priceCurrency": "EUR", "referenceQuantity": {"value": 100, "unitCode": "C62"}}}`, "Screws|250 C62|10 = 10 EUR", ""},
		{"a price per thing that doesn't come out", `{` + c + `"@type": "Offer", "name": "Screws", "eligibleQuantity": {"value": 1, "unitCode": "C62"},
			"priceSpecification": {"@type": "UnitPriceSpecification", "price": 1, "priceCurrency": "EUR", "referenceQuantity": {"value": 3, "unitCode": "C62"}}}`, "total_mismatch", ""},
		{"two units", `{` + c + `"@type": "Offer", "name": "Boards", "eligibleQuantity": {"value": 1, "unitCode": "KGM"},
			"priceSpecification": {"@type": "UnitPriceSpecification", "price": 1, "priceCurrency": "EUR", "unitCode": "MTR"}}`, "bad_field", ""},
		{"a crossed-out price", `{` + c + `"@type": "Offer", "name": "Desk", "priceSpecification": [
			{"@type": "UnitPriceSpecification", "price": 250, "priceCurrency": "EUR", "priceType": "https://schema.org/StrikethroughPrice"},
			{"@type": "UnitPriceSpecification", "price": 199.9, "priceCurrency": "EUR", "valueAddedTaxIncluded": true}]}`, "Desk|1 C62|199.9 = 199.9 EUR, tax included", "StrikethroughPrice"},
		{"parts", `{` + c + `"@type": "Offer", "price": 110.5, "priceCurrency": "EUR", "itemOffered": [{"name": "Desk"}, {"name": "Lamp"}],
			"priceSpecification": {"@type": "CompoundPriceSpecification", "price": 110.5, "priceCurrency": "EUR", "priceComponent": [
			{"@type": "PriceSpecification", "name": "Desk", "price": 90}, {"@type": "PriceSpecification", "name": "Lamp", "price": "15"},
			{"@type": "DeliveryChargeSpecification", "name": "Truck", "price": 10.5}, {"@type": "PriceSpecification", "additionalType": "discount", "price": -5}]}}`,
			"Desk||90, Lamp||15, delivery|Truck|10.5, discount||-5 = 110.5 EUR", ""},
		{"parts that don't add up", `{` + c + `"@type": "Offer", "name": "Desk", "price": 10, "priceCurrency": "EUR",
			"priceSpecification": {"price": 10, "priceComponent": [{"price": 9}]}}`, "total_mismatch", ""},
		{"more parts than things", `{` + c + `"@type": "Offer", "name": "Desk", "priceCurrency": "EUR", "priceSpecification": {"priceComponent": [{"price": 9}, {"price": 1}]}}`, "missing_field", ""},
		{"one price for two things", `{` + c + `"@type": "Offer", "itemOffered": ["A", "B"], "price": 3, "priceCurrency": "EUR"}`, "missing_field", ""},
		{"two currencies", `{` + c + `"@type": "Offer", "name": "A", "priceCurrency": "USD", "priceSpecification": {"price": 1, "priceCurrency": "EUR"}}`, "ambiguous", ""},
		{"shipping isn't guessed", `{` + c + `"@type": "Offer", "name": "A", "price": 1, "priceCurrency": "EUR", "shippingDetails": {"shippingRate": {"value": 5, "currency": "EUR"}}}`, "A||1 = 1 EUR", "shippingDetails"},
		{"no price", `{` + c + `"@type": "Offer", "name": "A", "priceCurrency": "EUR"}`, "missing_field", ""},
		{"no currency", `{` + c + `"@type": "Offer", "name": "A", "price": 1}`, "missing_field", ""},
		{"no name", `{` + c + `"@type": "Offer", "price": 1, "priceCurrency": "EUR"}`, "missing_field", ""},
		{"a price with too many decimals isn't rounded", `{` + c + `"@type": "Offer", "name": "A", "price": 0.12345, "priceCurrency": "EUR"}`, "bad_field", ""},
		{"a comma", `{` + c + `"@type": "Offer", "name": "A", "price": "1,50", "priceCurrency": "EUR"}`, "bad_field", ""},
		{"below zero", `{` + c + `"@type": "Offer", "name": "A", "price": -1, "priceCurrency": "EUR"}`, "bad_field", ""},
		{"run out", `{` + c + `"@type": "Offer", "name": "A", "price": 1, "priceCurrency": "EUR", "validThrough": "2020-01-01"}`, "expired", ""},
		{"a range of prices", `{` + c + `"@type": "Product", "name": "A", "offers": {"@type": "AggregateOffer", "lowPrice": 1, "highPrice": 2, "priceCurrency": "EUR"}}`, "ambiguous", ""},
		{"several", `{` + c + `"@type": "Product", "name": "A", "offers": [{"@type": "Offer", "price": 1}, {"@type": "Offer", "price": 2}]}`, "ambiguous", ""},
		{"a demand", `{` + c + `"@type": "Demand", "name": "A"}`, "unsupported_format", ""},
		{"no schema.org", `{"@type": "Offer"}`, "unsupported_format", ""},
		{"no JSON", `<html>`, "malformed", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			d, err := DraftOffer([]byte(test.document), now)
			got := string(protocol.CodeOf(err))
			if err == nil {
				got = shown(d.Offer)
				if _, err := signOffer(t, *d.Offer); err != nil {
					t.Errorf("the draft is not valid: %v", err)
				}
				if test.noted != "" && !noted(&draft.Draft{Notes: d.Notes}, test.noted) {
					t.Errorf("no note of %s: %v", test.noted, d.Notes)
				}
			}
			if got != test.want {
				t.Errorf("got  %s (%v)\nwant %s", got, err, test.want)
			}
		})
	}
}

func shown(o *record.Offer) string {
	var parts []string
	for _, line := range o.ItemOffered {
		quantity := ""
		if line.Quantity != nil {
			quantity = line.Quantity.Value.String() + " " + line.Quantity.UnitCode
		}
		parts = append(parts, line.Name+"|"+quantity+"|"+line.Price.String())
	}
	for _, charge := range o.Charges {
		parts = append(parts, charge.Kind+"|"+charge.Name+"|"+charge.Price.String())
	}
	text := strings.Join(parts, ", ") + " = " + o.TotalPrice.String() + " " + o.PriceCurrency
	if o.TaxIncluded != nil && *o.TaxIncluded {
		text += ", tax included"
	}
	return text
}

// What FromOffer shows, DraftOffer reads back without a loss.
func TestOfferRoundTrip(t *testing.T) {
	first, err := DraftOffer([]byte(`{"@context": "https://schema.org", "@type": "Offer", "description": "Firm.", "validThrough": "2026-12-20T00:00:00Z", "price": 118.2, "priceCurrency": "EUR",
		"includesObject": [{"typeOfGood": {"name": "Desk", "category": "cpv:39121100"}, "amountOfThisGood": 2, "unitCode": "C62"}, {"typeOfGood": {"name": "Oil"}, "amountOfThisGood": 0.5, "unitCode": "LTR"}],
		"priceSpecification": {"priceComponent": [{"price": 100}, {"price": 8.2}, {"price": 10, "additionalType": "tax", "name": "VAT"}]}}`), now)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := signOffer(t, *first.Offer)
	if err != nil {
		t.Fatal(err)
	}
	document, err := FromOffer(signed)
	if err != nil {
		t.Fatal(err)
	}
	second, err := DraftOffer(document, now)
	if err != nil {
		t.Fatalf("%v\n%s", err, document)
	}
	a, _ := json.Marshal(first.Offer)
	b, _ := json.Marshal(second.Offer)
	if !bytes.Equal(a, b) {
		t.Errorf("got  %s\nwant %s", b, a)
	}
}

func FuzzDraftOffer(f *testing.F) {
	f.Add([]byte(`{"@context": "https://schema.org", "@type": "Product", "name": "A", "offers": {"@type": "Offer", "price": "1", "priceCurrency": "EUR", "eligibleQuantity": 3}}`))
	f.Add([]byte(`{"@context": "http://schema.org/", "@graph": [{"@type": "Offer", "itemOffered": ["A"], "priceSpecification": {"@type": "UnitPriceSpecification", "price": 1e2, "priceCurrency": "EUR", "referenceQuantity": {"value": 4, "unitCode": "KGM"}}}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := DraftOffer(data, now)
		if err != nil {
			if !protocol.CodeOf(err).Known() {
				t.Fatalf("refused without a code: %v", err)
			}
			return
		}
		if _, err := signOffer(t, *d.Offer); err != nil && protocol.CodeOf(err) != protocol.CodeTooLarge && protocol.CodeOf(err) != protocol.CodeLifeTooLong {
			t.Fatalf("the draft is not valid: %v", err)
		}
	})
}
