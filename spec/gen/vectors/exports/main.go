// Command exports makes the vectors of document 11.
package main

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"github.com/parley-protocol/parley/spec/gen/vectors/kit"
)

//go:generate go run .

func main() { kit.Main(files()) }

// files is all of the chapter, in its order.
func files() []kit.File {
	odrl := kit.File{Path: "11-exports/odrl.json", Kind: "export", Description: "Agreements as ODRL Agreements."}
	consent := kit.File{Path: "11-exports/consent.json", Kind: "export", Description: "Agreements as consent receipts of ISO/IEC TS 27560."}
	order := kit.File{Path: "11-exports/orders.json", Kind: "export", Description: "Agreements as orders of schema.org."}
	refused := kit.File{Path: "11-exports/refused.json", Kind: "export", Description: "What cannot be exported."}

	small, large := minimal("PDC-INTENT"), full()
	add(&odrl, "default-terms", musts("EXP-6"), small, "odrl", small.policy())
	for _, id := range slices.Sorted(keys(rosterRules)) {
		d := minimal(id)
		add(&odrl, "roster-"+strings.ToLower(id), kit.Musts("EXP-2", "EXP-7", "EXP-8"), d, "odrl", d.policy())
	}
	add(&odrl, "own-terms-without-a-policy", musts("EXP-9"), ownTerms(nil), "odrl", ownTerms(nil).policy())
	for _, p := range policies() {
		d := ownTerms(p.policy)
		want := d.policy()
		p.carried(want)
		addContext(want, p.context)
		add(&odrl, "own-terms-"+p.name, kit.Musts("EXP-9", "EXP-10"), d, "odrl", want)
	}

	add(&consent, "default-terms", musts("EXP-12"), small, "consent", small.receipt())
	for _, id := range []string{"PDC-AI", "SD-BASE-A-DP", "SD-BASE-ATP-S3P", "TPR-IDENTITY-REF"} {
		d := minimal(id)
		add(&consent, "roster-"+strings.ToLower(id), kit.Musts("EXP-12", "EXP-13"), d, "consent", d.receipt())
	}
	own := ownTerms(nil)
	add(&consent, "own-terms", kit.Musts("EXP-12", "EXP-14"), own, "consent", own.receipt())

	add(&order, "smallest", musts("EXP-16"), small, "schemaorg", small.order())
	add(&order, "all-there-is", kit.Musts("EXP-16", "EXP-17", "EXP-18"), large, "schemaorg", large.order())
	add(&order, "own-terms", musts("EXP-16"), own, "schemaorg", own.order())
	exact := minimal("PDC-INTENT", "totalPrice", "123456789012345.6789", "itemOffered", kit.List{kit.Map{"name": "A \"desk\" \\ Tisch ü 😀", "price": "123456789012345.6789"}})
	add(&order, "more-digits-than-a-double", kit.Musts("EXP-2", "EXP-3"), exact, "schemaorg", exact.order())
	for _, o := range orders(small) {
		want := o.scene.order()
		want["orderStatus"] = "https://schema.org/" + o.status
		add(&order, o.name, kit.Musts("EXP-24"), o.scene, "schemaorg", want)
	}
	unknown := minimal("ZZ-NEW")
	add(&order, "unknown-roster-id", musts("EXP-16"), unknown, "schemaorg", unknown.order())

	for _, format := range []string{"odrl", "consent", "schemaorg"} {
		s := small
		refused.Fail(format+"-of-a-pending-deal", musts("EXP-1"), in(car(s.key, nil, s.intent, s.offer, s.acceptance), format), "not_found")
		refused.Fail(format+"-of-an-offer", musts("EXP-1"), in(car(s.key, nil, s.intent, s.offer), format), "not_found")
		refused.Fail(format+"-of-a-store", musts("EXP-1"), in(store(s.intent, s.offer, s.acceptance, s.confirmation), format), "unsupported_format")
		refused.Fail(format+"-without-the-terms", musts("EXP-4"), in(car(own.key, own.confirmation, own.intent, own.offer, own.acceptance, own.confirmation), format), "missing_record")
	}
	refused.Fail("odrl-of-an-unknown-roster-id", musts("EXP-7"), in(unknown.car(), "odrl"), "unknown_agreement")
	refused.Fail("consent-of-an-unknown-roster-id", musts("EXP-7"), in(unknown.car(), "consent"), "unknown_agreement")
	return []kit.File{odrl, consent, order, refused}
}

func musts(more ...string) []string { return append(kit.Musts("EXP-1", "EXP-2"), more...) }

func keys(m map[string][]string) func(func(string) bool) {
	return func(yield func(string) bool) {
		for key := range m {
			if !yield(key) {
				return
			}
		}
	}
}

func in(car []byte, format string) kit.Values { return kit.Values{"car": car, "format": format} }

func add(f *kit.File, name string, musts []string, d scene, format string, want object) {
	f.Add(name, musts, in(d.car(), format), kit.Values{"text": text(want)})
}

// text is RFC 8785 for documents whose keys are ASCII and whose numbers are short.
func text(value any) string {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(value); err != nil {
		panic(err)
	}
	return strings.TrimSpace(out.String())
}

type (
	object = map[string]any
	list   = []any
)

func ref(iri string) object { return object{"@id": iri} }

func ipfs(b kit.Block) string { return "ipfs://" + b.ID().String() }
