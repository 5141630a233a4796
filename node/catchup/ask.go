package catchup

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/libp2p/go-libp2p/core/network"

	parley "github.com/parley-protocol/parley/node/network"
	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/reconcile"
)

// Bounds of a session, on the side that asks.
const (
	answerTime = 30 * time.Second // for one request and its answer
	// A session may take firstTime, and more for what is new: who is slow and brings
	// nothing keeps nobody waiting.
	firstTime  = 10 * time.Second
	perRecord  = 20 * time.Millisecond
	perByte    = time.Second / (16 << 10)
	firstWant  = 64          // IDs that are asked for at once, doubled with each page: a slow link must bring one
	idleRounds = 256         // messages that tell of nothing new
	missing    = 2 * MaxWant // IDs that the peer told of and doesn't give
)

// Asking is one session with one peer.
type Asking struct {
	Market string
	Cutoff int64 // Unix seconds; the set has what is live after it
	Set    *reconcile.Set

	// Claim tells which of the IDs this node lacks and nobody else is fetching just
	// now; they are this session's until release.
	Claim func(ctx context.Context, ids []ID) (mine []ID, release func())
	// Take judges and keeps a frame, and tells which record it is and whether it was
	// new. An error ends the session.
	Take func(ctx context.Context, frame []byte) (id ID, fresh bool, err error)
}

// Result is what came of a session, whole or not.
type Result struct {
	New      int // records that were taken
	Missing  int // records that the peer told of and didn't give
	Messages int // of reconciliation, both ways
}

// ErrLied ends a session with a peer that said what no honest one says.
var ErrLied = errors.New("the peer doesn't keep to the protocol")

// Ask reconciles over a stream that speaks [protocol.ProtocolReconcile]. It has
// ended when ctx does; the stream is closed or reset by then.
func Ask(ctx context.Context, s network.Stream, a Asking) (Result, error) {
	// A peer that was killed must not keep those waiting who want to end this.
	defer context.AfterFunc(ctx, func() { s.Reset() })()
	q := &asking{Asking: a, s: s, ends: time.Now().Add(firstTime), want: firstWant}
	if err := q.run(ctx); err != nil {
		s.Reset()
		return q.Result, err
	}
	s.Close()
	return q.Result, nil
}

// asking is a session under way.
type asking struct {
	Asking
	Result
	s    network.Stream
	ends time.Time
	want int // the size of the next page
}

func (q *asking) run(ctx context.Context) error {
	if err := q.s.Scope().SetService(service); err != nil {
		return err
	}
	session := reconcile.NewSession(q.Set, MaxMessage)
	r := request{market: q.Market, cutoff: q.Cutoff, message: session.First()}
	for idle := 1; ; idle++ {
		if idle > idleRounds {
			return fmt.Errorf("%w: no end after %d messages", ErrLied, q.Messages)
		}
		next, fresh, err := q.round(ctx, session, r)
		if err != nil {
			return err
		}
		if next == nil {
			return nil
		}
		if fresh {
			idle = 0
		}
		r = request{message: next}
	}
}

// round sends a message, takes the answer and fetches what it tells of.
func (q *asking) round(ctx context.Context, session *reconcile.Session, r request) (next []byte, fresh bool, err error) {
	a, err := q.exchange(r)
	if err != nil {
		return nil, false, err
	}
	q.Messages += 2
	if a.message == nil {
		return nil, false, fmt.Errorf("%w: a page instead of a message", ErrLied)
	}
	next, diff, err := session.Next(a.message)
	if err != nil {
		return nil, false, fmt.Errorf("%w: %w", ErrLied, err)
	}
	before := q.New
	mine, release := q.Claim(ctx, diff.Need)
	defer release()
	err = q.fetch(ctx, mine)
	return next, q.New > before, err
}

// fetch gets records by their IDs, page by page.
func (q *asking) fetch(ctx context.Context, ids []ID) error {
	for len(ids) > 0 {
		page := ids[:min(len(ids), q.want)]
		a, err := q.exchange(request{want: page})
		if err != nil {
			return err
		}
		if a.through == 0 || a.through > len(page) {
			return fmt.Errorf("%w: a page about more than was asked for", ErrLied)
		}
		wanted := make(map[ID]bool, a.through)
		for _, id := range ids[:a.through] {
			wanted[id] = true
		}
		for _, frame := range a.frames {
			id, fresh, err := q.Take(ctx, frame)
			if err != nil {
				return err
			}
			if !wanted[id] {
				return fmt.Errorf("%w: a record that nobody asked for", ErrLied)
			}
			delete(wanted, id)
			if fresh {
				q.New++
				q.ends = q.ends.Add(perRecord + time.Duration(len(frame))*perByte)
			}
		}
		if q.Missing += len(wanted); q.Missing > missing {
			return fmt.Errorf("%w: it told of %d records that it doesn't give", ErrLied, q.Missing)
		}
		ids = ids[a.through:]
		q.want = min(MaxWant, 2*q.want)
	}
	return nil
}

// exchange sends a request and reads its answer.
func (q *asking) exchange(r request) (answer, error) {
	now := time.Now()
	if !now.Before(q.ends) {
		return answer{}, protocol.Errorf(protocol.CodeTimeout, "", "the session takes too long")
	}
	deadline := now.Add(answerTime)
	if deadline.After(q.ends) {
		deadline = q.ends
	}
	if err := q.s.SetDeadline(deadline); err != nil {
		return answer{}, err
	}
	raw, err := r.encode()
	if err != nil {
		return answer{}, err
	}
	if err := parley.WriteMessage(q.s, raw); err != nil {
		return answer{}, err
	}
	reply, release, err := parley.ReadMessage(q.s, maxAnswer)
	if err != nil {
		return answer{}, err
	}
	defer release()
	a, err := decodeAnswer(reply)
	if err != nil {
		return answer{}, fmt.Errorf("%w: %w", ErrLied, err)
	}
	if a.code != "" {
		return answer{}, protocol.Errorf(a.code, "", "the peer refuses")
	}
	return a, nil
}
