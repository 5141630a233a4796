package gossip

import (
	"context"
	"errors"
	"slices"
	"time"

	pubsub "github.com/libp2p/go-libp2p-pubsub"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	lp2p "github.com/libp2p/go-libp2p/core/protocol"
	"github.com/multiformats/go-multistream"

	"github.com/parley-protocol/parley/node/catchup"
	"github.com/parley-protocol/parley/protocol"
)

// refetch is after how long a record that came and isn't here may be asked for
// again.
const refetch = 10 * time.Minute

// outcome is what came of a session.
type outcome struct {
	after    string // the cursor where paging stopped
	progress bool   // it brought something, or got further
	skipped  bool   // another session was fetching what it would have
}

// session asks one peer for what this node lacks.
func (a *asker) session(ctx context.Context, id peer.ID, t turn) {
	select {
	case a.g.sessions <- struct{}{}:
		defer func() { <-a.g.sessions }()
	case <-ctx.Done():
		return
	}
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	// News that comes to a node which knew its market is news to others, such as
	// those on its side of a partition that has just healed. To one that comes
	// in, everything is news, and it keeps that to itself.
	a.mu.Lock()
	settled := a.caughtUp && time.Since(a.m.joined) >= a.g.timing.Settled
	a.mu.Unlock()
	out, err := a.catchUp(ctx, id, t, settled)
	if err == nil {
		a.succeeded(id, t, out)
		return
	}
	a.g.tracer.counters.catchupFailed.Add(1)
	a.mu.Lock()
	if a.fails[id]++; out.progress {
		a.fails[id] = 0
	}
	a.mu.Unlock()
	if final(err) || t.again {
		return
	}
	// A peer that wants to be asked less often, or was interrupted, goes on
	// where it stopped.
	next := turn{due: time.Now(), tries: t.tries + 1, after: out.after}
	if out.progress {
		next.tries = t.tries
	}
	if next.tries < askTries {
		a.enqueue(id, next)
	}
}

func (a *asker) succeeded(id peer.ID, t turn, out outcome) {
	a.mu.Lock()
	a.caughtUp = true
	delete(a.fails, id)
	a.mu.Unlock()
	a.g.tracer.counters.catchupSessions.Add(1)
	switch {
	case !t.again || out.skipped:
		// What the peer heard after it was asked, and before the two were in
		// each other's mesh, would come on neither way.
		a.enqueue(id, turn{due: time.Now().Add(a.g.timing.Second), after: out.after, again: true})
	case a.g.limited(id):
		// Gossip doesn't come that way: this is all there is.
		a.enqueue(id, turn{due: time.Now().Add(a.g.timing.Relayed)})
	}
}

// final reports whether a peer is to be left alone until it comes again.
func final(err error) bool {
	var unsupported multistream.ErrNotSupported[lp2p.ID]
	return errors.As(err, &unsupported) || errors.Is(err, errForged) || errors.Is(err, catchup.ErrLied) ||
		protocol.CodeOf(err) == protocol.CodeWrongMarket || protocol.CodeOf(err) == protocol.CodeClockSkew
}

// errForged ends the session with a peer that sent what is provably malformed
// or forged.
var errForged = errors.New("gossip: the peer sent a forged frame")

// catchUp reconciles with a peer, or asks for all its pages if it doesn't speak
// that.
func (a *asker) catchUp(ctx context.Context, id peer.ID, t turn, settled bool) (outcome, error) {
	s, err := a.g.open(ctx, id, protocol.ProtocolReconcile, ProtocolCatchup)
	if err != nil {
		return outcome{after: t.after}, err
	}
	if s.Protocol() == protocol.ProtocolReconcile {
		return a.reconcile(ctx, s, id, settled)
	}
	s.Reset() // each page has a stream of its own
	after, err := a.pages(ctx, id, t.after, settled)
	return outcome{after: after, progress: after != t.after}, err
}

func (a *asker) reconcile(ctx context.Context, s network.Stream, id peer.ID, settled bool) (out outcome, err error) {
	cutoff := a.g.now().Unix()
	set, err := a.g.catchup.Live(ctx, a.m.name, cutoff)
	if err != nil {
		s.Reset()
		return out, err
	}
	result, err := catchup.Ask(ctx, s, catchup.Asking{
		Market: a.m.name, Cutoff: cutoff, Set: set,
		Claim: func(ctx context.Context, ids []ID) ([]ID, func()) {
			mine, skipped := a.claim(ctx, ids)
			out.skipped = out.skipped || skipped
			return mine, func() { a.release(mine) }
		},
		Take: func(ctx context.Context, frame []byte) (ID, bool, error) {
			return a.accept(ctx, id, frame, settled)
		},
	})
	out.progress = result.New > 0
	a.g.tracer.counters.catchupMissing.Add(uint64(result.Missing))
	return out, err
}

// claim leaves of the IDs those that this node lacks and no other session is
// fetching; skipped tells whether one is.
func (a *asker) claim(ctx context.Context, ids []ID) (mine []ID, skipped bool) {
	ids = slices.DeleteFunc(ids, func(id ID) bool {
		at, came := a.lately.Peek(id)
		return came && time.Since(at) < refetch || a.g.catchup.Noted(ctx, a.m.name, id)
	})
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, id := range ids {
		if a.taken[id] {
			skipped = true
			continue
		}
		a.taken[id] = true
		mine = append(mine, id)
	}
	return mine, skipped
}

func (a *asker) release(ids []ID) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, id := range ids {
		delete(a.taken, id)
	}
}

// accept passes a frame through the same checks as gossip's.
func (a *asker) accept(ctx context.Context, id peer.ID, frame []byte, settled bool) (ID, bool, error) {
	m := &Message{Market: a.m.name, From: id, Path: PathCatchup, Frame: frame}
	verdict := a.g.checkFrame(ctx, m)
	if verdict == protocol.Accept {
		verdict = a.g.verifyFrame(ctx, m)
	}
	switch verdict {
	case protocol.Accept:
		a.g.tracer.counters.catchupReceived.Add(1)
		// What is fresh may have been lost on its way here, with a connection or a
		// node that died, and others may wait for it; those who have it know its
		// hash still.
		if settled || m.Fresh {
			a.m.relayNews(ctx, frame)
		}
	case protocol.Reject:
		a.g.tracer.counters.rejected.Add(1)
		// It fails only when gossip is being closed.
		_ = a.g.pubsub.PeerFeedback(topicOf(a.m.name), id, pubsub.PeerFeedbackInvalidMessage)
		return m.ID, false, errForged
	}
	// What had no turn, or no room, may come again.
	if verdict == protocol.Accept || m.Err != nil && protocol.CodeOf(m.Err) != protocol.CodeOverQuota {
		a.lately.Add(m.ID, time.Now())
	}
	return m.ID, verdict == protocol.Accept, ctx.Err()
}

// open opens a stream for the first of the protocols that the peer speaks.
func (g *Gossip) open(ctx context.Context, id peer.ID, protocols ...lp2p.ID) (network.Stream, error) {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	// Catching up has to work where gossip doesn't: over a relayed connection.
	ctx = network.WithAllowLimitedConn(network.WithNoDial(ctx, "catching up"), "catching up")
	return g.host.NewStream(ctx, id, protocols...)
}
