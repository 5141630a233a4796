package disk

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/parley-protocol/parley/node/failpoint"
)

// Exists reports whether there is something at a path.
func Exists(fsys FS, name string) (bool, error) {
	_, err := fsys.Stat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// MakeDir makes a folder, and those above it that are missing, durably. A folder
// that is there already may have been made by a process that died before it
// could sync the name, so the name is synced in any case.
func MakeDir(fsys FS, name string, perm fs.FileMode) error {
	name = filepath.Clean(name)
	parent := filepath.Dir(name)
	if parent == name {
		return nil
	}
	there, err := Exists(fsys, name)
	if err != nil {
		return err
	}
	if there {
		err := fsys.SyncDir(parent)
		if errors.Is(err, fs.ErrPermission) {
			return nil // then it wasn't this user who made the folder
		}
		return err
	}
	if err := MakeDir(fsys, parent, perm); err != nil {
		return err
	}
	if err := fsys.Mkdir(name, perm); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return fsys.SyncDir(parent)
}

// ReadFile reads a whole file of at most limit bytes. A longer one gives
// [ErrTooLong].
func ReadFile(fsys FS, name string, limit int64) ([]byte, error) {
	f, err := fsys.OpenFile(name, os.O_RDONLY, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	size, err := f.Size()
	if err != nil {
		return nil, err
	}
	if size > limit {
		return nil, ErrTooLong
	}
	data := make([]byte, size)
	if _, err := f.ReadAt(data, 0); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return data, nil
}

// ErrTooLong means that a file is longer than anything this program writes
// there.
var ErrTooLong = errors.New("disk: the file is longer than it may be")

// WriteTemp writes data to a new file and makes its content durable; the name
// isn't yet. On failure the file is removed again. A file left by an earlier
// attempt is written over.
//
// The failpoints point+"/before-write", "/before-fsync" and "/after-fsync" lie
// around the steps.
func WriteTemp(fsys FS, name string, data []byte, perm fs.FileMode, point string) error {
	return writeTemp(fsys, name, perm, point, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}

func writeTemp(fsys FS, name string, perm fs.FileMode, point string, write func(io.Writer) error) error {
	failpoint.Hit(point + "/before-write")
	f, err := fsys.OpenFile(name, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, perm)
	if err != nil {
		return err
	}
	if err := writeAndSync(f, write, point); err != nil {
		f.Close()
		_ = fsys.Remove(name) // best effort: the next start removes it as well
		return err
	}
	return f.Close()
}

func writeAndSync(f File, write func(io.Writer) error, point string) error {
	if err := write(&appender{file: f}); err != nil {
		return err
	}
	failpoint.Hit(point + "/before-fsync")
	if err := f.Sync(); err != nil {
		return err
	}
	failpoint.Hit(point + "/after-fsync")
	return nil
}

// appender writes one thing after the other.
type appender struct {
	file File
	at   int64
}

func (a *appender) Write(p []byte) (int, error) {
	n, err := a.file.WriteAt(p, a.at)
	a.at += int64(n)
	return n, err
}

// Publish gives a file that [WriteTemp] made its name, durably, in place of
// what had that name. The failpoints point+"/before-rename", "/after-rename"
// and "/after-fsync-dir" lie around the steps.
func Publish(fsys FS, temp, name, point string) error {
	failpoint.Hit(point + "/before-rename")
	if err := fsys.Rename(temp, name); err != nil {
		return err
	}
	failpoint.Hit(point + "/after-rename")
	if err := fsys.SyncDir(filepath.Dir(name)); err != nil {
		return err
	}
	failpoint.Hit(point + "/after-fsync-dir")
	return nil
}

// Replace puts a file with new content in the place of an old one in a single
// durable step: after a power cut there is the one or the other, whole.
func Replace(fsys FS, name string, data []byte, perm fs.FileMode, point string) error {
	temp := name + TempSuffix
	if err := WriteTemp(fsys, temp, data, perm, point); err != nil {
		return err
	}
	return Publish(fsys, temp, name, point)
}

// ReplaceWith is [Replace] for content that is written bit by bit, by way of
// a file of that name beside it.
func ReplaceWith(fsys FS, temp, name string, perm fs.FileMode, point string, write func(io.Writer) error) error {
	if err := writeTemp(fsys, temp, perm, point, write); err != nil {
		return err
	}
	err := Publish(fsys, temp, name, point)
	if err != nil {
		_ = fsys.Remove(temp) // best effort: it may have its name by now
	}
	return err
}

// RemoveAll removes a file, or a folder with all in it, if it is there. Links in
// it aren't followed. The name's end isn't synced.
func RemoveAll(fsys FS, name string) error {
	info, err := fsys.Stat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return removeAll(fsys, name, info.IsDir())
}

func removeAll(fsys FS, name string, folder bool) error {
	if folder {
		names, err := fsys.ReadDir(name)
		if err != nil {
			return err
		}
		for _, n := range names {
			if err := removeAll(fsys, filepath.Join(name, n.Name()), n.IsDir()); err != nil {
				return err
			}
		}
	}
	return fsys.Remove(name)
}

// TempSuffix ends the names of files that aren't whole yet.
const TempSuffix = ".tmp"

// Wipe writes zeros over the bytes of a file that is about to be replaced, where
// they lie. On an SSD, and on a file system that copies on write, the old bytes
// may survive elsewhere; on Windows an open file can't be renamed over and
// nothing is wiped.
type Wipe struct{ file File }

// BeginWipe opens the file before it loses its name. One that isn't there has
// nothing to wipe.
func BeginWipe(fsys FS, name string) (*Wipe, error) {
	if !replacesOpenFiles {
		return &Wipe{}, nil
	}
	f, err := fsys.OpenFile(name, os.O_WRONLY, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return &Wipe{}, nil
	}
	return &Wipe{f}, err
}

// Run writes over the old bytes, once the new ones are durable.
func (w *Wipe) Run() error {
	if w.file == nil {
		return nil
	}
	size, err := w.file.Size()
	if err != nil {
		return err
	}
	if _, err := w.file.WriteAt(make([]byte, size), 0); err != nil {
		return err
	}
	return w.file.Sync()
}

// Close ends the wiping.
func (w *Wipe) Close() error {
	if w.file == nil {
		return nil
	}
	return w.file.Close()
}

// RemoveAndWipe removes a file of secrets, if it is there, after writing zeros
// over its bytes. The name's end isn't synced.
func RemoveAndWipe(fsys FS, name string) error {
	f, err := fsys.OpenFile(name, os.O_WRONLY, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	w := Wipe{f}
	return errors.Join(w.Run(), w.Close(), fsys.Remove(name))
}
