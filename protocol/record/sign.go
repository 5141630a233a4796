package record

import (
	"crypto/ed25519"

	"github.com/parley-protocol/parley/crypto"
	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/codec"
)

// Sign makes a record: the signer becomes its author, whatever h.By says. It
// checks all that [Parse] checks, so what it returns any reader takes, and fails
// with the same codes. The record shares nothing with b.
func Sign(h Header, b Body, s crypto.Signer) (*Record, error) {
	h.By = s.DID()
	if introduction, ok := b.(*Introduction); ok {
		if err := introduction.checkProof(); err != nil {
			return nil, err
		}
	}
	body, err := encodeBody(&h, b)
	if err != nil {
		return nil, err
	}
	signature := s.Sign(signedMessage(body))
	if len(signature) != ed25519.SignatureSize {
		return nil, protocol.Errorf(protocol.CodeInternal, "", "the signer made a signature of %d bytes", len(signature))
	}
	block := make([]byte, 0, bodyStart+len(body)+trailer)
	block = append(block, 0x82)
	block = append(block, body...)
	block = append(block, 0x58, ed25519.SignatureSize)
	block = append(block, signature...)
	return ParseUnverified(block)
}

// encodeBody runs a writing pass over header and body.
func encodeBody(h *Header, b Body) ([]byte, error) {
	p := &pass{writing: true}
	f := form{spot: spot{pass: p}, entries: map[string]any{}}
	switch b := b.(type) {
	case described:
		b.fields(&f)
	case *Opaque:
		if newBody(b.Name) != nil {
			return nil, protocol.Errorf(protocol.CodeBadField, "type", "%s has a body of its own", b.Name)
		}
		for key, value := range b.Fields {
			f.require(!headerKey(key), key, "it is the header that has this field")
			f.entries[key] = value
		}
	default:
		return nil, protocol.Errorf(protocol.CodeInternal, "", "a %T is no body", b)
	}
	name, v := b.Type(), int64(formatVersion)
	field(&f, "type", &name, typeToken)
	field(&f, "v", &v, version{})
	h.fields(&f)
	if p.err != nil {
		return nil, p.err
	}
	return codec.Encode(f.entries)
}

// headerKey reports whether a key is the header's, whatever the type.
func headerKey(key string) bool {
	switch key {
	case "type", "v", "by", "at", "retainUntil", "crit", "ext":
		return true
	default:
		return false
	}
}
