package store

import (
	"errors"
	"os"
	"testing"

	"github.com/parley-protocol/parley/protocol"
)

// Without room nothing that writes is begun, not even closing; reading goes on,
// and so does everything once there is room.
func TestRoom(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var full error
	room := Options{Room: func() error { return full }}
	noRoom := protocol.Errorf(protocol.CodeDiskFull, "", "no room")
	s := open(t, dir, room)
	w := newWorld(t, 7)
	m := newModel(Quota{})
	items := w.items(t)
	if _, err := s.Put(t.Context(), items); err != nil {
		t.Fatal(err)
	}
	m.put(items)

	full = noRoom
	if _, err := s.Put(t.Context(), w.items(t)); !errors.Is(err, noRoom) {
		t.Errorf("Put gives %v", err)
	}
	if _, err := s.Delete(t.Context(), items[0].Record.ID()); !errors.Is(err, noRoom) {
		t.Errorf("Delete gives %v", err)
	}
	if _, err := s.Expire(t.Context(), now+1e9); !errors.Is(err, noRoom) {
		t.Errorf("Expire gives %v", err)
	}
	compareAll(t, s, m)
	before, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if after, err := os.ReadDir(dir); err != nil || len(after) != len(before) {
		t.Errorf("closing left %d files where there were %d, %v", len(after), len(before), err)
	}
	if _, err := Open(t.Context(), dir, room); protocol.CodeOf(err) != protocol.CodeDiskFull {
		t.Errorf("Open gives %v", err)
	}

	full = nil
	s = open(t, copyFolder(t, dir), room) // a copy: the first one's files are still mapped
	defer s.Close()
	if s.Clean() {
		t.Error("a folder that wasn't closed is clean")
	}
	compareAll(t, s, m)
	more := w.items(t)
	if _, err := s.Put(t.Context(), more); err != nil {
		t.Fatal(err)
	}
	m.put(more)
	compareAll(t, s, m)
}
