package book_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ipfs/go-cid"

	"github.com/parley-protocol/parley/crypto"
	"github.com/parley-protocol/parley/node/book"
	"github.com/parley-protocol/parley/node/keyring"
	"github.com/parley-protocol/parley/node/ledger"
	"github.com/parley-protocol/parley/node/spool"
	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/deal"
	"github.com/parley-protocol/parley/protocol/record"
	"github.com/parley-protocol/parley/protocol/record/recordtest"
)

// memory is a ledger without a disk.
type memory struct {
	mu      sync.Mutex
	entries []ledger.Entry
	appends int
	fail    error
	keys    *drawer
}

func (m *memory) Append(_ context.Context, payloads ...[]byte) (uint64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail != nil {
		return 0, m.fail
	}
	m.appends++
	first := uint64(len(m.entries))
	for i, p := range payloads {
		m.entries = append(m.entries, ledger.Entry{Seq: first + uint64(i), Payload: slices.Clone(p)})
	}
	return first, nil
}

func (m *memory) All() iter.Seq2[ledger.Entry, error] {
	return func(yield func(ledger.Entry, error) bool) {
		for _, e := range m.entries {
			if !yield(e, nil) {
				return
			}
		}
	}
}

// box is an inbox without a disk.
type box struct {
	mu    sync.Mutex
	order []spool.Info
	blobs map[spool.ID][]byte
	fail  error
}

func (b *box) Put(_ context.Context, bucket string, id spool.ID, blob []byte, expires time.Time) (bool, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.fail != nil {
		return false, b.fail
	}
	if b.blobs == nil {
		b.blobs = map[spool.ID][]byte{}
	}
	_, existed := b.blobs[id]
	b.blobs[id] = blob
	b.order = append(b.order, spool.Info{Bucket: bucket, ID: id, Size: len(blob), Expires: expires})
	return existed, nil
}

func (b *box) Get(_ context.Context, _ string, id spool.ID) ([]byte, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if blob, ok := b.blobs[id]; ok {
		return blob, nil
	}
	return nil, protocol.Errorf(protocol.CodeNotFound, "", "no blob %s", id)
}

func (b *box) Delete(_ string, id spool.ID) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.blobs, id)
	b.order = slices.DeleteFunc(b.order, func(i spool.Info) bool { return i.ID == id })
	return nil
}

func (b *box) All() iter.Seq[spool.Info] { return slices.Values(slices.Clone(b.order)) }

func (b *box) len() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.blobs)
}

