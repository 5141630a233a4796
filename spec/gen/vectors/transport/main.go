// Command transport makes the vectors of document 8: addresses, frames,
// catching up, telling of peers, and invites.
package main

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"math/bits"
	"slices"
	"strings"

	"github.com/parley-protocol/parley/spec/gen/vectors/kit"
)

//go:generate go run .

func main() { kit.Main(files()) }

// files is all of the chapter, in its order.
func files() []kit.File {
	return []kit.File{addresses(), frames(), judged(), catchup(), reconcileMessages(), ranges(), fingerprints(), peers(), stem(), invites()}
}

// addresses is [NET-6] and [SEAL-2].
func addresses() kit.File {
	f := kit.File{Path: "08-transport/addresses.json", Kind: "name", Description: "Addresses as records may have them."}
	musts := kit.Musts("NET-1", "NET-6", "SEAL-2")
	peer := kit.Peer("mail")
	end := "/p2p/" + peer
	for i, text := range []string{
		"/ip4/192.0.2.7/udp/4001/quic-v1" + end, "/dns/mail.example.com/tcp/4001" + end, "/ip6/2001:db8::1/tcp/1" + end, "/of-a-kind/that~nobody!knows" + end,
		"/x" + end, "/p2p" + end, "/p2p/x" + end, end + "/p2p-circuit" + end, "/" + kit.Letters(256-1-len(end)) + end,
	} {
		f.Add(fmt.Sprintf("address-%d", i+1), musts, kit.Values{"form": "address", "text": text}, kit.Values{"valid": true})
	}
	other := func(prefix string, key []byte) string { return "/x/p2p/" + kit.Base58(kit.Join([]byte(prefix), key)) }
	public := kit.NewKey("mail").Public()
	for i, text := range []string{
		"", "/", end, peer, "/ip4/192.0.2.7/tcp/4001", "/ip4/192.0.2.7/tcp/4001" + end + "/", "/ip4/192.0.2.7/tcp/4001" + end + "/x", "ip4/192.0.2.7" + end, "//x" + end,
		"/x/" + end, "/x y" + end, "/\u00e4" + end, "/x\n" + end, "/x" + end + "\n", "/x" + end[:len(end)-1], "/x" + end + "1", "/x/p2p/", "/x/ipfs/" + peer, "/x/P2P/" + peer,
		"/x/p2p/" + strings.ToLower(peer), "/x/p2p/1" + peer, other("\x00\x24\x08\x02\x12\x20", public), other("\x12\x20", kit.Sum(public)), other("\x00\x24\x08\x01\x12\x20", public[:31]),
		"/x/p2p/bafzaajaiaejca" + strings.ToLower(peer[:38]), "/" + kit.Letters(257-1-len(end)) + end, "/\x7f" + end,
	} {
		f.Add(fmt.Sprintf("no-address-%d", i+1), musts, kit.Values{"form": "address", "text": text}, kit.Values{"valid": false})
	}
	return f
}

// work is the bits of a stamp, [NET-11].
func work(id kit.ID, stamp []byte) int {
	if len(stamp) == 0 {
		return 0
	}
	hash := kit.Sum(kit.Join([]byte("parley/1/stamp\x00"), id[:], stamp))
	for i, b := range hash {
		if b != 0 {
			return 8*i + bits.LeadingZeros8(b)
		}
	}
	return 256
}

// stampOf is the first stamp with at least as many bits.
func stampOf(id kit.ID, least int) []byte {
	for i := uint64(0); ; i++ {
		if stamp := binary.BigEndian.AppendUint64(nil, i); work(id, stamp) >= least {
			return stamp
		}
	}
}

