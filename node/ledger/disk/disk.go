// Package disk is the file layer under the node's durable rooms: the ledger,
// the spool and the keyring. They touch files only through [FS], so that a
// test can put a disk under them that loses power (node/fault).
//
// The rules that the rooms rely on, and that [FS] therefore has to keep:
//
//   - [File.Sync] makes the bytes of that file durable, not its name.
//   - [FS.SyncDir] makes the names in that folder durable: what was created,
//     renamed or removed there.
//   - Anything that isn't synced may be there after a power cut, or not, or in
//     part, and in any order.
//   - After a failed Sync nothing is known about the bytes it was for, and a
//     second Sync that succeeds proves nothing: the kernel may have dropped the
//     pages and marked them clean.
package disk

import (
	"io"
	"io/fs"
)

// FS is a file system. Paths are those of package os. Errors wrap
// [fs.ErrNotExist] and [fs.ErrExist] as those of package os do.
type FS interface {
	// OpenFile is [os.OpenFile].
	OpenFile(name string, flag int, perm fs.FileMode) (File, error)
	// Mkdir makes one folder whose parent exists.
	Mkdir(name string, perm fs.FileMode) error
	// ReadDir lists a folder in the order of the names.
	ReadDir(name string) ([]fs.DirEntry, error)
	// Stat is [os.Stat].
	Stat(name string) (fs.FileInfo, error)
	// Rename replaces newName by oldName in one step.
	Rename(oldName, newName string) error
	// Remove removes a file or an empty folder.
	Remove(name string) error
	// SyncDir makes the names in a folder durable.
	SyncDir(name string) error
}

// File is an open file.
type File interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
	// Size is the length in bytes.
	Size() (int64, error)
	// Truncate sets the length.
	Truncate(size int64) error
	// Sync makes the content durable.
	Sync() error
}
