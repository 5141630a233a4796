package desk

import (
	"context"
	"fmt"

	"github.com/ipfs/go-cid"

	"github.com/parley-protocol/parley/crypto"
	"github.com/parley-protocol/parley/node/book"
	"github.com/parley-protocol/parley/node/keyring"
	"github.com/parley-protocol/parley/node/store"
	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/record"
	"github.com/parley-protocol/parley/protocol/terms"
)

// SetProfile signs and publishes how this node's seller presents itself. NextKey,
// Previous and ReplyTo are filled in here.
func (d *Desk) SetProfile(ctx context.Context, p record.Profile) (*record.Record, error) {
	id, seed, err := d.keys.Take(ctx)
	if err != nil {
		return nil, err
	}
	if p.ReplyTo, err = d.replyTo(crypto.SuiteX25519, seed); err != nil {
		return nil, err
	}
	p.NextKey = d.keys.Identity().NextPersona()
	header := d.header()
	if old := d.book.Profile(); old != nil {
		p.Previous = old.ID()
		header.At = max(header.At, old.Header().At+1) // newest wins, also within a second
	}
	rec, err := record.Sign(header, &p, d.keys.Identity().Persona())
	if err != nil {
		return nil, err
	}
	for _, m := range p.Markets {
		if err := d.JoinMarket(ctx, m); err != nil {
			return nil, err
		}
	}
	err = d.book.Update(ctx, rec.ID(), func(tx *book.Tx) error {
		tx.Sign(rec, id)
		return nil
	})
	return rec, err
}

// profileOf is a seller's newest profile that this node has seen.
func (d *Desk) profileOf(ctx context.Context, did crypto.DID) (*record.Profile, error) {
	rec, err := d.newestProfile(ctx, did)
	if err != nil {
		return nil, err
	}
	return rec.Body().(*record.Profile), nil
}

func (d *Desk) newestProfile(ctx context.Context, did crypto.DID) (*record.Record, error) {
	for e, err := range d.store.Query(ctx, store.Filter{Types: []string{protocol.TypeProfile}, Author: did, Order: store.Newest, Limit: 1}) {
		if err != nil {
			return nil, err
		}
		return e.Record, nil
	}
	return nil, &protocol.Error{Code: protocol.CodeNotFound, Field: "to", Detail: fmt.Sprintf("no profile of the seller %s has come by yet", did),
		Hint: "join one of the seller's markets, or import its profile from a file"}
}

// OfferRequest is what a seller would deliver, for how much. Number, Deal,
// ReplyTo and, when missing, Terms and TotalPrice are filled in here.
type OfferRequest struct {
	Intent cid.Cid
	Round  int64 // 1 when zero
	Offer  record.Offer
	Ext    map[string]any
}

// MakeOffer signs an offer on an intent that this node knows, and sends it.
func (d *Desk) MakeOffer(ctx context.Context, req OfferRequest) (*record.Record, error) {
	in, err := d.knownIntent(ctx, req.Intent)
	if err != nil {
		return nil, err
	}
	if d.book.Own(req.Intent) {
		return nil, protocol.Errorf(protocol.CodeNotPermitted, "intent", "this request is your own")
	}
	now := d.now()
	if err := in.CheckTime(now); err != nil {
		return nil, err
	}
	if d.Gone(in) {
		return nil, protocol.Errorf(protocol.CodeWithdrawn, "intent", "the customer has withdrawn this request")
	}
	body := in.Body().(*record.Intent)
	o := req.Offer
	if o.Terms == (record.TermsRef{}) {
		if o.Terms, err = d.chooseTerms(ctx, body); err != nil {
			return nil, err
		}
	} else if err := d.MayAgree(ctx, o.Terms); err != nil {
		return nil, err
	}
	o.Deal = record.DealKey{Intent: req.Intent, Vendor: d.vendorOn(req.Intent), Round: max(req.Round, 1)}
	keyID, seed, err := d.keys.Take(ctx)
	if err != nil {
		return nil, err
	}
	if o.ReplyTo, err = d.replyTo(crypto.SuiteMLKEM768X25519, seed); err != nil {
		return nil, err
	}
	var rec *record.Record
	err = d.book.Update(ctx, req.Intent, func(tx *book.Tx) error {
		st, err := tx.State(in, o.Deal)
		if err != nil {
			return err
		}
		if err := st.MayOffer(); err != nil {
			return explainRecovering(err, d.book.Recovering(in))
		}
		if held := len(st.Offers); held >= maxDealOffers {
			return protocol.Errorf(protocol.CodeOverQuota, "offer", "there are %d offers in this deal already, and the customer's node takes no more", held)
		}
		o.Number = 1
		for _, old := range st.Offers {
			o.Number = max(o.Number, old.Body().(*record.Offer).Number+1)
		}
		header := d.header()
		header.Ext = req.Ext
		if rec, err = record.Sign(header, &o, d.vendorKey(o.Deal.Vendor)); err != nil {
			return err
		}
		if err := rec.CheckTime(now); err != nil {
			return err
		}
		// What the customer's node would not count, it must not get.
		if st, err = tx.State(in, o.Deal, rec); err != nil {
			return err
		}
		for _, m := range st.Misfits {
			if m.Record == rec {
				return protocol.Errorf(m.Code, "offer", "%s", m.Detail)
			}
		}
		if err := d.keepTerms(ctx, tx, o.Terms); err != nil {
			return err
		}
		tx.Keep(in)
		tx.Sign(rec, keyID)
		return nil
	})
	return rec, err
}

