package deal_test

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/ipfs/go-cid"

	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/deal"
	"github.com/parley-protocol/parley/protocol/record"
)

// rounds folds all rounds with vendor 0.
func (c *cast) rounds(t testing.TB, opts deal.Options, recs ...*record.Record) deal.Rounds {
	t.Helper()
	rounds, err := deal.FoldRounds(c.intent, c.vendors[0].DID(), recs, opts)
	if err != nil {
		t.Fatal(err)
	}
	return rounds
}

// What may happen in a second round, by how the first one went.
//
//spec:shows DEAL-23
func TestRoundOpen(t *testing.T) {
	c := newCast()
	const closed, mismatch = protocol.CodeNotPermitted, protocol.CodeChangeMismatch
	o1 := c.offer(1, 1, 100)
	cancel, restored := c.cancel(15), c.restored(50)
	void, customerVoid := c.void(20, protocol.ReasonCustomerAsked, cancel), c.customerVoid(60, restored)
	_, _, agreed := c.agreement(1, 10, nil)
	first := func() recs { o, a, k := c.agreement(1, 10, nil); return recs{o, a, k} }()
	plain, _, _ := c.agreement(2, 30, nil)
	change, _, _ := c.agreement(2, 30, agreed)
	stray, _, _ := c.agreement(2, 30, o1)
	again := c.void(21, protocol.ReasonCustomerAsked, cancel)

	tests := []struct {
		name                 string
		recs                 recs
		open                 protocol.Code
		plain, change, other protocol.Code // what may be accepted
	}{
		{"voided and asked for", recs{o1, cancel, void, c.nextRound(25, void)}, "", "", mismatch, mismatch},
		{"asked for by another void of it", recs{o1, cancel, void, again, c.nextRound(25, again)}, "", "", mismatch, mismatch},
		{"voided", recs{o1, cancel, void}, closed, closed, closed, closed},
		{"voided, and the cancel cited", recs{o1, cancel, void, c.nextRound(25, cancel)}, closed, closed, closed, closed},
		{"voided, and a void that isn't here cited", recs{o1, cancel, void, c.nextRound(25, again)}, closed, closed, closed, closed},
		{"agreed", first, "", mismatch, "", mismatch},
		{"agreed and asked for", append(first[:3:3], c.nextRound(25, agreed)), "", mismatch, "", mismatch},
		{"pending", first[:2:2], closed, closed, closed, closed},
		{"open", recs{o1}, closed, closed, closed, closed},
		{"voided by the customer alone", recs{o1, restored, customerVoid}, closed, closed, closed, closed},
		{"voided by both, and asked for", recs{o1, restored, customerVoid, c.void(61, protocol.ReasonRecovered, customerVoid),
			c.nextRound(70, c.void(61, protocol.ReasonRecovered, customerVoid))}, "", "", mismatch, mismatch},
		{"in conflict", append(first[:3:3], c.void(20, protocol.ReasonOutOfStock, nil)), protocol.CodeConflict, protocol.CodeConflict, protocol.CodeConflict, protocol.CodeConflict},
		{"unknown", nil, protocol.CodeMissingRecord, protocol.CodeMissingRecord, protocol.CodeMissingRecord, protocol.CodeMissingRecord},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			rounds := c.rounds(t, deal.Options{}, append(test.recs, plain, change, stray)...)
			s := rounds[len(rounds)-1]
			if s.Key.Round != 2 {
				t.Fatalf("round %d", s.Key.Round)
			}
			if got := protocol.CodeOf(s.RoundOpen()); got != test.open {
				t.Errorf("open: got %q, want %q", got, test.open)
			}
			for _, try := range []struct {
				offer *record.Record
				want  protocol.Code
			}{{plain, test.plain}, {change, test.change}, {stray, test.other}} {
				changes := try.offer.Body().(*record.Offer).Changes
				if got := protocol.CodeOf(s.MayAccept(try.offer.ID(), t0+40)); got != try.want {
					t.Errorf("MayAccept: got %q, want %q, changing %s", got, try.want, shortID(changes))
				}
				if got := protocol.CodeOf(s.MayOfferChange(changes)); got != try.want {
					t.Errorf("MayOfferChange: got %q, want %q, changing %s", got, try.want, shortID(changes))
				}
			}
			if got := protocol.CodeOf(s.MayOffer()); got != test.plain {
				t.Errorf("MayOffer: got %q, want %q", got, test.plain)
			}
			if got := protocol.CodeOf(s.MayCounter(plain.ID())); got != test.open {
				t.Errorf("MayCounter: got %q, want %q", got, test.open)
			}
		})
	}
}

