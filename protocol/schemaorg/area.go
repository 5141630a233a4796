package schemaorg

import (
	"github.com/parley-protocol/parley/protocol/draft"
	"github.com/parley-protocol/parley/protocol/record"
)

// areaServed reads areaServed, or eligibleRegion: what several places have in
// common, no finer than [draft.Place.Rough].
func areaServed(owner draft.Node, notes *draft.Notes) *record.Area {
	places := owner.Get("areaServed").List()
	places = append(places, owner.Get("eligibleRegion").List()...)
	var areas []*record.Area
	for _, node := range places {
		areas = append(areas, place(node, notes))
	}
	common := draft.Common(areas)
	if common == nil && len(areas) > 0 {
		notes.Addf(places[0].Path(), "the area was left out: no country or region could be told that covers all of it")
	}
	return common
}

// place reads a text, a PostalAddress or a place with an address.
func place(node draft.Node, notes *draft.Notes) *record.Area {
	if !node.IsObject() {
		text := node.Line(draft.MaxPlace)
		if draft.Country(text) != "" {
			return draft.Place{Country: text}.Rough()
		}
		if draft.Outward(text) != "" {
			return draft.Place{Postcode: text}.Rough()
		}
		return draft.Place{Region: text}.Rough()
	}
	address := node
	if inner := node.Get("address"); inner.IsObject() {
		noteRest(node, notes, "address")
		address = inner
	}
	p := draft.Place{
		Country:  name(address.Get("addressCountry")),
		Region:   name(address.Get("addressRegion")),
		Locality: name(address.Get("addressLocality")),
		Postcode: address.Get("postalCode").Line(16),
	}
	// A place that has only a name: a Country, a State, a City.
	if label := address.Get("name").Line(draft.MaxPlace); label != "" && p == (draft.Place{}) {
		if p.Country = label; draft.Country(label) == "" {
			p.Country, p.Region = "", label
		}
	}
	if address.Get("streetAddress").Exists() {
		notes.Addf(address.Get("streetAddress").Path(), "the street was left out: a request says only roughly where")
	}
	if p.Postcode != "" && draft.Outward(p.Postcode) != p.Postcode {
		notes.Addf(address.Get("postalCode").Path(), "the postcode was left out or shortened: a request says only roughly where")
	}
	noteRest(address, notes, "name", "streetAddress", "addressCountry", "addressRegion", "addressLocality", "postalCode")
	return p.Rough()
}

// name reads a text or a thing's name.
func name(node draft.Node) string {
	if node.IsObject() {
		return node.Get("name").Line(draft.MaxPlace)
	}
	return node.Line(draft.MaxPlace)
}
