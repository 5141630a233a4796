// Package privacy looks for what identifies or locates a person in the free
// text of a request, before it is signed and sent to a whole market. It warns
// and never refuses, and what it doesn't find may still be there. It is pure.
package privacy

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/parley-protocol/parley/protocol/record"
)

// Kind is a kind of personal data.
type Kind string

// The kinds. They are part of the API's JSON and only ever added to.
const (
	Telephone     Kind = "telephone"
	Email         Kind = "email"
	StreetAddress Kind = "street-address"
	Postcode      Kind = "postcode" // full: it names a street or a few houses
	URL           Kind = "url"
	IBAN          Kind = "iban"
	PaymentCard   Kind = "payment-card"
)

// Sentence says what was found, for a person.
func (k Kind) Sentence() string {
	switch k {
	case Telephone:
		return "this looks like a telephone number"
	case Email:
		return "this looks like an e-mail address"
	case StreetAddress:
		return "this looks like a street address"
	case Postcode:
		return "this looks like a full postcode"
	case URL:
		return "this is a web address"
	case IBAN:
		return "this is a bank account number"
	case PaymentCard:
		return "this looks like the number of a payment card"
	}
	return "this looks personal"
}

// Warning points at one thing found.
type Warning struct {
	Field   string `json:"field"`   // path in the intent, e.g. "itemOffered[0].description"
	Kind    Kind   `json:"kind"`    // what it looks like
	Excerpt string `json:"excerpt"` // the text found, at most 80 bytes
}

// Check looks through all free text of an intent. Warnings come in the order of
// the fields and of the text; the same thing in the same field is named once.
func Check(intent *record.Intent) []Warning {
	var warnings []Warning
	look := func(field, text string) {
		for _, f := range Find(text) {
			w := Warning{Field: field, Kind: f.Kind, Excerpt: excerpt(text[f.Start:f.End])}
			if !slices.Contains(warnings, w) {
				warnings = append(warnings, w)
			}
		}
	}
	place := func(field string, area *record.Area) {
		if area == nil {
			return
		}
		look(field+".addressRegion", area.AddressRegion)
		look(field+".addressLocality", area.AddressLocality)
		look(field+".postalCode", area.PostalCode)
	}
	look("name", intent.Name)
	look("description", intent.Description)
	place("areaServed", intent.AreaServed)
	for i, item := range intent.ItemOffered {
		field := fmt.Sprintf("itemOffered[%d]", i)
		look(field+".name", item.Name)
		look(field+".description", item.Description)
		place(field+".areaServed", item.AreaServed)
	}
	for i, id := range intent.Identifier {
		look(fmt.Sprintf("identifier[%d].value", i), id.Value)
	}
	return warnings
}

// Finding is one thing found in a text: text[Start:End].
type Finding struct {
	Kind       Kind
	Start, End int
}

// Find looks through one text. Findings don't overlap and come in order. Where
// two readings overlap, the more certain one counts: an account number isn't
// also a telephone number.
func Find(text string) []Finding {
	detectors := []func(string) []Finding{urls, emails}
	if strings.ContainsAny(text, "0123456789") {
		detectors = append(detectors, ibans, cards, streets, postcodes, telephones)
	}
	var found []Finding
	for _, detect := range detectors {
		for _, f := range detect(text) {
			if !slices.ContainsFunc(found, func(g Finding) bool { return f.Start < g.End && g.Start < f.End }) {
				found = append(found, f)
			}
		}
	}
	slices.SortFunc(found, func(a, b Finding) int { return cmp.Compare(a.Start, b.Start) })
	return found
}

// excerpt cuts at a rune's boundary.
func excerpt(text string) string {
	const limit = 80
	if len(text) <= limit {
		return text
	}
	cut := 0
	for i := range text {
		if i > limit-len("…") {
			break
		}
		cut = i
	}
	return text[:cut] + "…"
}
