package desk

import (
	"context"
	"slices"

	"github.com/parley-protocol/parley/crypto"
	"github.com/parley-protocol/parley/node/book"
	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/deal"
	"github.com/parley-protocol/parley/protocol/record"
)

// maxNotices bounds the notices of one author about one intent.
const maxNotices = 16

// takeNotice keeps what the other side says that it has erased.
func (d *Desk) takeNotice(ctx context.Context, rec *record.Record, body *record.DeletionNotice) error {
	in, ok := d.book.Intent(body.Intent)
	if !ok {
		return refused(protocol.Errorf(protocol.CodeMissingRecord, "intent", "the request that the notice is about isn't known here"))
	}
	if !d.mayNotify(in, rec.Header().By, body) {
		return refused(protocol.Errorf(protocol.CodeWrongAuthor, "by", "a deletion notice by somebody who had nothing of this"))
	}
	err := d.book.Update(ctx, body.Intent, func(tx *book.Tx) error {
		n := 0
		for _, old := range d.book.Notices(body.Intent) {
			if old.Header().By == rec.Header().By {
				n++
			}
		}
		if !tx.Has(rec.ID()) && n >= maxNotices {
			return refused(protocol.Errorf(protocol.CodeOverQuota, "by", "there are %d notices by this author already", n))
		}
		tx.Keep(rec)
		return nil
	})
	if err != nil || !in.Own {
		return err
	}
	// Whoever tells of a withdrawn request what became of it has read both.
	var read []book.Delivery
	if in.Withdrawal != nil {
		for _, id := range []*record.Record{in.Record, in.Withdrawal} {
			read = append(read, book.Delivery{Record: id.ID(), To: rec.Header().By})
		}
	}
	for _, del := range read {
		d.outbox.Done(del)
	}
	return d.book.Acknowledge(ctx, read...)
}

// mayNotify tells whether an author can have had anything of an intent: its own
// author, a seller that it was sealed to, or one that has spoken in a deal on it.
func (d *Desk) mayNotify(in *book.Intent, by crypto.DID, body *record.DeletionNotice) bool {
	if body.Deal != nil && body.Deal.Vendor != by && in.Record.Header().By != by {
		return false
	}
	if !in.Own {
		return in.Record.Header().By == by
	}
	for _, to := range in.To {
		if to == by {
			return true
		}
	}
	for _, dl := range d.book.DealsOf(in.Record.ID()) {
		if dl.Key.Vendor == by && len(dl.All()) > 0 {
			return true
		}
	}
	return false
}

// thanksForNotice tells who signs the receipt for a notice, and where it goes:
// its author may have destroyed the address that it had in the deal.
func (d *Desk) thanksForNotice(ctx context.Context, rec *record.Record) ([]crypto.Signer, record.ReplyTo, error) {
	in, ok := d.book.Intent(rec.Body().(*record.DeletionNotice).Intent)
	if !ok {
		return nil, record.ReplyTo{}, protocol.Errorf(protocol.CodeMissingRecord, "", "nobody to thank")
	}
	if !in.Own {
		return d.recipients(), in.Body().ReplyTo, nil
	}
	signers := []crypto.Signer{d.intentKey(in)}
	if p, err := d.profileOf(ctx, rec.Header().By); err == nil {
		return signers, p.ReplyTo, nil
	}
	for _, dl := range d.book.DealsOf(in.Record.ID()) {
		if dl.Key.Vendor == rec.Header().By {
			to, err := d.addressIn(ctx, dl.Key, dl.Key.Vendor)
			return signers, to, err
		}
	}
	return nil, record.ReplyTo{}, protocol.Errorf(protocol.CodeMissingRecord, "", "nobody to thank")
}

// answerWithdrawal tells the customer what this seller held of a request that was
// withdrawn, and what becomes of it: what waited unanswered is gone, and what was
// said in deals is kept until its time.
func (d *Desk) answerWithdrawal(ctx context.Context, in *book.Intent) error {
	id := in.Record.ID()
	if slices.ContainsFunc(d.book.Notices(id), func(rec *record.Record) bool { return d.book.Own(rec.ID()) }) {
		return nil // it has been told
	}
	notice := &record.DeletionNotice{Intent: id}
	vendor := d.keys.Identity().Persona().DID()
	deals := d.book.DealsOf(id)
	if in.Waiting {
		notice.Erased = append(notice.Erased, id)
	}
	for _, dl := range deals {
		if dl.Role != book.Vendor {
			continue
		}
		vendor = dl.Key.Vendor
		for _, rec := range dl.Records {
			if len(notice.Kept) == protocol.MaxNoticeRecords {
				notice.Description = "And further records of the same deal."
				break
			}
			notice.Kept = append(notice.Kept, kept(dl, rec))
		}
	}
	if !in.Waiting && len(deals) > 0 && len(notice.Kept) < protocol.MaxNoticeRecords {
		notice.Kept = append(notice.Kept, kept(deals[0], in.Record))
	}
	if len(notice.Erased)+len(notice.Kept) == 0 {
		return nil
	}
	rec, err := d.signNotice(in, vendor, notice)
	if err != nil {
		return err
	}
	if in.Waiting {
		// Nothing of it is in the ledger, and nothing is to come there: strangers
		// could fill it. The customer withdraws again if this doesn't arrive.
		to := in.Body().ReplyTo
		select {
		case d.receipts.strangers <- message{rec: rec, to: &to}:
		default:
			return nil // too much is owed; it waits for its end as before
		}
		d.book.Expire(func(waiting *record.Record) bool {
			w, is := waiting.Body().(*record.Withdrawal)
			return waiting.ID() != id && !(is && w.Intent == id)
		})
		return nil
	}
	return d.book.Update(ctx, id, func(tx *book.Tx) error {
		tx.SignTo(rec, in.Record.Header().By, in.Body().ReplyTo)
		return nil
	})
}

// kept is why a record of a deal stays, and until when.
func kept(dl *book.Deal, rec *record.Record) record.Kept {
	k := record.Kept{Record: rec.ID(), Reason: protocol.ReasonOther, Until: rec.Header().RetainUntil}
	switch dl.State.Phase {
	case deal.PhaseAgreed:
		k.Reason = protocol.ReasonAgreement
	case deal.PhaseConflict:
		k.Reason = protocol.ReasonDispute
	}
	return k
}
