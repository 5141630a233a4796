package desk

import (
	"context"
	"crypto/rand"
	"slices"
	"time"

	"github.com/ipfs/go-cid"

	"github.com/parley-protocol/parley/crypto"
	"github.com/parley-protocol/parley/node/book"
	"github.com/parley-protocol/parley/node/keyring"
	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/deal"
	"github.com/parley-protocol/parley/protocol/record"
	"github.com/parley-protocol/parley/protocol/terms"
)

// IntentRequest is what a person wants to ask the market for. Salt and ReplyTo
// of the intent are filled in here; so are Terms (PDC-INTENT) and Awards (1)
// when they are missing.
type IntentRequest struct {
	Intent record.Intent
	Ext    map[string]any
	Texts  []OwnTerms   // that Intent.Terms names, beside those that are kept
	To     []crypto.DID // sealed to these sellers alone; the intent then has no market
	// Introduce tells each of To under which key it knows this customer.
	Introduce bool
}

// intentKept is how long others may keep an intent after its validUntil.
const intentKept = 24 * time.Hour

// DraftIntent signs the intent, and the terms in one's own words that go with it,
// without keeping or publishing them: what the person sees before they decide.
// Publishing signs again, with another key.
func (d *Desk) DraftIntent(ctx context.Context, req IntentRequest) (rec *record.Record, own []*record.Record, err error) {
	return d.signIntent(ctx, req, crypto.NewSealingSeed())
}

// PublishIntent signs the intent with a key of its own, keeps it, and brings it
// to its market or, sealed, to the sellers it names.
func (d *Desk) PublishIntent(ctx context.Context, req IntentRequest) (*record.Record, error) {
	for _, to := range req.To {
		if _, err := d.profileOf(ctx, to); err != nil {
			return nil, err
		}
	}
	id, seed, err := d.keys.Take(ctx)
	if err != nil {
		return nil, err
	}
	rec, own, err := d.signIntent(ctx, req, seed)
	if err != nil {
		return nil, err
	}
	if m := req.Intent.Market; m != "" {
		if err := d.JoinMarket(ctx, m); err != nil {
			return nil, err
		}
	}
	err = d.book.Update(ctx, rec.ID(), func(tx *book.Tx) error {
		for _, text := range own {
			tx.Sign(text, keyring.KeyID{})
		}
		tx.Sign(rec, id, req.To...)
		for _, to := range req.To {
			if !req.Introduce {
				break
			}
			if _, err := d.introduce(tx, rec, to); err != nil {
				return err
			}
		}
		return nil
	})
	return rec, err
}

// signIntent signs an intent, and the terms of one's own that it names, with the
// key of its salt.
func (d *Desk) signIntent(ctx context.Context, req IntentRequest, seed crypto.SealingSeed) (rec *record.Record, own []*record.Record, err error) {
	in := req.Intent
	switch {
	case in.Market == "" && len(req.To) == 0:
		return nil, nil, &protocol.Error{Code: protocol.CodeUsage, Field: "market", Detail: "a request goes to a market or to named sellers",
			Hint: "give --market NAME or --to SELLER"}
	case in.Market != "" && len(req.To) > 0:
		return nil, nil, &protocol.Error{Code: protocol.CodeUsage, Field: "market", Detail: "a request goes to a market or to named sellers, not to both",
			Hint: "publish two requests"}
	}
	if len(in.Terms) == 0 {
		in.Terms = []record.TermsRef{terms.Default()}
	}
	if in.Awards == 0 {
		in.Awards = 1
	}
	var random [16]byte
	if _, err := rand.Read(random[:]); err != nil {
		return nil, nil, err
	}
	in.Salt = d.keys.Identity().Customer().IntentSalt(random)
	now := d.now()
	header := record.Header{At: now, RetainUntil: min(in.ValidUntil+int64(intentKept/time.Second), now+protocol.MaxIntentRetention)}
	key := d.keys.Identity().Customer().IntentKey(in.Salt)
	if in.Terms, own, err = d.signTerms(ctx, in.Terms, req.Texts, header, key); err != nil {
		return nil, nil, err
	}
	if in.ReplyTo, err = d.replyTo(crypto.SuiteX25519, seed, d.cfg.Mailboxes); err != nil {
		return nil, nil, err
	}
	header.Ext = req.Ext
	if rec, err = record.Sign(header, &in, key); err != nil {
		return nil, nil, err
	}
	if err := rec.CheckTime(now); err != nil {
		return nil, nil, err
	}
	if len(req.To) > 0 {
		// What can't be sealed in one piece would never arrive.
		if _, err := record.EncodeBundle(append(slices.Concat(own, d.citedTerms(rec)), rec)...); err != nil {
			return nil, nil, err
		}
	}
	return rec, own, nil
}

