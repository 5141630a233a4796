//go:build failpoints

package ledger

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// childDir tells a process of this test that it is the one to be killed, and
// where its ledger is.
const childDir = "PARLEY_TEST_LEDGER"

// TestChild appends entries, a large one too, and says what was acknowledged.
func TestChild(t *testing.T) {
	dir := os.Getenv(childDir)
	if dir == "" {
		t.Skip("it runs in a process of its own")
	}
	l, err := Open(dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 4 {
		text := fmt.Sprintf("entry %d", i)
		first, err := l.Append(t.Context(), []byte(text), bytes.Repeat([]byte{'x'}, i/3*maxGroup))
		if err != nil {
			t.Fatal(err)
		}
		fmt.Printf("ack %d %s\n", first, text)
	}
}

// child runs TestChild and returns what it acknowledged.
func child(t *testing.T, dir string, env ...string) (acked map[uint64]string, killed bool) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestChild$")
	cmd.Env = append(os.Environ(), append(env, childDir+"="+dir)...)
	out, err := cmd.Output()
	if _, exited := err.(*exec.ExitError); err != nil && !exited {
		t.Fatal(err)
	}
	acked = map[uint64]string{}
	for s := bufio.NewScanner(bytes.NewReader(out)); s.Scan(); {
		var seq uint64
		var n int
		if _, err := fmt.Sscanf(s.Text(), "ack %d entry %d", &seq, &n); err == nil {
			acked[seq] = fmt.Sprintf("entry %d", n)
		} else if strings.HasPrefix(s.Text(), "--- FAIL") {
			t.Fatalf("the child failed: %s", out)
		}
	}
	return acked, err != nil
}

// A process that is killed at any failpoint leaves a ledger that opens and has
// what was acknowledged. (What a missing fsync loses, a kill can't show.)
func TestKilledAtEveryPoint(t *testing.T) {
	list := filepath.Join(t.TempDir(), "points")
	dir := filepath.Join(t.TempDir(), "ledger")
	for range 2 {
		if _, killed := child(t, dir, "PARLEY_FAILPOINT_LOG="+list); killed {
			t.Fatal("the child failed")
		}
	}
	data, err := os.ReadFile(list)
	if err != nil {
		t.Fatal(err)
	}
	points := strings.Fields(string(data))
	slices.Sort(points)
	points = slices.Compact(points)
	if len(points) < 15 {
		t.Fatalf("only %d points were hit: %q", len(points), points)
	}
	for _, point := range points {
		for _, nth := range []string{":1", ":2"} {
			t.Run(point+nth, func(t *testing.T) {
				dir := filepath.Join(t.TempDir(), "ledger")
				acked, killed := child(t, dir, "PARLEY_FAILPOINT="+point+nth)
				if !killed && nth == ":1" {
					t.Fatal("the child wasn't killed")
				}
				l, err := Open(dir, Options{})
				if err != nil {
					t.Fatal(err)
				}
				defer l.Close()
				for e, err := range l.All() {
					if err != nil {
						t.Fatal(err)
					}
					if want, ok := acked[e.Seq]; ok && want != string(e.Payload) {
						t.Errorf("entry %d is %q, not %q", e.Seq, e.Payload, want)
					}
					delete(acked, e.Seq)
				}
				if len(acked) > 0 {
					t.Errorf("acknowledged and lost: %v", acked)
				}
				if l.Len()%2 != 0 {
					t.Errorf("%d entries: half a batch", l.Len())
				}
			})
		}
	}
}
