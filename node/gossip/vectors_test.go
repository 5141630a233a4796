package gossip

import (
	"encoding/binary"
	"testing"

	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/spec/vectors"
	"github.com/parley-protocol/parley/spec/vectors/vectorstest"
)

func TestVectorsOfCatchup(t *testing.T) {
	type messageIn struct {
		Direction string
		Stream    vectors.Hex
	}
	vectorstest.Run(t, "catchup-message", func(t *testing.T, c vectors.Case, in messageIn) (any, string) {
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
			if _, err := decodeRequest(raw); err != nil {
				return nil, string(protocol.CodeOf(err))
			}
			out["shape"] = "catchup-request"
			return out, ""
		}
		p, err := decodePage(raw)
		switch {
		case err != nil:
			return nil, string(protocol.CodeOf(err))
		case p.code != "":
			out["shape"] = "refusal"
		default:
			out["shape"] = "caught-up"
		}
		return out, ""
	})
}
