package record

import (
	"slices"

	"github.com/ipfs/go-cid"

	"github.com/parley-protocol/parley/crypto"
	"github.com/parley-protocol/parley/protocol"
)

// DeletionNotice says what its author's program has erased and what it keeps,
// and why. It speaks of the author's own copies and of no others.
type DeletionNotice struct {
	Intent      cid.Cid   // intent
	Deal        *DealKey  // deal, optional: one on that intent
	Erased      []cid.Cid // erased: 0..64
	Kept        []Kept    // kept: 0..64, none of them erased, each record once
	Description string    // description, optional: ..2000
}

// Kept is a record that is kept.
type Kept struct {
	Record cid.Cid // record
	Reason string  // reason: code of spec/registry/reasons.csv
	Until  int64   // until, optional: when it goes
}

// Writer says that an instance of a program signs as a persona now, so that
// another one with the same key finds out.
type Writer struct {
	Instance [16]byte // instance: drawn at random at the instance's start
	Started  int64    // started: when it began, <= at
}

// OtherWriter reports whether r says that another instance than this one signs
// as the persona now. now is Unix seconds; what has expired says nothing.
func (r *Record) OtherWriter(persona crypto.DID, instance [16]byte, now int64) bool {
	b, ok := r.body.(*Writer)
	return ok && r.header.By == persona && b.Instance != instance && r.CheckTime(now) == nil
}

// Type is "deletion-notice".
func (*DeletionNotice) Type() string { return protocol.TypeDeletionNotice }

// Type is "writer".
func (*Writer) Type() string { return protocol.TypeWriter }

func (b *DeletionNotice) fields(f *form) {
	field(f, "intent", &b.Intent, link{})
	pointer(f, "deal", &b.Deal, dealKey{})
	field(f, "erased", &b.Erased, setOf(0, protocol.MaxNoticeRecords, link{}))
	field(f, "kept", &b.Kept, listOf(0, protocol.MaxNoticeRecords, objectOf((*Kept).fields)))
	optional(f, "description", &b.Description, longText{2000})

	f.require(b.Deal == nil || b.Deal.Intent == b.Intent, "deal", "the deal is on another intent")
	for i, kept := range b.Kept {
		same := func(k Kept) bool { return k.Record == kept.Record }
		if slices.ContainsFunc(b.Kept[:i], same) {
			f.at("kept").entry(i).fail(protocol.CodeBadField, "the record is listed twice")
		}
		if slices.Contains(b.Erased, kept.Record) {
			f.at("kept").entry(i).fail(protocol.CodeBadField, "the record is listed as erased")
		}
	}
}

func (b *Kept) fields(f *form) {
	field(f, "record", &b.Record, link{})
	field(f, "reason", &b.Reason, reasonToken)
	optional(f, "until", &b.Until, instant{})
}

func (b *Writer) fields(f *form) {
	field(f, "instance", &b.Instance, tag{})
	field(f, "started", &b.Started, instant{})
}
