package codec_test

import (
	"bytes"
	"encoding/hex"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/fxamacker/cbor/v2"
	"github.com/hyphacoop/go-dasl/drisl"
	"github.com/ipfs/go-cid"
	"github.com/multiformats/go-multihash"
	"pgregory.net/rapid"

	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/codec"
	"github.com/parley-protocol/parley/protocol/record/recordtest"
	"github.com/parley-protocol/parley/spec/vectors"
	"github.com/parley-protocol/parley/spec/vectors/fuzzing"
)

func fromHex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestDecode(t *testing.T) {
	id := codec.Sum([]byte("block"))
	link := "d82a582500" + hex.EncodeToString(id.Bytes())
	for in, want := range map[string]any{
		"00":                 int64(0),
		"17":                 int64(23),
		"1818":               int64(24),
		"1b7fffffffffffffff": int64(math.MaxInt64),
		"3b7fffffffffffffff": int64(math.MinInt64),
		"40":                 []byte{},
		"4101":               []byte{1},
		"60":                 "",
		"6161":               "a",
		"80":                 []any{},
		"820102":             []any{int64(1), int64(2)},
		"a0":                 map[string]any{},
		"a261610062626201":   map[string]any{"a": int64(0), "bb": int64(1)},
		"f4":                 false,
		"f5":                 true,
		"f6":                 nil,
		link:                 id,
		"81" + link:          []any{id},
		"a1616181a16162f6":   map[string]any{"a": []any{map[string]any{"b": nil}}},
	} {
		got, err := codec.Decode(fromHex(t, in))
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %#v, %v; want %#v", in, got, err, want)
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	const malformed, form = protocol.CodeMalformed, protocol.CodeNotCanonical
	digest := strings.Repeat("ab", 32)
	for _, c := range []struct {
		in, why string
		code    protocol.Code
	}{
		{"", "nothing", malformed},
		{"0000", "two values", malformed},
		{"18", "a head cut off", malformed},
		{"1900", "a head cut off", malformed},
		{"6261", "a string cut off", malformed},
		{"8201", "a list cut off", malformed},
		{"a16161", "a map cut off", malformed},
		{"d82a", "a tag of nothing", malformed},
		{"1c", "a reserved head", malformed},
		{"fe", "a reserved head", malformed},
		{"ff", "a break", malformed},
		{"1f", "an integer of indefinite length", malformed},
		{"5bffffffffffffffff", "a string longer than memory", malformed},
		{"7b7fffffffffffffff", "a text longer than memory", malformed},
		{"9bffffffffffffffff", "a list longer than memory", malformed},
		{"bb7fffffffffffffff", "a map longer than memory", malformed},
		{"bb8000000000000001", "a map whose count overflows when doubled", malformed},
		{"9affffffff", "a list of 4 GiB", malformed},
		{"a2616100", "a map with more pairs than bytes", malformed},
		{"1800", "a long 0", form},
		{"190018", "a long 24", form},
		{"1a00000100", "a long 256", form},
		{"1b0000000000010000", "a long 65536", form},
		{"5801 61", "a long length", form},
		{"980100", "a long count", form},
		{"1b8000000000000000", "above int64", form},
		{"3b8000000000000000", "below int64", form},
		{"9fff", "a list of indefinite length", form},
		{"5f4101ff", "bytes of indefinite length", form},
		{"7f6161ff", "text of indefinite length", form},
		{"bf616100ff", "a map of indefinite length", form},
		{"62c328", "text that isn't UTF-8", form},
		{"63eda080", "text with a surrogate", form},
		{"a26162006161 01", "keys out of order", form},
		{"a2626161 00 6162 01", "keys out of order by length", form},
		{"a2616100616101", "a key twice", form},
		{"a10000", "a number for a key", form},
		{"a1416100", "bytes for a key", form},
		{"a162c32800", "a key that isn't UTF-8", form},
		{"f90000", "a half float", form},
		{"fa00000000", "a float", form},
		{"fb3ff8000000000000", "a double", form},
		{"f7", "undefined", form},
		{"e0", "a simple value", form},
		{"f820", "a simple value", form},
		{"f818", "a simple value that may not be", malformed},
		{"c000", "another tag", form},
		{"c11a00000000", "a time", form},
		{"c24100", "a big number", form},
		{"d9002a582500 01711220" + digest, "a long tag", form},
		{"d82a 00", "a link that is a number", form},
		{"d82a d82a 4100", "a link of a link", form},
		{"d82a 40", "an empty link", form},
		{"d82a 582501 01711220" + digest, "a link that doesn't start with 0", form},
		{"d82a 582300 1220" + digest, "CIDv0", form},
		{"d82a 582500 01711b20" + digest, "a link with another hash", form},
		{"d82a 582500 01711221" + digest, "a link with another size", form},
		{"d82a 582500 02711220" + digest, "CIDv2", form},
		{"d82a 582400 01711220" + digest[:62], "a short link", form},
		{"d82a 582600 01a9021220" + digest, "a link with a codec of two bytes", form},
		{"d82a 582500 01811220" + digest, "a link with half a codec", form},
	} {
		_, err := codec.Decode(fromHex(t, c.in))
		if protocol.CodeOf(err) != c.code {
			t.Errorf("%s, %s: got %v, want %s", c.in, c.why, err, c.code)
		}
	}
}

// nested is depth lists within each other, around nothing.
func nested(depth int) (block []byte, value any) {
	value = []any{}
	for range depth - 1 {
		value = []any{value}
	}
	return append(bytes.Repeat([]byte{0x81}, depth-1), 0x80), value
}

func TestLimits(t *testing.T) {
	block, value := nested(codec.MaxDepth)
	if _, err := codec.Decode(block); err != nil {
		t.Errorf("as deep as may be: %v", err)
	}
	if _, err := codec.Encode(value); err != nil {
		t.Errorf("as deep as may be: %v", err)
	}
	// The deepest list may still hold a link, whose tag is no level of ours.
	deepLink, err := codec.Encode(func() any {
		v := any([]any{codec.Sum(nil)})
		for range codec.MaxDepth - 1 {
			v = map[string]any{"a": v}
		}
		return v
	}())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := codec.Decode(deepLink); err != nil {
		t.Errorf("a link as deep as may be: %v", err)
	}
	block, value = nested(codec.MaxDepth + 1)
	if _, err := codec.Decode(block); protocol.CodeOf(err) != protocol.CodeTooDeep {
		t.Errorf("too deep: %v", err)
	}
	if _, err := codec.Encode(value); protocol.CodeOf(err) != protocol.CodeTooDeep {
		t.Errorf("too deep: %v", err)
	}
	if _, err := codec.Decode(bytes.Repeat([]byte{0x81}, codec.MaxBlock)); protocol.CodeOf(err) != protocol.CodeTooDeep {
		t.Errorf("far too deep: %v", err)
	}

	long := func(size int) []byte { return make([]byte, size-3) } // 0x59 and two bytes of length
	for size, want := range map[int]protocol.Code{codec.MaxBlock: "", codec.MaxBlock + 1: protocol.CodeTooLarge} {
		block, err := codec.Encode(long(size))
		if protocol.CodeOf(err) != want {
			t.Errorf("encode %d bytes: %v", size, err)
		}
		if block == nil {
			if block, err = codec.Message().Encode(long(size)); err != nil {
				t.Fatal(err)
			}
		}
		if len(block) != size {
			t.Fatalf("made %d bytes, want %d", len(block), size)
		}
		if _, err := codec.Decode(block); protocol.CodeOf(err) != want {
			t.Errorf("decode %d bytes: %v", size, err)
		}
		if _, err := codec.Message().Decode(block); err != nil {
			t.Errorf("decode a message of %d bytes: %v", size, err)
		}
	}

	for n, want := range map[int]protocol.Code{codec.MaxValues: "", codec.MaxValues + 1: protocol.CodeTooLarge} {
		value := make([]any, n-1)
		block := append([]byte{0x99, byte((n - 1) >> 8), byte(n - 1)}, bytes.Repeat([]byte{0xf6}, n-1)...)
		if _, err := codec.Encode(value); protocol.CodeOf(err) != want {
			t.Errorf("encode %d values: %v", n, err)
		}
		if _, err := codec.Decode(block); protocol.CodeOf(err) != want {
			t.Errorf("decode %d values: %v", n, err)
		}
	}
}

func TestEncodeRefuses(t *testing.T) {
	v0 := cid.NewCidV0(mustHash(t, multihash.SHA2_256))
	for _, value := range []any{
		1, uint64(1), int32(1), 1.5, float32(1), "\xff", map[string]any{"\xff": nil}, cid.Undef, v0,
		cid.NewCidV1(cid.DagCBOR, mustHash(t, multihash.SHA2_512)), cid.NewCidV1(cid.DagJSON, mustHash(t, multihash.SHA2_256)),
		[]string{"a"}, map[string]string{}, map[any]any{}, struct{}{}, new(int64), []any{map[string]any{"a": 1.5}},
	} {
		if out, err := codec.Encode(value); protocol.CodeOf(err) != protocol.CodeBadField {
			t.Errorf("%#v: %x, %v", value, out, err)
		}
	}
}

func mustHash(t *testing.T, code uint64) multihash.Multihash {
	t.Helper()
	hash, err := multihash.Sum([]byte("data"), code, -1)
	if err != nil {
		t.Fatal(err)
	}
	return hash
}

func TestSum(t *testing.T) {
	want, err := cid.V1Builder{Codec: cid.DagCBOR, MhType: multihash.SHA2_256}.Sum([]byte("block"))
	if err != nil {
		t.Fatal(err)
	}
	if got := codec.Sum([]byte("block")); !got.Equals(want) || !strings.HasPrefix(got.String(), "bafyrei") {
		t.Errorf("got %s, want %s", got, want)
	}
}

// Any value comes back from its encoding, which DRISL and, as the second oracle,
// fxamacker's core deterministic mode write the same way.
func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		value := recordtest.AnyValue(6, true).Draw(t, "value")
		block, err := codec.Encode(value)
		if err != nil {
			t.Fatal(err)
		}
		back, err := codec.Decode(block)
		if err != nil {
			t.Fatal(err)
		}
		again, err := codec.Encode(back)
		if err != nil || !bytes.Equal(again, block) {
			t.Fatalf("%x became %x, %v", block, again, err)
		}
		if err := drislTakes(block); err != nil {
			t.Fatalf("DRISL on %x: %v", block, err)
		}
		if second := coreDeterministic(t, block); !bytes.Equal(second, block) {
			t.Fatalf("%x is %x to the second oracle", block, second)
		}
	})
}

