package deal

import (
	"slices"

	"github.com/ipfs/go-cid"

	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/record"
)

// Fold adds up the records of one deal. It is a pure function of the set of
// records: their order and repetitions don't matter, and options change only
// what the State's methods permit.
//
// The records are taken as [record.Parse] let them through: signed, canonical,
// their own fields in order. Whether one has expired is no matter of the fold.
//
// It fails only when it is called wrongly: with an intent that isn't one
// ([protocol.CodeBadField]), a key of another intent
// ([protocol.CodeDealMismatch]), or a nil record ([protocol.CodeInternal]).
func Fold(intent *record.Record, key record.DealKey, recs []*record.Record, opts Options) (State, error) {
	if intent == nil || slices.Contains(recs, nil) {
		return State{}, protocol.Errorf(protocol.CodeInternal, "", "a record is nil")
	}
	body, ok := intent.Body().(*record.Intent)
	if !ok {
		return State{}, protocol.Errorf(protocol.CodeBadField, "intent", "a %s isn't an intent", intent.Type())
	}
	if key.Intent != intent.ID() {
		return State{}, protocol.Errorf(protocol.CodeDealMismatch, "deal", "the deal is on another intent")
	}

	s := State{Key: key, Customer: intent.Header().By, opts: opts, terms: body.Terms}
	s.facts, s.Misfits = gather(body, s.Customer, key, recs)
	s.Offers, s.Asks = s.facts.offers, s.facts.asks
	s.Restored, s.NextRounds = first(s.facts.restored), s.facts.nextRounds

	s.foldCounters()
	s.foldTermsCounters()
	takes := s.foldAcceptances()
	confirmed := s.foldConfirmations()
	s.foldAnswers()
	unlawful := s.foldVoids()
	s.Evidence = s.contradictions(unlawful)
	slices.SortFunc(s.Misfits, func(a, b Misfit) int { return byTime(a.Record, b.Record) })
	slices.SortFunc(s.Waiting, func(a, b Waiting) int { return byTime(a.Record, b.Record) })

	ended := s.Void != nil || s.CustomerVoid != nil
	switch {
	case len(s.Evidence) > 0:
		s.Phase = PhaseConflict
	case ended:
		s.Phase = PhaseVoided
	case confirmed:
		s.Phase = PhaseAgreed
		s.Agreement = s.Confirmation.ID()
		if offer, ok := s.acceptedOffer(); ok {
			s.Changes = offer.Changes
		}
	case s.Acceptance != nil || s.Confirmation != nil:
		s.Phase = PhasePending
	default:
		s.Phase = PhaseOpen
	}
	s.Committed = s.Phase != PhaseConflict && !ended && s.Confirmation != nil
	s.TakesAward = takes && !s.awardReturned(unlawful)
	return s, nil
}

// foldAcceptances picks the acceptance in force and reports whether any takes an
// award: one that binds the customer, be it one whose offer is still missing,
// and that doesn't merely change an agreement, which has its award.
func (s *State) foldAcceptances() (takes bool) {
	var waiting *record.Record
	for _, r := range s.facts.acceptances {
		offerID := r.Body().(*record.Acceptance).Offer
		offer, terms := s.facts.offer(offerID)
		switch {
		case offer == nil && s.facts.known[offerID] == nil:
			s.wait(r, offerID)
			if waiting == nil {
				waiting = r
			}
			continue
		case offer == nil:
			s.misfit(r, s.misfitCode(offerID), "it accepts a record that isn't an offer of this deal")
			continue
		case r.Header().At > terms.ValidUntil:
			s.misfit(r, protocol.CodeOfferExpired, "it was signed after the offer's validUntil")
			continue
		}
		if err := offer.CheckUnderstood(); err != nil {
			s.misfit(r, protocol.CodeOf(err), "it accepts an offer that says what this program doesn't know")
			continue
		}
		takes = takes || !terms.Changes.Defined()
		if s.Acceptance == nil {
			s.Acceptance = r
		}
	}
	if s.Acceptance == nil {
		s.Acceptance = waiting
	}
	return takes || waiting != nil
}

// foldConfirmations picks the confirmation in force and reports whether the
// chain from the intent to it is whole.
func (s *State) foldConfirmations() (whole bool) {
	var waiting *record.Record
	for _, r := range s.facts.confirmations {
		acceptanceID := r.Body().(*record.Confirmation).Acceptance
		acceptance := find(s.facts.acceptances, acceptanceID)
		missing := acceptanceID
		if acceptance != nil {
			missing = acceptance.Body().(*record.Acceptance).Offer
		}
		switch {
		case s.facts.known[missing] == nil:
			s.wait(r, missing)
			if waiting == nil {
				waiting = r
			}
			continue
		case acceptance == nil, s.isMisfit(acceptance):
			s.misfit(r, s.misfitCode(acceptanceID), "it confirms a record that isn't a valid acceptance of this deal")
			continue
		}
		if _, offer := s.facts.offer(missing); r.Header().At > offer.ValidUntil {
			s.misfit(r, protocol.CodeOfferExpired, "it was signed after the offer's validUntil")
			continue
		}
		if !whole {
			// With two acceptances the deal is in conflict; show the one confirmed.
			s.Confirmation, s.Acceptance, whole = r, acceptance, true
		}
	}
	if !whole {
		s.Confirmation = waiting
	}
	return whole
}

// foldAnswers picks the customer's answer to a restored. Both kinds count only
// when the restored that they cite is in the set.
func (s *State) foldAnswers() {
	for _, r := range s.facts.customerVoids {
		if s.answers(r, r.Body().(*record.CustomerVoid).Restored) && s.CustomerVoid == nil {
			s.CustomerVoid = r
		}
	}
	for _, r := range s.facts.helds {
		body := r.Body().(*record.Held)
		if !s.answers(r, body.Restored) {
			continue
		}
		if s.Held == nil {
			s.Held = r
		}
		if s.facts.known[body.Decision] == nil {
			s.wait(r, body.Decision)
		}
	}
}

// answers reports whether r cites a restored of this deal.
func (s *State) answers(r *record.Record, restored cid.Cid) bool {
	switch {
	case find(s.facts.restored, restored) != nil:
		return true
	case s.facts.known[restored] == nil:
		s.wait(r, restored)
	default:
		s.misfit(r, protocol.CodeBadField, "it doesn't cite a restored of this deal")
	}
	return false
}

// wait notes that r decides nothing before the missing record arrives.
func (s *State) wait(r *record.Record, missing cid.Cid) {
	s.Waiting = append(s.Waiting, Waiting{Record: r, Missing: missing})
}

// misfit notes that r has no part in the deal.
func (s *State) misfit(r *record.Record, code protocol.Code, detail string) {
	s.Misfits = append(s.Misfits, Misfit{Record: r, Code: code, Detail: detail})
}

// isMisfit reports whether r has been found to be a misfit.
func (s *State) isMisfit(r *record.Record) bool {
	return slices.ContainsFunc(s.Misfits, func(m Misfit) bool { return m.Record.ID() == r.ID() })
}

// misfitCode is why the cited record is a misfit, or that it is of a kind that
// can't be cited here.
func (s *State) misfitCode(cited cid.Cid) protocol.Code {
	for _, m := range s.Misfits {
		if m.Record.ID() == cited {
			return m.Code
		}
	}
	return protocol.CodeBadField
}
