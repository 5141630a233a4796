package proof

import (
	"slices"

	"github.com/ipfs/go-cid"

	"github.com/parley-protocol/parley/crypto"
	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/codec"
	"github.com/parley-protocol/parley/protocol/deal"
	"github.com/parley-protocol/parley/protocol/record"
)

// Report is what an archive shows, as data and in words. The JSON form only
// grows.
type Report struct {
	OK           bool       `json:"ok"` // no check failed
	Kind         Kind       `json:"kind"`
	Root         cid.Cid    `json:"root"`
	Records      int        `json:"records"`
	Checks       []Check    `json:"checks"`
	Deals        []DealFact `json:"deals"`
	Proves       []string   `json:"proves"`       // sentences
	DoesNotProve []string   `json:"doesNotProve"` // sentences
}

// Status is the outcome of a check.
type Status string

// The outcomes of a check.
const (
	Passed Status = "ok"
	Failed Status = "failed"
	Open   Status = "open" // neither: it can't be told from this archive, or has no effect
)

// Check is one thing that was looked at.
type Check struct {
	Name    string        `json:"check"`   // block, signature, understood, link, deal or agreement
	Subject cid.Cid       `json:"subject"` // the record or deal
	Status  Status        `json:"status"`
	Code    protocol.Code `json:"code,omitempty"`   // why it failed or is open
	Detail  string        `json:"detail,omitempty"` // the same for a person
}

// DealFact is what the records of one deal add up to.
type DealFact struct {
	ID        cid.Cid    `json:"id"`
	Intent    cid.Cid    `json:"intent"`
	Customer  crypto.DID `json:"customer,omitempty"` // the intent's author; empty without the intent
	Seller    crypto.DID `json:"seller"`
	Round     int64      `json:"round"`
	Phase     deal.Phase `json:"phase,omitempty"` // empty without the intent
	Agreement *cid.Cid   `json:"agreement,omitempty"`
	Evidence  []cid.Cid  `json:"evidence,omitempty"` // of a conflict: the records that prove it

	accepted *record.Offer // the offer that was agreed to
}

// Verify checks an archive on its own: every block's hash and signature, every
// link, what each deal's records add up to, and the agreement that the manifest
// states. Nothing is fetched and no clock is read. What isn't right is in the
// report; it never fails.
func Verify(a *Archive) *Report {
	report := &Report{Kind: a.Manifest.Kind, Root: a.Root, Records: len(a.Records), Deals: []DealFact{}}
	byID := make(map[cid.Cid]*record.Record, len(a.Records))
	for _, r := range a.Records {
		byID[r.ID()] = r
	}
	verified := make(map[cid.Cid]bool, len(a.Records))
	for _, r := range a.Records {
		verified[r.ID()] = report.checkRecord(r)
	}
	for _, r := range a.Records {
		report.checkLinks(r, byID, verified)
	}
	for _, key := range dealKeys(a) {
		report.addDeal(key, a, byID[key.Intent], verified)
	}
	if a.Manifest.Kind == KindDeal {
		report.checkManifest(&a.Manifest)
		report.checkMembers(a)
	}
	report.OK = !slices.ContainsFunc(report.Checks, func(c Check) bool { return c.Status == Failed })
	report.Proves, report.DoesNotProve = report.words()
	return report
}

// add notes a check; err is nil for one that passed.
func (r *Report) add(name string, subject cid.Cid, status Status, err error) {
	check := Check{Name: name, Subject: subject, Status: status}
	if err != nil {
		check.Code, check.Detail = protocol.CodeOf(err), err.Error()
	}
	r.Checks = append(r.Checks, check)
}

// decide is add with the status that follows from the error.
func (r *Report) decide(name string, subject cid.Cid, err error) bool {
	status := Passed
	if err != nil {
		status = Failed
	}
	r.add(name, subject, status, err)
	return err == nil
}

// checkRecord checks a record by itself. Hashing again costs little and makes
// the report stand alone.
func (r *Report) checkRecord(rec *record.Record) bool {
	var err error
	if codec.Sum(rec.Raw()) != rec.ID() {
		err = protocol.Errorf(protocol.CodeDamaged, "", "the block does not match its ID")
	}
	hashed := r.decide("block", rec.ID(), err)
	signed := r.decide("signature", rec.ID(), rec.Verify())
	if err := rec.CheckUnderstood(); err != nil {
		r.add("understood", rec.ID(), Open, err)
	}
	return hashed && signed
}

// checkLinks follows a record's links within the archive. That a record isn't
// here is open, not wrong; one that is here without a valid signature is wrong.
func (r *Report) checkLinks(rec *record.Record, byID map[cid.Cid]*record.Record, verified map[cid.Cid]bool) {
	for _, link := range rec.Links() {
		switch {
		case byID[link] == nil:
			r.add("link", rec.ID(), Open, protocol.Errorf(protocol.CodeMissingRecord, "", "%s is not in the archive", link))
		case !verified[link]:
			r.add("link", rec.ID(), Failed, protocol.Errorf(protocol.CodeBadSignature, "", "%s is here, and its signature does not verify", link))
		default:
			r.add("link", rec.ID(), Passed, nil)
		}
	}
}

