package api

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/parley-protocol/parley/node/desk"
	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/record"
	"github.com/parley-protocol/parley/protocol/terms"
)

// Terms is an agreement of the roster, or a text in somebody's own words.
type Terms struct {
	ID         string          `json:"id" doc:"ID of the roster, or of the record; of a text of one's own that is no record yet, its name"`
	Name       string          `json:"name,omitempty"`
	Sentence   string          `json:"sentence"`
	Default    bool            `json:"default,omitempty"`
	Text       string          `json:"text,omitempty" doc:"What binds, in somebody's own words"`
	InLanguage string          `json:"inLanguage,omitempty"`
	BasedOn    string          `json:"basedOn,omitempty" doc:"The roster's agreement that the text builds on"`
	Policy     json.RawMessage `json:"policy,omitempty" doc:"The same for machines, in ODRL; the text binds"`
	By         string          `json:"by,omitempty" doc:"Who signed the text"`
	Hash       string          `json:"hash,omitempty" doc:"SHA-256 of what the text says, the same in every record of it"`
	Approved   bool            `json:"approved,omitempty" doc:"A person here has approved this very text"`
	Missing    bool            `json:"missing,omitempty" doc:"A text in somebody's own words that isn't here to be read"`
	Unknown    []string        `json:"unknown,omitempty" doc:"Fields that this version doesn't know; they block agreement"`
	Requests   int             `json:"requests,omitempty" doc:"How many of one's own requests carry the text"`
}

// NewTerms is a text of one's own.
type NewTerms struct {
	Name       string          `json:"name"`
	Text       string          `json:"text"`
	InLanguage string          `json:"inLanguage,omitempty"`
	BasedOn    string          `json:"basedOn,omitempty"`
	Policy     json.RawMessage `json:"policy,omitempty" doc:"ODRL, a JSON object"`
}

// Approval is a person's word that this seller may agree to a text.
type Approval struct {
	Hash   string    `json:"hash"`
	Name   string    `json:"name"`
	Record string    `json:"record" doc:"The record that was looked at"`
	At     time.Time `json:"at"`
}

func (s *Server) termsRoutes() {
	const get, post, del = http.MethodGet, http.MethodPost, http.MethodDelete
	handle(s, get, "/v1/terms", "listTerms", "The roster of terms, or one's own texts", s.listTerms)
	handle(s, post, "/v1/terms", "addTerms", "Keep a text of one's own, for requests to carry", s.addTerms)
	handle(s, get, "/v1/terms/{id}", "showTerms", "One agreement or text", s.showTerms)
	handle(s, del, "/v1/terms/{id}", "removeTerms", "Forget a text of one's own", s.removeTerms)
	handle(s, post, "/v1/terms/{id}/approve", "approveTerms", "Let this seller agree to a customer's own words", s.approveTerms)
	handle(s, post, "/v1/terms/{id}/revoke", "revokeTerms", "Take that back", s.revokeTerms)
	handle(s, get, "/v1/approvals", "listApprovals", "The texts that were approved, newest first", s.listApprovals)
}

// termsID is the text that stands for terms.
func termsID(ref record.TermsRef) string {
	if ref.Record.Defined() {
		return ref.Record.String()
	}
	return ref.Roster
}

// termsView shows terms; drafts are records that are not kept here.
func (s *Server) termsView(ctx context.Context, ref record.TermsRef, drafts ...*record.Record) Terms {
	if !ref.Record.Defined() {
		t, _ := terms.Lookup(ref.Roster)
		return Terms{ID: ref.Roster, Name: t.Name, Sentence: terms.Describe(ref), Default: ref == terms.Default()}
	}
	for _, rec := range drafts {
		if rec.ID() == ref.Record {
			return s.textView(rec)
		}
	}
	rec, err := s.desk().TermsRecord(ctx, ref.Record)
	if err != nil {
		return Terms{ID: ref.Record.String(), Sentence: terms.Describe(ref), Missing: true}
	}
	return s.textView(rec)
}

func (s *Server) termsViews(ctx context.Context, refs []record.TermsRef, drafts ...*record.Record) []Terms {
	out := make([]Terms, len(refs))
	for i, ref := range refs {
		out[i] = s.termsView(ctx, ref, drafts...)
	}
	return out
}

// textView shows a terms record.
func (s *Server) textView(rec *record.Record) Terms {
	t := rec.Body().(*record.Terms)
	v := Terms{ID: rec.ID().String(), Name: t.Name, Sentence: terms.Describe(record.TermsRef{Record: rec.ID()}), Text: t.Text, InLanguage: t.InLanguage,
		BasedOn: t.BasedOn, By: string(rec.Header().By), Unknown: rec.Unknown()}
	if t.Policy != nil {
		v.Policy, _ = json.Marshal(t.Policy) // maps, texts and numbers
	}
	if hash, err := terms.Hash(t); err == nil {
		v.Hash, v.Approved = hex.EncodeToString(hash[:]), s.desk().Approved(hash)
	}
	return v
}

