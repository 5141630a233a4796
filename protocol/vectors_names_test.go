package protocol_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/parley-protocol/parley/crypto"
	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/codec"
	"github.com/parley-protocol/parley/protocol/record"
	"github.com/parley-protocol/parley/spec/vectors"
	"github.com/parley-protocol/parley/spec/vectors/vectorstest"
)

// Names have no functions of their own: each text is put into a record that is
// else right, and signed.
func TestVectorsOfNames(t *testing.T) {
	signer, blocks := crypto.NewSigner([32]byte{1}), minimal(t)
	type nameIn struct{ Form, Text string }
	// A registered type wants its own fields: the records' vectors have those.
	bare := func(in nameIn) bool { return in.Form != "type" || !registered(in.Text) }
	vectorstest.RunSome(t, "name", bare, func(t *testing.T, c vectors.Case, in nameIn) (any, string) {
		typ, put := place(t, in.Form, in.Text)
		body := bodyOf(t, blocks[typ+"-minimal"])
		put(body)
		body["by"] = signer.DID().String()
		encoded, err := codec.Encode(body)
		if err != nil {
			t.Fatal(err)
		}
		signature := signer.Sign(append([]byte("parley/1/record\x00"), encoded...))
		block := append(append([]byte{0x82}, encoded...), append([]byte{0x58, 0x40}, signature...)...)
		if _, err := record.Parse(block); err != nil {
			return map[string]any{"valid": false}, ""
		}
		out := map[string]any{"valid": true}
		if in.Form == "market" {
			out["topic"] = "/parley/1/" + in.Text
		}
		return out, ""
	})
}

// place says in which type a form of text is tried, and where.
func place(t *testing.T, form, text string) (typ string, put func(map[string]any)) {
	t.Helper()
	at := func(keys ...string) func(map[string]any) {
		return func(m map[string]any) {
			for _, key := range keys[:len(keys)-1] {
				if m[key] == nil {
					m[key] = map[string]any{}
				}
				m = m[key].(map[string]any)
			}
			m[keys[len(keys)-1]] = text
		}
	}
	switch form {
	case "market":
		return "intent", at("market")
	case "category":
		return "intent", func(m map[string]any) { m["category"] = []any{text} }
	case "roster-id":
		return "terms", at("basedOn")
	case "type":
		return "withdrawal", func(m map[string]any) {
			clear(m)
			m["type"], m["v"], m["at"], m["retainUntil"] = text, int64(1), int64(1), int64(1)
		}
	case "code":
		return "void", at("reason")
	case "language":
		return "intent", at("inLanguage")
	case "currency":
		return "intent", func(m map[string]any) {
			m["priceSpecification"] = map[string]any{"priceCurrency": text, "maxPrice": "1"}
		}
	case "unit-code":
		return "intent", func(m map[string]any) {
			m["itemOffered"] = []any{map[string]any{"name": "x", "eligibleQuantity": map[string]any{"value": "1", "unitCode": text}}}
		}
	case "country":
		return "intent", at("areaServed", "addressCountry")
	case "url":
		return "profile", at("url")
	case "address":
		return "intent", func(m map[string]any) { m["replyTo"].(map[string]any)["mailboxes"] = []any{text} }
	}
	t.Fatalf("no place for a %s", form)
	return "", nil
}

// minimal is the blocks of the types' minimal records in the vectors, by the
// cases' names.
func minimal(t *testing.T) map[string][]byte {
	t.Helper()
	files, err := vectors.Of("record")
	if err != nil {
		t.Fatal(err)
	}
	blocks := map[string][]byte{}
	for _, f := range files {
		for _, c := range f.Cases {
			var in recordIn
			if !strings.HasSuffix(c.Name, "-minimal") {
				continue
			}
			if err := json.Unmarshal(c.In, &in); err != nil {
				t.Fatal(err)
			}
			blocks[c.Name] = in.Block
		}
	}
	return blocks
}

func bodyOf(t *testing.T, block []byte) map[string]any {
	t.Helper()
	value, err := codec.Decode(block)
	if err != nil {
		t.Fatal(err)
	}
	return value.([]any)[0].(map[string]any)
}

func registered(name string) bool {
	return slices.ContainsFunc(protocol.RecordTypes(), func(t protocol.RecordType) bool { return t.Name == name && t.Status == "current" })
}
