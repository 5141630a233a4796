package gossip

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	pubsub "github.com/libp2p/go-libp2p-pubsub"
	"github.com/libp2p/go-libp2p/core/event"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/parley-protocol/parley/node/catchup"
	"github.com/parley-protocol/parley/node/network"
	"github.com/parley-protocol/parley/node/network/limiter"
	"github.com/parley-protocol/parley/protocol"
)

// Gossip is a node's part in the markets. Its methods are safe for concurrent use.
type Gossip struct {
	host          host.Host
	handler       Handler
	catchup       Catchup
	onPeerJoin    func(string, peer.ID)
	timing        Timing
	pubsub        *pubsub.PubSub
	tracer        tracer
	scores        scores
	subscriptions subscriptions
	turns         *turns        // of Verify
	sessions      chan struct{} // of catching up
	askers        *limiter.Limiter
	server        *catchup.Server // nil without catching up
	nudged        chan nudge
	now           func() time.Time

	mu      sync.Mutex
	closed  bool
	markets map[string]*market

	ctx  context.Context // ends when gossip is closed
	stop context.CancelFunc
	work sync.WaitGroup
}

// market is one that was joined.
type market struct {
	name   string
	topic  *pubsub.Topic
	events *pubsub.TopicEventHandler
	relay  pubsub.RelayCancelFunc
	joined time.Time
	asker  *asker // nil without catching up
	stop   context.CancelFunc
	work   sync.WaitGroup
}

// New attaches gossip to a host. The node is in no market yet. Close it before
// the host.
func New(h host.Host, options Options) (*Gossip, error) {
	if options.Handler == nil {
		return nil, errors.New("gossip: a handler is required")
	}
	g := &Gossip{
		host:       h,
		handler:    options.Handler,
		catchup:    options.Catchup,
		onPeerJoin: options.OnPeerJoin,
		timing:     options.Timing.withDefaults(),
		turns:      newTurns(verifiers(), unverified),
		sessions:   make(chan struct{}, askSessions),
		askers:     limiter.New(pagesPerSecond, pagesBurst, 4096),
		markets:    make(map[string]*market),
		nudged:     make(chan nudge, nudges),
		now:        options.Now,
	}
	if g.now == nil {
		g.now = time.Now
	}
	g.tracer.gone = g.subscriptions.forget
	g.tracer.unsent = func(id peer.ID) { g.nudge(nudge{id: id}) }
	g.ctx, g.stop = context.WithCancel(context.Background())
	var err error
	if g.pubsub, err = pubsub.NewGossipSub(g.ctx, h, g.pubsubOptions(options)...); err != nil {
		g.stop()
		return nil, fmt.Errorf("gossipsub: %w", err)
	}
	if g.catchup != nil {
		identified, err := h.EventBus().Subscribe(new(event.EvtPeerIdentificationCompleted))
		if err != nil {
			g.stop()
			return nil, fmt.Errorf("gossip: %w", err)
		}
		g.work.Go(func() { g.attend(identified) })
		g.server = catchup.NewServer(g.catchup, g.now, g.inMarket, func(market string, from peer.ID) {
			g.nudge(nudge{id: from, market: market, back: true})
		})
		h.SetStreamHandler(protocol.ProtocolReconcile, g.server.Handle)
		h.SetStreamHandler(ProtocolCatchup, g.answer)
	}
	return g, nil
}

// Join takes part in a market: its frames come to the handler and are relayed.
// To join again does nothing.
func (g *Gossip) Join(ctx context.Context, name string) error {
	if !network.ValidMarket(name) {
		return protocol.Errorf(protocol.CodeBadField, "market", "%q is not a market's name", name)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case g.closed:
		return errClosed()
	case g.markets[name] != nil:
		return nil
	case len(g.markets) >= MaxMarkets:
		return protocol.Errorf(protocol.CodeOverQuota, "market", "already in %d markets", MaxMarkets)
	}
	m, err := g.openMarket(name)
	if err != nil {
		return fmt.Errorf("join %s: %w", name, err)
	}
	g.markets[name] = m
	return nil
}

// openMarket joins the topic. It relays without a subscription: frames reach the node
// through the validators, and a subscription's queue would drop what nobody
// reads in time.
func (g *Gossip) openMarket(name string) (*market, error) {
	m := &market{name: name, joined: time.Now()}
	var err error
	if m.topic, err = g.pubsub.Join(topicOf(name)); err != nil {
		return nil, err
	}
	if err = m.topic.SetScoreParams(topicScoreParams()); err != nil {
		return nil, errors.Join(err, m.topic.Close())
	}
	if m.events, err = m.topic.EventHandler(); err != nil {
		return nil, errors.Join(err, m.topic.Close())
	}
	if m.relay, err = m.topic.Relay(); err != nil {
		m.events.Cancel()
		return nil, errors.Join(err, m.topic.Close())
	}
	var ctx context.Context
	ctx, m.stop = context.WithCancel(g.ctx)
	if g.catchup != nil {
		m.asker = newAsker(g, m)
		for _, id := range g.limitedPeers() {
			m.asker.peer(id, true)
		}
		m.work.Go(func() { m.asker.run(ctx) })
	}
	m.work.Go(func() { g.follow(ctx, m) })
	return m, nil
}