// frames is [NET-9] to [NET-11], without a look at the record.
func frames() kit.File {
	f := kit.File{Path: "08-transport/frames.json", Kind: "frame", Description: "Frames by themselves: their form, their message ID, their stamp's work."}
	block := kit.Customer.Record(kit.BodyOf("withdrawal").Min)
	good := func(name string, block, stamp []byte) {
		frame := kit.Encode(kit.List{1, block, stamp})
		id := kit.SumID(block)
		f.Add(name, kit.Musts("NET-9", "NET-10", "NET-11"), kit.Values{"frame": frame},
			kit.Values{"messageId": kit.Sum(frame), "record": id, "stampBits": work(id, stamp)})
	}
	good("without-a-stamp", block, nil)
	good("stamp-of-zeros", block, make([]byte, 8))
	for _, least := range []int{1, 8, 12, 16} {
		good(fmt.Sprintf("stamp-of-%d-bits", least), block, stampOf(block.ID(), least))
	}
	good("block-that-is-no-record", []byte("x"), nil)

	nine := kit.Musts("NET-9")
	bad := func(name string, musts []string, frame []byte, codes ...string) {
		f.Fail(name, musts, kit.Values{"frame": frame}, codes...)
	}
	list := func(entries ...any) []byte { return kit.Encode(kit.List(entries)) }
	raw := []byte(block)
	bad("version-0", nine, list(0, raw, []byte{}), "unsupported_version")
	bad("version-2", nine, list(2, raw, []byte{}), "unsupported_version")
	bad("version-text", nine, list("1", raw, []byte{}), "malformed")
	bad("array-of-2", nine, list(1, raw), "malformed")
	bad("array-of-4", nine, list(1, raw, []byte{}, 0), "malformed", "too_large")
	bad("map", nine, kit.Encode(kit.Map{"record": raw}), "malformed")
	bad("block-not-as-bytes", nine, list(1, kit.Raw(raw), []byte{}), "malformed", "too_deep", "too_large")
	bad("block-as-text", nine, list(1, "x", []byte{}), "malformed")
	bad("block-empty", nine, list(1, []byte{}, []byte{}), "malformed")
	bad("stamp-as-text", nine, list(1, raw, ""), "malformed")
	bad("stamp-as-integer", nine, list(1, raw, 0), "malformed")
	bad("stamp-null", nine, list(1, raw, nil), "malformed")
	for _, n := range []int{1, 7, 9, 16} {
		bad(fmt.Sprintf("stamp-of-%d-bytes", n), nine, list(1, raw, make([]byte, n)), "malformed")
	}
	filler := func(n int) []byte { return list(1, make([]byte, n), []byte{}) }
	bad("longer-than-65536-bytes", kit.Musts("NET-9", "ERR-5"), filler(65536), "too_large")
	right := list(1, raw, []byte{})
	bad("empty", nine, nil, "malformed")
	bad("cut", nine, right[:len(right)-1], "malformed")
	bad("a-byte-more", kit.Musts("NET-9", "REC-13"), append(bytes.Clone(right), 0), "malformed")
	bad("indefinite-length", kit.Musts("NET-9", "REC-6"), kit.Join([]byte{0x9f}, right[1:], []byte{0xff}), "not_canonical")
	bad("version-in-2-bytes", kit.Musts("NET-9", "REC-5"), kit.Join([]byte{0x83, 0x18, 0x01}, right[2:]), "not_canonical")
	return f
}

