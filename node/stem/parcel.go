package stem

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ipfs/go-cid"
	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/parley-protocol/parley/protocol"
)

// authorsPatience is how many times as long as others an author waits, on the mean,
// for what its last relay has.
const authorsPatience = 4

// forwardTime is how long a frame may wait for somebody in the market.
const forwardTime = 2 * time.Minute

// parcel is a record on its way, from when this node has it until gossip brings it.
type parcel struct {
	id     cid.Cid
	market string
	frame  []byte
	own    bool
	from   peer.ID // who handed it over first; empty for an own one

	group *atomic.Bool // gossip has brought one of those that set out with an own one

	see   func()
	seen  chan struct{}
	again chan peer.ID // it came once more, from there

	// The rest belongs to the goroutine that carries it.
	came bool             // an own one was handed over to this node
	used map[peer.ID]bool // relays that have had it from here
}

func newParcel(id cid.Cid, market string, frame []byte) *parcel {
	p := &parcel{id: id, market: market, frame: frame, seen: make(chan struct{}), again: make(chan peer.ID, 4), used: map[peer.ID]bool{}}
	p.see = sync.OnceFunc(func() { close(p.seen) })
	return p
}

// hold makes a parcel the one of its record, if there is none and room for it.
func (s *Stem) hold(p *parcel) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.held[p.id] != nil || s.closed {
		return false
	}
	if !p.own {
		if s.bytes+len(p.frame) > heldBytes || s.of[p.from]+len(p.frame) > heldPeerBytes {
			return false
		}
		s.bytes += len(p.frame)
		s.of[p.from] += len(p.frame)
	}
	s.held[p.id] = p
	return true
}

func (s *Stem) drop(p *parcel) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.held, p.id)
	if p.own {
		return
	}
	s.bytes -= len(p.frame)
	if s.of[p.from] -= len(p.frame); s.of[p.from] == 0 {
		delete(s.of, p.from)
	}
}

// holds gives the parcel of a record, if this node carries it.
func (s *Stem) holds(id cid.Cid) *parcel {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.held[id]
}

// bring carries own records, from the moment at which they set out.
func (s *Stem) bring(ctx context.Context, group []*parcel, wanted func() bool) {
	last := group[len(group)-1]
	s.mu.Lock()
	s.waiting++
	pause := s.timing.Jitter * time.Duration(min(s.waiting, mostJitter))
	s.mu.Unlock()
	// The more there are, the more they are spread: what sets out together is of
	// one person.
	set := s.pause(ctx, last, random(pause)) && wanted()
	s.mu.Lock()
	s.waiting--
	s.mu.Unlock()
	var work sync.WaitGroup
	defer work.Wait()
	for _, p := range group {
		if !set || !s.setOut(ctx, p) {
			s.drop(p)
			continue
		}
		work.Go(func() {
			defer s.drop(p)
			s.wait(ctx, p)
		})
	}
}

// setOut hands an own record to a relay. Where nobody passes it on it goes
// straight to gossip, and there is nothing to wait for.
func (s *Stem) setOut(ctx context.Context, p *parcel) (wait bool) {
	s.counters.own.Add(1)
	if s.pass(ctx, p, "") {
		return true
	}
	// In a moment there may be somebody.
	if !s.pause(ctx, p, random(s.timing.Alone)) {
		return false
	}
	if s.pass(ctx, p, "") {
		return true
	}
	s.publish(ctx, p)
	return false
}

// carry takes a record of others on.
func (s *Stem) carry(ctx context.Context, p *parcel) {
	defer s.drop(p)
	if s.relay(ctx, p, p.from) {
		s.wait(ctx, p)
	}
}

// relay passes on what came from a peer, or brings it to gossip and tells that it
// is done.
func (s *Stem) relay(ctx context.Context, p *parcel, from peer.ID) (wait bool) {
	if !s.routes.diffuser(p.market, time.Now()) && s.pass(ctx, p, from) {
		return true
	}
	s.publish(ctx, p)
	return false
}

// wait waits until gossip brings the record, or until it has taken too long.
func (s *Stem) wait(ctx context.Context, p *parcel) {
	mean := s.timing.Embargo
	for {
		embargo := time.NewTimer(random(mean))
		wait := false
		select {
		case <-p.seen:
		case <-ctx.Done():
		case from := <-p.again:
			// It went in a circle. An own record that comes back is treated as
			// anybody's, so that nobody can find out by handing it over.
			if p.own && !p.came {
				p.came = true
				clear(p.used)
			}
			wait = s.relay(ctx, p, from)
		case <-embargo.C:
			s.counters.late.Add(1)
			// Who is the first to give up may be the only one who has it. The author
			// has another relay to try; whoever else it is gives nobody away.
			// The second one has time to give up on its own before the author does.
			wait, mean = p.own && s.pass(ctx, p, ""), authorsPatience*s.timing.Embargo
			// What didn't come back although what set out with it did is known already,
			// and to publish it would show whose the rest is.
			if !wait && (!p.own || !p.group.Load()) {
				s.publish(ctx, p)
			}
		}
		embargo.Stop()
		if !wait {
			return
		}
	}
}

// publish brings a record to gossip.
func (s *Stem) publish(ctx context.Context, p *parcel) {
	if !p.own {
		ctx, cancel := context.WithTimeout(ctx, forwardTime)
		defer cancel()
		// What is refused has expired, or gossip has brought it meanwhile.
		if s.gossip.AwaitMesh(ctx, p.market) && s.gossip.Forward(ctx, p.market, p.frame) == nil {
			s.counters.forwarded.Add(1)
		}
		return
	}
	if !s.gossip.AwaitMesh(ctx, p.market) {
		return
	}
	if _, err := s.gossip.Publish(ctx, p.market, p.frame); err == nil {
		s.counters.direct.Add(1)
		s.published(p.id)
	}
}

// pass hands a record to the first relay that takes it: that of the peer it came
// from, or the node's own, then the other one.
func (s *Stem) pass(ctx context.Context, p *parcel, from peer.ID) bool {
	for _, relay := range s.routes.next(p.market, from, time.Now()) {
		if p.used[relay] {
			continue
		}
		if s.handOver(ctx, p, relay) {
			s.counters.passed.Add(1)
			return true
		}
	}
	return false
}

// Patience with a relay that has too much to do: the other one would see what it
// needn't.
const (
	busyTries = 5
	busyPause = time.Second
)

// handOver tells whether the relay has taken the record on.
func (s *Stem) handOver(ctx context.Context, p *parcel, relay peer.ID) bool {
	for range busyTries {
		code, err := s.send(ctx, relay, request{market: p.market, frame: p.frame})
		if err != nil {
			return false // it may have it, or not
		}
		p.used[relay] = true
		if code == "" {
			return true
		}
		if code != protocol.CodeOverQuota || !p.own || !s.pause(ctx, p, random(busyPause)) {
			return false
		}
	}
	return false
}

// pause waits, and tells whether the record is still to be carried then.
func (s *Stem) pause(ctx context.Context, p *parcel, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-p.seen:
	case <-ctx.Done():
	}
	return false
}
