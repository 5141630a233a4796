package desk

import (
	"context"
	"slices"

	"github.com/parley-protocol/parley/crypto"
	"github.com/parley-protocol/parley/node/book"
	"github.com/parley-protocol/parley/node/event"
	"github.com/parley-protocol/parley/node/keyring"
	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/deal"
	"github.com/parley-protocol/parley/protocol/record"
)

// What a side does that may have signed more than it knows: after a restore, or
// with another writer of its key. The rules are "After a restore" in
// spec/06-deals.md.

// decision tells whether a record decides a deal.
func decision(rec *record.Record) bool {
	return rec.Type() == protocol.TypeConfirmation || rec.Type() == protocol.TypeVoid
}

// self is the author of this side's records in a deal.
func self(in *book.Intent, key record.DealKey) crypto.DID {
	if in.Own {
		return in.Record.Header().By
	}
	return key.Vendor
}

// doubt notes that a record of one's own came from outside that isn't known: not
// all that this side has signed is here.
func (d *Desk) doubt(tx *book.Tx, in *book.Intent) {
	if d.book.Recovering(in.Record) != "" {
		return
	}
	tx.Doubt(book.WhyWriter, d.now())
	d.events.Publish(event.Event{At: d.cfg.Now(), Kind: event.DealRecovering, Intent: in.Record.ID().String(),
		Text: "A record came that was signed with your key and that this node doesn't know: another node writes with it, or its memory is not whole."})
}

// forgotten is the intent of a deal that this seller doesn't know, if the bundle
// shows that it has spoken in it: with a record that nobody else can have signed.
func (d *Desk) forgotten(key record.DealKey, bundle []*record.Record) (*book.Intent, bool) {
	if !d.ours(key.Vendor) || !slices.ContainsFunc(bundle, func(rec *record.Record) bool {
		of, ok := rec.Deal()
		return ok && of == key && rec.Header().By == key.Vendor
	}) {
		return nil, false
	}
	for _, rec := range bundle {
		if rec.ID() == key.Intent && rec.Type() == protocol.TypeIntent {
			return &book.Intent{Record: rec}, true
		}
	}
	rec, err := d.knownIntent(d.ctx, key.Intent)
	return &book.Intent{Record: rec}, err == nil
}

// mayLack tells whether the recipient of an own record may have lost the offers
// that it rests on.
func mayLack(dl *book.Deal, rec *record.Record) bool {
	if rec.Type() == protocol.TypeHeld {
		return true
	}
	return dl.Role == book.Vendor && decision(rec) && slices.ContainsFunc(dl.State.Asks, recovered)
}

// recovered tells whether a record is the cancel of a customer that came back from
// a backup.
func recovered(rec *record.Record) bool {
	cancel, ok := rec.Body().(*record.Cancel)
	return ok && cancel.Reason == protocol.ReasonRecovered
}

// lossTold tells whether a record gives the address of a side that came back.
func lossTold(rec *record.Record) bool {
	_, says := rec.ReplyTo()
	return says && (rec.Type() == protocol.TypeRestored || recovered(rec))
}

// maxReminder bounds a message with all that its recipient may have lost, in
// bytes of records.
const maxReminder = 128 << 10

// remind puts before an acceptance or an ask what its seller may have lost since,
// or not have yet: the intent, and the offer that is accepted or the newest one, or
// else the word for the round. A seller that finds an offer of its own there that
// it doesn't know has forgotten something, and knows so. A message that would be
// too large goes without.
func (d *Desk) remind(dl *book.Deal, rec *record.Record, cited []*record.Record) []*record.Record {
	switch rec.Body().(type) {
	case *record.Acceptance, *record.Cancel, *record.Decline, *record.AwardNotice:
	default:
		return cited
	}
	more := []*record.Record{dl.Intent.Record}
	if acc := dl.State.Acceptance; acc != nil {
		if offer := dl.Find(acc.Body().(*record.Acceptance).Offer); offer != nil {
			more = append(more, offer)
		}
		if acc.ID() != rec.ID() {
			more = append(more, acc)
		}
	} else if n := len(dl.State.Offers); n > 0 {
		more = append(more, dl.State.Offers[n-1])
	} else if len(dl.State.NextRounds) > 0 {
		more = append(more, dl.State.NextRounds[0])
	}
	for _, r := range cited {
		if !slices.ContainsFunc(more, func(m *record.Record) bool { return m.ID() == r.ID() }) {
			more = append(more, r)
		}
	}
	size := rec.Size()
	for _, r := range more {
		size += r.Size()
	}
	if len(more) >= protocol.MaxBundleRecords || size > maxReminder {
		return cited
	}
	return more
}

