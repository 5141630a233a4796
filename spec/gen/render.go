package main

import (
	"bytes"
	"fmt"
	"go/format"
	"strconv"
	"strings"
)

// registries lists every registry that becomes Go.
func registries() []registry {
	return []registry{
		{
			csv: "codes.csv", output: "codes_gen.go",
			columns: []string{"code", "verdict", "summary", "hint"}, optional: []string{"hint"},
			render: renderCodes,
		},
		{
			csv: "limits.csv", output: "limits_gen.go",
			columns: []string{"name", "value", "unit", "summary"},
			render:  renderLimits,
		},
		{
			csv: "markets.csv", output: "markets_gen.go",
			columns: []string{"name", "title", "summary", "categories"}, optional: []string{"categories"},
			render: renderMarkets,
		},
		{
			csv: "order-statuses.csv", output: "order_statuses_gen.go",
			columns: []string{"code", "said_by", "summary"},
			render:  renderOrderStatuses,
		},
		{
			csv: "odrl-context.csv", output: "odrl_context_gen.go",
			columns: []string{"term", "iri", "coercion"}, optional: []string{"coercion"},
			render: renderContext,
		},
		{
			csv: "outcomes.csv", output: "outcomes_gen.go",
			columns: []string{"code", "summary"},
			render:  renderOutcomes,
		},
		{
			csv: "protocols.csv", output: "protocols_gen.go",
			columns: []string{"name", "id", "kind", "summary"},
			render:  renderProtocols,
		},
		{
			csv: "reasons.csv", output: "reasons_gen.go",
			columns: []string{"code", "used_by", "summary"},
			render:  renderReasons,
		},
		{
			csv: "record-types.csv", output: "record_types_gen.go",
			columns: []string{"type", "status", "gossip", "author", "summary"},
			render:  renderRecordTypes,
		},
		{
			csv: "return-policies.csv", output: "return_policies_gen.go",
			columns: []string{"code", "used_by", "summary"},
			render:  renderReturnPolicies,
		},
		{
			csv: "roster-rules.csv", output: "roster_rules_gen.go",
			columns: []string{"id", "only", "rules"},
			render:  renderRosterRules,
		},
		{
			csv: "rules.csv", output: "rules_gen.go",
			columns:  []string{"name", "kind", "action", "target", "purpose", "recipient", "technology", "summary"},
			optional: []string{"purpose", "recipient", "technology"},
			render:   renderRules,
		},
		{
			csv: "terms.csv", output: "terms_gen.go",
			columns: []string{"id", "name", "sentence", "status"},
			render:  renderTerms,
		},
	}
}

func renderCodes(rows []row) ([]byte, error) {
	w := newWriter("codes.csv")
	w.line("// The error codes.")
	w.line("const (")
	for _, r := range rows {
		w.constant("Code"+camel(r["code"]), "Code", quote(r["code"]), r["summary"])
	}
	w.line(")")
	w.line("")
	w.line("// Codes lists the error codes in the order of their names.")
	w.line("func Codes() []Code {")
	w.line("return []Code{")
	for _, r := range rows {
		w.line("Code%s,", camel(r["code"]))
	}
	w.line("}")
	w.line("}")
	w.line("")
	w.line("// codeInfo is what the registry says about each code. It is never written to.")
	w.line("var codeInfo = map[Code]codeFacts{")
	for _, r := range rows {
		verdict, err := oneOf(r["verdict"], map[string]string{"reject": "Reject", "ignore": "Ignore", "none": "Ignore"})
		if err != nil {
			return nil, fmt.Errorf("entry %q: verdict: %w", r["code"], err)
		}
		hint := ""
		if r["hint"] != "" {
			hint = ", Hint: " + quote(r["hint"])
		}
		w.line("Code%s: {Verdict: %s, Summary: %s%s},", camel(r["code"]), verdict, quote(r["summary"]), hint)
	}
	w.line("}")
	return w.source()
}