// The round before is only taken for what it is.
func TestPreviousMustBe(t *testing.T) {
	c := newCast()
	_, _, agreed := c.agreement(1, 10, nil)
	first := func() recs { o, a, k := c.agreement(1, 10, nil); return recs{o, a, k} }()
	change, _, _ := c.agreement(2, 30, agreed)
	prev := c.fold(t, deal.Options{}, first...)
	foreign := prev
	foreign.Key.Vendor = c.vendors[1].DID()
	for name, state := range map[string]*deal.State{"nobody's": nil, "another seller's": &foreign} {
		s, err := deal.Fold(c.intent, c.key(0, 2), recs{change}, deal.Options{Previous: state})
		if err != nil {
			t.Fatal(err)
		}
		if got := protocol.CodeOf(s.MayAccept(change.ID(), t0+40)); got != protocol.CodeMissingRecord {
			t.Errorf("%s: got %q", name, got)
		}
	}
	// A third round after a voided change is about the first's agreement; and
	// nobody can tell without the first.
	void := c.vendorSays(40, &record.Void{Deal: c.key(0, 2), Reason: protocol.ReasonNoOffer})
	third, _, _ := c.agreement(3, 60, agreed)
	next := c.nextRound(50, void)
	rounds := c.rounds(t, deal.Options{}, append(first, void, next, third)...)
	if err := rounds[2].MayAccept(third.ID(), t0+61); err != nil || rounds[2].Changing() != agreed.ID() {
		t.Errorf("a change after a voided change: %v, about %s", err, rounds[2].Changing())
	}
	rounds = c.rounds(t, deal.Options{}, void, next, third)
	if got := protocol.CodeOf(rounds[1].MayAccept(third.ID(), t0+61)); got != protocol.CodeMissingRecord {
		t.Errorf("without the first round: %q", got)
	}
}

//spec:shows DEAL-41
func TestMayNextRound(t *testing.T) {
	c := newCast()
	o1 := c.offer(1, 1, 100)
	cancel, restored := c.cancel(15), c.restored(50)
	void, customerVoid := c.void(20, protocol.ReasonCustomerAsked, cancel), c.customerVoid(60, restored)
	o, a, k := c.agreement(1, 10, nil)
	for _, test := range []struct {
		name  string
		recs  recs
		opts  deal.Options
		code  protocol.Code
		cites *record.Record
	}{
		{"voided", recs{o1, cancel, void}, deal.Options{}, "", void},
		{"agreed", recs{o, a, k}, deal.Options{}, "", k},
		{"pending", recs{o, a}, deal.Options{}, protocol.CodeNotPermitted, nil},
		{"open", recs{o1}, deal.Options{}, protocol.CodeNotPermitted, nil},
		{"voided by the customer alone", recs{o1, restored, customerVoid}, deal.Options{}, protocol.CodeNotPermitted, nil},
		{"in conflict", recs{o, a, k, void, cancel}, deal.Options{}, protocol.CodeConflict, nil},
		{"restored", recs{o1, cancel, void}, deal.Options{Restored: true}, protocol.CodeRecovering, nil},
	} {
		body, err := c.fold(t, test.opts, test.recs...).NextRound()
		if got := protocol.CodeOf(err); got != test.code {
			t.Errorf("%s: got %q, want %q", test.name, got, test.code)
		} else if err == nil && (body.Previous != test.cites.ID() || body.Deal != c.key(0, 2)) {
			t.Errorf("%s: %+v", test.name, body)
		}
	}
	s := c.fold(t, deal.Options{}, o, a, k)
	s.Key.Round = protocol.MaxRound
	if got := protocol.CodeOf(s.MayNextRound()); got != protocol.CodeNotPermitted {
		t.Errorf("after the last round: %q", got)
	}
}

// Which agreement holds, and what it takes of the awards.
//
//spec:shows DEAL-17 DEAL-44
func TestInForce(t *testing.T) {
	c := newCast()
	o1, a1, k1 := c.agreement(1, 10, nil)
	o2, a2, k2 := c.agreement(2, 30, k1)
	o3, a3, k3 := c.agreement(3, 50, k2)
	p2, b2, l2 := c.agreement(2, 30, nil) // a second purchase, beyond the rules
	cancel := c.customerSays(33, &record.Cancel{Ask: record.Ask{Deal: c.key(0, 2), Reason: protocol.ReasonChangedMind}})
	void2 := c.vendorSays(34, &record.Void{Deal: c.key(0, 2), Reason: protocol.ReasonCustomerAsked, Cites: cancel.ID()})
	for _, test := range []struct {
		name    string
		recs    recs
		inForce []*record.Record
		left    int64 // of two awards
	}{
		{"none", recs{o1, a1}, nil, 1},
		{"one", recs{o1, a1, k1}, recs{k1}, 1},
		{"changed", recs{o1, a1, k1, o2, a2, k2}, recs{k2}, 1},
		{"changed twice", recs{o1, a1, k1, o2, a2, k2, o3, a3, k3}, recs{k3}, 1},
		{"a change that is pending", recs{o1, a1, k1, o2, a2}, recs{k1}, 1},
		{"a change that is voided", recs{o1, a1, k1, o2, a2, cancel, void2}, recs{k1}, 1},
		{"a change in conflict", recs{o1, a1, k1, o2, a2, k2, cancel, void2}, recs{k1}, 1},
		{"the change alone", recs{o2, a2, k2}, recs{k2}, 2},
		{"bought twice", recs{o1, a1, k1, p2, b2, l2}, recs{k1, l2}, 0},
		{"an acceptance whose offer is missing", recs{o1, a1, k1, a2}, recs{k1}, 0},
	} {
		rounds := c.rounds(t, deal.Options{}, test.recs...)
		var ids, want []cid.Cid
		for _, s := range rounds.InForce() {
			ids = append(ids, s.Agreement)
		}
		for _, r := range test.inForce {
			want = append(want, r.ID())
		}
		if !slices.Equal(ids, want) {
			t.Errorf("%s: in force %v, want %v", test.name, ids, want)
		}
		if got := deal.AwardsLeft(2, rounds); got != test.left {
			t.Errorf("%s: %d awards left, want %d", test.name, got, test.left)
		}
	}
	if _, err := deal.FoldRounds(c.offer(1, 1, 2), c.vendors[0].DID(), recs{o1}, deal.Options{}); protocol.CodeOf(err) == "" {
		t.Error("an offer passes for an intent")
	}
	if _, err := deal.FoldRounds(c.intent, c.vendors[0].DID(), recs{nil}, deal.Options{}); protocol.CodeOf(err) != protocol.CodeInternal {
		t.Errorf("a nil record: %v", err)
	}
}

