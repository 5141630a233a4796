package main

import (
	"bytes"
	"crypto/hkdf"
	"crypto/pbkdf2"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/parley-protocol/parley/spec/gen/vectors/kit"
)

// derive is HKDF as document 3 has it.
func derive(secret, salt []byte, info string) []byte {
	key, err := hkdf.Key(sha256.New, secret, salt, info, 32)
	must(err)
	return key
}

func uint32BE(n uint32) string { return string(binary.BigEndian.AppendUint32(nil, n)) }

func branch(seed []byte, kind string, device uint32) []byte {
	root := derive(seed, []byte("parley/1"), "root")
	return derive(root, nil, "parley/1/branch\x00"+kind+"\x00"+uint32BE(device))
}

// words is the list of BIP-39.
func words() []string {
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "..", "crypto", "bip39", "english.txt"))
	must(err)
	return strings.Fields(string(text))
}

// indicesOf is the places of the words of an entropy and its checksum.
func indicesOf(entropy []byte) (indices []int) {
	bits := append(slices.Clone(entropy), kit.Sum(entropy)...)
	for i := range 24 {
		n := 0
		for bit := i * 11; bit < i*11+11; bit++ {
			n = n<<1 | int(bits[bit/8]>>(7-bit%8)&1)
		}
		indices = append(indices, n)
	}
	return indices
}

// phrases is [KEY-9].
func phrases() kit.File {
	f := file("phrases", "phrase", "Phrases and what derives from them. The first ones are of BIP-39's own vectors; these have the passphrase TREZOR there and none here.")
	list := words()
	musts := kit.Musts("KEY-9")
	sentence := func(indices []int) string {
		var w []string
		for _, i := range indices {
			w = append(w, list[i])
		}
		return strings.Join(w, " ")
	}
	good := func(name string, entropy []byte, device uint32) {
		indices := indicesOf(entropy)
		seed, err := pbkdf2.Key(sha512.New, sentence(indices), []byte("mnemonic"), 2048, 64)
		must(err)
		f.Add(name, musts, kit.Values{"words": sentence(indices), "indices": indices, "device": device}, kit.Values{
			"valid": true, "entropy": entropy, "seed": seed, "root": derive(seed, []byte("parley/1"), "root"),
			"customerBranch": branch(seed, "customer", device), "personaBranch": branch(seed, "persona", device),
		})
	}
	for _, b := range []byte{0x00, 0x7f, 0x80, 0xff} {
		good(fmt.Sprintf("bip-39-%02x", b), bytes.Repeat([]byte{b}, 32), 0)
	}
	good("bip-39-68a79eac", unhex("68a79eaca2324873eacc50cb9c6eca8cc68ea5d936f98787c60c7ebc74e6ce7c"), 0)
	good("bip-39-9f6a2878", unhex("9f6a2878b2520799a44ef18bc7df394e7061a224d2c33cd015b157d746869863"), 0)
	good("device-1", bytes.Repeat([]byte{0x7f}, 32), 1)
	good("device-2-to-the-32-minus-1", bytes.Repeat([]byte{0x7f}, 32), 1<<32-1)

	bad := func(name string, words string) {
		var indices []any
		for _, w := range strings.Fields(words) {
			if i := slices.Index(list, w); i >= 0 {
				indices = append(indices, i)
			} else {
				indices = append(indices, nil)
			}
		}
		f.Add(name, musts, kit.Values{"words": words, "indices": indices, "device": 0}, kit.Values{"valid": false})
	}
	right := strings.Fields(sentence(indicesOf(bytes.Repeat([]byte{0x7f}, 32))))
	replaced := func(i int, word string) string {
		w := slices.Clone(right)
		w[i] = word
		return strings.Join(w, " ")
	}
	bad("23-words", strings.Join(right[:23], " "))
	bad("25-words", strings.Join(append(slices.Clone(right), "zoo"), " "))
	bad("12-words-that-bip-39-takes", strings.Repeat("abandon ", 11)+"about")
	bad("word-not-in-the-list", replaced(3, "parley"))
	bad("word-of-another-language", replaced(3, "ábaco"))
	bad("checksum-another-word", replaced(3, "zoo"))
	bad("checksum-words-swapped", strings.Join(append([]string{right[1], right[0]}, right[2:]...), " "))
	bad("checksum-last-word", replaced(23, "abandon"))
	bad("one-word-24-times", strings.TrimSpace(strings.Repeat("zoo ", 24)))
	return f
}

