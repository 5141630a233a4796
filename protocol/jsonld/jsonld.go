// Package jsonld writes JSON-LD in the one form that RFC 8785 (the JSON
// Canonicalization Scheme) gives it: the same document is the same bytes
// everywhere. It has what the exports share, and fetches nothing.
package jsonld

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/ipfs/go-cid"

	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/decimal"
)

// Object is a JSON object.
type Object = map[string]any

// List is a JSON array.
type List = []any

// Namespaces of the vocabularies that exports are written in.
const (
	DublinCore = "http://purl.org/dc/terms/"
	DPV        = "https://w3id.org/dpv#"
	IEEE7012   = "https://w3id.org/dpv/standards/ieee/7012#"
	ODRL       = "http://www.w3.org/ns/odrl/2/"
	Schema     = "https://schema.org/"
	XSD        = "http://www.w3.org/2001/XMLSchema#"
)

// IRI names a block where other programs can resolve it.
func IRI(id cid.Cid) string { return "ipfs://" + id.String() }

// Ref is a node of which only the IRI is said.
func Ref(iri string) Object { return Object{"@id": iri} }

// Time is a moment in Unix seconds as a typed literal.
func Time(seconds int64) Object {
	return Object{"@type": XSD + "dateTime", "@value": Instant(seconds)}
}

// Instant is a moment in Unix seconds as RFC 3339, in UTC.
func Instant(seconds int64) string { return time.Unix(seconds, 0).UTC().Format(time.RFC3339) }

// MaxInteger is the largest whole number that every reader of JSON takes
// exactly (2^53-1).
const MaxInteger = 1<<53 - 1

// Number is a decimal that a double holds exactly enough to be read back.
type Number string

// maxDigits is how many digits a double keeps, whatever they are.
const maxDigits = 15

// Decimal is a decimal as a number, or as a text if it has more digits than
// every reader of JSON keeps.
func Decimal(d decimal.Decimal) any {
	text := d.String()
	digits := strings.TrimLeft(strings.Replace(text, ".", "", 1), "-0")
	if len(digits) > maxDigits {
		return text
	}
	return Number(text)
}

// Encode writes a value of objects, lists, strings, booleans, int64, int and
// numbers of [Decimal] in the form of RFC 8785, without a line end. Other values, integers beyond
// [MaxInteger] and text that isn't UTF-8 are refused with
// [protocol.CodeBadField].
func Encode(value any) ([]byte, error) { return appendValue(nil, value) }

func appendValue(out []byte, value any) ([]byte, error) {
	var err error
	switch v := value.(type) {
	case Object:
		out = append(out, '{')
		for i, key := range slices.SortedFunc(maps.Keys(v), byUTF16) {
			if i > 0 {
				out = append(out, ',')
			}
			if out, err = appendString(out, key); err != nil {
				return nil, err
			}
			if out, err = appendValue(append(out, ':'), v[key]); err != nil {
				return nil, err
			}
		}
		return append(out, '}'), nil
	case List:
		out = append(out, '[')
		for i, element := range v {
			if i > 0 {
				out = append(out, ',')
			}
			if out, err = appendValue(out, element); err != nil {
				return nil, err
			}
		}
		return append(out, ']'), nil
	case string:
		return appendString(out, v)
	case bool:
		return strconv.AppendBool(out, v), nil
	case Number:
		return append(out, v...), nil
	case int:
		return appendInteger(out, int64(v))
	case int64:
		return appendInteger(out, v)
	}
	return nil, protocol.Errorf(protocol.CodeBadField, "", "%T has no place in an export", value)
}

func appendInteger(out []byte, n int64) ([]byte, error) {
	if n > MaxInteger || n < -MaxInteger {
		return nil, protocol.Errorf(protocol.CodeBadField, "", "the integer %d is not exact in JSON", n)
	}
	return strconv.AppendInt(out, n, 10), nil
}

// byUTF16 compares keys as RFC 8785 orders them.
func byUTF16(a, b string) int {
	for a != "" && b != "" {
		ra, na := utf8.DecodeRuneInString(a)
		rb, nb := utf8.DecodeRuneInString(b)
		if ra != rb {
			return slices.Compare(utf16.Encode([]rune{ra}), utf16.Encode([]rune{rb}))
		}
		a, b = a[na:], b[nb:]
	}
	return cmp.Compare(len(a), len(b))
}

func appendString(out []byte, s string) ([]byte, error) {
	if !utf8.ValidString(s) {
		return nil, protocol.Errorf(protocol.CodeBadField, "", "a text is not UTF-8")
	}
	out = append(out, '"')
	for _, r := range s {
		switch r {
		case '"', '\\':
			out = append(out, '\\', byte(r))
		case '\b':
			out = append(out, `\b`...)
		case '\f':
			out = append(out, `\f`...)
		case '\n':
			out = append(out, `\n`...)
		case '\r':
			out = append(out, `\r`...)
		case '\t':
			out = append(out, `\t`...)
		default:
			if r < 0x20 {
				out = fmt.Appendf(out, `\u%04x`, r)
			} else {
				out = utf8.AppendRune(out, r)
			}
		}
	}
	return append(out, '"'), nil
}
