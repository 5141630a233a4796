package odrl

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/codec"
	"github.com/parley-protocol/parley/protocol/jsonld"
	"github.com/parley-protocol/parley/protocol/record"
	"github.com/parley-protocol/parley/protocol/record/recordtest"
)

// example is after Example 1 of the ODRL Information Model 2.2.
const example = `{"@context": "http://www.w3.org/ns/odrl.jsonld", "@type": "Set", "uid": "http://example.com/policy:1010",
	"permission": [{"target": "http://example.com/asset:9898.movie", "action": "use"}]}`

// Policies, what becomes of them and what is told; of one that is refused, the code.
//
//spec:shows EXP-19 EXP-22
func TestPolicy(t *testing.T) {
	deep := `{"permission": ` + strings.Repeat(`{"duty": `, 20) + `"x"` + strings.Repeat(`}`, 20) + `}`
	tests := []struct {
		name, policy, want, noted string
		embeds                    bool
	}{
		{"the model's example", example, `{"@context":"http://www.w3.org/ns/odrl.jsonld","@type":"Set","permission":[{"action":"use","target":"http://example.com/asset:9898.movie"}],"uid":"http://example.com/policy:1010"}`, "", true},
		{"a prohibition with a constraint and a decimal", `{"@context": ["http://www.w3.org/ns/odrl.jsonld", {"ex": "http://example.com/ns#"}], "@type": "Policy",
			"prohibition": {"target": "ex:data", "action": "distribute", "constraint": {"leftOperand": "payAmount", "operator": "gt", "rightOperand": 1.5, "ex:note": null}}}`,
			`{"@context":["http://www.w3.org/ns/odrl.jsonld",{"ex":"http://example.com/ns#"}],"@type":"Policy","prohibition":{"action":"distribute","constraint":{"leftOperand":"payAmount","operator":"gt","rightOperand":{"@type":"http://www.w3.org/2001/XMLSchema#double","@value":"1.5"}},"target":"ex:data"}}`,
			"it is null", true},
		{"prefixes", `{"@context": {"odrl": "http://www.w3.org/ns/odrl/2/"}, "@graph": [{"@id": "urn:x:1", "@type": "odrl:Set", "odrl:obligation": [{"odrl:action": {"@id": "odrl:delete"}}]}]}`,
			`{"@context":{"odrl":"http://www.w3.org/ns/odrl/2/"},"@id":"urn:x:1","@type":"odrl:Set","odrl:obligation":[{"odrl:action":{"@id":"odrl:delete"}}]}`, "", true},
		{"no type", `{"obligation": [{"action": "delete"}]}`, `{"obligation":[{"action":"delete"}]}`, "counts as a Set", true},
		{"an unknown term", `{"@type": "Set", "permission": [{"action": "use", "target": "urn:x:y", "mood": "good"}]}`,
			`{"@type":"Set","permission":[{"action":"use","mood":"good","target":"urn:x:y"}]}`, `"mood" is no term`, false},
		{"an unknown action", `{"@type": "Set", "permission": [{"action": "dance", "target": "urn:x:y"}]}`,
			`{"@type":"Set","permission":[{"action":"dance","target":"urn:x:y"}]}`, `"dance" is no term`, false},
		{"a rule without a target", `{"@type": "Set", "permission": [{"action": "use"}]}`, `{"@type":"Set","permission":[{"action":"use"}]}`, "no target", true},
		{"a rule without an action", `{"@type": "Set", "permission": [{"target": "urn:x:y"}]}`, `{"@type":"Set","permission":[{"target":"urn:x:y"}]}`, "no action", true},
		{"parties", `{"@type": "Offer", "assigner": "urn:x:me", "permission": [{"action": "use", "target": "urn:x:y"}]}`,
			`{"@type":"Offer","assigner":"urn:x:me","permission":[{"action":"use","target":"urn:x:y"}]}`, "bind nobody", true},
		{"a large integer", `{"@type": "Set", "permission": [{"action": "use", "target": "urn:x:y", "constraint": {"leftOperand": "count", "operator": "lteq", "rightOperand": 12345678901234567890}}]}`,
			`{"@type":"Set","permission":[{"action":"use","constraint":{"leftOperand":"count","operator":"lteq","rightOperand":{"@type":"http://www.w3.org/2001/XMLSchema#integer","@value":"12345678901234567890"}},"target":"urn:x:y"}]}`, "12345678901234567890", true},

		{"no rule", `{"@type": "Set", "uid": "urn:x:1"}`, "missing_field", "", false},
		{"no policy", `{"@context": "https://schema.org", "@type": "Offer", "permission": []}`, "unsupported_format", "", false},
		{"another type", `{"@type": "Asset", "permission": [{}]}`, "unsupported_format", "", false},
		{"a context elsewhere", `{"@context": "https://example.com/c.jsonld", "@type": "Set", "permission": [{}]}`, "unsupported_format", "", false},
		{"a context that does more", `{"@context": {"@vocab": "http://www.w3.org/ns/odrl/2/"}, "@type": "Set", "permission": [{}]}`, "unsupported_format", "", false},
		{"two policies", `{"@graph": [{"@type": "Set"}, {"@type": "Set"}]}`, "ambiguous", "", false},
		{"a list", `[1, 2]`, "unsupported_format", "", false},
		{"no JSON", `<rdf>`, "malformed", "", false},
		{"too deep", deep, "too_deep", "", false},
		{"too large", `{"@type": "Set", "permission": [{"action": "` + strings.Repeat("x", MaxPolicy) + `"}]}`, "too_large", "", false},
		{"far too large", `{"a": "` + strings.Repeat("x", 9*MaxPolicy) + `"}`, "too_large", "", false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			policy, notes, err := Policy([]byte(test.policy))
			got := string(protocol.CodeOf(err))
			if err == nil {
				text, err := json.Marshal(policy)
				if err != nil {
					t.Fatal(err)
				}
				got = string(text)
				if _, ok := embeddable(plain(policy)); ok != test.embeds {
					t.Errorf("embeds: %v", ok)
				}
			}
			if got != test.want {
				t.Errorf("got  %s (%v)\nwant %s", got, err, test.want)
			}
			if test.noted != "" && !strings.Contains(fmt.Sprint(notes), test.noted) {
				t.Errorf("no note of %s: %v", test.noted, notes)
			}
		})
	}
}

