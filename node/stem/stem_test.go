package stem

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/ipfs/go-cid"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"

	parley "github.com/parley-protocol/parley/node/network"
	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/codec"
	"github.com/parley-protocol/parley/protocol/record"
)

func frameOf(text string) []byte { return record.EncodeFrame([]byte(text), nil) }

// full attaches nodes of which each has dialled all that come after it.
func full(t *testing.T, hosts []host.Host, timing *Timing) []*node {
	t.Helper()
	var nodes []*node
	for _, h := range hosts {
		nodes = append(nodes, attach(t, h, timing))
	}
	for i := range nodes {
		for _, later := range nodes[i+1:] {
			connect(t, nodes[i].host, later.host)
		}
	}
	time.Sleep(5 * time.Second)
	return nodes
}

func timing(t Timing) *Timing { return &t }

// With two or three nodes there is nobody to hide among, and nothing waits for it.
//
//spec:shows STEM-7
func TestFewNodesAreQuick(t *testing.T) {
	for size := 2; size <= 5; size++ {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			simulate(t, size, func(t *testing.T, hosts []host.Host) {
				nodes := full(t, hosts, timing(Quick()))
				for i, n := range nodes {
					began := time.Now()
					id := n.say(t, fmt.Sprint("request ", i))
					time.Sleep(4 * time.Second)
					for j, other := range nodes {
						at, ok := other.handler.has(id)
						if !ok || at.Sub(began) > 2*time.Second {
							t.Errorf("that of %d of %d is at %d after %s: %v", i, size, j, at.Sub(began), ok)
						}
					}
					if s := n.stem.Stats(); s.Passed == 0 {
						t.Errorf("%d didn't hand it on: %+v", i, s)
					}
				}
			})
		})
	}
}

// An own record that gossip has brought back is let go of, and so is what others
// handed over; the author hasn't published it itself.
//
//spec:shows STEM-5 STEM-8
func TestNothingIsLeft(t *testing.T) {
	simulate(t, 12, func(t *testing.T, hosts []host.Host) {
		nodes := full(t, hosts, timing(Usual()))
		for i, text := range names(24) {
			nodes[i%len(nodes)].say(t, text)
		}
		time.Sleep(5 * time.Minute)
		for i, n := range nodes {
			for _, text := range names(24) {
				if _, ok := n.handler.has(codec.Sum([]byte(text))); !ok {
					t.Errorf("%q isn't at %d", text, i)
				}
			}
			n.stem.mu.Lock()
			if len(n.stem.held) != 0 || n.stem.bytes != 0 || len(n.stem.of) != 0 || n.stem.waiting != 0 {
				t.Errorf("%d still holds %d records and %d bytes, and %d wait", i, len(n.stem.held), n.stem.bytes, n.stem.waiting)
			}
			n.stem.mu.Unlock()
			if s := n.stem.Stats(); s.Own != 2 {
				t.Errorf("%d: %+v", i, s)
			}
		}
	})
}

// blackHole makes a host a relay that takes everything and passes nothing on.
func blackHole(h host.Host) {
	h.SetStreamHandler(protocol.ProtocolStem, func(s network.Stream) {
		if _, release, err := parley.ReadMessage(s, maxRequest); err == nil {
			release()
			answer, _ := encodeAnswer("")
			_ = parley.WriteMessage(s, answer)
		}
		s.Close()
	})
}

// A relay that drops what it has taken costs time and nothing else: the author
// tries its other relay, and when that drops it too publishes it itself.
//
//spec:shows STEM-8
func TestBlackHolesAreSurvived(t *testing.T) {
	for _, holes := range []int{1, 5} {
		t.Run(fmt.Sprint(holes), func(t *testing.T) {
			simulate(t, 6, func(t *testing.T, hosts []host.Host) {
				nodes := full(t, hosts, timing(Usual()))
				author := nodes[0]
				order := author.stem.routes.next(testMarket, "", time.Now())
				if len(order) != 2 {
					t.Fatalf("%d relays", len(order))
				}
				for _, n := range nodes[1:] {
					if holes == 5 || n.host.ID() == order[0] {
						blackHole(n.host)
					}
				}
				id := author.say(t, "request")
				time.Sleep(10 * time.Minute)
				for i, n := range nodes {
					if _, ok := n.handler.has(id); !ok {
						t.Errorf("it isn't at %d", i)
					}
				}
				s := author.stem.Stats()
				// With honest ones behind the other relay it may come back in a circle.
				if s.Late == 0 || s.Passed < 2 || holes == 5 && s.Passed != 2 {
					t.Errorf("%+v; the other relay wasn't tried", s)
				}
				if direct := slices.Contains(author.published, id); holes == 5 && !direct {
					t.Error("the author isn't told that it has published it itself")
				}
			})
		})
	}
}

