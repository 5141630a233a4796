package book_test

import (
	"testing"

	"github.com/parley-protocol/parley/node/book"
	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/record"
	"github.com/parley-protocol/parley/protocol/record/recordtest"
)

func trust(*record.Record, bool) error { return nil }

// copyOf is another book with the entries of the first.
func copyOf(t *testing.T, b *book.Book) (*book.Book, *memory) {
	t.Helper()
	l := &memory{}
	out := open(t, l, &box{})
	for payload, err := range b.Entries() {
		if err != nil {
			t.Fatal(err)
		}
		if err := out.Import(t.Context(), trust, payload); err != nil {
			t.Fatal(err)
		}
	}
	return out, l
}

func TestImportedIsAsExported(t *testing.T) {
	b := open(t, &memory{}, &box{})
	d := story(t, b)
	b.Expire(func(*record.Record) bool { return false }) // what waits isn't in the ledger
	before := digest(b)
	c, l := copyOf(t, b)
	if got := digest(c); got != before {
		t.Errorf("imported\n%s\nwas\n%s", got, before)
	}
	if got := digest(open(t, l, &box{})); got != before {
		t.Errorf("read again\n%s\nwas\n%s", got, before)
	}
	if dl := dealOf(t, c, d.Key); dl.Options.Restored {
		t.Error("an import alone is no restore")
	}
}

func TestImportIsChecked(t *testing.T) {
	b := open(t, &memory{}, &box{})
	d := story(t, b)
	l := &memory{}
	c := open(t, l, &box{})
	no := protocol.Errorf(protocol.CodeWrongAuthor, "by", "no")
	for payload, err := range b.Entries() {
		if err != nil {
			t.Fatal(err)
		}
		err := c.Import(t.Context(), func(rec *record.Record, own bool) error {
			if rec.ID() == d.Acceptance.ID() && own {
				return no
			}
			return nil
		}, payload)
		if err == nil {
			continue
		}
		if protocol.CodeOf(err) != protocol.CodeWrongAuthor || c.Has(d.Acceptance.ID()) {
			t.Errorf("%v", err)
		}
		return
	}
	t.Error("nothing was refused")
}

// After a restore a customer accepts nothing on what it knew, and a seller signs
// nothing on what is not clearly younger.
//
//spec:shows DEAL-24
func TestRestoreIsRemembered(t *testing.T) {
	b := open(t, &memory{}, &box{})
	d := recordtest.NewDeal(t, "before") // as the customer
	sign(t, b, d.Intent, d.Intent)
	receive(t, b, d.Offer)
	v := recordtest.NewDeal(t, "as seller")
	keep(t, b, v.Intent, v.Intent)
	sign(t, b, v.Intent, v.Offer)
	const at = recordtest.Now + 86400
	if err := b.Restored(t.Context(), at); err != nil {
		t.Fatal(err)
	}
	c, l := copyOf(t, b)
	for name, b := range map[string]*book.Book{"at once": b, "copied": c, "read again": open(t, l, &box{})} {
		if b.RestoredAt() != at {
			t.Errorf("%s: restored at %d", name, b.RestoredAt())
		}
		// The offer waited in the inbox, which a copy of the ledger lacks.
		if st := dealOf(t, b, v.Key); !st.Options.Restored || b.Recovering(v.Intent) != book.WhyRestored {
			t.Errorf("%s: the seller's deal isn't marked", name)
		}
		if b.Recovering(d.Intent) != book.WhyRestored {
			t.Errorf("%s: the customer's intent isn't marked", name)
		}
		old := recordtest.Intent(t, recordtest.NewParty("unknown"), func(h *record.Header, _ *record.Intent) { h.At = at + 600 })
		young := recordtest.Intent(t, recordtest.NewParty("young"), func(h *record.Header, _ *record.Intent) { h.At = at + 601 })
		if b.Recovering(old) != book.WhyRestored || b.Recovering(young) != "" {
			t.Errorf("%s: an unknown intent is %q, a younger one %q", name, b.Recovering(old), b.Recovering(young))
		}
		own := recordtest.Intent(t, recordtest.NewParty("own later"), recordtest.At[record.Intent](at))
		sign(t, b, own, own)
		if b.Recovering(own) != "" {
			t.Errorf("%s: an own intent of after the restore is marked", name)
		}
	}
	if st := dealOf(t, b, d.Key).State; protocol.CodeOf(st.MayAccept(d.Offer.ID(), recordtest.Now+3700)) != protocol.CodeRecovering {
		t.Error("an offer on an intent of before the restore may be accepted")
	}
}

func TestFoundIntentIsOwnAndDoubted(t *testing.T) {
	l := &memory{}
	b := open(t, l, &box{})
	d := recordtest.NewDeal(t, "found")
	err := b.Update(t.Context(), d.Intent.ID(), func(tx *book.Tx) error { tx.Find(d.Intent); return nil })
	if err != nil {
		t.Fatal(err)
	}
	receive(t, b, d.Offer)
	for _, b := range []*book.Book{b, open(t, l, &box{})} {
		in, ok := b.Intent(d.Intent.ID())
		if !ok || !in.Own || b.Recovering(d.Intent) != book.WhyFound {
			t.Errorf("%+v, %q", in, b.Recovering(d.Intent))
		}
	}
	if dl := dealOf(t, b, d.Key); dl.Role != book.Customer || !dl.Options.Restored {
		t.Errorf("%s, restored %v", dl.Role, dl.Options.Restored)
	}
}

func TestDoubtIsTakenOnce(t *testing.T) {
	l := &memory{}
	b := open(t, l, &box{})
	d := story(t, b)
	before := len(l.entries)
	for range 2 {
		err := b.Update(t.Context(), d.Intent.ID(), func(tx *book.Tx) error { tx.Doubt(book.WhyWriter, 5); return nil })
		if err != nil {
			t.Fatal(err)
		}
	}
	if len(l.entries) != before+1 || !dealOf(t, b, d.Key).Options.Restored || b.Recovering(d.Intent) != book.WhyWriter {
		t.Errorf("%d entries, %q", len(l.entries)-before, b.Recovering(d.Intent))
	}
}

func TestLostReceiptsAreOwedAgain(t *testing.T) {
	l := &memory{}
	b := open(t, l, &box{})
	d := story(t, b)
	del := book.Delivery{Record: d.Acceptance.ID(), To: d.Vendor.DID()}
	for i := range 20 {
		owed, err := b.Lost(t.Context(), del)
		if err != nil {
			t.Fatal(err)
		}
		if again := len(owed) == 1; again != (i < 16) || b.Receipted(del) == again {
			t.Fatalf("round %d: owed %v, receipted %v", i, owed, b.Receipted(del))
		}
		if !b.Receipted(del) {
			if o, _ := b.Lost(t.Context(), del); len(o) != 0 {
				t.Error("what is owed already is owed again")
			}
		}
		if open(t, l, &box{}).Receipted(del) != b.Receipted(del) {
			t.Error("it isn't remembered")
		}
		if err := b.Acknowledge(t.Context(), del); err != nil {
			t.Fatal(err)
		}
	}
}
