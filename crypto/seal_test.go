package crypto_test

import (
	"bytes"
	"crypto/ecdh"
	"crypto/hpke"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/parley-protocol/parley/crypto"
)

var suites = []crypto.Suite{crypto.SuiteX25519, crypto.SuiteMLKEM768X25519}

// classes are the size classes of spec/04-sealing-and-mailboxes.md in bytes.
var classes = []int{1 << 10, 2 << 10, 4 << 10, 8 << 10, 16 << 10, 32 << 10, 64 << 10, 128 << 10}

// overhead is what an envelope of the suite is longer than its size class.
func overhead(suite crypto.Suite) int {
	if suite == crypto.SuiteX25519 {
		return 2 + 32 + 16
	}
	return 2 + 1120 + 16
}

func publicKey(t testing.TB, seed crypto.SealingSeed, suite crypto.Suite) []byte {
	t.Helper()
	pub, err := seed.PublicKey(suite)
	if err != nil {
		t.Fatal(err)
	}
	return pub
}

func seal(t testing.TB, suite crypto.Suite, pub, payload []byte) []byte {
	t.Helper()
	envelope, err := crypto.Seal(suite, pub, payload)
	if err != nil {
		t.Fatal(err)
	}
	return envelope
}

// TestSealedByOthers opens an envelope that didn't come from this code: Python's
// standard library sealed it, with X25519, HKDF and ChaCha20-Poly1305 written
// out from their RFCs and checked against RFC 9180 A.2. The recipient's seed is
// 20 21 … 3f, the ephemeral private key 40 41 … 5f.
func TestSealedByOthers(t *testing.T) {
	payload, err := crypto.SealingSeed(counting(32)).Open(loadHex(t, "envelope-suite1.hex"))
	if err != nil {
		t.Fatal(err)
	}
	if want := "Parley test vector: sealed with X25519."; string(payload) != want {
		t.Errorf("payload %q, want %q", payload, want)
	}
}

// TestSealedBefore opens what an earlier version sealed, so that no change makes
// waiting messages unreadable.
func TestSealedBefore(t *testing.T) {
	payload, err := crypto.SealingSeed(counting(32)).Open(loadHex(t, "envelope-suite2.hex"))
	if err != nil {
		t.Fatal(err)
	}
	if want := "Parley test vector: sealed with MLKEM768-X25519."; string(payload) != want {
		t.Errorf("payload %q, want %q", payload, want)
	}
}

// smallestPayload is the length in bytes of the smallest payload that needs
// class i.
func smallestPayload(i int) int {
	if i == 0 {
		return 0
	}
	return classes[i-1] - 4 + 1
}

// checkRoundTrip seals and opens a payload whose envelope must be of that class.
func checkRoundTrip(t interface {
	Helper()
	Fatalf(string, ...any)
}, seed crypto.SealingSeed, suite crypto.Suite, pub, payload []byte, class int) {
	t.Helper()
	envelope, err := crypto.Seal(suite, pub, payload)
	if err != nil {
		t.Fatalf("%s, %d bytes: %v", suite, len(payload), err)
	}
	if len(envelope) != class+overhead(suite) {
		t.Fatalf("%s: %d bytes became %d, want %d", suite, len(payload), len(envelope), class+overhead(suite))
	}
	if size, err := crypto.EnvelopeSize(suite, len(payload)); err != nil || size != len(envelope) {
		t.Fatalf("%s: EnvelopeSize(%d) = %d, %v", suite, len(payload), size, err)
	}
	if err := crypto.CheckEnvelope(envelope); err != nil {
		t.Fatalf("%s, %d bytes: %v", suite, len(payload), err)
	}
	back, err := seed.Open(envelope)
	if err != nil {
		t.Fatalf("%s, %d bytes: %v", suite, len(payload), err)
	}
	if !bytes.Equal(back, payload) {
		t.Fatalf("%s, %d bytes: another payload came back", suite, len(payload))
	}
}

