package desk

import (
	"fmt"
	"testing"

	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/record"
	"github.com/parley-protocol/parley/protocol/record/recordtest"
)

// Any number of free keys leaves room for a seller whom the person knows.
//
//spec:shows BOX-24 BOX-25
func TestFreeKeysLeaveRoomForContacts(t *testing.T) {
	w := newWorld(t)
	customer := w.node("customer")
	intent := customer.request(1)
	offer := func(name string, number int64) error {
		return send(t, customer, replyTo(t, intent), strangersOffer(t, w, name, intent, func(_ *record.Header, o *record.Offer) { o.Number = number }))
	}
	taken := 0
	for i := 0; taken < strangersPlaces; i++ {
		for number := int64(1); number <= 3 && taken < strangersPlaces; number++ {
			err := offer(fmt.Sprint("key ", i), number)
			if number > fewPlaces && taken >= crowdedPlaces {
				wants(t, err, protocol.CodeOverQuota)
				continue
			}
			if err != nil {
				t.Fatalf("%d places are taken: %v", taken, err)
			}
			taken++
		}
	}
	wants(t, offer("one more", 1), protocol.CodeMailboxFull)
	known := recordtest.NewParty("known").DID()
	if err := customer.SetContact(t.Context(), Contact{DID: known, Name: "Chairs & Co"}); err != nil {
		t.Fatal(err)
	}
	if err := offer("known", 1); err != nil {
		t.Errorf("a contact: %v", err)
	}
	if err := customer.SetContact(t.Context(), Contact{DID: known, Blocked: true}); err != nil {
		t.Fatal(err)
	}
	wants(t, offer("known", 2), protocol.CodeNotPermitted)
}

// So do any number of free keys that send sealed requests to a seller.
func TestFreeRequestsLeaveRoomForContacts(t *testing.T) {
	w := newWorld(t)
	seller := w.node("seller")
	profile, err := seller.SetProfile(t.Context(), record.Profile{Name: "s", Category: []string{"cpv:39112000"}, Markets: []string{market}})
	if err != nil {
		t.Fatal(err)
	}
	ask := func(name string) error {
		p := recordtest.NewParty(name)
		return send(t, seller, replyTo(t, profile), recordtest.Intent(t, p, func(h *record.Header, b *record.Intent) {
			h.At = w.clock.Load()
			h.RetainUntil, b.ValidUntil, b.Market = h.At+7200, h.At+3600, ""
		}))
	}
	for i := range strangersPlaces {
		if err := ask(fmt.Sprint("key ", i)); err != nil {
			t.Fatalf("%d: %v", i, err)
		}
	}
	wants(t, ask("one more"), protocol.CodeMailboxFull)
	if err := seller.SetContact(t.Context(), Contact{DID: recordtest.NewParty("known").DID(), Name: "A customer"}); err != nil {
		t.Fatal(err)
	}
	if err := ask("known"); err != nil {
		t.Errorf("a contact: %v", err)
	}
}
