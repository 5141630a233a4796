package main

import (
	"fmt"
	"math"
	"strings"

	"github.com/parley-protocol/parley/spec/gen/vectors/kit"
)

// encoding is document 2, "Encoding". What isn't a whole record's matter stands
// in an extension, where any value may be.
func encoding() kit.File {
	f := newFile("encoding", "The strict subset of DAG-CBOR. Odd values stand under a key of ext, unless the case is about another place.")
	integers(f)
	lengths(f)
	mapKeys(f)
	texts(f)
	tags(f)
	simples(f)
	nesting(f)
	return f.File
}

// inExt is a record with a value under a key of ext.
func inExt(value any) (kit.Key, kit.Map) {
	key, body := withdrawal()
	return key, kit.With(body, "ext", kit.Map{"x": value})
}

func (f *recordFile) goodValue(name string, musts []string, value any) {
	key, body := inExt(value)
	f.good(name, musts, key, body)
}

func (f *recordFile) badValue(name string, musts []string, value any, codes ...string) {
	key, body := inExt(value)
	f.bad(name, musts, key, body, codes...)
}

const (
	uints = 0 << 5
	negs  = 1 << 5
	bstr  = 2 << 5
	tstr  = 3 << 5
	list  = 4 << 5
	dict  = 5 << 5
	tag   = 6 << 5
)

func integers(f *recordFile) {
	five := kit.Musts("REC-5")
	for _, n := range []int64{0, 1, 23, 24, 255, 256, 65535, 65536, math.MaxUint32, math.MaxUint32 + 1, math.MaxInt64,
		-1, -24, -25, -256, -257, -65536, -65537, -1 - math.MaxUint32, math.MinInt64} {
		f.goodValue(fmt.Sprintf("integer-%d", n), five, n)
	}
	for _, w := range []struct {
		n     uint64
		width int
	}{{0, 1}, {23, 1}, {24, 2}, {255, 2}, {256, 4}, {65535, 4}, {65536, 8}, {math.MaxUint32, 8}} {
		f.badValue(fmt.Sprintf("integer-%d-in-%d-bytes", w.n, w.width), five, kit.Raw(kit.WideHead(uints, w.n, w.width)), "not_canonical")
		f.badValue(fmt.Sprintf("integer-minus-%d-in-%d-bytes", w.n+1, w.width), five, kit.Raw(kit.WideHead(negs, w.n, w.width)), "not_canonical")
	}
	for _, n := range []uint64{1 << 63, math.MaxUint64} {
		f.badValue(fmt.Sprintf("integer-%d", n), five, kit.Raw(kit.WideHead(uints, n, 8)), "not_canonical")
		f.badValue(fmt.Sprintf("integer-minus-1-minus-%d", n), five, kit.Raw(kit.WideHead(negs, n, 8)), "not_canonical")
	}
	key, body := withdrawal()
	f.bad("v-in-2-bytes", five, key, kit.With(body, "v", kit.Raw{0x18, 0x01}), "not_canonical")
	f.bad("at-in-8-bytes", five, key, kit.With(body, "at", kit.Raw(kit.WideHead(uints, kit.T0, 8))), "not_canonical")
	f.bad("type-with-a-wide-head", five, key, kit.With(body, "type", kit.Raw(kit.Join(kit.WideHead(tstr, 10, 1), []byte("withdrawal")))), "not_canonical")
	f.badValue("bytes-with-a-wide-head", five, kit.Raw("\x58\x01a"), "not_canonical")
	f.badValue("text-with-a-wide-head", five, kit.Raw("\x79\x00\x01a"), "not_canonical")
	f.badValue("array-with-a-wide-head", five, kit.Raw{0x98, 0x01, 0x00}, "not_canonical")
	f.badValue("map-with-a-wide-head", five, kit.Raw("\xb8\x01\x61a\x00"), "not_canonical")
	f.badValue("map-key-with-a-wide-head", five, kit.Raw("\xa1\x78\x01a\x00"), "not_canonical")
	f.badValue("tag-with-a-wide-head", five, kit.Raw(kit.Join([]byte{0xd9, 0x00, 0x2a}, kit.Link(cid())[2:])), "not_canonical")
	wide := kit.Join(kit.WideHead(list, 2, 1), key.Record(body)[1:])
	f.badBlock("record-with-a-wide-head", five, wide, "not_canonical", "malformed")
	encoded := kit.Encode(body)
	f.badBlock("body-with-a-wide-head", five, key.RecordOver(kit.Join(kit.WideHead(dict, uint64(len(body)), 1), encoded[1:])), "not_canonical")
}

