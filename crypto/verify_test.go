package crypto_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha512"
	"errors"
	"slices"
	"testing"

	"filippo.io/edwards25519"
	"pgregory.net/rapid"

	"github.com/parley-protocol/parley/crypto"
)

// TestRFC8032 runs RFC 8032 §7.1 (without TEST 1024, whose message fills a page)
// through signing and verifying.
func TestRFC8032(t *testing.T) {
	for _, v := range []struct{ name, seed, pub, msg, sig string }{
		{
			"TEST 1",
			"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
			"d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
			"",
			"e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
		},
		{
			"TEST 2",
			"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
			"3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
			"72",
			"92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
		},
		{
			"TEST 3",
			"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
			"fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
			"af82",
			"6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
		},
		{
			"TEST SHA(abc)",
			"833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
			"ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
			"ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
			"dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704",
		},
	} {
		t.Run(v.name, func(t *testing.T) {
			key, msg, sig := crypto.NewSigner(unhex32(t, v.seed)), unhex(t, v.msg), unhex(t, v.sig)
			if got := key.PublicKey(); !bytes.Equal(got, unhex(t, v.pub)) {
				t.Fatalf("public key %x", got)
			}
			if got := key.Sign(msg); !bytes.Equal(got, sig) {
				t.Fatalf("signature %x", got)
			}
			if !crypto.Verify(key.PublicKey(), msg, sig) {
				t.Error("signature isn't valid")
			}
			if crypto.Verify(key.PublicKey(), append(msg, 0), sig) {
				t.Error("signature is valid for another message")
			}
		})
	}
}

type cctvVector struct {
	Number        int
	Key, Sig, Msg string
	Flags         []string
}

// TestCCTV runs C2SP/CCTV's 914 edge cases. Its flags say what is odd about each
// vector, and the expected verdict follows from them and the profile's rules
// alone. Every vector satisfies the cofactored equation with an S below L, so
// the one without the cofactor (rule 5) fails exactly where a residue of low
// order is left. Components of low order are no reason to refuse (mixed order is
// allowed). reencoded_k marks vectors that hold for a k over re-encoded points;
// the encodings that this changes are non-canonical and refused as such.
func TestCCTV(t *testing.T) {
	var vectors []cctvVector
	loadCorpus(t, "ed25519/cctv-ed25519vectors.json", &vectors)
	if len(vectors) != 914 {
		t.Fatalf("%d vectors, want 914", len(vectors))
	}
	disqualifying := []string{
		"non_canonical_A", "non_canonical_R", // rule 2
		"low_order_A", "low_order_R", // rule 3
		"low_order_residue", // rule 5
	}
	harmless := []string{"low_order_component_A", "low_order_component_R", "reencoded_k"}

	accepted, byGo := 0, 0
	for _, v := range vectors {
		want := true
		for _, flag := range v.Flags {
			if slices.Contains(disqualifying, flag) {
				want = false
			} else if !slices.Contains(harmless, flag) {
				t.Fatalf("vector %d has the unknown flag %q", v.Number, flag)
			}
		}
		key, sig := unhex(t, v.Key), unhex(t, v.Sig)
		if got := crypto.Verify(key, []byte(v.Msg), sig); got != want {
			t.Errorf("vector %d, %v: verdict %t, want %t", v.Number, v.Flags, got, want)
		}
		if want {
			accepted++
		}
		if ed25519.Verify(key, []byte(v.Msg), sig) {
			byGo++
		}
		badKey := slices.Contains(v.Flags, "non_canonical_A") || slices.Contains(v.Flags, "low_order_A")
		if err := crypto.ValidatePublicKey(key); (err != nil) != badKey {
			t.Errorf("vector %d, %v: ValidatePublicKey says %v", v.Number, v.Flags, err)
		}
		checkReference(t, key, []byte(v.Msg), sig)
	}
	if accepted != 43 {
		t.Errorf("the flags accept %d vectors, want 43", accepted)
	}
	if byGo != 208 {
		t.Logf("crypto/ed25519 accepts %d of them; it was 208 when this was written", byGo)
	}
}

// TestSpeccheck runs the 12 cases of "Taming the many EdDSAs" (table 5 and
// ed25519-speccheck). The verdicts were worked out by hand from the profile.
func TestSpeccheck(t *testing.T) {
	var cases []struct {
		Message string
		Key     string `json:"pub_key"`
		Sig     string `json:"signature"`
	}
	loadCorpus(t, "ed25519/speccheck-cases.json", &cases)
	verdicts := []struct {
		valid bool
		why   string
	}{
		0:  {false, "A and R have small order, S = 0"},
		1:  {false, "A has small order"},
		2:  {false, "R has small order"},
		3:  {true, "A and R have mixed order, and the equation holds without the cofactor"},
		4:  {false, "the equation holds with the cofactor only"},
		5:  {false, "the equation holds with the cofactor only, for an A of mixed order"},
		6:  {false, "S is above L"},
		7:  {false, "S is far above L"},
		8:  {false, "R is non-canonical and of small order"},
		9:  {false, "R is non-canonical and of small order; the equation holds for its bytes as sent"},
		10: {false, "A is non-canonical and of small order"},
		11: {false, "A is non-canonical and of small order; the equation holds for its bytes as sent"},
	}
	if len(cases) != len(verdicts) {
		t.Fatalf("%d cases, want %d", len(cases), len(verdicts))
	}
	for i, c := range cases {
		key, msg, sig := unhex(t, c.Key), unhex(t, c.Message), unhex(t, c.Sig)
		if got := crypto.Verify(key, msg, sig); got != verdicts[i].valid {
			t.Errorf("case %d: verdict %t, want %t: %s", i, got, verdicts[i].valid, verdicts[i].why)
		}
		checkReference(t, key, msg, sig)
	}
}

