package crypto_test

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"strings"
	"testing"

	"github.com/mr-tron/base58"
	"pgregory.net/rapid"

	"github.com/parley-protocol/parley/crypto"
)

// TestDIDVectors runs the Ed25519 vectors of the did:key method's own
// repository (w3c-ccg/did-key-spec, test-vectors/ed25519-x25519.json): the seed
// is the number as 32 bytes, big-endian.
func TestDIDVectors(t *testing.T) {
	for n, want := range []crypto.DID{
		"did:key:z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp",
		"did:key:z6MkjchhfUsD6mmvni8mCdXHw216Xrm9bQe2mBH1P5RDjVJG",
		"did:key:z6MknGc3ocHs3zdPiJbnaaqDi58NGb4pk1Sp9WxWufuXSdxf",
		"did:key:z6MkvqoYXQfDDJRv8L4wKzxYeuKyVZBfi9Qo6Ro8MiLH3kDQ",
		"did:key:z6MkwW6aqMnjgrhJXFUko3NnZPGzVpkNzhYK7yEhnsibmLwL",
	} {
		var seed [crypto.SeedSize]byte
		seed[31] = byte(n)
		key := crypto.NewSigner(seed)
		if key.DID() != want {
			t.Errorf("seed %d: DID %s, want %s", n, key.DID(), want)
		}
		got, err := crypto.ParseDID(string(want))
		if err != nil || got != want {
			t.Errorf("ParseDID(%s) = %q, %v", want, got, err)
		}
		if !got.PublicKey().Equal(key.PublicKey()) {
			t.Errorf("%s: PublicKey is %x, want %x", want, got.PublicKey(), key.PublicKey())
		}
	}
}

// TestDIDExamples reads the examples in the text of The did:key Method v0.7.
func TestDIDExamples(t *testing.T) {
	for _, s := range []string{
		"did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK",
		"did:key:z6MkpTHR8VNsBxYAAWHut2Geadd9jSwuBV8xRoAnwWsdvktH",
	} {
		d, err := crypto.ParseDID(s)
		if err != nil {
			t.Errorf("ParseDID(%s): %v", s, err)
			continue
		}
		if again := crypto.DIDFromPublicKey(d.PublicKey()); again != d {
			t.Errorf("DIDFromPublicKey gives %s back for %s", again, d)
		}
	}
}

const goodDID = "did:key:z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp"

// didOf encodes any multicodec and key, valid or not.
func didOf(codec string, key []byte) string {
	return "did:key:z" + base58.Encode(append([]byte(codec), key...))
}

func TestParseDIDRefuses(t *testing.T) {
	small := make([]byte, 32)
	small[0] = 1
	large := bytes.Repeat([]byte{0xff}, 32) // y = 2^255 - 1
	nowhere := make([]byte, 32)
	nowhere[0] = 2 // no point has y = 2

	for name, s := range map[string]string{
		"empty":               "",
		"prefix alone":        "did:key:z",
		"another method":      strings.Replace(goodDID, "did:key", "did:web", 1),
		"upper-case method":   strings.Replace(goodDID, "did:key", "did:KEY", 1),
		"space before":        " " + goodDID,
		"line feed after":     goodDID + "\n",
		"fragment":            goodDID + "#" + goodDID[len("did:key:"):],
		"query":               goodDID + "?versionId=1",
		"path":                goodDID + "/x",
		"last digit gone":     goodDID[:len(goodDID)-1],
		"digit too many":      goodDID + "p",
		"letter not in base":  goodDID[:len(goodDID)-1] + "0",
		"not ASCII":           goodDID[:len(goodDID)-2] + "é",
		"base58 leading zero": "did:key:z1" + goodDID[len("did:key:z"):len(goodDID)-1],
		"value overflows":     "did:key:z" + strings.Repeat("z", 47),
		"value too small":     "did:key:z" + strings.Repeat("1", 47),
		"base64url multibase": "did:key:u7QE7aicnvOjbWsW6RVm5VrMzFEMgLJ3RfXeHXQ2RrH9MbA",
		"X25519 key":          "did:key:z6LShs9GGnqk85isEBzzshkuVWrVKsRp24GnDuHk8QWkARMW",
		"secp256k1 key":       "did:key:zQ3shokFTS3brHcDQrn82RUDfCZESWL1ZdCEJwekUDPQiYBme",
		"unwrapped key":       didOf("", make([]byte, 34)),
		"codec as one byte":   didOf("\xed", make([]byte, 33)),
		"31-byte key":         didOf("\xed\x01", make([]byte, 31)),
		"33-byte key":         didOf("\xed\x01", make([]byte, 33)),
		"small-order key":     didOf("\xed\x01", small),
		"non-canonical key":   didOf("\xed\x01", large),
		"no such point":       didOf("\xed\x01", nowhere),
	} {
		d, err := crypto.ParseDID(s)
		if !errors.Is(err, crypto.ErrDID) || d != "" {
			t.Errorf("%s: ParseDID(%q) = %q, %v", name, s, d, err)
		}
		if key := crypto.DID(s).PublicKey(); key != nil {
			t.Errorf("%s: has the public key %x", name, key)
		}
	}
	for name, key := range map[string][]byte{"small order": small, "non-canonical": large, "no such point": nowhere} {
		if _, err := crypto.ParseDID(didOf("\xed\x01", key)); !errors.Is(err, crypto.ErrPublicKey) {
			t.Errorf("%s: error %v doesn't name the key", name, err)
		}
		if d := crypto.DIDFromPublicKey(key); d != "" {
			t.Errorf("%s: DIDFromPublicKey gives %s", name, d)
		}
	}
	if d := crypto.DIDFromPublicKey(nil); d != "" {
		t.Errorf("DIDFromPublicKey(nil) gives %s", d)
	}
}

func TestDIDRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seed := rapid.SliceOfN(rapid.Byte(), ed25519.SeedSize, ed25519.SeedSize).Draw(t, "seed")
		pub := ed25519.NewKeyFromSeed(seed).Public().(ed25519.PublicKey)
		d := crypto.DIDFromPublicKey(pub)
		if len(d) != crypto.DIDLen || !strings.HasPrefix(string(d), "did:key:z6Mk") {
			t.Fatalf("DID %q", d)
		}
		if back, err := crypto.ParseDID(d.String()); err != nil || !back.PublicKey().Equal(pub) {
			t.Fatalf("ParseDID(%s) = %v, %v", d, back, err)
		}
	})
}