// intentKeys is the customer's keys of document 3, "Derivation".
func intentKeys() kit.File {
	f := file("intent-keys", "intent-key", "A customer's key of an intent, from the seed of the phrase and the intent's salt.")
	add := func(name string, seed []byte, device uint32, salt []byte) *kit.Case {
		b := branch(seed, "customer", device)
		secret := derive(b, salt, "parley/1/intent-key")
		key := kit.KeyOf(secret)
		return f.Add(name, kit.Musts("KEY-12"), kit.Values{"seed": seed, "device": device, "salt": salt},
			kit.Values{"branch": b, "secret": secret, "key": key.Public(), "did": key.DID()})
	}
	c := add("document-3", count(0, 64), 0, count(0, 32))
	c.Note = "the values stand in the document"
	c.Out["branch"] = "100a6d44422bb7c70ff1901c1abebe2701ee7b8b23c0df848c9005d5ef0e43ab"
	c.Out["secret"] = "489993869f1fd3af8b0f2225024f12c4cdb9abad04cb646627350ea0dc60433d"
	c.Out["did"] = "did:key:z6Mkhitx9pMKjRAwscvBtqhuTjU9n8BrdeQyY6Ug2qrABeP5"
	add("salt-of-zeros", count(0, 64), 0, make([]byte, 32))
	add("device-1", count(0, 64), 1, count(0, 32))
	add("device-2-to-the-32-minus-1", count(0, 64), 1<<32-1, count(0, 32))
	add("another-seed", count(64, 64), 7, kit.Hash("salt"))
	return f
}

// intentSalts is the salts of document 3, "Derivation".
func intentSalts() kit.File {
	f := file("intent-salts", "intent-salt", "The salt of a customer's intent, from the seed of the phrase and 16 random bytes.")
	add := func(name string, seed []byte, device uint32, random []byte) *kit.Case {
		b := branch(seed, "customer", device)
		salt := append(slices.Clone(random), derive(b, random, "parley/1/intent-salt")[:16]...)
		return f.Add(name, kit.Musts("KEY-12"), kit.Values{"seed": seed, "device": device, "random": random},
			kit.Values{"branch": b, "salt": salt})
	}
	c := add("document-3", count(0, 64), 0, count(0, 16))
	c.Note = "the values stand in the document"
	c.Out["branch"] = "100a6d44422bb7c70ff1901c1abebe2701ee7b8b23c0df848c9005d5ef0e43ab"
	c.Out["salt"] = "000102030405060708090a0b0c0d0e0f518acc29c2f7d870bac0f9ea0980e36b"
	add("zeros", count(0, 64), 0, make([]byte, 16))
	add("device-1", count(0, 64), 1, count(0, 16))
	add("another-seed", count(64, 64), 7, kit.Hash("salt")[:16])
	return f
}

// relationshipKeys is the keys by which one vendor knows a customer again.
func relationshipKeys() kit.File {
	f := file("relationship-keys", "relationship-key", "A customer's key for one vendor, from the seed of the phrase and the vendor's DID.")
	add := func(name string, seed []byte, device uint32, vendor string) *kit.Case {
		b := branch(seed, "customer", device)
		secret := derive(b, nil, "parley/1/relationship-key\x00"+vendor)
		key := kit.KeyOf(secret)
		return f.Add(name, kit.Musts("KEY-21"), kit.Values{"seed": seed, "device": device, "vendor": vendor},
			kit.Values{"branch": b, "secret": secret, "key": key.Public(), "did": key.DID()})
	}
	c := add("document-3", count(0, 64), 0, "did:key:z6MksQcRM4cEVZukoXPLQ2DgVQ97iBvEG9SyFrWFz4twzBxB")
	c.Note = "the values stand in the document"
	c.Out["branch"] = "100a6d44422bb7c70ff1901c1abebe2701ee7b8b23c0df848c9005d5ef0e43ab"
	c.Out["secret"] = "221e19a1371116f1084de2095757f7d9ea6b36f2266989037cbf6d28492d8cb6"
	c.Out["did"] = "did:key:z6MksUtcbQRaE6bReULBef2dk4qH11xjPmjkKj8TRzLEcoUz"
	add("another-vendor", count(0, 64), 0, kit.Vendor.DID())
	add("device-1", count(0, 64), 1, kit.Vendor.DID())
	add("another-seed", count(64, 64), 7, kit.Vendor.DID())
	return f
}

// assertionKeys is the keys of a customer's assertions.
func assertionKeys() kit.File {
	f := file("assertion-keys", "assertion-key", "A customer's key of a chain of assertions, from the seed of the phrase and their salt.")
	add := func(name string, seed []byte, device uint32, salt []byte) *kit.Case {
		b := branch(seed, "customer", device)
		secret := derive(b, salt, "parley/1/assertion-key")
		key := kit.KeyOf(secret)
		return f.Add(name, kit.Musts("KEY-23"), kit.Values{"seed": seed, "device": device, "salt": salt},
			kit.Values{"branch": b, "secret": secret, "key": key.Public(), "did": key.DID()})
	}
	c := add("document-3", count(0, 64), 0, count(0, 32))
	c.Note = "the values stand in the document"
	c.Out["secret"] = "d1329070c116a1965325bc52f162f92e961405e7bce656537a5d75dac441d89d"
	c.Out["did"] = "did:key:z6Mku4afVLgjkDpwuRRkTzHBWsQ6pVXPCFxz8TXn7FNXxiME"
	add("device-1", count(0, 64), 1, count(0, 32))
	add("another-seed", count(64, 64), 7, kit.Hash("salt"))
	return f
}

