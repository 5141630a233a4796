//go:build !linux

package testnet

import (
	"os"
	"runtime"
	"syscall"
)

func withParent() *syscall.SysProcAttr { return nil }

func interrupt(p *os.Process) error {
	if runtime.GOOS == "windows" {
		return p.Kill() // there is no gentler way between processes
	}
	return p.Signal(os.Interrupt)
}
