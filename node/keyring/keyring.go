package keyring

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"sync"

	"github.com/parley-protocol/parley/crypto"
	"github.com/parley-protocol/parley/node/ledger/disk"
	"github.com/parley-protocol/parley/protocol"
)

// KeyID names a sealing seed. It is random and says nothing about the seed.
type KeyID [16]byte

// String is the ID in hexadecimal.
func (id KeyID) String() string { return hex.EncodeToString(id[:]) }

// FS is the file layer that a keyring lies on.
type FS = disk.FS

// Options are what Open and Create may be told. The zero value is right for a
// node.
type Options struct {
	FS       FS  // the machine's file system when nil
	Pool     int // fresh seeds after a refill, 64 when 0
	LowWater int // a refill begins below this many fresh seeds, a quarter of Pool when 0
}

func (o Options) fs() FS {
	if o.FS == nil {
		return disk.OS{}
	}
	return o.FS
}

func (o Options) sizes() (pool, low int, err error) {
	pool, low = o.Pool, o.LowWater
	if pool == 0 {
		pool = 64
	}
	if low == 0 {
		low = max(1, pool/4)
	}
	if pool < 1 || pool > maxSeeds/2 || low < 1 || low > pool {
		return 0, 0, protocol.Errorf(protocol.CodeUsage, "", "a pool of %d sealing seeds with a low-water mark of %d", pool, low)
	}
	return pool, low, nil
}

var (
	// ErrClosed means that the keyring was closed.
	ErrClosed = errors.New("keyring: closed")

	// ErrNotStarted means that [Keyring.Take] was called before
	// [Keyring.Start]: before the ledger has told which seeds are in use.
	ErrNotStarted = errors.New("keyring: not started")
)

// Keyring is an open keyring. Its methods may be called concurrently. It prints
// as a placeholder.
//
// The order of a start is Open, MarkUsed for every use that the ledger tells
// of, Start. The ledger alone knows which seeds are in use: the file doesn't
// say, so that taking one costs no write.
type Keyring struct {
	fs       FS
	dir      string
	identity *Identity
	pool     int
	low      int

	// writing is held while the file is rewritten, and for what decides on its
	// content. It is a channel so that waiting for it can be cancelled.
	writing chan struct{}
	wake    chan struct{} // tells the refiller to look

	mu      sync.Mutex
	seeds   map[KeyID]crypto.SealingSeed // all in the file
	fresh   []KeyID                      // of these, the ones that nobody has taken
	started bool
	closed  bool
	broken  error // why the file isn't rewritten any more
	cancel  context.CancelFunc
	done    chan struct{} // closed when the refiller has ended
}

// Open reads the keyring in a folder; [Create] has put both files there. Errors
// by code: not_found without an identity, not_permitted for a mode that lets
// others in, damaged, unsupported_format, usage, internal.
func Open(dir string, opts Options) (*Keyring, error) {
	pool, low, err := opts.sizes()
	if err != nil {
		return nil, err
	}
	fsys := opts.fs()
	if err := checkMode(fsys, dir, 0o700); err != nil {
		return nil, err
	}
	identity, err := readIdentity(fsys, dir)
	if err != nil {
		return nil, err
	}
	seeds, err := readSeeds(fsys, dir)
	if err != nil {
		return nil, err
	}
	// A process that died right after a rename may not have got to this.
	if err := fsys.SyncDir(dir); err != nil {
		return nil, diskError(err, "the keys' folder can't be synced")
	}
	k := &Keyring{
		fs: fsys, dir: dir, identity: identity, pool: pool, low: low,
		writing: make(chan struct{}, 1),
		wake:    make(chan struct{}, 1),
		seeds:   seeds,
	}
	for id := range seeds {
		k.fresh = append(k.fresh, id)
	}
	return k, nil
}

// Identity is who this home is.
func (k *Keyring) Identity() *Identity { return k.identity }

