package crypto

import (
	"crypto/ed25519"
)

// DID names an author.
type DID string

// ParseDID reads a DID.
func ParseDID(s string) (DID, error) { return "", ErrDID }

// DIDFromPublicKey names a key.
func DIDFromPublicKey(pub ed25519.PublicKey) DID { return "" }

// PublicKey returns the key, nil when the DID is not valid.
func (d DID) PublicKey() ed25519.PublicKey { return nil }

// String returns the text form.
func (d DID) String() string { return string(d) }