// follow tells of the peers that come into a market and leave it.
func (g *Gossip) follow(ctx context.Context, m *market) {
	for {
		e, err := m.events.NextPeerEvent(ctx)
		if err != nil {
			return
		}
		joined := e.Type == pubsub.PeerJoin
		if m.asker != nil {
			m.asker.peer(e.Peer, joined)
		}
		if joined && g.onPeerJoin != nil {
			g.onPeerJoin(m.name, e.Peer)
		}
	}
}

// Leave ends the part in a market. To leave one that wasn't joined does nothing.
func (g *Gossip) Leave(name string) error {
	g.mu.Lock()
	m := g.markets[name]
	delete(g.markets, name)
	g.mu.Unlock()
	if m == nil {
		return nil
	}
	return m.close()
}

func (m *market) close() error {
	m.stop()
	m.work.Wait()
	m.events.Cancel()
	m.relay()
	return m.topic.Close()
}

// Markets lists those joined, sorted.
func (g *Gossip) Markets() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Sorted(maps.Keys(g.markets))
}

// Reach is how many peers a published frame had in sight.
type Reach struct {
	Mesh  int // peers that full frames are exchanged with
	Topic int // peers known to be in the market
}

// Publish passes an own frame through the handler and sends it. Having no peers
// is no error: Reach tells, and peers that come later get the frame by catching
// up. The same bytes published again within [SeenFor] go nowhere. When the
// handler doesn't accept the frame, its [Message.Err] is returned, or an error
// of code not_permitted if it left none.
func (g *Gossip) Publish(ctx context.Context, name string, frame []byte) (Reach, error) {
	if len(frame) > MaxFrame {
		return Reach{}, protocol.Errorf(protocol.CodeTooLarge, "frame", "%d bytes; at most %d", len(frame), MaxFrame)
	}
	m, err := g.market(name)
	if err != nil {
		return Reach{}, err
	}
	f := &inFlight{Message: Message{Market: name, From: g.host.ID(), Path: PathOwn, Frame: frame}}
	if err := m.topic.Publish(ctx, frame, pubsub.WithValidatorData(f)); err != nil {
		return Reach{}, f.refusal(err)
	}
	return Reach{Mesh: g.tracer.meshSize(topicOf(name)), Topic: len(m.topic.ListPeers())}, nil
}

// relayNews sends on what a peer told when it was asked.
func (m *market) relayNews(ctx context.Context, frame []byte) {
	f := &inFlight{verdict: protocol.Accept, verified: true}
	// It fails only when the market or the node is being left.
	_ = m.topic.Publish(ctx, frame, pubsub.WithValidatorData(f))
}

func (g *Gossip) market(name string) (*market, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch m := g.markets[name]; {
	case g.closed:
		return nil, errClosed()
	case m == nil:
		return nil, protocol.Errorf(protocol.CodeWrongMarket, "market", "this node isn't in %q", name)
	default:
		return m, nil
	}
}

// Peers lists the peers known to be in a market, sorted.
func (g *Gossip) Peers(name string) []peer.ID {
	m, err := g.market(name)
	if err != nil {
		return nil
	}
	peers := m.topic.ListPeers()
	slices.Sort(peers)
	return peers
}

// Stats is a snapshot of the counters.
func (g *Gossip) Stats() Stats {
	s := g.tracer.counters.stats()
	if g.server != nil {
		s.CatchupServed += g.server.Served()
		s.CatchupRefused += g.server.Refused()
	}
	return s
}

// Close leaves every market and ends all work. Further calls do nothing.
func (g *Gossip) Close() error {
	g.mu.Lock()
	if g.closed {
		g.mu.Unlock()
		return nil
	}
	g.closed = true
	markets := g.markets
	g.markets = nil
	g.mu.Unlock()

	g.host.RemoveStreamHandler(ProtocolCatchup)
	if g.server != nil {
		g.host.RemoveStreamHandler(protocol.ProtocolReconcile)
		g.server.Close()
	}
	var errs []error
	for _, m := range markets {
		errs = append(errs, m.close())
	}
	g.stop()
	g.host.RemoveStreamHandler(protocol.ProtocolGossip)
	g.work.Wait()
	return errors.Join(errs...)
}

func errClosed() error {
	return protocol.Errorf(protocol.CodeNotRunning, "", "gossip is closed")
}
