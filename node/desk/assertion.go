package desk

import (
	"cmp"
	"context"
	"crypto/rand"
	"slices"

	"github.com/ipfs/go-cid"

	"github.com/parley-protocol/parley/crypto"
	"github.com/parley-protocol/parley/node/book"
	"github.com/parley-protocol/parley/node/event"
	"github.com/parley-protocol/parley/node/keyring"
	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/deal"
	"github.com/parley-protocol/parley/protocol/record"
)

// settingShared is which copy of an own assertion a seller has: behind it stand
// the assertion's ID and the seller's DID.
const settingShared = "shared/"

// maxShared bounds what one author can leave here without being answered.
const maxShared = 32

func isAssertion(rec *record.Record) bool {
	switch rec.Type() {
	case protocol.TypePreference, protocol.TypeMembership, protocol.TypeTransactionHistory:
		return true
	}
	return false
}

// Assert signs something that a person says of themselves, with a key for it
// alone, and keeps it; nobody gets it before it is shared. An assertion that
// supersedes another is signed by the same key. Salt is filled in here.
func (d *Desk) Assert(ctx context.Context, body record.Body) (*record.Record, error) {
	salt, supersedes := assertionParts(body)
	if salt == nil {
		return nil, protocol.Errorf(protocol.CodeUsage, "type", "a %q is no assertion", body.Type())
	}
	if _, err := rand.Read(salt[:]); err != nil {
		return nil, err
	}
	at := d.now()
	if supersedes.Defined() {
		old, err := d.ownAssertion(supersedes)
		if err != nil {
			return nil, err
		}
		if old.Type() != body.Type() {
			return nil, protocol.Errorf(protocol.CodeUsage, "supersedes", "it is a %s, not a %s", old.Type(), body.Type())
		}
		before, _ := assertionParts(old.Body())
		*salt = *before
		at = max(at, old.Header().At+1) // the newest stands, also within a second
	}
	rec, err := record.Sign(d.headerAt(at), body, d.keys.Identity().Customer().AssertionKey(*salt))
	if err != nil {
		return nil, err
	}
	return rec, d.book.Update(ctx, rec.ID(), func(tx *book.Tx) error {
		tx.Sign(rec, keyring.KeyID{})
		return nil
	})
}

// assertionParts are what all assertions have.
func assertionParts(body record.Body) (salt *[32]byte, supersedes cid.Cid) {
	switch b := body.(type) {
	case *record.Preference:
		return &b.Salt, b.Supersedes
	case *record.Membership:
		return &b.Salt, b.Supersedes
	case *record.TransactionHistory:
		return &b.Salt, b.Supersedes
	}
	return nil, cid.Undef
}

// copyFor is an assertion's body as one seller gets it.
func copyFor(body record.Body, supersedes cid.Cid) record.Body {
	switch b := body.(type) {
	case *record.Preference:
		c := *b
		c.Salt, c.Supersedes = [32]byte{}, supersedes
		return &c
	case *record.Membership:
		c := *b
		c.Salt, c.Supersedes = [32]byte{}, supersedes
		return &c
	case *record.TransactionHistory:
		c := *b
		c.Salt, c.Supersedes = [32]byte{}, supersedes
		return &c
	}
	return nil
}

func (d *Desk) ownAssertion(id cid.Cid) (*record.Record, error) {
	rec, ok := d.book.Record(id)
	if !ok || !isAssertion(rec) || !d.book.Own(id) {
		return nil, protocol.Errorf(protocol.CodeNotFound, "assertion", "no assertion of yours has the ID %s", id)
	}
	return rec, nil
}

