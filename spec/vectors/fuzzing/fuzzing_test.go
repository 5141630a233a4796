package fuzzing_test

import (
	"testing"

	"github.com/parley-protocol/parley/spec/vectors/fuzzing"
)

// verdict is a test that notes its failure and goes on.
type verdict struct {
	testing.TB
	failed bool
}

func (v *verdict) Helper()               {}
func (v *verdict) Fatalf(string, ...any) { v.failed = true }

var sink []byte

func TestBounded(t *testing.T) {
	for _, c := range []struct {
		size, each, times int
		within            bool
	}{
		{0, 0, 0, true},
		{0, fuzzing.Fixed / 2, 1, true},
		{0, fuzzing.Fixed + 4096, 1, false},
		{0, 64, 2 * fuzzing.Fixed / 64, false}, // in small pieces
		{1 << 20, 1 << 20, 16, true},
		{1 << 20, 1 << 20, 18, false},
	} {
		v := &verdict{TB: t}
		fuzzing.Bounded(v, c.size, func() {
			for range c.times {
				sink = make([]byte, c.each)
			}
		})
		if v.failed == c.within {
			t.Errorf("%d times %d bytes for an input of %d: within is %v", c.times, c.each, c.size, !v.failed)
		}
	}
}

func TestEach(t *testing.T) {
	blocks := 0
	fuzzing.Each(t, "record", func(in struct{ Block string }) {
		if in.Block != "" {
			blocks++
		}
	})
	if blocks < 500 {
		t.Errorf("%d records", blocks)
	}
	v := &verdict{TB: t}
	fuzzing.Each(v, "no such kind", func(struct{}) {})
	if !v.failed {
		t.Error("no seeds, and nobody is told")
	}
}

func BenchmarkBounded(b *testing.B) {
	for b.Loop() {
		fuzzing.Bounded(b, 0, func() {})
	}
}
