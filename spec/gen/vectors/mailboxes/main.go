// Command mailboxes makes the vectors of the mailbox protocol of document 4.
package main

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math/big"

	"github.com/parley-protocol/parley/spec/gen/vectors/kit"
)

//go:generate go run .

func main() { kit.Main(files()) }

// files is all of the chapter, in its order.
func files() []kit.File { return []kit.File{proofs(), receipts(), stamps(), requests(), responses()} }

func unhex(text string) []byte {
	b, err := hex.DecodeString(text)
	if err != nil {
		panic(err)
	}
	return b
}

// proofs is [BOX-6].
func proofs() kit.File {
	f := kit.File{Path: "04-mailboxes/proofs.json", Kind: "mailbox-proof", Description: "The proof that a request to a mailbox has by the pick-up key. The first two stand in document 4."}
	musts := kit.Musts("BOX-6", "KEY-8")
	key := kit.KeyOf(unhex("1f880c1bd5e2977d6146c115f3a8b4ceb4d1e4bdb150f7cf039d819e9cb3fb5a"))
	peer := unhex("002408011220cd14b37f956e953194ff7fb73b3d81dcc561d61a7538094b7c3e1a643ee5f3aa")
	message := func(label string, peer []byte, at int64, op string, ids ...[]byte) []byte {
		time := binary.BigEndian.AppendUint64(nil, uint64(at))
		return kit.Join([]byte(label), []byte{0}, peer, time, []byte(op), []byte{0}, kit.Join(ids...))
	}
	const label = "parley/1/pickup"
	list := func(ids [][]byte) []any {
		all := []any{}
		for _, id := range ids {
			all = append(all, id)
		}
		return all
	}
	in := func(key []byte, at int64, op string, ids [][]byte, proof []byte) kit.Values {
		return kit.Values{"key": key, "peer": peer, "at": at, "op": op, "ids": list(ids), "proof": proof}
	}
	good := func(name string, at int64, op string, proof []byte, ids ...[]byte) {
		m := message(label, peer, at, op, ids...)
		if proof == nil {
			proof = key.Sign(m)
		}
		values := in(key.Public(), at, op, ids, proof)
		values["secret"] = key.Seed
		f.Add(name, musts, values, kit.Values{"message": m, "token": kit.Sum(key.Public())})
	}
	good("document-4-pickup", 1767225600, "pickup", unhex("f6be7d779fce4bed2dd3be83764dec23d146acdb1f83aed14cd973666c70c88b4914d8e8a0ee980575766dac5c1be4e639e35a9704e110d5f359a3cdeb30d409"))
	good("document-4-remove", 1767225600, "remove", unhex("d4082ea4eaa1ebe157cee86e3cceb6671107cbcd3b51207e328a0cfe777c09c488e6d59f8ef585069b53381a6807d97680ec8b47668c08fa4835eaf95cfe9f0a"), envelope)
	good("remove-of-3", 1767225600, "remove", nil, kit.Hash("1"), kit.Hash("2"), kit.Hash("3"))
	good("remove-of-the-same-twice", 1767225600, "remove", nil, kit.Hash("1"), kit.Hash("1"))
	good("at-the-beginning", 0, "pickup", nil)
	good("at-the-end", 253402300799, "pickup", nil)

	const at = 1767225600
	bad := func(name, op string, ids [][]byte, signed []byte) {
		f.Fail(name, musts, in(key.Public(), at, op, ids, key.Sign(signed)), "proof_failed")
	}
	one := [][]byte{envelope}
	bad("for-another-mailbox", "pickup", nil, message(label, kit.PeerOf(kit.Stranger.Public()), at, "pickup"))
	bad("for-the-peers-key-alone", "pickup", nil, message(label, peer[6:], at, "pickup"))
	bad("for-another-time", "pickup", nil, message(label, peer, at+1, "pickup"))
	bad("for-another-op", "remove", one, message(label, peer, at, "pickup", envelope))
	bad("pickup-for-a-removal-of-nothing", "pickup", nil, message(label, peer, at, "remove"))
	bad("for-another-envelope", "remove", one, message(label, peer, at, "remove", kit.Hash("1")))
	bad("for-fewer-envelopes", "remove", [][]byte{envelope, kit.Hash("1")}, message(label, peer, at, "remove", envelope))
	bad("for-another-order", "remove", [][]byte{envelope, kit.Hash("1")}, message(label, peer, at, "remove", kit.Hash("1"), envelope))
	bad("with-the-label-of-records", "pickup", nil, message("parley/1/record", peer, at, "pickup"))
	bad("with-the-label-of-version-2", "pickup", nil, message("parley/2/pickup", peer, at, "pickup"))
	bad("without-the-zero-after-the-label", "pickup", nil, kit.Join([]byte(label), message("", peer, at, "pickup")[1:]))
	right := message(label, peer, at, "pickup")
	bad("without-the-zero-after-op", "pickup", nil, right[:len(right)-1])
	little := bytes.Clone(right)
	binary.LittleEndian.PutUint64(little[16+38:], at)
	bad("time-little-endian", "pickup", nil, little)
	f.Fail("by-another-key", musts, in(key.Public(), at, "pickup", nil, kit.Stranger.Sign(right)), "proof_failed")
	f.Fail("all-zero", musts, in(key.Public(), at, "pickup", nil, make([]byte, 64)), "proof_failed")
	f.Fail("key-of-small-order", kit.Musts("BOX-6", "KEY-5"), in(identity, at, "pickup", nil, kit.Join(identity, make([]byte, 32))), "proof_failed")
	return f
}

