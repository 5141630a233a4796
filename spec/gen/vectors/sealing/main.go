// Command sealing makes the vectors of document 4 but for the mailbox protocol:
// sealing keys, envelopes and bundles.
package main

import (
	"bytes"
	"encoding/hex"
	"fmt"

	"github.com/parley-protocol/parley/spec/gen/vectors/kit"
)

//go:generate go run .

func main() { kit.Main(files()) }

// files is all of the chapter, in its order.
func files() []kit.File {
	return []kit.File{sealingKeys(), envelopes(), seals(), bundles()}
}

func file(name, kind, description string) kit.File {
	return kit.File{Path: "04-sealing/" + name + ".json", Kind: kind, Description: description}
}

// documentSeed is the sealing seed of document 4's example.
func documentSeed() []byte { return count(0x40) }

// documentEphemeral is the input of its ephemeral key.
func documentEphemeral() []byte { return count(0x60) }

func count(from byte) []byte {
	b := make([]byte, 32)
	for i := range b {
		b[i] = from + byte(i)
	}
	return b
}

// sealingKeys is document 4, "Keys".
func sealingKeys() kit.File {
	f := file("sealing-keys", "sealing-key", "A sealing seed, and the keys and the token that come from it.")
	for _, seed := range []struct {
		name  string
		bytes []byte
	}{{"document-4", documentSeed()}, {"ones", bytes.Repeat([]byte{0xff}, 32)}, {"made-up", kit.Hash("sealing seed")}} {
		for _, suite := range []byte{1, 2} {
			k := keysOf(seed.bytes, suite)
			pickup := kit.KeyOf(derive(seed.bytes, "parley/1/pickup-key"))
			out := kit.Values{
				"ikm": k.ikm, "private": k.private, "public": k.public,
				"pickupSeed": pickup.Seed, "pickupKey": pickup.Public(), "token": kit.Sum(pickup.Public()),
			}
			if seed.name == "document-4" {
				out["pickupSeed"] = "1f880c1bd5e2977d6146c115f3a8b4ceb4d1e4bdb150f7cf039d819e9cb3fb5a"
				out["token"] = "6741804bcd4339558631925b7e24e9a551008f7a8d383a75634a3c801840ace1"
				if suite == 1 {
					out["ikm"] = "8fad0b86d9b9cf484856c3aeb24200feca069be920b989bc38669fd2ab859869"
					out["private"] = "7bb320e3282593e7da70974e562d6bc2127cdf887701f7ed6bd4c73b960a7174"
					out["public"] = "c72c8e7e7d714952fa20703fb10f172bd16d321ce47c6be6fe01affe80c6774d"
				}
			}
			f.Add(fmt.Sprintf("%s-suite-%d", seed.name, suite), kit.Musts("SEAL-5"), kit.Values{"seed": seed.bytes, "suite": suite}, out)
		}
	}
	return f
}

// example is the bundle of document 4's example.
func example() []byte {
	block, err := hex.DecodeString("82a76176016261741a6955b90062627978386469643a6b65793a7a364d6b6568" +
		"52676637794a62676147665973646f41734b6442504533646a324359686f7751" +
		"64636a71534a6776566464747970656a7769746864726177616c66696e74656e" +
		"74d82a58250001711220b8b25c3ed47aedd53d02d90c21193f83545d84ffe1f9" +
		"8ba47fefbfe7dfdc2b4766726561736f6e66626f756768746b72657461696e55" +
		"6e74696c1a697e97805840d9ec38c2b3245a0f774c837fade2200366d88a479d" +
		"6d6c8d51f286ec7eba71ca52f43595e507471003bbaa89e5585d59f2bf7cfa87" +
		"9eff298b025a3437de0a01")
	must(err)
	return kit.Encode(kit.List{1, kit.List{block}})
}