func lengths(f *recordFile) {
	six := kit.Musts("REC-6")
	f.badValue("bytes-of-indefinite-length", six, kit.Raw("\x5f\x41a\xff"), "not_canonical")
	f.badValue("text-of-indefinite-length", six, kit.Raw("\x7f\x61a\xff"), "not_canonical")
	f.badValue("array-of-indefinite-length", six, kit.Raw{0x9f, 0x00, 0xff}, "not_canonical")
	f.badValue("map-of-indefinite-length", six, kit.Raw("\xbf\x61a\x00\xff"), "not_canonical")
	f.badValue("empty-array-of-indefinite-length", six, kit.Raw{0x9f, 0xff}, "not_canonical")
	key, body := withdrawal()
	encoded := kit.Encode(body)
	f.badBlock("body-of-indefinite-length", six, key.RecordOver(kit.Join([]byte{0xbf}, encoded[1:], []byte{0xff})), "not_canonical")
	block := key.Record(body)
	f.badBlock("record-of-indefinite-length", six, kit.Join([]byte{0x9f}, block[1:], []byte{0xff}), "not_canonical", "malformed")

	one := kit.Musts("REC-1", "REC-14")
	f.badValue("bytes-longer-than-the-block", one, kit.Raw(kit.WideHead(bstr, 1<<20, 4)), "malformed")
	f.badValue("text-longer-than-the-block", one, kit.Raw(kit.WideHead(tstr, math.MaxUint64, 8)), "malformed")
	f.badValue("array-longer-than-the-block", kit.Musts("REC-1", "REC-12", "REC-14", "ERR-5"), kit.Raw(kit.WideHead(list, math.MaxUint32, 4)), "malformed", "too_large")
	f.badValue("map-longer-than-the-block", kit.Musts("REC-1", "REC-12", "REC-14", "ERR-5"), kit.Raw(kit.WideHead(dict, 1<<62, 8)), "malformed", "too_large")
	for _, info := range []byte{28, 29, 30} {
		f.badValue(fmt.Sprintf("reserved-length-%d", info), one, kit.Raw{uints | info}, "malformed")
		f.badValue(fmt.Sprintf("reserved-length-%d-of-text", info), one, kit.Raw{tstr | info}, "malformed")
	}
	f.badValue("integer-of-indefinite-length", one, kit.Raw{uints | 31}, "malformed")
	f.badValue("tag-of-indefinite-length", one, kit.Raw{tag | 31}, "malformed")
	f.badBlock("head-cut", one, []byte{0x82, 0xb9, 0x01}, "malformed")
}

