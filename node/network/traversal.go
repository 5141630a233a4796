package network

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/event"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/p2p/host/autorelay"
	"github.com/libp2p/go-libp2p/p2p/host/eventbus"
	"github.com/libp2p/go-libp2p/p2p/protocol/circuitv2/proto"
	"github.com/libp2p/go-libp2p/p2p/protocol/holepunch"
	ma "github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"
)

// Getting a place at relays. Two are enough for one to fail.
const (
	relaysWanted   = 2
	relayEvery     = 30 * time.Second // between looks for one
	relayEveryTest = 2 * time.Second
	relayBackoff   = 2 * time.Minute // after one that refused
	relayMissed    = time.Hour       // how long the address through a lost one is still named
)

// Reachability is whether others reach this node at an address of its own.
type Reachability string

// What can be known of that.
const (
	Reachable   Reachability = "yes"
	Unreachable Reachability = "no" // but through relays
	Unknown     Reachability = "unknown"
)

// Reach is how others get to this node, as far as it knows.
type Reach struct {
	Reachable Reachability
	// Confirmed are its addresses that another node has dialled, of those that
	// the internet could.
	Confirmed []string
	// Announced is whether the person says so, in [Config.AnnounceAddrs].
	Announced bool
	// Relays are the peers that keep a place for it.
	Relays []peer.ID
	// PortMapping is whether the router's ports are asked for; Mapped whether the
	// router was found and has given one.
	PortMapping, Mapped bool
	// Relayed is how many peers are connected through relays alone.
	Relayed int
	// Punched and Unpunched count attempts to get from a relayed connection to
	// a direct one.
	Punched, Unpunched int
	// ServesRelay is whether it relays for others.
	ServesRelay bool
}

// traversal is what a node does to be reached although a router stands before
// it: it has other nodes dial it (AutoNAT v2), asks the router for a port, gets
// places at relays, and goes from relayed connections to direct ones (DCUtR).
type traversal struct {
	cfg     Config
	relays  []peer.AddrInfo // of the configuration
	host    atomic.Pointer[host.Host]
	listens atomic.Bool   // the host may dial
	started chan struct{} // closed when it may
	mapper  *portMapper

	punched, unpunched atomic.Int64

	mu       sync.Mutex
	state    network.Reachability
	inUse    map[peer.ID]bool // relays with a place
	changed  chan struct{}    // closed and replaced when there may be another relay
	emitter  event.Emitter
	events   event.Subscription
	finished chan struct{}
	places   *autorelay.AutoRelay // nil without traversal

	circuits []ma.Multiaddr  // addresses through relays
	lost     map[string]left // those that held before
}

// left is an address through a relay that was lost.
type left struct {
	addr ma.Multiaddr
	at   time.Time
}

func newTraversal(cfg Config) *traversal {
	t := &traversal{cfg: cfg, lost: make(map[string]left), started: make(chan struct{}), changed: make(chan struct{})}
	t.relays, _ = ParsePeers(cfg.Relays) // Validate has passed them
	return t
}

// options are those that the host needs.
func (t *traversal) options() []libp2p.Option {
	if !t.cfg.Traversal {
		return []libp2p.Option{libp2p.DisableRelay()}
	}
	options := []libp2p.Option{
		libp2p.EnableRelay(),
		libp2p.EnableAutoNATv2(),
		libp2p.EnableHolePunching(holepunch.WithTracer(t)),
		// The first version of AutoNAT takes any peer's word. What it would tell
		// comes from watch instead.
		func(c *libp2p.Config) error {
			unknown := network.ReachabilityUnknown
			c.AutoNATConfig.ForceReachability = &unknown
			return nil
		},
	}
	if t.cfg.PortMapping && slices.ContainsFunc(t.cfg.ListenAddrs, notLoopback) {
		options = append(options, libp2p.NATManager(t.newMapper))
	}
	return options
}

func notLoopback(text string) bool {
	addr, err := ma.NewMultiaddr(text)
	return err == nil && !manet.IsIPLoopback(addr)
}

