package spool

import (
	"bytes"
	"testing"

	"github.com/parley-protocol/parley/spec/vectors/fuzzing"
)

// A file is taken under its own name and no other, and as it was written. With
// mend its checksum is right whatever the rest is.
func FuzzDecodeFile(f *testing.F) {
	id, blob := blobOf(5)
	info := Info{Bucket: "ab", ID: id, Size: len(blob), Expires: later, Arrival: 7}
	f.Add(info.fileName(), encodeFile(info, blob), false)
	f.Add(info.fileName(), encodeFile(info, blob)[:fileHeaderSize], true)
	f.Add(info.fileName(), append(encodeFile(info, blob), 0), true)
	longer := info
	longer.Bucket += "cd"
	f.Add(longer.fileName(), encodeFile(info, blob), true)
	f.Fuzz(func(t *testing.T, name string, data []byte, mend bool) {
		info, ok := parseName(name)
		if !ok {
			return
		}
		if mend && len(data) >= fileHeaderSize {
			sum := fileSum(data)
			copy(data[fileSumAt:], sum[:])
		}
		var blob []byte
		var err error
		fuzzing.Bounded(t, len(data), func() { blob, err = decodeFile(info, data) })
		if err == nil && !bytes.Equal(encodeFile(info, blob), data) {
			t.Fatalf("%q with %x is written in another way than it was read", name, data)
		}
	})
}
