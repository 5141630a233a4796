package desk

import (
	"context"
	"sync"
	"time"

	"github.com/ipfs/go-cid"

	"github.com/parley-protocol/parley/crypto"
	"github.com/parley-protocol/parley/node/failpoint"
	"github.com/parley-protocol/parley/node/outbox"
	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/record"
)

// Receipts are neither kept nor receipted: one that is lost is asked for by the
// next copy of what it acknowledges.
const (
	receiptSenders = 4 // for each of the two queues
	receiptTime    = 30 * time.Second
	receiptTries   = 5
	thankAgainFor  = time.Hour
	receiptKept    = 30 * 24 * time.Hour
)

// message is a record to thank for, or, with an address, one to be sent.
type message struct {
	rec *record.Record
	to  *record.ReplyTo
}

// receipts are the thank-yous that are owed. Those in deals in which this node
// has spoken have a queue of their own: a stranger can name mailboxes that never
// answer, and keep senders busy.
type receipts struct {
	engaged, strangers chan message
	on                 *sync.Map // assertions: the intent to whose address they came
}

func newReceipts() receipts {
	return receipts{make(chan message, 1024), make(chan message, 1024), new(sync.Map)}
}

// receipt tells a record's author, soon, that it is on disk here.
func (d *Desk) receipt(rec *record.Record) {
	queue := d.receipts.strangers
	if d.engaged(rec) {
		queue = d.receipts.engaged
	}
	select {
	case queue <- message{rec: rec}:
	default: // the sender will send again
	}
}

// thankAgain sends the receipts that the last run may have died before sending,
// or else their senders would only ask in a while.
func (d *Desk) thankAgain() {
	since := d.now() - int64(thankAgainFor/time.Second)
	for _, dl := range d.book.Deals() {
		for _, rec := range append(dl.All(), dl.After...) {
			if rec.Header().At >= since && !d.book.Own(rec.ID()) {
				d.receipt(rec)
			}
		}
	}
}

func (d *Desk) sendReceipts(ctx context.Context, queue <-chan message) {
	for {
		select {
		case <-ctx.Done():
			return
		case m := <-queue:
			if m.to == nil {
				d.sendReceipt(ctx, m.rec)
			} else {
				d.sendOnce(ctx, m)
			}
		}
	}
}

func (d *Desk) sendReceipt(ctx context.Context, rec *record.Record) {
	ctx, cancel := context.WithTimeout(ctx, receiptTime)
	defer cancel()
	signers, to, err := d.thanks(ctx, rec)
	if err != nil || len(to.Mailboxes) == 0 {
		return
	}
	for _, signer := range signers {
		d.leaveReceipt(ctx, rec, signer, to)
	}
}

func (d *Desk) leaveReceipt(ctx context.Context, rec *record.Record, signer crypto.Signer, to record.ReplyTo) {
	now := d.now()
	thanks, err := record.Sign(record.Header{At: now, RetainUntil: now + int64(receiptKept/time.Second)},
		&record.DeliveryReceipt{Records: []cid.Cid{rec.ID()}}, signer)
	if err != nil {
		d.cfg.Log.Error("a receipt could not be signed", "error", err)
		return
	}
	d.leave(ctx, d.purpose(rec), to, thanks)
}

// sendOnce brings what isn't kept to its recipient, if it can be reached now.
func (d *Desk) sendOnce(ctx context.Context, m message) {
	ctx, cancel := context.WithTimeout(ctx, receiptTime)
	defer cancel()
	if len(m.to.Mailboxes) > 0 {
		d.leave(ctx, d.purpose(m.rec), *m.to, m.rec)
	}
}

// leave seals a record and leaves it in a mailbox, with a few tries.
func (d *Desk) leave(ctx context.Context, purpose string, to record.ReplyTo, rec *record.Record) {
	payload, err := record.EncodeBundle(rec)
	if err != nil {
		return
	}
	wait := time.Second
	for range receiptTries {
		env, err := crypto.Seal(to.Suite, to.Key, payload)
		if err != nil {
			return // its address is no key: nobody can be thanked
		}
		failpoint.Hit("desk/before-receipt")
		_, err = d.mail.Deposit(ctx, outbox.Message{Purpose: purpose, Mailboxes: to.Mailboxes, Token: to.Token, Envelope: env, Copies: outbox.Copies})
		failpoint.Hit("desk/after-receipt")
		if err == nil {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
			wait *= 2
		}
	}
}

// thanks tells who signs the receipt for a record, and where it goes.
func (d *Desk) thanks(ctx context.Context, rec *record.Record) ([]crypto.Signer, record.ReplyTo, error) {
	if rec.Type() == protocol.TypeDeletionNotice {
		return d.thanksForNotice(ctx, rec)
	}
	key, ok := dealOf(rec)
	toProfile := false
	if unasked(rec) {
		key, toProfile, ok = d.sharedOn(rec)
	}
	if !ok {
		if !rec.Registered() {
			p, err := d.profileOf(ctx, rec.Header().By)
			if err != nil {
				return nil, record.ReplyTo{}, err
			}
			return d.recipients(), p.ReplyTo, nil
		}
		body, ok := rec.Body().(*record.Intent)
		if !ok {
			in, known := d.book.Intent(matter(rec))
			if !known {
				return nil, record.ReplyTo{}, protocol.Errorf(protocol.CodeMissingRecord, "", "nobody to thank")
			}
			body = in.Body()
		}
		return d.recipients(), body.ReplyTo, nil
	}
	in, ok := d.book.Intent(key.Intent)
	if !ok {
		return nil, record.ReplyTo{}, protocol.Errorf(protocol.CodeMissingRecord, "deal", "nobody to thank")
	}
	to, err := d.addressIn(ctx, key, otherSide(in, key))
	if in.Own {
		return []crypto.Signer{d.intentKey(in)}, to, err
	}
	signers := []crypto.Signer{d.vendorKey(key.Vendor)}
	if toProfile { // it may be meant for a key that came after the deal's
		for _, key := range d.recipients() {
			if key.DID() != signers[0].DID() {
				signers = append(signers, key)
			}
		}
	}
	return signers, to, err
}

// sharedOn is the deal in which an assertion was shared with this node, or, of
// one that came to where this seller's profile leads, any with its author.
func (d *Desk) sharedOn(rec *record.Record) (key record.DealKey, toProfile, ok bool) {
	on, known := d.receipts.on.LoadAndDelete(rec.ID())
	intent, _ := on.(cid.Cid)
	toProfile = known && !intent.Defined()
	for _, dl := range d.dealsWith(rec.Header().By) {
		if !intent.Defined() || intent == dl.Key.Intent {
			return dl.Key, toProfile, true
		}
	}
	return record.DealKey{}, false, false
}
