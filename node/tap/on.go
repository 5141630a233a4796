//go:build failpoints

package tap

import (
	"os"
	"sync"
)

// writing keeps two writers from mixing their bytes; there is one environment,
// and so one file, in a process.
var writing sync.Mutex

// Saw appends b to the file. A test that can't read what it asked for must not
// pass, so failing is fatal.
func Saw(b []byte) {
	path := os.Getenv("PARLEY_TAP")
	if path == "" {
		return
	}
	writing.Lock()
	defer writing.Unlock()
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		panic(err)
	}
	if _, err := f.Write(b); err != nil {
		panic(err)
	}
	if err := f.Close(); err != nil {
		panic(err)
	}
}
