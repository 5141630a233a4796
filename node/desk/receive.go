package desk

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/ipfs/go-cid"

	"github.com/parley-protocol/parley/crypto"
	"github.com/parley-protocol/parley/node/book"
	"github.com/parley-protocol/parley/node/event"
	"github.com/parley-protocol/parley/node/failpoint"
	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/record"
)

// inboxFor is how long an unanswered record of a stranger waits at most.
const inboxFor = 180 * 24 * time.Hour

// endOfWait is until when a record waits in the inbox.
func (d *Desk) endOfWait(rec *record.Record) time.Time {
	expires, limit := time.Unix(rec.Header().RetainUntil, 0), d.cfg.Now().Add(inboxFor)
	if expires.After(limit) {
		return limit
	}
	return expires
}

// maxDealRecords bounds what the other side of a deal can make this node keep.
// Its last part is kept free of offers and counters: the decision must find room.
const (
	maxDealRecords = 64
	maxDealOffers  = 48

	maxWaiting      = 16 // of one seller on one request, unanswered
	maxWaitingBytes = 512 << 10
)

// errRefused marks what will never be taken, however often it is brought: the
// mailbox may forget it.
var errRefused = errors.New("refused")

func refused(err error) error { return errors.Join(err, errRefused) }

// receive takes one envelope that was left for an own address. It returns nil
// when the envelope may be removed: its records are on disk, or it is worthless.
func (d *Desk) receive(ctx context.Context, addr book.Address, envelope []byte) error {
	seed, err := d.keys.Get(addr.Seed)
	if err != nil {
		return nil // its key was destroyed: nobody can open it any more
	}
	_, err = d.open(ctx, addr, seed, envelope)
	if err == nil || errors.Is(err, errRefused) {
		return nil
	}
	switch protocol.CodeOf(err) {
	case protocol.CodeMailboxFull, protocol.CodeExpired, protocol.CodeErased:
		return nil // no receipt: its sender tries again while it is of use
	}
	return err
}

// OpenDeposit takes an envelope that came as a file, for whichever own address
// it opens.
func (d *Desk) OpenDeposit(ctx context.Context, token [32]byte, envelope []byte) (*record.Record, error) {
	addr, ok := d.book.Address(token)
	if !ok {
		return nil, &protocol.Error{Code: protocol.CodeSealOpenFailed, Detail: "this file is sealed to somebody else", Hint: "give it to the person who asked for it"}
	}
	seed, err := d.keys.Get(addr.Seed)
	if err != nil {
		return nil, protocol.Errorf(protocol.CodeSealOpenFailed, "", "the key that opens this file isn't here any more: %w", err)
	}
	return d.open(ctx, addr, seed, envelope)
}

func (d *Desk) open(ctx context.Context, addr book.Address, seed crypto.SealingSeed, envelope []byte) (*record.Record, error) {
	payload, err := seed.Open(envelope)
	if err != nil {
		d.cfg.Log.Debug("an envelope did not open", "error", err)
		return nil, refused(protocol.Errorf(protocol.CodeSealOpenFailed, "", "the message can't be opened: %w", err))
	}
	bundle, err := record.DecodeBundle(payload)
	if err != nil {
		return nil, refused(err)
	}
	main := bundle[len(bundle)-1]
	if !d.meant(addr.Record, main) {
		return main, refused(protocol.Errorf(protocol.CodeDealMismatch, "", "this address is for something else"))
	}
	if unasked(main) {
		d.receipts.on.Store(main.ID(), matter(addr.Record))
	}
	if err := d.take(ctx, bundle); err != nil {
		d.receipts.on.Delete(main.ID())
		d.cfg.Log.Debug("a message was not taken", "type", main.Type(), "error", err)
		return main, err
	}
	return main, nil
}

// meant tells whether a message may come to the address that an own record
// states. Each intent has addresses of its own, and whoever knows one of them
// must not find out, from whether an answer comes, what else is the same
// person's: a seller's profile, or another intent.
func (d *Desk) meant(addr, main *record.Record) bool {
	if receipt, ok := main.Body().(*record.DeliveryReceipt); ok {
		for _, id := range receipt.Records {
			if rec, ok := d.book.Record(id); !ok || !d.fits(addr, rec, main.Header().By) {
				return false
			}
		}
		return true
	}
	return d.fits(addr, main, main.Header().By)
}

