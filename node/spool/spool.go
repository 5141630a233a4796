package spool

import (
	"errors"
	"fmt"
	"iter"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/parley-protocol/parley/node/failpoint"
	"github.com/parley-protocol/parley/node/ledger/disk"
	"github.com/parley-protocol/parley/protocol"
)

// Limits bound a spool. Zero means no bound.
type Limits struct {
	PerBucketCount int           // blobs in one bucket
	PerBucketBytes int64         // bytes of blobs in one bucket
	TotalBytes     int64         // bytes of blobs in all
	MaxAge         time.Duration // how far ahead a blob's expiry may lie
}

// Usage is how much a spool holds.
type Usage struct {
	Buckets int
	Blobs   int
	Bytes   int64 // of the blobs, without what their files add
}

// FS is the file layer that a spool lies on.
type FS = disk.FS

// An Option changes what [Open] assumes.
type Option func(*Spool)

// WithFS puts the spool on another file layer than the machine's.
func WithFS(fsys FS) Option { return func(s *Spool) { s.fs = fsys } }

// WithClock gives the spool a clock other than [time.Now].
func WithClock(now func() time.Time) Option { return func(s *Spool) { s.now = now } }

// WithRoom has room asked before every Put; its error, with the code disk_full,
// is then Put's.
func WithRoom(room func() error) Option { return func(s *Spool) { s.room = room } }

// Spool is an open spool. Its methods may be called concurrently.
type Spool struct {
	dir    string
	limits Limits
	fs     FS
	now    func() time.Time
	room   func() error // nil: there is always room

	mu      sync.Mutex
	buckets map[string]*bucket
	arrival uint64 // of the newest blob
	blobs   int
	bytes   int64 // stored, and reserved by Puts under way
	broken  error // why nothing can be put any more
	closed  bool
	damaged map[string]Damage // by the key of the blob
	journal *journal
	tidying *time.Timer // removes files some time after their blobs were deleted; nil when none waits
}

// bucket is the blobs under one name. It exists while it has blobs or users.
type bucket struct {
	turn  chan struct{} // held during a Put, so that blobs show up in order of arrival
	users int           // Puts that have it or wait for it
	blobs []Info        // by arrival
	byID  map[ID]Info
	bytes int64
}

// ErrClosed means that the spool was closed.
var ErrClosed = errors.New("spool: closed")

// Open opens the spool in a folder, or makes one. It lists the folders and
// reads no blob; files that a crash left half written are removed.
func Open(dir string, limits Limits, options ...Option) (*Spool, error) {
	s := &Spool{dir: dir, limits: limits, fs: disk.OS{}, now: time.Now, buckets: map[string]*bucket{}, damaged: map[string]Damage{}}
	for _, option := range options {
		option(s)
	}
	if err := s.makeFolders(); err != nil {
		return nil, diskError(err, "the spool's folders can't be made")
	}
	var found []Info
	for b := range 256 {
		infos, err := s.list(shardName(byte(b)))
		if err != nil {
			return nil, diskError(err, "the spool can't be listed")
		}
		found = append(found, infos...)
	}
	kept, gone, whole, err := readJournal(s.fs, s.dir)
	if err != nil {
		return nil, diskError(err, "the spool's journal can't be read")
	}
	var going []string // what was deleted, but not removed yet
	found = slices.DeleteFunc(found, func(info Info) bool {
		if gone[info.key()] {
			going = append(going, s.path(info))
		}
		return gone[info.key()]
	})
	going = append(going, s.index(found)...)
	if err := s.begin(kept, whole && len(gone) == 0, going); err != nil && !disk.IsFull(err) {
		return nil, diskError(err, "the spool's journal can't be written")
	}
	return s, nil
}

// begin misses what the journal has and the folders don't, opens the journal, and
// removes the files that have to go.
func (s *Spool) begin(kept map[string]bool, same bool, going []string) error {
	var keys []string
	settled := map[string]bool{}
	for _, info := range s.snapshot() {
		key := info.key()
		keys = append(keys, key)
		if shard := filepath.Dir(s.path(info)); !kept[key] && !settled[shard] {
			// Whoever put it may have died before its name was durable.
			failpoint.Hit("spool/before-fsync-shard")
			if err := s.fs.SyncDir(shard); err != nil {
				return err
			}
			failpoint.Hit("spool/after-fsync-shard")
			settled[shard] = true
		}
		same = same && kept[key]
		delete(kept, key)
	}
	for _, key := range slices.Sorted(maps.Keys(kept)) {
		info, ok := infoOf(key)
		if !ok || !info.Expires.After(s.now()) {
			same = false
			continue
		}
		keys = append(keys, key) // it is missed again at the next start
		s.arrival = max(s.arrival, info.Arrival)
		s.damaged[key] = Damage{Path: s.dir, Arrival: info.Arrival, Expires: info.Expires, What: "its file has vanished"}
	}
	var err error
	s.journal, err = openJournal(s.fs, s.dir, keys, same)
	if err != nil {
		s.journal = &journal{fs: s.fs, dir: s.dir}
		_ = s.fs.Remove(filepath.Join(s.dir, journalName)) // a full disk: nothing is missed then
	}
	s.journal.going = going
	return errors.Join(err, s.journal.remove())
}

// makeFolders makes the 256 folders and their names durable.
func (s *Spool) makeFolders() error {
	if err := disk.MakeDir(s.fs, s.dir, 0o700); err != nil {
		return err
	}
	for b := range 256 {
		shard := filepath.Join(s.dir, shardName(byte(b)))
		there, err := disk.Exists(s.fs, shard)
		if err != nil {
			return err
		}
		if there {
			continue
		}
		if err := s.fs.Mkdir(shard, 0o700); err != nil {
			return err
		}
	}
	// Also when all were there: whoever made them may have died before this.
	return s.fs.SyncDir(s.dir)
}

