package main

import (
	"bytes"

	"github.com/parley-protocol/parley/spec/gen/vectors/kit"
)

func offers() kit.File {
	f := newFile("offers", "Deals with offers, and what is no offer of theirs.")
	o := offer()
	open := want{phase: "open"}
	f.add("nothing", open, kit.Musts("DEAL-13"))
	f.add("offer", open, kit.Musts("DEAL-5"), o)
	f.add("two-offers", open, kit.Musts("DEAL-5"), o, offer("number", 2))
	f.add("two-offers-of-one-number", open, kit.Musts("DEAL-5"), o, offer("description", "another"))
	f.add("offer-under-own-terms", open, kit.Musts("TERMS-1", "TERMS-2", "DEAL-8"), offer("terms", ownTerms()))
	other := offer("terms", "SD-BASE")
	f.add("offer-under-other-terms", want{phase: "open", misfit: map[*block]string{&other: "terms_not_offered"}}, kit.Musts("TERMS-2", "DEAL-8"), other)
	link := offer("terms", kit.SomeID("other terms"))
	f.add("offer-under-a-link-to-other-terms", want{phase: "open", misfit: map[*block]string{&link: "terms_not_offered"}}, kit.Musts("TERMS-1", "TERMS-2", "DEAL-8"), o, link)
	f.add("offer-with-unknown-keys", open, kit.Musts("DEAL-9", "REC-27"), offer("colour", "red"))
	f.add("offer-with-crit", open, kit.Musts("DEAL-9", "REC-25"), offer(critical()...))
	f.add("offer-of-another-currency", open, kit.Musts("DEAL-8"), offer("priceCurrency", "XTS"))
	for _, typ := range []string{"cancel", "decline", "award-notice"} {
		f.add(typ+"-alone", open, kit.Musts("DEAL-18"), ask(typ))
		f.add(typ+"-of-an-offer", open, kit.Musts("DEAL-18"), o, ask(typ))
	}
	f.add("reason-that-is-not-registered", open, kit.Musts("DEAL-6"), o, ask("decline", "reason", "full_moon"))
	return f.File
}

