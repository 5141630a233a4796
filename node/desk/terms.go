package desk

import (
	"bytes"
	"cmp"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/ipfs/go-cid"

	"github.com/parley-protocol/parley/crypto"
	"github.com/parley-protocol/parley/node/book"
	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/record"
	"github.com/parley-protocol/parley/protocol/terms"
)

// The settings that hold terms in words of somebody's own.
const (
	settingTerms    = "terms/"    // of this person, by name: what requests are published under
	settingApproved = "approved/" // of others, by [terms.Hash]: what a person has agreed to
)

// maxOwnTerms bounds the texts that one node keeps by name.
const maxOwnTerms = 256

// OwnTerms is a text of one's own that is kept by its name, to be signed anew,
// by its own key, with each request that carries it.
type OwnTerms struct {
	Name       string          `json:"-"` // also that of the records
	Text       string          `json:"text"`
	InLanguage string          `json:"inLanguage,omitempty"`
	BasedOn    string          `json:"basedOn,omitempty"` // roster ID
	Policy     json.RawMessage `json:"policy,omitempty"`  // ODRL, a JSON object
}

// Body is the record that says so.
func (o OwnTerms) Body() (*record.Terms, error) {
	t := &record.Terms{Name: o.Name, Text: o.Text, InLanguage: o.InLanguage, BasedOn: o.BasedOn}
	if len(o.Policy) == 0 {
		return t, nil
	}
	var err error
	if t.Policy, err = PlainObject(o.Policy); err != nil {
		return nil, &protocol.Error{Code: protocol.CodeBadField, Field: "policy", Detail: err.Error(), Hint: "an ODRL policy in JSON-LD", Err: err}
	}
	return t, nil
}

