package crypto_test

import (
	"encoding/hex"
	"testing"

	"pgregory.net/rapid"

	"github.com/parley-protocol/parley/crypto"
)

// vectorPhrase is BIP-39's reference phrase for 32 bytes of 0x7f.
const vectorPhrase = "legal winner thank year wave sausage worth useful legal winner thank year " +
	"wave sausage worth useful legal winner thank year wave sausage worth title"

// TestDerivationVectors checks the whole tree below one phrase. The expected
// values were computed with Python's standard library: hashlib.pbkdf2_hmac for
// the BIP-39 seed, HKDF written out over hmac and sha256, and RFC 8032's
// reference arithmetic for the public keys. For instance, with hk(secret, salt,
// info) being HKDF-SHA256 with 32 bytes of output:
//
//	seed   = pbkdf2_hmac("sha512", phrase, b"mnemonic", 2048)
//	root   = hk(seed, b"parley/1", b"root")
//	branch = hk(root, b"", b"parley/1/branch\0" + b"customer" + b"\0" + pack(">I", 258))
func TestDerivationVectors(t *testing.T) {
	phrase, err := crypto.ParsePhrase(vectorPhrase)
	if err != nil {
		t.Fatal(err)
	}
	root := phrase.Root()
	customer := root.Branch(crypto.BranchCustomer, 0)
	persona := root.Branch(crypto.BranchPersona, 0)

	branches := []struct {
		name   string
		branch crypto.Branch
		want   string
	}{
		{"customer 0", customer, "45e461b409f65d91588b59009155b269aae6ac6bc589ff0431a78e4dbb6fcef5"},
		{"customer 258", root.Branch(crypto.BranchCustomer, 258), "c0cfcc7ee682b7e6641fd2fbb90857265fca18e775da0f69b33b5123b0aaf4af"},
		{"persona 0", persona, "ad5e1e53da3231e8cabcb828883c9b9def241da41553f976f0339cc76759ada6"},
	}
	for _, v := range branches {
		if got := v.branch.Bytes(); hex.EncodeToString(got[:]) != v.want {
			t.Errorf("branch %s is %x, want %s", v.name, got, v.want)
		}
	}
	keys := []struct {
		name string
		key  *crypto.SigningKey
		seed string
		did  crypto.DID
	}{
		{
			"intent key, salt 00 01 … 1f", customer.IntentKey(counting(0)),
			"d1d73a1c23172ad3b987169d6cc69e86efd0cb7fa339158bde460d2e86cba0a2",
			"did:key:z6MkrzeX3pJqqj8xym3ZH7MBUWveVte85bWa3PL5LTnx6Wie",
		},
		{
			"persona key 0", persona.PersonaKey(0),
			"4611314cb577cd533be07e259537cccb9a8e90a7830c50a99f0e1cf2b1eef02e",
			"did:key:z6MkjJnU3tMmvHLv2wA545dWZbpEyUNypG7cJWrRYDdjUtRZ",
		},
		{
			"persona key 1", persona.PersonaKey(1),
			"b1c6545e5fd48f765387645a0ea272d2bad2f8bb03d22b25b2c3296c932c1f19",
			"did:key:z6MkfS65QzMjcF7Hsv6siMpeBP7ohjFRQB23FJpUHFmx8DvM",
		},
		{
			"pick-up key, seed 20 21 … 3f", crypto.SealingSeed(counting(32)).PickupKey(),
			"8e28fd873f6830a81ef61e19558584e642800dcdd58c4d86a9a1be5db9593a47",
			"did:key:z6MkkPkRSB8Zz7teLTGMqKp6jgZnrB3yQ7sFo97ENiBe6yS6",
		},
	}
	for _, v := range keys {
		if got := v.key.Seed(); hex.EncodeToString(got[:]) != v.seed {
			t.Errorf("%s: seed %x, want %s", v.name, got, v.seed)
		}
		if v.key.DID() != v.did {
			t.Errorf("%s: %s, want %s", v.name, v.key.DID(), v.did)
		}
	}
	hashes := []struct {
		name string
		got  [32]byte
		want string
	}{
		{"commitment to persona key 1", crypto.KeyCommitment(persona.PersonaKey(1).PublicKey()), "b6e19c656fd28ceee84225b751a03392ebde27af532110a92947e50734726087"},
		{"backup seed", root.BackupSeed(), "5e76d13e5507d732fd71a05fb882e9dc3eef6e98d432ce97177a9cb47edde1d2"},
		{"backup MAC key", customer.BackupMAC(), "7e0f0ba2e9e43196a59fabf427c321eb9d6fc86b36c311f8557b8d38896cedd8"},
		{"token", crypto.SealingSeed(counting(32)).Token(), "c8695ca0d8683788383cd80eddc55091c4f36ad59776e5fccd073a7f36994c7f"},
	}
	for _, v := range hashes {
		if hex.EncodeToString(v.got[:]) != v.want {
			t.Errorf("%s is %x, want %s", v.name, v.got, v.want)
		}
	}
}

