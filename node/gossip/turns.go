package gossip

import (
	"context"
	"slices"
	"sync"

	"github.com/libp2p/go-libp2p/core/peer"
)

// turns lets frames into Verify, a few at a time. When more comes than can be
// verified, each peer has a line of its own and the lines take turns, so that who
// brings little waits for nobody's flood; when too many wait, the last of the
// longest line goes. What this node says itself comes before all lines, and what it
// has asked for is never sent away.
type turns struct {
	most int // that wait

	mu      sync.Mutex
	free    int
	own     line // of PathOwn
	lines   map[peer.ID]*line
	order   []*line // the next one first; a line is in it once, or nowhere
	waiting int
}

// line is what waits of one peer.
type line struct {
	from    peer.ID
	waiters []*waiter
}

type waiter struct {
	path Path
	turn chan bool // true: go in; false: sent away
}

func newTurns(atOnce, waiting int) *turns {
	return &turns{most: waiting, free: atOnce, lines: make(map[peer.ID]*line)}
}

// take waits for a turn, which [turns.give] gives back. There is none when false is
// returned: too many wait, or ctx has ended.
func (t *turns) take(ctx context.Context, from peer.ID, path Path) bool {
	t.mu.Lock()
	if t.free > 0 {
		t.free--
		t.mu.Unlock()
		return true
	}
	w := &waiter{path: path, turn: make(chan bool, 1)}
	t.join(from, w)
	if t.waiting > t.most {
		t.sendAway()
	}
	t.mu.Unlock()
	select {
	case in := <-w.turn:
		return in
	case <-ctx.Done():
		t.leave(from, w)
		return false
	}
}

// give ends a turn: the next one goes in.
func (t *turns) give() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.next()
}

func (t *turns) next() {
	if t.own.admit() {
		t.waiting--
		return
	}
	for len(t.order) > 0 {
		l := t.order[0]
		t.order = t.order[1:]
		admitted := l.admit()
		if len(l.waiters) > 0 {
			t.order = append(t.order, l)
		} else {
			delete(t.lines, l.from)
		}
		if admitted {
			t.waiting--
			return
		}
	}
	t.free++
}

// admit lets in the first of the line, if there is one.
func (l *line) admit() bool {
	if len(l.waiters) == 0 {
		return false
	}
	w := l.waiters[0]
	l.remove(0)
	w.turn <- true
	return true
}

func (t *turns) lineOf(from peer.ID, path Path) *line {
	if path == PathOwn {
		return &t.own
	}
	l := t.lines[from]
	if l == nil {
		l = &line{from: from}
		t.lines[from] = l
		t.order = append(t.order, l)
	}
	return l
}

func (t *turns) join(from peer.ID, w *waiter) {
	l := t.lineOf(from, w.path)
	l.waiters = append(l.waiters, w)
	t.waiting++
}

// sendAway refuses the last of the longest line of what others brought unasked.
func (t *turns) sendAway() {
	var longest *line
	most, last := 0, 0
	for _, l := range t.order {
		n, at := 0, 0
		for i, w := range l.waiters {
			if w.path != PathCatchup {
				n, at = n+1, i
			}
		}
		if n > most {
			longest, most, last = l, n, at
		}
	}
	if longest != nil {
		w := longest.waiters[last]
		longest.remove(last)
		t.waiting--
		w.turn <- false
	}
}

func (l *line) remove(i int) { l.waiters = slices.Delete(l.waiters, i, i+1) }

// leave takes a waiter out, or passes on the turn that it has got meanwhile.
func (t *turns) leave(from peer.ID, w *waiter) {
	t.mu.Lock()
	defer t.mu.Unlock()
	select {
	case in := <-w.turn:
		if in {
			t.next()
		}
		return
	default:
	}
	l := t.lineOf(from, w.path)
	if i := slices.Index(l.waiters, w); i >= 0 {
		l.remove(i)
		t.waiting--
	}
}
