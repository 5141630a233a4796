package record_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/codec"
	"github.com/parley-protocol/parley/protocol/record"
	"github.com/parley-protocol/parley/protocol/record/recordtest"
	"github.com/parley-protocol/parley/spec/vectors"
	"github.com/parley-protocol/parley/spec/vectors/fuzzing"
)

// Bodies made to cost memory stay within the bound.
func TestParseAllocation(t *testing.T) {
	repeat := func(n int, v any) []any {
		list := make([]any, n)
		for i := range list {
			list[i] = v
		}
		return list
	}
	keys := map[string]any{}
	for i := range 4000 {
		keys[string(rune('a'+i/64))+string(rune('0'+i%64))] = map[string]any{}
	}
	base := with(bodyOf(t, fullRecords(t)["intent"]), "crit", absent{})
	for name, body := range map[string]any{
		"many items":       with(base, "itemOffered", repeat(2700, map[string]any{"name": "n"})),
		"200 odd items":    with(base, "itemOffered", repeat(200, map[string]any{"name": "n", "a": "", "b": "", "c": "", "d": "", "e": "", "f": "", "g": "", "h": ""})),
		"many categories":  with(base, "category", repeat(8000, "a:b")),
		"many extensions":  with(base, "ext", keys),
		"many odd keys":    with(base, "areaServed", keys),
		"long odd key":     with(base, strings.Repeat("k", 50_000), repeat(4000, int64(1))),
		"an odd key's map": with(base, "odd", keys),
	} {
		block := signRaw(t, body.(map[string]any), author().Key)
		t.Run(name, func(t *testing.T) {
			fuzzing.Bounded(t, len(block), func() { record.Parse(block) })
		})
	}
}

func FuzzParse(f *testing.F) {
	deal := recordtest.NewDeal(f, "fuzz")
	for _, r := range deal.Records() {
		f.Add(r.Raw())
	}
	f.Add(recordtest.Profile(f, deal.Vendor).Raw())
	f.Add(recordtest.Withdrawal(f, deal.Customer, deal.Intent).Raw())
	f.Add(deal.Vendor.Sign(f, now, &record.Opaque{Name: "odd", Fields: map[string]any{"a": int64(1)}}).Raw())
	fuzzing.Each(f, "record", func(in struct{ Block vectors.Hex }) { f.Add([]byte(in.Block)) })
	f.Fuzz(func(t *testing.T, block []byte) {
		var r *record.Record
		var err error
		fuzzing.Bounded(t, len(block), func() { r, err = record.ParseUnverified(block) })
		if err != nil {
			if code := protocol.CodeOf(err); code == protocol.CodeInternal {
				t.Fatal(err)
			}
			return
		}
		if !bytes.Equal(r.Raw(), block) || r.ID() != codec.Sum(block) {
			t.Fatal("the bytes that arrived aren't the bytes kept")
		}
		if _, err := r.JSON(); err != nil {
			t.Fatal(err)
		}
		r.Links()
		err = r.Verify()
		if _, introduces := r.Body().(*record.Introduction); introduces && err != nil {
			return // its proof may be wrong, and then nobody signs it
		}
		if len(r.Unknown()) > 0 {
			return
		}
		// What was read can be said again.
		again, err := record.Sign(r.Header(), r.Body(), deal.Vendor.Key)
		if err != nil {
			t.Fatalf("what was read can't be signed: %v", err)
		}
		if r.Header().By == deal.Vendor.DID() && !bytes.Equal(again.Raw()[:again.Size()-64], block[:len(block)-64]) {
			t.Fatal("what was read and signed is another body")
		}
	})
}

func FuzzDecodeFrame(f *testing.F) {
	raw := recordtest.NewDeal(f, "fuzz").Confirmation.Raw()
	f.Add(record.EncodeFrame(raw, nil))
	f.Add(record.EncodeFrame(raw, make([]byte, 8)))
	f.Add([]byte{0x83, 1, 0x5a, 0xff, 0xff, 0xff, 0xff})
	fuzzing.Each(f, "frame", func(in struct{ Frame vectors.Hex }) { f.Add([]byte(in.Frame)) })
	f.Fuzz(func(t *testing.T, frame []byte) {
		var block, stamp []byte
		var err error
		fuzzing.Bounded(t, len(frame), func() { block, stamp, err = record.DecodeFrame(frame) })
		if err == nil && !bytes.Equal(record.EncodeFrame(block, stamp), frame) {
			t.Fatalf("%x is taken, and isn't the frame of what is in it", frame)
		}
	})
}

func FuzzDecodeBundle(f *testing.F) {
	deal := recordtest.NewDeal(f, "fuzz")
	for n := 1; n <= 4; n++ {
		bundle, err := record.EncodeBundle(deal.Records()[:n]...)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(bundle)
	}
	f.Add([]byte{0x82, 1, 0x9a, 0xff, 0xff, 0xff, 0xff})
	fuzzing.Each(f, "bundle", func(in struct{ Payload vectors.Hex }) { f.Add([]byte(in.Payload)) })
	f.Fuzz(func(t *testing.T, bundle []byte) {
		var recs []*record.Record
		var err error
		fuzzing.Bounded(t, len(bundle), func() { recs, err = record.DecodeBundle(bundle) })
		if err != nil {
			return
		}
		again, err := record.EncodeBundle(recs...)
		if err != nil || !bytes.Equal(again, bundle) {
			t.Fatalf("%x is taken, and isn't the bundle of what is in it: %v", bundle, err)
		}
	})
}
