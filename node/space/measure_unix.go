//go:build !windows

package space

import "syscall"

// Measure is how many bytes an ordinary user can still write beside path, and
// how many the disk has in all.
func Measure(path string) (free, total uint64, err error) {
	var st syscall.Statfs_t
	if err := syscall.Statfs(path, &st); err != nil {
		return 0, 0, err
	}
	return uint64(st.Bavail) * uint64(st.Bsize), uint64(st.Blocks) * uint64(st.Bsize), nil
}
