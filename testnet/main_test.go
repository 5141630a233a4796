package testnet_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/parley-protocol/parley/testnet"
)

// bins are the programs that the tests run, each built at most once.
type bins struct {
	dir               string
	plain, failpoints func() (string, error)
}

var programs bins

func TestMain(m *testing.M) {
	if os.Getenv(floodRole) != "" {
		if err := beFlood(); err != nil {
			fmt.Fprintln(os.Stderr, "flood:", err)
			os.Exit(1)
		}
		return
	}
	dir, err := os.MkdirTemp("", "parley-bin")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	programs = bins{
		dir:        dir,
		plain:      sync.OnceValues(func() (string, error) { return build(dir, "parley") }),
		failpoints: sync.OnceValues(func() (string, error) { return build(dir, "parley-failpoints", "-tags", "failpoints") }),
	}
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

func build(dir, name string, flags ...string) (string, error) {
	path := filepath.Join(dir, name)
	args := append(append([]string{"build"}, flags...), "-o", path, "github.com/parley-protocol/parley/cmd/parley")
	out, err := exec.Command("go", args...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("go build: %w: %s", err, out)
	}
	return path, nil
}

func binary(t testing.TB, which func() (string, error)) string {
	t.Helper()
	path, err := which()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

var _ testnet.T = (*testing.T)(nil)