// judged is frames with the topic and the clock of who got them.
func judged() kit.File {
	f := kit.File{Path: "08-transport/judged-frames.json", Kind: "frame", Description: "Frames in a market at a time: whether gossip relays them."}
	const market, now = "furniture", kit.T0 + 100
	in := func(block []byte, market string) kit.Values {
		return kit.Values{"frame": kit.Encode(kit.List{1, block, []byte{}}), "market": market, "now": now}
	}
	good := func(name string, musts []string, block kit.Block, market string) {
		values := in(block, market)
		f.Add(name, musts, values, kit.Values{
			"messageId": kit.Sum(values["frame"].([]byte)), "record": block.ID(), "stampBits": 0, "verdict": "accept",
		})
	}
	bad := func(name string, musts []string, block []byte, code, verdict string) {
		values := in(block, market)
		values["verdict"] = verdict
		f.Fail(name, musts, values, code)
	}
	intent := kit.With(kit.BodyOf("intent").Min, "market", market)
	gone := kit.With(kit.BodyOf("withdrawal").Min, "market", market)
	profile := kit.With(kit.BodyOf("profile").Min, "markets", kit.List{"test", market})
	thirteen, twentyFour := kit.Musts("NET-9", "NET-13"), kit.Musts("INT-24", "NET-12")
	good("intent", thirteen, kit.Customer.Record(intent), market)
	good("withdrawal", thirteen, kit.Customer.Record(gone), market)
	good("withdrawal-of-what-is-not-held", kit.Musts("INT-15", "INT-17"), kit.Stranger.Record(kit.With(gone, "by", kit.Stranger.DID())), market)
	good("profile", kit.Musts("NET-9", "NET-13", "INT-24"), kit.Vendor.Record(profile), market)
	good("intent-in-a-narrower-market", twentyFour, kit.Customer.Record(kit.With(intent, "market", "furniture/office")), "furniture/office")
	good("intent-with-unknown-keys", kit.Musts("REC-26", "NET-13"), kit.Customer.Record(kit.With(intent, "colour", "red")), market)
	critical := kit.WithAll(intent, "crit", kit.List{"x"}, "ext", kit.Map{"x": 1})
	good("intent-with-crit", kit.Musts("REC-25", "NET-13"), kit.Customer.Record(critical), market)
	good("intent-600-seconds-early", kit.Musts("REC-32", "NET-12"), kit.Customer.Record(kit.With(intent, "at", now+600)), market)

	bad("intent-of-another-market", twentyFour, kit.Customer.Record(kit.With(intent, "market", "test")), "wrong_market", "reject")
	bad("intent-of-a-narrower-market", twentyFour, kit.Customer.Record(kit.With(intent, "market", "furniture/office")), "wrong_market", "reject")
	bad("intent-without-a-market", kit.Musts("INT-2", "INT-24"), kit.Customer.Record(kit.With(intent, "market", kit.Absent)), "wrong_market", "reject")
	bad("withdrawal-of-another-market", twentyFour, kit.Customer.Record(kit.With(gone, "market", "test")), "wrong_market", "reject")
	bad("withdrawal-without-a-market", kit.Musts("INT-14", "INT-24"), kit.Customer.Record(kit.With(gone, "market", kit.Absent)), "wrong_market", "reject")
	terms, travels := kit.BodyOf("terms"), []string{"intent", "withdrawal", "profile", "terms", "writer"}
	good("terms", kit.Musts("NET-13", "TERMS-11"), terms.Key.Record(terms.Min), market)
	good("terms-for-366-days", kit.Musts("TERMS-11"), terms.Key.Record(kit.With(terms.Min, "retainUntil", kit.T0+366*kit.Day)), market)
	bad("terms-for-longer", kit.Musts("TERMS-11"), terms.Key.Record(kit.With(terms.Min, "retainUntil", kit.T0+366*kit.Day+1)), "life_too_long", "reject")
	writer := kit.BodyOf("writer")
	good("writer", kit.Musts("NET-13", "INT-25", "INT-27"), writer.Key.Record(writer.Min), market)
	good("writer-in-a-narrower-market", kit.Musts("INT-27", "INT-24"), writer.Key.Record(writer.Min), "furniture/office")
	good("terms-in-a-narrower-market", kit.Musts("TERMS-11", "INT-24"), terms.Key.Record(terms.Min), "furniture/office")
	for _, b := range kit.Bodies() {
		if slices.Contains(travels, b.Type) {
			continue
		}
		musts := kit.Musts("NET-13", "NET-23")
		switch b.Type {
		case "introduction":
			musts = append(musts, "INT-29")
		case "preference", "membership", "transaction-history":
			musts = append(musts, "INT-33")
		}
		bad(b.Type, musts, b.Key.Record(b.Min), "unknown_type", "ignore")
	}
	bad("unknown-type", kit.Musts("NET-13", "REC-29"), kit.Customer.Record(kit.Header("thing", kit.Customer, nil)), "unknown_type", "ignore")
	twelve := kit.Musts("NET-12", "ERR-2")
	forged := kit.Customer.Record(intent).Clone()
	forged[len(forged)-1] ^= 1
	bad("forged", twelve, forged, "bad_signature", "reject")
	bad("no-record", twelve, []byte("x"), "malformed", "reject")
	bad("not-canonical", twelve, kit.Customer.Record(kit.With(intent, "v", kit.Raw{0x18, 0x01})), "not_canonical", "reject")
	bad("missing-field", twelve, kit.Customer.Record(kit.With(intent, "name", kit.Absent)), "missing_field", "reject")
	bad("bad-field", twelve, kit.Customer.Record(kit.With(intent, "awards", 0)), "bad_field", "reject")
	bad("bad-key", twelve, kit.Customer.Record(kit.With(intent, "by", "did:web:example.com")), "bad_key", "reject")
	bad("life-too-long", twelve, kit.Customer.Record(kit.With(intent, "retainUntil", kit.T0+367*kit.Day)), "life_too_long", "reject")
	deep := any(0)
	for range 20 {
		deep = kit.List{deep}
	}
	bad("too-deep", twelve, kit.Customer.Record(kit.With(intent, "ext", kit.Map{"x": deep})), "too_deep", "reject")
	bad("version-2", kit.Musts("NET-12", "REC-15"), kit.Customer.Record(kit.With(intent, "v", 2)), "unsupported_version", "ignore")
	bad("intent-601-seconds-early", kit.Musts("REC-32", "NET-12"), kit.Customer.Record(kit.With(intent, "at", now+601)), "not_yet_valid", "ignore")
	old := kit.WithAll(intent, "at", kit.T0-20*kit.Day, "validUntil", now)
	bad("intent-past-validUntil", kit.Musts("REC-34", "NET-12"), kit.Customer.Record(old), "expired", "ignore")
	bad("profile-past-retainUntil", kit.Musts("REC-33", "NET-12"), kit.Vendor.Record(kit.WithAll(profile, "retainUntil", now)), "expired", "ignore")
	return f
}

