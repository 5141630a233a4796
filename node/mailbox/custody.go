package mailbox

import (
	"crypto/ed25519"
	"encoding/binary"
	"fmt"

	lp2p "github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/parley-protocol/parley/crypto"
	"github.com/parley-protocol/parley/protocol"
)

const custodyLabel = "parley/1/custody\x00"

// custodyMessage is what a mailbox signs with its transport key when it has
// taken an envelope in:
//
//	"parley/1/custody" 0x00 ‖ token ‖ ID ‖ uint64 until
func custodyMessage(token Token, id ID, until int64) []byte {
	m := make([]byte, 0, len(custodyLabel)+len(token)+len(id)+8)
	m = append(m, custodyLabel...)
	m = append(m, token[:]...)
	m = append(m, id[:]...)
	return binary.BigEndian.AppendUint64(m, uint64(until))
}

// Verify tells whether the receipt's proof is by the mailbox that it names: then
// that mailbox said that it keeps this envelope for the token until then. The
// code is proof_failed.
func (r Receipt) Verify(token Token) error {
	key, err := publicKey(r.Mailbox)
	if err == nil && !crypto.Verify(key, custodyMessage(token, r.ID, r.Until.Unix()), r.Proof) {
		err = protocol.Errorf(protocol.CodeProofFailed, "receipt", "not signed by the mailbox")
	}
	return err
}

// publicKey is the Ed25519 key in a peer's ID.
func publicKey(id peer.ID) (ed25519.PublicKey, error) {
	key, err := id.ExtractPublicKey()
	if err == nil && key.Type() == lp2p.Ed25519 {
		var raw []byte
		if raw, err = key.Raw(); err == nil {
			return raw, nil
		}
	}
	return nil, protocol.Errorf(protocol.CodeProofFailed, "receipt", "%s has no Ed25519 key", id)
}

// sign makes the proof of a receipt for a stranger.
func (s *Server) sign(token Token, r *Receipt) error {
	proof, err := s.key.Sign(custodyMessage(token, r.ID, r.Until.Unix()))
	if err != nil {
		return fmt.Errorf("mailbox: custody receipt: %w", err)
	}
	r.Proof = proof
	return nil
}
