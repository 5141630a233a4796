package api

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/ipfs/go-cid"

	"github.com/parley-protocol/parley/crypto"
	"github.com/parley-protocol/parley/node/desk"
	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/deal"
	"github.com/parley-protocol/parley/protocol/record"
)

// Relationship is a customer and a seller who know each other beyond one
// request.
type Relationship struct {
	DID        string    `json:"did" doc:"The customer, as this seller alone knows it"`
	Name       string    `json:"name,omitempty" doc:"What the person calls the other side"`
	Own        bool      `json:"own" doc:"Whether this node is the customer"`
	Seller     string    `json:"seller" doc:"DID"`
	SellerName string    `json:"sellerName,omitempty"`
	Since      time.Time `json:"since"`
	Intents    []string  `json:"intents"`
	Agreements []string  `json:"agreements"`
}

// Assertion is something that somebody says of themselves, or an organisation of
// its member.
type Assertion struct {
	ID           string     `json:"id"`
	Type         string     `json:"type" enum:"preference,membership,transaction-history"`
	Own          bool       `json:"own"`
	Kept         bool       `json:"kept" doc:"Own, or taken in by the person; others go after a while"`
	By           string     `json:"by" doc:"DID of the author"`
	ByName       string     `json:"byName,omitempty" doc:"Who that is, as far as this node knows"`
	At           time.Time  `json:"at"`
	Supersedes   string     `json:"supersedes,omitempty"`
	SupersededBy string     `json:"supersededBy,omitempty"`
	SharedWith   []string   `json:"sharedWith,omitempty" doc:"DIDs of the sellers that have a copy"`
	Unknown      []string   `json:"unknown,omitempty" doc:"Fields that this version doesn't know"`
	Standing     string     `json:"standing" doc:"What can be said of it here, in a sentence"`
	Expired      bool       `json:"expired,omitempty" doc:"A membership that is over or hasn't begun"`
	Delivery     []Delivery `json:"delivery,omitempty" doc:"Of the copies, in the order of sharedWith"`

	Name             string          `json:"name,omitempty"`
	Category         []string        `json:"category,omitempty"`
	Value            json.RawMessage `json:"value,omitempty" doc:"A preference: text, or an object"`
	Member           string          `json:"member,omitempty" doc:"DID"`
	ProgramName      string          `json:"programName,omitempty"`
	MembershipNumber string          `json:"membershipNumber,omitempty"`
	ValidFrom        *time.Time      `json:"validFrom,omitempty"`
	ValidThrough     *time.Time      `json:"validThrough,omitempty"`
	Transactions     []Transaction   `json:"transactions,omitempty"`

	Record json.RawMessage `json:"record,omitempty"`
}

// Transaction is one purchase of a history.
type Transaction struct {
	Agreement     string     `json:"agreement"`
	Confirmed     bool       `json:"confirmed" doc:"This node holds that agreement itself"`
	Seller        string     `json:"seller,omitempty"`
	OrderDate     *time.Time `json:"orderDate,omitempty"`
	Name          string     `json:"name,omitempty"`
	Category      []string   `json:"category,omitempty"`
	PriceCurrency string     `json:"priceCurrency,omitempty"`
	TotalPrice    string     `json:"totalPrice,omitempty"`
	Receipt       string     `json:"receipt,omitempty"`
}

// NewAssertion is something to say of oneself.
type NewAssertion struct {
	Type       string `json:"type" enum:"preference,membership,transaction-history"`
	Supersedes string `json:"supersedes,omitempty" doc:"An own assertion that this one takes the place of"`

	Name             string          `json:"name,omitempty"`
	Category         []string        `json:"category,omitempty"`
	Value            json.RawMessage `json:"value,omitempty"`
	ProgramName      string          `json:"programName,omitempty"`
	MembershipNumber string          `json:"membershipNumber,omitempty"`
	ValidFrom        *time.Time      `json:"validFrom,omitempty"`
	ValidThrough     *time.Time      `json:"validThrough,omitempty"`
	Deals            []string        `json:"deals,omitempty" doc:"Of a history: those to tell of; all agreements when empty"`
}

func (s *Server) peopleRoutes() {
	const get, post = http.MethodGet, http.MethodPost
	handle(s, get, "/v1/relationships", "listRelationships", "Who knows whom beyond one request", s.listRelationships)
	handle(s, post, "/v1/deals/{id}/introduce", "introduce", "Tell the seller of an agreement under which name it knows this customer", s.introduce)
	handle(s, post, "/v1/deals/{id}/memberships", "issueMembership", "Make the customer of a deal a member", s.issueMembership)
	handle(s, get, "/v1/assertions", "listAssertions", "What people say of themselves, newest first", s.listAssertions)
	handle(s, post, "/v1/assertions", "assert", "Say something of oneself, to nobody yet", s.assert)
	handle(s, get, "/v1/assertions/{id}", "showAssertion", "One assertion", s.showAssertion)
	handle(s, post, "/v1/assertions/{id}/share", "shareAssertion", "Give a seller a copy, signed under the name that it knows", s.shareAssertion)
	handle(s, post, "/v1/assertions/{id}/keep", "keepAssertion", "Keep what somebody shared", s.keepAssertion)
}

