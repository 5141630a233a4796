package store

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/record"
)

// filledFolder is a closed folder whose records stand in tables.
func filledFolder(t *testing.T) (dir string, records []*record.Record) {
	t.Helper()
	dir = t.TempDir()
	s := open(t, dir, Options{})
	w := newWorld(t, 99)
	for range 600 {
		r := w.record(t)
		if _, err := s.Put(t.Context(), []Item{{Record: r, Class: ClassForeign}}); err != nil {
			t.Fatal(err)
		}
		records = append(records, r)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return dir, records
}

// copyFolder copies a folder, also one that a store has open.
func copyFolder(t *testing.T, from string) (to string) {
	t.Helper()
	to = t.TempDir()
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	return to
}

func tables(t *testing.T, dir string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*.sst"))
	if err != nil || len(names) == 0 {
		t.Fatalf("tables: %v, %v", names, err)
	}
	return names
}

func flip(t *testing.T, name string, offset int64, mask byte) {
	t.Helper()
	f, err := os.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b := make([]byte, 1)
	if _, err := f.ReadAt(b, offset); err != nil {
		t.Fatal(err)
	}
	b[0] ^= mask
	if _, err := f.WriteAt(b, offset); err != nil {
		t.Fatal(err)
	}
}

// TestFlippedBytes flips bits of tables, which hold nothing but data, and
// checks that no reader is ever given wrong bytes, and that Verify knows of
// everything that can't be read.
func TestFlippedBytes(t *testing.T) {
	t.Parallel()
	pristine, records := filledFolder(t)
	rng := rand.New(rand.NewPCG(5, 5))
	seen := map[string]int{}
	for range 30 {
		dir := copyFolder(t, pristine)
		name := pick(rng, tables(t, dir))
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		flip(t, name, rng.Int64N(info.Size()), 1<<rng.IntN(8))
		s, err := Open(t.Context(), dir, Options{trusting: true})
		if err != nil {
			wantRebuild(t, err, FolderDamaged)
			seen["refused"]++
			continue
		}
		bad := readAll(t, s, records)
		err = s.Verify(t.Context())
		switch {
		case err != nil:
			wantRebuild(t, err, FolderDamaged)
			seen["damaged"]++
		case bad > 0:
			t.Fatalf("%d records can't be read, but the folder passes", bad)
		default:
			seen["harmless"]++
		}
		s.Close() // may fail, being damaged
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("flips: %v", seen)
	if seen["damaged"]+seen["refused"] < 15 {
		t.Fatalf("the flips missed the data: %v", seen)
	}
}

// readAll reads everything in every way and counts what can't be read.
func readAll(t *testing.T, s *Store, records []*record.Record) (bad int) {
	t.Helper()
	byID := map[string]*record.Record{}
	for _, r := range records {
		byID[idOf(r)] = r
		got, err := s.Get(t.Context(), r.ID())
		if err != nil {
			if code := protocol.CodeOf(err); code != protocol.CodeDamaged && code != protocol.CodeNotFound {
				t.Fatalf("code %q: %v", code, err)
			}
			bad++
			continue
		}
		if !bytes.Equal(got.Raw(), r.Raw()) || got.ID() != r.ID() {
			t.Fatal("wrong bytes")
		}
	}
	for e, err := range s.Query(t.Context(), Filter{Order: Newest, Types: []string{"intent", "profile"}}) {
		if err != nil {
			if protocol.CodeOf(err) != protocol.CodeDamaged {
				t.Fatal(err)
			}
			continue
		}
		if r := byID[idOf(e.Record)]; r == nil || !bytes.Equal(e.Record.Raw(), r.Raw()) {
			t.Fatal("wrong bytes from a query")
		}
	}
	return bad
}

func wantRebuild(t *testing.T, err error, reason RebuildReason) {
	t.Helper()
	rebuild, ok := errors.AsType[*RebuildError](err)
	if !ok || rebuild.Reason != reason {
		t.Fatalf("want a RebuildError with reason %d: %v", reason, err)
	}
	if reason == FolderDamaged && protocol.CodeOf(err) != protocol.CodeDamaged {
		t.Fatalf("code %q: %v", protocol.CodeOf(err), err)
	}
}

// TestDamagedFolder checks that a folder that doesn't fit together is refused
// with a way out, and that the way out works.
func TestDamagedFolder(t *testing.T) {
	t.Parallel()
	pristine, records := filledFolder(t)
	for name, damage := range map[string]func(t *testing.T, dir string){
		"a table is missing":      func(t *testing.T, dir string) { remove(t, tables(t, dir)[0]) },
		"a table is cut":          func(t *testing.T, dir string) { truncate(t, tables(t, dir)[0], 1000) },
		"a table is empty":        func(t *testing.T, dir string) { truncate(t, tables(t, dir)[0], 0) },
		"a footer is flipped":     func(t *testing.T, dir string) { flipBack(t, tables(t, dir)[0], 1) },
		"a checksum's length":     func(t *testing.T, dir string) { flipBack(t, tables(t, dir)[0], 4) },
		"an index is flipped":     func(t *testing.T, dir string) { flipBack(t, tables(t, dir)[0], 200) },
		"the manifest is cut":     func(t *testing.T, dir string) { truncate(t, filepath.Join(dir, "MANIFEST"), 3) },
		"the manifest is gone":    func(t *testing.T, dir string) { remove(t, filepath.Join(dir, "MANIFEST")) },
		"the state is gone":       func(t *testing.T, dir string) { remove(t, filepath.Join(dir, stateFile)) },
		"the state is garbage":    func(t *testing.T, dir string) { write(t, filepath.Join(dir, stateFile), "{") },
		"a block, not closed":     func(t *testing.T, dir string) { leaveOpen(t, dir); flip(t, tables(t, dir)[0], 5000, 4) },
		"first block, not closed": func(t *testing.T, dir string) { leaveOpen(t, dir); flip(t, tables(t, dir)[0], 10, 4) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := copyFolder(t, pristine)
			write(t, filepath.Join(dir, "notes.txt"), "not the store's")
			damage(t, dir)
			_, err := Open(t.Context(), dir, Options{})
			wantRebuild(t, err, FolderDamaged)
			if !strings.Contains(err.Error(), dir) {
				t.Errorf("the error doesn't name the place: %v", err)
			}
			if err := Drop(dir); err != nil {
				t.Fatal(err)
			}
			if _, err := os.Stat(filepath.Join(dir, "notes.txt")); err != nil {
				t.Error("Drop removed a file that isn't the store's")
			}
			s := open(t, dir, Options{})
			defer s.Close()
			if got := s.Stats().Total().Count; got != 0 {
				t.Errorf("%d records after Drop", got)
			}
			if _, err := s.Put(t.Context(), []Item{{Record: records[0], Class: ClassOwn}}); err != nil {
				t.Error(err)
			}
		})
	}
}

func remove(t *testing.T, name string) {
	t.Helper()
	if err := os.Remove(name); err != nil {
		t.Fatal(err)
	}
}

func truncate(t *testing.T, name string, size int64) {
	t.Helper()
	if err := os.Truncate(name, size); err != nil {
		t.Fatal(err)
	}
}

func write(t *testing.T, name, content string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func flipBack(t *testing.T, name string, back int64) {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	end, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		t.Fatal(err)
	}
	flip(t, name, end-back, 0x80)
}

// leaveOpen makes a folder look as if its process had died.
func leaveOpen(t *testing.T, dir string) {
	t.Helper()
	if err := writeState(dir, state{Schema: schema, Open: true}); err != nil {
		t.Fatal(err)
	}
}

// TestUnclosed opens the folder of a process that died: a copy made while the
// store is open.
func TestUnclosed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir, Options{})
	defer s.Close()
	w := newWorld(t, 3)
	m := newModel(Quota{})
	for range 30 {
		items := w.items(t)
		if _, err := s.Put(t.Context(), items); err != nil {
			t.Fatal(err)
		}
		m.put(items)
	}
	again := open(t, copyFolder(t, dir), Options{})
	defer again.Close()
	if again.Clean() {
		t.Error("a folder that wasn't closed is clean")
	}
	compareAll(t, again, m)
	if got, want := again.Stats(), m.stats(); got != want {
		t.Errorf("stats %+v, want %+v", got, want)
	}
	checkKeys(t, again)
	if err := again.Verify(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestSchemas(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, filepath.Join(dir, stateFile), fmt.Sprintf(`{"schema": %d}`, schema+1))
	_, err := Open(t.Context(), dir, Options{})
	if newer, ok := errors.AsType[*NewerSchemaError](err); !ok || newer.Found != schema+1 || newer.Known != schema {
		t.Fatalf("want a NewerSchemaError: %v", err)
	}
	if code := protocol.CodeOf(err); code != protocol.CodeUnsupportedFormat {
		t.Errorf("code %q", code)
	}
	older := RebuildError{Dir: dir, Reason: SchemaOlder}
	if !strings.Contains(older.Error(), "older schema") {
		t.Error(older.Error())
	}
}
