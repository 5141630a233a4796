// Package consent shows an agreement as a consent receipt of ISO/IEC TS
// 27560:2023 with its record, in JSON-LD with the terms of the Data Privacy
// Vocabulary 2.3 and after its guide "Implementing Consent Records and Receipts".
// It is pure. Specification: spec/11-exports-and-projections.md.
package consent

import (
	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/agreement"
	"github.com/parley-protocol/parley/protocol/jsonld"
	"github.com/parley-protocol/parley/protocol/terms"
)

// What the records and receipts of DPV's guide conform to.
const (
	recordProfile  = "https://w3id.org/dpv/schema/dpv-27560#record"
	receiptProfile = "https://w3id.org/dpv/schema/dpv-27560#receipt"
)

// unstated is what TS 27560 asks for and no agreement of Parley says.
const unstated = "The agreement does not state storage locations, the retention period, jurisdiction, " +
	"a method of withdrawal, recipients by name, or the parties' names and contacts."

// FromAgreement shows an agreement as a consent receipt with its record: the
// customer is the data subject, the seller the controller, and the acceptance
// the expression of consent. The bytes are those of [jsonld.Encode]. A roster ID
// that this program doesn't know is refused with
// [protocol.CodeUnknownAgreement].
func FromAgreement(a *agreement.Agreement) ([]byte, error) {
	iri := jsonld.IRI(a.ID)
	rec := jsonld.Object{
		"@id": iri + "#consent-record", "@type": "dpv:ConsentRecord",
		"dct:identifier":         a.ID.String(),
		"dct:conformsTo":         jsonld.Ref(recordProfile),
		"dct:description":        unstated,
		"dpv:hasDataSubject":     party(a.Customer(), "dpv:DataSubject"),
		"dpv:hasDataController":  party(a.Vendor(), "dpv:DataController"),
		"dpv:hasLegalBasis":      jsonld.Ref(jsonld.DPV + "Consent"),
		"ieee-7012:hasAgreement": jsonld.Ref(agreed(a)),
		"dpv:hasConsentStatus": jsonld.Object{
			"@type":                   jsonld.List{"dpv:ConsentGiven", "dpv:ExpressedConsent"},
			"dpv:isIndicatedBy":       jsonld.Ref(a.Customer()),
			"dpv:isIndicatedAtTime":   jsonld.Time(a.Acceptance.Header().At),
			"dpv:hasIndicationMethod": jsonld.Ref(jsonld.IRI(a.Acceptance.ID())),
		},
	}
	if err := addTerms(rec, a); err != nil {
		return nil, err
	}
	doc := jsonld.Object{
		"@context": jsonld.Object{
			"ai": "https://w3id.org/dpv/ai#", "dct": jsonld.DublinCore, "dpv": jsonld.DPV,
			"ieee-7012": jsonld.IEEE7012, "schema": jsonld.Schema,
		},
		"@id": iri + "#consent-receipt", "@type": "dpv:ConsentReceipt",
		"dct:identifier":          a.ID.String(),
		"dct:conformsTo":          jsonld.Ref(receiptProfile),
		"dct:created":             jsonld.Time(a.AgreedAt()),
		"dct:publisher":           jsonld.Ref(a.Vendor()),
		"dct:source":              jsonld.Ref(iri),
		"schema:recipient":        jsonld.Ref(a.Customer()),
		"dpv:hasRecordOfActivity": rec,
	}
	return jsonld.Encode(doc)
}

func party(did, role string) jsonld.Object {
	return jsonld.Object{"@id": did, "@type": role, "dct:identifier": did}
}

// agreed is the IRI of the terms.
func agreed(a *agreement.Agreement) string {
	if a.Own != nil {
		return jsonld.IRI(a.Terms.ID())
	}
	return terms.IRI(a.Offered.Terms.Roster)
}

// addTerms puts in what was consented to: the notice that the person gave with
// the terms, and each rule of the roster. Of terms in words of one's own only
// the text can be said.
func addTerms(rec jsonld.Object, a *agreement.Agreement) error {
	notice := jsonld.Object{"@id": agreed(a), "@type": "dpv:ConsentNotice"}
	rec["dpv:hasNotice"] = notice
	if a.Own != nil {
		notice["dct:title"], notice["dct:description"] = a.Own.Name, a.Own.Text
		notice["dct:date"] = jsonld.Time(a.Terms.Header().At)
		if a.Own.InLanguage != "" {
			notice["dct:language"] = a.Own.InLanguage
		}
		rec["dpv:hasProcess"] = jsonld.List{jsonld.Object{
			"@type": "dpv:Process", "dpv:hasPersonalData": jsonld.Ref(jsonld.DPV + "PersonalData"),
			"dpv:hasPurpose": jsonld.Object{"@type": "dpv:Purpose", "dct:description": a.Own.Text},
		}}
		return nil
	}
	id := a.Offered.Terms.Roster
	entry, _ := terms.Lookup(id)
	rules, only, known := terms.Rules(id)
	if !known {
		return protocol.Errorf(protocol.CodeUnknownAgreement, "terms", "this program doesn't know what %s permits", id)
	}
	notice["dct:title"], notice["dct:description"], notice["dct:language"] = entry.Name, entry.Sentence, "en"
	if only {
		rec["ieee-7012:hasDeonticInterpretation"] = jsonld.Ref(jsonld.IEEE7012 + "ProhibitiveInterpretation")
	}
	for _, r := range rules {
		key, typ := relation(r.Kind)
		list, _ := rec[key].(jsonld.List)
		rec[key] = append(list, process(r, typ, a.Vendor()))
	}
	return nil
}

// relation is how a rule is attached to the record, and what it is.
func relation(kind string) (key string, types jsonld.List) {
	switch kind {
	case "permission":
		return "dpv:hasProcess", jsonld.List{"dpv:Process", "dpv:Permission"}
	case "prohibition":
		return "dpv:hasProhibition", jsonld.List{"dpv:Process", "dpv:Prohibition"}
	}
	return "dpv:hasObligation", jsonld.List{"dpv:Process", "dpv:Obligation"}
}

// process is a rule as a process of DPV. Where the rule names no recipients, a
// prohibition is for all, and anything else for the seller.
func process(r protocol.Rule, types jsonld.List, vendor string) jsonld.Object {
	out := jsonld.Object{"@type": types, "dct:description": r.Summary, "dpv:hasProcessing": jsonld.Ref(r.Action)}
	if r.Target == jsonld.DPV+"AnonymisedData" {
		out["dpv:hasData"] = jsonld.Ref(r.Target)
	} else {
		out["dpv:hasPersonalData"] = jsonld.Ref(r.Target)
	}
	switch {
	case r.Recipient != "":
		out["dpv:hasRecipient"] = jsonld.Ref(r.Recipient)
	case r.Kind != "prohibition":
		out["dpv:hasRecipient"] = jsonld.Ref(vendor)
	}
	if r.Purpose != "" {
		out["dpv:hasPurpose"] = jsonld.Ref(r.Purpose)
	}
	if r.Technology != "" {
		out["dpv:isImplementedUsingTechnology"] = jsonld.Ref(r.Technology)
	}
	return out
}
