package desk

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/parley-protocol/parley/crypto"
	"github.com/parley-protocol/parley/node/book"
	"github.com/parley-protocol/parley/node/keyring"
	"github.com/parley-protocol/parley/node/ledger"
	"github.com/parley-protocol/parley/node/vault"
	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/codec"
	"github.com/parley-protocol/parley/protocol/deal"
	"github.com/parley-protocol/parley/protocol/decimal"
	"github.com/parley-protocol/parley/protocol/record"
)

const canary = "CANARY-e0a1"

// secretOffer makes an offer with a word in it that is looked for later.
func (s *side) secretOffer(intent *record.Record) *record.Record {
	s.w.t.Helper()
	s.until("the request is there", func() bool { return s.Known(intent.ID()) })
	p := decimal.MustParse("100")
	rec, err := s.MakeOffer(s.w.t.Context(), OfferRequest{Intent: intent.ID(), Offer: record.Offer{
		ItemOffered: []record.OfferItem{{Name: "Chair", Price: p}}, PriceCurrency: "EUR", TotalPrice: p,
		Description: canary, ValidUntil: s.w.clock.Load() + 3600,
	}})
	if err != nil {
		s.w.t.Fatal(err)
	}
	return rec
}

// files are all bytes below a folder.
func files(t *testing.T, dir string) (out []byte) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		out = append(append(out, e.Name()...), b...)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// opens tries every key that is left in a closed home on every entry of its
// ledger, and tells whether any of what opens holds the text.
func opens(t *testing.T, dir, text string) (boxes, opened int, found bool) {
	t.Helper()
	keys, err := keyring.Open(dir+"/keys", keyring.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer keys.Close()
	all := []vault.Key{keys.Key("ledger"), keys.Key("inbox"), keys.Key("view"), keys.Key("identity"), keys.Key("sealing")}
	ids := []keyring.KeyID{{}}
	for id, key := range keys.Secrets().DealKeys {
		all, ids = append(all, key), append(ids, id)
	}
	for id, seed := range keys.Secrets().Seeds {
		all, ids = append(all, vault.Key(seed)), append(ids, id)
	}
	l, err := ledger.Open(dir+"/ledger", ledger.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for e, err := range l.All() {
		if err != nil {
			t.Fatal(err)
		}
		v, err := codec.Message().Decode(e.Payload)
		if err != nil {
			t.Fatal(err)
		}
		m := v.(map[string]any)
		box, _ := m["box"].([]byte)
		kind, _ := m["kind"].(string)
		boxes++
		ok := false
		for _, key := range all {
			for _, id := range append(ids, keyring.KeyID(append(asBytes(m["key"]), make([]byte, 16)...)[:16])) {
				context := append(append([]byte("parley/1/ledger-entry\x00"+kind), 0), id[:]...)
				if plain, err := key.Open(context, box); err == nil {
					ok = true
					found = found || bytes.Contains(plain, []byte(text))
				}
			}
		}
		if ok {
			opened++
		}
	}
	return boxes, opened, found
}

func asBytes(v any) []byte {
	b, _ := v.([]byte)
	return bytes.Clone(b)
}

//spec:shows REST-1 REST-3 REST-5 REST-7
func TestErase(t *testing.T) {
	w := newWorld(t)
	customer, seller := w.node("customer"), w.node("seller")
	intent := customer.request(1)
	offer := seller.secretOffer(intent)
	customer.has(offer)
	id := dealID(offer)
	_, err := seller.EraseDeal(t.Context(), id, false)
	wants(t, err, protocol.CodeNotPermitted) // an acceptance may be on its way
	_, err = customer.EraseDeal(t.Context(), id, false)
	wants(t, err, protocol.CodeNotPermitted) // the request is open
	if _, err := customer.DeclineOffer(t.Context(), offer.ID(), protocol.ReasonPrice); err != nil {
		t.Fatal(err)
	}
	customer.phase(offer, deal.PhaseVoided)
	w.quiet(customer, seller)
	if bytes.Contains(files(t, seller.dir), []byte(canary)) || bytes.Contains(files(t, customer.dir), []byte(canary)) {
		t.Error("the offer's text is in clear on a disk")
	}
	seller.close()
	if _, _, found := opens(t, seller.dir, canary); !found {
		t.Fatal("the text isn't even found before the deal is erased: this test shows nothing")
	}
	seller = seller.again()

	e, err := seller.EraseDeal(t.Context(), id, false)
	if err != nil {
		t.Fatal(err)
	}
	if len(e.Deals) != 1 || !e.Request || e.Notice == nil || len(e.Undelivered) != 0 {
		t.Errorf("erased %d deals, the request: %v, notice %v", len(e.Deals), e.Request, e.Notice)
	}
	gone := func(s *side) {
		t.Helper()
		if _, ok := s.Book().Deal(id); ok || s.Book().Has(offer.ID()) || s.Book().Has(intent.ID()) {
			t.Error("the book still has the deal")
		}
		if has, err := s.store.Has(t.Context(), offer.ID()); err != nil || has {
			t.Errorf("the view still has the offer: %v", err)
		}
		_, err := s.PlanErase(id)
		wants(t, err, protocol.CodeErased)
		if tomb, ok := s.Book().Tombstone(id); !ok || tomb.Decided != protocol.TypeVoid || tomb.Role != book.Vendor {
			t.Errorf("what stays: %+v", tomb)
		}
		_, err = s.Import(t.Context(), []*record.Record{offer})
		if code := protocol.CodeOf(err); code != protocol.CodeErased {
			t.Errorf("the offer brought back gives %v", err)
		}
	}
	gone(seller)

	// The other side hears of it, and keeps what it has.
	customer.until("the notice came", func() bool { return len(customer.Book().Notices(intent.ID())) == 1 })
	notice := customer.Book().Notices(intent.ID())[0].Body().(*record.DeletionNotice)
	if notice.Deal == nil || notice.Deal.ID() != id || len(notice.Erased) < 3 || len(notice.Kept) != 0 {
		t.Errorf("the notice says %+v", notice)
	}
	if _, ok := customer.Book().Deal(id); !ok {
		t.Error("the customer's copy is gone too")
	}

	// Nothing is ever signed for it again, also when the request comes by again.
	if _, err := seller.view(t.Context(), intent); err != nil {
		t.Fatal(err)
	}
	_, err = seller.tryOffer(intent, "90", time.Hour)
	wants(t, err, protocol.CodeErased)
	_, err = seller.DeclineIntent(t.Context(), intent.ID(), protocol.ReasonOther)
	wants(t, err, protocol.CodeErased)

	seller = seller.again()
	gone(seller)
	seller.close()
	boxes, opened, found := opens(t, seller.dir, canary)
	if found || bytes.Contains(files(t, seller.dir), []byte(canary)) {
		t.Error("the text is still there")
	}
	if opened == 0 || opened >= boxes {
		t.Errorf("%d of %d entries open", opened, boxes)
	}
	t.Logf("%d of %d entries open with the keys that are left", opened, boxes)
}

// A customer erases a request of its own with all that belongs to it.
func TestEraseIntent(t *testing.T) {
	w := newWorld(t)
	customer, seller, other := w.node("customer"), w.node("seller"), w.node("other")
	intent := customer.request(1)
	offer := seller.secretOffer(intent)
	waiting := other.offer(intent, "80", time.Hour)
	customer.has(offer)
	customer.has(waiting)
	if _, err := customer.DeclineOffer(t.Context(), offer.ID(), protocol.ReasonPrice); err != nil {
		t.Fatal(err)
	}
	customer.phase(offer, deal.PhaseVoided)
	_, err := customer.EraseIntent(t.Context(), intent.ID(), false)
	wants(t, err, protocol.CodeNotPermitted)
	if _, err := customer.WithdrawIntent(t.Context(), intent.ID(), ""); err != nil {
		t.Fatal(err)
	}
	e, err := customer.EraseIntent(t.Context(), intent.ID(), false)
	if err != nil {
		t.Fatal(err)
	}
	if len(e.Deals) != 2 || !e.Request {
		t.Errorf("%d deals, %v", len(e.Deals), e.Request)
	}
	seller.until("the notice came", func() bool {
		for _, n := range seller.Book().Notices(intent.ID()) {
			if n.Header().By == intent.Header().By {
				return true
			}
		}
		return false
	})
	customer = customer.again()
	if len(customer.Book().Deals()) != 0 || customer.Book().Has(intent.ID()) || customer.Book().Has(waiting.ID()) {
		t.Error("the book still has some of it")
	}
	customer.close()
	if _, _, found := opens(t, customer.dir, canary); found {
		t.Error("the offer's text is still there")
	}
	if _, _, found := opens(t, customer.dir, "Twelve chairs"); found {
		t.Error("the request's text is still there")
	}
}

// An agreement is erased by nobody but its person, and not before its time.
//
//spec:shows REST-4
func TestAgreementsAreKept(t *testing.T) {
	w := newWorld(t)
	customer, seller := w.node("customer"), w.node("seller")
	intent := customer.request(1)
	offer := seller.secretOffer(intent)
	w.set(func() { w.silenced = true })
	customer.until("the offer is on its way", func() bool { return true })
	w.set(func() { w.silenced = false })
	if err := customer.accept(offer, false); err != nil {
		t.Fatal(err)
	}
	customer.phase(offer, deal.PhaseAgreed)
	seller.phase(offer, deal.PhaseAgreed)
	w.quiet(customer, seller)
	for _, s := range []*side{customer, seller} {
		_, err := s.EraseDeal(t.Context(), dealID(offer), true)
		wants(t, err, protocol.CodeNotPermitted)
	}
	w.sleep(defaultKeep + 400*24*time.Hour)
	customer.eraseOld(t.Context())
	if _, ok := customer.Book().Deal(dealID(offer)); !ok {
		t.Fatal("an agreement was erased without anybody's word")
	}
	_, err := customer.EraseDeal(t.Context(), dealID(offer), false)
	wants(t, err, protocol.CodeNotPermitted)
	if _, err := customer.EraseDeal(t.Context(), dealID(offer), true); err != nil {
		t.Fatal(err)
	}
	if _, ok := customer.Book().Deal(dealID(offer)); ok {
		t.Error("it is still there")
	}
}

// What ended without an agreement goes by itself once it need not be kept.
//
//spec:shows REST-4
func TestOldDealsGo(t *testing.T) {
	w := newWorld(t)
	customer, seller := w.node("customer"), w.node("seller")
	intent := customer.request(1)
	offer := seller.secretOffer(intent)
	customer.has(offer)
	if _, err := customer.DeclineOffer(t.Context(), offer.ID(), protocol.ReasonPrice); err != nil {
		t.Fatal(err)
	}
	customer.phase(offer, deal.PhaseVoided)
	w.quiet(customer, seller)
	w.sleep(defaultKeep - time.Hour)
	seller.eraseOld(t.Context())
	if _, ok := seller.Book().Deal(dealID(offer)); !ok {
		t.Fatal("it went too early")
	}
	w.sleep(2 * time.Hour)
	seller.eraseOld(t.Context())
	customer.eraseOld(t.Context())
	if len(seller.Book().Deals())+len(customer.Book().Deals()) != 0 {
		t.Error("it is still there")
	}
	seller.close()
	if _, _, found := opens(t, seller.dir, canary); found {
		t.Error("the offer's text is still there")
	}
}

// A seller answers a withdrawal with what it held and what becomes of it.
//
//spec:shows REST-8
func TestWithdrawalIsAnswered(t *testing.T) {
	w := newWorld(t)
	customer, seller, named := w.node("customer"), w.node("seller"), w.node("named")
	for _, s := range []*side{seller, named} {
		if _, err := s.SetProfile(t.Context(), record.Profile{Name: s.name, Markets: []string{market}}); err != nil {
			t.Fatal(err)
		}
		customer.until("the profile came by", func() bool { _, err := customer.profileOf(t.Context(), s.did()); return err == nil })
	}
	public, sealed := customer.request(1), customer.request(1, named.did())
	offer := seller.offer(public, "100", time.Hour)
	customer.has(offer)
	named.until("the sealed request came", func() bool { return named.Book().Has(sealed.ID()) })
	for _, rec := range []*record.Record{public, sealed} {
		if _, err := customer.WithdrawIntent(t.Context(), rec.ID(), ""); err != nil {
			t.Fatal(err)
		}
		customer.until("the seller answered", func() bool { return len(customer.Book().Notices(rec.ID())) == 1 })
	}
	answer := customer.Book().Notices(public.ID())[0]
	body := answer.Body().(*record.DeletionNotice)
	if answer.Header().By != seller.did() || len(body.Erased) != 0 || len(body.Kept) != 2 {
		t.Errorf("of the public request: %+v", body)
	}
	for _, k := range body.Kept {
		if k.Reason != protocol.ReasonOther || k.Until == 0 || !seller.Book().Has(k.Record) {
			t.Errorf("kept: %+v", k)
		}
	}
	answer = customer.Book().Notices(sealed.ID())[0]
	body = answer.Body().(*record.DeletionNotice)
	if answer.Header().By != named.did() || len(body.Erased) != 1 || body.Erased[0] != sealed.ID() || named.Book().Has(sealed.ID()) {
		t.Errorf("of the sealed request: %+v", body)
	}
	w.quiet(customer, seller, named)
	named = named.again()
	if named.Book().Has(sealed.ID()) {
		t.Error("it is back after a restart")
	}
}

// Nobody else can say that something was erased.
//
//spec:shows REST-7
func TestNoticesOfOthers(t *testing.T) {
	w := newWorld(t)
	customer, seller := w.node("customer"), w.node("seller")
	intent := customer.request(1)
	offer := seller.offer(intent, "100", time.Hour)
	customer.has(offer)
	key, _ := offer.Deal()
	stranger := crypto.NewSigner([32]byte{7})
	for _, body := range []*record.DeletionNotice{{Intent: intent.ID()}, {Intent: intent.ID(), Deal: &key}} {
		rec, err := record.Sign(customer.header(), body, stranger)
		if err != nil {
			t.Fatal(err)
		}
		if err := customer.take(t.Context(), []*record.Record{rec}); protocol.CodeOf(err) != protocol.CodeWrongAuthor {
			t.Errorf("a stranger's notice gives %v", err)
		}
	}
	if n := len(customer.Book().Notices(intent.ID())); n != 0 {
		t.Errorf("%d notices", n)
	}
	if strings.Contains(string(files(t, customer.dir)), "CANARY") {
		t.Error("a canary in clear")
	}
}
