package desk

import (
	"cmp"
	"context"
	"slices"

	"github.com/ipfs/go-cid"

	"github.com/parley-protocol/parley/crypto"
	"github.com/parley-protocol/parley/node/book"
	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/deal"
	"github.com/parley-protocol/parley/protocol/record"
)

// Rounds are all rounds of one customer and one seller on one request, by round.
func (d *Desk) Rounds(key record.DealKey) []*book.Deal {
	return rounds(d.book.DealsOf(key.Intent), key)
}

func rounds(deals []*book.Deal, key record.DealKey) []*book.Deal {
	var out []*book.Deal
	for _, dl := range deals {
		if dl.Key.Vendor == key.Vendor {
			out = append(out, dl)
		}
	}
	slices.SortFunc(out, func(a, b *book.Deal) int { return cmp.Compare(a.Key.Round, b.Key.Round) })
	return out
}

// lastRound is the key of the last round that there is, or first.
func lastRound(deals []*book.Deal, first record.DealKey) record.DealKey {
	for _, dl := range rounds(deals, first) {
		first = dl.Key
	}
	return first
}

// InForce is the agreement that holds between the two, undefined for none: the
// last that no other one replaces.
func InForce(rounds []*book.Deal) cid.Cid {
	var states deal.Rounds
	for _, dl := range rounds {
		states = append(states, dl.State)
	}
	holding := states.InForce()
	if len(holding) == 0 {
		return cid.Undef
	}
	return holding[len(holding)-1].Agreement
}

// NextRoundRequest is a customer's word for a further round with a seller.
type NextRoundRequest struct {
	Deal        cid.Cid // of any round
	Change      bool    // of the agreement; otherwise it follows a void
	Reason      string
	Description string
}

// AskRound asks a seller for another round: after its void, or to change the
// agreement. The seller may offer in it, or not.
func (d *Desk) AskRound(ctx context.Context, req NextRoundRequest) (*book.Deal, error) {
	known, ok := d.book.Deal(req.Deal)
	if !ok || known.Role != book.Customer {
		return nil, protocol.Errorf(protocol.CodeNotFound, "deal", "you are not the customer of a deal with the ID %s", req.Deal)
	}
	if _, err := d.addressIn(ctx, known.Key, known.Key.Vendor); err != nil {
		return nil, err // a seller that has only said no may have told no address
	}
	keyID, seed, err := d.keys.Take(ctx)
	if err != nil {
		return nil, err
	}
	replyTo, err := d.replyTo(crypto.SuiteMLKEM768X25519, seed, d.cfg.Mailboxes)
	if err != nil {
		return nil, err
	}
	var next record.DealKey
	err = d.book.Update(ctx, known.Key.Intent, func(tx *book.Tx) error {
		in, err := ownIntent(tx, known.Key.Intent)
		if err != nil {
			return err
		}
		last, _ := tx.Deal(lastRound(tx.Deals(), known.Key).ID())
		if err := mayAsk(last, req.Change); err != nil {
			return err
		}
		body, err := last.State.NextRound()
		if err != nil {
			return err
		}
		body.Reason, body.Description, body.ReplyTo = req.Reason, req.Description, &replyTo
		next = body.Deal
		rec, err := record.Sign(d.header(), body, d.intentKey(in))
		if err != nil {
			return err
		}
		tx.Sign(rec, keyID)
		return nil
	})
	if err != nil {
		return nil, err
	}
	dl, _ := d.book.Deal(next.ID())
	return dl, nil
}

// mayAsk tells in what way the last round can't be followed as it is asked for.
func mayAsk(last *book.Deal, change bool) error {
	short := shortRecord(last.ID)
	switch phase := last.State.Phase; {
	case len(last.State.NextRounds) > 0 && phase == deal.PhaseOpen && len(last.State.Offers) == 0:
		return &protocol.Error{Code: protocol.CodeDuplicate, Field: "deal", Detail: "you have asked for another round already, and the seller hasn't answered", Hint: "parley deal show " + short}
	case phase == deal.PhaseOpen || phase == deal.PhasePending:
		return &protocol.Error{Code: protocol.CodeNotPermitted, Field: "deal", Detail: "the last round with this seller isn't over", Hint: "parley deal show " + short}
	case phase == deal.PhaseAgreed && !change:
		return &protocol.Error{Code: protocol.CodeNotPermitted, Field: "deal", Detail: "you have an agreement with this seller", Hint: "to change it: parley deal change " + short}
	case phase == deal.PhaseVoided && change && !last.State.Changing().Defined():
		return &protocol.Error{Code: protocol.CodeNotPermitted, Field: "deal", Detail: "there is no agreement to change", Hint: "for another offer: parley deal next " + short}
	}
	return nil
}

// roundOf is the round in which a seller's offer is made: the one that was asked
// for, else the last, or the one after it when it changes the agreement there.
func roundOf(deals []*book.Deal, key record.DealKey, round int64, changes bool) record.DealKey {
	if round > 0 {
		key.Round = round
		return key
	}
	all := rounds(deals, key)
	if len(all) == 0 {
		return key
	}
	last := all[len(all)-1]
	key = last.Key
	if changes && last.State.Phase == deal.PhaseAgreed {
		key.Round++
	}
	return key
}

// maxTakenBack bounds the rounds of one customer and one seller that the customer
// has asked for and taken back: else it could fill the ledger round by round.
const maxTakenBack = 8

// mayBegin tells whether the customer may say that in a round in which this seller
// is silent: one word for the round, once the one before is over, and one that
// takes it back.
func (d *Desk) mayBegin(key record.DealKey, bundle []*record.Record) bool {
	var news []*record.Record
	for _, rec := range bundle {
		if of, ok := rec.Deal(); ok && of == key && !d.book.Has(rec.ID()) {
			news = append(news, rec)
		}
	}
	if len(news) == 0 {
		return d.book.Has(bundle[len(bundle)-1].ID())
	}
	if dl, ok := d.book.Deal(key.ID()); ok && len(dl.State.NextRounds) > 0 {
		return len(news) == 1 && isAsk(news[0]) && len(dl.State.Asks) == 0
	}
	before := key
	before.Round--
	prev, ok := d.book.Deal(before.ID())
	if !ok || !prev.Spoken() || prev.State.MayNextRound() != nil {
		return false
	}
	takenBack := 0
	for _, dl := range d.Rounds(key) {
		if st := dl.State; st.Void != nil && len(st.Asks) > 0 && len(st.Offers) == 0 && st.TermsCounter == nil && st.Key.Round > 1 {
			takenBack++
		}
	}
	if takenBack >= maxTakenBack || news[0].Type() != protocol.TypeNextRound {
		return false
	}
	return len(news) == 1 || len(news) == 2 && isAsk(news[1])
}

// isAsk tells whether a record asks for a void.
func isAsk(rec *record.Record) bool {
	switch rec.Type() {
	case protocol.TypeCancel, protocol.TypeDecline, protocol.TypeAwardNotice:
		return true
	}
	return false
}
