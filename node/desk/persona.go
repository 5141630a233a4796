package desk

import (
	"slices"

	"github.com/ipfs/go-cid"

	"github.com/parley-protocol/parley/crypto"
	"github.com/parley-protocol/parley/node/book"
)

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
