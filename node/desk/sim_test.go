package desk

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ipfs/go-cid"

	"github.com/parley-protocol/parley/crypto"
	"github.com/parley-protocol/parley/node/book"
	"github.com/parley-protocol/parley/node/fault"
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

// Desks with their outboxes, books, ledgers and keyrings, over a disk that loses
// power at any write or sync, and mailboxes that lose, repeat and reorder. What
// the rules of deals alone do is played in protocol/deal; this is about what a
// node promises with them:
//
//   - what has left a node is on its disk, whenever it dies;
//   - what a person was told is done stays done;
//   - nobody signs a second acceptance or decision, whatever was lost;
//   - in the end both sides hold the same, and nothing is owed to anybody.

// plays is how many histories there are: enough for about PARLEY_DESK_DEALS deals.
func plays(t *testing.T) int {
	deals := 60
	switch text := os.Getenv("PARLEY_DESK_DEALS"); {
	case text != "":
		var err error
		if deals, err = strconv.Atoi(text); err != nil || deals < 1 {
			t.Fatalf("PARLEY_DESK_DEALS=%s", text)
		}
	case os.Getenv("PARLEY_SOAK") == "1":
		deals = 5000
	case testing.Short():
		deals = 12
	}
	return (deals + 4) / 5 // a history has five or so
}

//spec:shows DEAL-14 REC-31 SEAL-13
func TestDealsByTheThousand(t *testing.T) {
	first := uint64(0)
	if text := os.Getenv("PARLEY_SEED"); text != "" {
		var err error
		if first, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	var met tally
	n := plays(t)
	for i := range n {
		seed := first + uint64(i)
		ok := t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPlay(t, seed)
				p.perform()
				p.settle()
				p.judge()
				p.end()
				met.add(p.met)
			})
		})
		if !ok {
			return
		}
	}
	t.Logf("%d histories: %+v", n, met)
	// In 60 histories people accepted 1.85 offers in each, with a deviation of 1.3
	// (they meet offers that have run out or not come, and are dead at times): a run
	// that is 4 deviations below the mean meets with too little. What is accepted is
	// agreed but for what people take back and restores undo: 103 of 111.
	few := int(1.85*float64(n) - 4*1.3*math.Sqrt(float64(n)))
	if met.accepted < few || met.agreed < met.accepted*3/4-2 {
		t.Errorf("%d histories with %d acceptances, of which %d were agreed; not %d, and three of four", n, met.accepted, met.agreed, few)
	}
	if met.crashes < n || n > 4 && (met.restores == 0 || met.voided == 0 || met.copies == 0 || met.refused == 0) {
		t.Errorf("%d histories met with too little: %+v", n, met)
	}
}

// tally counts what histories met with.
type tally struct {
	deals, agreed, voided, crashes, restarts, restores, deposits, copies, refused, lies int
	counters, rounds, changes                                                           int
	accepted, late, takenBack, recovered, open                                          int // accepted: an acceptance was signed; the others are why it made no agreement
}

func (n *tally) add(m tally) {
	n.deals += m.deals
	n.agreed += m.agreed
	n.voided += m.voided
	n.crashes += m.crashes
	n.restarts += m.restarts
	n.restores += m.restores
	n.deposits += m.deposits
	n.copies += m.copies
	n.refused += m.refused
	n.lies += m.lies
	n.counters += m.counters
	n.rounds += m.rounds
	n.changes += m.changes
	n.accepted += m.accepted
	n.late += m.late
	n.takenBack += m.takenBack
	n.recovered += m.recovered
	n.open += m.open
}

// count notes how a deal with an acceptance has ended at its customer.
func (n *tally) count(s deal.State) {
	if s.Acceptance == nil {
		return
	}
	n.accepted++
	switch {
	case s.Phase == deal.PhaseAgreed:
	case s.Void == nil:
		n.open++ // a restored side has lost the key to the answer
	case s.Void.Body().(*record.Void).Reason == protocol.ReasonOfferExpired:
		n.late++
	case s.Void.Body().(*record.Void).Reason == protocol.ReasonCustomerAsked:
		n.takenBack++
	default:
		n.recovered++
	}
}

