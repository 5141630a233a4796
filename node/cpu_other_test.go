//go:build !unix

package node_test

import "time"

// cpuTime isn't known here: the figures by the clock stand alone.
func cpuTime() time.Duration { return 0 }
