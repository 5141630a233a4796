package keyfile

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"syscall"
	"testing"

	"github.com/parley-protocol/parley/node/fault"
	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/spec/vectors/fuzzing"
)

func fileOn(d *fault.Disk) File {
	return File{FS: d, Path: "/keys/it", Magic: [8]byte{'P', 'A', 'R', 'L', 'E', 'Y', 'X', 'X'}, Limit: 1 << 16, Point: "it"}
}

func newDisk(t *testing.T) *fault.Disk {
	t.Helper()
	d := fault.New()
	if err := errors.Join(d.Mkdir("/keys", 0o700), d.SyncDir("/")); err != nil {
		t.Fatal(err)
	}
	return d
}

func mustRead(t *testing.T, f File, want string) Content {
	t.Helper()
	c, err := f.Read()
	if err != nil || string(c.Data) != want {
		t.Fatalf("Read gives %q, %v and not %q", c.Data, err, want)
	}
	return c
}

func TestOneSpoiltByteCostsNothing(t *testing.T) {
	d := newDisk(t)
	f := fileOn(d)
	if err := f.Write(7, []byte("a secret")); err != nil {
		t.Fatal(err)
	}
	whole, err := d.Content(f.Path)
	if err != nil {
		t.Fatal(err)
	}
	for which, path := range f.Paths() {
		for at := range whole {
			damaged := bytes.Clone(whole)
			damaged[at] ^= 1 << (at % 8)
			for _, content := range [][]byte{damaged, whole[:at]} {
				if err := d.SetContent(path, content); err != nil {
					t.Fatal(err)
				}
				c := mustRead(t, f, "a secret")
				if c.Whole() || c.Spoilt == nil || !strings.HasPrefix(c.Spoilt.Error(), path+":") {
					t.Fatalf("copy %d spoilt at byte %d: %v isn't named", which, at, c.Spoilt)
				}
				if err := f.Mend(c); err != nil {
					t.Fatal(err)
				}
				if c := mustRead(t, f, "a secret"); !c.Whole() || c.Spoilt != nil || c.Serial != 7 {
					t.Fatalf("after mending: %+v", c)
				}
			}
		}
		if err := d.Remove(path); err != nil {
			t.Fatal(err)
		}
		c := mustRead(t, f, "a secret")
		if c.Spoilt == nil {
			t.Error("a missing copy isn't named")
		}
		if err := f.Mend(c); err != nil {
			t.Fatal(err)
		}
	}
	for _, path := range f.Paths() {
		if err := d.SetContent(path, whole[1:]); err != nil {
			t.Fatal(err)
		}
	}
	_, err = f.Read()
	if protocol.CodeOf(err) != protocol.CodeDamaged || !strings.Contains(err.Error(), f.Path) {
		t.Errorf("both copies spoilt give %v", err)
	}
}

func TestALaterVersionIsLeftAlone(t *testing.T) {
	d := newDisk(t)
	f := fileOn(d)
	if err := f.Write(1, []byte("x")); err != nil {
		t.Fatal(err)
	}
	whole, err := d.Content(f.Path)
	if err != nil {
		t.Fatal(err)
	}
	whole[9] = Version + 1
	if err := d.SetContent(f.Path, resum(whole)); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Read(); protocol.CodeOf(err) != protocol.CodeUnsupportedFormat {
		t.Errorf("a later version gives %v", err)
	}
}

// Power cuts between any two operations of a writing leave the old content or
// the new, and once Write has returned, the new alone; the old bytes are in no
// file then.
func TestPowerCuts(t *testing.T) {
	if err := survive(""); err != nil {
		t.Fatal(err)
	}
}

func TestEveryFsyncIsNeeded(t *testing.T) {
	d := newDisk(t)
	sites := map[string]bool{}
	for _, site := range d.SyncSites() {
		sites[site] = true
	}
	for serial := range uint64(2) {
		if err := write(d, serial, "x"); err != nil {
			t.Fatal(err)
		}
	}
	for _, site := range d.SyncSites() {
		if sites[site] || strings.Contains(site, "Wipe") {
			continue // the test's own; and wiping is for the raw disk, which no file shows
		}
		if err := survive(site); err == nil {
			t.Errorf("nothing goes wrong without %s", site)
		} else {
			t.Logf("%s: %v", site, err)
		}
	}
}

