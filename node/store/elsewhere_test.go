package store_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/ipfs/go-cid"

	"github.com/parley-protocol/parley/node/store"
	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/record"
	"github.com/parley-protocol/parley/protocol/record/recordtest"
)

// What the source has is found like everything else, and its bytes are not in the
// folder; once the source has it no more nobody finds it, and it can be deleted.
func TestElsewhere(t *testing.T) {
	dir := t.TempDir()
	d := recordtest.NewDeal(t, "elsewhere")
	held := map[cid.Cid]*record.Record{d.Intent.ID(): d.Intent, d.Offer.ID(): d.Offer}
	open := func() *store.Store {
		t.Helper()
		s, err := store.Open(t.Context(), dir, store.Options{})
		if err != nil {
			t.Fatal(err)
		}
		s.SetSource(func(id cid.Cid) (*record.Record, bool) {
			rec, ok := held[id]
			return rec, ok
		})
		return s
	}
	s := open()
	items := []store.Item{{Record: d.Intent, Class: store.ClassOwn, Elsewhere: true}, {Record: d.Offer, Class: store.ClassDeal, Elsewhere: true}}
	if _, err := s.Put(t.Context(), items); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		n := 0
		for e, err := range s.Query(t.Context(), store.Filter{Types: []string{protocol.TypeOffer}, Deal: d.Key.ID()}) {
			if err != nil || !bytes.Equal(e.Record.Raw(), d.Offer.Raw()) || e.Class != store.ClassDeal {
				t.Fatalf("%+v, %v", e, err)
			}
			n++
		}
		if n != 1 {
			t.Fatalf("%d found", n)
		}
		if err := s.Verify(t.Context()); err != nil {
			t.Error(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		s = open()
	}
	if files := contents(t, dir); bytes.Contains(files, d.Offer.Raw()[len(d.Offer.Raw())-64:]) || bytes.Contains(files, []byte(d.Vendor.DID())) {
		t.Error("the offer's bytes are in the folder")
	}
	delete(held, d.Offer.ID())
	if _, err := s.Get(t.Context(), d.Offer.ID()); protocol.CodeOf(err) != protocol.CodeNotFound {
		t.Errorf("Get gives %v", err)
	}
	for e, err := range s.Query(t.Context(), store.Filter{Deal: d.Key.ID()}) {
		t.Errorf("%+v, %v is found", e, err)
	}
	if err := s.Verify(t.Context()); err != nil {
		t.Error(err)
	}
	if n, err := s.Delete(t.Context(), d.Offer.ID()); n != 1 || err != nil {
		t.Errorf("Delete gives %d, %v", n, err)
	}
	if err := s.Verify(t.Context()); err != nil {
		t.Error(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// A record that a market brought, and that now belongs to a deal.
func TestElsewhereLater(t *testing.T) {
	d := recordtest.NewDeal(t, "later")
	s, err := store.Open(t.Context(), "", store.Options{InMemory: true})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	s.SetSource(func(id cid.Cid) (*record.Record, bool) { return d.Intent, id == d.Intent.ID() })
	for i, want := range []store.Outcome{store.Added, store.Changed, store.Known, store.Known} {
		item := store.Item{Record: d.Intent, Class: store.ClassForeign}
		if i == 1 || i == 2 {
			item.Class, item.Elsewhere = store.ClassDeal, true
		}
		got, err := s.Put(t.Context(), []store.Item{item})
		if err != nil || got[0] != want {
			t.Errorf("%d: %v, %v", i, got, err)
		}
		if err := s.Verify(t.Context()); err != nil {
			t.Errorf("%d: %v", i, err)
		}
	}
}

// contents are the bytes of all files in a folder.
func contents(t *testing.T, dir string) (out []byte) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, b...)
	}
	return out
}
