//go:build unix

package store

import (
	"encoding/binary"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/dgraph-io/badger/v4"

	"github.com/parley-protocol/parley/protocol/record"
	"github.com/parley-protocol/parley/protocol/record/recordtest"
)

// market is a world of many intents of about 600 bytes, each by an author of its own,
// spread over 20 markets and 200 categories.
type market struct {
	rng     *rand.Rand
	reply   record.ReplyTo
	authors []scribbler
	n       int
}

func newMarket(tb testing.TB) *market {
	tb.Helper()
	m := &market{rng: rand.New(rand.NewPCG(1, 2)), reply: recordtest.NewParty("reply").ReplyTo(tb)}
	for i := range 2000 {
		m.authors = append(m.authors, scribbler(recordtest.NewParty(fmt.Sprint("author ", i)).DID()))
	}
	return m
}

func (m *market) intent(tb testing.TB) *record.Record {
	var salt [32]byte
	binary.BigEndian.PutUint64(salt[:], uint64(m.n))
	author := m.authors[m.n%len(m.authors)]
	at := int64(now + m.n)
	m.n++
	r, err := record.Sign(record.Header{At: at, RetainUntil: at + 40*recordtest.Day}, &record.Intent{
		Salt:        salt,
		Market:      fmt.Sprint("market-", m.rng.IntN(20)),
		Name:        "Something that somebody wants",
		Description: words(m.rng, 12),
		Category:    []string{fmt.Sprint("cpv:", 10000000+m.rng.IntN(200))},
		ItemOffered: []record.DemandItem{{Name: words(m.rng, 4)}},
		ValidUntil:  at + 1 + m.rng.Int64N(30*recordtest.Day),
		Terms:       []record.TermsRef{{Roster: "PDC-INTENT"}},
		Awards:      1,
		ReplyTo:     m.reply,
	}, author)
	if err != nil {
		tb.Fatal(err)
	}
	return r
}

func words(rng *rand.Rand, n int) string {
	list := strings.Fields("a bicycle with lights and rack for city used is fine near the station by friday please cheap")
	out := make([]string, n)
	for i := range out {
		out[i] = pick(rng, list)
	}
	return strings.Join(out, " ")
}

func (m *market) items(tb testing.TB, n int) []Item {
	items := make([]Item, n)
	for i := range items {
		items[i] = Item{Record: m.intent(tb), Class: ClassForeign}
	}
	return items
}

// BenchmarkPut puts batches of 1000 intents of about 600 bytes.
func BenchmarkPut(b *testing.B) {
	m := newMarket(b)
	s := open(b, b.TempDir(), Options{})
	defer s.Close()
	bytes := 0
	for b.Loop() {
		b.StopTimer()
		items := m.items(b, 1000)
		bytes += len(items[0].Record.Raw())
		b.StartTimer()
		if _, err := s.Put(b.Context(), items); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(1000*b.N)/b.Elapsed().Seconds(), "records/s")
	b.ReportMetric(float64(bytes/b.N), "B/record")
}

// BenchmarkPutBadger writes the same keys and values with nothing but Badger.
func BenchmarkPutBadger(b *testing.B) {
	m := newMarket(b)
	db, err := badger.Open(Profile(b.TempDir(), Options{}))
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	for b.Loop() {
		b.StopTimer()
		type kv struct{ k, v []byte }
		var kvs []kv
		for _, item := range m.items(b, 1000) {
			d, _ := digestOf(item.Record.ID())
			r := newRow(item.Record, ClassForeign)
			r.addMarkets(item.Record.Market())
			kvs = append(kvs, kv{rowKey(d), r.encode(d, item.Record.Raw())})
			for _, k := range r.keys(d) {
				kvs = append(kvs, kv{k.key, k.value})
			}
		}
		b.StartTimer()
		batch := db.NewWriteBatch()
		for _, kv := range kvs {
			if err := batch.Set(kv.k, kv.v); err != nil {
				b.Fatal(err)
			}
		}
		if err := batch.Flush(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(1000*b.N)/b.Elapsed().Seconds(), "records/s")
}

// BenchmarkRead measures reads of stores of two sizes, and what they take on the disk.
func BenchmarkRead(b *testing.B) {
	for _, size := range []int{10_000, 100_000} {
		b.Run(fmt.Sprint(size), func(b *testing.B) { benchmarkRead(b, size) })
	}
}

func benchmarkRead(b *testing.B, size int) {
	dir := b.TempDir()
	s := open(b, dir, Options{})
	m := newMarket(b)
	var records []*record.Record
	for range size / 1000 {
		items := m.items(b, 1000)
		if _, err := s.Put(b.Context(), items); err != nil {
			b.Fatal(err)
		}
		records = append(records, items[0].Record)
	}
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
	total := diskUse(b, dir)
	b.Run("Open", func(b *testing.B) {
		for b.Loop() {
			open(b, dir, Options{}).Close()
		}
	})
	s = open(b, dir, Options{})
	defer s.Close()
	b.Run("Get", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			if _, err := s.Get(b.Context(), records[i%len(records)].ID()); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(total)/float64(size), "disk-B/record")
		b.ReportMetric(float64(s.Stats().Total().Bytes)/float64(size), "B/record")
	})
	for name, f := range map[string]Filter{
		"newest 50":                        {Order: Newest},
		"newest 50 of a market":            {Order: Newest, Types: []string{"intent"}, Market: "market-3", Live: true, Now: now},
		"newest 50 of market and category": {Order: Newest, Market: "market-3", Category: "cpv:10000007"},
		"newest 50 of an author":           {Order: Newest, Author: records[0].Header().By, Types: []string{"intent"}},
		"50 by expiry of a market":         {Order: ByExpiry, Market: "market-3", Live: true, Now: now + 10*recordtest.Day},
	} {
		b.Run(name, func(b *testing.B) {
			f.Limit = 50
			n := 0
			for b.Loop() {
				n = 0
				for _, err := range s.Query(b.Context(), f) {
					if err != nil {
						b.Fatal(err)
					}
					n++
				}
			}
			b.ReportMetric(float64(n), "results")
		})
	}
}

// cpuTime is the processor time that this process has used.
func cpuTime(tb testing.TB) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// diskUse is what the folder's files take on the disk; most of Badger's files
// are sparse while it is open.
func diskUse(tb testing.TB, dir string) (total int64) {
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		var st syscall.Stat_t
		if err := syscall.Stat(path, &st); err != nil {
			return err
		}
		total += st.Blocks * 512
		return nil
	})
	if err != nil {
		tb.Fatal(err)
	}
	return total
}
