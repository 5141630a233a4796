package main

import "github.com/parley-protocol/parley/spec/gen/vectors/kit"

// rounds is archives with several rounds and with what was said afterwards:
// [ARC-2], [ARC-5].
func rounds(f *file, s scene) {
	second := kit.List{s.intent.ID(), kit.Vendor.DID(), 2}
	in := func(key kit.List, typ string, by kit.Key, at int, pairs ...any) kit.Block {
		return by.Record(kit.WithAll(kit.BodyOf(typ).Min, append([]any{"deal", key, "by", by.DID(), "at", kit.T0 + at}, pairs...)...))
	}
	say := func(typ string, by kit.Key, at int, pairs ...any) kit.Block { return in(second, typ, by, at, pairs...) }
	next := say("next-round", kit.Customer, 40, "previous", s.confirmation.ID())
	offer := say("offer", kit.Vendor, 50, "changes", s.confirmation.ID())
	acceptance := say("acceptance", kit.Customer, 60, "offer", offer.ID())
	confirmation := say("confirmation", kit.Vendor, 70, "acceptance", acceptance.ID())
	first := []kit.Block{s.intent, s.offer, s.acceptance, s.confirmation}

	manifest := func(key kit.List, agreement kit.Block, records []kit.Block) kit.Map {
		m := kit.With(s.dealManifest(agreement, records...), "deal", key)
		return m
	}
	fact := func(round int, phase string, agreement kit.Block, inForce bool) kit.Values {
		key := kit.List{s.intent.ID(), kit.Vendor.DID(), round}
		v := s.fact(phase, agreement)
		v["deal"] = kit.Values{"intent": s.intent.ID(), "vendor": kit.Vendor.DID(), "round": round}
		v["id"], v["inForce"] = kit.SumID(kit.Encode(key)), inForce
		return v
	}
	// The facts are sorted by the text of their IDs.
	sorted := func(a, b kit.Values) []any {
		if a["id"].(kit.ID).String() > b["id"].(kit.ID).String() {
			a, b = b, a
		}
		return []any{a, b}
	}
	musts := kit.Musts("ARC-2", "ARC-5", "ARC-8", "DEAL-44")
	add := func(name string, key kit.List, agreement kit.Block, facts []any, records ...kit.Block) {
		root := kit.Encode(manifest(key, agreement, records))
		f.good(name, musts, "deal", root, newCar(root, bytesOf(records)...), records, facts...)
	}
	bad := func(name string, key kit.List, agreement kit.Block, code string, records ...kit.Block) {
		f.bad(name, kit.Musts("ARC-2", "ARC-5"), newCar(kit.Encode(manifest(key, agreement, records)), bytesOf(records)...).bytes(), code)
	}
	whole := append(append([]kit.Block{}, first...), next, offer, acceptance, confirmation)
	changed := sorted(fact(1, "agreed", s.confirmation, false), fact(2, "agreed", confirmation, true))
	add("rounds-of-a-change", second, confirmation, changed, whole...)
	asked := append(append([]kit.Block{}, first...), next)
	add("rounds-of-a-change-that-was-asked-for", s.key, s.confirmation, sorted(fact(1, "agreed", s.confirmation, true), fact(2, "open", nil, false)), asked...)
	void := say("void", kit.Vendor, 50, "reason", "no_offer")
	add("rounds-of-a-change-that-was-voided", s.key, s.confirmation, sorted(fact(1, "agreed", s.confirmation, true), fact(2, "voided", nil, false)), append(asked, void)...)
	cancel, none := s.cancel, s.void(30, "cites", s.cancel.ID())
	again := say("next-round", kit.Customer, 40, "previous", none.ID())
	add("rounds-without-an-agreement", second, nil, sorted(fact(1, "voided", nil, false), fact(2, "open", nil, false)), s.intent, s.offer, cancel, none, again)
	bad("rounds-named-by-the-one-that-was-changed", s.key, s.confirmation, "bad_field", whole...)
	bad("rounds-named-by-one-that-has-no-agreement", second, nil, "bad_field", asked...)
	bad("rounds-named-by-one-that-is-not-there", kit.List{s.intent.ID(), kit.Vendor.DID(), 3}, nil, "bad_field", whole...)
	bad("rounds-named-by-the-first-without-an-agreement", s.key, nil, "bad_field", s.intent, s.offer, cancel, none, again)

	// What was said about the agreement, with what it links to.
	terms := kit.BodyOf("terms")
	own := terms.Key.Record(kit.With(terms.Min, "at", kit.T0+5))
	about := func(typ string, by kit.Key, at int, pairs ...any) kit.Block {
		return in(s.key, typ, by, at, append([]any{"agreement", s.confirmation.ID()}, pairs...)...)
	}
	paid, sent := about("order-event", kit.Customer, 50, "orderStatus", "paid"), about("order-event", kit.Vendor, 60)
	receipt, outcome := about("receipt", kit.Vendor, 70), about("outcome", kit.Customer, 80, "ext", kit.Map{"x": own.ID()})
	agreed := []any{fact(1, "agreed", s.confirmation, true)}
	add("follow-ups", s.key, s.confirmation, agreed, s.intent, own, s.offer, s.acceptance, s.confirmation, paid, sent, receipt, outcome)
	misfit := about("order-event", kit.Vendor, 60, "orderStatus", "paid")
	add("follow-up-that-its-author-may-not-say", s.key, s.confirmation, agreed, append(append([]kit.Block{}, first...), misfit)...)
	elsewhere := about("outcome", kit.Customer, 60, "agreement", s.offer.ID())
	add("follow-up-about-an-agreement-that-is-not-there", s.key, s.confirmation, agreed, append(append([]kit.Block{}, first...), elsewhere)...)
	bad("follow-up-by-a-stranger", s.key, s.confirmation, "wrong_author", append(append([]kit.Block{}, first...), about("outcome", kit.Stranger, 60))...)
	bad("receipt-by-the-customer", s.key, s.confirmation, "wrong_author", append(append([]kit.Block{}, first...), about("receipt", kit.Customer, 60))...)
	foreign := in(kit.List{s.intent.ID(), kit.Stranger.DID(), 1}, "outcome", kit.Customer, 60, "agreement", s.confirmation.ID())
	bad("follow-up-of-another-deal", s.key, s.confirmation, "deal_mismatch", append(append([]kit.Block{}, first...), foreign)...)
	bad("follow-ups-alone", s.key, nil, "missing_record", s.intent, paid)
	counter := in(s.key, "counter", kit.Customer, 15, "offer", s.offer.ID())
	asks := in(s.key, "terms-counter", kit.Vendor, 6, "terms", own.ID(), "replyTo.mailboxes", kit.List{})
	add("counters-and-the-terms-that-one-cites", s.key, s.confirmation, agreed, s.intent, own, asks, s.offer, counter, s.acceptance, s.confirmation)
}
