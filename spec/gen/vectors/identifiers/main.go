// Command identifiers makes the vectors of document 3: DIDs, signatures, the
// phrase, what derives from it, and rotation.
package main

import (
	"encoding/hex"

	"github.com/parley-protocol/parley/spec/gen/vectors/kit"
)

//go:generate go run .

func main() { kit.Main(files()) }

// files is all of the chapter, in its order.
func files() []kit.File {
	return []kit.File{dids(), signatures(), phrases(), intentKeys(), intentSalts(), personaKeys(), relationshipKeys(), assertionKeys(), rotations()}
}

func file(name, kind, description string) kit.File {
	return kit.File{Path: "03-keys/" + name + ".json", Kind: kind, Description: description}
}

func unhex(text string) []byte {
	b, err := hex.DecodeString(text)
	if err != nil {
		panic(err)
	}
	return b
}
