package kit

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
)

// CBOR's major types, as the high bits of a head.
const (
	majorUint  = 0 << 5
	majorNeg   = 1 << 5
	majorBytes = 2 << 5
	majorText  = 3 << 5
	majorList  = 4 << 5
	majorMap   = 5 << 5
	majorTag   = 6 << 5
)

type (
	// Map is a map whose keys are written in canonical order.
	Map map[string]any
	// List is an array.
	List []any
	// Raw is encoded already, rightly or not.
	Raw []byte
	// Pairs is a map whose keys and values, by turns, are written as they come.
	Pairs []any
)

// Encode writes a value in the one encoding of document 2, but for what is Raw
// or Pairs in it. It panics at types that records don't have.
func Encode(value any) []byte {
	switch v := value.(type) {
	case Raw:
		return v
	case nil:
		return []byte{0xf6}
	case bool:
		if v {
			return []byte{0xf5}
		}
		return []byte{0xf4}
	case int:
		return Int(int64(v))
	case int64:
		return Int(v)
	case string:
		return append(Head(majorText, uint64(len(v))), v...)
	case []byte:
		return append(Head(majorBytes, uint64(len(v))), v...)
	case ID:
		return Link(v[:])
	case List:
		out := Head(majorList, uint64(len(v)))
		for _, entry := range v {
			out = append(out, Encode(entry)...)
		}
		return out
	case Pairs:
		out := Head(majorMap, uint64(len(v)/2))
		for _, entry := range v {
			out = append(out, Encode(entry)...)
		}
		return out
	case Map:
		pairs := make(Pairs, 0, 2*len(v))
		for _, key := range Keys(v) {
			pairs = append(pairs, key, v[key])
		}
		return Encode(pairs)
	default:
		panic(fmt.Sprintf("kit: can't encode a %T", value))
	}
}

// Keys is a map's keys in canonical order: the shorter first, then by bytes.
func Keys(m Map) []string {
	return slices.SortedFunc(maps.Keys(m), func(a, b string) int {
		return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b))
	})
}

// Int is an integer.
func Int(n int64) []byte {
	if n < 0 {
		return Head(majorNeg, uint64(-(n + 1)))
	}
	return Head(majorUint, uint64(n))
}

// Head is a head in its shortest form.
func Head(major byte, n uint64) []byte {
	switch {
	case n < 24:
		return WideHead(major, n, 0)
	case n < 1<<8:
		return WideHead(major, n, 1)
	case n < 1<<16:
		return WideHead(major, n, 2)
	case n < 1<<32:
		return WideHead(major, n, 4)
	default:
		return WideHead(major, n, 8)
	}
}

// WideHead is a head whose argument takes width bytes: 0, 1, 2, 4 or 8.
func WideHead(major byte, n uint64, width int) []byte {
	switch width {
	case 0:
		return []byte{major | byte(n)}
	case 1:
		return []byte{major | 24, byte(n)}
	case 2:
		return binary.BigEndian.AppendUint16([]byte{major | 25}, uint16(n))
	case 4:
		return binary.BigEndian.AppendUint32([]byte{major | 26}, uint32(n))
	default:
		return binary.BigEndian.AppendUint64([]byte{major | 27}, n)
	}
}

// Link is tag 42 over 0x00 and a CID, whatever its bytes are.
func Link(cid []byte) Raw {
	return Join([]byte{0xd8, 0x2a}, Encode(Join([]byte{0}, cid)))
}

// Join puts byte strings together.
func Join[T ~[]byte](parts ...T) []byte {
	var out []byte
	for _, p := range parts {
		out = append(out, p...)
	}
	return out
}

// Count is how many values document 2 counts in a value, but for what is Raw.
func Count(value any) int {
	switch v := value.(type) {
	case ID:
		return 2
	case List:
		n := 1
		for _, entry := range v {
			n += Count(entry)
		}
		return n
	case Map:
		n := 1
		for _, entry := range v {
			n += 1 + Count(entry)
		}
		return n
	default:
		return 1
	}
}