// catchup is [NET-18] and [NET-19].
func catchup() kit.File {
	f := kit.File{Path: "08-transport/catchup.json", Kind: "catchup-message", Description: "Requests and answers of catching up: their shapes."}
	musts := kit.Musts("NET-18", "NET-19")
	in := func(direction string, message any) kit.Values {
		return kit.Values{"direction": direction, "stream": kit.Stream(kit.Encode(message))}
	}
	good := func(name, direction, shape string, message any, unknown ...string) {
		f.Add(name, musts, in(direction, message), kit.Values{"shape": shape, "unknown": append([]string{}, unknown...)})
	}
	request := kit.Map{"market": "furniture/office", "limit": 100}
	const ask = "catchup-request"
	good("request", "request", ask, request)
	good("request-after", "request", ask, kit.With(request, "after", "x"))
	good("request-after-128-bytes", "request", ask, kit.With(request, "after", kit.Letters(128)))
	good("request-limit-1", "request", ask, kit.With(request, "limit", 1))
	good("request-limit-1000", "request", ask, kit.With(request, "limit", 1000))
	bad := func(name string, message any, codes ...string) {
		f.Fail(name, musts, in("request", message), codes...)
	}
	bad("request-limit-0", kit.With(request, "limit", 0), "bad_field")
	bad("request-limit-1001", kit.With(request, "limit", 1001), "bad_field")
	bad("request-limit-text", kit.With(request, "limit", "1"), "bad_field")
	bad("request-after-129-bytes", kit.With(request, "after", kit.Letters(129)), "bad_field")
	bad("request-after-empty", kit.With(request, "after", ""), "bad_field")
	bad("request-after-bytes", kit.With(request, "after", []byte("x")), "bad_field")
	bad("request-market-of-another-form", kit.With(request, "market", "Furniture"), "bad_field")
	bad("request-without-market", kit.With(request, "market", kit.Absent), "missing_field")
	bad("request-without-limit", kit.With(request, "limit", kit.Absent), "missing_field")
	bad("request-with-another-key", kit.With(request, "colour", "red"), "bad_field")
	bad("request-array", kit.List{"furniture", 1}, "malformed")
	bad("request-keys-not-sorted", kit.Pairs{"market", "test", "limit", 1}, "not_canonical")
	f.Fail("request-of-513-bytes", kit.Musts("NET-18", "NET-26", "ERR-5"), kit.Values{"direction": "request", "stream": binary.AppendUvarint(nil, 513)}, "reset")

	frame := kit.Encode(kit.List{1, []byte(kit.Customer.Record(kit.BodyOf("withdrawal").Min)), []byte{}})
	answer := kit.Map{"frames": kit.List{frame}}
	const had = "caught-up"
	good("answer", "response", had, answer)
	good("answer-without-frames", "response", had, kit.With(answer, "frames", kit.List{}))
	good("answer-with-next", "response", had, kit.With(answer, "next", kit.Letters(128)))
	good("answer-with-an-unknown-key", "response", had, kit.With(answer, "colour", "red"), "colour")
	good("refusal", "response", "refusal", kit.Map{"error": "over_quota"})
	good("refusal-with-a-hint", "response", "refusal", kit.Map{"error": "wrong_market", "hint": "Not here."})
	wrong := func(name string, message any, codes ...string) {
		f.Fail(name, musts, in("response", message), codes...)
	}
	wrong("answer-of-nothing", kit.Map{}, "malformed")
	wrong("answer-with-text-for-frames", kit.Map{"frames": "x"}, "malformed")
	wrong("answer-with-a-frame-as-text", kit.Map{"frames": kit.List{"x"}}, "malformed")
	wrong("answer-with-next-empty", kit.With(answer, "next", ""), "malformed")
	wrong("answer-with-next-of-129-bytes", kit.With(answer, "next", kit.Letters(129)), "malformed")
	wrong("answer-with-next-as-integer", kit.With(answer, "next", 1), "malformed")
	wrong("answer-array", kit.List{kit.List{frame}}, "malformed")
	many := kit.List{}
	for range 1001 {
		many = append(many, []byte{0x80})
	}
	wrong("answer-of-1001-frames", kit.Map{"frames": many}, "malformed")
	half := make([]byte, 131072)
	good("answer-of-262144-bytes", "response", had, kit.Map{"frames": kit.List{half, half}})
	wrong("answer-of-262145-bytes", kit.Map{"frames": kit.List{half, half, []byte{0}}}, "malformed")
	f.Fail("answer-longer-than-270336", kit.Musts("NET-18", "NET-26", "ERR-5"), kit.Values{"direction": "response", "stream": binary.AppendUvarint(nil, 270337)}, "reset")
	return f
}

