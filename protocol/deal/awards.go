package deal

// AwardsLeft is how many more acceptances an intent's awards allow, given the
// customer's states of all deals on it, all rounds included: one that changes an
// agreement takes none beside it. It is negative after overrides.
//
// Look at it in the same step as the acceptance is persisted: two acceptances
// that were each checked beforehand could both find the last award free. Going
// beyond it takes an explicit override by the person.
func AwardsLeft(awards int64, states []State) int64 {
	for _, s := range states {
		if s.TakesAward {
			awards--
		}
	}
	return awards
}

// awardReturned reports whether an acceptance of this deal no longer takes an
// award: the seller's void is in hand. Neither time nor being in doubt, neither
// the customer's own ask nor its own void gives an award back, and a
// confirmation keeps it even in a conflict, unless the customer's void
// outranked it.
func (s *State) awardReturned(unlawful []unlawfulVoid) bool {
	void := s.Void != nil || len(unlawful) > 0
	return void && (len(s.facts.confirmations) == 0 || s.CustomerVoid != nil)
}
