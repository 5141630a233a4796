package desk

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/ipfs/go-cid"

	"github.com/parley-protocol/parley/crypto"
	"github.com/parley-protocol/parley/node/book"
	"github.com/parley-protocol/parley/node/event"
	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/deal"
	"github.com/parley-protocol/parley/protocol/record"
)

// Erasure is what erasing comes to: shown before it is done, and reported after.
type Erasure struct {
	Intent  *book.Intent
	Deals   []*book.Deal // all rounds with that seller; of an intent, those with every seller
	Request bool         // the request itself goes too
	Records []*record.Record
	Notice  *record.Record // what the other side is told; nil: nothing, or not yet
	// Undelivered are own records that the other side has not said it has. They
	// will not be sent again.
	Undelivered []*record.Record
	// Agreement says that an agreement is among them.
	Agreement bool
	// Keep is until when an agreement must be kept, 0: no longer.
	Keep int64
}

// PlanErase tells what erasing a deal would do, with an error when it may not be
// erased: by code not_permitted while something may still come of it, or while
// an agreement must be kept; recovering, when it isn't known what was signed; and
// not_found or erased.
//
// Rounds with one seller are erased together, for one follows from the other.
func (d *Desk) PlanErase(id cid.Cid) (Erasure, error) {
	dl, ok := d.book.Deal(id)
	if !ok {
		if t, gone := d.book.Tombstone(id); gone {
			return Erasure{}, erasedAlready("deal", t)
		}
		return Erasure{}, protocol.Errorf(protocol.CodeNotFound, "deal", "there is no deal with the ID %s", id)
	}
	e := Erasure{Intent: dl.Intent}
	others := 0
	for _, other := range d.book.DealsOf(dl.Key.Intent) {
		if other.Key.Vendor == dl.Key.Vendor {
			e.Deals = append(e.Deals, other)
		} else {
			others++
		}
	}
	// A request of others is here because of its deals alone.
	e.Request = !dl.Intent.Own && others == 0
	return d.plan(e)
}

// PlanEraseIntent is [Desk.PlanErase] for an own request with all its deals.
func (d *Desk) PlanEraseIntent(id cid.Cid) (Erasure, error) {
	in, ok := d.book.Intent(id)
	if !ok || !in.Own {
		if t, gone := d.book.Tombstone(id); gone {
			return Erasure{}, erasedAlready("request", t)
		}
		return Erasure{}, protocol.Errorf(protocol.CodeNotFound, "intent", "no request of yours has the ID %s", id)
	}
	e := Erasure{Intent: in, Deals: d.book.DealsOf(id), Request: true}
	if in.Withdrawal == nil && d.now() <= in.Record.ValidUntil() {
		e.fill(d)
		return e, &protocol.Error{Code: protocol.CodeNotPermitted, Field: "intent", Detail: "the request is open: offers may come",
			Hint: "withdraw it first: parley intent withdraw " + id.String()}
	}
	return d.plan(e)
}

func erasedAlready(what string, t book.Tombstone) error {
	how := "it had been decided by nobody"
	if t.Decided != "" {
		how = fmt.Sprintf("a %s had decided it", t.Decided)
	}
	if what == "request" {
		how = "nothing of it is left here"
	}
	return protocol.Errorf(protocol.CodeErased, what, "this %s was erased here on %s; %s", what, time.Unix(t.At, 0).UTC().Format(time.DateOnly), how)
}

func (d *Desk) plan(e Erasure) (Erasure, error) {
	e.fill(d)
	for _, dl := range e.Deals {
		if err := d.mayErase(dl); err != nil {
			return e, err
		}
	}
	return e, nil
}

// fill gathers what the erasure is about.
func (e *Erasure) fill(d *Desk) {
	now := d.now()
	if e.Request {
		e.Records = append(e.Records, e.Intent.Record)
		if e.Intent.Withdrawal != nil {
			e.Records = append(e.Records, e.Intent.Withdrawal)
		}
	}
	for _, dl := range e.Deals {
		all := append(dl.All(), dl.After...)
		e.Records = append(e.Records, all...)
		for _, rec := range all {
			if !d.book.Own(rec.ID()) || d.pointless(rec) {
				continue
			}
			for _, del := range d.deliveries(rec) {
				if !d.book.Receipted(del) {
					e.Undelivered = append(e.Undelivered, rec)
				}
			}
		}
		if dl.State.Phase == deal.PhaseAgreed || dl.State.Phase == deal.PhaseConflict {
			e.Agreement = true
			for _, rec := range append(all, dl.Intent.Record) {
				if until := rec.Header().RetainUntil; until > now {
					e.Keep = max(e.Keep, until)
				}
			}
		}
	}
}

