package api

import (
	"context"
	"net/http"
	"slices"
	"sort"
	"time"

	"github.com/ipfs/go-cid"

	"github.com/parley-protocol/parley/node/book"
	"github.com/parley-protocol/parley/node/desk"
	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/decimal"
	"github.com/parley-protocol/parley/protocol/record"
	"github.com/parley-protocol/parley/protocol/terms"
)

// NewCounter is what a customer would accept instead of an offer: lines with
// their prices, a total, other times, or words; at least one of them.
type NewCounter struct {
	Items              []Line     `json:"itemOffered,omitempty"`
	Charges            []Charge   `json:"charges,omitempty"`
	PriceCurrency      string     `json:"priceCurrency,omitempty" doc:"The offer's when empty and there are prices"`
	TotalPrice         string     `json:"totalPrice,omitempty" doc:"With lines it is computed when empty; otherwise it must be the exact sum"`
	Description        string     `json:"description,omitempty"`
	AvailabilityStarts *time.Time `json:"availabilityStarts,omitempty"`
	AvailabilityEnds   *time.Time `json:"availabilityEnds,omitempty"`
	Reason             string     `json:"reason,omitempty" doc:"A code of spec/registry/reasons.csv"`
	ValidUntil         *time.Time `json:"validUntil,omitempty" doc:"Until when an answer is welcome"`
}

// Counter is a customer's answer to an offer. It binds nobody.
type Counter struct {
	ID                 string       `json:"id"`
	Deal               string       `json:"deal"`
	Offer              string       `json:"offer" doc:"The offer that it answers"`
	Number             int64        `json:"number,omitempty" doc:"That offer's"`
	Own                bool         `json:"own"`
	Items              []Line       `json:"itemOffered,omitempty"`
	Charges            []Charge     `json:"charges,omitempty"`
	PriceCurrency      string       `json:"priceCurrency,omitempty"`
	TotalPrice         string       `json:"totalPrice,omitempty"`
	Description        string       `json:"description,omitempty"`
	AvailabilityStarts *time.Time   `json:"availabilityStarts,omitempty"`
	AvailabilityEnds   *time.Time   `json:"availabilityEnds,omitempty"`
	Reason             string       `json:"reason,omitempty"`
	Differences        []Difference `json:"differences" doc:"From the offer that it answers"`
	At                 time.Time    `json:"at"`
	ValidUntil         time.Time    `json:"validUntil" doc:"Until when an answer is welcome"`
	AnsweredBy         string       `json:"answeredBy,omitempty" doc:"The offer that answers it"`
	Unknown            []string     `json:"unknown,omitempty" doc:"Fields that this version doesn't know"`
	Delivery           *Delivery    `json:"delivery,omitempty"`
}

// NewProposal is a seller's one counter-offer of other terms: IDs of the roster,
// the name of an own text, the ID of a terms record, or a text.
type NewProposal struct {
	Terms       string    `json:"terms,omitempty"`
	Text        *NewTerms `json:"text,omitempty"`
	Description string    `json:"description,omitempty"`
}

// Proposal is a seller's one counter-offer of other terms. It is no offer.
type Proposal struct {
	ID          string    `json:"id"`
	Deal        string    `json:"deal"`
	Intent      string    `json:"intent"`
	IntentName  string    `json:"intentName"`
	Own         bool      `json:"own"`
	Seller      string    `json:"seller" doc:"DID"`
	SellerName  string    `json:"sellerName,omitempty"`
	Terms       Terms     `json:"terms"`
	Instead     []Terms   `json:"insteadOf" doc:"Those of the request"`
	Differences []string  `json:"differences" doc:"From the request's, a sentence each"`
	Description string    `json:"description,omitempty"`
	At          time.Time `json:"at"`
	Phase       string    `json:"phase" doc:"The deal's"`
	Unknown     []string  `json:"unknown,omitempty" doc:"Fields that this version doesn't know"`
	Delivery    *Delivery `json:"delivery,omitempty"`
}

// Adoption says how to take proposed terms.
type Adoption struct {
	Market     bool       `json:"market,omitempty" doc:"Publish the new request in the old one's market; otherwise it is sealed to the seller"`
	ValidUntil *time.Time `json:"validUntil,omitempty" doc:"The new request's; the old one's when absent"`
}