func write(d *fault.Disk, serial uint64, content string) error {
	return fileOn(d).Write(serial, []byte(content))
}

// survive cuts the power at every operation of a writing, and returns the first
// violation.
func survive(mutant string) error {
	const before, after = "the old secret", "the new secret, which is longer"
	for n := range 40 {
		for variant := range 10 {
			d := fault.New()
			if err := errors.Join(d.Mkdir("/keys", 0o700), d.SyncDir("/"), fileOn(d).Write(1, []byte(before))); err != nil {
				return err
			}
			d.IgnoreSync(mutant)
			d.StopAfter(n)
			wrote := write(d, 2, after) == nil
			switch variant {
			case 0:
				d = d.Kill()
			case 1:
				d = d.PowerCut(nil)
			default:
				d = d.PowerCut(rand.New(rand.NewPCG(uint64(n), uint64(variant))))
			}
			f := fileOn(d)
			c, err := f.Read()
			if err != nil {
				return fmt.Errorf("cut at %d, variant %d: %w", n, variant, err)
			}
			got := string(c.Data)
			if got != before && got != after || wrote && got != after {
				return fmt.Errorf("cut at %d, variant %d: %q, written: %v", n, variant, got, wrote)
			}
			if err := errors.Join(f.Mend(c), d.SyncDir("/keys")); err != nil {
				return err
			}
			d = d.PowerCut(nil)
			if c, err = fileOn(d).Read(); err != nil || string(c.Data) != got || !c.Whole() {
				return fmt.Errorf("cut at %d, variant %d: the copies aren't whole after mending: %w", n, variant, err)
			}
			for _, name := range []string{"it", "it.copy", "it.tmp", "it.copy.tmp"} {
				content, err := d.Content("/keys/" + name)
				if err == nil && got == after && bytes.Contains(content, []byte(before)) {
					return fmt.Errorf("cut at %d, variant %d: the old secret is still in %s", n, variant, name)
				}
			}
		}
	}
	return nil
}

func TestAFullDiskChangesNothing(t *testing.T) {
	for allowed := range 2 { // full at the first copy, or at the second
		d := newDisk(t)
		f := fileOn(d)
		if err := f.Write(1, []byte("old")); err != nil {
			t.Fatal(err)
		}
		writes := 0
		d.Hook(func(op fault.Op) error {
			if op.Kind == fault.Write && strings.HasSuffix(op.Path, ".tmp") {
				if writes++; writes > allowed {
					return syscall.ENOSPC
				}
			}
			return nil
		})
		if err := f.Write(2, []byte("new")); protocol.CodeOf(err) != protocol.CodeDiskFull {
			t.Fatalf("a full disk gives %v", err)
		}
		d.Hook(nil)
		if c := mustRead(t, f, "old"); !c.Whole() {
			t.Error("one of the copies has changed")
		}
		entries, err := d.ReadDir("/keys")
		if err != nil || len(entries) != 2 {
			t.Errorf("%v left behind, %v", entries, err)
		}
	}
}

func FuzzFrame(f *testing.F) {
	file := fileOn(nil)
	whole := file.wrap(3, []byte("content"))
	f.Add(whole, false)
	f.Add(whole, true)
	f.Add(whole[:50], false)
	f.Add([]byte{}, true)
	f.Fuzz(func(t *testing.T, data []byte, sum bool) {
		if sum {
			data = resum(data)
		}
		var c Content
		var err error
		fuzzing.Bounded(t, len(data), func() { c, err = file.unwrap(data) })
		if err != nil || c.Version == 1 {
			return
		}
		if !bytes.Equal(file.wrap(c.Serial, c.Data), data) {
			t.Fatalf("%x is read as another content", data)
		}
	})
}

// resum gives bytes a right checksum in place of their last ones.
func resum(data []byte) []byte {
	body := data[:max(0, len(data)-sha256.Size)]
	sum := sha256.Sum256(body)
	return append(bytes.Clone(body), sum[:]...)
}