// seals is making an envelope with a given ephemeral key.
func seals() kit.File {
	f := file("seals", "seal", "Making an envelope of suite 1 with a given ephemeral key.")
	for _, c := range []struct {
		name    string
		seed    []byte
		payload []byte
	}{
		{"document-4", documentSeed(), example()},
		{"no-payload", bytes.Repeat([]byte{0xff}, 32), nil},
		{"payload-that-just-fits-a-class", kit.Hash("sealing seed"), kit.Filler("payload", 1020)},
		{"payload-of-the-next-class", kit.Hash("sealing seed"), kit.Filler("payload", 1021)},
	} {
		public := keysOf(c.seed, 1).public
		f.Add(c.name, kit.Musts("SEAL-6", "SEAL-7"),
			kit.Values{"suite": 1, "public": public, "ephemeralIkm": documentEphemeral(), "payload": c.payload},
			kit.Values{"envelope": seal(1, public, documentEphemeral(), pad(c.payload)).envelope()})
	}
	return f
}

// envelopes is document 4, "Envelopes".
func envelopes() kit.File {
	f := file("envelopes", "envelope", "Opening envelopes, right and wrong.")
	seed := documentSeed()
	eph := documentEphemeral()
	in := func(envelope []byte) kit.Values { return kit.Values{"seed": seed, "envelope": envelope} }
	good := func(name string, musts []string, suite byte, payload, plaintext []byte) *kit.Case {
		envelope := seal(suite, keysOf(seed, suite).public, eph, plaintext).envelope()
		return f.Add(name, musts, in(envelope), kit.Values{"id": kit.Sum(envelope), "payload": payload})
	}
	musts := kit.Musts("SEAL-6", "SEAL-7", "SEAL-8")
	c := good("document-4", musts, 1, example(), pad(example()))
	c.Out["id"] = "b7486ab9ac46700d7382832878b78a427fe8c5ee700814f9985c2c24e305044b"
	c.Note = "the ID stands in the document"
	eph = kit.Join(count(0x60), count(0x80))
	c = good("document-4-suite-2", musts, 2, example(), pad(example()))
	c.Out["id"] = "17cd9e524249889e25d3dac50ab3553aa7fb521b8573fc2f89d338f40c42c875"
	c.Note = "the ID stands in the document"
	eph = documentEphemeral()
	good("suite-2", musts, 2, []byte("payload"), pad([]byte("payload")))
	good("no-payload", musts, 1, nil, pad(nil))
	for _, n := range []int{1020, 1021, 4092} {
		payload := bytes.Repeat([]byte{0xaa}, n)
		good(fmt.Sprintf("payload-of-%d-bytes", n), musts, 1, payload, pad(payload))
	}
	good("class-larger-than-needed", kit.Musts("SEAL-6"), 1, []byte("payload"), padTo([]byte("payload"), 4096)).Note =
		"the smallest class is a SHOULD"
	good("payload-ending-in-zeros", kit.Musts("SEAL-8"), 1, []byte{1, 0, 0}, pad([]byte{1, 0, 0}))

	for _, suite := range []byte{1, 2} {
		public := keysOf(seed, suite).public
		right := seal(suite, public, eph, pad([]byte("payload")))
		bad := func(name string, musts []string, code string, envelope []byte) {
			f.Fail(fmt.Sprintf("%s-suite-%d", name, suite), musts, in(envelope), code)
		}
		seven := kit.Musts("SEAL-7")
		whole := right.envelope()
		bad("a-byte-short", seven, "seal_malformed", whole[:len(whole)-1])
		bad("a-byte-more", seven, "seal_malformed", append(bytes.Clone(whole), 0))
		bad("head-alone", seven, "seal_malformed", whole[:2])
		bad("without-a-tag", seven, "seal_malformed", whole[:len(whole)-16])
		for _, size := range []int{512, 1023, 1025, 3072}[:6-2*suite] { // suite 2's envelopes are long
			right.plaintext = padTo([]byte("payload"), size)
			bad(fmt.Sprintf("class-of-%d-bytes", size), kit.Musts("SEAL-6", "SEAL-7"), "seal_malformed", right.envelope())
		}
		right.plaintext = pad([]byte("payload"))
		spoiled := func(change func(*sealed)) []byte {
			s := right
			change(&s)
			return s.envelope()
		}
		bad("version-0", seven, "seal_unknown_suite", spoiled(func(s *sealed) { s.version = 0 }))
		bad("version-2", seven, "seal_unknown_suite", spoiled(func(s *sealed) { s.version = 2 }))

		eight := kit.Musts("SEAL-8")
		flipped := func(at int) []byte {
			e := bytes.Clone(whole)
			e[at] ^= 1
			return e
		}
		bad("bit-flipped-in-enc", eight, "seal_open_failed", flipped(2))
		bad("bit-flipped-in-ciphertext", eight, "seal_open_failed", flipped(len(whole)-500))
		bad("bit-flipped-in-tag", eight, "seal_open_failed", flipped(len(whole)-1))
		another := keysOf(kit.Hash("another seed"), suite).public
		bad("to-another-key", eight, "seal_open_failed", seal(suite, another, eph, pad([]byte("payload"))).envelope())
		bad("info-of-another-suite", eight, "seal_open_failed", spoiled(func(s *sealed) { s.infoSuite = 3 - suite }))
		bad("info-of-another-key", eight, "seal_open_failed", spoiled(func(s *sealed) { s.infoKey = another }))
		bad("info-of-another-label", eight, "seal_open_failed", spoiled(func(s *sealed) { s.label = "parley/2/seal" }))
		bad("associated-data", eight, "seal_open_failed", spoiled(func(s *sealed) { s.associated = []byte("x") }))

		inside := func(change func([]byte)) []byte {
			return spoiled(func(s *sealed) {
				s.plaintext = bytes.Clone(s.plaintext)
				change(s.plaintext)
			})
		}
		bad("last-byte-of-padding-is-1", eight, "seal_malformed", inside(func(p []byte) { p[len(p)-1] = 1 }))
		bad("first-byte-of-padding-is-1", eight, "seal_malformed", inside(func(p []byte) { p[4+len("payload")] = 1 }))
		bad("length-a-byte-too-large", eight, "seal_malformed", inside(func(p []byte) { copy(p, []byte{0, 0, 0x03, 0xfd}) }))
		bad("length-huge", eight, "seal_malformed", inside(func(p []byte) { copy(p, []byte{0xff, 0xff, 0xff, 0xff}) }))
		bad("length-too-small", eight, "seal_malformed", inside(func(p []byte) { p[3]-- }))
	}
	one := seal(1, keysOf(seed, 1).public, eph, pad([]byte("payload"))).envelope()
	for _, suite := range []byte{0, 3, 255} {
		e := bytes.Clone(one)
		e[1] = suite
		f.Fail(fmt.Sprintf("suite-%d", suite), kit.Musts("SEAL-7"), in(e), "seal_unknown_suite")
	}
	f.Fail("empty", kit.Musts("SEAL-7"), in(nil), "seal_malformed", "seal_unknown_suite")
	f.Fail("version-alone", kit.Musts("SEAL-7"), in([]byte{1}), "seal_malformed", "seal_unknown_suite")
	zero := kit.Join([]byte{1, 1}, make([]byte, 32), one[34:])
	f.Fail("enc-of-zeros", kit.Musts("SEAL-8"), in(zero), "seal_open_failed").Note = "X25519 gives zeros, which RFC 9180 refuses"
	// The same of the X25519 half of suite 2, by one who knows what it gives.
	public := keysOf(seed, 2).public
	two := seal(2, public, eph, pad([]byte("payload")))
	fifteen := kit.Musts("SEAL-15")
	two.point, two.dh = make([]byte, 32), make([]byte, 32)
	f.Fail("enc-of-zeros-suite-2", fifteen, in(two.envelope()), "seal_open_failed")
	two.point = append([]byte{1}, make([]byte, 31)...)
	f.Fail("enc-of-order-4-suite-2", fifteen, in(two.envelope()), "seal_open_failed")
	two.point, two.dh = append([]byte{0xf6}, bytes.Repeat([]byte{0xff}, 31)...), public[len(public)-32:]
	two.point[31] = 0x7f // p + 9, which X25519 takes for 9
	e := two.envelope()
	f.Add("enc-not-reduced-suite-2", fifteen, in(e), kit.Values{"id": kit.Sum(e), "payload": []byte("payload")})
	return f
}