// Both directions count size, depth and values the same.
func TestLimitsAgree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		value := recordtest.AnyValue(5, true).Draw(t, "value")
		block, err := codec.Encode(value)
		if err != nil {
			t.Fatal(err)
		}
		limits := codec.Limits{
			Size:   len(block) + rapid.IntRange(-2, 2).Draw(t, "size"),
			Depth:  rapid.IntRange(0, 6).Draw(t, "depth"),
			Values: rapid.IntRange(0, 20).Draw(t, "values"),
		}
		_, encodeErr := limits.Encode(value)
		_, decodeErr := limits.Decode(block)
		if (encodeErr == nil) != (decodeErr == nil) {
			t.Fatalf("encode: %v, decode: %v", encodeErr, decodeErr)
		}
	})
}

func drislTakes(block []byte) error {
	mode, err := drisl.DecOptions{UseRawCid: true}.DecMode()
	if err != nil {
		return err
	}
	var value any
	return mode.Unmarshal(block, &value)
}

// coreDeterministic decodes with fxamacker/cbor and encodes again.
func coreDeterministic(t interface{ Fatal(...any) }, block []byte) []byte {
	decode, err := cbor.DecOptions{DefaultMapType: reflect.TypeFor[map[string]any](), MaxNestedLevels: 64}.DecMode()
	if err != nil {
		t.Fatal(err)
	}
	encode, err := cbor.CoreDetEncOptions().EncMode()
	if err != nil {
		t.Fatal(err)
	}
	var value any
	if err := decode.Unmarshal(block, &value); err != nil {
		t.Fatal(err)
	}
	out, err := encode.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// hostile is blocks that are small and decode to as much as possible.
func hostile() map[string][]byte {
	many := func(entry ...byte) []byte {
		n := codec.MaxValues - 1
		return append([]byte{0x99, byte(n >> 8), byte(n)}, bytes.Repeat(entry, n)...)
	}
	pairs := func() []byte {
		n := (codec.MaxValues - 1) / 2
		block := []byte{0xb9, byte(n >> 8), byte(n)}
		for i := range n {
			block = append(block, 0x62, 'A'+byte(i/64), ' '+byte(i%64), 0xa0)
		}
		return block
	}
	return map[string][]byte{
		"empty maps":      many(0xa0),
		"empty lists":     many(0x80),
		"empty texts":     many(0x60),
		"short texts":     many(0x61, 'a'),
		"short bytes":     many(0x41, 'a'),
		"numbers":         many(0x19, 0x01, 0x00),
		"map of maps":     pairs(),
		"a giant list":    {0x9a, 0x7f, 0xff, 0xff, 0xff},
		"a giant map":     {0xba, 0x7f, 0xff, 0xff, 0xff},
		"a giant text":    {0x7a, 0x7f, 0xff, 0xff, 0xff},
		"a giant string":  {0x5b, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff},
		"lists in lists":  bytes.Repeat([]byte{0x9a, 0x00, 0x00, 0xea, 0x60}, 12_288),
		"one long string": append([]byte{0x59, 0xef, 0xfd}, make([]byte, 61_437)...),
	}
}

func TestAllocation(t *testing.T) {
	for name, block := range hostile() {
		t.Run(name, func(t *testing.T) {
			fuzzing.Bounded(t, len(block), func() { codec.Decode(block) })
			t.Logf("%d bytes allocated for %d", fuzzing.Allocated(func() { codec.Decode(block) }), len(block))
		})
	}
}

func FuzzDecode(f *testing.F) {
	for _, block := range hostile() {
		f.Add(block)
	}
	for _, seed := range []string{"a261610062626201", "82a0f6", "d82a4100", "f97e00", "fb3ff8000000000000", "1bffffffffffffffff"} {
		f.Add(fromHex(f, seed))
	}
	for _, r := range recordtest.NewDeal(f, "fuzz").Records() {
		f.Add(r.Raw())
	}
	fuzzing.Each(f, "record", func(in struct{ Block vectors.Hex }) { f.Add([]byte(in.Block)) })
	f.Fuzz(func(t *testing.T, block []byte) {
		var value any
		var err error
		fuzzing.Bounded(t, len(block), func() { value, err = codec.Decode(block) })
		if err != nil {
			switch protocol.CodeOf(err) {
			case protocol.CodeMalformed, protocol.CodeNotCanonical, protocol.CodeTooDeep, protocol.CodeTooLarge:
				return
			default:
				t.Fatalf("an unexpected code: %v", err)
			}
		}
		again, err := codec.Encode(value)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(again, block) {
			t.Fatalf("%x is taken and becomes %x", block, again)
		}
		if second := coreDeterministic(t, block); !bytes.Equal(second, block) {
			t.Fatalf("%x is %x to the second oracle", block, second)
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	block := recordtest.NewDeal(b, "bench").Intent.Raw()
	b.SetBytes(int64(len(block)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := codec.Decode(block); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEncode(b *testing.B) {
	value, err := codec.Decode(recordtest.NewDeal(b, "bench").Intent.Raw())
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := codec.Encode(value); err != nil {
			b.Fatal(err)
		}
	}
}
