package gossip

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	pubsub "github.com/libp2p/go-libp2p-pubsub"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	lp2p "github.com/libp2p/go-libp2p/core/protocol"
	"github.com/multiformats/go-multistream"

	parley "github.com/parley-protocol/parley/node/network"
	"github.com/parley-protocol/parley/protocol"
)

// Bounds of asking.
const (
	askSessions = 4               // at once, over all markets
	askTime     = 2 * time.Minute // of one session
	askPages    = 256             // of one session
	askBurst    = 8               // sessions of a market before they are paced
	askTries    = 3               // of one peer before it is left alone until it comes again
	askQueue    = 256             // peers waiting to be asked in one market
)

// asker asks the peers of one market what this node missed: each when it comes
// in, and one of them now and then.
type asker struct {
	g *Gossip
	m *market

	wake chan struct{} // a value: the queue has changed

	mu    sync.Mutex
	queue map[peer.ID]turn
	last  map[peer.ID]time.Time // when those asked lately were asked

	// The rest belongs to run alone.
	budget   int       // sessions that may start without a pause
	refilled time.Time // when the budget last grew
	caughtUp bool      // a session has come to its end
}

// turn is a peer's place in the queue.
type turn struct {
	due   time.Time
	tries int    // sessions with it that failed
	after string // where the last one stopped
	again bool   // the second look, see session
}

func newAsker(g *Gossip, m *market) *asker {
	return &asker{
		g: g, m: m,
		wake:     make(chan struct{}, 1),
		queue:    make(map[peer.ID]turn),
		last:     make(map[peer.ID]time.Time),
		budget:   askBurst,
		refilled: time.Now(),
	}
}

// peer notes that a peer came into the market or left it.
func (a *asker) peer(id peer.ID, joined bool) {
	if joined {
		a.enqueue(id, turn{due: time.Now().Add(a.g.timing.First)})
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.queue, id)
}

// enqueue gives a peer a turn, not sooner than it may be asked again.
func (a *asker) enqueue(id peer.ID, t turn) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, waits := a.queue[id]; waits || len(a.queue) >= askQueue {
		return
	}
	if last, asked := a.last[id]; asked && !t.again {
		t.due = later(t.due, last.Add(a.g.timing.Again))
	}
	a.queue[id] = t
	select {
	case a.wake <- struct{}{}:
	default:
	}
}

// run asks one peer after the other until the market is left.
func (a *asker) run(ctx context.Context) {
	periodic := time.NewTimer(spread(a.g.timing.Periodic))
	defer periodic.Stop()
	next := time.NewTimer(0)
	defer next.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-periodic.C:
			if peers := a.m.topic.ListPeers(); len(peers) > 0 {
				a.enqueue(peers[rand.IntN(len(peers))], turn{due: time.Now()})
			}
			periodic.Reset(spread(a.g.timing.Periodic))
		case <-a.wake:
		case <-next.C:
		}
		for {
			id, turn, wait, ok := a.take(time.Now())
			if !ok {
				next.Reset(wait)
				break
			}
			a.session(ctx, id, turn)
			if ctx.Err() != nil {
				return
			}
		}
	}
}

// take removes the next peer from the queue if its time has come and the
// market's pace allows; if not, it tells how long to wait.
func (a *asker) take(now time.Time) (id peer.ID, t turn, wait time.Duration, ok bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for id, last := range a.last {
		if now.Sub(last) >= a.g.timing.Again {
			delete(a.last, id)
		}
	}
	for candidate, c := range a.queue {
		if id == "" || c.due.Before(t.due) {
			id, t = candidate, c
		}
	}
	if id == "" {
		return "", turn{}, a.g.timing.Periodic, false
	}
	due := t.due
	if !t.again {
		due = later(due, a.paced(now))
	}
	if due.After(now) {
		return "", turn{}, due.Sub(now), false
	}
	if !t.again {
		a.budget--
	}
	delete(a.queue, id)
	a.last[id] = now
	return id, t, 0, true
}

