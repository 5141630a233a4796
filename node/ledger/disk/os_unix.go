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

// syncDir fsyncs a folder. Some network and user-space file systems have no such
// thing and say so; there is nothing more that one could do on them.
func syncDir(name string) error {
	d, err := os.Open(name)
	if err != nil {
		return err
	}
	err = d.Sync()
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, errors.ErrUnsupported) || errors.Is(err, syscall.EROFS) {
		err = nil
	}
	return errors.Join(err, d.Close())
}

// IsFull reports whether err says that the disk or the user's quota is full.
func IsFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}
