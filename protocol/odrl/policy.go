package odrl

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/codec"
	"github.com/parley-protocol/parley/protocol/draft"
	"github.com/parley-protocol/parley/protocol/jsonld"
)

// Limits of a policy that is taken into terms of one's own: beside it the text
// of the terms must fit into one record.
const (
	MaxPolicy      = 24 << 10 // bytes of DAG-CBOR
	MaxPolicyDepth = 12       // objects and lists in each other
)

// Policy takes an ODRL policy in JSON-LD for a terms record ([record.Terms]):
// the document itself, or the one policy of its @graph. The policy is kept as
// it is written, but for what a record has no form for; that, and what other
// programs may not understand, is in the notes.
//
// Refusals, each with a hint: [protocol.CodeMalformed] for what isn't JSON,
// [protocol.CodeUnsupportedFormat] for what isn't an ODRL policy or uses a
// context that would have to be fetched, [protocol.CodeAmbiguous] for several
// policies, [protocol.CodeMissingField] for one without a rule, and
// [protocol.CodeTooLarge] and [protocol.CodeTooDeep] for what is beyond
// [MaxPolicy] and [MaxPolicyDepth].
func Policy(data []byte) (map[string]any, []draft.Note, error) {
	if len(data) > maxDocument {
		return nil, nil, tooLarge(len(data))
	}
	notes := new(draft.Notes)
	document, err := draft.Read(data, notes)
	if err != nil {
		return nil, nil, err
	}
	var raw any
	document.Rewrite(func(value any) any { raw = value; return value })
	policy, err := onePolicy(raw)
	if err != nil {
		return nil, nil, err
	}
	if depth(policy) > MaxPolicyDepth {
		return nil, nil, draft.Refuse(protocol.CodeTooDeep, "", "say the same with fewer levels", "the policy is nested deeper than %d levels", MaxPolicyDepth)
	}
	kept, _ := carry("", policy, notes)
	out, _ := kept.(map[string]any)
	n, ok := namesOf(out)
	if !ok {
		return nil, nil, draft.Refuse(protocol.CodeUnsupportedFormat, "@context", "write the names that it defines into the file's @context",
			"the policy's @context leads to another document, or changes more than names: nothing is fetched")
	}
	encoded, err := codec.Encode(out)
	if err != nil {
		return nil, nil, err
	}
	if len(encoded) > MaxPolicy {
		return nil, nil, tooLarge(len(encoded))
	}
	if err := n.check(out, notes); err != nil {
		return nil, nil, err
	}
	return out, notes.List(), nil
}

// maxDocument is the longest JSON of which a policy may be left that fits.
const maxDocument = 8 * MaxPolicy

func tooLarge(size int) error {
	return draft.Refuse(protocol.CodeTooLarge, "", "leave out what the text of the terms says anyway",
		"the policy takes %d bytes, and %d fit beside the text of the terms", size, MaxPolicy)
}

// onePolicy is the document, or the one policy in its @graph or list, with the
// document's context.
func onePolicy(raw any) (map[string]any, error) {
	if list, isList := raw.([]any); isList && len(list) == 1 {
		raw = list[0]
	}
	document, isObject := raw.(map[string]any)
	if !isObject {
		return nil, notODRL("this is JSON, but not one object")
	}
	graph, hasGraph := document["@graph"]
	if !hasGraph {
		return document, nil
	}
	nodes, isList := graph.([]any)
	if !isList {
		nodes = []any{graph}
	}
	if len(nodes) != 1 {
		return nil, draft.Refuse(protocol.CodeAmbiguous, "@graph", "give a document with one policy, and what belongs to it inside it",
			"the document holds %d things, and one policy can be taken", len(nodes))
	}
	policy, isObject := nodes[0].(map[string]any)
	if !isObject {
		return nil, notODRL("the @graph holds no object")
	}
	policy = maps.Clone(policy)
	if _, stated := policy["@context"]; !stated && document["@context"] != nil {
		policy["@context"] = document["@context"]
	}
	return policy, nil
}

func notODRL(detail string) error {
	return draft.Refuse(protocol.CodeUnsupportedFormat, "", "give an ODRL policy in JSON-LD", "%s", detail)
}

func depth(value any) int {
	deepest := 0
	switch v := value.(type) {
	case map[string]any:
		for _, member := range v {
			deepest = max(deepest, depth(member))
		}
	case []any:
		for _, element := range v {
			deepest = max(deepest, depth(element))
		}
	default:
		return 0
	}
	return deepest + 1
}

