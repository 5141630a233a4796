package terms

import (
	"slices"
	"testing"

	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/codec"
	"github.com/parley-protocol/parley/protocol/record"
)

func TestDifferences(t *testing.T) {
	refs := func(ids ...string) (out []record.TermsRef) {
		for _, id := range ids {
			out = append(out, record.TermsRef{Roster: id})
		}
		return out
	}
	for _, c := range []struct {
		from []record.TermsRef
		to   string
		want []string
	}{
		{refs("SD-BASE"), "SD-BASE-A", []string{"Compared with SD-BASE, which you asked for:", "The seller may also use my data for its own analytics."}},
		{refs("PDC-INTENT", "SD-BASE-DP"), "SD-BASE-ATP-S3P", []string{"Compared with SD-BASE-DP, which you asked for:",
			"The seller may also use my data for its own analytics.", "The seller may also track me.", "The seller may also make a profile of me.",
			"The seller may also give fully anonymised data to third parties.", "The seller need not give me a copy that I can take elsewhere."}},
		{refs("SD-BASE", "SD-BASE-AT"), "SD-BASE-A-DP", []string{"Compared with SD-BASE, which you asked for:",
			"The seller may also use my data for its own analytics.", "The seller must also give me a copy that I can take elsewhere."}},
		{refs("SD-BASE-AT"), "SD-BASE-A", []string{"Compared with SD-BASE-AT, which you asked for:", "The seller may no longer track me."}},
		{refs("PDC-INTENT"), "SD-BASE", []string{"You asked for: " + Sentence("PDC-INTENT"), "The seller proposes: " + Sentence("SD-BASE")}},
	} {
		if got := Differences(c.from, record.TermsRef{Roster: c.to}); !slices.Equal(got, c.want) {
			t.Errorf("from %v to %s:\n%q, want\n%q", c.from, c.to, got, c.want)
		}
	}
	own := record.TermsRef{Record: codec.Sum([]byte("own"))}
	if got := Differences(refs("SD-BASE"), own); len(got) != 2 || got[1] != "The seller proposes: "+Describe(own) {
		t.Errorf("words of somebody's own: %q", got)
	}
}

// Whatever the roster has for service delivery is told apart, each way: else a
// person would see no difference where there is one.
func TestDifferencesAreComplete(t *testing.T) {
	for _, a := range protocol.Roster() {
		for _, b := range protocol.Roster() {
			got := Differences([]record.TermsRef{{Roster: a.ID}}, record.TermsRef{Roster: b.ID})
			if a.ID != b.ID && len(got) < 2 {
				t.Errorf("from %s to %s nothing changes: %q", a.ID, b.ID, got)
			}
		}
	}
}
