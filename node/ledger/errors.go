package ledger

import (
	"errors"
	"fmt"
	"strings"

	"github.com/parley-protocol/parley/node/ledger/disk"
	"github.com/parley-protocol/parley/protocol"
)

var (
	// ErrClosed means that the ledger was closed.
	ErrClosed = errors.New("ledger: closed")

	// ErrStopped means that an earlier write or fsync failed. Nothing of this
	// call was stored. Reading goes on.
	ErrStopped = errors.New("ledger: stopped after a failed write")

	// ErrUncertain means that this call's own write or fsync failed: whether
	// its entries are in the ledger shows when it is opened again.
	ErrUncertain = errors.New("ledger: the write failed and may or may not be on the disk")
)

// A DamageError says that the bytes on the disk aren't those that the ledger
// wrote. The ledger doesn't open then and changes nothing. It unwraps to a
// [protocol.Error] with the code damaged.
type DamageError struct {
	File   string // path of the file
	Offset int64  // byte in it at which the damage was noticed
	Seq    uint64 // entry that belongs there, 0 when that isn't known
	What   string // what is wrong
	Hint   string // the way out
}

// Error is the file, the place and what is wrong there.
func (e *DamageError) Error() string {
	if e.Seq == 0 {
		return fmt.Sprintf("ledger: %s is damaged at byte %d: %s", e.File, e.Offset, e.What)
	}
	return fmt.Sprintf("ledger: %s is damaged at byte %d (entry %d): %s", e.File, e.Offset, e.Seq, e.What)
}

// Unwrap gives the error its code.
func (e *DamageError) Unwrap() error {
	return &protocol.Error{Code: protocol.CodeDamaged, Detail: strings.TrimPrefix(e.Error(), "ledger: "), Hint: e.Hint}
}

const hintDamage = "Copy the whole folder away first. Then put the ledger folder of the latest backup in its place; " +
	"check the disk before you go on."

func damaged(file string, offset int64, seq uint64, format string, args ...any) *DamageError {
	return &DamageError{File: file, Offset: offset, Seq: seq, What: fmt.Sprintf(format, args...), Hint: hintDamage}
}

// diskError codes a failed operation: disk_full, or internal.
func diskError(err error, detail string) error {
	code, hint := protocol.CodeInternal, "Check the disk and the system's log, then start the node again."
	if disk.IsFull(err) {
		code, hint = protocol.CodeDiskFull, protocol.CodeDiskFull.Hint()
	}
	return &protocol.Error{Code: code, Detail: detail + ": " + err.Error(), Hint: hint, Err: err}
}
