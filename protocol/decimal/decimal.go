// Package decimal has exact decimal numbers for money and quantities: at most
// 15 integer digits and 4 decimals, one text form per value, no floats.
// Specification: spec/02-records.md.
package decimal

import (
	"cmp"
	"errors"
	"math/bits"
	"strconv"

	"github.com/parley-protocol/parley/protocol"
)

const (
	// MaxIntegerDigits is the longest integer part.
	MaxIntegerDigits = protocol.MaxDecimalIntegerDigits
	// MaxDecimals is the longest fraction.
	MaxDecimals = protocol.MaxDecimalFractionDigits

	one    = 10_000                                        // ten-thousandths in 1
	limit  = 999_999_999_999_999_9999                      // the largest magnitude, which an int64 can't hold
	maxLen = len("-") + MaxIntegerDigits + 1 + MaxDecimals // of the text form
)

var (
	// ErrSyntax says that a text isn't a decimal in its one form.
	ErrSyntax = errors.New("not a decimal: want at most 15 digits and at most 4 decimals, without leading or trailing zeros")
	// ErrRange says that a number has more than 15 integer digits.
	ErrRange = errors.New("a decimal has at most 15 integer digits")
)

// Decimal is a number between -999999999999999.9999 and 999999999999999.9999
// in steps of 0.0001. The zero value is 0. Decimals can be compared with ==.
type Decimal struct {
	magnitude uint64 // ten-thousandths, <= limit
	negative  bool   // never with magnitude 0
}

// FromInt is the whole number n. It fails with [ErrRange].
func FromInt(n int64) (Decimal, error) {
	magnitude, negative := uint64(n), n < 0
	if negative {
		magnitude = -magnitude
	}
	if magnitude > limit/one {
		return Decimal{}, ErrRange
	}
	return Decimal{magnitude * one, negative}, nil
}

// Parse reads the one text form of a decimal,
//
//	-?(0|[1-9][0-9]{0,14})(\.[0-9]{0,3}[1-9])?
//
// which is never "-0". It fails with [ErrSyntax].
func Parse(text string) (Decimal, error) {
	rest, negative := text, false
	if rest != "" && rest[0] == '-' {
		rest, negative = rest[1:], true
	}
	whole, rest := digits(rest)
	if whole == "" || len(whole) > MaxIntegerDigits || (len(whole) > 1 && whole[0] == '0') {
		return Decimal{}, ErrSyntax
	}
	fraction := ""
	if rest != "" {
		if rest[0] != '.' {
			return Decimal{}, ErrSyntax
		}
		fraction, rest = digits(rest[1:])
		if rest != "" || fraction == "" || len(fraction) > MaxDecimals || fraction[len(fraction)-1] == '0' {
			return Decimal{}, ErrSyntax
		}
	}

	var magnitude uint64
	for i := range len(whole) {
		magnitude = magnitude*10 + uint64(whole[i]-'0')
	}
	for i := range MaxDecimals {
		magnitude *= 10
		if i < len(fraction) {
			magnitude += uint64(fraction[i] - '0')
		}
	}
	if negative && magnitude == 0 {
		return Decimal{}, ErrSyntax
	}
	return Decimal{magnitude, negative}, nil
}

// MustParse is [Parse] for constants in code: it panics on what isn't a decimal.
func MustParse(text string) Decimal {
	d, err := Parse(text)
	if err != nil {
		panic(strconv.Quote(text) + ": " + err.Error())
	}
	return d
}

// digits splits off the leading ASCII digits.
func digits(text string) (head, rest string) {
	n := 0
	for n < len(text) && text[n] >= '0' && text[n] <= '9' {
		n++
	}
	return text[:n], text[n:]
}

// String is the one text form.
func (d Decimal) String() string {
	return string(d.append(make([]byte, 0, maxLen)))
}

func (d Decimal) append(b []byte) []byte {
	if d.negative {
		b = append(b, '-')
	}
	b = strconv.AppendUint(b, d.magnitude/one, 10)
	fraction := d.magnitude % one
	if fraction == 0 {
		return b
	}
	b = append(b, '.')
	for step := uint64(one / 10); fraction > 0; step /= 10 {
		b = append(b, '0'+byte(fraction/step))
		fraction %= step
	}
	return b
}

// Sign is -1, 0 or 1.
func (d Decimal) Sign() int {
	switch {
	case d.negative:
		return -1
	case d.magnitude == 0:
		return 0
	default:
		return 1
	}
}

// Cmp is -1, 0 or 1 as d is less than, equal to or greater than e.
func (d Decimal) Cmp(e Decimal) int {
	switch {
	case d.negative && e.negative:
		return cmp.Compare(e.magnitude, d.magnitude)
	case d.negative != e.negative:
		return cmp.Compare(d.Sign(), e.Sign())
	default:
		return cmp.Compare(d.magnitude, e.magnitude)
	}
}

// Neg is -d.
func (d Decimal) Neg() Decimal {
	return Decimal{d.magnitude, !d.negative && d.magnitude != 0}
}

// Add is d + e. It fails with [ErrRange].
func (d Decimal) Add(e Decimal) (Decimal, error) { return Sum(d, e) }

// Sum is the exact sum, 0 of no terms. Only the total must be in range, so the
// order of the terms never matters. It fails with [ErrRange].
func Sum(terms ...Decimal) (Decimal, error) {
	var plus, minus wide
	for _, t := range terms {
		if t.negative {
			minus.add(t.magnitude)
		} else {
			plus.add(t.magnitude)
		}
	}
	magnitude, negative := plus.minus(minus)
	if magnitude.hi != 0 || magnitude.lo > limit {
		return Decimal{}, ErrRange
	}
	return Decimal{magnitude.lo, negative}, nil
}

// wide is a 128-bit count of ten-thousandths: no number of terms that fits in
// memory overflows it.
type wide struct{ hi, lo uint64 }

func (w *wide) add(n uint64) {
	lo, carry := bits.Add64(w.lo, n, 0)
	w.hi, w.lo = w.hi+carry, lo
}

// minus is |w-v| and whether w < v.
func (w wide) minus(v wide) (difference wide, negative bool) {
	if w.hi < v.hi || (w.hi == v.hi && w.lo < v.lo) {
		w, v, negative = v, w, true
	}
	lo, borrow := bits.Sub64(w.lo, v.lo, 0)
	hi, _ := bits.Sub64(w.hi, v.hi, borrow)
	return wide{hi, lo}, negative
}

// MarshalText is the one text form; JSON writes decimals with it too.
func (d Decimal) MarshalText() ([]byte, error) {
	return d.append(make([]byte, 0, maxLen)), nil
}

// UnmarshalText is [Parse].
func (d *Decimal) UnmarshalText(text []byte) error {
	parsed, err := Parse(string(text))
	if err != nil {
		return err
	}
	*d = parsed
	return nil
}
