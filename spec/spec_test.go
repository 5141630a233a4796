package spec_test

import (
	"encoding/csv"
	"io/fs"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/parley-protocol/parley/spec"
)

// documents are the texts of the embedded documents, by name.
func documents(t *testing.T) map[string]string {
	t.Helper()
	names, err := fs.Glob(spec.FS, "*.md")
	if err != nil {
		t.Fatal(err)
	}
	texts := map[string]string{}
	for _, name := range names {
		text, err := fs.ReadFile(spec.FS, name)
		if err != nil {
			t.Fatal(err)
		}
		texts[name] = string(text)
	}
	return texts
}

// Every requirement is stated once, and every reference to one finds it.
func TestRequirements(t *testing.T) {
	// A requirement is stated at the start of a list's entry or of a table's cell.
	stated := regexp.MustCompile(`(?m)(?:^- |\| )\[([A-Z]+-[0-9]+)\]`)
	named := regexp.MustCompile(`\[([A-Z]+-[0-9]+)\]`)
	where := map[string]string{}
	texts := documents(t)
	for name, text := range texts {
		for _, m := range stated.FindAllStringSubmatch(text, -1) {
			if first, twice := where[m[1]]; twice {
				t.Errorf("%s is stated in %s and in %s", m[1], first, name)
			}
			where[m[1]] = name
		}
	}
	for name, text := range texts {
		for _, m := range named.FindAllStringSubmatch(text, -1) {
			if where[m[1]] == "" {
				t.Errorf("%s: %s is stated nowhere", name, m[1])
			}
		}
	}
	if len(where) < 150 {
		t.Errorf("only %d requirements were found", len(where))
	}
}

// Links within the folder lead somewhere, and the index has every document.
func TestLinks(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^):#]+)\)`)
	texts := documents(t)
	for name, text := range texts {
		for _, m := range link.FindAllStringSubmatch(text, -1) {
			if _, err := os.Stat(path.Clean(m[1])); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		if name != "README.md" && !strings.Contains(texts["README.md"], "("+name+")") {
			t.Errorf("the index doesn't have %s", name)
		}
	}
}

// registry is the lines of a registry, each by column.
func registry(t *testing.T, name string) (rows []map[string]string) {
	t.Helper()
	f, err := spec.FS.Open("registry/" + name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close() // read only
	lines, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range lines[1:] {
		row := map[string]string{}
		for i, column := range lines[0] {
			row[column] = line[i]
		}
		rows = append(rows, row)
	}
	return rows
}

// What is registered may stand in records: it has the form that the schema asks
// for there.
func TestRegistries(t *testing.T) {
	s := readSchema(t)
	for _, test := range []struct{ file, column, rule string }{
		{"record-types.csv", "type", "type-name"},
		{"codes.csv", "code", "code"},
		{"reasons.csv", "code", "reason"},
		{"order-statuses.csv", "code", "code"},
		{"outcomes.csv", "code", "code"},
		{"return-policies.csv", "code", "code"},
		{"terms.csv", "id", "roster-id"},
		{"markets.csv", "name", "market"},
	} {
		for _, row := range registry(t, test.file) {
			if !s.matches(test.rule, row[test.column]) {
				t.Errorf("%s: %q is no %s", test.file, row[test.column], test.rule)
			}
		}
	}
	var types []string
	for _, row := range registry(t, "record-types.csv") {
		types = append(types, row["type"])
		if body := s.bodyType(row["type"]); (body == "other") != (row["status"] == "reserved") {
			t.Errorf("the type %s is %s, and a body is %s in the schema", row["type"], row["status"], body)
		}
	}
	for _, row := range registry(t, "reasons.csv") {
		for _, user := range strings.Fields(row["used_by"]) {
			if !slices.Contains(types, user) {
				t.Errorf("the reason %s is used by %s, which is no type", row["code"], user)
			}
		}
	}
}

// Document 9 repeats the limits that implementers ask for first.
func TestLimits(t *testing.T) {
	text := documents(t)["09-limits-and-errors.md"]
	shown := []string{
		"max_block_bytes", "max_depth", "max_values", "max_frame_bytes", "max_bundle_records", "max_sealed_payload_bytes",
		"max_envelope_bytes", "max_message_bytes", "max_token_envelopes", "max_token_bytes", "max_clock_ahead",
	}
	for _, row := range registry(t, "limits.csv") {
		if i := slices.Index(shown, row["name"]); i >= 0 {
			shown = slices.Delete(shown, i, i+1)
			if value := grouped(row["value"]); !strings.Contains(text, value+" ") {
				t.Errorf("document 9 doesn't have %s, %s", row["name"], value)
			}
		}
	}
	if len(shown) > 0 {
		t.Errorf("not registered: %v", shown)
	}
}

// grouped puts commas between thousands.
func grouped(digits string) string {
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// A document that speaks of a code means one that is registered.
func TestCodes(t *testing.T) {
	var registered []string
	for _, file := range []string{"codes.csv", "reasons.csv", "order-statuses.csv", "outcomes.csv", "return-policies.csv"} {
		for _, row := range registry(t, file) {
			registered = append(registered, row["code"])
		}
	}
	// Words with an underscore are codes, but for a few of the fold's names.
	code := regexp.MustCompile("`([a-z]+(?:_[a-z]+)+)`")
	others := []string{"takes_award", "is_open", "in_force", "said_by"}
	for name, text := range documents(t) {
		for _, m := range code.FindAllStringSubmatch(text, -1) {
			if !slices.Contains(registered, m[1]) && !slices.Contains(others, m[1]) {
				t.Errorf("%s: the code %s isn't registered", name, m[1])
			}
		}
	}
}
