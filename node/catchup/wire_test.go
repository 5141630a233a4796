package catchup

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/spec/vectors"
	"github.com/parley-protocol/parley/spec/vectors/fuzzing"
	"github.com/parley-protocol/parley/spec/vectors/vectorstest"
)

// message is a vector of the protocol: a whole stream.
type message struct {
	Direction string
	Stream    vectors.Hex
}

// content is the message without its length, whether that is right or not.
func (m message) content() []byte {
	_, n := binary.Uvarint(m.Stream)
	return m.Stream[max(n, 0):]
}

func TestVectorsOfReconciling(t *testing.T) {
	vectorstest.Run(t, "reconcile-message", func(t *testing.T, c vectors.Case, in message) (any, string) {
		limit := maxRequest
		if in.Direction == "response" {
			limit = maxAnswer
		}
		if n, _ := binary.Uvarint(in.Stream); n == 0 || n > uint64(limit) {
			return nil, "reset" // as network.ReadMessage, which has tests of its own
		}
		out, err := c.Expected() // for unknown keys, which aren't shown
		if err != nil {
			t.Fatal(err)
		}
		if in.Direction == "request" {
			r, err := decodeRequest(in.content())
			switch {
			case err != nil:
				return nil, string(protocol.CodeOf(err))
			case r.want != nil:
				out["shape"] = "reconcile-want"
			case r.market != "":
				out["shape"] = "reconcile-first"
			default:
				out["shape"] = "reconcile-next"
			}
			return out, ""
		}
		a, err := decodeAnswer(in.content())
		switch {
		case err != nil:
			return nil, string(protocol.CodeOf(err))
		case a.code != "":
			out["shape"] = "refusal"
		case a.message != nil:
			out["shape"] = "reconciled"
		default:
			out["shape"] = "wanted"
		}
		return out, ""
	})
}

func FuzzDecodeRequest(f *testing.F) {
	fuzzing.Each(f, "reconcile-message", func(in message) {
		if in.Direction == "request" {
			f.Add(in.content())
		}
	})
	f.Fuzz(func(t *testing.T, raw []byte) {
		var r request
		var err error
		fuzzing.Bounded(t, len(raw), func() { r, err = decodeRequest(raw) })
		if err != nil {
			return
		}
		again, err := r.encode()
		if err != nil || !bytes.Equal(again, raw) {
			t.Fatalf("%x was read as %+v and written as %x, %v", raw, r, again, err)
		}
	})
}

func FuzzDecodeAnswer(f *testing.F) {
	fuzzing.Each(f, "reconcile-message", func(in message) {
		if in.Direction != "request" {
			f.Add(in.content())
		}
	})
	f.Fuzz(func(t *testing.T, raw []byte) {
		var a answer
		var err error
		fuzzing.Bounded(t, len(raw), func() { a, err = decodeAnswer(raw) })
		if err != nil {
			return
		}
		if len(a.frames) > MaxPageFrames || len(a.message) > MaxMessage || len(a.frames) > a.through {
			t.Fatalf("%d frames through %d, a message of %d bytes", len(a.frames), a.through, len(a.message))
		}
	})
}
