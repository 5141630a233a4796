package gossip

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"

	parley "github.com/parley-protocol/parley/node/network"
	"github.com/parley-protocol/parley/protocol"
)

// attachBoth is attach with a desk that also answers.
func attachBoth(t *testing.T, h host.Host, timing Timing) *node {
	t.Helper()
	d := new(desk)
	n := attach(t, h, Options{Handler: d, Catchup: d, Timing: timing})
	n.desk = d
	return n
}

// older makes a node one that was built before peers reconciled: it answers with
// pages alone.
func older(n *node) { n.host.RemoveStreamHandler(protocol.ProtocolReconcile) }

func TestLateComerIsTold(t *testing.T) {
	simulate(t, 2, func(t *testing.T, hosts []host.Host) {
		early := attachBoth(t, hosts[0], quick())
		for i := range 5 {
			publish(t, early, fmt.Sprint("early ", i))
		}
		time.Sleep(10 * time.Minute) // gossip has long forgotten them
		late := attachBoth(t, hosts[1], quick())
		connect(t, hosts[1], hosts[0])
		time.Sleep(2 * time.Second)
		for i := range 5 {
			frame := fmt.Sprint("early ", i)
			if !late.desk.has(frame) || late.desk.path(frame) != PathCatchup {
				t.Errorf("%q didn't come by catching up", frame)
			}
		}
		if s := late.Stats(); s.CatchupSessions != 1 || s.CatchupReceived != 5 || s.CatchupFailed != 0 {
			t.Errorf("%+v", s)
		}
	})
}

//spec:shows NET-19 NET-34
func TestManyLargeFramesComeInPages(t *testing.T) {
	simulate(t, 2, func(t *testing.T, hosts []host.Host) {
		early := attachBoth(t, hosts[0], quick())
		older(early)
		const frames = 200 // 8 MB: 32 pages and more
		for i := range frames {
			publish(t, early, fmt.Sprint(i, strings.Repeat(" ", 40_000)))
		}
		for i := range MaxPageFrames + 1 {
			publish(t, early, fmt.Sprint("small ", i))
		}
		late := attachBoth(t, hosts[1], quick())
		connect(t, hosts[1], hosts[0])
		time.Sleep(3 * time.Minute)
		if got := late.desk.size(); got != frames+MaxPageFrames+1 {
			t.Errorf("%d frames came, want %d; asked: %+v, answered: %+v", got, frames+MaxPageFrames+1, late.Stats(), early.Stats())
		}
	})
}

// TestOverRateGoesOnWhereItStopped has more pages than a peer may ask for at once.
//
//spec:shows NET-21
func TestOverRateGoesOnWhereItStopped(t *testing.T) {
	simulate(t, 2, func(t *testing.T, hosts []host.Host) {
		early := attachBoth(t, hosts[0], quick())
		older(early)
		const frames = (pagesBurst + 20) * 6 // six of 40 kB to a page
		for i := range frames {
			publish(t, early, fmt.Sprint(i, strings.Repeat(" ", 40_000)))
		}
		late := attachBoth(t, hosts[1], quick())
		connect(t, hosts[1], hosts[0])
		time.Sleep(5 * time.Minute)
		if got := late.desk.size(); got != frames {
			t.Errorf("%d frames came, want %d", got, frames)
		}
		if s := early.Stats(); s.CatchupRefused == 0 || s.CatchupServed > frames+100 {
			t.Errorf("%+v: it should have been refused, and not asked for the same twice", s)
		}
	})
}

// TestPartitionHeals: two groups that had a life of their own meet at one edge.
func TestPartitionHeals(t *testing.T) {
	simulate(t, 6, func(t *testing.T, hosts []host.Host) {
		var nodes []*node
		for _, h := range hosts {
			nodes = append(nodes, attachBoth(t, h, quick()))
		}
		for _, edge := range [][2]int{{0, 1}, {1, 2}, {3, 4}, {4, 5}} {
			connect(t, hosts[edge[0]], hosts[edge[1]])
		}
		time.Sleep(3 * time.Minute)
		publish(t, nodes[0], "left")
		publish(t, nodes[5], "right")
		time.Sleep(5 * time.Minute)
		if nodes[5].desk.has("left") {
			t.Fatal("there was no partition")
		}
		connect(t, hosts[2], hosts[3])
		time.Sleep(10 * time.Second)
		for i, n := range nodes {
			if !n.desk.has("left") || !n.desk.has("right") {
				t.Errorf("node %d hasn't heard of the other side", i)
			}
		}
	})
}

