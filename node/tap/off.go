//go:build !failpoints

package tap

// Saw does nothing in this build.
func Saw([]byte) {}