// fits tells whether a record that goes to or comes from somebody may be spoken
// of at an own address. An assertion is about no request: it is exchanged with
// somebody with whom there is a deal, where that deal's mail goes.
func (d *Desk) fits(addr, rec *record.Record, with crypto.DID) bool {
	if !unasked(rec) {
		return d.sameMatter(addr, rec)
	}
	if !rec.Registered() && addr.Type() == protocol.TypeProfile {
		return true // a seller's profile is for everybody
	}
	return slices.ContainsFunc(d.dealsWith(with), func(dl *book.Deal) bool {
		return addr.Type() == protocol.TypeProfile || matter(addr) == dl.Key.Intent
	})
}

// sameMatter tells whether a record is about the intent that an own address was
// made for; a profile's address is for all intents of others.
func (d *Desk) sameMatter(addr, rec *record.Record) bool {
	intent := matter(rec)
	if addr.Type() != protocol.TypeProfile {
		return intent.Defined() && intent == matter(addr) && (rec.Type() != protocol.TypeIntent || d.book.Own(rec.ID()))
	}
	in, ok := d.book.Intent(intent)
	return !ok || !in.Own
}

// matter is the intent that a record is or is about, undefined for a profile.
func matter(rec *record.Record) cid.Cid {
	if key, ok := dealOf(rec); ok {
		return key.Intent
	}
	switch body := rec.Body().(type) {
	case *record.Intent:
		return rec.ID()
	case *record.Withdrawal:
		return body.Intent
	case *record.Introduction:
		return body.Intent
	case *record.DeletionNotice:
		return body.Intent
	}
	return cid.Undef
}

// take persists a bundle, reacts to it in the same step, and says thanks.
func (d *Desk) take(ctx context.Context, bundle []*record.Record) error {
	main := bundle[len(bundle)-1]
	if d.Blocked(main.Header().By) && !d.engaged(main) {
		return refused(protocol.Errorf(protocol.CodeNotPermitted, "by", "its author is blocked here"))
	}
	failpoint.Hit("desk/before-take-" + main.Type())
	var err error
	switch body := main.Body().(type) {
	case *record.DeliveryReceipt:
		return d.acknowledged(ctx, main, body)
	case *record.Intent:
		err = d.takeRequest(ctx, bundle)
	case *record.Withdrawal:
		err = d.takeWithdrawal(ctx, main, body)
	case *record.DeletionNotice:
		err = d.takeNotice(ctx, main, body)
	case *record.Introduction:
		err = d.takeIntroduction(ctx, bundle, body)
	case *record.Preference, *record.Membership, *record.TransactionHistory:
		err = d.takeAssertion(ctx, main)
	case *record.OrderEvent, *record.Receipt, *record.Outcome:
		err = d.takeFollowUp(ctx, main)
	case *record.Opaque:
		err = d.takeUnknown(ctx, main)
	default:
		err = d.takeInDeal(ctx, bundle)
	}
	failpoint.Hit("desk/after-take-" + main.Type())
	if err != nil {
		return err
	}
	d.receipt(main)
	return nil
}

// engaged tells whether a record belongs to what this node has begun: that is
// brought to its end, also with somebody who was blocked since.
func (d *Desk) engaged(rec *record.Record) bool {
	switch rec.Type() {
	case protocol.TypeDeliveryReceipt, protocol.TypeWithdrawal:
		return true
	}
	key, ok := dealOf(rec)
	return ok && d.spoken(key.ID())
}

// takeRequest puts a request that was sealed to this seller into the inbox, with
// the terms in the customer's own words.
func (d *Desk) takeRequest(ctx context.Context, bundle []*record.Record) error {
	rec := bundle[len(bundle)-1]
	if err := rec.CheckTime(d.now()); err != nil {
		return refused(err)
	}
	if err := d.placeForRequest(rec); err != nil {
		return refused(err)
	}
	for _, r := range append(d.carriedTerms(bundle), rec) {
		if _, err := d.book.Receive(ctx, r, time.Unix(rec.ValidUntil(), 0)); err != nil {
			return err
		}
	}
	return nil
}

func (d *Desk) takeWithdrawal(ctx context.Context, rec *record.Record, body *record.Withdrawal) error {
	in, ok := d.book.Intent(body.Intent)
	if !ok || in.Record.Header().By != rec.Header().By {
		return refused(protocol.Errorf(protocol.CodeMissingRecord, "intent", "the request that is withdrawn isn't known here"))
	}
	if in.Withdrawal != nil {
		return nil // one is enough: an author can sign any number of them
	}
	if !in.Own {
		defer d.work.add(func(ctx context.Context) { d.settle(ctx, body.Intent) })
	}
	if in.Waiting {
		_, err := d.book.Receive(ctx, rec, time.Unix(in.Record.ValidUntil(), 0))
		return err
	}
	return d.book.Update(ctx, body.Intent, func(tx *book.Tx) error {
		if in := tx.Intent(); in == nil || in.Withdrawal == nil {
			tx.Keep(rec)
		}
		return nil
	})
}