// letter is an envelope that somebody has left.
type letter struct {
	from     *player
	token    [32]byte
	envelope []byte
}

// play is one history. Its first player is the customer.
type play struct {
	t   *testing.T
	rng *rand.Rand // of the plot; the players' goroutines use the other
	met tally

	mu      sync.Mutex
	dice    *rand.Rand
	changed chan struct{}
	mail    map[[32]byte][][]byte
	frames  []frame
	letters []letter // all that was ever left
	lost    bool
	settled bool // everything works, from now on
	players []*player

	overrides int
}

func newPlay(t *testing.T, seed uint64) *play {
	p := &play{t: t, rng: rand.New(rand.NewPCG(seed, 1)), dice: rand.New(rand.NewPCG(seed, 2)),
		changed: make(chan struct{}), mail: map[[32]byte][][]byte{}}
	for i := range 3 {
		pl := &player{p: p, name: []string{"customer", "north", "south"}[i], disk: fault.New(), done: map[cid.Cid]bool{}, left: map[cid.Cid]*record.Record{}}
		p.players = append(p.players, pl)
		pl.open(false)
		if i > 0 && p.rng.IntN(2) == 0 { // without one, there is nowhere to leave a receipt for a first no
			if _, err := pl.SetProfile(t.Context(), record.Profile{Name: pl.name, Category: []string{"cpv:39112000"}, Markets: []string{market}}); err != nil {
				t.Fatal(err)
			}
		}
	}
	return p
}

func (p *play) change(f func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f()
	close(p.changed)
	p.changed = make(chan struct{})
}

// player is one node, over all its lives.
type player struct {
	p    *play
	name string
	disk *fault.Disk

	*Desk
	keys   *keyring.Keyring
	ledger *ledger.Ledger
	inbox  *spool.Spool

	backup   *fault.Disk
	restored bool
	done     map[cid.Cid]bool           // what a person was told is done
	left     map[cid.Cid]*record.Record // what has left the node, of its own

	// under p.mu
	dead      bool
	diskLeft  int // operations before the power goes; below 0: it stays
	sendsLeft int // deposits before the process ends; below 0: it goes on
}

var errDead = errors.New("the node is dead")

// spend counts an operation of the disk, and says whether the power is off.
func (pl *player) spend(fault.Op) error {
	pl.p.mu.Lock()
	defer pl.p.mu.Unlock()
	if pl.dead {
		return fault.ErrOff
	}
	if pl.diskLeft == 0 {
		pl.dead = true
		return fault.ErrOff
	}
	if pl.diskLeft > 0 {
		pl.diskLeft--
	}
	return nil
}

// open starts the node on its disk.
func (pl *player) open(restored bool) {
	t := pl.p.t
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("%s: %v", pl.name, err)
		}
	}
	pl.p.change(func() { pl.dead, pl.diskLeft, pl.sendsLeft = false, -1, -1 })
	pl.disk.Hook(nil)
	pl.disk.IgnoreSync(os.Getenv(ignoredSync))
	options := keyring.Options{FS: pl.disk, Pool: 16}
	there, err := keyring.Exists("keys", options)
	must(err)
	if !there {
		phrase, err := crypto.NewPhrase()
		must(err)
		must(keyring.Create("keys", phrase.Root(), 0, options))
	}
	pl.keys, err = keyring.Open("keys", options)
	must(err)
	pl.ledger, err = ledger.Open("ledger", ledger.Options{FS: pl.disk})
	must(err)
	pl.inbox, err = spool.Open("inbox", spool.Limits{PerBucketCount: 256}, spool.WithFS(pl.disk))
	must(err)
	pl.Desk, err = New(t.Context(), pl.ledger, pl.inbox, pl.keys, &shelf{recs: map[cid.Cid]store.Entry{}}, pl, pl, Config{
		Mailboxes: func() []string { return []string{recordtest.MailboxAddress(pl.name)} },
	})
	must(err)
	if restored {
		must(pl.Book().Restored(t.Context(), time.Now().Unix()))
	}
	pl.keys.MarkUsed(pl.Book().Seeds()...)
	must(pl.keys.Start(t.Context()))
	must(pl.Desk.Start(t.Context()))
	must(pl.JoinMarket(t.Context(), market))
	pl.disk.Hook(pl.spend)
}

