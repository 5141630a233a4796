// Command terms makes the vectors of document 7: what an approval of terms of
// one's own is of.
package main

import (
	"crypto/sha256"

	"github.com/parley-protocol/parley/spec/gen/vectors/kit"
)

//go:generate go run .

func main() { kit.Main(files()) }

// files is all of the chapter.
func files() []kit.File {
	f := kit.File{Path: "07-terms/hashes.json", Kind: "terms-hash", Description: "What a person approves of terms of somebody's own."}
	lowest, full := kit.BodyOf("terms").Min, kit.BodyOf("terms").Full
	add := func(name, note string, by kit.Key, body kit.Map, approved ...any) {
		hash := sha256.Sum256(kit.Encode(kit.List(approved)))
		c := f.Add(name, kit.Musts("TERMS-9"), kit.Values{"block": by.Record(kit.With(body, "by", by.DID()))}, kit.Values{"hash": hash[:]})
		c.Note = note
	}
	policy := full["policy"]
	add("text-alone", "", kit.Customer, lowest, "Be kind.", nil, nil)
	add("all-three", "", kit.Customer, full, "Be kind.\nDelete soon.", policy, "SD-BASE")
	add("text-and-policy", "", kit.Customer, kit.With(full, "basedOn", kit.Absent), "Be kind.\nDelete soon.", policy, nil)
	add("text-and-roster-id", "", kit.Customer, kit.With(full, "policy", kit.Absent), "Be kind.\nDelete soon.", nil, "SD-BASE")
	add("another-record", "author, times, name, language, crit and ext have no part", kit.NewKey("another intent"),
		kit.WithAll(lowest, "at", kit.T0+9, "retainUntil", kit.T0+99, "name", "Yours", "inLanguage", "de", "ext", kit.Map{"x": 1}), "Be kind.", nil, nil)
	add("another-text", "", kit.Customer, kit.With(lowest, "text", "Be kind"), "Be kind", nil, nil)
	add("another-policy", "", kit.Customer, kit.With(full, "policy.profile", "http://example.com/q"), "Be kind.\nDelete soon.", kit.With(policy.(kit.Map), "profile", "http://example.com/q"), "SD-BASE")
	deep := kit.Map{"zz": kit.List{true, -1, kit.Filler("bytes", 3), kit.SomeID("link")}, "a": kit.Map{"ü": "é"}}
	add("policy-of-all-kinds", "", kit.Customer, kit.With(lowest, "policy", deep), "Be kind.", deep, nil)
	return []kit.File{f}
}
