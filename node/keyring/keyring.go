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
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/parley-protocol/parley/crypto"
	"github.com/parley-protocol/parley/node/keyring/keyfile"
	"github.com/parley-protocol/parley/node/ledger/disk"
	"github.com/parley-protocol/parley/node/vault"
	"github.com/parley-protocol/parley/protocol"
)

// KeyID names a sealing seed or a deal key. It is random and says nothing about
// the secret.
type KeyID [16]byte

// String is the ID in hexadecimal.
func (id KeyID) String() string { return hex.EncodeToString(id[:]) }

// FS is the file layer that a keyring lies on.
type FS = disk.FS

// Options are what Open and Create may be told. The zero value is right for a
// node whose keys are under no passphrase.
type Options struct {
	FS       FS  // the machine's file system when nil
	Pool     int // fresh secrets of each kind after a refill, 64 when 0
	LowWater int // a refill begins below this many fresh ones, a quarter of Pool when 0
	Unlock   vault.Unlock

	// Passphrase is what [Create] puts the data key under; nil: it lies in clear.
	Passphrase []byte
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
	if pool < 1 || pool > maxSecrets/2 || low < 1 || low > pool {
		return 0, 0, protocol.Errorf(protocol.CodeUsage, "", "a pool of %d keys with a low-water mark of %d", pool, low)
	}
	return pool, low, nil
}

var (
	// ErrClosed means that the keyring was closed.
	ErrClosed = errors.New("keyring: closed")

	// ErrNotStarted means that a secret was to be taken before [Keyring.Start]:
	// before the ledger has told which ones are in use.
	ErrNotStarted = errors.New("keyring: not started")
)

// Keyring is an open keyring. Its methods may be called concurrently. It prints
// as a placeholder.
//
// The order of a start is Open, MarkUsed for every use that the ledger tells
// of, Start. The ledger alone knows which secrets are in use: the file doesn't
// say, so that taking one costs no write.
type Keyring struct {
	file     sealed
	vault    *vault.Vault
	identity atomic.Pointer[Identity]
	personal sealed // the identity's file
	mended   []error
	pool     int
	low      int

	// writing is held while the file is rewritten, and for what decides on its
	// content. It is a channel so that waiting for it can be cancelled.
	writing chan struct{}
	wake    chan struct{} // tells the refiller to look

	mu         sync.Mutex
	secrets    Secrets // all in the file
	serial     uint64  // of the last writing
	freshSeeds []KeyID // of these, the ones that nobody has taken
	freshKeys  []KeyID
	started    bool
	closed     bool
	broken     error // why the file isn't rewritten any more
	cancel     context.CancelFunc
	done       chan struct{} // closed when the refiller has ended
}

// Open is [OpenContext] for a caller that can wait.
func Open(dir string, opts Options) (*Keyring, error) {
	return OpenContext(context.Background(), dir, opts)
}

// OpenContext reads the keyring in a folder; [Create] has put the files there.
// A spoilt copy of a file is mended: see [Keyring.Mended]. Errors by code:
// not_found without an identity, not_permitted for a mode that lets others in,
// damaged, unsupported_format, passphrase_needed, passphrase_wrong,
// keyring_unavailable, usage, internal.
func OpenContext(ctx context.Context, dir string, opts Options) (*Keyring, error) {
	pool, low, err := opts.sizes()
	if err != nil {
		return nil, err
	}
	fsys := opts.fs()
	if err := keyfile.CheckMode(fsys, dir, 0o700); err != nil {
		return nil, err
	}
	v, err := openVault(ctx, fsys, dir, opts.Unlock)
	if err != nil {
		return nil, err
	}
	k := &Keyring{
		file: secretsIn(fsys, dir, v), vault: v, pool: pool, low: low,
		writing: make(chan struct{}, 1),
		wake:    make(chan struct{}, 1),
	}
	if err := k.read(identityIn(fsys, dir, v)); err != nil {
		v.Close()
		return nil, err
	}
	return k, nil
}