// TestSealRoundTrip takes the smallest and the largest payload of every class,
// and drawn ones in between. The envelope's length tells the class alone.
func TestSealRoundTrip(t *testing.T) {
	for _, suite := range suites {
		seed := crypto.NewSealingSeed()
		pub := publicKey(t, seed, suite)
		if len(pub) != suite.PublicKeySize() {
			t.Errorf("%s: a public key of %d bytes, want %d", suite, len(pub), suite.PublicKeySize())
		}
		for i, class := range classes {
			checkRoundTrip(t, seed, suite, pub, make([]byte, smallestPayload(i)), class)
			checkRoundTrip(t, seed, suite, pub, bytes.Repeat([]byte{0xff}, class-4), class)
		}
		rapid.Check(t, func(t *rapid.T) {
			i := rapid.IntRange(0, len(classes)-1).Draw(t, "class")
			payload := make([]byte, rapid.IntRange(smallestPayload(i), classes[i]-4).Draw(t, "length"))
			// Zero bytes at the payload's end must survive the padding.
			zeros := rapid.IntRange(0, len(payload)).Draw(t, "zeros")
			source := rand.NewChaCha8([32]byte{rapid.Byte().Draw(t, "content")})
			source.Read(payload[:len(payload)-zeros])
			checkRoundTrip(t, seed, suite, pub, payload, classes[i])
		})
	}
}

//spec:shows SEAL-11
func TestSealIsRandomised(t *testing.T) {
	for _, suite := range suites {
		pub := publicKey(t, crypto.NewSealingSeed(), suite)
		a, b := seal(t, suite, pub, []byte("same")), seal(t, suite, pub, []byte("same"))
		if bytes.Equal(a[2:34], b[2:34]) || bytes.Equal(a[len(a)-32:], b[len(b)-32:]) {
			t.Errorf("%s: two envelopes of one payload share bytes", suite)
		}
	}
}

// TestEveryFlippedByteFails flips each byte of a small envelope of suite 1, and
// drawn ones of all others.
func TestEveryFlippedByteFails(t *testing.T) {
	seed := crypto.NewSealingSeed()
	refuse := func(t interface{ Errorf(string, ...any) }, envelope []byte, at int, by byte) {
		damaged := bytes.Clone(envelope)
		damaged[at] ^= by
		if payload, err := seed.Open(damaged); err == nil {
			t.Errorf("byte %d of %d may change by %#x; the payload is then %d bytes long", at, len(envelope), by, len(payload))
		}
	}
	small := seal(t, crypto.SuiteX25519, publicKey(t, seed, crypto.SuiteX25519), []byte("payload"))
	for at := range small {
		refuse(t, small, at, 0x01)
	}
	// The top bit of an X25519 key means nothing to the curve, but HPKE hashes
	// the bytes as sent.
	refuse(t, small, 2+31, 0x80)

	for _, suite := range suites {
		pub := publicKey(t, seed, suite)
		var envelopes [][]byte
		for _, class := range classes {
			envelopes = append(envelopes, seal(t, suite, pub, make([]byte, class-4)))
		}
		rapid.Check(t, func(t *rapid.T) {
			envelope := rapid.SampledFrom(envelopes).Draw(t, "envelope")
			at := rapid.OneOf(
				rapid.IntRange(0, overhead(suite)),
				rapid.IntRange(0, len(envelope)-1),
			).Draw(t, "at")
			refuse(t, envelope, at, rapid.ByteRange(1, 255).Draw(t, "by"))
		})
	}
}

func TestWrongRecipientFails(t *testing.T) {
	for _, suite := range suites {
		envelope := seal(t, suite, publicKey(t, crypto.NewSealingSeed(), suite), []byte("for one"))
		if _, err := crypto.NewSealingSeed().Open(envelope); !errors.Is(err, crypto.ErrSealOpen) {
			t.Errorf("%s: another seed opens it: %v", suite, err)
		}
	}
}

