package reconcile

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/parley-protocol/parley/protocol"
)

func id(seed string, i int) [IDSize]byte { return sha256.Sum256(fmt.Appendf(nil, "%s/%d", seed, i)) }

// tester is a test of either kind.
type tester interface {
	Helper()
	Fatal(...any)
	Fatalf(string, ...any)
}

// run reconciles until the end and returns what the side of a has learnt, the
// bytes both ways, and the round trips.
func run(t tester, a, b *Set, max int) (diff Difference, size, rounds int) {
	t.Helper()
	s := NewSession(a, max)
	for msg := s.First(); msg != nil; rounds++ {
		answer, err := Answer(b, msg, max)
		if err != nil {
			t.Fatal(err)
		}
		size += len(msg) + len(answer)
		if len(answer) > max || rounds > 0 && len(msg) > max {
			t.Fatalf("messages of %d and %d bytes, at most %d are allowed", len(msg), len(answer), max)
		}
		next, d, err := s.Next(answer)
		if err != nil {
			t.Fatal(err)
		}
		diff.Have = append(diff.Have, d.Have...)
		diff.Need = append(diff.Need, d.Need...)
		if msg = next; rounds > 10_000 {
			t.Fatal("no end")
		}
	}
	return diff, size, rounds
}

func sorted(ids [][IDSize]byte) [][IDSize]byte {
	slices.SortFunc(ids, func(a, b [IDSize]byte) int { return bytes.Compare(a[:], b[:]) })
	return ids
}

// TestDifference: two sets of any kind, in messages of any size.
func TestDifference(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		n := rapid.SampledFrom([]int{0, 1, 31, 32, 33, 500, 5000}).Draw(t, "items")
		times := rapid.SampledFrom([]uint64{1, 2, 50, 1 << 40}).Draw(t, "times")
		differ := rapid.SampledFrom([]int{0, 1, 10, 50, 100}).Draw(t, "percent")
		size := rapid.SampledFrom([]int{MinMessageSize, 10_000, 1 << 30}).Draw(t, "size")
		var as, bs []Item
		var want Difference
		for i := range n {
			it := Item{Time: rng.Uint64N(times), ID: id("item", i)}
			if rng.IntN(4) == 0 && i > 0 {
				it.ID = id("item", i-1)
				it.ID[rng.IntN(IDSize)]++ // near another
			}
			inA, inB := true, true
			if rng.IntN(100) < differ {
				inA = rng.IntN(2) == 0
				inB = !inA
			}
			if inA {
				as = append(as, it)
			}
			if inB {
				bs = append(bs, it)
			}
			switch {
			case inA && !inB:
				want.Have = append(want.Have, it.ID)
			case inB && !inA:
				want.Need = append(want.Need, it.ID)
			}
		}
		a, b := NewSet(as), NewSet(bs)
		got, _, _ := run(t, a, b, size)
		for _, c := range []struct {
			what      string
			got, want [][IDSize]byte
		}{{"have", got.Have, want.Have}, {"need", got.Need, want.Need}} {
			// A difference that a too long message cut off may be told again.
			if !slices.Equal(slices.Compact(sorted(c.got)), sorted(c.want)) {
				t.Fatalf("%s: %d IDs, want %d", c.what, len(c.got), len(c.want))
			}
		}
	})
}

// TestBandwidth: ten differences among 100,000 records take at most 64 KiB.
func TestBandwidth(t *testing.T) {
	n := 100_000
	if testing.Short() {
		n = 20_000
	}
	var as, bs []Item
	for i := range n {
		it := Item{Time: 1_800_000_000 + uint64(i%86_400), ID: id("wide", i)}
		if i%(n/5) != 7 {
			as = append(as, it)
		}
		if i%(n/5) != 1234 {
			bs = append(bs, it)
		}
	}
	diff, size, rounds := run(t, NewSet(as), NewSet(bs), 64<<10)
	t.Logf("%d items, %d differences: %d bytes both ways, %d round trips", n, len(diff.Have)+len(diff.Need), size, rounds)
	if len(diff.Have) != 5 || len(diff.Need) != 5 {
		t.Errorf("found %d and %d, want 5 and 5", len(diff.Have), len(diff.Need))
	}
	if size > 64<<10 {
		t.Errorf("%d bytes", size)
	}
}