// peers is [PEER-6].
func peers() kit.File {
	f := kit.File{Path: "08-transport/peers.json", Kind: "peers-message", Description: "Requests for other peers of a market and their answers: their shapes."}
	musts := kit.Musts("PEER-4", "PEER-6")
	in := func(direction string, message any) kit.Values {
		return kit.Values{"direction": direction, "stream": kit.Stream(kit.Encode(message))}
	}
	good := func(name, direction, shape string, message any, unknown ...string) {
		f.Add(name, musts, in(direction, message), kit.Values{"shape": shape, "unknown": append([]string{}, unknown...)})
	}
	bad := func(name, direction string, message any, codes ...string) {
		f.Fail(name, musts, in(direction, message), codes...)
	}
	request := kit.Map{"market": "furniture/office", "limit": 16}
	good("request", "request", "peers-request", request)
	good("request-limit-1", "request", "peers-request", kit.With(request, "limit", 1))
	bad("request-limit-0", "request", kit.With(request, "limit", 0), "bad_field")
	bad("request-limit-17", "request", kit.With(request, "limit", 17), "bad_field")
	bad("request-market-of-another-form", "request", kit.With(request, "market", "Furniture"), "bad_field")
	bad("request-without-market", "request", kit.With(request, "market", kit.Absent), "missing_field")
	bad("request-without-limit", "request", kit.With(request, "limit", kit.Absent), "missing_field")
	f.Fail("request-with-another-key", kit.Musts("PEER-6"), in("request", kit.With(request, "colour", "red")), "bad_field")
	bad("request-array", "request", kit.List{"furniture", 1}, "malformed")
	f.Fail("request-of-513-bytes", musts, kit.Values{"direction": "request", "stream": binary.AppendUvarint(nil, 513)}, "reset")

	address := func(i int) any { return "/ip4/192.0.2.7/udp/4001/quic-v1/p2p/" + kit.Peer(fmt.Sprint(i)) }
	list := func(n int, entry func(int) any) kit.List {
		l := kit.List{}
		for i := range n {
			l = append(l, entry(i))
		}
		return l
	}
	const named = "peers-named"
	good("answer", "response", named, kit.Map{"addrs": list(2, address)})
	good("answer-without-peers", "response", named, kit.Map{"addrs": kit.List{}})
	good("answer-of-64-addresses", "response", named, kit.Map{"addrs": list(64, address)})
	good("answer-with-an-address-of-another-kind", "response", named, kit.Map{"addrs": kit.List{"/dns/mail.example.com/tcp/443/tls/ws", address(1)}})
	good("answer-with-an-address-of-256-bytes", "response", named, kit.Map{"addrs": kit.List{kit.Letters(256)}})
	f.Add("answer-with-an-unknown-key", kit.Musts("PEER-6"), in("response", kit.Map{"addrs": list(1, address), "colour": "red"}),
		kit.Values{"shape": named, "unknown": []string{"colour"}})
	good("refusal", "response", "refusal", kit.Map{"error": "wrong_market", "hint": "Not here."})
	bad("answer-of-nothing", "response", kit.Map{}, "malformed")
	bad("answer-of-65-addresses", "response", kit.Map{"addrs": list(65, address)}, "malformed")
	bad("answer-with-an-address-of-257-bytes", "response", kit.Map{"addrs": kit.List{kit.Letters(257)}}, "malformed")
	bad("answer-with-an-empty-address", "response", kit.Map{"addrs": kit.List{""}}, "malformed")
	bad("answer-with-an-address-as-bytes", "response", kit.Map{"addrs": kit.List{[]byte("x")}}, "malformed")
	bad("answer-with-text-for-addresses", "response", kit.Map{"addrs": "x"}, "malformed")
	f.Fail("answer-longer-than-32768", musts, kit.Values{"direction": "response", "stream": binary.AppendUvarint(nil, 32769)}, "reset")
	return f
}