func (pl *player) close() {
	// What a dead node's rooms say at their end is of no interest.
	errs := errors.Join(pl.Desk.Close(), pl.ledger.Close(), pl.inbox.Close(), pl.keys.Close())
	if errs != nil && !pl.isDead() {
		pl.p.t.Errorf("%s: %v", pl.name, errs)
	}
}

func (pl *player) isDead() bool {
	pl.p.mu.Lock()
	defer pl.p.mu.Unlock()
	return pl.dead
}

func (pl *player) did() crypto.DID { return pl.keys.Identity().Persona().DID() }

// again is the node after its power was cut, or it was restarted.
func (pl *player) again() {
	dead := pl.isDead()
	pl.close()
	if dead {
		pl.p.met.crashes++
		pl.disk = pl.disk.PowerCut(pl.p.rng)
	} else {
		pl.p.met.restarts++
		pl.disk = pl.disk.Kill()
	}
	pl.open(false)
	pl.p.remembers(pl)
	pl.p.hasWhatItAcknowledged(pl)
}

// comeBack is the node after its disk was replaced by the backup.
func (pl *player) comeBack() {
	pl.p.met.restores++
	pl.close()
	pl.disk.PowerCut(nil)
	pl.disk, pl.backup, pl.restored = pl.backup, nil, true
	clear(pl.done)
	clear(pl.left)
	pl.open(true)
}

// Deposit is [Mail].
func (pl *player) Deposit(_ context.Context, m outbox.Message) (_ []outbox.Custody, err error) {
	token, envelope := m.Token, m.Envelope
	pl.p.change(func() {
		p := pl.p
		before := p.dice.IntN(2) == 0
		if pl.sendsLeft == 0 && before {
			pl.dead = true
		}
		switch {
		case pl.dead:
			err = errDead
			return
		case p.lost || !p.settled && p.dice.IntN(8) == 0:
			err = errors.New("no mailbox can be reached")
			p.met.refused++
			return
		}
		p.met.deposits++
		p.letters = append(p.letters, letter{pl, token, envelope})
		p.mail[token] = append(p.mail[token], envelope)
		if p.dice.IntN(8) == 0 {
			p.met.copies++
			p.mail[token] = append(p.mail[token], envelope)
		}
		if pl.sendsLeft == 0 {
			pl.dead, err = true, errDead // it is stored, and nobody has heard of that
		}
		if pl.sendsLeft > 0 {
			pl.sendsLeft--
		}
	})
	return nil, err
}

// Receive is [Mail]; what lies there comes in any order.
func (pl *player) Receive(ctx context.Context, _ string, _ []string, seed crypto.SealingSeed, handle func(context.Context, []byte) error) error {
	token, p := seed.Token(), pl.p
	for {
		p.mu.Lock()
		changed := p.changed
		var next []byte
		if box := p.mail[token]; len(box) > 0 && !pl.dead {
			next = box[p.dice.IntN(len(box))]
		}
		p.mu.Unlock()
		if next != nil && handle(ctx, next) == nil && !pl.isDead() {
			p.change(func() {
				box := p.mail[token]
				if i := slices.IndexFunc(box, func(e []byte) bool { return &e[0] == &next[0] }); i >= 0 {
					p.mail[token] = slices.Delete(slices.Clone(box), i, i+1)
				}
			})
			continue
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-changed:
		}
	}
}

