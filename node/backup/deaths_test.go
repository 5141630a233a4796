package backup_test

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/parley-protocol/parley/crypto"
	"github.com/parley-protocol/parley/node/backup"
	"github.com/parley-protocol/parley/node/book"
	"github.com/parley-protocol/parley/node/fault"
	"github.com/parley-protocol/parley/node/home"
	"github.com/parley-protocol/parley/node/keyring"
	"github.com/parley-protocol/parley/node/ledger"
	"github.com/parley-protocol/parley/node/ledger/disk"
	"github.com/parley-protocol/parley/node/spool"
	"github.com/parley-protocol/parley/protocol"
)

// machine restores one backup onto disks in memory.
type machine struct {
	t    *testing.T
	file []byte
	root crypto.Root
	want string // what the book of it says
}

// small is a backup with a little of everything.
func small(t *testing.T) machine {
	t.Helper()
	root := words(t)
	n, _ := filled(t, root, 3)
	defer n.close()
	return machine{t, n.write(t, recipient(t, root)), root, digest(n.book)}
}

const (
	place  = "/srv/parley"
	config = "listen = []\n"
)

func (m machine) restore(d *fault.Disk) error {
	h := home.Home{Dir: place}
	_, err := backup.Restore(m.t.Context(), bytes.NewReader(m.file), backup.Target{Home: h, Root: m.root, Now: time.Unix(1, 0), FS: d,
		Finish: func() error { return disk.Replace(d, h.Config(), []byte(config), 0o600, "config") }})
	return err
}

// clearing counts the steps that a restore takes on a disk until it has removed
// what an earlier one left, the last one excluded.
func (m machine) clearing(d *fault.Disk) (steps int) {
	n := 0
	d.Hook(func(op fault.Op) error {
		if op.Kind == fault.Remove && op.Path == place+"/restoring" {
			steps = n
		}
		n++
		return nil
	})
	if err := m.restore(d); err != nil {
		m.t.Fatal(err)
	}
	return steps
}

// look says what there is on a disk: a home, which must be whole, or none.
func (m machine) look(when string, d *fault.Disk) (isHome bool) {
	t := m.t
	t.Helper()
	h := home.Home{Dir: place}
	there, err := keyring.Exists(h.Keys(), keyring.Options{FS: d})
	if err != nil {
		t.Fatalf("%s: %v", when, err)
	}
	if !there {
		return false
	}
	if text, err := d.Content(h.Config()); err != nil || string(text) != config {
		t.Errorf("%s: a home whose configuration is %q, %v", when, text, err)
	}
	keys, err := keyring.Open(h.Keys(), keyring.Options{FS: d, Pool: 4})
	if err != nil {
		t.Fatalf("%s: a home without keys: %v", when, err)
	}
	defer keys.Close()
	if err := keys.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	l, err := ledger.Open(h.Ledger(), ledger.Options{FS: d})
	if err != nil {
		t.Fatalf("%s: a home without a ledger: %v", when, err)
	}
	defer l.Close()
	in, err := spool.Open(h.Inbox(), spool.Limits{}, spool.WithFS(d))
	if err != nil {
		t.Fatalf("%s: a home without an inbox: %v", when, err)
	}
	defer in.Close()
	b, err := book.Open(t.Context(), l, in, keys, func(book.Change) {})
	if err != nil {
		t.Fatalf("%s: a home without a book: %v", when, err)
	}
	if got := digest(b); got != m.want {
		t.Errorf("%s: a home with a part:\n%s\nof\n%s", when, got, m.want)
	}
	for _, id := range b.Seeds() {
		if _, err := keys.Get(id); err != nil {
			t.Errorf("%s: a sealing seed is missing: %v", when, err)
		}
	}
	if b.RestoredAt() != 1 {
		t.Errorf("%s: a home that doesn't know that it was restored", when)
	}
	return true
}

