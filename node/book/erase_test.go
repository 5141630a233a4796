package book_test

import (
	"bytes"
	"errors"
	"maps"
	"testing"
	"time"

	"github.com/parley-protocol/parley/node/book"
	"github.com/parley-protocol/parley/node/keyring"
	"github.com/parley-protocol/parley/node/ledger"
	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/codec"
	"github.com/parley-protocol/parley/protocol/record"
	"github.com/parley-protocol/parley/protocol/record/recordtest"
)

func erase(t *testing.T, b *book.Book, d recordtest.Deal) error {
	t.Helper()
	return b.Update(t.Context(), d.Intent.ID(), func(tx *book.Tx) error {
		return tx.Erase(d.Key.ID(), book.Tombstone{Role: book.Customer, At: 7})
	})
}

// Every entry is sealed, those of a deal and those of an intent each under one
// key, and nothing of a record stands in the ledger in clear.
//
//spec:shows REST-1 REST-3
func TestEntriesAreSealed(t *testing.T) {
	l := &memory{}
	b := open(t, l, &box{})
	d, other := recordtest.NewDeal(t, "one"), recordtest.NewDeal(t, "two")
	for _, x := range []recordtest.Deal{d, other} {
		sign(t, b, x.Intent, x.Intent)
		keep(t, b, x.Intent, x.Offer)
		sign(t, b, x.Intent, x.Acceptance)
		if err := b.Acknowledge(t.Context(), book.Delivery{Record: x.Acceptance.ID(), To: x.Vendor.DID()}); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.Set(t.Context(), "market/secret-market", "joined"); err != nil {
		t.Fatal(err)
	}
	keys := map[string]int{}
	for _, e := range l.entries {
		for _, text := range [][]byte{d.Intent.Raw()[:40], d.Offer.Raw()[len(d.Offer.Raw())-64:], d.Offer.ID().Hash()[2:], []byte(d.Vendor.DID()), []byte("secret-market")} {
			if bytes.Contains(e.Payload, text) {
				t.Errorf("entry %d holds %q in clear", e.Seq, text)
			}
		}
		v, err := codec.Message().Decode(e.Payload)
		if err != nil {
			t.Fatal(err)
		}
		id, _ := v.(map[string]any)["key"].([]byte)
		keys[string(id)]++
	}
	// Two intents, two deals of three entries each with the receipt, one setting.
	if len(keys) != 5 || keys[""] != 1 {
		t.Errorf("entries by key: %v", len(keys))
	}
	for id, n := range keys {
		if id != "" && n != 1 && n != 3 {
			t.Errorf("a key of %d entries", n)
		}
	}
	if again := open(t, l, &box{}); !again.Receipted(book.Delivery{Record: d.Acceptance.ID(), To: d.Vendor.DID()}) || len(again.Deals()) != 2 {
		t.Error("it isn't read again")
	}
}

// What an earlier version wrote was in clear. It is read, and can't be erased.
func TestEntriesInClear(t *testing.T) {
	d := recordtest.NewDeal(t, "old")
	l := &memory{}
	for i, rec := range []*record.Record{d.Intent, d.Offer, d.Acceptance} {
		payload, err := codec.Message().Encode(map[string]any{"kind": "record", "raw": rec.Raw(), "own": rec != d.Offer})
		if err != nil {
			t.Fatal(err)
		}
		l.entries = append(l.entries, ledger.Entry{Seq: uint64(i), Payload: payload})
	}
	b := open(t, l, &box{})
	if got := dealOf(t, b, d.Key); len(got.Records) != 2 || got.Role != book.Customer {
		t.Errorf("%d records, %s", len(got.Records), got.Role)
	}
	if err := erase(t, b, d); protocol.CodeOf(err) != protocol.CodeNotSupported {
		t.Errorf("erasing gives %v", err)
	}
}

// A crash anywhere in an erasure leaves it undone or, at the next start, done.
//
//spec:shows REST-3 REST-5
func TestErasureIsFinished(t *testing.T) {
	l, in := &memory{}, &box{}
	b := open(t, l, in)
	d, other := recordtest.NewDeal(t, "gone"), recordtest.NewDeal(t, "kept")
	for _, x := range []recordtest.Deal{d, other} {
		sign(t, b, x.Intent, x.Intent)
		keep(t, b, x.Intent, x.Offer)
		err := b.Update(t.Context(), x.Intent.ID(), func(tx *book.Tx) error {
			tx.Sign(x.Acceptance, keyring.KeyID{x.Acceptance.ID().Hash()[5]})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	keys := keysOf(l)
	before, entries := maps.Clone(keys.keys), len(l.entries)

	l.fail = errors.New("no room")
	if err := erase(t, b, d); err == nil || len(keys.destroyed) != 0 {
		t.Fatalf("without a tombstone: %v, %d keys destroyed", err, len(keys.destroyed))
	}
	if got := dealOf(t, open(t, &memory{entries: l.entries, keys: keys}, in), d.Key); len(got.Records) != 2 {
		t.Error("the deal is not as before")
	}
	l.fail = nil

	keys.fail = errors.New("the disk is gone")
	if err := erase(t, b, d); err == nil {
		t.Fatal("keys that are still there are said to be destroyed")
	}
	if _, ok := b.Deal(d.Key.ID()); ok {
		t.Error("the deal is still shown")
	}
	if _, err := book.Open(t.Context(), l, in, keys, func(book.Change) {}); err == nil {
		t.Error("a start goes on without finishing")
	}
	keys.fail = nil
	for range 2 {
		b = open(t, l, in)
		if _, ok := b.Deal(d.Key.ID()); ok || b.Has(d.Offer.ID()) {
			t.Error("the deal is back")
		}
		if len(keys.keys) != len(before)-1 || len(keys.destroyed) != 1 {
			t.Errorf("%d keys of %d are left", len(keys.keys), len(before))
		}
		if got := dealOf(t, b, other.Key); len(got.Records) != 2 {
			t.Error("the other deal has lost something")
		}
		if tomb, ok := b.Tombstone(d.Key.ID()); !ok || tomb.At != 7 || tomb.Role != book.Customer {
			t.Errorf("what stays: %+v", tomb)
		}
		for _, rec := range []*record.Record{d.Offer, d.Acceptance} {
			err := b.Update(t.Context(), d.Intent.ID(), func(tx *book.Tx) error {
				tx.Keep(rec)
				return nil
			})
			if protocol.CodeOf(err) != protocol.CodeErased {
				t.Errorf("a %s in it gives %v", rec.Type(), err)
			}
			if _, err := b.Receive(t.Context(), rec, time.Now().Add(time.Hour)); protocol.CodeOf(err) != protocol.CodeErased {
				t.Errorf("a %s that comes again gives %v", rec.Type(), err)
			}
		}
	}
	if len(l.entries) != entries+1 {
		t.Errorf("%d entries were written", len(l.entries)-entries)
	}
	for _, e := range l.entries {
		if bytes.Contains(e.Payload, d.Key.ID().Hash()[2:]) {
			t.Error("the deal's ID is in the ledger in clear")
		}
	}
}

// A key that nobody has destroyed and that isn't there is damage, and named.
func TestALostKeyIsDamage(t *testing.T) {
	l := &memory{}
	b := open(t, l, &box{})
	d := recordtest.NewDeal(t, "lost")
	sign(t, b, d.Intent, d.Intent)
	keys := keysOf(l)
	for id := range keys.keys {
		delete(keys.keys, id)
	}
	_, err := book.Open(t.Context(), l, &box{}, keys, nil)
	e, ok := errors.AsType[*protocol.Error](err)
	if !ok || e.Code != protocol.CodeDamaged || e.Hint == "" {
		t.Errorf("a lost key gives %v", err)
	}
	other := newDrawer()
	if err := b.Set(t.Context(), "a", "b"); err != nil {
		t.Fatal(err)
	}
	if _, err := book.Open(t.Context(), &memory{entries: l.entries[1:]}, &box{}, other, nil); err == nil {
		t.Error("another home's keys open it")
	}
}
