//go:build failpoints

package failpoint

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// child tells a process of this test that it is the one to die.
const child = "PARLEY_TEST_FAILPOINT_CHILD"

// TestChild goes through three places, one of them twice.
func TestChild(t *testing.T) {
	if os.Getenv(child) == "" {
		t.Skip("it runs in a process of its own")
	}
	defer os.Stdout.WriteString("deferred\n") // must not run
	for _, name := range []string{"a", "b", "a", "c"} {
		Hit(name)
		os.Stdout.WriteString("after " + name + "\n")
	}
}

func TestDeaths(t *testing.T) {
	for spec, want := range map[string][]string{
		"":     {"a", "b", "a", "c"},
		"d":    {"a", "b", "a", "c"},
		"a:3":  {"a", "b", "a", "c"},
		"a":    {},
		"a:1":  {},
		"b":    {"a"},
		"a:2":  {"a", "b"},
		"c":    {"a", "b", "a"},
		"ab:1": {"a", "b", "a", "c"},
	} {
		t.Run(spec, func(t *testing.T) {
			log := filepath.Join(t.TempDir(), "log")
			cmd := exec.Command(os.Args[0], "-test.run=^TestChild$")
			cmd.Env = append(os.Environ(), child+"=1", "PARLEY_FAILPOINT="+spec, "PARLEY_FAILPOINT_LOG="+log)
			out, err := cmd.Output()
			var got []string
			for line := range strings.Lines(string(out)) {
				if name, ok := strings.CutPrefix(strings.TrimSpace(line), "after "); ok {
					got = append(got, name)
				}
			}
			dies := len(want) < 4
			if strings.Join(got, "") != strings.Join(want, "") || strings.Contains(string(out), "deferred") == dies {
				t.Errorf("it came past %v, not %v: %s", got, want, out)
			}
			exit, ok := errors.AsType[*exec.ExitError](err)
			if ok != dies || dies && runtime.GOOS != "windows" && exit.ExitCode() != -1 {
				t.Errorf("it ended with %v", err)
			}
			hit, err := os.ReadFile(log)
			if names := strings.Fields(string(hit)); err != nil || len(names) != len(want)+map[bool]int{true: 1}[dies] {
				t.Errorf("%d places are noted, %v", len(names), err)
			}
		})
	}
}

func TestTarget(t *testing.T) {
	for spec, want := range map[string]struct {
		name string
		nth  int
	}{"": {"", 1}, "x/y": {"x/y", 1}, "x:2": {"x", 2}, "x:0": {}, "x:": {}, "x:y": {}, "x:-1": {}} {
		func() {
			defer func() {
				if refused := recover() != nil; refused != (want.nth == 0) {
					t.Errorf("%q: refused: %v", spec, refused)
				}
			}()
			if name, nth := target(spec); name != want.name || nth != want.nth {
				t.Errorf("%q is %q at hit %d", spec, name, nth)
			}
		}()
	}
}
