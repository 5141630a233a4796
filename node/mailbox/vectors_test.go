package mailbox

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/parley-protocol/parley/crypto"
	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/spec/vectors"
	"github.com/parley-protocol/parley/spec/vectors/vectorstest"
)

func TestVectorsOfProofs(t *testing.T) {
	type proofIn struct {
		Key, Peer, Proof vectors.Hex
		At               int64
		Op               string
		IDs              []vectors.Hex
		Secret           vectors.Hex
	}
	vectorstest.Run(t, "mailbox-proof", func(t *testing.T, c vectors.Case, in proofIn) (any, string) {
		r := request{Op: in.Op, Key: in.Key, At: in.At, Proof: in.Proof}
		for _, id := range in.IDs {
			r.IDs = append(r.IDs, ID(id))
		}
		mailbox := peer.ID(in.Peer)
		token, err := r.proven(mailbox, time.Unix(in.At, 0))
		if err != nil {
			return nil, string(protocol.CodeOf(err))
		}
		if in.Secret != nil {
			again := request{Op: in.Op, IDs: r.IDs}
			again.prove(crypto.NewSigner([32]byte(in.Secret)), mailbox, time.Unix(in.At, 0))
			if string(again.Proof) != string(in.Proof) {
				t.Errorf("signing gives %x", again.Proof)
			}
		}
		return map[string]any{"message": vectors.Hex(proofMessage(mailbox, in.At, in.Op, r.IDs)), "token": vectors.Hex(token[:])}, ""
	})
}

type messageIn struct {
	Direction, Op string
	Stream        vectors.Hex
}

func TestVectorsOfMessages(t *testing.T) {
	vectorstest.Run(t, "mailbox-message", func(t *testing.T, c vectors.Case, in messageIn) (any, string) {
		limit := maxRequest
		if in.Direction == "response" {
			limit = maxAnswer
		}
		n, size := binary.Uvarint(in.Stream)
		if n > uint64(limit) {
			return nil, "reset"
		}
		raw := in.Stream[size:]
		out, err := c.Expected() // for unknown keys, which aren't shown
		if err != nil {
			t.Fatal(err)
		}
		if in.Direction == "request" {
			r, err := decodeRequest(raw)
			if err != nil {
				return nil, string(protocol.CodeOf(err))
			}
			out["shape"] = r.Op
			return out, ""
		}
		a, err := decodeAnswer(in.Op, raw)
		switch {
		case a != nil && a.Code != "":
			out["shape"] = "refusal"
		case err != nil:
			return nil, string(protocol.CodeOf(err))
		default:
			out["shape"] = map[string]string{opDeposit: "stored", opPickup: "picked-up", opRemove: "removed"}[in.Op]
		}
		return out, ""
	})
}
