//go:build !windows

package disk

import (
	"errors"
	"os"
	"syscall"
)

// ChecksModes reports whether permission bits mean anything on this system.
const ChecksModes = true

// replacesOpenFiles reports whether a file that is open may be renamed over.
const replacesOpenFiles = true

// syncDir fsyncs a folder.
func syncDir(name string) error {
	d, err := os.Open(name)
	if err != nil {
		return err
	}
	if err := d.Sync(); err != nil {
		d.Close()
		return err
	}
	return d.Close()
}

// IsFull reports whether err says that the disk or the user's quota is full.
func IsFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}
