package main

import (
	"bytes"
	"slices"

	"github.com/parley-protocol/parley/spec/gen/vectors/kit"
)

// counters is what binds nobody: [DEAL-31] to [DEAL-33].
func counters() kit.File {
	f := newFile("counters", "Deals with counters, counter-offers of terms, and the word for a round.")
	o := offer()
	c := counter(o)
	musts := kit.Musts("DEAL-31", "DEAL-32")
	f.add("counter", want{phase: "open", counters: []block{c}}, musts, o, c)
	second := counter(o, "at", kit.T0+16)
	f.add("two-counters", want{phase: "open", counters: []block{c, second}}, musts, o, c, second)
	answer := offer("number", 2, "counter", c.ID(), "at", kit.T0+18)
	f.add("counter-and-its-answer", want{phase: "open", counters: []block{c}}, kit.Musts("DEAL-36"), o, c, answer)
	f.add("answer-without-its-counter", want{phase: "open"}, kit.Musts("DEAL-36"), o, answer)
	a := accept(answer)
	f.add("answer-accepted-without-its-counter", want{phase: "pending", acceptance: a, takesAward: true}, kit.Musts("DEAL-36", "DEAL-8"), answer, a)
	f.add("counter-without-its-offer", want{phase: "open", waiting: map[*block]kit.ID{&c: o.ID()}}, kit.Musts("DEAL-10"), c)
	first := accept(o)
	agreed := want{phase: "agreed", acceptance: first, confirmation: confirm(first), agreement: confirm(first), committed: true, takesAward: true, counters: []block{c}}
	f.add("counter-and-an-agreement", agreed, musts, o, c, first, confirm(first))
	late := counter(o, "at", kit.T0+35)
	agreed.counters = []block{late}
	f.add("counter-after-the-agreement", agreed, musts, o, late, first, confirm(first)).Note = "it may not be signed then, and changes nothing"
	v := void("at", closing+1)
	f.add("counter-and-a-void", want{phase: "voided", void: v, counters: []block{c}}, musts, o, c, v)
	f.add("void-that-cites-a-counter", want{phase: "conflict", counters: []block{c}, evidence: []block{voidFor(c)}}, kit.Musts("DEAL-11", "DEAL-12"), o, c, voidFor(c)).Note =
		"a counter is no ask"
	other := offer("terms", "SD-BASE")
	toOther, toCounter := counter(other), counter(c)
	f.add("counter-to-a-misfit", want{phase: "open", misfit: map[*block]string{&other: "terms_not_offered", &toOther: "terms_not_offered"}}, kit.Musts("DEAL-8"), other, toOther)
	f.add("counter-to-a-counter", want{phase: "open", counters: []block{c}, misfit: map[*block]string{&toCounter: "bad_field"}}, kit.Musts("DEAL-8"), o, c, toCounter)
	ofCounter := accept(c)
	f.add("acceptance-of-a-counter", want{phase: "open", counters: []block{c}, misfit: map[*block]string{&ofCounter: "bad_field"}}, kit.Musts("DEAL-8", "DEAL-31"), o, c, ofCounter)
	vendors := say("counter", kit.Vendor, kit.T0+15, "offer", o.ID())
	f.add("counter-by-the-vendor", want{phase: "open", misfit: map[*block]string{&vendors: "wrong_author"}}, kit.Musts("DEAL-3", "DEAL-8"), o, vendors)
	crit := counter(o, critical()...)
	f.add("counter-with-crit", want{phase: "open", misfit: map[*block]string{&crit: "critical_extension"}}, kit.Musts("DEAL-8"), o, crit)
	odd := counter(o, "colour", "red")
	f.add("counter-with-unknown-keys", want{phase: "open", counters: []block{odd}}, kit.Musts("REC-27"), o, odd)

	t := termsCounter()
	three := kit.Musts("DEAL-33", "TERMS-13")
	f.add("terms-counter", want{phase: "open", termsCounter: t}, three, t)
	f.add("terms-counter-beside-an-offer", want{phase: "open", termsCounter: t}, three, o, t)
	again := termsCounter("at", kit.T0+6, "terms", "SD-BASE-AT")
	f.add("two-terms-counters", want{phase: "open", termsCounter: t, misfit: map[*block]string{&again: "terms_counter_spent"}}, kit.Musts("DEAL-33", "DEAL-8"), t, again)
	same := termsCounter("terms", "SD-BASE-AT")
	one, two := t, same
	if x, y := one.ID(), two.ID(); bytes.Compare(x[:], y[:]) > 0 {
		one, two = two, one
	}
	f.add("two-terms-counters-of-one-second", want{phase: "open", termsCounter: one, misfit: map[*block]string{&two: "terms_counter_spent"}}, kit.Musts("DEAL-33"), one, two)
	listed, own := termsCounter("terms", "PDC-INTENT", "at", kit.T0+4), termsCounter("terms", ownTerms(), "at", kit.T0+3)
	f.add("terms-counter-of-the-intents-terms", want{phase: "open", termsCounter: t, misfit: map[*block]string{&listed: "bad_field", &own: "bad_field"}}, kit.Musts("DEAL-33", "DEAL-8"), t, listed, own).Note =
		"they spend nothing"
	customers := say("terms-counter", kit.Customer, kit.T0+5)
	f.add("terms-counter-by-the-customer", want{phase: "open", misfit: map[*block]string{&customers: "wrong_author"}}, kit.Musts("DEAL-3", "DEAL-8"), customers)
	ofTerms := accept(t)
	f.add("acceptance-of-a-terms-counter", want{phase: "open", termsCounter: t, misfit: map[*block]string{&ofTerms: "bad_field"}}, kit.Musts("DEAL-8", "DEAL-33"), t, ofTerms)

	// A next-round is of the round that it opens.
	n := nextRound(2, confirm(first))
	f.add("next-round-of-another-round", want{phase: "open", misfit: map[*block]string{&n: "deal_mismatch"}}, kit.Musts("DEAL-40", "DEAL-8"), o, n)
	event := say("order-event", kit.Vendor, kit.T0+50, "agreement", confirm(first).ID())
	agreed.counters = nil
	agreed.misfit = map[*block]string{&event: "deal_mismatch"}
	f.add("order-event", agreed, kit.Musts("DEAL-45", "DEAL-8"), o, first, confirm(first), event)
	return f.File
}

