package record_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/codec"
	"github.com/parley-protocol/parley/protocol/record"
	"github.com/parley-protocol/parley/protocol/record/recordtest"
)

// Any valid statement, signed and parsed, says the same and is the same bytes.
func TestSignParse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h, body := recordtest.AnyStatement().Draw(t, "statement").Split()
		signer := recordtest.NewParty("author").Key
		signed, err := record.Sign(h, body, signer)
		if err != nil {
			t.Fatalf("sign: %v", err)
		}
		parsed, err := record.Parse(signed.Raw())
		if err != nil {
			t.Fatalf("parse: %v", err)
		}
		h.By = signer.DID()
		if !reflect.DeepEqual(parsed.Header(), h) {
			t.Fatalf("header\n got %#v\nwant %#v", parsed.Header(), h)
		}
		if !reflect.DeepEqual(parsed.Body(), body) {
			t.Fatalf("body\n got %#v\nwant %#v", parsed.Body(), body)
		}
		if len(parsed.Unknown()) > 0 {
			t.Fatalf("unknown keys %q", parsed.Unknown())
		}
		if parsed.ID() != codec.Sum(signed.Raw()) || signed.ID() != parsed.ID() {
			t.Fatalf("IDs differ: %s, %s", signed.ID(), parsed.ID())
		}
		again, err := record.Sign(parsed.Header(), parsed.Body(), signer)
		if err != nil {
			t.Fatalf("sign what was parsed: %v", err)
		}
		if !bytes.Equal(again.Raw(), signed.Raw()) {
			t.Fatalf("signing what was parsed made other bytes")
		}
	})
}

// One flipped bit anywhere spoils a record.
func TestFlippedBit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		raw := bytes.Clone(recordtest.AnyRecord().Draw(t, "record").Raw())
		at := rapid.IntRange(0, len(raw)-1).Draw(t, "byte")
		raw[at] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
		if _, err := record.Parse(raw); err == nil {
			t.Fatalf("byte %d of %d may be flipped", at, len(raw))
		}
	})
}

// Every byte of one record, its highest bit, lowest bit and one between, spoils
// it: nothing is unsigned.
func TestEveryFlippedByte(t *testing.T) {
	raw := bytes.Clone(recordtest.NewDeal(t, "flip").Acceptance.Raw())
	for at := range raw {
		for _, bit := range []int{0, 1 + at%6, 7} {
			raw[at] ^= 1 << bit
			if _, err := record.Parse(raw); err == nil {
				t.Errorf("bit %d of byte %d may be flipped", bit, at)
			} else if protocol.CodeOf(err) == protocol.CodeInternal {
				t.Errorf("bit %d of byte %d: %v", bit, at, err)
			}
			raw[at] ^= 1 << bit
		}
	}
}

// A cut or longer record is none.
func TestCutRecord(t *testing.T) {
	raw := recordtest.NewDeal(t, "cut").Confirmation.Raw()
	for n := range raw {
		if _, err := record.Parse(raw[:n]); protocol.CodeOf(err) != protocol.CodeMalformed {
			t.Errorf("%d of %d bytes: %v", n, len(raw), err)
		}
	}
	if _, err := record.Parse(append(bytes.Clone(raw), 0)); protocol.CodeOf(err) != protocol.CodeMalformed {
		t.Errorf("a byte more: %v", err)
	}
}

// The projection is JSON, and has every key of the body and the ID.
func TestAnyJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := recordtest.AnyRecord().Draw(t, "record")
		text, err := r.JSON()
		if err != nil {
			t.Fatal(err)
		}
		var object map[string]any
		if err := json.Unmarshal(text, &object); err != nil {
			t.Fatalf("%v in %s", err, text)
		}
		block, err := codec.Decode(r.Raw())
		if err != nil {
			t.Fatal(err)
		}
		body := block.([]any)[0].(map[string]any)
		for key := range body {
			if _, ok := object[key]; !ok {
				t.Fatalf("no %q in %s", key, text)
			}
		}
		if object["id"] != r.ID().String() || len(object) != len(body)+1 {
			t.Fatalf("not the body and the ID: %s", text)
		}
	})
}