func open(t *testing.T, l book.Ledger, in book.Inbox) *book.Book {
	t.Helper()
	b, err := book.Open(t.Context(), l, in, keysOf(l), func(book.Change) {})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// sign adds own records on one intent; keep, those of others.
func sign(t *testing.T, b *book.Book, intent *record.Record, own ...*record.Record) {
	t.Helper()
	err := b.Update(t.Context(), intent.ID(), func(tx *book.Tx) error {
		for _, rec := range own {
			tx.Sign(rec, keyring.KeyID{})
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func keep(t *testing.T, b *book.Book, intent *record.Record, recs ...*record.Record) {
	t.Helper()
	err := b.Update(t.Context(), intent.ID(), func(tx *book.Tx) error {
		tx.Keep(recs...)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func receive(t *testing.T, b *book.Book, recs ...*record.Record) {
	t.Helper()
	for _, rec := range recs {
		if known, err := b.Receive(t.Context(), rec, time.Now().Add(time.Hour)); err != nil || known {
			t.Fatalf("%s: known %v, %v", rec.Type(), known, err)
		}
	}
}

func dealOf(t *testing.T, b *book.Book, key record.DealKey) *book.Deal {
	t.Helper()
	d, ok := b.Deal(key.ID())
	if !ok {
		t.Fatal("the deal isn't there")
	}
	return d
}

// story brings a book to where every kind of entry is in it.
func story(t *testing.T, b *book.Book) recordtest.Deal {
	d := recordtest.NewDeal(t, "story")
	err := b.Update(t.Context(), d.Intent.ID(), func(tx *book.Tx) error {
		tx.Sign(d.Intent, keyring.KeyID{1}, d.Vendor.DID())
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	receive(t, b, d.Offer)
	err = b.Update(t.Context(), d.Intent.ID(), func(tx *book.Tx) error {
		tx.Sign(d.Acceptance, keyring.KeyID{2})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	keep(t, b, d.Intent, d.Confirmation)
	if err := b.Acknowledge(t.Context(), book.Delivery{Record: d.Acceptance.ID(), To: d.Vendor.DID()}); err != nil {
		t.Fatal(err)
	}
	for key, value := range map[string]string{"market/a": "joined", "market/b": "joined", "peer/x": "joined"} {
		if err := b.Set(t.Context(), key, value); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.Set(t.Context(), "market/a", ""); err != nil {
		t.Fatal(err)
	}
	sign(t, b, d.Intent, recordtest.Withdrawal(t, d.Customer, d.Intent))
	other := recordtest.Offer(t, recordtest.NewParty("another"), d.Intent)
	receive(t, b, other, recordtest.Intent(t, recordtest.NewParty("somebody")))
	return d
}

// digest is all that a book says, as text.
func digest(b *book.Book) string {
	var s strings.Builder
	for rec, own := range b.Records() {
		fmt.Fprintln(&s, "record", rec.ID(), own)
	}
	for _, in := range b.Intents() {
		fmt.Fprintln(&s, "intent", in.Record.ID(), in.Own, in.Waiting, in.To, in.Withdrawal != nil)
	}
	for _, d := range b.Deals() {
		fmt.Fprintln(&s, "deal", d.ID, d.Role, d.State.Phase, len(d.Records), len(d.Inbox), d.State.MayAsk(), d.Spoken())
	}
	var addrs []string
	for token, a := range b.Addresses() {
		addrs = append(addrs, fmt.Sprintf("%x %s %x", token, a.Record.ID(), a.Seed))
	}
	slices.Sort(addrs)
	fmt.Fprintln(&s, addrs, b.Settings(""), len(b.Seeds()))
	return s.String()
}

func TestReopenIsAsBefore(t *testing.T) {
	dir := t.TempDir()
	keys := newDrawer()
	openAll := func() (*book.Book, func()) {
		l, err := ledger.Open(dir+"/ledger", ledger.Options{})
		if err != nil {
			t.Fatal(err)
		}
		in, err := spool.Open(dir+"/inbox", spool.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		return open(t, onDisk{l, keys}, in), func() {
			if err := errors.Join(l.Close(), in.Close()); err != nil {
				t.Fatal(err)
			}
		}
	}
	b, closeAll := openAll()
	d := story(t, b)
	before := digest(b)
	closeAll()
	b, closeAll = openAll()
	defer closeAll()
	if after := digest(b); after != before {
		t.Errorf("reopened as\n%s\nwas\n%s", after, before)
	}
	if got := dealOf(t, b, d.Key); got.State.Phase != deal.PhaseAgreed || got.Role != book.Customer {
		t.Errorf("%s as %s", got.State.Phase, got.Role)
	}
	if !b.Receipted(book.Delivery{Record: d.Acceptance.ID(), To: d.Vendor.DID()}) {
		t.Error("the receipt is lost")
	}
	if a, ok := b.Address(d.Customer.Sealing.Token()); !ok || a.Record.ID() != d.Acceptance.ID() || a.Seed != (keyring.KeyID{2}) {
		t.Errorf("address %+v, %v", a, ok)
	}
	if in, _ := b.Intent(d.Intent.ID()); !slices.Equal(in.To, []crypto.DID{d.Vendor.DID()}) {
		t.Errorf("sealed to %v", in.To)
	}
}

func TestFirstOwnWordBringsTheInboxAlong(t *testing.T) {
	l, in := &memory{}, &box{}
	b := open(t, l, in)
	d := recordtest.NewDeal(t, "move")
	sign(t, b, d.Intent, d.Intent)
	receive(t, b, d.Offer)
	if b.InLedger(d.Offer.ID()) || !b.Has(d.Offer.ID()) || in.len() != 1 {
		t.Fatal("the offer waits in the inbox alone")
	}
	if known, err := b.Receive(t.Context(), d.Offer, time.Now()); !known || err != nil {
		t.Errorf("again: %v, %v", known, err)
	}
	if got := dealOf(t, b, d.Key); len(got.State.Offers) != 1 || got.Spoken() {
		t.Errorf("%d offers, spoken %v", len(got.State.Offers), got.Spoken())
	}
	appends := l.appends
	sign(t, b, d.Intent, d.Acceptance)
	if l.appends != appends+1 {
		t.Errorf("%d appends for one answer", l.appends-appends)
	}
	if !b.InLedger(d.Offer.ID()) || in.len() != 0 || !dealOf(t, b, d.Key).Spoken() {
		t.Error("the offer is in the ledger now, and nowhere else")
	}
	// What comes after that never waits.
	receive(t, b, d.Confirmation)
	if !b.InLedger(d.Confirmation.ID()) || in.len() != 0 {
		t.Error("the confirmation is in the inbox")
	}
}

func TestExpireLeavesNothing(t *testing.T) {
	in := &box{}
	b := open(t, &memory{}, in)
	d := recordtest.NewDeal(t, "expire")
	request := recordtest.Intent(t, recordtest.NewParty("sealed"))
	sign(t, b, d.Intent, d.Intent)
	receive(t, b, d.Offer, request)
	if n := b.Expire(func(*record.Record) bool { return true }); n != 0 || in.len() != 2 {
		t.Fatalf("%d dropped", n)
	}
	if n := b.Expire(func(*record.Record) bool { return false }); n != 2 || in.len() != 0 {
		t.Fatalf("%d dropped, %d left", n, in.len())
	}
	if len(b.Deals()) != 0 || len(b.DealsOf(d.Intent.ID())) != 0 || b.Has(d.Offer.ID()) {
		t.Error("the deal of a stranger is still there")
	}
	if _, ok := b.Intent(request.ID()); ok {
		t.Error("the request is still there")
	}
	receive(t, b, d.Offer) // and may come again
}

func TestWithdrawalWaitsWithItsRequest(t *testing.T) {
	l, in := &memory{}, &box{}
	b := open(t, l, in)
	customer := recordtest.NewParty("withdraws")
	request := recordtest.Intent(t, customer)
	receive(t, b, request, recordtest.Withdrawal(t, customer, request))
	for _, b := range []*book.Book{b, open(t, l, in)} {
		if got, ok := b.Intent(request.ID()); !ok || got.Withdrawal == nil || !got.Waiting {
			t.Errorf("%+v", got)
		}
	}
	if len(l.entries) != 0 {
		t.Error("a stranger has written to the ledger")
	}
}

func TestFailingLedgerChangesNothing(t *testing.T) {
	l, in := &memory{}, &box{}
	b := open(t, l, in)
	d := story(t, b)
	offer := recordtest.Offer(t, recordtest.NewParty("another"), d.Intent)
	key, _ := offer.Deal()
	before := digest(b)
	l.fail = protocol.Errorf(protocol.CodeDiskFull, "", "full")
	in.fail = l.fail
	for what, err := range map[string]error{
		"an update": b.Update(t.Context(), d.Intent.ID(), func(tx *book.Tx) error {
			tx.Sign(recordtest.Decline(t, d.Customer, key), keyring.KeyID{3})
			return nil
		}),
		"a setting": b.Set(t.Context(), "market/c", "joined"),
		"a receipt": b.Acknowledge(t.Context(), book.Delivery{Record: d.Intent.ID(), To: d.Vendor.DID()}),
		"an inbox": func() error {
			_, err := b.Receive(t.Context(), recordtest.Offer(t, recordtest.NewParty("third"), d.Intent), time.Now())
			return err
		}(),
	} {
		if protocol.CodeOf(err) != protocol.CodeDiskFull {
			t.Errorf("%s: %v", what, err)
		}
	}
	if after := digest(b); after != before {
		t.Errorf("now\n%s\nwas\n%s", after, before)
	}
}

func TestUpdateIsAllOrNothing(t *testing.T) {
	l := &memory{}
	b := open(t, l, &box{})
	d := recordtest.NewDeal(t, "all")
	refusal := errors.New("no")
	err := b.Update(t.Context(), d.Intent.ID(), func(tx *book.Tx) error {
		tx.Sign(d.Intent, keyring.KeyID{})
		if !tx.Has(d.Intent.ID()) {
			t.Error("an update sees what it has added")
		}
		return refusal
	})
	if !errors.Is(err, refusal) || len(l.entries) != 0 || b.Has(d.Intent.ID()) {
		t.Errorf("%v, %d entries", err, len(l.entries))
	}
	for range 2 {
		keep(t, b, d.Intent, d.Intent, d.Offer, d.Offer)
	}
	if len(l.entries) != 2 || l.appends != 1 {
		t.Errorf("%d entries in %d appends", len(l.entries), l.appends)
	}
}

// Eight offers, two awards, everybody accepts at once.
func TestAwardsAreCountedInTheSameStep(t *testing.T) {
	b := open(t, &memory{}, &box{})
	customer := recordtest.NewParty("awards")
	intent := recordtest.Intent(t, customer, func(_ *record.Header, in *record.Intent) { in.Awards = 2 })
	sign(t, b, intent, intent)
	var offers []*record.Record
	for i := range 8 {
		offers = append(offers, recordtest.Offer(t, recordtest.NewParty(fmt.Sprint("seller ", i)), intent))
	}
	receive(t, b, offers...)
	var accepted atomic.Int32
	var work sync.WaitGroup
	for _, offer := range offers {
		work.Go(func() {
			err := b.Update(t.Context(), intent.ID(), func(tx *book.Tx) error {
				var states []deal.State
				for _, d := range tx.Deals() {
					states = append(states, d.State)
				}
				if deal.AwardsLeft(2, states) < 1 {
					return protocol.Errorf(protocol.CodeAwardsExhausted, "", "none left")
				}
				tx.Sign(recordtest.Acceptance(t, customer, offer), keyring.KeyID{})
				return nil
			})
			switch protocol.CodeOf(err) {
			case "":
				accepted.Add(1)
			case protocol.CodeAwardsExhausted:
			default:
				t.Error(err)
			}
		})
	}
	work.Wait()
	if accepted.Load() != 2 {
		t.Errorf("%d acceptances for 2 awards", accepted.Load())
	}
}

// A round's state says whether the next one is open, in whatever order their
// records come, and after every restart.
func TestRoundsAreFoldedInOrder(t *testing.T) {
	d := recordtest.NewDeal(t, "rounds")
	second := d.Key
	second.Round = 2
	later := recordtest.Offer(t, d.Vendor, d.Intent, func(_ *record.Header, o *record.Offer) { o.Deal = second })
	decline := recordtest.Decline(t, d.Customer, d.Key)
	void := recordtest.Void(t, d.Vendor, d.Key, protocol.ReasonCustomerAsked, decline.ID())
	l, in := &memory{}, &box{}
	var changes []book.Change
	b, err := book.Open(t.Context(), l, in, keysOf(l), func(c book.Change) { changes = append(changes, c) })
	if err != nil {
		t.Fatal(err)
	}
	sign(t, b, d.Intent, d.Intent)
	receive(t, b, d.Offer, later)
	sign(t, b, d.Intent, decline)
	if err := dealOf(t, b, second).State.MayAccept(later.ID(), later.Header().At); err == nil {
		t.Fatal("round 2 is open before round 1 is void")
	}
	sign(t, b, d.Intent, recordtest.NextRound(t, d.Customer, void))
	keep(t, b, d.Intent, void)
	if last := changes[len(changes)-1]; len(last.Deals) != 2 || last.Deals[1].After.Key != second || last.Deals[1].Before == nil {
		t.Errorf("the change tells of %d deals", len(last.Deals))
	}
	for range 8 { // maps have no order
		if err := dealOf(t, b, second).State.MayAccept(later.ID(), later.Header().At); err != nil {
			t.Fatal(err)
		}
		b = open(t, l, in)
	}
}

// The ledger and the inbox can hold the same record after a crash.
func TestOpenClearsWhatIsInBoth(t *testing.T) {
	l, in := &memory{}, &box{}
	b := open(t, l, in)
	d := recordtest.NewDeal(t, "both")
	sign(t, b, d.Intent, d.Intent)
	receive(t, b, d.Offer)
	copied := &box{order: slices.Clone(in.order), blobs: map[spool.ID][]byte{in.order[0].ID: d.Offer.Raw()}}
	copied.order = append(copied.order, spool.Info{Bucket: "00", ID: spool.ID{1}}) // its file is damaged
	sign(t, b, d.Intent, d.Acceptance)
	b = open(t, l, copied)
	if got := dealOf(t, b, d.Key); len(got.Inbox) != 0 || len(got.Records) != 2 || copied.len() != 0 {
		t.Errorf("%d in the inbox, %d in the ledger, %d files", len(got.Inbox), len(got.Records), copied.len())
	}
}

func TestOpenRefusesWhatItCantRead(t *testing.T) {
	for name, payload := range map[string][]byte{
		"no map":          {0x01},
		"a newer kind":    []byte("\xa1\x64kind\x65newer"),
		"no record":       []byte("\xa2\x63raw\x41\x00\x64kind\x66record"),
		"a receipt of no": []byte("\xa1\x64kind\x67receipt"),
	} {
		l := &memory{entries: []ledger.Entry{{Seq: 7, Payload: payload}}}
		if _, err := book.Open(t.Context(), l, &box{}, keysOf(l), nil); err == nil || !strings.Contains(err.Error(), "entry 7") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAcknowledgeOnce(t *testing.T) {
	l := &memory{}
	b := open(t, l, &box{})
	d := story(t, b)
	n := len(l.entries)
	again := book.Delivery{Record: d.Acceptance.ID(), To: d.Vendor.DID()}
	foreign := book.Delivery{Record: d.Offer.ID(), To: d.Vendor.DID()}
	nothing := book.Delivery{Record: cid.Undef, To: d.Vendor.DID()}
	if err := b.Acknowledge(t.Context(), again, foreign, nothing); err != nil || len(l.entries) != n {
		t.Errorf("%v, %d entries more", err, len(l.entries)-n)
	}
}
