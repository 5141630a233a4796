package vectors_test

import (
	"bufio"
	"cmp"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/parley-protocol/parley/spec"
	"github.com/parley-protocol/parley/spec/vectors"
)

// requirements is the identifiers that the documents state, in their order.
func requirements(t *testing.T) []string {
	t.Helper()
	stated := regexp.MustCompile(`(?m)(?:^- |\| )\[([A-Z]+-[0-9]+)\]`)
	names, err := fs.Glob(spec.FS, "*.md")
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, name := range names {
		text, err := fs.ReadFile(spec.FS, name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range stated.FindAllStringSubmatch(string(text), -1) {
			ids = append(ids, m[1])
		}
	}
	slices.SortFunc(ids, byNumber)
	return ids
}

// byNumber orders REC-9 before REC-10.
func byNumber(a, b string) int {
	nameA, numberA, _ := strings.Cut(a, "-")
	nameB, numberB, _ := strings.Cut(b, "-")
	x, _ := strconv.Atoi(numberA) // 0 for what is no number
	y, _ := strconv.Atoi(numberB)
	return cmp.Or(cmp.Compare(nameA, nameB), cmp.Compare(x, y))
}

// Every requirement has a vector or stands, with a reason, in uncovered.txt;
// none that has one stands there.
func TestCoverage(t *testing.T) {
	files, err := vectors.All()
	if err != nil {
		t.Fatal(err)
	}
	valid, invalid := map[string]int{}, map[string]int{}
	total := 0
	for _, f := range files {
		for _, c := range f.Cases {
			total++
			for _, id := range c.Musts {
				if len(c.Error) > 0 {
					invalid[id]++
				} else {
					valid[id]++
				}
			}
		}
	}
	listed := uncovered(t)
	ids := requirements(t)
	covered := 0
	for _, id := range ids {
		reason, isListed := listed[id]
		switch n := valid[id] + invalid[id]; {
		case n > 0 && isListed:
			t.Errorf("%s has %d vectors and stands in uncovered.txt", id, n)
		case n > 0:
			covered++
		case !isListed:
			t.Errorf("%s has no vector and does not stand in uncovered.txt", id)
		default:
			t.Logf("%s has no vector: %s", id, reason)
		}
	}
	for id := range listed {
		if !slices.Contains(ids, id) {
			t.Errorf("uncovered.txt has %s, which no document states", id)
		}
	}
	for id := range valid {
		if !slices.Contains(ids, id) {
			t.Errorf("a vector is about %s, which no document states", id)
		}
	}
	for id := range invalid {
		if !slices.Contains(ids, id) {
			t.Errorf("a vector is about %s, which no document states", id)
		}
	}
	t.Logf("%d vectors in %d files are about %d of %d requirements", total, len(files), covered, len(ids))
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
