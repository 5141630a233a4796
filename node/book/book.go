// Package book holds what a node must not forget: its own records and those of
// its deals, what the other side has acknowledged, and its settings. It is the
// ledger, read once at the start and folded; every change is a check and an
// append in one step, on disk before anyone is told.
package book

import (
	"cmp"
	"context"
	"iter"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ipfs/go-cid"

	"github.com/parley-protocol/parley/crypto"
	"github.com/parley-protocol/parley/node/failpoint"
	"github.com/parley-protocol/parley/node/keyring"
	"github.com/parley-protocol/parley/node/ledger"
	"github.com/parley-protocol/parley/node/spool"
	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/deal"
	"github.com/parley-protocol/parley/protocol/record"
)

// Ledger is the append-only log behind the book.
type Ledger interface {
	// Append returns when the payloads are on disk; all of them or none.
	Append(ctx context.Context, payloads ...[]byte) (first uint64, err error)
	// All reads every entry from the first.
	All() iter.Seq2[ledger.Entry, error]
}

// Inbox is where what strangers send waits until the person answers it.
type Inbox interface {
	Put(ctx context.Context, bucket string, id spool.ID, blob []byte, expires time.Time) (existed bool, err error)
	Get(ctx context.Context, bucket string, id spool.ID) ([]byte, error)
	Delete(bucket string, id spool.ID) error
	All() iter.Seq[spool.Info]
}

// Role is which side of a deal this node is.
type Role string

// The two sides.
const (
	Customer Role = "customer"
	Vendor   Role = "vendor"
)

// Intent is an intent that is one's own, on which one has a deal, or that came
// sealed and waits in the inbox.
type Intent struct {
	Record     *record.Record
	Own        bool
	Waiting    bool         // in the inbox, not in the ledger
	To         []crypto.DID // own, and sealed to these sellers; empty: public
	Withdrawal *record.Record
}

// Body is the intent's content.
func (i *Intent) Body() *record.Intent { return i.Record.Body().(*record.Intent) }

// Deal is a snapshot of one deal: it never changes, a newer one takes its place.
type Deal struct {
	ID      cid.Cid
	Key     record.DealKey
	Role    Role
	Intent  *Intent
	Records []*record.Record // in the ledger, in the order in which they came
	Inbox   []*record.Record // waiting for the person's answer, not in the ledger
	After   []*record.Record // what both sides have said since the agreement, in the ledger
	Options deal.Options     // what this side knows beyond the records
	State   deal.State       // the fold of both
}

// All are the deal's records, the ledger's first.
func (d *Deal) All() []*record.Record {
	return append(append([]*record.Record(nil), d.Records...), d.Inbox...)
}

// Spoken tells whether this node's side has said anything in the deal, even if
// it has lost that and got it back from the other side.
func (d *Deal) Spoken() bool {
	self := d.Key.Vendor
	if d.Role == Customer {
		self = d.Intent.Record.Header().By
	}
	return slices.ContainsFunc(d.Records, func(r *record.Record) bool { return r.Header().By == self })
}

// Find returns the deal's record of that ID, or nil.
func (d *Deal) Find(id cid.Cid) *record.Record {
	for _, r := range d.All() {
		if r.ID() == id {
			return r
		}
	}
	return nil
}

// Delivery is an own record on its way to one recipient.
type Delivery struct {
	Record cid.Cid
	To     crypto.DID
}

// Market is the recipient of what is published: its receipt says that a market has
// shown the record to others.
const Market crypto.DID = "market"

// Address is a token of one's own: where others leave sealed messages.
type Address struct {
	Record *record.Record // the own record that states it
	Seed   keyring.KeyID
}

// Change tells what an update brought. Before is nil for a new deal.
type Change struct {
	Records []*record.Record // new in the ledger or the inbox
	Own     []*record.Record // those of Records that this node signed
	Deals   []DealChange
	Erased  []Erased
}

// DealChange is a deal before and after an update.
type DealChange struct{ Before, After *Deal }

