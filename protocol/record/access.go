package record

import (
	"github.com/ipfs/go-cid"

	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/codec"
)

// Size is the size of the block in bytes.
func (r *Record) Size() int { return len(r.raw) }

// Registered reports whether the specification has the record's type; the body
// of any other is an [Opaque].
func (r *Record) Registered() bool {
	_, opaque := r.body.(*Opaque)
	return !opaque
}

// CheckUnderstood says why nobody may act on the record, though it is valid to
// keep: the codes critical_extension (crit asks for an extension, and this
// version has none) and unknown_field (an offer, a counter or terms with fields
// that no screen shows).
func (r *Record) CheckUnderstood() error {
	if len(r.header.Crit) > 0 {
		return protocol.Errorf(protocol.CodeCriticalExtension, "crit", "%s must be understood, and isn't", plainKey(r.header.Crit[0]))
	}
	switch r.body.(type) {
	case *Offer, *Counter, *Terms:
		if len(r.unknown) > 0 {
			return protocol.Errorf(protocol.CodeUnknownField, r.unknown[0], "what this field says isn't known here")
		}
	}
	return nil
}

// Deal is the deal that the record belongs to; false for records of no deal.
func (r *Record) Deal() (DealKey, bool) {
	switch b := r.body.(type) {
	case *Offer:
		return b.Deal, true
	case *Acceptance:
		return b.Deal, true
	case *Confirmation:
		return b.Deal, true
	case *Void:
		return b.Deal, true
	case *Cancel:
		return b.Deal, true
	case *Decline:
		return b.Deal, true
	case *AwardNotice:
		return b.Deal, true
	case *Restored:
		return b.Deal, true
	case *Held:
		return b.Deal, true
	case *CustomerVoid:
		return b.Deal, true
	case *Counter:
		return b.Deal, true
	case *TermsCounter:
		return b.Deal, true
	case *NextRound:
		return b.Deal, true
	default:
		return DealKey{}, false
	}
}

// FollowsUp is the deal and the agreement that a follow-up record is about;
// false for all others. Such a record isn't of the deal: it can't change it.
func (r *Record) FollowsUp() (Subject, bool) {
	switch b := r.body.(type) {
	case *OrderEvent:
		return b.Subject, true
	case *Receipt:
		return b.Subject, true
	case *Outcome:
		return b.Subject, true
	default:
		return Subject{}, false
	}
}

// Supersedes is the assertion that this one takes the place of, if both are by
// one author; [cid.Undef] for none and for all other records.
func (r *Record) Supersedes() cid.Cid {
	switch b := r.body.(type) {
	case *Preference:
		return b.Supersedes
	case *Membership:
		return b.Supersedes
	case *TransactionHistory:
		return b.Supersedes
	default:
		return cid.Undef
	}
}

// CheckGossip says why gossip doesn't carry the record, whatever the topic and
// the time; nil if it does. It fails with the codes unknown_type and
// life_too_long (terms are kept longer than an intent may be).
func (r *Record) CheckGossip() error {
	switch r.body.(type) {
	case *Intent, *Withdrawal, *Profile, *Writer:
		return nil
	case *Terms:
		if r.header.RetainUntil-r.header.At > protocol.MaxIntentRetention {
			return protocol.Errorf(protocol.CodeLifeTooLong, "retainUntil", "gossip carries terms for at most %s", span(protocol.MaxIntentRetention))
		}
		return nil
	default:
		return protocol.Errorf(protocol.CodeUnknownType, "type", "gossip doesn't carry %s", plainKey(r.Type()))
	}
}

// ID is the deal's ID: the CIDv1 (dag-cbor, SHA-256) of [intent, vendor,
// round]. It is undefined for a key that isn't complete.
func (k DealKey) ID() cid.Cid {
	block, err := codec.Encode([]any{k.Intent, string(k.Vendor), k.Round})
	if err != nil {
		return cid.Undef
	}
	return codec.Sum(block)
}

// ReplyTo says where replies to the record's author go, if the record tells.
func (r *Record) ReplyTo() (ReplyTo, bool) {
	var reply *ReplyTo
	switch b := r.body.(type) {
	case *Intent:
		reply = &b.ReplyTo
	case *Profile:
		reply = &b.ReplyTo
	case *Offer:
		reply = &b.ReplyTo
	case *Acceptance:
		reply = &b.ReplyTo
	case *Restored:
		reply = &b.ReplyTo
	case *TermsCounter:
		reply = &b.ReplyTo
	case *NextRound:
		reply = b.ReplyTo
	case *Void:
		reply = b.ReplyTo
	case *Cancel:
		reply = b.ReplyTo
	case *Decline:
		reply = b.ReplyTo
	case *AwardNotice:
		reply = b.ReplyTo
	}
	if reply == nil {
		return ReplyTo{}, false
	}
	return *reply, true
}

// Market is the market that an intent or a withdrawal names, "" for none and for
// all other records.
func (r *Record) Market() string {
	switch b := r.body.(type) {
	case *Intent:
		return b.Market
	case *Withdrawal:
		return b.Market
	default:
		return ""
	}
}

// ValidUntil is when an intent stops asking, an offer stops being firm or an
// answer to a counter stops being welcome, Unix seconds, 0 for all other
// records.
func (r *Record) ValidUntil() int64 {
	switch b := r.body.(type) {
	case *Intent:
		return b.ValidUntil
	case *Offer:
		return b.ValidUntil
	case *Counter:
		return b.ValidUntil
	default:
		return 0
	}
}

// Links lists what the record links to, in the order of its bytes, each once:
// extensions and fields that aren't known included.
func (r *Record) Links() []cid.Cid { return codec.Links(r.raw) }

// String is the type and the ID.
func (r *Record) String() string { return r.Type() + " " + r.id.String() }
