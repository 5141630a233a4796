package testnet_test

import (
	"context"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/parley-protocol/parley/node/api"
	"github.com/parley-protocol/parley/node/home"
	"github.com/parley-protocol/parley/testnet"
)

// amount is how much of something a test does: its variable, else little, else
// with PARLEY_SOAK=1 much.
func amount(tb testing.TB, variable string, little, much int) int {
	tb.Helper()
	text := os.Getenv(variable)
	switch {
	case text != "":
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			tb.Fatalf("%s=%q is no size", variable, text)
		}
		return n
	case os.Getenv("PARLEY_SOAK") != "" && !testing.Short():
		return much
	default:
		return little
	}
}

// memory is what a process has resident, in KiB.
type memory struct{ all, anon, file int64 }

func memoryOf(tb testing.TB, pid int) (m memory) {
	tb.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		tb.Error(err)
		return m
	}
	for line := range strings.Lines(string(text)) {
		_, _ = fmt.Sscanf(line, "VmRSS: %d kB", &m.all)
		_, _ = fmt.Sscanf(line, "RssAnon: %d kB", &m.anon)
		_, _ = fmt.Sscanf(line, "RssFile: %d kB", &m.file)
	}
	return m
}

func (m memory) String() string {
	return fmt.Sprintf("%d MiB (%d of its own, %d of mapped files)", m.all>>10, m.anon>>10, m.file>>10)
}

// peak notes the most memory that each process has while it watches.
type peak struct {
	mu   sync.Mutex
	most map[string]memory
}

func watchMemory(ctx context.Context, tb testing.TB, work *sync.WaitGroup, nodes ...*testnet.Node) *peak {
	p := &peak{most: map[string]memory{}}
	work.Go(func() {
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		for {
			for _, n := range nodes {
				m := memoryOf(tb, n.PID())
				p.mu.Lock()
				if old := p.most[n.Name]; m.all > old.all {
					p.most[n.Name] = m
				}
				p.mu.Unlock()
			}
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
		}
	})
	return p
}

// deal goes from a request to an agreement between customer and north, and tells
// how long that took.
func (s story) deal(name string) (took time.Duration, id string) {
	s.t.Helper()
	began := time.Now()
	intent, err := s.publish(api.NewIntent{Market: market, Category: []string{"cpv:39112000"}, ItemOffered: []api.Wanted{{Name: "Chair"}}, ValidUntil: in(24 * time.Hour)}, name)
	if err != nil {
		s.t.Fatal(err)
	}
	until(s, "north", "the request", api.Path("/v1/intents/%s", intent.ID), func(v api.Intent) bool { return v.ID == intent.ID })
	s.must("north", http.MethodPost, "/v1/offers", offerOn(intent, "95.5"), nil)
	offers := until(s, "customer", "the offer", "/v1/offers?intent="+intent.ID, func(v list[api.Offer]) bool { return len(v.Items) == 1 })
	s.must("customer", http.MethodPost, api.Path("/v1/offers/%s/accept", offers.Items[0].ID), struct{}{}, nil)
	path := "/v1/deals?intent=" + intent.ID
	agreed := func(v list[api.Deal]) bool { return len(v.Items) == 1 && v.Items[0].Phase == "agreed" }
	won := until(s, "customer", "the agreement", path, agreed).Items[0]
	took = time.Since(began)
	until(s, "north", "the agreement", path, agreed)
	return took, won.ID
}

func median(all []time.Duration) time.Duration {
	return slices.Sorted(slices.Values(all))[len(all)/2]
}

func diskUse(tb testing.TB, dir string) (total int64) {
	tb.Helper()
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		size, err := blocks(path)
		total += size
		return err
	})
	if err != nil {
		tb.Fatal(err)
	}
	return total
}

// cpuOf is the processor time that a process has used.
func cpuOf(tb testing.TB, pid int) time.Duration {
	tb.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		tb.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), ") ")
	var user, system int64
	if fields := strings.Fields(rest); len(fields) > 12 {
		_, _ = fmt.Sscan(fields[11]+" "+fields[12], &user, &system)
	}
	return time.Duration(user+system) * 10 * time.Millisecond // Linux counts for programs in hundredths
}

