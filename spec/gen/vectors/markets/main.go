// Command markets makes the vectors of document 5: names of markets. What else
// it asks of intents is shown with the records of document 2 and the frames of
// document 8.
package main

import (
	"fmt"

	"github.com/parley-protocol/parley/spec/gen/vectors/kit"
)

//go:generate go run .

func main() { kit.Main(files()) }

// files is all of the chapter.
func files() []kit.File {
	f := kit.File{Path: "05-markets/names.json", Kind: "name", Description: "Names of markets, and their topics."}
	musts := kit.Musts("INT-21", "NET-8")
	for i, name := range []string{
		"test", "general", "furniture", "furniture/office", "a", "0", "a1", "1-2", "home-and-garden/tools-2", "nobody-has-this-one",
		kit.Letters(64), kit.Letters(31) + "/" + kit.Letters(32),
	} {
		f.Add(fmt.Sprintf("market-%d", i+1), append(musts, "INT-22"), kit.Values{"form": "market", "text": name},
			kit.Values{"valid": true, "topic": "/parley/1/" + name})
	}
	for i, name := range []string{
		"", "/", "a/", "/a", "a//b", "a/b/c", "-a", "a-", "a--b", "a/-b", "a-/b", "A", "a_b", "a b", "a.b", "ä", "a\n", " a", "a/B", "*", "..",
		kit.Letters(65), kit.Letters(32) + "/" + kit.Letters(32),
	} {
		f.Add(fmt.Sprintf("no-market-%d", i+1), musts, kit.Values{"form": "market", "text": name}, kit.Values{"valid": false})
	}
	return []kit.File{f}
}