// ShareAssertion gives a seller a copy of an own assertion, signed by the key
// under which that seller knows this customer: two sellers can't tell from their
// copies that they have them from one person. The customer must have introduced
// itself. A copy of what the assertion supersedes is superseded too.
func (d *Desk) ShareAssertion(ctx context.Context, id cid.Cid, vendor crypto.DID) (*record.Record, error) {
	rec, err := d.ownAssertion(id)
	if err != nil {
		return nil, err
	}
	key, introduced := d.relationshipKey(vendor)
	if !introduced {
		return nil, &protocol.Error{Code: protocol.CodeNotPermitted, Field: "to", Detail: "this seller doesn't know who you are",
			Hint: "introduce yourself after an agreement: parley relationship introduce DEAL"}
	}
	if shared, ok := d.SharedCopy(id, vendor); ok {
		return shared, nil
	}
	_, before := assertionParts(rec.Body())
	superseded := cid.Undef
	for before.Defined() && !superseded.Defined() {
		if old, ok := d.SharedCopy(before, vendor); ok {
			superseded = old.ID()
		}
		old, ok := d.book.Record(before)
		if !ok {
			break
		}
		_, before = assertionParts(old.Body())
	}
	header := rec.Header()
	header.At, header.Ext, header.Crit = d.now(), nil, nil
	if old, ok := d.book.Record(superseded); ok {
		header.At = max(header.At, old.Header().At+1)
	}
	shared, err := record.Sign(header, copyFor(rec.Body(), superseded), key)
	if err != nil {
		return nil, err
	}
	err = d.book.Update(ctx, shared.ID(), func(tx *book.Tx) error {
		tx.Sign(shared, keyring.KeyID{}, vendor)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return shared, d.book.Set(ctx, settingShared+id.String()+"/"+string(vendor), shared.ID().String())
}

// SharedCopy is the copy of an own assertion that a seller was given, under
// whichever of its keys.
func (d *Desk) SharedCopy(id cid.Cid, vendor crypto.DID) (*record.Record, bool) {
	for _, name := range d.sellerNames(vendor) {
		shared, err := cid.Decode(d.book.Setting(settingShared + id.String() + "/" + string(name)))
		if err != nil {
			continue
		}
		if rec, ok := d.book.Record(shared); ok {
			return rec, true
		}
	}
	return nil, false
}

// SharedWith are the sellers that have a copy of an own assertion.
func (d *Desk) SharedWith(id cid.Cid) []crypto.DID {
	var out []crypto.DID
	for vendor := range d.book.Settings(settingShared + id.String() + "/") {
		out = append(out, crypto.DID(vendor))
	}
	slices.Sort(out)
	return out
}

// IssueMembership tells the customer of a deal that it is a member of something
// of this seller's. Member is filled in: the relationship's key if the customer
// has introduced itself, else the request's.
func (d *Desk) IssueMembership(ctx context.Context, id cid.Cid, m record.Membership) (*record.Record, error) {
	dl, ok := d.book.Deal(id)
	if !ok || dl.Role != book.Vendor || !dl.Spoken() {
		return nil, protocol.Errorf(protocol.CodeNotFound, "deal", "you are not the seller of a deal with the ID %s", id)
	}
	if m.Member = d.Customer(dl.Key.Intent); m.Member == "" {
		m.Member = dl.State.Customer
	}
	m.HostingOrganization = dl.Key.Vendor
	rec, err := record.Sign(d.header(), &m, d.vendorKey(dl.Key.Vendor))
	if err != nil {
		return nil, err
	}
	return rec, d.book.Update(ctx, rec.ID(), func(tx *book.Tx) error {
		tx.Sign(rec, keyring.KeyID{}, dl.State.Customer)
		return nil
	})
}

// takeAssertion puts what somebody known says of itself, or a seller of a
// customer, into the inbox, until the person keeps it or it has had its time.
func (d *Desk) takeAssertion(ctx context.Context, rec *record.Record) error {
	if err := rec.CheckTime(d.now()); err != nil {
		return refused(err)
	}
	if d.book.Has(rec.ID()) {
		return nil
	}
	if _, ok := d.dealWith(rec.Header().By); !ok {
		return refused(protocol.Errorf(protocol.CodeNotPermitted, "by", "its author isn't known here"))
	}
	waiting := 0
	for _, a := range d.Assertions() {
		if !a.Own && !a.Kept && a.Record.Header().By == rec.Header().By {
			waiting++
		}
	}
	if waiting >= maxShared {
		return refused(protocol.Errorf(protocol.CodeOverQuota, "by", "%d assertions of this author wait already", waiting))
	}
	if _, err := d.book.Receive(ctx, rec, d.endOfWait(rec)); err != nil {
		return err
	}
	d.events.Publish(event.Event{At: d.cfg.Now(), Kind: event.AssertionReceived, Record: rec.ID().String(), Type: rec.Type(),
		By: string(rec.Header().By), Text: "Somebody you know shared something about themselves with you."})
	return nil
}

// KeepAssertion takes one that was shared here into the ledger.
func (d *Desk) KeepAssertion(ctx context.Context, id cid.Cid) error {
	rec, ok := d.book.Record(id)
	if !ok || !isAssertion(rec) {
		return protocol.Errorf(protocol.CodeNotFound, "assertion", "no assertion has the ID %s", id)
	}
	return d.book.Update(ctx, id, func(tx *book.Tx) error {
		tx.Keep(rec)
		return nil
	})
}

// dealsWith are the deals with somebody, in which this node has spoken: with a
// seller under any of its keys, a request's author, or the relationship that
// stands behind one.
func (d *Desk) dealsWith(did crypto.DID) (out []*book.Deal) {
	sellers := d.sellerNames(did)
	relation := map[cid.Cid]bool{}
	for _, rec := range d.book.Relationships()[did] {
		relation[rec.Body().(*record.Introduction).Intent] = true
	}
	for _, dl := range d.book.Deals() {
		if dl.Intent == nil || !dl.Spoken() {
			continue
		}
		with := slices.Contains(sellers, dl.Key.Vendor)
		if dl.Role == book.Vendor {
			with = dl.State.Customer == did || relation[dl.Key.Intent]
		}
		if with {
			out = append(out, dl)
		}
	}
	return out
}

// dealWith is the newest of them: where they are reached.
func (d *Desk) dealWith(did crypto.DID) (*book.Deal, bool) {
	deals := d.dealsWith(did)
	if len(deals) == 0 {
		return nil, false
	}
	return slices.MaxFunc(deals, func(a, b *book.Deal) int {
		return cmp.Or(cmp.Compare(a.Intent.Record.Header().At, b.Intent.Record.Header().At), cmp.Compare(a.Key.Round, b.Key.Round))
	}), true
}

// Assertion is one that this node has signed, or was given.
type Assertion struct {
	Record       *record.Record
	Own          bool
	Kept         bool // on the ledger: own, or taken in by the person
	SupersededBy cid.Cid
}

// Assertions are all of them, the newest first.
func (d *Desk) Assertions() []Assertion {
	var out []Assertion
	next := map[cid.Cid]*record.Record{}
	add := func(rec *record.Record, own, kept bool) {
		if !isAssertion(rec) {
			return
		}
		out = append(out, Assertion{Record: rec, Own: own, Kept: kept})
		if old := rec.Supersedes(); old.Defined() {
			next[old] = rec
		}
	}
	for rec, own := range d.book.Records() {
		add(rec, own, true)
	}
	for _, rec := range d.book.Unanswered() {
		add(rec, false, false)
	}
	for i, a := range out {
		if rec := next[a.Record.ID()]; rec != nil && rec.Header().By == a.Record.Header().By {
			out[i].SupersededBy = rec.ID()
		}
	}
	slices.SortStableFunc(out, func(a, b Assertion) int { return cmp.Compare(b.Record.Header().At, a.Record.Header().At) })
	return out
}

// History is what a person may assert about purchases of theirs: the agreements
// of the deals that are named, or of all in which they were the customer.
func (d *Desk) History(ids ...cid.Cid) (*record.TransactionHistory, error) {
	h := &record.TransactionHistory{}
	for _, dl := range d.book.Deals() {
		if dl.Role != book.Customer || dl.State.Phase != deal.PhaseAgreed || len(ids) > 0 && !slices.Contains(ids, dl.ID) {
			continue
		}
		offer := acceptedOffer(dl)
		if offer == nil {
			continue
		}
		total := offer.TotalPrice
		t := record.Transaction{
			Agreement: dl.State.Agreement, Seller: dl.Key.Vendor, OrderDate: dl.State.Confirmation.Header().At,
			Name: dl.Intent.Body().Name, Category: dl.Intent.Body().Category, PriceCurrency: offer.PriceCurrency, TotalPrice: &total,
		}
		for _, rec := range dl.After {
			if rec.Type() == protocol.TypeReceipt {
				t.Receipt = rec.ID()
			}
		}
		h.Transactions = append(h.Transactions, t)
	}
	switch n := len(h.Transactions); {
	case n == 0 || len(ids) > n:
		return nil, &protocol.Error{Code: protocol.CodeNotFound, Field: "deals", Detail: "there is no agreement to tell of", Hint: "parley order list"}
	case n > protocol.MaxTransactions:
		slices.SortFunc(h.Transactions, func(a, b record.Transaction) int { return cmp.Compare(b.OrderDate, a.OrderDate) })
		h.Transactions = h.Transactions[:protocol.MaxTransactions]
	}
	slices.SortFunc(h.Transactions, func(a, b record.Transaction) int { return cmp.Compare(a.OrderDate, b.OrderDate) })
	h.PeriodStarts = h.Transactions[0].OrderDate
	h.PeriodEnds = max(h.PeriodStarts, h.Transactions[len(h.Transactions)-1].OrderDate)
	return h, nil
}