func acceptances() kit.File {
	f := newFile("acceptances", "Deals with acceptances: in force, late, waiting, of what can't be accepted, and two of them.")
	o := offer()
	a := accept(o)
	pending := want{phase: "pending", acceptance: a, takesAward: true}
	f.add("accepted", pending, kit.Musts("DEAL-17"), o, a)
	f.add("accepted-and-another-offer", pending, kit.Musts("DEAL-5", "DEAL-17"), o, offer("number", 2), a)
	f.add("accepted-and-cancelled", pending, kit.Musts("DEAL-17", "DEAL-18"), o, a, ask("cancel"))
	f.add("accepted-and-restored", pending, kit.Musts("DEAL-17"), o, a, restored())

	last := accept(o, "at", closing)
	f.add("accepted-at-validUntil", want{phase: "pending", acceptance: last, takesAward: true}, kit.Musts("DEAL-5", "DEAL-8"), o, last)
	late := accept(o, "at", closing+1)
	f.add("accepted-a-second-late", want{phase: "open", misfit: map[*block]string{&late: "offer_expired"}}, kit.Musts("DEAL-5", "DEAL-8"), o, late)
	early := accept(o, "at", kit.T0+5)
	f.add("accepted-before-the-offer", want{phase: "pending", acceptance: early, takesAward: true}, kit.Musts("DEAL-8"), o, early).Note =
		"the two clocks may differ"

	f.add("offer-missing", want{phase: "pending", acceptance: a, takesAward: true, waiting: map[*block]kit.ID{&a: o.ID()}}, kit.Musts("DEAL-10"), a)
	f.add("offer-missing-beside-another", want{phase: "pending", acceptance: a, takesAward: true, waiting: map[*block]kit.ID{&a: o.ID()}}, kit.Musts("DEAL-10"), a, offer("number", 2))

	refused := func(name, code string, cited block, misfit map[*block]string, records ...block) {
		a := accept(cited)
		if misfit == nil {
			misfit = map[*block]string{}
		}
		misfit[&a] = code
		f.add(name, want{phase: "open", misfit: misfit}, kit.Musts("DEAL-8", "DEAL-9"), append(records, cited, a)...)
	}
	refused("of-unknown-keys", "unknown_field", offer("colour", "red"), nil)
	refused("of-unknown-keys-below", "unknown_field", offer("itemOffered[0].colour", "red"), nil)
	refused("of-crit", "critical_extension", offer(critical()...), nil)
	refused("of-crit-and-unknown-keys", "critical_extension", offer(critical("colour", "red")...), nil)
	other := offer("terms", "SD-BASE")
	refused("of-other-terms", "terms_not_offered", other, map[*block]string{&other: "terms_not_offered"})
	stranger := say("offer", kit.Stranger, kit.T0+10)
	refused("of-a-strangers-offer", "wrong_author", stranger, map[*block]string{&stranger: "wrong_author"})
	round2 := offer("deal[2]", 2)
	ofRound2 := accept(round2)
	waits := want{phase: "pending", acceptance: ofRound2, takesAward: true, waiting: map[*block]kit.ID{&ofRound2: round2.ID()}}
	f.add("of-an-offer-of-another-round-that-is-not-there", waits, kit.Musts("DEAL-1", "DEAL-10"), ofRound2)
	waits.misfit = map[*block]string{&round2: "deal_mismatch"}
	f.add("of-an-offer-of-another-round", waits, kit.Musts("DEAL-1", "DEAL-8", "DEAL-10"), round2, ofRound2).Note =
		"a record of another deal is not in the set, whoever passes it in"
	refused("of-a-cancel", "bad_field", ask("cancel"), nil)
	refused("of-a-restored", "bad_field", restored(), nil)
	f.add("offer-with-ext", want{phase: "pending", acceptance: accept(offer("ext", kit.Map{"x": 1})), takesAward: true}, kit.Musts("REC-24", "DEAL-8"),
		offer("ext", kit.Map{"x": 1}), accept(offer("ext", kit.Map{"x": 1})))

	conflict := func(name string, w want, records ...block) {
		w.phase = "conflict"
		f.add(name, w, kit.Musts("DEAL-12"), records...)
	}
	again := accept(o, "at", kit.T0+21)
	both := []block{a, again}
	conflict("two-of-one-offer", want{acceptance: a, takesAward: true, evidence: both}, o, a, again)
	o2 := offer("number", 2)
	ofTwo := accept(o2, "at", kit.T0+19)
	conflict("of-two-offers", want{acceptance: ofTwo, takesAward: true, evidence: []block{a, ofTwo}}, o, o2, a, ofTwo)
	same := accept(o, "ext", kit.Map{"x": 1})
	firstOf := a
	if x, y := same.ID(), a.ID(); bytes.Compare(x[:], y[:]) < 0 {
		firstOf = same
	}
	conflict("two-of-one-second", want{acceptance: firstOf, takesAward: true, evidence: []block{a, same}}, o, a, same)
	conflict("one-good-and-one-late", want{acceptance: a, takesAward: true, misfit: map[*block]string{&late: "offer_expired"}, evidence: []block{a, late}}, o, a, late)
	conflict("one-good-and-one-waiting", want{acceptance: a, takesAward: true, waiting: map[*block]kit.ID{&ofTwo: o2.ID()}, evidence: []block{a, ofTwo}}, o, a, ofTwo)
	later := accept(o, "at", closing+2)
	conflict("two-late", want{misfit: map[*block]string{&late: "offer_expired", &later: "offer_expired"}, evidence: []block{late, later}}, o, late, later)
	c := confirm(again)
	conflict("two-and-the-later-is-confirmed", want{acceptance: again, confirmation: c, takesAward: true, evidence: both}, o, a, again, c)
	odd := accept(offer(), critical()...)
	f.add("two-of-which-one-has-crit", want{phase: "pending", acceptance: a, takesAward: true, misfit: map[*block]string{&odd: "critical_extension"}}, kit.Musts("DEAL-8", "DEAL-12"), o, a, odd)
	strangers := say("acceptance", kit.Stranger, kit.T0+20, "offer", o.ID())
	f.add("two-of-which-one-is-a-strangers", want{phase: "pending", acceptance: a, takesAward: true, misfit: map[*block]string{&strangers: "wrong_author"}}, kit.Musts("DEAL-8", "DEAL-12"), o, a, strangers)
	vendors := say("acceptance", kit.Vendor, kit.T0+20, "offer", o.ID())
	f.add("two-of-which-one-is-the-vendors", want{phase: "pending", acceptance: a, takesAward: true, misfit: map[*block]string{&vendors: "wrong_author"}}, kit.Musts("DEAL-3", "DEAL-8", "DEAL-12"), o, a, vendors)
	return f.File
}

