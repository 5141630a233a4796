package spec_test

import (
	"io/fs"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/parley-protocol/parley/spec"
)

// Every field that a record can have stands in the registry of projections, with
// a place in both protocols or a reason; a new field of the schema that doesn't
// makes this fail.
//
//spec:shows EXP-23
func TestProjections(t *testing.T) {
	text, err := fs.ReadFile(spec.FS, "records.cddl")
	if err != nil {
		t.Fatal(err)
	}
	fields := fieldsOf(string(text))
	if len(fields) < 200 {
		t.Fatalf("only %d fields in the schema: %v", len(fields), fields)
	}
	last := ""
	for _, row := range registry(t, "projections.csv") {
		field := row["field"]
		if field <= last {
			t.Errorf("%s stands in the wrong place, or twice", field)
		}
		last = field
		if !fields[field] {
			t.Errorf("%s is no field of the schema", field)
		}
		delete(fields, field)
		if (row["beckn"] == "" || row["ucp"] == "") && row["why"] == "" {
			t.Errorf("%s has neither a place in both nor a reason", field)
		}
	}
	if len(fields) > 0 {
		t.Errorf("fields without a line in registry/projections.csv: %s", strings.Join(slices.Sorted(maps.Keys(fields)), ", "))
	}
}

var (
	cddlComment = regexp.MustCompile(`;[^\n]*|"(?:\\.|[^"\\])*"`)
	cddlRule    = regexp.MustCompile(`(?m)^([a-z][a-z0-9-]*) *= *`)
	cddlMember  = regexp.MustCompile(`(?s)^(?:\? *)?([A-Za-z]+) *: *(.*)$`)
	cddlName    = regexp.MustCompile(`[a-z][a-z0-9-]*`)
)

// fieldsOf is the paths of all fields of all bodies in a schema, but for their
// type: keys joined by points, lists with []. Reply addresses and keys of deals
// count as one field.
func fieldsOf(schema string) map[string]bool {
	schema = cddlComment.ReplaceAllString(schema, "")
	rules := map[string]string{}
	starts := cddlRule.FindAllStringSubmatchIndex(schema, -1)
	for i, m := range starts {
		end := len(schema)
		if i+1 < len(starts) {
			end = starts[i+1][0]
		}
		rules[schema[m[2]:m[3]]] = strings.TrimSpace(schema[m[1]:end])
	}
	fields := map[string]bool{}
	var walk func(path, rule string)
	walk = func(path, rule string) {
		for _, entry := range members(rules[rule]) {
			m := cddlMember.FindStringSubmatch(entry)
			if m == nil {
				if strings.HasPrefix(rules[entry], "(") && entry != "header" {
					walk(path, entry)
				}
				continue
			}
			key, value := m[1], m[2]
			if key == "type" {
				continue
			}
			at := path + "." + key
			if strings.HasPrefix(value, "[") {
				at += "[]"
			}
			leaf := true
			for _, name := range cddlName.FindAllString(value, -1) {
				if strings.HasPrefix(rules[name], "{") && key != "replyTo" {
					walk(at, name)
					leaf = false
				}
			}
			if leaf {
				fields[at] = true
			}
		}
	}
	walk("header", "header")
	for _, body := range cddlName.FindAllString(rules["body"], -1) {
		if body != "other" {
			walk(body, body)
		}
	}
	return fields
}

// members is the entries of a map or a group.
func members(rule string) (entries []string) {
	if rule == "" || rule[0] != '{' && rule[0] != '(' {
		return nil
	}
	depth, start := 0, 1
	for i, r := range rule {
		switch r {
		case '{', '(', '[':
			depth++
		case '}', ')', ']':
			depth--
		}
		if r == ',' && depth == 1 || depth == 0 {
			if entry := strings.TrimSpace(rule[start:i]); entry != "" {
				entries = append(entries, entry)
			}
			if start = i + 1; depth == 0 {
				break
			}
		}
	}
	return entries
}
