package store

import (
	"errors"
	"sync"
	"testing"
)

// TestConcurrentCalls lets readers and writers loose on each other; the race
// detector and Verify judge.
func TestConcurrentCalls(t *testing.T) {
	t.Parallel()
	s := memory(t, Quota{Count: 40})
	var wg sync.WaitGroup
	for i := range 4 {
		w := newWorld(t, uint64(i))
		var batches [][]Item
		for range 15 {
			batches = append(batches, w.items(t))
		}
		wg.Go(func() {
			for _, items := range batches {
				if _, err := s.Put(t.Context(), items); err != nil {
					t.Error(err)
				}
				for e, err := range s.Query(t.Context(), Filter{Order: Newest, Limit: 10}) {
					if err != nil {
						t.Error(err)
						continue
					}
					if _, err := s.Get(t.Context(), e.Record.ID()); errors.Is(err, ErrClosed) {
						t.Error(err)
					}
				}
				if _, err := s.Expire(t.Context(), now); err != nil {
					t.Error(err)
				}
				if n := s.Stats().Foreign.Count; n > 40 {
					t.Errorf("%d foreign records", n)
				}
			}
		})
	}
	wg.Wait()
	if err := s.Verify(t.Context()); err != nil {
		t.Error(err)
	}
}
