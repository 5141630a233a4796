package spool

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/parley-protocol/parley/node/ledger/disk"
)

// The journal says which blobs there should be, so that one whose file has
// vanished is missed. It is text, a line for each blob that came or went:
//
//   - KEY SUM    it is stored
//   - KEY SUM    it may go
//
// where KEY is its arrival, its expiry in Unix seconds and the head of the
// SHA-256 of its file's name, in hexadecimal with dots between them: whose it was
// isn't to be read here when it has gone. SUM is the head of the SHA-256 of what
// is before it in the line; heads are 16 digits.
//
// A line + is written once the file and its name are durable, and a line - is
// durable before the file is removed: after a crash at any moment a file that is
// missed was lost, and not just on its way. Lines that a crash has spoilt make
// the whole journal worthless until the next Open writes it anew; then nothing
// is missed, and nothing else depends on it.
type journal struct {
	fs  disk.FS
	dir string

	removing sync.Mutex // held by the one who removes files
	named    bool       // the journal's name is durable; of the holder of removing

	mu    sync.Mutex
	file  disk.File // nil when the disk doesn't let the spool have one
	end   int64
	going []string // paths of files whose lines - aren't durable yet
}

const (
	journalName = "journal"
	mayGo       = 256 // files that wait for their lines before these are synced
)

func journalLine(op byte, key string) string {
	body := string(op) + " " + key + " "
	return body + head(body) + "\n"
}

func head(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:8])
}

func (i Info) key() string {
	return string(append(append(i.appendHead(make([]byte, 0, 64)), '.'), head(i.fileName())...))
}

// infoOf is what a key tells of a blob: its arrival and its expiry.
func infoOf(key string) (info Info, ok bool) {
	arrival, rest, _ := strings.Cut(key, ".")
	expires, _, _ := strings.Cut(rest, ".")
	n, err1 := strconv.ParseUint(arrival, 16, 64)
	unix, err2 := strconv.ParseInt(expires, 16, 64)
	return Info{Arrival: n, Expires: time.Unix(unix, 0).UTC()}, err1 == nil && err2 == nil
}

// readJournal returns the blobs that the journal has, and those that it lets go.
// whole is false when there is no journal, or a spoilt one.
func readJournal(fsys disk.FS, dir string) (kept, gone map[string]bool, whole bool, err error) {
	text, err := disk.ReadFile(fsys, filepath.Join(dir, journalName), math.MaxInt64)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, false, nil
	}
	if err != nil {
		return nil, nil, false, err
	}
	kept, gone = map[string]bool{}, map[string]bool{}
	for line := range strings.Lines(string(text)) {
		op, rest, _ := strings.Cut(line, " ")
		key, _, _ := strings.Cut(rest, " ")
		if len(op) != 1 || line != journalLine(op[0], key) {
			return nil, nil, false, nil
		}
		switch op {
		case "+":
			kept[key] = true
		case "-":
			delete(kept, key)
			gone[key] = true
		}
	}
	return kept, gone, true, nil
}

// openJournal opens the journal for the blobs with these keys; it is written anew
// unless it is known to hold a line for each and nothing else.
func openJournal(fsys disk.FS, dir string, keys []string, same bool) (*journal, error) {
	j := &journal{fs: fsys, dir: dir}
	path := filepath.Join(dir, journalName)
	flag := os.O_RDWR
	if !same {
		path += disk.TempSuffix
		flag |= os.O_CREATE | os.O_TRUNC
	}
	f, err := fsys.OpenFile(path, flag, 0o600)
	if err != nil {
		return nil, err
	}
	j.file = f
	if same {
		j.end, err = f.Size()
		return j, err
	}
	var text strings.Builder
	for _, key := range keys {
		text.WriteString(journalLine('+', key))
	}
	if _, err := f.WriteAt([]byte(text.String()), 0); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	j.end = int64(text.Len())
	// On Windows an open file can't be renamed.
	if err := f.Close(); err != nil {
		return nil, err
	}
	if err := fsys.Rename(path, filepath.Join(dir, journalName)); err != nil {
		return nil, err
	}
	j.file, err = fsys.OpenFile(filepath.Join(dir, journalName), os.O_RDWR, 0o600)
	return j, err
}

// note appends a line, not durably yet. A journal that can't be written is given
// up: without one nothing is missed.
func (j *journal) note(op byte, info Info) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.file == nil {
		return
	}
	line := journalLine(op, info.key())
	if _, err := j.file.WriteAt([]byte(line), j.end); err != nil {
		j.drop()
		return
	}
	j.end += int64(len(line))
}

// release lets a file go whose blob was deleted. It returns how many wait.
func (j *journal) release(info Info, path string) (waiting int) {
	j.note('-', info)
	j.mu.Lock()
	defer j.mu.Unlock()
	j.going = append(j.going, path)
	return len(j.going)
}

// drop gives the journal up. The caller holds mu.
func (j *journal) drop() {
	_ = j.file.Close()
	j.file = nil
	_ = j.fs.Remove(filepath.Join(j.dir, journalName)) // best effort: a spoilt one is as good as none
}

// remove removes the files that wait for that, once their lines are durable.
func (j *journal) remove() error {
	j.removing.Lock()
	defer j.removing.Unlock()
	j.mu.Lock()
	going, file := j.going, j.file
	j.going = nil
	j.mu.Unlock()
	if len(going) == 0 {
		return nil
	}
	if file != nil {
		err := file.Sync()
		if err == nil && !j.named {
			err = j.fs.SyncDir(j.dir)
		}
		j.named = true
		if err != nil {
			j.mu.Lock()
			if j.file != nil {
				j.drop()
			}
			j.mu.Unlock()
		}
	}
	var errs []error
	for _, path := range going {
		if err := j.fs.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

func (j *journal) close() error {
	err := j.remove()
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.file != nil {
		err = errors.Join(err, j.file.Close())
		j.file = nil
	}
	return err
}