// stem is [STEM-1].
func stem() kit.File {
	f := kit.File{Path: "08-transport/stem.json", Kind: "stem-message", Description: "Requests and answers of the stem: their shapes."}
	musts := kit.Musts("STEM-1")
	in := func(direction string, message any) kit.Values {
		return kit.Values{"direction": direction, "stream": kit.Stream(kit.Encode(message))}
	}
	good := func(name, direction, shape string, message any, unknown ...string) {
		f.Add(name, musts, in(direction, message), kit.Values{"shape": shape, "unknown": append([]string{}, unknown...)})
	}
	frame := kit.Encode(kit.List{1, []byte(kit.Customer.Record(kit.BodyOf("withdrawal").Min)), []byte{}})
	request := kit.Map{"frame": []byte(frame), "market": "furniture/office"}
	const hand = "stem-request"
	good("request", "request", hand, request)
	good("request-with-any-bytes-for-a-frame", "request", hand, kit.With(request, "frame", []byte{0}))
	good("request-with-the-largest-frame", "request", hand, kit.With(request, "frame", make([]byte, 65536)))
	good("request-with-the-longest-market", "request", hand, kit.With(request, "market", kit.Letters(64)))
	bad := func(name string, message any, codes ...string) {
		f.Fail(name, musts, in("request", message), codes...)
	}
	bad("request-frame-empty", kit.With(request, "frame", []byte{}), "bad_field")
	bad("request-frame-of-65537-bytes", kit.With(request, "frame", make([]byte, 65537)), "bad_field")
	bad("request-frame-text", kit.With(request, "frame", "x"), "bad_field")
	bad("request-frame-list", kit.With(request, "frame", kit.List{1, []byte{1}, []byte{}}), "bad_field")
	bad("request-market-of-another-form", kit.With(request, "market", "Furniture"), "bad_field")
	bad("request-market-of-65-bytes", kit.With(request, "market", kit.Letters(65)), "bad_field")
	bad("request-without-market", kit.With(request, "market", kit.Absent), "missing_field")
	bad("request-without-frame", kit.With(request, "frame", kit.Absent), "missing_field")
	bad("request-with-another-key", kit.With(request, "hops", 1), "bad_field")
	bad("request-bytes", []byte(frame), "malformed")
	bad("request-keys-not-sorted", kit.Pairs{"market", "test", "frame", []byte{1}}, "not_canonical")
	reset := kit.Musts("STEM-1", "ERR-5")
	f.Fail("request-of-65793-bytes", reset, kit.Values{"direction": "request", "stream": binary.AppendUvarint(nil, 65793)}, "reset")
	f.Fail("request-of-no-bytes", musts, kit.Values{"direction": "request", "stream": []byte{0}}, "reset")
	f.Fail("request-with-its-length-in-a-longer-form", musts, kit.Values{"direction": "request", "stream": []byte{0x81, 0x00, 0xa0}}, "reset")

	good("answer", "response", "taken", kit.Map{})
	good("answer-with-an-unknown-key", "response", "taken", kit.Map{"colour": "red"}, "colour")
	good("refusal", "response", "refusal", kit.Map{"error": "over_quota"})
	good("refusal-with-a-hint", "response", "refusal", kit.Map{"error": "wrong_market", "hint": "Not here."})
	wrong := func(name string, message any) { f.Fail(name, musts, in("response", message), "malformed") }
	wrong("refusal-by-number", kit.Map{"error": 1})
	wrong("answer-list", kit.List{})
	f.Fail("answer-of-513-bytes", reset, kit.Values{"direction": "response", "stream": binary.AppendUvarint(nil, 513)}, "reset")
	return f
}

