package desk

import (
	"context"
	"sync"
)

// queue runs functions one after the other, in the order in which they came.
// It has no bound of its own: what adds to it is bounded by what changes the
// book.
type queue struct {
	mu     sync.Mutex
	items  []func(context.Context)
	wake   chan struct{}
	closed bool
}

func newQueue() *queue { return &queue{wake: make(chan struct{}, 1)} }

func (q *queue) add(f func(context.Context)) {
	q.mu.Lock()
	if !q.closed {
		q.items = append(q.items, f)
	}
	q.mu.Unlock()
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed, q.items = true, nil
}

func (q *queue) run(ctx context.Context) {
	for {
		q.mu.Lock()
		var next func(context.Context)
		if len(q.items) > 0 {
			next = q.items[0]
			q.items = q.items[1:]
		}
		q.mu.Unlock()
		if next != nil {
			next(ctx)
			continue
		}
		select {
		case <-ctx.Done():
			return
		case <-q.wake:
		}
	}
}
