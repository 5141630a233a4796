package store

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/parley-protocol/parley/protocol/record"
)

// encrypted gives a folder under a key, closed, and one that was left as a
// killed process leaves it.
func encrypted(t *testing.T, key *[32]byte) (closed, killed string, records []*record.Record) {
	t.Helper()
	dir := t.TempDir()
	s := open(t, dir, Options{Key: key})
	w := newWorld(t, 7)
	for range 300 {
		r := w.record(t)
		if _, err := s.Put(t.Context(), []Item{{Record: r, Class: ClassForeign}}); err != nil {
			t.Fatal(err)
		}
		records = append(records, r)
	}
	killed = copyFolder(t, dir)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return dir, killed, records
}

// No byte of a record is on the disk, the IDs and the markets neither, whether
// the folder was closed or not; and it opens again.
func TestEncrypted(t *testing.T) {
	key := [32]byte{1, 2, 3}
	closed, killed, records := encrypted(t, &key)
	for name, dir := range map[string]string{"closed": closed, "killed": killed} {
		files, err := filepath.Glob(filepath.Join(dir, "*"))
		if err != nil || len(files) < 5 {
			t.Fatalf("%v, %v", files, err)
		}
		for _, file := range files {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range records[:6] {
				raw, id := r.Raw(), r.ID().Hash()
				if bytes.Contains(data, raw[len(raw)-64:]) || bytes.Contains(data, id[2:]) || bytes.Contains(data, []byte(r.Header().By)) {
					t.Fatalf("%s: %s holds a part of a record", name, filepath.Base(file))
				}
			}
		}
		s := open(t, dir, Options{Key: &key})
		if bad := readAll(t, s, records); bad > 0 {
			t.Errorf("%s: %d records can't be read", name, bad)
		}
		if err := s.Verify(t.Context()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

// A folder under another key, or under none, is to be filled anew.
func TestAnotherKey(t *testing.T) {
	key, other := [32]byte{1}, [32]byte{2}
	closed, killed, _ := encrypted(t, &key)
	for _, dir := range []string{closed, killed} {
		for _, wrong := range []*[32]byte{&other, nil} {
			_, err := Open(t.Context(), dir, Options{Key: wrong})
			wantRebuild(t, err, FolderDamaged)
		}
		if err := Drop(dir); err != nil {
			t.Fatal(err)
		}
		if err := open(t, dir, Options{Key: &other}).Close(); err != nil {
			t.Fatal(err)
		}
	}
	plain, _ := filledFolder(t)
	_, err := Open(t.Context(), plain, Options{Key: &key})
	wantRebuild(t, err, FolderDamaged)
}

// Flipped bits of an encrypted folder give wrong bytes to nobody, and end no
// process.
func TestFlippedBytesUnderAKey(t *testing.T) {
	key := [32]byte{9}
	pristine, _, records := encrypted(t, &key)
	rng := rand.New(rand.NewPCG(6, 6))
	seen := map[string]int{}
	for n := range 24 {
		dir := copyFolder(t, pristine)
		name := pick(rng, tables(t, dir))
		if n%6 == 0 {
			name = filepath.Join(dir, "KEYREGISTRY")
		}
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		flip(t, name, rng.Int64N(info.Size()), 1<<rng.IntN(8))
		s, err := Open(t.Context(), dir, Options{Key: &key, trusting: true})
		if err != nil {
			wantRebuild(t, err, FolderDamaged)
			seen["refused"]++
			continue
		}
		bad := readAll(t, s, records)
		if err := s.Verify(t.Context()); err != nil {
			wantRebuild(t, err, FolderDamaged)
			seen["damaged"]++
		} else if bad > 0 {
			t.Fatalf("%d records can't be read, but the folder passes", bad)
		}
		s.Close() // may fail, being damaged
	}
	t.Logf("flips: %v", seen)
	if seen["damaged"]+seen["refused"] < 12 {
		t.Errorf("the flips missed the data: %v", seen)
	}
}