// replyTo is where the owner of the seed is reached, at these mailboxes.
func (d *Desk) replyTo(suite crypto.Suite, seed crypto.SealingSeed, mailboxes func() []string) (record.ReplyTo, error) {
	pub, err := seed.PublicKey(suite)
	return record.ReplyTo{Suite: suite, Key: pub, Token: seed.Token(), Mailboxes: mailboxes()}, err
}

// WithdrawIntent takes an own intent back.
func (d *Desk) WithdrawIntent(ctx context.Context, id cid.Cid, reason string) (*record.Record, error) {
	var out *record.Record
	err := d.book.Update(ctx, id, func(tx *book.Tx) error {
		in, err := ownIntent(tx, id)
		if err != nil {
			return err
		}
		if in.Withdrawal != nil {
			out = in.Withdrawal
			return nil
		}
		body := in.Body()
		// The withdrawal stands until nobody can show the intent as live.
		out, err = record.Sign(record.Header{At: d.now(), RetainUntil: max(d.now(), in.Record.Header().RetainUntil)},
			&record.Withdrawal{Intent: id, Market: body.Market, Reason: reason}, d.intentKey(in))
		if err != nil {
			return err
		}
		tx.Sign(out, keyring.KeyID{})
		return nil
	})
	return out, err
}

func (d *Desk) intentKey(in *book.Intent) *crypto.SigningKey {
	return d.keys.Identity().Customer().IntentKey(in.Body().Salt)
}

func ownIntent(tx *book.Tx, id cid.Cid) (*book.Intent, error) {
	in := tx.Intent()
	if in == nil || !in.Own {
		return nil, protocol.Errorf(protocol.CodeNotFound, "intent", "no request of yours has the ID %s", id)
	}
	return in, nil
}

// AcceptOffer accepts an offer on an own intent. The seller's confirmation makes
// it binding. Beyond the intent's awards it takes override.
func (d *Desk) AcceptOffer(ctx context.Context, offer cid.Cid, override bool) (*book.Deal, error) {
	rec, key, err := d.offerForAnswer(offer)
	if err != nil {
		return nil, err
	}
	keyID, seed, err := d.keys.Take(ctx)
	if err != nil {
		return nil, err
	}
	// The two now talk in private: from here on also against the quantum
	// computers of later.
	replyTo, err := d.replyTo(crypto.SuiteMLKEM768X25519, seed, d.cfg.Mailboxes)
	if err != nil {
		return nil, err
	}
	err = d.book.Update(ctx, key.Intent, func(tx *book.Tx) error {
		in, err := ownIntent(tx, key.Intent)
		if err != nil {
			return err
		}
		dl, ok := tx.Deal(key.ID())
		if !ok {
			return protocol.Errorf(protocol.CodeNotFound, "offer", "the offer %s is gone", offer)
		}
		now := d.now()
		if err := dl.State.MayAccept(offer, now); err != nil {
			return explainRecovering(err, d.book.Recovering(in.Record))
		}
		if err := d.termsUnderstood(ctx, rec); err != nil {
			return err
		}
		var states []deal.State
		for _, other := range tx.Deals() {
			states = append(states, other.State)
		}
		// A change of an agreement has the award that the agreement took.
		if !rec.Body().(*record.Offer).Changes.Defined() && deal.AwardsLeft(in.Body().Awards, states) < 1 && !override {
			return &protocol.Error{Code: protocol.CodeAwardsExhausted, Field: "awards",
				Detail: "you have accepted as many offers as this request is for; a seller that hasn't answered yet may already have sold to you",
				Hint:   "wait for the answer, or accept one more with --override and perhaps buy twice"}
		}
		acc, err := record.Sign(d.headerAt(now), &record.Acceptance{Deal: key, Offer: rec.ID(), ReplyTo: replyTo}, d.intentKey(in))
		if err != nil {
			return err
		}
		tx.Sign(acc, keyID)
		return nil
	})
	if err != nil {
		return nil, err
	}
	dl, _ := d.book.Deal(key.ID())
	return dl, nil
}