func confirmations() kit.File {
	f := newFile("confirmations", "Deals with confirmations: agreements, and what is none.")
	o := offer()
	a := accept(o)
	c := confirm(a)
	agreed := want{phase: "agreed", acceptance: a, confirmation: c, agreement: c, committed: true, takesAward: true}
	thirteen := kit.Musts("DEAL-13")
	f.add("agreed", agreed, thirteen, o, a, c)
	f.add("agreed-with-every-record-repeated", agreed, thirteen, o, o, a, a, c, c)
	f.add("agreed-despite-a-cancel", agreed, kit.Musts("DEAL-13", "DEAL-18"), o, a, c, ask("cancel"))
	f.add("agreed-beside-another-offer", agreed, thirteen, o, offer("number", 2), a, c)
	f.add("agreed-and-restored", agreed, thirteen, o, a, c, restored())
	own := offer("terms", ownTerms())
	ownA := accept(own)
	ownC := confirm(ownA)
	f.add("agreed-under-own-terms", want{phase: "agreed", acceptance: ownA, confirmation: ownC, agreement: ownC, committed: true, takesAward: true},
		kit.Musts("DEAL-13", "TERMS-1"), own, ownA, ownC)
	last := confirm(a, "at", closing)
	f.add("confirmed-at-validUntil", want{phase: "agreed", acceptance: a, confirmation: last, agreement: last, committed: true, takesAward: true}, kit.Musts("DEAL-8", "DEAL-13"), o, a, last)
	late := confirm(a, "at", closing+1)
	f.add("confirmed-a-second-late", want{phase: "pending", acceptance: a, takesAward: true, misfit: map[*block]string{&late: "offer_expired"}}, kit.Musts("DEAL-8"), o, a, late)
	f.add("confirmed-a-second-late-and-voided", want{
		phase: "conflict", acceptance: a, void: voidFor(ask("cancel")), takesAward: true,
		misfit: map[*block]string{&late: "offer_expired"}, evidence: []block{late, voidFor(ask("cancel"))},
	}, kit.Musts("DEAL-12"), o, a, late, ask("cancel"), voidFor(ask("cancel")))

	f.add("acceptance-missing", want{phase: "pending", confirmation: c, committed: true, waiting: map[*block]kit.ID{&c: a.ID()}}, kit.Musts("DEAL-10"), o, c)
	f.add("acceptance-and-offer-missing", want{phase: "pending", confirmation: c, committed: true, waiting: map[*block]kit.ID{&c: a.ID()}}, kit.Musts("DEAL-10"), c)
	f.add("offer-missing", want{phase: "pending", acceptance: a, confirmation: c, committed: true, takesAward: true, waiting: map[*block]kit.ID{&a: o.ID(), &c: o.ID()}},
		kit.Musts("DEAL-10"), a, c)

	citing := func(name, code string, w want, cited block, records ...block) {
		c := confirm(cited)
		if w.misfit == nil {
			w.misfit = map[*block]string{}
		}
		w.misfit[&c] = code
		f.add(name, w, kit.Musts("DEAL-8"), append(records, cited, c)...)
	}
	citing("of-an-offer", "bad_field", want{phase: "pending", acceptance: a, takesAward: true}, o, a)
	citing("of-a-cancel", "bad_field", want{phase: "pending", acceptance: a, takesAward: true}, ask("cancel"), o, a)
	lateA := accept(o, "at", closing+1)
	citing("of-a-late-acceptance", "offer_expired", want{phase: "open", misfit: map[*block]string{&lateA: "offer_expired"}}, lateA, o)
	unknown := offer("colour", "red")
	unknownA := accept(unknown)
	citing("of-an-acceptance-of-unknown-keys", "unknown_field", want{phase: "open", misfit: map[*block]string{&unknownA: "unknown_field"}}, unknownA, unknown)
	critA := accept(o, critical()...)
	citing("of-an-acceptance-with-crit", "critical_extension", want{phase: "open", misfit: map[*block]string{&critA: "critical_extension"}}, critA, o)
	strangers := say("acceptance", kit.Stranger, kit.T0+20, "offer", o.ID())
	citing("of-a-strangers-acceptance", "wrong_author", want{phase: "open", misfit: map[*block]string{&strangers: "wrong_author"}}, strangers, o)
	other := offer("terms", "SD-BASE")
	otherA := accept(other)
	citing("of-an-acceptance-of-other-terms", "terms_not_offered", want{phase: "open", misfit: map[*block]string{&other: "terms_not_offered", &otherA: "terms_not_offered"}}, otherA, other)
	ofCancel := accept(ask("cancel"))
	citing("of-an-acceptance-of-a-cancel", "bad_field", want{phase: "open", misfit: map[*block]string{&ofCancel: "bad_field"}}, ofCancel, ask("cancel"))

	twelve := kit.Musts("DEAL-12")
	again := confirm(a, "at", kit.T0+31)
	f.add("two", want{phase: "conflict", acceptance: a, confirmation: c, takesAward: true, evidence: []block{c, again}}, twelve, o, a, c, again)
	f.add("two-waiting", want{phase: "conflict", confirmation: c, waiting: map[*block]kit.ID{&c: a.ID(), &again: a.ID()}, evidence: []block{c, again}}, twelve, c, again)
	f.add("two-of-which-one-is-late", want{phase: "conflict", acceptance: a, confirmation: c, takesAward: true, misfit: map[*block]string{&late: "offer_expired"}, evidence: []block{c, late}},
		twelve, o, a, c, late)
	wrong := confirm(o)
	f.add("two-of-which-one-cites-an-offer", want{phase: "conflict", acceptance: a, confirmation: c, takesAward: true, misfit: map[*block]string{&wrong: "bad_field"}, evidence: []block{c, wrong}},
		twelve, o, a, c, wrong)
	critC := confirm(a, critical()...)
	f.add("two-of-which-one-has-crit", want{phase: "agreed", acceptance: a, confirmation: c, agreement: c, committed: true, takesAward: true, misfit: map[*block]string{&critC: "critical_extension"}},
		kit.Musts("DEAL-8", "DEAL-12"), o, a, c, critC)
	forged := say("confirmation", kit.Customer, kit.T0+30, "acceptance", a.ID())
	f.add("by-the-customer", want{phase: "pending", acceptance: a, takesAward: true, misfit: map[*block]string{&forged: "wrong_author"}}, kit.Musts("DEAL-3", "DEAL-8"), o, a, forged)
	return f.File
}

