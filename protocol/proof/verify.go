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
	Name    string        `json:"check"`   // block, signature, understood, link, deal, follow-up or agreement
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
	Changes   *cid.Cid   `json:"changes,omitempty"`   // the agreement that this one replaces
	InForce   bool       `json:"inForce"`             // agreed, and no other agreement here replaces it
	Evidence  []cid.Cid  `json:"evidence,omitempty"`  // of a conflict: the records that prove it
	Counters  int        `json:"counters,omitempty"`  // how often the customer said what it would rather have
	Customers *WordFact  `json:"customers,omitempty"` // the customer's word since the agreement
	Sellers   *WordFact  `json:"sellers,omitempty"`   // the seller's word since the agreement

	accepted *record.Offer // the offer that was agreed to
}

// WordFact is what one side has said since an agreement. It is that side's word.
type WordFact struct {
	Events   []string  `json:"events,omitempty"`   // statuses of spec/registry/order-statuses.csv, in order
	Outcome  string    `json:"outcome,omitempty"`  // the newest, a code of spec/registry/outcomes.csv
	Receipts []cid.Cid `json:"receipts,omitempty"` // the seller's
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
	for _, pair := range pairs(a) {
		report.addRounds(pair, a, byID[pair.Intent], verified)
	}
	if a.Manifest.Kind == KindDeal {
		report.checkManifest(a)
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

// pairs is one key for each vendor on each intent that records belong to, in the
// order in which they first come. The rounds don't count.
func pairs(a *Archive) []record.DealKey {
	var keys []record.DealKey
	seen := make(map[record.DealKey]bool)
	for _, r := range a.Records {
		key, ok := about(r)
		key.Round = 0
		if ok && !seen[key] {
			seen[key] = true
			keys = append(keys, key)
		}
	}
	return keys
}

// addRounds folds the rounds of one vendor on one intent, by the records whose
// signatures verify.
func (r *Report) addRounds(pair record.DealKey, a *Archive, intent *record.Record, verified map[cid.Cid]bool) {
	var of, follow []*record.Record
	for _, rec := range a.Records {
		key, ok := about(rec)
		if key.Round = 0; !ok || key != pair {
			continue
		}
		if _, ok := rec.Deal(); !ok {
			follow = append(follow, rec)
		} else {
			of = append(of, rec)
		}
	}
	if intent == nil || !verified[intent.ID()] {
		r.addBlind(of, intent)
		return
	}
	gone := func(rec *record.Record) bool { return !verified[rec.ID()] }
	rounds, err := deal.FoldRounds(intent, pair.Vendor, slices.DeleteFunc(slices.Clone(of), gone), deal.Options{})
	if err != nil {
		r.add("deal", pair.Intent, Failed, err)
		return
	}
	follow = slices.DeleteFunc(follow, gone)
	inForce := rounds.InForce()
	for i := range rounds {
		state := &rounds[i]
		fact := r.addDeal(state, a.Manifest.Kind)
		fact.InForce = slices.ContainsFunc(inForce, func(s deal.State) bool { return s.Key == state.Key })
		if state.Agreement.Defined() {
			follow = r.addFollowUp(&fact, state, follow)
		}
		r.Deals = append(r.Deals, fact)
	}
	for _, rec := range follow {
		r.add("follow-up", rec.ID(), Open, protocol.Errorf(protocol.CodeMissingRecord, "agreement", "it is about an agreement that is not in the archive"))
	}
}

// addBlind tells of deals whose intent isn't there or is forged.
func (r *Report) addBlind(of []*record.Record, intent *record.Record) {
	seen := make(map[record.DealKey]bool)
	for _, rec := range of {
		key, _ := rec.Deal()
		if seen[key] {
			continue
		}
		seen[key] = true
		fact := DealFact{ID: key.ID(), Intent: key.Intent, Seller: key.Vendor, Round: key.Round}
		if intent == nil {
			r.add("deal", fact.ID, Open, protocol.Errorf(protocol.CodeMissingRecord, "intent", "the request %s is not in the archive", key.Intent))
		} else {
			r.add("deal", fact.ID, Failed, protocol.Errorf(protocol.CodeBadSignature, "intent", "the request's signature does not verify"))
		}
		r.Deals = append(r.Deals, fact)
	}
}

// addDeal tells what one round adds up to.
func (r *Report) addDeal(state *deal.State, kind Kind) DealFact {
	fact := DealFact{
		ID: state.Key.ID(), Intent: state.Key.Intent, Customer: state.Customer, Seller: state.Key.Vendor, Round: state.Key.Round,
		Phase: state.Phase, Counters: len(state.Counters),
	}
	r.addMisfits("deal", state.Misfits, kind)
	for _, waiting := range state.Waiting {
		r.add("deal", waiting.Record.ID(), Open, protocol.Errorf(protocol.CodeMissingRecord, "", "it decides nothing without %s", waiting.Missing))
	}
	for _, evidence := range state.Evidence {
		fact.Evidence = append(fact.Evidence, evidence.ID())
	}
	if state.Agreement.Defined() {
		fact.Agreement = &state.Agreement
		fact.accepted = acceptedOffer(state)
	}
	if state.Changes.Defined() {
		fact.Changes = &state.Changes
	}
	r.add("deal", fact.ID, Passed, nil)
	return fact
}

// addMisfits tells of records without a part. A late acceptance is a part of the
// story that has no effect; a record by somebody else isn't a part of it. A store
// keeps those, too: a stranger must not be able to spoil it.
func (r *Report) addMisfits(name string, misfits []deal.Misfit, kind Kind) {
	for _, misfit := range misfits {
		status := Open
		if misfit.Code == protocol.CodeWrongAuthor && kind == KindDeal {
			status = Failed
		}
		r.add(name, misfit.Record.ID(), status, protocol.Errorf(misfit.Code, "", "%s", misfit.Detail))
	}
}

// addFollowUp tells what was said about a round's agreement, and returns the
// follow-up records that are about others.
func (r *Report) addFollowUp(fact *DealFact, state *deal.State, follow []*record.Record) (others []*record.Record) {
	var these []*record.Record
	for _, rec := range follow {
		if subject, _ := rec.FollowsUp(); subject.Deal == state.Key && subject.Agreement == state.Agreement {
			these = append(these, rec)
		} else {
			others = append(others, rec)
		}
	}
	said, err := deal.Follow(state.Customer, state.Key, state.Agreement, these)
	if err != nil {
		r.add("follow-up", fact.ID, Failed, err)
		return others
	}
	// One side may have said what only the other may: that has no effect.
	r.addMisfits("follow-up", said.Misfits, KindStore)
	word := func(side deal.Side, w deal.Word, receipts []*record.Record) *WordFact {
		var fact WordFact
		for _, event := range said.Events {
			if event.By == side {
				fact.Events = append(fact.Events, event.Status)
			}
		}
		if w.Outcome != nil {
			fact.Outcome = w.Outcome.Body().(*record.Outcome).Result
		}
		for _, receipt := range receipts {
			fact.Receipts = append(fact.Receipts, receipt.ID())
		}
		if len(fact.Events)+len(fact.Receipts) == 0 && fact.Outcome == "" {
			return nil
		}
		return &fact
	}
	fact.Customers, fact.Sellers = word(deal.SideCustomer, said.Customer, nil), word(deal.SideVendor, said.Vendor, said.Receipts)
	return others
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
// records of this vendor's rounds on it, follow-up records about these by either
// side, and records of no deal that these link to, in their order. Records of
// other deals are found by checkManifest.
func (r *Report) checkMembers(a *Archive) {
	cited := make(map[cid.Cid]bool)
	for i, rec := range a.Records {
		if _, ok := about(rec); i == 0 || ok {
			for _, link := range rec.Links() {
				cited[link] = true
			}
		}
	}
	for i, rec := range a.Records {
		if i == 0 {
			continue
		}
		_, ok := about(rec)
		if !ok && !cited[rec.ID()] {
			r.add("deal", rec.ID(), Failed, protocol.Errorf(protocol.CodeDealMismatch, "records", "it is not of the deal and not cited in it"))
		}
		if subject, follows := rec.FollowsUp(); follows && !speaks(rec, subject.Deal, a.Records[0].Header().By) {
			r.add("follow-up", rec.ID(), Failed, protocol.Errorf(protocol.CodeWrongAuthor, "records", "its author may not say this"))
		}
		if i > 1 && inOrder(a.Records[i-1], rec) > 0 {
			r.add("deal", rec.ID(), Failed, protocol.Errorf(protocol.CodeBadField, "records", "it stands behind a record that is later"))
		}
	}
}

// checkManifest compares what a deal's manifest says with its records.
func (r *Report) checkManifest(a *Archive) {
	m := &a.Manifest
	id := m.Deal.ID()
	for _, rec := range a.Records {
		if key, ok := about(rec); ok && (key.Intent != m.Deal.Intent || key.Vendor != m.Deal.Vendor) {
			r.add("deal", rec.ID(), Failed, protocol.Errorf(protocol.CodeDealMismatch, "deal", "the archive is of another deal, %s", id))
		}
	}
	// The round that the archive must be about.
	var actual *DealFact
	for i := range r.Deals {
		fact := &r.Deals[i]
		if fact.Intent == m.Deal.Intent && fact.Seller == m.Deal.Vendor && (fact.InForce || actual == nil || !actual.InForce) {
			actual = fact
		}
	}
	agreement := cid.Undef
	if actual != nil && actual.Agreement != nil {
		agreement = *actual.Agreement
	}
	var err error
	switch {
	case actual == nil:
		err = protocol.Errorf(protocol.CodeMissingRecord, "deal", "the archive has no record of its deal")
	case actual.Round != m.Deal.Round:
		err = protocol.Errorf(protocol.CodeBadField, "deal", "the manifest names round %d, and the archive is about round %d", m.Deal.Round, actual.Round)
	case m.Agreement == agreement:
	case !agreement.Defined():
		err = protocol.Errorf(protocol.CodeBadField, "agreement", "the manifest states the agreement %s, and the records show none", m.Agreement)
	case !m.Agreement.Defined():
		err = protocol.Errorf(protocol.CodeBadField, "agreement", "the records show the agreement %s, and the manifest states none", agreement)
	default:
		err = protocol.Errorf(protocol.CodeBadField, "agreement", "the manifest states the agreement %s, and the records show %s", m.Agreement, agreement)
	}
	r.decide("agreement", id, err)
}
