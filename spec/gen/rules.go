package main

import (
	"fmt"
	"strings"
)

// prefixes of the vocabularies that rules are written in.
var prefixes = map[string]string{
	"ai":        "https://w3id.org/dpv/ai#",
	"dpv":       "https://w3id.org/dpv#",
	"ieee-7012": "https://w3id.org/dpv/standards/ieee/7012#",
}

// expand is the IRI of a name with a prefix, "" for none.
func expand(name string) (string, error) {
	if name == "" {
		return "", nil
	}
	prefix, local, _ := strings.Cut(name, ":")
	base, known := prefixes[prefix]
	if !known || local == "" {
		return "", fmt.Errorf("%q has no known prefix", name)
	}
	return base + local, nil
}

func renderRules(rows []row) ([]byte, error) {
	w := newWriter("rules.csv")
	w.line("// Rule is what one clause of an agreement permits, prohibits or obliges the second")
	w.line("// party to, in IRIs of the Data Privacy Vocabulary 2.3. \"\" means any.")
	w.line("type Rule struct {")
	w.line("Name string // as in roster-rules.csv")
	w.line("Kind string // permission, prohibition or obligation")
	w.line("Action string // a dpv:Processing")
	w.line("Target string // a dpv:Data")
	w.line("Purpose string // a dpv:Purpose")
	w.line("Recipient string // a class of entities")
	w.line("Technology string // a dpv:Technology")
	w.line("Summary string // what it says, a sentence")
	w.line("}")
	w.line("")
	w.line("// Rules lists the rules in the order of their names.")
	w.line("func Rules() []Rule {")
	w.line("return []Rule{")
	for _, r := range rows {
		if _, err := oneOf(r["kind"], map[string]string{"permission": "", "prohibition": "", "obligation": ""}); err != nil {
			return nil, fmt.Errorf("entry %q: kind: %w", r["name"], err)
		}
		cells := fmt.Sprintf("Name: %s, Kind: %s", quote(r["name"]), quote(r["kind"]))
		for _, column := range []string{"action", "target", "purpose", "recipient", "technology"} {
			iri, err := expand(r[column])
			if err != nil {
				return nil, fmt.Errorf("entry %q: %s: %w", r["name"], column, err)
			}
			if iri != "" {
				cells += fmt.Sprintf(", %s: %s", camel(column), quote(iri))
			}
		}
		w.line("{%s, Summary: %s},", cells, quote(r["summary"]))
	}
	w.line("}")
	w.line("}")
	return w.source()
}

func renderRosterRules(rows []row) ([]byte, error) {
	w := newWriter("roster-rules.csv")
	w.line("// RosterRules says by which rules an agreement of the roster is spelled out.")
	w.line("type RosterRules struct {")
	w.line("ID string // as in records")
	w.line("Only bool // what is not permitted is prohibited")
	w.line("Rules []string // names of rules")
	w.line("}")
	w.line("")
	w.line("// RulesOfRoster lists the agreements' rules in the order of the agreements' IDs.")
	w.line("func RulesOfRoster() []RosterRules {")
	w.line("return []RosterRules{")
	for _, r := range rows {
		only, err := oneOf(r["only"], map[string]string{"yes": "true", "no": "false"})
		if err != nil {
			return nil, fmt.Errorf("entry %q: only: %w", r["id"], err)
		}
		w.line("{ID: Terms%s, Only: %s%s},", camel(r["id"]), only, list("Rules", r["rules"]))
	}
	w.line("}")
	w.line("}")
	return w.source()
}

func renderContext(rows []row) ([]byte, error) {
	w := newWriter("odrl-context.csv")
	w.line("// ContextTerm is one definition of ODRL's JSON-LD context.")
	w.line("type ContextTerm struct {")
	w.line("Term string // as in documents; a prefix if the IRI ends in # or /")
	w.line("IRI string // or a keyword, such as @id")
	w.line("Coercion string // type of its values: @id, @vocab or \"\"")
	w.line("}")
	w.line("")
	w.line("// ODRLContext lists the terms in the order of their names.")
	w.line("func ODRLContext() []ContextTerm {")
	w.line("return []ContextTerm{")
	for _, r := range rows {
		coercion, err := oneOf(r["coercion"], map[string]string{"": "", "@id": "@id", "@vocab": "@vocab"})
		if err != nil {
			return nil, fmt.Errorf("entry %q: coercion: %w", r["term"], err)
		}
		cell := ""
		if coercion != "" {
			cell = ", Coercion: " + quote(coercion)
		}
		w.line("{Term: %s, IRI: %s%s},", quote(r["term"]), quote(r["iri"]), cell)
	}
	w.line("}")
	w.line("}")
	return w.source()
}
