package ledger

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"syscall"
	"testing"

	"github.com/parley-protocol/parley/node/fault"
)

const home = "/home/ledger"

// A world drives one ledger through boots, crashes and power cuts and knows
// what it may never lose.
type world struct {
	disk *fault.Disk
	rng  *rand.Rand

	mu     sync.Mutex
	kept   [][]byte         // what has been seen or acknowledged, by sequence number - 1; nil where neither
	sent   map[uint64][]int // batches that were ever begun: number -> sizes of their payloads
	failed map[uint64]bool  // batches whose Append said that they weren't stored
	batch  uint64           // number of the newest batch
}

func newWorld(seed uint64, mutant string) *world {
	w := &world{
		disk:   fault.New(),
		rng:    rand.New(rand.NewPCG(seed, 7)),
		sent:   map[uint64][]int{},
		failed: map[uint64]bool{},
	}
	w.disk.IgnoreSync(mutant)
	return w
}

// payload says which batch it is of, where in it it stands, and fills up with
// bytes that depend on both.
func payload(batch uint64, i, n, size int) []byte {
	b := binary.BigEndian.AppendUint64(nil, batch)
	b = append(b, byte(i), byte(n))
	filler := sha256.Sum256(b)
	for len(b) < size {
		b = append(b, filler[:min(len(filler), size-len(b))]...)
	}
	return b
}

// newBatch draws a batch: mostly small, sometimes too large for the mark's copy.
func (w *world) newBatch() (number uint64, payloads [][]byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var sizes []int
	for range 1 + w.rng.IntN(3) {
		size := 10 + w.rng.IntN(300)
		switch w.rng.IntN(40) {
		case 0:
			size = 150 << 10
		case 1, 2, 3, 4:
			size = w.rng.IntN(9000)
		}
		sizes = append(sizes, max(size, 10))
	}
	return w.batchOf(sizes)
}

// batchOf makes a batch of given sizes. The caller holds mu.
func (w *world) batchOf(sizes []int) (number uint64, payloads [][]byte) {
	w.batch++
	for i, size := range sizes {
		payloads = append(payloads, payload(w.batch, i, len(sizes), size))
	}
	w.sent[w.batch] = sizes
	return w.batch, payloads
}

// ack records that a batch is durable from a sequence number on.
func (w *world) ack(first uint64, payloads [][]byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i, p := range payloads {
		at := int(first) - 1 + i
		for len(w.kept) <= at {
			w.kept = append(w.kept, nil)
		}
		w.kept[at] = p
	}
}

// see compares an opened ledger with what it may not have lost, and takes over
// what it shows: that must not vanish either.
func (w *world) see(l *Ledger) error {
	var got [][]byte
	for e, err := range l.All() {
		if err != nil {
			return fmt.Errorf("reading: %w", err)
		}
		if e.Seq != uint64(len(got)+1) {
			return fmt.Errorf("entry %d has the number %d", len(got)+1, e.Seq)
		}
		got = append(got, e.Payload)
	}
	if uint64(len(got)) != l.Len() {
		return fmt.Errorf("%d entries and Len is %d", len(got), l.Len())
	}
	for i, p := range w.kept {
		if i >= len(got) {
			return fmt.Errorf("entry %d of %d that were acknowledged is lost", i+1, len(w.kept))
		}
		if p != nil && string(p) != string(got[i]) {
			return fmt.Errorf("entry %d is another one than was acknowledged", i+1)
		}
	}
	for i := 0; i < len(got); {
		batch := binary.BigEndian.Uint64(got[i])
		n := int(got[i][9])
		if w.failed[batch] {
			return fmt.Errorf("entry %d is of batch %d, which was reported as not stored", i+1, batch)
		}
		if len(w.sent[batch]) != n || i+n > len(got) {
			return fmt.Errorf("entry %d begins half a batch", i+1)
		}
		for j, size := range w.sent[batch] {
			if string(got[i+j]) != string(payload(batch, j, n, size)) {
				return fmt.Errorf("entry %d is not number %d of batch %d", i+j+1, j, batch)
			}
		}
		i += n
	}
	w.kept = got
	return nil
}