// chooseTerms is the first of the intent's terms that this seller's profile
// agrees to. A seller whose profile names none decides by making an offer: then
// it is the intent's first from the roster. Terms in a customer's own words count
// once a person has approved that very text.
func (d *Desk) chooseTerms(ctx context.Context, in *record.Intent) (record.TermsRef, error) {
	var agreed []record.TermsRef
	if p := d.book.Profile(); p != nil {
		agreed = p.Body().(*record.Profile).Terms
	}
	if len(agreed) == 0 {
		for _, t := range protocol.Roster() {
			agreed = append(agreed, record.TermsRef{Roster: t.ID})
		}
	}
	var refusal error
	for _, ref := range in.Terms {
		if !ref.Record.Defined() {
			continue
		}
		if err := d.MayAgree(ctx, ref); err == nil {
			agreed = append(agreed, ref)
		} else if refusal == nil {
			refusal = err
		}
	}
	ref, err := terms.Match(agreed, in.Terms)
	if err != nil && refusal != nil {
		return ref, refusal // it says what can be done
	}
	return ref, err
}

// DeclineIntent tells the customer that there will be no offer or sale.
func (d *Desk) DeclineIntent(ctx context.Context, intent cid.Cid, reason string) (*book.Deal, error) {
	in, err := d.knownIntent(ctx, intent)
	if err != nil {
		return nil, err
	}
	if d.book.Own(intent) {
		return nil, protocol.Errorf(protocol.CodeNotPermitted, "intent", "this request is your own")
	}
	key := record.DealKey{Intent: intent, Vendor: d.vendorOn(intent), Round: 1}
	for _, dl := range d.book.DealsOf(intent) {
		if dl.Role == book.Vendor && dl.Key.Vendor == key.Vendor && dl.Key.Round > key.Round {
			key = dl.Key
		}
	}
	err = d.book.Update(ctx, intent, func(tx *book.Tx) error {
		st, err := tx.State(in, key)
		if err != nil {
			return err
		}
		now := d.now()
		if err := st.MayDecline(now); err != nil {
			return explainRecovering(err, d.book.Recovering(in))
		}
		rec, err := record.Sign(d.headerAt(now), &record.Void{Deal: key, Reason: reason}, d.vendorKey(key.Vendor))
		if err != nil {
			return err
		}
		tx.Keep(in)
		tx.Sign(rec, keyring.KeyID{})
		return nil
	})
	if err != nil {
		return nil, err
	}
	dl, _ := d.book.Deal(key.ID())
	return dl, nil
}

// knownIntent finds an intent in the book or in the view.
func (d *Desk) knownIntent(ctx context.Context, id cid.Cid) (*record.Record, error) {
	if in, ok := d.book.Intent(id); ok {
		return in.Record, nil
	}
	rec, err := d.store.Get(ctx, id)
	if err != nil {
		return nil, err
	}
	if rec.Type() != protocol.TypeIntent {
		return nil, protocol.Errorf(protocol.CodeNotFound, "intent", "%s is not a request but of type %q", id, rec.Type())
	}
	return rec, nil
}

// decide signs, within an update, what the rules tell a seller to decide once
// recs have come to its deal.
func (d *Desk) decide(ctx context.Context, tx *book.Tx, dl *book.Deal, recs ...*record.Record) error {
	st, err := tx.State(dl.Intent.Record, dl.Key, recs...)
	if err != nil {
		return err
	}
	decision := st.Decide(d.now())
	if decision.None() {
		return nil
	}
	var seedID keyring.KeyID
	if restored, ok := decision.Body.(*record.Restored); ok {
		// The keys of before the restore may be gone.
		var to *record.ReplyTo
		if seedID, to, err = d.freshReplyTo(ctx); err != nil {
			return err
		}
		restored.ReplyTo = *to
	}
	rec, err := record.Sign(d.headerAt(decision.At), decision.Body, d.vendorKey(dl.Key.Vendor))
	if err != nil {
		return err
	}
	tx.Sign(rec, seedID)
	return nil
}

// settleVendor decides what the last run may have left undecided.
func (d *Desk) settleVendor(ctx context.Context, intent cid.Cid) error {
	return d.book.Update(ctx, intent, func(tx *book.Tx) error {
		for _, dl := range tx.Deals() {
			if dl.Role == book.Vendor && d.ours(dl.Key.Vendor) && !(dl.Options.Restored && d.stale(dl)) {
				if err := d.decide(ctx, tx, dl); err != nil {
					return err
				}
			}
		}
		return nil
	})
}
