package terms_test

import (
	"encoding/hex"
	"testing"

	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/record"
	"github.com/parley-protocol/parley/protocol/terms"
	"github.com/parley-protocol/parley/spec/vectors"
	"github.com/parley-protocol/parley/spec/vectors/vectorstest"
)

func TestVectorsOfHashes(t *testing.T) {
	type hashIn struct{ Block vectors.Hex }
	vectorstest.Run(t, "terms-hash", func(t *testing.T, c vectors.Case, in hashIn) (any, string) {
		rec, err := record.Parse(in.Block)
		if err != nil {
			t.Fatal(err)
		}
		body, ok := rec.Body().(*record.Terms)
		if !ok {
			t.Fatalf("a %s", rec.Type())
		}
		hash, err := terms.Hash(body)
		if err != nil {
			return nil, string(protocol.CodeOf(err))
		}
		return map[string]any{"hash": hex.EncodeToString(hash[:])}, ""
	})
}

func TestHashOfWhatNoRecordHolds(t *testing.T) {
	if hash, err := terms.Hash(&record.Terms{Text: "a", Policy: map[string]any{"share": 0.5}}); err == nil || hash != [32]byte{} {
		t.Errorf("%x, %v", hash, err)
	}
}