func mapKeys(f *recordFile) {
	seven := kit.Musts("REC-7")
	f.goodValue("keys-by-length-first", seven, kit.Pairs{"b", 1, "aa", 2})
	f.goodValue("keys-by-bytes-not-by-characters", seven, kit.Pairs{"zz", 1, "é", 2})
	f.goodValue("empty-key", seven, kit.Pairs{"", 1, "a", 2})
	f.goodValue("keys-upper-case-first", seven, kit.Pairs{"B", 1, "a", 2})
	f.badValue("keys-by-bytes-first", seven, kit.Pairs{"aa", 1, "b", 2}, "not_canonical")
	f.badValue("keys-not-sorted", seven, kit.Pairs{"b", 1, "a", 2}, "not_canonical")
	f.badValue("empty-key-last", seven, kit.Pairs{"a", 1, "", 2}, "not_canonical")
	f.badValue("keys-twice", seven, kit.Pairs{"a", 1, "a", 1}, "not_canonical")
	f.badValue("keys-twice-apart", seven, kit.Pairs{"a", 1, "b", 2, "a", 1}, "not_canonical")
	f.badValue("integer-key", seven, kit.Pairs{1, 1}, "not_canonical")
	f.badValue("bytes-key", seven, kit.Pairs{[]byte("a"), 1}, "not_canonical")
	f.badValue("null-key", seven, kit.Pairs{nil, 1}, "not_canonical")
	f.badValue("array-key", seven, kit.Pairs{kit.List{}, 1}, "not_canonical")

	key, body := withdrawal()
	keys := kit.Keys(body)
	pairs := func(order []string) (p kit.Pairs) {
		for _, k := range order {
			p = append(p, k, body[k])
		}
		return p
	}
	swapped := append([]string{keys[1], keys[0]}, keys[2:]...)
	f.badBlock("body-keys-not-sorted", seven, key.RecordOver(kit.Encode(pairs(swapped))), "not_canonical")
	f.badBlock("body-key-twice", seven, key.RecordOver(kit.Encode(append(kit.Pairs{"v", 1}, pairs(keys)...))), "not_canonical")
	f.badBlock("body-key-integer", seven, key.RecordOver(kit.Encode(append(kit.Pairs{0, 1}, pairs(keys)...))), "not_canonical")
}

func texts(f *recordFile) {
	eight := kit.Musts("REC-8")
	f.goodValue("text-composed", eight, "\u00e9")
	f.goodValue("text-decomposed", eight, "e\u0301")
	f.goodValue("text-highest-character", eight, "\U0010ffff")
	f.goodValue("text-noncharacter", eight, "\ufffe")
	f.goodValue("text-with-a-byte-order-mark", eight, "\ufeffx")
	f.goodValue("text-control-in-ext", kit.Musts("REC-19", "REC-24"), "\x00")
	f.goodValue("text-empty-in-ext", kit.Musts("REC-19", "REC-24"), "")
	f.goodValue("key-control-in-ext", kit.Musts("REC-19", "REC-24"), kit.Map{"": 1, "\x00": 2})
	terms := kit.BodyOf("terms")
	f.good("text-free-in-a-policy", kit.Musts("REC-19"), terms.Key, kit.With(terms.Min, "policy", kit.Map{"": "", "x": "\x00"}))
	f.bad("null-in-a-policy", kit.Musts("REC-20"), terms.Key, kit.With(terms.Min, "policy", kit.Map{"x": kit.List{nil}}), "bad_field")
	f.good("text-that-begins-with-a-byte-order-mark", kit.Musts("REC-8", "REC-19"), terms.Key, kit.WithAll(terms.Min, "name", "\ufeffx", "text", "\ufeff"))
	for _, bad := range []struct{ name, text string }{
		{"continuation-alone", "\x80"},
		{"cut-sequence", "\xe2\x82"},
		{"overlong-slash", "\xc0\xaf"},
		{"overlong-null", "\xc0\x80"},
		{"overlong-in-3-bytes", "\xe0\x80\xaf"},
		{"surrogate", "\xed\xa0\x80"},
		{"surrogate-pair", "\xed\xa0\x81\xed\xb0\x80"},
		{"above-the-highest-character", "\xf4\x90\x80\x80"},
		{"byte-ff", "\xff"},
		{"latin-1", "caf\xe9"},
	} {
		f.badValue("text-"+bad.name, eight, bad.text, "not_canonical")
		if bad.name == "latin-1" {
			f.badValue("key-"+bad.name, eight, kit.Map{bad.text: 1}, "not_canonical")
		}
	}
	key, body := withdrawal()
	f.bad("text-of-a-field-is-latin-1", eight, key, kit.With(body, "reason", "\xe9"), "not_canonical", "bad_field")
}

