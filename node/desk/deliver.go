package desk

import (
	"context"
	"slices"
	"time"

	"github.com/parley-protocol/parley/crypto"
	"github.com/parley-protocol/parley/node/book"
	"github.com/parley-protocol/parley/node/event"
	"github.com/parley-protocol/parley/node/outbox"
	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/record"
)

// owe makes due what an own record asks to be sent.
func (d *Desk) owe(rec *record.Record) {
	for _, del := range d.deliveries(rec) {
		if !d.book.Receipted(del) {
			d.outbox.Put(del)
		}
	}
	if rec.Market() != "" || rec.Type() == protocol.TypeProfile {
		d.announceSoon(rec)
	}
}

// deliveries are an own record's recipients.
func (d *Desk) deliveries(rec *record.Record) []book.Delivery {
	var to []crypto.DID
	if key, ok := dealOf(rec); ok {
		if in, ok := d.book.Intent(key.Intent); ok {
			to = append(to, otherSide(in, key))
		}
	} else {
		switch body := rec.Body().(type) {
		case *record.Intent:
			if in, ok := d.book.Intent(rec.ID()); ok {
				to = in.To
			}
		case *record.Withdrawal:
			if in, ok := d.book.Intent(body.Intent); ok {
				to = in.To
			}
		case *record.Introduction:
			to = []crypto.DID{body.Vendor}
		case *record.Preference, *record.Membership, *record.TransactionHistory, *record.DeletionNotice:
			to = d.book.SealedTo(rec.ID())
		}
	}
	out := make([]book.Delivery, len(to))
	for i, did := range to {
		out[i] = book.Delivery{Record: rec.ID(), To: did}
	}
	return out
}

// dealOf is the deal that a record is of, or about.
func dealOf(rec *record.Record) (record.DealKey, bool) {
	if s, ok := rec.FollowsUp(); ok {
		return s.Deal, true
	}
	return rec.Deal()
}

// otherSide is whom this node deals with.
func otherSide(in *book.Intent, key record.DealKey) crypto.DID {
	if in.Own {
		return key.Vendor
	}
	return in.Record.Header().By
}

// source tells the outbox what is due.
type source struct{ d *Desk }

// Due seals the record, with those that it cites, to where its recipient wants
// its mail now.
func (s source) Due(ctx context.Context, del book.Delivery) (outbox.Message, error) {
	rec, ok := s.d.book.Record(del.Record)
	if !ok || s.d.book.Receipted(del) || s.d.pointless(rec) {
		return outbox.Message{}, outbox.ErrNothingDue
	}
	to, err := s.d.addressOf(ctx, rec, del.To)
	if err != nil {
		return outbox.Message{}, err
	}
	if key, ok := rec.Deal(); ok {
		if st, tried := s.d.outbox.Status(del); tried && st.Attempts > 0 {
			if dl, ok := s.d.book.Deal(key.ID()); ok {
				if moved, ok := s.d.newAddress(ctx, dl, del.To); ok && st.Attempts%2 == 1 {
					to = moved
				}
			}
		}
	}
	if len(to.Mailboxes) == 0 {
		return outbox.Message{}, &protocol.Error{Code: protocol.CodeNotFound, Field: "replyTo.mailboxes", Detail: "the other side named no mailbox",
			Hint: "bring it as a file: --out FILE"}
	}
	env, err := s.d.seal(rec, to)
	if err != nil {
		return outbox.Message{}, err
	}
	return outbox.Message{Purpose: s.d.purpose(rec), Mailboxes: to.Mailboxes, Token: to.Token, Envelope: env}, nil
}

// pointless tells whether nobody could do anything with the record any more.
func (d *Desk) pointless(rec *record.Record) bool {
	now := d.now()
	if now >= rec.Header().RetainUntil {
		return true
	}
	switch body := rec.Body().(type) {
	case *record.Intent, *record.Offer, *record.Counter:
		return now > rec.ValidUntil()
	case *record.Withdrawal:
		in, ok := d.book.Intent(body.Intent)
		return ok && now > in.Record.ValidUntil()
	case *record.DeletionNotice:
		return now > rec.Header().At+lateFor // the other side may have erased where it would answer
	case *record.Void:
		// A no to a request that has run out, and that said nothing itself.
		key, _ := rec.Deal()
		dl, ok := d.book.Deal(key.ID())
		return ok && dl.Intent != nil && now > dl.Intent.Record.ValidUntil() && !signedBy(dl.Records, dl.Intent.Record.Header().By)
	}
	return false
}

// SealForFile seals an own record for its recipient, to be brought as a file.
func (d *Desk) SealForFile(ctx context.Context, rec *record.Record) (token [32]byte, envelope []byte, err error) {
	dels := d.deliveries(rec)
	if len(dels) == 0 || !d.book.Own(rec.ID()) {
		return token, nil, protocol.Errorf(protocol.CodeUsage, "record", "a %s isn't sealed to anybody", rec.Type())
	}
	to, err := d.addressOf(ctx, rec, dels[0].To)
	if err != nil {
		return token, nil, err
	}
	envelope, err = d.seal(rec, to)
	return to.Token, envelope, err
}

