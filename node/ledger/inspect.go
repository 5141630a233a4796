package ledger

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/parley-protocol/parley/node/ledger/disk"
	"github.com/parley-protocol/parley/protocol"
)

// The names in a ledger's folder.
const (
	logName   = "00000001.log"
	markName  = "mark"
	logSuffix = ".log"
)

// indexStep is how many entries lie between two that the index knows.
const indexStep = 1024

// findings is what the files of a ledger hold, nothing changed yet.
type findings struct {
	log   patched  // the log with the mark's copy laid over it
	spare bool     // the other slot of the mark file verifies, too
	first cursor   // the first frame
	end   cursor   // after the last whole batch
	index []cursor // every indexStep-th frame from the first on
}

// presence tells which of a ledger's files are there.
type presence int

const (
	absent   presence = iota // nothing, or a creation that didn't finish
	complete                 // both files
)

// look tells whether there is a ledger in a folder. Half a ledger is damage.
func look(fsys FS, dir string) (presence, error) {
	names, err := fsys.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return absent, nil
	}
	if err != nil {
		return absent, diskError(err, "the ledger's folder can't be listed")
	}
	var haveLog, haveMark bool
	for _, entry := range names {
		switch name := entry.Name(); {
		case name == logName:
			haveLog = true
		case name == markName:
			haveMark = true
		case strings.HasSuffix(name, logSuffix):
			return absent, unsupported(filepath.Join(dir, name), "a log file that this version does not know")
		}
	}
	logPath, markPath := filepath.Join(dir, logName), filepath.Join(dir, markName)
	switch {
	case haveLog && haveMark:
		return complete, nil
	case haveMark:
		return absent, damaged(logPath, 0, 0, "the file is missing")
	case haveLog:
		// The mark file is made last, and the log is empty until then.
		info, err := fsys.Stat(logPath)
		if err != nil {
			return absent, diskError(err, "the log can't be looked at")
		}
		if info.Size() > 0 {
			return absent, damaged(markPath, 0, 0, "the file is missing, and the log isn't empty")
		}
	}
	return absent, nil
}

func unsupported(path, what string) error {
	e := protocol.Errorf(protocol.CodeUnsupportedFormat, "", "%s: %s", path, what)
	e.Hint = "A newer version of the program wrote this folder; use that one."
	return e
}

// inspect verifies a ledger's open files.
func inspect(dir string, log, marks disk.File) (findings, error) {
	m, spare, err := newestMark(filepath.Join(dir, markName), marks)
	if err != nil {
		return findings{}, err
	}
	path := filepath.Join(dir, logName)
	size, err := log.Size()
	if err != nil {
		return findings{}, diskError(err, "the log can't be looked at")
	}
	if size < m.copyFrom {
		return findings{}, damaged(path, size, 0, "the file ends here, and %d bytes that were stored are missing",
			m.end.offset-size)
	}
	found := findings{log: patched{file: log, size: size, mark: m}, spare: spare}
	if found.first, err = readHeader(path, found.log, m); err != nil {
		return findings{}, err
	}
	if err := found.verifyMarked(path); err != nil {
		return findings{}, err
	}
	if err := found.verifyOneHistory(path); err != nil {
		return findings{}, err
	}
	return found, found.keepWhole(path)
}

// newestMark is the later of the slots that verify. spare reports whether both
// do.
func newestMark(path string, marks disk.File) (newest mark, spare bool, err error) {
	valid := 0
	for i := range uint64(2) {
		data, err := readSlot(marks, slot(i))
		if err != nil {
			return mark{}, false, diskError(err, "the mark file can't be read")
		}
		m, err := decodeMark(data)
		if errors.Is(err, errVersion) {
			return mark{}, false, unsupported(path, err.Error())
		}
		if err != nil || m.generation%2 != i {
			continue
		}
		if valid++; valid == 1 || m.generation > newest.generation {
			newest = m
		}
	}
	if valid == 0 {
		return mark{}, false, damaged(path, 0, 0, "neither of its two slots verifies")
	}
	return newest, valid == 2, nil
}

// readSlot reads a slot's header and as much after it as the header says.
func readSlot(marks disk.File, at int64) ([]byte, error) {
	data := make([]byte, slotHeaderSize, slotHeaderSize+pageSize)
	n, err := marks.ReadAt(data, at)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	data = data[:n]
	size := slotLen(data)
	if size <= len(data) {
		return data, nil
	}
	data = make([]byte, size)
	n, err = marks.ReadAt(data, at)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return data[:n], nil
}