func renderLimits(rows []row) ([]byte, error) {
	w := newWriter("limits.csv")
	w.line("// The limits, each in the unit that its comment gives.")
	w.line("const (")
	for _, r := range rows {
		if _, err := strconv.ParseInt(r["value"], 10, 64); err != nil {
			return nil, fmt.Errorf("entry %q: %w", r["name"], err)
		}
		w.constant(camel(r["name"]), "", r["value"], r["unit"]+": "+r["summary"])
	}
	w.line(")")
	return w.source()
}

func renderMarkets(rows []row) ([]byte, error) {
	w := newWriter("markets.csv")
	w.line("// The registered markets. Any other name of the right form is a market too.")
	w.line("const (")
	for _, r := range rows {
		w.constant("Market"+camel(r["name"]), "", quote(r["name"]), r["summary"])
	}
	w.line(")")
	w.line("")
	w.line("// Market is one line of the registry of markets.")
	w.line("type Market struct {")
	w.line("Name string // as in topics and records")
	w.line("Title string // for people")
	w.line("Summary string // what it is about, a sentence")
	w.line("Categories []string // beginnings of the categories that usually belong here")
	w.line("}")
	w.line("")
	w.line("// Markets lists the registered markets in the order of their names.")
	w.line("func Markets() []Market {")
	w.line("return []Market{")
	for _, r := range rows {
		w.line("{Name: Market%s, Title: %s, Summary: %s%s},", camel(r["name"]), quote(r["title"]), quote(r["summary"]), list("Categories", r["categories"]))
	}
	w.line("}")
	w.line("}")
	return w.source()
}

func renderProtocols(rows []row) ([]byte, error) {
	w := newWriter("protocols.csv")
	w.line("// The protocol IDs, and the topics up to the part that varies.")
	w.line("const (")
	for _, r := range rows {
		switch r["kind"] {
		case "stream":
			w.constant("Protocol"+camel(r["name"]), "", quote(r["id"]), r["summary"])
		case "topic":
			prefix, _, found := strings.Cut(r["id"], "<")
			if !found {
				return nil, fmt.Errorf("entry %q: the topic has no part in <>", r["name"])
			}
			w.constant("Topic"+camel(r["name"])+"Prefix", "", quote(prefix), r["summary"])
		default:
			return nil, fmt.Errorf("entry %q: unknown kind %q", r["name"], r["kind"])
		}
	}
	w.line(")")
	return w.source()
}

func renderReasons(rows []row) ([]byte, error) {
	w := newWriter("reasons.csv")
	w.line("// The reasons that records give.")
	w.line("const (")
	for _, r := range rows {
		w.constant("Reason"+camel(r["code"]), "", quote(r["code"]), r["summary"])
	}
	w.line(")")
	w.line("")
	w.line("// Reason is one line of the registry of reasons.")
	w.line("type Reason struct {")
	w.line("Code string // as in records")
	w.line("UsedBy []string // the types of record that give it")
	w.line("Summary string // what it says, a sentence")
	w.line("}")
	w.line("")
	w.line("// Reasons lists the registered reasons in the order of their codes.")
	w.line("func Reasons() []Reason {")
	w.line("return []Reason{")
	for _, r := range rows {
		w.line("{Code: Reason%s%s, Summary: %s},", camel(r["code"]), list("UsedBy", r["used_by"]), quote(r["summary"]))
	}
	w.line("}")
	w.line("}")
	return w.source()
}