// bundles is [SEAL-9] and [SEAL-10].
func bundles() kit.File {
	f := file("bundles", "bundle", "What envelopes seal.")
	key := kit.Customer
	body := kit.BodyOf("withdrawal").Min
	records := func(n int) (blocks kit.List, ids []any) {
		for i := range n {
			block := key.Record(kit.With(body, "ext", kit.Map{"n": i}))
			blocks, ids = append(blocks, []byte(block)), append(ids, block.ID())
		}
		return blocks, ids
	}
	good := func(name string, blocks kit.List, ids []any) {
		f.Add(name, kit.Musts("SEAL-9", "SEAL-10"), kit.Values{"payload": kit.Encode(kit.List{1, blocks})},
			kit.Values{"records": ids, "about": ids[len(ids)-1]})
	}
	for _, n := range []int{1, 2, 16} {
		blocks, ids := records(n)
		good(fmt.Sprintf("of-%d", n), blocks, ids)
	}
	blocks, ids := records(2)
	good("the-same-twice", append(blocks, blocks[0]), append(ids, ids[0]))
	unknown := key.Record(kit.Header("thing", key, nil))
	good("of-a-type-that-is-not-known", kit.List{[]byte(unknown)}, []any{unknown.ID()})

	nine := kit.Musts("SEAL-9")
	bad := func(name string, musts []string, payload []byte, codes ...string) {
		f.Fail(name, musts, kit.Values{"payload": payload}, codes...)
	}
	bad("version-2", nine, kit.Encode(kit.List{2, blocks}), "unsupported_version")
	bad("version-0", nine, kit.Encode(kit.List{0, blocks}), "unsupported_version")
	bad("version-text", nine, kit.Encode(kit.List{"1", blocks}), "malformed")
	bad("without-records", nine, kit.Encode(kit.List{1, kit.List{}}), "malformed")
	most, _ := records(17)
	bad("of-17", nine, kit.Encode(kit.List{1, most}), "too_large")
	bad("array-of-1", nine, kit.Encode(kit.List{1}), "malformed")
	bad("array-of-3", nine, kit.Encode(kit.List{1, blocks, 0}), "malformed")
	bad("record-without-a-list", nine, kit.Encode(kit.List{1, blocks[0]}), "malformed")
	bad("map", nine, kit.Encode(kit.Map{"version": 1, "records": blocks}), "malformed")
	bad("record-as-text", nine, kit.Encode(kit.List{1, kit.List{"x"}}), "malformed")
	bad("record-not-as-bytes", nine, kit.Encode(kit.List{1, kit.List{kit.Raw(blocks[0].([]byte))}}), "malformed", "too_deep", "too_large")
	bad("empty-payload", nine, nil, "malformed")
	right := kit.Encode(kit.List{1, blocks})
	bad("a-byte-more", kit.Musts("REC-13", "SEAL-9"), append(bytes.Clone(right), 0), "malformed")
	bad("cut", nine, right[:len(right)-1], "malformed")
	bad("list-of-indefinite-length", kit.Musts("REC-6", "SEAL-9"), kit.Join([]byte{0x82, 0x01, 0x9f}, kit.Encode(blocks[0]), []byte{0xff}), "not_canonical")
	bad("version-in-2-bytes", kit.Musts("REC-5", "SEAL-9"), kit.Join([]byte{0x82, 0x18, 0x01}, kit.Encode(blocks)), "not_canonical")

	ten := kit.Musts("SEAL-10")
	forged := key.Record(body).Clone()
	forged[len(forged)-1] ^= 1
	bad("first-record-forged", ten, kit.Encode(kit.List{1, kit.List{[]byte(forged), blocks[1]}}), "bad_signature")
	bad("last-record-forged", ten, kit.Encode(kit.List{1, kit.List{blocks[0], []byte(forged)}}), "bad_signature")
	bad("record-that-is-not-valid", ten, kit.Encode(kit.List{1, kit.List{[]byte(key.Record(kit.With(body, "intent", kit.Absent)))}}), "missing_field")
	bad("record-that-is-not-a-record", ten, kit.Encode(kit.List{1, kit.List{[]byte("x")}}), "malformed")
	bad("record-that-is-empty", ten, kit.Encode(kit.List{1, kit.List{[]byte{}}}), "malformed")
	return f
}
