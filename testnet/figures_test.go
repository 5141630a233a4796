package testnet_test

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/parley-protocol/parley/testnet"
)

// What a person's machine notices of an idle node. The aims are 200 ms to be
// ready and 50 MB resident; machines are noisy, so only a collapse fails.
func TestSmallAndQuick(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("resident memory is read from /proc")
	}
	net := testnet.Start(t, testnet.Spec{Binary: binary(t, programs.plain), Nodes: []testnet.NodeSpec{{Name: "idle"}}})
	n := net.Node("idle")
	var ready []int64
	for range 5 {
		if err := n.Restart(t.Context()); err != nil {
			t.Fatal(err)
		}
		ready = append(ready, n.Info().ReadyMS)
	}
	// Garbage of the start is given back little by little: the least of some
	// seconds is what counts.
	least := resident(t, n.PID())
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for range 15 {
		<-tick.C
		least = min(least, resident(t, n.PID()))
	}
	t.Logf("ready after %v ms; %.1f MB resident when idle", ready, float64(least)/1024)
	if ready[len(ready)-1] > 600 {
		t.Errorf("ready after %d ms; 200 ms is the aim", ready[len(ready)-1])
	}
	if least > 150*1024 {
		t.Errorf("%d KiB resident; 50 MB is the aim", least)
	}
}

// resident is a process's resident memory in KiB.
func resident(t *testing.T, pid int) (kib int64) {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if _, err := fmt.Sscanf(line, "VmRSS: %d kB", &kib); err == nil {
			return kib
		}
	}
	t.Fatal("no VmRSS in /proc")
	return 0
}
