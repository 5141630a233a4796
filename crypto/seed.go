package crypto

import (
	"crypto/hpke"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log/slog"
)

// ErrSeedDestroyed says that a sealing seed is all zero: it was destroyed, so
// what was sealed to it can't be opened any more.
var ErrSeedDestroyed = errors.New("crypto: sealing seed was destroyed")

// SealingSeed is the secret behind one address for sealed replies: the private
// keys of both suites, and the key that picks the replies up at a mailbox. It is
// random, derives from nothing and is destroyed when the deal is over, so that
// no later theft opens what was sealed to it. The zero value stands for
// a destroyed seed.
//
// The 32 bytes are the type's whole content, for key files. It formats as
// "[redacted]".
type SealingSeed [SeedSize]byte

// NewSealingSeed returns a new random seed.
func NewSealingSeed() SealingSeed {
	var s SealingSeed
	rand.Read(s[:])
	return s
}

// PublicKey returns the public key that others seal to under a suite,
// [Suite.PublicKeySize] bytes long. Its private key is the KEM's DeriveKeyPair
// (RFC 9180 §7.1.3; for suite 2 that of the hybrid KEM) of
//
//	HKDF-SHA256(secret = seed, salt = none,
//	  info = "parley/1/sealing-key" ‖ 0x00 ‖ suite (1 byte), 32 bytes)
//
// Errors wrap [ErrSealUnknownSuite] or [ErrSeedDestroyed].
func (s SealingSeed) PublicKey(suite Suite) ([]byte, error) {
	private, err := s.privateKey(suite)
	if err != nil {
		return nil, err
	}
	return private.PublicKey().Bytes(), nil
}

// PickupKey returns the key that proves to a mailbox who may fetch what was left
// for this seed:
//
//	seed = HKDF-SHA256(secret = seed, salt = none,
//	  info = "parley/1/pickup-key", 32 bytes)
//
// It panics on a destroyed seed.
func (s SealingSeed) PickupKey() *SigningKey {
	if s.IsZero() {
		panic("crypto: use of a zero or destroyed SealingSeed")
	}
	return NewSigner(derive(s[:], nil, pickupKeyLabel))
}

// Token returns the name under which a mailbox keeps what was left for this
// seed: SHA-256 of the pick-up key's public half. Tokens of different seeds have
// nothing in common. It panics on a destroyed seed.
func (s SealingSeed) Token() [sha256.Size]byte {
	key := s.PickupKey()
	defer key.Destroy()
	return sha256.Sum256(key.PublicKey())
}

// IsZero reports whether the seed was destroyed or never made.
func (s SealingSeed) IsZero() bool { return s == SealingSeed{} }

// Destroy overwrites this copy of the seed.
func (s *SealingSeed) Destroy() { clear(s[:]) }

// String returns a fixed placeholder.
func (SealingSeed) String() string { return redactedText }

// Format writes the placeholder for every verb and flag.
func (SealingSeed) Format(f fmt.State, _ rune) { io.WriteString(f, redactedText) }

// LogValue gives log/slog the placeholder.
func (SealingSeed) LogValue() slog.Value { return slog.StringValue(redactedText) }

// MarshalText refuses with [ErrSecret]; encoding/json calls it too.
func (SealingSeed) MarshalText() ([]byte, error) { return nil, ErrSecret }

// MarshalBinary refuses with [ErrSecret]; encoding/gob and CBOR libraries call
// it.
func (SealingSeed) MarshalBinary() ([]byte, error) { return nil, ErrSecret }

func (s SealingSeed) privateKey(suite Suite) (hpke.PrivateKey, error) {
	kem, err := suite.kem()
	if err != nil {
		return nil, err
	}
	if s.IsZero() {
		return nil, ErrSeedDestroyed
	}
	ikm := derive(s[:], nil, sealingKeyLabel+"\x00"+string([]byte{byte(suite)}))
	defer clear(ikm[:])
	private, err := kem.DeriveKeyPair(ikm[:])
	if err != nil {
		return nil, fmt.Errorf("crypto: deriving a sealing key: %w", err)
	}
	return private, nil
}