// takeInDeal takes the records of a deal: from a seller that this customer has
// not answered yet into the inbox, all others into the ledger, together with
// what they make this node decide.
func (d *Desk) takeInDeal(ctx context.Context, bundle []*record.Record) error {
	main := bundle[len(bundle)-1]
	key, ok := main.Deal()
	if !ok {
		return refused(protocol.Errorf(protocol.CodeUnknownType, "type", "a %q isn't something to be sent here", main.Type()))
	}
	in, ok := d.book.Intent(key.Intent)
	if !ok || in.Waiting {
		in, ok = d.forgotten(key, bundle)
	}
	if !ok {
		return refused(protocol.Errorf(protocol.CodeMissingRecord, "deal", "there is no deal on this request here"))
	}
	fresh, err := d.fitting(in, key, bundle)
	if err != nil {
		return refused(err)
	}
	if in.Own && !d.spoken(key.ID()) && !signedBy(fresh, in.Record.Header().By) {
		texts := d.carriedTerms(bundle)
		if err := d.roomToWait(key, fresh, texts); err != nil {
			return refused(err)
		}
		for _, rec := range append(texts, fresh...) {
			if _, err := d.book.Receive(ctx, rec, d.endOfWait(rec)); err != nil {
				return err
			}
		}
		return nil
	}
	again := d.book.Has(main.ID())
	err = d.book.Update(ctx, key.Intent, func(tx *book.Tx) error {
		var news []*record.Record
		for _, rec := range fresh {
			if !tx.Has(rec.ID()) {
				news = append(news, rec)
			}
		}
		if signedBy(news, self(in, key)) {
			d.doubt(tx, in)
			if dl, ok := tx.Deal(key.ID()); ok {
				tx.Keep(dl.Inbox...) // what it rests on must not expire
			}
		}
		if !in.Own {
			tx.Keep(in.Record)
			if news, err = d.adopt(tx, in, key, news); err != nil {
				return err
			}
			if !slices.Contains(news, main) && !tx.Has(main.ID()) {
				return refused(protocol.Errorf(protocol.CodeMissingRecord, "held", "the customer hasn't bound itself to this decision"))
			}
		}
		if len(news) > 0 {
			tx.Keep(d.carriedTerms(bundle)...)
		}
		tx.Keep(news...)
		if dl, ok := tx.Deal(key.ID()); ok && dl.Role == book.Vendor && len(news) > 0 {
			return d.decide(ctx, tx, dl, news...)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return d.tellAgain(ctx, key, main, again)
}

// fitting are the records of a bundle that belong to the deal and come from its
// two sides; what the node signed itself comes back after a restore.
func (d *Desk) fitting(in *book.Intent, key record.DealKey, bundle []*record.Record) ([]*record.Record, error) {
	customer := in.Record.Header().By
	if !in.Own && !d.ours(key.Vendor) {
		return nil, protocol.Errorf(protocol.CodeDealMismatch, "deal", "this deal is another seller's")
	}
	if !in.Own && key.Round > 1 && !d.spoken(key.ID()) && !d.mayBegin(key, bundle) && !signedBy(bundle, key.Vendor) {
		return nil, protocol.Errorf(protocol.CodeNotPermitted, "deal.round", "this round hasn't begun")
	}
	held, counters := 0, 0
	if dl, ok := d.book.Deal(key.ID()); ok {
		held, counters = len(dl.All()), len(dl.State.Counters)
	}
	var out []*record.Record
	for _, rec := range bundle {
		k, ok := rec.Deal()
		if !ok || k != key {
			continue
		}
		if by := rec.Header().By; by != customer && by != key.Vendor {
			return nil, protocol.Errorf(protocol.CodeWrongAuthor, "by", "a %s by somebody who has no part in the deal", rec.Type())
		}
		if err := rec.CheckTime(d.now()); err != nil && protocol.CodeOf(err) == protocol.CodeNotYetValid {
			return nil, err
		}
		if !d.book.Has(rec.ID()) {
			room := maxDealRecords
			switch rec.Type() {
			case protocol.TypeOffer:
				room = maxDealOffers
			case protocol.TypeCounter:
				room = maxDealOffers
				if counters++; counters > protocol.MaxCounters {
					return nil, protocol.Errorf(protocol.CodeOverQuota, "deal", "there are more than %d counters in one deal", protocol.MaxCounters)
				}
			}
			if held++; held > room {
				return nil, protocol.Errorf(protocol.CodeOverQuota, "deal", "there are more than %d records in one deal", room)
			}
		}
		out = append(out, rec)
	}
	return out, nil
}

// roomToWait bounds what one seller may leave on a request before the person has
// answered, the texts of its terms included, so that a few can't take the room of
// all.
func (d *Desk) roomToWait(key record.DealKey, fresh, texts []*record.Record) error {
	var waiting []*record.Record
	taken := 0
	for _, dl := range d.book.DealsOf(key.Intent) {
		taken += len(dl.Inbox)
		if dl.Key.Vendor == key.Vendor {
			waiting = append(waiting, dl.Inbox...)
		}
	}
	before := len(waiting)
	for _, rec := range fresh {
		if !d.book.Has(rec.ID()) {
			waiting = append(waiting, rec)
		}
	}
	size := 0
	for _, rec := range waiting {
		size += rec.Size()
		for _, text := range d.citedTerms(rec) {
			size += text.Size()
		}
	}
	for _, text := range texts {
		size += text.Size()
	}
	if len(waiting) > before && (len(waiting) > maxWaiting || size > maxWaitingBytes) {
		return protocol.Errorf(protocol.CodeOverQuota, "deal", "%d records of this seller wait for an answer already", before)
	}
	if len(waiting) == before {
		return nil
	}
	return d.placeFor(key.Vendor, taken, before)
}

// spoken tells whether this node's side has said anything in the deal.
func (d *Desk) spoken(id cid.Cid) bool {
	dl, ok := d.book.Deal(id)
	return ok && dl.Spoken()
}

func signedBy(recs []*record.Record, by crypto.DID) bool {
	return slices.ContainsFunc(recs, func(rec *record.Record) bool { return rec.Header().By == by })
}

// adopt takes the decisions of this seller that it has lost for its own again, if
// the customer has bound itself to them, and leaves out all others: else a
// customer could show the decision, and void the deal afterwards.
func (d *Desk) adopt(tx *book.Tx, in *book.Intent, key record.DealKey, news []*record.Record) ([]*record.Record, error) {
	st, err := tx.State(in.Record, key, news...)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(news, func(rec *record.Record) bool {
		if !decision(rec) || rec.Header().By != key.Vendor {
			return false
		}
		if st.MayAdopt(rec.ID()) == nil {
			tx.Adopt(rec)
		}
		return true
	}), nil
}

// acknowledged clears from the outbox what a recipient has on its disk.
func (d *Desk) acknowledged(ctx context.Context, rec *record.Record, body *record.DeliveryReceipt) error {
	var ds []book.Delivery
	for _, id := range body.Records {
		// Anybody can sign a receipt: only the recipient's counts, and is kept.
		own, ok := d.book.Record(id)
		if del := (book.Delivery{Record: id, To: rec.Header().By}); ok && d.book.Own(id) && slices.Contains(d.deliveries(own), del) {
			ds = append(ds, del)
		}
	}
	if err := d.book.Acknowledge(ctx, ds...); err != nil {
		return err
	}
	for _, del := range ds {
		d.outbox.Done(del)
		d.events.Publish(event.Event{At: d.cfg.Now(), Kind: event.DeliveryPersisted, Record: del.Record.String(), By: string(del.To),
			Text: "The other side has it."})
	}
	return nil
}

// settle does what an intent's deals ask for by themselves.
func (d *Desk) settle(ctx context.Context, intent cid.Cid) {
	in, ok := d.book.Intent(intent)
	if !ok {
		return
	}
	if !in.Own && in.Withdrawal != nil {
		if err := d.answerWithdrawal(ctx, in); err != nil && ctx.Err() == nil {
			d.cfg.Log.Error("a withdrawal could not be answered; it is tried again at the next start", "error", err)
		}
	}
	if in.Waiting {
		return
	}
	err := error(nil)
	if in.Own {
		err = d.settleCustomer(ctx, intent)
	} else {
		err = d.settleVendor(ctx, intent)
	}
	if err != nil && ctx.Err() == nil {
		d.cfg.Log.Error("a deal could not be settled; it is tried again at the next change", "error", err)
	}
}