var (
	token    = unhex("6741804bcd4339558631925b7e24e9a551008f7a8d383a75634a3c801840ace1")
	envelope = unhex("b7486ab9ac46700d7382832878b78a427fe8c5ee700814f9985c2c24e305044b")
	box      = kit.KeyOf(unhex("808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f"))
)

// receipts is [BOX-17].
func receipts() kit.File {
	f := kit.File{Path: "04-mailboxes/receipts.json", Kind: "custody-receipt", Description: "A mailbox's signed word that it has an envelope. The first stands in document 4."}
	musts := kit.Musts("BOX-17")
	const until = 1769817600
	message := func(label string, token, id []byte, until int64) []byte {
		return kit.Join([]byte(label), []byte{0}, token, id, binary.BigEndian.AppendUint64(nil, uint64(until)))
	}
	const label = "parley/1/custody"
	peer := kit.PeerOf(box.Public())
	in := func(until int64, receipt []byte) kit.Values {
		return kit.Values{"peer": peer, "token": token, "id": envelope, "until": until, "receipt": receipt}
	}
	right := message(label, token, envelope, until)
	f.Add("document-4", musts, in(until, unhex("7856420fca1213df3173016ddb583233d91005d06113495f0067b7eff1b68dee9a2cfba4a41fbdba1fd1a1b9eb9eed06dcc05a048c0b75e7faf2f52cf7ed5508")), kit.Values{"message": right})
	end := message(label, token, envelope, 253402300799)
	f.Add("until-the-end", musts, in(253402300799, box.Sign(end)), kit.Values{"message": end})
	bad := func(name string, signed []byte) { f.Fail(name, musts, in(until, box.Sign(signed)), "proof_failed") }
	bad("until-another-time", message(label, token, envelope, until+1))
	bad("for-another-token", message(label, kit.Hash("token"), envelope, until))
	bad("for-another-envelope", message(label, token, kit.Hash("1"), until))
	bad("token-and-envelope-in-the-other-order", message(label, envelope, token, until))
	bad("with-the-label-of-a-pick-up", message("parley/1/pickup", token, envelope, until))
	bad("with-the-label-of-version-2", message("parley/2/custody", token, envelope, until))
	bad("without-the-zero-after-the-label", kit.Join([]byte(label), right[len(label)+1:]))
	f.Fail("by-another-mailbox", musts, in(until, kit.Stranger.Sign(right)), "proof_failed")
	f.Fail("all-zero", musts, in(until, make([]byte, 64)), "proof_failed")
	small := in(until, kit.Join(identity, make([]byte, 32)))
	small["peer"] = kit.PeerOf(identity)
	f.Fail("key-of-small-order", kit.Musts("BOX-17", "KEY-5"), small, "proof_failed")
	return f
}

// identity is the neutral point, under which anything can be signed.
var identity = append([]byte{1}, make([]byte, 31)...)

// stamps is [BOX-19].
func stamps() kit.File {
	f := kit.File{Path: "04-mailboxes/stamps.json", Kind: "deposit-stamp", Description: "The work of the stamps of deposits. The first stands in document 4."}
	musts := kit.Musts("BOX-19")
	peer := kit.PeerOf(box.Public())
	add := func(name string, peer, token, stamp []byte, bits int) {
		f.Add(name, musts, kit.Values{"peer": peer, "token": token, "id": envelope, "stamp": stamp}, kit.Values{"bits": bits})
	}
	add("document-4", peer, token, unhex("000000000000a757"), 16)
	add("none", peer, token, []byte{}, 0)
	for i := range uint64(6) {
		stamp := binary.BigEndian.AppendUint64(nil, i)
		add(fmt.Sprintf("stamp-%d", i), peer, token, stamp, work(peer, token, stamp))
	}
	stamp := unhex("000000000000a757")
	add("for-another-token", peer, kit.Hash("token"), stamp, work(peer, kit.Hash("token"), stamp))
	other := kit.PeerOf(kit.Stranger.Public())
	add("for-another-mailbox", other, token, stamp, work(other, token, stamp))
	return f
}

