package deal

import (
	"github.com/ipfs/go-cid"

	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/record"
)

// Decide is what the seller must sign now, by its own clock:
//
//   - nothing once a decision exists or the deal is in conflict: one decision
//     per deal, ever;
//   - the void that adopts the customer's void after a restore;
//   - [record.Restored], once, when this side came back from a backup (fill in
//     its ReplyTo); after that nothing until the customer has answered;
//   - the void that the customer asked for. An ask goes before an acceptance
//     that is still in time: the seller may confirm either way, but nobody
//     should be held to a purchase that they took back before it was confirmed;
//   - the confirmation of an acceptance that is in time;
//   - the void of the whole deal for an acceptance that is late by this clock,
//     even while another offer is firm.
func (s State) Decide(now int64) Decision {
	if s.decided() || s.Phase == PhaseConflict {
		return Decision{}
	}
	sign := func(b record.Body) Decision { return Decision{Body: b, At: now} }
	void := func(reason string, cites cid.Cid) Decision {
		return sign(&record.Void{Deal: s.Key, Reason: reason, Cites: cites})
	}
	if s.CustomerVoid != nil {
		return void(protocol.ReasonRecovered, s.CustomerVoid.ID())
	}
	if s.recovering() {
		if s.Restored == nil {
			return sign(&record.Restored{Deal: s.Key})
		}
		return Decision{}
	}
	if ask := first(s.Asks); ask != nil {
		return void(protocol.ReasonCustomerAsked, ask.ID())
	}
	offer, ok := s.acceptedOffer()
	switch {
	case !ok:
		return Decision{}
	case now > offer.ValidUntil:
		return void(protocol.ReasonOfferExpired, s.Acceptance.ID())
	default:
		return sign(&record.Confirmation{Deal: s.Key, Acceptance: s.Acceptance.ID()})
	}
}

// MayOffer says why the seller may not sign another offer now, one that changes
// no agreement, nil if it may. The intent's own validUntil and the offer's
// content are the caller's to check.
func (s State) MayOffer() error { return s.MayOfferChange(cid.Undef) }

// MayOfferChange says why the seller may not sign an offer now that has that
// under changes, nil if it may. While the round before is agreed a seller may
// propose a change of that agreement without being asked.
func (s State) MayOfferChange(changes cid.Cid) error {
	if err := s.mayAnswer(); err != nil {
		return err
	}
	return s.checkChange(changes)
}

// mayAnswer says why the seller may not make an offer, of whatever kind.
func (s State) mayAnswer() error {
	if err := s.vendorFree(); err != nil {
		return err
	}
	switch {
	case len(s.facts.acceptances) > 0:
		return protocol.Errorf(protocol.CodeAlreadyAccepted, "", "the customer has accepted an offer of this deal")
	case len(s.Asks) > 0:
		return protocol.Errorf(protocol.CodeDealClosed, "", "the customer has asked for a void")
	}
	return nil
}

// MayDecline says why the seller may not sign a void of its own accord now, one
// that cites nothing, nil if it may: there must be no decision, no acceptance
// to answer, and no offer that is still firm. Sign with now as the void's time.
func (s State) MayDecline(now int64) error {
	if err := s.vendorFree(); err != nil {
		return err
	}
	if _, ok := s.acceptedOffer(); ok {
		return protocol.Errorf(protocol.CodeAlreadyAccepted, "", "the customer has accepted an offer of this deal")
	}
	if firm := s.facts.firmAt(now); len(firm) > 0 {
		return protocol.Errorf(protocol.CodeUnlawfulVoid, "", "an offer of this deal is firm until %d", firm[len(firm)-1].ValidUntil())
	}
	return nil
}

// MayAdopt says why a restored seller's desk may not take a decision that the
// customer sent back to it into its own records, nil if it may: the customer
// must have bound itself to it with its held. Otherwise a customer could show
// the decision first and void the deal afterwards.
func (s State) MayAdopt(decision cid.Cid) error {
	if s.Held == nil || s.Held.Body().(*record.Held).Decision != decision {
		return protocol.Errorf(protocol.CodeMissingRecord, "decision", "the customer hasn't said that it holds this decision")
	}
	return nil
}

// vendorFree says why the seller may not act of its own accord.
func (s State) vendorFree() error {
	switch {
	case s.Phase == PhaseConflict:
		return protocol.Errorf(protocol.CodeConflict, "", "the deal's records contradict each other")
	case s.decided() || s.CustomerVoid != nil:
		return protocol.Errorf(protocol.CodeDealClosed, "", "the deal has been decided")
	case s.recovering():
		return protocol.Errorf(protocol.CodeRecovering, "", "this side came back from an old backup and waits for the customer's answer")
	}
	return s.RoundOpen()
}

// recovering reports whether the seller must not decide by itself. A restored
// of its own in the set says so too, should the caller have lost the flag.
func (s State) recovering() bool { return s.opts.Restored || s.Restored != nil }

// decided reports whether the seller has signed any decision, in force or not.
func (s State) decided() bool {
	return len(s.facts.confirmations) > 0 || len(s.facts.voids) > 0
}

// acceptedOffer is the offer that the acceptance in force accepts.
func (s State) acceptedOffer() (*record.Offer, bool) {
	if s.Acceptance == nil {
		return nil, false
	}
	_, offer := s.facts.offer(s.Acceptance.Body().(*record.Acceptance).Offer)
	return offer, offer != nil
}
