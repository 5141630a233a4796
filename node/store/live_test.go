package store

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/reconcile"
)

// live is what a market's live set has to be.
func (m *model) live(market string, cutoff int64) (items []reconcile.Item) {
	for _, e := range m.entries {
		h := e.Record.Header()
		ends := min(e.Expires, h.RetainUntil)
		switch e.Record.Type() {
		case protocol.TypeIntent, protocol.TypeWithdrawal, protocol.TypeProfile, protocol.TypeTerms, protocol.TypeWriter:
			if !e.Withdrawn && ends > cutoff && slices.Contains(e.Markets, market) {
				d, _ := digestOf(e.Record.ID())
				items = append(items, reconcile.Item{Time: uint64(ends), ID: d})
			}
		}
	}
	return reconcile.NewSet(items).Items()
}

func compareLive(t *rapid.T, s *Store, m *model, w *world, cutoff int64) {
	for _, market := range worldMarkets {
		if market == "" {
			continue
		}
		want := m.live(market, cutoff)
		set, err := s.Live(t.Context(), market, cutoff)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(set.Items(), want) {
			t.Fatalf("%s after %d: %d live records, want %d", market, cutoff, set.Len(), len(want))
		}
		// What can be had by its ID is just what is in the set.
		for _, r := range w.all {
			d, _ := digestOf(r.ID())
			_, err := s.LiveRecord(t.Context(), market, cutoff, d)
			in := slices.ContainsFunc(want, func(it reconcile.Item) bool { return it.ID == d })
			if in != (err == nil) || err != nil && protocol.CodeOf(err) != protocol.CodeNotFound {
				t.Fatalf("%s, a %s: %v; in the set: %v", market, r.Type(), err, in)
			}
			e := m.entries[idOf(r)]
			has, err := s.HasIn(t.Context(), market, d)
			if want := e != nil && slices.Contains(e.Markets, market); err != nil || has != want {
				t.Fatalf("%s, a %s: held %v, %v; want %v", market, r.Type(), has, err, want)
			}
		}
	}
}

// heard is items in the market that the tests ask for.
func heard(items []Item) []Item {
	for i := range items {
		items[i].Market = "vehicles"
	}
	return items
}

// The set is right whenever it is first asked for while others write.
func TestLiveWhileOthersWrite(t *testing.T) {
	s := memory(t, Quota{})
	m := newMarket(t)
	const writers, each = 4, 60
	var records [writers][]Item
	for i := range records {
		records[i] = heard(m.items(t, each))
	}
	var work sync.WaitGroup
	for _, items := range records {
		work.Go(func() {
			for len(items) > 0 {
				if _, err := s.Put(t.Context(), items[:3]); err != nil {
					t.Error(err)
				}
				items = items[3:]
			}
		})
	}
	for range 20 {
		if _, err := s.Live(t.Context(), "vehicles", 0); err != nil {
			t.Error(err)
		}
	}
	work.Wait()
	want := 0
	for e, err := range s.Query(t.Context(), Filter{Market: "vehicles"}) {
		if err != nil {
			t.Fatal(err)
		}
		if e.Record.Type() == protocol.TypeIntent {
			want++
		}
	}
	set, err := s.Live(t.Context(), "vehicles", 0)
	if err != nil || set.Len() != want || want == 0 {
		t.Errorf("%d live records, %v; want %d", set.Len(), err, want)
	}
}

// TestLiveCost prints what a market's live set costs: PARLEY_LIVE=100000 for a
// long market.
func TestLiveCost(t *testing.T) {
	n := 2000
	if text := os.Getenv("PARLEY_LIVE"); text != "" {
		var err error
		if n, err = strconv.Atoi(text); err != nil {
			t.Fatal(err)
		}
	}
	s, err := Open(t.Context(), t.TempDir(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	m := newMarket(t)
	for left := n; left > 0; left -= 1000 {
		if _, err := s.Put(t.Context(), heard(m.items(t, min(left, 1000)))); err != nil {
			t.Fatal(err)
		}
	}
	var took [3]string
	for i := range took {
		began := time.Now()
		set, err := s.Live(t.Context(), "vehicles", 0)
		if err != nil {
			t.Fatal(err)
		}
		took[i] = fmt.Sprintf("%d records in %.1f ms", set.Len(), float64(time.Since(began).Microseconds())/1000)
		if i == 1 { // the next has something to fold in
			if _, err := s.Put(t.Context(), heard(m.items(t, 10))); err != nil {
				t.Fatal(err)
			}
		}
	}
	t.Logf("the first call: %s; the second: %s; after ten more: %s", took[0], took[1], took[2])
}