// roundsDigest writes out all that the rounds say.
func roundsDigest(rounds deal.Rounds) (text string) {
	for _, s := range rounds {
		text += digest(s) + " about " + shortID(s.Changing()) + " " + string(protocol.CodeOf(s.RoundOpen())) + "\n"
	}
	for _, s := range rounds.InForce() {
		text += shortID(s.Agreement) + "\n"
	}
	return text
}

// roundsPool is about all that may be said in three rounds.
func roundsPool(c *cast) (pool recs) {
	o1, a1, k1 := c.agreement(1, 10, nil)
	o2, a2, k2 := c.agreement(2, 30, k1)
	p2, b2, l2 := c.agreement(2, 31, nil)
	o3, a3, k3 := c.agreement(3, 50, k2)
	q3, d3, m3 := c.agreement(3, 51, k1)
	void := c.vendorSays(9, &record.Void{Deal: c.key(0, 1), Reason: protocol.ReasonNoOffer})
	void2 := c.vendorSays(29, &record.Void{Deal: c.key(0, 2), Reason: protocol.ReasonNoOffer})
	return recs{
		o1, a1, k1, o2, a2, k2, p2, b2, l2, o3, a3, k3, q3, d3, m3, void, void2,
		c.nextRound(25, void), c.nextRound(26, k1), c.nextRound(45, void2), c.nextRound(46, k2),
		c.sign(c.vendors[1], t0+30, c.offerBody(c.key(1, 2), 1, t0+90)), c.intent,
	}
}

// Order, repetition and what others say change nothing of the rounds; what one
// round adds up to hangs on no other; and each of the agreements in force is an
// agreement that no other one in the set changes.
//
//spec:shows DEAL-44
func TestRoundsAreOfTheSet(t *testing.T) {
	c := newCast()
	all := roundsPool(c)
	rapid.Check(t, func(rt *rapid.T) {
		set := rapid.SliceOfNDistinct(rapid.SampledFrom(all), 0, 14, (*record.Record).ID).Draw(rt, "set")
		rounds := c.rounds(t, deal.Options{}, set...)
		shuffled := rapid.Permutation(append(slices.Clone(set), set...)).Draw(rt, "order")
		if got := c.rounds(t, deal.Options{}, shuffled...); roundsDigest(got) != roundsDigest(rounds) {
			rt.Fatalf("in another order:\n%s\n%s", roundsDigest(rounds), roundsDigest(got))
		}
		inForce := rounds.InForce()
		for i, s := range rounds {
			var of recs
			for _, r := range set {
				if key, ok := r.Deal(); ok && key == s.Key {
					of = append(of, r)
				}
			}
			alone, err := deal.Fold(c.intent, s.Key, of, deal.Options{})
			if err != nil || digest(alone) != digest(s) {
				rt.Fatalf("alone:\n%s\n%s, %v", digest(alone), digest(s), err)
			}
			holds := slices.ContainsFunc(inForce, func(f deal.State) bool { return f.Key == s.Key })
			changed := slices.ContainsFunc(rounds, func(o deal.State) bool { return o.Agreement.Defined() && o.Changes == s.Agreement })
			if holds != (s.Phase == deal.PhaseAgreed && !changed) {
				rt.Fatalf("round %d holds: %t\n%s", i+1, holds, roundsDigest(rounds))
			}
			// Whoever keeps to MayAccept and MayOfferChange has one agreement in force.
			if s.RoundOpen() == nil && s.Key.Round > 1 && s.Changing().Defined() && s.MayOffer() == nil {
				rt.Fatalf("a second purchase may be offered:\n%s", roundsDigest(rounds))
			}
		}
	})
}
