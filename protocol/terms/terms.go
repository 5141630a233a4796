// Package terms answers questions about the roster of agreements of IEEE
// 7012-2025 ("MyTerms") and finds the terms that two sides have in common. It is
// pure; the roster itself is generated from spec/registry/terms.csv.
package terms

import (
	"cmp"
	"slices"

	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/record"
)

// Default is what an intent proffers when its author says nothing else: use
// what I tell you only to answer this request.
func Default() record.TermsRef { return record.TermsRef{Roster: protocol.TermsPDCIntent} }

// Lookup finds an agreement of the roster by its ID.
func Lookup(id string) (protocol.RosterTerms, bool) {
	roster := protocol.Roster()
	i, found := slices.BinarySearchFunc(roster, id, func(t protocol.RosterTerms, id string) int { return cmp.Compare(t.ID, id) })
	if !found {
		return protocol.RosterTerms{}, false
	}
	return roster[i], true
}

// Known reports whether an ID is on the roster, withdrawn agreements included:
// old records stay readable.
func Known(id string) bool {
	_, found := Lookup(id)
	return found
}

// Sentence is what an agreement says, in the person's own words. For an ID that
// isn't on the roster it is empty.
func Sentence(id string) string {
	agreement, _ := Lookup(id)
	return agreement.Sentence
}

// Describe says in a sentence what any terms are. Terms of one's own are
// flagged: whoever reuses them can be recognised by them.
func Describe(ref record.TermsRef) string {
	switch {
	case ref.Record.Defined():
		return "Terms in words of one's own: read them in full. The same text on several requests links them to one person."
	case Known(ref.Roster):
		return Sentence(ref.Roster)
	}
	return "An agreement that this program doesn't know."
}

// Linkable reports whether terms set their author apart from others: all terms
// of one's own do.
func Linkable(ref record.TermsRef) bool { return ref.Record.Defined() }

// Match finds the first of a customer's terms, most preferred first, that a
// seller accepts. A roster agreement is accepted when the seller's list names
// it; terms of one's own only when the list names that very record, which takes
// a person's approval.
//
// Without a match the refusal is [protocol.CodeUnknownAgreement] if this program
// knows none of what the customer proffers, so that nobody could have agreed,
// and [protocol.CodeNotSupported] if it knows some and the seller accepts none.
func Match(accepted, proffered []record.TermsRef) (record.TermsRef, error) {
	known := false
	for _, ref := range proffered {
		agreement, onRoster := Lookup(ref.Roster)
		if ref.Record.Defined() || onRoster {
			known = true
		}
		if onRoster && agreement.Status != statusCurrent {
			continue
		}
		if (ref.Record.Defined() || onRoster) && slices.Contains(accepted, ref) {
			return ref, nil
		}
	}
	if len(proffered) == 0 {
		return record.TermsRef{}, protocol.Errorf(protocol.CodeMissingField, "terms", "the request proffers no terms")
	}
	if !known {
		return record.TermsRef{}, protocol.Errorf(protocol.CodeUnknownAgreement, "terms", "none of the request's terms is known here: %s", names(proffered))
	}
	return record.TermsRef{}, protocol.Errorf(protocol.CodeNotSupported, "terms", "the request asks for %s, and the seller agrees to %s", names(proffered), names(accepted))
}

// statusCurrent is the status of agreements that new records may cite.
const statusCurrent = "current"

// names lists terms for a person who has to tell them apart.
func names(refs []record.TermsRef) string {
	text := ""
	for i, ref := range refs {
		if i > 0 {
			text += ", "
		}
		if ref.Record.Defined() {
			text += "terms of one's own (" + ref.Record.String() + ")"
		} else {
			text += ref.Roster
		}
	}
	if text == "" {
		return "none"
	}
	return text
}
