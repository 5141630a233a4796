package odrl

import (
	"encoding/base64"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/ipfs/go-cid"

	"github.com/parley-protocol/parley/protocol/jsonld"
)

// plain puts a policy's values into JSON: what JSON has no form for becomes a
// typed literal, and a link an IRI.
func plain(value any) any {
	switch v := value.(type) {
	case map[string]any:
		out := make(jsonld.Object, len(v))
		for key, member := range v {
			out[key] = plain(member)
		}
		return out
	case []any:
		out := make(jsonld.List, len(v))
		for i, element := range v {
			out[i] = plain(element)
		}
		return out
	case int64:
		if v > jsonld.MaxInteger || v < -jsonld.MaxInteger {
			return jsonld.Object{"@type": jsonld.XSD + "integer", "@value": strconv.FormatInt(v, 10)}
		}
	case []byte:
		return jsonld.Object{"@type": jsonld.XSD + "base64Binary", "@value": base64.StdEncoding.EncodeToString(v)}
	case cid.Cid:
		return jsonld.Ref(jsonld.IRI(v))
	}
	return value
}

// vocabularyURLs are the names that ODRL's own context goes by.
var vocabularyURLs = []string{"http://www.w3.org/ns/odrl.jsonld", "https://www.w3.org/ns/odrl.jsonld"}

// names are those that mean something in a policy.
type names struct {
	odrl bool            // ODRL's terms are among them
	own  []jsonld.Object // contexts of the policy's own, which come after
}

// namesOf takes a policy's @context apart. Without one ODRL's terms are meant.
// ok is false if it leads elsewhere, has ODRL's terms after its own, or does
// more than to give names to IRIs.
func namesOf(policy jsonld.Object) (n names, ok bool) {
	value, stated := policy["@context"]
	if !stated {
		return names{odrl: true}, true
	}
	list, isList := value.(jsonld.List)
	if !isList {
		list = jsonld.List{value}
	}
	for _, context := range list {
		switch c := context.(type) {
		case string:
			if !slices.Contains(vocabularyURLs, c) || n.own != nil {
				return n, false
			}
			n.odrl = true
		case jsonld.Object:
			if !namesOnly(c) {
				return n, false
			}
			n.own = append(n.own, c)
		default:
			return n, false
		}
	}
	return n, true
}

func namesOnly(context jsonld.Object) bool {
	for key, value := range context {
		if strings.HasPrefix(key, "@") {
			return false
		}
		switch v := value.(type) {
		case string:
		case jsonld.Object:
			for part, text := range v {
				if _, isText := text.(string); !isText || part != "@id" && part != "@type" {
					return false
				}
			}
		default:
			return false
		}
	}
	return true
}

// embeddable is a policy as a node of another document whose context is
// [contextOf]'s, if no key and no name in it is lost or changed by that.
func embeddable(value any) (jsonld.Object, bool) {
	policy, isObject := value.(jsonld.Object)
	if !isObject {
		return nil, false
	}
	n, ok := namesOf(policy)
	if !ok {
		return nil, false
	}
	out := maps.Clone(policy)
	delete(out, "@context")
	walk("", out, func(key, text string) {
		switch {
		case key == text: // a key, or a text like the key that it stands under
			ok = ok && n.known(text)
		case n.namesThings(key):
			ok = ok && (n.known(text) || isIRI(text))
		}
	})
	if len(n.own) > 0 {
		list := make(jsonld.List, len(n.own))
		for i, context := range n.own {
			list[i] = context
		}
		out["@context"] = list
	}
	return out, ok
}

// known reports whether a key or a name has a meaning.
func (n names) known(name string) bool {
	switch name {
	case "@id", "@type", "@value", "@language", "@list", "@set":
		return true
	}
	if strings.HasPrefix(name, "@") {
		return false
	}
	prefix, local, compact := strings.Cut(name, ":")
	for _, context := range n.own {
		_, asTerm := context[name]
		_, asPrefix := context[prefix]
		if asTerm || compact && asPrefix {
			return true
		}
	}
	_, term := lookup(name)
	_, asPrefix := lookupPrefix(name)
	return n.odrl && (term || asPrefix) || compact && strings.HasPrefix(local, "//")
}

// namesThings reports whether the texts under a key are names or IRIs.
func (n names) namesThings(key string) bool {
	if key == "@type" || key == "@id" {
		return true
	}
	for _, context := range slices.Backward(n.own) {
		if definition, defined := context[key]; defined {
			object, _ := definition.(jsonld.Object)
			return object["@type"] == "@id" || object["@type"] == "@vocab" || definition == "@id" || definition == "@type"
		}
	}
	term, defined := lookup(key)
	return n.odrl && defined && (term.Coercion != "" || strings.HasPrefix(term.IRI, "@"))
}

// isIRI reports whether a text begins with a scheme, as RFC 3986 has it.
func isIRI(text string) bool {
	scheme, rest, found := strings.Cut(text, ":")
	if !found || scheme == "" || rest == "" || strings.ContainsAny(text, " <>\"{}|\\^`") {
		return false
	}
	for i, r := range scheme {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
		if !letter && (i == 0 || !strings.ContainsRune("0123456789+-.", r)) {
			return false
		}
	}
	return true
}