func TestSealRefuses(t *testing.T) {
	seed := crypto.NewSealingSeed()
	for _, suite := range []crypto.Suite{0, 3, 255} {
		if _, err := crypto.Seal(suite, make([]byte, 32), nil); !errors.Is(err, crypto.ErrSealUnknownSuite) {
			t.Errorf("suite %d: Seal says %v", suite, err)
		}
		if _, err := seed.PublicKey(suite); !errors.Is(err, crypto.ErrSealUnknownSuite) {
			t.Errorf("suite %d: PublicKey says %v", suite, err)
		}
		if _, err := crypto.EnvelopeSize(suite, 1); !errors.Is(err, crypto.ErrSealUnknownSuite) {
			t.Errorf("suite %d: EnvelopeSize says %v", suite, err)
		}
		if suite.PublicKeySize() != 0 {
			t.Errorf("suite %d has keys of %d bytes", suite, suite.PublicKeySize())
		}
	}
	for _, suite := range suites {
		pub := publicKey(t, seed, suite)
		for name, key := range map[string][]byte{
			"no key": nil, "short key": pub[1:], "long key": append(bytes.Clone(pub), 0),
			"key of zeros": make([]byte, len(pub)), // an X25519 point of small order
			"key of ones":  bytes.Repeat([]byte{0xff}, len(pub)),
		} {
			if suite == crypto.SuiteX25519 && name == "key of ones" {
				continue // a sound key: X25519 takes every string but those of small order
			}
			if _, err := crypto.Seal(suite, key, nil); !errors.Is(err, crypto.ErrSealRecipient) {
				t.Errorf("%s: %s: Seal says %v", suite, name, err)
			}
		}
		if _, err := crypto.Seal(suite, pub, make([]byte, crypto.MaxPayload+1)); !errors.Is(err, crypto.ErrSealTooLarge) {
			t.Errorf("%s: too large: Seal says %v", suite, err)
		}
		for _, n := range []int{-1, crypto.MaxPayload + 1} {
			if _, err := crypto.EnvelopeSize(suite, n); !errors.Is(err, crypto.ErrSealTooLarge) {
				t.Errorf("%s: EnvelopeSize(%d) says %v", suite, n, err)
			}
		}
	}
	if size, err := crypto.EnvelopeSize(crypto.SuiteMLKEM768X25519, crypto.MaxPayload); err != nil || size != crypto.MaxEnvelope {
		t.Errorf("the largest envelope is %d bytes long (%v), MaxEnvelope is %d", size, err, crypto.MaxEnvelope)
	}
}

func TestOpenRefusesForms(t *testing.T) {
	seed := crypto.NewSealingSeed()
	for _, suite := range suites {
		sound := seal(t, suite, publicKey(t, seed, suite), []byte("payload"))
		with := func(at int, b byte) []byte {
			e := bytes.Clone(sound)
			e[at] = b
			return e
		}
		for _, v := range []struct {
			name     string
			envelope []byte
			want     error
		}{
			{"nothing", nil, crypto.ErrSealMalformed},
			{"one byte", sound[:1], crypto.ErrSealMalformed},
			{"header alone", sound[:2], crypto.ErrSealMalformed},
			{"cut", sound[:len(sound)-1], crypto.ErrSealMalformed},
			{"longer", append(bytes.Clone(sound), 0), crypto.ErrSealMalformed},
			{"256 KiB class", append(bytes.Clone(sound), make([]byte, 255<<10)...), crypto.ErrSealMalformed},
			{"version 0", with(0, 0), crypto.ErrSealUnknownSuite},
			{"version 2", with(0, 2), crypto.ErrSealUnknownSuite},
			{"suite 0", with(1, 0), crypto.ErrSealUnknownSuite},
			{"suite 3", with(1, 3), crypto.ErrSealUnknownSuite},
			{"changed tag", with(len(sound)-1, sound[len(sound)-1]^1), crypto.ErrSealOpen},
		} {
			if _, err := seed.Open(v.envelope); !errors.Is(err, v.want) {
				t.Errorf("%s: %s: error %v, want %v", suite, v.name, err, v.want)
			}
		}
	}
}

// sealPlaintext seals any plaintext by the book: HPKE and the info of the spec,
// with the padding left to the caller.
func sealPlaintext(t testing.TB, suite crypto.Suite, pub, plaintext []byte) []byte {
	t.Helper()
	kem := hpke.DHKEM(ecdh.X25519())
	if suite == crypto.SuiteMLKEM768X25519 {
		kem = hpke.MLKEM768X25519()
	}
	key, err := kem.NewPublicKey(pub)
	if err != nil {
		t.Fatal(err)
	}
	recipient := sha256.Sum256(pub)
	info := slices.Concat([]byte("parley/1/seal"), []byte{0, byte(suite)}, recipient[:])
	sealed, err := hpke.Seal(key, hpke.HKDFSHA256(), hpke.ChaCha20Poly1305(), info, plaintext)
	if err != nil {
		t.Fatal(err)
	}
	return append([]byte{1, byte(suite)}, sealed...)
}

