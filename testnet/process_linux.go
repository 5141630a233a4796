package testnet

import (
	"os"
	"syscall"
)

// withParent makes a node end with whoever started it, also when that one is
// killed.
func withParent() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}

func interrupt(p *os.Process) error { return p.Signal(syscall.SIGTERM) }
