package crypto

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
)

// redactedText stands wherever a secret would have been printed.
const redactedText = "[redacted]"

// ErrSecret is returned by the text, JSON and binary marshalling of every secret
// in this package. It is an error and not a placeholder, so that a key file written
// with encoding/json by mistake fails at once instead of holding the word
// "[redacted]" where the key should be.
var ErrSecret = errors.New("crypto: a secret can't be marshalled")

// redacted is embedded in every secret type: whatever prints, logs or marshals
// the value gets no byte of it.
type redacted struct{}

// String returns a fixed placeholder.
func (redacted) String() string { return redactedText }

// Format writes the placeholder for every verb and flag, %x and %#v included.
func (redacted) Format(f fmt.State, _ rune) { io.WriteString(f, redactedText) }

// LogValue gives log/slog the placeholder.
func (redacted) LogValue() slog.Value { return slog.StringValue(redactedText) }

// MarshalText refuses with [ErrSecret]; encoding/json calls it too.
func (redacted) MarshalText() ([]byte, error) { return nil, ErrSecret }

// MarshalBinary refuses with [ErrSecret]; encoding/gob and CBOR libraries call
// it.
func (redacted) MarshalBinary() ([]byte, error) { return nil, ErrSecret }

// secret holds 32 secret bytes behind a pointer, so that all copies of a value
// are destroyed together and fmt shows an address at most.
type secret struct {
	redacted
	held *heldSecret
}

type heldSecret struct {
	bytes [SeedSize]byte
	alive bool
}

func newSecret(b [SeedSize]byte) secret {
	return secret{held: &heldSecret{bytes: b, alive: true}}
}

// Destroy overwrites the secret in every copy of this value. It does nothing to
// a zero value, and must not run beside other uses of the secret.
func (s secret) Destroy() {
	if s.held != nil {
		*s.held = heldSecret{}
	}
}

// IsZero reports whether there is no secret: this is the zero value, or it was
// destroyed.
func (s secret) IsZero() bool { return s.held == nil || !s.held.alive }

// key returns the bytes. What is derived from zeros could be computed by
// anybody, so using a missing secret is a bug that must not go on.
func (s secret) key(what string) []byte {
	if s.IsZero() {
		panic("crypto: use of a zero or destroyed " + what)
	}
	return s.held.bytes[:]
}
