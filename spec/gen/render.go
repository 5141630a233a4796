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
			render: markets().render,
		},
		{
			csv: "order-statuses.csv", output: "order_statuses_gen.go",
			columns: []string{"code", "said_by", "summary"},
			render:  orderStatuses().render,
		},
		{
			csv: "odrl-context.csv", output: "odrl_context_gen.go",
			columns: []string{"term", "iri", "coercion"}, optional: []string{"coercion"},
			render: renderContext,
		},
		{
			csv: "outcomes.csv", output: "outcomes_gen.go",
			columns: []string{"code", "summary"},
			render:  outcomes().render,
		},
		{
			csv: "protocols.csv", output: "protocols_gen.go",
			columns: []string{"name", "id", "kind", "summary"},
			render:  renderProtocols,
		},
		{
			csv: "reasons.csv", output: "reasons_gen.go",
			columns: []string{"code", "used_by", "summary"},
			render:  reasons().render,
		},
		{
			csv: "record-types.csv", output: "record_types_gen.go",
			columns: []string{"type", "status", "gossip", "author", "summary"},
			render:  recordTypes().render,
		},
		{
			csv: "return-policies.csv", output: "return_policies_gen.go",
			columns: []string{"code", "used_by", "summary"},
			render:  returnPolicies().render,
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
			render:  roster().render,
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
