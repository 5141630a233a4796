// Package fuzzing is what the fuzz targets of decoders have in common: seeds from
// the test vectors, and the bound on memory.
package fuzzing

import (
	"encoding/json"
	"runtime"
	"runtime/metrics"
	"testing"

	"github.com/parley-protocol/parley/spec/vectors"
)

// What a decoder may allocate: PerByte bytes for each byte of its input, and
// Fixed bytes.
const (
	PerByte = 16
	Fixed   = 1 << 20
)

// Each gives what goes into each vector of a kind, valid or not, to add.
func Each[In any](f testing.TB, kind string, add func(in In)) {
	f.Helper()
	files, err := vectors.Of(kind)
	if err != nil {
		f.Fatal(err)
	}
	n := 0
	for _, file := range files {
		for _, c := range file.Cases {
			var in In
			if err := json.Unmarshal(c.In, &in); err != nil {
				f.Fatalf("%s: %s: %v", file.Path, c.Name, err)
			}
			add(in)
			n++
		}
	}
	if n == 0 {
		f.Fatalf("no vectors of the kind %s", kind)
	}
}

// Bounded runs decode, which takes size bytes of input, and fails t if it
// allocates more than it may. It must be possible to run decode twice: the exact
// measure, which stops the world, is taken only when the cheap one, which is off
// by a few hundred KiB, comes near the bound.
func Bounded(t testing.TB, size int, decode func()) {
	t.Helper()
	limit := uint64(PerByte*size + Fixed)
	before := roughly()
	decode()
	if roughly()-before < limit/2 {
		return
	}
	if exact := Allocated(decode); exact > limit {
		t.Fatalf("%d bytes allocated for %d of input; the limit is %d", exact, size, limit)
	}
}

// Allocated is how many bytes f allocates, if nothing else runs meanwhile.
func Allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

func roughly() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}
