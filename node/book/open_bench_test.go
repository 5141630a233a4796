package book_test

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"testing"

	"github.com/parley-protocol/parley/node/book"
	"github.com/parley-protocol/parley/node/keyring"
	"github.com/parley-protocol/parley/protocol/record/recordtest"
)

// BenchmarkOpen opens a book of ended deals, as it does at every start, and tells
// what one of them takes: time, and memory for as long as the book is open.
// PARLEY_BENCH_DEALS sets how many there are, 2,000 by default.
func BenchmarkOpen(b *testing.B) {
	deals := 2000
	if text := os.Getenv("PARLEY_BENCH_DEALS"); text != "" {
		var err error
		if deals, err = strconv.Atoi(text); err != nil {
			b.Fatal(err)
		}
	}
	m, in := &memory{}, &box{}
	first, err := book.Open(b.Context(), m, in, keysOf(m), func(book.Change) {})
	if err != nil {
		b.Fatal(err)
	}
	vendor := recordtest.NewParty("vendor")
	bytes := 0
	for i := range deals {
		d := recordtest.DealBetween(b, recordtest.NewParty(fmt.Sprint("customer ", i)), vendor)
		own := func(tx *book.Tx) error {
			tx.Sign(d.Intent, keyring.KeyID{1})
			return nil
		}
		more := func(tx *book.Tx) error {
			tx.Keep(d.Offer)
			tx.Sign(d.Acceptance, keyring.KeyID{2})
			tx.Keep(d.Confirmation)
			return nil
		}
		for _, step := range []func(*book.Tx) error{own, more} {
			if err := first.Update(b.Context(), d.Intent.ID(), step); err != nil {
				b.Fatal(err)
			}
		}
		if err := first.Acknowledge(context.Background(), book.Delivery{Record: d.Acceptance.ID(), To: vendor.DID()}); err != nil {
			b.Fatal(err)
		}
		for _, r := range d.Records() {
			bytes += r.Size()
		}
	}
	first = nil
	heap := func() uint64 {
		var s runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&s)
		return s.HeapAlloc
	}
	before, after := heap(), uint64(0)
	for b.Loop() {
		opened, err := book.Open(b.Context(), m, in, keysOf(m), func(book.Change) {})
		if err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		after = heap()
		runtime.KeepAlive(opened)
		b.StartTimer()
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*deals), "µs/deal")
	b.ReportMetric(float64(after-min(before, after))/float64(deals), "B/deal")
	b.ReportMetric(float64(bytes)/float64(deals), "B/deal-of-records")
}
