// Package reconcile finds the difference of two sets over a wire, in bandwidth
// proportional to the difference and not to the sets, by comparing fingerprints
// of ranges and splitting those that differ.
//
// The bytes are those of version 1 of the Negentropy protocol (Doug Hoyte; based
// on range-based set reconciliation, Aljoscha Meyer, 2021). One side begins and
// learns of the difference; the other only answers, and keeps nothing between
// two messages. What a lying peer can reach is that a difference isn't found or
// that one is claimed which isn't there; the sum in a fingerprint doesn't
// withstand somebody who makes up IDs to that end. So what a session needs for
// its end is bounded by whoever runs it.
package reconcile

import (
	"bytes"
	"slices"

	"github.com/parley-protocol/parley/protocol"
)

// A range of up to twice as many items as buckets is told as a list.
const (
	buckets  = 16
	listMost = 2 * buckets
)

// MinMessageSize is the least bound of messages that can be asked for, in bytes.
const MinMessageSize = 4096

// room is what the last range of a message may need beside its content.
const room = 200

// stalledMost is how many messages may follow one another without the place from
// which on the sets are still unequal having moved. Each one makes the first
// unequal range sixteen times smaller, so that no set in a memory needs as many.
const stalledMost = 16

// Session is the side that begins. It isn't safe for concurrent use.
type Session struct {
	set     *Set
	max     int
	equal   bound // up to here all is settled
	stalled int   // messages since that has moved
}

// NewSession begins with a set; messages of its own have at most max bytes, at
// least [MinMessageSize].
func NewSession(set *Set, max int) *Session {
	return &Session{set: set, max: checked(max)}
}

func checked(max int) int {
	if max < MinMessageSize {
		panic("reconcile: messages too small")
	}
	return max
}

// First is the first message.
func (s *Session) First() []byte {
	e := newEncoder()
	s.set.split(e, s.set.first, len(s.set.items), bound{infinite: true})
	return e.b
}

// Difference is what an answer has told.
type Difference struct {
	Have [][IDSize]byte // only this side has them
	Need [][IDSize]byte // only the other side has them
}

// Next takes the answer to the last message. next is the message that follows,
// nil at the end. Errors: malformed, also for a peer that goes in circles, and
// unsupported_version for an answer of a peer that doesn't speak this version.
func (s *Session) Next(answer []byte) (next []byte, diff Difference, err error) {
	e, err := s.set.respond(answer, s.max, &diff)
	if err != nil || len(e.b) == 1 {
		return nil, diff, err
	}
	settled := decoder{reader: reader{b: e.b[1:]}}
	if first := settled.next(); first.mode != modeSkip || first.until.compare(s.equal) <= 0 {
		if s.stalled++; s.stalled > stalledMost {
			return nil, diff, malformed("the other side goes in circles")
		}
	} else {
		s.equal, s.stalled = first.until, 0
		s.equal.prefix = bytes.Clone(first.until.prefix)
	}
	return e.b, diff, nil
}

// Answer is what the side that didn't begin says to a message, in at most max
// bytes, at least [MinMessageSize]. A message of another version is answered
// with this one's number. Errors: malformed.
func Answer(set *Set, message []byte, max int) ([]byte, error) {
	if len(message) > 0 && message[0]&0xf0 == version&0xf0 && message[0] != version {
		return []byte{version}, nil
	}
	e, err := set.respond(message, checked(max), nil)
	if err != nil {
		return nil, err
	}
	return e.b, nil
}

// respond goes through a message's ranges. With diff it is the side that began:
// it notes the differences of lists instead of answering with its own.
func (s *Set) respond(message []byte, max int, diff *Difference) (*encoder, error) {
	if len(message) == 0 {
		return nil, malformed("an empty message")
	}
	if message[0] != version {
		return nil, protocol.Errorf(protocol.CodeUnsupportedVersion, "", "reconciliation of version %#x", message[0])
	}
	in := decoder{reader: reader{b: message[1:]}}
	out := newEncoder()
	lower, full := s.first, false
	for in.more() {
		r := in.next()
		if in.err != nil || full {
			continue
		}
		upper := s.find(lower, r.until)
		before := *out
		rest := lower // where what isn't answered begins, should the message get too long
		switch {
		case r.mode == modeFingerprint && s.fingerprint(lower, upper) != r.fingerprint:
			s.split(out, lower, upper, r.until)
		case r.mode == modeIDs && diff == nil:
			rest = s.list(out, lower, upper, r.until, max-room)
		case r.mode == modeIDs:
			s.compare(lower, upper, r.ids, diff)
			fallthrough
		default:
			out.skip(r.until)
		}
		if full = len(out.b) > max-room; full {
			if rest == lower {
				*out = before
			}
			out.fingerprint(bound{infinite: true}, s.fingerprint(rest, len(s.items)))
		}
		lower = upper
	}
	return out, in.err
}

// split tells of a range by the fingerprints of its parts, or by its IDs when
// they are few.
func (s *Set) split(e *encoder, lower, upper int, until bound) {
	n := upper - lower
	if n < listMost {
		e.ids(until, s.items[lower:upper])
		return
	}
	size, more := n/buckets, n%buckets
	for i, from := 0, lower; i < buckets; i++ {
		to := from + size
		if i < more {
			to++
		}
		end := until
		if to != upper {
			end = between(s.items[to-1], s.items[to])
		}
		e.fingerprint(end, s.fingerprint(from, to))
		from = to
	}
}

// list tells of a range by its IDs, as far as they fit into size bytes; end is
// the first that didn't.
func (s *Set) list(e *encoder, lower, upper int, until bound, size int) (end int) {
	e.flush()
	if fit := max(1, (size-len(e.b))/IDSize+1); upper-lower > fit {
		upper = lower + fit
		next := s.items[upper]
		until = bound{time: next.Time, prefix: next.ID[:]}
	}
	e.ids(until, s.items[lower:upper])
	return upper
}

// compare notes how a range differs from the other side's list.
func (s *Set) compare(lower, upper int, ids []byte, diff *Difference) {
	theirs := make(map[[IDSize]byte]bool, len(ids)/IDSize)
	for ; len(ids) > 0; ids = ids[IDSize:] {
		theirs[[IDSize]byte(ids)] = true
	}
	for _, it := range s.items[lower:upper] {
		if !theirs[it.ID] {
			diff.Have = append(diff.Have, it.ID)
		}
		delete(theirs, it.ID)
	}
	at := len(diff.Need)
	for id := range theirs {
		diff.Need = append(diff.Need, id)
	}
	slices.SortFunc(diff.Need[at:], func(a, b [IDSize]byte) int { return bytes.Compare(a[:], b[:]) })
}

// Lacks reports whether a message tells that the other side has something which
// this set lacks, or may have: a list with an ID that isn't here, or a fingerprint
// of other items. A message that can't be read tells nothing.
func Lacks(set *Set, message []byte) bool {
	if len(message) == 0 || message[0] != version {
		return false
	}
	in := decoder{reader: reader{b: message[1:]}}
	lower := set.first
	for in.more() {
		r := in.next()
		if in.err != nil {
			return false
		}
		upper := set.find(lower, r.until)
		switch r.mode {
		case modeFingerprint:
			if set.fingerprint(lower, upper) != r.fingerprint {
				return true
			}
		case modeIDs:
			var diff Difference
			if set.compare(lower, upper, r.ids, &diff); len(diff.Need) > 0 {
				return true
			}
		}
		lower = upper
	}
	return false
}
