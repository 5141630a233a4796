//go:build !unix

package testnet_test

import "os"

// blocks is a file's length where it isn't known what it takes on the disk.
func blocks(path string) (int64, error) {
	st, err := os.Stat(path)
	if err != nil {
		return 0, err
	}
	return st.Size(), nil
}