// open opens the ledger. A nil ledger without an error means that the machine
// went off first.
func (w *world) open() (*Ledger, error) {
	l, err := Open(home, Options{FS: w.disk})
	if err != nil {
		if errors.Is(err, fault.ErrOff) {
			return nil, nil
		}
		return nil, fmt.Errorf("open: %w", err)
	}
	if err := w.see(l); err != nil {
		if errors.Is(err, fault.ErrOff) {
			return nil, nil
		}
		return nil, err
	}
	return l, nil
}

// appendSome appends from a few callers at once until each has done its share or
// the ledger fails.
func (w *world) appendSome(l *Ledger, callers, each int) error {
	var wg sync.WaitGroup
	errs := make(chan error, callers)
	for range callers {
		wg.Go(func() {
			for range each {
				number, payloads := w.newBatch()
				first, err := l.Append(context.Background(), payloads...)
				switch {
				case err == nil:
					w.ack(first, payloads)
				case errors.Is(err, ErrUncertain):
					return
				case errors.Is(err, ErrStopped), errors.Is(err, syscall.ENOSPC):
					w.mu.Lock()
					w.failed[number] = true
					w.mu.Unlock()
				default:
					errs <- err
					return
				}
			}
		})
	}
	wg.Wait()
	close(errs)
	return <-errs
}

// crash ends a boot in one of the ways in which boots end.
func (w *world) crash(mutant string) (cut bool) {
	switch w.rng.IntN(4) {
	case 0:
		w.disk = w.disk.Kill()
	case 1:
		w.disk, cut = w.disk.PowerCut(nil), true
	default:
		w.disk, cut = w.disk.PowerCut(w.rng), true
	}
	w.disk.IgnoreSync(mutant)
	return cut
}

// trouble makes the disk fail now and then.
func (w *world) trouble() {
	at := w.rng.IntN(60)
	count := 0
	var wrong error
	switch w.rng.IntN(6) {
	case 0:
		wrong = syscall.EIO
	case 1:
		wrong = syscall.ENOSPC
	default:
		return
	}
	w.disk.Hook(func(op fault.Op) error {
		count++
		if count == at && (wrong == syscall.EIO || op.Kind == fault.Write) {
			return wrong
		}
		return nil
	})
}

// run lives through a number of boots. It returns how often the power was cut,
// and the first violation.
func (w *world) run(mutant string, boots int) (cuts int, err error) {
	for range boots {
		if w.rng.IntN(8) != 0 {
			w.disk.StopAfter(w.rng.IntN(70))
		}
		w.trouble()
		l, err := w.open()
		if err != nil && !errors.Is(err, syscall.EIO) && !errors.Is(err, syscall.ENOSPC) {
			return cuts, err
		}
		if l != nil {
			if err := w.appendSome(l, 1+w.rng.IntN(3), 1+w.rng.IntN(8)); err != nil {
				return cuts, err
			}
		}
		if w.crash(mutant) {
			cuts++
		}
	}
	l, err := w.open()
	if err != nil {
		return cuts, err
	}
	return cuts, l.Close()
}

// appendAll appends batches of one entry each, of the given sizes, one after
// the other, until the ledger fails.
func (w *world) appendAll(l *Ledger, sizes []int) {
	for _, size := range sizes {
		w.mu.Lock()
		_, payloads := w.batchOf([]int{size})
		w.mu.Unlock()
		first, err := l.Append(context.Background(), payloads...)
		if err != nil {
			return
		}
		w.ack(first, payloads)
	}
}