func voids() kit.File {
	f := newFile("voids", "Voids: each lawful kind, the unlawful ones, those that wait, and those beside a confirmation.")
	o := offer()
	a := accept(o)
	c := confirm(a)
	eleven := kit.Musts("DEAL-11")
	lawful := func(name string, w want, v block, records ...block) {
		w.phase, w.void = "voided", v
		f.add(name, w, eleven, append(records, v)...)
	}
	unlawful := func(name string, w want, v block, records ...block) {
		w.phase = "conflict"
		w.evidence = append(w.evidence, v)
		f.add(name, w, kit.Musts("DEAL-11", "DEAL-12"), append(records, v)...)
	}
	at := func(at int) []any { return []any{"at", at} }

	lawful("without-an-offer", want{}, void())
	lawful("after-the-offer", want{}, void(at(closing+1)...), o)
	unlawful("at-the-offers-validUntil", want{}, void(at(closing)...), o)
	unlawful("while-an-offer-is-firm", want{}, void(), o)
	unlawful("while-one-of-two-offers-is-firm", want{}, void(at(closing+1)...), o, offer("number", 2, "validUntil", closing+10))
	lawful("after-two-offers", want{}, void(at(closing+11)...), o, offer("number", 2, "validUntil", closing+10))
	unlawful("before-a-later-offer", want{}, void(at(kit.T0+1)...), o)
	other := offer("terms", "SD-BASE")
	lawful("while-only-a-misfit-is-firm", want{misfit: map[*block]string{&other: "terms_not_offered"}}, void(), other)
	unlawful("while-an-offer-with-unknown-keys-is-firm", want{}, void(), offer("colour", "red"))
	unlawful("while-an-offer-with-crit-is-firm", want{}, void(), offer(critical()...))
	lawful("after-the-accepted-offer", want{acceptance: a}, void(at(closing+1)...), o, a)
	unlawful("while-the-accepted-offer-is-firm", want{acceptance: a}, void(), o, a)
	lawful("while-the-accepted-offer-is-missing", want{acceptance: a, waiting: map[*block]kit.ID{&a: o.ID()}}, void(), a)

	for _, typ := range []string{"cancel", "decline", "award-notice"} {
		lawful("for-a-"+typ, want{}, voidFor(ask(typ)), o, ask(typ))
		lawful("for-a-"+typ+"-of-an-accepted-deal", want{acceptance: a}, voidFor(ask(typ)), o, a, ask(typ))
		foreign := ask(typ, "deal[2]", 2)
		v := voidFor(foreign)
		f.add("for-a-"+typ+"-of-another-round", want{phase: "open", misfit: map[*block]string{&foreign: "deal_mismatch"}, waiting: map[*block]kit.ID{&v: foreign.ID()}},
			kit.Musts("DEAL-1", "DEAL-10", "DEAL-11"), o, foreign, v)
	}
	strangers := say("cancel", kit.Stranger, kit.T0+25)
	unlawful("for-a-strangers-cancel", want{misfit: map[*block]string{&strangers: "wrong_author"}}, voidFor(strangers), o, strangers)
	own := say("cancel", kit.Vendor, kit.T0+25)
	unlawful("for-the-vendors-own-cancel", want{misfit: map[*block]string{&own: "wrong_author"}}, voidFor(own), o, own)
	crit := ask("cancel", critical()...)
	unlawful("for-a-cancel-with-crit", want{misfit: map[*block]string{&crit: "critical_extension"}}, voidFor(crit), o, crit)
	lawful("for-a-cancel-that-is-later-than-it", want{}, voidFor(ask("cancel"), "at", kit.T0+24), o, ask("cancel"))

	lawful("for-an-expired-acceptance", want{acceptance: a}, voidFor(a, "at", closing+1), o, a)
	lawful("for-an-expired-acceptance-while-another-offer-is-firm", want{acceptance: a}, voidFor(a, "at", closing+1), o, offer("number", 2, "validUntil", closing+10), a)
	unlawful("for-an-acceptance-at-validUntil", want{acceptance: a}, voidFor(a, "at", closing), o, a)
	unlawful("for-an-acceptance-that-is-firm", want{acceptance: a}, voidFor(a), o, a)
	late := accept(o, "at", closing+1)
	lawful("for-a-late-acceptance", want{misfit: map[*block]string{&late: "offer_expired"}}, voidFor(late, "at", closing+2), o, late)
	unknown := offer("colour", "red")
	ofUnknown := accept(unknown)
	lawful("for-an-acceptance-of-unknown-keys", want{misfit: map[*block]string{&ofUnknown: "unknown_field"}}, voidFor(ofUnknown, "at", closing+1), unknown, ofUnknown)
	ofOther := accept(other)
	unlawful("for-an-acceptance-of-other-terms", want{misfit: map[*block]string{&other: "terms_not_offered", &ofOther: "terms_not_offered"}}, voidFor(ofOther, "at", closing+1), other, ofOther)
	ofCancel := accept(ask("cancel"))
	unlawful("for-an-acceptance-of-no-offer", want{misfit: map[*block]string{&ofCancel: "bad_field"}}, voidFor(ofCancel, "at", closing+1), ofCancel, ask("cancel"))

	unlawful("for-an-offer", want{}, voidFor(o), o)
	unlawful("for-an-offer-that-has-expired", want{}, voidFor(o, "at", closing+1), o)
	unlawful("for-a-restored", want{}, voidFor(restored()), restored())
	first := voidFor(ask("cancel"))
	unlawful("for-a-void", want{void: first}, voidFor(first, "at", kit.T0+41), ask("cancel"), first)
	v := voidFor(c)
	f.add("for-a-confirmation", want{phase: "conflict", acceptance: a, confirmation: c, takesAward: true, evidence: []block{c, v}}, kit.Musts("DEAL-11", "DEAL-12"), o, a, c, v)

	ten := kit.Musts("DEAL-10")
	cancel := ask("cancel")
	v = voidFor(cancel)
	f.add("cancel-missing", want{phase: "open", waiting: map[*block]kit.ID{&v: cancel.ID()}}, ten, o, v)
	f.add("cancel-missing-of-an-accepted-deal", want{phase: "pending", acceptance: a, takesAward: true, waiting: map[*block]kit.ID{&v: cancel.ID()}}, ten, o, a, v)
	v = voidFor(a, "at", closing+1)
	f.add("acceptance-missing", want{phase: "open", waiting: map[*block]kit.ID{&v: a.ID()}}, ten, o, v)
	f.add("offer-of-the-acceptance-missing", want{phase: "pending", acceptance: a, takesAward: true, waiting: map[*block]kit.ID{&v: o.ID(), &a: o.ID()}}, ten, a, v)

	twelve := kit.Musts("DEAL-12")
	v = voidFor(cancel)
	f.add("lawful-beside-a-confirmation", want{phase: "conflict", acceptance: a, confirmation: c, void: v, takesAward: true, evidence: []block{c, v}}, twelve, o, a, c, cancel, v)
	f.add("waiting-beside-a-confirmation", want{phase: "conflict", acceptance: a, confirmation: c, takesAward: true, waiting: map[*block]kit.ID{&v: cancel.ID()}, evidence: []block{c, v}},
		kit.Musts("DEAL-10", "DEAL-12"), o, a, c, v)
	f.add("lawful-beside-a-confirmation-that-waits", want{phase: "conflict", confirmation: c, void: v, waiting: map[*block]kit.ID{&c: a.ID()}, evidence: []block{c, v}}, twelve, o, c, cancel, v)
	f.add("waiting-beside-a-confirmation-that-waits", want{phase: "conflict", confirmation: c, waiting: map[*block]kit.ID{&c: a.ID(), &v: cancel.ID()}, evidence: []block{c, v}}, twelve, c, v)
	unlaw := void()
	f.add("unlawful-beside-a-confirmation", want{phase: "conflict", acceptance: a, confirmation: c, takesAward: true, evidence: []block{c, unlaw}}, twelve, o, a, c, unlaw)
	f.add("two-lawful", want{phase: "voided", void: v}, eleven, o, cancel, v, voidFor(cancel, "at", kit.T0+45))
	f.add("lawful-and-unlawful", want{phase: "conflict", acceptance: a, void: v, evidence: []block{unlaw}}, kit.Musts("DEAL-11", "DEAL-12"), o, a, cancel, v, unlaw)
	forged := say("void", kit.Customer, kit.T0+40)
	f.add("by-the-customer", want{phase: "pending", acceptance: a, takesAward: true, misfit: map[*block]string{&forged: "wrong_author"}}, kit.Musts("DEAL-3", "DEAL-8"), o, a, forged)
	critV := void(critical()...)
	f.add("with-crit", want{phase: "pending", acceptance: a, takesAward: true, misfit: map[*block]string{&critV: "critical_extension"}}, kit.Musts("DEAL-8"), o, a, critV)
	f.add("reason-that-is-not-registered", want{phase: "voided", void: void("reason", "full_moon")}, kit.Musts("DEAL-6"), void("reason", "full_moon"))
	return f.File
}

