package schemaorg

import (
	"slices"
	"strings"

	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/draft"
)

// things is what a JSON-LD document of schema.org holds: the document itself, or
// what is in its @graph or in a list, with short names.
func things(document draft.Node) ([]draft.Node, error) {
	if !hasContext(document) && !slices.ContainsFunc(document.List(), hasContext) {
		return nil, draft.Refuse(protocol.CodeUnsupportedFormat, "@context", `give JSON-LD with "@context": "https://schema.org"`,
			"this is JSON, but not of schema.org: its @context doesn't say so")
	}
	list := document.List()
	if graph := document.Get("@graph"); graph.Exists() {
		list = graph.List()
	}
	for i, node := range list {
		list[i] = node.Rewrite(compact)
	}
	return list, nil
}

// findDemand finds the one Demand of a JSON-LD document.
func findDemand(document draft.Node) (draft.Node, error) {
	candidates, err := things(document)
	if err != nil {
		return draft.Node{}, err
	}
	var demands []draft.Node
	var others []string
	for _, candidate := range candidates {
		if types := typesOf(candidate); slices.Contains(types, "Demand") {
			demands = append(demands, candidate)
		} else {
			others = append(others, strings.Join(types, " and "))
		}
	}
	switch {
	case len(demands) > 1:
		return draft.Node{}, draft.Refuse(protocol.CodeAmbiguous, "@graph", "give a document with one Demand",
			"the document holds %d Demands, and one can be imported at a time", len(demands))
	case len(demands) == 0 && slices.Contains(others, "Offer"):
		return draft.Node{}, draft.Refuse(protocol.CodeNotARequest, "@type", "give a Demand: what somebody wants, not what somebody sells",
			"this is an Offer, not a Demand")
	case len(demands) == 0:
		return draft.Node{}, draft.Refuse(protocol.CodeUnsupportedFormat, "@type", `give an object with "@type": "Demand"`,
			"the document holds no Demand, only: %s", draft.Cut(strings.Join(others, ", "), 200))
	}
	return demands[0], nil
}

// hasContext reports whether a @context is that of schema.org, in any of its
// usual forms.
func hasContext(node draft.Node) bool {
	for _, context := range node.Get("@context").List() {
		if context.IsObject() {
			if isVocabulary(context.Get("@vocab").Raw()) || isVocabulary(context.Get("schema").Raw()) {
				return true
			}
		} else if isVocabulary(context.Raw()) {
			return true
		}
	}
	return false
}

func isVocabulary(iri string) bool {
	iri = strings.TrimSpace(iri)
	rest, found := strings.CutPrefix(iri, "https://")
	if !found {
		rest, found = strings.CutPrefix(iri, "http://")
	}
	rest = strings.TrimPrefix(rest, "www.")
	switch rest {
	case "schema.org", "schema.org/", "schema.org/docs/jsonldcontext.jsonld", "schema.org/docs/jsonldcontext.json":
		return found
	}
	return false
}

// term cuts a property's or type's IRI down to its name.
func term(name string) string {
	for _, prefix := range [...]string{"schema:", "https://schema.org/", "http://schema.org/"} {
		if short, found := strings.CutPrefix(name, prefix); found {
			return short
		}
	}
	return name
}

// compact gives properties their short names and puts the value in the place of
// {"@value": …}, all the way down.
func compact(value any) any {
	switch value := value.(type) {
	case map[string]any:
		if literal, found := value["@value"]; found {
			return literal
		}
		short := make(map[string]any, len(value))
		for key, member := range value {
			short[term(key)] = compact(member)
		}
		return short
	case []any:
		list := make([]any, len(value))
		for i, element := range value {
			list[i] = compact(element)
		}
		return list
	}
	return value
}

// typesOf is the short names of a node's types.
func typesOf(node draft.Node) []string {
	var types []string
	for _, t := range node.Get("@type").List() {
		types = append(types, term(t.Raw()))
	}
	return types
}

// noteRest notes every property that isn't among those that were read.
func noteRest(node draft.Node, notes *draft.Notes, read ...string) {
	for _, key := range node.Keys() {
		if !strings.HasPrefix(key, "@") && !slices.Contains(read, key) {
			property := node.Get(key)
			notes.Addf(property.Path(), "%s was left out: there is no place for it", draft.Cut(property.Path(), 100))
		}
	}
}
