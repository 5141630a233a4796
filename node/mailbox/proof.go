package mailbox

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/parley-protocol/parley/crypto"
	"github.com/parley-protocol/parley/protocol"
)

const (
	proofLabel = "parley/1/pickup\x00"
	proofSkew  = protocol.MaxProofSkew * time.Second
)

// proofMessage is what the pick-up key signs:
//
//	"parley/1/pickup" 0x00 ‖ mailbox's peer ID ‖ uint64 at ‖ op ‖ 0x00 ‖ ids
//
// It binds the request to one mailbox, one time and one operation, so that a
// mailbox can't use it at another one. Within the time that clocks may differ,
// a pick-up can be repeated by whoever saw it, which is the mailbox itself, and
// tells nothing new; a removal can only remove the same envelopes again.
func proofMessage(mailbox peer.ID, at int64, op string, ids []ID) []byte {
	m := make([]byte, 0, len(proofLabel)+len(mailbox)+8+len(op)+1+len(ids)*sha256.Size)
	m = append(m, proofLabel...)
	m = append(m, mailbox...)
	m = binary.BigEndian.AppendUint64(m, uint64(at))
	m = append(m, op...)
	m = append(m, 0)
	for _, id := range ids {
		m = append(m, id[:]...)
	}
	return m
}

// prove signs a request with the pick-up key.
func (r *request) prove(key *crypto.SigningKey, mailbox peer.ID, at time.Time) {
	r.Key = key.PublicKey()
	r.At = at.Unix()
	r.Proof = key.Sign(proofMessage(mailbox, r.At, r.Op, r.IDs))
}

// proven checks a request's proof and returns the token that it opens.
func (r *request) proven(mailbox peer.ID, now time.Time) (Token, error) {
	if skew := now.Sub(time.Unix(r.At, 0)); skew > proofSkew || skew < -proofSkew {
		return Token{}, protocol.Errorf(protocol.CodeClockSkew, "at",
			"the request's clock and the mailbox's are more than %s apart", proofSkew)
	}
	if !crypto.Verify(ed25519.PublicKey(r.Key), proofMessage(mailbox, r.At, r.Op, r.IDs), r.Proof) {
		return Token{}, protocol.Errorf(protocol.CodeProofFailed, "proof", "doesn't verify")
	}
	return sha256.Sum256(r.Key), nil
}