// Join, Leave, Publish and Whisper are [Gossip].
func (pl *player) Join(ctx context.Context, market string) error {
	pl.p.mu.Lock()
	frames := slices.Clone(pl.p.frames)
	pl.p.mu.Unlock()
	for _, f := range frames {
		pl.hear(ctx, f)
	}
	return nil
}

func (pl *player) Leave(string) error { return nil }

func (pl *player) Publish(ctx context.Context, market string, raw []byte) error {
	if pl.isDead() {
		return errDead
	}
	block, _, err := record.DecodeFrame(raw)
	if err != nil {
		return err
	}
	rec, err := record.Parse(block)
	if err != nil {
		return err
	}
	f := frame{market, rec}
	var others []*player
	pl.p.change(func() {
		pl.p.frames = append(pl.p.frames, f)
		for _, o := range pl.p.players {
			if o != pl && !o.dead && o.Desk != nil {
				others = append(others, o)
			}
		}
	})
	for _, o := range others {
		o.hear(ctx, f)
	}
	return nil
}

func (pl *player) Whisper(ctx context.Context, market string, wanted func() bool, frames ...[]byte) error {
	if !wanted() {
		return nil
	}
	for _, frame := range frames {
		if err := pl.Publish(ctx, market, frame); err != nil {
			return err
		}
		block, _, _ := record.DecodeFrame(frame)
		pl.Spread(codec.Sum(block))
	}
	return nil
}

// hear brings a frame to the view; a node that is dead hears it when it joins.
func (pl *player) hear(ctx context.Context, f frame) {
	_ = pl.Arrive(ctx, []ingest.Arrival{{Record: f.rec, Market: f.market}})
}

// perform is what people, machines and networks do.
func (p *play) perform() {
	customer, sellers := p.players[0], p.players[1:]
	for range 60 + p.rng.IntN(60) {
		seller := sellers[p.rng.IntN(len(sellers))]
		anybody := p.players[p.rng.IntN(len(p.players))]
		switch p.rng.IntN(23) {
		case 0, 1:
			if len(customer.Book().Intents()) < 6 {
				p.publish(customer)
			}
		case 2, 3, 4, 5:
			p.offer(seller)
		case 6, 7, 8:
			p.accept(customer)
		case 9:
			p.takeBack(customer)
		case 10:
			if in := p.intent(seller); in != nil && p.rng.IntN(3) == 0 {
				p.told(seller)(seller.DeclineIntent(p.t.Context(), in.ID(), protocol.ReasonOutOfStock))
			}
		case 11:
			p.change(func() { p.lost = !p.lost && p.rng.IntN(2) == 0 })
		case 12:
			p.change(func() { anybody.diskLeft = p.rng.IntN(12) })
		case 13:
			p.change(func() { anybody.sendsLeft = p.rng.IntN(4) })
		case 14:
			if p.rng.IntN(4) == 0 {
				anybody.again()
			}
		case 15:
			if anybody.backup == nil && !anybody.restored && !anybody.isDead() {
				anybody.backup = anybody.disk.Copy()
			}
		case 16:
			if anybody.backup != nil && !p.anyRestored() && p.rng.IntN(3) == 0 {
				anybody.comeBack()
			}
		case 17:
			p.lie()
		case 18:
			p.counter(customer)
		case 19, 20:
			p.anotherRound(customer)
		default:
			time.Sleep(time.Duration(p.rng.IntN(180)) * time.Second)
		}
		synctest.Wait()
		if p.rng.IntN(2) == 0 {
			p.revive()
		}
	}
}

func (p *play) anyRestored() bool {
	return slices.ContainsFunc(p.players, func(pl *player) bool { return pl.restored })
}

// revive starts who is dead.
func (p *play) revive() {
	for _, pl := range p.players {
		if pl.isDead() {
			pl.again()
			synctest.Wait()
		}
	}
}

// told notes what a person was told is done.
func (p *play) told(pl *player) func(any, error) {
	before := map[cid.Cid]bool{}
	for rec, own := range pl.Book().Records() {
		before[rec.ID()] = own
	}
	return func(_ any, err error) {
		if err != nil {
			return
		}
		for rec, own := range pl.Book().Records() {
			if own && !before[rec.ID()] {
				pl.done[rec.ID()] = true
			}
		}
	}
}