// TestSmallOrderPoints computes the eight points of small order and all of their
// encodings, and checks that none of them can be a key or an R.
func TestSmallOrderPoints(t *testing.T) {
	// A point of order 8, from which all others follow.
	generator, err := new(edwards25519.Point).SetBytes(
		unhex(t, "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"))
	if err != nil {
		t.Fatal(err)
	}
	key := crypto.NewSigner(counting(0))
	sig := key.Sign(nil)
	seen := map[[32]byte]bool{}
	point := edwards25519.NewIdentityPoint()
	for range 8 {
		enc := [32]byte(point.Bytes())
		seen[enc] = true
		for _, sign := range []byte{0, 0x80} {
			enc[31] = enc[31]&0x7f | sign
			if err := crypto.ValidatePublicKey(enc[:]); !errors.Is(err, crypto.ErrPublicKey) {
				t.Errorf("%x: ValidatePublicKey says %v", enc, err)
			}
			if crypto.Verify(key.PublicKey(), nil, append(enc[:], sig[32:]...)) {
				t.Errorf("%x is accepted as R", enc)
			}
		}
		point.Add(point, generator)
	}
	if len(seen) != 8 {
		t.Errorf("%d points of small order, want 8", len(seen))
	}
}

// TestSmallOrderForgeries builds signatures that satisfy the equation with a key
// or an R of small order. crypto/ed25519 accepts them; the profile doesn't.
func TestSmallOrderForgeries(t *testing.T) {
	scalar := func(parts ...[]byte) *edwards25519.Scalar {
		digest := sha512.Sum512(slices.Concat(parts...))
		s, err := new(edwards25519.Scalar).SetUniformBytes(digest[:])
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	msg := []byte("any message at all")
	neutral := edwards25519.NewIdentityPoint().Bytes()

	// A neutral key drops out of the equation: anybody can sign for it.
	r := scalar([]byte("nonce"))
	R := new(edwards25519.Point).ScalarBaseMult(r).Bytes()
	keyless := append(R, r.Bytes()...)

	// A neutral R leaves S = k·a, made with the private scalar a.
	a := scalar([]byte("private"))
	A := new(edwards25519.Point).ScalarBaseMult(a).Bytes()
	S := new(edwards25519.Scalar).Multiply(scalar(neutral, A, msg), a)
	nonceless := append(bytes.Clone(neutral), S.Bytes()...)

	for _, v := range []struct {
		name     string
		key, sig []byte
	}{{"key of small order", neutral, keyless}, {"R of small order", A, nonceless}} {
		if !ed25519.Verify(v.key, msg, v.sig) {
			t.Errorf("%s: the equation doesn't hold, so this tests nothing", v.name)
		}
		if crypto.Verify(v.key, msg, v.sig) {
			t.Errorf("%s: accepted", v.name)
		}
		checkReference(t, v.key, msg, v.sig)
	}
}

// TestNonCanonicalY checks all 19 values of y from p to 2^255 - 1, with either
// sign.
func TestNonCanonicalY(t *testing.T) {
	for low := 0xed; low <= 0xff; low++ {
		for _, high := range []byte{0x7f, 0xff} {
			enc := bytes.Repeat([]byte{0xff}, 32)
			enc[0], enc[31] = byte(low), high
			if err := crypto.ValidatePublicKey(enc); !errors.Is(err, crypto.ErrPublicKey) {
				t.Errorf("%x: ValidatePublicKey says %v", enc, err)
			}
		}
	}
}

func TestVerifyLengths(t *testing.T) {
	key := crypto.NewSigner(counting(0))
	pub, sig := key.PublicKey(), key.Sign([]byte("message"))
	for n := range 100 {
		if n != ed25519.PublicKeySize {
			if crypto.Verify(bytes.Repeat(pub, 4)[:n], []byte("message"), sig) {
				t.Errorf("a key of %d bytes is accepted", n)
			}
		}
		if n != ed25519.SignatureSize {
			if crypto.Verify(pub, []byte("message"), bytes.Repeat(sig, 2)[:n]) {
				t.Errorf("a signature of %d bytes is accepted", n)
			}
		}
	}
	if crypto.Verify(nil, nil, nil) {
		t.Error("nothing is accepted")
	}
}

func TestEveryFlippedBitFails(t *testing.T) {
	key, msg := crypto.NewSigner(counting(7)), []byte("one record")
	pub, sig := key.PublicKey(), key.Sign(msg)
	for bit := range 512 {
		flipped := bytes.Clone(sig)
		flipped[bit/8] ^= 1 << (bit % 8)
		if crypto.Verify(pub, msg, flipped) {
			t.Errorf("bit %d of the signature may be flipped", bit)
		}
	}
	for bit := range 256 {
		flipped := bytes.Clone(pub)
		flipped[bit/8] ^= 1 << (bit % 8)
		if crypto.Verify(flipped, msg, sig) {
			t.Errorf("bit %d of the key may be flipped", bit)
		}
	}
}

// referenceVerify is the profile of [crypto.Verify] word for word, with point
// arithmetic in place of byte comparisons: slow, and independent of it.
func referenceVerify(pub, msg, sig []byte) bool {
	if len(pub) != 32 || len(sig) != 64 { // rule 1
		return false
	}
	A, err := new(edwards25519.Point).SetBytes(pub)
	if err != nil || !bytes.Equal(A.Bytes(), pub) { // rule 2
		return false
	}
	R, err := new(edwards25519.Point).SetBytes(sig[:32])
	if err != nil || !bytes.Equal(R.Bytes(), sig[:32]) {
		return false
	}
	neutral := edwards25519.NewIdentityPoint()
	for _, P := range []*edwards25519.Point{A, R} { // rule 3
		if new(edwards25519.Point).MultByCofactor(P).Equal(neutral) == 1 {
			return false
		}
	}
	S, err := new(edwards25519.Scalar).SetCanonicalBytes(sig[32:]) // rule 4
	if err != nil {
		return false
	}
	digest := sha512.Sum512(slices.Concat(sig[:32], pub, msg))
	k, err := new(edwards25519.Scalar).SetUniformBytes(digest[:])
	if err != nil {
		return false
	}
	left := new(edwards25519.Point).ScalarBaseMult(S) // rule 5
	right := new(edwards25519.Point).ScalarMult(k, A)
	right.Add(right, R)
	return left.Equal(right) == 1
}

func checkReference(t interface {
	Helper()
	Errorf(string, ...any)
}, pub, msg, sig []byte) {
	t.Helper()
	if got, want := crypto.Verify(pub, msg, sig), referenceVerify(pub, msg, sig); got != want {
		t.Errorf("key %x, message %x, signature %x: Verify says %t, the reference %t", pub, msg, sig, got, want)
	}
}

// TestVerifyAgainstReference compares the two on sound signatures, damaged ones
// and hostile encodings.
func TestVerifyAgainstReference(t *testing.T) {
	odd := rapid.Custom(func(t *rapid.T) []byte {
		enc := rapid.SliceOfN(rapid.SampledFrom([]byte{0, 1, 0x7f, 0x80, 0xec, 0xed, 0xff}), 1, 1).Draw(t, "fill")
		b := bytes.Repeat(enc, 32)
		b[0] = rapid.Byte().Draw(t, "first")
		b[31] = rapid.SampledFrom([]byte{0, 0x7f, 0x80, 0xff}).Draw(t, "last")
		return b
	})
	rapid.Check(t, func(t *rapid.T) {
		seed := [32]byte(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "seed"))
		msg := rapid.SliceOfN(rapid.Byte(), 0, 64).Draw(t, "msg")
		key := crypto.NewSigner(seed)
		pub, sig := []byte(key.PublicKey()), key.Sign(msg)
		switch rapid.IntRange(0, 4).Draw(t, "damage") {
		case 1:
			sig[rapid.IntRange(0, 63).Draw(t, "at")] ^= rapid.Byte().Draw(t, "by")
		case 2:
			pub[rapid.IntRange(0, 31).Draw(t, "at")] ^= rapid.Byte().Draw(t, "by")
		case 3:
			pub = odd.Draw(t, "pub")
		case 4:
			copy(sig, odd.Draw(t, "R"))
		}
		checkReference(t, pub, msg, sig)
	})
}

func TestSigningKey(t *testing.T) {
	key := crypto.NewSigner(counting(1))
	if key.Seed() != counting(1) {
		t.Error("Seed gives other bytes back")
	}
	if other := crypto.GenerateSigner(); other.DID() == crypto.GenerateSigner().DID() {
		t.Error("two new keys are the same")
	}
	pub := key.PublicKey()
	clear(pub)
	if bytes.Equal(key.PublicKey(), pub) {
		t.Error("PublicKey gives its own memory away")
	}
	name := key.DID()
	key.Destroy()
	key.Destroy()
	if key.DID() != name {
		t.Error("a destroyed key lost its name")
	}
	mustPanic(t, "Sign", func() { key.Sign(nil) })
	mustPanic(t, "Seed", func() { key.Seed() })
}

func mustPanic(t *testing.T, name string, f func()) {
	t.Helper()
	defer func() {
		if recover() == nil {
			t.Errorf("%s doesn't panic", name)
		}
	}()
	f()
}
