package desk

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ipfs/go-cid"
	"go.uber.org/goleak"

	"github.com/parley-protocol/parley/crypto"
	"github.com/parley-protocol/parley/node/ingest"
	"github.com/parley-protocol/parley/node/keyring"
	"github.com/parley-protocol/parley/node/ledger"
	"github.com/parley-protocol/parley/node/outbox"
	"github.com/parley-protocol/parley/node/spool"
	"github.com/parley-protocol/parley/node/store"
	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/codec"
	"github.com/parley-protocol/parley/protocol/deal"
	"github.com/parley-protocol/parley/protocol/decimal"
	"github.com/parley-protocol/parley/protocol/record"
	"github.com/parley-protocol/parley/protocol/record/recordtest"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreTopFunction("github.com/golang/glog.(*fileSink).flushDaemon"))
}

// world is a mailbox and a market, at once and without a network, and a clock.
type world struct {
	t     *testing.T
	clock atomic.Int64

	mu       sync.Mutex
	changed  chan struct{} // closed, and made anew, at every change
	mail     map[[32]byte][][]byte
	frames   []frame
	desks    []*side
	roots    map[string]crypto.Root // of the sides' words, by their folders
	lost     bool                   // mailboxes take nothing
	silenced bool                   // mailboxes hand out nothing

	left  func(token [32]byte, envelope []byte) // hears of every deposit
	write func(name string) error               // when set, is asked before each append to a ledger
}

// paper is the ledger of a side, whose writes the world can refuse.
type paper struct {
	*ledger.Ledger
	w    *world
	name string
}

func (p paper) Append(ctx context.Context, payloads ...[]byte) (uint64, error) {
	p.w.mu.Lock()
	write := p.w.write
	p.w.mu.Unlock()
	if write != nil {
		if err := write(p.name); err != nil {
			return 0, err
		}
	}
	return p.Ledger.Append(ctx, payloads...)
}

type frame struct {
	market string
	rec    *record.Record
}

func newWorld(t *testing.T) *world {
	w := &world{t: t, changed: make(chan struct{}), mail: map[[32]byte][][]byte{}, roots: map[string]crypto.Root{}}
	w.clock.Store(time.Now().Unix())
	return w
}

func (w *world) now() time.Time { return time.Unix(w.clock.Load(), 0) }

func (w *world) sleep(d time.Duration) { w.clock.Add(int64(d / time.Second)) }

// set changes something that mailboxes and watchers look at.
func (w *world) set(f func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f()
	close(w.changed)
	w.changed = make(chan struct{})
}