// cid is a CID as it should be.
func cid() []byte { id := kit.SomeID("x"); return id[:] }

func tags(f *recordFile) {
	nine := kit.Musts("REC-9")
	spoiled := func(at int, b byte) []byte {
		c := cid()
		c[at] = b
		return c
	}
	f.goodValue("link", nine, kit.SomeID("x"))
	f.goodValue("link-raw", kit.Musts("REC-9", "REC-21"), kit.Link(spoiled(1, 0x55)))
	f.goodValue("link-codec-0", nine, kit.Link(spoiled(1, 0x00)))
	f.goodValue("link-codec-127", nine, kit.Link(spoiled(1, 0x7f)))
	f.badValue("link-codec-128", nine, kit.Link(kit.Join([]byte{0x01, 0x80, 0x01}, cid()[2:])), "not_canonical")
	f.badValue("link-codec-of-a-cut-varint", nine, kit.Link(spoiled(1, 0x80)), "not_canonical")
	f.badValue("link-cid-version-0", nine, kit.Link(cid()[2:]), "not_canonical")
	f.badValue("link-cid-version-2", nine, kit.Link(spoiled(0, 2)), "not_canonical")
	f.badValue("link-sha2-512-code", nine, kit.Link(spoiled(2, 0x13)), "not_canonical")
	f.badValue("link-identity", nine, kit.Link([]byte("\x01\x71\x00\x20"+string(make([]byte, 32)))), "not_canonical")
	f.badValue("link-hash-length-31", nine, kit.Link(spoiled(3, 0x1f)), "not_canonical")
	f.badValue("link-31-bytes-of-hash", nine, kit.Link(kit.Join([]byte{0x01, 0x71, 0x12, 0x1f}, cid()[5:])), "not_canonical")
	f.badValue("link-of-35-bytes", nine, kit.Link(cid()[:35]), "not_canonical")
	f.badValue("link-of-37-bytes", nine, kit.Link(append(cid(), 0)), "not_canonical")
	f.badValue("link-empty", nine, kit.Raw{0xd8, 0x2a, 0x40}, "not_canonical")
	f.badValue("link-without-prefix", nine, kit.Raw(kit.Join([]byte{0xd8, 0x2a}, kit.Encode(cid()))), "not_canonical")
	f.badValue("link-with-prefix-1", nine, kit.Raw(kit.Join([]byte{0xd8, 0x2a}, kit.Encode(kit.Join([]byte{1}, cid())))), "not_canonical")
	f.badValue("link-as-text", nine, kit.Raw(kit.Join([]byte{0xd8, 0x2a}, kit.Encode(kit.SomeID("x").String()))), "not_canonical")
	f.badValue("link-over-an-integer", nine, kit.Raw{0xd8, 0x2a, 0x00}, "not_canonical")
	f.badValue("link-over-a-link", nine, kit.Raw(kit.Join([]byte{0xd8, 0x2a}, kit.Link(cid()))), "not_canonical")
	f.badValue("link-bytes-with-a-wide-head", kit.Musts("REC-5", "REC-9"), kit.Raw(kit.Join([]byte{0xd8, 0x2a, 0x59, 0x00, 0x25, 0x00}, cid())), "not_canonical")
	for _, n := range []uint64{0, 1, 2, 24, 41, 43, 55799} {
		f.badValue(fmt.Sprintf("tag-%d", n), nine, kit.Raw(kit.Join(kit.Head(tag, n), kit.Encode("2026-01-01T00:00:00Z"))), "not_canonical")
	}
}

