package stem

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ipfs/go-cid"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/parley-protocol/parley/node/gossip"
	"github.com/parley-protocol/parley/node/network/limiter"
	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/codec"
	"github.com/parley-protocol/parley/protocol/record"
)

// Bounds of what is carried for others.
const (
	heldBytes     = 16 << 20 // of frames, from all peers
	heldPeerBytes = 4 << 20  // of frames, from one
	perSecond     = 20       // frames of one peer
	burst         = 200
)

// Gossip is what the stem needs of the markets' broadcast; [gossip.Gossip] is one.
type Gossip interface {
	// Peers lists the peers that are in a market.
	Peers(market string) []peer.ID
	// AwaitMesh waits until frames of a market go to somebody.
	AwaitMesh(ctx context.Context, market string) bool
	// Judge checks what a peer handed over.
	Judge(ctx context.Context, market string, from peer.ID, frame []byte) (protocol.Verdict, error)
	// Publish brings an own frame to the market.
	Publish(ctx context.Context, market string, frame []byte) (gossip.Reach, error)
	// Forward brings another's frame to the market.
	Forward(ctx context.Context, market string, frame []byte) error
}

// Stem is safe for concurrent use.
type Stem struct {
	host      host.Host
	gossip    Gossip
	timing    Timing
	published func(cid.Cid)
	routes    routes
	askers    *limiter.Limiter
	counters  counters

	mu      sync.Mutex
	closed  bool
	held    map[cid.Cid]*parcel
	waiting int             // groups of own records that haven't set out
	bytes   int             // of others' frames
	of      map[peer.ID]int // of those, by who handed them over

	ctx  context.Context
	stop context.CancelFunc
	work sync.WaitGroup
}

// Stats counts records since the start.
type Stats struct {
	Own       uint64 `json:"own"`       // own ones that set out
	Direct    uint64 `json:"direct"`    // own ones that this node brought to gossip itself
	Taken     uint64 `json:"taken"`     // handed over by peers
	Passed    uint64 `json:"passed"`    // handed on, own ones included
	Forwarded uint64 `json:"forwarded"` // others' that this node brought to gossip
	Late      uint64 `json:"late"`      // times that gossip didn't bring one back in time
	Refused   uint64 `json:"refused"`   // refused to peers
}

type counters struct {
	own, direct, taken, passed, forwarded, late, refused atomic.Uint64
}

// New attaches the stem to a host. Close it before gossip.
func New(h host.Host, g Gossip, options Options) *Stem {
	s := &Stem{
		host: h, gossip: g, timing: options.Timing.withDefaults(), published: options.Published,
		askers: limiter.New(perSecond, burst, 4096),
		held:   make(map[cid.Cid]*parcel), of: make(map[peer.ID]int),
	}
	if s.published == nil {
		s.published = func(cid.Cid) {}
	}
	s.routes = routes{secret: options.Secret, epoch: s.timing.Epoch, host: h, peers: g.Peers}
	s.ctx, s.stop = context.WithCancel(context.Background())
	h.SetStreamHandler(protocol.ProtocolStem, s.handle)
	return s
}

// Send has own frames brought to their market, in the background, until gossip
// brings them back ([Stem.Seen]) or this node has published them itself. They set
// out together, in their order: a record after what it cites. wanted is asked right
// before. To send again what is under way does nothing.
func (s *Stem) Send(market string, wanted func() bool, frames ...[]byte) error {
	var group []*parcel
	seen := new(atomic.Bool)
	for _, frame := range frames {
		block, _, err := record.DecodeFrame(frame)
		if err != nil {
			return err
		}
		p := newParcel(codec.Sum(block), market, frame)
		p.own, p.group = true, seen
		group = append(group, p)
	}
	group = slices.DeleteFunc(group, func(p *parcel) bool { return !s.hold(p) })
	if len(group) > 0 {
		s.run(func(ctx context.Context) { s.bring(ctx, group, wanted) })
	}
	return nil
}

// Seen tells that gossip has brought a record.
func (s *Stem) Seen(id cid.Cid) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.held[id]; p != nil {
		if p.own {
			p.group.Store(true)
		}
		p.see()
	}
}

// Relays is how many peers in a market pass records on, for this node and others.
func (s *Stem) Relays(market string) int {
	_, n := s.routes.relays(market, time.Now())
	return n
}

// Relay tells whether a peer is one of those to whom this node hands what is its
// own, in a market.
func (s *Stem) Relay(market string, id peer.ID) bool {
	for _, relay := range s.routes.next(market, "", time.Now()) {
		if relay == id {
			return true
		}
	}
	return false
}

// Stats is a snapshot of the counters.
func (s *Stem) Stats() Stats {
	c := &s.counters
	return Stats{
		Own: c.own.Load(), Direct: c.direct.Load(), Taken: c.taken.Load(), Passed: c.passed.Load(),
		Forwarded: c.forwarded.Load(), Late: c.late.Load(), Refused: c.refused.Load(),
	}
}

// Close ends what is under way. Own records that gossip hasn't brought back are
// to be sent again; others' are left to those who handed them over.
func (s *Stem) Close() error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.host.RemoveStreamHandler(protocol.ProtocolStem)
	s.stop()
	s.work.Wait()
	return nil
}

// run starts work in the background, unless the stem is closed.
func (s *Stem) run(f func(context.Context)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.work.Go(func() { f(s.ctx) })
	}
}
