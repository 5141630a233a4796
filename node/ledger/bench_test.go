package ledger

import (
	"bytes"
	"testing"
)

// record is about as long as a deal's records are.
var record = bytes.Repeat([]byte{'r'}, 600)

func benchLedger(b *testing.B) *Ledger {
	b.Helper()
	l, err := Open(b.TempDir(), Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { l.Close() })
	return l
}

func reportSyncs(b *testing.B, l *Ledger) {
	b.ReportMetric(float64(l.Syncs())/float64(b.N), "fsync-rounds/op")
}

func BenchmarkAppend(b *testing.B) {
	l := benchLedger(b)
	for b.Loop() {
		if _, err := l.Append(b.Context(), record); err != nil {
			b.Fatal(err)
		}
	}
	reportSyncs(b, l)
}

func BenchmarkAppendParallel(b *testing.B) {
	l := benchLedger(b)
	b.SetParallelism(32)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := l.Append(b.Context(), record); err != nil {
				b.Error(err)
				return
			}
		}
	})
	reportSyncs(b, l)
}

func BenchmarkOpen100k(b *testing.B) {
	dir := b.TempDir()
	l, err := Open(dir, Options{})
	if err != nil {
		b.Fatal(err)
	}
	batch := make([][]byte, 1000)
	for i := range batch {
		batch[i] = record
	}
	for range 100 {
		if _, err := l.Append(b.Context(), batch...); err != nil {
			b.Fatal(err)
		}
	}
	if err := l.Close(); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		l, err := Open(dir, Options{})
		if err != nil {
			b.Fatal(err)
		}
		l.Close()
	}
}