// AskedRound is a customer's word for a further round.
type AskedRound struct {
	ID          string    `json:"id"`
	Own         bool      `json:"own"`
	Change      bool      `json:"change" doc:"It is to change an agreement; otherwise it follows a void"`
	Previous    string    `json:"previous" doc:"The void, or the agreement"`
	Reason      string    `json:"reason,omitempty"`
	Description string    `json:"description,omitempty"`
	At          time.Time `json:"at"`
}

// Round is one round between one customer and one seller on one request.
type Round struct {
	Deal          string `json:"deal"`
	Round         int64  `json:"round"`
	Phase         string `json:"phase"`
	Agreement     string `json:"agreement,omitempty"`
	InForce       bool   `json:"inForce" doc:"Its agreement is the one that holds"`
	TotalPrice    string `json:"totalPrice,omitempty" doc:"Of the accepted offer"`
	PriceCurrency string `json:"priceCurrency,omitempty"`
}

// Negotiation is what was said in a deal beside offers and decisions.
type Negotiation struct {
	Counters []Counter   `json:"counters,omitempty"`
	Proposal *Proposal   `json:"proposal,omitempty" doc:"Other terms that the seller proposes"`
	Asked    *AskedRound `json:"asked,omitempty" doc:"With this the customer asked for this round"`
	Changing string      `json:"changing,omitempty" doc:"The agreement that this round is about"`
	Replaces string      `json:"replaces,omitempty" doc:"The agreement that this one replaces"`
	InForce  string      `json:"inForce,omitempty" doc:"The agreement that holds between the two, of whatever round"`
	Rounds   []Round     `json:"rounds,omitempty" doc:"All of them, when there are several"`
}

func (s *Server) negotiationRoutes() {
	const get, post = http.MethodGet, http.MethodPost
	handle(s, post, "/v1/offers/{id}/counter", "counterOffer", "Say what would be accepted instead of an offer", s.counterOffer)
	handle(s, post, "/v1/intents/{id}/terms", "counterTerms", "As a seller: propose other terms", s.counterTerms)
	handle(s, get, "/v1/proposals", "listProposals", "Terms that sellers propose, newest first", s.listProposals)
	handle(s, get, "/v1/proposals/{id}", "showProposal", "Terms that a seller proposes", s.showProposal)
	handle(s, post, "/v1/proposals/{id}/draft", "draftAdoption", "What taking proposed terms would send", s.draftAdoption)
	handle(s, post, "/v1/proposals/{id}/adopt", "adoptTerms", "Take proposed terms: send a new request under them", s.adoptTerms)
	handle(s, post, "/v1/proposals/{id}/decline", "declineTerms", "Say no to a seller that only proposes other terms", s.declineTerms)
	handle(s, post, "/v1/deals/{id}/next", "nextRound", "Ask for another round after a void", s.nextRound)
	handle(s, post, "/v1/deals/{id}/change", "changeDeal", "Ask the seller to change an agreement", s.changeDeal)
}

func (s *Server) counterOffer(ctx context.Context, in *struct {
	ID   string `path:"id"`
	Body NewCounter
}) (*with[Counter], error) {
	offer, err := s.typed(ctx, in.ID, protocol.TypeOffer, "an offer")
	if err != nil {
		return nil, err
	}
	c, err := counterOf(in.Body, offer.Body().(*record.Offer))
	if err != nil {
		return nil, err
	}
	rec, err := s.desk().Counter(ctx, offer.ID(), c)
	if err != nil {
		return nil, err
	}
	key, _ := rec.Deal()
	d, ok := s.desk().Book().Deal(key.ID())
	if !ok {
		return nil, notFound("the deal of the offer %s isn't known", in.ID)
	}
	return body(s.counterView(d, rec)), nil
}

// counterOf makes what was asked for into a counter; an empty total is the sum.
func counterOf(in NewCounter, offer *record.Offer) (c record.Counter, err error) {
	c = record.Counter{Description: in.Description, Reason: in.Reason, ValidUntil: unix(in.ValidUntil), PriceCurrency: in.PriceCurrency,
		AvailabilityStarts: unix(in.AvailabilityStarts), AvailabilityEnds: unix(in.AvailabilityEnds)}
	if c.ItemOffered, err = offerLines(in.Items); err != nil {
		return c, err
	}
	if c.Charges, err = offerCharges(in.Charges); err != nil {
		return c, err
	}
	switch {
	case in.TotalPrice != "":
		if c.TotalPrice, err = price("totalPrice", in.TotalPrice); err != nil {
			return c, err
		}
	case len(c.ItemOffered) > 0:
		var sum decimal.Decimal
		if sum, err = (&record.Offer{ItemOffered: c.ItemOffered, Charges: c.Charges}).Sum(); err != nil {
			return c, err
		}
		c.TotalPrice = &sum
	}
	if c.TotalPrice != nil && c.PriceCurrency == "" {
		c.PriceCurrency = offer.PriceCurrency
	}
	return c, nil
}