func restores() kit.File {
	f := newFile("restores", "Deals after a restored backup: restored, and the customer's answers to it.")
	o := offer()
	a := accept(o)
	c := confirm(a)
	cancel := ask("cancel")
	v := voidFor(cancel)
	r := restored()
	cv := customerVoid(r)
	after := voidFor(cv, "at", kit.T0+70)
	musts := kit.Musts("DEAL-11", "DEAL-12", "DEAL-28", "DEAL-29")
	f.add("restored-alone", want{phase: "open"}, musts, r)
	f.add("customer-void", want{phase: "voided", customerVoid: cv}, musts, o, r, cv)
	f.add("customer-void-of-an-accepted-deal", want{phase: "voided", acceptance: a, customerVoid: cv, takesAward: true}, musts, o, a, r, cv).Note =
		"the award is back once the vendor's void is in hand"
	f.add("customer-void-and-its-void", want{phase: "voided", acceptance: a, customerVoid: cv, void: after}, musts, o, a, r, cv, after)
	f.add("customer-void-outranks-a-confirmation", want{phase: "voided", acceptance: a, confirmation: c, customerVoid: cv, takesAward: true}, musts, o, a, c, r, cv)
	f.add("customer-void-and-its-void-outrank-a-confirmation", want{phase: "voided", acceptance: a, confirmation: c, customerVoid: cv, void: after}, musts, o, a, c, r, cv, after)
	again := confirm(a, "at", kit.T0+31)
	f.add("customer-void-outranks-two-confirmations", want{phase: "voided", acceptance: a, confirmation: c, customerVoid: cv, takesAward: true}, musts, o, a, c, again, r, cv)
	f.add("customer-void-outranks-confirmation-and-void", want{phase: "voided", acceptance: a, confirmation: c, customerVoid: cv, void: v}, musts, o, a, c, cancel, v, r, cv)
	f.add("customer-void-and-a-confirmation-that-waits", want{phase: "voided", confirmation: c, customerVoid: cv, waiting: map[*block]kit.ID{&c: a.ID()}}, musts, c, r, cv)
	a2 := accept(o, "at", kit.T0+21)
	f.add("customer-void-and-two-acceptances", want{phase: "conflict", acceptance: a, customerVoid: cv, takesAward: true, evidence: []block{a, a2}}, musts, o, a, a2, r, cv)
	unlawful := void()
	f.add("customer-void-and-an-unlawful-void", want{phase: "conflict", acceptance: a, customerVoid: cv, evidence: []block{unlawful}}, musts, o, a, unlawful, r, cv)
	cv2 := customerVoid(r, "at", kit.T0+61)
	f.add("two-customer-voids", want{phase: "voided", customerVoid: cv}, musts, o, r, cv, cv2)
	r2 := restored("at", kit.T0+51)
	of2 := customerVoid(r2)
	f.add("two-restored-and-an-answer-to-the-second", want{phase: "voided", customerVoid: of2}, musts, o, r, r2, of2)

	ten := kit.Musts("DEAL-10", "DEAL-27")
	f.add("customer-void-without-its-restored", want{phase: "pending", acceptance: a, takesAward: true, waiting: map[*block]kit.ID{&cv: r.ID()}}, ten, o, a, cv)
	f.add("customer-void-without-its-restored-and-a-confirmation", want{
		phase: "agreed", acceptance: a, confirmation: c, agreement: c, committed: true, takesAward: true, waiting: map[*block]kit.ID{&cv: r.ID()},
	}, ten, o, a, c, cv)
	f.add("void-for-a-customer-void-that-waits", want{phase: "pending", acceptance: a, takesAward: true, waiting: map[*block]kit.ID{&cv: r.ID(), &after: r.ID()}}, ten, o, a, cv, after)
	f.add("void-for-a-customer-void-that-is-missing", want{phase: "pending", acceptance: a, takesAward: true, waiting: map[*block]kit.ID{&after: cv.ID()}}, ten, o, a, r, after)
	foreign := restored("deal[2]", 2)
	ofForeign := customerVoid(foreign)
	f.add("customer-void-of-a-restored-of-another-round", want{
		phase: "open", misfit: map[*block]string{&foreign: "deal_mismatch"}, waiting: map[*block]kit.ID{&ofForeign: foreign.ID()},
	}, kit.Musts("DEAL-1", "DEAL-10"), o, foreign, ofForeign)
	intended := voidFor(intent())
	self := intent()
	f.add("void-for-the-intent", want{phase: "open", misfit: map[*block]string{&self: "deal_mismatch"}, waiting: map[*block]kit.ID{&intended: self.ID()}},
		kit.Musts("DEAL-1", "DEAL-10"), o, self, intended)
	ofOffer := customerVoid(o)
	f.add("customer-void-of-an-offer", want{phase: "pending", acceptance: a, takesAward: true, misfit: map[*block]string{&ofOffer: "bad_field"}}, kit.Musts("DEAL-8", "DEAL-27"), o, a, ofOffer)
	bad := voidFor(ofOffer)
	f.add("void-for-a-customer-void-of-an-offer", want{phase: "conflict", acceptance: a, misfit: map[*block]string{&ofOffer: "bad_field"}, evidence: []block{bad}}, kit.Musts("DEAL-11"), o, a, ofOffer, bad)
	strangers := say("customer-void", kit.Stranger, kit.T0+60, "restored", r.ID())
	f.add("customer-void-by-a-stranger", want{phase: "open", misfit: map[*block]string{&strangers: "wrong_author"}}, kit.Musts("DEAL-3", "DEAL-8"), o, r, strangers)
	forged := say("restored", kit.Customer, kit.T0+50)
	answer := customerVoid(forged)
	f.add("customer-void-of-a-restored-by-the-customer", want{phase: "open", misfit: map[*block]string{&forged: "wrong_author", &answer: "bad_field"}}, kit.Musts("DEAL-3", "DEAL-8"), o, forged, answer)

	h := held(r, c)
	f.add("held-confirmation", want{phase: "agreed", acceptance: a, confirmation: c, agreement: c, held: h, committed: true, takesAward: true}, kit.Musts("DEAL-27", "DEAL-28"), o, a, c, r, h)
	hv := held(r, v)
	f.add("held-void", want{phase: "voided", acceptance: a, void: v, held: hv}, kit.Musts("DEAL-27", "DEAL-28"), o, a, cancel, v, r, hv)
	f.add("held-decision-missing", want{phase: "pending", acceptance: a, held: h, takesAward: true, waiting: map[*block]kit.ID{&h: c.ID()}}, ten, o, a, r, h)
	f.add("held-without-its-restored", want{
		phase: "agreed", acceptance: a, confirmation: c, agreement: c, committed: true, takesAward: true, waiting: map[*block]kit.ID{&h: r.ID()},
	}, ten, o, a, c, h)
	hOffer := held(o, c)
	f.add("held-of-an-offer", want{
		phase: "agreed", acceptance: a, confirmation: c, agreement: c, committed: true, takesAward: true, misfit: map[*block]string{&hOffer: "bad_field"},
	}, kit.Musts("DEAL-8", "DEAL-27"), o, a, c, hOffer)
	f.add("two-helds", want{phase: "agreed", acceptance: a, confirmation: c, agreement: c, held: h, committed: true, takesAward: true}, kit.Musts("DEAL-27"), o, a, c, r, h, held(r, c, "at", kit.T0+61))
	f.add("held-and-customer-void", want{phase: "conflict", acceptance: a, confirmation: c, customerVoid: cv, held: h, takesAward: true, evidence: []block{cv, h}}, kit.Musts("DEAL-12"), o, a, c, r, cv, h)
	f.add("held-that-waits-and-customer-void", want{
		phase: "voided", acceptance: a, confirmation: c, customerVoid: of2, takesAward: true, waiting: map[*block]kit.ID{&h: r.ID()},
	}, kit.Musts("DEAL-10", "DEAL-12"), o, a, c, r2, of2, h)
	hAsk := held(r, cancel)
	f.add("held-of-an-ask-as-its-decision", want{phase: "open", held: hAsk}, kit.Musts("DEAL-8", "DEAL-27"), o, cancel, r, hAsk).Note =
		"what a held names is not judged"
	hMissing := held(r, c)
	f.add("held-without-its-decision-and-customer-void", want{
		phase: "conflict", acceptance: a, customerVoid: cv, held: hMissing, takesAward: true, waiting: map[*block]kit.ID{&hMissing: c.ID()}, evidence: []block{cv, hMissing},
	}, kit.Musts("DEAL-12"), o, a, r, cv, hMissing)
	return f.File
}

