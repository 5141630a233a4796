// Package home is where a node keeps its files, and the lock that keeps two
// nodes from sharing them.
package home

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"syscall"

	"github.com/gofrs/flock"

	"github.com/parley-protocol/parley/node/keyring"
	"github.com/parley-protocol/parley/node/ledger/disk"
	"github.com/parley-protocol/parley/protocol"
)

// Home is a node's folder. All of its files are inside, save the socket when
// the folder's path is too long for one.
type Home struct{ Dir string }

// Default is $PARLEY_HOME, or parley in the XDG data folder ($XDG_DATA_HOME,
// else ~/.local/share).
func Default() (Home, error) {
	if dir := os.Getenv("PARLEY_HOME"); dir != "" {
		return At(dir)
	}
	if dir := os.Getenv("XDG_DATA_HOME"); filepath.IsAbs(dir) {
		return At(filepath.Join(dir, "parley"))
	}
	user, err := os.UserHomeDir()
	if err != nil {
		return Home{}, &protocol.Error{Code: protocol.CodeUsage, Field: "home", Detail: "there is no home folder: " + err.Error(), Hint: "give --home DIR", Err: err}
	}
	if runtime.GOOS == "windows" {
		return At(filepath.Join(user, "AppData", "Local", "parley"))
	}
	return At(filepath.Join(user, ".local", "share", "parley"))
}

// At is the home in that folder, which need not be there yet.
func At(dir string) (Home, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return Home{}, fmt.Errorf("home: %w", err)
	}
	return Home{abs}, nil
}

func (h Home) path(name string) string { return filepath.Join(h.Dir, name) }

// The files and folders of a home.
func (h Home) Config() string  { return h.path("config.toml") }
func (h Home) Keys() string    { return h.path("keys") }
func (h Home) Ledger() string  { return h.path("ledger") }
func (h Home) Inbox() string   { return h.path("inbox") }
func (h Home) Mailbox() string { return h.path("mailbox") }
func (h Home) View() string    { return h.path("view") }

// Peers remembers the nodes that were met.
func (h Home) Peers() string { return h.path("peers") }

// BackupRecipient is the public half of the key that opens this home's backups.
func (h Home) BackupRecipient() string { return h.path("backup-recipient") }

// Writers remembers what this home's node has said about who signs as its seller.
func (h Home) Writers() string { return h.path("writers") }

// LockFile is held by the node that runs here.
func (h Home) LockFile() string { return h.path("lock") }

// Restoring is where the keys are while a restore is under way.
func (h Home) Restoring() string { return h.path("restoring") }

// Unfinished tells whether a restore into this folder died before its end.
func (h Home) Unfinished() bool {
	_, err := os.Stat(h.Restoring())
	return err == nil && !h.Exists()
}

// maxSocket is the longest path of a Unix socket that every system takes.
const maxSocket = 100

// Socket is where the local API listens.
func (h Home) Socket() string {
	p := h.path("api.sock")
	if len(p) <= maxSocket {
		return p
	}
	base := os.Getenv("XDG_RUNTIME_DIR")
	if base == "" || len(base) > 60 {
		base = filepath.Join(os.TempDir(), fmt.Sprintf("parley-%d", os.Getuid()))
	}
	sum := sha256.Sum256([]byte(h.Dir))
	return filepath.Join(base, "parley-"+hex.EncodeToString(sum[:8])+".sock")
}

// Exists tells whether a node was set up here: whether it has keys.
func (h Home) Exists() bool {
	there, err := keyring.Exists(h.Keys(), keyring.Options{})
	return err == nil && there
}

// Create makes the folder durably, for its owner alone.
func (h Home) Create() error {
	return Explain(disk.MakeDir(disk.OS{}, h.Dir, 0o700), h.Dir)
}

// Lock keeps others out until unlock; another node that runs here is an error
// of code locked.
func (h Home) Lock() (unlock func(), err error) {
	lock := flock.New(h.LockFile())
	got, err := lock.TryLock()
	if err != nil {
		return nil, Explain(err, h.Dir)
	}
	if !got {
		return nil, &protocol.Error{Code: protocol.CodeLocked, Field: "home", Detail: "a node is running already in " + h.Dir,
			Hint: "talk to it with the other commands, stop it first, or give this one its own folder with --home DIR"}
	}
	return func() { _ = lock.Unlock() }, nil
}

// Explain gives a failure of the file system a code and a hint.
func Explain(err error, path string) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, syscall.ENOSPC):
		return &protocol.Error{Code: protocol.CodeDiskFull, Detail: "there is no space left for " + path, Hint: "free some disk space; nothing is lost", Err: err}
	case errors.Is(err, syscall.EROFS), errors.Is(err, syscall.ENOTDIR), errors.Is(err, fs.ErrPermission):
		return &protocol.Error{Code: protocol.CodeReadOnly, Detail: "this node may not write in " + path + ": " + cause(err),
			Hint: "check who owns the folder (ls -ld) and whether its disk is mounted read-only, or give --home DIR", Err: err}
	}
	return err
}

// cause is the error's text without its code.
func cause(err error) string {
	if e, ok := errors.AsType[*protocol.Error](err); ok {
		return e.Detail
	}
	return err.Error()
}

// TransportSeed is the seed of the transport key that a node has in this folder,
// made of the one that its keyring keeps. A copy of the folder has another key:
// under one name two nodes would take each other's connections, and neither would
// hear of the other.
func (h Home) TransportSeed(kept [32]byte) (seed [32]byte) {
	mac := hmac.New(sha256.New, kept[:])
	mac.Write([]byte("parley/1/transport\x00" + place(h.Keys())))
	mac.Sum(seed[:0])
	return seed
}
