// Package testnet makes networks of nodes for tests, for the demo and for
// developers. Its one backend so far runs the real program as processes, each
// with a home of its own, on free ports of the loopback interface. A network is
// ready when [Start] returns, and gone when it is closed.
package testnet

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/parley-protocol/parley/node/api"
	"github.com/parley-protocol/parley/node/home"
)

// Spec describes a network. Nodes start in the order given; a node may only
// name nodes before it.
type Spec struct {
	Binary string   // the parley program
	Dir    string   // homes go below; a temporary folder when empty
	Env    []string // added to the environment of every node, KEY=VALUE
	Nodes  []NodeSpec
}

// NodeSpec describes one node.
type NodeSpec struct {
	Name         string
	Peers        []string // names of nodes to stay connected to
	Mailbox      string   // name of the node where replies to this one are left; empty: itself
	ServeMailbox bool     // keep envelopes for others
	Relay        bool     // relay for others
	Under        []string // command that the process is started by, such as one that enters a network namespace
	Listen       []string // addresses to listen on; empty: free ports of the loopback interface
	Env          []string
	Phrase       string // the 24 words of its keys; empty: new ones
}

// Network is a running network.
type Network struct {
	spec  Spec
	nodes map[string]*Node
	order []*Node
	temp  string
}

// T is what [Start] needs of a test; *testing.T has it.
type T interface {
	Helper()
	Context() context.Context
	Cleanup(func())
	Fatal(args ...any)
	Failed() bool
	Log(args ...any)
}

// Start makes a network for a test, ready when it returns. When the test fails
// it logs what each node wrote.
func Start(t T, spec Spec) *Network {
	t.Helper()
	if spec.Dir == "" {
		// Not t.TempDir: its path is too long for the nodes' sockets.
		dir, err := os.MkdirTemp("", "parley")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { os.RemoveAll(dir) })
		spec.Dir = dir
	}
	n, err := New(t.Context(), spec)
	if n != nil {
		t.Cleanup(func() {
			if err := n.Close(); err != nil {
				t.Log("closing the network:", err)
			}
			if t.Failed() {
				for _, node := range n.order {
					t.Log(node.Name + " wrote:\n" + node.Stderr())
				}
			}
		})
	}
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// New makes a network. It returns what it has made also with an error, for a
// look at it; close it in any case.
func New(ctx context.Context, spec Spec) (*Network, error) {
	n := &Network{spec: spec, nodes: map[string]*Node{}}
	if spec.Dir == "" {
		dir, err := os.MkdirTemp("", "parley")
		if err != nil {
			return nil, err
		}
		n.temp, n.spec.Dir = dir, dir
	}
	for _, ns := range spec.Nodes {
		if _, err := n.Add(ctx, ns); err != nil {
			return n, err
		}
	}
	return n, nil
}

// Add starts one more node.
func (n *Network) Add(ctx context.Context, spec NodeSpec) (*Node, error) {
	if spec.Name == "" || n.nodes[spec.Name] != nil {
		return nil, fmt.Errorf("testnet: a node needs a name of its own, not %q", spec.Name)
	}
	h, err := home.At(filepath.Join(n.spec.Dir, spec.Name))
	if err != nil {
		return nil, err
	}
	node := &Node{Name: spec.Name, Home: h.Dir, client: api.NewClient(h.Socket()), binary: n.spec.Binary, env: append(append([]string(nil), n.spec.Env...), spec.Env...), under: spec.Under, listen: loopback}
	if len(spec.Listen) > 0 {
		node.listen = nil
		for _, addr := range spec.Listen {
			node.listen = append(node.listen, "--listen", addr)
		}
	}
	setUp := append([]string{"init"}, node.listen...)
	if spec.Phrase != "" {
		words := node.Home + ".words"
		if err := os.WriteFile(words, []byte(spec.Phrase), 0o600); err != nil {
			return nil, err
		}
		setUp = append(setUp, "--phrase-file", words)
	}
	if _, err := node.CLI(ctx, setUp...); err != nil {
		return nil, fmt.Errorf("testnet: %s: %w", spec.Name, err)
	}
	node.args = []string{"up", "--json", "--test-network", "--no-mdns"}
	if spec.ServeMailbox {
		node.args = append(node.args, "--serve-mailbox")
	}
	if spec.Relay {
		node.args = append(node.args, "--serve-relay")
	}
	for _, name := range spec.Peers {
		peer := n.nodes[name]
		if peer == nil {
			return nil, fmt.Errorf("testnet: %s names %q, which isn't started", spec.Name, name)
		}
		for _, addr := range peer.Info().Addrs {
			node.args = append(node.args, "--peer", addr)
		}
	}
	if spec.Mailbox != "" {
		box := n.nodes[spec.Mailbox]
		if box == nil {
			return nil, fmt.Errorf("testnet: %s names %q, which isn't started", spec.Name, spec.Mailbox)
		}
		for _, addr := range box.Info().Addrs {
			node.args = append(node.args, "--mailbox", addr)
		}
	}
	n.nodes[spec.Name] = node
	n.order = append(n.order, node)
	return node, node.Start(ctx)
}

// loopback are the flags with which homes are made.
var loopback = []string{"--listen", "/ip4/127.0.0.1/tcp/0", "--listen", "/ip4/127.0.0.1/udp/0/quic-v1"}

// Node returns the node of that name; a name that isn't there is a mistake in
// the test.
func (n *Network) Node(name string) *Node {
	node := n.nodes[name]
	if node == nil {
		panic("testnet: there is no node " + name)
	}
	return node
}

// Nodes are all nodes in the order of their start.
func (n *Network) Nodes() []*Node { return n.order }

// Dir is where the homes are.
func (n *Network) Dir() string { return n.spec.Dir }

// Close stops all nodes and removes a folder that New made.
func (n *Network) Close() error {
	var errs []error
	for i := len(n.order) - 1; i >= 0; i-- {
		errs = append(errs, n.order[i].Stop())
	}
	if n.temp != "" {
		errs = append(errs, os.RemoveAll(n.temp))
	}
	return errors.Join(errs...)
}
