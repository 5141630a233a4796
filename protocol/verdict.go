package protocol

import "fmt"

// Verdict is what gossip does with a message.
type Verdict uint8

// The verdicts. The zero value is Ignore: a mistake of one's own must never be
// held against the peer that happened to forward a message.
const (
	Ignore Verdict = iota // neither relay nor blame: expired, seen before, over quota, unknown
	Accept                // relay
	Reject                // blame the sender: provably malformed or forged
)

// String is the verdict's word in the registry.
func (v Verdict) String() string {
	switch v {
	case Ignore:
		return "ignore"
	case Accept:
		return "accept"
	case Reject:
		return "reject"
	default:
		return fmt.Sprintf("verdict(%d)", uint8(v))
	}
}

// VerdictOf maps the outcome of checking a message to gossip's verdict, by the
// verdict column of spec/registry/codes.csv. No error is Accept; an error
// whose code isn't registered is Ignore.
func VerdictOf(err error) Verdict {
	if err == nil {
		return Accept
	}
	return codeInfo[CodeOf(err)].Verdict
}
