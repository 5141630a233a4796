package draft

import (
	"math/big"
	"strings"

	"github.com/parley-protocol/parley/protocol/decimal"
)

// Decimal reads a number, or a text that is one, exactly: never by way of a
// float. More than four decimals are rounded (half away from zero) with a note;
// what is no number or has more than 15 digits before the point is left out
// with a note. The second result reports whether there is a number.
func (n Node) Decimal() (decimal.Decimal, bool) {
	if !n.Exists() {
		return decimal.Decimal{}, false
	}
	text := strings.TrimSpace(n.Raw())
	value, rounded, ok := ParseDecimal(text)
	if !ok {
		if text != "" {
			n.notes.Addf(n.path, "%s was left out: %q is not a number that a record can hold", n.path, Cut(text, 40))
		}
		return decimal.Decimal{}, false
	}
	if rounded {
		n.notes.Addf(n.path, "%s was rounded from %s to %s", n.path, Cut(text, 40), value)
	}
	return value, true
}

// ParseDecimal reads a JSON number ("3000000.0", "1.5e3") exactly. Numbers with
// more than four decimals are rounded half away from zero.
func ParseDecimal(text string) (value decimal.Decimal, rounded, ok bool) {
	if len(text) > 64 || !isJSONNumber(text) {
		return decimal.Decimal{}, false, false
	}
	if mantissa, exponent, found := cutExponent(text); found {
		// big.Rat would build a number of that size; no sum of money needs it.
		if len(strings.TrimLeft(strings.TrimLeft(exponent, "+-"), "0")) > 2 {
			zero := strings.Trim(mantissa, "-0.") == ""
			return decimal.Decimal{}, false, zero
		}
	}
	exact, ok := new(big.Rat).SetString(text)
	if !ok {
		return decimal.Decimal{}, false, false
	}
	fixed := exact.FloatString(4)
	back, _ := new(big.Rat).SetString(fixed)
	value, err := decimal.Parse(canonical(fixed))
	return value, back.Cmp(exact) != 0, err == nil
}

// canonical drops the zeros that a record's decimal doesn't have.
func canonical(fixed string) string {
	fixed = strings.TrimRight(strings.TrimRight(fixed, "0"), ".")
	if fixed == "-0" || fixed == "" || fixed == "-" {
		return "0"
	}
	return fixed
}

func cutExponent(text string) (mantissa, exponent string, found bool) {
	if i := strings.IndexAny(text, "eE"); i >= 0 {
		return text[:i], text[i+1:], true
	}
	return text, "", false
}

// isJSONNumber keeps out what big.Rat takes beyond JSON: fractions, hex, inf.
func isJSONNumber(text string) bool {
	rest := strings.TrimPrefix(text, "-")
	head, rest := span(rest)
	if head == 0 {
		return false
	}
	if after, found := strings.CutPrefix(rest, "."); found {
		var tail int
		if tail, rest = span(after); tail == 0 {
			return false
		}
	}
	if rest != "" && (rest[0] == 'e' || rest[0] == 'E') {
		rest = rest[1:]
		if rest != "" && (rest[0] == '+' || rest[0] == '-') {
			rest = rest[1:]
		}
		var power int
		if power, rest = span(rest); power == 0 {
			return false
		}
	}
	return rest == ""
}

// span counts the digits at the start.
func span(text string) (n int, rest string) {
	for n < len(text) && text[n] >= '0' && text[n] <= '9' {
		n++
	}
	return n, text[n:]
}