func (p *play) publish(customer *player) {
	req := IntentRequest{Intent: record.Intent{
		Market: market, Name: "Twelve chairs", Category: []string{"cpv:39112000"}, Awards: 1 + p.rng.Int64N(2),
		ItemOffered: []record.DemandItem{{Name: "Chair"}}, ValidUntil: time.Now().Unix() + 86400,
	}}
	rec, err := customer.PublishIntent(p.t.Context(), req)
	if err == nil {
		customer.done[rec.ID()] = true
	}
}

// intent is one that a player knows of.
func (p *play) intent(pl *player) *record.Record {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.frames) == 0 {
		return nil
	}
	rec := p.frames[p.rng.IntN(len(p.frames))].rec
	if rec.Type() != protocol.TypeIntent {
		return nil
	}
	return rec
}

func (p *play) offer(seller *player) {
	in := p.intent(seller)
	if in == nil {
		return
	}
	price := decimal.MustParse(fmt.Sprint(1 + p.rng.IntN(99)))
	round := int64(1)
	for _, d := range seller.Book().DealsOf(in.ID()) {
		if d.State.MayNextRound() == nil && p.rng.IntN(2) == 0 {
			round = max(round, d.Key.Round+1)
		}
	}
	rec, err := seller.MakeOffer(p.t.Context(), OfferRequest{Intent: in.ID(), Round: round, Offer: record.Offer{
		ItemOffered: []record.OfferItem{{Name: "Chair", Price: price}}, PriceCurrency: "EUR", TotalPrice: price,
		ValidUntil: time.Now().Unix() + 30 + p.rng.Int64N(3600),
	}})
	if err == nil {
		seller.done[rec.ID()] = true
	}
}

func (p *play) accept(customer *player) {
	var offers []*record.Record
	for _, d := range customer.Book().Deals() {
		offers = append(offers, d.State.Offers...)
	}
	if len(offers) == 0 {
		return
	}
	slices.SortFunc(offers, func(a, b *record.Record) int { return slices.Compare(a.ID().Bytes(), b.ID().Bytes()) })
	offer := offers[p.rng.IntN(len(offers))]
	override := p.rng.IntN(10) == 0
	tell := p.told(customer)
	d, err := customer.AcceptOffer(p.t.Context(), offer.ID(), override)
	tell(d, err)
	if override {
		p.overrides++ // perhaps: what goes beyond the awards is allowed to it
	}
}

// counter says what the customer would rather have.
func (p *play) counter(customer *player) {
	d := p.anyDeal(customer)
	if d == nil || len(d.State.Offers) == 0 {
		return
	}
	tell := p.told(customer)
	rec, err := customer.Counter(p.t.Context(), d.State.Offers[0].ID(), record.Counter{Description: "Cheaper", ValidUntil: time.Now().Unix() + 3600})
	if tell(rec, err); err == nil {
		p.met.counters++
	}
}

// anotherRound asks for one, after a void or to change an agreement.
func (p *play) anotherRound(customer *player) {
	d := p.anyDeal(customer)
	if d == nil {
		return
	}
	tell := p.told(customer)
	next, err := customer.AskRound(p.t.Context(), NextRoundRequest{Deal: d.ID, Change: d.State.Phase == deal.PhaseAgreed})
	if tell(next, err); err == nil {
		p.met.rounds++
	}
}

// anyDeal is one of a player's, nil if there is none.
func (p *play) anyDeal(pl *player) *book.Deal {
	deals := pl.Book().Deals()
	if len(deals) == 0 {
		return nil
	}
	slices.SortFunc(deals, func(a, b *book.Deal) int { return slices.Compare(a.ID.Bytes(), b.ID.Bytes()) })
	return deals[p.rng.IntN(len(deals))]
}