func work(peer, token, stamp []byte) int {
	sum := kit.Sum(kit.Join([]byte("parley/1/deposit-stamp\x00"), peer, token, envelope, stamp))
	return 256 - new(big.Int).SetBytes(sum).BitLen()
}

// file is messages in one direction.
type file struct {
	kit.File
	direction, op string
}

func (f *file) in(stream []byte) kit.Values {
	in := kit.Values{"direction": f.direction, "stream": stream}
	if f.op != "" {
		in["op"] = f.op
	}
	return in
}

func (f *file) good(name, shape string, musts []string, message any, unknown ...string) {
	f.Add(name, musts, f.in(kit.Stream(kit.Encode(message))), kit.Values{"shape": shape, "unknown": append([]string{}, unknown...)})
}

func (f *file) bad(name string, musts []string, message any, codes ...string) {
	f.Fail(name, musts, f.in(kit.Stream(kit.Encode(message))), codes...)
}

// sized is a list of n hashes.
func sized(n int) kit.List {
	l := kit.List{}
	for i := range n {
		l = append(l, kit.Hash(fmt.Sprint(i)))
	}
	return l
}

func requests() kit.File {
	f := &file{kit.File{Path: "04-mailboxes/requests.json", Kind: "mailbox-message", Description: "Requests to a mailbox: their shapes."}, "request", ""}
	two := kit.Musts("BOX-2")
	deposit := kit.Map{"op": "deposit", "token": kit.Hash("token"), "envelope": kit.Filler("envelope", 100)}
	pickup := kit.Map{"op": "pickup", "key": kit.Customer.Public(), "at": kit.T0, "proof": make([]byte, 64), "max": 10, "wait": 0}
	remove := kit.Map{"op": "remove", "key": kit.Customer.Public(), "at": kit.T0, "proof": make([]byte, 64), "ids": sized(1)}
	f.good("deposit", "deposit", two, deposit)
	f.good("deposit-with-a-stamp", "deposit", kit.Musts("BOX-2", "BOX-19"), kit.With(deposit, "stamp", make([]byte, 8)))
	f.bad("deposit-stamp-of-7-bytes", kit.Musts("BOX-2", "BOX-19"), kit.With(deposit, "stamp", make([]byte, 7)), "bad_field")
	f.bad("deposit-stamp-of-no-bytes", kit.Musts("BOX-2", "BOX-19"), kit.With(deposit, "stamp", []byte{}), "bad_field")
	f.good("deposit-of-one-byte", "deposit", two, kit.With(deposit, "envelope", []byte{0}))
	f.good("pickup", "pickup", two, pickup)
	f.good("pickup-after", "pickup", two, kit.With(pickup, "after", kit.Hash("envelope")))
	f.good("pickup-of-1-and-waiting-60", "pickup", two, kit.WithAll(pickup, "max", 1, "wait", 60))
	f.good("pickup-of-256", "pickup", two, kit.With(pickup, "max", 256))
	f.good("pickup-at-the-beginning", "pickup", two, kit.With(pickup, "at", 0))
	f.good("remove", "remove", two, remove)
	f.good("remove-of-256", "remove", kit.Musts("BOX-2", "BOX-1"), kit.With(remove, "ids", sized(256)))

	for _, m := range []kit.Map{deposit, pickup, remove} {
		op := m["op"].(string)
		f.bad(op+"-with-another-key", two, kit.With(m, "colour", "red"), "unknown_field")
		for _, key := range kit.Keys(m) {
			codes := []string{"missing_field"}
			if key == "op" {
				codes = []string{"bad_field"}
			}
			f.bad(op+"-without-"+key, two, kit.With(m, key, kit.Absent), codes...)
			if key != "op" {
				f.bad(op+"-with-text-for-"+key, two, kit.With(m, key, "x"), "bad_field")
				f.bad(op+"-with-null-for-"+key, two, kit.With(m, key, nil), "bad_field")
			}
		}
	}
	f.bad("deposit-with-a-key-of-pickup", two, kit.With(deposit, "max", 1), "unknown_field")
	f.bad("pickup-with-a-key-of-remove", two, kit.With(pickup, "ids", sized(1)), "unknown_field")
	f.bad("op-that-is-not-known", two, kit.With(remove, "op", "list"), "bad_field")
	f.bad("op-integer", two, kit.With(remove, "op", 1), "bad_field")
	f.bad("deposit-of-no-bytes", two, kit.With(deposit, "envelope", []byte{}), "bad_field")
	f.bad("deposit-token-of-31-bytes", two, kit.With(deposit, "token", make([]byte, 31)), "bad_field")
	f.bad("deposit-token-of-33-bytes", two, kit.With(deposit, "token", make([]byte, 33)), "bad_field")
	f.bad("pickup-of-0", two, kit.With(pickup, "max", 0), "bad_field")
	f.bad("pickup-of-257", two, kit.With(pickup, "max", 257), "bad_field")
	f.bad("pickup-waiting-61", kit.Musts("BOX-2", "BOX-9"), kit.With(pickup, "wait", 61), "bad_field")
	f.bad("pickup-waiting-minus-1", two, kit.With(pickup, "wait", -1), "bad_field")
	f.bad("pickup-key-of-31-bytes", two, kit.With(pickup, "key", make([]byte, 31)), "bad_field")
	f.bad("pickup-proof-of-63-bytes", two, kit.With(pickup, "proof", make([]byte, 63)), "bad_field")
	f.bad("pickup-at-minus-1", two, kit.With(pickup, "at", -1), "bad_field")
	f.bad("pickup-at-after-the-end", two, kit.With(pickup, "at", int64(253402300800)), "bad_field")
	f.bad("pickup-after-of-no-bytes", two, kit.With(pickup, "after", []byte{}), "bad_field")
	f.bad("pickup-after-of-65-bytes", two, kit.With(pickup, "after", make([]byte, 65)), "bad_field")
	f.bad("remove-of-nothing", two, kit.With(remove, "ids", kit.List{}), "bad_field")
	f.bad("remove-of-257", two, kit.With(remove, "ids", sized(257)), "bad_field")
	f.bad("remove-of-31-bytes", two, kit.With(remove, "ids", kit.List{make([]byte, 31)}), "bad_field")
	f.bad("array", two, kit.List{"deposit"}, "malformed")
	f.bad("text", two, "deposit", "malformed")
	f.bad("a-byte-more", two, kit.Raw(append(kit.Encode(deposit), 0)), "malformed")
	f.bad("keys-not-sorted", kit.Musts("BOX-2", "REC-7"), kit.Pairs{"token", kit.Hash("token"), "op", "deposit", "envelope", []byte{1}}, "not_canonical")
	f.bad("at-in-8-bytes", kit.Musts("BOX-2", "REC-5"), kit.With(pickup, "at", kit.Raw(kit.WideHead(0, kit.T0, 8))), "not_canonical")
	f.bad("indefinite-length", kit.Musts("BOX-2", "REC-6"), kit.Raw(kit.Join([]byte{0xbf}, kit.Encode(deposit)[1:], []byte{0xff})), "not_canonical")
	f.Fail("longer-than-164352", kit.Musts("BOX-1", "ERR-5"), f.in(binary.AppendUvarint(nil, 164353)), "reset")
	f.Fail("length-of-9-bytes", kit.Musts("BOX-1", "ERR-5"), f.in(binary.AppendUvarint(nil, 1<<62)), "reset")
	return f.File
}