// Book is safe for concurrent use. Updates of one intent and its deals come one
// after the other; those of different intents share a round of fsync.
type Book struct {
	ledger  Ledger
	inbox   Inbox
	sealer  *sealer
	observe func(Change)

	writing keyedMutex

	mu       sync.RWMutex
	entries  map[cid.Cid]kept
	order    []cid.Cid
	intents  map[cid.Cid]*Intent
	deals    map[cid.Cid]*Deal
	ofIntent map[cid.Cid][]cid.Cid
	byText   []cid.Cid // the deals, by their IDs as text; nil while the book is being opened
	tokens   map[[32]byte]Address
	receipts map[Delivery]bool
	lost     map[Delivery]int           // how often the recipient said that it has lost it
	waiting  map[cid.Cid]*record.Record // the inbox, by ID
	settings map[string]string
	profile  *record.Record

	introduced map[cid.Cid][]*record.Record // introductions, by intent
	erased     map[[32]byte]Tombstone
	notices    map[cid.Cid][]*record.Record // of what was erased, by intent

	doubtful   map[cid.Cid]Why // intents of which not all that was signed is known
	restoredAt int64           // the newest restore, 0: none
}

// Open folds the ledger and the inbox, and finishes an erasure that a crash has
// interrupted. observe is called after every update, outside the book's locks, in
// the order of one intent's updates. The error's code is damaged when keys are
// missing that nobody has destroyed.
func Open(ctx context.Context, l Ledger, in Inbox, keys Keys, observe func(Change)) (*Book, error) {
	b := &Book{
		ledger: l, inbox: in, sealer: newSealer(keys), observe: observe,
		entries:  map[cid.Cid]kept{},
		intents:  map[cid.Cid]*Intent{},
		deals:    map[cid.Cid]*Deal{},
		ofIntent: map[cid.Cid][]cid.Cid{},
		tokens:   map[[32]byte]Address{},
		receipts: map[Delivery]bool{},
		lost:     map[Delivery]int{},
		doubtful: map[cid.Cid]Why{},
		waiting:  map[cid.Cid]*record.Record{},
		settings: map[string]string{},

		introduced: map[cid.Cid][]*record.Record{},
		erased:     map[[32]byte]Tombstone{},
		notices:    map[cid.Cid][]*record.Record{},
	}
	entries, err := b.read(ctx)
	if err != nil {
		return nil, err
	}
	touched := map[cid.Cid]bool{}
	for _, e := range entries {
		b.sealer.note(e)
		b.take(e, touched)
	}
	for info := range in.All() {
		blob, err := in.Get(ctx, info.Bucket, info.ID)
		if err != nil {
			// A damaged offer of a stranger is no reason not to start: its
			// sender has it too.
			continue
		}
		rec, clear, err := b.sealer.openWaiting(info.ID, blob)
		if err != nil {
			continue
		}
		if clear {
			id, box := b.sealer.sealWaiting(rec)
			if _, err := in.Put(ctx, b.sealer.bucket(rec), id, box, info.Expires); err == nil {
				_ = in.Delete(info.Bucket, info.ID) // a copy left behind is sealed again at the next start
			}
		}
		_, inLedger := b.entries[rec.ID()]
		if inLedger || b.refuseErased([]entry{{kind: kindRecord, rec: rec}}) != nil {
			// The last run ended between the ledger and the inbox.
			_ = in.Delete(b.sealer.bucket(rec), b.sealer.blind(rec.ID()))
			continue
		}
		b.wait(rec, touched)
	}
	b.foldAll(touched)
	b.sortDeals()
	return b, nil
}

// take puts one ledger entry into memory; the caller holds mu or is alone.
func (b *Book) take(e entry, touched map[cid.Cid]bool) {
	switch e.kind {
	case kindReceipt:
		b.receipts[e.receipt] = !e.lost
		if e.lost {
			b.lost[e.receipt]++
		}
	case kindRecovering:
		b.doubt(e, touched)
	case kindSetting:
		if e.value == "" {
			delete(b.settings, e.key)
		} else {
			b.settings[e.key] = e.value
		}
	case kindRecord:
		id := e.rec.ID()
		if old, ok := b.entries[id]; ok && (old.own || !e.own) {
			return
		}
		_, known := b.entries[id]
		b.entries[id] = e.kept()
		delete(b.waiting, id)
		if !known {
			b.order = append(b.order, id)
		}
		if rt, ok := e.rec.ReplyTo(); ok && e.own {
			b.tokens[rt.Token] = Address{Record: e.rec, Seed: e.seed}
		}
		switch body := e.rec.Body().(type) {
		case *record.Intent:
			with := (*record.Record)(nil)
			if old := b.intents[id]; old != nil {
				with = old.Withdrawal
			}
			b.intents[id] = &Intent{Record: e.rec, Own: e.own, To: e.to, Withdrawal: with}
			if e.found && b.doubtful[id] == "" {
				b.doubtful[id] = WhyFound
			}
		case *record.Withdrawal:
			b.withdraw(body.Intent, e.rec)
		case *record.DeletionNotice:
			b.notices[body.Intent] = append(without(b.notices[body.Intent], id), e.rec)
		case *record.Profile:
			if e.own {
				b.profile = e.rec
			}
		case *record.Introduction:
			delete(b.waiting, id)
			b.introduce(e.rec)
		}
		if key, ok := e.rec.Deal(); ok {
			d := b.dealOf(key, touched)
			d.Records = append(without(d.Records, id), e.rec)
			d.Inbox = without(d.Inbox, id)
		}
		if s, ok := e.rec.FollowsUp(); ok {
			d := b.dealOf(s.Deal, touched)
			d.After = append(without(d.After, id), e.rec)
		}
	}
}

