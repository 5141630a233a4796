package book_test

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"testing"

	"github.com/parley-protocol/parley/node/book"
	"github.com/parley-protocol/parley/node/keyring"
	"github.com/parley-protocol/parley/protocol/record/recordtest"
)

// BenchmarkOpen measures what a life of deals costs, each of an intent, an offer,
// an acceptance and a confirmation: how long the start takes for it, and how
// much memory the book holds afterwards. PARLEY_BENCH_DEALS sets how many.
func BenchmarkOpen(b *testing.B) {
	deals := 1000
	if text := os.Getenv("PARLEY_BENCH_DEALS"); text != "" {
		var err error
		if deals, err = strconv.Atoi(text); err != nil {
			b.Fatal(err)
		}
	}
	l, in := &memory{}, &box{}
	full, err := book.Open(b.Context(), l, in, keysOf(l), func(book.Change) {})
	if err != nil {
		b.Fatal(err)
	}
	size := 0
	for i := range deals {
		d := recordtest.NewDeal(b, fmt.Sprint("deal ", i))
		err := full.Update(b.Context(), d.Intent.ID(), func(tx *book.Tx) error {
			tx.Sign(d.Intent, keyring.KeyID{1})
			tx.Keep(d.Offer)
			tx.Sign(d.Acceptance, keyring.KeyID{2})
			tx.Keep(d.Confirmation)
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
		size += d.Intent.Size() + d.Offer.Size() + d.Acceptance.Size() + d.Confirmation.Size()
	}
	full = nil
	var held uint64
	for b.Loop() {
		before := heap()
		opened, err := book.Open(b.Context(), l, in, keysOf(l), func(book.Change) {})
		if err != nil {
			b.Fatal(err)
		}
		held = heap() - before
		if n := len(opened.Deals()); n != deals {
			b.Fatalf("%d deals", n)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*deals), "µs/deal")
	b.ReportMetric(float64(held)/float64(deals), "heap-B/deal")
	b.ReportMetric(float64(size)/float64(deals), "B/deal")
}

// heap is what is in use after a collection.
func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