// everyMoment crashes at every single operation of a new ledger's life, in two
// ways: the power goes at once, or the process dies, its successor sees what is
// there and acknowledges more, and then the power goes.
// It begins with operation from.
func everyMoment(mutant string, from int, sizes, more []int) error {
	const variants = 8
	for n := from; ; n++ {
		outlived := true
		for variant := range variants {
			w := newWorld(uint64(n*variants+variant), mutant)
			w.disk.StopAfter(n)
			l, err := w.open()
			if err != nil {
				return err
			}
			if l != nil {
				w.appendAll(l, sizes)
			}
			outlived = outlived && w.disk.Ops() <= n
			if variant < 3 {
				w.disk = w.disk.Kill()
				w.disk.IgnoreSync(mutant)
				if l, err = w.open(); err != nil {
					return fmt.Errorf("killed at operation %d: %w", n, err)
				}
				w.appendAll(l, more)
			}
			if variant == 0 || variant == 3 {
				w.disk = w.disk.PowerCut(nil)
			} else {
				w.disk = w.disk.PowerCut(w.rng)
			}
			if _, err := w.open(); err != nil {
				return fmt.Errorf("power cut at operation %d, variant %d: %w", n, variant, err)
			}
		}
		if outlived {
			return nil
		}
	}
}

// fullDisk lets a group of several batches find the disk full, and cuts the
// power: what the callers were told isn't there must not come back.
func fullDisk(mutant string) error {
	for seed := range uint64(16) {
		w := newWorld(seed, mutant)
		l, err := w.open()
		if err != nil {
			return err
		}
		w.disk.Hook(func(op fault.Op) error {
			if op.Kind == fault.Write {
				return syscall.ENOSPC
			}
			return nil
		})
		var group []*request // enqueued before anyone commits, so that they share one
		for range 8 {
			number, payloads := w.newBatch()
			size, err := batchSize(payloads)
			if err != nil {
				return err
			}
			r := &request{payloads: payloads, size: size, done: make(chan struct{})}
			if err := l.enqueue(r); err != nil {
				return err
			}
			group = append(group, r)
			w.failed[number] = true
		}
		for _, r := range group {
			l.commitUntil(r)
			if !errors.Is(r.err, syscall.ENOSPC) {
				return fmt.Errorf("a full disk gives %w", r.err)
			}
		}
		w.disk = w.disk.PowerCut(w.rng)
		if _, err := w.open(); err != nil {
			return err
		}
	}
	return nil
}

// twoDeaths lets a process die while it writes the mark of its start again, its
// successor in the middle of the log's sync, and then the power go: what both
// were writing may be spoilt.
func twoDeaths(mutant string, seeds int) error {
	for seed := range uint64(seeds) {
		w := newWorld(seed, mutant)
		l, err := w.open()
		if err != nil {
			return err
		}
		w.appendAll(l, []int{20, 30})
		for _, stop := range []fault.Op{{Kind: fault.Sync, Path: home + "/" + markName}, {Kind: fault.Sync, Path: home + "/" + logName}} {
			w.disk = w.disk.Kill()
			w.disk.IgnoreSync(mutant)
			written := false
			w.disk.Hook(func(op fault.Op) error {
				written = written || op.Kind == fault.Write && op.Path == stop.Path
				if written && op.Kind == stop.Kind && op.Path == stop.Path {
					return fault.ErrOff
				}
				return nil
			})
			if _, err := w.open(); err != nil {
				return err
			}
		}
		w.disk = w.disk.PowerCut(w.rng)
		if _, err := w.open(); err != nil {
			return fmt.Errorf("seed %d: %w", seed, err)
		}
	}
	return nil
}

// tornMark starts with a torn slot in the mark file and cuts the power in the
// first commit: the other slot must not be needed then.
func tornMark(mutant string, seeds int) error {
	for seed := range uint64(seeds) {
		w := newWorld(seed, mutant)
		l, err := w.open()
		if err != nil {
			return err
		}
		w.appendAll(l, []int{20, 3000})
		w.disk = w.disk.Kill()
		w.disk.IgnoreSync(mutant)
		if err := w.disk.Poke(home+"/"+markName, slot(l.generation+1)+slotSumAt, []byte("torn")); err != nil {
			return err
		}
		if l, err = w.open(); err != nil {
			return err
		}
		w.disk.Hook(func(op fault.Op) error {
			if op.Kind == fault.Sync {
				return fault.ErrOff
			}
			return nil
		})
		w.appendAll(l, []int{3000})
		w.disk = w.disk.PowerCut(w.rng)
		if _, err := w.open(); err != nil {
			return fmt.Errorf("seed %d: %w", seed, err)
		}
	}
	return nil
}

