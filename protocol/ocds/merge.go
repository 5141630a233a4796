package ocds

import (
	"cmp"
	"encoding/json"
	"slices"

	"github.com/parley-protocol/parley/protocol/draft"
)

// merge puts the releases of one process together as OCDS 1.1 merges them into
// a compiled release: the oldest first, objects member by member, lists of
// objects with IDs entry by entry, everything else replaced, and null taking
// away. Releases of several processes, and links to releases, are not merged.
func merge(releases []draft.Node) (draft.Node, bool) {
	type dated struct {
		date  string // RFC 3339 in one form sorts by time
		value map[string]any
	}
	var all []dated
	process := ""
	for _, node := range releases {
		id := node.Get("ocid").Line(draft.MaxIdentifier)
		if id == "" || process != "" && id != process || !node.Get("date").Exists() {
			return draft.Node{}, false
		}
		process = id
		node.Rewrite(func(value any) any {
			object, _ := value.(map[string]any)
			all = append(all, dated{node.Get("date").Line(40), object})
			return value
		})
	}
	slices.SortStableFunc(all, func(a, b dated) int { return cmp.Compare(a.date, b.date) })
	compiled := map[string]any{}
	for _, release := range all {
		compiled = mergeObjects(compiled, release.value, 0)
	}
	last := all[len(all)-1].value // what says of which stage it is isn't merged
	for _, key := range [...]string{"id", "date", "tag"} {
		compiled[key] = last[key]
	}
	return releases[0].Rewrite(func(any) any { return compiled }), true
}

// maxMerge is the deepest that objects are merged: OCDS itself has a handful of levels.
const maxMerge = 64

func mergeObjects(base, over map[string]any, depth int) map[string]any {
	out := make(map[string]any, len(base)+len(over))
	for key, value := range base {
		out[key] = value
	}
	for key, value := range over {
		if value == nil {
			delete(out, key)
			continue
		}
		out[key] = mergeValues(out[key], value, depth+1)
	}
	return out
}

func mergeValues(base, over any, depth int) any {
	if depth > maxMerge {
		return over
	}
	switch value := over.(type) {
	case map[string]any:
		object, _ := base.(map[string]any)
		return mergeObjects(object, value, depth)
	case []any:
		if list, isList := base.([]any); isList && identified(list) && identified(value) {
			return mergeLists(list, value, depth)
		}
	}
	return over
}

// identified reports whether all entries of a list are objects with an id, which
// is a text or a number.
func identified(list []any) bool {
	for _, entry := range list {
		object, _ := entry.(map[string]any)
		switch object["id"].(type) {
		case string, json.Number:
		default:
			return false
		}
	}
	return true
}

func mergeLists(base, over []any, depth int) []any {
	out := slices.Clone(base)
	place := make(map[any]int, len(base))
	for i, entry := range base {
		place[entry.(map[string]any)["id"]] = i
	}
	for _, entry := range over {
		object := entry.(map[string]any)
		if i, known := place[object["id"]]; known {
			out[i] = mergeValues(out[i], object, depth+1)
		} else {
			place[object["id"]] = len(out)
			out = append(out, object)
		}
	}
	return out
}
