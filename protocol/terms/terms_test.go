package terms

import (
	"strings"
	"testing"

	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/codec"
	"github.com/parley-protocol/parley/protocol/record"
)

//spec:shows TERMS-5
func TestRoster(t *testing.T) {
	for _, agreement := range protocol.Roster() {
		if !Known(agreement.ID) {
			t.Errorf("%s is on the roster and not found", agreement.ID)
		}
		if got := Sentence(agreement.ID); got == "" || got != agreement.Sentence {
			t.Errorf("%s: sentence %q", agreement.ID, got)
		}
	}
	for _, id := range []string{"", "sd-base", "SD-BASE-X", "PDC", "ZZ"} {
		if Known(id) || Sentence(id) != "" {
			t.Errorf("%q is not on the roster and was found", id)
		}
	}
	if d := Default(); !Known(d.Roster) || !strings.Contains(Describe(d), "only to answer this request") {
		t.Errorf("default %v: %s", d, Describe(d))
	}
}

//spec:shows TERMS-3 TERMS-12
func TestMatch(t *testing.T) {
	roster := func(ids ...string) (refs []record.TermsRef) {
		for _, id := range ids {
			refs = append(refs, record.TermsRef{Roster: id})
		}
		return refs
	}
	own := record.TermsRef{Record: codec.Sum([]byte("own"))}
	other := record.TermsRef{Record: codec.Sum([]byte("other"))}
	tests := []struct {
		name                string
		accepted, proffered []record.TermsRef
		want                record.TermsRef
		code                protocol.Code
	}{
		{"the only one", roster("PDC-INTENT"), roster("PDC-INTENT"), Default(), ""},
		{"the customer's order counts", roster("SD-BASE", "PDC-INTENT"), roster("PDC-INTENT", "SD-BASE"), Default(), ""},
		{"second choice", roster("SD-BASE"), roster("PDC-INTENT", "SD-BASE"), roster("SD-BASE")[0], ""},
		{"unknown ones are passed over", roster("NEW-ONE", "SD-BASE"), roster("NEW-ONE", "SD-BASE"), roster("SD-BASE")[0], ""},
		{"approved terms of one's own", []record.TermsRef{own}, []record.TermsRef{own}, own, ""},
		{"other terms of one's own", []record.TermsRef{other}, []record.TermsRef{own}, record.TermsRef{}, protocol.CodeNotSupported},
		{"nothing in common", roster("SD-BASE"), roster("PDC-INTENT"), record.TermsRef{}, protocol.CodeNotSupported},
		{"a seller without terms", nil, roster("PDC-INTENT"), record.TermsRef{}, protocol.CodeNotSupported},
		{"all unknown", roster("NEW-ONE"), roster("NEW-ONE"), record.TermsRef{}, protocol.CodeUnknownAgreement},
		{"no terms", roster("SD-BASE"), nil, record.TermsRef{}, protocol.CodeMissingField},
	}
	for _, test := range tests {
		got, err := Match(test.accepted, test.proffered)
		if got != test.want || protocol.CodeOf(err) != test.code {
			t.Errorf("%s: got %v, %v; want %v, %q", test.name, got, err, test.want, test.code)
		}
	}
}

//spec:shows TERMS-9 TERMS-10
func TestOwnTermsAreFlagged(t *testing.T) {
	own := record.TermsRef{Record: codec.Sum([]byte("own"))}
	if !Linkable(own) || Linkable(Default()) {
		t.Error("terms of one's own must be linkable, roster agreements not")
	}
	if !strings.Contains(Describe(own), "links") || Describe(record.TermsRef{Roster: "NEW-ONE"}) == "" {
		t.Error("every kind of terms needs a description")
	}
}