// ends are the ways in which a process may end at a step. Of many steps the usual
// run takes one way each, and each way with the last ones; PARLEY_SOAK=1 takes all.
func ends(step, of int) map[string]func(*fault.Disk) *fault.Disk {
	all := map[string]func(*fault.Disk) *fault.Disk{
		"killed":         (*fault.Disk).Kill,
		"cut off":        func(d *fault.Disk) *fault.Disk { return d.PowerCut(nil) },
		"cut off midway": func(d *fault.Disk) *fault.Disk { return d.PowerCut(rand.New(rand.NewPCG(1, uint64(step)))) },
	}
	if os.Getenv("PARLEY_SOAK") == "1" || step >= of-16 {
		return all
	}
	name := []string{"killed", "cut off", "cut off midway"}[step%len(all)]
	return map[string]func(*fault.Disk) *fault.Disk{name: all[name]}
}

// A restore that ends at any of its steps, by the death of its process or by a
// power cut, leaves no home, or the whole one; run again it ends with the whole
// one, also where it ends once more.
//
//spec:shows BAK-8
func TestRestoreThatDies(t *testing.T) {
	m := small(t)
	d := fault.New()
	if err := m.restore(d); err != nil {
		t.Fatal("without a fault: ", err)
	}
	steps, homes := d.Ops(), 0
	if !m.look("undisturbed", d) {
		t.Fatal("without a fault there is no home")
	}
	if cut := d.PowerCut(nil); !m.look("power cut after the end", cut) {
		t.Error("a restore that has ended doesn't outlive a power cut")
	}
	for n := range steps {
		for name, after := range ends(n, steps) {
			d := fault.New()
			d.StopAfter(n)
			if err := m.restore(d); err == nil {
				t.Errorf("%s at step %d it has ended well", name, n)
			}
			d = after(d)
			if m.look(name, d) {
				homes++
				if err := m.restore(d); protocol.CodeOf(err) != protocol.CodeNotPermitted {
					t.Errorf("%s at step %d: over a whole home: %v", name, n, err)
				}
				continue
			}
			// And once more: while the ruins are cleared away, often when their mark goes.
			clearing := m.clearing(d.Copy())
			if again := clearing + n/3%2; n%4 < 2 {
				d.StopAfter(again)
			} else {
				d.StopAfter(n % (clearing + 9))
			}
			if err := m.restore(d); err == nil {
				t.Errorf("%s at step %d and again it has ended well", name, n)
			}
			if d = after(d); m.look(name+" twice", d) {
				continue
			}
			if err := m.restore(d); err != nil {
				t.Fatalf("%s at step %d, run again: %v", name, n, err)
			}
			if !m.look(name+" and run again", d) || !m.look(name+" and cut off after the end", d.PowerCut(nil)) {
				t.Fatalf("%s at step %d: run again there is no home", name, n)
			}
		}
	}
	if homes == 0 {
		t.Error("no death came after the last step: the test stops too early")
	}
	t.Logf("%d steps", steps)
}

// Without room a restore says so, wherever it runs out, and leaves nothing
// behind; with room again it ends well.
func TestRestoreOnAFullDisk(t *testing.T) {
	m := small(t)
	d := fault.New()
	if err := m.restore(d); err != nil {
		t.Fatal(err)
	}
	steps, stride := d.Ops(), 3
	if os.Getenv("PARLEY_SOAK") == "1" {
		stride = 1
	}
	for n := 0; n < steps; n += stride {
		d := fault.New()
		left, full := n, false
		d.Hook(func(op fault.Op) error {
			switch op.Kind {
			case fault.Write, fault.Create, fault.Mkdir, fault.Rename, fault.Sync:
				if left--; left < 0 {
					full = true
					return syscall.ENOSPC
				}
			}
			return nil
		})
		err := m.restore(d)
		d.Hook(nil)
		if !full {
			if err != nil {
				t.Fatalf("with room for all: %v", err)
			}
			break
		}
		e, ok := errors.AsType[*protocol.Error](err)
		if !ok || e.Code != protocol.CodeDiskFull || e.Hint == "" {
			t.Fatalf("full at step %d: %v", n, err)
		}
		if m.look("full", d) {
			t.Fatalf("full at step %d: there is a home", n)
		}
		if _, err := d.Stat(place); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("full at step %d: something is left: %v", n, err)
		}
		if err := m.restore(d); err != nil || !m.look("full, and room again", d) {
			t.Fatalf("full at step %d, and room again: %v", n, err)
		}
	}
}