// list reads one folder's names.
func (s *Spool) list(shard string) ([]Info, error) {
	entries, err := s.fs.ReadDir(filepath.Join(s.dir, shard))
	if err != nil {
		return nil, err
	}
	infos := make([]Info, 0, len(entries))
	for _, entry := range entries {
		if strings.HasSuffix(entry.Name(), disk.TempSuffix) {
			_ = s.fs.Remove(filepath.Join(s.dir, shard, entry.Name())) // best effort: it is in nobody's way
			continue
		}
		if info, ok := parseName(entry.Name()); ok && info.shard() == shard {
			infos = append(infos, info)
		}
	}
	return infos, nil
}

// index takes what Open found. A blob that is there twice came back after a
// power cut and was put again; the older files go.
func (s *Spool) index(found []Info) (going []string) {
	slices.SortFunc(found, byArrival)
	for _, info := range found {
		b := s.bucket(info.Bucket)
		if old, twice := b.byID[info.ID]; twice {
			s.drop(b, old)
			going = append(going, s.path(old))
		}
		s.add(b, info)
		s.bytes += int64(info.Size)
		s.arrival = info.Arrival
	}
	return going
}

func byArrival(a, b Info) int {
	switch {
	case a.Arrival < b.Arrival:
		return -1
	case a.Arrival > b.Arrival:
		return 1
	default:
		return 0
	}
}

func (s *Spool) path(info Info) string {
	return filepath.Join(s.dir, info.shard(), info.fileName())
}

// bucket finds or makes a bucket. The caller holds mu.
func (s *Spool) bucket(name string) *bucket {
	b := s.buckets[name]
	if b == nil {
		b = &bucket{turn: make(chan struct{}, 1), byID: map[ID]Info{}}
		s.buckets[name] = b
	}
	return b
}

// add puts a stored blob into the index; its bytes are counted in s.bytes
// already. The caller holds mu.
func (s *Spool) add(b *bucket, info Info) {
	b.blobs = append(b.blobs, info)
	b.byID[info.ID] = info
	b.bytes += int64(info.Size)
	s.blobs++
}

// drop takes a blob out of the index, and its bucket when that was the last.
// The caller holds mu.
func (s *Spool) drop(b *bucket, info Info) {
	if i, found := slices.BinarySearchFunc(b.blobs, info, byArrival); found {
		b.blobs = slices.Delete(b.blobs, i, i+1)
	}
	delete(b.byID, info.ID)
	delete(s.damaged, info.key())
	b.bytes -= int64(info.Size)
	s.blobs--
	s.bytes -= int64(info.Size)
	s.forget(info.Bucket, b)
}

// forget removes a bucket that nobody needs. The caller holds mu.
func (s *Spool) forget(name string, b *bucket) {
	if len(b.blobs) == 0 && b.users == 0 {
		delete(s.buckets, name)
	}
}

// Bucket lists a bucket's blobs in the order in which they came, expired ones
// included until they are swept.
func (s *Spool) Bucket(name string) []Info {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.buckets[name]
	if b == nil {
		return nil
	}
	return slices.Clone(b.blobs)
}

// All lists every blob that was there when the loop began, in the order in
// which they came.
func (s *Spool) All() iter.Seq[Info] {
	return func(yield func(Info) bool) {
		for _, info := range s.snapshot() {
			if !yield(info) {
				return
			}
		}
	}
}

func (s *Spool) snapshot() []Info {
	s.mu.Lock()
	all := make([]Info, 0, s.blobs)
	for _, b := range s.buckets {
		all = append(all, b.blobs...)
	}
	s.mu.Unlock()
	slices.SortFunc(all, byArrival)
	return all
}

// Usage is how much the spool holds.
func (s *Spool) Usage() Usage {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := Usage{Blobs: s.blobs}
	for _, b := range s.buckets {
		if len(b.blobs) > 0 {
			u.Buckets++
			u.Bytes += b.bytes
		}
	}
	return u
}

// Fill is how much of [Limits.TotalBytes] is taken, 0 to 1; 0 where there is no
// such limit.
func (s *Spool) Fill() float64 {
	if s.limits.TotalBytes <= 0 {
		return 0
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return float64(s.bytes) / float64(s.limits.TotalBytes)
}

// Close ends the use of the spool, and removes the files of deleted blobs. Puts
// that are under way go on; calls after it fail with [ErrClosed].
func (s *Spool) Close() error {
	s.mu.Lock()
	closed := s.closed
	s.closed = true
	if s.tidying != nil {
		s.tidying.Stop()
	}
	s.mu.Unlock()
	if closed {
		return nil
	}
	return s.journal.close()
}

// tidyAfter is how long the file of a deleted blob stays at most.
const tidyAfter = time.Second

// release lets the file of a deleted blob go: with others, once the journal says
// so durably.
func (s *Spool) release(info Info) error {
	if waiting := s.journal.release(info, s.path(info)); waiting >= mayGo {
		return s.journal.remove()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return s.journal.remove()
	}
	if s.tidying == nil {
		s.tidying = time.AfterFunc(tidyAfter, s.tidy)
	}
	return nil
}

// tidy removes the files that were let go.
func (s *Spool) tidy() {
	s.mu.Lock()
	s.tidying = nil
	s.mu.Unlock()
	_ = s.journal.remove() // the next Open does it if need be
}

// diskError codes a failed operation: disk_full, or internal.
func diskError(err error, detail string) error {
	code := protocol.CodeInternal
	if disk.IsFull(err) {
		code = protocol.CodeDiskFull
	}
	return &protocol.Error{Code: code, Detail: fmt.Sprintf("%s: %v", detail, err), Hint: code.Hint(), Err: err}
}
