package record_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"math/bits"
	"testing"

	"pgregory.net/rapid"

	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/codec"
	"github.com/parley-protocol/parley/protocol/record"
	"github.com/parley-protocol/parley/protocol/record/recordtest"
)

func TestFrame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		raw := recordtest.AnyRecord().Draw(t, "record").Raw()
		stamp := rapid.SampledFrom([][]byte{nil, {1, 2, 3, 4, 5, 6, 7, 8}}).Draw(t, "stamp")
		frame := record.EncodeFrame(raw, stamp)
		gotRaw, gotStamp, err := record.DecodeFrame(frame)
		if err != nil || !bytes.Equal(gotRaw, raw) || !bytes.Equal(gotStamp, stamp) {
			t.Fatalf("got %x, %x, %v", gotRaw, gotStamp, err)
		}
	})
	// The largest record fits.
	if frame := record.EncodeFrame(make([]byte, codec.MaxBlock), make([]byte, 8)); frame == nil || len(frame) > protocol.MaxFrameBytes {
		t.Errorf("the largest record makes a frame of %d bytes", len(frame))
	}
	if record.EncodeFrame(nil, make([]byte, 7)) != nil || record.EncodeFrame(make([]byte, protocol.MaxFrameBytes), nil) != nil {
		t.Error("what fits no frame is put in one")
	}
}

func TestDecodeFrameRefuses(t *testing.T) {
	raw := []byte{1}
	for name, c := range map[string]struct {
		value any
		code  protocol.Code
	}{
		"a later version":   {[]any{int64(2), raw, []byte{}}, protocol.CodeUnsupportedVersion},
		"a later form":      {[]any{int64(2)}, protocol.CodeUnsupportedVersion},
		"no list":           {"frame", protocol.CodeMalformed},
		"an empty list":     {[]any{}, protocol.CodeMalformed},
		"no stamp":          {[]any{int64(1), raw}, protocol.CodeMalformed},
		"a short stamp":     {[]any{int64(1), raw, make([]byte, 7)}, protocol.CodeMalformed},
		"a long stamp":      {[]any{int64(1), raw, make([]byte, 9)}, protocol.CodeMalformed},
		"text for a record": {[]any{int64(1), "raw", []byte{}}, protocol.CodeMalformed},
		"text for a number": {[]any{"1", raw, []byte{}}, protocol.CodeMalformed},
		"one entry more":    {[]any{int64(1), raw, []byte{}, raw}, protocol.CodeTooLarge},
		"a list in a list":  {[]any{int64(1), []any{}, []byte{}}, protocol.CodeTooDeep},
		"too many bytes":    {[]any{int64(1), make([]byte, protocol.MaxFrameBytes), []byte{}}, protocol.CodeTooLarge},
	} {
		frame, err := codec.Message().Encode(c.value)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := record.DecodeFrame(frame); protocol.CodeOf(err) != c.code {
			t.Errorf("%s: got %v, want %s", name, err, c.code)
		}
	}
}

// A stamp's work is what its hash says; searching longer finds more.
func TestStampBits(t *testing.T) {
	id := someID("record")
	best := 0
	for n := range uint64(4096) {
		stamp := binary.BigEndian.AppendUint64(nil, n)
		digest := sha256.Sum256(append(append([]byte("parley/1/stamp\x00"), id.Bytes()...), stamp...))
		want := bits.LeadingZeros64(binary.BigEndian.Uint64(digest[:]))
		if got := record.StampBits(id, stamp); got != want {
			t.Fatalf("stamp %d: %d bits, want %d", n, got, want)
		}
		best = max(best, want)
	}
	if best < 8 {
		t.Errorf("4096 stamps show %d bits at best", best)
	}
	if record.StampBits(id, nil) != 0 || record.StampBits(id, make([]byte, 7)) != 0 {
		t.Error("no stamp shows work")
	}
}

func TestBundle(t *testing.T) {
	deal := recordtest.NewDeal(t, "bundle")
	bundle, err := record.EncodeBundle(deal.Records()...)
	if err != nil {
		t.Fatal(err)
	}
	recs, err := record.DecodeBundle(bundle)
	if err != nil || len(recs) != 4 {
		t.Fatalf("%d records, %v", len(recs), err)
	}
	for i, r := range recs {
		if r.ID() != deal.Records()[i].ID() {
			t.Errorf("record %d is %s", i, r)
		}
	}

	many := make([]*record.Record, 17)
	for i := range many {
		many[i] = deal.Confirmation
	}
	if _, err := record.EncodeBundle(many[:16]...); err != nil {
		t.Errorf("16 records: %v", err)
	}
	if _, err := record.EncodeBundle(many...); protocol.CodeOf(err) != protocol.CodeBadField {
		t.Errorf("17 records: %v", err)
	}
	if _, err := record.EncodeBundle(); protocol.CodeOf(err) != protocol.CodeBadField {
		t.Errorf("no records: %v", err)
	}
	large := author().Sign(t, now, &record.Terms{Name: "n", Text: string(bytes.Repeat([]byte("x"), 32768))})
	if _, err := record.EncodeBundle(large, large, large, large); protocol.CodeOf(err) != protocol.CodeTooLarge {
		t.Errorf("more than an envelope takes: %v", err)
	}
}

func TestDecodeBundleRefuses(t *testing.T) {
	raw := recordtest.NewDeal(t, "bundle").Confirmation.Raw()
	forged := bytes.Clone(raw)
	forged[len(forged)-1] ^= 1
	for name, c := range map[string]struct {
		value any
		code  protocol.Code
		field string
	}{
		"a later version":    {[]any{int64(2), []any{raw}}, protocol.CodeUnsupportedVersion, ""},
		"no list":            {"bundle", protocol.CodeMalformed, ""},
		"an empty list":      {[]any{}, protocol.CodeMalformed, ""},
		"text for a number":  {[]any{"1", []any{raw}}, protocol.CodeMalformed, ""},
		"no records":         {[]any{int64(1)}, protocol.CodeMalformed, ""},
		"no list of records": {[]any{int64(1), raw}, protocol.CodeMalformed, ""},
		"none in the list":   {[]any{int64(1), []any{}}, protocol.CodeMalformed, ""},
		"text for a record":  {[]any{int64(1), []any{raw, "raw"}}, protocol.CodeMalformed, ""},
		"a forged record":    {[]any{int64(1), []any{raw, forged}}, protocol.CodeBadSignature, "records[1]"},
		"an empty record":    {[]any{int64(1), []any{[]byte{}}}, protocol.CodeMalformed, "records[0]"},
	} {
		bundle, err := codec.Message().Encode(c.value)
		if err != nil {
			t.Fatal(err)
		}
		_, err = record.DecodeBundle(bundle)
		if e, ok := err.(*protocol.Error); !ok || e.Code != c.code || e.Field != c.field {
			t.Errorf("%s: got %v, want %s at %q", name, err, c.code, c.field)
		}
	}
	// The field of a record's own error stands behind the record's place.
	late := with(bodyOf(t, recordtest.NewDeal(t, "bundle").Confirmation), "acceptance", "x").(map[string]any)
	bundle, err := codec.Encode([]any{int64(1), []any{signRaw(t, late, author().Key)}})
	if err != nil {
		t.Fatal(err)
	}
	_, err = record.DecodeBundle(bundle)
	refused(t, err, protocol.CodeBadField, "records[0].acceptance")
}
