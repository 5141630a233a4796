// Package deal is the agreement between one customer and one seller on one
// intent: what a set of signed records adds up to ([Fold]), and what either
// side may or must sign next.
//
// Everything here is a pure function of records and a time. The fold looks at
// a set: order, repetition and delay of delivery change nothing, so both sides
// come to the same [State] as soon as they hold the same records. A desk
// persists what a decision says, in the same step as it looked at the state,
// and only then sends it.
//
// Only the seller decides a deal, with one confirmation or one void. The
// customer binds itself with one acceptance, and may ask for a void. Counters,
// counter-offers of terms and the word for a next round bind nobody. A further
// round follows a void, or changes an agreement ([FoldRounds]); what is said
// about an agreement afterwards adds up on its own ([Follow]). Three kinds of
// record (restored, held, customer-void) are for a seller that
// came back from an old backup. The rules are those of spec/06-deals.md; a
// model of them is checked in spec/model.
package deal

import (
	"github.com/ipfs/go-cid"

	"github.com/parley-protocol/parley/crypto"
	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/record"
)

// Phase is how far a deal is. The words are those of the local API.
type Phase string

// The phases. Agreed, voided and conflict are final, save that a cheat's own
// contradiction turns any of them into conflict.
const (
	PhaseOpen     Phase = "open"     // no acceptance and no decision
	PhasePending  Phase = "pending"  // accepted; the seller's decision isn't in hand
	PhaseAgreed   Phase = "agreed"   // accepted and confirmed
	PhaseVoided   Phase = "voided"   // the seller decided against it, or the customer after a restore
	PhaseConflict Phase = "conflict" // signed contradictions: see State.Evidence
)

// Final reports whether the phase is one that honest parties never leave.
func (p Phase) Final() bool {
	return p == PhaseAgreed || p == PhaseVoided || p == PhaseConflict
}

// Options are what a side knows beyond the deal's records. They don't change
// what the records add up to, only what this side may sign.
type Options struct {
	// Restored says that this side came back from a backup, or found another
	// writer of its key, after it learned of the intent. It stays set for the
	// intent for good: a record of one's own may still be on its way.
	Restored bool
	// AskedSince is the time of the restore, by this side's clock: asks that are
	// dated before it don't count as asked again. 0: every ask counts.
	AskedSince int64
	// Previous is the state of the round before, with its own options: a round
	// above the first is open, and about an agreement or not, by what the ones
	// before add up to. See [FoldRounds].
	Previous *State
}

// State is what a set of records of one deal adds up to. It is a value: the
// methods change nothing, and callers must not write to its slices.
type State struct {
	Key      record.DealKey
	Customer crypto.DID // the author of the intent
	Phase    Phase

	Offers       []*record.Record // those under the intent's terms, by number, time and ID
	Acceptance   *record.Record   // nil: none
	Confirmation *record.Record   // nil: none
	Void         *record.Record   // a lawful void; nil: none
	Asks         []*record.Record // the customer's cancel, decline and award-notice, by time and ID
	Restored     *record.Record   // the seller's; nil: none
	Held         *record.Record   // the customer's answer to Restored; nil: none
	CustomerVoid *record.Record   // the customer's other answer; nil: none
	Counters     []*record.Record // the customer's, to offers in the set, by time and ID
	TermsCounter *record.Record   // the seller's one; nil: none
	NextRounds   []*record.Record // with which the customer asked for this round, by time and ID

	Misfits  []Misfit         // records that have no part in the deal, and why
	Waiting  []Waiting        // records that decide nothing until another one arrives
	Evidence []*record.Record // in a conflict: the records that prove it, by time and ID

	Agreement  cid.Cid // when agreed: the confirmation's ID, the agreement's name
	Changes    cid.Cid // when agreed: the agreement that this one replaces; undefined: none
	Committed  bool    // the seller is bound by a confirmation
	TakesAward bool    // the customer's acceptance takes one of the intent's awards

	opts   Options
	facts  facts
	terms  []record.TermsRef // the intent's
	lawful []*record.Record  // the lawful voids, by time and ID
}

// Misfit is a record that was given to the fold and has no part in it. It is
// kept: a missing neighbour never turns a misfit into a fit.
type Misfit struct {
	Record *record.Record
	Code   protocol.Code
	Detail string
}

// Waiting is a record that cites one which isn't in the set. It decides
// nothing until that one arrives.
type Waiting struct {
	Record  *record.Record
	Missing cid.Cid
}
