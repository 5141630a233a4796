package deal_test

import (
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/ipfs/go-cid"

	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/deal"
	"github.com/parley-protocol/parley/protocol/record"
)

// scenarios are the worlds of the random runs.
var scenarios = []scenario{
	{name: "one seller", vendors: 1, rounds: 1, awards: 1},
	{name: "one seller, two rounds", vendors: 1, rounds: 2, awards: 1},
	{name: "two sellers", vendors: 2, rounds: 1, awards: 1},
	{name: "two sellers, two awards, two rounds", vendors: 2, rounds: 2, awards: 2},
	{name: "restored customer", vendors: 1, rounds: 1, awards: 1, restoreC: true},
	{name: "restored customer, two sellers", vendors: 2, rounds: 2, awards: 1, restoreC: true},
	{name: "restored seller", vendors: 1, rounds: 1, awards: 1, restoreV: true},
	{name: "restored seller, two sellers", vendors: 2, rounds: 2, awards: 1, restoreV: true},
	{name: "bad seller", vendors: 1, rounds: 1, awards: 1, badVendor: true},
	{name: "bad seller, two sellers", vendors: 2, rounds: 2, awards: 1, badVendor: true},
	{name: "bad seller, restored customer", vendors: 1, rounds: 1, awards: 1, badVendor: true, restoreC: true},
	{name: "bad customer", vendors: 1, rounds: 1, awards: 1, badCustomer: true},
	{name: "bad customer, two sellers", vendors: 2, rounds: 2, awards: 1, badCustomer: true},
	{name: "bad customer, restored seller", vendors: 1, rounds: 1, awards: 1, badCustomer: true, restoreV: true},
}

// seeds is after how many histories in each scenario a mutant counts as missed.
const seeds = 2000

// histories is how many are played in each scenario: enough for PARLEY_DEALS
// deals, or for 100,000 with PARLEY_SOAK=1.
func histories(t *testing.T) uint64 {
	deals := 9_300
	switch text := os.Getenv("PARLEY_DEALS"); {
	case text != "":
		var err error
		if deals, err = strconv.Atoi(text); err != nil || deals < 1 {
			t.Fatalf("PARLEY_DEALS=%s", text)
		}
	case os.Getenv("PARLEY_SOAK") == "1":
		deals = 100_000
	case testing.Short():
		deals = 3_100
	}
	perSeed := 0
	for _, sc := range scenarios {
		perSeed += sc.vendors * int(sc.rounds)
	}
	return uint64((deals + perSeed - 1) / perSeed)
}

// TestRuns plays random histories: with the rules as they are, no property is
// ever violated. It also sees to it that the histories get somewhere.
//
//spec:shows DEAL-19 DEAL-24 DEAL-26
func TestRuns(t *testing.T) {
	seeds := int(histories(t))
	for _, sc := range scenarios {
		t.Run(sc.name, func(t *testing.T) {
			t.Parallel()
			c := newCast()
			ends := map[deal.Phase]int{}
			var met tally
			for seed := range uint64(seeds) {
				if seed%1000 == 999 {
					c = newCast() // it remembers all that it has signed
				}
				r, err := play(c, sc, trueRules(), seed)
				if err != nil {
					t.Fatal(err)
				}
				met.add(r.met)
				for _, table := range r.tables {
					if !sc.badCustomer {
						ends[table.customer.state.Phase]++
					}
					if r.honestVendor(table) {
						ends[table.seller.state.Phase]++
					}
				}
			}
			t.Logf("%d deals, %v, ends %v", seeds*sc.vendors*int(sc.rounds), met, ends)
			met.holdAgainst(t, sc, seeds)
			cheats := sc.badCustomer || sc.badVendor
			enough := seeds / 20
			if cheats {
				enough = seeds / 100
			}
			for _, phase := range []deal.Phase{deal.PhaseAgreed, deal.PhaseVoided} {
				if ends[phase] < enough {
					t.Errorf("only %d ends are %s", ends[phase], phase)
				}
			}
			if cheats && ends[deal.PhaseConflict] < seeds/20 {
				t.Errorf("only %d ends are conflicts", ends[deal.PhaseConflict])
			}
		})
	}
}