func TestOpenChecksThePadding(t *testing.T) {
	seed := crypto.NewSealingSeed()
	plaintext := func(length uint32, class int, content string) []byte {
		p := make([]byte, class)
		binary.BigEndian.PutUint32(p, length)
		copy(p[4:], content)
		return p
	}
	trailing := plaintext(7, 1<<10, "payload")
	trailing[len(trailing)-1] = 1
	for _, suite := range suites {
		pub := publicKey(t, seed, suite)
		for _, v := range []struct {
			name      string
			plaintext []byte
			want      error
		}{
			{"sound", plaintext(7, 1<<10, "payload"), nil},
			{"larger class than needed", plaintext(7, 8<<10, "payload"), nil},
			{"no payload", plaintext(0, 1<<10, ""), nil},
			{"no padding", plaintext(1020, 1<<10, "payload"), nil},
			{"length of one too many", plaintext(1021, 1<<10, ""), crypto.ErrSealMalformed},
			{"length of 4 GiB", plaintext(1<<32-1, 1<<10, ""), crypto.ErrSealMalformed},
			{"padding right after it", plaintext(6, 1<<10, "payload"), crypto.ErrSealMalformed},
			{"padding at the very end", trailing, crypto.ErrSealMalformed},
			{"between two classes", plaintext(7, 3<<10, "payload"), crypto.ErrSealMalformed},
			{"below all classes", plaintext(7, 512, "payload"), crypto.ErrSealMalformed},
			{"no length", nil, crypto.ErrSealMalformed},
		} {
			if _, err := seed.Open(sealPlaintext(t, suite, pub, v.plaintext)); !errors.Is(err, v.want) {
				t.Errorf("%s: %s: error %v, want %v", suite, v.name, err, v.want)
			}
		}
	}
}

