package spec_test

import (
	"bytes"
	"encoding/binary"
	"io/fs"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/parley-protocol/parley/crypto"
	"github.com/parley-protocol/parley/protocol/codec"
	"github.com/parley-protocol/parley/protocol/proof"
	"github.com/parley-protocol/parley/protocol/record"
	"github.com/parley-protocol/parley/protocol/record/recordtest"
	"github.com/parley-protocol/parley/spec"
)

func readSchema(t *testing.T) *schema {
	t.Helper()
	text, err := fs.ReadFile(spec.FS, "records.cddl")
	if err != nil {
		t.Fatal(err)
	}
	return parseSchema(string(text))
}

// Whatever the program signs is of the schema, without room for keys of a later
// version.
func TestRecordsMatchSchema(t *testing.T) {
	s := readSchema(t)
	s.groups["later"] = nil
	rapid.Check(t, func(t *rapid.T) {
		r := recordtest.AnyRecord().Draw(t, "record")
		body, err := decodeBody(r.Raw())
		if err != nil {
			t.Fatal(err)
		}
		if name := s.bodyType(r.Type()); !s.matches(name, body) {
			t.Fatalf("%v is no %s", body, name)
		}
	})
}

// What carries records is of the schema, too.
func TestCarriersMatchSchema(t *testing.T) {
	s := readSchema(t)
	deal := recordtest.NewDeal(t, "schema")
	records := deal.Records()
	bundle, err := record.EncodeBundle(records...)
	if err != nil {
		t.Fatal(err)
	}
	var file bytes.Buffer
	if _, err := proof.WriteDeal(&file, records[0], records[1:]); err != nil {
		t.Fatal(err)
	}
	sections := sectionsOf(t, file.Bytes())
	for name, block := range map[string][]byte{
		"frame":         record.EncodeFrame(records[0].Raw(), nil),
		"bundle":        bundle,
		"car-header":    sections[0],
		"deal-manifest": sections[1][36:],
		"record":        sections[2][36:],
	} {
		value, err := codec.Message().Decode(block)
		if err != nil {
			t.Fatal(name, err)
		}
		if !s.matches(name, value) {
			t.Errorf("%v is no %s", value, name)
		}
	}
	stamped, err := codec.Message().Decode(record.EncodeFrame(records[0].Raw(), make([]byte, 8)))
	if err != nil || !s.matches("frame", stamped) {
		t.Errorf("a frame with a stamp: %v", err)
	}
}

// sectionsOf splits a CAR file.
func sectionsOf(t *testing.T, file []byte) (sections [][]byte) {
	for len(file) > 0 {
		n, size := binary.Uvarint(file)
		if size <= 0 || n > uint64(len(file)-size) {
			t.Fatal("not a CAR file")
		}
		sections = append(sections, file[size:size+int(n)])
		file = file[size+int(n):]
	}
	return sections
}

// What the schema refuses, the program refuses: records are changed at random
// and signed again, by a signer that checks nothing.
func TestSchemaRefusesNoRecord(t *testing.T) {
	s := readSchema(t)
	rapid.Check(t, func(t *rapid.T) {
		r := recordtest.AnyRecord().Draw(t, "record")
		body, err := decodeBody(r.Raw())
		if err != nil {
			t.Fatal(err)
		}
		key := rapid.SampledFrom(codec.SortedKeys(body)).Draw(t, "key")
		change(t, body, key, 0)
		signer := recordtest.NewParty("schema").Key
		if _, ok := body["by"].(string); ok {
			body["by"] = signer.DID().String()
		}
		raw, ok := signRaw(signer, body)
		if !ok {
			t.Skip("no encoding")
		}
		parsed, err := record.Parse(raw)
		if err != nil {
			return
		}
		if name := s.bodyType(parsed.Type()); !s.matches(name, body) {
			t.Fatalf("%s was changed, is parsed and is no %s: %v", key, name, body)
		}
	})
}

// change alters the value under a key of m, or something inside of it.
func change(t *rapid.T, m map[string]any, key string, depth int) {
	switch v := m[key].(type) {
	case map[string]any:
		if len(v) > 0 && depth < 4 && rapid.Bool().Draw(t, "inside") {
			change(t, v, rapid.SampledFrom(codec.SortedKeys(v)).Draw(t, "inner key"), depth+1)
			return
		}
	case []any:
		if inner, ok := slices.Clone(v), len(v) > 0; ok && rapid.Bool().Draw(t, "inside") {
			i := rapid.IntRange(0, len(v)-1).Draw(t, "index")
			holder := map[string]any{"": inner[i]}
			change(t, holder, "", depth+1)
			if value, present := holder[""]; present {
				inner[i] = value
			} else {
				inner = slices.Delete(inner, i, i+1)
			}
			m[key] = inner
			return
		}
	}
	switch rapid.IntRange(0, 3).Draw(t, "change") {
	case 0:
		delete(m, key)
	case 1:
		m[rapid.StringMatching(`[a-z]{1,12}`).Draw(t, "new key")] = oddValue(t)
	case 2:
		if text, ok := m[key].(string); ok {
			m[key] = text + rapid.StringMatching(`[a-z0-9A-Z./:_-]{0,3}`).Draw(t, "suffix")
			return
		}
		fallthrough
	default:
		m[key] = oddValue(t)
	}
}

// oddValue is anything that may stand in a record.
func oddValue(t *rapid.T) any {
	return rapid.SampledFrom([]any{
		int64(0), int64(1), int64(2), int64(-1), int64(200), int64(1001), int64(1 << 40),
		"", "x", "EUR", "PDC-INTENT", "0.5", "-0", "1.50", "test:x", "a/b/c", "DE", "https://example.com",
		[]byte{}, make([]byte, 32), make([]byte, 1216), true,
		[]any{}, []any{"x"}, []any{int64(1)}, map[string]any{}, map[string]any{"x": int64(1)},
		codec.Sum([]byte("x")), nil, []any{nil}, map[string]any{"x": nil},
	}).Draw(t, "value")
}

// signRaw signs a body as it is.
func signRaw(signer *crypto.SigningKey, body map[string]any) (raw []byte, ok bool) {
	block, err := codec.Encode(body)
	if err != nil {
		return nil, false
	}
	signature := signer.Sign(append([]byte("parley/1/record\x00"), block...))
	raw = append([]byte{0x82}, block...)
	raw = append(raw, 0x58, 0x40)
	return append(raw, signature...), true
}