func (s *Server) counterView(d *book.Deal, rec *record.Record) Counter {
	c := rec.Body().(*record.Counter)
	v := Counter{ID: rec.ID().String(), Deal: d.ID.String(), Offer: c.Offer.String(), Own: d.Role == book.Customer,
		Items: linesView(c.ItemOffered), Charges: chargesView(c.Charges), PriceCurrency: c.PriceCurrency, TotalPrice: decimalText(c.TotalPrice),
		Description: c.Description, AvailabilityStarts: instant(c.AvailabilityStarts), AvailabilityEnds: instant(c.AvailabilityEnds),
		Reason: c.Reason, At: when(rec.Header().At), ValidUntil: when(c.ValidUntil), Unknown: rec.Unknown(), Differences: []Difference{}}
	if offer := d.Find(c.Offer); offer != nil {
		if o, ok := offer.Body().(*record.Offer); ok {
			v.Number, v.Differences = o.Number, differences(offerSheet(o), counterSheet(c), true)
		}
	}
	for _, offer := range d.State.Offers {
		if offer.Body().(*record.Offer).Counter == rec.ID() {
			v.AnsweredBy = offer.ID().String()
		}
	}
	if v.Own {
		v.Delivery = s.deliveryOf(rec.ID(), d.Key.Vendor)
	}
	return v
}

func instant(unix int64) *time.Time {
	if unix == 0 {
		return nil
	}
	t := when(unix)
	return &t
}

// intentOrDeal is the request that text names, by its own ID or by that of a
// deal on it.
func (s *Server) intentOrDeal(ctx context.Context, text string) (cid.Cid, error) {
	rec, err := s.typed(ctx, text, protocol.TypeIntent, "a request")
	if err == nil {
		return rec.ID(), nil
	}
	if d, dealErr := s.deal(ctx, text); dealErr == nil {
		return d.Key.Intent, nil
	}
	return cid.Undef, err
}