// openVault opens the vault, or makes one for files of version 1, which had none.
func openVault(ctx context.Context, fsys FS, dir string, unlock vault.Unlock) (*vault.Vault, error) {
	identity, err := identityFile(fsys, dir).Read()
	if err != nil {
		return nil, err
	}
	clear(identity.Data)
	there, err := vault.Exists(fsys, dir)
	if err != nil {
		return nil, err
	}
	if !there && identity.Version == 1 {
		return vault.Create(fsys, dir, unlock, nil)
	}
	v, err := vault.Open(ctx, fsys, dir, unlock)
	if protocol.CodeOf(err) == protocol.CodeNotFound {
		return nil, vault.Missing(fsys, dir)
	}
	return v, err
}

// read reads both files, and mends them once both are known to be good.
func (k *Keyring) read(identity sealed) error {
	id, ofIdentity, err := readIdentity(identity)
	if err != nil {
		return err
	}
	secrets, ofSecrets, err := readSecrets(k.file)
	if err != nil {
		return err
	}
	k.identity.Store(id)
	k.personal, k.secrets, k.serial = identity, secrets, ofSecrets.Serial
	for _, wrong := range []error{k.vault.Mended(), ofIdentity.Spoilt, ofSecrets.Spoilt} {
		if wrong != nil {
			k.mended = append(k.mended, wrong)
		}
	}
	plain := id.encode()
	defer clear(plain)
	if err := identity.settle(plain, ofIdentity); err != nil {
		return err
	}
	all := secrets.encode()
	defer clear(all)
	if err := k.file.settle(all, ofSecrets); err != nil {
		return err
	}
	if ofSecrets.Version == 1 {
		k.serial++
	}
	// A process that died right after a rename may not have got to this.
	if err := k.file.FS.SyncDir(filepath.Dir(k.file.Path)); err != nil {
		return keyfile.DiskError(err, "the keys' folder can't be synced")
	}
	for id := range secrets.Seeds {
		k.freshSeeds = append(k.freshSeeds, id)
	}
	for id := range secrets.DealKeys {
		k.freshKeys = append(k.freshKeys, id)
	}
	return nil
}

// Report is what can be told of a keyring without its passphrase.
type Report struct {
	Protection vault.Protection
	Spoilt     []error // copies that the next start mends from the other one
}

// Inspect looks at the files of a keyring that may be open elsewhere. It changes
// nothing. Its errors are those of [OpenContext], as far as it can see.
func Inspect(dir string, opts Options) (Report, error) {
	fsys := opts.fs()
	if err := keyfile.CheckMode(fsys, dir, 0o700); err != nil {
		return Report{}, err
	}
	var r Report
	var sealed bool
	for _, f := range []keyfile.File{identityFile(fsys, dir), sealingFile(fsys, dir)} {
		c, err := f.Read()
		if err != nil {
			return Report{}, err
		}
		clear(c.Data)
		sealed = sealed || c.Version > 1
		if c.Spoilt != nil {
			r.Spoilt = append(r.Spoilt, c.Spoilt)
		}
	}
	var spoilt error
	var err error
	r.Protection, spoilt, err = vault.Inspect(fsys, dir)
	if protocol.CodeOf(err) == protocol.CodeNotFound {
		if sealed {
			return Report{}, vault.Missing(fsys, dir)
		}
		r.Protection, err = vault.Clear, nil // of version 1
	}
	if spoilt != nil {
		r.Spoilt = append(r.Spoilt, spoilt)
	}
	return r, err
}

// Identity is who this home is, as of now: it changes when the persona's key is
// rotated.
func (k *Keyring) Identity() *Identity { return k.identity.Load() }

