package spool

import (
	"errors"
	"syscall"
	"testing"

	"github.com/parley-protocol/parley/node/fault"
	"github.com/parley-protocol/parley/protocol"
)

// Without room nothing is written, and with it again all goes on; what is there
// can be read and removed throughout.
func TestPutAsksForRoom(t *testing.T) {
	var full error
	d := fault.New()
	s, err := Open(home, Limits{}, WithFS(d), WithRoom(func() error { return full }))
	if err != nil {
		t.Fatal(err)
	}
	for n := range 3 {
		full = nil
		if n == 1 {
			full = errors.New("no room")
		}
		before := d.Ops()
		id, blob := blobOf(n)
		if _, err := s.Put(t.Context(), "aa", id, blob, now.AddDate(10, 0, 0)); !errors.Is(err, full) {
			t.Errorf("Put gives %v", err)
		}
		if full != nil && d.Ops() != before {
			t.Error("something was written")
		}
	}
	full = errors.New("no room")
	id, _ := blobOf(0)
	if _, err := s.Get(t.Context(), "aa", id); err != nil {
		t.Error(err)
	}
	if err := s.Delete("aa", id); err != nil {
		t.Error(err)
	}
}

// A name for which the disk has no room leaves nothing behind, and is no reason
// to stop: the next blob is taken once there is room.
func TestAFullDiskAtTheRename(t *testing.T) {
	d := fault.New()
	s := open(t, d, Limits{})
	d.Hook(func(op fault.Op) error {
		if op.Kind == fault.Rename {
			return syscall.ENOSPC
		}
		return nil
	})
	id, blob := blobOf(1)
	if _, err := s.Put(t.Context(), "aa", id, blob, later); protocol.CodeOf(err) != protocol.CodeDiskFull {
		t.Errorf("Put gives %v", err)
	}
	d.Hook(nil)
	if left, err := d.ReadDir(home + "/" + shardName(id[0])); err != nil || len(left) != 0 {
		t.Errorf("%d files are left, %v", len(left), err)
	}
	put(t, s, "aa", 1)
	if u := s.Usage(); u.Blobs != 1 || s.bytes != u.Bytes {
		t.Errorf("usage %+v, counted %d", u, s.bytes)
	}
}