// wait puts a record of the inbox into memory.
func (b *Book) wait(rec *record.Record, touched map[cid.Cid]bool) {
	id := rec.ID()
	if _, ok := b.entries[id]; ok {
		return
	}
	b.waiting[id] = rec
	switch body := rec.Body().(type) {
	case *record.Intent:
		if b.intents[id] == nil {
			b.intents[id] = &Intent{Record: rec, Waiting: true}
		}
	case *record.Withdrawal:
		b.withdraw(body.Intent, rec)
	case *record.Introduction:
		b.introduce(rec)
	}
	if key, ok := rec.Deal(); ok {
		d := b.dealOf(key, touched)
		d.Inbox = append(without(d.Inbox, id), rec)
	}
}

// withdraw notes that an intent's author has taken it back.
func (b *Book) withdraw(intent cid.Cid, rec *record.Record) {
	if in := b.intents[intent]; in != nil && in.Record.Header().By == rec.Header().By {
		with := *in
		with.Withdrawal = rec
		b.intents[intent] = &with
	}
}

// dealOf returns a copy of the deal that the caller may change, already in place,
// and notes it as touched; one that was touched before is such a copy.
func (b *Book) dealOf(key record.DealKey, touched map[cid.Cid]bool) *Deal {
	id := key.ID()
	old := b.deals[id]
	if old != nil && touched[id] {
		return old
	}
	touched[id] = true
	d := &Deal{ID: id, Key: key}
	if old != nil {
		*d = *old
		d.Records = append([]*record.Record(nil), old.Records...)
		d.Inbox = append([]*record.Record(nil), old.Inbox...)
		d.After = append([]*record.Record(nil), old.After...)
	} else {
		b.ofIntent[key.Intent] = append(b.ofIntent[key.Intent], id)
		b.list(id)
	}
	b.deals[id] = d
	return d
}