// TestOtherImplementation: the messages of nostr-tools (testdata/nostr-tools.mjs).
func TestOtherImplementation(t *testing.T) {
	data, err := os.ReadFile("testdata/nostr-tools.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Seed                string
		N, Step, A, B       int
		First, Answer, Next string
		Have, Need          []string
	}
	if err := json.Unmarshal(data, &cases); err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		t.Run(c.Seed, func(t *testing.T) {
			set := func(skip func(int) bool) *Set {
				var items []Item
				for i := range c.N {
					if !skip(i) {
						items = append(items, Item{Time: 1_700_000_000 + uint64(i/c.Step), ID: id(c.Seed, i)})
					}
				}
				return NewSet(items)
			}
			a := set(func(i int) bool { return i%c.A == 3 })
			b := set(func(i int) bool { return i%c.B == 0 })
			s := NewSession(a, 1<<30)
			first := s.First()
			if got := hex.EncodeToString(first); got != c.First {
				t.Fatalf("first message\n%s, want\n%s", got, c.First)
			}
			if c.Answer == "" {
				return
			}
			answer, err := Answer(b, first, 1<<30)
			if err != nil {
				t.Fatal(err)
			}
			if got := hex.EncodeToString(answer); got != c.Answer {
				t.Fatalf("answer\n%s, want\n%s", got, c.Answer)
			}
			next, diff, err := s.Next(answer)
			if err != nil {
				t.Fatal(err)
			}
			if got := hex.EncodeToString(next); got != c.Next {
				t.Errorf("next message\n%s, want\n%s", got, c.Next)
			}
			for _, d := range []struct {
				got  [][IDSize]byte
				want []string
			}{{diff.Have, c.Have}, {diff.Need, c.Need}} {
				var got []string
				for _, id := range sorted(d.got) {
					got = append(got, hex.EncodeToString(id[:]))
				}
				if !slices.Equal(got, d.want) {
					t.Errorf("difference %v, want %v", got, d.want)
				}
			}
		})
	}
}

func TestMalformed(t *testing.T) {
	for name, c := range map[string]struct {
		message []byte
		code    protocol.Code
	}{
		"empty":               {nil, protocol.CodeMalformed},
		"not a version":       {[]byte{0x10}, protocol.CodeUnsupportedVersion},
		"cut off time":        {[]byte{version, 0x81}, protocol.CodeMalformed},
		"time too large":      {append([]byte{version}, bytes.Repeat([]byte{0xff}, 12)...), protocol.CodeMalformed},
		"long prefix":         {append([]byte{version, 1, 33}, make([]byte, 33)...), protocol.CodeMalformed},
		"cut off prefix":      {[]byte{version, 1, 2, 0}, protocol.CodeMalformed},
		"no mode":             {[]byte{version, 1, 0}, protocol.CodeMalformed},
		"unknown mode":        {[]byte{version, 1, 0, 3}, protocol.CodeMalformed},
		"cut off fingerprint": {[]byte{version, 0, 0, 1, 9, 9}, protocol.CodeMalformed},
		"cut off list":        {[]byte{version, 0, 0, 2, 1, 9, 9}, protocol.CodeMalformed},
		"huge list":           {[]byte{version, 0, 0, 2, 0xff, 0xff, 0xff, 0x7f}, protocol.CodeMalformed},
		"out of order":        {[]byte{version, 5, 1, 9, 0, 1, 1, 8, 0}, protocol.CodeMalformed},
		"beyond the last one": {[]byte{version, 0, 0, 0, 5, 0, 0}, protocol.CodeMalformed},
	} {
		if _, err := Answer(NewSet(nil), c.message, MinMessageSize); protocol.CodeOf(err) != c.code {
			t.Errorf("%s: %v, want %s", name, err, c.code)
		}
	}
	if answer, err := Answer(NewSet(nil), []byte{0x62, 1, 2, 3}, MinMessageSize); err != nil || !bytes.Equal(answer, []byte{version}) {
		t.Errorf("another version is answered by %x, %v", answer, err)
	}
}

func FuzzAnswer(f *testing.F) {
	var items []Item
	for i := range 100 {
		items = append(items, Item{Time: uint64(i / 3), ID: id("fuzz", i)})
	}
	set := NewSet(items)
	f.Add(NewSession(set, MinMessageSize).First())
	f.Add(NewSession(NewSet(items[:20]), MinMessageSize).First())
	f.Add([]byte{version, 0, 0, 2, 0})
	f.Fuzz(func(t *testing.T, message []byte) {
		answer, err := Answer(set, message, MinMessageSize)
		if err != nil || message[0] != version {
			return
		}
		if len(answer) > MinMessageSize {
			t.Fatalf("an answer of %d bytes", len(answer))
		}
		if len(answer) > 1 {
			if _, _, err := NewSession(set, MinMessageSize).Next(answer); err != nil {
				t.Fatalf("its own answer %x: %v", answer, err)
			}
		}
		if _, _, err := NewSession(set, MinMessageSize).Next(message); err != nil {
			t.Fatalf("the beginner refuses %x: %v", message, err)
		}
	})
}

func BenchmarkNewSet(b *testing.B) {
	items := make([]Item, 100_000)
	for i := range items {
		items[i] = Item{Time: uint64(i % 86_400), ID: id("bench", i)}
	}
	for b.Loop() {
		NewSet(slices.Clone(items))
	}
}
