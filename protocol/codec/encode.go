package codec

import (
	"encoding/binary"
	"math"
	"unicode/utf8"

	"github.com/ipfs/go-cid"

	"github.com/parley-protocol/parley/protocol"
)

// Encode writes the one encoding of a value. It fails with the codes bad_field
// (something that has no encoding: an unknown Go type, text that isn't UTF-8, a
// link that isn't ours), too_deep and too_large.
func (l Limits) Encode(value any) ([]byte, error) {
	e := encoder{limits: l}
	if err := e.value(value, 0); err != nil {
		return nil, err
	}
	if len(e.out) > l.Size {
		return nil, protocol.Errorf(protocol.CodeTooLarge, "", "%d bytes; at most %d are allowed", len(e.out), l.Size)
	}
	return e.out, nil
}

type encoder struct {
	limits Limits
	out    []byte
	values int
}

func (e *encoder) value(value any, depth int) error {
	if e.values++; e.values > e.limits.Values {
		return protocol.Errorf(protocol.CodeTooLarge, "", "more than %d values", e.limits.Values)
	}
	switch v := value.(type) {
	case nil:
		e.out = append(e.out, 0xf6)
	case bool:
		if v {
			e.out = append(e.out, 0xf5)
		} else {
			e.out = append(e.out, 0xf4)
		}
	case int64:
		if v >= 0 {
			e.head(majorUint, uint64(v))
		} else {
			e.head(majorNint, uint64(-1-v))
		}
	case []byte:
		e.head(majorBytes, uint64(len(v)))
		e.out = append(e.out, v...)
	case string:
		return e.text(v)
	case cid.Cid:
		if err := CheckLink(v); err != nil {
			return err
		}
		e.head(majorTag, linkTag)
		e.head(majorBytes, linkSize+1)
		e.out = append(e.out, 0)
		e.out = append(e.out, v.KeyString()...)
		if e.values++; e.values > e.limits.Values { // the tag and its bytes are two
			return protocol.Errorf(protocol.CodeTooLarge, "", "more than %d values", e.limits.Values)
		}
	case []any:
		return e.array(v, depth+1)
	case map[string]any:
		return e.object(v, depth+1)
	default:
		return protocol.Errorf(protocol.CodeBadField, "", "a %T has no encoding", value)
	}
	return nil
}

func (e *encoder) text(text string) error {
	if !utf8.ValidString(text) {
		return protocol.Errorf(protocol.CodeBadField, "", "text is not valid UTF-8")
	}
	e.head(majorText, uint64(len(text)))
	e.out = append(e.out, text...)
	return nil
}

func (e *encoder) array(values []any, depth int) error {
	if depth > e.limits.Depth {
		return protocol.Errorf(protocol.CodeTooDeep, "", "more than %d arrays and maps within each other", e.limits.Depth)
	}
	e.head(majorArray, uint64(len(values)))
	for _, v := range values {
		if err := e.value(v, depth); err != nil {
			return err
		}
	}
	return nil
}

func (e *encoder) object(entries map[string]any, depth int) error {
	if depth > e.limits.Depth {
		return protocol.Errorf(protocol.CodeTooDeep, "", "more than %d arrays and maps within each other", e.limits.Depth)
	}
	e.head(majorMap, uint64(len(entries)))
	for _, key := range SortedKeys(entries) {
		e.values++
		if err := e.text(key); err != nil {
			return err
		}
		if err := e.value(entries[key], depth); err != nil {
			return err
		}
	}
	return nil
}

// head writes a major type with its argument, as short as it goes.
func (e *encoder) head(major byte, argument uint64) {
	major <<= 5
	switch {
	case argument < 24:
		e.out = append(e.out, major|byte(argument))
	case argument <= math.MaxUint8:
		e.out = append(e.out, major|24, byte(argument))
	case argument <= math.MaxUint16:
		e.out = binary.BigEndian.AppendUint16(append(e.out, major|25), uint16(argument))
	case argument <= math.MaxUint32:
		e.out = binary.BigEndian.AppendUint32(append(e.out, major|26), uint32(argument))
	default:
		e.out = binary.BigEndian.AppendUint64(append(e.out, major|27), argument)
	}
}
