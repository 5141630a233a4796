// Package keyfile keeps a small file of secrets twice, so that a flipped byte or
// a lost file doesn't cost all that the secrets open. Both copies are rewritten
// whole, together; a serial number tells which is newer after a crash between
// them. A copy that is spoilt is named and mended from the other.
//
// The files are 0600; anything looser is refused, except on Windows, where these
// bits mean nothing.
package keyfile

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/parley-protocol/parley/node/failpoint"
	"github.com/parley-protocol/parley/node/ledger/disk"
	"github.com/parley-protocol/parley/protocol"
)

// The frame, integers big-endian:
//
//	0  magic, 8 bytes
//	8  version, uint16: 2
//	10 zero, 2 bytes
//	12 length of the content, uint32
//	16 serial number, uint64; version 1 has none and its content begins here
//	24 content
//	…  sum, 32 bytes: SHA-256 over everything before
const (
	Version     = 2
	headerSize  = 24
	headerSize1 = 16

	// Overhead is what the frame adds to the content, in bytes.
	Overhead = headerSize + sha256.Size
)

// FS is the file layer that the copies lie on.
type FS = disk.FS

// File is where a file and its copy lie, and what they are.
type File struct {
	FS    FS
	Path  string
	Magic [8]byte
	Limit int64  // of the content, in bytes
	Point string // what the failpoints' names begin with
}

// CopySuffix ends the name of the second copy.
const CopySuffix = ".copy"

// Paths are the places of both copies.
func (f File) Paths() [2]string { return [2]string{f.Path, f.Path + CopySuffix} }

// Content is what the copies hold.
type Content struct {
	Version uint16 // of the frame: 1 for a file that stood alone, and was not sealed
	Serial  uint64 // grows with every writing
	Data    []byte
	// Spoilt says what is wrong with a copy that has to be written anew; nil
	// when nothing is, or when it is merely older.
	Spoilt error

	stale bool // one of the copies isn't this content
}

// Whole tells whether both copies hold this very content.
func (c Content) Whole() bool { return !c.stale }

var (
	errSum     = errors.New("its checksum does not match")
	errMissing = errors.New("it is missing")
	errVersion = errors.New("a later version of the program wrote it")

	// ErrContent is for a content that isn't of the form that its frame promises.
	ErrContent = errors.New("its content is not well formed")
)

func (f File) wrap(serial uint64, content []byte) []byte {
	b := make([]byte, 0, Overhead+len(content))
	b = append(b, f.Magic[:]...)
	b = binary.BigEndian.AppendUint16(b, Version)
	b = append(b, 0, 0)
	b = binary.BigEndian.AppendUint32(b, uint32(len(content)))
	b = binary.BigEndian.AppendUint64(b, serial)
	b = append(b, content...)
	sum := sha256.Sum256(b)
	return append(b, sum[:]...)
}

// unwrap verifies the frame; the content's bytes alias data.
func (f File) unwrap(data []byte) (Content, error) {
	if len(data) < headerSize1+sha256.Size {
		return Content{}, errSum
	}
	body, sum := data[:len(data)-sha256.Size], data[len(data)-sha256.Size:]
	if want := sha256.Sum256(body); !bytes.Equal(sum, want[:]) {
		return Content{}, errSum
	}
	if !bytes.Equal(body[:8], f.Magic[:]) {
		return Content{}, ErrContent
	}
	c := Content{Version: binary.BigEndian.Uint16(body[8:])}
	start := headerSize
	switch {
	case body[10]|body[11] != 0 || c.Version < 1 || c.Version > Version:
		return Content{}, errVersion
	case c.Version == 1:
		start = headerSize1
	case len(body) < headerSize:
		return Content{}, ErrContent
	default:
		c.Serial = binary.BigEndian.Uint64(body[16:])
	}
	if uint64(binary.BigEndian.Uint32(body[12:])) != uint64(len(body)-start) {
		return Content{}, ErrContent
	}
	c.Data = body[start:]
	return c, nil
}

// Exists reports whether either copy is there.
func (f File) Exists() (bool, error) {
	for _, path := range f.Paths() {
		there, err := disk.Exists(f.FS, path)
		if err != nil {
			return false, DiskError(err, path+" can't be looked at")
		}
		if there {
			return true, nil
		}
	}
	return false, nil
}

// Read gives the newer of the copies that are whole. It changes nothing: see
// [File.Mend]. Errors by code: not_found when neither is there, not_permitted for
// a mode that lets others in, damaged when neither is whole, unsupported_format,
// internal.
func (f File) Read() (Content, error) {
	var found [2]Content
	var wrong [2]error
	for i, path := range f.Paths() {
		c, err := f.readOne(path)
		if errors.Is(err, errVersion) {
			e := protocol.Errorf(protocol.CodeUnsupportedFormat, "", "%s: %w", path, err)
			e.Hint = "Use the version of the program that wrote it, or a later one."
			return Content{}, e
		}
		if err != nil && !isSpoilt(err) {
			return Content{}, err
		}
		found[i], wrong[i] = c, err
	}
	switch {
	case wrong[0] == nil && wrong[1] == nil:
		best := found[0]
		if found[1].Version > best.Version || found[1].Version == best.Version && found[1].Serial > best.Serial {
			best = found[1]
		}
		best.stale = found[0].Serial != found[1].Serial || !bytes.Equal(found[0].Data, found[1].Data)
		return best, nil
	case wrong[0] == nil || wrong[1] == nil:
		good, bad := 0, 1
		if wrong[0] != nil {
			good, bad = 1, 0
		}
		best := found[good]
		best.stale = true
		if best.Version > 1 || !errors.Is(wrong[bad], errMissing) { // version 1 had no copies
			best.Spoilt = fmt.Errorf("%s: %w", f.Paths()[bad], wrong[bad])
		}
		return best, nil
	case errors.Is(wrong[0], errMissing) && errors.Is(wrong[1], errMissing):
		return Content{}, protocol.Errorf(protocol.CodeNotFound, "", "%s: %w", f.Path, fs.ErrNotExist)
	}
	return Content{}, f.Damaged(fmt.Errorf("%w; and its copy: %w", wrong[0], wrong[1]))
}

