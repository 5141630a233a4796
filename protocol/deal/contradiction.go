package deal

import (
	"slices"

	"github.com/ipfs/go-cid"

	"github.com/parley-protocol/parley/protocol/record"
)

// unlawfulVoid is a void that the seller had no right to sign, with the records
// that show it.
type unlawfulVoid struct {
	void  *record.Record
	proof []*record.Record
}

// foldVoids picks the void in force and returns the unlawful ones.
//
// A void is lawful if it cites an ask of the customer's, a customer-void in
// force, or an acceptance whose offer's validUntil lies before the void's own
// time; or if it cites nothing and no offer is firm at that time.
func (s *State) foldVoids() (unlawful []unlawfulVoid) {
	for _, r := range s.facts.voids {
		body := r.Body().(*record.Void)
		missing, proof := s.judge(r.Header().At, body.Cites)
		switch {
		case missing.Defined():
			s.wait(r, missing)
		case proof != nil:
			unlawful = append(unlawful, unlawfulVoid{void: r, proof: proof})
		default:
			s.lawful = append(s.lawful, r)
		}
	}
	s.Void = first(s.lawful)
	return unlawful
}

// judge looks at a void's grounds: whether a record is missing to tell, else
// the records that show that it is unlawful. Neither: it is lawful.
func (s *State) judge(at int64, cites cid.Cid) (missing cid.Cid, proof []*record.Record) {
	if !cites.Defined() {
		return cid.Undef, s.facts.firmAt(at)
	}
	cited := s.facts.known[cites]
	if cited == nil {
		return cites, nil
	}
	switch body := cited.Body().(type) {
	case *record.Cancel, *record.Decline, *record.AwardNotice:
		if find(s.facts.asks, cites) != nil {
			return cid.Undef, nil
		}
	case *record.CustomerVoid:
		if find(s.facts.customerVoids, cites) == nil {
			break
		}
		if find(s.facts.restored, body.Restored) != nil {
			return cid.Undef, nil
		}
		if s.facts.known[body.Restored] == nil {
			return body.Restored, nil
		}
	case *record.Acceptance:
		if find(s.facts.acceptances, cites) == nil {
			break
		}
		if s.facts.known[body.Offer] == nil {
			return body.Offer, nil
		}
		offer, terms := s.facts.offer(body.Offer)
		if offer == nil {
			break
		}
		if terms.ValidUntil < at {
			return cid.Undef, nil
		}
		return cid.Undef, []*record.Record{cited, offer}
	}
	return cid.Undef, []*record.Record{cited}
}

// contradictions collects the signed proof that somebody broke the rules.
//
// It looks at everything that a side signed for this deal, late or not: two
// acceptances contradict each other even if one of them was too late to bind.
// So a contradiction, once seen, doesn't go away when more records arrive,
// with one exception that the rules make: the customer's void after a restore
// outranks a decision that the seller lost.
func (s *State) contradictions(unlawful []unlawfulVoid) []*record.Record {
	f := &s.facts
	var proof []*record.Record
	if len(f.acceptances) > 1 {
		proof = append(proof, f.acceptances...)
	}
	for _, u := range unlawful {
		proof = append(append(proof, u.void), u.proof...)
	}
	if s.CustomerVoid != nil && s.Held != nil {
		proof = append(proof, s.CustomerVoid, s.Held)
		proof = append(proof, f.restored...)
	}
	if s.CustomerVoid == nil && len(f.confirmations) > 0 && len(f.confirmations)+len(f.voids) > 1 {
		proof = append(append(proof, f.confirmations...), f.voids...)
	}
	slices.SortFunc(proof, byTime)
	return slices.CompactFunc(proof, func(a, b *record.Record) bool { return a.ID() == b.ID() })
}