// dealKeys is the keys of all deals that records belong to, in the order in
// which they first come.
func dealKeys(a *Archive) []record.DealKey {
	var keys []record.DealKey
	seen := make(map[record.DealKey]bool)
	for _, r := range a.Records {
		if key, ok := r.Deal(); ok && !seen[key] {
			seen[key] = true
			keys = append(keys, key)
		}
	}
	return keys
}

// addDeal folds the records of one deal whose signatures verify.
func (r *Report) addDeal(key record.DealKey, a *Archive, intent *record.Record, verified map[cid.Cid]bool) {
	fact := DealFact{ID: key.ID(), Intent: key.Intent, Seller: key.Vendor, Round: key.Round}
	defer func() { r.Deals = append(r.Deals, fact) }()
	if intent == nil {
		r.add("deal", fact.ID, Open, protocol.Errorf(protocol.CodeMissingRecord, "intent", "the request %s is not in the archive", key.Intent))
		return
	}
	if !verified[intent.ID()] {
		r.add("deal", fact.ID, Failed, protocol.Errorf(protocol.CodeBadSignature, "intent", "the request's signature does not verify"))
		return
	}
	var members []*record.Record
	for _, rec := range a.Records {
		if k, ok := rec.Deal(); ok && k == key && verified[rec.ID()] {
			members = append(members, rec)
		}
	}
	state, err := deal.Fold(intent, key, members, deal.Options{})
	if err != nil {
		r.add("deal", fact.ID, Failed, err)
		return
	}
	fact.Customer, fact.Phase = state.Customer, state.Phase
	for _, misfit := range state.Misfits {
		// A late acceptance is a part of the story that has no effect; a record
		// by somebody else isn't a part of it. A store keeps those, too: a
		// stranger must not be able to spoil it.
		status := Open
		if misfit.Code == protocol.CodeWrongAuthor && a.Manifest.Kind == KindDeal {
			status = Failed
		}
		r.add("deal", misfit.Record.ID(), status, protocol.Errorf(misfit.Code, "", "%s", misfit.Detail))
	}
	for _, waiting := range state.Waiting {
		r.add("deal", waiting.Record.ID(), Open, protocol.Errorf(protocol.CodeMissingRecord, "", "it decides nothing without %s", waiting.Missing))
	}
	for _, evidence := range state.Evidence {
		fact.Evidence = append(fact.Evidence, evidence.ID())
	}
	if state.Agreement.Defined() {
		fact.Agreement = &state.Agreement
		fact.accepted = acceptedOffer(&state)
	}
	r.add("deal", fact.ID, Passed, nil)
}

// acceptedOffer is the offer that the acceptance in force cites.
func acceptedOffer(state *deal.State) *record.Offer {
	if state.Acceptance == nil {
		return nil
	}
	acceptance, ok := state.Acceptance.Body().(*record.Acceptance)
	if !ok {
		return nil
	}
	for _, offer := range state.Offers {
		if body, ok := offer.Body().(*record.Offer); ok && offer.ID() == acceptance.Offer {
			return body
		}
	}
	return nil
}

// checkMembers checks that an archive of a deal has nothing but the intent, the
// deal's records, and records of no deal that these link to, in their order.
// Records of other deals are found by checkManifest.
func (r *Report) checkMembers(a *Archive) {
	cited := make(map[cid.Cid]bool)
	for i, rec := range a.Records {
		if key, ok := rec.Deal(); i == 0 || ok && key == a.Manifest.Deal {
			for _, link := range rec.Links() {
				cited[link] = true
			}
		}
	}
	for i, rec := range a.Records {
		if i == 0 {
			continue
		}
		if _, ok := rec.Deal(); !ok && !cited[rec.ID()] {
			r.add("deal", rec.ID(), Failed, protocol.Errorf(protocol.CodeDealMismatch, "records", "it is not of the deal and not cited in it"))
		}
		if i > 1 && inOrder(a.Records[i-1], rec) > 0 {
			r.add("deal", rec.ID(), Failed, protocol.Errorf(protocol.CodeBadField, "records", "it stands behind a record that is later"))
		}
	}
}

// checkManifest compares what a deal's manifest says with its records.
func (r *Report) checkManifest(m *Manifest) {
	id := m.Deal.ID()
	var found *DealFact
	for i := range r.Deals {
		if r.Deals[i].ID == id {
			found = &r.Deals[i]
		} else {
			r.add("deal", r.Deals[i].ID, Failed, protocol.Errorf(protocol.CodeDealMismatch, "deal", "the archive is of another deal, %s", id))
		}
	}
	stated, actual := m.Agreement, cid.Undef
	if found != nil && found.Agreement != nil {
		actual = *found.Agreement
	}
	var err error
	switch {
	case found == nil:
		err = protocol.Errorf(protocol.CodeMissingRecord, "deal", "the archive has no record of its deal")
	case stated == actual:
	case !actual.Defined():
		err = protocol.Errorf(protocol.CodeBadField, "agreement", "the manifest states the agreement %s, and the records show none", stated)
	case !stated.Defined():
		err = protocol.Errorf(protocol.CodeBadField, "agreement", "the records show the agreement %s, and the manifest states none", actual)
	default:
		err = protocol.Errorf(protocol.CodeBadField, "agreement", "the manifest states the agreement %s, and the records show %s", stated, actual)
	}
	r.decide("agreement", id, err)
}