// MarkUsed tells the keyring that seeds are in use. IDs that it doesn't have,
// because they were destroyed, are ignored.
func (k *Keyring) MarkUsed(ids ...KeyID) {
	used := make(map[KeyID]bool, len(ids))
	for _, id := range ids {
		used[id] = true
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.removeFresh(used)
}

// removeFresh takes seeds out of the fresh ones. The caller holds mu.
func (k *Keyring) removeFresh(gone map[KeyID]bool) {
	kept := k.fresh[:0]
	for _, id := range k.fresh {
		if !gone[id] {
			kept = append(kept, id)
		}
	}
	k.fresh = kept
}

// Start fills the pool, so that there is a seed to take when it returns, and
// keeps it filled in the background until ctx ends or Close is called.
func (k *Keyring) Start(ctx context.Context) error {
	if err := k.refill(ctx); err != nil {
		return err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.closed {
		return ErrClosed
	}
	if k.started {
		return nil
	}
	k.started = true
	ctx, k.cancel = context.WithCancel(ctx)
	k.done = make(chan struct{})
	go k.keepFilled(ctx, k.done)
	return nil
}

// keepFilled refills when Take has said that the pool runs low. A refill that
// fails is tried again at the next Take; the error reaches whoever finds the
// pool empty.
func (k *Keyring) keepFilled(ctx context.Context, done chan<- struct{}) {
	defer close(done)
	for {
		select {
		case <-ctx.Done():
			return
		case <-k.wake:
			_ = k.refill(ctx)
		}
	}
}

// Close ends the refilling and forgets the seeds. Calls after the first do
// nothing.
func (k *Keyring) Close() error {
	k.mu.Lock()
	cancel, done := k.cancel, k.done
	k.closed = true
	k.mu.Unlock()
	if cancel != nil {
		cancel()
		<-done
	}
	k.writing <- struct{}{} // no rewriting with what is cleared below
	defer func() { <-k.writing }()
	k.mu.Lock()
	defer k.mu.Unlock()
	clear(k.seeds)
	k.fresh = nil
	return nil
}

// Take gives out a seed that nobody has had. It is durable already; the caller
// records the use in the ledger before the seed's public key leaves the
// machine. Take waits for a refill only when the pool is empty.
func (k *Keyring) Take(ctx context.Context) (KeyID, crypto.SealingSeed, error) {
	for {
		id, seed, ok, err := k.takeFresh()
		if ok || err != nil {
			return id, seed, err
		}
		if err := k.refill(ctx); err != nil {
			return KeyID{}, crypto.SealingSeed{}, err
		}
	}
}

func (k *Keyring) takeFresh() (id KeyID, seed crypto.SealingSeed, ok bool, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.closed {
		return KeyID{}, crypto.SealingSeed{}, false, ErrClosed
	}
	if !k.started {
		return KeyID{}, crypto.SealingSeed{}, false, ErrNotStarted
	}
	left := len(k.fresh) - 1
	if left < k.low {
		select {
		case k.wake <- struct{}{}:
		default: // it has been told
		}
	}
	if left < 0 {
		return KeyID{}, crypto.SealingSeed{}, false, nil
	}
	id = k.fresh[left]
	k.fresh = k.fresh[:left]
	return id, k.seeds[id], true, nil
}

// Get reads a seed that was taken. It gives the code not_found for one that was
// destroyed or never was.
func (k *Keyring) Get(id KeyID) (crypto.SealingSeed, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.closed {
		return crypto.SealingSeed{}, ErrClosed
	}
	seed, ok := k.seeds[id]
	if !ok {
		return crypto.SealingSeed{}, protocol.Errorf(protocol.CodeNotFound, "", "the keyring has no seed %s", id)
	}
	return seed, nil
}

// Destroy removes seeds from the disk and from memory, as well as that can be
// done (see the package). IDs that the keyring doesn't have are ignored, so a
// call that failed can be made again. Errors by code: disk_full, internal; after
// the latter the seeds may be gone from the disk or not, and nothing is
// rewritten any more until the keyring is opened again.
func (k *Keyring) Destroy(ctx context.Context, ids ...KeyID) error {
	return k.rewrite(ctx, func(seeds map[KeyID]crypto.SealingSeed) (changed bool) {
		for _, id := range ids {
			if _, ok := seeds[id]; ok {
				delete(seeds, id)
				changed = true
			}
		}
		return changed
	})
}

// refill brings the fresh seeds up to the pool's size if they are fewer than
// the low-water mark.
func (k *Keyring) refill(ctx context.Context) error {
	return k.rewrite(ctx, func(seeds map[KeyID]crypto.SealingSeed) (changed bool) {
		k.mu.Lock()
		missing := k.pool - len(k.fresh)
		low := len(k.fresh) < k.low
		k.mu.Unlock()
		if !low {
			return false
		}
		for range missing {
			var id KeyID
			rand.Read(id[:])
			seeds[id] = crypto.NewSealingSeed()
		}
		return true
	})
}

// rewrite lets change work on a copy of the seeds, makes that durable, and then
// takes it over.
func (k *Keyring) rewrite(ctx context.Context, change func(map[KeyID]crypto.SealingSeed) (changed bool)) error {
	select {
	case k.writing <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-k.writing }()
	k.mu.Lock()
	closed, broken := k.closed, k.broken
	next := maps.Clone(k.seeds)
	k.mu.Unlock()
	if closed {
		return ErrClosed
	}
	if !change(next) {
		return nil
	}
	if broken != nil {
		return fmt.Errorf("keyring: stopped after a failed write: %w", broken)
	}
	err := writeSeeds(k.fs, k.dir, next)
	k.mu.Lock()
	defer k.mu.Unlock()
	if err != nil {
		// Without room nothing has happened. After any other failure the
		// kernel may claim that the file's name is durable when it isn't.
		if protocol.CodeOf(err) != protocol.CodeDiskFull {
			k.broken = err
		}
		return err
	}
	k.takeOver(next)
	return nil
}

// takeOver replaces the seeds in memory by those that are on the disk now. The
// caller holds mu.
func (k *Keyring) takeOver(next map[KeyID]crypto.SealingSeed) {
	gone := map[KeyID]bool{}
	for id := range k.seeds {
		if _, kept := next[id]; !kept {
			gone[id] = true
		}
	}
	k.removeFresh(gone)
	for id := range next {
		if _, had := k.seeds[id]; !had {
			k.fresh = append(k.fresh, id)
		}
	}
	clear(k.seeds)
	k.seeds = next
}

// Fresh is how many seeds can be taken without waiting.
func (k *Keyring) Fresh() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return len(k.fresh)
}

// String is a placeholder.
func (k *Keyring) String() string { return redactedText }

// Format writes a placeholder for every verb.
func (k *Keyring) Format(f fmt.State, _ rune) { io.WriteString(f, redactedText) }

// LogValue gives log/slog a placeholder.
func (k *Keyring) LogValue() slog.Value { return slog.StringValue(redactedText) }
