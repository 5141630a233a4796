package terms

import (
	"cmp"
	"slices"

	"github.com/parley-protocol/parley/protocol"
)

// Rules spells an agreement of the roster out in rules, in the registry's
// order. only says that what they do not permit is prohibited. An ID that isn't
// on the roster has none, and ok is false.
func Rules(id string) (rules []protocol.Rule, only, ok bool) {
	list := protocol.RulesOfRoster()
	i, found := slices.BinarySearchFunc(list, id, func(r protocol.RosterRules, id string) int { return cmp.Compare(r.ID, id) })
	if !found {
		return nil, false, false
	}
	all := protocol.Rules()
	for _, name := range list[i].Rules {
		if j, known := slices.BinarySearchFunc(all, name, func(r protocol.Rule, name string) int { return cmp.Compare(r.Name, name) }); known {
			rules = append(rules, all[j])
		}
	}
	return rules, list[i].Only, true
}

// IRI is what the Data Privacy Vocabulary calls an agreement of the roster.
func IRI(id string) string { return "https://w3id.org/dpv/standards/ieee/7012#" + id }
