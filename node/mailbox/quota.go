package mailbox

import (
	"sync"
	"time"

	"github.com/parley-protocol/parley/node/network/limiter"
	"github.com/parley-protocol/parley/protocol"
)

const (
	day = 24 * time.Hour

	// leastOfToken is what the smallest envelope counts for in a token's quota:
	// so many of these are as many as a token may have.
	leastOfToken = protocol.MaxTokenBytes / protocol.MaxTokenEnvelopes

	// scarce is how full a mailbox is when it keeps what is left for those who
	// pick up.
	scarce = 0.75

	shareKeys  = 1 << 15 // depositors, by token, that a share is remembered for
	ownerKeys  = 1 << 16 // tokens that were picked up for
	ownedAtOne = 1024    // such tokens of one address, a day
)

// quotas hold depositors to their share of a token and of the mailbox. What they
// count is forgotten when the node stops; the bounds of the store are not.
type quotas struct {
	ofToken *limiter.Limiter // bytes, by token and address
	held    *limiter.Limiter // bytes, by address
	opened  *limiter.Limiter // tokens, by the address that picks up

	mu     sync.Mutex
	owners map[Token]struct{} // whose keys were seen
}

func newQuotas(l Limits) *quotas {
	return &quotas{
		ofToken: limiter.New(l.TokenShare/day.Seconds(), l.TokenShare, shareKeys),
		held:    limiter.New(l.DepositsPerDay/day.Seconds(), l.DepositsPerDay, rateKeys),
		opened:  limiter.New(ownedAtOne/day.Seconds(), ownedAtOne, rateKeys),
		owners:  make(map[Token]struct{}),
	}
}

// sawOwner notes that somebody at this address has a token's key.
func (q *quotas) sawOwner(token Token, address string, now time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if _, known := q.owners[token]; known {
		return
	}
	if _, ok := q.opened.Take(address, 1, now); !ok {
		return
	}
	if len(q.owners) >= ownerKeys {
		for t := range q.owners { // any of them: it comes back with its next pick-up
			delete(q.owners, t)
			break
		}
	}
	q.owners[token] = struct{}{}
}

func (q *quotas) hasOwner(token Token) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	_, known := q.owners[token]
	return known
}

// take counts an envelope that isn't there yet against its depositor's shares.
func (q *quotas) take(token Token, size int, address string, now time.Time) error {
	if _, ok := q.ofToken.Take(string(token[:])+address, float64(max(size, leastOfToken)), now); !ok {
		return protocol.Errorf(protocol.CodeMailboxFull, "", "one depositor has its share of this token")
	}
	if _, ok := q.held.Take(address, float64(max(size, leastDeposit)), now); !ok {
		return protocol.Errorf(protocol.CodeOverQuota, "", "one depositor has its share of this mailbox")
	}
	return nil
}

// bitsFor is the work that a mailbox asks of a stamp, by how many envelopes the
// token has: none while there are few, and more the less room is left. Where an
// owner is away, that is what a flood of its token costs.
func bitsFor(envelopes int) int {
	const quarter = protocol.MaxTokenEnvelopes / 4
	if envelopes < quarter {
		return 0
	}
	return protocol.MaxDepositStampBits - 6 + 2*min(envelopes/quarter, 3)
}

// afford tells whether a stranger's deposit may be taken in.
func (s *Server) afford(r *request, from origin, now time.Time) error {
	id := IDOf(r.Envelope)
	there := s.store.Bucket(r.Token.bucket())
	for _, info := range there {
		if info.ID == id {
			return nil // it is kept already
		}
	}
	if s.store.Fill() >= scarce && !s.quotas.hasOwner(r.Token) {
		return protocol.Errorf(protocol.CodeOverQuota, "", "the mailbox is nearly full, and nobody has picked up for this token")
	}
	if least := bitsFor(len(there)); stampBits(s.host.ID(), r.Token, id, r.Stamp) < least {
		return &weakStamp{least}
	}
	return s.quotas.take(r.Token, len(r.Envelope), from.address, now)
}

// weakStamp is the refusal that says how much work is asked for.
type weakStamp struct{ bits int }

func (e *weakStamp) Error() string { return e.Unwrap().Error() }

// Unwrap is the error with its code.
func (e *weakStamp) Unwrap() error {
	return protocol.Errorf(protocol.CodeStampTooWeak, "stamp", "%d bits of work are asked for", e.bits)
}
