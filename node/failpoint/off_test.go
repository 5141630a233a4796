//go:build !failpoints

package failpoint

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// An ordinary build doesn't look at the environment: nobody can kill a node by
// it.
func TestOrdinaryBuildsHaveNone(t *testing.T) {
	log := filepath.Join(t.TempDir(), "log")
	t.Setenv("PARLEY_FAILPOINT", "here")
	t.Setenv("PARLEY_FAILPOINT_LOG", log)
	Hit("here")
	if _, err := os.Stat(log); Enabled || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("enabled: %v, log: %v", Enabled, err)
	}
	if n := testing.AllocsPerRun(100, func() { Hit("here") }); n != 0 {
		t.Errorf("a place costs %v allocations", n)
	}
}