// readHeader verifies the log's header and that the mark belongs to it.
func readHeader(path string, log patched, m mark) (cursor, error) {
	data := make([]byte, headerSize)
	if _, err := log.ReadAt(data, 0); err != nil && !errors.Is(err, io.EOF) {
		return cursor{}, diskError(err, "the log can't be read")
	}
	h, first, err := decodeHeader(data)
	if errors.Is(err, errVersion) {
		return cursor{}, unsupported(path, err.Error())
	}
	if err != nil {
		return cursor{}, damaged(path, 0, 0, "%v", err)
	}
	if h.id != m.id {
		return cursor{}, damaged(path, 0, 0, "it belongs to another ledger than the mark file beside it")
	}
	if h.segment != m.segment || h.segment != firstSegment {
		return cursor{}, unsupported(path, fmt.Sprintf("it is file %d of the log", h.segment))
	}
	return first, nil
}

// verifyMarked goes through everything that was acknowledged.
func (f *findings) verifyMarked(path string) error {
	end := f.log.mark.end
	s := newScanner(f.log, f.first, end.offset)
	whole := true
	for {
		at := s.at
		got, err := s.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if isFrameError(err) {
			return damaged(path, at.offset, at.seq, "%v", err)
		}
		if err != nil {
			return diskError(err, fmt.Sprintf("the log can't be read near byte %d", at.offset))
		}
		f.note(at)
		whole = got.last
	}
	if s.at != end || !whole {
		return damaged(path, s.at.offset, s.at.seq, "the log does not end here as the mark says")
	}
	f.end = end
	return nil
}

// note keeps every indexStep-th position.
func (f *findings) note(at cursor) {
	if (at.seq-f.first.seq)%indexStep == 0 {
		f.index = append(f.index, at)
	}
}

// verifyOneHistory refuses a log that holds, in the place of the mark's group,
// a different one that is whole: no crash does that, but files from two
// backups do.
func (f *findings) verifyOneHistory(path string) error {
	m := f.log.mark
	s := newScanner(f.log.file, m.group, min(f.log.size, m.end.offset))
	for {
		at := s.at
		got, err := s.next()
		if err != nil {
			return nil // torn or the end; a file that can't be read has shown already
		}
		if !got.last || s.at.offset <= m.copyFrom {
			continue
		}
		from := max(m.group.offset, m.copyFrom)
		raw := make([]byte, s.at.offset-from)
		if _, err := f.log.file.ReadAt(raw, from); err != nil && !errors.Is(err, io.EOF) {
			return diskError(err, "the log can't be read")
		}
		if !bytes.Equal(raw, m.copied[from-m.copyFrom:s.at.offset-m.copyFrom]) {
			return damaged(path, at.offset, at.seq, "the log and the mark file tell two different histories")
		}
	}
}

// keepWhole finds the whole batches after the mark. What is there was never
// acknowledged, so the rest is no damage.
func (f *findings) keepWhole(path string) error {
	s := newScanner(f.log, f.end, f.log.len())
	var pending []cursor
	for {
		at := s.at
		got, err := s.next()
		if errors.Is(err, io.EOF) || isFrameError(err) {
			return nil
		}
		if err != nil {
			return diskError(err, fmt.Sprintf("the log can't be read near byte %d", at.offset))
		}
		pending = append(pending, at)
		if !got.last {
			continue
		}
		for _, at := range pending {
			f.note(at)
		}
		pending = pending[:0]
		f.end = s.at
	}
}

// bytes reads the log from an offset to the end of what is kept.
func (f *findings) bytes(from int64) ([]byte, error) {
	data := make([]byte, f.end.offset-from)
	if _, err := f.log.ReadAt(data, from); err != nil && !errors.Is(err, io.EOF) {
		return nil, diskError(err, "the log can't be read")
	}
	return data, nil
}

// openFiles opens both files of a ledger.
func openFiles(fsys FS, dir string, flag int) (log, marks disk.File, err error) {
	log, err = fsys.OpenFile(filepath.Join(dir, logName), flag, 0o600)
	if err != nil {
		return nil, nil, diskError(err, "the log can't be opened")
	}
	marks, err = fsys.OpenFile(filepath.Join(dir, markName), flag, 0o600)
	if err != nil {
		log.Close()
		return nil, nil, diskError(err, "the mark file can't be opened")
	}
	return log, marks, nil
}

// Check verifies a ledger without changing or locking anything. It returns how
// many entries the ledger has, or the error that [Open] would give.
func Check(dir string, opts Options) (entries uint64, err error) {
	fsys := opts.fs()
	there, err := look(fsys, dir)
	if err != nil || there == absent {
		return 0, err
	}
	log, marks, err := openFiles(fsys, dir, os.O_RDONLY)
	if err != nil {
		return 0, err
	}
	defer log.Close()
	defer marks.Close()
	found, err := inspect(dir, log, marks)
	if err != nil {
		return 0, err
	}
	return found.end.seq - found.first.seq, nil
}
