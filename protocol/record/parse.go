package record

import (
	"bytes"
	"crypto/ed25519"
	"fmt"

	"github.com/parley-protocol/parley/crypto"
	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/codec"
)

// A record's block is 0x82, the body, 0x58 0x40 and 64 bytes of signature.
const (
	bodyStart = 1
	trailer   = 2 + ed25519.SignatureSize
)

// signingDomain goes before the body in what is signed, with a zero byte.
const signingDomain = "parley/1/record"

// Parse reads a block and checks all that a record says about itself: size,
// canonical form, header, the type's fields and rules, then the signature. What
// depends on the time is for [Record.CheckTime]. It keeps a copy of the block.
//
// It fails with a [protocol.Error]: what [codec.Decode] fails with, malformed
// (the block isn't a body and a signature), unsupported_version, missing_field,
// bad_field, bad_key, seal_unknown_suite, life_too_long, total_mismatch,
// unknown_field (in a type whose fields are all there is) or bad_signature.
func Parse(block []byte) (*Record, error) {
	r, err := ParseUnverified(block)
	if err != nil {
		return nil, err
	}
	if err := r.Verify(); err != nil {
		return nil, err
	}
	return r, nil
}

// ParseUnverified is [Parse] without the signature, whose check costs more than
// all others together. Nothing that it returns may be believed, kept or passed
// on before [Record.Verify].
func ParseUnverified(block []byte) (*Record, error) {
	entries, err := decodeBlock(block)
	if err != nil {
		return nil, err
	}
	r := &Record{id: codec.Sum(block), raw: bytes.Clone(block)}
	p := new(pass)
	r.header, r.body = readBody(p, entries)
	if p.err != nil {
		return nil, p.err
	}
	r.unknown, r.signer = p.unknown, p.signer
	if len(r.unknown) > 0 && strict(r.Type()) {
		return nil, protocol.Errorf(protocol.CodeUnknownField, r.unknown[0],
			"records of type %s have no such field, and none may be added", r.Type())
	}
	return r, nil
}

// Verify checks the signature under the author's key, and the proof that an
// introduction has. It fails with the codes bad_signature, and bad_key where the
// author's key isn't a point of the curve.
func (r *Record) Verify() error {
	body, signature := r.raw[bodyStart:len(r.raw)-trailer], r.raw[len(r.raw)-ed25519.SignatureSize:]
	if !crypto.Verify(r.signer, signedMessage(body), signature) {
		if err := crypto.ValidatePublicKey(r.signer); err != nil {
			return protocol.Errorf(protocol.CodeBadKey, "by", "%w", err)
		}
		return protocol.Errorf(protocol.CodeBadSignature, "", "it doesn't verify under the key of %s", r.header.By)
	}
	if introduction, ok := r.body.(*Introduction); ok {
		return introduction.checkProof()
	}
	return nil
}

// signedMessage is what a record's signature is over.
func signedMessage(body []byte) []byte {
	message := make([]byte, 0, len(signingDomain)+1+len(body))
	message = append(message, signingDomain...)
	message = append(message, 0)
	return append(message, body...)
}

// decodeBlock splits a block and returns the entries of its body.
func decodeBlock(block []byte) (map[string]any, error) {
	value, err := codec.Decode(block)
	if err != nil {
		return nil, err
	}
	parts, _ := value.([]any)
	if len(parts) != 2 {
		return nil, protocol.Errorf(protocol.CodeMalformed, "", "a record is a list of a body and a signature")
	}
	entries, ok := parts[0].(map[string]any)
	if !ok {
		return nil, protocol.Errorf(protocol.CodeMalformed, "", "a record's body is a map")
	}
	if signature, ok := parts[1].([]byte); !ok || len(signature) != ed25519.SignatureSize {
		return nil, protocol.Errorf(protocol.CodeMalformed, "", "a record's signature is 64 bytes")
	}
	return entries, nil
}

// reservedKey is a key that no body has: there it would pass for the record's
// own ID, which stands under it in the JSON projection.
const reservedKey = "id"

// readBody runs a reading pass over a body's entries.
func readBody(p *pass, entries map[string]any) (h Header, b Body) {
	f := form{spot: spot{pass: p}, entries: entries}
	var name string
	var v int64
	field(&f, "v", &v, version{})
	field(&f, "type", &name, typeToken)
	h.fields(&f)
	_, reserved := entries[reservedKey]
	f.require(!reserved, reservedKey, "a record can't state its own ID")

	if known := newBody(name); known != nil {
		known.fields(&f)
		f.finish()
		b = known
	} else {
		b = &Opaque{Name: name, Fields: f.rest()}
	}
	checkLife(&f, &h, b)
	return h, b
}

// checkLife checks how the times of a record lie to each other.
func checkLife(f *form, h *Header, b Body) {
	retention := int64(protocol.MaxRetention)
	switch b := b.(type) {
	case *Intent:
		checkValidUntil(f, h, b.ValidUntil, protocol.MaxIntentLife)
		retention = protocol.MaxIntentRetention
	case *Withdrawal:
		retention = protocol.MaxIntentRetention
	case *Offer:
		checkValidUntil(f, h, b.ValidUntil, protocol.MaxOfferLife)
	case *Counter:
		checkValidUntil(f, h, b.ValidUntil, protocol.MaxOfferLife)
	case *Writer:
		retention = protocol.MaxWriterRetention
		f.require(b.Started <= h.At, "started", "lies after at")
	}
	checkRetention(f, h, retention)
}

func checkRetention(f *form, h *Header, most int64) {
	if h.RetainUntil-h.At > most {
		f.at("retainUntil").fail(protocol.CodeLifeTooLong, "lies more than %s after at", span(most))
	}
}

func checkValidUntil(f *form, h *Header, validUntil, most int64) {
	f.require(validUntil > h.At, "validUntil", "doesn't lie after at")
	if validUntil-h.At > most {
		f.at("validUntil").fail(protocol.CodeLifeTooLong, "lies more than %s after at", span(most))
	}
	f.require(h.RetainUntil >= validUntil, "retainUntil", "lies before validUntil")
}

const day = 24 * 60 * 60

// span is a number of seconds in words.
func span(seconds int64) string {
	if seconds < day {
		return fmt.Sprintf("%d seconds", seconds)
	}
	return fmt.Sprintf("%d days", seconds/day)
}

// strict reports whether a type may have no fields but its own: a signature
// under these binds, so it must not stand under what a screen didn't show.
func strict(name string) bool {
	switch name {
	case protocol.TypeAcceptance, protocol.TypeConfirmation, protocol.TypeVoid,
		protocol.TypeCancel, protocol.TypeDecline, protocol.TypeAwardNotice,
		protocol.TypeRestored, protocol.TypeHeld, protocol.TypeCustomerVoid,
		protocol.TypeNextRound, protocol.TypeIntroduction, protocol.TypeWriter:
		return true
	default:
		return false
	}
}
