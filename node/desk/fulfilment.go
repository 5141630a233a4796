package desk

import (
	"context"

	"github.com/ipfs/go-cid"

	"github.com/parley-protocol/parley/crypto"
	"github.com/parley-protocol/parley/node/book"
	"github.com/parley-protocol/parley/node/keyring"
	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/deal"
	"github.com/parley-protocol/parley/protocol/record"
)

// maxFollowUps bounds what each side of an agreement can make the other keep.
const maxFollowUps = 256

// SayOrder signs what has happened about an agreement, in this side's words, and
// sends it to the other side. Deal and Agreement are filled in here.
func (d *Desk) SayOrder(ctx context.Context, id cid.Cid, e record.OrderEvent) (*record.Record, error) {
	return d.followUp(ctx, id, func(_ *book.Deal, s record.Subject) (record.Body, error) {
		e.Subject = s
		return &e, nil
	})
}

// SayOutcome signs what came of an agreement, with money or without.
func (d *Desk) SayOutcome(ctx context.Context, id cid.Cid, o record.Outcome) (*record.Record, error) {
	return d.followUp(ctx, id, func(_ *book.Deal, s record.Subject) (record.Body, error) {
		o.Subject = s
		return &o, nil
	})
}

// GiveReceipt signs a seller's proof of purchase. Lines, charges and total are
// those of the accepted offer when the receipt has none; so is the currency, and
// the order's date is the confirmation's.
func (d *Desk) GiveReceipt(ctx context.Context, id cid.Cid, r record.Receipt) (*record.Record, error) {
	return d.followUp(ctx, id, func(dl *book.Deal, s record.Subject) (record.Body, error) {
		if dl.Role != book.Vendor {
			return nil, protocol.Errorf(protocol.CodeNotPermitted, "deal", "a receipt is the seller's to give")
		}
		r.Subject = s
		offer := acceptedOffer(dl)
		if offer == nil {
			return nil, protocol.Errorf(protocol.CodeMissingRecord, "offer", "the accepted offer isn't here")
		}
		if r.PriceCurrency == "" {
			r.PriceCurrency = offer.PriceCurrency
		}
		if len(r.Items) == 0 && r.TotalPrice.Sign() == 0 {
			r.Items, r.Charges, r.TotalPrice = offer.ItemOffered, offer.Charges, offer.TotalPrice
		}
		if r.OrderDate == 0 {
			r.OrderDate = dl.State.Confirmation.Header().At
		}
		return &r, nil
	})
}

// followUp signs a record about the agreement of a deal.
func (d *Desk) followUp(ctx context.Context, id cid.Cid, body func(*book.Deal, record.Subject) (record.Body, error)) (*record.Record, error) {
	known, ok := d.book.Deal(id)
	if !ok {
		return nil, protocol.Errorf(protocol.CodeNotFound, "deal", "there is no deal with the ID %s", id)
	}
	var rec *record.Record
	err := d.book.Update(ctx, known.Key.Intent, func(tx *book.Tx) error {
		dl, ok := tx.Deal(id)
		if !ok || dl.State.Phase != deal.PhaseAgreed {
			return &protocol.Error{Code: protocol.CodeNotPermitted, Field: "deal", Detail: "there is no agreement in this deal", Hint: "parley deal show " + id.String()}
		}
		b, err := body(dl, record.Subject{Deal: dl.Key, Agreement: dl.State.Agreement})
		if err != nil {
			return err
		}
		key := d.vendorKey(dl.Key.Vendor)
		if dl.Role == book.Customer {
			key = d.intentKey(dl.Intent)
		}
		if count(dl.After, key.DID()) >= maxFollowUps {
			return protocol.Errorf(protocol.CodeOverQuota, "deal", "you have said %d things about this agreement, and the other side keeps no more", maxFollowUps)
		}
		if rec, err = record.Sign(d.header(), b, key); err != nil {
			return err
		}
		// What the other side would not count, it must not get.
		if err := counts(dl.State, rec); err != nil {
			return err
		}
		tx.Sign(rec, keyring.KeyID{})
		return nil
	})
	return rec, err
}

// takeFollowUp keeps what the other side says about an agreement.
func (d *Desk) takeFollowUp(ctx context.Context, rec *record.Record) error {
	s, _ := rec.FollowsUp()
	return d.book.Update(ctx, s.Deal.Intent, func(tx *book.Tx) error {
		if tx.Has(rec.ID()) {
			return nil
		}
		dl, ok := tx.Deal(s.Deal.ID())
		if !ok || dl.State.Agreement != s.Agreement {
			// The confirmation may still be on its way; its sender comes back.
			return refused(protocol.Errorf(protocol.CodeMissingRecord, "agreement", "there is no such agreement here"))
		}
		if err := counts(dl.State, rec); err != nil {
			return refused(err)
		}
		if err := rec.CheckTime(d.now()); err != nil {
			return refused(err)
		}
		if count(dl.After, rec.Header().By) >= maxFollowUps {
			return refused(protocol.Errorf(protocol.CodeOverQuota, "deal", "there are %d records about this agreement by one side", maxFollowUps))
		}
		tx.Keep(rec)
		return nil
	})
}

func count(recs []*record.Record, by crypto.DID) (n int) {
	for _, rec := range recs {
		if rec.Header().By == by {
			n++
		}
	}
	return n
}

// counts tells why a record has no part in what is said about the agreement.
func counts(st deal.State, rec *record.Record) error {
	said, err := deal.Follow(st.Customer, st.Key, st.Agreement, []*record.Record{rec})
	if err != nil {
		return err
	}
	for _, m := range said.Misfits {
		return protocol.Errorf(m.Code, "", "a %s: %s", rec.Type(), m.Detail)
	}
	return nil
}
