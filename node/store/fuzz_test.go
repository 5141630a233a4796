package store

import (
	"testing"

	"github.com/parley-protocol/parley/spec/vectors/fuzzing"
)

// Cursors come back from peers and from the local API.
func FuzzParseCursor(f *testing.F) {
	f.Add(cursor{byte(ByExpiry)}.String())
	f.Add(cursor{byte(Newest), 255}.String())
	f.Add("")
	f.Fuzz(func(t *testing.T, text string) {
		for _, order := range []Order{Newest, ByExpiry} {
			var c cursor
			var err error
			fuzzing.Bounded(t, len(text), func() { c, err = parseCursor(text, order) })
			if err == nil && c.String() != text {
				t.Fatalf("%q is read as %q", text, c)
			}
		}
	})
}

func FuzzDecodeStats(f *testing.F) {
	f.Add((&Stats{}).encode())
	s := Stats{}
	for i, c := range []Class{ClassForeign, ClassDeal, ClassOwn} {
		*s.of(c) = Usage{Count: i, Bytes: 1 << 40}
	}
	f.Add(s.encode())
	f.Fuzz(func(t *testing.T, raw []byte) {
		var s Stats
		var err error
		fuzzing.Bounded(t, len(raw), func() { s, err = decodeStats(raw) })
		if err != nil {
			return
		}
		if again, err := decodeStats(s.encode()); err != nil || again != s {
			t.Fatalf("%x is read as %+v, and that as %+v, %v", raw, s, again, err)
		}
	})
}