// Deposit is [Mail].
func (w *world) Deposit(ctx context.Context, m outbox.Message) (_ []outbox.Custody, err error) {
	if w.isSilent(m.Mailboxes[0]) {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	w.set(func() {
		if w.lost {
			err = errors.New("no mailbox can be reached")
			return
		}
		w.mail[m.Token] = append(w.mail[m.Token], m.Envelope)
		if w.left != nil {
			w.left(m.Token, m.Envelope)
		}
	})
	return nil, err
}

// isSilent tells of the mailboxes of parties called silent….
func (w *world) isSilent(mailbox string) bool {
	for i := range 64 {
		if mailbox == recordtest.MailboxAddress(fmt.Sprint(silence, i)) {
			return true
		}
	}
	return false
}

// Receive is [Mail].
func (w *world) Receive(ctx context.Context, _ string, _ []string, seed crypto.SealingSeed, handle func(context.Context, []byte) error) error {
	token := seed.Token()
	for {
		w.mu.Lock()
		changed := w.changed
		var next []byte
		if box := w.mail[token]; len(box) > 0 && !w.silenced {
			next = box[0]
		}
		w.mu.Unlock()
		if next != nil && handle(ctx, next) == nil {
			w.set(func() { w.mail[token] = w.mail[token][1:] })
			continue
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-changed:
		}
	}
}

// side is one desk with its disk.
type side struct {
	*Desk
	w      *world
	name   string
	dir    string
	keys   *keyring.Keyring
	ledger *ledger.Ledger
	close  func()
}

// Join, Leave, Publish and Whisper are [Gossip].
func (s *side) Join(ctx context.Context, market string) error {
	s.w.mu.Lock()
	frames := slices.Clone(s.w.frames)
	s.w.mu.Unlock()
	for _, f := range frames {
		if f.market == market {
			s.hear(ctx, f)
		}
	}
	return nil
}

func (s *side) Leave(string) error { return nil }

func (s *side) Publish(ctx context.Context, market string, raw []byte) error {
	block, _, err := record.DecodeFrame(raw)
	if err != nil {
		return err
	}
	rec, err := record.Parse(block)
	if err != nil {
		return err
	}
	f := frame{market, rec}
	var others []*side
	s.w.set(func() {
		s.w.frames = append(s.w.frames, f)
		others = slices.Clone(s.w.desks)
	})
	for _, o := range others {
		if o != s && slices.Contains(o.Markets(), market) {
			o.hear(ctx, f)
		}
	}
	return nil
}

func (s *side) Whisper(ctx context.Context, market string, wanted func() bool, frames ...[]byte) error {
	if !wanted() {
		return nil
	}
	for _, frame := range frames {
		if err := s.Publish(ctx, market, frame); err != nil {
			return err
		}
		block, _, _ := record.DecodeFrame(frame)
		s.Desk.Spread(codec.Sum(block))
	}
	return nil
}

func (s *side) hear(ctx context.Context, f frame) {
	if err := s.Arrive(ctx, []ingest.Arrival{{Record: f.rec, Market: f.market}}); err != nil && ctx.Err() == nil && !errors.Is(err, store.ErrClosed) {
		s.w.t.Error(err)
	}
}

// start makes a desk, in the market, or starts it again on the same disk.
func (w *world) start(name, dir string) *side {
	t := w.t
	t.Helper()
	s := &side{w: w, name: name, dir: dir}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	options := keyring.Options{Pool: 8}
	there, err := keyring.Exists(dir+"/keys", options)
	must(err)
	if !there {
		phrase, err := crypto.NewPhrase()
		must(err)
		w.set(func() { w.roots[dir] = phrase.Root() })
		must(keyring.Create(dir+"/keys", phrase.Root(), 0, options))
	}
	s.keys, err = keyring.Open(dir+"/keys", options)
	must(err)
	s.ledger, err = ledger.Open(dir+"/ledger", ledger.Options{})
	must(err)
	inbox, err := spool.Open(dir+"/inbox", spool.Limits{PerBucketCount: 256}, spool.WithClock(w.now))
	must(err)
	view, err := store.Open(t.Context(), "", store.Options{InMemory: true})
	must(err)
	s.Desk, err = New(t.Context(), paper{s.ledger, w, name}, inbox, s.keys, view, w, s, Config{
		Mailboxes: func() []string { return []string{recordtest.MailboxAddress(name)} }, Now: w.now,
	})
	must(err)
	s.keys.MarkUsed(s.Book().Seeds()...)
	must(s.keys.Start(t.Context()))
	must(s.Desk.Start(t.Context()))
	w.set(func() { w.desks = append(w.desks, s) })
	s.close = sync.OnceFunc(func() {
		w.set(func() { w.desks = slices.DeleteFunc(w.desks, func(o *side) bool { return o == s }) })
		if err := errors.Join(s.Desk.Close(), view.Close(), s.ledger.Close(), inbox.Close(), s.keys.Close()); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(s.close)
	must(s.JoinMarket(t.Context(), market))
	return s
}

func (w *world) node(name string) *side { return w.start(name, w.t.TempDir()) }

// again is the same node after a restart.
func (s *side) again() *side {
	s.close()
	return s.w.start(s.name, s.dir)
}

func (s *side) did() crypto.DID { return s.keys.Identity().Persona().DID() }

const market = "test"

// until waits for something that changes only with an event of the desk.
func (s *side) until(what string, holds func() bool) {
	s.w.t.Helper()
	ctx, cancel := context.WithTimeout(s.w.t.Context(), 10*time.Second)
	defer cancel()
	events, stop := s.Watch()
	defer stop()
	for !holds() {
		select {
		case <-events:
		case <-ctx.Done():
			s.w.t.Fatalf("%s waited in vain until %s", s.name, what)
		}
	}
}

// quiet waits until nothing is owed to anybody.
func (w *world) quiet(sides ...*side) {
	w.t.Helper()
	for _, s := range sides {
		s.until("nothing is owed", func() bool { return len(s.Outbox().Pending()) == 0 })
	}
}

func (s *side) request(awards int64, to ...crypto.DID) *record.Record {
	s.w.t.Helper()
	req := IntentRequest{To: to, Intent: record.Intent{
		Name: "Twelve chairs", Category: []string{"cpv:39112000"}, Awards: awards,
		ItemOffered: []record.DemandItem{{Name: "Chair"}}, ValidUntil: s.w.clock.Load() + 86400,
	}}
	if len(to) == 0 {
		req.Intent.Market = market
	}
	rec, err := s.PublishIntent(s.w.t.Context(), req)
	if err != nil {
		s.w.t.Fatal(err)
	}
	return rec
}

func (s *side) tryOffer(intent *record.Record, price string, firm time.Duration) (*record.Record, error) {
	p := decimal.MustParse(price)
	return s.MakeOffer(s.w.t.Context(), OfferRequest{Intent: intent.ID(), Offer: record.Offer{
		ItemOffered: []record.OfferItem{{Name: "Chair", Price: p}}, PriceCurrency: "EUR", TotalPrice: p,
		ValidUntil: s.w.clock.Load() + int64(firm/time.Second),
	}})
}

// offer makes an offer once the request has come by.
func (s *side) offer(intent *record.Record, price string, firm time.Duration) *record.Record {
	s.w.t.Helper()
	s.until("the request is there", func() bool { return s.Known(intent.ID()) })
	rec, err := s.tryOffer(intent, price, firm)
	if err != nil {
		s.w.t.Fatal(err)
	}
	return rec
}

// has waits for a record.
func (s *side) has(rec *record.Record) {
	s.w.t.Helper()
	s.until("a "+rec.Type()+" came", func() bool { return s.Book().Has(rec.ID()) })
}

func (s *side) accept(offer *record.Record, override bool) error {
	s.w.t.Helper()
	s.has(offer)
	_, err := s.AcceptOffer(s.w.t.Context(), offer.ID(), override)
	return err
}

func (s *side) state(rec *record.Record) deal.State {
	key, _ := rec.Deal()
	d, ok := s.Book().Deal(key.ID())
	if !ok {
		return deal.State{}
	}
	return d.State
}

func (s *side) phase(rec *record.Record, want deal.Phase) {
	s.w.t.Helper()
	s.until("the deal is "+string(want), func() bool { return s.state(rec).Phase == want })
}

// same waits until both sides hold the same records of a deal.
func (w *world) same(rec *record.Record, a, b *side) {
	w.t.Helper()
	w.quiet(a, b)
	ids := func(s *side) []cid.Cid {
		key, _ := rec.Deal()
		d, _ := s.Book().Deal(key.ID())
		var out []cid.Cid
		for _, r := range d.All() {
			out = append(out, r.ID())
		}
		slices.SortFunc(out, func(x, y cid.Cid) int { return slices.Compare(x.Bytes(), y.Bytes()) })
		return out
	}
	if !slices.Equal(ids(a), ids(b)) {
		w.t.Errorf("%s has %d records, %s %d, or others", a.name, len(ids(a)), b.name, len(ids(b)))
	}
	if x, y := a.state(rec), b.state(rec); x.Phase != y.Phase || x.Agreement != y.Agreement {
		w.t.Errorf("%s is %s here and %s there", rec.Type(), x.Phase, y.Phase)
	}
}

func wants(t *testing.T, err error, code protocol.Code) {
	t.Helper()
	if protocol.CodeOf(err) != code {
		t.Errorf("got %v, want the code %q", err, code)
	}
}
