package gossip

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/libp2p/go-libp2p/core/peer"
	"pgregory.net/rapid"

	"github.com/parley-protocol/parley/protocol"
)

// queue starts somebody who waits for a turn; when it has one, or is sent away, it
// says so.
func queue(ctx context.Context, t *turns, from peer.ID, path Path, say func(in bool)) {
	go func() { say(t.take(ctx, from, path)) }()
	synctest.Wait()
}

// Who brings one frame comes in next to last of two, however many the others bring;
// what the node says itself comes before everything.
func TestTurnsGoAround(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		turns := newTurns(1, 1000)
		if !turns.take(t.Context(), "flood", PathGossip) {
			t.Fatal("the first one doesn't come in")
		}
		var got []string
		come := func(from peer.ID, path Path, name string) {
			queue(t.Context(), turns, from, path, func(in bool) { got = append(got, fmt.Sprint(name, " ", in)) })
		}
		for i := range 50 {
			come("flood", PathGossip, fmt.Sprint("flood ", i))
		}
		come("quiet", PathGossip, "quiet")
		come("flood", PathCatchup, "asked for")
		come("", PathOwn, "own")
		for range 4 {
			turns.give()
			synctest.Wait()
		}
		if want := "[own true flood 0 true quiet true flood 1 true]"; fmt.Sprint(got) != want {
			t.Errorf("%v, want %s", got, want)
		}
		for range 49 {
			turns.give()
			synctest.Wait()
		}
		if len(got) != 53 || turns.waiting != 0 || len(turns.lines) != 0 {
			t.Errorf("%d have come in, %d wait, in %d lines", len(got), turns.waiting, len(turns.lines))
		}
	})
}

// When too many wait, who brings most loses, and what was asked for stays.
func TestTheLongestLineLoses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		turns := newTurns(1, 20)
		turns.take(t.Context(), "flood", PathGossip)
		away := map[string]int{}
		come := func(from peer.ID, path Path, name string) {
			queue(t.Context(), turns, from, path, func(in bool) {
				if !in {
					away[name]++
				}
			})
		}
		for range 10 {
			come("asked", PathCatchup, "asked for")
		}
		for range 5 {
			come("quiet", PathGossip, "quiet")
		}
		for range 100 {
			come("flood", PathGossip, "flood")
		}
		for range 3 {
			come("quiet", PathGossip, "quiet")
		}
		if away["asked for"]+away["quiet"] > 3 || away["flood"] < 95 || turns.waiting != 20 {
			t.Errorf("sent away: %v; %d wait", away, turns.waiting)
		}
		for range 21 {
			turns.give()
			synctest.Wait()
		}
		if turns.free != 1 {
			t.Errorf("%d turns are free", turns.free)
		}
	})
}

// Whatever comes, goes and gives up: never more than so many are in at once, never
// more than so many wait, nobody is kept out of a free turn, and no turn is lost.
func TestTurnsAgainstChance(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		most, atOnce := rapid.IntRange(1, 12).Draw(rt, "most"), rapid.IntRange(1, 3).Draw(rt, "at once")
		steps := rapid.SliceOfN(rapid.IntRange(0, 29), 1, 120).Draw(rt, "steps")
		synctest.Test(t, func(t *testing.T) {
			turns := newTurns(atOnce, most)
			var in, out atomic.Int64
			came := int64(0)
			var leave []context.CancelFunc
			for _, step := range steps {
				switch {
				case step < 18:
					ctx, cancel := context.WithCancel(t.Context())
					leave = append(leave, cancel)
					came++
					queue(ctx, turns, peer.ID(fmt.Sprint(step%4)), Path(step%3), func(ok bool) {
						if ok {
							in.Add(1)
						} else {
							out.Add(1)
						}
					})
				case step < 24 && in.Load() > 0:
					in.Add(-1)
					out.Add(1)
					turns.give()
				case len(leave) > 0:
					i := step * 7 % len(leave)
					leave[i]()
					leave = append(leave[:i], leave[i+1:]...)
				}
				synctest.Wait()
				asked := 0 // what is never sent away may be too much
				for _, l := range turns.order {
					for _, w := range l.waiters {
						if w.path != PathGossip {
							asked++
						}
					}
				}
				waits := came - in.Load() - out.Load()
				switch {
				case int(in.Load())+turns.free != atOnce:
					t.Fatalf("%d are in and %d turns free, of %d", in.Load(), turns.free, atOnce)
				case int(waits) != turns.waiting:
					t.Fatalf("%d wait, and %d are counted", waits, turns.waiting)
				case turns.waiting > most+asked+len(turns.own.waiters):
					t.Fatalf("%d wait, %d may", turns.waiting, most)
				case turns.free > 0 && turns.waiting > 0:
					t.Fatalf("%d wait before %d free turns", turns.waiting, turns.free)
				}
			}
			for _, cancel := range leave {
				cancel()
			}
			synctest.Wait()
			for in.Load() > 0 {
				in.Add(-1)
				turns.give()
			}
			if turns.free != atOnce || turns.waiting != 0 {
				t.Fatalf("at the end %d turns are free and %d wait", turns.free, turns.waiting)
			}
		})
	})
}

// slowly verifies when it is told to, and notes whose frames.
type slowly struct {
	begin chan struct{}
	whose []peer.ID // written by one at a time
}

func (*slowly) Check(context.Context, *Message) protocol.Verdict { return protocol.Accept }

func (s *slowly) Verify(_ context.Context, m *Message) protocol.Verdict {
	<-s.begin
	s.whose = append(s.whose, m.From)
	return protocol.Accept
}

// A peer floods; what another one brings meanwhile is verified soon, and not lost.
func TestFloodDoesNotShutOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &slowly{begin: make(chan struct{})}
		g := &Gossip{handler: h, turns: newTurns(1, unverified)}
		verdicts := map[peer.ID]map[protocol.Verdict]int{"flood": {}, "quiet": {}}
		var mu sync.Mutex
		bring := func(from peer.ID) {
			go func() {
				v := g.verifyFrame(t.Context(), &Message{From: from})
				mu.Lock()
				defer mu.Unlock()
				verdicts[from][v]++
			}()
			synctest.Wait()
		}
		for range 2 * unverified {
			bring("flood")
		}
		bring("quiet")
		close(h.begin)
		synctest.Wait()
		if at := slices.Index(h.whose, "quiet"); at < 0 || at > 3 {
			t.Errorf("it was verified in place %d", at)
		}
		if v := verdicts["flood"]; v[protocol.Accept] != unverified || v[protocol.Ignore] != unverified {
			t.Errorf("of the flood %d were accepted and %d ignored", v[protocol.Accept], v[protocol.Ignore])
		}
		if lost := g.Stats().DroppedUnverified; lost != unverified {
			t.Errorf("%d are counted as lost", lost)
		}
	})
}
