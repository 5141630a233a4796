package codec

import (
	"github.com/hyphacoop/go-dasl/cid"
	"github.com/hyphacoop/go-dasl/drisl"

	"github.com/parley-protocol/parley/protocol"
)

// strict is DRISL narrowed to our integers and without floats. Links come raw:
// DRISL's own kinds of link are not ours.
var strict = func() drisl.DecMode {
	mode, err := drisl.DecOptions{
		MaxNestedLevels:  MaxDepth + 1, // a link's tag counts as a level of its own
		MaxArrayElements: MaxValues,
		MaxMapPairs:      MaxValues,
		Int64RangeOnly:   true,
		UseRawCid:        true,
		NoFloats:         true,
	}.DecMode()
	if err != nil {
		panic(err) // the options are constants
	}
	return mode
}()

// Decode reads one value that takes up the whole block, and refuses any bytes
// but those that [Limits.Encode] would write for it. It fails with the codes
// malformed (not one whole CBOR value), not_canonical (CBOR, but not in this
// form), too_deep and too_large. It allocates at most 16 bytes for each of the
// block's and 1 MiB.
func (l Limits) Decode(block []byte) (any, error) {
	if err := l.measure(block); err != nil {
		return nil, err
	}
	var value any
	if err := strict.Unmarshal(block, &value); err != nil {
		return nil, protocol.Errorf(protocol.CodeNotCanonical, "", "%w", err)
	}
	return narrow(value)
}

// narrow turns, in place, DRISL's integers and links into ours.
func narrow(value any) (_ any, err error) {
	switch v := value.(type) {
	case uint64:
		return int64(v), nil // in range: Int64RangeOnly
	case cid.RawCid:
		return parseLink(v)
	case []any:
		for i := range v {
			if v[i], err = narrow(v[i]); err != nil {
				return nil, err
			}
		}
	case map[string]any:
		for key, old := range v {
			if v[key], err = narrow(old); err != nil {
				return nil, err
			}
		}
	}
	return value, nil
}
