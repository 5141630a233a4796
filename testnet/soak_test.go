package testnet_test

import (
	"os"
	"strconv"
	"testing"
)

// sized is how large a test is made: what the variable says, else soak with
// PARLEY_SOAK=1, else usual; half of that with -short.
func sized(t *testing.T, variable string, usual, soak int) int {
	t.Helper()
	if text := os.Getenv(variable); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			t.Fatalf("%s is a number from 1, not %q", variable, text)
		}
		return n
	}
	if os.Getenv("PARLEY_SOAK") == "1" {
		return soak
	}
	if testing.Short() {
		return max(1, usual/2)
	}
	return usual
}
