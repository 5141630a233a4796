package crypto

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
)

// redactedText stands wherever a secret would have been printed.
const redactedText = "[redacted]"

// ErrSecret is returned by the text and JSON marshalling of every secret in
// this package. It is an error and not a placeholder, so that a key file
// written by mistake with encoding/json fails at once instead of holding the
// word "[redacted]" where the key should be.
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

// MarshalText refuses with [ErrSecret].
func (redacted) MarshalText() ([]byte, error) { return nil, ErrSecret }
