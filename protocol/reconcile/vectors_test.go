package reconcile

import (
	"testing"

	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/spec/vectors"
	"github.com/parley-protocol/parley/spec/vectors/vectorstest"
)

func TestVectorsOfRanges(t *testing.T) {
	type in struct{ Message vectors.Hex }
	vectorstest.Run(t, "ranges", func(t *testing.T, _ vectors.Case, in in) (any, string) {
		if _, err := Answer(NewSet(nil), in.Message, MinMessageSize); err != nil {
			return nil, string(protocol.CodeOf(err))
		}
		if in.Message[0] != version {
			return nil, string(protocol.CodeUnsupportedVersion) // what its beginner makes of the answer
		}
		said := []any{}
		d := decoder{reader: reader{b: in.Message[1:]}}
		for d.more() {
			s := d.next()
			out := map[string]any{"until": nil, "prefix": vectors.Hex(s.until.prefix)}
			if !s.until.infinite {
				out["until"] = s.until.time
			}
			switch s.mode {
			case modeFingerprint:
				out["fingerprint"] = vectors.Hex(s.fingerprint[:])
			case modeIDs:
				ids := []vectors.Hex{}
				for b := s.ids; len(b) > 0; b = b[IDSize:] {
					ids = append(ids, b[:IDSize])
				}
				out["ids"] = ids
			}
			said = append(said, out)
		}
		return map[string]any{"ranges": said}, ""
	})
}

func TestVectorsOfFingerprints(t *testing.T) {
	type in struct{ IDs []vectors.Hex }
	vectorstest.Run(t, "fingerprint", func(t *testing.T, _ vectors.Case, in in) (any, string) {
		var sum sum
		var items []Item
		for i, id := range in.IDs {
			items = append(items, Item{Time: uint64(i), ID: [IDSize]byte(id)})
			sum = sum.add([IDSize]byte(id))
		}
		set := NewSet(items)
		if set.sum(len(items)) != sum {
			t.Error("the set's sum is another")
		}
		f := set.fingerprint(0, set.Len())
		return map[string]any{"fingerprint": vectors.Hex(f[:])}, ""
	})
}
