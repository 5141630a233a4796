package testnet

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/parley-protocol/parley/node/api"
	"github.com/parley-protocol/parley/node/home"
)

// How long a process gets.
const (
	toStart = 30 * time.Second
	toStop  = 15 * time.Second
)

// Node is one process. Its methods are not for concurrent use, but for CLI, API
// and Info.
type Node struct {
	Name string
	Home string

	binary string
	env    []string
	args   []string
	under  []string
	listen []string // flags

	cmd    *exec.Cmd
	exited chan struct{}
	ready  api.Node
	stderr tail
	client *api.Client
}

// Start runs the node and returns when it is ready. extra are further
// environment variables for this run, KEY=VALUE.
func (n *Node) Start(ctx context.Context, extra ...string) error {
	if n.Running() {
		return fmt.Errorf("testnet: %s is running already", n.Name)
	}
	line := slices.Concat(n.under, []string{n.binary}, n.args, []string{"--home", n.Home})
	cmd := exec.Command(line[0], line[1:]...)
	cmd.Env = append(append(cleanEnv(), n.env...), extra...)
	cmd.Stderr = &n.stderr
	cmd.SysProcAttr = withParent()
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("testnet: %s: %w", n.Name, err)
	}
	n.cmd, n.exited = cmd, make(chan struct{})
	lines := make(chan []byte, 1)
	go func() {
		r := bufio.NewReader(out)
		if line, err := r.ReadBytes('\n'); err == nil {
			lines <- line
		}
		_, _ = io.Copy(io.Discard, r)
		_ = cmd.Wait() // its state tells
		close(n.exited)
	}()
	ctx, cancel := context.WithTimeout(ctx, toStart)
	defer cancel()
	select {
	case line := <-lines:
		if err := json.Unmarshal(line, &n.ready); err != nil {
			return errors.Join(fmt.Errorf("testnet: %s: its first line isn't JSON: %q", n.Name, line), n.Kill())
		}
		return nil
	case <-n.exited:
		return &ExitError{Node: n.Name, State: cmd.ProcessState, Stderr: n.Stderr()}
	case <-ctx.Done():
		return errors.Join(fmt.Errorf("testnet: %s isn't ready: %w; it wrote:\n%s", n.Name, ctx.Err(), n.Stderr()), n.Kill())
	}
}

// ExitError is a node that ended by itself before it was ready.
type ExitError struct {
	Node   string
	State  *os.ProcessState
	Stderr string
}

// Error tells how it ended and what it wrote.
func (e *ExitError) Error() string {
	return fmt.Sprintf("testnet: %s ended before it was ready (%s); it wrote:\n%s", e.Node, e.State, e.Stderr)
}

// Running tells whether the process is there.
func (n *Node) Running() bool {
	if n.exited == nil {
		return false
	}
	select {
	case <-n.exited:
		return false
	default:
		return true
	}
}

// Exited is closed when the process is gone, however it ended.
func (n *Node) Exited() <-chan struct{} { return n.exited }

// Kill ends the process as a power cut would, as far as the process can tell.
func (n *Node) Kill() error {
	if !n.Running() {
		return nil
	}
	err := n.cmd.Process.Kill()
	<-n.exited
	if errors.Is(err, os.ErrProcessDone) {
		return nil
	}
	return err
}

// Stop asks the node to end, and insists after a while.
func (n *Node) Stop() error {
	if !n.Running() {
		return nil
	}
	if err := interrupt(n.cmd.Process); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return errors.Join(err, n.Kill())
	}
	select {
	case <-n.exited:
		if !n.cmd.ProcessState.Success() {
			return fmt.Errorf("testnet: %s ended with %s; it wrote:\n%s", n.Name, n.cmd.ProcessState, n.Stderr())
		}
		return nil
	case <-time.After(toStop):
		return errors.Join(fmt.Errorf("testnet: %s didn't stop within %s", n.Name, toStop), n.Kill())
	}
}

// Restart stops the node, if it runs, and starts it again.
func (n *Node) Restart(ctx context.Context, extra ...string) error {
	if err := n.Stop(); err != nil {
		return err
	}
	return n.Start(ctx, extra...)
}

// Restore makes the home of a node that was ended anew from a backup and the
// words in a file beside it, after which it can be started.
func (n *Node) Restore(ctx context.Context, backup string) error {
	if n.Running() {
		return fmt.Errorf("testnet: %s is running", n.Name)
	}
	if err := os.RemoveAll(n.Home); err != nil {
		return err
	}
	_, err := n.CLI(ctx, append([]string{"restore", backup, "--phrase-file", n.Home + ".words"}, n.listen...)...)
	return err
}

// Copy is another node with the same settings in another home, which the caller
// fills.
func (n *Node) Copy(name, dir string) (*Node, error) {
	h, err := home.At(dir)
	if err != nil {
		return nil, err
	}
	args := append(append([]string(nil), n.args...), n.listen...) // the ports of the first are taken
	return &Node{Name: name, Home: h.Dir, client: api.NewClient(h.Socket()), binary: n.binary, env: n.env, args: args, under: n.under, listen: n.listen}, nil
}

// State is how the process ended.
func (n *Node) State() *os.ProcessState { return n.cmd.ProcessState }

// PID is the process's number.
func (n *Node) PID() int { return n.cmd.Process.Pid }

// Info is what the node said of itself when it was ready last.
func (n *Node) Info() api.Node { return n.ready }

// API speaks to the node.
func (n *Node) API() *api.Client { return n.client }

// CLI runs a command of the program on this node's home and returns what it
// printed on stdout. An error holds its exit code and what it said.
func (n *Node) CLI(ctx context.Context, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, n.binary, append(args, "--home", n.Home)...)
	cmd.Env = append(cleanEnv(), n.env...)
	cmd.WaitDelay = toStop
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return stdout.Bytes(), &CommandError{Args: args, Code: cmd.ProcessState.ExitCode(), Stderr: stderr.String(), Err: err}
	}
	return stdout.Bytes(), nil
}

// JSON runs a command with --json and reads its one object, or its first line,
// into out.
func (n *Node) JSON(ctx context.Context, out any, args ...string) error {
	text, err := n.CLI(ctx, append(args, "--json")...)
	if err != nil {
		return err
	}
	if err := json.NewDecoder(bytes.NewReader(text)).Decode(out); err != nil {
		return fmt.Errorf("parley %s: %w in %q", strings.Join(args, " "), err, text)
	}
	return nil
}

// CommandError is a command that didn't end with 0.
type CommandError struct {
	Args   []string
	Code   int // -1: it didn't end by itself
	Stderr string
	Err    error
}

// Error shows the command and what it said.
func (e *CommandError) Error() string {
	return fmt.Sprintf("parley %s: exit code %d: %s", strings.Join(e.Args, " "), e.Code, strings.TrimSpace(e.Stderr))
}

// Unwrap is the cause.
func (e *CommandError) Unwrap() error { return e.Err }

// Stderr is the end of what the node wrote.
func (n *Node) Stderr() string { return n.stderr.String() }

// cleanEnv is the environment without the settings of the caller's own node.
func cleanEnv() []string {
	var env []string
	for _, kv := range os.Environ() {
		if !strings.HasPrefix(kv, "PARLEY_") {
			env = append(env, kv)
		}
	}
	return env
}

// tail keeps the end of what is written to it.
type tail struct {
	mu  sync.Mutex
	buf []byte
}

const tailSize = 64 << 10

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buf = append(t.buf, p...)
	if over := len(t.buf) - tailSize; over > 0 {
		t.buf = append(t.buf[:0], t.buf[over:]...)
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.buf)
}
