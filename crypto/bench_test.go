package crypto_test

import (
	"crypto/ed25519"
	"fmt"
	"testing"

	"github.com/parley-protocol/parley/crypto"
)

// BenchmarkVerify measures what strictness costs over the standard library.
func BenchmarkVerify(b *testing.B) {
	key, msg := crypto.NewSigner(counting(0)), make([]byte, 1024)
	pub, sig := key.PublicKey(), key.Sign(msg)
	for name, verify := range map[string]func(ed25519.PublicKey, []byte, []byte) bool{
		"strict": crypto.Verify, "stdlib": ed25519.Verify,
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if !verify(pub, msg, sig) {
					b.Fatal("signature isn't valid")
				}
			}
		})
	}
}

func BenchmarkSign(b *testing.B) {
	key, msg := crypto.NewSigner(counting(0)), make([]byte, 1024)
	for b.Loop() {
		key.Sign(msg)
	}
}

func BenchmarkParseDID(b *testing.B) {
	for b.Loop() {
		if _, err := crypto.ParseDID(goodDID); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSeal(b *testing.B) {
	for _, suite := range suites {
		pub := publicKey(b, crypto.NewSealingSeed(), suite)
		for _, class := range []int{1 << 10, 128 << 10} {
			payload := make([]byte, class-4)
			b.Run(fmt.Sprintf("%s/%dKiB", suite, class>>10), func(b *testing.B) {
				b.SetBytes(int64(class))
				for b.Loop() {
					if _, err := crypto.Seal(suite, pub, payload); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

func BenchmarkOpen(b *testing.B) {
	seed := crypto.NewSealingSeed()
	for _, suite := range suites {
		pub := publicKey(b, seed, suite)
		for _, class := range []int{1 << 10, 128 << 10} {
			envelope := seal(b, suite, pub, make([]byte, class-4))
			b.Run(fmt.Sprintf("%s/%dKiB", suite, class>>10), func(b *testing.B) {
				b.SetBytes(int64(class))
				for b.Loop() {
					if _, err := seed.Open(envelope); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

func BenchmarkPhraseRoot(b *testing.B) {
	phrase, err := crypto.NewPhrase()
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		phrase.Root()
	}
}
