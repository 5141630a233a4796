package testnet_test

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/parley-protocol/parley/crypto"
	"github.com/parley-protocol/parley/node/api"
	"github.com/parley-protocol/parley/node/gossip"
	"github.com/parley-protocol/parley/node/home"
	"github.com/parley-protocol/parley/node/network"
	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/record"
	"github.com/parley-protocol/parley/protocol/record/recordtest"
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

// attacker is a node's network without the node: it says what it likes.
type attacker struct {
	*network.Network
	gossip *gossip.Gossip
}

// stranger connects to nodes and takes part in the market. It relays nothing.
func stranger(tb testing.TB, nodes ...*testnet.Node) attacker {
	tb.Helper()
	c := network.DefaultConfig()
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		tb.Fatal(err)
	}
	c.Seed, c.TestProfile, c.ListenAddrs = [32]byte(key.Seed()), true, nil
	for _, n := range nodes {
		c.StaticPeers = append(c.StaticPeers, n.Info().Addrs...)
	}
	h, err := network.New(c)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { h.Close() })
	g, err := gossip.New(h.Host(), gossip.Options{Handler: ownOnly{}, Flood: true})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { g.Close() })
	if err := h.Start(tb.Context()); err != nil {
		tb.Fatal(err)
	}
	if err := g.Join(tb.Context(), market); err != nil {
		tb.Fatal(err)
	}
	if !g.AwaitMesh(tb.Context(), market) {
		tb.Fatal("an attacker finds nobody")
	}
	return attacker{h, g}
}

// ownOnly lets out whatever is one's own and takes nothing.
type ownOnly struct{}

func (ownOnly) Check(_ context.Context, m *gossip.Message) protocol.Verdict {
	if m.Path == gossip.PathOwn {
		return protocol.Accept
	}
	return protocol.Ignore
}

func (ownOnly) Verify(context.Context, *gossip.Message) protocol.Verdict { return protocol.Accept }

// spammer signs valid intents of about 600 bytes, each by a new key.
type spammer struct {
	reply record.ReplyTo
	n     atomic.Uint64
}

func newSpammer(tb testing.TB) *spammer {
	return &spammer{reply: recordtest.NewParty("spam").ReplyTo(tb)}
}

func (s *spammer) intent(tb testing.TB) *record.Record {
	n := s.n.Add(1)
	var seed, salt [32]byte
	_, _ = rand.Read(seed[:]) // never fails
	_, _ = rand.Read(salt[:])
	now := time.Now().Unix()
	r, err := record.Sign(record.Header{At: now, RetainUntil: now + 90*recordtest.Day}, &record.Intent{
		Salt: salt, Market: market, Name: fmt.Sprint("Something that nobody wants, number ", n),
		Description: "In good order, with what belongs to it; to be brought or fetched by Friday at the latest.",
		Category:    []string{fmt.Sprint("cpv:", 10000000+n%200)}, ItemOffered: []record.DemandItem{{Name: "One of these things"}},
		ValidUntil: now + 30*recordtest.Day + int64(n%100_000), Terms: []record.TermsRef{{Roster: "PDC-INTENT"}}, Awards: 1, ReplyTo: s.reply,
	}, crypto.NewSigner(seed))
	if err != nil {
		tb.Error(err)
	}
	return r
}

// paced calls do with a number that adds up to perSecond, until it returns false
// or ctx ends.
func paced(ctx context.Context, perSecond int, do func(n int) bool) {
	const step = 10 * time.Millisecond
	tick := time.NewTicker(step)
	defer tick.Stop()
	began, done := time.Now(), 0
	for {
		n := int(time.Since(began).Seconds()*float64(perSecond)) - done
		if n > 0 {
			if !do(n) {
				return
			}
			done += n
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
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

// A market is flooded with valid records by many strangers, while a customer and
// a seller on the same market do business. PARLEY_FLOOD_RECORDS sets how many.
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
	const perPeer = 190 // a little less than a node takes of one peer
	flooders := min(40, max(2, n/5000))
	spam := newSpammer(t)
	size := int64(spam.intent(t).Size())
	// Deals are made while there is room: what comes after that pushes out what was
	// signed first, which may then be an honest request.
	room := min(int64(n), space*9/10/size)
	traded := make(chan struct{}) // closed when all deals are done
	var sent atomic.Int64
	var flooding sync.WaitGroup
	began := time.Now()
	for range flooders {
		a := stranger(t, s.net.Nodes()...)
		flooding.Go(func() {
			paced(ctx, perPeer, func(k int) bool {
				for range min(k, 64) {
					switch number := sent.Add(1); {
					case number > int64(n):
						return false
					case number > room:
						select {
						case <-traded:
						case <-ctx.Done():
							return false
						}
					}
					frame := record.EncodeFrame(spam.intent(t).Raw(), nil)
					if _, err := a.gossip.Publish(ctx, market, frame); err != nil {
						return false
					}
				}
				return true
			})
		})
	}
	for i := 0; sent.Load() < room || i < deals; i++ {
		took, id := s.deal(fmt.Sprint("busy ", i))
		busy, ids = append(busy, took), append(ids, id)
	}
	close(traded)
	flooding.Wait()
	flood := time.Since(began)
	stop()
	work.Wait()

	for _, id := range ids {
		s.sameProof(id)
	}
	quick, slow := median(quiet), median(busy)
	t.Logf("%d records of %d bytes sent in %s by %d strangers; a deal took %s before and %s meanwhile (medians of %d and %d)",
		n, size, flood.Round(time.Second), flooders, quick.Round(time.Millisecond), slow.Round(time.Millisecond), len(quiet), len(busy))
	t.Logf("north had %v before", before)
	for _, node := range s.net.Nodes() {
		var v api.Node
		s.must(node.Name, http.MethodGet, "/v1/node", nil, &v)
		h, err := home.At(node.Home)
		if err != nil {
			t.Fatal(err)
		}
		held := int64(v.Records.Foreign) * size
		disk := diskUse(t, h.View())
		m := most.most[node.Name]
		t.Logf("%s: at most %v; %d foreign records, %.1f MiB of %d; %.1f MiB on disk, %.2f of their size",
			node.Name, m, v.Records.Foreign, float64(held)/(1<<20), space>>20, float64(disk)/(1<<20), float64(disk)/float64(held))
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
