package gossip

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/x/simlibp2p"
	"github.com/marcopolo/simnet"

	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/reconcile"
)

const (
	testMarket = "home"
	latency    = 20 * time.Millisecond
)

// desk is a handler that keeps what it accepts. Frames speak for themselves:
// "forged…" fails Verify, "old…" and "bad…" fail Check.
type desk struct {
	mu    sync.Mutex
	kept  map[string]Path // by frame
	order []string
	ids   map[ID]string // see index
	slow  chan struct{} // when set, Verify waits for it
}

func (d *desk) Check(_ context.Context, m *Message) protocol.Verdict {
	m.Parsed, m.ID = string(m.Frame), sha256.Sum256(m.Frame)
	switch {
	case len(m.Frame) >= 3 && string(m.Frame[:3]) == "bad":
		return protocol.Reject
	case len(m.Frame) >= 3 && string(m.Frame[:3]) == "old":
		m.Err = protocol.Errorf(protocol.CodeExpired, "", "old")
		return protocol.Ignore
	}
	return protocol.Accept
}

func (d *desk) Verify(ctx context.Context, m *Message) protocol.Verdict {
	if d.slow != nil {
		select {
		case <-d.slow:
		case <-ctx.Done():
			return protocol.Ignore
		}
	}
	frame := m.Parsed.(string)
	if len(frame) >= 6 && frame[:6] == "forged" {
		return protocol.Reject
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, known := d.kept[frame]; known {
		if m.Path == PathCatchup {
			return protocol.Ignore
		}
		return protocol.Accept
	}
	if d.kept == nil {
		d.kept = make(map[string]Path)
	}
	d.kept[frame] = m.Path
	d.order = append(d.order, frame)
	return protocol.Accept
}

// farOff is when everything that a desk keeps expires.
const farOff = 1 << 40

// index is what is kept, by ID; d.mu is held.
func (d *desk) index() map[ID]string {
	if d.ids == nil {
		d.ids = make(map[ID]string)
	}
	for _, frame := range d.order[len(d.ids):] {
		d.ids[sha256.Sum256([]byte(frame))] = frame
	}
	return d.ids
}

// Live makes the desk a Catchup, as do the three that follow.
func (d *desk) Live(context.Context, string, int64) (*reconcile.Set, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var items []reconcile.Item
	for id := range d.index() {
		items = append(items, reconcile.Item{Time: farOff, ID: id})
	}
	return reconcile.NewSet(items), nil
}

func (d *desk) Frame(_ context.Context, _ string, _ int64, id ID) ([]byte, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if frame, ok := d.index()[id]; ok {
		return []byte(frame), nil
	}
	return nil, protocol.Errorf(protocol.CodeNotFound, "", "not here")
}

func (d *desk) Noted(_ context.Context, _ string, id ID) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	_, ok := d.index()[id]
	return ok
}

// Page has cursors that are the number of frames had.
func (d *desk) Page(_ context.Context, _, after string, limit int) (frames [][]byte, next string, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	from := 0
	if after != "" {
		if _, err := fmt.Sscan(after, &from); err != nil || from > len(d.order) {
			return nil, "", protocol.Errorf(protocol.CodeBadField, "after", "no cursor")
		}
	}
	to := min(from+limit, len(d.order))
	for _, frame := range d.order[from:to] {
		frames = append(frames, []byte(frame))
	}
	if to < len(d.order) {
		next = fmt.Sprint(to)
	}
	return frames, next, nil
}

func (d *desk) has(frame string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	_, ok := d.kept[frame]
	return ok
}

func (d *desk) path(frame string) Path {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.kept[frame]
}

func (d *desk) size() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.kept)
}

// node is one of a simulated network.
type node struct {
	*Gossip
	host host.Host
	desk *desk
}

// simulate runs a test on hosts of a simulated network, in virtual time.
func simulate(t *testing.T, hosts int, test func(t *testing.T, hosts []host.Host)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		link := simnet.LinkSettings{BitsPerSecond: 20 * simlibp2p.OneMbps}
		network, meta, err := simlibp2p.SimpleLibp2pNetwork([]simlibp2p.NodeLinkSettingsAndCount{
			{LinkSettings: simnet.NodeBiDiLinkSettings{Downlink: link, Uplink: link}, Count: hosts},
		}, simnet.StaticLatency(latency), simlibp2p.NetworkSettings{})
		if err != nil {
			t.Fatal(err)
		}
		network.Start()
		defer network.Close()
		defer func() {
			for _, h := range meta.Nodes {
				h.Close()
			}
		}()
		test(t, meta.Nodes)
	})
}

// quick is a timing for tests that don't want to wait for the slow parts.
func quick() Timing {
	return Timing{First: 100 * time.Millisecond, Again: time.Minute, Periodic: 10 * time.Minute, Relayed: time.Second, Settled: 30 * time.Second}
}

