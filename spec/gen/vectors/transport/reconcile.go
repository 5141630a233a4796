package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"math/big"
	"slices"

	"github.com/parley-protocol/parley/spec/gen/vectors/kit"
)

// reconcileMessages is [NET-29].
func reconcileMessages() kit.File {
	f := kit.File{Path: "08-transport/reconcile.json", Kind: "reconcile-message", Description: "Requests and answers of reconciling: their shapes."}
	musts := kit.Musts("NET-29")
	in := func(direction string, message any) kit.Values {
		return kit.Values{"direction": direction, "stream": kit.Stream(kit.Encode(message))}
	}
	good := func(name, direction, shape string, message any, unknown ...string) {
		f.Add(name, musts, in(direction, message), kit.Values{"shape": shape, "unknown": append([]string{}, unknown...)})
	}
	bad := func(name string, message any, codes ...string) {
		f.Fail(name, musts, in("request", message), codes...)
	}
	wrong := func(name string, message any) {
		f.Fail(name, musts, in("response", message), "malformed")
	}
	all := []byte{0x61, 0, 0, 2, 0}
	first := kit.Map{"market": "furniture/office", "cutoff": kit.T0, "message": all}
	next := kit.Map{"message": all}
	id := func(n byte) []byte { return bytes.Repeat([]byte{n}, 32) }
	want := kit.Map{"want": kit.List{id(1), id(2)}}
	many := func(n int, item []byte) (list kit.List) {
		for range n {
			list = append(list, item)
		}
		return list
	}
	good("first", "request", "reconcile-first", first)
	good("first-cutoff-0", "request", "reconcile-first", kit.With(first, "cutoff", 0))
	good("next", "request", "reconcile-next", next)
	good("next-of-32768-bytes", "request", "reconcile-next", kit.Map{"message": make([]byte, 32768)})
	good("want", "request", "reconcile-want", want)
	good("want-of-1000", "request", "reconcile-want", kit.Map{"want": many(1000, id(3))})
	bad("next-of-32769-bytes", kit.Map{"message": make([]byte, 32769)}, "bad_field")
	bad("next-of-no-bytes", kit.Map{"message": []byte{}}, "bad_field")
	bad("next-of-text", kit.Map{"message": "a"}, "bad_field")
	bad("first-without-market", kit.With(first, "market", kit.Absent), "missing_field")
	bad("first-without-cutoff", kit.With(first, "cutoff", kit.Absent), "missing_field")
	bad("first-without-message", kit.With(first, "message", kit.Absent), "missing_field")
	bad("first-market-of-another-form", kit.With(first, "market", "Furniture"), "bad_field")
	bad("first-cutoff-negative", kit.With(first, "cutoff", -1), "bad_field")
	bad("first-cutoff-after-9999", kit.With(first, "cutoff", 253402300800), "bad_field")
	bad("first-with-another-key", kit.With(first, "colour", "red"), "bad_field")
	bad("want-of-nothing", kit.Map{"want": kit.List{}}, "bad_field")
	bad("want-of-1001", kit.Map{"want": many(1001, id(3))}, "bad_field")
	bad("want-of-31-bytes", kit.Map{"want": kit.List{id(1)[:31]}}, "bad_field")
	bad("want-with-a-message", kit.With(want, "message", all), "bad_field")
	bad("nothing", kit.Map{}, "missing_field")
	bad("request-array", kit.List{all}, "malformed")
	bad("request-keys-not-sorted", kit.Pairs{"message", all, "cutoff", 1, "market", "test"}, "not_canonical")
	f.Fail("request-of-40961-bytes", kit.Musts("NET-29", "NET-26", "ERR-5"), kit.Values{"direction": "request", "stream": binary.AppendUvarint(nil, 40961)}, "reset")
	f.Fail("request-of-0-bytes", musts, kit.Values{"direction": "request", "stream": []byte{0}}, "reset")

	frame := kit.Encode(kit.List{1, []byte(kit.Customer.Record(kit.BodyOf("withdrawal").Min)), []byte{}})
	page := kit.Map{"frames": kit.List{frame}, "through": 3}
	good("answer", "response", "reconciled", next)
	good("answer-with-an-unknown-key", "response", "reconciled", kit.With(next, "colour", "red"), "colour")
	good("page", "response", "wanted", page)
	good("page-of-nothing", "response", "wanted", kit.Map{"frames": kit.List{}, "through": 1})
	good("page-of-1000", "response", "wanted", kit.Map{"frames": many(1000, []byte{0x80}), "through": 1000})
	good("page-with-an-unknown-key", "response", "wanted", kit.With(page, "colour", "red"), "colour")
	good("refusal", "response", "refusal", kit.Map{"error": "over_quota", "hint": "Later."})
	wrong("answer-of-nothing", kit.Map{})
	wrong("answer-of-no-bytes", kit.Map{"message": []byte{}})
	wrong("answer-of-32769-bytes", kit.Map{"message": make([]byte, 32769)})
	wrong("page-without-through", kit.With(page, "through", kit.Absent))
	wrong("page-through-0", kit.With(page, "through", 0))
	wrong("page-through-1001", kit.With(page, "through", 1001))
	wrong("page-of-more-than-it-is-about", kit.Map{"frames": kit.List{frame, frame}, "through": 1})
	wrong("page-with-a-frame-as-text", kit.Map{"frames": kit.List{"x"}, "through": 1})
	wrong("page-of-262145-bytes", kit.Map{"frames": kit.List{make([]byte, 262145)}, "through": 1})
	wrong("answer-array", kit.List{all})
	f.Fail("answer-longer-than-270336", kit.Musts("NET-29", "NET-26", "ERR-5"), kit.Values{"direction": "response", "stream": binary.AppendUvarint(nil, 270337)}, "reset")
	return f
}

