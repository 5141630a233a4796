package home_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/parley-protocol/parley/node/home"
	"github.com/parley-protocol/parley/protocol"
)

func TestDefault(t *testing.T) {
	t.Setenv("PARLEY_HOME", "/srv/shop")
	if h, err := home.Default(); err != nil || h.Dir != "/srv/shop" {
		t.Errorf("%v, %v", h, err)
	}
	t.Setenv("PARLEY_HOME", "")
	t.Setenv("XDG_DATA_HOME", "/data")
	if h, err := home.Default(); err != nil || h.Dir != filepath.Join("/data", "parley") {
		t.Errorf("%v, %v", h, err)
	}
}

// A path that no socket could have gets one elsewhere, the same each time and
// another for each home.
func TestSocketOfLongPaths(t *testing.T) {
	t.Setenv("XDG_RUNTIME_DIR", t.TempDir()[:5])
	long := home.Home{Dir: "/" + strings.Repeat("long/", 40)}
	other := home.Home{Dir: long.Dir + "er"}
	if got := long.Socket(); len(got) > 100 || got != long.Socket() || got == other.Socket() {
		t.Errorf("%q and %q", got, other.Socket())
	}
	short := home.Home{Dir: "/srv/shop"}
	if got := short.Socket(); got != filepath.Join("/srv/shop", "api.sock") {
		t.Errorf("%q", got)
	}
}

//spec:shows KEY-11
func TestLock(t *testing.T) {
	h, err := home.At(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	unlock, err := h.Lock()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.Lock(); protocol.CodeOf(err) != protocol.CodeLocked {
		t.Errorf("a second lock: %v", err)
	}
	unlock()
	again, err := h.Lock()
	if err != nil {
		t.Fatalf("after unlocking: %v", err)
	}
	again()
}

func TestExplain(t *testing.T) {
	for cause, want := range map[error]protocol.Code{
		syscall.ENOSPC:   protocol.CodeDiskFull,
		syscall.EROFS:    protocol.CodeReadOnly,
		syscall.ENOTDIR:  protocol.CodeReadOnly,
		fs.ErrPermission: protocol.CodeReadOnly,
		fs.ErrInvalid:    protocol.CodeInternal,
		nil:              "",
	} {
		err := home.Explain(cause, "/srv/shop")
		if got := protocol.CodeOf(err); got != want || cause != nil && !errors.Is(err, cause) {
			t.Errorf("%v: %v", cause, err)
		}
	}
}

func TestCreateBelowAFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := (home.Home{Dir: filepath.Join(file, "shop")}).Create(); protocol.CodeOf(err) != protocol.CodeReadOnly {
		t.Errorf("%v", err)
	}
}

// A copy of a home is another node to the network; a home that is moved is not.
func TestTransportSeed(t *testing.T) {
	dir := t.TempDir()
	folder := func(name string) home.Home {
		h, err := home.At(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(h.Keys(), 0o700); err != nil {
			t.Fatal(err)
		}
		return h
	}
	first, second, kept := folder("first"), folder("second"), [32]byte{7}
	seed := first.TransportSeed(kept)
	if seed == kept || seed == first.TransportSeed([32]byte{8}) {
		t.Error("the seed isn't made of the one that is kept")
	}
	if seed == second.TransportSeed(kept) {
		t.Error("two folders have one seed")
	}
	if seed != first.TransportSeed(kept) {
		t.Error("the seed changes by itself")
	}
	if runtime.GOOS == "windows" {
		return
	}
	if err := os.Rename(first.Dir, filepath.Join(dir, "moved")); err != nil {
		t.Fatal(err)
	}
	if seed != (home.Home{Dir: filepath.Join(dir, "moved")}).TransportSeed(kept) {
		t.Error("a folder that was moved has another seed")
	}
}