// attach puts gossip on a host, closed with the test, and joins the market.
func attach(t *testing.T, h host.Host, options Options) *node {
	t.Helper()
	d, _ := options.Handler.(*desk)
	if d == nil && options.Handler == nil {
		d = new(desk)
		options.Handler = d
	}
	g, err := New(h, options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := g.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := g.Join(t.Context(), testMarket); err != nil {
		t.Fatal(err)
	}
	return &node{Gossip: g, host: h, desk: d}
}

func connect(t *testing.T, a, b host.Host) {
	t.Helper()
	if err := a.Connect(t.Context(), peer.AddrInfo{ID: b.ID(), Addrs: b.Addrs()}); err != nil {
		t.Fatal(err)
	}
}

func publish(t *testing.T, n *node, frame string) Reach {
	t.Helper()
	reach, err := n.Publish(t.Context(), testMarket, []byte(frame))
	if err != nil {
		t.Fatal(err)
	}
	return reach
}

func TestFrameReachesEveryone(t *testing.T) {
	simulate(t, 10, func(t *testing.T, hosts []host.Host) {
		nodes := make([]*node, len(hosts))
		for i, h := range hosts {
			nodes[i] = attach(t, h, Options{})
		}
		for i := range hosts { // a ring with chords, nobody knows everybody
			connect(t, hosts[i], hosts[(i+1)%len(hosts)])
			connect(t, hosts[i], hosts[(i+3)%len(hosts)])
		}
		time.Sleep(5 * time.Second)
		reach := publish(t, nodes[0], "hello")
		if reach.Topic < 4 || reach.Mesh < 1 {
			t.Errorf("reach %+v", reach)
		}
		time.Sleep(5 * time.Second)
		for i, n := range nodes {
			if !n.desk.has("hello") {
				t.Errorf("node %d doesn't have it", i)
			}
			if s := n.Stats(); s.Rejected+s.DroppedUnchecked+s.DroppedUnverified != 0 {
				t.Errorf("node %d: %+v", i, s)
			}
		}
		if got := nodes[0].Peers(testMarket); len(got) < 4 || !slices.IsSorted(got) {
			t.Errorf("peers %v", got)
		}
	})
}

func TestSilentMarketStaysTogether(t *testing.T) {
	simulate(t, 3, func(t *testing.T, hosts []host.Host) {
		var nodes []*node
		for _, h := range hosts {
			nodes = append(nodes, attach(t, h, Options{}))
		}
		connect(t, hosts[0], hosts[1])
		connect(t, hosts[1], hosts[2])
		time.Sleep(3 * time.Hour) // nothing is said
		publish(t, nodes[0], "at last")
		time.Sleep(3 * time.Second)
		if !nodes[2].desk.has("at last") {
			t.Error("silence has cost the mesh")
		}
	})
}

//spec:shows REC-39
func TestRejectedFramesGoNoFurther(t *testing.T) {
	simulate(t, 3, func(t *testing.T, hosts []host.Host) {
		// The first node lets everything out.
		liar := attach(t, hosts[0], Options{Handler: yes{}})
		middle, far := attach(t, hosts[1], Options{}), attach(t, hosts[2], Options{})
		connect(t, hosts[0], hosts[1])
		connect(t, hosts[1], hosts[2])
		time.Sleep(3 * time.Second)
		for _, frame := range []string{"bad", "forged", "old", "good"} {
			publish(t, liar, frame)
			time.Sleep(time.Second)
		}
		for _, frame := range []string{"bad", "forged", "old"} {
			if middle.desk.has(frame) || far.desk.has(frame) {
				t.Errorf("%q was accepted", frame)
			}
		}
		s := middle.Stats()
		if s.Rejected != 2 || s.Ignored != 1 {
			t.Errorf("%+v, want 2 rejected and 1 ignored", s)
		}
		if n := far.Stats().Received; n > 1 {
			t.Errorf("%d frames came to the far node", n)
		}
		// And who goes on like that is shut out, for what is good as well.
		for i := range 10 {
			publish(t, liar, fmt.Sprintf("forged %d", i))
			time.Sleep(time.Second)
		}
		publish(t, liar, "from the pillory")
		time.Sleep(10 * time.Second)
		if middle.desk.has("from the pillory") {
			t.Error("a forger is still listened to")
		}
	})
}

// yes is a handler that has no objections.
type yes struct{}

func (yes) Check(context.Context, *Message) protocol.Verdict  { return protocol.Accept }
func (yes) Verify(context.Context, *Message) protocol.Verdict { return protocol.Accept }

func TestOwnFramesAreCheckedToo(t *testing.T) {
	simulate(t, 1, func(t *testing.T, hosts []host.Host) {
		n := attach(t, hosts[0], Options{})
		if reach := publish(t, n, "alone"); reach != (Reach{}) {
			t.Errorf("reach %+v without peers", reach)
		}
		if n.desk.path("alone") != PathOwn {
			t.Error("the handler took an own frame for another")
		}
		for frame, want := range map[string]protocol.Code{
			"bad":                            protocol.CodeNotPermitted,
			"forged":                         protocol.CodeNotPermitted,
			"old":                            protocol.CodeExpired, // the handler's own reason
			string(make([]byte, MaxFrame+1)): protocol.CodeTooLarge,
		} {
			if _, err := n.Publish(t.Context(), testMarket, []byte(frame)); protocol.CodeOf(err) != want {
				t.Errorf("%.10q: %v, want %s", frame, err, want)
			}
		}
		if _, err := n.Publish(t.Context(), "food", []byte("x")); protocol.CodeOf(err) != protocol.CodeWrongMarket {
			t.Errorf("a market that wasn't joined: %v", err)
		}
	})
}

func TestLargestFramePasses(t *testing.T) {
	simulate(t, 2, func(t *testing.T, hosts []host.Host) {
		a, b := attach(t, hosts[0], Options{}), attach(t, hosts[1], Options{})
		connect(t, hosts[0], hosts[1])
		time.Sleep(3 * time.Second)
		largest := string(make([]byte, MaxFrame))
		publish(t, a, largest)
		time.Sleep(3 * time.Second)
		if !b.desk.has(largest) {
			t.Error("it didn't arrive")
		}
	})
}

func TestLeaveAndJoinAgain(t *testing.T) {
	simulate(t, 2, func(t *testing.T, hosts []host.Host) {
		joins := make(chan peer.ID, 16)
		a := attach(t, hosts[0], Options{OnPeerJoin: func(m string, id peer.ID) {
			if m == testMarket {
				joins <- id
			}
		}})
		b := attach(t, hosts[1], Options{})
		connect(t, hosts[0], hosts[1])
		time.Sleep(2 * time.Second)
		if len(joins) != 1 || <-joins != hosts[1].ID() {
			t.Error("no word of the peer")
		}
		if err := b.Leave(testMarket); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		if got := a.Peers(testMarket); len(got) != 0 {
			t.Errorf("peers %v after they left", got)
		}
		publish(t, a, "unheard")
		time.Sleep(15 * time.Second)
		if err := b.Join(t.Context(), testMarket); err != nil {
			t.Fatal(err)
		}
		if err := b.Join(t.Context(), testMarket); err != nil {
			t.Errorf("joining twice: %v", err)
		}
		time.Sleep(5 * time.Second)
		if len(joins) != 1 {
			t.Errorf("%d words of the peer that came back", len(joins))
		}
		publish(t, a, "heard")
		time.Sleep(3 * time.Second)
		if b.desk.has("unheard") || !b.desk.has("heard") {
			t.Error("leaving and joining again don't do what they say")
		}
		if got := b.Markets(); !slices.Equal(got, []string{testMarket}) {
			t.Errorf("markets %q", got)
		}
		if err := b.Join(t.Context(), "Not A Market"); protocol.CodeOf(err) != protocol.CodeBadField {
			t.Errorf("a bad name: %v", err)
		}
	})
}

func TestFloodOfFramesIsCountedNotLostInSilence(t *testing.T) {
	simulate(t, 2, func(t *testing.T, hosts []host.Host) {
		stuck := &desk{slow: make(chan struct{})}
		a := attach(t, hosts[0], Options{Handler: yes{}})
		b := attach(t, hosts[1], Options{Handler: stuck})
		connect(t, hosts[0], hosts[1])
		time.Sleep(3 * time.Second)
		const sent = 2 * verifying
		for i := range sent {
			publish(t, a, fmt.Sprint("frame ", i))
			if i%64 == 0 {
				time.Sleep(time.Second)
			}
		}
		time.Sleep(3 * time.Second)
		if s := b.Stats(); s.DroppedUnverified == 0 {
			t.Errorf("nothing was dropped by a handler that hangs: %+v", s)
		}
		close(stuck.slow)
		time.Sleep(3 * time.Second)
		s := b.Stats()
		if int(s.Relayed) != stuck.size() || s.Received != s.Relayed+s.DroppedUnverified {
			t.Errorf("%d kept and %+v: they don't add up", stuck.size(), s)
		}
	})
}

func TestMessageIDIsTheFramesHash(t *testing.T) {
	sum := sha256.Sum256([]byte("x"))
	if id := messageID(pbMessage("x")); id != string(sum[:]) {
		t.Errorf("%x", id)
	}
}
