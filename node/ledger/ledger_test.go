package ledger

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"syscall"
	"testing"

	"github.com/parley-protocol/parley/node/fault"
	"github.com/parley-protocol/parley/protocol"
)

// open opens a ledger on a disk and closes it at the test's end.
func open(t *testing.T, d *fault.Disk) *Ledger {
	t.Helper()
	l, err := Open(home, Options{FS: d})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func texts(t *testing.T, l *Ledger, from uint64) []string {
	t.Helper()
	var got []string
	for e, err := range l.From(from) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, fmt.Sprintf("%d:%s", e.Seq, e.Payload))
	}
	return got
}

func TestAppendAndRead(t *testing.T) {
	d := fault.New()
	l := open(t, d)
	for i, batch := range [][]string{{"a"}, {"b", "", "c"}, {"d"}} {
		var payloads [][]byte
		for _, text := range batch {
			payloads = append(payloads, []byte(text))
		}
		first, err := l.Append(t.Context(), payloads...)
		if err != nil {
			t.Fatal(err)
		}
		if want := []uint64{1, 2, 5}[i]; first != want {
			t.Errorf("batch %d begins at %d, not %d", i, first, want)
		}
	}
	want := []string{"1:a", "2:b", "3:", "4:c", "5:d"}
	if got := texts(t, l, 1); !slices.Equal(got, want) {
		t.Errorf("reads %q", got)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	l = open(t, d)
	if got := texts(t, l, 1); !slices.Equal(got, want) {
		t.Errorf("reads %q after opening again", got)
	}
	if l.Len() != 5 {
		t.Errorf("Len is %d", l.Len())
	}
}

func TestFromFindsItsPlace(t *testing.T) {
	d := fault.New()
	l := open(t, d)
	payloads := slices.Repeat([][]byte{[]byte("x")}, 500)
	for range 6 {
		if _, err := l.Append(t.Context(), payloads...); err != nil {
			t.Fatal(err)
		}
	}
	check := func(l *Ledger) {
		t.Helper()
		for _, from := range []uint64{0, 1, 2, 1023, 1024, 1025, 2048, 2049, 2999, 3000, 3001, 9999} {
			want := 3001 - int(max(from, 1))
			got := texts(t, l, from)
			if len(got) != max(want, 0) {
				t.Errorf("from %d on there are %d entries", from, len(got))
			} else if want > 0 && got[0] != fmt.Sprintf("%d:x", max(from, 1)) {
				t.Errorf("from %d on the first is %s", from, got[0])
			}
		}
	}
	check(l)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	check(open(t, d))
}

func TestReadingSeesWhatWasThereAtItsStart(t *testing.T) {
	l := open(t, fault.New())
	if _, err := l.Append(t.Context(), []byte("a")); err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, err := range l.All() {
		if err != nil {
			t.Fatal(err)
		}
		if n++; n > 10 {
			break
		}
		if _, err := l.Append(t.Context(), []byte("b")); err != nil {
			t.Fatal(err)
		}
	}
	if n != 1 {
		t.Errorf("the loop saw %d entries", n)
	}
}

func TestOneRoundOfFsyncPerCommit(t *testing.T) {
	l := open(t, fault.New())
	for range 10 {
		if _, err := l.Append(t.Context(), []byte("a"), []byte("b")); err != nil {
			t.Fatal(err)
		}
	}
	if l.Syncs() != 10 {
		t.Errorf("10 commits took %d rounds", l.Syncs())
	}
	if _, err := l.Append(t.Context(), make([]byte, maxGroup)); err != nil {
		t.Fatal(err)
	}
	if l.Syncs() != 12 {
		t.Errorf("a large group took %d rounds", l.Syncs()-10)
	}
}

// gather queues n appends while nobody may commit, and returns what they gave.
func gather(t *testing.T, l *Ledger, n int) []error {
	t.Helper()
	l.turn <- struct{}{}
	errs := make([]error, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { _, errs[i] = l.Append(t.Context(), []byte{byte(i)}) })
	}
	waitQueued(l, n)
	<-l.turn
	wg.Wait()
	return errs
}

func waitQueued(l *Ledger, n int) {
	for queued := -1; queued != n; runtime.Gosched() {
		l.mu.Lock()
		queued = len(l.queue)
		l.mu.Unlock()
	}
}

func TestConcurrentAppendsShareACommit(t *testing.T) {
	l := open(t, fault.New())
	if err := errors.Join(gather(t, l, 50)...); err != nil {
		t.Fatal(err)
	}
	if l.Syncs() != 1 || l.Len() != 50 {
		t.Errorf("%d entries took %d rounds", l.Len(), l.Syncs())
	}
}

