package crypto_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/parley-protocol/parley/crypto"
	"github.com/parley-protocol/parley/spec/vectors"
	"github.com/parley-protocol/parley/spec/vectors/fuzzing"
)

func FuzzParseDID(f *testing.F) {
	for _, s := range []string{
		"", "did:key:z", goodDID, goodDID + "#x", strings.ToUpper(goodDID),
		"did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK",
		"did:key:z6LShs9GGnqk85isEBzzshkuVWrVKsRp24GnDuHk8QWkARMW",
		"did:key:z" + strings.Repeat("1", 47), "did:key:z" + strings.Repeat("z", 47),
		didOf("\xed\x01", make([]byte, 32)), didOf("\xed\x01", bytes.Repeat([]byte{0xff}, 32)),
	} {
		f.Add(s)
	}
	fuzzing.Each(f, "did", func(in struct{ DID string }) { f.Add(in.DID) })
	f.Fuzz(func(t *testing.T, s string) {
		var d crypto.DID
		var err error
		fuzzing.Bounded(t, len(s), func() { d, err = crypto.ParseDID(s) })
		if err != nil {
			if d != "" || !errors.Is(err, crypto.ErrDID) || crypto.DID(s).PublicKey() != nil {
				t.Fatalf("ParseDID(%q) = %q, %v", s, d, err)
			}
			return
		}
		if string(d) != s || crypto.DIDFromPublicKey(d.PublicKey()) != d {
			t.Fatalf("%q is read as %q and written as %q", s, d, crypto.DIDFromPublicKey(d.PublicKey()))
		}
	})
}

func FuzzParsePhrase(f *testing.F) {
	for _, s := range []string{
		"", "zoo", vectorPhrase, strings.ToUpper(vectorPhrase), withWord(3, "htank"), withWord(24, "wage"),
		strings.Repeat("abandon ", 23) + "art", strings.Repeat("zoo ", 24), strings.Repeat("\u00e9 ", 24),
	} {
		f.Add(s)
	}
	fuzzing.Each(f, "phrase", func(in struct{ Words string }) { f.Add(in.Words) })
	f.Fuzz(func(t *testing.T, s string) {
		var p crypto.Phrase
		var err error
		fuzzing.Bounded(t, len(s), func() { p, err = crypto.ParsePhrase(s) })
		if err != nil {
			var fault *crypto.PhraseError
			if !errors.As(err, &fault) || fault.Word < 0 || fault.Word > crypto.PhraseWords {
				t.Fatalf("ParsePhrase(%q): %#v", s, err)
			}
			return
		}
		if got, want := p.Words(), strings.Fields(strings.ToLower(s)); strings.Join(got, " ") != strings.Join(want, " ") {
			t.Fatalf("%q reads as %q", s, got)
		}
	})
}

func FuzzOpen(f *testing.F) {
	seed := crypto.SealingSeed(counting(32))
	f.Add([]byte{})
	f.Add([]byte{1, 1})
	f.Add(make([]byte, 2+32+1024+16))
	f.Add(loadHex(f, "envelope-suite1.hex"))
	f.Add(loadHex(f, "envelope-suite2.hex"))
	for _, suite := range suites {
		pub := publicKey(f, seed, suite)
		f.Add(sealPlaintext(f, suite, pub, bytes.Repeat([]byte{0xff}, 1024)))
		f.Add(sealPlaintext(f, suite, pub, make([]byte, 2048)))
	}
	fuzzing.Each(f, "envelope", func(in struct{ Envelope vectors.Hex }) { f.Add([]byte(in.Envelope)) })
	f.Fuzz(func(t *testing.T, envelope []byte) {
		var payload []byte
		var err error
		fuzzing.Bounded(t, len(envelope), func() { payload, err = seed.Open(envelope) })
		form := crypto.CheckEnvelope(envelope)
		if err == nil {
			if form != nil || len(payload) > len(envelope) || len(payload) > crypto.MaxPayload {
				t.Fatalf("%d bytes open to %d; the form: %v", len(envelope), len(payload), form)
			}
			return
		}
		if payload != nil {
			t.Fatalf("both a payload and the error %v", err)
		}
		if form != nil && err.Error() != form.Error() {
			t.Fatalf("Open says %v, CheckEnvelope %v", err, form)
		}
		for _, known := range []error{crypto.ErrSealMalformed, crypto.ErrSealUnknownSuite, crypto.ErrSealOpen} {
			if errors.Is(err, known) {
				return
			}
		}
		t.Fatalf("an error of no kind: %v", err)
	})
}

// FuzzSealedPlaintext lets a sender choose what lies under the seal.
func FuzzSealedPlaintext(f *testing.F) {
	seed := crypto.SealingSeed(counting(32))
	pub := publicKey(f, seed, crypto.SuiteX25519)
	f.Add([]byte{0, 0, 0, 1, 'x'})
	f.Add([]byte{0, 0, 0, 0})
	f.Add([]byte{0xff, 0xff, 0xff, 0xff})
	f.Add([]byte{0, 0, 3, 0xfc})
	f.Add(append(make([]byte, 1023), 1))
	f.Fuzz(func(t *testing.T, content []byte) {
		plaintext := make([]byte, 1024)
		copy(plaintext, content)
		payload, err := seed.Open(sealPlaintext(t, crypto.SuiteX25519, pub, plaintext))
		if err != nil {
			if !errors.Is(err, crypto.ErrSealMalformed) {
				t.Fatalf("error %v", err)
			}
			return
		}
		if !bytes.HasPrefix(plaintext[4:], payload) || len(bytes.Trim(plaintext[4+len(payload):], "\x00")) != 0 {
			t.Fatalf("%x is read as %x", plaintext, payload)
		}
	})
}

func FuzzVerify(f *testing.F) {
	key := crypto.NewSigner(counting(0))
	f.Add([]byte(key.PublicKey()), []byte("message"), key.Sign([]byte("message")))
	f.Add([]byte{}, []byte{}, []byte{})
	f.Add(make([]byte, 32), []byte{}, make([]byte, 64))
	fuzzing.Each(f, "signature", func(in struct{ Key, Message, Signature vectors.Hex }) {
		f.Add([]byte(in.Key), []byte(in.Message), []byte(in.Signature))
	})
	f.Fuzz(func(t *testing.T, pub, msg, sig []byte) {
		fuzzing.Bounded(t, len(pub)+len(msg)+len(sig), func() { crypto.Verify(pub, msg, sig) })
		checkReference(t, pub, msg, sig)
		if crypto.Verify(pub, msg, sig) && crypto.ValidatePublicKey(pub) != nil {
			t.Fatalf("%x verifies and isn't a usable key", pub)
		}
	})
}
