package main

import (
	"slices"

	"github.com/parley-protocol/parley/spec/gen/vectors/kit"
)

// closing is the validUntil of offers.
const closing = kit.T0 + 7*kit.Day

// Blocks of the scene. Everything is said by the parties of kit on one intent.
type (
	block = kit.Block
	want  struct {
		phase                          string
		acceptance, confirmation, void block
		customerVoid, held, agreement  block
		committed, takesAward          bool
		misfit                         map[*block]string
		waiting                        map[*block]kit.ID
		evidence                       []block
		changes                        any // an ID
		counters, nextRounds           []block
		termsCounter                   block
	}
)

// intent is the request of all deals here: it proffers a roster's terms and
// terms of its author's own.
func intent() block {
	return kit.Customer.Record(kit.With(kit.BodyOf("intent").Min, "terms", kit.List{"PDC-INTENT", ownTerms()}))
}

func ownTerms() kit.ID { return kit.SomeID("terms of one's own") }

func deal() kit.List { return kit.List{intent().ID(), kit.Vendor.DID(), 1} }

// say is a record of the deal with what is more, or other, in it.
func say(typ string, by kit.Key, at int, pairs ...any) block {
	body := kit.WithAll(kit.BodyOf(typ).Min, "deal", deal(), "at", at, "by", by.DID(), "retainUntil", kit.T0+90*kit.Day)
	return by.Record(kit.WithAll(body, pairs...))
}

func offer(pairs ...any) block { return say("offer", kit.Vendor, kit.T0+10, pairs...) }

func accept(o block, pairs ...any) block {
	return say("acceptance", kit.Customer, kit.T0+20, append([]any{"offer", o.ID()}, pairs...)...)
}

func confirm(a block, pairs ...any) block {
	return say("confirmation", kit.Vendor, kit.T0+30, append([]any{"acceptance", a.ID()}, pairs...)...)
}

// ask is a cancel, decline or award-notice.
func ask(typ string, pairs ...any) block { return say(typ, kit.Customer, kit.T0+25, pairs...) }

// void cites nothing unless pairs say so.
func void(pairs ...any) block { return say("void", kit.Vendor, kit.T0+40, pairs...) }

func voidFor(cited block, pairs ...any) block {
	return void(append([]any{"cites", cited.ID()}, pairs...)...)
}

func restored(pairs ...any) block { return say("restored", kit.Vendor, kit.T0+50, pairs...) }

func customerVoid(r block, pairs ...any) block {
	return say("customer-void", kit.Customer, kit.T0+60, append([]any{"restored", r.ID()}, pairs...)...)
}

func held(r, decision block, pairs ...any) block {
	return say("held", kit.Customer, kit.T0+60, append([]any{"restored", r.ID(), "decision", decision.ID()}, pairs...)...)
}

func counter(o block, pairs ...any) block {
	return say("counter", kit.Customer, kit.T0+15, append([]any{"offer", o.ID()}, pairs...)...)
}

func termsCounter(pairs ...any) block {
	return say("terms-counter", kit.Vendor, kit.T0+5, pairs...)
}

// inRound is the pairs of another round.
func inRound(round int, pairs ...any) []any {
	return append([]any{"deal", kit.List{intent().ID(), kit.Vendor.DID(), round}}, pairs...)
}

func nextRound(round int, previous block, pairs ...any) block {
	return say("next-round", kit.Customer, kit.T0+45, inRound(round, append([]any{"previous", previous.ID()}, pairs...)...)...)
}

// critical is the pairs of a crit.
func critical(pairs ...any) []any {
	return append([]any{"crit", kit.List{"example.com/x"}, "ext", kit.Map{"example.com/x": 1}}, pairs...)
}

type file struct{ kit.File }

func newFile(name, description string) *file {
	return &file{kit.File{Path: "06-deals/" + name + ".json", Kind: "deal", Description: description}}
}

// add is a set of records and what it adds up to, in any order.
func (f *file) add(name string, w want, musts []string, records ...block) *kit.Case {
	var list kit.List
	for _, r := range records {
		list = append(list, r)
	}
	id := func(b block) any {
		if b == nil {
			return nil
		}
		return b.ID()
	}
	misfit, waiting := kit.Values{}, kit.Values{}
	for r, code := range w.misfit {
		misfit[r.ID().String()] = code
	}
	for r, missing := range w.waiting {
		waiting[r.ID().String()] = missing
	}
	ids := func(blocks []block) kit.List {
		l := kit.List{}
		for _, b := range blocks {
			l = append(l, b.ID())
		}
		return l
	}
	out := kit.Values{
		"changes": w.changes, "counters": ids(w.counters), "termsCounter": id(w.termsCounter), "nextRounds": ids(w.nextRounds),
		"phase": w.phase, "acceptance": id(w.acceptance), "confirmation": id(w.confirmation), "void": id(w.void),
		"customerVoid": id(w.customerVoid), "held": id(w.held), "agreement": id(w.agreement),
		"committed": w.committed, "takesAward": w.takesAward, "misfit": misfit, "waiting": waiting,
	}
	if w.phase == "conflict" {
		evidence := []string{}
		for _, r := range w.evidence {
			evidence = append(evidence, r.ID().String())
		}
		slices.Sort(evidence)
		out["evidence"] = evidence
	}
	c := f.Add(name, append(kit.Musts("DEAL-7"), musts...), kit.Values{
		"intent": intent(), "deal": dealIn(intent().ID(), kit.Vendor.DID(), 1), "records": append(kit.List{}, list...),
	}, out)
	c.Permutations = true
	return c
}