// chain is the three records of an agreement in a round, at a time.
func chain(round, at int, pairs ...any) (o, a, c block) {
	o = offer(inRound(round, append([]any{"at", kit.T0 + at}, pairs...)...)...)
	a = accept(o, inRound(round, "at", kit.T0+at+1)...)
	c = confirm(a, inRound(round, "at", kit.T0+at+2)...)
	return o, a, c
}

// rounds is [DEAL-23] and [DEAL-40] to [DEAL-44].
func rounds() kit.File {
	f := kit.File{Path: "06-deals/rounds.json", Kind: "deal-rounds", Description: "Rounds of one vendor on one intent: which are open, what they are about, and which agreements are in force."}
	type round struct {
		n                  int
		phase              string
		agreement, changes block
		award, open        bool
		about              block
	}
	add := func(name string, musts []string, want []round, inForce []block, records ...block) {
		id := func(b block) any {
			if b == nil {
				return nil
			}
			return b.ID()
		}
		list, holding, states := kit.List{}, kit.List{}, []any{}
		for _, r := range records {
			list = append(list, r)
		}
		for _, b := range inForce {
			holding = append(holding, b.ID())
		}
		for _, w := range want {
			states = append(states, kit.Values{
				"round": w.n, "phase": w.phase, "agreement": id(w.agreement), "changes": id(w.changes),
				"takesAward": w.award, "open": w.open, "about": id(w.about),
			})
		}
		c := f.Add(name, musts, kit.Values{"intent": intent(), "vendor": kit.Vendor.DID(), "records": list}, kit.Values{"rounds": states, "inForce": holding})
		c.Permutations = true
	}
	o1, a1, c1 := chain(1, 10)
	o2, a2, c2 := chain(2, 50, "changes", c1.ID())
	o3, a3, c3 := chain(3, 70, "changes", c2.ID())
	p2, b2, d2 := chain(2, 50)
	cancel := ask("cancel")
	v := voidFor(cancel)
	first := round{1, "agreed", c1, nil, true, true, nil}
	second := round{2, "agreed", c2, c1, false, true, c1}
	open := kit.Musts("DEAL-23")
	voided := round{1, "voided", nil, nil, false, true, nil}
	waits := round{2, "open", nil, nil, false, false, nil}
	opened := round{2, "open", nil, nil, false, true, nil}

	add("nothing", open, nil, nil)
	add("first", open, []round{{1, "open", nil, nil, false, true, nil}}, nil, o1)
	add("voided", open, []round{voided, waits}, nil, o1, cancel, v, p2)
	add("voided-and-asked-for", kit.Musts("DEAL-23", "DEAL-40"), []round{voided, opened}, nil, o1, cancel, v, nextRound(2, v))
	add("voided-asked-for-and-agreed", kit.Musts("DEAL-23", "DEAL-40", "DEAL-44"), []round{voided, {2, "agreed", d2, nil, true, true, nil}}, []block{d2}, o1, cancel, v, nextRound(2, v), p2, b2, d2)
	add("next-round-that-cites-an-ask", kit.Musts("DEAL-40"), []round{voided, waits}, nil, o1, cancel, v, nextRound(2, cancel))
	v2 := voidFor(cancel, "at", kit.T0+41)
	add("next-round-that-cites-another-void", kit.Musts("DEAL-40"), []round{voided, opened}, nil, o1, cancel, v, v2, nextRound(2, v2))
	add("next-round-that-cites-a-void-that-is-not-there", kit.Musts("DEAL-40"), []round{voided, waits}, nil, o1, cancel, v, nextRound(2, v2))
	vendors := say("next-round", kit.Vendor, kit.T0+45, inRound(2, "previous", v.ID())...)
	add("next-round-by-the-vendor", kit.Musts("DEAL-3", "DEAL-40"), []round{voided, waits}, nil, o1, cancel, v, vendors)
	add("asked-for-before-the-void", open, []round{{1, "open", nil, nil, false, true, nil}, waits}, nil, o1, cancel, nextRound(2, v))
	r := restored()
	cv := customerVoid(r)
	add("voided-by-the-customer-alone", open, []round{voided, waits}, nil, o1, r, cv, nextRound(2, cv))
	vr := voidFor(cv, "at", kit.T0+61)
	add("voided-by-both", open, []round{voided, opened}, nil, r, cv, vr, nextRound(2, vr))
	add("pending", open, []round{{1, "pending", nil, nil, true, true, nil}, waits}, nil, o1, a1, p2)
	unlawful := void("at", kit.T0+41)
	add("in-conflict", open, []round{{1, "conflict", nil, nil, false, true, nil}, waits}, nil, o1, unlawful, nextRound(2, unlawful))
	add("second-alone", open, []round{waits}, nil, p2)

	changes := kit.Musts("DEAL-42", "DEAL-44")
	add("agreed", changes, []round{first}, []block{c1}, o1, a1, c1)
	add("agreed-and-a-change-asked-for", kit.Musts("DEAL-40", "DEAL-42"), []round{first, {2, "open", nil, nil, false, true, c1}}, []block{c1}, o1, a1, c1, nextRound(2, c1))
	add("agreed-and-a-change-offered", changes, []round{first, {2, "open", nil, nil, false, true, c1}}, []block{c1}, o1, a1, c1, o2)
	add("agreed-and-a-change-accepted", kit.Musts("DEAL-17", "DEAL-43"), []round{first, {2, "pending", nil, nil, false, true, c1}}, []block{c1}, o1, a1, c1, o2, a2)
	add("changed", kit.Musts("DEAL-17", "DEAL-43", "DEAL-44"), []round{first, second}, []block{c2}, o1, a1, c1, o2, a2, c2)
	add("changed-twice", changes, []round{first, second, {3, "agreed", c3, c2, false, true, c2}}, []block{c3}, o1, a1, c1, o2, a2, c2, o3, a3, c3)
	decline := ask("decline", inRound(2, "at", kit.T0+55)...)
	no := voidFor(decline, inRound(2, "at", kit.T0+56)...)
	gone := round{2, "voided", nil, nil, false, true, c1}
	add("change-voided", kit.Musts("DEAL-43", "DEAL-44"), []round{first, gone}, []block{c1}, o1, a1, c1, o2, decline, no)
	o3b, a3b, c3b := chain(3, 70, "changes", c1.ID())
	add("change-voided-and-another", changes, []round{first, gone, {3, "agreed", c3b, c1, false, true, c1}}, []block{c3b}, o1, a1, c1, o2, decline, no, nextRound(3, no), o3b, a3b, c3b)
	add("change-voided-and-another-not-asked-for", open, []round{first, gone, {3, "open", nil, nil, false, false, c1}}, []block{c1}, o1, a1, c1, o2, decline, no, o3b)
	add("third-without-the-first", open, []round{{2, "voided", nil, nil, false, false, nil}, {3, "open", nil, nil, false, false, nil}}, nil, o2, decline, no, nextRound(3, no), o3b)
	add("change-in-conflict", kit.Musts("DEAL-43", "DEAL-44"), []round{first, {2, "conflict", nil, nil, false, true, c1}}, []block{c1}, o1, a1, c1, o2, a2, c2, decline, no)
	add("change-without-what-it-changes", changes, []round{{2, "agreed", c2, c1, false, false, nil}}, []block{c2}, o2, a2, c2)
	add("bought-twice", kit.Musts("DEAL-17", "DEAL-44"), []round{first, {2, "agreed", d2, nil, true, true, c1}}, []block{c1, d2}, o1, a1, c1, p2, b2, d2)
	stray, strayA, strayC := chain(2, 50, "changes", kit.SomeID("an agreement of others"))
	add("change-of-something-else", changes, []round{first, {2, "agreed", strayC, nil, false, true, c1}}, []block{c1, strayC}, o1, a1, c1, stray, strayA, strayC)
	// It changes what nobody here has.
	last := f.Cases[len(f.Cases)-1]
	last.Out["rounds"].([]any)[1].(kit.Values)["changes"] = kit.SomeID("an agreement of others")
	add("acceptance-of-a-change-that-is-not-there", kit.Musts("DEAL-10", "DEAL-17"), []round{first, {2, "pending", nil, nil, true, true, c1}}, []block{c1}, o1, a1, c1, a2)
	others := say("offer", kit.Stranger, kit.T0+10, "deal", kit.List{intent().ID(), kit.Stranger.DID(), 1})
	add("another-vendors-offer", kit.Musts("DEAL-1"), []round{first}, []block{c1}, o1, a1, c1, others)
	return f
}

