package record

import "github.com/parley-protocol/parley/protocol"

// CheckTime holds the record against the clock: now is Unix seconds. It fails
// with the codes not_yet_valid (dated further ahead than clocks differ) and
// expired (past its retainUntil, or an intent past its validUntil). Whether an
// offer is still firm is the deal's question, not this one.
func (r *Record) CheckTime(now int64) error {
	if r.header.At > now+protocol.MaxClockAhead {
		return protocol.Errorf(protocol.CodeNotYetValid, "at", "lies %d seconds ahead", r.header.At-now)
	}
	if now >= r.header.RetainUntil {
		return protocol.Errorf(protocol.CodeExpired, "retainUntil", "has passed")
	}
	if intent, ok := r.body.(*Intent); ok && now >= intent.ValidUntil {
		return protocol.Errorf(protocol.CodeExpired, "validUntil", "has passed")
	}
	return nil
}
