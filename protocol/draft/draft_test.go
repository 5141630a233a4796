package draft

import (
	"math/big"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/decimal"
	"github.com/parley-protocol/parley/protocol/record"
)

// TestCut: the result fits, is a beginning of the text and splits no rune.
func TestCut(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.String().Draw(t, "text")
		limit := rapid.IntRange(0, 40).Draw(t, "limit")
		short := Cut(text, limit)
		if len(text) <= limit && short != text || len(text) > limit && len(short) > limit {
			t.Fatalf("Cut(%q, %d) = %q", text, limit, short)
		}
		if !utf8.ValidString(short) || !strings.HasPrefix(text, strings.TrimSuffix(short, "…")) {
			t.Fatalf("Cut(%q, %d) = %q", text, limit, short)
		}
	})
}

// TestClean: cleaned texts have no controls, and cleaning twice changes nothing.
func TestClean(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		raw := string(rapid.SliceOf(rapid.Byte()).Draw(t, "bytes")) + rapid.String().Draw(t, "text")
		line, text := CleanLine(raw), CleanText(raw)
		if strings.ContainsAny(line, "\n\r\t\x00\u202e") || strings.ContainsAny(text, "\r\t\x00\u202e") || strings.Contains(text, "\n\n\n") {
			t.Fatalf("%q became %q and %q", raw, line, text)
		}
		if !utf8.ValidString(line) || !utf8.ValidString(text) || CleanLine(line) != line || CleanText(text) != text {
			t.Fatalf("%q became %q and %q", raw, line, text)
		}
	})
}

// TestParseDecimal: exact where a record's decimal can hold the number, and the
// nearest one where it has more digits behind the point.
func TestParseDecimal(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`-?(0|[1-9][0-9]{0,17})(\.[0-9]{1,8})?([eE][+-]?[0-9]{1,2})?`).Draw(t, "number")
		exact, ok := new(big.Rat).SetString(text)
		if !ok {
			t.Fatal(text)
		}
		got, rounded, ok := ParseDecimal(text)
		if whole := new(big.Rat).Abs(exact); !ok {
			if whole.Cmp(big.NewRat(999_999_999_999_999, 1)) < 0 {
				t.Fatalf("%s was refused", text)
			}
			return
		}
		back, _ := new(big.Rat).SetString(got.String())
		off := new(big.Rat).Sub(exact, back)
		if off.Abs(off).Cmp(big.NewRat(1, 20_000)) > 0 || rounded != (off.Sign() != 0) {
			t.Fatalf("%s became %s, rounded: %t", text, got, rounded)
		}
	})
	for _, text := range []string{"", "-", "+1", ".5", "1.", "01x", "0x10", "1/3", "Inf", "NaN", "1e", "1_000", "1,5", "1e1000000000", strings.Repeat("1", 100)} {
		if got, _, ok := ParseDecimal(text); ok {
			t.Errorf("%q was read as %s", text, got)
		}
	}
	if got, rounded, ok := ParseDecimal("0e999999"); !ok || rounded || got != (decimal.Decimal{}) {
		t.Errorf("0e999999: %s, %t, %t", got, rounded, ok)
	}
}

func TestTime(t *testing.T) {
	tests := []struct {
		text     string
		endOfDay bool
		want     int64
		note     string
	}{
		{"2026-11-21T00:00:00Z", true, 1795219200, ""},
		{"2026-11-21T01:00:00+01:00", false, 1795219200, ""},
		{"2026-11-21T00:00:00.75Z", false, 1795219200, ""},
		{"2026-11-21T00:00", false, 1795219200, "no time zone"},
		{"2026-11-21", false, 1795219200, "no time zone"},
		{"2026-11-21", true, 1795305599, "no time zone"},
		{"", false, 0, ""},
		{"soon", false, 0, "not a date"},
		{"0001-01-01T00:00:00Z", false, 0, "not a date"},
		{"2026-02-30", false, 0, "not a date"},
	}
	for _, test := range tests {
		notes := new(Notes)
		got := Node{value: test.text, path: "at", notes: notes}.Time(test.endOfDay)
		var note string
		for _, n := range notes.List() {
			note += n.Text
		}
		if got != test.want || !strings.Contains(note, test.note) || (note == "") != (test.note == "") {
			t.Errorf("%q: got %d, note %q; want %d, %q", test.text, got, note, test.want, test.note)
		}
	}
}