func renderRecordTypes(rows []row) ([]byte, error) {
	w := newWriter("record-types.csv")
	w.line("// The types of record.")
	w.line("const (")
	for _, r := range rows {
		w.constant("Type"+camel(r["type"]), "", quote(r["type"]), r["summary"])
	}
	w.line(")")
	w.line("")
	w.line("// RecordType is one line of the registry of record types.")
	w.line("type RecordType struct {")
	w.line("Name string // as in records")
	w.line("Status string // current, or reserved for a later version")
	w.line("Gossip bool // whether gossip carries it")
	w.line("Author string // whose key signs it: customer, vendor or either")
	w.line("Summary string // what it says, a sentence")
	w.line("}")
	w.line("")
	w.line("// RecordTypes lists the registered types in the order of their names.")
	w.line("func RecordTypes() []RecordType {")
	w.line("return []RecordType{")
	for _, r := range rows {
		gossip, err := oneOf(r["gossip"], map[string]string{"yes": "true", "no": "false"})
		if err != nil {
			return nil, fmt.Errorf("entry %q: gossip: %w", r["type"], err)
		}
		if err := checkStatus(r["type"], r["status"]); err != nil {
			return nil, err
		}
		w.line("{Name: Type%s, Status: %s, Gossip: %s, Author: %s, Summary: %s},",
			camel(r["type"]), quote(r["status"]), gossip, quote(r["author"]), quote(r["summary"]))
	}
	w.line("}")
	w.line("}")
	return w.source()
}

func renderOrderStatuses(rows []row) ([]byte, error) {
	w := newWriter("order-statuses.csv")
	w.line("// What order-events say.")
	w.line("const (")
	for _, r := range rows {
		w.constant("OrderStatus"+camel(r["code"]), "", quote(r["code"]), r["summary"])
	}
	w.line(")")
	w.line("")
	w.line("// OrderStatus is one line of the registry of order statuses.")
	w.line("type OrderStatus struct {")
	w.line("Code string // as in records")
	w.line("SaidBy string // who may say it: customer, vendor or both")
	w.line("Summary string // what it says, a sentence")
	w.line("}")
	w.line("")
	w.line("// OrderStatuses lists the registered statuses in the order of their codes.")
	w.line("func OrderStatuses() []OrderStatus {")
	w.line("return []OrderStatus{")
	for _, r := range rows {
		if _, err := oneOf(r["said_by"], map[string]string{"customer": "", "vendor": "", "both": ""}); err != nil {
			return nil, fmt.Errorf("entry %q: said_by: %w", r["code"], err)
		}
		w.line("{Code: OrderStatus%s, SaidBy: %s, Summary: %s},", camel(r["code"]), quote(r["said_by"]), quote(r["summary"]))
	}
	w.line("}")
	w.line("}")
	return w.source()
}

func renderOutcomes(rows []row) ([]byte, error) {
	w := newWriter("outcomes.csv")
	w.line("// What came of an agreement.")
	w.line("const (")
	for _, r := range rows {
		w.constant("Outcome"+camel(r["code"]), "", quote(r["code"]), r["summary"])
	}
	w.line(")")
	w.line("")
	w.line("// Outcome is one line of the registry of outcomes.")
	w.line("type Outcome struct {")
	w.line("Code string // as in records")
	w.line("Summary string // what it says, a sentence")
	w.line("}")
	w.line("")
	w.line("// Outcomes lists the registered outcomes in the order of their codes.")
	w.line("func Outcomes() []Outcome {")
	w.line("return []Outcome{")
	for _, r := range rows {
		w.line("{Code: Outcome%s, Summary: %s},", camel(r["code"]), quote(r["summary"]))
	}
	w.line("}")
	w.line("}")
	return w.source()
}

func renderReturnPolicies(rows []row) ([]byte, error) {
	w := newWriter("return-policies.csv")
	w.line("// What an offer says about returns.")
	w.line("const (")
	for _, r := range rows {
		w.constant("Return"+camel(r["code"]), "", quote(r["code"]), r["summary"])
	}
	w.line(")")
	w.line("")
	w.line("// ReturnPolicy is one line of the registry of return policies.")
	w.line("type ReturnPolicy struct {")
	w.line("Code string // as in records")
	w.line("UsedBy string // the field that says it")
	w.line("Summary string // what it says, a sentence")
	w.line("}")
	w.line("")
	w.line("// ReturnPolicies lists the registered codes in their order.")
	w.line("func ReturnPolicies() []ReturnPolicy {")
	w.line("return []ReturnPolicy{")
	for _, r := range rows {
		w.line("{Code: Return%s, UsedBy: %s, Summary: %s},", camel(r["code"]), quote(r["used_by"]), quote(r["summary"]))
	}
	w.line("}")
	w.line("}")
	return w.source()
}

