//go:build linux

package testnet_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/parley-protocol/parley/node/api"
	"github.com/parley-protocol/parley/node/space"
	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/testnet"
)

// A disk fills up under a customer's node while it is busy, and has room again,
// over and over. The node lives through it: strangers' records are refused
// first, then its own writes, clearly; reading goes on; and once there is room
// all goes on. PARLEY_FULL_DISKS says how often; 2 is the usual, 20 the soak.
func TestFullDisk(t *testing.T) {
	rounds, size := sized(t, "PARLEY_FULL_DISKS", 2, 20), int64(256<<20)
	if os.Getenv("PARLEY_SOAK") == "1" {
		size = 1 << 30
	}
	f := newFullDisk(t, size)
	f.mustPublish("customer", "before")
	for n := range rounds {
		f.round(n)
	}
	f.restarts()
	for _, id := range f.acked {
		f.must("customer", http.MethodGet, api.Path("/v1/intents/%s", id), nil, nil)
	}
	slices.Sort(f.resumed)
	t.Logf("the disk was full %d times: 0 deaths, 0 of %d acknowledged requests lost, writing went on after %s at the latest",
		rounds+1, len(f.acked), f.resumed[len(f.resumed)-1].Round(time.Millisecond))
}

// fullDisk is a customer on a small disk of its own, and a busy seller.
type fullDisk struct {
	story
	mount string
	pid   int

	mu      sync.Mutex
	acked   []string
	resumed []time.Duration
}

// newFullDisk mounts a file as an ext4 disk, which takes an administrator, and
// starts the nodes.
func newFullDisk(t *testing.T, size int64) *fullDisk {
	t.Helper()
	f := &fullDisk{story: story{t: t}, mount: smallDisk(t, size)}
	dir, err := os.MkdirTemp("", "parley")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := errors.Join(os.Mkdir(f.mount+"/home", 0o700), os.Symlink(f.mount+"/home", dir+"/customer")); err != nil {
		t.Fatal(err)
	}
	f.net = testnet.Start(t, testnet.Spec{Binary: binary(t, programs.plain), Dir: dir, Nodes: []testnet.NodeSpec{
		{Name: "mailbox", ServeMailbox: true},
		{Name: "customer", Peers: []string{"mailbox"}, Mailbox: "mailbox"},
		{Name: "north", Peers: []string{"mailbox"}},
	}})
	for _, n := range f.net.Nodes() {
		f.must(n.Name, http.MethodPost, "/v1/markets", map[string]string{"name": market}, nil)
	}
	f.pid = f.node("customer").PID()
	return f
}

// smallDisk is where a disk of that size is mounted until the test ends.
func smallDisk(t *testing.T, size int64) string {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("mounting a small disk takes an administrator")
	}
	image := filepath.Join(t.TempDir(), "disk")
	mount, err := os.MkdirTemp("", "parley-disk")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.Remove(mount) })
	if err := errors.Join(os.WriteFile(image, nil, 0o600), os.Truncate(image, size)); err != nil {
		t.Fatal(err)
	}
	for _, cmd := range [][]string{{"mkfs.ext4", "-q", "-F", image}, {"mount", "-o", "loop", image, mount}} {
		if out, err := exec.Command(cmd[0], cmd[1:]...).CombinedOutput(); err != nil {
			t.Skipf("no small disk can be mounted here: %s: %v: %s", cmd[0], err, out)
		}
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", "-l", mount).CombinedOutput(); err != nil {
			t.Errorf("umount: %v: %s", err, out)
		}
	})
	return mount
}

func (f *fullDisk) request(name, description string) api.NewIntent {
	ask := tender(testnet.SampleTender())
	ask.Name, ask.Description = name, description
	return ask
}

// publishAt publishes a request and notes what was acknowledged.
func (f *fullDisk) publishAt(node, name, description string) (api.Intent, error) {
	var in api.Intent
	err := f.do(node, http.MethodPost, "/v1/intents", f.request(name, description), &in)
	if err == nil && node == "customer" {
		f.mu.Lock()
		f.acked = append(f.acked, in.ID)
		f.mu.Unlock()
	}
	return in, err
}

func (f *fullDisk) mustPublish(node, name string) api.Intent {
	f.t.Helper()
	in, err := f.publishAt(node, name, "")
	if err != nil {
		f.t.Fatal(err)
	}
	return in
}

// fill takes room on the disk until so much is free, or until nothing is.
func (f *fullDisk) fill(name string, leave uint64) {
	f.t.Helper()
	file, err := os.Create(filepath.Join(f.mount, name))
	if err != nil {
		f.t.Fatal(err)
	}
	defer file.Close()
	chunk := make([]byte, 1<<20)
	for {
		free, _, err := space.Measure(f.mount)
		if err != nil {
			f.t.Fatal(err)
		}
		if leave > 0 && free <= leave {
			return
		}
		if leave > 0 {
			chunk = chunk[:min(uint64(len(chunk)), max(free-leave, 4096))]
		}
		if _, err := file.Write(chunk); errors.Is(err, syscall.ENOSPC) {
			if chunk = chunk[:max(len(chunk)/2, 512)]; len(chunk) == 512 {
				return
			}
		} else if err != nil {
			f.t.Fatal(err)
		}
	}
}

