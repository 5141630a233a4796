package record

import (
	"crypto/ed25519"

	"github.com/ipfs/go-cid"

	"github.com/parley-protocol/parley/crypto"
	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/codec"
)

// Introduction shows one seller that the author of an intent is somebody whom
// it has dealt with: the holder of a key that exists for this seller alone. Its
// author is the intent's key, and it is sealed to that seller only.
type Introduction struct {
	Intent       cid.Cid                     // intent
	Vendor       crypto.DID                  // vendor
	Relationship crypto.DID                  // relationship: the key's name
	Proof        [ed25519.SignatureSize]byte // proof: the key's signature of the three
}

// Introduce makes an introduction with a relationship's key. It fails with the
// code bad_field if the intent's or the vendor's name is none.
func Introduce(intent cid.Cid, vendor crypto.DID, relationship crypto.Signer) (*Introduction, error) {
	b := &Introduction{Intent: intent, Vendor: vendor, Relationship: relationship.DID()}
	statement, err := b.statement()
	if err != nil {
		return nil, err
	}
	b.Proof = crypto.SignIntroduction(relationship, statement)
	return b, nil
}

// Type is "introduction".
func (*Introduction) Type() string { return protocol.TypeIntroduction }

func (b *Introduction) fields(f *form) {
	field(f, "intent", &b.Intent, link{})
	field(f, "vendor", &b.Vendor, author{})
	field(f, "relationship", &b.Relationship, author{})
	field(f, "proof", &b.Proof, signature{})
}

// statement is what the relationship's key signs.
func (b *Introduction) statement() ([]byte, error) {
	return codec.Encode([]any{b.Intent, string(b.Vendor), string(b.Relationship)})
}

// checkProof verifies the proof.
func (b *Introduction) checkProof() error {
	statement, err := b.statement()
	if err != nil {
		return err
	}
	if !crypto.VerifyIntroduction(b.Relationship, statement, b.Proof[:]) {
		return protocol.Errorf(protocol.CodeBadSignature, "proof", "it doesn't verify under the key of %s", b.Relationship)
	}
	return nil
}

// CheckIntroduces says why r doesn't introduce the author of that intent to
// that vendor, nil if it does. It fails with the codes bad_field (r is no
// introduction, or one of another intent or for another vendor) and
// wrong_author (somebody else's key signed it).
func (r *Record) CheckIntroduces(intent *Record, vendor crypto.DID) error {
	b, ok := r.body.(*Introduction)
	switch {
	case !ok:
		return protocol.Errorf(protocol.CodeBadField, "type", "a %s introduces nobody", r.Type())
	case b.Intent != intent.ID():
		return protocol.Errorf(protocol.CodeBadField, "intent", "it introduces the author of another intent")
	case b.Vendor != vendor:
		return protocol.Errorf(protocol.CodeBadField, "vendor", "it is meant for %s", b.Vendor)
	case r.header.By != intent.header.By:
		return protocol.Errorf(protocol.CodeWrongAuthor, "by", "the intent's author is %s", intent.header.By)
	}
	return nil
}