// takeBack is a cancel or a decline.
func (p *play) takeBack(customer *player) {
	d := p.anyDeal(customer)
	if d == nil {
		return
	}
	tell := p.told(customer)
	if len(d.State.Offers) > 0 && p.rng.IntN(2) == 0 {
		tell(customer.DeclineOffer(p.t.Context(), d.State.Offers[0].ID(), protocol.ReasonPrice))
		return
	}
	tell(customer.CancelDeal(p.t.Context(), d.ID, protocol.ReasonChangedMind))
}

// lie brings something that nobody has asked for: an old message again, to its
// box or to another, or a stranger's word that all has arrived.
func (p *play) lie() {
	p.mu.Lock()
	letters := slices.Clone(p.letters)
	p.mu.Unlock()
	if len(letters) == 0 {
		return
	}
	p.met.lies++
	l := letters[p.rng.IntN(len(letters))]
	switch p.rng.IntN(3) {
	case 0:
		p.change(func() { p.mail[l.token] = append(p.mail[l.token], slices.Clone(l.envelope)) })
	case 1:
		other := letters[p.rng.IntN(len(letters))].token
		p.change(func() { p.mail[other] = append(p.mail[other], slices.Clone(l.envelope)) })
	default:
		p.forgeReceipt()
	}
}

// forgeReceipt is a stranger's, for something that somebody owes.
func (p *play) forgeReceipt() {
	pl := p.players[p.rng.IntN(len(p.players))]
	pending := pl.Outbox().Pending()
	addresses := slices.Collect(addressesOf(pl))
	if len(pending) == 0 || len(addresses) == 0 {
		return
	}
	slices.SortFunc(pending, func(a, b outbox.Status) int { return slices.Compare(a.Record.Bytes(), b.Record.Bytes()) })
	owed, ok := pl.Book().Record(pending[p.rng.IntN(len(pending))].Record)
	if !ok {
		return
	}
	payload, err := record.EncodeBundle(recordtest.DeliveryReceipt(p.t, recordtest.NewParty("liar"), owed))
	if err != nil {
		p.t.Fatal(err)
	}
	for _, rt := range addresses {
		envelope, err := crypto.Seal(rt.Suite, rt.Key, payload)
		if err != nil {
			p.t.Fatal(err)
		}
		p.change(func() { p.mail[rt.Token] = append(p.mail[rt.Token], envelope) })
	}
}

func addressesOf(pl *player) iter.Seq[record.ReplyTo] {
	return func(yield func(record.ReplyTo) bool) {
		for _, a := range pl.Book().Addresses() {
			if rt, ok := a.Record.ReplyTo(); ok && !yield(rt) {
				return
			}
		}
	}
}

// settle ends all trouble, and gives everybody the time to finish.
func (p *play) settle() {
	p.change(func() {
		p.lost, p.settled = false, true
		for _, pl := range p.players {
			pl.diskLeft, pl.sendsLeft = -1, -1
		}
	})
	p.revive()
	time.Sleep(26 * time.Hour) // every request and offer has run out
	for range 2 {
		for _, pl := range p.players {
			pl.again() // and everything that is owed is due
		}
		time.Sleep(10 * time.Minute)
		synctest.Wait()
	}
}

// opened is what is in a letter, if one of the players can open it now.
func (p *play) opened(l letter) []*record.Record {
	for _, pl := range p.players {
		addr, ok := pl.Book().Address(l.token)
		if !ok {
			continue
		}
		seed, err := pl.keys.Get(addr.Seed)
		if err != nil {
			continue
		}
		payload, err := seed.Open(l.envelope)
		if err != nil {
			continue
		}
		bundle, err := record.DecodeBundle(payload)
		if err != nil {
			p.t.Fatalf("%s has sent what is no bundle: %v", l.from.name, err)
		}
		return bundle
	}
	return nil
}