// paced is when the market's next session may start.
func (a *asker) paced(now time.Time) time.Time {
	pace := a.g.timing.Pace
	if n := int(now.Sub(a.refilled) / pace); n > 0 {
		a.budget = min(askBurst, a.budget+n)
		a.refilled = a.refilled.Add(time.Duration(n) * pace)
	}
	if a.budget > 0 {
		return now
	}
	return a.refilled.Add(pace)
}

// session asks one peer for all that it has, or for what is left of it.
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
	settled := a.caughtUp && time.Since(a.m.joined) >= a.g.timing.Settled
	after, err := a.pages(ctx, id, t.after, settled)
	if err == nil {
		a.caughtUp = true
		a.g.tracer.counters.catchupSessions.Add(1)
		if !t.again {
			// What the peer heard after it was asked, and before the two were in
			// each other's mesh, would come on neither way.
			a.enqueue(id, turn{due: time.Now().Add(a.g.timing.Second), after: after, again: true})
		}
		return
	}
	a.g.tracer.counters.catchupFailed.Add(1)
	var unsupported multistream.ErrNotSupported[lp2p.ID]
	if errors.As(err, &unsupported) || errors.Is(err, errForged) {
		return
	}
	// A peer that wants to be asked less often, or was interrupted, goes on
	// where it stopped.
	next := turn{due: time.Now(), tries: t.tries, after: after}
	if t.again {
		return
	}
	if after == t.after {
		next.tries++
	}
	if next.tries < askTries {
		a.enqueue(id, next)
	}
}

// errForged ends the session with a peer that sent what is provably malformed
// or forged.
var errForged = errors.New("gossip: the peer sent a forged frame")

// pages asks for page after page and returns the cursor after the last whole
// one; when all went well, that before the last page.
func (a *asker) pages(ctx context.Context, id peer.ID, after string, settled bool) (string, error) {
	for range askPages {
		p, err := a.g.ask(ctx, id, request{market: a.m.name, after: after, limit: MaxPageFrames})
		if err != nil {
			return after, err
		}
		if p.code != "" {
			return after, protocol.Errorf(p.code, "", "the peer refuses")
		}
		for _, frame := range p.frames {
			if err := a.accept(ctx, id, frame, settled); err != nil {
				return after, err
			}
		}
		if p.next == "" {
			return after, nil
		}
		if p.next == after {
			return after, errors.New("gossip: the peer goes in circles")
		}
		after = p.next
	}
	return after, fmt.Errorf("gossip: more than %d pages", askPages)
}

// accept passes a frame through the same checks as gossip's.
func (a *asker) accept(ctx context.Context, id peer.ID, frame []byte, settled bool) error {
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
		return errForged
	}
	return ctx.Err()
}

// ask sends one request and reads its answer.
func (g *Gossip) ask(ctx context.Context, id peer.ID, r request) (page, error) {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	// Catching up has to work where gossip doesn't: over a relayed connection.
	ctx = network.WithAllowLimitedConn(network.WithNoDial(ctx, ProtocolCatchup), ProtocolCatchup)
	s, err := g.host.NewStream(ctx, id, ProtocolCatchup)
	if err != nil {
		return page{}, err
	}
	// A peer that was killed must not keep those waiting who leave the market.
	defer context.AfterFunc(ctx, func() { s.Reset() })()
	p, err := exchange(s, r)
	if err != nil {
		s.Reset()
		return page{}, err
	}
	s.Close()
	return p, nil
}

func exchange(s network.Stream, r request) (page, error) {
	if err := s.Scope().SetService(catchupService); err != nil {
		return page{}, err
	}
	if err := s.SetDeadline(time.Now().Add(answerTime)); err != nil {
		return page{}, err
	}
	raw, err := r.encode()
	if err != nil {
		return page{}, err
	}
	if err := parley.WriteMessage(s, raw); err != nil {
		return page{}, err
	}
	if err := s.CloseWrite(); err != nil {
		return page{}, err
	}
	reply, release, err := parley.ReadMessage(s, maxAnswer)
	if err != nil {
		return page{}, err
	}
	defer release()
	return decodePage(reply)
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// spread varies a pause by a quarter either way.
func spread(d time.Duration) time.Duration { return d - d/4 + rand.N(d/2+1) }
