package ledger

import (
	"crypto/rand"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/parley-protocol/parley/node/failpoint"
	"github.com/parley-protocol/parley/node/ledger/disk"
)

// FS is the file layer that a ledger lies on.
type FS = disk.FS

// Options are what Open may be told. The zero value is right for a node.
type Options struct {
	FS FS // the machine's file system when nil
}

func (o Options) fs() FS {
	if o.FS == nil {
		return disk.OS{}
	}
	return o.FS
}

// Ledger is an open ledger. Its methods may be called concurrently. Nobody else
// may have the same folder open; the node's lock sees to that.
type Ledger struct {
	path  string // of the log
	log   disk.File
	marks disk.File
	id    ledgerID
	first cursor

	turn  chan struct{} // held by the one who commits, or closes
	syncs atomic.Uint64

	// Only the holder of turn uses these.
	generation uint64 // of the newest mark
	tail       []byte // the log's bytes from the last page boundary to its end

	mu     sync.Mutex
	queue  []*request
	end    cursor
	index  []cursor // every indexStep-th entry
	broken error    // why nothing can be appended any more
	closed bool
}

// Open opens the ledger in a folder, or makes one. It verifies every entry,
// puts back or cuts what a crash left half done, and makes what it found
// durable before it returns, so that no later crash can take away what the
// caller has seen.
//
// It fails with a [DamageError] when bytes that were acknowledged are missing
// or wrong; with the code unsupported_format for files of a later version; with
// disk_full or internal when the disk fails. It never creates a ledger over the
// rest of one.
func Open(dir string, opts Options) (*Ledger, error) {
	fsys := opts.fs()
	there, err := look(fsys, dir)
	if err != nil {
		return nil, err
	}
	// A process that died right after making the folder or the files may not
	// have got to syncing their names.
	if err := disk.MakeDir(fsys, dir, 0o700); err != nil {
		return nil, diskError(err, "the ledger's folder can't be made")
	}
	if there == absent {
		if err := create(fsys, dir); err != nil {
			return nil, diskError(err, "the ledger can't be made")
		}
	} else if err := fsys.SyncDir(dir); err != nil {
		return nil, diskError(err, "the ledger's folder can't be synced")
	}
	log, marks, err := openFiles(fsys, dir, os.O_RDWR)
	if err != nil {
		return nil, err
	}
	l, err := recoverFrom(dir, log, marks)
	if err != nil {
		log.Close()
		marks.Close()
		return nil, err
	}
	return l, nil
}

// create makes an empty ledger. The mark file's name comes last and in one
// step: a ledger without it has acknowledged nothing.
func create(fsys FS, dir string) error {
	h := header{segment: firstSegment, first: 1}
	rand.Read(h.id[:])
	data, first := h.encode()
	if err := disk.WriteTemp(fsys, filepath.Join(dir, logName), data, 0o600, "ledger/create-log"); err != nil {
		return err
	}
	if err := fsys.SyncDir(dir); err != nil {
		return err
	}
	m := mark{segment: firstSegment, id: h.id, group: first, end: first, copied: data}
	// Both slots get their room now, so that a full disk can't keep a mark from
	// being written later.
	slots := make([]byte, 2*slotSize)
	copy(slots, m.encode())
	return disk.Replace(fsys, filepath.Join(dir, markName), slots, 0o600, "ledger/create-mark")
}

// recoverFrom verifies the files and makes what they hold durable.
//
// The last group is written again although the log may show it: after a failed
// fsync the page cache can hold bytes that the disk doesn't.
func recoverFrom(dir string, log, marks disk.File) (*Ledger, error) {
	found, err := inspect(dir, log, marks)
	if err != nil {
		return nil, err
	}
	m := found.log.mark
	l := &Ledger{
		path: filepath.Join(dir, logName), log: log, marks: marks, id: m.id, first: found.first,
		turn:       make(chan struct{}, 1),
		generation: m.generation,
		end:        found.end,
		index:      found.index,
	}
	rest, err := found.bytes(m.copyFrom)
	if err != nil {
		return nil, err
	}
	failpoint.Hit("ledger/open-before-write-log")
	if _, err := log.WriteAt(rest, m.copyFrom); err != nil {
		return nil, diskError(err, "the log's last entries can't be written again")
	}
	if err := log.Truncate(found.end.offset); err != nil {
		return nil, diskError(err, "the log's torn end can't be cut")
	}
	failpoint.Hit("ledger/open-before-fsync-log")
	if err := log.Sync(); err != nil {
		return nil, diskError(err, "the log can't be synced")
	}
	failpoint.Hit("ledger/open-after-fsync-log")
	next := m
	if found.end != m.end {
		next = l.markOf(m.end, found.end, rest[pageOf(m.end.offset)-m.copyFrom:])
	}
	next.generation = m.generation + 1
	if _, err := marks.WriteAt(next.encode(), slot(next.generation)); err != nil {
		return nil, diskError(err, "the mark can't be written")
	}
	failpoint.Hit("ledger/open-before-fsync-mark")
	if err := marks.Sync(); err != nil {
		return nil, diskError(err, "the mark can't be synced")
	}
	failpoint.Hit("ledger/open-after-fsync-mark")
	l.generation = next.generation
	l.tail = slices.Clone(rest[pageOf(found.end.offset)-m.copyFrom:])
	return l, nil
}
