package ledger

import (
	"errors"
	"testing"

	"github.com/parley-protocol/parley/node/fault"
)

// Without room nothing is written, and with it again all goes on.
func TestAppendAsksForRoom(t *testing.T) {
	var full error
	d := fault.New()
	l, err := Open(home, Options{FS: d, Room: func() error { return full }})
	if err != nil {
		t.Fatal(err)
	}
	for _, full = range []error{nil, errors.New("no room"), nil} {
		before := d.Ops()
		if _, err := l.Append(t.Context(), []byte("entry")); !errors.Is(err, full) {
			t.Errorf("Append gives %v", err)
		}
		if full != nil && d.Ops() != before {
			t.Error("something was written")
		}
	}
	if l.Len() != 2 || l.Err() != nil {
		t.Errorf("%d entries, %v", l.Len(), l.Err())
	}
}
