package ingest

import (
	"crypto/sha256"
	"testing"
	"time"

	"github.com/ipfs/go-cid"

	"github.com/parley-protocol/parley/crypto"
	"github.com/parley-protocol/parley/node/gossip"
	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/record"
	"github.com/parley-protocol/parley/spec/vectors"
	"github.com/parley-protocol/parley/spec/vectors/vectorstest"
)

func TestVectorsOfJudgedFrames(t *testing.T) {
	type frameIn struct {
		Frame           vectors.Hex
		Market, Verdict string
		Now             int64
	}
	judged := func(in frameIn) bool { return in.Market != "" }
	vectorstest.RunSome(t, "frame", judged, func(t *testing.T, c vectors.Case, in frameIn) (any, string) {
		gate := New(nil, func(crypto.DID) bool { return false }, func(cid.Cid, string) (has, noted bool) { return false, false },
			func(*record.Record) bool { return false }, func() time.Time { return time.Unix(in.Now, 0) }, Limits{})
		m := &gossip.Message{Market: in.Market, Frame: in.Frame}
		if got := pass(t, gate, m); got != protocol.Accept {
			if want := map[string]protocol.Verdict{"reject": protocol.Reject, "ignore": protocol.Ignore}[in.Verdict]; got != want {
				t.Errorf("verdict %v, want %s", got, in.Verdict)
			}
			return nil, string(protocol.CodeOf(m.Err))
		}
		rec := m.Parsed.(*record.Record)
		message := sha256.Sum256(in.Frame)
		return map[string]any{"messageId": vectors.Hex(message[:]), "record": rec.ID().String(), "stampBits": 0, "verdict": "accept"}, ""
	})
}
