//go:build unix

package testnet_test

import "syscall"

// blocks is what a file takes on the disk: many of a view's are sparse.
func blocks(path string) (int64, error) {
	var st syscall.Stat_t
	err := syscall.Stat(path, &st)
	return st.Blocks * 512, err
}
