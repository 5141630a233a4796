package desk

import (
	"context"
	"errors"
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

// maxDealRecords bounds what the other side of a deal can make this node keep.
const maxDealRecords = 64

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
	_, err = d.open(ctx, seed, envelope)
	if err == nil || errors.Is(err, errRefused) || protocol.CodeOf(err) == protocol.CodeMailboxFull {
		return nil
	}
	return err
}

// OpenDeposit takes an envelope that came as a file, for whichever own address
// it opens.
func (d *Desk) OpenDeposit(ctx context.Context, token [32]byte, envelope []byte) (*record.Record, error) {
	addr, ok := d.book.Addresses()[token]
	if !ok {
		return nil, &protocol.Error{Code: protocol.CodeSealOpenFailed, Detail: "this file is sealed to somebody else", Hint: "give it to the person who asked for it"}
	}
	seed, err := d.keys.Get(addr.Seed)
	if err != nil {
		return nil, protocol.Errorf(protocol.CodeSealOpenFailed, "", "the key that opens this file isn't here any more: %w", err)
	}
	return d.open(ctx, seed, envelope)
}

func (d *Desk) open(ctx context.Context, seed crypto.SealingSeed, envelope []byte) (*record.Record, error) {
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
	if err := d.take(ctx, bundle); err != nil {
		d.cfg.Log.Debug("a message was not taken", "type", main.Type(), "error", err)
		return main, err
	}
	return main, nil
}

// take persists a bundle, reacts to it in the same step, and says thanks.
func (d *Desk) take(ctx context.Context, bundle []*record.Record) error {
	main := bundle[len(bundle)-1]
	if d.Blocked(main.Header().By) {
		return refused(protocol.Errorf(protocol.CodeNotPermitted, "by", "its author is blocked here"))
	}
	failpoint.Hit("desk/before-take-" + main.Type())
	var err error
	switch body := main.Body().(type) {
	case *record.DeliveryReceipt:
		return d.acknowledged(ctx, main, body)
	case *record.Intent:
		err = d.takeRequest(ctx, main)
	case *record.Withdrawal:
		err = d.takeWithdrawal(ctx, main, body)
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

// takeRequest puts a request that was sealed to this seller into the inbox.
func (d *Desk) takeRequest(ctx context.Context, rec *record.Record) error {
	if err := rec.CheckTime(d.now()); err != nil {
		return refused(err)
	}
	_, err := d.book.Receive(ctx, rec, time.Unix(rec.ValidUntil(), 0))
	return err
}

func (d *Desk) takeWithdrawal(ctx context.Context, rec *record.Record, body *record.Withdrawal) error {
	in, ok := d.book.Intent(body.Intent)
	if !ok || in.Record.Header().By != rec.Header().By {
		return refused(protocol.Errorf(protocol.CodeMissingRecord, "intent", "the request that is withdrawn isn't known here"))
	}
	return d.book.Update(ctx, body.Intent, func(tx *book.Tx) error {
		tx.Keep(in.Record, rec)
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
		return refused(protocol.Errorf(protocol.CodeMissingRecord, "deal", "there is no deal on this request here"))
	}
	fresh, err := d.fitting(in, key, bundle)
	if err != nil {
		return refused(err)
	}
	if in.Own && !d.answered(key.ID()) {
		for _, rec := range fresh {
			expires := time.Unix(rec.Header().RetainUntil, 0)
			if limit := d.cfg.Now().Add(inboxFor); expires.After(limit) {
				expires = limit
			}
			if _, err := d.book.Receive(ctx, rec, expires); err != nil {
				return err
			}
		}
		return nil
	}
	return d.book.Update(ctx, key.Intent, func(tx *book.Tx) error {
		var news []*record.Record
		for _, rec := range fresh {
			if !tx.Has(rec.ID()) {
				news = append(news, rec)
			}
		}
		tx.Keep(news...)
		if dl, ok := tx.Deal(key.ID()); ok && dl.Role == book.Vendor && len(news) > 0 {
			return d.decide(ctx, tx, dl, news...)
		}
		return nil
	})
}

// fitting are the records of a bundle that belong to the deal and come from its
// two sides; what the node signed itself comes back after a restore.
func (d *Desk) fitting(in *book.Intent, key record.DealKey, bundle []*record.Record) ([]*record.Record, error) {
	customer := in.Record.Header().By
	if !in.Own && key.Vendor != d.keys.Identity().Persona().DID() {
		return nil, protocol.Errorf(protocol.CodeDealMismatch, "deal", "this deal is another seller's")
	}
	room := maxDealRecords
	if dl, ok := d.book.Deal(key.ID()); ok {
		room -= len(dl.Records) + len(dl.Inbox)
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
			if room--; room < 0 {
				return nil, protocol.Errorf(protocol.CodeOverQuota, "deal", "there are more than %d records in one deal", maxDealRecords)
			}
		}
		out = append(out, rec)
	}
	return out, nil
}

// answered tells whether this customer has said anything in the deal.
func (d *Desk) answered(id cid.Cid) bool {
	dl, ok := d.book.Deal(id)
	if !ok {
		return false
	}
	for _, rec := range dl.Records {
		if d.book.Own(rec.ID()) {
			return true
		}
	}
	return false
}

// acknowledged clears from the outbox what a recipient has on its disk.
func (d *Desk) acknowledged(ctx context.Context, rec *record.Record, body *record.DeliveryReceipt) error {
	var ds []book.Delivery
	for _, id := range body.Records {
		ds = append(ds, book.Delivery{Record: id, To: rec.Header().By})
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
	if !ok || in.Waiting {
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
