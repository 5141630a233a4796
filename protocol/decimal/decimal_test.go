package decimal_test

import (
	"encoding/json"
	"errors"
	"math"
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/parley-protocol/parley/protocol/decimal"
	"github.com/parley-protocol/parley/spec/vectors/fuzzing"
)

const (
	largest  = "999999999999999.9999"
	smallest = "-" + largest
)

func TestParse(t *testing.T) {
	for _, text := range []string{
		"0", "1", "-1", "10", "0.5", "-0.5", "0.0001", "-0.0001", "12.34", "1.0001", "100", "0.1", "0.12", "0.123", "0.1234",
		"999999999999999", "922337203685477.5808", largest, smallest,
	} {
		d, err := decimal.Parse(text)
		if err != nil {
			t.Errorf("%q: %v", text, err)
		} else if got := d.String(); got != text {
			t.Errorf("%q becomes %q", text, got)
		}
	}
	for _, text := range []string{
		"", "-", "-0", "+1", "00", "01", "-01", "1.", ".5", "1.0", "1.10", "0.00001", "1.23456", "1.2.3", "1e3", "1,5", " 1", "1 ",
		"--1", "1-", "0x1", "١", "1\n", "1000000000000000", "-1000000000000000", "NaN", "Inf", strings.Repeat("9", 1000), "0.0", "-0.0",
	} {
		if d, err := decimal.Parse(text); !errors.Is(err, decimal.ErrSyntax) {
			t.Errorf("%q: %s, %v", text, d, err)
		}
	}
}

func TestMustParse(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	decimal.MustParse("1.0")
}

func TestFromInt(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 5: "5", -5: "-5", 999_999_999_999_999: "999999999999999", -999_999_999_999_999: "-999999999999999"} {
		if d, err := decimal.FromInt(n); err != nil || d.String() != want {
			t.Errorf("%d: %s, %v", n, d, err)
		}
	}
	for _, n := range []int64{1e15, -1e15, math.MaxInt64, math.MinInt64} {
		if d, err := decimal.FromInt(n); !errors.Is(err, decimal.ErrRange) {
			t.Errorf("%d: %s, %v", n, d, err)
		}
	}
}

func TestSum(t *testing.T) {
	for _, c := range []struct {
		terms []string
		want  string // "" for out of range
	}{
		{nil, "0"},
		{[]string{"0.1", "0.2"}, "0.3"},
		{[]string{"1", "-1"}, "0"},
		{[]string{"-1", "0.5"}, "-0.5"},
		{[]string{"0.9999", "0.0001"}, "1"},
		{[]string{largest, smallest}, "0"},
		{[]string{largest, largest, largest, smallest, smallest}, largest},
		{[]string{smallest, smallest, largest}, smallest},
		{[]string{largest, "0.0001"}, ""},
		{[]string{smallest, "-0.0001"}, ""},
		{[]string{largest, largest, largest, largest, largest, largest}, ""},
	} {
		var terms []decimal.Decimal
		for _, text := range c.terms {
			terms = append(terms, decimal.MustParse(text))
		}
		sum, err := decimal.Sum(terms...)
		switch {
		case c.want == "" && !errors.Is(err, decimal.ErrRange):
			t.Errorf("%q: %s, %v", c.terms, sum, err)
		case c.want != "" && (err != nil || sum != decimal.MustParse(c.want)):
			t.Errorf("%q: %s, %v; want %s", c.terms, sum, err, c.want)
		}
	}
}

func anyDecimal() *rapid.Generator[decimal.Decimal] {
	return rapid.Custom(func(t *rapid.T) decimal.Decimal {
		text := rapid.StringMatching(`-?(0|[1-9][0-9]{0,14})(\.[0-9]{0,3}[1-9])?`).
			Filter(func(s string) bool { return s != "-0" }).Draw(t, "decimal")
		return decimal.MustParse(text)
	})
}

// rational is the same number to math/big.
func rational(t *rapid.T, d decimal.Decimal) *big.Rat {
	r, ok := new(big.Rat).SetString(d.String())
	if !ok {
		t.Fatalf("%s is no number to math/big", d)
	}
	return r
}

// All arithmetic agrees with math/big.
func TestArithmetic(t *testing.T) {
	limit, _ := new(big.Rat).SetString(largest)
	rapid.Check(t, func(t *rapid.T) {
		a, b := anyDecimal().Draw(t, "a"), anyDecimal().Draw(t, "b")
		x, y := rational(t, a), rational(t, b)
		if a.Cmp(b) != x.Cmp(y) || a.Sign() != x.Sign() || (a == b) != (x.Cmp(y) == 0) {
			t.Fatalf("%s and %s compare otherwise", a, b)
		}
		if rational(t, a.Neg()).Cmp(new(big.Rat).Neg(x)) != 0 || a.Neg().Neg() != a {
			t.Fatalf("-%s is %s", a, a.Neg())
		}
		want := new(big.Rat).Add(x, y)
		sum, err := a.Add(b)
		if fits := new(big.Rat).Abs(want).Cmp(limit) <= 0; fits != (err == nil) {
			t.Fatalf("%s + %s: %v", a, b, err)
		} else if fits && rational(t, sum).Cmp(want) != 0 {
			t.Fatalf("%s + %s = %s", a, b, sum)
		}
	})
}

func TestText(t *testing.T) {
	type quote struct {
		Price decimal.Decimal `json:"price"`
	}
	text, err := json.Marshal(quote{decimal.MustParse("-12.5")})
	if err != nil || string(text) != `{"price":"-12.5"}` {
		t.Errorf("%s, %v", text, err)
	}
	var q quote
	if err := json.Unmarshal(text, &q); err != nil || q.Price != decimal.MustParse("-12.5") {
		t.Errorf("%v, %v", q, err)
	}
	for _, wrong := range []string{`{"price":"1.0"}`, `{"price":1.5}`} {
		if err := json.Unmarshal([]byte(wrong), &q); err == nil {
			t.Errorf("%s is taken", wrong)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{"0", "-0", "1.5", smallest, "01", "1.", "1e9", "0.00001"} {
		f.Add(seed)
	}
	fuzzing.Each(f, "decimal", func(in struct{ Text string }) { f.Add(in.Text) })
	f.Fuzz(func(t *testing.T, text string) {
		var d decimal.Decimal
		var err error
		fuzzing.Bounded(t, len(text), func() { d, err = decimal.Parse(text) })
		if err != nil {
			return
		}
		if d.String() != text {
			t.Fatalf("%q becomes %q", text, d)
		}
		if want, ok := new(big.Rat).SetString(text); !ok || want.Sign() != d.Sign() {
			t.Fatalf("%q isn't that number to math/big", text)
		}
	})
}
