package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/dgraph-io/badger/v4"
	"github.com/gofrs/flock"
	"github.com/ipfs/go-cid"

	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/record"
)

// Options are the knobs of a store. The zero value is good.
type Options struct {
	InMemory bool         // nothing on disk; dir is ignored
	Logger   *slog.Logger // nil: silent
	Quota    Quota        // for ClassForeign

	// Key encrypts the folder, which is filled anew when it was under another
	// one. Nil: it is in clear.
	Key *[32]byte
	// Room is asked before everything that writes; its error, with the code
	// disk_full, is then that of the call. Badger must never find the disk full:
	// it writes to mapped files, for which the system kills the process.
	Room func() error

	trusting bool // look at no more of the tables than Badger's safety takes; for tests
}

// Store is an open view.
type Store struct {
	dir   string // empty in memory
	opts  Options
	db    *badger.DB
	lock  *flock.Flock
	clean bool

	left   map[uint64]tableInfo  // tables whose blocks Open hasn't verified
	damage atomic.Pointer[error] // that Scrub has found in them

	source atomic.Pointer[func(cid.Cid) (*record.Record, bool)]

	write sync.Mutex // one writer at a time
	stats statsBox
	live  liveSets

	ctx    context.Context // ends when Close begins
	cancel context.CancelFunc
	mu     sync.Mutex // guards closed and calls.Add
	closed bool
	calls  sync.WaitGroup
	once   sync.Once
	err    error // of Close
}

// Open opens the view in dir, which it creates if need be. The errors to tell
// apart are [*RebuildError], [*NewerSchemaError] and the code "locked".
//
// A folder that wasn't closed has all its checksums verified first, which takes
// about 3 ms for each MiB; so has a small one.
func Open(ctx context.Context, dir string, opts Options) (*Store, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s := &Store{opts: opts, clean: true}
	if opts.InMemory {
		s.opts.Room = nil
	}
	if err := s.room(); err != nil {
		return nil, fmt.Errorf("store: open %s: %w", dir, err)
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	if !opts.InMemory {
		s.dir = dir
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, fmt.Errorf("store: %w", err)
		}
		lock, err := lockFolder(dir)
		if err != nil {
			return nil, err
		}
		s.lock = lock
	}
	if err := s.open(); err != nil {
		s.cancel()
		if s.db != nil {
			err = errors.Join(err, s.db.Close())
		}
		if s.lock != nil {
			err = errors.Join(err, s.lock.Unlock())
		}
		return nil, err
	}
	return s, nil
}

func (s *Store) open() error {
	if s.dir != "" {
		st, found, err := readState(s.dir)
		if err != nil {
			return err
		}
		s.clean = !st.Open
		if found {
			full := int64(verifyAlways)
			if st.Open {
				full = math.MaxInt64
			} else if s.opts.trusting {
				full = 0
			}
			if s.left, err = checkTables(s.dir, s.opts.Key, full); err != nil {
				return s.openError(err)
			}
		}
		// From here on the folder counts as open, whatever happens.
		if err := writeState(s.dir, state{Schema: schema, Open: true}); err != nil {
			return err
		}
	}
	err := guard(func() (err error) {
		s.db, err = badger.Open(Profile(s.dir, s.opts))
		return err
	})
	if err != nil {
		s.db = nil
		return s.openError(err)
	}
	count := s.loadStats
	if !s.clean {
		count = s.recount
	}
	if err := count(); err != nil {
		return s.openError(err)
	}
	return nil
}

// openError tells damage from what a rebuild would not mend.
func (s *Store) openError(err error) error {
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.ENOSPC) ||
		errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.EIO) || s.dir == "" {
		return fmt.Errorf("store: open %s: %w", s.dir, err)
	}
	return &RebuildError{Dir: s.dir, Reason: FolderDamaged, Err: err}
}

// lockFolder takes the folder for this process.
func lockFolder(dir string) (*flock.Flock, error) {
	lock := flock.New(filepath.Join(dir, "view.lock"), flock.SetPermissions(0o600))
	switch ok, err := lock.TryLock(); {
	case err != nil:
		return nil, fmt.Errorf("store: lock %s: %w", dir, err)
	case !ok:
		return nil, protocol.Errorf(protocol.CodeLocked, "", "the store in %s is open in another process", dir)
	}
	return lock, nil
}

func escapeGlob(s string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(s)
}

// SetSource tells who has the records that were put with Elsewhere set. It is
// called from any method, and must not call the store. Until there is one these
// records aren't found.
func (s *Store) SetSource(source func(cid.Cid) (*record.Record, bool)) { s.source.Store(&source) }

// Clean reports whether the folder was closed in order before it was opened
// now. If not, the last writes may be missing and the ledger should be put again.
func (s *Store) Clean() bool { return s.clean }

// Close ends running queries with [ErrClosed], waits for running calls, flushes
// and closes. It must not be called from within a loop over a query. Calling it
// again returns what the first call did.
func (s *Store) Close() error {
	s.once.Do(func() {
		s.mu.Lock()
		s.closed = true
		s.mu.Unlock()
		s.cancel()
		s.calls.Wait()
		s.err = s.shut()
	})
	return s.err
}

func (s *Store) shut() error {
	if s.room() != nil {
		// Closing writes a table. Without it the folder counts as open, and the
		// next Open takes Badger's log as it does after a crash.
		return s.lock.Unlock()
	}
	err := guard(s.db.Close)
	if s.dir == "" {
		return err
	}
	if err == nil && s.Damage() == nil { // else the next Open verifies all tables, and finds it
		err = writeState(s.dir, state{Schema: schema})
	}
	return errors.Join(err, s.lock.Unlock())
}

// begin lets a call in; end must follow when err is nil.
func (s *Store) begin(ctx context.Context) (end func(), err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, ErrClosed
	}
	s.calls.Add(1)
	return s.calls.Done, nil
}

// room is why nothing may be written.
func (s *Store) room() error {
	if s.opts.Room == nil {
		return nil
	}
	return s.opts.Room()
}

// interrupted is why a long call should stop, if it should.
func (s *Store) interrupted(ctx context.Context) error {
	if s.ctx.Err() != nil {
		return ErrClosed
	}
	return ctx.Err()
}

// guard calls Badger. On damaged bytes Badger may panic instead of returning an
// error; that must not take the node down.
func guard(call func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("badger panicked: %v", r)
		}
	}()
	return call()
}

// view runs a read on a snapshot.
func (s *Store) view(read func(txn *badger.Txn) error) error {
	return guard(func() error { return s.db.View(read) })
}
