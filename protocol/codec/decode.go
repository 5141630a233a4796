package codec

import (
	"bytes"
	"math"
	"unicode/utf8"

	"github.com/parley-protocol/parley/protocol"
)

// Decode reads one value that takes up the whole block, and refuses any bytes
// but those that [Limits.Encode] would write for it. It fails with the codes
// malformed (not one whole CBOR value), not_canonical (CBOR, but not in this
// form), too_deep and too_large. It allocates at most 16 bytes for each of the
// block's and 1 MiB.
func (l Limits) Decode(block []byte) (any, error) {
	if err := l.measure(block); err != nil {
		return nil, err
	}
	d := decoder{walker{block: block}}
	return d.value()
}

// decoder reads a block that was measured: every head and string is whole, and
// nothing is deeper or more than it may be.
type decoder struct{ walker }

// The simple values that exist.
const (
	simpleFalse = 0xf4
	simpleTrue  = 0xf5
	simpleNull  = 0xf6
)

func (d *decoder) value() (any, error) {
	start := d.at
	major, argument, err := d.canonicalHead()
	if err != nil {
		return nil, err
	}
	switch major {
	case majorUint, majorNint:
		if argument > math.MaxInt64 {
			return nil, notCanonical("the integer at byte %d is outside int64 range", start)
		}
		if major == majorNint {
			return -1 - int64(argument), nil
		}
		return int64(argument), nil
	case majorBytes:
		return bytes.Clone(d.take(argument)), nil
	case majorText:
		return d.text(start, argument)
	case majorArray:
		return d.array(argument)
	case majorMap:
		return d.object(argument)
	case majorTag:
		return d.link()
	default:
		switch d.block[start] {
		case simpleFalse:
			return false, nil
		case simpleTrue:
			return true, nil
		case simpleNull:
			return nil, nil
		}
		return nil, notCanonical("byte %d, %#02x, starts a float or another simple value", start, d.block[start])
	}
}

// canonicalHead is head, refusing one that is longer than it need be.
func (d *decoder) canonicalHead() (major byte, argument uint64, err error) {
	start := d.at
	major, argument, err = d.head()
	if err == nil && major != majorSimple && d.at-start != headSize(argument) {
		err = notCanonical("the number at byte %d is written longer than it need be", start)
	}
	return major, argument, err
}

// headSize is how many bytes the shortest head with an argument has.
func headSize(argument uint64) int {
	switch {
	case argument < 24:
		return 1
	case argument <= math.MaxUint8:
		return 2
	case argument <= math.MaxUint16:
		return 3
	case argument <= math.MaxUint32:
		return 5
	default:
		return 9
	}
}

// take is the next bytes, which the block has.
func (d *decoder) take(size uint64) []byte {
	b := d.block[d.at:][:size]
	d.at += int(size)
	return b
}

func (d *decoder) text(start int, size uint64) (string, error) {
	b := d.take(size)
	if !utf8.Valid(b) {
		return "", notCanonical("the text at byte %d is not valid UTF-8", start)
	}
	return string(b), nil
}

func (d *decoder) array(size uint64) (_ []any, err error) {
	values := make([]any, size)
	for i := range values {
		if values[i], err = d.value(); err != nil {
			return nil, err
		}
	}
	return values, nil
}

func (d *decoder) object(size uint64) (map[string]any, error) {
	entries := make(map[string]any, size)
	before := ""
	for i := range size {
		start := d.at
		major, argument, err := d.canonicalHead()
		if err != nil {
			return nil, err
		}
		if major != majorText {
			return nil, notCanonical("the key at byte %d is not text", start)
		}
		key, err := d.text(start, argument)
		if err != nil {
			return nil, err
		}
		if i > 0 && CompareKeys(before, key) >= 0 {
			return nil, notCanonical("the key at byte %d is not in order, or there twice", start)
		}
		before = key
		if entries[key], err = d.value(); err != nil {
			return nil, err
		}
	}
	return entries, nil
}

// link reads what stands behind a link's tag: bytes, the first of them zero.
func (d *decoder) link() (any, error) {
	start := d.at
	_, size, err := d.canonicalHead() // of bytes: measured
	if err != nil {
		return nil, err
	}
	b := d.take(size)
	if len(b) == 0 || b[0] != 0 {
		return nil, notCanonical("the link at byte %d doesn't start with a zero byte", start)
	}
	return parseLink(b[1:])
}

func notCanonical(format string, args ...any) error {
	return protocol.Errorf(protocol.CodeNotCanonical, "", format, args...)
}