// termsUnderstood tells why terms in somebody's own words, which an offer is
// under, can't be agreed to: nobody signs what their screen can't show whole.
func (d *Desk) termsUnderstood(ctx context.Context, offer *record.Record) error {
	id := offer.Body().(*record.Offer).Terms.Record
	if !id.Defined() {
		return nil
	}
	rec, err := d.TermsRecord(ctx, id)
	if err != nil {
		return err
	}
	return rec.CheckUnderstood()
}

// offerForAnswer finds an offer that was made on an own intent.
func (d *Desk) offerForAnswer(id cid.Cid) (*record.Record, record.DealKey, error) {
	rec, ok := d.book.Record(id)
	if !ok || rec.Type() != protocol.TypeOffer || d.book.Own(id) {
		return nil, record.DealKey{}, protocol.Errorf(protocol.CodeNotFound, "offer", "no offer to you has the ID %s", id)
	}
	key, _ := rec.Deal()
	return rec, key, nil
}

// signInDeal signs a customer's record of a deal.
func (d *Desk) signInDeal(in *book.Intent, body record.Body) (*record.Record, error) {
	return record.Sign(d.header(), body, d.intentKey(in))
}

func (d *Desk) header() record.Header { return d.headerAt(d.now()) }

func (d *Desk) headerAt(at int64) record.Header {
	return record.Header{At: at, RetainUntil: at + min(int64(d.cfg.Keep/time.Second), protocol.MaxRetention)}
}

// DeclineOffer tells a seller that none of the deal's offers is wanted.
func (d *Desk) DeclineOffer(ctx context.Context, offer cid.Cid, reason string) (*book.Deal, error) {
	_, key, err := d.offerForAnswer(offer)
	if err != nil {
		return nil, err
	}
	return d.ask(ctx, key, func(record.DealKey) record.Body {
		return &record.Decline{Ask: record.Ask{Deal: key, Reason: reason}}
	})
}

// CancelDeal asks the seller of a deal for a void. It ends nothing by itself:
// the answer may be the confirmation that was already under way.
func (d *Desk) CancelDeal(ctx context.Context, id cid.Cid, reason string) (*book.Deal, error) {
	dl, ok := d.book.Deal(id)
	if !ok || dl.Role != book.Customer {
		return nil, protocol.Errorf(protocol.CodeNotFound, "deal", "you are not the customer of a deal with the ID %s", id)
	}
	return d.ask(ctx, dl.Key, func(key record.DealKey) record.Body {
		return &record.Cancel{Ask: record.Ask{Deal: key, Reason: reason}}
	})
}

// ask signs a record that asks for a void.
func (d *Desk) ask(ctx context.Context, key record.DealKey, body func(record.DealKey) record.Body) (*book.Deal, error) {
	err := d.book.Update(ctx, key.Intent, func(tx *book.Tx) error {
		in, err := ownIntent(tx, key.Intent)
		if err != nil {
			return err
		}
		dl, ok := tx.Deal(key.ID())
		if !ok {
			return protocol.Errorf(protocol.CodeNotFound, "deal", "there is no such deal")
		}
		if err := dl.State.MayAsk(); err != nil {
			return err
		}
		rec, err := d.signInDeal(in, body(key))
		if err != nil {
			return err
		}
		tx.Sign(rec, keyring.KeyID{})
		return nil
	})
	if err != nil {
		return nil, err
	}
	dl, _ := d.book.Deal(key.ID())
	return dl, nil
}