// tellAgain sends a seller's decision once more to a customer that asks for it, or
// that says again what was decided already: it came back from a backup, and what
// it had acknowledged may be lost.
func (d *Desk) tellAgain(ctx context.Context, key record.DealKey, main *record.Record, again bool) error {
	dl, ok := d.book.Deal(key.ID())
	if !ok || dl.Role != book.Vendor || main.Header().By != dl.State.Customer {
		return nil
	}
	switch main.Body().(type) {
	case *record.Acceptance, *record.Decline, *record.AwardNotice, *record.Cancel:
		if !again && !recovered(main) {
			return nil
		}
	default:
		return nil
	}
	var ds []book.Delivery
	for _, rec := range dl.Records {
		if decision(rec) && d.book.Own(rec.ID()) {
			ds = append(ds, book.Delivery{Record: rec.ID(), To: dl.State.Customer})
		}
	}
	owed, err := d.book.Lost(ctx, ds...)
	if err != nil {
		return err
	}
	for _, del := range ds {
		// What was under way to an address that is lost goes to the new one.
		if slices.Contains(owed, del) || recovered(main) && !d.book.Receipted(del) {
			d.outbox.Put(del)
		}
	}
	return nil
}

// freshReplyTo is an address of which nothing is lost.
func (d *Desk) freshReplyTo(ctx context.Context, mailboxes func() []string) (keyring.KeyID, *record.ReplyTo, error) {
	id, seed, err := d.keys.Take(ctx)
	if err != nil {
		return id, nil, err
	}
	to, err := d.replyTo(crypto.SuiteMLKEM768X25519, seed, mailboxes)
	return id, &to, err
}

// stale tells whether a deal ended by itself long ago: there is no reason to ask
// its other side about it of one's own accord.
func (d *Desk) stale(dl *book.Deal) bool {
	if dl.State.Phase != deal.PhaseOpen {
		return false
	}
	last := dl.Intent.Record.ValidUntil()
	for _, r := range dl.All() {
		last = max(last, r.Header().At, r.ValidUntil())
	}
	return d.now() >= last+lateFor
}

// ownIntentOf tells whether an intent that came from outside is signed with a key
// of this node's: the salt in it tells, and leads to the key.
func (d *Desk) ownIntentOf(rec *record.Record) bool {
	body, ok := rec.Body().(*record.Intent)
	if !ok || d.book.Own(rec.ID()) {
		return false
	}
	branch := d.keys.Identity().Customer()
	return branch.MadeSalt(body.Salt) && branch.IntentKey(body.Salt).DID() == rec.Header().By
}

// findOwn takes an own intent that this node had lost for its own again. Nothing
// is accepted on it; it can be withdrawn.
func (d *Desk) findOwn(ctx context.Context, rec *record.Record) error {
	found := false
	err := d.book.Update(ctx, rec.ID(), func(tx *book.Tx) error {
		if found = !d.book.Own(rec.ID()); found {
			tx.Find(rec)
		}
		return nil
	})
	if err == nil && found {
		// It was published once, by this node or by another with its keys.
		err = d.noteSpread(ctx, rec)
		d.events.Publish(event.Event{At: d.cfg.Now(), Kind: event.IntentFound, Record: rec.ID().String(), Intent: rec.ID().String(), Type: rec.Type(),
			By: string(rec.Header().By), Text: "A request of yours was found that this node didn't know any more. Nothing can be accepted on it here; it can be withdrawn."})
	}
	return err
}