// foldAll folds the deals that were touched, which are copies of the caller's
// own. A round's state says whether the next one is open, so the rounds after
// them are folded too, and in their order. It returns all that it has folded.
func (b *Book) foldAll(touched map[cid.Cid]bool) []cid.Cid {
	var ids []cid.Cid
	for id := range touched {
		ids = append(ids, id)
	}
	for i := 0; i < len(ids); i++ {
		next := b.deals[ids[i]].Key
		next.Round++
		if id := next.ID(); b.deals[id] != nil && !touched[id] {
			b.dealOf(next, touched)
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, func(x, y cid.Cid) int { return cmp.Compare(b.deals[x].Key.Round, b.deals[y].Key.Round) })
	for _, id := range ids {
		b.fold(id)
	}
	return ids
}

func (b *Book) fold(id cid.Cid) {
	d := b.deals[id]
	in := b.intents[d.Key.Intent]
	if in == nil {
		return // its intent isn't here yet
	}
	d.Intent = in
	d.Role = Vendor
	if in.Own {
		d.Role = Customer
	}
	d.Options = b.options(in.Record, d.Key)
	// Fold refuses nothing but being called wrongly.
	d.State, _ = deal.Fold(in.Record, d.Key, d.All(), d.Options)
}

// options is what this side knows of a deal beyond its records.
func (b *Book) options(intent *record.Record, key record.DealKey) (o deal.Options) {
	o.Restored, o.AskedSince = b.recovering(intent) != "", b.restoredAt
	if key.Round > 1 {
		before := key
		before.Round--
		if prev := b.deals[before.ID()]; prev != nil && prev.Intent != nil {
			o.Previous = &prev.State
		}
	}
	return o
}

func without(recs []*record.Record, id cid.Cid) []*record.Record {
	out := recs[:0:0]
	for _, r := range recs {
		if r.ID() != id {
			out = append(out, r)
		}
	}
	return out
}

func digest(id cid.Cid) []byte { return id.Hash()[2:] }

// Receive puts what a stranger sent into the inbox: an intent, the withdrawal of
// one that waits there, or a record of a deal in which this node has said
// nothing yet. It is on disk when Receive returns; known tells that it was there
// before. If the node has spoken in the deal meanwhile, or has taken the intent
// into its ledger, the record goes there too.
func (b *Book) Receive(ctx context.Context, rec *record.Record, expires time.Time) (known bool, err error) {
	unlock := b.writing.lock(topic(rec))
	defer unlock()
	if b.Has(rec.ID()) {
		return true, nil
	}
	if err := b.refuseErased([]entry{{kind: kindRecord, rec: rec}}); err != nil {
		return false, err
	}
	if key, ok := rec.Deal(); ok {
		if d, ok := b.Deal(key.ID()); ok && d.Spoken() {
			return false, b.append(ctx, []entry{{kind: kindRecord, rec: rec}})
		}
	} else if in, ok := b.Intent(topic(rec)); ok && !in.Waiting {
		return false, b.append(ctx, []entry{{kind: kindRecord, rec: rec}})
	}
	failpoint.Hit("book/before-inbox")
	id, box := b.sealer.sealWaiting(rec)
	if _, err := b.inbox.Put(ctx, b.sealer.bucket(rec), id, box, expires); err != nil {
		return false, err
	}
	failpoint.Hit("book/after-inbox")
	change := Change{Records: []*record.Record{rec}}
	b.mu.Lock()
	before := map[cid.Cid]*Deal{}
	for _, id := range b.ofIntent[topic(rec)] {
		before[id] = b.deals[id]
	}
	touched := map[cid.Cid]bool{}
	b.wait(rec, touched)
	for _, id := range b.foldAll(touched) {
		change.Deals = append(change.Deals, DealChange{before[id], b.deals[id]})
	}
	b.mu.Unlock()
	b.observe(change)
	return false, nil
}

// topic is the intent that a record is, or is about: what is locked for it.
func topic(rec *record.Record) cid.Cid {
	if key, ok := rec.Deal(); ok {
		return key.Intent
	}
	if s, ok := rec.FollowsUp(); ok {
		return s.Deal.Intent
	}
	switch body := rec.Body().(type) {
	case *record.Withdrawal:
		return body.Intent
	case *record.Introduction:
		return body.Intent
	}
	return rec.ID()
}

// Expire drops what has waited in the inbox for too long: keep tells which
// records may stay.
func (b *Book) Expire(keep func(*record.Record) bool) (dropped int) {
	b.mu.RLock()
	waiting := make([]*record.Record, 0, len(b.waiting))
	for _, rec := range b.waiting {
		waiting = append(waiting, rec)
	}
	b.mu.RUnlock()
	for _, rec := range waiting {
		if !keep(rec) {
			b.drop(rec)
			dropped++
		}
	}
	return dropped
}

func (b *Book) drop(rec *record.Record) {
	id := rec.ID()
	unlock := b.writing.lock(topic(rec))
	defer unlock()
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.waiting[id] == nil {
		return // answered meanwhile
	}
	delete(b.waiting, id)
	_ = b.inbox.Delete(b.sealer.bucket(rec), b.sealer.blind(id)) // a copy left behind waits again after the next start
	if in := b.intents[id]; in != nil && in.Waiting {
		delete(b.intents, id)
	}
	if rec.Type() == protocol.TypeIntroduction {
		b.unintroduce(rec)
	}
	key, ok := rec.Deal()
	if !ok {
		return
	}
	touched := map[cid.Cid]bool{}
	d := b.dealOf(key, touched)
	d.Inbox = without(d.Inbox, id)
	b.foldAll(touched)
	if len(d.Inbox)+len(d.Records) == 0 {
		// Nothing is left of it: strangers' deals don't pile up.
		b.forget(d)
	}
}

// Has tells whether the ledger or the inbox holds the record.
func (b *Book) Has(id cid.Cid) bool {
	_, ok := b.Record(id)
	return ok
}

// Record returns a record of the ledger or the inbox.
func (b *Book) Record(id cid.Cid) (*record.Record, bool) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	if e, ok := b.entries[id]; ok {
		return e.rec, true
	}
	rec, ok := b.waiting[id]
	return rec, ok
}

// InLedger tells whether the record is on the ledger, not just in the inbox.
func (b *Book) InLedger(id cid.Cid) bool {
	b.mu.RLock()
	defer b.mu.RUnlock()
	_, ok := b.entries[id]
	return ok
}

// Own tells whether this node signed the record.
func (b *Book) Own(id cid.Cid) bool {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.entries[id].own
}