// linkable warns of texts that set their author apart.
func (s *Server) linkable(ctx context.Context, refs []record.TermsRef, drafts []*record.Record) []Warning {
	var out []Warning
	for _, v := range s.termsViews(ctx, refs, drafts...) {
		if v.Text == "" && !v.Missing {
			continue
		}
		w := Warning{Field: "terms", Kind: "linkable", Text: "Terms in words of one's own link all requests that carry them to one person."}
		if n := s.desk().SameTermsBefore(v.Hash); n > 0 {
			w.Text = fmt.Sprintf("These words of your own stand in %d of your requests already: the same text links them all to one person.", n)
		}
		out = append(out, w)
	}
	return out
}

func ownTermsView(o desk.OwnTerms) Terms {
	return Terms{ID: o.Name, Name: o.Name, Sentence: "Terms in words of your own.", Text: o.Text, InLanguage: o.InLanguage, BasedOn: o.BasedOn, Policy: o.Policy}
}

func (s *Server) ownTerms(o desk.OwnTerms) Terms {
	v := ownTermsView(o)
	if body, err := o.Body(); err == nil {
		if hash, err := terms.Hash(body); err == nil {
			v.Hash = hex.EncodeToString(hash[:])
			v.Requests = s.desk().SameTermsBefore(v.Hash)
		}
	}
	return v
}

func (s *Server) listTerms(ctx context.Context, in *struct {
	Own bool `query:"own" doc:"The texts of one's own instead"`
}) (*with[list[Terms]], error) {
	var out []Terms
	if in.Own {
		for _, o := range s.desk().AllOwnTerms() {
			out = append(out, s.ownTerms(o))
		}
		return items(out), nil
	}
	for _, t := range protocol.Roster() {
		out = append(out, s.termsView(ctx, record.TermsRef{Roster: t.ID}))
	}
	return items(out), nil
}

func (s *Server) addTerms(ctx context.Context, in *with[NewTerms]) (*with[Terms], error) {
	o := desk.OwnTerms(in.Body)
	if err := s.desk().AddTerms(ctx, o); err != nil {
		return nil, err
	}
	return body(s.ownTerms(o)), nil
}

func (s *Server) showTerms(ctx context.Context, in *byID) (*with[Terms], error) {
	if o, ok := s.desk().OwnTerms(in.ID); ok {
		return body(s.ownTerms(o)), nil
	}
	if id := strings.ToUpper(in.ID); terms.Known(id) {
		return body(s.termsView(ctx, record.TermsRef{Roster: id})), nil
	}
	rec, err := s.typed(ctx, in.ID, protocol.TypeTerms, "terms")
	if protocol.CodeOf(err) == protocol.CodeUsage {
		return nil, &protocol.Error{Code: protocol.CodeNotFound, Field: "id", Detail: fmt.Sprintf("no terms here are called %q", in.ID), Hint: "parley terms list --own"}
	}
	if err != nil {
		return nil, err
	}
	return body(s.textView(rec)), nil
}

func (s *Server) removeTerms(ctx context.Context, in *byID) (*with[Terms], error) {
	o, _ := s.desk().OwnTerms(in.ID)
	return body(ownTermsView(o)), s.desk().RemoveTerms(ctx, in.ID)
}

func (s *Server) approveTerms(ctx context.Context, in *byID) (*with[Terms], error) {
	rec, err := s.typed(ctx, in.ID, protocol.TypeTerms, "terms")
	if err != nil {
		return nil, err
	}
	if _, err := s.desk().ApproveTerms(ctx, rec.ID()); err != nil {
		return nil, err
	}
	return body(s.textView(rec)), nil
}

func approvalView(a desk.Approval) Approval {
	return Approval{Hash: hex.EncodeToString(a.Hash[:]), Name: a.Name, Record: a.Record, At: a.At}
}

// revokeTerms takes the ID of any record of the text, or the beginning of its
// hash: the record may be gone.
func (s *Server) revokeTerms(ctx context.Context, in *byID) (*with[Approval], error) {
	want := strings.ToLower(in.ID)
	if rec, err := s.typed(ctx, in.ID, protocol.TypeTerms, "terms"); err == nil {
		want = s.textView(rec).Hash
	}
	var found []desk.Approval
	for _, a := range s.desk().Approvals() {
		if len(want) >= minShort && strings.HasPrefix(hex.EncodeToString(a.Hash[:]), want) || strings.HasPrefix(strings.TrimPrefix(a.Record, idStart), strings.TrimPrefix(want, idStart)) {
			found = append(found, a)
		}
	}
	switch len(found) {
	case 0:
		return nil, &protocol.Error{Code: protocol.CodeNotFound, Field: "id", Detail: fmt.Sprintf("no approved terms are called %s", in.ID), Hint: "parley terms list --approved"}
	case 1:
		return body(approvalView(found[0])), s.desk().RevokeTerms(ctx, found[0].Hash)
	}
	return nil, &protocol.Error{Code: protocol.CodeAmbiguous, Field: "id", Detail: fmt.Sprintf("%d approvals begin with %s", len(found), in.ID), Hint: "give more of it"}
}

func (s *Server) listApprovals(context.Context, *none) (*with[list[Approval]], error) {
	var out []Approval
	for _, a := range s.desk().Approvals() {
		out = append(out, approvalView(a))
	}
	return items(out), nil
}