// explainRecovering says what recovering means on a request that the person may
// know nothing of.
func explainRecovering(err error, why book.Why) error {
	if protocol.CodeOf(err) != protocol.CodeRecovering {
		return err
	}
	switch why {
	case book.WhyRestored:
		return &protocol.Error{Code: protocol.CodeRecovering, Field: "intent", Detail: "this request is older than the last restore of this node, which may have signed something on it and not know it any more",
			Hint: "what was under way on it is being asked for; deal on later requests"}
	case book.WhyFound, book.WhyWriter:
		return &protocol.Error{Code: protocol.CodeRecovering, Field: "intent", Detail: "not all that was signed on this request with your key is known here",
			Hint: "use the node that knows, or a new request"}
	}
	return err
}

// refreshProfile presents the seller again after a restore: the address in the old
// profile may lead to the node that is gone.
func (d *Desk) refreshProfile(ctx context.Context) error {
	old := d.book.Profile()
	if old == nil || old.Header().At > d.book.RestoredAt() {
		return nil
	}
	_, err := d.SetProfile(ctx, *old.Body().(*record.Profile))
	return err
}

// newAddress is where a seller says, in its profile, that it is reached now, unless
// it has spoken in the deal since: to what it has told in the deal
// there came no receipt, and it may have lost the key behind it.
func (d *Desk) newAddress(ctx context.Context, dl *book.Deal, to crypto.DID) (record.ReplyTo, bool) {
	if dl.Role != book.Customer {
		return record.ReplyTo{}, false
	}
	rec, err := d.newestProfile(ctx, to)
	if err != nil {
		return record.ReplyTo{}, false
	}
	for _, r := range dl.All() {
		if _, says := r.ReplyTo(); says && r.Header().By == to && r.Header().At > rec.Header().At {
			return record.ReplyTo{}, false
		}
	}
	return rec.Body().(*record.Profile).ReplyTo, true
}

// sendAgain makes due what was sent to a seller and not acknowledged: it has just
// said that it is reached at another address.
func (d *Desk) sendAgain(to crypto.DID) {
	for _, s := range d.outbox.Pending() {
		if s.To == to && s.Attempts > 0 {
			d.outbox.Put(s.Delivery)
		}
	}
}

// importProfile takes a profile of this node's seller for its own again, unless
// there is a newer one.
func (d *Desk) importProfile(ctx context.Context, rec *record.Record) (bool, error) {
	taken := false
	err := d.book.Update(ctx, rec.ID(), func(tx *book.Tx) error {
		cur := d.book.Profile()
		if taken = cur == nil || cur.Header().At < rec.Header().At; taken {
			tx.Adopt(rec)
		}
		return nil
	})
	return taken, err
}

// importOwn takes a record of a deal of this seller's out of a file of its own: the
// person vouches for it.
func (d *Desk) importOwn(ctx context.Context, key record.DealKey, rec *record.Record, all []*record.Record) (bool, error) {
	in, err := d.knownIntent(ctx, key.Intent)
	if i := slices.IndexFunc(all, func(r *record.Record) bool { return r.ID() == key.Intent && r.Type() == protocol.TypeIntent }); i >= 0 {
		in, err = all[i], nil
	}
	if err != nil {
		return false, nil // without its request it says nothing: it is kept as it is
	}
	return true, d.book.Update(ctx, key.Intent, func(tx *book.Tx) error {
		st, err := tx.State(in, key, rec)
		if err != nil {
			return err
		}
		tx.Keep(in)
		if rec.Header().By != key.Vendor {
			tx.Keep(rec)
			return nil
		}
		d.doubt(tx, &book.Intent{Record: in})
		// Once restored is said, the customer's answer decides what holds.
		if decision(rec) && st.Restored == nil {
			tx.Adopt(rec)
		} else if !decision(rec) {
			tx.Keep(rec)
		}
		return nil
	})
}