func renderTerms(rows []row) ([]byte, error) {
	w := newWriter("terms.csv")
	w.line("// The roster of agreements of IEEE 7012-2025 (MyTerms), by the IDs that the")
	w.line("// Data Privacy Vocabulary gives them.")
	w.line("const (")
	for _, r := range rows {
		w.constant("Terms"+camel(r["id"]), "", quote(r["id"]), r["name"]+".")
	}
	w.line(")")
	w.line("")
	w.line("// RosterTerms is one line of the roster.")
	w.line("type RosterTerms struct {")
	w.line("ID string // as in records")
	w.line("Name string // the agreement's name")
	w.line("Sentence string // what it says, in the person's words")
	w.line("Status string // current, or withdrawn from the roster")
	w.line("}")
	w.line("")
	w.line("// Roster lists the agreements in the order of their IDs.")
	w.line("func Roster() []RosterTerms {")
	w.line("return []RosterTerms{")
	for _, r := range rows {
		if err := checkStatus(r["id"], r["status"]); err != nil {
			return nil, err
		}
		w.line("{ID: Terms%s, Name: %s, Sentence: %s, Status: %s},", camel(r["id"]), quote(r["name"]), quote(r["sentence"]), quote(r["status"]))
	}
	w.line("}")
	w.line("}")
	return w.source()
}

// writer collects the lines of one file.
type writer struct{ bytes.Buffer }

func newWriter(csv string) *writer {
	w := &writer{}
	w.line("// Code generated from spec/registry/%s by spec/gen. DO NOT EDIT.", csv)
	w.line("")
	w.line("package protocol")
	w.line("")
	return w
}

func (w *writer) line(text string, args ...any) { fmt.Fprintf(w, text+"\n", args...) }

func (w *writer) constant(name, typ, value, comment string) {
	w.line("%s %s = %s // %s", name, typ, value, comment)
}

// source is the file as gofmt has it.
func (w *writer) source() ([]byte, error) { return format.Source(w.Bytes()) }

// camel makes a Go name of a registered one: offer_expired, award-notice and
// SD-BASE-AT become OfferExpired, AwardNotice and SDBaseAT.
func camel(name string) string {
	var out strings.Builder
	for part := range strings.FieldsFuncSeq(name, func(r rune) bool { return r == '_' || r == '-' || r == '/' }) {
		switch part {
		case "SD", "A", "AT", "ATP", "S3P", "DP", "PDC", "AI", "TPR":
			out.WriteString(part)
		default:
			out.WriteString(strings.ToUpper(part[:1]) + strings.ToLower(part[1:]))
		}
	}
	return out.String()
}

func quote(s string) string { return strconv.Quote(s) }

// list renders a field for the words of a cell, and nothing when there are none.
func list(field, cell string) string {
	words := strings.Fields(cell)
	if len(words) == 0 {
		return ""
	}
	for i, word := range words {
		words[i] = quote(word)
	}
	return ", " + field + ": []string{" + strings.Join(words, ", ") + "}"
}

func oneOf(word string, values map[string]string) (string, error) {
	value, ok := values[word]
	if !ok {
		return "", fmt.Errorf("unknown word %q", word)
	}
	return value, nil
}

func checkStatus(entry, status string) error {
	switch status {
	case "current", "reserved", "withdrawn":
		return nil
	default:
		return fmt.Errorf("entry %q: unknown status %q", entry, status)
	}
}
