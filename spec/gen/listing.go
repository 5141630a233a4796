package main

import (
	"fmt"
	"slices"
)

// listing renders a registry as a constant for each line, a type that holds a
// line, and a function that lists them all.
type listing struct {
	csv     string
	intro   []string // the comment above the constants
	prefix  string   // of the constants' names
	comment func(row) string
	typ     string
	typeDoc string
	fields  []field // the first is the one whose values are the constants
	list    string  // the function
	listDoc string
}

// field is one of a listing's type.
type field struct {
	name, column, doc string
	form              form
	words             []string // that the column may hold; none: anything
}

// form is how a cell is written as Go.
type form int

const (
	text  form = iota
	many       // []string, left out when empty
	yesNo      // bool
)

func (l listing) render(rows []row) ([]byte, error) {
	key := l.fields[0].column
	w := newWriter(l.csv)
	for _, line := range l.intro {
		w.line("// %s", line)
	}
	w.line("const (")
	for _, r := range rows {
		w.constant(l.prefix+camel(r[key]), "", quote(r[key]), l.comment(r))
	}
	w.line(")")
	w.line("")
	w.line("// %s is one line of %s.", l.typ, l.typeDoc)
	w.line("type %s struct {", l.typ)
	for _, f := range l.fields {
		w.line("%s %s // %s", f.name, [...]string{text: "string", many: "[]string", yesNo: "bool"}[f.form], f.doc)
	}
	w.line("}")
	w.line("")
	w.line("// %s lists %s.", l.list, l.listDoc)
	w.line("func %s() []%s {", l.list, l.typ)
	w.line("return []%s{", l.typ)
	for _, r := range rows {
		line := l.fields[0].name + ": " + l.prefix + camel(r[key])
		for _, f := range l.fields[1:] {
			cell, err := f.render(r[f.column])
			if err != nil {
				return nil, fmt.Errorf("entry %q: %s: %w", r[key], f.column, err)
			}
			line += cell
		}
		w.line("{%s},", line)
	}
	w.line("}")
	w.line("}")
	return w.source()
}

func (f field) render(cell string) (string, error) {
	if f.words != nil && !slices.Contains(f.words, cell) {
		return "", fmt.Errorf("unknown word %q", cell)
	}
	switch f.form {
	case many:
		return list(f.name, cell), nil
	case yesNo:
		value, err := oneOf(cell, map[string]string{"yes": "true", "no": "false"})
		return ", " + f.name + ": " + value, err
	default:
		return ", " + f.name + ": " + quote(cell), nil
	}
}

func summary(r row) string { return r["summary"] }

// statuses are what a registry's line may be.
func statuses() []string { return []string{"current", "reserved", "withdrawn"} }

func markets() listing {
	return listing{
		csv: "markets.csv", prefix: "Market", comment: summary,
		intro: []string{"The registered markets. Any other name of the right form is a market too."},
		typ:   "Market", typeDoc: "the registry of markets",
		list: "Markets", listDoc: "the registered markets in the order of their names",
		fields: []field{
			{name: "Name", column: "name", doc: "as in topics and records"},
			{name: "Title", column: "title", doc: "for people"},
			{name: "Summary", column: "summary", doc: "what it is about, a sentence"},
			{name: "Categories", column: "categories", doc: "beginnings of the categories that usually belong here", form: many},
		},
	}
}

func reasons() listing {
	return listing{
		csv: "reasons.csv", prefix: "Reason", comment: summary,
		intro: []string{"The reasons that records give."},
		typ:   "Reason", typeDoc: "the registry of reasons",
		list: "Reasons", listDoc: "the registered reasons in the order of their codes",
		fields: []field{
			{name: "Code", column: "code", doc: "as in records"},
			{name: "UsedBy", column: "used_by", doc: "the types of record that give it", form: many},
			{name: "Summary", column: "summary", doc: "what it says, a sentence"},
		},
	}
}

func recordTypes() listing {
	return listing{
		csv: "record-types.csv", prefix: "Type", comment: summary,
		intro: []string{"The types of record."},
		typ:   "RecordType", typeDoc: "the registry of record types",
		list: "RecordTypes", listDoc: "the registered types in the order of their names",
		fields: []field{
			{name: "Name", column: "type", doc: "as in records"},
			{name: "Status", column: "status", doc: "current, or reserved for a later version", words: statuses()},
			{name: "Gossip", column: "gossip", doc: "whether gossip carries it", form: yesNo},
			{name: "Author", column: "author", doc: "whose key signs it: customer, vendor or either"},
			{name: "Summary", column: "summary", doc: "what it says, a sentence"},
		},
	}
}

func orderStatuses() listing {
	return listing{
		csv: "order-statuses.csv", prefix: "OrderStatus", comment: summary,
		intro: []string{"What order-events say."},
		typ:   "OrderStatus", typeDoc: "the registry of order statuses",
		list: "OrderStatuses", listDoc: "the registered statuses in the order of their codes",
		fields: []field{
			{name: "Code", column: "code", doc: "as in records"},
			{name: "SaidBy", column: "said_by", doc: "who may say it: customer, vendor or both", words: []string{"customer", "vendor", "both"}},
			{name: "Summary", column: "summary", doc: "what it says, a sentence"},
		},
	}
}

func outcomes() listing {
	return listing{
		csv: "outcomes.csv", prefix: "Outcome", comment: summary,
		intro: []string{"What came of an agreement."},
		typ:   "Outcome", typeDoc: "the registry of outcomes",
		list: "Outcomes", listDoc: "the registered outcomes in the order of their codes",
		fields: []field{
			{name: "Code", column: "code", doc: "as in records"},
			{name: "Summary", column: "summary", doc: "what it says, a sentence"},
		},
	}
}

func returnPolicies() listing {
	return listing{
		csv: "return-policies.csv", prefix: "Return", comment: summary,
		intro: []string{"What an offer says about returns."},
		typ:   "ReturnPolicy", typeDoc: "the registry of return policies",
		list: "ReturnPolicies", listDoc: "the registered codes in their order",
		fields: []field{
			{name: "Code", column: "code", doc: "as in records"},
			{name: "UsedBy", column: "used_by", doc: "the field that says it"},
			{name: "Summary", column: "summary", doc: "what it says, a sentence"},
		},
	}
}

func roster() listing {
	return listing{
		csv: "terms.csv", prefix: "Terms", comment: func(r row) string { return r["name"] + "." },
		intro: []string{"The roster of agreements of IEEE 7012-2025 (MyTerms), by the IDs that the", "Data Privacy Vocabulary gives them."},
		typ:   "RosterTerms", typeDoc: "the roster",
		list: "Roster", listDoc: "the agreements in the order of their IDs",
		fields: []field{
			{name: "ID", column: "id", doc: "as in records"},
			{name: "Name", column: "name", doc: "the agreement's name"},
			{name: "Sentence", column: "sentence", doc: "what it says, in the person's words"},
			{name: "Status", column: "status", doc: "current, or withdrawn from the roster", words: statuses()},
		},
	}
}
