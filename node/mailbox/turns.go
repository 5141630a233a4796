package mailbox

import (
	"context"
	"sync"
	"time"
)

// turns lets a bounded number of receivers poll at once. While others wait, the
// poll that has had its time first ends early and makes room, so that a new
// receiver never waits for the end of a long one.
type turns struct {
	most int

	mu    sync.Mutex
	polls map[*poll]struct{}
	room  chan struct{} // closed and replaced when a poll has ended
}

type poll struct {
	began time.Time
	end   context.CancelFunc
}

func newTurns(most int) *turns {
	return &turns{most: most, polls: make(map[*poll]struct{}), room: make(chan struct{})}
}

// take waits for a turn. The poll is to be done under the context that it
// returns, which ends when others want the turn; done gives it back.
func (t *turns) take(ctx context.Context) (turn context.Context, done func(), err error) {
	for {
		t.mu.Lock()
		if len(t.polls) < t.most {
			turn, end := context.WithCancel(ctx)
			p := &poll{began: time.Now(), end: end}
			t.polls[p] = struct{}{}
			t.mu.Unlock()
			return turn, func() { t.leave(p) }, nil
		}
		oldest, room := t.oldest(), t.room
		t.mu.Unlock()
		timer := time.NewTimer(time.Until(oldest.began.Add(pollShort)))
		select {
		case <-room:
		case <-timer.C:
			oldest.end()
			select {
			case <-room:
			case <-ctx.Done():
			}
		case <-ctx.Done():
		}
		timer.Stop()
		if ctx.Err() != nil {
			return nil, nil, ctx.Err()
		}
	}
}

// oldest is the poll that began first. t.mu is held and there is one.
func (t *turns) oldest() (first *poll) {
	for p := range t.polls {
		if first == nil || p.began.Before(first.began) {
			first = p
		}
	}
	return first
}

func (t *turns) leave(p *poll) {
	p.end()
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.polls, p)
	close(t.room)
	t.room = make(chan struct{})
}
