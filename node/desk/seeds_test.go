package desk

import (
	"testing"
	"time"

	"github.com/parley-protocol/parley/node/keyring"
	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/deal"
	"github.com/parley-protocol/parley/protocol/record"
)

// The key behind an address is there for as long as something may come, and some
// more, and then it is nowhere; what goes on has its keys.
//
//spec:shows KEY-16
func TestSeedsOfOldAddressesAreDestroyed(t *testing.T) {
	w := newWorld(t)
	customer, seller := w.node("customer"), w.node("seller")
	seller.present(customer)
	offer := w.agree(customer, seller)
	refused := customer.request(1)
	no := seller.offer(refused, "100", time.Hour)
	customer.has(no)
	if _, err := customer.DeclineOffer(t.Context(), no.ID(), protocol.ReasonPrice); err != nil {
		t.Fatal(err)
	}
	customer.phase(no, deal.PhaseVoided)
	w.quiet(customer, seller)

	seed := func(s *side, rec *record.Record) keyring.KeyID {
		t.Helper()
		rt, ok := rec.ReplyTo()
		addr, known := s.Book().Address(rt.Token)
		if !ok || !known {
			t.Fatalf("a %s without an address of its own", rec.Type())
		}
		return addr.Seed
	}
	there := func(s *side, id keyring.KeyID) bool {
		_, err := s.keys.Get(id)
		if err != nil && protocol.CodeOf(err) != protocol.CodeNotFound {
			t.Fatal(err)
		}
		return err == nil
	}
	agreed := customer.state(offer)
	intent, ok := customer.Book().Intent(agreed.Key.Intent)
	if !ok {
		t.Fatal("no intent")
	}
	first := seller.Book().Profile()
	w.clock.Add(1)
	seller.present(customer)
	type key struct {
		name  string
		of    *side
		id    keyring.KeyID
		until time.Duration // the last day on which it must be there; 0: always
	}
	const day = 24 * time.Hour
	late := time.Duration(lateFor) * time.Second
	keys := []key{
		{"of the intent", customer, seed(customer, intent.Record), day + late},
		{"of the refused intent", customer, seed(customer, refused), day + late},
		{"of the refused offer", seller, seed(seller, no), late},
		{"of the offer", seller, seed(seller, offer), agreedFor*time.Second + late},
		{"of the acceptance", customer, seed(customer, agreed.Acceptance), agreedFor*time.Second + late},
		{"of the first profile", seller, seed(seller, first), late},
		{"of the profile", seller, seed(seller, seller.Book().Profile()), 0},
	}
	began := w.clock.Load()
	for age := time.Duration(0); age < 260*day; age += 13 * day {
		w.clock.Store(began + int64(age/time.Second))
		for _, s := range []*side{customer, seller} {
			s.forget(t.Context())
		}
		for _, k := range keys {
			switch got := there(k.of, k.id); {
			case !got && (k.until == 0 || age < k.until):
				t.Errorf("after %d days the key %s is gone", age/day, k.name)
			case got && k.until > 0 && age > k.until+late+2*day:
				t.Errorf("after %d days the key %s is still there", age/day, k.name)
			}
		}
	}
	// Nothing else minds.
	customer, seller = customer.again(), seller.again()
	if a, b := customer.state(offer), seller.state(offer); a.Phase != deal.PhaseAgreed || a.Agreement != b.Agreement {
		t.Errorf("%s and %s", a.Phase, b.Phase)
	}
	w.agree(customer, seller)
}
