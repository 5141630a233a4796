package desk

import (
	"cmp"
	"context"
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

// Introduce shows the seller of an agreement under which key it knows this
// customer from now on. Nobody else learns of it, and every seller gets another
// key.
func (d *Desk) Introduce(ctx context.Context, id cid.Cid) (*record.Record, error) {
	known, ok := d.book.Deal(id)
	if !ok || known.Role != book.Customer {
		return nil, protocol.Errorf(protocol.CodeNotFound, "deal", "you are not the customer of a deal with the ID %s", id)
	}
	var rec *record.Record
	err := d.book.Update(ctx, known.Key.Intent, func(tx *book.Tx) error {
		dl, ok := tx.Deal(id)
		if !ok || dl.State.Phase != deal.PhaseAgreed {
			return &protocol.Error{Code: protocol.CodeNotPermitted, Field: "deal", Detail: "you introduce yourself to a seller that you have agreed with", Hint: "parley deal show " + id.String()}
		}
		var err error
		rec, err = d.introduce(tx, dl.Intent.Record, dl.Key.Vendor)
		return err
	})
	return rec, err
}

// introduce signs the introduction of an own intent's author to a seller, unless
// there is one.
func (d *Desk) introduce(tx *book.Tx, intent *record.Record, vendor crypto.DID) (*record.Record, error) {
	for _, rec := range d.book.Introductions(intent.ID()) {
		if rec.Body().(*record.Introduction).Vendor == vendor {
			return rec, nil
		}
	}
	key, _ := d.relationshipKey(vendor)
	body, err := record.Introduce(intent.ID(), vendor, key)
	if err != nil {
		return nil, err
	}
	rec, err := record.Sign(d.header(), body, d.keys.Identity().Customer().IntentKey(intent.Body().(*record.Intent).Salt))
	if err != nil {
		return nil, err
	}
	tx.Sign(rec, keyring.KeyID{}, vendor)
	return rec, nil
}

// relationshipKey is the key under which a seller knows this customer, or would
// know it, and whether it does. A seller that moves to its next key goes on
// knowing the same: the key derives from the name under which it was introduced
// to first ([KEY-21]).
func (d *Desk) relationshipKey(vendor crypto.DID) (key *crypto.SigningKey, introduced bool) {
	names := d.sellerNames(vendor)
	shown := map[crypto.DID]crypto.DID{} // by the seller's name
	for did, recs := range d.book.Relationships() {
		for _, rec := range recs {
			if d.book.Own(rec.ID()) {
				shown[rec.Body().(*record.Introduction).Vendor] = did
			}
		}
	}
	customer := d.keys.Identity().Customer()
	for _, name := range names {
		for _, first := range names {
			if key := customer.RelationshipKey(first); shown[name] == key.DID() {
				return key, true
			}
		}
	}
	return customer.RelationshipKey(vendor), false
}

// takeIntroduction keeps what a customer says of itself; with it may come the
// intent that it is about.
func (d *Desk) takeIntroduction(ctx context.Context, bundle []*record.Record, body *record.Introduction) error {
	main := bundle[len(bundle)-1]
	if err := main.CheckTime(d.now()); err != nil {
		return refused(err)
	}
	if !d.ours(body.Vendor) {
		return refused(protocol.Errorf(protocol.CodeDealMismatch, "vendor", "it is meant for another seller"))
	}
	in, ok := d.book.Intent(body.Intent)
	if !ok {
		at := slices.IndexFunc(bundle, func(rec *record.Record) bool { return rec.ID() == body.Intent && rec.Type() == protocol.TypeIntent })
		if at < 0 {
			return refused(protocol.Errorf(protocol.CodeMissingRecord, "intent", "the request that it is about isn't known here"))
		}
		if err := main.CheckIntroduces(bundle[at], body.Vendor); err != nil {
			return refused(err)
		}
		if err := d.takeRequest(ctx, bundle[:at+1]); err != nil {
			return err
		}
	} else if err := main.CheckIntroduces(in.Record, body.Vendor); err != nil {
		return refused(err)
	}
	for _, old := range d.book.Introductions(body.Intent) {
		if old.ID() != main.ID() {
			return nil // one is enough: an author can sign any number of them
		}
	}
	known, err := d.book.Receive(ctx, main, d.endOfWait(main))
	if err == nil && !known {
		d.events.Publish(event.Event{At: d.cfg.Now(), Kind: event.CustomerIntroduced, Record: main.ID().String(), Intent: body.Intent.String(),
			Type: main.Type(), By: string(body.Relationship), Text: "A customer says under which name you know it."})
	}
	return err
}

// Relationship is what is behind introductions by one key.
type Relationship struct {
	DID     crypto.DID   // the customer's key for one seller
	Vendor  crypto.DID   // that seller, under its latest key that was introduced to
	Own     bool         // this node is the customer
	Since   int64        // of the first introduction, Unix seconds
	Intents []cid.Cid    // those that it was introduced on
	Deals   []*book.Deal // with that seller on them
}

// Relationships are those that this node has with others, the longest first.
func (d *Desk) Relationships() []Relationship {
	var out []Relationship
	for did, recs := range d.book.Relationships() {
		slices.SortFunc(recs, func(a, b *record.Record) int {
			return cmp.Or(cmp.Compare(a.Header().At, b.Header().At), cmp.Compare(a.ID().KeyString(), b.ID().KeyString()))
		})
		r := Relationship{DID: did, Since: recs[0].Header().At}
		for _, rec := range recs {
			body := rec.Body().(*record.Introduction)
			r.Vendor, r.Own = body.Vendor, d.book.Own(rec.ID())
			r.Intents = append(r.Intents, body.Intent)
			for _, dl := range d.book.DealsOf(body.Intent) {
				if dl.Key.Vendor == body.Vendor {
					r.Deals = append(r.Deals, dl)
				}
			}
		}
		out = append(out, r)
	}
	slices.SortFunc(out, func(a, b Relationship) int {
		return cmp.Or(cmp.Compare(a.Since, b.Since), cmp.Compare(a.DID, b.DID))
	})
	return out
}

// Customer is under which relationship the author of another's intent is known
// here, empty for somebody new.
func (d *Desk) Customer(intent cid.Cid) crypto.DID {
	for _, rec := range d.book.Introductions(intent) {
		if !d.book.Own(rec.ID()) {
			return rec.Body().(*record.Introduction).Relationship
		}
	}
	return ""
}