// TestNewcomerKeepsQuiet: what is news to one that comes in isn't to the others.
//
//spec:shows NET-22
func TestNewcomerKeepsQuiet(t *testing.T) {
	simulate(t, 4, func(t *testing.T, hosts []host.Host) {
		var nodes []*node
		for _, h := range hosts[:3] {
			nodes = append(nodes, attachBoth(t, h, quick()))
		}
		connect(t, hosts[0], hosts[1])
		connect(t, hosts[1], hosts[2])
		connect(t, hosts[0], hosts[2])
		time.Sleep(2 * time.Second)
		for i := range 20 {
			publish(t, nodes[i%3], fmt.Sprint("frame ", i))
		}
		time.Sleep(10 * time.Minute)
		before := nodes[0].Stats().Received
		late := attachBoth(t, hosts[3], quick())
		for _, h := range hosts[:3] {
			connect(t, hosts[3], h)
		}
		time.Sleep(5 * time.Minute)
		if late.desk.size() != 20 {
			t.Errorf("%d frames, want 20", late.desk.size())
		}
		if again := nodes[0].Stats().Received - before; again != 0 {
			t.Errorf("%d frames were spread again", again)
		}
	})
}

//spec:shows NET-20
func TestForgedCatchupEndsTheSession(t *testing.T) {
	simulate(t, 2, func(t *testing.T, hosts []host.Host) {
		liar := &desk{order: []string{"good", "forged", "behind"}}
		older(attach(t, hosts[0], Options{Handler: yes{}, Catchup: liar, Timing: quick()}))
		n := attachBoth(t, hosts[1], quick())
		connect(t, hosts[1], hosts[0])
		time.Sleep(5 * time.Minute)
		if !n.desk.has("good") || n.desk.has("forged") || n.desk.has("behind") {
			t.Error("it should have stopped at the forged frame")
		}
		if s := n.Stats(); s.CatchupFailed != 1 || s.Rejected != 1 {
			t.Errorf("%+v: the liar was asked again", s)
		}
	})
}

func TestPeerWithoutCatchupIsLeftAlone(t *testing.T) {
	simulate(t, 2, func(t *testing.T, hosts []host.Host) {
		attach(t, hosts[0], Options{})
		n := attachBoth(t, hosts[1], quick())
		connect(t, hosts[1], hosts[0])
		time.Sleep(3 * time.Minute)
		if s := n.Stats(); s.CatchupFailed != 1 {
			t.Errorf("%+v", s)
		}
	})
}

// TestCirclesEnd: a peer that promises more for ever.
func TestCirclesEnd(t *testing.T) {
	simulate(t, 2, func(t *testing.T, hosts []host.Host) {
		attach(t, hosts[0], Options{})
		var asked atomic.Int32
		hosts[0].SetStreamHandler(ProtocolCatchup, func(s network.Stream) {
			defer s.Close()
			if _, _, err := parley.ReadMessage(s, maxRequest); err != nil {
				return
			}
			asked.Add(1)
			parley.WriteMessage(s, must(page{next: "round"}.encode()))
		})
		n := attachBoth(t, hosts[1], quick())
		connect(t, hosts[1], hosts[0])
		time.Sleep(8 * time.Minute)
		if n := asked.Load(); n == 0 || n > 2*askTries+2 {
			t.Errorf("asked %d times", n)
		}
		if s := n.Stats(); s.CatchupSessions != 0 {
			t.Errorf("%+v", s)
		}
	})
}

func TestPageGoesBeyondItsBounds(t *testing.T) {
	simulate(t, 2, func(t *testing.T, hosts []host.Host) {
		older(attach(t, hosts[0], Options{Handler: yes{}, Catchup: broken{new(desk)}, Timing: quick()}))
		n := attachBoth(t, hosts[1], quick())
		connect(t, hosts[1], hosts[0])
		time.Sleep(time.Minute)
		if n.desk.size() != 0 || n.Stats().CatchupFailed == 0 {
			t.Errorf("%+v", n.Stats())
		}
	})
}

// broken gives a frame that no page has room for.
type broken struct{ *desk }

func (broken) Page(context.Context, string, string, int) ([][]byte, string, error) {
	return [][]byte{make([]byte, MaxPageBytes+1)}, "", nil
}

var _ Catchup = broken{}

func TestPageRoundTrip(t *testing.T) {
	p, err := decodePage(must(page{frames: [][]byte{{1}, {}}, next: "n"}.encode()))
	if err != nil || len(p.frames) != 2 || p.next != "n" {
		t.Errorf("%+v, %v", p, err)
	}
	if p, err := decodePage(must(page{code: protocol.CodeOverQuota}.encode())); err != nil || p.code != protocol.CodeOverQuota {
		t.Errorf("%+v, %v", p, err)
	}
}