// attach takes the host that was made with the options.
func (t *traversal) attach(h host.Host) error {
	t.host.Store(&h)
	if !t.cfg.Traversal {
		return nil
	}
	var err error
	if t.emitter, err = h.EventBus().Emitter(new(event.EvtLocalReachabilityChanged), eventbus.Stateful); err != nil {
		return err
	}
	t.events, err = h.EventBus().Subscribe([]any{
		new(event.EvtHostReachableAddrsChanged), new(event.EvtLocalAddressesUpdated),
		new(event.EvtAutoRelayAddrsUpdated), new(event.EvtPeerIdentificationCompleted),
	}, eventbus.Name("parley traversal"), eventbus.BufSize(256))
	if err != nil {
		t.emitter.Close()
		return err
	}
	if t.places, err = t.newPlaces(h); err != nil {
		t.events.Close()
		t.emitter.Close()
		return err
	}
	t.finished = make(chan struct{})
	go t.watch()
	t.places.Start()
	return nil
}

// newPlaces is what gets places at relays while others don't reach the host.
func (t *traversal) newPlaces(h host.Host) (*autorelay.AutoRelay, error) {
	every := relayEvery
	if t.cfg.TestProfile {
		every = relayEveryTest
	}
	return autorelay.NewAutoRelay(h,
		autorelay.WithPeerSource(t.candidates),
		autorelay.WithNumRelays(relaysWanted),
		autorelay.WithMinCandidates(1),
		autorelay.WithBootDelay(0),
		autorelay.WithMinInterval(every),
		autorelay.WithBackoff(relayBackoff))
}

// start lets the search for relays begin: nothing is dialled before.
func (t *traversal) start() {
	t.listens.Store(true)
	close(t.started)
	if t.cfg.Traversal {
		t.judge(event.EvtHostReachableAddrsChanged{})
	}
}

func (t *traversal) close() {
	if t.places == nil {
		return
	}
	t.events.Close()
	<-t.finished
	t.emitter.Close()
	// What it was told just before may start it again while it is closed for the
	// first time. Its errors are none.
	_ = t.places.Close()
	_ = t.places.Close()
}

// watch follows what the host finds out, until the subscription is closed.
func (t *traversal) watch() {
	defer close(t.finished)
	var last event.EvtHostReachableAddrsChanged
	for e := range t.events.Out() {
		switch e := e.(type) {
		case event.EvtHostReachableAddrsChanged:
			last = e
			t.judge(last)
		case event.EvtLocalAddressesUpdated:
			t.judge(last)
		case event.EvtAutoRelayAddrsUpdated:
			t.mu.Lock()
			t.inUse = relaysOf(e.RelayAddrs)
			t.leave(e.RelayAddrs, time.Now())
			t.wake()
			t.mu.Unlock()
		case event.EvtPeerIdentificationCompleted:
			if slices.Contains(e.Protocols, proto.ProtoIDv2Hop) {
				t.mu.Lock()
				t.wake()
				t.mu.Unlock()
			}
		}
	}
}

// judge decides whether others reach this node, and tells the rooms of the host
// that go by it: those that look for relays, and the table of discovery. A node
// without any address that the internet knows can't be reached from there.
func (t *traversal) judge(e event.EvtHostReachableAddrsChanged) {
	h := *t.host.Load()
	state := network.ReachabilityUnknown
	switch {
	case len(e.Reachable) > 0 || len(t.cfg.AnnounceAddrs) > 0:
		state = network.ReachabilityPublic
	case len(e.Unreachable) > 0 && len(e.Unknown) == 0, !slices.ContainsFunc(own(h), manet.IsPublicAddr):
		state = network.ReachabilityPrivate
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.state != state {
		t.state = state
		_ = t.emitter.Emit(event.EvtLocalReachabilityChanged{Reachability: state}) // it fails only once closed
	}
}

// own are the host's addresses but those of relays, whether they work or not.
func own(h host.Host) []ma.Multiaddr {
	if all, ok := h.(interface{ AllAddrs() []ma.Multiaddr }); ok {
		return all.AllAddrs()
	}
	return h.Addrs()
}

// leave notes the addresses through relays that hold from now on, and which were
// lost. t.mu is held.
func (t *traversal) leave(circuits []ma.Multiaddr, now time.Time) {
	for _, a := range t.circuits {
		t.lost[a.String()] = left{a, now}
	}
	for _, a := range circuits {
		delete(t.lost, a.String())
	}
	t.circuits = circuits
}

// lately are the addresses through relays that were lost a short while ago: such a
// relay mostly restarts, and the node takes its place there again.
func (t *traversal) lately(now time.Time) (addrs []ma.Multiaddr) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for key, l := range t.lost {
		if now.Sub(l.at) >= relayMissed {
			delete(t.lost, key)
		} else if t.state != network.ReachabilityPublic {
			addrs = append(addrs, l.addr)
		}
	}
	return addrs
}