// invites is document 8, "Invites".
func invites() kit.File {
	f := kit.File{Path: "08-transport/invites.json", Kind: "invite", Description: "Links that join two nodes."}
	musts := kit.Musts("NET-27", "NAT-1")
	link := func(encoded []byte) string {
		sum := kit.Sum(kit.Join([]byte("parley/1/invite\x00"), encoded))
		return "parley://join/" + base64.RawURLEncoding.EncodeToString(kit.Join(encoded, sum[:4]))
	}
	good := func(name string, body kit.Map) {
		values := func(key string) any {
			if l, ok := body[key].(kit.List); ok {
				return l
			}
			return kit.List{}
		}
		f.Add(name, musts, kit.Values{"link": link(kit.Encode(body))},
			kit.Values{"addrs": values("addrs"), "markets": values("markets"), "name": body["name"]})
	}
	bad := func(name, link string, codes ...string) {
		f.Fail(name, musts, kit.Values{"link": link}, codes...)
	}
	badBody := func(name string, body any, codes ...string) { bad(name, link(kit.Encode(body)), codes...) }
	address := func(name string) string { return "/ip4/192.0.2.7/udp/4001/quic-v1/p2p/" + kit.Peer(name) }
	least := kit.Map{"addrs": kit.List{address("node")}}
	list := func(n int, entry func(int) any) kit.List {
		l := kit.List{}
		for i := range n {
			l = append(l, entry(i))
		}
		return l
	}
	addrs := func(n int) kit.List { return list(n, func(i int) any { return address(fmt.Sprint(i)) }) }
	markets := func(n int) kit.List { return list(n, func(i int) any { return fmt.Sprint("market-", i) }) }

	good("of-an-address", least)
	good("of-all", kit.WithAll(least, "markets", kit.List{"test", "furniture/office"}, "name", "Ada's node ✓"))
	good("of-8-addresses", kit.With(least, "addrs", addrs(8)))
	good("of-32-markets", kit.With(least, "markets", markets(32)))
	good("of-a-name-of-200-bytes", kit.With(least, "name", kit.Letters(200)))
	good("with-an-unknown-key", kit.With(least, "colour", "red"))
	good("with-tcp-and-dns", kit.With(least, "addrs", kit.List{kit.Address("mail")}))

	twice := kit.With(least, "addrs", kit.List{address("node"), address("node")})
	good("of-entries-that-repeat", kit.With(twice, "markets", kit.List{"test", "test"}))
	f.Add("with-white-space-around", musts, kit.Values{"link": " \t" + link(kit.Encode(least)) + "\r\n"},
		kit.Values{"addrs": least["addrs"], "markets": kit.List{}, "name": nil})
	through := func(relay string) string { return address(relay) + "/p2p-circuit/p2p/" + kit.Peer("node") }
	good("through-a-relay", kit.With(least, "addrs", kit.List{through("relay"), "/dns/relay.example/tcp/4001/p2p/" + kit.Peer("relay") + "/p2p-circuit/p2p/" + kit.Peer("node")}))
	good("with-ip6", kit.With(least, "addrs", kit.List{"/ip6/2001:db8::1/tcp/4001/p2p/" + kit.Peer("node")}))

	right := link(kit.Encode(least))
	at := len(right) - 3
	other := map[bool]string{true: "B", false: "A"}[right[at] == 'A']
	bad("checksum-wrong", right[:at]+other+right[at+1:], "malformed")
	sum := kit.Sum(kit.Encode(least))
	bad("checksum-without-its-label", "parley://join/"+base64.RawURLEncoding.EncodeToString(kit.Join(kit.Encode(least), sum[:4])), "malformed")
	bad("cut", right[:len(right)-8], "malformed")
	bad("empty", "", "malformed")
	bad("scheme-alone", "parley://join/", "malformed")
	bad("another-scheme", "https://join/"+right[14:], "malformed")
	bad("another-action", "parley://jump/"+right[14:], "malformed")
	bad("with-padding", "parley://join/"+right[14:]+"=", "malformed")
	bad("with-a-character-of-base64", "parley://join/+"+right[15:], "malformed")
	bad("with-a-space-inside", right[:30]+" "+right[30:], "malformed")
	bad("with-a-line-feed-inside", right[:30]+"\n"+right[30:], "malformed")
	bad("with-a-fragment", right+"#x", "malformed")
	badBody("of-9-addresses", kit.With(least, "addrs", addrs(9)), "bad_field")
	badBody("of-no-address", kit.With(least, "addrs", kit.List{}), "bad_field")
	badBody("without-addrs", kit.Map{"name": "x"}, "malformed", "bad_field")
	badBody("addrs-as-text", kit.Map{"addrs": address("node")}, "bad_field", "malformed")
	badBody("address-without-a-peer", kit.Map{"addrs": kit.List{"/ip4/192.0.2.7/tcp/4001"}}, "bad_field")
	for i, form := range []string{
		"/x", "/ip4/192.0.2.7", "/tcp/4001", "/ip4/192.0.2.7/udp/4001", "/ip4/192.0.2.7/udp/4001/quic", "/ip4/192.0.2.7/tcp/4001/ws",
		"/ip4/192.0.2/tcp/4001", "/dns/mail.example.com/tcp/65536", "/ip4/192.0.2.7/tcp/4001/p2p/" + kit.Peer("node") + "/p2p-circuit",
		"/p2p-circuit", "/p2p/" + kit.Peer("relay") + "/p2p-circuit", "/ip4/192.0.2.7/tcp/4001/p2p-circuit", "/ip4/192.0.2.7/tcp/65536/p2p/" + kit.Peer("relay") + "/p2p-circuit",
		"/ip4/192.0.2.7/tcp/4001/p2p/" + kit.Peer("relay") + "/p2p-circuit/p2p/" + kit.Peer("other") + "/p2p-circuit",
		"/ip4/192.0.2.7/tcp/4001/p2p/" + kit.Peer("relay") + "/p2p-circuit/ip4/192.0.2.8/tcp/4001", "/ip4/192.0.2.7/tcp/4001/p2p/" + kit.Peer("relay"),
	} {
		badBody(fmt.Sprintf("address-that-nobody-dials-%d", i+1), kit.With(least, "addrs", kit.List{form + "/p2p/" + kit.Peer("node")}), "bad_field")
	}
	badBody("of-33-markets", kit.With(least, "markets", markets(33)), "bad_field")
	badBody("of-no-markets", kit.With(least, "markets", kit.List{}), "bad_field", "malformed")
	badBody("market-of-another-form", kit.With(least, "markets", kit.List{"Test"}), "bad_field")
	badBody("name-of-201-bytes", kit.With(least, "name", kit.Letters(201)), "bad_field")
	badBody("name-empty", kit.With(least, "name", ""), "bad_field", "malformed")
	badBody("name-integer", kit.With(least, "name", 1), "bad_field", "malformed")
	badBody("array", kit.List{kit.List{address("node")}}, "malformed")
	badBody("keys-not-sorted", kit.Pairs{"addrs", least["addrs"], "name", "x"}, "not_canonical")
	badBody("a-byte-more", kit.Raw(append(kit.Encode(least), 0)), "malformed")
	// The longest, by an unknown key, and one that is longer by a byte or two.
	filled := func(n int) kit.Map { return kit.With(least, "colour", kit.Letters(n)) }
	n := 2900
	for len(link(kit.Encode(filled(n+1)))) <= 4096 {
		n++
	}
	good("longest", filled(n))
	badBody("longer-than-4096-bytes", filled(n+1), "too_large")
	return f
}
