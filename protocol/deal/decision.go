package deal

import "github.com/parley-protocol/parley/protocol/record"

// Decision is the one record that a side's rules tell it to sign now. The desk
// adds what only it knows (a replyTo), signs with At as the record's time,
// persists, and sends; all that, up to the fsync, in the same step as the look
// at the state.
type Decision struct {
	// Body is what to sign; nil: nothing.
	Body record.Body
	// At is the time to sign with. Decisions about lateness hold for this time
	// only, so a later reading of the clock must not replace it.
	At int64
}

// None reports whether there is nothing to sign.
func (d Decision) None() bool { return d.Body == nil }