// carry makes JSON into a record's values. What is null goes, and a number that
// isn't whole, or too large, becomes a typed literal; ok is false for null.
func carry(path string, value any, notes *draft.Notes) (kept any, ok bool) {
	switch v := value.(type) {
	case nil:
		notes.Addf(path, "%s was left out: it is null", path)
		return nil, false
	case map[string]any:
		out := make(map[string]any, len(v))
		for _, key := range slices.Sorted(maps.Keys(v)) {
			if member, ok := carry(join(path, key), v[key], notes); ok {
				out[key] = member
			}
		}
		return out, true
	case []any:
		out := make([]any, 0, len(v))
		for i, element := range v {
			if member, ok := carry(path+"["+strconv.Itoa(i)+"]", element, notes); ok {
				out = append(out, member)
			}
		}
		return out, true
	case json.Number:
		if n, err := v.Int64(); err == nil && n <= jsonld.MaxInteger && n >= -jsonld.MaxInteger {
			return n, true
		}
		if strings.HasSuffix(path, "@value") {
			notes.Addf(path, "the number %s is kept as text: a record has no such numbers", v)
			return v.String(), true
		}
		kind := "double" // what JSON-LD takes such a number for
		if !strings.ContainsAny(v.String(), ".eE") {
			kind = "integer"
		}
		notes.Addf(path, "the number %s is kept as a text of the type xsd:%s: a record has no such numbers", v, kind)
		return map[string]any{"@type": jsonld.XSD + kind, "@value": v.String()}, true
	}
	return value, true
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// kinds are the policies of ODRL, and ruleKeys where their rules stand.
var (
	kinds    = []string{"Agreement", "Assertion", "Offer", "Policy", "Privacy", "Request", "Set", "Ticket"}
	ruleKeys = []string{"permission", "prohibition", "obligation"}
)

// check refuses what is no policy, and notes what others won't understand.
func (n names) check(policy map[string]any, notes *draft.Notes) error {
	types := append(texts(policy["@type"]), texts(policy["type"])...)
	switch {
	case len(types) == 0:
		notes.Addf("@type", "the policy has no @type: it counts as a Set")
	case !slices.ContainsFunc(types, func(t string) bool { return slices.Contains(kinds, n.local(t)) }):
		return notODRL("this is no policy of ODRL: its type is " + draft.Cut(strings.Join(types, ", "), 200))
	}
	rules := 0
	for _, key := range slices.Sorted(maps.Keys(policy)) {
		if !slices.Contains(ruleKeys, n.local(key)) {
			continue
		}
		list, isList := policy[key].([]any)
		if !isList {
			list = []any{policy[key]}
		}
		for _, entry := range list {
			rules++
			rule, isObject := entry.(map[string]any)
			if isObject && !n.has(rule, "action") && !n.has(policy, "action") {
				notes.Addf(key, "a rule under %s has no action, which ODRL asks for", key)
			}
			if isObject && n.local(key) != "obligation" && !n.has(rule, "target") && !n.has(policy, "target") {
				notes.Addf(key, "a rule under %s has no target, which ODRL asks for", key)
			}
		}
	}
	if rules == 0 {
		return draft.Refuse(protocol.CodeMissingField, "permission", "give the policy a permission, a prohibition or an obligation", "the policy has no rule")
	}
	if n.has(policy, "assigner") || n.has(policy, "assignee") {
		notes.Addf("assigner", "the parties that the policy names are kept, and bind nobody: those who sign are the parties")
	}
	walk("", withoutContext(policy), func(key, text string) {
		switch {
		case key == text:
			if !n.known(text) {
				notes.Addf(text, "%q is no term of ODRL and is not defined in the @context: other programs will not understand it", draft.Cut(text, 80))
			}
		case n.namesThings(key) && !n.known(text) && !isIRI(text):
			notes.Addf(key, "%q is no term of ODRL and no IRI: other programs will not understand it", draft.Cut(text, 80))
		}
	})
	return nil
}

func withoutContext(policy map[string]any) map[string]any {
	out := maps.Clone(policy)
	delete(out, "@context")
	return out
}

// texts is a text, or the texts of a list.
func texts(value any) (out []string) {
	list, isList := value.([]any)
	if !isList {
		list = []any{value}
	}
	for _, element := range list {
		if text, isText := element.(string); isText {
			out = append(out, text)
		}
	}
	return out
}

// local is the name of a term of ODRL, however it is written; "" for others.
func (n names) local(name string) string {
	for _, context := range slices.Backward(n.own) {
		definition, defined := context[name]
		if object, isObject := definition.(map[string]any); isObject {
			definition = object["@id"]
		}
		if iri, isText := definition.(string); defined && isText && iri != name {
			return strings.TrimPrefix(n.expand(iri), jsonld.ODRL)
		}
	}
	if term, known := lookup(name); known && n.odrl {
		return strings.TrimPrefix(term.IRI, jsonld.ODRL)
	}
	if local, found := strings.CutPrefix(n.expand(name), jsonld.ODRL); found {
		return local
	}
	return ""
}

// expand puts a prefix's IRI in its place.
func (n names) expand(name string) string {
	prefix, local, compact := strings.Cut(name, ":")
	if !compact {
		return name
	}
	for _, context := range slices.Backward(n.own) {
		if iri, isText := context[prefix].(string); isText {
			return iri + local
		}
	}
	if term, known := lookupPrefix(name); known && n.odrl {
		return term.IRI + local
	}
	return name
}

func (n names) has(object map[string]any, term string) bool {
	for key := range object {
		if n.local(key) == term {
			return true
		}
	}
	return false
}
