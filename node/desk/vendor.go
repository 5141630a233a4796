package desk

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/ipfs/go-cid"

	"github.com/parley-protocol/parley/crypto"
	"github.com/parley-protocol/parley/node/book"
	"github.com/parley-protocol/parley/node/keyring"
	"github.com/parley-protocol/parley/node/store"
	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/deal"
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
	if p.ReplyTo, err = d.replyTo(crypto.SuiteX25519, seed, d.cfg.SellersMailboxes); err != nil {
		return nil, err
	}
	p.NextKey = d.keys.Identity().NextPersona()
	header := d.header()
	if old := d.book.Profile(); old != nil {
		p.Previous = d.previous(old)
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
// ReplyTo and, when missing, Terms are filled in here; Counter is the newest that
// no offer answers, when missing, and Changes the agreement that the customer
// asks to change.
type OfferRequest struct {
	Intent cid.Cid
	Round  int64 // 0: the last, or with Changes the one after the agreement
	Offer  record.Offer
	Ext    map[string]any
}

// MakeOffer signs an offer on an intent that this node knows, and sends it.
func (d *Desk) MakeOffer(ctx context.Context, req OfferRequest) (*record.Record, error) {
	in, err := d.othersIntent(ctx, req.Intent)
	if err != nil {
		return nil, err
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
	keyID, seed, err := d.keys.Take(ctx)
	if err != nil {
		return nil, err
	}
	if o.ReplyTo, err = d.replyTo(crypto.SuiteMLKEM768X25519, seed, d.cfg.SellersMailboxes); err != nil {
		return nil, err
	}
	persona := d.vendorKey(d.vendorOn(req.Intent))
	var rec *record.Record
	err = d.book.Update(ctx, req.Intent, func(tx *book.Tx) error {
		o.Deal = roundOf(tx.Deals(), record.DealKey{Intent: req.Intent, Vendor: persona.DID(), Round: 1}, req.Round, o.Changes.Defined())
		st, err := tx.State(in, o.Deal)
		if err != nil {
			return err
		}
		if !o.Changes.Defined() && len(st.NextRounds) > 0 {
			o.Changes = st.Changing() // as the customer has asked for it
		}
		if !o.Changes.Defined() {
			// An agreement may be changed whenever both want to.
			if err := d.live(in); err != nil {
				return err
			}
		}
		if err := st.MayOfferChange(o.Changes); err != nil {
			return hinted(explainRecovering(err, d.book.Recovering(in)), st)
		}
		if held := len(st.Offers) + len(st.Counters); held >= maxDealOffers {
			return protocol.Errorf(protocol.CodeOverQuota, "offer", "there are %d offers and counters in this deal already, and the customer's node takes no more", held)
		}
		if !o.Counter.Defined() {
			o.Counter = newestCounter(st.Counters, st.Offers)
		} else if !slices.ContainsFunc(st.Counters, func(r *record.Record) bool { return r.ID() == o.Counter }) {
			return protocol.Errorf(protocol.CodeNotFound, "counter", "no counter to an offer of this deal has the ID %s", o.Counter)
		}
		o.Number = 1
		for _, old := range st.Offers {
			o.Number = max(o.Number, old.Body().(*record.Offer).Number+1)
		}
		header := d.header()
		header.Ext = req.Ext
		if rec, err = record.Sign(header, &o, persona); err != nil {
			return err
		}
		if err := rec.CheckTime(d.now()); err != nil {
			return err
		}
		if err := fits(tx, in, rec); err != nil {
			return err
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

// hinted adds to a refusal what the seller can do where a deal is over.
func hinted(err error, st deal.State) error {
	e, ok := errors.AsType[*protocol.Error](err)
	if !ok || e.Code != protocol.CodeDealClosed && e.Code != protocol.CodeNotPermitted {
		return err
	}
	switch {
	case st.Phase == deal.PhaseAgreed:
		e.Hint = "to change the agreement: parley offer make --changes " + shortRecord(st.Key.ID())
	case st.Phase == deal.PhaseVoided, st.Key.Round > 1 && len(st.NextRounds) == 0:
		e.Hint = "the customer can ask for another round: parley deal next"
	}
	return e
}

// live tells why a request takes no more offers.
func (d *Desk) live(in *record.Record) error {
	if err := in.CheckTime(d.now()); err != nil {
		return err
	}
	if d.Gone(in) {
		return protocol.Errorf(protocol.CodeWithdrawn, "intent", "the customer has withdrawn this request")
	}
	return nil
}

// liveIntent finds somebody else's request that takes offers.
func (d *Desk) liveIntent(ctx context.Context, id cid.Cid) (*record.Record, error) {
	in, err := d.othersIntent(ctx, id)
	if err != nil {
		return nil, err
	}
	return in, d.live(in)
}

// othersIntent finds somebody else's request.
func (d *Desk) othersIntent(ctx context.Context, id cid.Cid) (*record.Record, error) {
	if d.book.Own(id) {
		return nil, protocol.Errorf(protocol.CodeNotPermitted, "intent", "this request is your own")
	}
	return d.knownIntent(ctx, id)
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
	in, err := d.othersIntent(ctx, intent)
	if err != nil {
		return nil, err
	}
	key := lastRound(d.book.DealsOf(intent), record.DealKey{Intent: intent, Vendor: d.vendorOn(intent), Round: 1})
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
		if seedID, to, err = d.freshReplyTo(ctx, d.cfg.SellersMailboxes); err != nil {
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
