package vault

import (
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"golang.org/x/crypto/chacha20poly1305"
)

// KeySize is the length of a [Key] in bytes.
const KeySize = chacha20poly1305.KeySize

// BoxOverhead is what [Key.Seal] adds, in bytes: a nonce and a tag.
const BoxOverhead = chacha20poly1305.NonceSizeX + chacha20poly1305.Overhead

// Key is a secret key of things at rest. It prints as a placeholder.
type Key [KeySize]byte

// NewKey returns a random key.
func NewKey() (k Key) {
	rand.Read(k[:])
	return k
}

// ErrBox means that a box is spoilt, or was made with another key or for
// something else.
var ErrBox = errors.New("it can't be opened with this key")

// Seal encrypts with XChaCha20-Poly1305 under a random nonce, which stands before
// the ciphertext. The context says what the box is for; it opens for that alone.
func (k *Key) Seal(context, plain []byte) []byte {
	box := make([]byte, chacha20poly1305.NonceSizeX, len(plain)+BoxOverhead)
	rand.Read(box)
	return k.aead().Seal(box, box, plain, context)
}

// Open gives back what was sealed, or [ErrBox].
func (k *Key) Open(context, box []byte) ([]byte, error) {
	if len(box) < BoxOverhead {
		return nil, ErrBox
	}
	plain, err := k.aead().Open(nil, box[:chacha20poly1305.NonceSizeX], box[chacha20poly1305.NonceSizeX:], context)
	if err != nil {
		return nil, ErrBox
	}
	return plain, nil
}

func (k *Key) aead() interface {
	Seal(dst, nonce, plaintext, additionalData []byte) []byte
	Open(dst, nonce, ciphertext, additionalData []byte) ([]byte, error)
} {
	aead, err := chacha20poly1305.NewX(k[:])
	if err != nil {
		panic(err) // not reached: the length is right
	}
	return aead
}

// Derive gives the key for one use: HKDF-SHA256 with the use's name.
func (k *Key) Derive(use string) (out Key) {
	b, err := hkdf.Key(sha256.New, k[:], nil, "parley/1/at-rest\x00"+use, KeySize)
	if err != nil {
		panic(err) // not reached: the length is right
	}
	defer clear(b)
	return Key(b)
}

const redactedText = "[redacted]"

// String is a placeholder.
func (k Key) String() string { return redactedText }

// Format writes a placeholder for every verb.
func (k Key) Format(f fmt.State, _ rune) { io.WriteString(f, redactedText) }

// LogValue gives log/slog a placeholder.
func (k Key) LogValue() slog.Value { return slog.StringValue(redactedText) }

// MarshalText refuses: a key has no text.
func (k Key) MarshalText() ([]byte, error) { return []byte(redactedText), nil }