func (s *Server) counterTerms(ctx context.Context, in *struct {
	ID   string `path:"id"`
	Body NewProposal
}) (*with[Proposal], error) {
	intent, err := s.intentOrDeal(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	req := desk.TermsCounterRequest{Intent: intent, Description: in.Body.Description}
	switch text := in.Body.Text; {
	case text != nil && in.Body.Terms == "":
		req.Texts, req.Terms = []desk.OwnTerms{desk.OwnTerms(*text)}, record.TermsRef{Roster: text.Name}
	case text == nil && in.Body.Terms != "":
		if req.Terms, err = s.termsNamed(ctx, in.Body.Terms); err != nil {
			return nil, err
		}
	default:
		return nil, &protocol.Error{Code: protocol.CodeUsage, Field: "terms", Detail: "name the terms, or give their text", Hint: "--terms ID or --terms FILE"}
	}
	rec, err := s.desk().CounterTerms(ctx, req)
	if err != nil {
		return nil, err
	}
	key, _ := rec.Deal()
	d, _ := s.desk().Book().Deal(key.ID())
	return body(*s.proposalView(ctx, d)), nil
}

// termsNamed reads what people call terms: an ID of the roster, the name of an
// own text, or the beginning of a record's ID.
func (s *Server) termsNamed(ctx context.Context, text string) (record.TermsRef, error) {
	ref, err := termsRef(text)
	if err != nil || ref.Record.Defined() || terms.Known(text) {
		return ref, err
	}
	if _, ok := s.desk().OwnTerms(text); ok {
		return ref, nil
	}
	if rec, err := s.typed(ctx, text, protocol.TypeTerms, "terms"); err == nil {
		ref = record.TermsRef{Record: rec.ID()}
	}
	return ref, nil
}

// proposalView shows the other terms that a seller proposes in a deal; nil for
// none.
func (s *Server) proposalView(ctx context.Context, d *book.Deal) *Proposal {
	rec := d.State.TermsCounter
	if rec == nil {
		return nil
	}
	c := rec.Body().(*record.TermsCounter)
	proffered := d.Intent.Body().Terms
	v := &Proposal{ID: rec.ID().String(), Deal: d.ID.String(), Intent: d.Key.Intent.String(), IntentName: d.Intent.Body().Name, Own: d.Role == book.Vendor,
		Seller: string(d.Key.Vendor), SellerName: s.sellerName(ctx, d.Key.Vendor), Terms: s.termsView(ctx, c.Terms), Instead: s.termsViews(ctx, proffered),
		Differences: terms.Differences(proffered, c.Terms), Description: c.Description, At: when(rec.Header().At), Phase: string(d.State.Phase), Unknown: rec.Unknown()}
	if v.Own {
		v.Delivery = s.deliveryOf(rec.ID(), d.State.Customer)
	}
	return v
}

func (s *Server) listProposals(ctx context.Context, in *struct {
	Own bool `query:"own" doc:"Those made here; otherwise those received"`
}) (*with[list[Proposal]], error) {
	var out []Proposal
	for _, d := range s.desk().Book().Deals() {
		if v := s.proposalView(ctx, d); v != nil && v.Own == in.Own {
			out = append(out, *v)
		}
	}
	sort.SliceStable(out, func(i, j int) bool { return out[i].At.After(out[j].At) })
	return items(out), nil
}

// proposal finds a proposal by its own ID, or by its deal's.
func (s *Server) proposal(ctx context.Context, text string) (*book.Deal, error) {
	d, err := s.deal(ctx, text)
	if err != nil {
		return nil, err
	}
	if d.State.TermsCounter == nil {
		return nil, notFound("no seller has proposed other terms in %s", text)
	}
	return d, nil
}

func (s *Server) showProposal(ctx context.Context, in *byID) (*with[Proposal], error) {
	d, err := s.proposal(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return body(*s.proposalView(ctx, d)), nil
}

type adoption struct {
	ID   string `path:"id"`
	Body Adoption
}

func (s *Server) adoption(ctx context.Context, in *adoption) (desk.IntentRequest, error) {
	d, err := s.proposal(ctx, in.ID)
	if err != nil {
		return desk.IntentRequest{}, err
	}
	return s.desk().Adoption(ctx, d.State.TermsCounter.ID(), in.Body.Market, unix(in.Body.ValidUntil))
}

func (s *Server) draftAdoption(ctx context.Context, in *adoption) (*with[Draft], error) {
	req, err := s.adoption(ctx, in)
	if err != nil {
		return nil, err
	}
	return s.draft(ctx, req, []Note{})
}

func (s *Server) adoptTerms(ctx context.Context, in *adoption) (*with[Intent], error) {
	req, err := s.adoption(ctx, in)
	if err != nil {
		return nil, err
	}
	rec, err := s.desk().PublishIntent(ctx, req)
	if err != nil {
		return nil, err
	}
	return body(s.intentView(ctx, rec, true)), nil
}

func (s *Server) declineTerms(ctx context.Context, in *byID) (*with[Deal], error) {
	d, err := s.proposal(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	if d, err = s.desk().DeclineTerms(ctx, d.State.TermsCounter.ID()); err != nil {
		return nil, err
	}
	return body(s.dealView(ctx, d, true)), nil
}

type askRound struct {
	ID   string `path:"id"`
	Body struct {
		Reason      string `json:"reason,omitempty" doc:"A code of spec/registry/reasons.csv"`
		Description string `json:"description,omitempty"`
	}
}

func (s *Server) nextRound(ctx context.Context, in *askRound) (*with[Deal], error) {
	return s.askRound(ctx, in, false)
}

func (s *Server) changeDeal(ctx context.Context, in *askRound) (*with[Deal], error) {
	return s.askRound(ctx, in, true)
}

func (s *Server) askRound(ctx context.Context, in *askRound, change bool) (*with[Deal], error) {
	d, err := s.deal(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	d, err = s.desk().AskRound(ctx, desk.NextRoundRequest{Deal: d.ID, Change: change, Reason: in.Body.Reason, Description: in.Body.Description})
	if err != nil {
		return nil, err
	}
	return body(s.dealView(ctx, d, true)), nil
}

// negotiationView is what was said in a deal beside offers and decisions; the
// rounds are always there, the rest if full.
func (s *Server) negotiationView(ctx context.Context, d *book.Deal, full bool) (v Negotiation) {
	all := s.desk().Rounds(d.Key)
	force := desk.InForce(all)
	if force.Defined() {
		v.InForce = force.String()
	}
	if d.State.Changes.Defined() {
		v.Replaces = d.State.Changes.String()
	}
	if changing := d.State.Changing(); changing.Defined() {
		v.Changing = changing.String()
	}
	if asked := d.State.NextRounds; len(asked) > 0 {
		n := asked[len(asked)-1].Body().(*record.NextRound)
		v.Asked = &AskedRound{ID: asked[len(asked)-1].ID().String(), Own: d.Role == book.Customer, Change: v.Changing != "", Previous: n.Previous.String(),
			Reason: n.Reason, Description: n.Description, At: when(asked[len(asked)-1].Header().At)}
	}
	if len(all) > 1 {
		for _, r := range all {
			round := Round{Deal: r.ID.String(), Round: r.Key.Round, Phase: string(r.State.Phase)}
			if r.State.Agreement.Defined() {
				round.Agreement, round.InForce = r.State.Agreement.String(), r.State.Agreement == force
			}
			if o := accepted(r); o != nil {
				round.TotalPrice, round.PriceCurrency = o.TotalPrice.String(), o.PriceCurrency
			}
			v.Rounds = append(v.Rounds, round)
		}
	}
	if !full {
		return v
	}
	for _, rec := range d.State.Counters {
		v.Counters = append(v.Counters, s.counterView(d, rec))
	}
	v.Proposal = s.proposalView(ctx, d)
	return v
}

// accepted is the offer that a deal's acceptance takes, or nil.
func accepted(d *book.Deal) *record.Offer {
	if d.State.Acceptance == nil {
		return nil
	}
	rec := d.Find(d.State.Acceptance.Body().(*record.Acceptance).Offer)
	if rec == nil {
		return nil
	}
	o, _ := rec.Body().(*record.Offer)
	return o
}

// comparedWith is what an offer is held against: the one before it in its deal,
// or the one of the agreement that it would change.
func (s *Server) comparedWith(d *book.Deal, rec *record.Record) *record.Record {
	o := rec.Body().(*record.Offer)
	i := slices.IndexFunc(d.State.Offers, func(r *record.Record) bool { return r.ID() == rec.ID() })
	if i > 0 {
		return d.State.Offers[i-1]
	}
	for _, r := range s.desk().Rounds(d.Key) {
		if o.Changes.Defined() && r.State.Agreement == o.Changes {
			return r.Find(r.State.Acceptance.Body().(*record.Acceptance).Offer)
		}
	}
	return nil
}

// Haggling is where an offer stands among the others of its deal.
type Haggling struct {
	Answers     string       `json:"answers,omitempty" doc:"The counter that it answers"`
	Changes     string       `json:"changes,omitempty" doc:"The agreement that it would replace"`
	Since       string       `json:"since,omitempty" doc:"The offer that it is compared with: the one before it, or that of the agreement"`
	Differences []Difference `json:"differences,omitempty" doc:"From that offer"`
}

func (s *Server) hagglingView(d *book.Deal, rec *record.Record) (v Haggling) {
	o := rec.Body().(*record.Offer)
	if o.Counter.Defined() {
		v.Answers = o.Counter.String()
	}
	if o.Changes.Defined() {
		v.Changes = o.Changes.String()
	}
	if before := s.comparedWith(d, rec); before != nil {
		v.Since = before.ID().String()
		v.Differences = differences(offerSheet(before.Body().(*record.Offer)), offerSheet(o), false)
	}
	return v
}

// changing puts on an offer what it answers and what it would change; request is
// the deal's when only that is named.
func (s *Server) changing(ctx context.Context, in NewOffer, o *record.Offer) (request string, err error) {
	request = in.Intent
	if in.Answers != "" {
		rec, err := s.typed(ctx, in.Answers, protocol.TypeCounter, "a counter")
		if err != nil {
			return "", err
		}
		o.Counter = rec.ID()
		if key, _ := rec.Deal(); request == "" {
			request = key.Intent.String()
		}
	}
	if in.Changes == "" {
		return request, nil
	}
	d, err := s.deal(ctx, in.Changes)
	if err != nil {
		return "", err
	}
	if o.Changes = desk.InForce(s.desk().Rounds(d.Key)); !o.Changes.Defined() {
		return "", &protocol.Error{Code: protocol.CodeChangeMismatch, Field: "changes", Detail: "there is no agreement in this deal to change", Hint: "parley deal show " + in.Changes}
	}
	if request == "" {
		request = d.Key.Intent.String()
	}
	return request, nil
}