func (s *Server) listRelationships(ctx context.Context, _ *none) (*with[list[Relationship]], error) {
	var out []Relationship
	for _, r := range s.desk().Relationships() {
		v := Relationship{DID: string(r.DID), Own: r.Own, Seller: string(r.Vendor), SellerName: s.sellerName(ctx, r.Vendor), Since: when(r.Since),
			Intents: []string{}, Agreements: []string{}}
		if !r.Own {
			v.Name = s.contactName(r.DID)
		} else {
			v.Name = v.SellerName
		}
		for _, id := range r.Intents {
			v.Intents = append(v.Intents, id.String())
		}
		for _, d := range r.Deals {
			if d.State.Phase == deal.PhaseAgreed {
				v.Agreements = append(v.Agreements, d.State.Agreement.String())
			}
		}
		out = append(out, v)
	}
	return items(out), nil
}

// known is who stands behind a request of somebody else's.
func (s *Server) known(intent cid.Cid) *Known {
	did := s.desk().Customer(intent)
	if did == "" {
		return nil
	}
	return &Known{DID: string(did), Name: s.contactName(did)}
}

// contactName is what the person calls somebody.
func (s *Server) contactName(did crypto.DID) string {
	for _, c := range s.desk().Contacts() {
		if c.DID == did {
			return c.Name
		}
	}
	return ""
}

