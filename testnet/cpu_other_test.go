//go:build !unix

package testnet_test

import "time"

// cpuTime isn't known here: the figures by the clock stand alone.
func cpuTime() time.Duration { return 0 }