// relaysOf are the relays in circuit addresses, …/p2p/RELAY/p2p-circuit.
func relaysOf(circuits []ma.Multiaddr) map[peer.ID]bool {
	relays := make(map[peer.ID]bool)
	for _, a := range circuits {
		if rest, last := ma.SplitLast(a); last != nil && last.Protocol().Code == ma.P_CIRCUIT {
			if _, id := peer.SplitAddr(rest); id != "" {
				relays[id] = true
			}
		}
	}
	return relays
}

// wake tells those who wait for a relay. t.mu is held.
func (t *traversal) wake() {
	close(t.changed)
	t.changed = make(chan struct{})
}

// candidates is where the host's search for relays gets nodes to try: those of
// the settings, or else those met that relay. It tells none before there is one
// that isn't in use.
func (t *traversal) candidates(ctx context.Context, most int) <-chan peer.AddrInfo {
	out := make(chan peer.AddrInfo, most)
	go func() {
		defer close(out)
		select {
		case <-t.started:
		case <-ctx.Done():
			return
		}
		for {
			t.mu.Lock()
			changed := t.changed
			t.mu.Unlock()
			if list := t.relayable(); len(list) > 0 {
				for _, info := range list[:min(len(list), most)] {
					out <- info
				}
				return
			}
			select {
			case <-changed:
			case <-ctx.Done():
				return
			}
		}
	}()
	return out
}

func (t *traversal) relayable() []peer.AddrInfo {
	list := slices.Clone(t.relays)
	h := *t.host.Load()
	if len(list) == 0 {
		for _, id := range h.Network().Peers() {
			offers, err := h.Peerstore().SupportsProtocols(id, proto.ProtoIDv2Hop)
			if err == nil && len(offers) > 0 && h.Network().Connectedness(id) == network.Connected {
				list = append(list, h.Peerstore().PeerInfo(id))
			}
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.DeleteFunc(list, func(p peer.AddrInfo) bool { return p.ID == h.ID() || t.inUse[p.ID] })
}

// Trace counts what hole punching comes to; it is [holepunch.EventTracer].
func (t *traversal) Trace(e *holepunch.Event) {
	if end, ok := e.Evt.(*holepunch.EndHolePunchEvt); ok {
		if end.Success {
			t.punched.Add(1)
		} else {
			t.unpunched.Add(1)
		}
	}
}

// reach is what the doctor tells.
func (t *traversal) reach() Reach {
	r := Reach{
		Reachable: Unknown, Announced: len(t.cfg.AnnounceAddrs) > 0, PortMapping: t.mapper != nil,
		Mapped: t.mapper != nil && t.mapper.found(), Punched: int(t.punched.Load()), Unpunched: int(t.unpunched.Load()),
		ServesRelay: t.cfg.ServeRelay,
	}
	h := *t.host.Load()
	if confirmed, ok := h.(interface {
		ConfirmedAddrs() (reachable, unreachable, unknown []ma.Multiaddr)
	}); ok && t.cfg.Traversal {
		reachable, _, _ := confirmed.ConfirmedAddrs()
		for _, a := range reachable {
			r.Confirmed = append(r.Confirmed, a.String())
		}
	}
	for _, id := range h.Network().Peers() {
		if h.Network().Connectedness(id) == network.Limited {
			r.Relayed++
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	switch t.state {
	case network.ReachabilityPublic:
		r.Reachable = Reachable
	case network.ReachabilityPrivate:
		r.Reachable = Unreachable
	}
	for id := range t.inUse {
		r.Relays = append(r.Relays, id)
	}
	slices.Sort(r.Relays)
	return r
}
