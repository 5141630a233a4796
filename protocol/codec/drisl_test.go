package codec_test

import (
	"testing"

	daslcid "github.com/hyphacoop/go-dasl/cid"
	"github.com/hyphacoop/go-dasl/drisl"
	"pgregory.net/rapid"

	"github.com/parley-protocol/parley/protocol/codec"
	"github.com/parley-protocol/parley/protocol/record/recordtest"
)

// drislAgrees tells whether DRISL, narrowed to this package's subset, takes a
// block. Size and number of values are not DRISL's: the caller's blocks are small.
func drislAgrees(t testing.TB, block []byte) bool {
	t.Helper()
	mode, err := drisl.DecOptions{
		MaxNestedLevels:  codec.MaxDepth + 1, // a link's tag counts as a level of its own
		MaxArrayElements: codec.MaxValues,
		MaxMapPairs:      codec.MaxValues,
		Int64RangeOnly:   true,
		UseRawCid:        true,
		NoFloats:         true,
	}.DecMode()
	if err != nil {
		t.Fatal(err)
	}
	var value any
	return mode.Unmarshal(block, &value) == nil && linksAreOurs(value)
}

// linksAreOurs holds the links that DRISL found against this package's form:
// CIDv1, a codec of one byte, SHA-256.
func linksAreOurs(value any) bool {
	switch v := value.(type) {
	case daslcid.RawCid:
		return len(v) == 36 && v[0] == 1 && v[1] < 0x80 && v[2] == 0x12 && v[3] == 0x20
	case []any:
		for _, entry := range v {
			if !linksAreOurs(entry) {
				return false
			}
		}
	case map[string]any:
		for _, entry := range v {
			if !linksAreOurs(entry) {
				return false
			}
		}
	}
	return true
}

// What is taken and what is refused is the same as with DRISL, also close to
// what is canonical: bytes changed, added, left out, heads made longer.
func TestAgreesWithDRISL(t *testing.T) {
	taken, refused := 0, 0
	rapid.Check(t, func(rt *rapid.T) {
		block, err := codec.Encode(recordtest.AnyValue(4, true).Draw(rt, "value"))
		if err != nil {
			rt.Fatal(err)
		}
		for range rapid.IntRange(1, 3).Draw(rt, "changes") {
			at := rapid.IntRange(0, max(0, len(block)-1)).Draw(rt, "at")
			b := rapid.Byte().Draw(rt, "byte")
			switch rapid.IntRange(0, 3).Draw(rt, "change") {
			case 0:
				if len(block) > 0 {
					block[at] = b
				}
			case 1:
				block = append(block[:at:at], append([]byte{b}, block[at:]...)...)
			case 2:
				if len(block) > 0 {
					block = append(block[:at:at], block[at+1:]...)
				}
			case 3: // the number in this head, in one byte more
				if len(block) > 0 && block[at]&0x1f < 24 {
					block = append(block[:at:at], append([]byte{block[at]&0xe0 | 24, block[at] & 0x1f}, block[at+1:]...)...)
				}
			}
		}
		_, err = codec.Decode(block)
		if (err == nil) != drislAgrees(t, block) {
			rt.Fatalf("%x: here %v, DRISL otherwise", block, err)
		}
		if err == nil {
			taken++
		} else {
			refused++
		}
	})
	if taken == 0 || refused == 0 {
		t.Errorf("%d blocks were taken and %d refused: this shows nothing", taken, refused)
	}
}

func FuzzAgreesWithDRISL(f *testing.F) {
	for _, seed := range []string{"a261610062626201", "82a0f6", "d82a4100", "f97e00", "fb3ff8000000000000", "1bffffffffffffffff", "d9002a4100", "f814", "7f6161ff"} {
		f.Add(fromHex(f, seed))
	}
	for _, r := range recordtest.NewDeal(f, "fuzz").Records() {
		f.Add(r.Raw())
	}
	f.Fuzz(func(t *testing.T, block []byte) {
		if len(block) > 4096 {
			return // the number of values is this package's own limit
		}
		if _, err := codec.Decode(block); (err == nil) != drislAgrees(t, block) {
			t.Fatalf("%x: here %v, DRISL otherwise", block, err)
		}
	})
}
