package vectors_test

import (
	"bufio"
	"bytes"
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/parley-protocol/parley/spec"
	"github.com/parley-protocol/parley/spec/vectors"
)

// requirements is what the documents state: identifiers and their text.
func requirements(t *testing.T) map[string]string {
	t.Helper()
	stated := regexp.MustCompile(`(?m)(?:^- |\| )\[([A-Z]+-[0-9]+)\]`)
	ends := regexp.MustCompile(`\n(?:- \[|#|$)`)
	names, err := fs.Glob(spec.FS, "*.md")
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, name := range names {
		text, err := fs.ReadFile(spec.FS, name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range stated.FindAllSubmatchIndex(text, -1) {
			id, rest := string(text[m[2]:m[3]]), text[m[1]:]
			if end := ends.FindIndex(rest); end != nil {
				rest = rest[:end[0]]
			}
			if _, twice := all[id]; twice {
				t.Errorf("%s: %s is stated twice", name, id)
			}
			all[id] = strings.Join(strings.Fields(string(rest)), " ")
		}
	}
	return all
}

// byNumber orders REC-9 before REC-10.
func byNumber(a, b string) int {
	nameA, numberA, _ := strings.Cut(a, "-")
	nameB, numberB, _ := strings.Cut(b, "-")
	x, _ := strconv.Atoi(numberA) // 0 for what is no number
	y, _ := strconv.Atoi(numberB)
	return cmp.Or(cmp.Compare(nameA, nameB), cmp.Compare(x, y))
}

// Every requirement has a vector or a test that claims it, or stands, with a
// reason, in uncovered.txt, which is for those that oblige no program.
func TestCoverage(t *testing.T) {
	files, err := vectors.All()
	if err != nil {
		t.Fatal(err)
	}
	stated := requirements(t)
	covered := map[string]bool{}
	total := 0
	for _, f := range files {
		for _, c := range f.Cases {
			total++
			for _, id := range c.Musts {
				covered[id] = true
				if _, ok := stated[id]; !ok {
					t.Errorf("%s: %s is about %s, which no document states", f.Path, c.Name, id)
				}
			}
		}
	}
	byVectors := len(covered)
	tests := claims(t)
	for _, c := range tests {
		covered[c.id] = true
		if _, ok := stated[c.id]; !ok {
			t.Errorf("%s: %s claims %s, which no document states", c.at, c.test, c.id)
		}
	}
	listed := uncovered(t)
	for _, id := range slices.SortedFunc(maps.Keys(stated), byNumber) {
		switch reason, isListed := listed[id]; {
		case covered[id] && isListed:
			t.Errorf("%s has a vector or a test and stands in uncovered.txt", id)
		case isListed && obliges.MatchString(stated[id]):
			t.Errorf("%s obliges programs, so uncovered.txt can't excuse it: %s", id, stated[id])
		case isListed:
			t.Logf("%s has none: %s", id, reason)
		case !covered[id]:
			t.Errorf("%s has no vector, and no test has the line //spec:shows %s", id, id)
		}
	}
	for id := range listed {
		if _, ok := stated[id]; !ok {
			t.Errorf("uncovered.txt has %s, which no document states", id)
		}
	}
	t.Logf("%d requirements: %d vectors in %d files are about %d of them, %d claims of tests bring %d more, %d oblige no program",
		len(stated), total, len(files), byVectors, len(tests), len(covered)-byVectors, len(listed))
}

// obliges is the words of RFC 2119 that a program can break.
var obliges = regexp.MustCompile(`\b(MUST|SHOULD)\b`)

// claim is one test's word that it fails when a requirement is broken.
type claim struct{ id, test, at string }

const (
	directive = "//spec:"
	showing   = directive + "shows "
)

// claims are the lines "//spec:shows REC-1 DEAL-2" in the comments before test
// functions, anywhere in the module. Such a line elsewhere, one that says
// something else, and one of a test that isn't run by itself is an error.
func claims(t *testing.T) []claim {
	t.Helper()
	const module = "../.."
	var all []claim
	err := filepath.WalkDir(module, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if name := d.Name(); d.IsDir() && path != module && (name == "testdata" || strings.HasPrefix(name, ".")) {
			return fs.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if !bytes.Contains(text, []byte("\n"+directive)) {
			return nil
		}
		found, err := claimsIn(path, text)
		all = append(all, found...)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func claimsIn(path string, text []byte) ([]claim, error) {
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, path, text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	var all []claim
	seen := 0
	for _, decl := range file.Decls {
		fn, ok := decl.(*ast.FuncDecl)
		if !ok || fn.Doc == nil || fn.Recv != nil || !testName.MatchString(fn.Name.Name) {
			continue
		}
		for _, line := range fn.Doc.List {
			ids, ok := strings.CutPrefix(line.Text, showing)
			if !ok {
				continue
			}
			seen++
			at := files.Position(line.Pos()).String()
			for _, id := range strings.Fields(ids) {
				all = append(all, claim{id: id, test: fn.Name.Name, at: at})
			}
		}
	}
	for _, group := range file.Comments {
		for _, line := range group.List {
			if strings.HasPrefix(line.Text, directive) {
				seen--
			} else if strings.HasPrefix(line.Text, "//go:build") {
				return all, fmt.Errorf("%s: claims in a file that not every run of the tests includes: %s", path, line.Text)
			}
		}
	}
	if seen != 0 {
		return all, fmt.Errorf("%s: a line %s… that isn't %q right before a test", path, directive, showing+"ID…")
	}
	return all, nil
}

var testName = regexp.MustCompile(`^(Test|Fuzz|Example)([^a-z]|$)`)

// What claims reads, and what it won't.
func TestClaims(t *testing.T) {
	read := func(text string) string {
		found, err := claimsIn("x_test.go", []byte("package x\n\n"+text))
		if err != nil {
			return "error"
		}
		var ids []string
		for _, c := range found {
			ids = append(ids, c.test+"="+c.id)
		}
		return strings.Join(ids, " ")
	}
	for text, want := range map[string]string{
		"//spec:shows A-1 B-22\nfunc TestIt() {}":              "TestIt=A-1 TestIt=B-22",
		"// Words.\n//\n//spec:shows A-1\nfunc FuzzIt() {}":    "FuzzIt=A-1",
		"//spec:shows A-1\nfunc helper() {}":                   "error",
		"//spec:shows A-1\nfunc Testify() {}":                  "error",
		"//spec:shows A-1\n\nfunc TestIt() {}":                 "error",
		"//spec:claims A-1\nfunc TestIt() {}":                  "error",
		"//go:build x\n\n//spec:shows A-1\nfunc TestIt() {}":   "error",
		"func TestIt() {\n//spec:shows A-1\n}":                 "error",
		"// [A-1] is only spoken of.\nfunc TestIt() {}":        "",
		"//spec:shows A-1\nfunc (s suite) TestIt() { s.it() }": "error",
	} {
		if got := read(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// uncovered is uncovered.txt: lines of an identifier and a reason.
func uncovered(t *testing.T) map[string]string {
	t.Helper()
	f, err := os.Open("uncovered.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close() // read only
	listed := map[string]string{}
	last := ""
	for lines := bufio.NewScanner(f); lines.Scan(); {
		line := lines.Text()
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		id, reason, _ := strings.Cut(line, " ")
		if strings.TrimSpace(reason) == "" || last != "" && byNumber(last, id) >= 0 {
			t.Errorf("uncovered.txt: %q has no reason or stands in the wrong place", line)
		}
		listed[id], last = strings.TrimSpace(reason), id
	}
	return listed
}

// Files are of a kind that README.md describes, in a chapter's folder.
func TestKinds(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	files, err := vectors.All()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if !strings.Contains(string(readme), "`"+f.Kind+"`") {
			t.Errorf("%s: README.md doesn't have the kind %s", f.Path, f.Kind)
		}
		if chapter, _, _ := strings.Cut(f.Path, "/"); !strings.Contains(string(readme), "`"+chapter+"`") {
			t.Errorf("README.md doesn't have the chapter %s", chapter)
		}
	}
}
