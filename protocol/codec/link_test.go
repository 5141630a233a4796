package codec_test

import (
	"slices"
	"strconv"
	"testing"

	"github.com/ipfs/go-cid"
	"pgregory.net/rapid"

	"github.com/parley-protocol/parley/protocol/codec"
	"github.com/parley-protocol/parley/protocol/record/recordtest"
)

// linksOf finds the links of a decoded value, as plainly as can be.
func linksOf(value any) (links []cid.Cid) {
	switch v := value.(type) {
	case cid.Cid:
		links = append(links, v)
	case []any:
		for _, entry := range v {
			links = append(links, linksOf(entry)...)
		}
	case map[string]any:
		for _, key := range codec.SortedKeys(v) {
			links = append(links, linksOf(v[key])...)
		}
	}
	var once []cid.Cid
	for _, link := range links {
		if !slices.Contains(once, link) {
			once = append(once, link)
		}
	}
	return once
}

// What is found in the bytes is what is found in the value that they decode to.
func TestLinks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		value := recordtest.AnyValue(6, true).Draw(t, "value")
		block, err := codec.Encode(value)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := codec.Links(block), linksOf(value); !slices.Equal(got, want) {
			t.Fatalf("%x: %v, want %v", block, got, want)
		}
	})
}

// manyLinks is a block of as many links as fit, each twice.
func manyLinks(t testing.TB) (block []byte, links []cid.Cid) {
	t.Helper()
	var value []any
	for i := range 650 {
		id := codec.Sum([]byte(strconv.Itoa(i)))
		links = append(links, id)
		value = append(value, id, map[string]any{"again": id})
	}
	block, err := codec.Encode(value)
	if err != nil {
		t.Fatal(err)
	}
	return block, links
}

func TestManyLinks(t *testing.T) {
	block, want := manyLinks(t)
	if got := codec.Links(block); !slices.Equal(got, want) {
		t.Errorf("%d links, want %d", len(got), len(want))
	}
}

// Bytes that nobody has decoded are walked no further than they go.
func FuzzLinks(f *testing.F) {
	for _, block := range hostile() {
		f.Add(block)
	}
	block, _ := manyLinks(f)
	f.Add(block[:200])
	f.Fuzz(func(t *testing.T, block []byte) {
		got := codec.Links(block)
		if value, err := codec.Decode(block); err == nil && !slices.Equal(got, linksOf(value)) {
			t.Fatalf("%x: %v", block, got)
		}
	})
}

func BenchmarkLinks(b *testing.B) {
	many, _ := manyLinks(b)
	for name, block := range map[string][]byte{"intent": recordtest.NewDeal(b, "bench").Intent.Raw(), "650": many} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				codec.Links(block)
			}
		})
	}
}