// Where no peer passes anything on, a record goes straight to gossip after a while.
//
//spec:shows STEM-10
func TestWithoutRelays(t *testing.T) {
	simulate(t, 2, func(t *testing.T, hosts []host.Host) {
		author, older := attach(t, hosts[0], timing(Usual())), attach(t, hosts[1], nil)
		connect(t, hosts[0], hosts[1])
		time.Sleep(5 * time.Second)
		if n := author.stem.Relays(testMarket); n != 0 {
			t.Fatalf("%d relays", n)
		}
		id := author.say(t, "request")
		time.Sleep(time.Minute)
		if _, ok := older.handler.has(id); !ok {
			t.Error("it didn't arrive")
		}
		if !slices.Equal(author.published, []cid.Cid{id}) {
			t.Errorf("told of %v", author.published)
		}
	})
}

// What is malformed or forged goes no further, and who hands it over is blamed for
// it as in gossip.
//
//spec:shows STEM-2
func TestForgedFramesAreBlamed(t *testing.T) {
	simulate(t, 3, func(t *testing.T, hosts []host.Host) {
		nodes := full(t, hosts, timing(Usual()))
		liar, victim := nodes[0], nodes[1]
		hand := func(market string, frame []byte) protocol.Code {
			t.Helper()
			code, err := liar.stem.send(t.Context(), victim.host.ID(), request{market, frame})
			if err != nil {
				t.Fatal(err)
			}
			return code
		}
		for what, want := range map[string]protocol.Code{"forged": protocol.CodeBadSignature, "gone": "", "fine": ""} {
			if code := hand(testMarket, frameOf(what)); code != want {
				t.Errorf("%q: answered with %q, want %q", what, code, want)
			}
		}
		if code := hand(testMarket, []byte("nothing")); code == "" {
			t.Error("what is no frame was taken")
		}
		if code := hand("elsewhere", frameOf("other")); code != protocol.CodeWrongMarket {
			t.Errorf("of a market that it isn't in: %q", code)
		}
		for i := range 10 {
			hand(testMarket, frameOf(fmt.Sprint("forged ", i)))
		}
		time.Sleep(2 * time.Second)
		if _, err := liar.gossip.Publish(t.Context(), testMarket, frameOf("from the pillory")); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Second)
		if s, ok := victim.handler.heard(codec.Sum([]byte("from the pillory"))); ok && s.from == liar.host.ID() {
			t.Error("a forger is still listened to")
		}
	})
}

// Nobody finds out by handing a record over, or by asking, whether a node has it:
// an author treats its own as anybody's.
//
//spec:shows STEM-3 STEM-9
func TestNobodyCanAskForIt(t *testing.T) {
	simulate(t, 8, func(t *testing.T, hosts []host.Host) {
		nodes := full(t, hosts, timing(Usual()))
		author, spy := nodes[1], nodes[0]
		for _, n := range append(nodes[2:], spy) {
			blackHole(n.host)
		}
		id := author.say(t, "request")
		time.Sleep(5 * time.Second)
		if author.stem.holds(id) == nil {
			t.Fatal("the author doesn't hold it")
		}
		for _, text := range []string{"request", "another", "gone"} {
			if code, err := spy.stem.send(t.Context(), author.host.ID(), request{testMarket, frameOf(text)}); code != "" || err != nil {
				t.Errorf("%q: %q, %v", text, code, err)
			}
		}
	})
}

// A peer gets no more than its share of this node's memory and time.
//
//spec:shows STEM-2
func TestPeersAreBounded(t *testing.T) {
	simulate(t, 5, func(t *testing.T, hosts []host.Host) {
		nodes := full(t, hosts, timing(Usual()))
		victim := nodes[1]
		for _, n := range nodes[2:] {
			blackHole(n.host)
		}
		victim.passes()
		flood := func(from *node, n, size int) (taken int, took time.Duration) {
			began := time.Now()
			codes := make(chan protocol.Code, n)
			var work sync.WaitGroup
			for worker := range 20 {
				work.Go(func() {
					for i := worker; i < n; i += 20 {
						block := make([]byte, size)
						copy(block, fmt.Sprint("flood ", from.host.ID(), size, i))
						code, err := from.stem.send(t.Context(), victim.host.ID(), request{testMarket, record.EncodeFrame(block, nil)})
						if err != nil {
							t.Error(err)
						}
						codes <- code
					}
				})
			}
			work.Wait()
			for range n {
				if code := <-codes; code == "" {
					taken++
				} else if code != protocol.CodeOverQuota {
					t.Errorf("refused with %s", code)
				}
			}
			return taken, time.Since(began)
		}
		if n, _ := flood(nodes[0], 90, 60000); n > heldPeerBytes/60000+20 || n < heldPeerBytes/60000 {
			t.Errorf("%d frames of 60 kB were taken from one peer", n)
		}
		time.Sleep(3 * time.Minute) // all gone
		if n, took := flood(nodes[0], 3*burst/2, 100); n < burst || n > burst+int(perSecond*took.Seconds())+1 {
			t.Errorf("%d of %d frames were taken from one peer in %s", n, 3*burst/2, took)
		}
		if n, _ := flood(nodes[2], 10, 100); n != 10 {
			t.Errorf("of another peer's 10 only %d", n)
		}
	})
}

