package desk

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/parley-protocol/parley/crypto"
	"github.com/parley-protocol/parley/node/backup"
	"github.com/parley-protocol/parley/node/home"
	"github.com/parley-protocol/parley/node/ingest"
	"github.com/parley-protocol/parley/node/keyring"
	"github.com/parley-protocol/parley/protocol/record"
	"github.com/parley-protocol/parley/protocol/record/recordtest"
)

// rotate moves a seller to its next key, and waits until others have seen it.
func (s *side) rotate(others ...*side) (before, after crypto.DID) {
	t := s.w.t
	t.Helper()
	s.w.clock.Add(1) // profiles of one second have no order
	id := s.keys.Identity()
	before = s.did()
	if _, err := s.RotatePersona(t.Context(), keyring.SuccessionOf(s.w.roots[s.dir], id.Device(), id.PersonaNumber()+1)); err != nil {
		t.Fatal(err)
	}
	after = s.did()
	for _, o := range others {
		o.until("the move is seen", func() bool { m, ok := o.MoveOf(after); return ok && m.Proven && m.From == before })
	}
	return before, after
}

// present lets the market see who a seller is.
func (s *side) present(to ...*side) {
	t := s.w.t
	t.Helper()
	if _, err := s.SetProfile(t.Context(), record.Profile{Name: s.name, Markets: []string{market}}); err != nil {
		t.Fatal(err)
	}
	for _, o := range to {
		o.until("the profile came", func() bool { return o.Known(s.Book().Profile().ID()) })
	}
}

// restored is what comes out of a backup of a node that ends here, in a new folder.
func (s *side) restored() *side {
	t := s.w.t
	t.Helper()
	root := s.w.roots[s.dir]
	id, err := backup.IdentityOf(root)
	if err != nil {
		t.Fatal(err)
	}
	var file bytes.Buffer
	if err := backup.Write(t.Context(), &file, backup.Source{Keys: s.keys, Book: s.Book(), InUse: s.Book().Seeds, Now: s.w.now()}, id.Recipient()); err != nil {
		t.Fatal(err)
	}
	s.close()
	h, err := home.At(t.TempDir() + "/restored")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := backup.Restore(t.Context(), &file, backup.Target{Home: h, Root: root, Now: s.w.now()}); err != nil {
		t.Fatal(err)
	}
	s.w.set(func() { s.w.roots[h.Dir] = root })
	return s.w.start(s.name, h.Dir)
}

// introduction is what the customer says of itself on a new request.
func (s *side) introducedTo(seller *side) *record.Introduction {
	t := s.w.t
	t.Helper()
	rec, err := s.PublishIntent(t.Context(), IntentRequest{Introduce: true, To: []crypto.DID{seller.did()}, Intent: record.Intent{
		Name: "More chairs", Category: []string{"cpv:39112000"}, ItemOffered: []record.DemandItem{{Name: "Chair"}}, ValidUntil: s.w.clock.Load() + 86400,
	}})
	if err != nil {
		t.Fatal(err)
	}
	seller.until("the customer is known", func() bool { return seller.Customer(rec.ID()) != "" })
	return seller.Book().Introductions(rec.ID())[0].Body().(*record.Introduction)
}

// A seller goes on knowing its customer by one name when it moves to its next
// keys, also after either of them came back from a backup; another seller knows
// another name.
//
//spec:shows KEY-21
func TestRelationshipOutlivesRotationAndRestore(t *testing.T) {
	w := newWorld(t)
	customer, seller, other := w.node("customer"), w.node("seller"), w.node("other")
	seller.present(customer)
	other.present(customer)
	offer := w.agree(customer, seller)
	intro, err := customer.Introduce(t.Context(), dealID(offer))
	if err != nil {
		t.Fatal(err)
	}
	seller.has(intro)
	name := intro.Body().(*record.Introduction).Relationship
	want := customer.keys.Identity().Customer().RelationshipKey(seller.did()).DID()
	if name != want {
		t.Errorf("known as %s, not by the seller's first key", name)
	}

	first, _ := seller.rotate(customer)
	if got := customer.introducedTo(seller); got.Relationship != name || got.Vendor == first {
		t.Errorf("after one move: %+v", got)
	}
	seller.rotate(customer)
	if got := customer.introducedTo(seller); got.Relationship != name {
		t.Errorf("after two moves: %+v", got)
	}
	w.quiet(customer, seller, other)
	customer = customer.restored()
	if got := customer.introducedTo(seller); got.Relationship != name {
		t.Errorf("after the customer's restore: %+v", got)
	}
	seller.rotate(customer)
	if got := customer.introducedTo(seller); got.Relationship != name {
		t.Errorf("after a move that the restored one saw: %+v", got)
	}
	w.quiet(customer, seller, other)
	seller = seller.restored()
	if got := customer.introducedTo(seller); got.Relationship != name {
		t.Errorf("after the seller's restore: %+v", got)
	}
	for _, s := range []*side{customer, seller} {
		rs := s.Relationships()
		if len(rs) != 1 || rs[0].DID != name || len(rs[0].Intents) != 6 || len(rs[0].Deals) != 1 || rs[0].Vendor != seller.did() || rs[0].Since != intro.Header().At {
			t.Errorf("%s: %+v", s.name, rs)
		}
	}
	if got := customer.introducedTo(other); got.Relationship == name {
		t.Error("two sellers know the customer by one name")
	}
}

