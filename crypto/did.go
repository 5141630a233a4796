package crypto

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"strings"

	"github.com/mr-tron/base58"
)

// ErrDID says that a text isn't a DID that Parley accepts.
var ErrDID = errors.New("crypto: not a did:key of an Ed25519 key")

// DID is an author's name: the did:key text form of an Ed25519 public key,
// "did:key:z6Mk…", always [DIDLen] bytes long. A DID that didn't come from
// [ParseDID], [DIDFromPublicKey] or [SigningKey.DID] is only a string: check it
// with ParseDID before use.
//
// Source: The did:key Method v0.7; spec/03-identifiers-and-keys.md.
type DID string

const (
	// DIDLen is the length of every valid DID in bytes.
	DIDLen = len(didPrefix) + didDigits

	// didPrefix is the method and the multibase code of base58btc.
	didPrefix = "did:key:z"

	// didDigits is how many base58 digits the 34 bytes of multicodec and key
	// take. It is the same for all keys because the first byte is fixed.
	didDigits = 47

	// ed25519Multicodec is the code ed25519-pub (0xed) as an unsigned varint.
	ed25519Multicodec = "\xed\x01"
)

// ParseDID reads the text form of a DID. Exactly one text is accepted for each
// key: no fragment, query or surrounding space, no other multibase or key type,
// and the key must pass [ValidatePublicKey]. Errors wrap [ErrDID], and
// [ErrPublicKey] too where the text is sound and the key isn't.
func ParseDID(s string) (DID, error) {
	if _, err := ParseDIDKey(s); err != nil {
		return "", err
	}
	return DID(s), nil
}

// DIDFromPublicKey returns the name of a key, or "", which is never a valid
// DID, if the key doesn't pass [ValidatePublicKey].
func DIDFromPublicKey(pub ed25519.PublicKey) DID {
	if ValidatePublicKey(pub) != nil {
		return ""
	}
	return encodeDID(pub)
}

// PublicKey returns the key that the DID names, nil if the DID isn't valid.
func (d DID) PublicKey() ed25519.PublicKey {
	pub, err := ParseDIDKey(string(d))
	if err != nil {
		return nil
	}
	return pub
}

// String returns the text form.
func (d DID) String() string { return string(d) }

func encodeDID(pub ed25519.PublicKey) DID {
	return DID(didPrefix + base58.Encode(append([]byte(ed25519Multicodec), pub...)))
}

// ParseDIDKey is [ParseDID] for those who want the key: checking the text finds
// it, and to do both one after the other costs twice.
func ParseDIDKey(s string) (ed25519.PublicKey, error) {
	pub, err := ParseDIDText(s)
	if err != nil {
		return nil, err
	}
	if err := ValidatePublicKey(pub); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDID, err)
	}
	return pub, nil
}

// ParseDIDText is [ParseDIDKey] without the question whether the key is a point of
// the curve, which costs more than all others together. It is for those who verify
// a signature under the key, as [Verify] answers it too.
func ParseDIDText(s string) (ed25519.PublicKey, error) {
	// The length comes first: it bounds the work done for a stranger's text.
	if len(s) != DIDLen {
		return nil, fmt.Errorf("%w: %d bytes long instead of %d", ErrDID, len(s), DIDLen)
	}
	digits, ok := strings.CutPrefix(s, didPrefix)
	if !ok {
		return nil, fmt.Errorf("%w: doesn't start with %s", ErrDID, didPrefix)
	}
	raw, err := base58.Decode(digits)
	if err != nil {
		return nil, fmt.Errorf("%w: not base58btc", ErrDID)
	}
	key, ok := strings.CutPrefix(string(raw), ed25519Multicodec)
	if !ok {
		return nil, fmt.Errorf("%w: another kind of key", ErrDID)
	}
	pub := ed25519.PublicKey(key)
	if len(pub) != ed25519.PublicKeySize {
		return nil, fmt.Errorf("%w: %w: %d bytes long instead of %d", ErrDID, ErrPublicKey, len(pub), ed25519.PublicKeySize)
	}
	if err := screenPoint(pub); err != nil {
		return nil, fmt.Errorf("%w: %w: %w", ErrDID, ErrPublicKey, err)
	}
	// Whatever a base58 decoder may let through, one key has one name.
	if string(encodeDID(pub)) != s {
		return nil, fmt.Errorf("%w: not canonical base58btc", ErrDID)
	}
	return pub, nil
}
