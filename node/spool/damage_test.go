package spool

import (
	"bytes"
	"testing"

	"github.com/parley-protocol/parley/node/fault"
	"github.com/parley-protocol/parley/protocol"
)

// A file that has vanished is missed, at every start until its blob comes again
// or expires; one that was deleted isn't.
func TestVanishedBlobsAreMissed(t *testing.T) {
	for name, end := range map[string]func(*Spool, *fault.Disk) *fault.Disk{
		"closed":    func(s *Spool, d *fault.Disk) *fault.Disk { s.Close(); return d },
		"killed":    func(_ *Spool, d *fault.Disk) *fault.Disk { return d.Kill() },
		"power cut": func(s *Spool, d *fault.Disk) *fault.Disk { s.Close(); return d.PowerCut(nil) },
	} {
		t.Run(name, func(t *testing.T) {
			d := fault.New()
			s := open(t, d, Limits{})
			gone, vanished := put(t, s, "aa", 1), put(t, s, "aa", 2)
			put(t, s, "bb", 3)
			if err := s.Delete("aa", gone); err != nil {
				t.Fatal(err)
			}
			path := s.path(s.Bucket("aa")[0])
			d = end(s, d)
			if err := d.Remove(path); err != nil {
				t.Fatal(err)
			}
			for range 2 {
				s = open(t, d, Limits{})
				missed := s.Damaged()
				if len(missed) != 1 || missed[0].Arrival != 2 || !missed[0].Expires.Equal(later) || missed[0].What == "" || missed[0].Path != home {
					t.Fatalf("missed are %+v", missed)
				}
				if n := s.Usage().Blobs; n != 1 {
					t.Errorf("%d blobs", n)
				}
				if _, err := s.Get(t.Context(), "aa", vanished); protocol.CodeOf(err) != protocol.CodeNotFound {
					t.Errorf("Get gives %v", err)
				}
				s.Close()
			}
			now = now.AddDate(1, 0, 0)
			defer func() { now = now.AddDate(-1, 0, 0) }()
			if missed := open(t, d, Limits{}).Damaged(); len(missed) != 0 {
				t.Errorf("missed after its time: %+v", missed)
			}
		})
	}
}

// A blob whose file is spoilt is named, not given out, and taken anew when it
// comes again.
func TestSpoiltBlobThatComesAgain(t *testing.T) {
	d := fault.New()
	s := open(t, d, Limits{TotalBytes: 1 << 20})
	id := put(t, s, "aa", 5)
	path := s.path(s.Bucket("aa")[0])
	if err := d.Poke(path, fileHeaderSize+4, []byte{0xff}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Get(t.Context(), "aa", id); protocol.CodeOf(err) != protocol.CodeDamaged {
		t.Fatalf("Get gives %v", err)
	}
	if found := s.Damaged(); len(found) != 1 || found[0].Path != path {
		t.Fatalf("damaged are %+v", found)
	}
	put(t, s, "aa", 5)
	_, want := blobOf(5)
	if got, err := s.Get(t.Context(), "aa", id); err != nil || !bytes.Equal(got, want) {
		t.Errorf("Get gives %q, %v", got, err)
	}
	if found := s.Damaged(); len(found) != 0 {
		t.Errorf("damaged are %+v", found)
	}
	s.Close()
	s = open(t, d, Limits{})
	if u := s.Usage(); u.Blobs != 1 || s.bytes != u.Bytes || len(s.Damaged()) != 0 {
		t.Errorf("after a restart: %+v, damaged %+v", u, s.Damaged())
	}
}

// A journal with any byte changed, cut or gone costs nothing: all blobs are
// there, and none is missed. The worst that it can do is not to miss one.
func TestSpoiltJournalDoesNoHarm(t *testing.T) {
	d := fault.New()
	s := open(t, d, Limits{})
	for n := range 3 {
		put(t, s, "aa", n)
	}
	id, _ := blobOf(1)
	if err := s.Delete("aa", id); err != nil {
		t.Fatal(err)
	}
	s.Close()
	name := home + "/" + journalName
	text, err := d.Content(name)
	if err != nil || len(text) < 4*40 {
		t.Fatalf("%d bytes, %v", len(text), err)
	}
	check := func(what string, at int, d *fault.Disk) {
		t.Helper()
		s := open(t, d, Limits{})
		if u := s.Usage(); u.Blobs != 2 || len(s.Damaged()) != 0 {
			t.Fatalf("%s at %d: %+v, missed %+v", what, at, u, s.Damaged())
		}
		s.Close()
		if s := open(t, d, Limits{}); s.journal.file == nil || len(s.Damaged()) != 0 {
			t.Fatalf("%s at %d: there is no journal afterwards", what, at)
		}
	}
	for at := range text {
		flipped, cut := d.Copy(), d.Copy()
		if err := flipped.Poke(name, int64(at), []byte{text[at] ^ 1<<(at%8)}); err != nil {
			t.Fatal(err)
		}
		check("flipped", at, flipped)
		if text[max(at, 1)-1] == '\n' {
			continue // whole lines that are gone: see below
		}
		if err := cut.SetContent(name, text[:at]); err != nil {
			t.Fatal(err)
		}
		check("cut", at, cut)
	}
	gone := d.Copy()
	if err := gone.Remove(name); err != nil {
		t.Fatal(err)
	}
	check("removed", 0, gone)
}