// PlainObject reads a JSON object into what a record can hold.
func PlainObject(text []byte) (map[string]any, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var out map[string]any
	if err := d.Decode(&out); err != nil || out == nil {
		return nil, errors.New("it isn't a JSON object")
	}
	for key, v := range out {
		var err error
		if out[key], err = plainValue(v); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// plainValue makes JSON's numbers into those that a record can hold.
func plainValue(v any) (any, error) {
	switch v := v.(type) {
	case json.Number:
		n, err := v.Int64()
		if err != nil {
			return nil, fmt.Errorf("it has the number %s, and records hold whole ones only: write it as text", v)
		}
		return n, nil
	case []any:
		for i := range v {
			var err error
			if v[i], err = plainValue(v[i]); err != nil {
				return nil, err
			}
		}
	case map[string]any:
		for key := range v {
			var err error
			if v[key], err = plainValue(v[key]); err != nil {
				return nil, err
			}
		}
	}
	return v, nil
}

// rosterForm is how the roster's IDs look: a name of one's own must not.
var rosterForm = regexp.MustCompile(`^[A-Z][A-Z0-9]*(-[A-Z0-9]+)*$`)

// AddTerms keeps a text by its name. The same again is no error; another text
// under a name that is taken is.
func (d *Desk) AddTerms(ctx context.Context, o OwnTerms) error {
	if _, err := cid.Decode(o.Name); err == nil || rosterForm.MatchString(o.Name) || strings.TrimSpace(o.Name) != o.Name {
		return &protocol.Error{Code: protocol.CodeBadField, Field: "name", Detail: fmt.Sprintf("%q could be taken for an agreement of the roster, or an ID", o.Name),
			Hint: "a name in small letters, such as no-resale"}
	}
	body, err := o.Body()
	if err != nil {
		return err
	}
	if o.BasedOn != "" && !terms.Known(o.BasedOn) {
		return &protocol.Error{Code: protocol.CodeUnknownAgreement, Field: "basedOn", Detail: fmt.Sprintf("%q isn't in the roster of terms", o.BasedOn), Hint: "parley terms list"}
	}
	// Signed with a key that nobody sees, for its checks.
	if _, err := record.Sign(d.header(), body, d.keys.Identity().Customer().IntentKey([32]byte{})); err != nil {
		return err
	}
	value, err := json.Marshal(o)
	if err != nil {
		return err
	}
	switch old := d.book.Setting(settingTerms + o.Name); {
	case old == string(value):
		return nil
	case old != "":
		return &protocol.Error{Code: protocol.CodeDuplicate, Field: "name", Detail: fmt.Sprintf("there are other terms of yours called %q", o.Name),
			Hint: "another --name, or parley terms remove " + o.Name}
	case len(d.book.Settings(settingTerms)) >= maxOwnTerms:
		return protocol.Errorf(protocol.CodeOverQuota, "name", "%d texts are kept already", maxOwnTerms)
	}
	return d.book.Set(ctx, settingTerms+o.Name, string(value))
}

// RemoveTerms forgets a text; requests that carry it are not changed.
func (d *Desk) RemoveTerms(ctx context.Context, name string) error {
	if _, ok := d.OwnTerms(name); !ok {
		return protocol.Errorf(protocol.CodeNotFound, "name", "no terms of yours are called %q", name)
	}
	return d.book.Set(ctx, settingTerms+name, "")
}

// OwnTerms finds a text by its name.
func (d *Desk) OwnTerms(name string) (o OwnTerms, ok bool) {
	value := d.book.Setting(settingTerms + name)
	if value == "" || json.Unmarshal([]byte(value), &o) != nil {
		return OwnTerms{}, false
	}
	o.Name = name
	return o, true
}

// AllOwnTerms are all texts, by name.
func (d *Desk) AllOwnTerms() []OwnTerms {
	var out []OwnTerms
	for name := range d.book.Settings(settingTerms) {
		if o, ok := d.OwnTerms(name); ok {
			out = append(out, o)
		}
	}
	slices.SortFunc(out, func(a, b OwnTerms) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

// ownTermsOf is the text of a terms record, to be signed anew.
func ownTermsOf(t *record.Terms) (OwnTerms, error) {
	o := OwnTerms{Name: t.Name, Text: t.Text, InLanguage: t.InLanguage, BasedOn: t.BasedOn}
	if t.Policy == nil {
		return o, nil
	}
	var err error
	if o.Policy, err = json.Marshal(t.Policy); err != nil {
		return o, protocol.Errorf(protocol.CodeUnsupportedFormat, "policy", "the policy of these terms has no form in JSON: %w", err)
	}
	return o, nil
}

// Approval is a person's word that this seller may agree to a text.
type Approval struct {
	Hash   [32]byte  `json:"-"`
	Name   string    `json:"name"`
	Record string    `json:"record"` // the terms record that was looked at
	At     time.Time `json:"at"`
}

// ApproveTerms notes that a person has read the terms and agrees to that text.
func (d *Desk) ApproveTerms(ctx context.Context, id cid.Cid) (Approval, error) {
	rec, err := d.TermsRecord(ctx, id)
	if err != nil {
		return Approval{}, err
	}
	if err := rec.CheckUnderstood(); err != nil {
		return Approval{}, err
	}
	body := rec.Body().(*record.Terms)
	hash, err := terms.Hash(body)
	if err != nil {
		return Approval{}, err
	}
	if a, ok := d.approval(hash); ok {
		return a, nil
	}
	a := Approval{Hash: hash, Name: body.Name, Record: id.String(), At: d.cfg.Now().UTC()}
	value, err := json.Marshal(a)
	if err != nil {
		return Approval{}, err
	}
	return a, d.book.Set(ctx, settingApproved+hex.EncodeToString(hash[:]), string(value))
}

// RevokeTerms takes an approval back; offers that were made stay firm.
func (d *Desk) RevokeTerms(ctx context.Context, hash [32]byte) error {
	if !d.Approved(hash) {
		return protocol.Errorf(protocol.CodeNotFound, "terms", "nobody has approved these terms")
	}
	return d.book.Set(ctx, settingApproved+hex.EncodeToString(hash[:]), "")
}

// Approved tells whether a person has approved the text with that hash.
func (d *Desk) Approved(hash [32]byte) bool {
	_, ok := d.approval(hash)
	return ok
}

func (d *Desk) approval(hash [32]byte) (a Approval, ok bool) {
	value := d.book.Setting(settingApproved + hex.EncodeToString(hash[:]))
	if value == "" || json.Unmarshal([]byte(value), &a) != nil {
		return Approval{}, false
	}
	a.Hash = hash
	return a, true
}

// Approvals are all approvals, newest first.
func (d *Desk) Approvals() []Approval {
	var out []Approval
	for text := range d.book.Settings(settingApproved) {
		var hash [32]byte
		if n, err := hex.Decode(hash[:], []byte(text)); err != nil || n != len(hash) {
			continue
		}
		if a, ok := d.approval(hash); ok {
			out = append(out, a)
		}
	}
	slices.SortFunc(out, func(a, b Approval) int {
		return cmp.Or(b.At.Compare(a.At), bytes.Compare(a.Hash[:], b.Hash[:]))
	})
	return out
}

// MayAgree tells why this seller's program may not agree to terms by itself:
// texts in somebody's own words take a person's approval, of that very text.
func (d *Desk) MayAgree(ctx context.Context, ref record.TermsRef) error {
	if !ref.Record.Defined() {
		return nil
	}
	rec, err := d.TermsRecord(ctx, ref.Record)
	if err != nil {
		return err
	}
	if err := rec.CheckUnderstood(); err != nil {
		return err
	}
	if d.ours(rec.Header().By) {
		return nil // this seller's own proposal
	}
	hash, err := terms.Hash(rec.Body().(*record.Terms))
	if err != nil {
		return err
	}
	if !d.Approved(hash) {
		return &protocol.Error{Code: protocol.CodeNotPermitted, Field: "terms", Detail: "these terms are in the customer's own words, and nobody here has approved them",
			Hint: "read them, then: parley terms approve " + shortRecord(ref.Record)}
	}
	return nil
}

// shortRecord is the part of an ID that people use.
func shortRecord(id cid.Cid) string {
	const start, length = len("bafyrei"), 10
	return id.String()[start : start+length]
}

// TermsRecord finds a terms record in the book or in the view.
func (d *Desk) TermsRecord(ctx context.Context, id cid.Cid) (*record.Record, error) {
	rec, ok := d.book.Record(id)
	if !ok {
		var err error
		if rec, err = d.store.Get(ctx, id); err != nil {
			return nil, &protocol.Error{Code: protocol.CodeMissingRecord, Field: "terms", Detail: "the text of these terms isn't here to be read",
				Hint: "it comes with the request; else ask its author for it as a file", Err: err}
		}
	}
	if rec.Type() != protocol.TypeTerms {
		return nil, protocol.Errorf(protocol.CodeBadField, "terms", "what is cited as terms is a %s", rec.Type())
	}
	return rec, nil
}

// SameTermsBefore counts the own requests that carry the text of that hash, in
// hex, already.
func (d *Desk) SameTermsBefore(hash string) (n int) {
	for _, in := range d.book.Intents() {
		if !in.Own {
			continue
		}
		for _, rec := range d.citedTerms(in.Record) {
			if h, err := terms.Hash(rec.Body().(*record.Terms)); err == nil && hex.EncodeToString(h[:]) == hash {
				n++
			}
		}
	}
	return n
}

// signTerms makes references that name texts, those given or those kept by their
// names, into links to fresh records, signed by key: an intent's own, or a
// seller's. What they link to already must be here, so that it can go along.
func (d *Desk) signTerms(ctx context.Context, refs []record.TermsRef, texts []OwnTerms, header record.Header, key crypto.Signer) ([]record.TermsRef, []*record.Record, error) {
	refs = slices.Clone(refs)
	var own []*record.Record
	for i, ref := range refs {
		if ref.Record.Defined() {
			rec, err := d.TermsRecord(ctx, ref.Record)
			if err != nil {
				return nil, nil, err
			}
			if err := rec.CheckTime(header.At); err != nil {
				return nil, nil, err
			}
			continue
		}
		given := slices.IndexFunc(texts, func(o OwnTerms) bool { return o.Name == ref.Roster })
		if given < 0 && terms.Known(ref.Roster) {
			continue
		}
		text, ok := d.OwnTerms(ref.Roster)
		if given >= 0 {
			text, ok = texts[given], true
		}
		if !ok {
			return nil, nil, &protocol.Error{Code: protocol.CodeUnknownAgreement, Field: "terms", Detail: fmt.Sprintf("%q isn't in the roster of terms, nor a text of yours", ref.Roster),
				Hint: "parley terms list; or parley terms add FILE --name NAME"}
		}
		body, err := text.Body()
		if err != nil {
			return nil, nil, err
		}
		rec, err := record.Sign(header, body, key)
		if err != nil {
			return nil, nil, err
		}
		refs[i] = record.TermsRef{Record: rec.ID()}
		own = append(own, rec)
	}
	return refs, own, nil
}

// termsIn are the terms that a record stands under or proposes.
func termsIn(rec *record.Record) []record.TermsRef {
	switch body := rec.Body().(type) {
	case *record.Intent:
		return body.Terms
	case *record.Offer:
		return []record.TermsRef{body.Terms}
	case *record.TermsCounter:
		return []record.TermsRef{body.Terms}
	}
	return nil
}

// citedTerms are the terms records that a record cites and that are held here:
// they travel with it.
func (d *Desk) citedTerms(rec *record.Record) []*record.Record {
	var out []*record.Record
	for _, ref := range termsIn(rec) {
		if t, ok := d.book.Record(ref.Record); ok && t.Type() == protocol.TypeTerms {
			out = append(out, t)
		}
	}
	return out
}

// carriedTerms are the terms records of a bundle that another one in it cites.
func (d *Desk) carriedTerms(bundle []*record.Record) []*record.Record {
	var out []*record.Record
	for _, t := range bundle {
		if t.Type() != protocol.TypeTerms || t.CheckTime(d.now()) != nil {
			continue
		}
		if slices.ContainsFunc(bundle, func(r *record.Record) bool { return slices.Contains(termsIn(r), record.TermsRef{Record: t.ID()}) }) {
			out = append(out, t)
		}
	}
	return out
}

// waitingTerms are the terms records that something in the inbox cites: they
// stay for as long.
func (d *Desk) waitingTerms() map[cid.Cid]bool {
	out := map[cid.Cid]bool{}
	note := func(rec *record.Record) {
		for _, ref := range termsIn(rec) {
			out[ref.Record] = true
		}
	}
	for _, in := range d.book.Intents() {
		if in.Waiting {
			note(in.Record)
		}
	}
	for _, dl := range d.book.Deals() {
		for _, rec := range dl.Inbox {
			note(rec)
		}
	}
	return out
}

// keepTerms adds to an update the terms record that a reference links to, unless
// it is among those that are signed in it.
func (d *Desk) keepTerms(ctx context.Context, tx *book.Tx, ref record.TermsRef, signed ...*record.Record) error {
	if !ref.Record.Defined() || slices.ContainsFunc(signed, func(r *record.Record) bool { return r.ID() == ref.Record }) {
		return nil
	}
	rec, err := d.TermsRecord(ctx, ref.Record)
	if err != nil {
		return err
	}
	tx.Keep(rec)
	return nil
}
