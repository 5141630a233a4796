package store

import (
	"bytes"
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"

	"pgregory.net/rapid"

	"github.com/parley-protocol/parley/protocol/record"
	"github.com/parley-protocol/parley/spec/vectors/fuzzing"
)

// TestAgainstModel drives random sequences of calls, with restarts, crashes,
// compaction and rebuilds, and compares all that can be seen with a plain map.
// PARLEY_SEQUENCES says how many there are; 100 is the usual, 10000 the soak. One
// in forty is on the disk.
//
//spec:shows NET-28
func TestAgainstModel(t *testing.T) {
	t.Parallel()
	sequences := 100
	switch text := os.Getenv("PARLEY_SEQUENCES"); {
	case text != "":
		var err error
		if sequences, err = strconv.Atoi(text); err != nil {
			t.Fatal(err)
		}
	case os.Getenv("PARLEY_SOAK") == "1":
		sequences = 10_000
	case testing.Short():
		sequences = 40
	}
	done, steps := 0, map[string]int{}
	for done < sequences { // rapid.Check makes a hundred
		rapid.Check(t, func(r *rapid.T) {
			done++
			sequence(t, r, steps)
		})
		if t.Failed() {
			return
		}
	}
	t.Logf("%d sequences: %v", done, steps)
}

// sequence is one of them: steps counts what was done.
func sequence(t *testing.T, r *rapid.T, steps map[string]int) {
	ctx := t.Context()
	w := newWorld(t, rapid.Uint64().Draw(r, "seed of the world"))
	var quota Quota
	if rapid.Bool().Draw(r, "has a quota") {
		quota = Quota{Count: rapid.IntRange(0, 60).Draw(r, "count"), Bytes: rapid.Int64Range(0, 40_000).Draw(r, "bytes")}
	}
	opts := Options{Quota: quota}
	dir := ""
	if opts.InMemory = rapid.IntRange(1, 40).Draw(r, "on disk") != 40; !opts.InMemory {
		var err error
		if dir, err = os.MkdirTemp("", "parley-store"); err != nil {
			t.Fatal(err)
		}
		defer func() { os.RemoveAll(dir) }()
	}
	s := open(t, dir, opts)
	defer func() { s.Close() }()
	m := newModel(quota)
	onDisk := func(r *rapid.T, name string) {
		if opts.InMemory {
			r.Skip()
		}
		steps[name]++
	}
	// refill opens an empty folder and puts what the ledger has, as the desk does,
	// and what markets bring again.
	refill := func(r *rapid.T) {
		s = open(t, dir, opts)
		var items []Item
		for _, class := range []Class{ClassOwn, ClassDeal, ClassForeign} {
			for _, id := range m.sorted() {
				if e := m.entries[id]; e.Class == class {
					items = append(items, Item{Record: e.Record, Class: e.Class})
					for _, market := range e.Markets {
						items = append(items, Item{Record: e.Record, Class: e.Class, Market: market})
					}
				}
			}
		}
		if _, err := s.Put(ctx, items); err != nil {
			r.Fatal(err)
		}
		m = newModel(quota)
		m.put(items)
	}
	r.Repeat(map[string]func(*rapid.T){
		"put": func(r *rapid.T) {
			items := w.items(t)
			if _, err := s.Put(ctx, items); err != nil {
				r.Fatal(err)
			}
			m.put(items)
			steps["put"]++
		},
		"delete": func(r *rapid.T) {
			if len(w.all) == 0 {
				r.Skip()
			}
			rec := pick(w.rng, w.all)
			n, err := s.Delete(ctx, rec.ID())
			if err != nil || n != 0 != (m.entries[idOf(rec)] != nil) {
				r.Fatalf("deleted %d, %v", n, err)
			}
			delete(m.entries, idOf(rec))
			steps["delete"]++
		},
		"expire": func(r *rapid.T) {
			at := now + int64(rapid.IntRange(-40, 40).Draw(r, "when"))
			n, err := s.Expire(ctx, at)
			if want := m.expire(at); err != nil || n != want {
				r.Fatalf("expired %d, %v; want %d", n, err, want)
			}
			steps["expire"]++
		},
		"query": func(r *rapid.T) {
			if len(w.all) == 0 {
				r.Skip()
			}
			compareQuery(t, s, m, w)
			steps["query"]++
		},
		"live": func(r *rapid.T) {
			compareLive(r, s, m, w, now+int64(rapid.IntRange(-40, 40).Draw(r, "cutoff")))
			steps["live"]++
		},
		"restart": func(r *rapid.T) {
			onDisk(r, "restart")
			if err := s.Close(); err != nil {
				r.Fatal(err)
			}
			if s = open(t, dir, opts); !s.Clean() {
				r.Fatal("a closed folder isn't clean")
			}
		},
		"crash": func(r *rapid.T) {
			onDisk(r, "crash")
			// What a killed process leaves is a copy made while it runs.
			left, err := "", fs.ErrNotExist
			for errors.Is(err, fs.ErrNotExist) { // a file that Badger has just removed
				os.RemoveAll(left)
				if left, err = os.MkdirTemp("", "parley-store"); err == nil {
					err = os.CopyFS(left, os.DirFS(dir))
				}
			}
			if err != nil {
				r.Fatal(err)
			}
			if err := errors.Join(s.Close(), os.RemoveAll(dir)); err != nil {
				r.Fatal(err)
			}
			dir = left
			if s, err = Open(ctx, dir, opts); err == nil {
				if s.Clean() {
					r.Fatal("a folder that wasn't closed is clean")
				}
				return
			}
			// The copy isn't of one moment: a table may have been merged meanwhile.
			wantRebuild(t, err, FolderDamaged)
			if err := Drop(dir); err != nil {
				r.Fatal(err)
			}
			refill(r)
		},
		"compact": func(r *rapid.T) {
			onDisk(r, "compact")
			if err := s.db.Flatten(1); err != nil {
				r.Fatal(err)
			}
		},
		"rebuild": func(r *rapid.T) {
			onDisk(r, "rebuild")
			if err := errors.Join(s.Close(), Drop(dir)); err != nil {
				r.Fatal(err)
			}
			refill(r)
		},
		"": func(r *rapid.T) {
			if got, want := s.Stats(), m.stats(); got != want {
				r.Fatalf("stats are %+v, want %+v", got, want)
			}
		},
	})
	compareAll(t, s, m)
	for range 5 {
		if len(w.all) > 0 {
			compareQuery(t, s, m, w)
		}
	}
	checkKeys(t, s)
}