// settleCustomer does what an own intent's deals ask for by themselves: answers
// to sellers that were restored, and notices to those who lost.
func (d *Desk) settleCustomer(ctx context.Context, id cid.Cid) error {
	return d.book.Update(ctx, id, func(tx *book.Tx) error {
		in, err := ownIntent(tx, id)
		if err != nil {
			return err
		}
		agreed, spoken := 0, 0
		var winner *record.Offer
		for _, dl := range tx.Deals() {
			if dl.Spoken() {
				spoken++
			}
		}
		said := map[cid.Cid]bool{}
		for _, dl := range tx.Deals() {
			if dl.State.Phase == deal.PhaseAgreed && !dl.State.Changes.Defined() {
				agreed++
				winner = acceptedOffer(dl)
			}
			if answer := dl.State.AnswerRestored(d.now()); !answer.None() && answerUnasked(dl, spoken) && !d.stale(dl) {
				var seedID keyring.KeyID
				if cancel, ok := answer.Body.(*record.Cancel); ok {
					// The keys of before may be gone, and so may the mailboxes.
					if seedID, cancel.ReplyTo, err = d.freshReplyTo(ctx, d.cfg.Mailboxes); err != nil {
						return err
					}
				}
				rec, err := record.Sign(d.headerAt(answer.At), answer.Body, d.intentKey(in))
				if err != nil {
					return err
				}
				tx.Sign(rec, seedID)
				said[dl.ID] = true
				spoken++
			}
		}
		if agreed < int(in.Body().Awards) {
			return nil
		}
		for _, dl := range tx.Deals() {
			if dl.State.Phase != deal.PhaseOpen || len(dl.State.Asks) > 0 || len(dl.State.Offers) == 0 || dl.State.MayAsk() != nil ||
				dl.State.Changing().Defined() || said[dl.ID] || !answerUnasked(dl, spoken) {
				continue
			}
			notice := &record.AwardNotice{
				Ask:            record.Ask{Deal: dl.Key, Reason: whyLost(dl, winner)},
				OffersReceived: int64(len(tx.Deals())),
			}
			rec, err := d.signInDeal(in, notice)
			if err != nil {
				return err
			}
			tx.Sign(rec, keyring.KeyID{})
			spoken++
		}
		return nil
	})
}

// Bounds of what strangers can make this node sign by itself, and so keep for
// good, on one intent.
const (
	maxUnasked      = 256 // deals
	maxUnaskedInbox = 8   // records that wait in one of them
)

// answerUnasked tells whether to answer in a deal before the person has: not for
// the crowds of sellers that one program can make up, nor in rounds that aren't
// open.
func answerUnasked(dl *book.Deal, spoken int) bool {
	if dl.Spoken() {
		return true
	}
	return dl.State.RoundOpen() == nil && spoken < maxUnasked && len(dl.Inbox) <= maxUnaskedInbox
}

func acceptedOffer(dl *book.Deal) *record.Offer {
	if dl.State.Acceptance == nil {
		return nil
	}
	acc := dl.State.Acceptance.Body().(*record.Acceptance)
	if rec := dl.Find(acc.Offer); rec != nil {
		return rec.Body().(*record.Offer)
	}
	return nil
}

// whyLost is price when every offer of the deal cost more than the winner's in
// the same currency; otherwise the notice says no more than who was not chosen.
func whyLost(dl *book.Deal, winner *record.Offer) string {
	if winner == nil {
		return protocol.ReasonAwardedElsewhere
	}
	for _, rec := range dl.State.Offers {
		o := rec.Body().(*record.Offer)
		if o.PriceCurrency != winner.PriceCurrency || o.TotalPrice.Cmp(winner.TotalPrice) <= 0 {
			return protocol.ReasonAwardedElsewhere
		}
	}
	return protocol.ReasonPrice
}