func TestCountry(t *testing.T) {
	for text, want := range map[string]string{
		"GB": "GB", "gb": "GB", "United Kingdom": "GB", " united  kingdom ": "GB", "UK": "GB", "England": "GB", "Deutschland": "DE", "Côte d'Ivoire": "CI",
		"USA": "US", "Türkiye": "TR", "EL": "GR", "": "", "XX": "", "Europe": "", "Rest of the World": "", " B": "", "G ": "",
	} {
		if got := Country(text); got != want {
			t.Errorf("Country(%q) = %q, want %q", text, got, want)
		}
	}
	if codes := strings.Fields(isoCodes); len(codes) != 249 {
		t.Errorf("%d codes, want 249", len(codes))
	}
	for name, code := range countryByName {
		if !strings.Contains(isoCodes, " "+code+" ") || name != strings.ToLower(name) {
			t.Errorf("%q has the code %q", name, code)
		}
	}
}

func TestLanguageAndCategory(t *testing.T) {
	for text, want := range map[string]string{"EN": "en", "en_gb": "en-GB", "zh-hant-tw": "zh-hant-TW", "": "", "x": "", "english language": "", "en--gb": "", "toolonglanguage": ""} {
		if got := Language(text); got != want {
			t.Errorf("Language(%q) = %q, want %q", text, got, want)
		}
	}
	for pair, want := range map[[2]string]string{
		{"CPV", "39155000-3"}: "cpv:39155000", {"CPV", "45233130.0"}: "cpv:45233130", {"x-own", "A.1_b-2"}: "x-own:A.1_b-2",
		{"", "1"}: "", {"cpv", ""}: "", {"1x", "1"}: "", {"my scheme", "1"}: "", {"cpv", "a b"}: "", {"averyveryverylongscheme", "1"}: "",
	} {
		if got := Category(pair[0], pair[1]); got != want {
			t.Errorf("Category(%q) = %q, want %q", pair, got, want)
		}
	}
}

// TestRough: never a street's worth of place.
func TestRough(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		postcode := rapid.StringMatching(`[A-Za-z]{1,2}[0-9][0-9A-Za-z]? ?[0-9][A-Za-z]{2}|[0-9]{4,6}|[A-Z]{2}[0-9]{4}`).Draw(t, "postcode")
		area := Place{Country: "United Kingdom", Postcode: postcode}.Rough()
		if len(area.PostalCode) > 4 || area.PostalCode != "" && !strings.HasPrefix(strings.ToUpper(postcode), area.PostalCode) {
			t.Fatalf("%q became %q", postcode, area.PostalCode)
		}
	})
	if area := (Place{}).Rough(); area != nil {
		t.Errorf("nothing became %+v", area)
	}
}

func TestNotesAreBounded(t *testing.T) {
	notes := new(Notes)
	for range 1000 {
		notes.Addf("items[7].unit", "unknown unit %d", 1)
	}
	notes.Addf("title", "shortened")
	list := notes.List()
	if len(list) != keepAlike+2 || !strings.Contains(list[len(list)-1].Text, "and 997 more notes like that on items[].unit") {
		t.Errorf("got %v", list)
	}
}

func TestRead(t *testing.T) {
	notes := new(Notes)
	document, err := Read([]byte("\xef\xbb\xbf"+`{"a": [null, {"b": 1.50}, "x"], "c": true}`), notes)
	if err != nil {
		t.Fatal(err)
	}
	list := document.Get("a").List()
	if len(list) != 2 || list[0].Get("b").Raw() != "1.50" || list[0].Get("b").Path() != "a[1].b" || list[1].Raw() != "x" {
		t.Errorf("got %v", list)
	}
	if document.Get("c").Raw() != "" || len(notes.List()) != 1 {
		t.Errorf("notes %v", notes.List())
	}
	if document.At("a", "x", "y").Exists() || document.Get("none").List() != nil {
		t.Error("what isn't there was found")
	}
	deep := strings.Repeat("[", 100_000)
	if _, err := Read([]byte(deep), notes); protocol.CodeOf(err) != protocol.CodeMalformed {
		t.Errorf("got %v", err)
	}
}

func TestFit(t *testing.T) {
	intent := &record.Intent{Name: "A", Category: []string{"cpv:1"}}
	for len(intent.ItemOffered) < protocol.MaxItems {
		intent.ItemOffered = append(intent.ItemOffered, record.DemandItem{Name: strings.Repeat("n", MaxItemName), Description: strings.Repeat("d", MaxItemDescription)})
	}
	notes := new(Notes)
	Fit(intent, notes)
	if size(intent) > room || len(intent.ItemOffered) < 50 || len(notes.List()) != 2 {
		t.Errorf("size %d, %d items, notes %v", size(intent), len(intent.ItemOffered), notes.List())
	}
}