// Records are the ledger's records in the order in which they came, with
// whether this node signed each.
func (b *Book) Records() iter.Seq2[*record.Record, bool] {
	return func(yield func(*record.Record, bool) bool) {
		b.mu.RLock()
		order := b.order[:len(b.order):len(b.order)]
		b.mu.RUnlock()
		for _, id := range order {
			b.mu.RLock()
			e := b.entries[id]
			b.mu.RUnlock()
			if !yield(e.rec, e.own) {
				return
			}
		}
	}
}

// Intent returns an intent of the book.
func (b *Book) Intent(id cid.Cid) (*Intent, bool) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	in, ok := b.intents[id]
	return in, ok
}

// Intents are all intents of the book: those of the ledger in the order in
// which they came, then those that wait.
func (b *Book) Intents() []*Intent {
	b.mu.RLock()
	defer b.mu.RUnlock()
	var out []*Intent
	for _, id := range b.order {
		if in := b.intents[id]; in != nil {
			out = append(out, in)
		}
	}
	return append(out, b.waitingIntents()...)
}

// WaitingIntents are those of the intents that wait in the inbox.
func (b *Book) WaitingIntents() []*Intent {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.waitingIntents()
}

func (b *Book) waitingIntents() (out []*Intent) {
	for id := range b.waiting {
		if in := b.intents[id]; in != nil && in.Waiting {
			out = append(out, in)
		}
	}
	return out
}

// Deal returns a deal's newest snapshot.
func (b *Book) Deal(id cid.Cid) (*Deal, bool) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	d, ok := b.deals[id]
	return d, ok && d.Intent != nil
}

// DealsOf are the deals on one intent.
func (b *Book) DealsOf(intent cid.Cid) []*Deal {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.dealsOf(intent)
}

func (b *Book) dealsOf(intent cid.Cid) []*Deal {
	var out []*Deal
	for _, id := range b.ofIntent[intent] {
		if d := b.deals[id]; d.Intent != nil {
			out = append(out, d)
		}
	}
	return out
}

// Addresses are all tokens of one's own.
func (b *Book) Addresses() map[[32]byte]Address {
	b.mu.RLock()
	defer b.mu.RUnlock()
	out := make(map[[32]byte]Address, len(b.tokens))
	for t, a := range b.tokens {
		out[t] = a
	}
	return out
}

// Address is what is behind a token of one's own.
func (b *Book) Address(token [32]byte) (Address, bool) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	a, ok := b.tokens[token]
	return a, ok
}

// Expects tells whether a token is one's own.
func (b *Book) Expects(token [32]byte) bool {
	b.mu.RLock()
	defer b.mu.RUnlock()
	_, ok := b.tokens[token]
	return ok
}

// Profile is one's own newest profile, or nil.
func (b *Book) Profile() *record.Record {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.profile
}

// Receipted tells whether the recipient has the record on its disk.
func (b *Book) Receipted(d Delivery) bool {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.receipts[d]
}

// Seeds are the sealing seeds behind one's own addresses.
func (b *Book) Seeds() []keyring.KeyID {
	b.mu.RLock()
	defer b.mu.RUnlock()
	var out []keyring.KeyID
	for _, e := range b.entries {
		if e.seed != (keyring.KeyID{}) {
			out = append(out, e.seed)
		}
	}
	return out
}

// Setting returns a setting's value, empty when unset.
func (b *Book) Setting(key string) string {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.settings[key]
}

// Settings are all settings whose key starts with prefix, without it.
func (b *Book) Settings(prefix string) map[string]string {
	b.mu.RLock()
	defer b.mu.RUnlock()
	out := map[string]string{}
	for k, v := range b.settings {
		if rest, ok := strings.CutPrefix(k, prefix); ok {
			out[rest] = v
		}
	}
	return out
}

// Set stores a setting; an empty value takes it back.
func (b *Book) Set(ctx context.Context, key, value string) error {
	unlock := b.writing.lock(cid.Undef) // the ledger's order is memory's
	defer unlock()
	return b.append(ctx, []entry{{kind: kindSetting, key: key, value: value}})
}

// Acknowledge notes that recipients have these records on their disks.
func (b *Book) Acknowledge(ctx context.Context, ds ...Delivery) error {
	var es []entry
	for _, d := range ds {
		b.mu.RLock()
		news := b.entries[d.Record].own && !b.receipts[d]
		b.mu.RUnlock()
		if news {
			es = append(es, entry{kind: kindReceipt, receipt: d})
		}
	}
	return b.append(ctx, es)
}
