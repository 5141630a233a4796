package crypto

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
)

// SeedSize is the length in bytes of every seed and derived secret here.
const SeedSize = 32

// Signer signs as one author. [SigningKey] is the implementation; others may
// keep the key elsewhere.
type Signer interface {
	// DID names the author.
	DID() DID
	// Sign returns the 64-byte Ed25519 signature of msg. The caller puts the
	// domain separation into msg.
	Sign(msg []byte) []byte
}

// SigningKey is an Ed25519 private key. It is safe for concurrent use, except
// that [SigningKey.Destroy] must not run beside other methods. It formats as
// "[redacted]".
type SigningKey struct {
	redacted
	private *[ed25519.PrivateKeySize]byte // a pointer, so that no way of printing follows it
	public  ed25519.PublicKey
	did     DID
}

var _ Signer = (*SigningKey)(nil)

// NewSigner returns the key of RFC 8032 for a 32-byte secret seed, which must be
// random or come from a derivation of this package.
func NewSigner(seed [SeedSize]byte) *SigningKey {
	private := ed25519.NewKeyFromSeed(seed[:])
	public := private.Public().(ed25519.PublicKey)
	return &SigningKey{
		private: (*[ed25519.PrivateKeySize]byte)(private),
		public:  public,
		did:     encodeDID(public),
	}
}

// GenerateSigner returns a new random key.
func GenerateSigner() *SigningKey {
	var seed [SeedSize]byte
	rand.Read(seed[:])
	defer clear(seed[:])
	return NewSigner(seed)
}

// DID names the key's author.
func (k *SigningKey) DID() DID { return k.did }

// PublicKey returns a copy of the public half.
func (k *SigningKey) PublicKey() ed25519.PublicKey { return bytes.Clone(k.public) }

// Sign returns the 64-byte signature of msg. It is deterministic: the same key
// and message give the same bytes. It panics on a destroyed key, because there
// is no signature to return.
func (k *SigningKey) Sign(msg []byte) []byte {
	return ed25519.Sign(k.alive(), msg)
}

// Seed returns a copy of the secret seed, for a key file. It panics on
// a destroyed key.
func (k *SigningKey) Seed() [SeedSize]byte {
	return [SeedSize]byte(k.alive().Seed())
}

// Destroy overwrites the private half. The key keeps its name and can sign no
// more.
func (k *SigningKey) Destroy() {
	if k.private != nil {
		clear(k.private[:])
		k.private = nil
	}
}

func (k *SigningKey) alive() ed25519.PrivateKey {
	if k.private == nil {
		panic("crypto: use of a destroyed SigningKey")
	}
	return k.private[:]
}

// KeyCommitment returns SHA-256 of a public key: what a seller's profile states
// about its next persona key, so that only the holder of that key can rotate to
// it (spec/03-identifiers-and-keys.md).
func KeyCommitment(pub ed25519.PublicKey) [sha256.Size]byte {
	return sha256.Sum256(pub)
}
