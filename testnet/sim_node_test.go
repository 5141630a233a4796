package testnet_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/parley-protocol/parley/crypto"
	"github.com/parley-protocol/parley/node"
	"github.com/parley-protocol/parley/node/api"
	"github.com/parley-protocol/parley/node/config"
	"github.com/parley-protocol/parley/node/home"
	"github.com/parley-protocol/parley/node/keyring"
	"github.com/parley-protocol/parley/testnet"
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

	mu   sync.Mutex // guards what follows where others than the owner look at it
	node *node.Node // nil while it is off
	api  http.Handler
}

// member is a node that a test can switch and talk to, whichever backend runs it.
type member interface {
	// Start returns when the node is ready; extra are variables of the environment,
	// which processes have.
	Start(ctx context.Context, extra ...string) error
	// Stop ends it as a person does, Kill without a word to anybody.
	Stop() error
	Kill() error
	Running() bool
	API() *api.Client
}

var _, _ member = (*testnet.Node)(nil), (*simulated)(nil)

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

// begin sets nodes up as [testnet.Start] does, and starts them. A node may only
// name nodes before it.
func (s *simulation) begin(specs ...testnet.NodeSpec) map[string]member {
	s.t.Helper()
	members, named := map[string]member{}, map[string]*simulated{}
	for _, spec := range specs {
		n, err := s.add(spec.Name, func(c *config.Config) {
			c.ServeMailbox = spec.ServeMailbox
			for _, p := range spec.Peers {
				c.Peers = append(c.Peers, named[p].node.Network.Addrs()...)
			}
			if spec.Mailbox != "" {
				c.Mailboxes = named[spec.Mailbox].node.Network.Addrs()
			}
		})
		if err == nil {
			err = n.Start(s.t.Context())
		}
		if err != nil {
			s.t.Fatalf("%s: %v", spec.Name, err)
		}
		members[spec.Name], named[spec.Name] = n, n
	}
	return members
}

// Start runs the node; it is ready when this returns.
func (n *simulated) Start(ctx context.Context, extra ...string) error {
	if n.node != nil || len(extra) > 0 {
		return errors.New("it is running, or was given an environment, which it hasn't")
	}
	n.sim.wires.darken(n.machine.ip, false)
	started := node.New(node.Options{
		Home: n.home, Config: n.config, HostOptions: n.machine.options(),
		Log: slog.New(slog.NewTextHandler(named{n}, &slog.HandlerOptions{Level: slog.LevelWarn})),
	})
	if err := started.Start(ctx); err != nil {
		return err
	}
	n.set(started)
	return nil
}

func (n *simulated) set(running *node.Node) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.node, n.api = running, nil
}

// Running tells whether the node is on.
func (n *simulated) Running() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.node != nil
}

// API speaks to the node, whether it is on or off, without a socket.
func (n *simulated) API() *api.Client { return api.NewClientOver(n) }

// RoundTrip is [http.RoundTripper]: the node answers in a goroutine of its own.
func (n *simulated) RoundTrip(r *http.Request) (*http.Response, error) {
	handler := n.handler()
	if handler == nil {
		return nil, syscall.ECONNREFUSED
	}
	if r.Body == nil {
		r.Body = http.NoBody
	}
	out, in := io.Pipe()
	w := &answering{head: make(http.Header), begun: make(chan int, 1), body: in}
	go func() {
		handler.ServeHTTP(w, r)
		w.WriteHeader(http.StatusOK) // unless it was said
		in.Close()
	}()
	select {
	case status := <-w.begun:
		return &http.Response{StatusCode: status, Status: http.StatusText(status), Header: w.head, Body: out, Request: r, ContentLength: -1}, nil
	case <-r.Context().Done():
		out.CloseWithError(r.Context().Err())
		return nil, r.Context().Err()
	}
}

// handler is the node's interface, made when it is first needed; nil: it is off.
func (n *simulated) handler() http.Handler {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.api == nil && n.node != nil {
		n.api = api.NewServer(n.node, "simulated").Handler()
	}
	return n.api
}

// answering is a response while it is written.
type answering struct {
	head  http.Header
	once  sync.Once
	begun chan int // its status
	body  *io.PipeWriter
}

func (w *answering) Header() http.Header { return w.head }

func (w *answering) WriteHeader(status int) { w.once.Do(func() { w.begun <- status }) }

func (w *answering) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.body.Write(p)
}

// Flush has the caller see that the answer has begun.
func (w *answering) Flush() { w.WriteHeader(http.StatusOK) }

// Stop ends the node as a person does.
func (n *simulated) Stop() error {
	if n.node == nil {
		return nil
	}
	err := n.node.Close()
	n.set(nil)
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