// A policy that is taken fits into a terms record, beside the longest text, and
// what is embeddable comes out of a document unchanged.
func FuzzPolicy(f *testing.F) {
	f.Add([]byte(example))
	f.Add([]byte(`{"@context": ["http://www.w3.org/ns/odrl.jsonld", {"ex": {"@id": "http://example.com/ns#a", "@type": "@id"}}], "@graph": {"type": ["Offer"], "obligation": {"action": [1.5, true, null, -7]}}}`))
	customer := recordtest.NewParty("customer")
	text := strings.Repeat("x", 32<<10)
	f.Fuzz(func(t *testing.T, data []byte) {
		policy, _, err := Policy(data)
		if err != nil {
			if !protocol.CodeOf(err).Known() {
				t.Fatalf("refused without a code: %v", err)
			}
			return
		}
		signed, err := record.Sign(record.Header{At: 1, RetainUntil: 2}, &record.Terms{Name: "n", Text: text, Policy: policy}, customer.Key)
		if err != nil {
			t.Fatalf("no record holds it: %v", err)
		}
		value := plain(signed.Body().(*record.Terms).Policy)
		if _, err := jsonld.Encode(value); err != nil {
			t.Fatalf("no export holds it: %v", err)
		}
		again, err := codec.Encode(policy)
		if err != nil || len(again) > MaxPolicy {
			t.Fatalf("%d bytes, %v", len(again), err)
		}
	})
}
