// Package record is the unit of everything said: one author, one signature, one
// block. Specification: spec/02-records.md.
package record

import (
	"crypto/ed25519"

	"github.com/ipfs/go-cid"

	"github.com/parley-protocol/parley/crypto"
)

// Header is what every record states, whatever its type.
type Header struct {
	By          crypto.DID     // by: the author
	At          int64          // at: when it was signed, Unix seconds
	RetainUntil int64          // retainUntil: when it may be forgotten
	Crit        []string       // crit, optional: keys of ext that the reader must understand
	Ext         map[string]any // ext, optional: extensions
}

// Record is a record that [Parse] took or [Sign] made. It is immutable: callers
// must not write to what its methods return. It is safe for concurrent use.
type Record struct {
	id      cid.Cid
	raw     []byte
	header  Header
	body    Body
	unknown []string
	signer  ed25519.PublicKey // that header.By names
}

// ID is the CID of the block, signature included.
func (r *Record) ID() cid.Cid { return r.id }

// Raw is the block as it arrived.
func (r *Record) Raw() []byte { return r.raw }

// Header is what every record states.
func (r *Record) Header() Header { return r.header }

// Type is the record's type.
func (r *Record) Type() string { return r.body.Type() }

// Body is a pointer to the struct of the record's type.
func (r *Record) Body() Body { return r.body }

// Unknown lists, as dotted paths, the keys outside ext that the specification
// does not have. In an offer or in terms they block acceptance.
func (r *Record) Unknown() []string { return r.unknown }
