package main

import (
	"testing"
	"time"

	"github.com/parley-protocol/parley/node/api"
	"github.com/parley-protocol/parley/protocol"
)

func TestParseItem(t *testing.T) {
	for _, c := range []struct {
		text, name string
		quantity   *api.Quantity
	}{
		{"Oak boards", "Oak boards", nil},
		{"Oak boards:12", "Oak boards", &api.Quantity{Value: "12"}},
		{"Oak boards:12.5:MTR", "Oak boards", &api.Quantity{Value: "12.5", UnitCode: "MTR"}},
		{"Box 3:4", "Box 3", &api.Quantity{Value: "4"}},
		{"Poster: large", "Poster: large", nil},
		{"Poster: large:2", "Poster: large", &api.Quantity{Value: "2"}},
		{"Schrauben M4×20:100", "Schrauben M4×20", &api.Quantity{Value: "100"}},
	} {
		name, q, err := parseItem("--item", c.text)
		if err != nil || name != c.name || (q == nil) != (c.quantity == nil) || q != nil && *q != *c.quantity {
			t.Errorf("%q: %q, %v, %v", c.text, name, q, err)
		}
	}
	for _, text := range []string{"", "   ", "A:007", "A:1.50000"} {
		if _, _, err := parseItem("--item", text); protocol.CodeOf(err) != protocol.CodeUsage {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestParseBudget(t *testing.T) {
	for text, want := range map[string]api.Budget{
		"200 GBP":         {PriceCurrency: "GBP", MaxPrice: "200"},
		"GBP 200":         {PriceCurrency: "GBP", MaxPrice: "200"},
		"GBP 100..200":    {PriceCurrency: "GBP", MinPrice: "100", MaxPrice: "200"},
		"100..200.50 EUR": {PriceCurrency: "EUR", MinPrice: "100", MaxPrice: "200.5"},
		"EUR 100..":       {PriceCurrency: "EUR", MinPrice: "100"},
		"..99.99 EUR":     {PriceCurrency: "EUR", MaxPrice: "99.99"},
	} {
		if got, err := parseBudget("--budget", text); err != nil || *got != want {
			t.Errorf("%q: %+v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "200", "GBP", "GBP GBP", "200 £", "gbp 200", "GBP ..", "GBP 1..2..3", "GBP 1.23456", "GBP -5", "1 2 GBP"} {
		if _, err := parseBudget("--budget", text); protocol.CodeOf(err) != protocol.CodeUsage {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestParseTime(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Time{
		"7d":                        now.AddDate(0, 0, 7),
		"2w":                        now.AddDate(0, 0, 14),
		"48h":                       now.Add(48 * time.Hour),
		"1h30m":                     now.Add(90 * time.Minute),
		"2026-03-02T10:00:00Z":      time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC),
		"2026-03-02T10:00:00+02:00": time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC),
		"2026-03-02":                time.Date(2026, 3, 2, 23, 59, 59, 0, time.Local),
	} {
		if got, err := parseTime("--until", text, now); err != nil || !got.Equal(want) {
			t.Errorf("%q: %v, %v; want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "soon", "0d", "-1h", "7", "2026-13-01", "2020-01-01", "02/03/2026", "99999d"} {
		if got, err := parseTime("--until", text, now); protocol.CodeOf(err) != protocol.CodeUsage {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
}

func TestParsePriced(t *testing.T) {
	what, amount, err := parsePriced("--item", "Cable a=b:2=12.50")
	if err != nil || what != "Cable a=b:2" || amount != "12.5" {
		t.Errorf("%q, %q, %v", what, amount, err)
	}
	for _, text := range []string{"", "Cable", "=5", "Cable=", "Cable=cheap", "Cable=1,50"} {
		if _, _, err := parsePriced("--item", text); protocol.CodeOf(err) != protocol.CodeUsage {
			t.Errorf("%q: %v", text, err)
		}
	}
	charge, err := parseCharge("--charge", "delivery=12.50:By van: to the door")
	if want := (api.Charge{Kind: "delivery", Price: "12.5", Name: "By van: to the door"}); err != nil || charge != want {
		t.Errorf("%+v, %v", charge, err)
	}
}

// What others wrote must not move the cursor, change colours or turn the
// direction of writing.
func TestCleanForTerminals(t *testing.T) {
	for text, want := range map[string]string{
		"plain text":             "plain text",
		"two\nlines":             "two lines",
		"\x1b[31mred\x1b[0m":     "[31mred[0m",
		"bell\a and \u202egnp.x": "bell and gnp.x",
		"c1 \u009b31m":           "c1 31m",
		"a b c d e f g h i j k":  "a b c d e f g h i j…",
	} {
		if got := clip(text, 20); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
	if got := clean("Zoë 日本\n\tover"); got != "Zoë 日本\n\tover" {
		t.Errorf("%q", got)
	}
}

func TestAlignment(t *testing.T) {
	got := right(alignPoint([]string{"90", "18.5", "-0.25", "1234"}))
	want := []string{"  90   ", "  18.5 ", "  -0.25", "1234   "}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("%q, want %q", got, want)
			break
		}
	}
}
