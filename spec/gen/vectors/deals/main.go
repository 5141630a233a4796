// Command deals makes the vectors of document 6: keys of deals, and sets of
// records with the state that they add up to. The states are written down by
// hand.
package main

import (
	"fmt"

	"github.com/parley-protocol/parley/spec/gen/vectors/kit"
)

//go:generate go run .

func main() { kit.Main(files()) }

// files is all of the chapter, in its order.
func files() []kit.File {
	return []kit.File{dealKeys(), offers(), acceptances(), confirmations(), voids(), restores(), misfits(), counters(), rounds(), followUps()}
}

// dealKeys is [DEAL-2].
func dealKeys() kit.File {
	f := kit.File{Path: "06-deals/keys.json", Kind: "deal-key", Description: "The key of a deal, and the deal's ID."}
	musts := kit.Musts("DEAL-1", "DEAL-2")
	intent := kit.SumID([]byte("an intent"))
	vendor := make([]byte, 32)
	for i := range vendor {
		vendor[i] = 0x20 + byte(i)
	}
	f.Add("document-6", musts, kit.Values{"deal": dealIn(intent, kit.KeyOf(vendor).DID(), 1)}, kit.Values{
		"bytes": "83d82a58250001711220b8b25c3ed47aedd53d02d90c21193f83545d84ffe1f9" +
			"8ba47fefbfe7dfdc2b4778386469643a6b65793a7a364d6b684677584e46576f" +
			"734c6575677653663477634c3974337575525875654753465452675376486857" +
			"6a35473201",
		"id": "bafyreif6avtgqzzgxf7oxsz6f7okm4lazk4ysncow25cadstuyjwxiff5a",
	}).Note = "the values stand in the document"
	for _, round := range []int{1, 2, 23, 24, 255, 256, 1000} {
		key := kit.Encode(kit.List{kit.SomeID("intent"), kit.Vendor.DID(), round})
		f.Add(fmt.Sprintf("round-%d", round), musts, kit.Values{"deal": dealIn(kit.SomeID("intent"), kit.Vendor.DID(), round)},
			kit.Values{"bytes": key, "id": kit.SumID(key)})
	}
	return f
}

func dealIn(intent kit.ID, vendor string, round int) kit.Values {
	return kit.Values{"intent": intent, "vendor": vendor, "round": round}
}
