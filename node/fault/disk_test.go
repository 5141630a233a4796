package fault

import (
	"bytes"
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"

	"pgregory.net/rapid"

	"github.com/parley-protocol/parley/node/ledger/disk"
)

// create makes a file with content, synced as far as it is told.
func create(t *testing.T, d *Disk, name, text string, content, folder bool) disk.File {
	t.Helper()
	f, err := d.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	write(t, f, text, 0)
	if content {
		fsync(t, f)
	}
	if folder {
		if err := d.SyncDir("/"); err != nil {
			t.Fatal(err)
		}
	}
	return f
}

func write(t *testing.T, f disk.File, text string, at int64) {
	t.Helper()
	if _, err := f.WriteAt([]byte(text), at); err != nil {
		t.Fatal(err)
	}
}

func fsync(t *testing.T, f disk.File) {
	t.Helper()
	if err := f.Sync(); err != nil {
		t.Fatal(err)
	}
}

// holds tells what a file has, "-" when it isn't there.
func holds(t *testing.T, d *Disk, name string) string {
	t.Helper()
	b, err := d.Content(name)
	if errors.Is(err, fs.ErrNotExist) {
		return "-"
	}
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// A power cut takes what wasn't synced: the content by its file, the name by its
// folder. A killed process takes nothing.
func TestWhatAPowerCutTakes(t *testing.T) {
	for _, c := range []struct {
		content, folder bool
		want            string
	}{
		{false, false, "-"}, {true, false, "-"}, {false, true, ""}, {true, true, "text"},
	} {
		d := New()
		create(t, d, "/f", "text", c.content, c.folder)
		d = d.Kill()
		if got := holds(t, d, "/f"); got != "text" {
			t.Errorf("%+v: after a kill there is %q", c, got)
		}
		if got := holds(t, d.PowerCut(nil), "/f"); got != c.want {
			t.Errorf("%+v: after a power cut there is %q, want %q", c, got, c.want)
		}
	}
}

func TestNamesComeBackWithoutASyncOfTheFolder(t *testing.T) {
	d := New()
	create(t, d, "/a", "old", true, true)
	create(t, d, "/new", "new", true, true)
	if err := d.Rename("/new", "/a"); err != nil {
		t.Fatal(err)
	}
	if cut := d.Copy(); holds(t, cut.PowerCut(nil), "/a") != "new" {
		t.Error("in a copy it isn't durable")
	}
	cut := d.PowerCut(nil)
	if holds(t, cut, "/a") != "old" || holds(t, cut, "/new") != "new" {
		t.Errorf("a rename that wasn't synced stays: %q, %q", holds(t, cut, "/a"), holds(t, cut, "/new"))
	}
	if err := cut.Remove("/a"); err != nil {
		t.Fatal(err)
	}
	if cut = cut.PowerCut(nil); holds(t, cut, "/a") != "old" {
		t.Error("a removal that wasn't synced stays")
	}
}

// After a sync that failed reading shows what was written, a second sync says
// that all is well, and a power cut takes it nevertheless.
func TestAFailedSyncIsNotMadeGood(t *testing.T) {
	d := New()
	f := create(t, d, "/f", "kept", true, true)
	write(t, f, "lost", 0)
	d.Hook(func(op Op) error {
		if op.Kind == Sync {
			return syscall.EIO
		}
		return nil
	})
	if err := f.Sync(); !errors.Is(err, syscall.EIO) {
		t.Fatalf("Sync gives %v", err)
	}
	d.Hook(nil)
	write(t, f, "!", 4)
	fsync(t, f)
	if got := holds(t, d, "/f"); got != "lost!" {
		t.Errorf("programs see %q", got)
	}
	if got := holds(t, d.PowerCut(nil), "/f"); got != "kept!" {
		t.Errorf("the disk has %q", got)
	}
}

func TestIgnoredSync(t *testing.T) {
	d := New()
	f := create(t, d, "/f", "", true, true)
	here, elsewhere := func() { fsync(t, f) }, func() { fsync(t, f) }
	write(t, f, "one", 0)
	before := d.SyncSites()
	here()
	sites := slices.DeleteFunc(d.SyncSites(), func(s string) bool { return slices.Contains(before, s) })
	if len(sites) != 1 || !strings.Contains(sites[0], "TestIgnoredSync") {
		t.Fatalf("the place is called %q", sites)
	}
	d.IgnoreSync(sites[0])
	write(t, f, "two", 0)
	here()
	if got := holds(t, d.Copy(), "/f"); got != "two" {
		t.Errorf("programs see %q", got)
	}
	elsewhere() // another place still syncs
	write(t, f, "xxx", 0)
	here()
	if got := holds(t, d.PowerCut(nil), "/f"); got != "two" {
		t.Errorf("the disk has %q", got)
	}
}

func TestStopAfter(t *testing.T) {
	d := New()
	d.StopAfter(2)
	f := create(t, d, "/f", "text", false, false)
	if err := f.Sync(); !errors.Is(err, ErrOff) {
		t.Errorf("Sync gives %v", err)
	}
	if _, err := d.OpenFile("/f", os.O_RDONLY, 0); !errors.Is(err, ErrOff) {
		t.Errorf("OpenFile gives %v", err)
	}
	if _, err := f.ReadAt(make([]byte, 1), 0); !errors.Is(err, ErrOff) {
		t.Errorf("ReadAt gives %v", err)
	}
	if d = d.Kill(); holds(t, d, "/f") != "text" || d.Ops() != 0 {
		t.Error("the next boot isn't fresh, or not on the same disk")
	}
}

func TestDamageIsDurable(t *testing.T) {
	d := New()
	create(t, d, "/f", "0123456789", true, true)
	if err := d.Poke("/f", 4, []byte("x")); err != nil {
		t.Fatal(err)
	}
	if got := holds(t, d.PowerCut(nil), "/f"); got != "0123x56789" {
		t.Errorf("there is %q", got)
	}
	d = New()
	f := create(t, d, "/f", "0123456789", false, true)
	if err := d.SetContent("/f", []byte("other")); err != nil {
		t.Fatal(err)
	}
	write(t, f, "more", 5)
	if got := holds(t, d.PowerCut(nil), "/f"); got != "other" {
		t.Errorf("there is %q", got)
	}
}

// TestTornContentIsExplained writes over pages of a synced file and cuts the
// power: every sector is as it was before or after one of the writes, but for a
// spoilt page at most.
func TestTornContentIsExplained(t *testing.T) {
	const pages = 4
	rapid.Check(t, func(t *rapid.T) {
		d := New()
		f, err := d.OpenFile("/f", os.O_CREATE|os.O_RDWR, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		before := bytes.Repeat([]byte{0xff}, pages*pageSize)
		_, err = f.WriteAt(before, 0)
		if err := errors.Join(err, f.Sync(), d.SyncDir("/")); err != nil {
			t.Fatal(err)
		}
		writes := rapid.IntRange(1, 3).Draw(t, "writes")
		for n := range writes {
			at := rapid.IntRange(0, len(before)-1).Draw(t, "at")
			b := bytes.Repeat([]byte{byte(n + 1)}, rapid.IntRange(1, len(before)-at).Draw(t, "length"))
			if _, err := f.WriteAt(b, int64(at)); err != nil {
				t.Fatal(err)
			}
		}
		seed := rapid.Uint64().Draw(t, "seed")
		cut := d.PowerCut(rand.New(rand.NewPCG(seed, 0)))
		got, err := cut.Content("/f")
		if err != nil || len(got) != len(before) {
			t.Fatalf("%d bytes, %v", len(got), err)
		}
		spoilt := 0
		for page := range pages {
			strange := false
			for _, x := range got[page*pageSize:][:pageSize] {
				strange = strange || x > byte(writes) && x != 0xff || x == 0
			}
			if strange {
				spoilt++
			}
		}
		if spoilt > 1 {
			t.Fatalf("%d pages hold what nobody wrote", spoilt)
		}
		if again, _ := cut.PowerCut(rand.New(rand.NewPCG(seed, 1))).Content("/f"); !bytes.Equal(again, got) {
			t.Fatal("what survived one cut doesn't survive the next")
		}
	})
}

// TestEveryOutcomeHappens: a tear that never tears would prove nothing.
func TestEveryOutcomeHappens(t *testing.T) {
	seen := map[string]int{}
	for seed := range uint64(200) {
		d := New()
		f := create(t, d, "/f", strings.Repeat("a", 2*pageSize), true, true)
		write(t, f, strings.Repeat("b", 2*pageSize), 0)
		create(t, d, "/g", "", false, false)
		cut := d.PowerCut(rand.New(rand.NewPCG(seed, 0)))
		switch got := holds(t, cut, "/f"); {
		case !strings.Contains(got, "b"):
			seen["nothing arrives"]++
		case !strings.Contains(got, "a"):
			seen["all arrives"]++
		default:
			seen["torn"]++
		}
		if strings.Trim(holds(t, cut, "/f"), "ab") != "" {
			seen["spoilt"]++
		}
		seen["a name "+map[bool]string{true: "is lost", false: "is kept"}[holds(t, cut, "/g") == "-"]]++
	}
	for _, what := range []string{"nothing arrives", "all arrives", "torn", "spoilt", "a name is lost", "a name is kept"} {
		if seen[what] < 5 {
			t.Errorf("%s %d times of 200: %v", what, seen[what], seen)
		}
	}
}

// TestAsPackageOS does the same to this disk and to the machine's own, and
// compares what is there and which errors come.
func TestAsPackageOS(t *testing.T) {
	real := t.TempDir()
	mem := New()
	steps := []func(d disk.FS, dir string) error{
		func(d disk.FS, dir string) error { return d.Mkdir(dir+"/sub", 0o700) },
		func(d disk.FS, dir string) error { return d.Mkdir(dir+"/sub", 0o700) },
		func(d disk.FS, dir string) error { return d.Mkdir(dir+"/none/sub", 0o700) },
		func(d disk.FS, dir string) error { return disk.Replace(d, dir+"/sub/f", []byte("one"), 0o600, "test") },
		func(d disk.FS, dir string) error {
			_, err := d.OpenFile(dir+"/sub/f", os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
			return err
		},
		func(d disk.FS, dir string) error { _, err := d.OpenFile(dir+"/sub/none", os.O_RDONLY, 0); return err },
		func(d disk.FS, dir string) error { return d.Rename(dir+"/sub/f", dir+"/sub/g") },
		func(d disk.FS, dir string) error { return d.Rename(dir+"/sub/f", dir+"/sub/g") },
		func(d disk.FS, dir string) error { return d.Remove(dir + "/sub/f") },
		func(d disk.FS, dir string) error { return d.SyncDir(dir + "/none") },
		func(d disk.FS, dir string) error {
			f, err := d.OpenFile(dir+"/sub/g", os.O_RDWR, 0)
			if err != nil {
				return err
			}
			_, err = f.WriteAt([]byte("far"), 10)
			return errors.Join(err, f.Truncate(12), f.Close())
		},
	}
	for i, step := range steps {
		want, got := step(disk.OS{}, real), step(mem, "")
		for _, kind := range []error{fs.ErrExist, fs.ErrNotExist} {
			if errors.Is(want, kind) != errors.Is(got, kind) || (want == nil) != (got == nil) {
				t.Errorf("step %d: %v here, %v there", i, got, want)
			}
		}
	}
	want, err := os.ReadFile(real + "/sub/g")
	if err != nil {
		t.Fatal(err)
	}
	if got := holds(t, mem, "/sub/g"); got != string(want) {
		t.Errorf("the file holds %q, not %q", got, want)
	}
	names, err := mem.ReadDir("/sub")
	if err != nil || len(names) != 1 || names[0].Name() != "g" {
		t.Errorf("the folder has %v, %v", names, err)
	}
}
