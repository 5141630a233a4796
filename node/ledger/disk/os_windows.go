package disk

import (
	"errors"
	"syscall"
)

// ChecksModes reports whether permission bits mean anything on this system.
const ChecksModes = false

// replacesOpenFiles reports whether a file that is open may be renamed over.
const replacesOpenFiles = false

// The system's codes for a full disk.
const (
	errorHandleDiskFull = syscall.Errno(39)
	errorDiskFull       = syscall.Errno(112)
)

// syncDir does nothing: Windows has no handle to a folder that can be flushed,
// and NTFS journals changes of names in order.
func syncDir(string) error { return nil }

// IsFull reports whether err says that the disk is full.
func IsFull(err error) bool {
	return errors.Is(err, errorDiskFull) || errors.Is(err, errorHandleDiskFull) ||
		errors.Is(err, syscall.ENOSPC)
}