// What is published together doesn't set out together, and the more there is the
// less so: after a restart a node may have many that no market has shown.
//
//spec:shows STEM-11
func TestOwnRecordsAreSpread(t *testing.T) {
	simulate(t, 6, func(t *testing.T, hosts []host.Host) {
		nodes := full(t, hosts, timing(Usual()))
		const n = 40
		for i := range n {
			nodes[0].say(t, fmt.Sprint("request ", i))
		}
		time.Sleep(20 * time.Minute)
		var gaps []time.Duration
		var last time.Time
		var times []time.Time
		for i := range n {
			at, ok := nodes[3].handler.has(codec.Sum([]byte(fmt.Sprint("request ", i))))
			if !ok {
				t.Fatalf("request %d didn't arrive", i)
			}
			times = append(times, at)
		}
		slices.SortFunc(times, time.Time.Compare)
		for _, at := range times {
			if !last.IsZero() {
				gaps = append(gaps, at.Sub(last))
			}
			last = at
		}
		if over := times[n-1].Sub(times[0]); over < 20*time.Second {
			t.Errorf("%d records that were published together come within %s", n, over)
		}
		slices.Sort(gaps)
		if gaps[len(gaps)/2] == 0 {
			t.Error("most come at once")
		}
	})
}

// In one epoch all that is one's own goes to the same relay, after a restart too;
// over many epochs to any peer.
//
//spec:shows STEM-6 STEM-7
func TestRoutesLastForAnEpoch(t *testing.T) {
	simulate(t, 9, func(t *testing.T, hosts []host.Host) {
		nodes := full(t, hosts, timing(Usual()))
		r := nodes[0].stem.routes
		again := routes{secret: r.secret, epoch: r.epoch, host: r.host, peers: r.peers}
		firsts, diffusers := map[peer.ID]int{}, 0
		const epochs = 400
		now := time.Now()
		for range epochs {
			now = now.Add(r.epoch)
			order := r.next(testMarket, "", now)
			if len(order) != relays || !slices.Equal(order, again.next(testMarket, "", now)) {
				t.Fatalf("relays %v", order)
			}
			firsts[order[0]]++
			if r.diffuser(testMarket, now) {
				diffusers++
			}
			// What a relay hands over doesn't go back to it.
			if back := r.next(testMarket, order[0], now); slices.Contains(back, order[0]) || len(back) != 1 {
				t.Fatalf("what comes from %s goes to %v", order[0], back)
			}
			// That another relay has gone moves nothing of the first.
			without := again
			without.peers = func(m string) []peer.ID {
				return slices.DeleteFunc(slices.Clone(r.peers(m)), func(id peer.ID) bool { return id == order[1] })
			}
			if kept := without.next(testMarket, "", now); !slices.Contains(kept, order[0]) {
				t.Fatalf("%s was left with another", order[0])
			}
		}
		for id, n := range firsts {
			if n > epochs/2 {
				t.Errorf("%s is first in %d of %d epochs", id, n, epochs)
			}
		}
		if len(firsts) != 8 {
			t.Errorf("%d of 8 peers are ever first", len(firsts))
		}
		if share := float64(diffusers) / epochs; share < diffuse/2 || share > 2*diffuse {
			t.Errorf("a diffuser in %.0f%% of the epochs", 100*share)
		}
	})
}

// Whoever dials its way to a node isn't made its relay while it has dialled others.
//
//spec:shows STEM-6
func TestRelaysAreThoseDialled(t *testing.T) {
	simulate(t, 10, func(t *testing.T, hosts []host.Host) {
		var nodes []*node
		for _, h := range hosts {
			nodes = append(nodes, attach(t, h, timing(Usual())))
		}
		for _, chosen := range nodes[1:3] {
			connect(t, hosts[0], chosen.host)
		}
		for _, pushy := range nodes[3:] {
			connect(t, pushy.host, hosts[0])
		}
		time.Sleep(5 * time.Second)
		now := time.Now()
		for range 50 {
			now = now.Add(Usual().Epoch)
			for _, id := range nodes[0].stem.routes.next(testMarket, "", now) {
				if id != hosts[1].ID() && id != hosts[2].ID() {
					t.Fatal("a peer that has dialled in is a relay")
				}
			}
		}
		if n := nodes[0].stem.Relays(testMarket); n != 9 {
			t.Errorf("%d of 9 peers pass on", n)
		}
	})
}

// A message of a length that it can't have ends the stream, before its bytes come.
//
//spec:shows STEM-1
func TestBadLengthsAreReset(t *testing.T) {
	simulate(t, 2, func(t *testing.T, hosts []host.Host) {
		nodes := full(t, hosts, timing(Usual()))
		for what, head := range map[string][]byte{
			"too long":       binary.AppendUvarint(nil, maxRequest+1),
			"nothing":        {0},
			"a longer form":  {0x81, 0x00, 0xa0},
			"no length ends": bytes.Repeat([]byte{0xff}, 12),
		} {
			s, err := nodes[0].host.NewStream(t.Context(), nodes[1].host.ID(), protocol.ProtocolStem)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := s.Write(head); err != nil {
				t.Fatal(err)
			}
			if _, err := s.Read(make([]byte, 1)); !errors.Is(err, network.ErrReset) {
				t.Errorf("%s: %v, not a reset", what, err)
			}
			s.Reset()
		}
	})
}
