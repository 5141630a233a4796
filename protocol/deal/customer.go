package deal

import (
	"slices"

	"github.com/ipfs/go-cid"

	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/record"
)

// InDoubt reports whether the customer's acceptance is past its deadline, the
// accepted offer's validUntil, without the seller's decision. It permits
// nothing: the customer may have bought.
func (s State) InDoubt(now int64) bool {
	offer, ok := s.acceptedOffer()
	return ok && s.Phase == PhasePending && now > offer.ValidUntil
}

// mayReply says why the customer may not answer offers any more, nil if it may.
func (s State) mayReply() error {
	switch {
	case s.Phase == PhaseConflict:
		return protocol.Errorf(protocol.CodeConflict, "", "the deal's records contradict each other")
	case s.decided() || s.CustomerVoid != nil:
		return protocol.Errorf(protocol.CodeDealClosed, "", "the deal has been decided")
	case len(s.facts.acceptances) > 0:
		return protocol.Errorf(protocol.CodeAlreadyAccepted, "", "this deal has an acceptance")
	case len(s.Asks) > 0:
		return protocol.Errorf(protocol.CodeDealClosed, "", "a void of this deal has been asked for")
	case s.opts.Restored:
		return protocol.Errorf(protocol.CodeRecovering, "", "this side came back from an old backup: an earlier acceptance may be on its way")
	}
	return s.RoundOpen()
}

// MayAccept says why the customer may not accept the offer with that ID now,
// nil if it may. The intent's awards are [AwardsLeft]'s matter, and an offer
// under a terms record is takable only if that record has no unknown fields
// either. Sign with now as the acceptance's time.
func (s State) MayAccept(offer cid.Cid, now int64) error {
	if err := s.mayReply(); err != nil {
		return err
	}
	rec, terms := s.facts.offer(offer)
	if rec == nil {
		return s.noOffer(offer)
	}
	if err := rec.CheckUnderstood(); err != nil {
		return err
	}
	if err := s.checkChange(terms.Changes); err != nil {
		return err
	}
	if now > terms.ValidUntil {
		return protocol.Errorf(protocol.CodeOfferExpired, "offer", "the offer was firm until %d", terms.ValidUntil)
	}
	return nil
}

// MayAsk says why the customer may not sign a cancel, a decline or an
// award-notice, nil if it may. An ask ends nothing by itself; the answer may be
// the confirmation that was already under way.
func (s State) MayAsk() error {
	switch {
	case s.Phase == PhaseConflict:
		return protocol.Errorf(protocol.CodeConflict, "", "the deal's records contradict each other")
	case s.decided() || s.CustomerVoid != nil:
		return protocol.Errorf(protocol.CodeDealClosed, "", "the deal has been decided")
	case len(s.Asks) > 0:
		return protocol.Errorf(protocol.CodeDuplicate, "", "a void of this deal has been asked for")
	}
	return nil
}

// AnswerRestored is what the customer must sign now because of a restore,
// nothing in most states:
//
//   - a customer that came back from a backup asks the seller for its decision
//     with a cancel, once after each restore, and signs nothing else;
//   - a customer whose seller was restored answers once: with the decision that
//     it holds ([record.Held]; send the decision with all that it cites along),
//     or with a void of its own ([record.CustomerVoid]).
func (s State) AnswerRestored(now int64) Decision {
	if s.opts.Restored {
		if code := protocol.CodeOf(s.MayAsk()); code != "" && (code != protocol.CodeDuplicate || s.askedAgain()) {
			return Decision{}
		}
		cancel := &record.Cancel{Ask: record.Ask{Deal: s.Key, Reason: protocol.ReasonRecovered}}
		return Decision{Body: cancel, At: now}
	}
	if s.Restored == nil || s.CustomerVoid != nil || s.Held != nil {
		return Decision{}
	}
	if held := s.heldDecision(); held != nil {
		return Decision{Body: &record.Held{Deal: s.Key, Restored: s.Restored.ID(), Decision: held.ID()}, At: now}
	}
	return Decision{Body: &record.CustomerVoid{Deal: s.Key, Restored: s.Restored.ID()}, At: now}
}

// askedAgain reports whether an ask is of after the restore: the answer to an
// older one may have come, and be lost.
func (s State) askedAgain() bool {
	return slices.ContainsFunc(s.Asks, func(ask *record.Record) bool { return ask.Header().At >= s.opts.AskedSince })
}

// heldDecision is the seller's decision that the customer holds, nil if none. A
// void that still waits for the record it cites is one: to deny it would be
// false. A misfit confirmation binds nobody.
func (s State) heldDecision() *record.Record {
	if s.Confirmation != nil {
		return s.Confirmation
	}
	return first(s.facts.voids)
}
