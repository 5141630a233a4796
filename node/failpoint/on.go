//go:build failpoints

package failpoint

import (
	"os"
	"strconv"
	"strings"
	"sync"
)

// Enabled reports whether this build has failpoints.
const Enabled = true

// hits counts the hits of the name that PARLEY_FAILPOINT gives. It is package
// state because a failpoint is about the process, and it exists only in builds
// made for tests.
var hits struct {
	sync.Mutex
	count int
}

// Hit kills this process without any clean-up if the environment asks for that
// at this place.
func Hit(name string) {
	hits.Lock()
	defer hits.Unlock()
	if path := os.Getenv("PARLEY_FAILPOINT_LOG"); path != "" {
		log(path, name)
	}
	want, nth := target(os.Getenv("PARLEY_FAILPOINT"))
	if want != name {
		return
	}
	if hits.count++; hits.count == nth {
		die()
	}
}

// target splits "name:n"; n is 1 when it isn't given.
func target(spec string) (name string, nth int) {
	name, count, found := strings.Cut(spec, ":")
	if !found {
		return name, 1
	}
	nth, err := strconv.Atoi(count)
	if err != nil || nth < 1 {
		panic("failpoint: PARLEY_FAILPOINT is name or name:n with n from 1, not " + strconv.Quote(spec))
	}
	return name, nth
}

// log appends name to the file at path. A test that can't read what it asked
// for must not pass, so failing is fatal.
func log(path, name string) {
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		panic(err)
	}
	if _, err := f.WriteString(name + "\n"); err != nil {
		panic(err)
	}
	if err := f.Close(); err != nil {
		panic(err)
	}
}