func (f *fullDisk) free(names ...string) {
	f.t.Helper()
	for _, name := range names {
		if err := os.Remove(filepath.Join(f.mount, name)); err != nil {
			f.t.Fatal(err)
		}
	}
}

// alive fails when the customer's process is another one, or none.
func (f *fullDisk) alive(when string) {
	f.t.Helper()
	if n := f.node("customer"); !n.Running() || n.PID() != f.pid {
		f.t.Fatalf("%s the node has died:\n%s", when, n.Stderr())
	}
}

// round fills the disk in two steps and frees it.
func (f *fullDisk) round(n int) {
	t := f.t
	t.Helper()
	_, total, err := space.Measure(f.mount)
	if err != nil {
		t.Fatal(err)
	}
	foreign, own := space.Reserve(total, space.Foreign), space.Reserve(total, space.Own)

	f.fill("some", (foreign+own)/2)
	stranger := f.mustPublish("north", fmt.Sprintf("Refused %d", n))
	until(f.story, "customer", "a stranger's record to be refused", "/v1/doctor", func(v list[api.Check]) bool {
		return slices.ContainsFunc(v.Items, func(c api.Check) bool {
			return c.Name == "markets' records" && strings.Contains(c.Text, "lost because")
		})
	})
	if err := f.do("customer", http.MethodGet, api.Path("/v1/intents/%s", stranger.ID), nil, nil); protocol.CodeOf(err) != protocol.CodeNotFound {
		t.Errorf("a stranger's record is there in spite of the reserve: %v", err)
	}
	f.mustPublish("customer", fmt.Sprintf("Own %d", n))
	f.refuses("foreign")

	// From a disk with room to a full one at full speed, under load.
	f.free("some")
	ctx, stop := context.WithCancel(t.Context())
	var load sync.WaitGroup
	for _, node := range []string{"customer", "north", "north"} {
		load.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				text := "Small"
				if node == "north" {
					text = strings.Repeat("A long description. ", 150)
				}
				_, _ = f.publishAt(node, fmt.Sprintf("Load %d", i), text) // a refusal is what it is about
			}
		})
	}
	until(f.story, "customer", "the load", "/v1/intents?limit=1000", func(v list[api.Intent]) bool { return len(v.Items) > 20 })
	f.fill("all", 0)
	f.alive("when the disk became full")
	f.refuses("foreign", "own", "view")
	for range 5 {
		_, err := f.publishAt("customer", "Refused", "")
		e, ok := errors.AsType[*protocol.Error](err)
		if !ok || e.Code != protocol.CodeDiskFull || e.Hint == "" || e.Detail == "" {
			t.Fatalf("a write on a full disk gives %v", err)
		}
	}
	stop()
	load.Wait()
	f.must("customer", http.MethodGet, "/v1/intents?own=true", nil, nil)
	for _, id := range f.acked {
		f.must("customer", http.MethodGet, api.Path("/v1/intents/%s", id), nil, nil)
	}
	var checks list[api.Check]
	f.must("customer", http.MethodGet, "/v1/doctor", nil, &checks)
	if i := slices.IndexFunc(checks.Items, func(c api.Check) bool { return c.Name == "room" }); i < 0 || checks.Items[i].Status != "fail" || checks.Items[i].Hint == "" {
		t.Errorf("the doctor says %+v", checks.Items)
	}
	f.alive("while the disk was full")

	f.free("all")
	began := time.Now()
	f.poll("writing to go on", func() (bool, error) {
		_, err := f.publishAt("customer", fmt.Sprintf("Again %d", n), "")
		return err == nil, err
	})
	fresh := f.mustPublish("north", fmt.Sprintf("Taken %d", n))
	until(f.story, "customer", "a stranger's request", api.Path("/v1/intents/%s", fresh.ID), func(v api.Intent) bool { return v.ID == fresh.ID })
	f.resumed = append(f.resumed, time.Since(began))
	if d := f.resumed[len(f.resumed)-1]; d > 30*time.Second {
		t.Errorf("it went on after %s; 10 s is the aim", d)
	}
	f.alive("when there was room again")
}

// refuses checks what the node says that it refuses.
func (f *fullDisk) refuses(want ...string) {
	f.t.Helper()
	var v api.Node
	f.must("customer", http.MethodGet, "/v1/node", nil, &v)
	if !slices.Equal(v.Disk.Refuses, want) {
		f.t.Errorf("with %d bytes free it says that it refuses %q, not %q", v.Disk.Free, v.Disk.Refuses, want)
	}
}

// restarts ends a node on a full disk, starts it there, which is refused, and
// starts it once there is room.
func (f *fullDisk) restarts() {
	t := f.t
	t.Helper()
	f.fill("all", 0)
	n := f.node("customer")
	if err := n.Stop(); err != nil {
		t.Fatalf("on a full disk it doesn't end in order: %v", err)
	}
	err := n.Start(t.Context())
	exit, ok := errors.AsType[*testnet.ExitError](err)
	if !ok || exit.State.ExitCode() != 1 || !strings.Contains(exit.Stderr, string(protocol.CodeDiskFull)) || !strings.Contains(exit.Stderr, "hint") {
		t.Fatalf("a start on a full disk gives %v", err)
	}
	f.free("all")
	if err := n.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	f.pid = n.PID()
	f.mustPublish("customer", "After")
}