// effort is how much of each crash test is done.
type effort struct {
	runs      int // long lives of six boots, at random
	twoDeaths int
	tornMarks int
}

// survive is the whole of the crash tests, the short ones first. It returns how
// often the power was cut in the long runs, and the first violation.
func survive(mutant string, e effort) (cuts int, err error) {
	if err := everyMoment(mutant, 0, []int{100, 20}, []int{50}); err != nil {
		return 0, fmt.Errorf("at birth: %w", err)
	}
	if err := fullDisk(mutant); err != nil {
		return 0, fmt.Errorf("full disk: %w", err)
	}
	if err := tornMark(mutant, e.tornMarks); err != nil {
		return 0, fmt.Errorf("torn mark: %w", err)
	}
	if err := twoDeaths(mutant, e.twoDeaths); err != nil {
		return 0, fmt.Errorf("two deaths: %w", err)
	}
	const large, opened = maxGroup + 3000, 15
	if err := everyMoment(mutant, opened, []int{large, large, 100}, nil); err != nil {
		return 0, fmt.Errorf("large groups: %w", err)
	}
	for seed := range uint64(e.runs) {
		n, err := newWorld(seed, mutant).run(mutant, 6)
		cuts += n
		if err != nil {
			return cuts, fmt.Errorf("seed %d: %w", seed, err)
		}
	}
	return cuts, nil
}

// soak is the variable that makes tests large.
const soak = "PARLEY_SOAK"

func TestPowerCutsLoseNothingAcknowledged(t *testing.T) {
	e := effort{runs: 60, twoDeaths: 60, tornMarks: 30}
	if os.Getenv(soak) == "1" {
		e = effort{runs: 1000, twoDeaths: 2000, tornMarks: 1000}
	}
	cuts, err := survive("", e)
	if err != nil {
		t.Fatal(err)
	}
	if cuts < 200 {
		t.Errorf("%d power cuts; the test is meant to have 200", cuts)
	}
	t.Logf("%d power cuts at random and %d at chosen moments: nothing acknowledged is lost", cuts, e.twoDeaths+e.tornMarks)
}

// Every fsync is there for a reason: without any one of them acknowledged
// entries get lost or the ledger doesn't open.
func TestEveryFsyncIsNeeded(t *testing.T) {
	for _, site := range syncSites(t) {
		t.Run(site, func(t *testing.T) {
			t.Parallel()
			if _, err := survive(site, effort{runs: 20, twoDeaths: 200, tornMarks: 100}); err == nil {
				t.Error("nothing goes wrong when this sync does nothing")
			} else {
				t.Log(err)
			}
		})
	}
}

// syncSites finds the places that sync, by going through all of them.
func syncSites(t *testing.T) []string {
	t.Helper()
	w := newWorld(0, "")
	l, err := w.open()
	if err != nil {
		t.Fatal(err)
	}
	full := true
	w.disk.Hook(func(op fault.Op) error {
		if full && op.Kind == fault.Write {
			return syscall.ENOSPC
		}
		return nil
	})
	if _, err := l.Append(t.Context(), []byte("0123456789")); !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("a full disk gives %v", err)
	}
	full = false
	w.appendAll(l, []int{100, maxGroup + 1})
	if l.Len() != 2 {
		t.Fatalf("%d entries", l.Len())
	}
	// Once more as it was left, and once with a slot that was torn.
	for range 2 {
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		if l, err = w.open(); err != nil {
			t.Fatal(err)
		}
		damage(t, w.disk, home+"/mark", func(b []byte) []byte { b[slot(l.generation+1)] ^= 1; return b })
	}
	return w.disk.SyncSites()
}