func isSpoilt(err error) bool {
	return errors.Is(err, errSum) || errors.Is(err, ErrContent) || errors.Is(err, errMissing)
}

func (f File) readOne(path string) (Content, error) {
	err := CheckMode(f.FS, path, 0o600)
	if errors.Is(err, fs.ErrNotExist) {
		return Content{}, errMissing
	}
	if err != nil {
		return Content{}, err
	}
	data, err := disk.ReadFile(f.FS, path, f.Limit+Overhead)
	switch {
	case errors.Is(err, disk.ErrTooLong):
		return Content{}, errSum
	case errors.Is(err, fs.ErrNotExist):
		return Content{}, errMissing
	case err != nil:
		return Content{}, DiskError(err, path+" can't be read")
	}
	return f.unwrap(data)
}

// Mend writes a content that was read to both copies, if they aren't both of it,
// and removes what a crash left half written. A process that died right after a
// rename may not have got to making the name durable: whoever mends syncs the
// folder.
func (f File) Mend(c Content) error {
	for _, path := range f.Paths() {
		if err := disk.RemoveAndWipe(f.FS, path+disk.TempSuffix); err != nil {
			return DiskError(err, path+disk.TempSuffix+" can't be removed")
		}
	}
	if c.Whole() {
		return nil
	}
	return f.Write(c.Serial, c.Data)
}

// Write replaces both copies, durably, and wipes the bytes of the old ones as
// well as that can be done: on an SSD, and on a file system that copies on
// write, they may survive elsewhere; on Windows the old files are only unlinked.
// serial must be greater than that of any content that differs.
//
// Nothing has happened when the error's code is disk_full. After any other the
// new content may be there after a restart, or the old one.
func (f File) Write(serial uint64, content []byte) error {
	data := f.wrap(serial, content)
	defer clear(data)
	fail := func(path string, err error) error { return DiskError(err, path+" can't be written") }
	var old [2]*disk.Wipe
	for i, path := range f.Paths() {
		w, err := disk.BeginWipe(f.FS, path)
		if err != nil {
			return fail(path, err)
		}
		defer w.Close()
		old[i] = w
	}
	for _, path := range f.Paths() {
		// Room runs out here if anywhere: before either copy has changed.
		if err := disk.WriteTemp(f.FS, path+disk.TempSuffix, data, 0o600, f.Point); err != nil {
			_ = disk.RemoveAndWipe(f.FS, f.Path+disk.TempSuffix) // best effort: the next start does it as well
			return fail(path, err)
		}
	}
	for _, path := range f.Paths() {
		failpoint.Hit(f.Point + "/before-rename")
		if err := f.FS.Rename(path+disk.TempSuffix, path); err != nil {
			return notFull(fail(path, err))
		}
		failpoint.Hit(f.Point + "/after-rename")
	}
	dir := filepath.Dir(f.Path)
	if err := f.FS.SyncDir(dir); err != nil {
		return notFull(fail(dir, err))
	}
	failpoint.Hit(f.Point + "/after-fsync-dir")
	for i, path := range f.Paths() {
		if err := old[i].Run(); err != nil {
			return notFull(fail(path, err))
		}
	}
	failpoint.Hit(f.Point + "/after-wipe")
	return nil
}

// notFull keeps a failure that came too late for nothing to have happened from
// looking like a full disk.
func notFull(err error) error {
	if e, ok := errors.AsType[*protocol.Error](err); ok && e.Code == protocol.CodeDiskFull {
		e.Code = protocol.CodeInternal
	}
	return err
}

// Damaged codes what is wrong with the content of both copies.
func (f File) Damaged(cause error) error {
	e := protocol.Errorf(protocol.CodeDamaged, "", "%s: %w", f.Path, cause)
	e.Hint = "Put this file back from a backup. The 24 words alone bring back the identity, but no other keys."
	return e
}

// CheckMode refuses a file or folder that others than its owner may use.
func CheckMode(fsys FS, path string, want fs.FileMode) error {
	info, err := fsys.Stat(path)
	if err != nil {
		return DiskError(err, path+" can't be looked at")
	}
	if mode := info.Mode().Perm(); disk.ChecksModes && mode&^want&0o077 != 0 {
		e := protocol.Errorf(protocol.CodeNotPermitted, "", "%s has mode %04o: others may get at the keys", path, mode)
		e.Hint = fmt.Sprintf("chmod %04o %s", want, path)
		return e
	}
	return nil
}

// DiskError codes a failed operation: not_found, disk_full, or internal.
func DiskError(err error, detail string) error {
	code := protocol.CodeInternal
	switch {
	case disk.IsFull(err):
		code = protocol.CodeDiskFull
	case errors.Is(err, fs.ErrNotExist):
		code = protocol.CodeNotFound
	}
	return &protocol.Error{Code: code, Detail: fmt.Sprintf("%s: %v", detail, err), Hint: code.Hint(), Err: err}
}
