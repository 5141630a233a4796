package store

import (
	"github.com/parley-protocol/parley/protocol/record"
)

// Item is a record to be put.
type Item struct {
	Record *record.Record // parsed and verified: the store trusts its signature
	Class  Class
	Market string // where it was heard; empty: the market that the record itself names, if any

	// Elsewhere keeps the record's bytes out of the view: the source has
	// them for as long as they may be read. Once set it stays. The bytes of a
	// withdrawal are kept all the same.
	Elsewhere bool
}

// Outcome is what became of an [Item].
type Outcome uint8

// The outcomes.
const (
	Added   Outcome = iota + 1 // new
	Changed                    // known; its class rose or another market was noted
	Known                      // known, nothing to do
	Refused                    // over quota: foreign, and nothing that was signed earlier was left to make room
)

// String is the outcome's word in logs.
func (o Outcome) String() string {
	switch o {
	case Added:
		return "added"
	case Changed:
		return "changed"
	case Known:
		return "known"
	case Refused:
		return "refused"
	default:
		return "none"
	}
}

// Entry is a record as the store holds it.
type Entry struct {
	Record    *record.Record
	Class     Class
	Markets   []string // where it was heard or says it belongs, sorted
	Withdrawn bool     // an intent that its author has taken back
	Expires   int64    // validUntil, or retainUntil where the type has no validUntil

	order Order
}

// Cursor marks the place just after the entry in the query that gave it, for
// [Filter.Cursor]. It is opaque, and good for the same order only.
func (e Entry) Cursor() string { return cursorOf(e).String() }
