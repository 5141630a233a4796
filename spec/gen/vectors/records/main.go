// Command records makes the vectors of document 2: records as bytes, their
// fields, their times, and the forms of text in them.
package main

import (
	"slices"

	"github.com/parley-protocol/parley/spec/gen/vectors/kit"
)

//go:generate go run .

func main() { kit.Main(files()) }

// files is all of the chapter, in its order.
func files() []kit.File {
	files := []kit.File{form(), encoding(), header(), signatures(), times(), unknownKeys(), ids(), decimals(), names()}
	return append(files, fields()...)
}

// recordFile is a file of the kind record.
type recordFile struct{ kit.File }

func newFile(name, description string) *recordFile {
	return &recordFile{kit.File{Path: "02-records/" + name + ".json", Description: description, Kind: "record"}}
}

// good is a body that makes a valid record, with the paths of its unknown keys.
func (f *recordFile) good(name string, musts []string, key kit.Key, body kit.Map, unknown ...string) *kit.Case {
	return f.goodBlock(name, musts, key.Record(body), body, unknown...)
}

func (f *recordFile) goodBlock(name string, musts []string, block kit.Block, body kit.Map, unknown ...string) *kit.Case {
	return f.Add(name, musts, kit.Values{"block": block}, outOf(block, body, unknown...))
}

// outOf is what a reader sees of a record.
func outOf(block kit.Block, body kit.Map, unknown ...string) kit.Values {
	crit, _ := body["crit"].(kit.List)
	slices.Sort(unknown)
	return kit.Values{
		"id": block.ID(), "type": body["type"], "by": body["by"], "known": current(body["type"].(string)),
		"unknown": append([]string{}, unknown...), "crit": append(kit.List{}, crit...),
	}
}

// current reports whether a type is registered as current.
func current(typ string) bool {
	return slices.ContainsFunc(kit.Bodies(), func(b kit.Body) bool { return b.Type == typ })
}

// bad is a body that is refused.
func (f *recordFile) bad(name string, musts []string, key kit.Key, body kit.Map, codes ...string) *kit.Case {
	return f.badBlock(name, musts, key.Record(body), codes...)
}

func (f *recordFile) badBlock(name string, musts []string, block []byte, codes ...string) *kit.Case {
	return f.Fail(name, musts, kit.Values{"block": block}, codes...)
}

// withdrawal is the smallest body with an author whom anybody may be.
func withdrawal() (kit.Key, kit.Map) {
	b := kit.BodyOf("withdrawal")
	return b.Key, b.Min
}
