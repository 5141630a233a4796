// Package nodetest helps tests that wait for a node.
package nodetest

import (
	"testing"
	"time"
)

// patience is how long anything may take that isn't measured.
const patience = time.Minute

// Await waits, in real time, until something holds that nothing tells of; the test
// ends when it doesn't within a minute.
func Await(t testing.TB, what string, holds func() bool) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(patience); !holds(); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain until %s", what)
		}
	}
}