func simples(f *recordFile) {
	ten := kit.Musts("REC-10")
	f.goodValue("false", ten, false)
	f.goodValue("true", ten, true)
	f.goodValue("null-in-ext", kit.Musts("REC-10", "REC-20"), nil)
	f.badValue("float-16", ten, kit.Raw{0xf9, 0x3c, 0x00}, "not_canonical")
	f.badValue("float-32", ten, kit.Raw{0xfa, 0x3f, 0x80, 0x00, 0x00}, "not_canonical")
	f.badValue("float-64", ten, kit.Raw{0xfb, 0x3f, 0xf8, 0, 0, 0, 0, 0, 0}, "not_canonical")
	f.badValue("float-nan", ten, kit.Raw{0xf9, 0x7e, 0x00}, "not_canonical")
	f.badValue("float-infinity", ten, kit.Raw{0xf9, 0x7c, 0x00}, "not_canonical")
	f.badValue("undefined", ten, kit.Raw{0xf7}, "not_canonical")
	f.badValue("simple-0", ten, kit.Raw{0xe0}, "not_canonical")
	f.badValue("simple-19", ten, kit.Raw{0xf3}, "not_canonical")
	f.badValue("simple-32", ten, kit.Raw{0xf8, 0x20}, "not_canonical")
	f.badValue("simple-255", ten, kit.Raw{0xf8, 0xff}, "not_canonical")
	for _, bad := range []struct {
		name string
		raw  kit.Raw
	}{
		{"simple-20-in-2-bytes", kit.Raw{0xf8, 0x14}},
		{"simple-31-in-2-bytes", kit.Raw{0xf8, 0x1f}},
		{"simple-reserved-28", kit.Raw{0xfc}},
		{"break-alone", kit.Raw{0xff}},
	} {
		f.badValue(bad.name, kit.Musts("REC-10", "REC-14"), bad.raw, "malformed")
	}
	key, body := withdrawal()
	f.bad("at-as-float", ten, key, kit.With(body, "at", kit.Raw{0xfb, 0x41, 0xda, 0x55, 0x6e, 0x40, 0, 0, 0}), "not_canonical")
}

func nesting(f *recordFile) {
	eleven := kit.Musts("REC-11")
	nest := func(n int, innermost any) any {
		for range n {
			innermost = kit.List{innermost}
		}
		return innermost
	}
	// The record, the body and ext are levels 1 to 3.
	f.goodValue("16-levels-of-arrays", eleven, nest(13, 0))
	f.badValue("17-levels-of-arrays", eleven, nest(14, 0), "too_deep")
	f.goodValue("16-levels-with-a-map", eleven, nest(12, kit.Map{"a": 1}))
	f.badValue("17-levels-with-a-map", eleven, nest(13, kit.Map{"a": 1}), "too_deep")
	f.badValue("17-levels-with-an-empty-array", eleven, nest(13, kit.List{}), "too_deep")
	f.goodValue("16-levels-with-a-link", eleven, nest(13, kit.SomeID("x")))
	f.badValue("1000-levels", kit.Musts("REC-11", "ERR-5"), kit.Raw(strings.Repeat("\x81", 1000)+"\x00"), "too_deep")

	twelve := kit.Musts("REC-12")
	key, body := withdrawal()
	// The record, the signature, and the body with ext and one key in it.
	base := 2 + kit.Count(kit.With(body, "ext", kit.Map{"x": 0})) - 1
	zeros := func(n int) kit.List {
		l := kit.List{}
		for base+kit.Count(l) < n {
			l = append(l, 0)
		}
		return l
	}
	f.good("8192-values", twelve, key, kit.With(body, "ext", kit.Map{"x": zeros(8192)}))
	f.bad("8193-values", twelve, key, kit.With(body, "ext", kit.Map{"x": zeros(8193)}), "too_large")
	// 100 links are 200 values; the rest is zeros.
	withLinks := func(n int) kit.List {
		l := kit.List{}
		for range 100 {
			l = append(l, kit.SomeID("x"))
		}
		for base+kit.Count(l) < n {
			l = append(l, 0)
		}
		return l
	}
	f.good("8192-values-with-links", twelve, key, kit.With(body, "ext", kit.Map{"x": withLinks(8192)}))
	f.bad("8193-values-with-links", twelve, key, kit.With(body, "ext", kit.Map{"x": withLinks(8193)}), "too_large")
}
