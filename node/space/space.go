// Package space watches how much room is left on the disk under a node. A part
// is kept in reserve, so that a disk that fills up ends what strangers bring
// first, then one's own writing, in good order, and never the process: the view
// maps its files into memory, and the system kills a process that writes to
// such a page when the disk has no block for it.
//
// What is refused is asked for anew each time, so that everything goes on as
// soon as there is room again.
package space

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/parley-protocol/parley/protocol"
)

// Use is what room is wanted for, the least important first.
type Use int

// The uses.
const (
	Foreign Use = iota // records of a market, and mail kept for others
	Own                // one's own records, and what others send to oneself
	View               // the view's rows of what the ledger has already
)

// String is the word for the use in logs and in the API's JSON.
func (u Use) String() string {
	switch u {
	case Foreign:
		return "foreign"
	case Own:
		return "own"
	default:
		return "view"
	}
}

// Bounds of the reserve in bytes. The most is what the view's files may grow by
// between one look at the disk and the next: tables that are merged, and two
// memory tables with their logs.
const (
	mostReserve  = 128 << 20
	leastReserve = 32 << 20
)

// Reserve is how many bytes must be free on a disk of that size for a use to go
// on: an eighth of the disk for the view, between 32 and 128 MiB; a quarter more
// for one's own records; two and a half times that for strangers'.
func Reserve(total uint64, use Use) uint64 {
	view := min(max(total/8, leastReserve), mostReserve)
	switch use {
	case Foreign:
		return view * 5 / 2
	case Own:
		return view * 5 / 4
	default:
		return view
	}
}

// State is how much room there is.
type State struct {
	Free, Total uint64 // bytes, as an ordinary user may write them
	Err         error  // why they can't be told; nothing is refused then
}

// Refuses tells whether there is too little room for a use.
func (s State) Refuses(use Use) bool { return s.Err == nil && s.Free < Reserve(s.Total, use) }

// Options are what a watch may be told. The zero value is right for a node.
type Options struct {
	Measure func(dir string) (free, total uint64, err error) // [Measure] by default
	Every   time.Duration                                    // between two looks without being asked, 1 s by default
	Log     *slog.Logger                                     // silent by default
	// Freed is called, by the watch's own goroutine, when there is room again
	// for what was refused before.
	Freed func()
}

// Watch looks at the disk of one folder. Its methods may be called concurrently.
type Watch struct {
	dir  string
	opts Options

	cancel context.CancelFunc
	done   sync.WaitGroup
}

// New makes a watch; [Watch.Check] works without Start.
func New(dir string, opts Options) *Watch {
	if opts.Measure == nil {
		opts.Measure = Measure
	}
	if opts.Every == 0 {
		opts.Every = time.Second
	}
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	if opts.Freed == nil {
		opts.Freed = func() {}
	}
	return &Watch{dir: dir, opts: opts}
}

// State looks at the disk now.
func (w *Watch) State() State {
	free, total, err := w.opts.Measure(w.dir)
	return State{Free: free, Total: total, Err: err}
}

// Check gives an error with the code disk_full when there is too little room
// for a use.
func (w *Watch) Check(use Use) error {
	s := w.State()
	if !s.Refuses(use) {
		return nil
	}
	reserve := Reserve(s.Total, use)
	return &protocol.Error{Code: protocol.CodeDiskFull,
		Detail: fmt.Sprintf("only %s are free on the disk of %s, of which %s are kept in reserve", megabytes(s.Free), w.dir, megabytes(reserve)),
		Hint:   fmt.Sprintf("Free at least %s there; reading still works, nothing is lost, and writing goes on by itself.", megabytes(reserve-s.Free))}
}

// For is Check of one use, for rooms that know of none.
func (w *Watch) For(use Use) func() error { return func() error { return w.Check(use) } }

func megabytes(n uint64) string { return fmt.Sprintf("%d MB", (n+999_999)/1_000_000) }

// Start looks at the disk from time to time, and tells of changes.
func (w *Watch) Start(context.Context) error {
	ctx, cancel := context.WithCancel(context.Background())
	w.cancel = cancel
	w.done.Go(func() {
		var was State
		tick := time.NewTicker(w.opts.Every)
		defer tick.Stop()
		for {
			now := w.State()
			w.tell(was, now)
			was = now
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
		}
	})
	return nil
}

// tell says what has changed.
func (w *Watch) tell(was, now State) {
	freed := false
	for _, use := range []Use{Foreign, Own, View} {
		before := was.Total > 0 && was.Refuses(use)
		switch {
		case now.Refuses(use) && !before:
			w.opts.Log.Warn("the disk is nearly full: nothing more is taken until there is room", "what", use, "free", now.Free, "reserve", Reserve(now.Total, use))
		case before && !now.Refuses(use):
			w.opts.Log.Info("there is room on the disk again", "what", use, "free", now.Free)
			freed = true
		}
	}
	if freed {
		w.opts.Freed()
	}
}

// Close ends the looking; Check goes on working.
func (w *Watch) Close() error {
	if w.cancel != nil {
		w.cancel()
		w.done.Wait()
	}
	return nil
}
