package crypto

import (
	"crypto/ecdh"
	"crypto/hpke"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
)

var (
	// ErrSealUnknownSuite says that a suite, or an envelope's version, isn't one
	// that this package knows: it may come from a later version of Parley.
	ErrSealUnknownSuite = errors.New("crypto: unknown sealing suite")
	// ErrSealRecipient says that bytes aren't a public key of the suite.
	ErrSealRecipient = errors.New("crypto: not a usable sealing key")
	// ErrSealTooLarge says that a payload exceeds [MaxPayload].
	ErrSealTooLarge = errors.New("crypto: payload is too large to seal")
	// ErrSealMalformed says that an envelope, or the padding inside it, doesn't
	// have the form of spec/04-sealing-and-mailboxes.md.
	ErrSealMalformed = errors.New("crypto: sealed envelope is malformed")
	// ErrSealOpen says that an envelope wasn't sealed to this key, or was changed
	// on the way. The two can't be told apart.
	ErrSealOpen = errors.New("crypto: sealed envelope doesn't open with this key")
)

const (
	envelopeVersion = 1
	envelopeHeader  = 2 // version, suite
	lengthPrefix    = 4 // uint32 before the payload
	aeadTag         = 16

	x25519Enc = 32   // RFC 9180 §7.1, Nenc
	hybridEnc = 1120 // ML-KEM-768's 1088 bytes and X25519's 32

	minSizeClass = 1 << 10
	maxSizeClass = 128 << 10

	sealInfoLabel = "parley/1/seal"
)

const (
	// MaxPayload is the largest payload in bytes: the top size class without its
	// length prefix.
	MaxPayload = maxSizeClass - lengthPrefix

	// MaxEnvelope is the largest envelope in bytes that any suite makes.
	MaxEnvelope = envelopeHeader + hybridEnc + maxSizeClass + aeadTag
)

// Suite says which algorithms seal an envelope: an HPKE KEM with HKDF-SHA256 and
// ChaCha20Poly1305.
type Suite uint8

const (
	// SuiteX25519 is DHKEM(X25519, HKDF-SHA256) of RFC 9180. Its short keys fit
	// into records that everybody gets.
	SuiteX25519 Suite = 1
	// SuiteMLKEM768X25519 is the hybrid KEM 0x647a, MLKEM768-X25519 (X-Wing):
	// what it seals stays sealed if either of its halves does.
	SuiteMLKEM768X25519 Suite = 2
)

// String names the suite's KEM.
func (s Suite) String() string {
	switch s {
	case SuiteX25519:
		return "X25519"
	case SuiteMLKEM768X25519:
		return "MLKEM768-X25519"
	default:
		return fmt.Sprintf("Suite(%d)", uint8(s))
	}
}

// PublicKeySize returns the length in bytes of the suite's public keys, 0 if the
// suite is unknown.
func (s Suite) PublicKeySize() int {
	switch s {
	case SuiteX25519:
		return 32
	case SuiteMLKEM768X25519:
		return 1216
	default:
		return 0
	}
}

// encSize is the length of the KEM's encapsulated key.
func (s Suite) encSize() int {
	if s == SuiteMLKEM768X25519 {
		return hybridEnc
	}
	return x25519Enc
}

func (s Suite) kem() (hpke.KEM, error) {
	switch s {
	case SuiteX25519:
		return hpke.DHKEM(ecdh.X25519()), nil
	case SuiteMLKEM768X25519:
		return hpke.MLKEM768X25519(), nil
	default:
		return nil, fmt.Errorf("%w: %d", ErrSealUnknownSuite, uint8(s))
	}
}

// info binds an envelope to the protocol, the suite and the recipient:
// "parley/1/seal" ‖ 0x00 ‖ suite ‖ SHA-256(recipient's public key).
func (s Suite) info(recipient []byte) []byte {
	sum := sha256.Sum256(recipient)
	return append(append([]byte(sealInfoLabel), 0, byte(s)), sum[:]...)
}

// EnvelopeSize returns the length in bytes of the envelope that [Seal] makes of
// a payload of that length. It is the same for all payloads of one size class.
// Errors wrap [ErrSealUnknownSuite] or [ErrSealTooLarge].
func EnvelopeSize(suite Suite, payload int) (int, error) {
	if suite.PublicKeySize() == 0 {
		return 0, fmt.Errorf("%w: %d", ErrSealUnknownSuite, uint8(suite))
	}
	class, err := sizeClass(payload)
	if err != nil {
		return 0, err
	}
	return envelopeHeader + suite.encSize() + class + aeadTag, nil
}

