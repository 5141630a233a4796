package crypto

import (
	"crypto/ed25519"
	"errors"
)

const SeedSize = 32

var (
	ErrDID              = errors.New("crypto: not a did:key of an Ed25519 key")
	ErrPublicKey        = errors.New("crypto: not a usable Ed25519 public key")
	ErrPhrase           = errors.New("crypto: not a recovery phrase")
	ErrSealMalformed    = errors.New("crypto: sealed envelope is malformed")
	ErrSealOpen         = errors.New("crypto: sealed envelope doesn't open with this key")
	ErrSealUnknownSuite = errors.New("crypto: unknown sealing suite")
	ErrSealRecipient    = errors.New("crypto: not a usable sealing key")
	ErrSealTooLarge     = errors.New("crypto: too large to seal")
	ErrSeedDestroyed    = errors.New("crypto: sealing seed was destroyed")
)

type PhraseError struct {
	Word       int
	Text       string
	Suggestion string
}

func (e *PhraseError) Error() string { return "" }
func (e *PhraseError) Unwrap() error { return ErrPhrase }

type Signer interface {
	DID() DID
	Sign(msg []byte) []byte
}

type SigningKey struct{ redacted }

func NewSigner(seed [SeedSize]byte) *SigningKey          { return nil }
func GenerateSigner() *SigningKey                        { return nil }
func (k *SigningKey) DID() DID                           { return "" }
func (k *SigningKey) PublicKey() ed25519.PublicKey       { return nil }
func (k *SigningKey) Sign(msg []byte) []byte             { return nil }
func (k *SigningKey) Seed() [SeedSize]byte               { return [32]byte{} }
func (k *SigningKey) Destroy()                           {}
func ValidatePublicKey(pub ed25519.PublicKey) error      { return nil }
func Verify(pub ed25519.PublicKey, msg, sig []byte) bool { return false }
func KeyCommitment(pub ed25519.PublicKey) [32]byte       { return [32]byte{} }

type Phrase struct{ redacted }

func NewPhrase() (Phrase, error)           { return Phrase{}, nil }
func ParsePhrase(s string) (Phrase, error) { return Phrase{}, nil }
func (p Phrase) Words() []string           { return nil }
func (p Phrase) Root() Root                { return Root{} }
func (p Phrase) Destroy()                  {}

type BranchKind string

const (
	BranchCustomer BranchKind = "customer"
	BranchPersona  BranchKind = "persona"
)

type Root struct{ redacted }

func (r Root) Branch(kind BranchKind, device uint32) Branch { return Branch{} }
func (r Root) Destroy()                                     {}

type Branch struct{ redacted }

func BranchFromBytes(secret [SeedSize]byte) Branch   { return Branch{} }
func (b Branch) Bytes() [SeedSize]byte               { return [32]byte{} }
func (b Branch) IntentKey(salt [32]byte) *SigningKey { return nil }
func (b Branch) PersonaKey(n uint32) *SigningKey     { return nil }
func (b Branch) Destroy()                            {}

type Suite uint8

const (
	SuiteX25519         Suite = 1
	SuiteMLKEM768X25519 Suite = 2
)

// MaxPayload is the largest payload in bytes that Seal takes.
const MaxPayload = 128<<10 - 4

type SealingSeed [SeedSize]byte

func NewSealingSeed() SealingSeed                                 { return SealingSeed{} }
func (s SealingSeed) PublicKey(suite Suite) ([]byte, error)       { return nil, nil }
func (s SealingSeed) PickupKey() *SigningKey                      { return nil }
func (s SealingSeed) Token() [32]byte                             { return [32]byte{} }
func (s SealingSeed) IsZero() bool                                { return false }
func (s *SealingSeed) Destroy()                                   {}
func Seal(suite Suite, recipient, payload []byte) ([]byte, error) { return nil, nil }
func (s SealingSeed) Open(envelope []byte) ([]byte, error)        { return nil, nil }
func EnvelopeSize(suite Suite, payload int) (int, error)          { return 0, nil }
