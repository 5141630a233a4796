package main

import (
	"encoding/json"

	"github.com/parley-protocol/parley/spec/gen/vectors/kit"
)

// scene is the records of one agreement, with what the documents say of it.
type scene struct {
	intent, offer, acceptance, confirmation, terms kit.Block
	key                                            kit.List
	roster                                         string // "": terms of one's own
	asked, offered, own                            kit.Map
	after                                          []kit.Block // follow-up records, in their order
}

func newScene(intent, offer kit.Map, terms kit.Block) scene {
	s := scene{asked: intent, offered: offer, terms: terms}
	s.intent = kit.Customer.Record(intent)
	s.key = kit.List{s.intent.ID(), kit.Vendor.DID(), 1}
	say := func(typ string, at int, body kit.Map, pairs ...any) kit.Block {
		b := kit.BodyOf(typ)
		return b.Key.Record(kit.WithAll(body, append([]any{"deal", s.key, "at", kit.T0 + at}, pairs...)...))
	}
	s.offer = say("offer", 10, offer)
	s.acceptance = say("acceptance", 20, kit.BodyOf("acceptance").Min, "offer", s.offer.ID())
	s.confirmation = say("confirmation", 30, kit.BodyOf("confirmation").Min, "acceptance", s.acceptance.ID())
	return s
}

// minimal is an agreement under a roster ID with what must be there.
func minimal(roster string, offer ...any) scene {
	s := newScene(
		kit.With(kit.BodyOf("intent").Min, "terms", kit.List{roster}),
		kit.WithAll(kit.BodyOf("offer").Min, append([]any{"terms", roster}, offer...)...), nil)
	s.roster = roster
	return s
}

// full is an agreement with all that intents and offers can have, but for what
// blocks acceptance.
func full() scene {
	offer := kit.BodyOf("offer").Full
	for _, key := range []string{"crit", "counter", "changes"} {
		delete(offer, key)
	}
	s := newScene(kit.BodyOf("intent").Full, kit.WithAll(offer,
		"charges", kit.List{
			kit.Map{"kind": "delivery", "name": "Truck", "price": "0.2"},
			kit.Map{"kind": "discount", "price": "-10"},
			kit.Map{"kind": "tax", "name": "VAT", "price": "64.6"},
		}, "totalPrice", "404.6"), nil)
	s.roster = "PDC-INTENT"
	return s
}

// ownTerms is an agreement under terms of the customer's own.
func ownTerms(policy kit.Map) scene {
	body := kit.With(kit.BodyOf("terms").Full, "at", kit.T0+5)
	delete(body, "crit")
	delete(body, "policy")
	if policy != nil {
		body["policy"] = policy
	}
	record := kit.Customer.Record(body)
	s := newScene(
		kit.With(kit.BodyOf("intent").Min, "terms", kit.List{record.ID()}),
		kit.With(kit.BodyOf("offer").Min, "terms", record.ID()), record)
	s.own = body
	return s
}

// event adds an order-event to the scene, some seconds after the agreement.
func (s scene) event(by kit.Key, status string, seconds int, pairs ...any) scene {
	return s.says("order-event", by, seconds, append([]any{"orderStatus", status}, pairs...)...)
}

func (s scene) says(typ string, by kit.Key, seconds int, pairs ...any) scene {
	rec := by.Record(kit.WithAll(kit.BodyOf(typ).Min, append([]any{
		"deal", s.key, "agreement", s.confirmation.ID(), "by", by.DID(), "at", kit.T0 + 30 + seconds}, pairs...)...))
	s.after = append(s.after[:len(s.after):len(s.after)], rec)
	return s
}

// car is the archive of the deal.
func (s scene) car() []byte {
	records := []kit.Block{s.intent, s.offer, s.acceptance, s.confirmation}
	if s.terms != nil {
		records = []kit.Block{s.intent, s.terms, s.offer, s.acceptance, s.confirmation}
	}
	return car(s.key, s.confirmation, append(records, s.after...)...)
}

func car(key kit.List, agreement kit.Block, records ...kit.Block) []byte {
	manifest := kit.Map{"parley": 1, "kind": "deal", "deal": key, "records": ids(records)}
	if agreement != nil {
		manifest["agreement"] = agreement.ID()
	}
	return file(kit.Encode(manifest), records)
}

func store(records ...kit.Block) []byte {
	page := kit.Encode(ids(records))
	root := kit.Encode(kit.Map{"parley": 1, "kind": "store", "pages": kit.List{kit.SumID(page)}})
	return file(root, append([]kit.Block{page}, records...))
}

func file(root []byte, blocks []kit.Block) []byte {
	out := kit.Stream(kit.Encode(kit.Map{"roots": kit.List{kit.SumID(root)}, "version": 1}))
	for _, block := range append([]kit.Block{root}, blocks...) {
		id := kit.SumID(block)
		out = kit.Join(out, kit.Stream(kit.Join(id[:], block)))
	}
	return out
}

func ids(records []kit.Block) kit.List {
	out := kit.List{}
	for _, r := range records {
		out = append(out, r.ID())
	}
	return out
}

// The moments of all scenes, as documents write them.
const (
	termsAt   = "2026-01-01T00:00:05Z"
	offeredAt = "2026-01-01T00:00:10Z"
	accepted  = "2026-01-01T00:00:20Z"
	confirmed = "2026-01-01T00:00:30Z"
)

func moment(text string) object {
	return object{"@type": "http://www.w3.org/2001/XMLSchema#dateTime", "@value": text}
}

// number is a decimal as a number, unless it has more than 15 digits.
func number(text any) any {
	t := text.(string)
	digits := 0
	for _, r := range t {
		if r >= '0' && r <= '9' {
			digits++
		}
	}
	if digits > 15 {
		return t
	}
	return json.Number(t)
}