// remembers holds a node that has just started against what has left it, and what
// its person was told.
func (p *play) remembers(pl *player) {
	p.t.Helper()
	p.mu.Lock()
	letters := slices.Clone(p.letters)
	p.mu.Unlock()
	for _, l := range letters {
		if l.from != pl || pl.restored {
			continue
		}
		for _, rec := range p.opened(l) {
			if _, receipt := rec.Body().(*record.DeliveryReceipt); receipt || !p.isBy(pl, rec) {
				continue
			}
			pl.left[rec.ID()] = rec
		}
	}
	for id, rec := range pl.left {
		if !pl.Book().InLedger(id) {
			p.t.Fatalf("%s has sent a %s and doesn't have it any more", pl.name, rec.Type())
		}
	}
	for id := range pl.done {
		if !pl.Book().InLedger(id) {
			p.t.Fatalf("%s has forgotten what its person was told is done", pl.name)
		}
	}
}

// isBy tells whether a player signed a record.
func (p *play) isBy(pl *player, rec *record.Record) bool {
	by := rec.Header().By
	if by == pl.did() {
		return true
	}
	key, ok := rec.Deal()
	if !ok || pl != p.players[0] {
		return false
	}
	in, ok := pl.Book().Intent(key.Intent)
	return ok && in.Own && by == in.Record.Header().By
}

// judge looks at what must hold when nothing moves any more.
func (p *play) judge() {
	customer := p.players[0]
	signed := map[string]map[cid.Cid]bool{} // acceptances and decisions that have left, by deal
	for _, l := range p.letters {
		for _, rec := range p.opened(l) {
			key, ok := rec.Deal()
			if !ok {
				continue
			}
			kind := ""
			switch rec.Type() {
			case protocol.TypeAcceptance:
				kind = "acceptances"
			case protocol.TypeConfirmation, protocol.TypeVoid:
				kind = "decisions"
			default:
				continue
			}
			name := kind + " of " + key.ID().String()
			if signed[name] == nil {
				signed[name] = map[cid.Cid]bool{}
			}
			signed[name][rec.ID()] = true
		}
	}
	for name, ids := range signed {
		if len(ids) > 1 && !p.anyRestored() {
			p.t.Errorf("%d %s have left", len(ids), name)
		}
	}
	won := map[cid.Cid]int{}
	for _, seller := range p.players[1:] {
		for _, theirs := range seller.Book().Deals() {
			p.met.deals++
			d, ok := customer.Book().Deal(theirs.ID)
			if !ok {
				if theirs.State.Phase != deal.PhaseOpen && theirs.State.Phase != deal.PhaseVoided && !customer.restored {
					p.t.Errorf("%s has a deal that is %s, and the customer has none", seller.name, theirs.State.Phase)
				}
				continue
			}
			a, b := d.State, theirs.State
			p.met.count(a)
			switch a.Phase {
			case deal.PhaseAgreed:
				p.met.agreed++
				if a.Changes.Defined() {
					p.met.changes++
				} else {
					won[d.Key.Intent]++
				}
			case deal.PhaseVoided:
				p.met.voided++
			}
			inPlay := a.Acceptance != nil || a.Void != nil || a.CustomerVoid != nil || len(a.Asks) > 0
			// A key that the backup doesn't have opens nothing: what was sealed to it
			// stays unread, and a deal may stay pending. It must not split.
			apart := a.Phase != b.Phase && inPlay || inPlay && !a.Phase.Final()
			if p.anyRestored() {
				apart = a.Phase == deal.PhaseVoided && b.Committed || a.Phase == deal.PhaseAgreed && b.Phase == deal.PhaseVoided
			}
			if apart || a.Phase == deal.PhaseConflict || b.Phase == deal.PhaseConflict ||
				a.Phase == deal.PhaseAgreed && b.Phase == deal.PhaseAgreed && a.Agreement != b.Agreement {
				p.t.Errorf("%s: a deal is %s at the customer and %s at the seller: %s%s", seller.name, a.Phase, b.Phase, d.ID, p.story())
			}
		}
	}
	for _, in := range customer.Book().Intents() {
		if in.Own && won[in.Record.ID()] > int(in.Body().Awards)+p.overrides {
			p.t.Errorf("%d agreements for %d awards", won[in.Record.ID()], in.Body().Awards)
		}
	}
	for _, pl := range p.players {
		for _, s := range pl.Outbox().Pending() {
			if p.anyRestored() {
				break // its recipient's key may be lost
			}
			rec, _ := pl.Book().Record(s.Record)
			p.t.Errorf("%s still owes a %s after %d tries, stored %s: %v; %s", pl.name, rec.Type(), s.Attempts, s.Stored, s.Err, p.story())
		}
	}
}

