package jsonld

import (
	"testing"

	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/decimal"
)

// The example of RFC 8785, section 3.2.3, for the order of keys, and 3.2.2 for
// the escapes; the rest is what exports need of it.
//
//spec:shows EXP-2 EXP-3
func TestEncode(t *testing.T) {
	tests := []struct {
		name string
		in   any
		want string
	}{
		{"order of keys", Object{
			"\u20ac": "Euro Sign", "\r": "Carriage Return", "\ufb33": "Hebrew Letter Dalet With Dagesh", "1": "One",
			"\U0001f600": "Emoji: Grinning Face", "\u0080": "Control", "\u00f6": "Latin Small Letter O With Diaeresis",
		}, "{\"\\r\":\"Carriage Return\",\"1\":\"One\",\"\u0080\":\"Control\",\"ö\":\"Latin Small Letter O With Diaeresis\",\"€\":\"Euro Sign\",\"😀\":\"Emoji: Grinning Face\",\"\ufb33\":\"Hebrew Letter Dalet With Dagesh\"}"},
		{"escapes", "\u20ac$\u000f\nA'B\"\\\\\"/<>&\u2028", "\"€$\\u000f\\nA'B\\\"\\\\\\\\\\\"/<>&\u2028\""},
		{"values", List{true, false, 0, int64(-7), int64(MaxInteger), Object{}, List{}}, "[true,false,0,-7,9007199254740991,{},[]]"},
		{"numbers", List{Decimal(decimal.MustParse("0.0001")), Decimal(decimal.MustParse("-12.5")), Decimal(decimal.MustParse("12345678901.2345")), Decimal(decimal.MustParse("123456789012.3456"))}, `[0.0001,-12.5,12345678901.2345,"123456789012.3456"]`},
	}
	for _, test := range tests {
		got, err := Encode(test.in)
		if err != nil || string(got) != test.want {
			t.Errorf("%s:\ngot  %s (%v)\nwant %s", test.name, got, err, test.want)
		}
	}
	for _, odd := range []any{nil, 1.5, int64(MaxInteger + 1), "\xff", Object{"\xff": "x"}, List{List{nil}}} {
		if _, err := Encode(odd); protocol.CodeOf(err) != protocol.CodeBadField {
			t.Errorf("%v: %v", odd, err)
		}
	}
}