// TestInfoIsBound checks that the info binds the suite and the recipient: with
// any other, an envelope doesn't open.
func TestInfoIsBound(t *testing.T) {
	seed := crypto.NewSealingSeed()
	pub := publicKey(t, seed, crypto.SuiteX25519)
	key, err := hpke.DHKEM(ecdh.X25519()).NewPublicKey(pub)
	if err != nil {
		t.Fatal(err)
	}
	recipient := sha256.Sum256(pub)
	for name, info := range map[string][]byte{
		"empty":             nil,
		"another protocol":  slices.Concat([]byte("parley/2/seal"), []byte{0, 1}, recipient[:]),
		"another suite":     slices.Concat([]byte("parley/1/seal"), []byte{0, 2}, recipient[:]),
		"another recipient": slices.Concat([]byte("parley/1/seal"), []byte{0, 1}, make([]byte, 32)),
	} {
		sealed, err := hpke.Seal(key, hpke.HKDFSHA256(), hpke.ChaCha20Poly1305(), info, make([]byte, 1<<10))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := seed.Open(append([]byte{1, 1}, sealed...)); !errors.Is(err, crypto.ErrSealOpen) {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

func TestSealingSeed(t *testing.T) {
	tokens := map[[32]byte]bool{}
	keys := map[string]bool{}
	for range 200 {
		seed := crypto.NewSealingSeed()
		tokens[seed.Token()] = true
		keys[string(publicKey(t, seed, crypto.SuiteX25519))] = true
		if seed.Token() != sha256.Sum256(seed.PickupKey().PublicKey()) {
			t.Fatal("the token isn't SHA-256 of the pick-up key")
		}
	}
	if len(tokens) != 200 || len(keys) != 200 {
		t.Errorf("%d tokens and %d keys of 200 seeds", len(tokens), len(keys))
	}

	seed := crypto.NewSealingSeed()
	envelope := seal(t, crypto.SuiteX25519, publicKey(t, seed, crypto.SuiteX25519), nil)
	seed.Destroy()
	if !seed.IsZero() || seed != (crypto.SealingSeed{}) {
		t.Error("a destroyed seed is still there")
	}
	if _, err := seed.Open(envelope); !errors.Is(err, crypto.ErrSeedDestroyed) {
		t.Errorf("Open with a destroyed seed: %v", err)
	}
	if _, err := seed.PublicKey(crypto.SuiteX25519); !errors.Is(err, crypto.ErrSeedDestroyed) {
		t.Errorf("PublicKey of a destroyed seed: %v", err)
	}
}

// TestTokensAreUnlinkable checks that seeds which differ in one bit give tokens,
// pick-up keys and sealing keys as far apart as random ones: of 256 bits, 128
// differ on average, and fewer than 70 or more than 186 once in 10^12 draws.
func TestTokensAreUnlinkable(t *testing.T) {
	distance := func(a, b []byte) (n int) {
		for i := range a {
			for x := a[i] ^ b[i]; x != 0; x &= x - 1 {
				n++
			}
		}
		return n
	}
	rapid.Check(t, func(t *rapid.T) {
		a := crypto.SealingSeed(rapid.SliceOfN(rapid.ByteRange(1, 255), 32, 32).Draw(t, "seed"))
		b := a
		bit := rapid.IntRange(0, 255).Draw(t, "bit")
		b[bit/8] ^= 1 << (bit % 8)

		ta, tb := a.Token(), b.Token()
		if n := distance(ta[:], tb[:]); n < 70 || n > 186 {
			t.Errorf("tokens differ in %d bits", n)
		}
		if n := distance(a.PickupKey().PublicKey(), b.PickupKey().PublicKey()); n < 70 || n > 186 {
			t.Errorf("pick-up keys differ in %d bits", n)
		}
	})
}

// TestPublishedHPKEVectors runs the published vectors of the exact algorithms
// behind both suites. They ship with Go's sources: RFC 9180 A.2.1 for suite 1,
// draft-ietf-hpke-pq's for suite 2.
func TestPublishedHPKEVectors(t *testing.T) {
	type encryption struct{ Aad, Ct, Pt string }
	type vector struct {
		Mode, KEM_ID, KDF_ID, AEAD_ID int
		Info, IkmR, SkRm, PkRm, Enc   string
		Encryptions                   []encryption
	}
	for _, v := range []struct {
		file  string
		suite crypto.Suite
		kem   hpke.KEM
		first []encryption // where Go's file keeps only a digest of them
	}{
		{
			"rfc9180.json", crypto.SuiteX25519, hpke.DHKEM(ecdh.X25519()),
			[]encryption{{
				Aad: "436f756e742d30",
				Pt:  "4265617574792069732074727574682c20747275746820626561757479",
				Ct:  "1c5250d8034ec2b784ba2cfd69dbdb8af406cfe3ff938e131f0def8c8b60b4db21993c62ce81883d2dd1b51a28",
			}},
		},
		{"hpke-pq.json", crypto.SuiteMLKEM768X25519, hpke.MLKEM768X25519(), nil},
	} {
		t.Run(v.suite.String(), func(t *testing.T) {
			var vectors []vector
			loadJSON(t, filepath.Join(goRoot(t), "src", "crypto", "hpke", "testdata", v.file), &vectors)
			i := slices.IndexFunc(vectors, func(c vector) bool {
				return c.Mode == 0 && c.KEM_ID == int(v.kem.ID()) && c.KDF_ID == 1 && c.AEAD_ID == 3
			})
			if i < 0 {
				t.Skipf("%s has no vector of this suite", v.file)
			}
			c := vectors[i]
			private, err := v.kem.DeriveKeyPair(unhex(t, c.IkmR))
			if err != nil {
				t.Fatal(err)
			}
			if got := private.PublicKey().Bytes(); !bytes.Equal(got, unhex(t, c.PkRm)) {
				t.Errorf("derived public key %x, want %s", got, c.PkRm)
			}
			recipient, err := hpke.NewRecipient(unhex(t, c.Enc), private, hpke.HKDFSHA256(), hpke.ChaCha20Poly1305(), unhex(t, c.Info))
			if err != nil {
				t.Fatal(err)
			}
			encryptions := append(v.first, c.Encryptions...)
			if len(encryptions) == 0 {
				t.Fatal("nothing to open")
			}
			for i, e := range encryptions {
				got, err := recipient.Open(unhex(t, e.Aad), unhex(t, e.Ct))
				if err != nil || !bytes.Equal(got, unhex(t, e.Pt)) {
					t.Fatalf("encryption %d opens to %x, %v", i, got, err)
				}
			}
		})
	}
}
