package testnet

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/parley-protocol/parley/node/nodetest"
)

// World is an internet of network namespaces on this machine: hosts with
// addresses of their own, and routers with hosts behind them, as at home. No way
// leads out of it or into it. Nodes get a place in it by [NodeSpec.Under].
//
// Each namespace lives as long as a process in it does, and those end with the
// test's own, however that one ends: nothing is left on the machine.
type World struct {
	t        *testing.T
	backbone *place
	last     int // host number given out last
	routers  int
}

// place is one namespace.
type place struct {
	world *World
	pid   int
}

// Router is a network behind a router that hides its hosts' addresses.
type Router struct {
	place
	number, last int
}

// Mapping is how a router chooses ports.
type Mapping string

// The mappings.
const (
	// KeepsPorts has one port outside for one inside, whoever is spoken to, as
	// long as it is free: what hole punching needs.
	KeepsPorts Mapping = "masquerade"
	// ScramblesPorts takes a random one for each destination.
	ScramblesPorts Mapping = "masquerade random,fully-random"
)

// internet is a block that sinks stray reverse look-ups (RFC 7535): libp2p takes
// it for the internet's, and no host of anybody's is there.
const internet = "192.31.196."

// NewWorld makes one, or skips the test where that can't be.
func NewWorld(t *testing.T) *World {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("network namespaces take an administrator")
	}
	for _, tool := range []string{"ip", "nft", "nsenter"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("network namespaces take %s (on Debian: apt-get install iproute2 nftables util-linux)", tool)
		}
	}
	w := &World{t: t, last: 1}
	w.backbone = w.place()
	w.backbone.run("ip link set lo up; ip link add net type bridge; ip link set net up")
	return w
}

// place makes an empty namespace.
func (w *World) place() *place {
	w.t.Helper()
	keeper := exec.Command("sleep", "infinity")
	keeper.SysProcAttr = withParent()
	keeper.SysProcAttr.Cloneflags = syscall.CLONE_NEWNET
	if err := keeper.Start(); err != nil {
		w.t.Skipf("no network namespace can be made here: %v", err)
	}
	w.t.Cleanup(func() {
		if err := keeper.Process.Kill(); err != nil {
			w.t.Error(err)
		}
		_ = keeper.Wait() // it was killed
	})
	return &place{world: w, pid: keeper.Process.Pid}
}

// Under is the command that starts another one there.
func (p *place) Under() []string {
	return []string{"nsenter", "--net=/proc/" + strconv.Itoa(p.pid) + "/ns/net", "--"}
}

// run has a shell carry out commands there; the first that fails ends the test.
func (p *place) run(script string) {
	p.world.t.Helper()
	line := append(p.Under(), "sh", "-ec", script)
	cmd := exec.Command(line[0], line[1:]...)
	cmd.SysProcAttr = withParent()
	if out, err := cmd.CombinedOutput(); err != nil {
		p.world.t.Fatalf("%v: %s\n%s", err, out, script)
	}
}

// join links a place to the backbone and gives it the next address there.
func (w *World) join(p *place) {
	w.t.Helper()
	w.last++
	w.backbone.run(fmt.Sprintf("ip link add to%[1]d type veth peer name out netns %[2]d; ip link set to%[1]d master net up", w.last, p.pid))
	p.run(fmt.Sprintf("ip link set lo up; ip addr add %s%d/24 dev out; ip link set out up", internet, w.last))
}

// Public makes a host that everybody reaches, and returns how to start a process
// on it.
func (w *World) Public() (under []string) {
	w.t.Helper()
	p := w.place()
	w.join(p)
	return p.Under()
}

// Router makes a router, whose hosts reach everybody and are reached by nobody
// whom they haven't spoken to.
func (w *World) Router(mapping Mapping) *Router {
	w.t.Helper()
	w.routers++
	r := &Router{place: *w.place(), number: w.routers, last: 1}
	w.join(&r.place)
	r.run(fmt.Sprintf(`
		ip link add home type bridge; ip addr add 10.77.%d.1/24 dev home; ip link set home up
		echo 1 > /proc/sys/net/ipv4/ip_forward`, r.number))
	r.rules(mapping)
	return r
}

// rules sets the router's rules anew. What nobody inside has asked for is
// dropped without a word: an answer, or a connection noted, would take the port
// that a hole is about to be punched with.
func (r *Router) rules(mapping Mapping) {
	r.world.t.Helper()
	r.run(`nft -f - <<-"end"
	flush ruleset
	table ip router {
		chain in {
			type filter hook input priority 0
			iifname "out" ct state new,invalid drop
		}
		chain through {
			type filter hook forward priority 0
			iifname "out" ct state new,invalid drop
		}
		chain hide {
			type nat hook postrouting priority srcnat
			oifname "out" ` + string(mapping) + `
		}
	}
end`)
}

// Host makes a host behind the router, and returns how to start a process on it.
func (r *Router) Host() (under []string) {
	r.world.t.Helper()
	r.last++
	p := r.world.place()
	r.run(fmt.Sprintf("ip link add to%[1]d type veth peer name lan netns %[2]d; ip link set to%[1]d master home up", r.last, p.pid))
	p.run(fmt.Sprintf("ip link set lo up; ip addr add 10.77.%[1]d.%[2]d/24 dev lan; ip link set lan up; ip route add default via 10.77.%[1]d.1", r.number, r.last))
	return p.Under()
}

// A world is gone with the process that made it, also when that one is killed.
func TestWorldGoesWithItsTest(t *testing.T) {
	if os.Getenv("PARLEY_WORLD_CHILD") != "" {
		w := NewWorld(t)
		under := w.Router(KeepsPorts).Host()
		fmt.Printf("world %d %s\n", w.backbone.pid, under[1])
		select {} // until it is killed
	}
	NewWorld(t) // or it is skipped
	child := exec.Command(os.Args[0], "-test.run=^TestWorldGoesWithItsTest$")
	child.Env = append(os.Environ(), "PARLEY_WORLD_CHILD=1")
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	var backbone int
	var host string
	if _, err := fmt.Fscanf(out, "world %d %s\n", &backbone, &host); err != nil {
		t.Fatal(err)
	}
	host, _ = strings.CutPrefix(host, "--net=")
	if _, err := os.Stat(host); err != nil {
		t.Fatal(err)
	}
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = child.Wait() // it was killed
	for _, path := range []string{host, fmt.Sprintf("/proc/%d", backbone)} {
		nodetest.Await(t, path+" to be gone", func() bool { _, err := os.Stat(path); return os.IsNotExist(err) })
	}
}