func TestAFailedFsyncStopsTheLedger(t *testing.T) {
	for _, file := range []string{logFile, markFile} {
		d := fault.New()
		l := open(t, d)
		if _, err := l.Append(t.Context(), []byte("before")); err != nil {
			t.Fatal(err)
		}
		d.Hook(func(op fault.Op) error {
			if op.Kind == fault.Sync && op.Path == file {
				return syscall.EIO
			}
			return nil
		})
		_, err := l.Append(t.Context(), []byte("during"))
		if !errors.Is(err, ErrUncertain) || !errors.Is(err, syscall.EIO) || protocol.CodeOf(err) != protocol.CodeInternal {
			t.Errorf("%s: the failed append gives %v", file, err)
		}
		d.Hook(nil)
		if _, err := l.Append(t.Context(), []byte("after")); !errors.Is(err, ErrStopped) {
			t.Errorf("%s: a later append gives %v", file, err)
		}
		if !errors.Is(l.Err(), ErrStopped) {
			t.Errorf("%s: Err is %v", file, l.Err())
		}
		if got := texts(t, l, 1); !slices.Equal(got, []string{"1:before"}) {
			t.Errorf("%s: reads %q", file, got)
		}
		// What the next start shows stays, although the kernel has dropped it.
		d = d.Kill()
		shown := texts(t, open(t, d), 1)
		d = d.PowerCut(nil)
		if got := texts(t, open(t, d), 1); !slices.Equal(got, shown) {
			t.Errorf("%s: shown were %q and after a power cut %q", file, shown, got)
		}
	}
}

func TestAFullDiskIsNotTheEnd(t *testing.T) {
	d := fault.New()
	l := open(t, d)
	if _, err := l.Append(t.Context(), []byte("before")); err != nil {
		t.Fatal(err)
	}
	d.Hook(func(op fault.Op) error {
		if op.Kind == fault.Write {
			return syscall.ENOSPC
		}
		return nil
	})
	if _, err := l.Append(t.Context(), bytes.Repeat([]byte{1}, 9999)); protocol.CodeOf(err) != protocol.CodeDiskFull || errors.Is(err, ErrUncertain) {
		t.Errorf("a full disk gives %v", err)
	}
	d.Hook(nil)
	if _, err := l.Append(t.Context(), []byte("after")); err != nil {
		t.Fatal(err)
	}
	l = open(t, d.PowerCut(nil))
	if got := texts(t, l, 1); !slices.Equal(got, []string{"1:before", "2:after"}) {
		t.Errorf("reads %q", got)
	}
}

func TestWhatAppendRefuses(t *testing.T) {
	l := open(t, fault.New())
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := l.Append(cancelled, []byte("a")); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled context gives %v", err)
	}
	if _, err := l.Append(t.Context()); protocol.CodeOf(err) != protocol.CodeUsage {
		t.Errorf("nothing gives %v", err)
	}
	if _, err := l.Append(t.Context(), make([]byte, MaxPayload+1)); protocol.CodeOf(err) != protocol.CodeTooLarge {
		t.Errorf("a large payload gives %v", err)
	}
	if _, err := l.Append(t.Context(), slices.Repeat([][]byte{make([]byte, MaxPayload)}, 17)...); protocol.CodeOf(err) != protocol.CodeTooLarge {
		t.Errorf("a large batch gives %v", err)
	}
	if l.Len() != 0 || l.Syncs() != 0 {
		t.Errorf("%d entries, %d rounds", l.Len(), l.Syncs())
	}
	if _, err := l.Append(t.Context(), make([]byte, MaxPayload)); err != nil {
		t.Errorf("the largest payload gives %v", err)
	}
}

func TestCancellingWhileWaiting(t *testing.T) {
	l := open(t, fault.New())
	l.turn <- struct{}{}
	ctx, cancel := context.WithCancel(t.Context())
	result := make(chan error)
	go func() {
		_, err := l.Append(ctx, []byte("a"))
		result <- err
	}()
	waitQueued(l, 1)
	cancel()
	if err := <-result; !errors.Is(err, context.Canceled) {
		t.Errorf("Append gives %v", err)
	}
	<-l.turn
	if _, err := l.Append(t.Context(), []byte("b")); err != nil {
		t.Fatal(err)
	}
	if got := texts(t, l, 1); !slices.Equal(got, []string{"1:b"}) {
		t.Errorf("reads %q", got)
	}
}

func TestClose(t *testing.T) {
	l := open(t, fault.New())
	if _, err := l.Append(t.Context(), []byte("a")); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(l.Close(), l.Close()); err != nil {
		t.Error(err)
	}
	if _, err := l.Append(t.Context(), []byte("b")); !errors.Is(err, ErrClosed) {
		t.Errorf("Append gives %v", err)
	}
	for _, err := range l.All() {
		if !errors.Is(err, ErrClosed) {
			t.Errorf("All gives %v", err)
		}
	}
}

func TestOnTheMachinesOwnDisk(t *testing.T) {
	dir := t.TempDir() + "/a/b"
	for i := range 3 {
		l, err := Open(dir, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if l.Len() != uint64(i) {
			t.Errorf("start %d finds %d entries", i, l.Len())
		}
		if _, err := l.Append(t.Context(), []byte("a")); err != nil {
			t.Fatal(err)
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