// followUps is [DEAL-46] to [DEAL-48].
func followUps() kit.File {
	f := kit.File{Path: "06-deals/follow-ups.json", Kind: "follow-up", Description: "What both sides said about an agreement."}
	type word struct {
		by, status string
		r          block
	}
	type said struct {
		events                                   []word
		receipts                                 []block
		customer, vendor                         any // the latest status
		outcomeOfTheCustomer, outcomeOfTheVendor block
		misfit                                   map[*block]string
	}
	agreement := kit.SomeID("agreement")
	about := func(typ string, by kit.Key, at int, pairs ...any) block {
		return say(typ, by, kit.T0+at, append([]any{"agreement", agreement}, pairs...)...)
	}
	event := func(by kit.Key, status string, at int, pairs ...any) block {
		return about("order-event", by, at, append([]any{"orderStatus", status}, pairs...)...)
	}
	add := func(name string, musts []string, w said, records ...block) {
		id := func(b block) any {
			if b == nil {
				return nil
			}
			return b.ID()
		}
		list, events, receipts, misfit := kit.List{}, []any{}, kit.List{}, kit.Values{}
		for _, r := range records {
			list = append(list, r)
		}
		for _, e := range w.events {
			events = append(events, kit.Values{"id": e.r.ID(), "by": e.by, "status": e.status})
		}
		for _, r := range w.receipts {
			receipts = append(receipts, r.ID())
		}
		for r, code := range w.misfit {
			misfit[r.ID().String()] = code
		}
		c := f.Add(name, append(kit.Musts("DEAL-46"), musts...), kit.Values{
			"customer": kit.Customer.DID(), "deal": dealIn(intent().ID(), kit.Vendor.DID(), 1), "agreement": agreement, "records": list,
		}, kit.Values{
			"events": events, "receipts": receipts, "misfit": misfit,
			"customer": kit.Values{"status": w.customer, "outcome": id(w.outcomeOfTheCustomer)},
			"vendor":   kit.Values{"status": w.vendor, "outcome": id(w.outcomeOfTheVendor)},
		})
		c.Permutations = true
	}
	add("nothing", nil, said{})
	// Who may say what, as the registry has it.
	for _, s := range []struct {
		status  string
		by      string // customer, vendor or both
		unknown bool
	}{
		{"delivered", "both", false}, {"dispatched", "vendor", false}, {"fulfilled", "both", false}, {"paid", "customer", false},
		{"payment_due", "vendor", false}, {"payment_received", "vendor", false}, {"problem", "both", false}, {"processing", "vendor", false},
		{"ready_for_pickup", "vendor", false}, {"refunded", "vendor", false}, {"returned", "both", false}, {"of_later", "both", true},
	} {
		shown := s.status
		if s.unknown {
			shown = "other"
		}
		for _, side := range []string{"customer", "vendor"} {
			key := kit.Customer
			if side == "vendor" {
				key = kit.Vendor
			}
			e := event(key, s.status, 100)
			if s.by != "both" && s.by != side {
				add(s.status+"-by-the-"+side, kit.Musts("DEAL-47"), said{misfit: map[*block]string{&e: "wrong_author"}}, e)
				continue
			}
			w := said{events: []word{{side, shown, e}}}
			if side == "vendor" {
				w.vendor = shown
			} else {
				w.customer = shown
			}
			add(s.status+"-by-the-"+side, kit.Musts("DEAL-47", "DEAL-49"), w, e)
		}
	}
	strangers := event(kit.Stranger, "delivered", 100)
	add("event-by-a-stranger", kit.Musts("DEAL-47"), said{misfit: map[*block]string{&strangers: "wrong_author"}}, strangers)
	sent, came, paid, problem := event(kit.Vendor, "dispatched", 100), event(kit.Vendor, "delivered", 120), event(kit.Customer, "paid", 110), event(kit.Customer, "problem", 130)
	add("both-sides", kit.Musts("DEAL-48"), said{
		events:   []word{{"vendor", "dispatched", sent}, {"customer", "paid", paid}, {"vendor", "delivered", came}, {"customer", "problem", problem}},
		customer: "problem", vendor: "delivered",
	}, sent, came, paid, problem)
	one, two := event(kit.Vendor, "delivered", 100, "description", "a"), event(kit.Vendor, "problem", 100, "description", "b")
	twins := []word{{"vendor", "delivered", one}, {"vendor", "problem", two}}
	slices.SortFunc(twins, func(a, b word) int { x, y := a.r.ID(), b.r.ID(); return bytes.Compare(x[:], y[:]) })
	add("two-of-one-second", kit.Musts("DEAL-48"), said{events: twins, vendor: twins[1].status}, one, two)
	receipt, part := about("receipt", kit.Vendor, 100), about("receipt", kit.Vendor, 101, "identifier", "2")
	add("two-receipts", kit.Musts("DEAL-48"), said{receipts: []block{receipt, part}}, receipt, part)
	customers := about("receipt", kit.Customer, 100)
	add("receipt-by-the-customer", kit.Musts("DEAL-47"), said{misfit: map[*block]string{&customers: "wrong_author"}}, customers)
	good, bad, worse := about("outcome", kit.Vendor, 100, "result", "fulfilled"), about("outcome", kit.Customer, 101, "result", "partly"), about("outcome", kit.Customer, 102, "result", "disputed")
	add("outcomes", kit.Musts("DEAL-48"), said{outcomeOfTheCustomer: worse, outcomeOfTheVendor: good}, good, bad, worse)
	odd := about("outcome", kit.Customer, 100, "result", "of_later")
	add("outcome-that-is-not-registered", kit.Musts("DEAL-47", "ERR-1"), said{outcomeOfTheCustomer: odd}, odd)
	extra := event(kit.Vendor, "delivered", 100, "colour", "red")
	add("event-with-unknown-keys", kit.Musts("REC-26"), said{events: []word{{"vendor", "delivered", extra}}, vendor: "delivered"}, extra)
	crit := event(kit.Vendor, "delivered", 100, critical()...)
	add("event-with-crit", kit.Musts("DEAL-47"), said{misfit: map[*block]string{&crit: "critical_extension"}}, crit)
	elsewhere := event(kit.Vendor, "delivered", 100, "agreement", kit.SomeID("another agreement"))
	round2 := event(kit.Vendor, "delivered", 100, "deal[2]", 2)
	o := offer()
	add("of-something-else", kit.Musts("DEAL-45", "DEAL-47", "DEAL-50"), said{misfit: map[*block]string{&elsewhere: "deal_mismatch", &round2: "deal_mismatch", &o: "deal_mismatch"}}, elsewhere, round2, o)
	return f
}
