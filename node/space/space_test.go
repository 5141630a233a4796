package space

import (
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/parley-protocol/parley/protocol"
)

const gib = 1 << 30

// disk is a disk of a given size with so much free.
type disk struct {
	free, total atomic.Uint64
	broken      atomic.Bool
}

func (d *disk) measure(string) (free, total uint64, err error) {
	if d.broken.Load() {
		return 0, 0, errors.New("no such disk")
	}
	return d.free.Load(), d.total.Load(), nil
}

func newDisk(total, free uint64) *disk {
	d := &disk{}
	d.total.Store(total)
	d.free.Store(free)
	return d
}

// The order in which things end is the same on every disk, and there is a
// reserve on all.
func TestReserve(t *testing.T) {
	for _, total := range []uint64{16 << 20, 256 << 20, gib, 4 * gib, 1 << 43} {
		foreign, own, view := Reserve(total, Foreign), Reserve(total, Own), Reserve(total, View)
		if foreign <= own || own <= view || view < leastReserve || view > mostReserve {
			t.Errorf("of %d bytes: %d, %d, %d", total, foreign, own, view)
		}
	}
	if got := Reserve(gib, Foreign); got != 320<<20 {
		t.Errorf("strangers end at %d bytes of a GiB", got)
	}
}

func TestCheck(t *testing.T) {
	d := newDisk(gib, gib)
	w := New("/home/shop", Options{Measure: d.measure})
	for _, c := range []struct {
		free    uint64
		refused string
	}{
		{gib, ""}, {320 << 20, ""}, {320<<20 - 1, "foreign"}, {160 << 20, "foreign"},
		{160<<20 - 1, "foreign own"}, {128<<20 - 1, "foreign own view"}, {0, "foreign own view"},
	} {
		d.free.Store(c.free)
		var refused []string
		for _, use := range []Use{Foreign, Own, View} {
			err := w.For(use)()
			if err == nil {
				continue
			}
			refused = append(refused, use.String())
			e, ok := errors.AsType[*protocol.Error](err)
			if !ok || e.Code != protocol.CodeDiskFull || !strings.Contains(e.Detail, "/home/shop") || !strings.Contains(e.Hint, "MB") {
				t.Errorf("%v", err)
			}
		}
		if got := strings.Join(refused, " "); got != c.refused {
			t.Errorf("with %d free it refuses %q", c.free, got)
		}
	}
	d.broken.Store(true)
	if err := w.Check(Foreign); err != nil || w.State().Err == nil {
		t.Errorf("a disk that can't be measured: %v", err)
	}
}

func TestWatchTellsOfRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDisk(gib, 0)
		var freed atomic.Int32
		w := New("/", Options{Measure: d.measure, Freed: func() { freed.Add(1) }})
		if err := w.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		defer w.Close()
		for _, step := range []struct {
			free uint64
			want int32
		}{{0, 0}, {100 << 20, 0}, {200 << 20, 1}, {gib / 2, 2}, {gib, 2}, {0, 2}, {gib, 3}} {
			d.free.Store(step.free)
			time.Sleep(2 * time.Second)
			if got := freed.Load(); got != step.want {
				t.Errorf("with %d free it has told %d times, not %d", step.free, got, step.want)
			}
		}
	})
}

func TestMeasure(t *testing.T) {
	free, total, err := Measure(t.TempDir())
	if err != nil || total == 0 || free > total {
		t.Errorf("%d of %d bytes are free, %v", free, total, err)
	}
	if _, _, err := Measure(t.TempDir() + "/none"); err == nil {
		t.Error("a folder that isn't there can be measured")
	}
}