func misfits() kit.File {
	f := newFile("misfits", "Records that have no part in the deal, of each type and each by itself, and some beside an agreement, which stays one.")
	o := offer()
	a := accept(o)
	c := confirm(a)
	alone := func(name, code string, musts []string, r block) {
		f.add(name, want{phase: "open", misfit: map[*block]string{&r: code}}, musts, r)
	}
	beside := func(name, code string, musts []string, r block) {
		alone(name, code, musts, r)
		f.add(name+"-beside-an-agreement", want{phase: "agreed", acceptance: a, confirmation: c, agreement: c, committed: true, takesAward: true, misfit: map[*block]string{&r: code}}, musts, o, a, c, r)
	}
	r := restored()
	types := []struct {
		typ  string
		side kit.Key
		more []any
	}{
		{"offer", kit.Vendor, []any{"number", 2}},
		{"confirmation", kit.Vendor, []any{"acceptance", a.ID(), "at", kit.T0 + 33}},
		{"void", kit.Vendor, nil},
		{"restored", kit.Vendor, nil},
		{"acceptance", kit.Customer, []any{"offer", o.ID(), "at", kit.T0 + 22}},
		{"cancel", kit.Customer, nil},
		{"decline", kit.Customer, nil},
		{"award-notice", kit.Customer, nil},
		{"held", kit.Customer, []any{"restored", r.ID(), "decision", c.ID()}},
		{"customer-void", kit.Customer, []any{"restored", r.ID()}},
	}
	three, one, eight := kit.Musts("DEAL-3", "DEAL-8"), kit.Musts("DEAL-1", "DEAL-8"), kit.Musts("DEAL-8", "REC-25")
	for _, t := range types {
		wrong := kit.Vendor
		if t.side.DID() == kit.Vendor.DID() {
			wrong = kit.Customer
		}
		with := func(by kit.Key, pairs ...any) block {
			return say(t.typ, by, kit.T0+25, append(append([]any{}, t.more...), pairs...)...)
		}
		beside(t.typ+"-by-the-other-side", "wrong_author", three, with(wrong))
		alone(t.typ+"-by-a-stranger", "wrong_author", three, with(kit.Stranger))
		alone(t.typ+"-of-another-round", "deal_mismatch", one, with(t.side, "deal[2]", 2))
		alone(t.typ+"-of-another-intent", "deal_mismatch", one, with(t.side, "deal[0]", kit.SomeID("another intent")))
		alone(t.typ+"-of-another-vendor", "deal_mismatch", one, with(t.side, "deal[1]", kit.Stranger.DID()))
		if t.typ != "offer" {
			alone(t.typ+"-with-crit", "critical_extension", eight, with(t.side, critical()...))
		}
	}
	for _, typ := range []string{"withdrawal", "delivery-receipt", "profile", "terms"} {
		b := kit.BodyOf(typ)
		alone(typ, "deal_mismatch", kit.Musts("DEAL-8"), b.Key.Record(b.Min))
	}
	beside("unknown-type", "deal_mismatch", kit.Musts("DEAL-8", "REC-29"), say("void", kit.Vendor, kit.T0+40, "type", "thing"))
	return f.File
}