// Who is introduced to a later key first is known by the same name to the earlier
// ones, in deals that name these.
//
//spec:shows KEY-21
func TestRelationshipOfALaterKeyHoldsForEarlierOnes(t *testing.T) {
	w := newWorld(t)
	customer, seller := w.node("customer"), w.node("seller")
	seller.present(customer)
	offer := w.agree(customer, seller)
	seller.rotate(customer)
	later := customer.introducedTo(seller)
	if want := customer.keys.Identity().Customer().RelationshipKey(seller.did()).DID(); later.Relationship != want {
		t.Error("it isn't of the key that it was shown first")
	}
	intro, err := customer.Introduce(t.Context(), dealID(offer))
	if err != nil {
		t.Fatal(err)
	}
	if got := intro.Body().(*record.Introduction); got.Relationship != later.Relationship || got.Vendor == later.Vendor {
		t.Errorf("%+v and %+v", got, later)
	}
	seller.has(intro)
}

// Whoever only says that it is a seller's next key learns nothing of who its
// customers are.
//
//spec:shows KEY-21
func TestRelationshipIsNotForAThief(t *testing.T) {
	w := newWorld(t)
	customer, seller, thief := w.node("customer"), w.node("seller"), w.node("thief")
	seller.present(customer, thief)
	offer := w.agree(customer, seller)
	intro, err := customer.Introduce(t.Context(), dealID(offer))
	if err != nil {
		t.Fatal(err)
	}
	thief.present(customer)
	fake := *thief.Book().Profile().Body().(*record.Profile)
	fake.Previous = seller.Book().Profile().ID()
	rec, err := record.Sign(record.Header{At: w.clock.Load() + 1, RetainUntil: w.clock.Load() + 86400}, &fake, thief.keys.Identity().Persona())
	if err != nil {
		t.Fatal(err)
	}
	if err := customer.Arrive(t.Context(), []ingest.Arrival{{Record: rec, Market: market}}); err != nil {
		t.Fatal(err)
	}
	customer.until("the claim is seen", func() bool { m, ok := customer.MoveOf(thief.did()); return ok && !m.Proven })
	if got := customer.introducedTo(thief); got.Relationship == intro.Body().(*record.Introduction).Relationship {
		t.Error("the thief knows whose customer it is")
	}
}

// What was shared with a seller stays shared when it moves to its next key, and
// what is shared then is signed by the name that it knows, and arrives.
func TestSharedWithASellerThatMoves(t *testing.T) {
	w := newWorld(t)
	customer, seller := w.node("customer"), w.node("seller")
	seller.present(customer)
	offer := w.agree(customer, seller)
	if _, err := customer.Introduce(t.Context(), dealID(offer)); err != nil {
		t.Fatal(err)
	}
	prefers := func(value string, supersedes *record.Record) *record.Record {
		t.Helper()
		w.clock.Add(1)
		body := &record.Preference{Name: "Packaging", Value: record.PreferenceValue{Text: value}}
		if supersedes != nil {
			body.Supersedes = supersedes.ID()
		}
		rec, err := customer.Assert(t.Context(), body)
		if err != nil {
			t.Fatal(err)
		}
		return rec
	}
	share := func(rec *record.Record) *record.Record {
		t.Helper()
		shared, err := customer.ShareAssertion(t.Context(), rec.ID(), seller.did())
		if err != nil {
			t.Fatal(err)
		}
		seller.has(shared)
		return shared
	}
	first := prefers("none", nil)
	before := share(first)
	w.quiet(customer, seller)
	seller.rotate(customer)
	if again := share(first); again.ID() != before.ID() {
		t.Error("the same is shared twice")
	}
	after := share(prefers("paper", first))
	if after.Header().By != before.Header().By || after.Supersedes() != before.ID() {
		t.Errorf("signed by %s after %s, superseding %s", after.Header().By, before.Header().By, after.Supersedes())
	}
	w.quiet(customer, seller) // it was thanked for
}

// Strangers can't fill the ledger with claims about strangers; who is known here
// is followed all the same.
func TestMovesOfStrangersAreBounded(t *testing.T) {
	w := newWorld(t)
	customer, seller := w.node("customer"), w.node("seller")
	seller.present(customer)
	stranger := recordtest.NewParty("stranger")
	cited := recordtest.Profile(t, stranger, func(h *record.Header, p *record.Profile) { h.At, p.Markets = w.clock.Load(), []string{market} })
	arrives := func(rec *record.Record) {
		t.Helper()
		if err := customer.Arrive(t.Context(), []ingest.Arrival{{Record: rec, Market: market}}); err != nil {
			t.Fatal(err)
		}
	}
	arrives(cited)
	for i := range maxMoves + 8 {
		arrives(recordtest.Profile(t, recordtest.NewParty(fmt.Sprint("claims ", i)), func(h *record.Header, p *record.Profile) {
			h.At, p.Previous, p.Markets = w.clock.Load(), cited.ID(), []string{market}
		}))
	}
	w.agree(customer, seller)
	seller.rotate(customer) // comes behind them all
	if n := len(customer.Book().Settings(settingMoved)); n != maxMoves+1 {
		t.Errorf("%d moves are noted, not %d and the known one", n, maxMoves)
	}
}