func (s *Server) introduce(ctx context.Context, in *byID) (*with[Deal], error) {
	d, err := s.deal(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	if _, err := s.desk().Introduce(ctx, d.ID); err != nil {
		return nil, err
	}
	return body(s.dealView(ctx, d, true)), nil
}

func (s *Server) issueMembership(ctx context.Context, in *struct {
	ID   string `path:"id"`
	Body NewAssertion
}) (*with[Assertion], error) {
	d, err := s.deal(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	rec, err := s.desk().IssueMembership(ctx, d.ID, membershipOf(in.Body))
	if err != nil {
		return nil, err
	}
	return s.assertion(ctx, rec.ID())
}

func membershipOf(in NewAssertion) record.Membership {
	return record.Membership{ProgramName: in.ProgramName, MembershipNumber: in.MembershipNumber, ValidFrom: unix(in.ValidFrom), ValidThrough: unix(in.ValidThrough)}
}

func (s *Server) assert(ctx context.Context, in *with[NewAssertion]) (*with[Assertion], error) {
	supersedes := cid.Undef
	if in.Body.Supersedes != "" {
		rec, err := s.typed(ctx, in.Body.Supersedes, in.Body.Type, "a "+in.Body.Type)
		if err != nil {
			return nil, err
		}
		supersedes = rec.ID()
	}
	b, err := s.assertionOf(ctx, in.Body, supersedes)
	if err != nil {
		return nil, err
	}
	rec, err := s.desk().Assert(ctx, b)
	if err != nil {
		return nil, err
	}
	return s.assertion(ctx, rec.ID())
}

func (s *Server) assertionOf(ctx context.Context, in NewAssertion, supersedes cid.Cid) (record.Body, error) {
	switch in.Type {
	case protocol.TypePreference:
		value, err := preferenceValue(in.Value)
		return &record.Preference{Name: in.Name, Category: in.Category, Value: value, Supersedes: supersedes}, err
	case protocol.TypeMembership:
		m := membershipOf(in)
		m.Supersedes = supersedes
		return &m, nil
	default:
		var ids []cid.Cid
		for _, text := range in.Deals {
			d, err := s.deal(ctx, text)
			if err != nil {
				return nil, err
			}
			ids = append(ids, d.ID)
		}
		h, err := s.desk().History(ids...)
		if err != nil {
			return nil, err
		}
		h.Supersedes = supersedes
		return h, nil
	}
}

// preferenceValue reads text or an object.
func preferenceValue(in json.RawMessage) (v record.PreferenceValue, err error) {
	if json.Unmarshal(in, &v.Text) == nil {
		return v, nil
	}
	if v.Fields, err = desk.PlainObject(in); err != nil {
		return v, protocol.Errorf(protocol.CodeBadField, "value", "%w", err)
	}
	return v, nil
}

func (s *Server) listAssertions(ctx context.Context, in *struct {
	Received bool `query:"received" doc:"Those of others; otherwise one's own"`
	All      bool `query:"all" doc:"Superseded ones and copies too"`
}) (*with[list[Assertion]], error) {
	var out []Assertion
	for _, a := range s.desk().Assertions() {
		copied := a.Own && len(s.desk().Book().SealedTo(a.Record.ID())) > 0 && a.Record.Header().By != s.persona()
		if a.Own == in.Received || !in.All && (a.SupersededBy.Defined() || copied) {
			continue
		}
		out = append(out, s.assertionView(ctx, a, false))
	}
	return items(out), nil
}

func (s *Server) persona() crypto.DID { return s.node.Keys.Identity().Persona().DID() }

func (s *Server) showAssertion(ctx context.Context, in *byID) (*with[Assertion], error) {
	rec, err := s.record(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return s.assertion(ctx, rec.ID())
}

func (s *Server) assertion(ctx context.Context, id cid.Cid) (*with[Assertion], error) {
	for _, a := range s.desk().Assertions() {
		if a.Record.ID() == id {
			return body(s.assertionView(ctx, a, true)), nil
		}
	}
	return nil, notFound("%s is no assertion", id)
}

func (s *Server) shareAssertion(ctx context.Context, in *struct {
	ID   string `path:"id"`
	Body struct {
		To string `json:"to" doc:"Name or DID of a seller that this customer has introduced itself to"`
	}
}) (*with[Assertion], error) {
	rec, err := s.record(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	to, err := s.did(in.Body.To)
	if err != nil {
		return nil, err
	}
	if _, err := s.desk().ShareAssertion(ctx, rec.ID(), to); err != nil {
		return nil, err
	}
	return s.assertion(ctx, rec.ID())
}

func (s *Server) keepAssertion(ctx context.Context, in *byID) (*with[Assertion], error) {
	rec, err := s.record(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	if err := s.desk().KeepAssertion(ctx, rec.ID()); err != nil {
		return nil, err
	}
	return s.assertion(ctx, rec.ID())
}

func (s *Server) assertionView(ctx context.Context, a desk.Assertion, full bool) Assertion {
	rec := a.Record
	by := rec.Header().By
	v := Assertion{ID: rec.ID().String(), Type: rec.Type(), Own: a.Own, Kept: a.Kept, By: string(by), At: when(rec.Header().At),
		Supersedes: idText(rec.Supersedes()), SupersededBy: idText(a.SupersededBy), Unknown: rec.Unknown()}
	if !a.Own {
		if v.ByName = s.contactName(by); v.ByName == "" {
			v.ByName = s.sellerName(ctx, by)
		}
	}
	for _, vendor := range s.desk().SharedWith(rec.ID()) {
		v.SharedWith = append(v.SharedWith, string(vendor))
		if shared, ok := s.desk().SharedCopy(rec.ID(), vendor); ok && full {
			v.Delivery = append(v.Delivery, *s.deliveryOf(shared.ID(), vendor))
		}
	}
	self := true
	switch b := rec.Body().(type) {
	case *record.Preference:
		v.Name, v.Category = b.Name, b.Category
		v.Value, _ = json.Marshal(b.Value.Text)
		if len(b.Value.Fields) > 0 {
			v.Value, _ = json.Marshal(b.Value.Fields)
		}
	case *record.Membership:
		v.ProgramName, v.MembershipNumber, v.Member = b.ProgramName, b.MembershipNumber, string(b.Member)
		v.ValidFrom, v.ValidThrough = instantOf(b.ValidFrom), instantOf(b.ValidThrough)
		v.Expired = b.ValidThrough != 0 && s.now() > b.ValidThrough || s.now() < b.ValidFrom
		self = b.Member == "" || b.Member == by
	case *record.TransactionHistory:
		for _, t := range b.Transactions {
			tv := Transaction{Agreement: t.Agreement.String(), Seller: string(t.Seller), OrderDate: instantOf(t.OrderDate), Name: t.Name,
				Category: t.Category, PriceCurrency: t.PriceCurrency, TotalPrice: decimalText(t.TotalPrice), Receipt: idText(t.Receipt)}
			confirmation, ok := s.desk().Book().Record(t.Agreement)
			tv.Confirmed = ok && confirmation.Type() == protocol.TypeConfirmation
			v.Transactions = append(v.Transactions, tv)
		}
	}
	v.Standing = standing(v, self)
	if full {
		v.Record = raw(rec)
	}
	return v
}

// standing says what an assertion is worth, and no more.
func standing(v Assertion, self bool) string {
	confirmed := 0
	for _, t := range v.Transactions {
		if t.Confirmed {
			confirmed++
		}
	}
	switch {
	case v.SupersededBy != "":
		return "Superseded: its author says something else by now."
	case v.Expired:
		return "The membership isn't valid today."
	case len(v.Transactions) > 0 && confirmed == len(v.Transactions):
		return "Signed by its author; this node holds every agreement that it names."
	case len(v.Transactions) > 0 && confirmed > 0:
		return "Signed by its author; this node holds some of the agreements that it names."
	case self:
		return "Signed by its author, and nobody else vouches for it."
	default:
		return "Signed by the organisation, for this member."
	}
}

func idText(id cid.Cid) string {
	if !id.Defined() {
		return ""
	}
	return id.String()
}

func instantOf(at int64) *time.Time {
	if at == 0 {
		return nil
	}
	t := when(at)
	return &t
}
