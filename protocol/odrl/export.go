// Package odrl goes between agreements and the Open Digital Rights Language 2.2
// in JSON-LD, with the terms of the Data Privacy Vocabulary 2.3: an agreement as
// an ODRL Agreement, and ODRL policies as a part of terms in words of one's own.
// It is pure; no context is ever fetched. Specification:
// spec/11-exports-and-projections.md.
package odrl

import (
	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/agreement"
	"github.com/parley-protocol/parley/protocol/jsonld"
	"github.com/parley-protocol/parley/protocol/terms"
)

// profile is where DPV's terms are put under those of ODRL.
const profile = "https://w3id.org/dpv/mappings/odrl"

// FromAgreement shows an agreement as an ODRL Agreement whose assigner is the
// customer: what the agreed terms permit, prohibit and oblige the seller to. The
// bytes are those of [jsonld.Encode]. A roster ID that this program doesn't know
// is refused with [protocol.CodeUnknownAgreement]: nobody can say what it permits.
func FromAgreement(a *agreement.Agreement) ([]byte, error) {
	doc := jsonld.Object{
		"@type": "Agreement", "uid": jsonld.IRI(a.ID),
		"assigner": a.Customer(), "assignee": a.Vendor(), "conflict": "prohibit",
		"dct:identifier": a.ID.String(),
		"dct:issued":     jsonld.Time(a.AgreedAt()),
		"dct:references": jsonld.List{
			jsonld.Ref(jsonld.IRI(a.Intent.ID())), jsonld.Ref(jsonld.IRI(a.Offer.ID())), jsonld.Ref(jsonld.IRI(a.Acceptance.ID())),
		},
	}
	if replaced := a.Offered.Changes; replaced.Defined() {
		doc["dct:replaces"] = jsonld.Ref(jsonld.IRI(replaced))
	}
	if a.Own == nil {
		if err := roster(doc, a.Offered.Terms.Roster); err != nil {
			return nil, err
		}
	} else {
		own(doc, a)
	}
	doc["@context"] = contextOf(doc)
	return jsonld.Encode(doc)
}

// roster spells an agreement of the roster out.
func roster(doc jsonld.Object, id string) error {
	entry, _ := terms.Lookup(id)
	rules, only, known := terms.Rules(id)
	if !known {
		return protocol.Errorf(protocol.CodeUnknownAgreement, "terms", "this program doesn't know what %s permits", id)
	}
	doc["profile"] = profile
	doc["dct:description"] = entry.Sentence
	doc["ieee-7012:hasAgreement"] = jsonld.Ref(terms.IRI(id))
	if only {
		doc["ieee-7012:hasDeonticInterpretation"] = jsonld.Ref(jsonld.IEEE7012 + "ProhibitiveInterpretation")
	}
	for _, r := range rules {
		list, _ := doc[r.Kind].(jsonld.List)
		doc[r.Kind] = append(list, rule(r))
	}
	return nil
}

// rule is one permission, prohibition or obligation.
func rule(r protocol.Rule) jsonld.Object {
	var constraints jsonld.List
	add := func(left, operator, right string) {
		if right != "" {
			constraints = append(constraints, jsonld.Object{"leftOperand": left, "operator": operator, "rightOperand": jsonld.Ref(right)})
		}
	}
	add("purpose", "eq", r.Purpose)
	add("recipient", "isA", r.Recipient)
	add(profile+"#Technology", "isA", r.Technology)
	out := jsonld.Object{"action": r.Action, "target": r.Target}
	if constraints != nil {
		out["constraint"] = constraints
	}
	return out
}

// own puts terms in words of one's own in. Their text binds, so the one rule
// that can be said of all of them is that it is to be read.
func own(doc jsonld.Object, a *agreement.Agreement) {
	iri := jsonld.IRI(a.Terms.ID())
	node := jsonld.Object{
		"@id": iri, "@type": "ieee-7012:Agreement",
		"dct:title": a.Own.Name, "dct:description": a.Own.Text,
	}
	if a.Own.InLanguage != "" {
		node["dct:language"] = a.Own.InLanguage
	}
	if a.Own.BasedOn != "" {
		node["dct:relation"] = jsonld.Ref(terms.IRI(a.Own.BasedOn))
	}
	doc["ieee-7012:hasAgreement"] = node
	doc["obligation"] = jsonld.List{jsonld.Object{"action": "reviewPolicy", "target": iri}}
	if a.Own.Policy == nil {
		return
	}
	value := plain(a.Own.Policy)
	if policy, ok := embeddable(value); ok {
		doc["inheritFrom"] = policy
	} else {
		node["ieee-7012:hasMachineReadableFormat"] = jsonld.Object{"@type": "@json", "@value": value}
	}
}
