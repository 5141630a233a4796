package desk

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/record"
	"github.com/parley-protocol/parley/protocol/record/recordtest"
)

// deliver brings a record, sealed, to the address that an own record of a side
// states.
func (s *side) deliver(to record.ReplyTo, recs ...*record.Record) error {
	s.w.t.Helper()
	envelope, err := s.seal(recs[0], to)
	if err != nil {
		s.w.t.Fatal(err)
	}
	addr, ok := s.Book().Address(to.Token)
	if !ok {
		s.w.t.Fatal("that isn't its address")
	}
	seed, err := s.keys.Get(addr.Seed)
	if err != nil {
		s.w.t.Fatal(err)
	}
	_, err = s.open(s.w.t.Context(), addr, seed, envelope)
	return err
}

// A record of a type that nobody here knows is kept as it is: until the person
// keeps it for a while, then for good, and it can be passed on byte for byte.
//
//spec:shows REC-29
func TestUnknownRecordIsKept(t *testing.T) {
	w := newWorld(t)
	seller, other := w.node("seller"), w.node("other")
	seller.presents(other)
	other.presents(seller)
	stranger := recordtest.NewParty("stranger")
	news := stranger.Sign(t, w.clock.Load(), &record.Opaque{Name: "someday", Fields: map[string]any{"a": int64(1)}})
	to := seller.Book().Profile().Body().(*record.Profile).ReplyTo
	for range 2 {
		if err := seller.deliver(to, news); err != nil {
			t.Fatal(err)
		}
	}
	seller = seller.again()
	seller.forget(t.Context())
	all := seller.UnknownRecords()
	if len(all) != 1 || all[0].Kept || !bytes.Equal(all[0].Record.Raw(), news.Raw()) {
		t.Fatalf("after a restart: %+v", all)
	}
	if err := seller.KeepUnknown(t.Context(), news.ID()); err != nil {
		t.Fatal(err)
	}
	wants(t, seller.KeepUnknown(t.Context(), seller.Book().Profile().ID()), protocol.CodeNotFound)
	w.sleep(300 * 24 * time.Hour)
	seller = seller.again()
	seller.forget(t.Context())
	if all := seller.UnknownRecords(); len(all) != 1 || !all[0].Kept {
		t.Fatalf("what was kept is gone: %+v", all)
	}
	w.sleep(-300 * 24 * time.Hour)
	token, envelope, err := seller.SealUnknown(t.Context(), news.ID(), other.did())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.OpenDeposit(t.Context(), token, envelope); err != nil {
		t.Fatal(err)
	}
	if all := other.UnknownRecords(); len(all) != 1 || !bytes.Equal(all[0].Record.Raw(), news.Raw()) {
		t.Fatalf("it was passed on as %+v", all)
	}
	// Nobody keeps it there: it goes.
	w.sleep(300 * 24 * time.Hour)
	other.forget(t.Context())
	if len(other.UnknownRecords()) != 0 {
		t.Error("it waits for ever")
	}
}

// One author leaves so many, and so much; at a customer's address nobody does who
// has no part there.
func TestUnknownRecordsAreBounded(t *testing.T) {
	w := newWorld(t)
	customer, seller := w.node("customer"), w.node("seller")
	seller.presents(customer)
	to := seller.Book().Profile().Body().(*record.Profile).ReplyTo
	for name, content := range map[string]string{"many": "x", "much": strings.Repeat("x", 40<<10)} {
		stranger := recordtest.NewParty(name)
		size, n := 0, 0
		for i := 0; ; i++ {
			rec := stranger.Sign(t, w.clock.Load(), &record.Opaque{Name: "someday", Fields: map[string]any{"n": fmt.Sprint(i), "text": content}})
			if err := seller.deliver(to, rec); err != nil {
				wants(t, err, protocol.CodeOverQuota)
				break
			}
			size += rec.Size()
			n++
		}
		if n == 0 || n > maxUnknown || size > maxUnknownBytes {
			t.Errorf("%s: %d records of %d bytes", name, n, size)
		}
	}
	intent := customer.request(1)
	in := intent.Body().(*record.Intent).ReplyTo
	stranger := recordtest.NewParty("stranger")
	rec := stranger.Sign(t, w.clock.Load(), &record.Opaque{Name: "someday", Fields: map[string]any{}})
	wants(t, customer.deliver(in, rec), protocol.CodeDealMismatch)
	// A seller that the customer deals with is known.
	offer := seller.offer(intent, "100", time.Hour)
	if err := customer.accept(offer, false); err != nil {
		t.Fatal(err)
	}
	known, err := record.Sign(seller.header(), &record.Opaque{Name: "someday", Fields: map[string]any{}}, seller.keys.Identity().Persona())
	if err != nil {
		t.Fatal(err)
	}
	if err := customer.deliver(in, known); err != nil {
		t.Error(err)
	}
	w.quiet(seller, customer)
}
