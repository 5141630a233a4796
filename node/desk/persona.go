package desk

import (
	"context"
	"slices"

	"github.com/ipfs/go-cid"

	"github.com/parley-protocol/parley/crypto"
	"github.com/parley-protocol/parley/node/book"
	"github.com/parley-protocol/parley/node/failpoint"
	"github.com/parley-protocol/parley/node/keyring"
	"github.com/parley-protocol/parley/protocol/record"
)

// RotatePersona makes the next key today's and presents the seller under it, if it
// has presented itself before; else the profile is nil. Deals that have begun
// stay with the key that they name.
func (d *Desk) RotatePersona(ctx context.Context, next keyring.Succession) (*record.Record, error) {
	if err := d.keys.Rotate(ctx, next); err != nil {
		return nil, err
	}
	failpoint.Hit("desk/after-rotate")
	return d.presentRotated(ctx)
}

// presentRotated signs the profile of a key that hasn't presented itself yet,
// after a rotation; the last run may have died before that.
func (d *Desk) presentRotated(ctx context.Context) (*record.Record, error) {
	old := d.book.Profile()
	if old == nil || old.Header().By == d.keys.Identity().Persona().DID() {
		return nil, nil
	}
	return d.SetProfile(ctx, *old.Body().(*record.Profile))
}

// previous is what a new profile cites: the newest one of the key before, so that
// every profile shows the move by itself; before a rotation, the newest one.
func (d *Desk) previous(newest *record.Record) cid.Cid {
	today := d.keys.Identity().Persona().DID()
	if newest.Header().By != today {
		return newest.ID()
	}
	for rec, own := range d.book.Records() {
		p, ok := rec.Body().(*record.Profile)
		if !ok || !own || rec.Header().By != today {
			continue
		}
		if before, ok := d.book.Record(p.Previous); ok && before.Header().By != today {
			return p.Previous
		}
	}
	return newest.ID()
}

// ours tells whether a name is this seller's, of today or of before a rotation.
func (d *Desk) ours(did crypto.DID) bool {
	return slices.Contains(d.keys.Identity().Personas(), did)
}

// vendorKey signs in the deals that name that key; an own one, or today's.
func (d *Desk) vendorKey(did crypto.DID) *crypto.SigningKey {
	if key, ok := d.keys.Identity().PersonaKey(did); ok {
		return key
	}
	return d.keys.Identity().Persona()
}

// vendorOn is the key under which this seller deals on an intent: the one with
// which it began, or today's.
func (d *Desk) vendorOn(intent cid.Cid) crypto.DID {
	for _, dl := range d.book.DealsOf(intent) {
		if dl.Role == book.Vendor && d.ours(dl.Key.Vendor) {
			return dl.Key.Vendor
		}
	}
	return d.keys.Identity().Persona().DID()
}

// recipients are the keys to which a request may have been sealed: today's, and
// after a rotation the one before.
func (d *Desk) recipients() []crypto.Signer {
	id := d.keys.Identity()
	names := id.Personas()
	var out []crypto.Signer
	for _, did := range names[max(0, len(names)-2):] {
		if key, ok := id.PersonaKey(did); ok {
			out = append(out, key)
		}
	}
	return out
}
