// Package desk is where a node does its business: it publishes and withdraws
// intents, makes and accepts offers, decides deals, answers what comes in and
// sees to it that what goes out arrives. It signs nothing that isn't on disk
// before it leaves. Specification: spec/06-deals.md.
package desk

import (
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"iter"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ipfs/go-cid"

	"github.com/parley-protocol/parley/crypto"
	"github.com/parley-protocol/parley/node/book"
	"github.com/parley-protocol/parley/node/event"
	"github.com/parley-protocol/parley/node/keyring"
	"github.com/parley-protocol/parley/node/outbox"
	"github.com/parley-protocol/parley/node/store"
	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/reconcile"
	"github.com/parley-protocol/parley/protocol/record"
)

// Mail leaves envelopes in mailboxes and picks them up.
type Mail interface {
	outbox.Depositor
	// Receive hands over what is left for the seed's token until ctx ends; an
	// envelope is removed from the mailbox when handle returns nil.
	Receive(ctx context.Context, purpose string, mailboxes []string, seed crypto.SealingSeed, handle func(context.Context, []byte) error) error
}

// Gossip is the markets' broadcast.
type Gossip interface {
	Join(ctx context.Context, market string) error
	Leave(market string) error
	// Publish brings a frame to those who are in the market, and waits for the
	// first of them to come if need be.
	Publish(ctx context.Context, market string, frame []byte) error
	// Whisper has frames brought, in their order, to those who are in the market in
	// a way that doesn't show whose they are. It waits for the first of them to come,
	// and not for the frames to arrive: [Desk.Spread] is told of that. wanted is asked
	// right before they leave this node.
	Whisper(ctx context.Context, market string, wanted func() bool, frames ...[]byte) error
}

// Keys are the node's secrets.
type Keys interface {
	Identity() *keyring.Identity
	// Rotate makes the persona's next key today's; it is on disk then.
	Rotate(ctx context.Context, s keyring.Succession) error
	// Take hands out a sealing seed that is on disk already.
	Take(ctx context.Context) (keyring.KeyID, crypto.SealingSeed, error)
	Get(keyring.KeyID) (crypto.SealingSeed, error)
	book.Keys
}

// Store is the view of all records.
type Store interface {
	Put(ctx context.Context, items []store.Item, meta ...store.KV) ([]store.Outcome, error)
	Get(ctx context.Context, id cid.Cid) (*record.Record, error)
	Entry(ctx context.Context, id cid.Cid) (store.Entry, error)
	Has(ctx context.Context, id cid.Cid) (bool, error)
	Query(ctx context.Context, f store.Filter) iter.Seq2[store.Entry, error]
	Withdrawn(ctx context.Context, intent cid.Cid, author crypto.DID) (bool, error)
	Live(ctx context.Context, market string, cutoff int64) (*reconcile.Set, error)
	LiveRecord(ctx context.Context, market string, cutoff int64, digest [sha256.Size]byte) (*record.Record, error)
	HasIn(ctx context.Context, market string, digest [sha256.Size]byte) (bool, error)
	Resolve(ctx context.Context, prefix string) (cid.Cid, error)
	Expire(ctx context.Context, now int64) (int, error)
	Stats() store.Stats
	Delete(ctx context.Context, ids ...cid.Cid) (int, error)
	// Prune removes what was put with Elsewhere set and isn't there any more.
	Prune(ctx context.Context) (int, error)
	// SetSource tells who has the records that were put with Elsewhere set.
	SetSource(func(cid.Cid) (*record.Record, bool))
}

// Config is what a desk is told.
type Config struct {
	// Mailboxes are the addresses that go into a customer's own records: where
	// others leave replies. It is asked each time, as addresses change.
	Mailboxes func() []string
	// SellersMailboxes are those of a seller's records; nil: the same.
	SellersMailboxes func() []string
	// Now is the clock, time.Now by default.
	Now func() time.Time
	// Keep is how long records of deals are kept, six years by default.
	Keep time.Duration
	// Writers is the file that remembers what this node has said about who signs as
	// its seller; empty: it is remembered until the desk is closed.
	Writers string
	// Stop is told when this node must not go on, because an earlier one signs as
	// its seller. It must not wait for the desk.
	Stop func(error)
	// Log hears of what goes wrong; never of contents.
	Log *slog.Logger
}

