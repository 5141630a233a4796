package desk

import (
	"context"
	"slices"
	"time"

	"github.com/ipfs/go-cid"

	"github.com/parley-protocol/parley/crypto"
	"github.com/parley-protocol/parley/node/book"
	"github.com/parley-protocol/parley/node/keyring"
	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/record"
	"github.com/parley-protocol/parley/protocol/terms"
)

// answerFor is how long an answer to a counter is welcome when nobody says
// otherwise and the offer isn't firm for longer.
const answerFor = 48 * time.Hour

// Counter tells a seller what would be accepted instead of its offer. It binds
// nobody. Deal, Offer and, when missing, ValidUntil are filled in here.
func (d *Desk) Counter(ctx context.Context, offer cid.Cid, c record.Counter) (*record.Record, error) {
	answered, key, err := d.offerForAnswer(offer)
	if err != nil {
		return nil, err
	}
	c.Deal, c.Offer = key, offer
	var rec *record.Record
	err = d.book.Update(ctx, key.Intent, func(tx *book.Tx) error {
		in, err := ownIntent(tx, key.Intent)
		if err != nil {
			return err
		}
		dl, ok := tx.Deal(key.ID())
		if !ok {
			return protocol.Errorf(protocol.CodeNotFound, "offer", "the offer %s is gone", offer)
		}
		if err := dl.State.MayCounter(offer); err != nil {
			return err
		}
		if held := len(dl.All()); held >= maxDealOffers {
			return protocol.Errorf(protocol.CodeOverQuota, "deal", "there are %d records in this deal already, and the seller's node takes no more counters", held)
		}
		now := d.now()
		if c.ValidUntil == 0 {
			c.ValidUntil = max(answered.ValidUntil(), now+int64(answerFor/time.Second))
		}
		if rec, err = record.Sign(d.headerAt(now), &c, d.intentKey(in)); err != nil {
			return err
		}
		tx.Sign(rec, keyring.KeyID{})
		return nil
	})
	return rec, err
}

// newestCounter is the counter that the seller's next offer answers: the newest,
// unless an offer answers it already.
func newestCounter(counters, offers []*record.Record) cid.Cid {
	if len(counters) == 0 {
		return cid.Undef
	}
	newest := counters[len(counters)-1].ID()
	if slices.ContainsFunc(offers, func(o *record.Record) bool { return o.Body().(*record.Offer).Counter == newest }) {
		return cid.Undef
	}
	return newest
}

// TermsCounterRequest is the one counter-offer of other terms that a seller has
// in a deal. Terms names an agreement of the roster, a text of Texts, one of its
// own that is kept by name, or a terms record.
type TermsCounterRequest struct {
	Intent      cid.Cid
	Terms       record.TermsRef
	Texts       []OwnTerms
	Description string
}

// CounterTerms signs it and sends it. It is no offer, and changes no request.
func (d *Desk) CounterTerms(ctx context.Context, req TermsCounterRequest) (*record.Record, error) {
	in, err := d.liveIntent(ctx, req.Intent)
	if err != nil {
		return nil, err
	}
	persona := d.vendorKey(d.vendorOn(req.Intent))
	refs, own, err := d.signTerms(ctx, []record.TermsRef{req.Terms}, req.Texts, d.header(), persona)
	if err != nil {
		return nil, err
	}
	keyID, seed, err := d.keys.Take(ctx)
	if err != nil {
		return nil, err
	}
	body := record.TermsCounter{Terms: refs[0], Description: req.Description}
	if body.ReplyTo, err = d.replyTo(crypto.SuiteMLKEM768X25519, seed, d.cfg.Mailboxes); err != nil {
		return nil, err
	}
	var rec *record.Record
	err = d.book.Update(ctx, req.Intent, func(tx *book.Tx) error {
		body.Deal = lastRound(tx.Deals(), record.DealKey{Intent: req.Intent, Vendor: persona.DID(), Round: 1})
		st, err := tx.State(in, body.Deal)
		if err != nil {
			return err
		}
		if err := st.MayCounterTerms(body.Terms); err != nil {
			return err
		}
		if rec, err = record.Sign(d.header(), &body, persona); err != nil {
			return err
		}
		if err := fits(tx, in, rec); err != nil {
			return err
		}
		tx.Keep(in)
		for _, text := range own {
			tx.Sign(text, keyring.KeyID{})
		}
		if err := d.keepTerms(ctx, tx, body.Terms, own...); err != nil {
			return err
		}
		tx.Sign(rec, keyID)
		return nil
	})
	return rec, err
}

