package crypto

import (
	"crypto/ed25519"
	"errors"
	"fmt"

	"filippo.io/edwards25519"
)

// ErrPublicKey says that bytes aren't an Ed25519 public key that Parley
// accepts.
var ErrPublicKey = errors.New("crypto: not a usable Ed25519 public key")

// Verify reports whether sig is the Ed25519 signature of msg under pub, by
// Parley's strict profile. Any two implementations of the profile give the same
// verdict on every input, which RFC 8032 alone doesn't promise.
//
// Write sig as R ‖ S, pub as A, B for the base point, L for the order of the
// group that B generates, p for 2^255 - 19. The signature is valid if and only
// if all of this holds:
//
//  1. pub is 32 bytes and sig is 64 bytes long.
//  2. A and R are canonical encodings of points of the curve: the low 255 bits,
//     little-endian, are a y below p; a point (x, y) with that y exists; and the
//     top bit is the low bit of x (so it is 0 where x = 0).
//  3. Neither A nor R has small order: [8]A and [8]R differ from the neutral
//     element.
//  4. S, little-endian, is below L.
//  5. [S]B = R + [k]A without multiplying by the cofactor, where k is
//     SHA-512(R ‖ A ‖ msg) reduced modulo L, over the bytes as they arrived.
//
// Keys and R of mixed order (a point of order L plus one of small order) are
// not refused as such; rule 5 decides. Prehashing, contexts and batch
// verification are not part of the profile.
//
// Verify never panics, whatever the lengths. It is not constant-time; all of
// its inputs are public.
//
// Source: RFC 8032 §5.1.7, tightened; spec/03-identifiers-and-keys.md. The
// reasons are in "Taming the many EdDSAs" (Chalkias, Garillot, Nikolaenko,
// 2020).
func Verify(pub ed25519.PublicKey, msg, sig []byte) bool {
	if len(pub) != ed25519.PublicKeySize || len(sig) != ed25519.SignatureSize {
		return false
	}
	if screenPoint(pub) != nil || screenPoint(sig[:32]) != nil {
		return false
	}
	// What is left of the profile is what crypto/ed25519 does: it decodes A,
	// refuses an S that isn't below L, computes [S]B - [k]A and compares its
	// canonical encoding with R's bytes, which also settles R's validity.
	return ed25519.Verify(pub, msg, sig)
}

// ValidatePublicKey returns nil if pub can be the key of a valid signature under
// the profile of [Verify]: 32 bytes that canonically encode a point of the curve
// that doesn't have small order. Errors wrap [ErrPublicKey].
func ValidatePublicKey(pub ed25519.PublicKey) error {
	if len(pub) != ed25519.PublicKeySize {
		return fmt.Errorf("%w: %d bytes long instead of %d", ErrPublicKey, len(pub), ed25519.PublicKeySize)
	}
	if err := screenPoint(pub); err != nil {
		return fmt.Errorf("%w: %w", ErrPublicKey, err)
	}
	if _, err := new(edwards25519.Point).SetBytes(pub); err != nil {
		return fmt.Errorf("%w: not a point of the curve", ErrPublicKey)
	}
	return nil
}

var (
	errNonCanonicalPoint = errors.New("not a canonical encoding")
	errSmallOrderPoint   = errors.New("a point of small order")
)

// The y coordinates of the eight points whose order divides 8, in their canonical
// encodings with the sign bit clear.
const (
	yOrder1 = "\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00" + // the neutral element
		"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
	yOrder2 = "\xec\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff" + // (0, -1)
		"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f"
	yOrder4 = "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00" + // two points
		"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
	yOrder8a = "\x26\xe8\x95\x8f\xc2\xb2\x27\xb0\x45\xc3\xf4\x89\xf2\xef\x98\xf0" + // two points
		"\xd5\xdf\xac\x05\xd3\xc6\x33\x39\xb1\x38\x02\x88\x6d\x53\xfc\x05"
	yOrder8b = "\xc7\x17\x6a\x70\x3d\x4d\xd8\x4f\xba\x3c\x0b\x76\x0d\x10\x67\x0f" + // two points
		"\x2a\x20\x53\xfa\x2c\x39\xcc\xc6\x4e\xc7\xfd\x77\x92\xac\x03\x7a"
)

// screenPoint refuses, on the 32 bytes alone, encodings that aren't canonical
// and those of points of small order. It doesn't look whether the point exists.
//
// Only two points have x = 0, and both have small order, so the list also covers
// the one way in which a sign bit can be non-canonical. This is why the byte
// comparison is complete without decoding the point.
func screenPoint(enc []byte) error {
	var y [32]byte
	copy(y[:], enc)
	y[31] &= 0x7f
	if !belowP(&y) {
		return errNonCanonicalPoint
	}
	switch string(y[:]) {
	case yOrder1, yOrder2, yOrder4, yOrder8a, yOrder8b:
		return errSmallOrderPoint
	}
	return nil
}

// belowP reports whether y, little-endian and below 2^255, is below
// p = 2^255 - 19 = 0x7fff…ffed.
func belowP(y *[32]byte) bool {
	if y[0] < 0xed || y[31] != 0x7f {
		return true
	}
	for _, b := range y[1:31] {
		if b != 0xff {
			return true
		}
	}
	return false
}