func responses() kit.File {
	f := &file{kit.File{Path: "04-mailboxes/responses.json", Kind: "mailbox-message", Description: "Responses of a mailbox: their shapes, and whether envelopes are what their IDs say."}, "response", ""}
	two := kit.Musts("BOX-2")
	blob := kit.Filler("envelope", 50)
	pair := kit.List{kit.Sum(blob), blob}
	stored := kit.Map{"stored": kit.Sum(blob), "until": kit.T0 + 30*kit.Day, "receipt": make([]byte, 64)}
	picked := kit.Map{"envelopes": kit.List{pair}, "more": false}
	removed := kit.Map{"removed": 1}
	refusal := kit.Map{"error": "mailbox_full"}
	for _, c := range []struct {
		op, shape string
		right     kit.Map
	}{{"deposit", "stored", stored}, {"pickup", "picked-up", picked}, {"remove", "removed", removed}} {
		f.op = c.op
		f.good(c.shape, c.shape, two, c.right)
		f.good(c.shape+"-with-an-unknown-key", c.shape, two, kit.With(c.right, "colour", "red"), "colour")
		f.good("refusal-of-a-"+c.op, "refusal", kit.Musts("BOX-15"), refusal)
		for _, key := range kit.Keys(c.right) {
			f.bad(c.shape+"-without-"+key, two, kit.With(c.right, key, kit.Absent), "malformed")
			f.bad(c.shape+"-with-text-for-"+key, two, kit.With(c.right, key, "x"), "malformed")
		}
		f.bad(c.shape+"-array", two, kit.List{c.right}, "malformed")
		f.bad(c.shape+"-a-byte-more", two, kit.Raw(append(kit.Encode(c.right), 0)), "malformed")
		f.Fail(c.shape+"-longer-than-1048576", kit.Musts("BOX-1", "ERR-5"), f.in(binary.AppendUvarint(nil, 1048577)), "reset")
	}
	f.op = "deposit"
	f.bad("stored-until-after-the-end", two, kit.With(stored, "until", int64(253402300800)), "malformed")
	f.bad("stored-of-31-bytes", two, kit.With(stored, "stored", make([]byte, 31)), "malformed")
	fifteen := kit.Musts("BOX-15")
	f.good("refusal-with-a-hint", "refusal", fifteen, kit.With(refusal, "hint", "Try later."))
	f.good("refusal-with-a-time", "refusal", kit.Musts("BOX-7", "BOX-15"), kit.Map{"error": "clock_skew", "time": kit.T0})
	f.bad("stored-with-a-receipt-of-63-bytes", kit.Musts("BOX-2", "BOX-17"), kit.With(stored, "receipt", make([]byte, 63)), "malformed")
	f.good("refusal-with-bits", "refusal", kit.Musts("BOX-15", "BOX-19"), kit.Map{"error": "stamp_too_weak", "bits": 20})
	f.good("refusal-with-text-for-bits", "refusal", two, kit.Map{"error": "stamp_too_weak", "bits": "x"})
	f.good("refusal-of-an-unknown-code", "refusal", kit.Musts("BOX-15", "ERR-1"), kit.Map{"error": "new_in_version_2"})
	f.good("refusal-with-an-unknown-key", "refusal", kit.Musts("BOX-2", "BOX-15"), kit.With(refusal, "colour", "red"), "colour")
	f.good("refusal-with-a-hint-of-257-bytes", "refusal", two, kit.With(refusal, "hint", kit.Letters(257)))
	f.good("refusal-with-an-integer-for-hint", "refusal", two, kit.With(refusal, "hint", 1))
	f.good("refusal-with-text-for-time", "refusal", two, kit.With(refusal, "time", "x"))
	f.good("refusal-of-a-code-of-another-form", "refusal", kit.Musts("BOX-2", "ERR-1"), kit.With(refusal, "error", "Not now!"))
	f.bad("refusal-with-an-integer-for-error", two, kit.With(refusal, "error", 1), "malformed")
	f.op = "pickup"
	f.good("picked-up-nothing", "picked-up", kit.Musts("BOX-9"), kit.With(picked, "envelopes", kit.List{}))
	f.good("picked-up-more", "picked-up", kit.Musts("BOX-8"), kit.With(picked, "more", true))
	many := func(n int) kit.Map {
		l := kit.List{}
		for i := range n {
			b := []byte(fmt.Sprint(i))
			l = append(l, kit.List{kit.Sum(b), b})
		}
		return kit.With(picked, "envelopes", l)
	}
	f.good("picked-up-256", "picked-up", kit.Musts("BOX-8"), many(256))
	f.bad("picked-up-257", kit.Musts("BOX-8"), many(257), "malformed")
	f.bad("picked-up-an-envelope-that-is-not-its-id", kit.Musts("BOX-16"), kit.With(picked, "envelopes", kit.List{pair, kit.List{kit.Hash("x"), blob}}), "malformed")
	f.bad("picked-up-an-envelope-alone", two, kit.With(picked, "envelopes", kit.List{blob}), "malformed")
	f.bad("picked-up-3-entries", two, kit.With(picked, "envelopes", kit.List{append(kit.List{}, pair[0], pair[1], 1)}), "malformed")
	f.bad("picked-up-an-empty-envelope", two, kit.With(picked, "envelopes", kit.List{kit.List{kit.Sum(nil), []byte{}}}), "malformed")
	f.op = "remove"
	f.good("removed-0", "removed", kit.Musts("BOX-11"), kit.Map{"removed": 0})
	f.good("removed-256", "removed", kit.Musts("BOX-11"), kit.Map{"removed": 256})
	f.bad("removed-257", kit.Musts("BOX-11"), kit.Map{"removed": 257}, "malformed")
	f.bad("removed-minus-1", kit.Musts("BOX-11"), kit.Map{"removed": -1}, "malformed")
	f.bad("removed-after-an-answer-to-pickup", two, picked, "malformed")
	return f.File
}
