//go:build unix

package store

import (
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/parley-protocol/parley/protocol/record"
	"github.com/parley-protocol/parley/protocol/record/recordtest"
)

// BenchmarkLookup measures every list that the API makes of the view, first page
// and a page from the middle, and looking up by ID and by the beginning of one:
// the median and the 99th percentile of single calls, and the processor time of one,
// which says more on a machine that others use too. PARLEY_BENCH_SIZES sets how
// many records the view has, one run each: "10000 100000 1000000".
func BenchmarkLookup(b *testing.B) {
	sizes := os.Getenv("PARLEY_BENCH_SIZES")
	if sizes == "" {
		sizes = "10000"
	}
	for _, text := range strings.Fields(sizes) {
		size, err := strconv.Atoi(text)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(text, func(b *testing.B) { benchmarkLookup(b, size) })
	}
}

func benchmarkLookup(b *testing.B, size int) {
	dir := b.TempDir()
	s := open(b, dir, Options{})
	m := newMarket(b)
	var some []*record.Record
	const batch = 5000
	began := time.Now()
	for put := 0; put < size; put += batch {
		items := m.items(b, min(size-put, batch))
		if _, err := s.Put(b.Context(), items); err != nil {
			b.Fatal(err)
		}
		some = append(some, items[0].Record, items[len(items)/2].Record)
	}
	// A node that has been running for a while: closed, opened, compacted.
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
	b.Logf("%d records were made and put in %s", size, time.Since(began).Round(time.Second))
	total := diskUse(b, dir)
	s = open(b, dir, Options{})
	defer s.Close()

	calls := func(b *testing.B, do func(i int) int) {
		b.Helper()
		var took []time.Duration
		n, used := 0, cpuTime(b)
		for i := 0; b.Loop(); i++ {
			began := time.Now()
			n = do(i)
			took = append(took, time.Since(began))
		}
		b.ReportMetric(float64((cpuTime(b)-used).Microseconds())/float64(len(took)), "cpu-µs")
		slices.Sort(took)
		b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
		b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
		b.ReportMetric(float64(n), "results")
	}
	list := func(b *testing.B, f Filter) (n int, last string) {
		b.Helper()
		for e, err := range s.Query(b.Context(), f) {
			if err != nil {
				b.Fatal(err)
			}
			n++
			last = e.Cursor()
		}
		return n, last
	}
	b.Run("get", func(b *testing.B) {
		calls(b, func(i int) int {
			if _, err := s.Get(b.Context(), some[i%len(some)].ID()); err != nil {
				b.Fatal(err)
			}
			return 1
		})
		b.ReportMetric(float64(total)/float64(size), "disk-B/record")
		b.ReportMetric(float64(s.Stats().Total().Bytes)/float64(size), "B/record")
	})
	b.Run("beginning of an ID", func(b *testing.B) {
		calls(b, func(i int) int {
			if _, err := s.Resolve(b.Context(), some[i%len(some)].ID().String()[:19]); err != nil {
				b.Fatal(err)
			}
			return 1
		})
	})
	intents := []string{"intent"}
	for _, l := range []struct {
		name string
		f    Filter
	}{
		{"all", Filter{Order: Newest}},
		{"intents", Filter{Order: Newest, Types: intents, Live: true, Now: now}},
		{"own intents", Filter{Order: Newest, Types: intents, Classes: []Class{ClassOwn}}},
		{"a market", Filter{Order: Newest, Types: intents, Market: "market-3", Live: true, Now: now}},
		{"a category", Filter{Order: Newest, Types: intents, Category: "cpv:10000007", Live: true, Now: now}},
		{"market and category", Filter{Order: Newest, Types: intents, Market: "market-3", Category: "cpv:10000007", Live: true, Now: now}},
		{"a market with nothing in it", Filter{Order: Newest, Types: intents, Market: "market-none"}},
		{"profile of an author", Filter{Order: Newest, Types: []string{"profile"}, Author: some[0].Header().By}},
		{"an author", Filter{Order: Newest, Author: some[0].Header().By}},
		{"catching up", Filter{Types: gossiped, Market: "market-3", Live: true, Now: now}},
		{"a market by expiry", Filter{Order: ByExpiry, Market: "market-3", Live: true, Now: now + 10*recordtest.Day}},
		{"what cites a record", Filter{Order: Newest, Cites: some[0].ID()}},
	} {
		l.f.Limit = 50
		b.Run(l.name, func(b *testing.B) {
			calls(b, func(int) int {
				n, _ := list(b, l.f)
				return n
			})
		})
	}
	b.Run("a market, a page from the middle", func(b *testing.B) {
		f := Filter{Order: Newest, Types: intents, Market: "market-3", Live: true, Now: now, Limit: 50}
		var pages []string
		for n, last := list(b, f); n == 50 && len(pages) < 40; n, last = list(b, f) {
			pages = append(pages, last)
			f.Cursor = last
		}
		calls(b, func(i int) int {
			f.Cursor = pages[i%len(pages)]
			n, _ := list(b, f)
			return n
		})
	})
}

// gossiped are the types that a peer is told of which catches up.
var gossiped = []string{"intent", "profile", "withdrawal"}
