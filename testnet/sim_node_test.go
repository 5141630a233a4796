package testnet_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"testing"
	"time"

	"github.com/parley-protocol/parley/crypto"
	"github.com/parley-protocol/parley/node"
	"github.com/parley-protocol/parley/node/config"
	"github.com/parley-protocol/parley/node/home"
	"github.com/parley-protocol/parley/node/keyring"
)

// simulation is a network of whole nodes in one synctest bubble: the same nodes
// as in the program, with their disks, on a simulated network, in virtual time.
type simulation struct {
	t     testing.TB
	dir   string
	wires *wires
	nodes []*simulated
}

// simulated is one node of a simulation. Its methods are not for concurrent use.
type simulated struct {
	sim     *simulation
	Name    string
	home    home.Home
	config  config.Config
	machine *machine
	node    *node.Node // nil while it is off
}

// newSimulation begins inside a bubble, with the nodes' homes in dir; close it in
// the bubble, too.
func newSimulation(t testing.TB, dir string) *simulation {
	return &simulation{t: t, dir: dir, wires: newWires(func(_, _ net.Addr) time.Duration { return 20 * time.Millisecond })}
}

func (s *simulation) close() {
	for i := len(s.nodes) - 1; i >= 0; i-- {
		if err := s.nodes[i].Stop(); err != nil {
			s.t.Errorf("%s: %v", s.nodes[i].Name, err)
		}
	}
	s.wires.close()
}

// add sets up a node, which isn't started.
func (s *simulation) add(name string, change func(*config.Config)) (*simulated, error) {
	h, err := home.At(filepath.Join(s.dir, name))
	if err != nil {
		return nil, err
	}
	phrase, err := crypto.NewPhrase()
	if err != nil {
		return nil, err
	}
	if err := h.Create(); err != nil {
		return nil, err
	}
	if err := keyring.Create(h.Keys(), phrase.Root(), 0, keyring.Options{}); err != nil {
		return nil, err
	}
	n := &simulated{sim: s, Name: name, home: h, config: config.Default(), machine: s.wires.machine(len(s.nodes))}
	n.config.MDNS, n.config.Discovery, n.config.TestNetwork = false, "off", false
	n.config.Listen = []string{fmt.Sprintf("/ip4/%s/udp/8000/quic-v1", n.machine.ip)}
	if change != nil {
		change(&n.config)
	}
	s.nodes = append(s.nodes, n)
	return n, nil
}

// Start runs the node; it is ready when this returns.
func (n *simulated) Start(ctx context.Context) error {
	if n.node != nil {
		return errors.New("it is running")
	}
	n.sim.wires.darken(n.machine.ip, false)
	started := node.New(node.Options{
		Home: n.home, Config: n.config, HostOptions: n.machine.options(),
		Log: slog.New(slog.NewTextHandler(named{n}, &slog.HandlerOptions{Level: slog.LevelWarn})),
	})
	if err := started.Start(ctx); err != nil {
		return err
	}
	n.node = started
	return nil
}

// Stop ends the node as a person does.
func (n *simulated) Stop() error {
	if n.node == nil {
		return nil
	}
	err := n.node.Close()
	n.node = nil
	return err
}

// Kill ends the node without a word to the others: its machine goes dark first.
func (n *simulated) Kill() error {
	n.sim.wires.darken(n.machine.ip, true)
	return n.Stop()
}

// named logs with the node's name.
type named struct{ n *simulated }

func (w named) Write(p []byte) (int, error) {
	w.n.sim.t.Logf("%s %s: %s", time.Now().Format("15:04:05"), w.n.Name, p)
	return len(p), nil
}
