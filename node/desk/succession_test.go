package desk

import (
	"testing"

	"github.com/parley-protocol/parley/node/ingest"
	"github.com/parley-protocol/parley/protocol/record"
	"github.com/parley-protocol/parley/protocol/record/recordtest"
)

// A name and a block follow a seller to the key that its old one has promised, and
// to no other.
//
//spec:shows KEY-15 KEY-20
func TestOnlyThePromisedKeyIsFollowed(t *testing.T) {
	w := newWorld(t)
	customer, seller := w.node("customer"), w.node("seller")
	if _, err := seller.SetProfile(t.Context(), record.Profile{Name: "North", Markets: []string{market}}); err != nil {
		t.Fatal(err)
	}
	old := seller.Book().Profile()
	customer.until("the profile came", func() bool { return customer.Known(old.ID()) })
	if err := customer.SetContact(t.Context(), Contact{DID: seller.did(), Name: "corner-shop"}); err != nil {
		t.Fatal(err)
	}
	thief := recordtest.NewParty("thief")
	fake := recordtest.Profile(t, thief, func(h *record.Header, p *record.Profile) {
		h.At, p.Previous, p.Markets = w.clock.Load()+1, old.ID(), []string{market}
	})
	if err := customer.Arrive(t.Context(), []ingest.Arrival{{Record: fake, Market: market}}); err != nil {
		t.Fatal(err)
	}
	customer.until("the thief is seen", func() bool { _, ok := customer.MoveOf(thief.DID()); return ok })
	if m, _ := customer.MoveOf(thief.DID()); m.Proven || m.From != seller.did() {
		t.Errorf("%+v", m)
	}
	for _, c := range customer.Contacts() {
		if c.DID != seller.did() || c.Name != "corner-shop" {
			t.Errorf("%+v", c)
		}
	}
}

// What a node finds of its own in a file is its own again, and nothing is accepted
// on it.
func TestOwnRequestFromOutsideIsFound(t *testing.T) {
	w := newWorld(t)
	customer := w.node("customer")
	rec, _, err := customer.DraftIntent(t.Context(), IntentRequest{Intent: record.Intent{Name: "Chairs", Category: []string{"cpv:39112000"}, Market: market,
		ItemOffered: []record.DemandItem{{Name: "Chair"}}, ValidUntil: w.clock.Load() + 86400}})
	if err != nil {
		t.Fatal(err)
	}
	if n, err := customer.Import(t.Context(), []*record.Record{rec}); n != 1 || err != nil {
		t.Fatalf("%d, %v", n, err)
	}
	if in, ok := customer.Book().Intent(rec.ID()); !ok || !in.Own || customer.Book().Recovering(rec) == "" {
		t.Errorf("%+v, %q", in, customer.Book().Recovering(rec))
	}
	again := customer.again()
	if in, ok := again.Book().Intent(rec.ID()); !ok || !in.Own {
		t.Error("it is forgotten")
	}
	if _, err := again.WithdrawIntent(t.Context(), rec.ID(), "changed_mind"); err != nil {
		t.Error(err)
	}
}
