//go:build !unix

package home

import "path/filepath"

// place tells this folder from a copy of it, as far as its path does.
func place(dir string) string {
	path, err := filepath.Abs(dir)
	if err != nil {
		return ""
	}
	return path
}
