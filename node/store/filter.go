package store

import (
	"github.com/ipfs/go-cid"

	"github.com/parley-protocol/parley/crypto"
)

// Order is the order of a query's results. Ties are broken by the bytes of the ID.
type Order uint8

// The orders.
const (
	Oldest   Order = iota // by at, oldest first
	Newest                // by at, newest first
	ByExpiry              // by [Entry.Expires], earliest first
)

// Filter says which records a query wants. All that is set must hold; the zero
// Filter wants every record.
type Filter struct {
	Types         []string   // any of these types
	Author        crypto.DID // by this author
	Market        string     // heard in or naming this market
	Category      string     // with this scheme:code among its categories
	Deal          cid.Cid    // of the deal with this ID
	Cites         cid.Cid    // with a link to this
	Classes       []Class    // of any of these classes
	AtFrom        int64      // at >= AtFrom
	AtTo          int64      // at < AtTo; 0: no bound
	ExpiresBefore int64      // Expires < ExpiresBefore; 0: no bound
	Live          bool       // neither expired at Now nor withdrawn
	Now           int64      // the time that Live is about

	Order  Order
	Limit  int    // at most so many; 0: all
	Cursor string // go on after this place, see [Entry.Cursor]
}
