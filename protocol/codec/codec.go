// Package codec is the one way from bytes to values and back: a strict subset
// of DAG-CBOR with a single encoding per value. Specification: spec/02-records.md.
//
// Values are map[string]any, []any, string, []byte, int64, bool, nil and
// cid.Cid; anything else doesn't exist on the wire. Canonical form is DRISL's
// (shortest heads, definite lengths, sorted unique text keys, valid UTF-8); this
// package adds the limits: no floats, 64-bit signed integers, links of one form,
// bounded size, depth and number of values.
package codec

import (
	"maps"
	"slices"
	"strings"

	"github.com/parley-protocol/parley/protocol"
)

// Limits bound a block. They are checked before anything is allocated for it.
// Depth and Values are at most [MaxDepth] and [MaxValues].
type Limits struct {
	Size   int // bytes
	Depth  int // of arrays and maps within each other, the outermost being 1
	Values int // values of any kind, map keys included
}

const (
	// MaxBlock is the largest record: it must fit a 64 KiB gossip frame.
	MaxBlock = protocol.MaxBlockBytes
	// MaxMessage is the largest message of a direct protocol.
	MaxMessage = protocol.MaxMessageBytes
	// MaxDepth is the deepest nesting of any block or message.
	MaxDepth = protocol.MaxDepth
	// MaxValues is the most values in any block or message. It keeps a block of
	// empty maps, one byte each, from becoming megabytes of memory.
	MaxValues = protocol.MaxValues
)

// Block is the limits of a record.
func Block() Limits { return Limits{Size: MaxBlock, Depth: MaxDepth, Values: MaxValues} }

// Message is the limits of a direct protocol's messages.
func Message() Limits { return Limits{Size: MaxMessage, Depth: MaxDepth, Values: MaxValues} }

// Decode reads a record-sized block: [Limits.Decode] within [Block].
func Decode(block []byte) (any, error) { return Block().Decode(block) }

// Encode writes a record-sized block: [Limits.Encode] within [Block].
func Encode(value any) ([]byte, error) { return Block().Encode(value) }

// CompareKeys is the order of the keys in a map: shorter first, then bytewise.
func CompareKeys(a, b string) int {
	if len(a) != len(b) {
		return len(a) - len(b)
	}
	return strings.Compare(a, b)
}

// SortedKeys is the keys of a map in the order that they have on the wire.
func SortedKeys(entries map[string]any) []string {
	return slices.SortedFunc(maps.Keys(entries), CompareKeys)
}
