package odrl

import (
	"cmp"
	"slices"
	"strings"

	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/jsonld"
)

// lookup finds a term of ODRL's context.
func lookup(term string) (protocol.ContextTerm, bool) {
	list := protocol.ODRLContext()
	i, found := slices.BinarySearchFunc(list, term, func(t protocol.ContextTerm, term string) int { return cmp.Compare(t.Term, term) })
	if !found {
		return protocol.ContextTerm{}, false
	}
	return list[i], true
}

// lookupPrefix finds the prefix that a name begins with.
func lookupPrefix(name string) (protocol.ContextTerm, bool) {
	prefix, _, compact := strings.Cut(name, ":")
	term, known := lookup(prefix)
	return term, known && compact && (strings.HasSuffix(term.IRI, "#") || strings.HasSuffix(term.IRI, "/"))
}

// contextOf is the part of ODRL's context that a document needs: the terms that
// stand in it as a key or as a whole text, and the prefixes that keys or texts
// begin with. So nobody has to fetch it.
func contextOf(value any) jsonld.Object {
	context := jsonld.Object{}
	note := func(term protocol.ContextTerm, known bool) {
		switch {
		case !known:
		case term.Coercion == "":
			context[term.Term] = term.IRI
		default:
			context[term.Term] = jsonld.Object{"@id": term.IRI, "@type": term.Coercion}
		}
	}
	walk("", value, func(_, text string) {
		note(lookup(text))
		note(lookupPrefix(text))
	})
	return context
}

// walk gives every key, with itself, and every text, with the key that it
// stands under.
func walk(under string, value any, visit func(key, text string)) {
	switch v := value.(type) {
	case jsonld.Object:
		for key, member := range v {
			visit(key, key)
			walk(key, member, visit)
		}
	case jsonld.List:
		for _, element := range v {
			walk(under, element, visit)
		}
	case string:
		visit(under, v)
	}
}