// sizeClass returns the smallest class, 1, 2, 4, … 128 KiB, that holds the
// length prefix and the payload.
func sizeClass(payload int) (int, error) {
	if payload < 0 || payload > MaxPayload {
		return 0, fmt.Errorf("%w: %d bytes, at most %d", ErrSealTooLarge, payload, MaxPayload)
	}
	class := minSizeClass
	for class < lengthPrefix+payload {
		class *= 2
	}
	return class, nil
}

// CheckEnvelope returns nil if the envelope has a known version and suite and
// the length of one of the suite's size classes: what can be said without a key,
// for instance by a mailbox. Errors wrap [ErrSealMalformed] or
// [ErrSealUnknownSuite].
func CheckEnvelope(envelope []byte) error {
	if len(envelope) < envelopeHeader {
		return fmt.Errorf("%w: %d bytes long", ErrSealMalformed, len(envelope))
	}
	if envelope[0] != envelopeVersion {
		return fmt.Errorf("%w: envelope version %d", ErrSealUnknownSuite, envelope[0])
	}
	suite := Suite(envelope[1])
	if suite.PublicKeySize() == 0 {
		return fmt.Errorf("%w: %d", ErrSealUnknownSuite, uint8(suite))
	}
	class := len(envelope) - envelopeHeader - suite.encSize() - aeadTag
	if class < minSizeClass || class > maxSizeClass || class&(class-1) != 0 {
		return fmt.Errorf("%w: %d bytes long, which is no size class of %s", ErrSealMalformed, len(envelope), suite)
	}
	return nil
}

// Seal encrypts payload to the suite's public key recipient, so that only the
// holder of the [SealingSeed] can [SealingSeed.Open] it and the length tells
// nothing but a size class. The envelope is
//
//	0x01 ‖ suite (1 byte) ‖ enc ‖ ciphertext
//
// where enc and ciphertext are HPKE's (RFC 9180 base mode, no associated data)
// with the info "parley/1/seal" ‖ 0x00 ‖ suite ‖ SHA-256(recipient), and the
// plaintext is
//
//	uint32BE(length of payload) ‖ payload ‖ zero bytes
//
// filled up to the smallest of 1, 2, 4, 8, 16, 32, 64, 128 KiB.
//
// Nothing in the envelope proves who sealed it. Two calls with the same
// arguments give different envelopes. Errors wrap [ErrSealUnknownSuite],
// [ErrSealRecipient] or [ErrSealTooLarge].
func Seal(suite Suite, recipient, payload []byte) (envelope []byte, err error) {
	kem, err := suite.kem()
	if err != nil {
		return nil, err
	}
	key, err := kem.NewPublicKey(recipient)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSealRecipient, err)
	}
	class, err := sizeClass(len(payload))
	if err != nil {
		return nil, err
	}
	plaintext := make([]byte, class)
	defer clear(plaintext)
	binary.BigEndian.PutUint32(plaintext, uint32(len(payload)))
	copy(plaintext[lengthPrefix:], payload)

	sealed, err := hpke.Seal(key, hpke.HKDFSHA256(), hpke.ChaCha20Poly1305(), suite.info(recipient), plaintext)
	if err != nil {
		// An X25519 key of small order shows only when it is used.
		return nil, fmt.Errorf("%w: %w", ErrSealRecipient, err)
	}
	return append([]byte{envelopeVersion, byte(suite)}, sealed...), nil
}

// Open decrypts an envelope that was sealed to this seed's public key and
// returns the payload. A size class larger than needed is accepted; padding that
// isn't all zero isn't. Errors wrap [ErrSealMalformed], [ErrSealUnknownSuite],
// [ErrSealOpen] or [ErrSeedDestroyed].
func (s SealingSeed) Open(envelope []byte) ([]byte, error) {
	if err := CheckEnvelope(envelope); err != nil {
		return nil, err
	}
	suite := Suite(envelope[1])
	private, err := s.privateKey(suite)
	if err != nil {
		return nil, err
	}
	info := suite.info(private.PublicKey().Bytes())
	plaintext, err := hpke.Open(private, hpke.HKDFSHA256(), hpke.ChaCha20Poly1305(), info, envelope[envelopeHeader:])
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSealOpen, err)
	}
	return unpad(plaintext)
}

// unpad returns the payload inside a padded plaintext.
func unpad(plaintext []byte) ([]byte, error) {
	if len(plaintext) < lengthPrefix {
		return nil, fmt.Errorf("%w: no length inside", ErrSealMalformed)
	}
	length, rest := binary.BigEndian.Uint32(plaintext), plaintext[lengthPrefix:]
	if uint64(length) > uint64(len(rest)) {
		return nil, fmt.Errorf("%w: length %d in a plaintext of %d bytes", ErrSealMalformed, length, len(plaintext))
	}
	for _, b := range rest[length:] {
		if b != 0 {
			return nil, fmt.Errorf("%w: padding isn't zero", ErrSealMalformed)
		}
	}
	return rest[:length:length], nil
}
