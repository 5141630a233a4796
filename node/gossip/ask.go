package gossip

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/libp2p/go-libp2p/core/peer"
)

// Bounds of asking.
const (
	askSessions = 8               // at once, over all markets
	askLanes    = 3               // of them in one market, so that who is slow holds up nobody
	askTime     = 2 * time.Minute // of one session
	askBurst    = 8               // sessions of a market before they are paced
	askTries    = 3               // of one peer before it is left alone until it comes again
	askQueue    = 256             // peers waiting to be asked in one market
	askLately   = 1 << 13         // records that aren't fetched again so soon, of one market
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
	fails map[peer.ID]int       // sessions with it that failed, of those seen lately
	taken map[ID]bool           // what sessions under way are fetching
	// caughtUp: a session has come to its end.
	caughtUp bool

	// lately has what was fetched and when: what isn't here although it came, as
	// it was refused, is not to come again with every session.
	lately *lru.Cache[ID, time.Time]

	// The rest belongs to run alone.
	budget   int       // sessions that may start without a pause
	refilled time.Time // when the budget last grew
}

// turn is a peer's place in the queue.
type turn struct {
	due   time.Time
	tries int    // sessions with it that failed
	after string // where the last one stopped
	again bool   // the second look, see session
}

func newAsker(g *Gossip, m *market) *asker {
	lately, _ := lru.New[ID, time.Time](askLately) // fails only for a size that isn't positive
	return &asker{
		g: g, m: m,
		wake:     make(chan struct{}, 1),
		queue:    make(map[peer.ID]turn),
		last:     make(map[peer.ID]time.Time),
		fails:    make(map[peer.ID]int),
		taken:    make(map[ID]bool),
		lately:   lately,
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
	waiting, waits := a.queue[id]
	if !waits && len(a.queue) >= askQueue {
		return
	}
	if last, asked := a.last[id]; asked && !t.again {
		t.due = later(t.due, last.Add(a.g.timing.Again))
	}
	if waits && !t.due.Before(waiting.due) {
		return
	}
	a.queue[id] = t
	select {
	case a.wake <- struct{}{}:
	default:
	}
}

// askBack gives a turn to a peer that has shown that it has something, unless it
// was asked lately: sets may differ for good, by what one side refuses.
func (a *asker) askBack(id peer.ID) {
	a.mu.Lock()
	last, asked := a.last[id]
	a.mu.Unlock()
	if now := time.Now(); !asked || now.Sub(last) >= a.g.timing.Periodic {
		a.enqueue(id, turn{due: now.Add(a.g.timing.Second)})
	}
}

// run asks the peers, a few at a time, until the market is left.
func (a *asker) run(ctx context.Context) {
	periodic := time.NewTimer(spread(a.g.timing.Periodic))
	defer periodic.Stop()
	next := time.NewTimer(0)
	defer next.Stop()
	var lanes sync.WaitGroup
	defer lanes.Wait()
	ended := make(chan struct{}, askLanes)
	running := 0
	for {
		select {
		case <-ctx.Done():
			return
		case <-periodic.C:
			if peers := append(a.m.topic.ListPeers(), a.g.limitedPeers()...); len(peers) > 0 {
				a.enqueue(peers[rand.IntN(len(peers))], turn{due: time.Now()})
			}
			periodic.Reset(spread(a.g.timing.Periodic))
		case <-a.wake:
		case <-next.C:
		case <-ended:
			running--
		}
		for running < askLanes {
			id, turn, wait, ok := a.take(time.Now())
			if !ok {
				next.Reset(wait)
				break
			}
			running++
			lanes.Go(func() {
				a.session(ctx, id, turn)
				ended <- struct{}{}
			})
		}
	}
}

// take removes the next peer from the queue if its time has come and the
// market's pace allows; if not, it tells how long to wait. Of those whose time has
// come, who has failed least is the next.
func (a *asker) take(now time.Time) (id peer.ID, t turn, wait time.Duration, ok bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for id, last := range a.last {
		if now.Sub(last) >= a.g.timing.Periodic {
			delete(a.last, id)
			if _, waits := a.queue[id]; !waits {
				delete(a.fails, id)
			}
		}
	}
	for candidate, c := range a.queue {
		if id == "" || a.before(now, candidate, c, id, t) {
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

// before orders two turns.
func (a *asker) before(now time.Time, p peer.ID, pt turn, q peer.ID, qt turn) bool {
	if !pt.due.After(now) && !qt.due.After(now) && a.fails[p] != a.fails[q] {
		return a.fails[p] < a.fails[q]
	}
	return pt.due.Before(qt.due)
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

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// spread varies a pause by a quarter either way.
func spread(d time.Duration) time.Duration { return d - d/4 + rand.N(d/2+1) }