// A backup that ends at any of its steps leaves the one before it under its name,
// or the new one, whole; without room it says so and takes none.
func TestBackupThatDies(t *testing.T) {
	root := words(t)
	n, _ := filled(t, root, 3)
	defer n.close()
	src := backup.Source{Keys: n.keys, Book: n.book, InUse: n.book.Seeds, Now: time.Unix(1, 0)}
	const name = "/backups/parley.age"
	save := func(d *fault.Disk, src backup.Source) error {
		return disk.ReplaceWith(d, name+".part", name, 0o600, "save", func(w io.Writer) error {
			return backup.Write(t.Context(), w, src, recipient(t, root))
		})
	}
	// of is whose backup there is, by its time; 0: none.
	of := func(when string, d *fault.Disk) int64 {
		t.Helper()
		file, err := d.Content(name)
		if errors.Is(err, fs.ErrNotExist) {
			return 0
		}
		if err != nil {
			t.Fatal(err)
		}
		out, err := backup.Restore(t.Context(), bytes.NewReader(file), backup.Target{Home: home.Home{Dir: place}, Root: root, Now: time.Unix(1, 0), FS: fault.New()})
		if err != nil {
			t.Fatalf("%s there is something that is no backup: %v", when, err)
		}
		return out.At
	}
	empty := func() *fault.Disk {
		d := fault.New()
		if err := disk.MakeDir(d, "/backups", 0o700); err != nil {
			t.Fatal(err)
		}
		return d
	}
	d := empty()
	before := d.Ops()
	if err := save(d, src); err != nil {
		t.Fatal(err)
	}
	if of("power cut after the end", d.PowerCut(nil)) != 1 {
		t.Error("a backup that was saved doesn't outlive a power cut")
	}
	steps := d.Ops() - before
	later := src
	later.Now = time.Unix(2, 0)
	for k := range steps {
		for name, after := range ends(k, k) {
			for _, first := range []bool{true, false} {
				d := empty()
				if !first {
					if err := save(d, src); err != nil {
						t.Fatal(err)
					}
				}
				d.StopAfter(k)
				if err := save(d, later); err == nil {
					t.Errorf("%s at step %d it has ended well", name, k)
				}
				d = after(d)
				if got := of(name, d); got == 0 && !first || got == 1 && first {
					t.Errorf("%s at step %d: there is the backup %d", name, k, got)
				}
				if err := save(d, later); err != nil || of(name+" and again", d) != 2 {
					t.Errorf("%s at step %d, run again: %v", name, k, err)
				}
			}
		}
		d := empty()
		if err := save(d, src); err != nil {
			t.Fatal(err)
		}
		left := k
		d.Hook(func(op fault.Op) error {
			if left--; left < 0 && op.Kind != fault.Remove && op.Kind != fault.SyncDir {
				return syscall.ENOSPC
			}
			return nil
		})
		err := save(d, later)
		d.Hook(nil)
		if err == nil {
			continue // what was left takes no room
		}
		if !errors.Is(err, syscall.ENOSPC) || of("full", d) != 1 {
			t.Errorf("full at step %d: %v", k, err)
		}
		if names, err := d.ReadDir("/backups"); err != nil || len(names) != 1 {
			t.Errorf("full at step %d: %v, %v", k, names, err)
		}
	}
	t.Logf("%d steps", steps)
}