// Rotate makes the persona's next key today's. It is on disk when Rotate returns;
// the key of before is kept for its deals. Errors by code: not_permitted for a key
// that is not the one that was promised, over_quota, disk_full, internal.
func (k *Keyring) Rotate(ctx context.Context, s Succession) error {
	select {
	case k.writing <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-k.writing }()
	next, err := k.Identity().succeed(s)
	if err != nil {
		return err
	}
	old, err := k.personal.Read()
	if err != nil {
		return err
	}
	content := next.encode()
	defer clear(content)
	if err := k.personal.write(old.Serial+1, content); err != nil {
		return err
	}
	k.identity.Store(next)
	return nil
}

// Vault holds the data key that this keyring is sealed under.
func (k *Keyring) Vault() *vault.Vault { return k.vault }

// Key is the home's key for one use, which lasts as long as the home.
func (k *Keyring) Key(use string) vault.Key { return k.vault.Key(use) }

// Mended tells which copies of files were spoilt when the keyring was opened;
// they are whole again.
func (k *Keyring) Mended() []error { return k.mended }

// Secrets is a snapshot of what can be destroyed, for a backup.
func (k *Keyring) Secrets() Secrets {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.secrets.clone()
}

// MarkUsed tells the keyring that seeds or deal keys are in use. IDs that it
// doesn't have, because they were destroyed, are ignored.
func (k *Keyring) MarkUsed(ids ...KeyID) {
	used := make(map[KeyID]bool, len(ids))
	for _, id := range ids {
		used[id] = true
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.removeFresh(func(id KeyID) bool { return used[id] })
}

// removeFresh takes secrets out of the fresh ones. The caller holds mu.
func (k *Keyring) removeFresh(gone func(KeyID) bool) {
	k.freshSeeds = slices.DeleteFunc(k.freshSeeds, gone)
	k.freshKeys = slices.DeleteFunc(k.freshKeys, gone)
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
	k.secrets.clear()
	k.freshSeeds, k.freshKeys = nil, nil
	k.vault.Close()
	return nil
}

// Take gives out a seed that nobody has had. It is durable already; the caller
// records the use in the ledger before the seed's public key leaves the
// machine. Take waits for a refill only when the pool is empty.
func (k *Keyring) Take(ctx context.Context) (KeyID, crypto.SealingSeed, error) {
	return take(ctx, k, &k.freshSeeds, func() map[KeyID]crypto.SealingSeed { return k.secrets.Seeds })
}

// TakeDealKey gives out a key for what the ledger holds of one deal or intent,
// which nobody has had. It is durable already; the entry that it seals records
// the use.
func (k *Keyring) TakeDealKey(ctx context.Context) (KeyID, vault.Key, error) {
	return take(ctx, k, &k.freshKeys, func() map[KeyID]vault.Key { return k.secrets.DealKeys })
}

// take gives out one of the fresh ones; all is called with mu held, as is fresh
// read.
func take[S any](ctx context.Context, k *Keyring, fresh *[]KeyID, all func() map[KeyID]S) (KeyID, S, error) {
	var none S
	for {
		id, ok, err := k.takeFresh(fresh)
		if err != nil {
			return KeyID{}, none, err
		}
		if ok {
			return get(k, id, all)
		}
		if err := k.refill(ctx); err != nil {
			return KeyID{}, none, err
		}
	}
}

func (k *Keyring) takeFresh(fresh *[]KeyID) (id KeyID, ok bool, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.closed {
		return KeyID{}, false, ErrClosed
	}
	if !k.started {
		return KeyID{}, false, ErrNotStarted
	}
	left := len(*fresh) - 1
	if left < k.low {
		select {
		case k.wake <- struct{}{}:
		default: // it has been told
		}
	}
	if left < 0 {
		return KeyID{}, false, nil
	}
	id = (*fresh)[left]
	*fresh = (*fresh)[:left]
	return id, true, nil
}

// Get reads a seed that was taken. It gives the code not_found for one that was
// destroyed or never was.
func (k *Keyring) Get(id KeyID) (crypto.SealingSeed, error) {
	_, seed, err := get(k, id, func() map[KeyID]crypto.SealingSeed { return k.secrets.Seeds })
	return seed, err
}

// DealKey reads a deal key that was taken. Its errors are those of [Keyring.Get].
func (k *Keyring) DealKey(id KeyID) (vault.Key, error) {
	_, key, err := get(k, id, func() map[KeyID]vault.Key { return k.secrets.DealKeys })
	return key, err
}

func get[S any](k *Keyring, id KeyID, all func() map[KeyID]S) (KeyID, S, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	var none S
	if k.closed {
		return KeyID{}, none, ErrClosed
	}
	secret, ok := all()[id]
	if !ok {
		return KeyID{}, none, protocol.Errorf(protocol.CodeNotFound, "", "the keyring has no key %s", id)
	}
	return id, secret, nil
}

// Destroy removes secrets from both copies of the file and from memory, as well
// as that can be done (see the package). IDs that the keyring doesn't have are
// ignored, so a call that failed can be made again. It needs no Start. Errors by
// code: disk_full, internal; after the latter the secrets may be gone from the
// disk or not, and nothing is rewritten any more until the keyring is opened
// again.
func (k *Keyring) Destroy(ctx context.Context, ids ...KeyID) error {
	return k.rewrite(ctx, func(s Secrets) (changed bool) {
		for _, id := range ids {
			changed = s.remove(id) || changed
		}
		return changed
	})
}

// Keep adds sealing seeds that are in use already: those of a backup.
func (k *Keyring) Keep(ctx context.Context, seeds map[KeyID]crypto.SealingSeed) error {
	err := k.rewrite(ctx, func(all Secrets) (changed bool) {
		maps.Copy(all.Seeds, seeds)
		return len(seeds) > 0
	})
	k.MarkUsed(slices.Collect(maps.Keys(seeds))...)
	return err
}

// refill brings the fresh ones of both kinds up to the pool's size if those of
// one are fewer than the low-water mark.
func (k *Keyring) refill(ctx context.Context) error {
	return k.rewrite(ctx, func(s Secrets) (changed bool) {
		k.mu.Lock()
		seeds, keys := len(k.freshSeeds), len(k.freshKeys)
		k.mu.Unlock()
		if seeds >= k.low && keys >= k.low {
			return false
		}
		for range k.pool - seeds {
			s.Seeds[newID()] = crypto.NewSealingSeed()
		}
		for range k.pool - keys {
			s.DealKeys[newID()] = vault.NewKey()
		}
		return true
	})
}

func newID() (id KeyID) {
	rand.Read(id[:])
	return id
}

// rewrite lets change work on a copy of the secrets, makes that durable, and then
// takes it over.
func (k *Keyring) rewrite(ctx context.Context, change func(Secrets) (changed bool)) error {
	select {
	case k.writing <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-k.writing }()
	k.mu.Lock()
	closed, broken := k.closed, k.broken
	next := k.secrets.clone()
	k.serial++ // also for a writing that fails: a copy may have got it
	serial := k.serial
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
	err := writeSecrets(k.file, serial, next)
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

// takeOver replaces the secrets in memory by those that are on the disk now. The
// caller holds mu.
func (k *Keyring) takeOver(next Secrets) {
	k.removeFresh(func(id KeyID) bool { return !next.has(id) })
	for id := range next.Seeds {
		if _, had := k.secrets.Seeds[id]; !had {
			k.freshSeeds = append(k.freshSeeds, id)
		}
	}
	for id := range next.DealKeys {
		if _, had := k.secrets.DealKeys[id]; !had {
			k.freshKeys = append(k.freshKeys, id)
		}
	}
	k.secrets.clear()
	k.secrets = next
}

// Fresh is how many seeds can be taken without waiting.
func (k *Keyring) Fresh() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return len(k.freshSeeds)
}

// String is a placeholder.
func (k *Keyring) String() string { return redactedText }

// Format writes a placeholder for every verb.
func (k *Keyring) Format(f fmt.State, _ rune) { io.WriteString(f, redactedText) }

// LogValue gives log/slog a placeholder.
func (k *Keyring) LogValue() slog.Value { return slog.StringValue(redactedText) }
