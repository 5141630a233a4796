package codec

import (
	"encoding/binary"

	"github.com/parley-protocol/parley/protocol"
)

// CBOR's major types, and the tag of a link.
const (
	majorUint   = 0
	majorNint   = 1
	majorBytes  = 2
	majorText   = 3
	majorArray  = 4
	majorMap    = 5
	majorTag    = 6
	majorSimple = 7

	linkTag = 42
)

// measure walks the heads of a block, allocating nothing, and holds them
// against the limits: after it, no head promises more than the block has. It
// leaves it to the decoder whether the heads are canonical.
func (l Limits) measure(block []byte) error {
	if len(block) > l.Size {
		return protocol.Errorf(protocol.CodeTooLarge, "", "%d bytes; at most %d are allowed", len(block), l.Size)
	}
	w := walker{block: block, limits: l}
	if err := w.value(0); err != nil {
		return err
	}
	if w.at < len(block) {
		return malformed("%d bytes follow the value", len(block)-w.at)
	}
	return nil
}

type walker struct {
	block  []byte
	limits Limits
	at     int // offset of what is next
	values int // values seen
}

// value walks one value inside depth arrays and maps.
func (w *walker) value(depth int) error {
	if w.values++; w.values > w.limits.Values {
		return protocol.Errorf(protocol.CodeTooLarge, "", "more than %d values", w.limits.Values)
	}
	start := w.at
	major, argument, err := w.head()
	if err != nil {
		return err
	}
	rest := uint64(len(w.block) - w.at)
	switch major {
	case majorBytes, majorText:
		if argument > rest {
			return malformed("the string at byte %d is longer than the block", start)
		}
		w.at += int(argument)
	case majorArray, majorMap:
		if depth++; depth > w.limits.Depth {
			return protocol.Errorf(protocol.CodeTooDeep, "", "more than %d arrays and maps within each other", w.limits.Depth)
		}
		perEntry := uint64(1)
		if major == majorMap {
			perEntry = 2
		}
		if argument > rest/perEntry { // every value takes a byte or more
			return malformed("the array or map at byte %d has more entries than the block has bytes", start)
		}
		for range argument * perEntry {
			if err := w.value(depth); err != nil {
				return err
			}
		}
	case majorTag:
		if w.at == len(w.block) {
			return malformed("the block ends where a value is due")
		}
		if argument != linkTag || w.block[w.at]>>5 != majorBytes {
			return protocol.Errorf(protocol.CodeNotCanonical, "", "the tag at byte %d is not a link", start)
		}
		return w.value(depth)
	}
	return nil
}

// head reads a value's first byte and its argument.
func (w *walker) head() (major byte, argument uint64, err error) {
	if w.at == len(w.block) {
		return 0, 0, malformed("the block ends where a value is due")
	}
	first := w.block[w.at]
	major, info := first>>5, first&0x1f
	w.at++
	switch {
	case info < 24:
		return major, uint64(info), nil
	case info < 28:
		size := 1 << (info - 24)
		if len(w.block)-w.at < size {
			return 0, 0, malformed("the block ends inside a number")
		}
		var wide [8]byte
		copy(wide[8-size:], w.block[w.at:])
		w.at += size
		argument = binary.BigEndian.Uint64(wide[:])
		if major == majorSimple && size == 1 && argument < 32 {
			return 0, 0, malformed("the simple value at byte %d is not well-formed", w.at-2)
		}
		return major, argument, nil
	case info == 31 && major >= majorBytes && major <= majorMap:
		return 0, 0, protocol.Errorf(protocol.CodeNotCanonical, "", "the value at byte %d has no definite length", w.at-1)
	default:
		return 0, 0, malformed("byte %d, %#02x, starts no value", w.at-1, first)
	}
}

func malformed(format string, args ...any) error {
	return protocol.Errorf(protocol.CodeMalformed, "", format, args...)
}