// TestMutants puts one mistake into the rules at a time. Each must be caught.
func TestMutants(t *testing.T) {
	mutants := []struct {
		name   string
		want   string // the properties that may catch it
		mutate func(*rules)
	}{
		{"an acceptance takes no award", "P7", func(r *rules) {
			r.awardsLeft = func(awards int64, _ []deal.State, _ int64) int64 { return awards }
		}},
		{"being in doubt gives the award back", "P7", func(r *rules) {
			r.awardsLeft = func(awards int64, states []deal.State, now int64) int64 {
				for _, s := range states {
					if s.TakesAward && !s.InDoubt(now) {
						awards--
					}
				}
				return awards
			}
		}},
		{"one's own cancel gives the award back", "P7", func(r *rules) {
			r.awardsLeft = func(awards int64, states []deal.State, _ int64) int64 {
				for _, s := range states {
					if s.TakesAward && len(s.Asks) == 0 {
						awards--
					}
				}
				return awards
			}
		}},
		{"only a pending acceptance takes an award", "P7", func(r *rules) {
			r.awardsLeft = func(awards int64, states []deal.State, _ int64) int64 {
				for _, s := range states {
					if s.Phase == deal.PhasePending {
						awards--
					}
				}
				return awards
			}
		}},
		{"awards are counted at the choice", "P7", func(r *rules) { r.awardRace = true }},
		{"an acceptance is sent before it is persisted", "P2 P3 P7", func(r *rules) { r.sendFirst = true }},
		{"a decision is forgotten in a crash", "P1 P2 P3 P5 P6", func(r *rules) { r.forgetful = true }},
		{"data leaves with the acceptance", "P4", func(r *rules) { r.freeRelease = true }},
		{"a second acceptance", "P2", func(r *rules) {
			r.mayAccept = func(s deal.State, offer cid.Cid, now int64) error {
				err := s.MayAccept(offer, now)
				if protocol.CodeOf(err) == protocol.CodeAlreadyAccepted {
					return nil
				}
				return err
			}
		}},
		{"a restored customer goes on", "P2 P3 P7", careless},
		{"a restored seller goes on", "P1 P2 P3 P5", careless},
		{"a restored seller doesn't adopt", "P6", func(r *rules) {
			r.mayAdopt = func(deal.State, cid.Cid) error { return protocol.Errorf(protocol.CodeInternal, "", "no") }
		}},
		{"a restored seller adopts what it is only shown", "P3 P5", func(r *rules) {
			r.mayAdopt = func(deal.State, cid.Cid) error { return nil }
		}},
		{"a seller that never stops deciding", "P6", func(r *rules) {
			r.decide = func(s deal.State, now int64) deal.Decision {
				if s.Acceptance != nil && s.Phase != deal.PhaseConflict {
					return deal.Decision{At: now, Body: &record.Confirmation{Deal: s.Key, Acceptance: s.Acceptance.ID()}}
				}
				return s.Decide(now)
			}
		}},
		{"a customer's void without a look at what it holds", "P3 P5", func(r *rules) {
			r.answer = func(s deal.State, now int64) deal.Decision {
				d := s.AnswerRestored(now)
				if held, ok := d.Body.(*record.Held); ok {
					d.Body = &record.CustomerVoid{Deal: held.Deal, Restored: held.Restored}
				}
				return d
			}
		}},
		{"a customer's void doesn't outrank a lost decision", "P3", foldedAs(func(s *deal.State) {
			if s.CustomerVoid != nil && s.Confirmation != nil {
				s.Phase = deal.PhaseConflict
			}
		})},
		{"a cancel ends the deal", "P3 P5", foldedAs(func(s *deal.State) {
			if len(s.Asks) > 0 && s.Phase == deal.PhasePending {
				s.Phase = deal.PhaseVoided
			}
		})},
		{"a confirmation needs no acceptance", "P4", foldedAs(func(s *deal.State) {
			if len(s.Offers) > 0 && s.Confirmation != nil && s.Phase == deal.PhasePending {
				s.Phase = deal.PhaseAgreed
			}
		})},
		{"contradictions go unseen", "P4 P5 P8", foldedAs(func(s *deal.State) {
			if s.Phase == deal.PhaseConflict && s.Confirmation != nil {
				s.Phase = deal.PhaseAgreed
			}
		})},
		{"a late acceptance keeps the deal open while another offer is firm", "P6", func(r *rules) {
			r.decide = func(s deal.State, now int64) deal.Decision {
				d := s.Decide(now)
				if void, ok := d.Body.(*record.Void); ok && void.Reason == protocol.ReasonOfferExpired && firm(s, now) {
					return deal.Decision{}
				}
				return d
			}
		}},
		{"a late acceptance is confirmed", "P6", func(r *rules) {
			r.decide = func(s deal.State, now int64) deal.Decision {
				d := s.Decide(now)
				if void, ok := d.Body.(*record.Void); ok && void.Reason == protocol.ReasonOfferExpired {
					d.Body = &record.Confirmation{Deal: s.Key, Acceptance: s.Acceptance.ID()}
				}
				return d
			}
		}},
		{"a void after the confirmation", "P3 P5", func(r *rules) {
			r.decide = func(s deal.State, now int64) deal.Decision {
				if s.Phase == deal.PhaseAgreed && s.Void == nil && !firm(s, now) {
					return deal.Decision{At: now, Body: &record.Void{Deal: s.Key, Reason: protocol.ReasonOfferExpired, Cites: s.Acceptance.ID()}}
				}
				return s.Decide(now)
			}
		}},
		{"an accepted firm offer is voided", "P3", func(r *rules) {
			r.mayDecline = func(s deal.State, now int64) error {
				err := s.MayDecline(now)
				if protocol.CodeOf(err) == protocol.CodeAlreadyAccepted {
					return nil
				}
				return err
			}
		}},
		{"a firm offer is voided", "P3", func(r *rules) {
			r.mayDecline = func(s deal.State, now int64) error {
				err := s.MayDecline(now)
				if protocol.CodeOf(err) == protocol.CodeUnlawfulVoid {
					return nil
				}
				return err
			}
		}},
	}
	for _, m := range mutants {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			rs := trueRules()
			m.mutate(&rs)
			c := newCast()
			for seed := range uint64(seeds) {
				for _, sc := range scenarios {
					if strings.HasPrefix(m.name, "a restored") && !strings.Contains(sc.name, m.name[2:len("a restored cust")]) {
						continue
					}
					_, err := play(c, sc, rs, seed)
					if v, ok := err.(*violation); ok {
						if !strings.Contains(m.want, v.property) {
							t.Errorf("caught by another property than %s: %v", m.want, v)
						}
						t.Logf("caught by %s in %q, seed %d", v.property, sc.name, seed)
						return
					}
				}
			}
			t.Error("not caught")
		})
	}
}

// careless makes a restored side go on as if nothing had happened.
func careless(r *rules) {
	fold := r.fold
	r.fold = func(intent *record.Record, key record.DealKey, recs []*record.Record, opts deal.Options) (deal.State, error) {
		opts.Restored = false
		return fold(intent, key, recs, opts)
	}
}

// foldedAs changes the state after the fold.
func foldedAs(change func(*deal.State)) func(*rules) {
	return func(r *rules) {
		r.fold = func(intent *record.Record, key record.DealKey, recs []*record.Record, opts deal.Options) (deal.State, error) {
			s, err := deal.Fold(intent, key, recs, opts)
			change(&s)
			return s, err
		}
	}
}

// firm reports whether any offer of the deal is firm.
func firm(s deal.State, now int64) bool {
	for _, o := range s.Offers {
		if o.ValidUntil() >= now {
			return true
		}
	}
	return false
}