func open(tb testing.TB, dir string, opts Options) *Store {
	tb.Helper()
	s, err := Open(tb.Context(), dir, opts)
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

// items are new records and such as were put before, in random classes.
func (w *world) items(tb testing.TB) (items []Item) {
	for range 1 + w.rng.IntN(12) {
		var r *record.Record
		if len(w.all) == 0 || w.rng.IntN(4) > 0 {
			r = w.record(tb)
		} else {
			r = pick(w.rng, w.all)
		}
		item := Item{Record: r, Class: ClassForeign}
		if n := w.rng.IntN(8); n < 2 {
			item.Class += Class(n + 1)
		}
		if w.rng.IntN(4) == 0 {
			item.Market = pick(w.rng, []string{"vehicles", "elsewhere"})
		}
		items = append(items, item)
	}
	w.rng.Shuffle(len(items), func(i, j int) { items[i], items[j] = items[j], items[i] })
	return items
}

func compareAll(t *testing.T, s *Store, m *model) {
	t.Helper()
	var got []string
	for e, err := range s.All(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		want := m.entries[idOf(e.Record)]
		if want == nil {
			t.Fatalf("%s should be gone", e.Record)
		}
		compareEntry(t, e, *want)
		got = append(got, idOf(e.Record))
	}
	if !slices.Equal(got, m.sorted()) {
		t.Fatalf("%d records, want %d, or not in the order of their IDs", len(got), len(m.entries))
	}
}

func compareEntry(t *testing.T, got, want Entry) {
	t.Helper()
	if !bytes.Equal(got.Record.Raw(), want.Record.Raw()) {
		t.Fatalf("wrong bytes for %s", want.Record)
	}
	if got.Class != want.Class || got.Withdrawn != want.Withdrawn || got.Expires != want.Expires || !slices.Equal(got.Markets, want.Markets) {
		t.Fatalf("%s: is %v %v %d %q, want %v %v %d %q", want.Record, got.Class, got.Withdrawn, got.Expires, got.Markets,
			want.Class, want.Withdrawn, want.Expires, want.Markets)
	}
}

// compareQuery compares a random query, whole and in pages.
func compareQuery(t *testing.T, s *Store, m *model, w *world) {
	t.Helper()
	f := w.filter()
	want := m.query(f)
	compareList(t, s, f, want)
	f.Limit = 1 + w.rng.IntN(5)
	for {
		page := want[:min(f.Limit, len(want))]
		last := compareList(t, s, f, page)
		if len(page) == 0 {
			return
		}
		want, f.Cursor = want[len(page):], last
	}
}

func compareList(t *testing.T, s *Store, f Filter, want []Entry) (last string) {
	t.Helper()
	n := 0
	for e, err := range s.Query(t.Context(), f) {
		if err != nil {
			t.Fatal(err)
		}
		if n == len(want) {
			t.Fatalf("more than the %d results wanted of %+v", len(want), f)
		}
		if e.Record.ID() != want[n].Record.ID() {
			t.Fatalf("result %d of %+v is wrong", n, f)
		}
		compareEntry(t, e, want[n])
		last = e.Cursor()
		n++
	}
	if n != len(want) {
		t.Fatalf("%d results, want %d of %+v", n, len(want), f)
	}
	return last
}

// checkKeys checks that every key belongs to a row and every row has its keys.
func checkKeys(t *testing.T, s *Store) {
	t.Helper()
	want := map[string]bool{}
	for e, err := range s.All(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		d, _ := digestOf(e.Record.ID())
		txn := s.db.NewTransaction(false)
		r, raw, err := readRow(txn, d)
		txn.Discard()
		if err != nil {
			t.Fatal(err)
		}
		for _, k := range r.keys(d) {
			want[string(k.key)] = true
		}
		want[string(rowKey(d))] = true
		if tomb := tombstoneOf(d, &r, raw); tomb != nil {
			want[string(tomb)] = true
		}
	}
	txn := s.db.NewTransaction(false)
	defer txn.Discard()
	it := txn.NewIterator(keysOnly(nil, false))
	defer it.Close()
	n := 0
	for it.Rewind(); it.Valid(); it.Next() {
		key := it.Item().Key()
		if key[0] == kindStats || key[0] == kindMeta {
			continue
		}
		if !want[string(key)] {
			t.Fatalf("key %q is left over", key)
		}
		n++
	}
	if n != len(want) {
		t.Fatalf("%d keys, want %d", n, len(want))
	}
}

// FuzzQuery compares queries with a naive filter for worlds and filters that
// the fuzzer chooses by their seeds.
func FuzzQuery(f *testing.F) {
	f.Add(uint64(1), uint64(2))
	f.Add(uint64(3), uint64(500))
	type fixture struct {
		s *Store
		m *model
		w *world
	}
	fixtures := map[uint64]fixture{}
	f.Fuzz(func(t *testing.T, seed, filters uint64) {
		seed %= 4
		fx, ok := fixtures[seed]
		if !ok {
			w := newWorld(t, seed)
			fx = fixture{s: open(t, "", Options{InMemory: true}), m: newModel(Quota{}), w: w}
			for range 40 {
				items := w.items(t)
				if _, err := fx.s.Put(t.Context(), items); err != nil {
					t.Fatal(err)
				}
				fx.m.put(items)
			}
			fixtures[seed] = fx
		}
		fx.w.rng = rand.New(rand.NewPCG(seed, filters))
		compareQuery(t, fx.s, fx.m, fx.w)
	})
	for _, fx := range fixtures {
		fx.s.Close()
	}
}

// FuzzDecodeRow checks that no value makes the row decoder panic, and that what
// it takes it writes again.
func FuzzDecodeRow(f *testing.F) {
	w := newWorld(f, 1)
	for range 20 {
		r := w.record(f)
		d, _ := digestOf(r.ID())
		row := newRow(r, ClassForeign)
		row.addMarkets(marketsOf(r)...)
		f.Add(d[:], row.encode(d, r.Raw()))
	}
	f.Fuzz(func(t *testing.T, id, value []byte) {
		if len(id) != digestLen {
			return
		}
		var r row
		var raw []byte
		var err error
		fuzzing.Bounded(t, len(value), func() { r, raw, err = decodeRow(digest(id), value) })
		if err == nil && !bytes.Equal(r.encode(digest(id), raw), value) {
			t.Fatal("doesn't come out as it went in")
		}
	})
}