// mayErase tells why a deal can't be erased by now.
func (d *Desk) mayErase(dl *book.Deal) error {
	now := d.now()
	refuse := func(hint, format string, args ...any) error {
		return &protocol.Error{Code: protocol.CodeNotPermitted, Field: "deal", Detail: fmt.Sprintf(format, args...), Hint: hint}
	}
	switch dl.State.Phase {
	case deal.PhaseVoided:
		return nil
	case deal.PhasePending:
		return refuse("wait for the decision, or ask for a void with parley deal cancel", "an offer of this deal is accepted, and the seller hasn't decided")
	case deal.PhaseAgreed, deal.PhaseConflict:
		var until int64
		for _, rec := range append(dl.All(), dl.After...) {
			until = max(until, rec.Header().RetainUntil)
		}
		if now < until {
			return refuse("it can be erased after that, when you say so", "this deal is an agreement, or evidence: its records are kept until %s",
				time.Unix(until, 0).UTC().Format(time.DateOnly))
		}
		return nil
	}
	if dl.Options.Restored {
		return protocol.Errorf(protocol.CodeRecovering, "deal", "this node came back from a backup and doesn't know what it has signed in this deal")
	}
	// Open: can anything still come of it?
	if dl.Role == book.Customer {
		if in := dl.Intent; len(dl.State.Asks) == 0 && in.Withdrawal == nil && now <= in.Record.ValidUntil() && dl.State.Phase == deal.PhaseOpen {
			return refuse("decline its offers first, or withdraw the request", "the request is open, and so is this deal")
		}
		return nil
	}
	// An acceptance may be on its way for as long as a mailbox keeps it.
	var last int64
	for _, rec := range dl.State.Offers {
		last = max(last, rec.ValidUntil())
	}
	if last == 0 {
		last = dl.Intent.Record.ValidUntil()
	}
	if now < last+lateFor {
		return refuse("decline the request first, once no offer of yours is firm: parley intent decline",
			"an acceptance of your offer may be on its way until %s", time.Unix(last+lateFor, 0).UTC().Format(time.DateOnly))
	}
	return nil
}

// EraseDeal erases a deal, all rounds with that seller, and tells the other side.
// agreement says that the person knows that an agreement goes.
func (d *Desk) EraseDeal(ctx context.Context, id cid.Cid, agreement bool) (Erasure, error) {
	return d.erase(ctx, func() (Erasure, error) { return d.PlanErase(id) }, agreement)
}

// EraseIntent erases an own request with all its deals, and tells the sellers
// that this customer has answered.
func (d *Desk) EraseIntent(ctx context.Context, id cid.Cid, agreement bool) (Erasure, error) {
	return d.erase(ctx, func() (Erasure, error) { return d.PlanEraseIntent(id) }, agreement)
}

func (d *Desk) erase(ctx context.Context, plan func() (Erasure, error), agreement bool) (Erasure, error) {
	e, err := plan()
	if err != nil {
		return e, err
	}
	err = d.book.Update(ctx, e.Intent.Record.ID(), func(tx *book.Tx) error {
		var err error
		if e, err = plan(); err != nil { // nothing changes any more
			return err
		}
		if e.Agreement && !agreement {
			return &protocol.Error{Code: protocol.CodeNotPermitted, Field: "deal", Detail: "this deal is an agreement, or evidence: it is erased only when you say that it is to be",
				Hint: "add --agreement"}
		}
		if err := d.eraseIn(ctx, tx, &e); err != nil {
			return err
		}
		return nil
	})
	return e, err
}

