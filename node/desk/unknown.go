package desk

import (
	"cmp"
	"context"
	"slices"

	"github.com/ipfs/go-cid"

	"github.com/parley-protocol/parley/crypto"
	"github.com/parley-protocol/parley/node/book"
	"github.com/parley-protocol/parley/node/event"
	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/record"
)

// What one author can leave here of types that this program doesn't know; all of
// them together share a bucket of the inbox.
const (
	maxUnknown      = 16
	maxUnknownBytes = 256 << 10
)

// unasked tells of records that are about no request: they come from somebody
// known, or to a seller's profile, and wait until the person keeps them.
func unasked(rec *record.Record) bool { return isAssertion(rec) || !rec.Registered() }

// takeUnknown puts a record of a type that this program doesn't know into the
// inbox: it is kept as it is and shown, and nobody acts on it.
func (d *Desk) takeUnknown(ctx context.Context, rec *record.Record) error {
	if err := rec.CheckTime(d.now()); err != nil {
		return refused(err)
	}
	if d.book.Has(rec.ID()) {
		return nil
	}
	waiting, size := 1, rec.Size()
	for _, other := range d.book.Unanswered() {
		if !other.Registered() && other.Header().By == rec.Header().By {
			waiting++
			size += other.Size()
		}
	}
	if waiting > maxUnknown || size > maxUnknownBytes {
		return refused(protocol.Errorf(protocol.CodeOverQuota, "by", "%d records of this author wait already, of types that aren't known here", waiting-1))
	}
	if _, err := d.book.Receive(ctx, rec, d.endOfWait(rec)); err != nil {
		return err
	}
	d.events.Publish(event.Event{At: d.cfg.Now(), Kind: event.RecordReceived, Record: rec.ID().String(), Type: rec.Type(), By: string(rec.Header().By),
		Text: "A record came in of a type that this program doesn't know. It waits until you keep it."})
	return nil
}

// Unknown is a record of a type that this program doesn't know.
type Unknown struct {
	Record *record.Record
	Kept   bool // on the ledger; otherwise it waits, and goes in a while
}

// UnknownRecords are all of them, the newest first.
func (d *Desk) UnknownRecords() []Unknown {
	var out []Unknown
	for rec := range d.book.Records() {
		if !rec.Registered() {
			out = append(out, Unknown{rec, true})
		}
	}
	for _, rec := range d.book.Unanswered() {
		if !rec.Registered() {
			out = append(out, Unknown{rec, false})
		}
	}
	slices.SortStableFunc(out, func(a, b Unknown) int {
		return cmp.Or(cmp.Compare(b.Record.Header().At, a.Record.Header().At), cmp.Compare(a.Record.ID().KeyString(), b.Record.ID().KeyString()))
	})
	return out
}

// KeepUnknown takes one that waits into the ledger: it is exported from then on,
// byte for byte.
func (d *Desk) KeepUnknown(ctx context.Context, id cid.Cid) error {
	rec, ok := d.book.Record(id)
	if !ok || rec.Registered() {
		return protocol.Errorf(protocol.CodeNotFound, "record", "no record of an unknown type has the ID %s", id)
	}
	return d.book.Update(ctx, id, func(tx *book.Tx) error {
		tx.Keep(rec)
		return nil
	})
}

// SealUnknown seals a record of an unknown type for somebody else, to be brought
// as a file: to whom there is a deal with, or who has a profile.
func (d *Desk) SealUnknown(ctx context.Context, id cid.Cid, to crypto.DID) (token [32]byte, envelope []byte, err error) {
	rec, ok := d.book.Record(id)
	if !ok || rec.Registered() {
		return token, nil, protocol.Errorf(protocol.CodeNotFound, "record", "no record of an unknown type has the ID %s", id)
	}
	address, err := d.addressOfUnasked(ctx, to)
	if err != nil {
		return token, nil, err
	}
	envelope, err = d.seal(rec, address)
	return address.Token, envelope, err
}

// addressOfUnasked is where somebody gets what is about no request.
func (d *Desk) addressOfUnasked(ctx context.Context, to crypto.DID) (record.ReplyTo, error) {
	if dl, ok := d.dealWith(to); ok {
		return d.addressIn(ctx, dl.Key, to)
	}
	p, err := d.profileOf(ctx, to)
	if err != nil {
		return record.ReplyTo{}, err
	}
	return p.ReplyTo, nil
}
