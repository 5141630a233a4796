//go:build !windows

package main

import "syscall"

// diskFree is how many bytes an ordinary user can still write beside path.
func diskFree(path string) (uint64, error) {
	var st syscall.Statfs_t
	if err := syscall.Statfs(path, &st); err != nil {
		return 0, err
	}
	return st.Bavail * uint64(st.Bsize), nil
}
