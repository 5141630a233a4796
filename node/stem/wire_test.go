package stem

import (
	"encoding/binary"
	"testing"

	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/spec/vectors"
	"github.com/parley-protocol/parley/spec/vectors/fuzzing"
	"github.com/parley-protocol/parley/spec/vectors/vectorstest"
)

// message is a vector: a whole stream.
type message struct {
	Direction string
	Stream    vectors.Hex
}

// content is the message without its length, whether that is right or not.
func (m message) content() []byte {
	_, n := binary.Uvarint(m.Stream)
	return m.Stream[max(n, 0):]
}

func TestVectors(t *testing.T) {
	vectorstest.Run(t, "stem-message", func(t *testing.T, c vectors.Case, in message) (any, string) {
		limit := uint64(maxRequest)
		if in.Direction == "response" {
			limit = maxAnswer
		}
		size, n := binary.Uvarint(in.Stream)
		if size == 0 || size > limit || n != len(binary.AppendUvarint(nil, size)) {
			return nil, "reset"
		}
		raw := in.Stream[n:]
		out, err := c.Expected() // for unknown keys, which aren't shown
		if err != nil {
			t.Fatal(err)
		}
		if in.Direction == "request" {
			if _, err := decodeRequest(raw); err != nil {
				return nil, string(protocol.CodeOf(err))
			}
			out["shape"] = "stem-request"
			return out, ""
		}
		code, err := decodeAnswer(raw)
		switch {
		case err != nil:
			return nil, string(protocol.CodeOf(err))
		case code != "":
			out["shape"] = "refusal"
		default:
			out["shape"] = "taken"
		}
		return out, ""
	})
}

func FuzzDecodeRequest(f *testing.F) {
	fuzzing.Each(f, "stem-message", func(in message) {
		if in.Direction == "request" && len(in.Stream) < 4096 {
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
		if len(r.frame) == 0 || len(r.frame) > protocol.MaxFrameBytes {
			t.Fatalf("a frame of %d bytes", len(r.frame))
		}
		if again, err := r.encode(); err != nil || string(again) != string(raw) {
			t.Fatalf("%x was read as %+v and written as %x, %v", raw, r, again, err)
		}
	})
}

func FuzzDecodeAnswer(f *testing.F) {
	fuzzing.Each(f, "stem-message", func(in message) {
		if in.Direction == "response" {
			f.Add(in.content())
		}
	})
	f.Fuzz(func(t *testing.T, raw []byte) {
		var code protocol.Code
		var err error
		fuzzing.Bounded(t, len(raw), func() { code, err = decodeAnswer(raw) })
		if err != nil && code != "" {
			t.Fatalf("%x is the code %q and %v", raw, code, err)
		}
	})
}