// big-endian groups of seven bits, as document 8 has them.
func groups(n uint64) []byte {
	out := []byte{byte(n % 128)}
	for n /= 128; n > 0; n /= 128 {
		out = append(out, byte(n%128)+128)
	}
	slices.Reverse(out)
	return out
}

// ranges is [NET-31]: what messages say.
func ranges() kit.File {
	f := kit.File{Path: "08-transport/ranges.json", Kind: "ranges", Description: "Messages of reconciling, range by range."}
	musts := kit.Musts("NET-31")
	sixteen, id := bytes.Repeat([]byte{0xab}, 16), bytes.Repeat([]byte{7}, 32)
	message := func(parts ...[]byte) []byte { return append([]byte{0x61}, kit.Join(parts...)...) }
	good := func(name string, message []byte, says ...kit.Values) {
		list := []any{}
		for _, s := range says {
			list = append(list, s)
		}
		f.Add(name, musts, kit.Values{"message": message}, kit.Values{"ranges": list})
	}
	said := func(until any, prefix []byte) kit.Values {
		return kit.Values{"until": until, "prefix": hex.EncodeToString(prefix)}
	}
	with := func(v kit.Values, key string, value any) kit.Values { v[key] = value; return v }
	end := []byte{0, 0}
	good("nothing", message())
	good("an-empty-list", message(end, []byte{2, 0}), with(said(nil, nil), "ids", []string{}))
	good("a-list", message(end, []byte{2, 1}, id), with(said(nil, nil), "ids", []string{hex.EncodeToString(id)}))
	good("a-fingerprint", message(end, []byte{1}, sixteen), with(said(nil, nil), "fingerprint", hex.EncodeToString(sixteen)))
	good("nothing-and-then-a-list", message(groups(kit.T0+1), []byte{1, 9, 0}, end, []byte{2, 0}),
		said(kit.T0, []byte{9}), with(said(nil, nil), "ids", []string{}))
	good("times-are-differences", message(groups(kit.T0+1), []byte{0, 0}, groups(61), []byte{0, 0}, groups(1), []byte{1, 5, 0}),
		said(kit.T0, nil), said(kit.T0+60, nil), said(kit.T0+60, []byte{5}))
	good("two-ends-at-one-place", message([]byte{5, 1, 9, 0}, []byte{1, 2, 9, 0, 0}), said(4, []byte{9}), said(4, []byte{9, 0}))
	good("a-prefix-of-32-bytes", message([]byte{5, 32}, id, []byte{0}), said(4, id))
	good("a-number-of-more-groups-than-it-needs", message([]byte{0x80, 5, 0, 0}), said(4, nil))
	bad := func(name string, message []byte, code string) {
		f.Fail(name, musts, kit.Values{"message": message}, code)
	}
	bad("no-bytes", nil, "malformed")
	bad("another-version", []byte{0x62, 0, 0, 2, 0}, "unsupported_version")
	bad("cut-off-in-a-time", message([]byte{0x81}), "malformed")
	bad("cut-off-before-the-mode", message(end), "malformed")
	bad("cut-off-in-a-prefix", message([]byte{5, 2, 0}), "malformed")
	bad("cut-off-in-a-fingerprint", message(end, []byte{1}, sixteen[1:]), "malformed")
	bad("cut-off-in-a-list", message(end, []byte{2, 2}, id), "malformed")
	bad("a-huge-list", message(end, []byte{2}, groups(1<<40)), "malformed")
	bad("a-number-of-2-to-the-63", message(groups(1<<63), []byte{0, 0}), "malformed")
	bad("a-time-of-2-to-the-63", message(groups(1<<63-1), []byte{0, 0}, groups(1<<63-1), []byte{0, 0}), "malformed")
	bad("a-prefix-of-33-bytes", message([]byte{5, 33}, make([]byte, 33), []byte{0}), "malformed")
	bad("mode-3", message(end, []byte{3}), "malformed")
	bad("ends-go-down", message([]byte{5, 1, 9, 0}, []byte{1, 1, 8, 0}), "malformed")
	bad("behind-the-last", message(end, []byte{0}, []byte{5, 0, 0}), "malformed")
	return f
}

// fingerprints is [NET-31]: what a range of items has.
func fingerprints() kit.File {
	f := kit.File{Path: "08-transport/fingerprints.json", Kind: "fingerprint", Description: "Fingerprints of items, whatever their times."}
	add := func(name string, ids ...[]byte) {
		sum, texts := new(big.Int), []string{}
		for _, id := range ids {
			little := slices.Clone(id)
			slices.Reverse(little)
			sum.Add(sum, new(big.Int).SetBytes(little))
			texts = append(texts, hex.EncodeToString(id))
		}
		sum.Mod(sum, new(big.Int).Lsh(big.NewInt(1), 256))
		buf := sum.FillBytes(make([]byte, 32))
		slices.Reverse(buf)
		digest := sha256.Sum256(append(buf, groups(uint64(len(ids)))...))
		f.Add(name, kit.Musts("NET-31"), kit.Values{"ids": texts}, kit.Values{"fingerprint": digest[:16]})
	}
	id := func(n byte) []byte { sum := sha256.Sum256([]byte{n}); return sum[:] }
	most := bytes.Repeat([]byte{0xff}, 32)
	add("of-nothing")
	add("of-one", id(1))
	add("of-three", id(1), id(2), id(3))
	add("beyond-256-bits", most, most, id(1))
	var many [][]byte
	for n := range byte(200) {
		many = append(many, id(n))
	}
	add("of-200", many...)
	return f
}
