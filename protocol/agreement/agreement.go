// Package agreement picks the four records of an agreement, and what was said
// about it since, out of a deal's records, for those who show the agreement in
// other forms. It is pure.
package agreement

import (
	"slices"

	"github.com/ipfs/go-cid"

	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/deal"
	"github.com/parley-protocol/parley/protocol/proof"
	"github.com/parley-protocol/parley/protocol/record"
)

// Agreement is what two sides have agreed, as their signed records say it.
type Agreement struct {
	ID   cid.Cid // the confirmation's ID, the agreement's name
	Deal record.DealKey

	Intent       *record.Record
	Offer        *record.Record // the one that was accepted
	Acceptance   *record.Record
	Confirmation *record.Record
	Terms        *record.Record // the terms record that the offer cites; nil for a roster ID

	Asked   *record.Intent // the body of Intent
	Offered *record.Offer  // the body of Offer
	Own     *record.Terms  // the body of Terms; nil with it

	After deal.FollowUp // what was said about it since, as far as the archive has it
}

// Of finds the agreement in an archive of one deal, which is verified first
// ([proof.Verify]). The refusals: [protocol.CodeUnsupportedFormat] for an archive
// that is not of one deal, [protocol.CodeDamaged] for one whose checks fail,
// [protocol.CodeNotFound] where nothing was agreed, and
// [protocol.CodeMissingRecord] where the terms record isn't in the archive.
func Of(archive *proof.Archive) (*Agreement, error) {
	if archive.Manifest.Kind != proof.KindDeal || len(archive.Records) == 0 {
		return nil, protocol.Errorf(protocol.CodeUnsupportedFormat, "kind", "this is no archive of one deal")
	}
	report := proof.Verify(archive)
	for _, check := range report.Checks {
		if check.Status == proof.Failed {
			return nil, protocol.Errorf(protocol.CodeDamaged, check.Name, "the proof does not hold: %s", check.Detail)
		}
	}
	state, err := deal.Fold(archive.Records[0], archive.Manifest.Deal, ofDeal(archive), deal.Options{})
	if err != nil {
		return nil, err
	}
	if state.Phase != deal.PhaseAgreed {
		return nil, protocol.Errorf(protocol.CodeNotFound, "deal", "there is no agreement to export: the deal is %s", state.Phase)
	}
	a := &Agreement{
		ID: state.Agreement, Deal: state.Key, Intent: archive.Records[0],
		Acceptance: state.Acceptance, Confirmation: state.Confirmation,
	}
	a.Asked, _ = a.Intent.Body().(*record.Intent)
	accepted, _ := a.Acceptance.Body().(*record.Acceptance)
	for _, offer := range state.Offers {
		if offer.ID() == accepted.Offer {
			a.Offer = offer
			a.Offered, _ = offer.Body().(*record.Offer)
		}
	}
	if a.After, err = deal.Follow(a.Intent.Header().By, a.Deal, a.ID, followUps(archive)); err != nil {
		return nil, err
	}
	if link := a.Offered.Terms.Record; link.Defined() {
		i := slices.IndexFunc(archive.Records, func(r *record.Record) bool { return r.ID() == link })
		if i < 0 {
			return nil, protocol.Errorf(protocol.CodeMissingRecord, "terms", "the terms that were agreed, %s, are not in the proof", link)
		}
		a.Terms = archive.Records[i]
		own, isTerms := a.Terms.Body().(*record.Terms)
		if !isTerms {
			return nil, protocol.Errorf(protocol.CodeBadField, "terms", "%s is no terms record", link)
		}
		a.Own = own
	}
	return a, nil
}

func ofDeal(archive *proof.Archive) (own []*record.Record) {
	for _, r := range archive.Records[1:] {
		if key, ok := r.Deal(); ok && key == archive.Manifest.Deal {
			own = append(own, r)
		}
	}
	return own
}

func followUps(archive *proof.Archive) (out []*record.Record) {
	for _, r := range archive.Records[1:] {
		if _, ok := r.FollowsUp(); ok {
			out = append(out, r)
		}
	}
	return out
}

// Customer is the individual, the first party to the terms.
func (a *Agreement) Customer() string { return string(a.Intent.Header().By) }

// Vendor is the second party.
func (a *Agreement) Vendor() string { return string(a.Deal.Vendor) }

// AgreedAt is when the confirmation says that it was signed, Unix seconds.
func (a *Agreement) AgreedAt() int64 { return a.Confirmation.Header().At }
