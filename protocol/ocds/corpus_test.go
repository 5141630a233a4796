package ocds

import (
	"bufio"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/draft"
	"github.com/parley-protocol/parley/protocol/privacy"
)

// folder is a folder of other people's data: named by the environment, or beside
// the repository. Without it the test is skipped.
func folder(t *testing.T, variable, name string) string {
	t.Helper()
	dir := os.Getenv(variable)
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", name)
	}
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("no such data here: set %s to the folder that holds it", variable)
	}
	return dir
}

// TestTenders drafts and signs every notice of a file of real tenders under
// three options, and prints how many of them become requests.
func TestTenders(t *testing.T) {
	file, err := os.Open(filepath.Join(folder(t, "PARLEY_DATA", "data"), "uk-tenders.ndjson"))
	if err != nil {
		t.Skip("no uk-tenders.ndjson in the folder of data")
	}
	defer file.Close()
	var notices [][]byte
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, draft.MaxDocument)
	for lines.Scan() {
		notices = append(notices, slices.Clone(lines.Bytes()))
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}

	for _, run := range []struct {
		name string
		opt  Options
	}{
		{"as they are", Options{Options: draft.Options{Now: now}}},
		{"with a new deadline", Options{Options: draft.Options{Now: now, ValidUntil: later}}},
		{"with a new deadline, awards as requests", Options{Options: draft.Options{Now: now, ValidUntil: later}, AllowAwarded: true}},
	} {
		counts, notes, largest := map[string]int{}, 0, 0
		warned, warnings := 0, map[privacy.Kind]int{}
		for i, notice := range notices {
			d, err := Draft(notice, run.opt)
			if err != nil {
				refusal, ok := err.(*protocol.Error)
				if !ok || !refusal.Code.Known() || refusal.Hint == "" {
					t.Errorf("notice %d: refused without code or hint: %v", i+1, err)
					continue
				}
				counts["refused: "+string(refusal.Code)]++
				continue
			}
			signed, err := publish(t, d)
			if err != nil {
				t.Errorf("notice %d: the draft is not valid: %v", i+1, err)
				continue
			}
			counts["valid"]++
			notes += len(d.Notes)
			largest = max(largest, len(signed.Raw()))
			if !run.opt.AllowAwarded {
				continue // the last run has these drafts too
			}
			found := privacy.Check(d.Intent)
			if len(found) > 0 {
				warned++
			}
			for _, w := range found {
				warnings[w.Kind]++
			}
		}
		var table strings.Builder
		for _, key := range slices.Sorted(maps.Keys(counts)) {
			fmt.Fprintf(&table, "\n  %4d  %s", counts[key], key)
		}
		if run.opt.AllowAwarded {
			fmt.Fprintf(&table, "\n  %4d  drafts with privacy warnings: %v", warned, warnings)
		}
		t.Logf("%d notices %s:%s\n  %4d  notes; largest record %d bytes", len(notices), run.name, table.String(), notes, largest)
	}
}

// TestFictionalExample runs the standard's own example, stage by stage.
func TestFictionalExample(t *testing.T) {
	root := filepath.Join(folder(t, "PARLEY_CORPORA", "corpora"), "ocds")
	want := map[string]protocol.Code{
		"ocds-213czf-000-00001-01-planning.json":        "", // with a note
		"ocds-213czf-000-00001-02-tender.json":          "",
		"ocds-213czf-000-00001-03-tenderAmendment.json": "",
		"ocds-213czf-000-00001-04-award.json":           protocol.CodeNotARequest,
		"ocds-213czf-000-00001-05-contract.json":        protocol.CodeNotARequest,
		"ocds-213czf-000-00001-06-implementation.json":  protocol.CodeNotARequest,
		"ocds-213czf-000-00001.json":                    protocol.CodeNotARequest, // merged: the contract is carried out
		"record/ocds-213czf-000-00001.json":             protocol.CodeNotARequest,
	}
	seen := 0
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || filepath.Ext(path) != ".json" {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		d, err := Draft(data, Options{Options: draft.Options{Now: now, ValidUntil: later}})
		name := filepath.Base(path)
		if filepath.Base(filepath.Dir(path)) == "record" {
			name = "record/" + name
		}
		if code, listed := want[name]; listed {
			seen++
			if protocol.CodeOf(err) != code {
				t.Errorf("%s: got %v, want %q", name, err, code)
			}
		}
		if err == nil {
			if _, err := publish(t, d); err != nil {
				t.Errorf("%s: the draft is not valid: %v", name, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Skip("no OCDS corpus in the folder of corpora")
	}
	if seen != len(want) {
		t.Errorf("%d of %d files seen", seen, len(want))
	}
}

// TestSample keeps the project's own sample tender importable.
func TestSample(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("..", "..", "testnet", "sample", "tender.json"))
	if err != nil {
		t.Fatal(err)
	}
	d := must(t, data, Options{Options: draft.Options{ValidUntil: later}})
	if len(d.Intent.ItemOffered) != 3 || d.Intent.AreaServed == nil || d.Intent.AreaServed.AddressRegion != "Yorkshire and the Humber" {
		t.Errorf("items %d, area %v", len(d.Intent.ItemOffered), d.Intent.AreaServed)
	}
	for _, item := range d.Intent.ItemOffered {
		if item.Quantity == nil {
			t.Errorf("%s has no quantity", item.Name)
		}
	}
	if found := privacy.Check(d.Intent); len(found) > 0 {
		t.Errorf("the sample gives cause for warnings: %v", found)
	}
}
