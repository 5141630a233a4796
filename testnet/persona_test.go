package testnet_test

import (
	"errors"
	"net/http"
	"os"
	"testing"

	"github.com/parley-protocol/parley/node/api"
	"github.com/parley-protocol/parley/testnet"
)

// A seller moves to its next key, and dies right after the key is on its disk: the
// start after that tells the market. Customers see the same seller; what had begun
// ends under the old key.
//
//spec:shows KEY-19 KEY-20 KEY-15
func TestSellerMovesToItsNextKey(t *testing.T) {
	s := pairOf(t, programs.failpoints)
	north := s.node("north")
	var old, moved api.Persona
	s.must("north", http.MethodGet, "/v1/persona", nil, &old)
	s.must("customer", http.MethodPut, "/v1/contacts", api.Contact{DID: old.DID, Name: "corner-shop"}, nil)
	_, begun := s.offered("Begun before")
	if begun.Seller != old.DID || begun.Moved != nil {
		t.Fatalf("%+v", begun)
	}

	wrong := north.Home + ".wrong"
	if err := os.WriteFile(wrong, []byte(words(t)), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := north.CLI(t.Context(), "persona", "rotate", "--phrase-file", wrong)
	if e, ok := errors.AsType[*testnet.CommandError](err); !ok || e.Code != 4 {
		t.Fatalf("other words: %v", err)
	}
	if err := north.Restart(t.Context(), "PARLEY_FAILPOINT=desk/after-rotate"); err != nil {
		t.Fatal(err)
	}
	if _, err := north.CLI(t.Context(), "persona", "rotate", "--phrase-file", north.Home+".words"); err == nil {
		t.Fatal("it didn't die")
	}
	<-north.Exited()
	if err := north.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.must("north", http.MethodGet, "/v1/persona", nil, &moved)
	if moved.Number != 1 || moved.DID == old.DID || len(moved.Before) != 1 || moved.Before[0] != old.DID {
		t.Fatalf("%+v", moved)
	}
	var p api.Profile
	s.must("north", http.MethodGet, "/v1/profile", nil, &p)
	if p.DID != moved.DID || p.Name != "North" {
		t.Fatalf("%+v", p)
	}

	until(s, "customer", "the contact's new key", "/v1/contacts", func(v list[api.Contact]) bool {
		return len(v.Items) == 1 && v.Items[0].DID == moved.DID && v.Items[0].Name == "corner-shop"
	})
	_, fresh := s.offered("Asked afterwards")
	if fresh.Seller != moved.DID || fresh.SellerName != "corner-shop" || fresh.Moved == nil || !fresh.Moved.Proven || fresh.Moved.From != old.DID {
		t.Errorf("%+v, moved %+v", fresh, fresh.Moved)
	}
	for _, offer := range []api.Offer{begun, fresh} {
		if err := s.acceptOffer(offer); err != nil {
			t.Fatal(err)
		}
		a, b := s.phase("customer", offer.Deal, "agreed"), s.phase("north", offer.Deal, "agreed")
		if a.Agreement != b.Agreement || b.Seller != offer.Seller {
			t.Errorf("%+v and %+v", a, b)
		}
	}
}
