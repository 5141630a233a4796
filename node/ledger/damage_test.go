package ledger

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"slices"
	"testing"

	"github.com/parley-protocol/parley/node/fault"
	"github.com/parley-protocol/parley/protocol"
)

const (
	logFile  = home + "/" + logName
	markFile = home + "/" + markName
)

// damage changes a file behind the ledger's back.
func damage(t *testing.T, d *fault.Disk, name string, change func([]byte) []byte) {
	t.Helper()
	data, err := d.Content(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.SetContent(name, change(data)); err != nil {
		t.Fatal(err)
	}
}

// A specimen is a small closed ledger whose files can be damaged over and over.
type specimen struct {
	disk      *fault.Disk
	log, mark []byte
	entries   [][]byte
}

// newSpecimen has entries on two pages of the log, so that some lie before what
// the mark carries a copy of, and a batch at the end.
func newSpecimen(t *testing.T) *specimen {
	t.Helper()
	s := &specimen{disk: fault.New()}
	l, err := Open(home, Options{FS: s.disk})
	if err != nil {
		t.Fatal(err)
	}
	for i, size := range []int{600, 1500, 0, 1900, 200, 90} {
		s.entries = append(s.entries, bytes.Repeat([]byte{byte('a' + i)}, size))
	}
	for _, group := range [][][]byte{s.entries[:1], s.entries[1:2], s.entries[2:4], s.entries[4:]} {
		if _, err := l.Append(t.Context(), group...); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if s.log, err = s.disk.Content(logFile); err != nil {
		t.Fatal(err)
	}
	if s.mark, err = s.disk.Content(markFile); err != nil {
		t.Fatal(err)
	}
	return s
}

// try opens the ledger with other files. It returns the damage that Open
// reports; without one the entries must be all there, unchanged.
func (s *specimen) try(log, mark []byte) (*DamageError, error) {
	d := s.disk.Copy()
	if err := errors.Join(d.SetContent(logFile, log), d.SetContent(markFile, mark)); err != nil {
		return nil, err
	}
	return s.open(d)
}

// tryByte opens the ledger with one byte of one file changed.
func (s *specimen) tryByte(name string, at int, with byte) (*DamageError, error) {
	d := s.disk.Copy()
	if err := d.Poke(name, int64(at), []byte{with}); err != nil {
		return nil, err
	}
	return s.open(d)
}

// tryLength opens the ledger with one file cut.
func (s *specimen) tryLength(name string, length int) (*DamageError, error) {
	d := s.disk.Copy()
	f, err := d.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(f.Truncate(int64(length)), f.Close()); err != nil {
		return nil, err
	}
	return s.open(d)
}

func (s *specimen) open(d *fault.Disk) (*DamageError, error) {
	before := d.Ops()
	l, err := Open(home, Options{FS: d})
	if err != nil {
		found, ok := errors.AsType[*DamageError](err)
		if !ok {
			return nil, err
		}
		if found.File == "" || found.What == "" || found.Hint == "" || protocol.CodeOf(err) != protocol.CodeDamaged {
			return nil, fmt.Errorf("an incomplete report: %#v", found)
		}
		if d.Ops()-before > 2 {
			return nil, errors.New("something was done besides syncing two folders")
		}
		return found, nil
	}
	defer l.Close()
	var got [][]byte
	for e, err := range l.All() {
		if err != nil {
			return nil, err
		}
		got = append(got, e.Payload)
	}
	if !slices.EqualFunc(got, s.entries, bytes.Equal) {
		return nil, fmt.Errorf("opened with %d entries of %d, or other ones", len(got), len(s.entries))
	}
	return nil, nil
}

// used lists the places of the mark file that hold data: both slots without
// what is left over in them.
func (s *specimen) used(t *testing.T) []int {
	t.Helper()
	var places []int
	for i := range uint64(2) {
		start := slot(i)
		m, err := decodeMark(s.mark[start : start+slotSize])
		if err != nil {
			t.Fatal(err)
		}
		for at := range slotHeaderSize + len(m.copied) {
			places = append(places, int(start)+at)
		}
	}
	return places
}

func TestEveryFlippedByteShowsOrDoesNoHarm(t *testing.T) {
	s := newSpecimen(t)
	refused := 0
	for at := range s.log {
		found, err := s.tryByte(logFile, at, s.log[at]^1<<(at%8))
		if err != nil {
			t.Fatalf("byte %d of the log: %v", at, err)
		}
		if found == nil {
			continue
		}
		refused++
		if found.File != logFile || found.Offset > int64(at) {
			t.Fatalf("byte %d of the log: reported as %v", at, found)
		}
	}
	// What lies before the mark's copy exists once and can only be refused.
	if refused < pageSize-headerSize || refused == len(s.log) {
		t.Errorf("%d of %d flips in the log were refused", refused, len(s.log))
	}
	for _, at := range s.used(t) {
		if found, err := s.tryByte(markFile, at, s.mark[at]^1<<(at%8)); err != nil || found != nil {
			t.Fatalf("byte %d of the mark file: %v %v", at, found, err)
		}
	}
}

func TestEveryTruncationShowsOrDoesNoHarm(t *testing.T) {
	s := newSpecimen(t)
	for length := range s.log {
		found, err := s.tryLength(logFile, length)
		if err != nil {
			t.Fatalf("log of %d bytes: %v", length, err)
		}
		if (found != nil) != (length < pageSize) {
			t.Fatalf("log of %d bytes: %v", length, found)
		}
	}
	lengths := []int{0, 1, slotSize - 1, slotSize, 2*slotSize - 1}
	for i, length := range s.used(t) {
		if i%16 == 0 || length%slotSize < 2*slotHeaderSize {
			lengths = append(lengths, length)
		}
	}
	for _, length := range lengths {
		found, err := s.tryLength(markFile, length)
		if err != nil {
			t.Fatalf("mark file of %d bytes: %v", length, err)
		}
		if length < slotHeaderSize && found == nil {
			t.Fatalf("an empty mark file was taken for a mark")
		}
	}
}

func TestDamageThatIsRefused(t *testing.T) {
	s := newSpecimen(t)
	other := newSpecimen(t)
	cases := map[string]func() (log, mark []byte){
		"both slots": func() ([]byte, []byte) {
			mark := slices.Clone(s.mark)
			mark[slot(0)+40] ^= 1
			mark[slot(1)+40] ^= 1
			return s.log, mark
		},
		"a mark file of another ledger": func() ([]byte, []byte) { return s.log, other.mark },
		"an old log":                    func() ([]byte, []byte) { return s.log[:headerSize+700], s.mark },
		"a page of zeros": func() ([]byte, []byte) {
			log := slices.Clone(s.log)
			clear(log[512:1024])
			return log, s.mark
		},
		"an entry left out": func() ([]byte, []byte) {
			return slices.Concat(s.log[:headerSize], s.log[headerSize+frameOverhead+600:]), s.mark
		},
		"a log from another history": func() ([]byte, []byte) {
			// The same ledger went on differently after a copy was taken.
			first := slices.Clone(s.log)
			if err := errors.Join(s.disk.SetContent(logFile, s.log), s.disk.SetContent(markFile, s.mark)); err != nil {
				t.Fatal(err)
			}
			var marks [2][]byte
			var logs [2][]byte
			for i, text := range []string{"one", "two"} {
				if err := errors.Join(s.disk.SetContent(logFile, first), s.disk.SetContent(markFile, s.mark)); err != nil {
					t.Fatal(err)
				}
				l, err := Open(home, Options{FS: s.disk})
				if err != nil {
					t.Fatal(err)
				}
				if _, err := l.Append(t.Context(), []byte(text)); err != nil {
					t.Fatal(err)
				}
				l.Close()
				logs[i], _ = s.disk.Content(logFile)
				marks[i], _ = s.disk.Content(markFile)
			}
			return logs[0], marks[1]
		},
	}
	for name, files := range cases {
		t.Run(name, func(t *testing.T) {
			found, err := s.try(files())
			if err != nil {
				t.Fatal(err)
			}
			if found == nil {
				t.Error("the ledger opened")
			}
			t.Log(found)
		})
	}
	t.Run("a missing file", func(t *testing.T) {
		for _, name := range []string{logFile, markFile} {
			s := newSpecimen(t)
			if err := s.disk.Remove(name); err != nil {
				t.Fatal(err)
			}
			_, err := Open(home, Options{FS: s.disk})
			if found, ok := errors.AsType[*DamageError](err); !ok || found.File != name {
				t.Errorf("without %s: %v", name, err)
			}
		}
	})
}

func TestDamageWhileOpen(t *testing.T) {
	s := newSpecimen(t)
	l, err := Open(home, Options{FS: s.disk})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	damage(t, s.disk, logFile, func(b []byte) []byte { b[headerSize+frameHeaderSize] ^= 1; return b })
	for _, err := range l.All() {
		found, ok := errors.AsType[*DamageError](err)
		if !ok || found.Seq != 1 || found.Offset != headerSize {
			t.Errorf("reading gives %v", err)
		}
	}
}

func TestLaterVersionsAreNotTouched(t *testing.T) {
	s := newSpecimen(t)
	f, err := s.disk.OpenFile(home+"/00000002.log", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
	if _, err := Open(home, Options{FS: s.disk}); protocol.CodeOf(err) != protocol.CodeUnsupportedFormat {
		t.Errorf("a second log file gives %v", err)
	}
	if _, err := Check(home, Options{FS: s.disk}); protocol.CodeOf(err) != protocol.CodeUnsupportedFormat {
		t.Errorf("a second log file gives %v", err)
	}
}

func TestCheckChangesNothing(t *testing.T) {
	s := newSpecimen(t)
	before := s.disk.Ops()
	n, err := Check(home, Options{FS: s.disk})
	if err != nil || n != uint64(len(s.entries)) {
		t.Errorf("Check gives %d, %v", n, err)
	}
	if s.disk.Ops() != before {
		t.Error("Check wrote something")
	}
	if n, err := Check("/nowhere", Options{FS: s.disk}); n != 0 || err != nil {
		t.Errorf("where there is no ledger Check gives %d, %v", n, err)
	}
}