// personaKeys is the vendor's keys of document 3, "Derivation".
func personaKeys() kit.File {
	f := file("persona-keys", "persona-key", "A vendor's persona keys, and what their profiles state as nextKey.")
	add := func(name string, seed []byte, device, n uint32) *kit.Case {
		b := branch(seed, "persona", device)
		secret := func(n uint32) []byte { return derive(b, nil, "parley/1/persona-key\x00"+uint32BE(n)) }
		key := kit.KeyOf(secret(n))
		return f.Add(name, kit.Musts("KEY-13"), kit.Values{"seed": seed, "device": device, "n": n}, kit.Values{
			"branch": b, "secret": secret(n), "key": key.Public(), "did": key.DID(), "nextKey": kit.Sum(kit.KeyOf(secret(n + 1)).Public()),
		})
	}
	c := add("document-3", count(0, 64), 0, 0)
	c.Note = "the values stand in the document"
	c.Out["branch"] = "6e750ad356a2c1f888bad87a4b6f65e465d3d4e20eb84b1fd99fb57c60a7c42b"
	c.Out["secret"] = "9f747712edd7ce3dd0ddb1e6240ffeeadc5d2da6ecc810b817af7ea12e62c5b3"
	c.Out["did"] = "did:key:z6MksQcRM4cEVZukoXPLQ2DgVQ97iBvEG9SyFrWFz4twzBxB"
	c.Out["nextKey"] = "389e4b45846346853df851fc779453075c9956aba4fb7d1affcc4dc2d486b21f"
	add("key-1", count(0, 64), 0, 1)
	add("key-256", count(0, 64), 0, 256)
	add("device-1", count(0, 64), 1, 0)
	add("another-seed", count(64, 64), 3, 5)
	return f
}

// rotations is [KEY-15].
func rotations() kit.File {
	f := file("rotations", "rotation", "Whether a profile by another key is the same vendor's.")
	old, next := kit.Vendor, kit.NewKey("vendor's next")
	commits := func(key kit.Key) []byte { return kit.Sum(key.Public()) }
	profile := func(by kit.Key, at int, nextKey []byte, previous any) kit.Block {
		body := kit.Header("profile", by, kit.Map{"name": "Desks Ltd", "nextKey": nextKey, "replyTo": kit.ReplyTo(1, "profile"), "previous": previous})
		return by.Record(kit.WithAll(body, "at", at, "previous", previous))
	}
	before := func(at int, nextKey []byte) kit.Block { return profile(old, at, nextKey, kit.Absent) }
	first := before(kit.T0, commits(next))
	after := func(by kit.Key, previous kit.Block) kit.Block {
		return profile(by, kit.T0+9, kit.Hash("after"), previous.ID())
	}
	add := func(name string, same bool, next kit.Block, profiles ...kit.Block) {
		var list kit.List
		for _, p := range profiles {
			list = append(list, p)
		}
		f.Add(name, kit.Musts("KEY-13", "KEY-15", "INT-18", "INT-20"), kit.Values{"profiles": list, "next": next}, kit.Values{"same": same})
	}
	add("to-the-next-key", true, after(next, first), first)
	add("to-another-key", false, after(kit.Stranger, first), first)
	changed := before(kit.T0+1, commits(kit.Stranger))
	add("commitment-changed-since", false, after(next, changed), first, changed)
	add("commitment-changed-since-other-order", false, after(next, changed), changed, first)
	add("to-the-key-of-the-newest", true, after(kit.Stranger, changed), first, changed)
	add("hash-of-a-did-is-no-commitment", false, after(next, before(kit.T0, kit.Hash(next.DID()))), before(kit.T0, kit.Hash(next.DID())))
	add("key-itself-is-no-commitment", false, after(next, before(kit.T0, next.Public())), before(kit.T0, next.Public()))
	renewed := before(kit.T0+1, commits(next))
	add("citing-an-older-profile", true, after(next, first), first, renewed)
	add("citing-an-older-profile-of-another-commitment", true, after(kit.Stranger, first), first, changed)
	add("citing-a-profile-that-is-not-held", false, after(next, renewed), first)
	one, two := before(kit.T0, commits(next)), before(kit.T0, commits(kit.Stranger))
	oneID, twoID := one.ID(), two.ID()
	newest, winner := one, next
	if bytes.Compare(twoID[:], oneID[:]) > 0 {
		newest, winner = two, kit.Stranger
	}
	loser := map[string]kit.Key{next.DID(): kit.Stranger, kit.Stranger.DID(): next}[winner.DID()]
	add("of-one-second-the-greater-id", true, after(winner, newest), one, two)
	add("of-one-second-the-lesser-id", false, after(loser, newest), one, two)
	return f
}