// Desk is safe for concurrent use.
type Desk struct {
	cfg    Config
	keys   Keys
	store  Store
	book   *book.Book
	mail   Mail
	gossip Gossip
	outbox *outbox.Outbox
	events event.Bus

	ctx    context.Context // of what runs in the background
	cancel context.CancelFunc
	done   sync.WaitGroup

	closing sync.Mutex // held while done grows and while ctx ends

	work      *queue // reactions to changes, in their order
	receivers *receivers
	writers   *writers
	receipts  receipts

	announcements announcements

	destroyed atomic.Int64 // when seeds were looked through last, Unix seconds
}

const (
	defaultKeep = 6 * 365 * 24 * time.Hour
	sweepEvery  = 20 * time.Second
)

// New opens the book and makes the desk; nothing runs before Start.
func New(ctx context.Context, l book.Ledger, in book.Inbox, keys Keys, st Store, mail Mail, gossip Gossip, cfg Config) (*Desk, error) {
	if cfg.SellersMailboxes == nil {
		cfg.SellersMailboxes = cfg.Mailboxes
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Keep == 0 {
		cfg.Keep = defaultKeep
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	d := &Desk{cfg: cfg, keys: keys, store: st, mail: mail, gossip: gossip, work: newQueue(), receipts: newReceipts()}
	d.ctx, d.cancel = context.WithCancel(context.Background())
	d.outbox = outbox.New(source{d}, mail, d.delivered)
	d.receivers = newReceivers(d)
	var err error
	if d.writers, err = newWriters(cfg.Writers, cfg.Now().Unix()); err != nil {
		d.cancel()
		return nil, err
	}
	if d.book, err = book.Open(ctx, l, in, keys, d.changed); err != nil {
		d.cancel()
		return nil, err
	}
	st.SetSource(d.book.Record)
	return d, nil
}

// Start fills the view from the book, takes up what was under way, and listens.
func (d *Desk) Start(ctx context.Context) error {
	if err := d.fillView(ctx); err != nil {
		return err
	}
	if d.book.Erasures() > 0 { // the last run may have died in the middle of one
		if _, err := d.store.Prune(ctx); err != nil {
			return err
		}
	}
	for market := range d.book.Settings(settingMarket) {
		if err := d.gossip.Join(ctx, market); err != nil {
			return err
		}
	}
	if err := d.outbox.Start(ctx); err != nil {
		return err
	}
	for range receiptSenders {
		d.run(func(ctx context.Context) { d.sendReceipts(ctx, d.receipts.engaged) })
		d.run(func(ctx context.Context) { d.sendReceipts(ctx, d.receipts.strangers) })
	}
	if err := d.refreshProfile(ctx); err != nil {
		return err
	}
	if _, err := d.presentRotated(ctx); err != nil {
		return err
	}
	d.run(d.react)
	d.run(d.sweep)
	d.takeUp()
	d.announceWriter(announceEvery)
	return nil
}

// Close stops what runs; everything that was promised is on disk already.
func (d *Desk) Close() error {
	d.closing.Lock()
	d.cancel()
	d.closing.Unlock()
	err := d.outbox.Close()
	d.work.close()
	d.receivers.close()
	d.done.Wait()
	return err
}

// run starts f in the background, unless the desk is being closed.
func (d *Desk) run(f func(context.Context)) {
	d.closing.Lock()
	defer d.closing.Unlock()
	if d.ctx.Err() != nil {
		return
	}
	d.done.Add(1)
	go func() {
		defer d.done.Done()
		f(d.ctx)
	}()
}

// Book is what the node must not forget.
func (d *Desk) Book() *book.Book { return d.book }

// Outbox is what is owed to others.
func (d *Desk) Outbox() *outbox.Outbox { return d.outbox }

// Watch returns what happens from now on.
func (d *Desk) Watch() (<-chan event.Event, func()) { return d.events.Watch() }

func (d *Desk) now() int64 { return d.cfg.Now().Unix() }

// fillView puts into the store what the book holds and the store may have lost.
func (d *Desk) fillView(ctx context.Context) error {
	var batch []store.Item
	flush := func() error {
		_, err := d.store.Put(ctx, batch)
		batch = batch[:0]
		return err
	}
	for rec, own := range d.book.Records() {
		if has, err := d.store.Entry(ctx, rec.ID()); err == nil && has.Class >= classOf(own) {
			continue
		}
		if batch = append(batch, item(rec, own)); len(batch) == 500 {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	if len(batch) == 0 {
		return nil
	}
	return flush()
}

// Refill brings into the view what it could not take while the disk was full.
func (d *Desk) Refill(ctx context.Context) error { return d.fillView(ctx) }

func classOf(own bool) store.Class {
	if own {
		return store.ClassOwn
	}
	return store.ClassDeal
}

func item(rec *record.Record, own bool) store.Item {
	// What can be erased here has its words in the ledger alone.
	public := rec.Type() == protocol.TypeProfile || rec.Type() == protocol.TypeWithdrawal
	return store.Item{Record: rec, Class: classOf(own), Market: rec.Market(), Elsewhere: !public}
}

// takeUp goes on with what the last run left: addresses that are listened at,
// records that are owed, decisions that are due.
func (d *Desk) takeUp() {
	for _, addr := range d.book.Addresses() {
		d.receivers.open(addr)
	}
	for rec, own := range d.book.Records() {
		if own {
			d.owe(rec)
		}
	}
	d.thankAgain()
	for _, in := range d.book.Intents() {
		d.work.add(func(ctx context.Context) { d.settle(ctx, in.Record.ID()) })
	}
}

// changed is called by the book after every update, while the intent is still
// locked: it must not update the book itself.
func (d *Desk) changed(c book.Change) {
	var items []store.Item
	for _, rec := range c.Records {
		own := false
		for _, o := range c.Own {
			own = own || o == rec
		}
		if own || d.book.InLedger(rec.ID()) {
			items = append(items, item(rec, own))
		}
	}
	if _, err := d.store.Put(d.ctx, items); err != nil && !errors.Is(err, store.ErrClosed) {
		// The ledger has it; the view is filled again at the next start.
		d.cfg.Log.Error("the view did not take a record", "error", err)
	}
	for _, rec := range c.Own {
		if rt, ok := rec.ReplyTo(); ok {
			if addr, ok := d.book.Address(rt.Token); ok {
				d.receivers.open(addr)
			}
		}
		d.owe(rec)
	}
	settle := map[cid.Cid]bool{}
	for _, ch := range c.Deals {
		settle[ch.After.Key.Intent] = true
	}
	for id := range settle {
		d.work.add(func(ctx context.Context) { d.settle(ctx, id) })
	}
	d.erasedNow(c.Erased)
	d.tell(c)
}

// tell publishes what a change means to those who watch.
func (d *Desk) tell(c book.Change) {
	for _, rec := range c.Records {
		switch body := rec.Body().(type) {
		case *record.Intent:
			kind, text := event.IntentSeen, "A request came that was sealed to this seller."
			if d.book.Own(rec.ID()) {
				kind, text = event.IntentPublished, "Your request is signed and on its way."
			} else if d.book.InLedger(rec.ID()) {
				continue // seen before; kept now that there is a deal on it
			}
			d.publish(rec, kind, text, nil)
		case *record.Withdrawal:
			d.events.Publish(event.Event{At: d.cfg.Now(), Kind: event.IntentWithdrawn, Record: rec.ID().String(),
				Intent: body.Intent.String(), Type: rec.Type(), By: string(rec.Header().By), Text: "A request was withdrawn."})
		case *record.DeletionNotice:
			if !d.book.Own(rec.ID()) {
				d.events.Publish(event.Event{At: d.cfg.Now(), Kind: event.NoticeReceived, Record: rec.ID().String(),
					Intent: body.Intent.String(), Type: rec.Type(), By: string(rec.Header().By), Text: "The other side says what it has erased, and what it keeps."})
			}
		}
		for _, ch := range c.Deals {
			if key, ok := dealOf(rec); !ok || key.ID() != ch.After.ID || ch.After.Intent == nil {
				continue
			}
			if ch.Before != nil && ch.Before.Find(rec.ID()) != nil {
				continue // told when it came; kept now that there is an answer
			}
			if kind, text := received(rec.Type()); kind != "" && !d.book.Own(rec.ID()) {
				d.publish(rec, kind, text, ch.After)
				continue
			}
			d.publish(rec, event.DealChanged, sentences[rec.Type()], ch.After)
		}
	}
}

// received tells what has come in that waits for a person's answer; "" for other
// types.
func received(recordType string) (kind, text string) {
	switch recordType {
	case protocol.TypeOffer:
		return event.OfferReceived, "An offer came in."
	case protocol.TypeCounter:
		return event.CounterReceived, "The customer would rather have it otherwise: a counter to your offer came in."
	case protocol.TypeTermsCounter:
		return event.TermsProposed, "A seller proposes other terms than those of your request."
	case protocol.TypeNextRound:
		return event.RoundAsked, "The customer asks for another round."
	}
	return "", ""
}

// sentences say what a deal's record does, to people.
var sentences = map[string]string{
	protocol.TypeOffer:        "An offer is on its way.",
	protocol.TypeAcceptance:   "An offer was accepted; it is binding once the seller confirms.",
	protocol.TypeConfirmation: "The seller confirmed: this is an agreement.",
	protocol.TypeCounter:      "A counter to the offer is on its way.",
	protocol.TypeTermsCounter: "Other terms are proposed to the customer.",
	protocol.TypeNextRound:    "The seller is asked for another round.",
	protocol.TypeVoid:         "The seller ended the deal without an agreement.",
	protocol.TypeCancel:       "The customer asked to cancel.",
	protocol.TypeDecline:      "The customer declined.",
	protocol.TypeAwardNotice:  "The customer chose another offer.",
	protocol.TypeRestored:     "The seller came back from a backup and asks what was decided.",
	protocol.TypeHeld:         "The customer showed the seller's decision.",
	protocol.TypeOrderEvent:   "One side says how the order stands.",
	protocol.TypeReceipt:      "The seller gave a receipt.",
	protocol.TypeOutcome:      "One side says what came of the agreement.",
	protocol.TypeCustomerVoid: "The customer holds no decision of the seller: the deal is void.",
}

func (d *Desk) publish(rec *record.Record, kind, text string, deal *book.Deal) {
	e := event.Event{At: d.cfg.Now(), Kind: kind, Record: rec.ID().String(), Type: rec.Type(), By: string(rec.Header().By), Text: text}
	if rec.Type() == protocol.TypeIntent {
		e.Intent = rec.ID().String()
	}
	if deal != nil {
		e.Intent, e.Deal, e.Phase = deal.Key.Intent.String(), deal.ID.String(), string(deal.State.Phase)
	}
	d.events.Publish(e)
}

// react works off what changes ask for, one after the other.
func (d *Desk) react(ctx context.Context) { d.work.run(ctx) }

// sweep forgets what has had its time.
func (d *Desk) sweep(ctx context.Context) {
	ticker := time.NewTicker(sweepEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		d.forget(ctx)
	}
}

func (d *Desk) forget(ctx context.Context) {
	now := d.now()
	cited := d.waitingTerms()
	d.book.Expire(func(rec *record.Record) bool {
		if rec.Type() == protocol.TypeTerms {
			return cited[rec.ID()]
		}
		return d.stays(rec, now)
	})
	if _, err := d.store.Expire(ctx, now); err != nil && ctx.Err() == nil {
		d.cfg.Log.Error("expired records could not be removed", "error", err)
	}
	d.receivers.closeStale(now)
	d.destroyStale(ctx)
	d.eraseOld(ctx)
}

// stays tells whether a record may wait in the inbox for longer: an offer while
// it is firm, and what has no end of its own for as long as its intent matters.
// How long a stranger wants it kept doesn't count.
func (d *Desk) stays(rec *record.Record, now int64) bool {
	if rec.CheckTime(now) != nil {
		return false
	}
	if until := rec.ValidUntil(); until != 0 {
		return now <= until
	}
	switch body := rec.Body().(type) {
	case *record.Withdrawal:
		in, ok := d.book.Intent(body.Intent)
		return ok && d.stays(in.Record, now)
	case *record.Introduction:
		in, ok := d.book.Intent(body.Intent)
		return ok && d.stays(in.Record, now)
	}
	if unasked(rec) {
		return now < rec.Header().At+int64(inboxFor/time.Second)
	}
	key, ok := rec.Deal()
	if !ok {
		return false
	}
	in, ok := d.book.Intent(key.Intent)
	return ok && now < in.Record.ValidUntil()+lateFor
}
