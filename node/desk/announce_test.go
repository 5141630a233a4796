package desk

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/parley-protocol/parley/protocol/record"
)

// empty is a market with nobody in it until it is opened.
type empty struct {
	Gossip
	open chan struct{}

	mu        sync.Mutex
	now, most int // calls of Whisper that wait
	names     []string
	published chan struct{}
}

func (e *empty) Whisper(ctx context.Context, _ string, _ func() bool, frames ...[]byte) error {
	block, _, err := record.DecodeFrame(frames[0])
	if err != nil {
		return err
	}
	rec, err := record.Parse(block)
	if err != nil {
		return err
	}
	e.mu.Lock()
	e.now++
	e.most = max(e.most, e.now)
	e.mu.Unlock()
	select {
	case <-e.open:
	case <-ctx.Done():
	}
	e.mu.Lock()
	e.now--
	e.names = append(e.names, rec.Body().(*record.Intent).Name)
	e.mu.Unlock()
	e.published <- struct{}{}
	return ctx.Err()
}

// However many own requests wait for somebody to come into the market, one
// goroutine waits with them; then they all go out, the newest first.
func TestAnnouncementsWaitInOneLine(t *testing.T) {
	w := newWorld(t)
	s := w.node("customer")
	const n = 20
	e := &empty{Gossip: s.Desk.gossip, open: make(chan struct{}), published: make(chan struct{}, n)}
	s.Desk.gossip = e
	names := "abcdefghijklmnopqrst"
	for i := range n {
		ask := IntentRequest{Intent: record.Intent{
			Market: market, Name: names[i : i+1], Category: []string{"cpv:39112000"},
			ItemOffered: []record.DemandItem{{Name: "Chair"}}, ValidUntil: w.now().Add(time.Hour).Unix(),
		}}
		if _, err := s.PublishIntent(t.Context(), ask); err != nil {
			t.Fatal(err)
		}
	}
	close(e.open)
	for range n {
		select {
		case <-e.published:
		case <-time.After(time.Minute):
			t.Fatal("not all go out")
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.most != 1 {
		t.Errorf("%d wait at once", e.most)
	}
	// The one that waited in front may be any; behind it they go backwards.
	for i := 2; i < n; i++ {
		if e.names[i] > e.names[i-1] {
			t.Errorf("the order is %v", e.names)
			break
		}
	}
}