// A market is flooded with valid records by many strangers, while a customer and
// a seller on the same market do business. PARLEY_FLOOD_RECORDS sets how many, and
// PARLEY_FLOOD_RATE how many a second.
func TestFlood(t *testing.T) {
	if _, err := os.Stat("/proc/self/status"); err != nil {
		t.Skip("resident memory is read from /proc")
	}
	n := amount(t, "PARLEY_FLOOD_RECORDS", 3000, 1_000_000)
	space, env := int64(256)<<20, []string(nil)
	if n < 800_000 {
		space, env = int64(n)*300/(1<<20)<<20, nil // half of what comes
		space = max(space, 1<<20)
		env = []string{fmt.Sprint("PARLEY_MARKET_SPACE=", space>>20)}
	}
	s := story{t: t, net: testnet.Start(t, testnet.Spec{Binary: binary(t, programs.plain), Env: env, Nodes: []testnet.NodeSpec{
		{Name: "mailbox", ServeMailbox: true},
		{Name: "customer", Peers: []string{"mailbox"}, Mailbox: "mailbox"},
		{Name: "north", Peers: []string{"mailbox", "customer"}},
	}})}
	for _, n := range s.net.Nodes() {
		s.must(n.Name, http.MethodPost, "/v1/markets", map[string]string{"name": market}, nil)
	}
	const deals = 5
	var quiet, busy []time.Duration
	var ids []string
	for i := range deals {
		took, id := s.deal(fmt.Sprint("quiet ", i))
		quiet, ids = append(quiet, took), append(ids, id)
	}
	before := memoryOf(t, s.node("north").PID())

	ctx, stop := context.WithCancel(t.Context())
	var work sync.WaitGroup
	defer work.Wait()
	defer stop()
	most := watchMemory(ctx, t, &work, s.net.Nodes()...)
	// Deals are made while there is room: in a small space, what comes after that
	// soon pushes out what was signed first, which may then be an honest request.
	order := floodOrder{Strangers: 40, Records: n, Hold: n, PerSecond: amount(t, "PARLEY_FLOOD_RATE", 1000, 1000)}
	if env != nil {
		order.Hold = int(space * 9 / 10 / int64(newSpammer(t).intent(t).Size()))
	}
	for _, node := range s.net.Nodes() {
		order.Nodes = append(order.Nodes, node.Info().Addrs)
	}
	pause := time.Duration(n/order.PerSecond) * time.Second / 200
	used := map[string]time.Duration{}
	for _, node := range s.net.Nodes() {
		used[node.Name] = cpuOf(t, node.PID())
	}
	began := time.Now()
	strangers := startFlood(t, order)
	for i := 0; strangers.sent.Load() < int64(order.Hold) || i < deals; i++ {
		took, id := s.deal(fmt.Sprint("busy ", i))
		busy, ids = append(busy, took), append(ids, id)
		select {
		case <-time.After(pause):
		case <-ctx.Done():
		}
	}
	strangers.goOn()
	if err := strangers.wait(); err != nil {
		t.Fatal(err)
	}
	took := time.Since(began)
	sender := strangers.cmd.ProcessState.UserTime() + strangers.cmd.ProcessState.SystemTime()
	stop()
	work.Wait()

	for _, id := range ids {
		s.sameProof(id)
	}
	quick, slow := median(quiet), median(busy)
	t.Logf("%d records of %d bytes sent in %s by %d strangers, for %d µs of their processor each; a deal took %s before and %s meanwhile (medians of %d and %d), %s at most",
		n, strangers.size, took.Round(time.Second), order.Strangers, sender.Microseconds()/int64(n), quick.Round(time.Millisecond), slow.Round(time.Millisecond),
		len(quiet), len(busy), slices.Max(busy).Round(time.Millisecond))
	t.Logf("north had %v before", before)
	for _, node := range s.net.Nodes() {
		var v api.Node
		s.must(node.Name, http.MethodGet, "/v1/node", nil, &v)
		h, err := home.At(node.Home)
		if err != nil {
			t.Fatal(err)
		}
		held := int64(v.Records.Foreign) * int64(strangers.size)
		disk := diskUse(t, h.View())
		m := most.most[node.Name]
		t.Logf("%s: %.1f s of processor, at most %v; %d foreign records, %.1f MiB of %d; %.1f MiB on disk, %.2f of their size",
			node.Name, (cpuOf(t, node.PID()) - used[node.Name]).Seconds(), m, v.Records.Foreign, float64(held)/(1<<20), space>>20, float64(disk)/(1<<20), float64(disk)/float64(held))
		if held > space*105/100 {
			t.Errorf("%s holds %d bytes of strangers' records; %d may be", node.Name, held, space)
		}
		if m.all > 600<<10 {
			t.Errorf("%s had %v; 300 MB is the aim", node.Name, m)
		}
	}
	// Flood, nodes and whatever else runs share the processors: only a collapse fails.
	if slow > 6*quick+15*time.Second {
		t.Errorf("a deal takes %s under the flood and %s without it; twice is the aim", slow, quick)
	}
}