// fits tells why a record would have no part in its deal: what the other side
// would not count, it must not get.
func fits(tx *book.Tx, intent, rec *record.Record) error {
	key, _ := rec.Deal()
	st, err := tx.State(intent, key, rec)
	if err != nil {
		return err
	}
	for _, m := range st.Misfits {
		if m.Record == rec {
			return protocol.Errorf(m.Code, rec.Type(), "%s", m.Detail)
		}
	}
	return nil
}

// Adoption is the request that a customer would publish to take the terms that a
// seller proposes: the old one under the new terms, sealed to that seller, or for
// the market of the old one. until is its new deadline; 0: the old one's.
func (d *Desk) Adoption(ctx context.Context, counter cid.Cid, toMarket bool, until int64) (IntentRequest, error) {
	rec, body, err := d.termsCounterForAnswer(counter)
	if err != nil {
		return IntentRequest{}, err
	}
	in, _ := d.book.Intent(body.Deal.Intent)
	req := IntentRequest{Intent: *in.Body(), Ext: in.Record.Header().Ext}
	req.Intent.Salt, req.Intent.ReplyTo = [32]byte{}, record.ReplyTo{}
	req.Intent.Terms = []record.TermsRef{body.Terms}
	if until != 0 {
		req.Intent.ValidUntil = until
	}
	if req.Intent.ValidUntil <= d.now() {
		return req, &protocol.Error{Code: protocol.CodeExpired, Field: "validUntil", Detail: "the old request has run out", Hint: "say how long the new one runs: --until 7d"}
	}
	switch {
	case !toMarket:
		req.Intent.Market, req.To = "", []crypto.DID{rec.Header().By}
	case req.Intent.Market == "":
		return req, &protocol.Error{Code: protocol.CodeUsage, Field: "market", Detail: "the old request had no market", Hint: "without --market it goes to the seller alone"}
	case body.Terms.Record.Defined():
		// In a market a text is signed by the request's own key: the seller's
		// signature under it would tell everybody whose terms these are.
		text, err := d.TermsRecord(ctx, body.Terms.Record)
		if err != nil {
			return req, err
		}
		own, err := ownTermsOf(text.Body().(*record.Terms))
		if err != nil {
			return req, err
		}
		req.Texts = []OwnTerms{own}
		req.Intent.Terms = []record.TermsRef{{Roster: own.Name}}
	}
	if !body.Terms.Record.Defined() && !terms.Known(body.Terms.Roster) {
		return req, protocol.Errorf(protocol.CodeUnknownAgreement, "terms", "%q isn't in the roster of terms", body.Terms.Roster)
	}
	if body.Terms.Record.Defined() {
		text, err := d.TermsRecord(ctx, body.Terms.Record)
		if err != nil {
			return req, err
		}
		// Nobody proffers what their screen can't show whole.
		if err := text.CheckUnderstood(); err != nil {
			return req, err
		}
	}
	return req, nil
}

// DeclineTerms says no to the seller that proposes other terms, while that is all
// it has said in the deal.
func (d *Desk) DeclineTerms(ctx context.Context, counter cid.Cid) (*book.Deal, error) {
	_, body, err := d.termsCounterForAnswer(counter)
	if err != nil {
		return nil, err
	}
	dl, _ := d.book.Deal(body.Deal.ID())
	if n := len(dl.State.Offers); n > 0 {
		return nil, &protocol.Error{Code: protocol.CodeNotPermitted, Field: "terms", Detail: "the seller has made offers in this deal too, and no is said to all of it",
			Hint: "leave the terms as they are, or parley offer decline " + shortRecord(dl.State.Offers[n-1].ID())}
	}
	return d.ask(ctx, body.Deal, func(key record.DealKey) record.Body {
		return &record.Decline{Ask: record.Ask{Deal: key, Reason: protocol.ReasonTerms}}
	})
}

// termsCounterForAnswer finds the terms that a seller proposed to this customer.
func (d *Desk) termsCounterForAnswer(id cid.Cid) (*record.Record, *record.TermsCounter, error) {
	rec, ok := d.book.Record(id)
	if ok && !d.book.Own(id) {
		if body, is := rec.Body().(*record.TermsCounter); is {
			if dl, ok := d.book.Deal(body.Deal.ID()); ok && dl.Role == book.Customer && dl.State.TermsCounter == rec {
				return rec, body, nil
			}
		}
	}
	return nil, nil, protocol.Errorf(protocol.CodeNotFound, "terms", "no seller has proposed terms to you with the ID %s", id)
}
