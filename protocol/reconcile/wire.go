package reconcile

import (
	"slices"

	"github.com/parley-protocol/parley/protocol"
)

// version begins every message: version 1 of the protocol.
const version = 0x61

type mode uint64

// What a range says.
const (
	modeSkip        mode = 0 // nothing
	modeFingerprint mode = 1
	modeIDs         mode = 2
)

// span is one range of a message: from the end of the one before to its bound.
type span struct {
	until       bound
	mode        mode
	fingerprint [fingerprintSize]byte
	ids         []byte // count × IDSize
}

// appendVarint writes base 128, the most significant group first, the high bit
// on all groups but the last.
func appendVarint(b []byte, v uint64) []byte {
	start := len(b)
	b = append(b, byte(v&0x7f))
	for v >>= 7; v != 0; v >>= 7 {
		b = append(b, byte(v&0x7f)|0x80)
	}
	slices.Reverse(b[start:])
	return b
}

func malformed(format string, args ...any) error {
	return protocol.Errorf(protocol.CodeMalformed, "", format, args...)
}

// reader reads a message; after the first error everything is zero.
type reader struct {
	b   []byte
	err error
}

func (r *reader) fail(format string, args ...any) {
	if r.err == nil {
		r.err = malformed(format, args...)
	}
	r.b = nil
}

func (r *reader) varint() (v uint64) {
	for i := 0; ; i++ {
		if len(r.b) == 0 {
			r.fail("a number is cut off")
			return 0
		}
		if i == 9 {
			r.fail("a number above 2^63")
			return 0
		}
		c := r.b[0]
		r.b = r.b[1:]
		v = v<<7 | uint64(c&0x7f)
		if c&0x80 == 0 {
			return v
		}
	}
}

func (r *reader) bytes(n uint64) []byte {
	if n > uint64(len(r.b)) {
		r.fail("a value is cut off")
		return nil
	}
	out := r.b[:n]
	r.b = r.b[n:]
	return out
}

// decoder yields the ranges of a message; times are told as differences.
type decoder struct {
	reader
	time uint64
	last bound
}

func (d *decoder) more() bool { return d.err == nil && len(d.b) > 0 }

func (d *decoder) next() (s span) {
	if d.last.infinite {
		d.fail("a range after the last one")
		return s
	}
	if t := d.varint(); t == 0 {
		s.until.infinite = true
	} else {
		if d.time += t - 1; d.time >= 1<<63 {
			d.fail("a time above 2^63")
		}
		s.until.time = d.time
	}
	n := d.varint()
	if n > IDSize {
		d.fail("the prefix of an ID has %d bytes", n)
		return s
	}
	s.until.prefix = d.bytes(n)
	if d.err == nil && s.until.compare(d.last) < 0 {
		d.fail("ranges out of order")
	}
	s.mode = mode(d.varint())
	switch s.mode {
	case modeSkip:
	case modeFingerprint:
		copy(s.fingerprint[:], d.bytes(fingerprintSize))
	case modeIDs:
		count := d.varint()
		if count > uint64(len(d.b))/IDSize {
			d.fail("a list of %d IDs is cut off", count)
			return s
		}
		s.ids = d.bytes(count * IDSize)
	default:
		d.fail("mode %d", s.mode)
	}
	d.last = s.until
	return s
}

// encoder writes ranges; skips are put off, as the one at the end is left out.
type encoder struct {
	b       []byte
	time    uint64
	skipped *bound
}

func newEncoder() *encoder { return &encoder{b: []byte{version}} }

func (e *encoder) skip(until bound) { e.skipped = &until }

func (e *encoder) bound(b bound) {
	if b.infinite {
		e.b = append(e.b, 0, 0)
		return
	}
	e.b = appendVarint(e.b, b.time-e.time+1)
	e.time = b.time
	e.b = appendVarint(e.b, uint64(len(b.prefix)))
	e.b = append(e.b, b.prefix...)
}

func (e *encoder) flush() {
	if e.skipped != nil {
		e.bound(*e.skipped)
		e.b = appendVarint(e.b, uint64(modeSkip))
		e.skipped = nil
	}
}

func (e *encoder) fingerprint(until bound, f [fingerprintSize]byte) {
	e.flush()
	e.bound(until)
	e.b = appendVarint(e.b, uint64(modeFingerprint))
	e.b = append(e.b, f[:]...)
}

func (e *encoder) ids(until bound, items []Item) {
	e.flush()
	e.bound(until)
	e.b = appendVarint(e.b, uint64(modeIDs))
	e.b = appendVarint(e.b, uint64(len(items)))
	for _, it := range items {
		e.b = append(e.b, it.ID[:]...)
	}
}
