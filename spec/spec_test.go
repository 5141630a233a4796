package spec_test

import (
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

// A document that speaks of a code means one that is registered.
func TestCodes(t *testing.T) {
	var registered []string
	for _, file := range []string{"registry/codes.csv", "registry/reasons.csv"} {
		text, err := fs.ReadFile(spec.FS, file)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			code, _, _ := strings.Cut(line, ",")
			registered = append(registered, code)
		}
	}
	// Words with an underscore are codes, but for a few of the fold's names.
	code := regexp.MustCompile("`([a-z]+(?:_[a-z]+)+)`")
	others := []string{"takes_award"}
	for name, text := range documents(t) {
		for _, m := range code.FindAllStringSubmatch(text, -1) {
			if !slices.Contains(registered, m[1]) && !slices.Contains(others, m[1]) {
				t.Errorf("%s: the code %s isn't registered", name, m[1])
			}
		}
	}
}