func (d *Desk) seal(rec *record.Record, to record.ReplyTo) ([]byte, error) {
	payload, err := record.EncodeBundle(append(d.cited(rec), rec)...)
	if err != nil {
		return nil, err
	}
	return crypto.Seal(to.Suite, to.Key, payload)
}

// cited are the records that the recipient needs in order to judge this one, and
// may not have: the terms in somebody's own words, and those of the deal.
func (d *Desk) cited(rec *record.Record) []*record.Record {
	out := d.citedTerms(rec)
	if body, ok := rec.Body().(*record.Introduction); ok {
		if in, ok := d.book.Intent(body.Intent); ok {
			return append(append(out, d.citedTerms(in.Record)...), in.Record)
		}
	}
	key, ok := rec.Deal()
	if !ok {
		return out
	}
	dl, ok := d.book.Deal(key.ID())
	if !ok {
		return out
	}
	seen := map[*record.Record]bool{rec: true}
	var follow func(*record.Record)
	follow = func(r *record.Record) {
		for _, id := range r.Links() {
			if c := dl.Find(id); c != nil && !seen[c] {
				seen[c] = true
				follow(c)
				// Offers are large: they go along only where they may be lost.
				if c.Type() != protocol.TypeOffer || mayLack(dl, rec) {
					out = append(out, d.citedTerms(c)...)
					out = append(out, c)
				}
			}
		}
	}
	follow(rec)
	if dl.Role == book.Customer {
		return d.remind(dl, rec, out)
	}
	return out
}

// addressOf is where a recipient wants its mail: what it said last in the deal,
// or else in its intent or profile.
func (d *Desk) addressOf(ctx context.Context, rec *record.Record, to crypto.DID) (record.ReplyTo, error) {
	if at, ok := d.book.AddressFor(rec.ID()); ok {
		return at, nil
	}
	key, ok := dealOf(rec)
	if intro, is := rec.Body().(*record.Introduction); is {
		for _, dl := range d.book.DealsOf(intro.Intent) {
			if dl.Key.Vendor == to && dl.Key.Round > key.Round {
				key, ok = dl.Key, true
			}
		}
	}
	if isAssertion(rec) {
		var dl *book.Deal
		if dl, ok = d.dealWith(to); ok {
			key = dl.Key
		}
	}
	if ok {
		return d.addressIn(ctx, key, to)
	}
	p, err := d.profileOf(ctx, to)
	if err != nil {
		return record.ReplyTo{}, err
	}
	return p.ReplyTo, nil
}

// addressIn is where a side of a deal wants its mail.
func (d *Desk) addressIn(ctx context.Context, key record.DealKey, to crypto.DID) (record.ReplyTo, error) {
	dl, ok := d.book.Deal(key.ID())
	if !ok {
		return record.ReplyTo{}, protocol.Errorf(protocol.CodeMissingRecord, "deal", "the deal of this record isn't known")
	}
	// In a new round nothing may have been said yet: the rounds before tell.
	all := rounds(d.book.DealsOf(key.Intent), key)
	for i := len(all) - 1; i >= 0; i-- {
		if all[i].Key.Round > key.Round {
			continue
		}
		if rt, ok := newestReplyTo(all[i].All(), to); ok {
			return rt, nil
		}
	}
	if dl.Role == book.Vendor {
		return dl.Intent.Body().ReplyTo, nil
	}
	p, err := d.profileOf(ctx, to)
	if err != nil {
		return record.ReplyTo{}, err
	}
	return p.ReplyTo, nil
}

// purpose names the throw-away transport key: one for each deal, so that nothing
// on the way joins two of them.
func (d *Desk) purpose(rec *record.Record) string {
	if key, ok := dealOf(rec); ok {
		return "deal/" + key.ID().String()
	}
	return "record/" + rec.ID().String()
}

// delivered hears from the outbox.
func (d *Desk) delivered(s outbox.Status) {
	e := event.Event{At: d.cfg.Now(), Kind: event.DeliveryStored, Record: s.Record.String(), Text: "A mailbox keeps it until it is picked up."}
	if s.Err != nil {
		e.Kind, e.Text = event.DeliveryFailed, "It could not be delivered yet and is tried again."
		d.cfg.Log.Info("a delivery failed; it is tried again", "error", s.Err, "attempts", s.Attempts, "next", s.Next.Format(time.RFC3339))
	}
	d.events.Publish(e)
}

// newestReplyTo is what an author said last about where it wants its mail.
func newestReplyTo(recs []*record.Record, by crypto.DID) (to record.ReplyTo, found bool) {
	// Whoever speaks of a loss makes no offer and accepts nothing after it, even if
	// the clocks say so: those addresses are lost.
	lost := slices.ContainsFunc(recs, func(rec *record.Record) bool { return rec.Header().By == by && lossTold(rec) })
	var newest *record.Record
	for _, rec := range recs {
		rt, ok := rec.ReplyTo()
		if !ok || rec.Header().By != by {
			continue
		}
		if t := rec.Type(); lost && (t == protocol.TypeOffer || t == protocol.TypeAcceptance) {
			continue
		}
		if newest == nil || rec.Header().At > newest.Header().At ||
			rec.Header().At == newest.Header().At && rec.ID().KeyString() > newest.ID().KeyString() {
			newest, to, found = rec, rt, true
		}
	}
	return to, found
}
