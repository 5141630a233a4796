package ocds

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/draft"
)

// The standard's own example: its releases come to the compiled release of its
// record, but for what says of which release it is.
func TestMergeAsTheStandard(t *testing.T) {
	root := filepath.Join(folder(t, "PARLEY_CORPORA", "corpora"), "ocds", "fictional-example", "1.1")
	read := func(pattern string) draft.Node {
		found, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil || len(found) != 1 {
			t.Skipf("%s: %d files", pattern, len(found))
		}
		data, err := os.ReadFile(found[0])
		if err != nil {
			t.Fatal(err)
		}
		node, err := draft.Read(data, new(draft.Notes))
		if err != nil {
			t.Fatal(err)
		}
		return node
	}
	value := func(node draft.Node) (out map[string]any) {
		node.Rewrite(func(v any) any { out, _ = v.(map[string]any); return v })
		for _, key := range []string{"id", "date", "tag"} {
			delete(out, key)
		}
		return out
	}
	merged, ok := merge(read("ocds-213czf-000-00001.json").Get("releases").List())
	if !ok {
		t.Fatal("not merged")
	}
	got, want := value(merged), value(read("record/ocds-213czf-000-00001.json").Get("records").List()[0].Get("compiledRelease"))
	for key := range want {
		if !reflect.DeepEqual(got[key], want[key]) {
			a, _ := json.Marshal(got[key])
			b, _ := json.Marshal(want[key])
			t.Errorf("%s:\ngot  %s\nwant %s", key, a, b)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d members, want %d", len(got), len(want))
	}
}

// Packages of one process are merged, oldest first; of several they are refused;
// what a request has no place for is told.
//
//spec:shows EXP-19 EXP-20
func TestPackages(t *testing.T) {
	tender := func(ocid, date, more string) string {
		return `{"ocid": "` + ocid + `", "id": "` + date + `", "date": "` + date + `", "tag": ["tender"], "tender": {` + more + `}}`
	}
	first := tender("ocds-1", "2026-01-02T00:00:00Z", `"title": "Desks", "tenderPeriod": {"endDate": "2026-12-01T00:00:00Z"}, "submissionMethod": ["inPerson"],
		"items": [{"id": "1", "description": "Desk", "quantity": 3, "classification": {"scheme": "CPV", "id": "39121100"}}, {"id": 2, "description": "Lamp", "deliveryLocation": {}}]`)
	second := tender("ocds-1", "2026-02-02T00:00:00Z", `"items": [{"id": "1", "quantity": 5}], "description": "New number"`)
	third := tender("ocds-1", "2026-03-02T00:00:00Z", `"description": null`)
	tests := []struct {
		name, document, want string
	}{
		{"in any order", `{"releases": [` + third + "," + first + "," + second + `]}`, "Desks||Desk 5, Lamp -"},
		{"two of them", `{"releases": [` + second + "," + first + `]}`, "Desks|New number|Desk 5, Lamp -"},
		{"a record with releases", `{"records": [{"ocid": "ocds-1", "releases": [` + first + "," + second + `]}]}`, "Desks|New number|Desk 5, Lamp -"},
		{"two processes", `{"releases": [` + first + "," + tender("ocds-2", "2026-02-02T00:00:00Z", "") + `]}`, "ambiguous"},
		{"links to releases", `{"records": [{"ocid": "ocds-1", "releases": [{"url": "https://example.com/1"}, {"url": "https://example.com/2"}]}]}`, "ambiguous"},
		{"ids that are no ids", `{"releases": [` + first + "," + tender("ocds-1", "2026-02-02T00:00:00Z", `"items": [{"id": ["1"]}]`) + `]}`, "missing_field"},
		{"two records", `{"records": [{"ocid": "a"}, {"ocid": "b"}]}`, "ambiguous"},
		{"no release", `{"releases": []}`, "unsupported_format"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			d, err := Draft([]byte(test.document), Options{Options: draft.Options{Now: now, ValidUntil: later}})
			got := string(protocol.CodeOf(err))
			if err == nil {
				var items []string
				for _, item := range d.Intent.ItemOffered {
					quantity := "-"
					if item.Quantity != nil {
						quantity = item.Quantity.Value.String()
					}
					items = append(items, item.Name+" "+quantity)
				}
				got = d.Intent.Name + "|" + d.Intent.Description + "|" + strings.Join(items, ", ")
				var told []string
				for _, note := range d.Notes {
					told = append(told, note.Field)
				}
				if text := strings.Join(told, " "); !strings.Contains(text, "tender.submissionMethod") || !strings.Contains(text, "deliveryLocation") {
					t.Errorf("told: %s", text)
				}
			}
			if got != test.want {
				t.Errorf("got %q (%v), want %q", got, err, test.want)
			}
		})
	}
}
