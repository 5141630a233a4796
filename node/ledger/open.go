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
	// Room is asked before every Append; its error, with the code disk_full, is
	// then Append's, and nothing is stored.
	Room func() error
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
	room  func() error // nil: there is always room

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
	l.room = opts.Room
	return l, nil
}

// create makes an empty ledger. The log's file is empty at first; its header is
// in the mark's copy, from where [recoverFrom] puts it into the log. The mark
// file's name comes last and in one step: a ledger without it has acknowledged
// nothing.
func create(fsys FS, dir string) error {
	failpoint.Hit("ledger/create-before-log")
	log, err := fsys.OpenFile(filepath.Join(dir, logName), os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if err := log.Close(); err != nil {
		return err
	}
	if err := fsys.SyncDir(dir); err != nil {
		return err
	}
	failpoint.Hit("ledger/create-after-log")
	h := header{segment: firstSegment, first: 1}
	rand.Read(h.id[:])
	data, first := h.encode()
	m := mark{segment: firstSegment, id: h.id, group: first, end: first, copied: data}
	// Both slots get their room now, so that a full disk can't keep a mark from
	// being written later.
	slots := make([]byte, 2*slotSize)
	copy(slots[slot(0):], m.encode())
	m.generation = 1
	copy(slots[slot(1):], m.encode())
	return disk.Replace(fsys, filepath.Join(dir, markName), slots, 0o600, "ledger/create-mark")
}

// recoverFrom verifies the files and makes what they hold durable.
//
// The last group and its mark are written again although the files show them:
// after a failed fsync the page cache can hold bytes that the disk doesn't.
func recoverFrom(dir string, log, marks disk.File) (*Ledger, error) {
	found, err := inspect(dir, log, marks)
	if err != nil {
		return nil, err
	}
	m := found.log.mark
	rest, err := found.bytes(m.copyFrom)
	if err != nil {
		return nil, err
	}
	l := &Ledger{
		path: filepath.Join(dir, logName), log: log, marks: marks, id: m.id, first: found.first,
		turn:       make(chan struct{}, 1),
		generation: m.generation,
		tail:       slices.Clone(rest[pageOf(found.end.offset)-m.copyFrom:]),
		end:        found.end,
		index:      found.index,
	}
	// A process that died while it wrote a mark has left it on its way to the
	// disk. It has to be there before the log's last page is written again: what
	// protects that page must not be in the same danger.
	if err := marks.Sync(); err != nil {
		return nil, diskError(err, "the mark can't be synced")
	}
	failpoint.Hit("ledger/open-after-fsync-mark")
	if err := l.settleLog(m.copyFrom, rest); err != nil {
		return nil, err
	}
	// One slot is always durable while the other is written. If the other slot
	// verifies, it is the durable one: this slot's write may be what failed. If
	// it doesn't, it was being written, so this one was durable before.
	if found.spare {
		if err := l.settleMark(m); err != nil {
			return nil, err
		}
	}
	if !found.spare || found.end != m.end {
		next := m
		if found.end != m.end {
			next = l.markOf(m.end, found.end, rest[pageOf(m.end.offset)-m.copyFrom:])
		}
		next.generation = m.generation + 1
		if err := l.settleMark(next); err != nil {
			return nil, err
		}
	}
	return l, nil
}

// settleLog makes the log's bytes from an offset to the end durable and cuts
// what follows.
func (l *Ledger) settleLog(from int64, rest []byte) error {
	failpoint.Hit("ledger/open-before-write-log")
	if _, err := l.log.WriteAt(rest, from); err != nil {
		return diskError(err, "the log's last entries can't be written again")
	}
	if err := l.log.Truncate(l.end.offset); err != nil {
		return diskError(err, "the log's torn end can't be cut")
	}
	failpoint.Hit("ledger/open-before-fsync-log")
	if err := l.log.Sync(); err != nil {
		return diskError(err, "the log can't be synced")
	}
	failpoint.Hit("ledger/open-after-fsync-log")
	return nil
}

// settleMark writes a mark and makes it durable.
func (l *Ledger) settleMark(m mark) error {
	if err := l.writeMark(m); err != nil {
		return err
	}
	failpoint.Hit("ledger/before-fsync-mark")
	if err := l.marks.Sync(); err != nil {
		return diskError(err, "the mark can't be synced")
	}
	failpoint.Hit("ledger/after-fsync-mark")
	l.generation = m.generation
	return nil
}
