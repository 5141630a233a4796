package ledger

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"testing"

	"github.com/parley-protocol/parley/node/fault"
	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/spec/vectors/fuzzing"
)

func FuzzDecodeFrame(f *testing.F) {
	at := cursor{offset: headerSize, seq: 1}
	for _, payload := range [][]byte{nil, []byte("a"), bytes.Repeat([]byte{7}, 500)} {
		data, _ := appendFrame(nil, at, payload, true)
		f.Add(data)
		f.Add(data[:len(data)-1])
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var got frame
		var err error
		fuzzing.Bounded(t, len(data), func() { got, err = decodeFrame(data, at) })
		if err != nil {
			if !isFrameError(err) {
				t.Errorf("an error of another kind: %v", err)
			}
			return
		}
		again, next := appendFrame(nil, at, got.payload, got.last)
		if !bytes.HasPrefix(data, again) || next != got.next {
			t.Error("the frame is written in another way than it was read")
		}
	})
}

// Whatever the files hold, Open reports it or opens, and what has opened opens
// again with the same entries.
func FuzzOpen(f *testing.F) {
	d := fault.New()
	l, err := Open(home, Options{FS: d})
	if err != nil {
		f.Fatal(err)
	}
	for _, text := range []string{"one", "two", "three"} {
		if _, err := l.Append(f.Context(), []byte(text)); err != nil {
			f.Fatal(err)
		}
	}
	log, _ := d.Content(logFile)
	mark, _ := d.Content(markFile)
	l.Close()
	f.Add(log, mark[:pageSize], mark[slot(1):][:pageSize])
	f.Add(log[:200], mark[:pageSize], mark[slot(1):][:pageSize])
	f.Add(append(bytes.Clone(log), log[headerSize:]...), mark[:pageSize], []byte{})
	f.Add([]byte{}, []byte{}, []byte{})

	f.Fuzz(func(t *testing.T, log, slot0, slot1 []byte) {
		d := d.PowerCut(nil)
		marks := make([]byte, 2*slotSize)
		copy(marks, slot0[:min(len(slot0), slotSize)])
		copy(marks[slotSize:], slot1[:min(len(slot1), slotSize)])
		if err := errors.Join(d.SetContent(logFile, log), d.SetContent(markFile, marks)); err != nil {
			t.Fatal(err)
		}
		first, ok := contents(t, d)
		if !ok {
			return
		}
		if again, ok := contents(t, d); !ok || !bytes.Equal(first, again) {
			t.Errorf("opened a second time there is %q and not %q", again, first)
		}
	})
}

// contents opens the ledger and joins its entries.
func contents(t *testing.T, d *fault.Disk) (joined []byte, ok bool) {
	l, err := Open(home, Options{FS: d})
	if err != nil {
		if code := protocol.CodeOf(err); code != protocol.CodeDamaged && code != protocol.CodeUnsupportedFormat {
			t.Errorf("Open gives %v", err)
		}
		return nil, false
	}
	defer l.Close()
	for e, err := range l.All() {
		if err != nil {
			t.Fatal(err)
		}
		joined = append(append(joined, e.Payload...), '|')
	}
	return joined, true
}

// Headers and marks with a right checksum, which only a hostile disk has.
func FuzzDecodeHeaderAndMark(f *testing.F) {
	d := fault.New()
	l, err := Open(home, Options{FS: d})
	if err != nil {
		f.Fatal(err)
	}
	if _, err := l.Append(f.Context(), []byte("one")); err != nil {
		f.Fatal(err)
	}
	log, _ := d.Content(logFile)
	marks, _ := d.Content(markFile)
	l.Close()
	f.Add(log[:headerSize], marks[:pageSize])
	f.Add(log[:headerSize], marks[slot(1):][:pageSize])
	f.Fuzz(func(t *testing.T, head, slot []byte) {
		if len(head) >= headerSize {
			hash := sha256.Sum256(head[:72])
			copy(head[72:], hash[:8])
		}
		fuzzing.Bounded(t, len(head), func() { decodeHeader(head) })
		if len(slot) >= slotHeaderSize {
			sum := slotSum(slot[:slotSumAt], slot[slotHeaderSize:])
			copy(slot[slotSumAt:slotHeaderSize], sum[:])
		}
		var m mark
		var err error
		fuzzing.Bounded(t, len(slot), func() { m, err = decodeMark(slot) })
		if err == nil && (len(m.copied) > len(slot) || m.copyFrom+int64(len(m.copied)) != m.end.offset) {
			t.Fatalf("%x: a mark that doesn't add up: %+v", slot, m)
		}
	})
}