// eraseIn adds to an update the tombstones, and the notices to the other sides.
func (d *Desk) eraseIn(ctx context.Context, tx *book.Tx, e *Erasure) error {
	now := d.now()
	for _, dl := range e.Deals {
		t := book.Tombstone{Role: dl.Role, Phase: dl.State.Phase, At: now}
		for _, by := range []*record.Record{dl.State.Confirmation, dl.State.Void, dl.State.CustomerVoid} {
			if by != nil {
				t.Decided = by.Type()
			}
		}
		if err := tx.Erase(dl.ID, t); err != nil {
			return err
		}
	}
	if e.Request {
		role := book.Vendor
		if e.Intent.Own {
			role = book.Customer
		}
		if err := tx.Erase(e.Intent.Record.ID(), book.Tombstone{Kind: protocol.TypeIntent, Role: role, At: now}); err != nil {
			return err
		}
	}
	// One notice for each seller or customer, about the newest round.
	told := map[crypto.DID]*book.Deal{}
	for _, dl := range e.Deals {
		if last := told[dl.Key.Vendor]; dl.Spoken() && (last == nil || last.Key.Round < dl.Key.Round) {
			told[dl.Key.Vendor] = dl
		}
	}
	for vendor, dl := range told {
		notice := &record.DeletionNotice{Intent: dl.Key.Intent, Deal: &dl.Key}
		if e.Request {
			notice.Erased = append(notice.Erased, dl.Key.Intent)
		}
		for _, other := range e.Deals {
			if other.Key.Vendor != vendor {
				continue
			}
			for _, rec := range append(other.All(), other.After...) {
				notice.Erased = append(notice.Erased, rec.ID())
			}
		}
		if len(notice.Erased) > protocol.MaxNoticeRecords {
			notice.Erased = notice.Erased[:protocol.MaxNoticeRecords]
			notice.Description = "And further records of the same deal."
		}
		if err := d.noticeIn(ctx, tx, e, dl, notice); err != nil {
			return err
		}
	}
	return nil
}

// noticeIn signs a notice to the other side of a deal, if that can be reached.
func (d *Desk) noticeIn(ctx context.Context, tx *book.Tx, e *Erasure, dl *book.Deal, notice *record.DeletionNotice) error {
	to := otherSide(dl.Intent, dl.Key)
	at, err := d.addressIn(ctx, dl.Key, to)
	if err != nil || len(at.Mailboxes) == 0 {
		return nil
	}
	rec, err := d.signNotice(dl.Intent, dl.Key.Vendor, notice)
	if err != nil {
		return err
	}
	tx.SignTo(rec, to, at)
	if e != nil {
		e.Notice = rec
	}
	return nil
}

func (d *Desk) signNotice(in *book.Intent, vendor crypto.DID, notice *record.DeletionNotice) (*record.Record, error) {
	if in.Own {
		return record.Sign(d.header(), notice, d.intentKey(in))
	}
	return record.Sign(d.header(), notice, d.vendorKey(vendor))
}

// erasedNow takes what the book has erased out of the view, and stops listening
// for it.
func (d *Desk) erasedNow(gone []book.Erased) {
	for _, g := range gone {
		if _, err := d.store.Delete(d.ctx, append(slices.Clone(g.Records), g.ID)...); err != nil && d.ctx.Err() == nil {
			// No word of them is there, and the next start removes the rest.
			d.cfg.Log.Error("the view still lists what was erased", "error", err)
		}
		d.receivers.stop(g.Tokens)
		d.events.Publish(event.Event{At: d.cfg.Now(), Kind: event.Erased, Text: "Something was erased here."})
	}
}

// eraseOld erases deals that ended without an agreement, once all that was said
// in them need not be kept any longer; an agreement waits for its person.
func (d *Desk) eraseOld(ctx context.Context) {
	now := d.now()
	done := map[cid.Cid]bool{}
	for _, dl := range d.book.Deals() {
		if done[dl.ID] || dl.State.Phase == deal.PhaseAgreed || dl.State.Phase == deal.PhaseConflict || dl.State.Phase == deal.PhasePending ||
			now <= dl.Intent.Record.Header().RetainUntil || !past(Erasure{Intent: dl.Intent, Records: dl.All()}, now) {
			continue
		}
		e, err := d.PlanErase(dl.ID)
		if err != nil || e.Agreement || !past(e, now) {
			continue
		}
		for _, other := range e.Deals {
			done[other.ID] = true
		}
		if _, err := d.EraseDeal(ctx, dl.ID, false); err != nil && ctx.Err() == nil && protocol.CodeOf(err) != protocol.CodeNotSupported {
			d.cfg.Log.Error("an old deal could not be erased", "error", err)
		}
	}
}

// past tells whether nothing of it need be kept any longer.
func past(e Erasure, now int64) bool {
	return now > e.Intent.Record.Header().RetainUntil && !slices.ContainsFunc(e.Records, func(rec *record.Record) bool {
		return now <= rec.Header().RetainUntil
	})
}