// TestSealingKeyVector checks suite 1's public key. Python's standard library
// computed it: HKDF as above, RFC 9180's DeriveKeyPair over it, and RFC 7748's
// ladder.
func TestSealingKeyVector(t *testing.T) {
	got, err := crypto.SealingSeed(counting(32)).PublicKey(crypto.SuiteX25519)
	if err != nil {
		t.Fatal(err)
	}
	if want := "76e3b5763626f60a0a883c43801aebd57d6cc0a090bdfcb295c8184f59cbca10"; hex.EncodeToString(got) != want {
		t.Errorf("public key %x, want %s", got, want)
	}
}

//spec:shows KEY-11
func TestDerivedKeysDiffer(t *testing.T) {
	phrase, err := crypto.NewPhrase()
	if err != nil {
		t.Fatal(err)
	}
	root := phrase.Root()
	seen := map[crypto.DID]string{}
	add := func(name string, key *crypto.SigningKey) {
		if other, ok := seen[key.DID()]; ok {
			t.Errorf("%s and %s are the same key", name, other)
		}
		seen[key.DID()] = name
	}
	for _, kind := range []crypto.BranchKind{crypto.BranchCustomer, crypto.BranchPersona} {
		for _, device := range []uint32{0, 1, 256, 1<<32 - 1} {
			branch := root.Branch(kind, device)
			for n := range uint32(3) {
				add("persona key", branch.PersonaKey(n))
				add("intent key", branch.IntentKey(counting(byte(n))))
			}
		}
	}
}

func TestBranchBytesRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		bytes := [32]byte(rapid.SliceOfN(rapid.ByteRange(1, 255), 32, 32).Draw(t, "bytes"))
		salt := [32]byte(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "salt"))
		branch := crypto.BranchFromBytes(bytes)
		if branch.Bytes() != bytes {
			t.Fatal("Bytes gives others back")
		}
		if branch.IntentKey(salt).DID() != crypto.BranchFromBytes(branch.Bytes()).IntentKey(salt).DID() {
			t.Fatal("a branch that was read back has other keys")
		}
	})
}

func TestMissingSecretsPanic(t *testing.T) {
	if !crypto.BranchFromBytes([32]byte{}).IsZero() {
		t.Error("a branch of zero bytes is taken for one")
	}
	phrase, err := crypto.ParsePhrase(vectorPhrase)
	if err != nil {
		t.Fatal(err)
	}
	root := phrase.Root()
	branch := root.Branch(crypto.BranchPersona, 0)
	phrase.Destroy()
	root.Destroy()
	copied := branch
	branch.Destroy()

	for name, f := range map[string]func(){
		"zero Phrase.Words":       func() { crypto.Phrase{}.Words() },
		"zero Phrase.Root":        func() { crypto.Phrase{}.Root() },
		"destroyed Phrase.Root":   func() { phrase.Root() },
		"zero Root.Branch":        func() { crypto.Root{}.Branch(crypto.BranchCustomer, 0) },
		"zero Root.BackupSeed":    func() { crypto.Root{}.BackupSeed() },
		"zero Branch.BackupMAC":   func() { crypto.Branch{}.BackupMAC() },
		"destroyed Root.Branch":   func() { root.Branch(crypto.BranchCustomer, 0) },
		"zero Branch.Bytes":       func() { crypto.Branch{}.Bytes() },
		"destroyed Branch":        func() { branch.PersonaKey(0) },
		"copy of a destroyed one": func() { copied.IntentKey([32]byte{}) },
		"zero SealingSeed":        func() { crypto.SealingSeed{}.PickupKey() },
		"zero SealingSeed.Token":  func() { crypto.SealingSeed{}.Token() },
	} {
		mustPanic(t, name, f)
	}
	crypto.Branch{}.Destroy() // nothing to do, and no panic
	if !copied.IsZero() || !phrase.IsZero() || !root.IsZero() {
		t.Error("something destroyed is still there")
	}
}