// story tells who has which deals.
func (p *play) story() (text string) {
	for _, pl := range p.players {
		text += fmt.Sprintf("\n%s (restored: %v)", pl.name, pl.restored)
		for _, d := range pl.Book().Deals() {
			text += fmt.Sprintf("\n  %s round %d: %s, kept %v, waiting %v", d.ID, d.Key.Round, d.State.Phase, types(d.Records), types(d.Inbox))
		}
	}
	return text
}

func types(recs []*record.Record) (out []string) {
	for _, rec := range recs {
		out = append(out, rec.Type())
	}
	return out
}

func (p *play) end() {
	for _, pl := range p.players {
		pl.close()
	}
}

// shelf is a view without a database. What it doesn't have, no desk here asks for.
type shelf struct {
	Store
	mu   sync.Mutex
	recs map[cid.Cid]store.Entry
}

func (s *shelf) Put(_ context.Context, items []store.Item, _ ...store.KV) ([]store.Outcome, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]store.Outcome, len(items))
	for i, item := range items {
		old, known := s.recs[item.Record.ID()]
		s.recs[item.Record.ID()] = store.Entry{Record: item.Record, Class: max(old.Class, item.Class), Markets: []string{market}}
		if out[i] = store.Added; known {
			out[i] = store.Known
		}
	}
	return out, nil
}

func (s *shelf) Entry(_ context.Context, id cid.Cid) (store.Entry, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e, ok := s.recs[id]; ok {
		return e, nil
	}
	return store.Entry{}, protocol.Errorf(protocol.CodeNotFound, "", "no record %s", id)
}

func (s *shelf) Get(ctx context.Context, id cid.Cid) (*record.Record, error) {
	e, err := s.Entry(ctx, id)
	return e.Record, err
}

func (s *shelf) Has(ctx context.Context, id cid.Cid) (bool, error) {
	_, err := s.Entry(ctx, id)
	return err == nil, nil
}

func (s *shelf) Query(_ context.Context, f store.Filter) iter.Seq2[store.Entry, error] {
	s.mu.Lock()
	all := slices.SortedFunc(maps.Values(s.recs), func(a, b store.Entry) int {
		return -cmp.Compare(a.Record.Header().At, b.Record.Header().At)
	})
	s.mu.Unlock()
	return func(yield func(store.Entry, error) bool) {
		for _, e := range all {
			if (len(f.Types) == 0 || slices.Contains(f.Types, e.Record.Type())) && (f.Author == "" || f.Author == e.Record.Header().By) && !yield(e, nil) {
				return
			}
		}
	}
}

func (s *shelf) Prune(context.Context) (int, error) { return 0, nil }

func (s *shelf) SetSource(func(cid.Cid) (*record.Record, bool)) {}

func (s *shelf) Delete(_ context.Context, ids ...cid.Cid) (n int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, id := range ids {
		if _, ok := s.recs[id]; ok {
			delete(s.recs, id)
			n++
		}
	}
	return n, nil
}

func (s *shelf) Withdrawn(context.Context, cid.Cid, crypto.DID) (bool, error) { return false, nil }
func (s *shelf) Resolve(context.Context, string) (cid.Cid, error)             { return cid.Undef, nil }
func (s *shelf) Expire(context.Context, int64) (int, error)                   { return 0, nil }
func (s *shelf) Stats() store.Stats                                           { return store.Stats{} }
