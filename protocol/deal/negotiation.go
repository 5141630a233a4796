package deal

import (
	"slices"

	"github.com/ipfs/go-cid"

	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/record"
)

// Counters, terms-counters and next-rounds bind nobody and change no phase.

// foldCounters keeps the counters to offers of this deal.
func (s *State) foldCounters() {
	for _, r := range s.facts.counters {
		offer := r.Body().(*record.Counter).Offer
		switch {
		case s.facts.known[offer] == nil:
			s.wait(r, offer)
		case find(s.facts.offers, offer) == nil:
			s.misfit(r, s.misfitCode(offer), "it answers a record that isn't an offer of this deal")
		default:
			s.Counters = append(s.Counters, r)
		}
	}
}

// foldTermsCounters keeps the first: a seller has one in a deal.
func (s *State) foldTermsCounters() {
	for i, r := range s.facts.termsCounters {
		if i == 0 {
			s.TermsCounter = r
			continue
		}
		s.misfit(r, protocol.CodeTermsCounterSpent, "the seller's one counter-offer of terms is another")
	}
}

// MayCounter says why the customer may not answer the offer with that ID with a
// counter now, nil if it may.
func (s State) MayCounter(offer cid.Cid) error {
	if err := s.mayReply(); err != nil {
		return err
	}
	if n := len(s.facts.counters); n >= protocol.MaxCounters {
		return protocol.Errorf(protocol.CodeOverQuota, "", "this deal has %d counters", n)
	}
	if find(s.facts.offers, offer) == nil {
		return s.noOffer(offer)
	}
	return nil
}

// noOffer says why no offer with that ID has a part in the deal.
func (s State) noOffer(offer cid.Cid) error {
	for _, m := range s.Misfits {
		if m.Record.ID() == offer {
			return protocol.Errorf(m.Code, "offer", "%s", m.Detail)
		}
	}
	return protocol.Errorf(protocol.CodeNotFound, "offer", "this deal has no offer with that ID")
}

// MayCounterTerms says why the seller may not make its one counter-offer of
// other terms now, nil if it may: it must be free to offer, those terms must not
// be among the request's, and there must be none yet. The intent's own
// validUntil is the caller's to check.
func (s State) MayCounterTerms(terms record.TermsRef) error {
	if err := s.mayReply(); err != nil {
		return err
	}
	switch {
	case len(s.facts.termsCounters) > 0:
		return protocol.Errorf(protocol.CodeTermsCounterSpent, "", "this deal has the seller's one counter-offer of terms")
	case slices.Contains(s.terms, terms):
		return protocol.Errorf(protocol.CodeBadField, "terms", "the request has these terms: offer under them")
	}
	return nil
}
