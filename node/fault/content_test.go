package fault

import (
	"bytes"
	"testing"

	"pgregory.net/rapid"
)

// TestContentAgainstBytes does the same to a content and to a slice.
func TestContentAgainstBytes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var c content
		var want []byte
		grow := func(size int) {
			if size > len(want) {
				want = append(want, make([]byte, size-len(want))...)
			}
		}
		place := rapid.OneOf(rapid.IntRange(0, 3*pageSize), rapid.SampledFrom([]int{0, pageSize - 1, pageSize, 2 * pageSize}))
		data := rapid.Custom(func(t *rapid.T) []byte {
			fill := byte(rapid.IntRange(0, 2).Draw(t, "fill")) // zeros are kept in a way of their own
			return bytes.Repeat([]byte{fill}, place.Draw(t, "length"))
		})
		t.Repeat(map[string]func(*rapid.T){
			"write": func(t *rapid.T) {
				at, b := place.Draw(t, "at"), data.Draw(t, "data")
				before, old := c, c.bytes()
				c = c.write(int64(at), b)
				if len(b) > 0 {
					grow(at + len(b))
				}
				copy(want[min(at, len(want)):], b)
				if !bytes.Equal(before.bytes(), old) {
					t.Fatal("a content changed that was written over elsewhere")
				}
			},
			"overlay": func(t *rapid.T) {
				at, b := place.Draw(t, "at"), data.Draw(t, "data")
				end := rapid.IntRange(0, len(b)).Draw(t, "end")
				start := rapid.IntRange(0, end).Draw(t, "start")
				c = c.overlay(int64(at), contentOf(b), int64(start), int64(end))
				if start < end {
					grow(at + end)
					copy(want[at+start:], b[start:end])
				}
			},
			"resize": func(t *rapid.T) {
				size := place.Draw(t, "size")
				c = c.resize(int64(size))
				grow(size)
				want = want[:size:size]
			},
			"": func(t *rapid.T) {
				if !bytes.Equal(c.bytes(), want) || c.size != int64(len(want)) {
					t.Fatalf("%d bytes, want %d, or others", c.size, len(want))
				}
				at := place.Draw(t, "read at")
				b := make([]byte, place.Draw(t, "read"))
				n := c.read(b, int64(at))
				if !bytes.Equal(b[:n], want[min(at, len(want)):min(at+len(b), len(want))]) {
					t.Fatal("reads something else")
				}
			},
		})
	})
}
