package deal

import (
	"cmp"
	"slices"

	"github.com/ipfs/go-cid"

	"github.com/parley-protocol/parley/crypto"
	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/record"
)

// FoldRounds folds all rounds of one customer key and one vendor on one intent,
// in their order; each knows the one before. Rounds without records are left
// out, and so are records that belong to none of them. It fails as [Fold] does.
func FoldRounds(intent *record.Record, vendor crypto.DID, recs []*record.Record, opts Options) (Rounds, error) {
	if intent == nil || slices.Contains(recs, nil) {
		return nil, protocol.Errorf(protocol.CodeInternal, "", "a record is nil")
	}
	if _, ok := intent.Body().(*record.Intent); !ok {
		return nil, protocol.Errorf(protocol.CodeBadField, "intent", "a %s isn't an intent", intent.Type())
	}
	byRound := map[int64][]*record.Record{}
	for _, r := range recs {
		if key, ok := r.Deal(); ok && key.Intent == intent.ID() && key.Vendor == vendor {
			byRound[key.Round] = append(byRound[key.Round], r)
		}
	}
	rounds := make(Rounds, 0, len(byRound))
	for round, of := range byRound {
		key := record.DealKey{Intent: intent.ID(), Vendor: vendor, Round: round}
		s, err := Fold(intent, key, of, opts)
		if err != nil {
			return nil, err
		}
		rounds = append(rounds, s)
	}
	slices.SortFunc(rounds, func(a, b State) int { return cmp.Compare(a.Key.Round, b.Key.Round) })
	for i := 1; i < len(rounds); i++ {
		if rounds[i-1].Key.Round == rounds[i].Key.Round-1 {
			rounds[i].opts.Previous = &rounds[i-1]
		}
	}
	return rounds, nil
}

// Rounds are the states of one customer key and one vendor on one intent, by
// round.
type Rounds []State

// InForce lists the agreements that hold: the rounds that are agreed and that no
// other agreed round changes. Between honest parties there is at most one. It is
// a function of the set of rounds: a change round that is voided or in conflict
// changes nothing.
func (r Rounds) InForce() []State {
	changed := map[cid.Cid]bool{}
	for _, s := range r {
		if s.Changes.Defined() {
			changed[s.Changes] = true
		}
	}
	var holding []State
	for _, s := range r {
		if s.Phase == PhaseAgreed && !changed[s.Agreement] {
			holding = append(holding, s)
		}
	}
	return holding
}

// Changing is the agreement in force when this round opened, which the round is
// about: its offers must cite it as what they change. It is undefined in a round
// that is about no agreement, or where the rounds before aren't known.
func (s State) Changing() cid.Cid {
	for prev := s.previous(); prev != nil; prev = prev.previous() {
		if prev.Phase == PhaseAgreed {
			return prev.Agreement
		}
	}
	return cid.Undef
}

// RoundOpen says why nothing may be offered or accepted in this round, nil if it
// may. The first is open. Another one is open if the one before is agreed, to
// change the agreement, or if it was voided by the seller and the customer has
// asked for another with a next-round that cites the void.
func (s State) RoundOpen() error {
	if s.Key.Round == 1 {
		return nil
	}
	prev := s.previous()
	switch {
	case prev == nil:
		return protocol.Errorf(protocol.CodeMissingRecord, "deal", "the round before this one isn't known")
	case prev.Phase == PhaseConflict:
		return protocol.Errorf(protocol.CodeConflict, "deal", "the records of the round before contradict each other")
	case prev.Phase == PhaseAgreed:
		return nil
	case !prev.voidedByVendor():
		return protocol.Errorf(protocol.CodeNotPermitted, "deal", "the round before hasn't been decided by the seller")
	}
	for _, r := range s.NextRounds {
		if find(prev.lawful, r.Body().(*record.NextRound).Previous) != nil {
			return prev.RoundKnown()
		}
	}
	return protocol.Errorf(protocol.CodeNotPermitted, "deal", "the customer hasn't asked for another round")
}

// RoundKnown says which round before this one is missing, nil if all are known.
// Without them nobody can tell which agreement an offer has to change.
func (s State) RoundKnown() error {
	for at := &s; at.Key.Round > 1; at = at.previous() {
		if at.previous() == nil {
			return protocol.Errorf(protocol.CodeMissingRecord, "deal", "round %d isn't known", at.Key.Round-1)
		}
	}
	return nil
}

// previous is the state of the round before, nil if the options don't have it.
func (s *State) previous() *State {
	prev := s.opts.Previous
	if prev == nil || prev.Key.Intent != s.Key.Intent || prev.Key.Vendor != s.Key.Vendor || prev.Key.Round != s.Key.Round-1 {
		return nil
	}
	return prev
}

// voidedByVendor reports whether the seller's lawful void has ended the round.
func (s *State) voidedByVendor() bool { return s.Phase == PhaseVoided && s.Void != nil }

// checkChange says why an offer with that under changes can't be made or
// accepted in this round.
func (s State) checkChange(changes cid.Cid) error {
	switch standing := s.Changing(); {
	case changes == standing:
		return nil
	case !standing.Defined():
		return protocol.Errorf(protocol.CodeChangeMismatch, "changes", "there is no agreement to change")
	case !changes.Defined():
		return protocol.Errorf(protocol.CodeChangeMismatch, "changes", "an offer in this round has to change the agreement %s", standing)
	default:
		return protocol.Errorf(protocol.CodeChangeMismatch, "changes", "the agreement in force is %s", standing)
	}
}

// NextRound is the statement with which the customer asks for the round after
// this one: after the seller's void, or to change the agreement. The desk adds a
// reason, words and a replyTo. It fails as [State.MayNextRound] does.
func (s State) NextRound() (*record.NextRound, error) {
	if err := s.MayNextRound(); err != nil {
		return nil, err
	}
	ending := s.Confirmation
	if s.Phase == PhaseVoided {
		ending = s.Void
	}
	next := s.Key
	next.Round++
	return &record.NextRound{Deal: next, Previous: ending.ID()}, nil
}

// MayNextRound says why the customer may not ask for the round after this one,
// nil if it may: this one must have the seller's void, or be agreed.
func (s State) MayNextRound() error {
	switch {
	case s.Phase == PhaseConflict:
		return protocol.Errorf(protocol.CodeConflict, "", "the deal's records contradict each other")
	case s.Phase != PhaseAgreed && !s.voidedByVendor():
		return protocol.Errorf(protocol.CodeNotPermitted, "deal", "this round hasn't been decided by the seller")
	case s.Key.Round >= protocol.MaxRound:
		return protocol.Errorf(protocol.CodeNotPermitted, "deal", "this round is the last")
	case s.opts.Restored:
		return protocol.Errorf(protocol.CodeRecovering, "", "this side came back from an old backup")
	}
	return nil
}
