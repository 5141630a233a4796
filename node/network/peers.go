package network

import (
	"cmp"
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/event"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/peerstore"
	ma "github.com/multiformats/go-multiaddr"

	"github.com/parley-protocol/parley/protocol"
)

// Redialling of static peers.
const (
	redialFirst = time.Second
	redialMost  = 5 * time.Minute
	staticTag   = "parley/static" // protects static peers from the connection manager
)

// PeerEvent tells that a peer came or went.
type PeerEvent struct {
	Peer      peer.ID
	Connected bool
}

// PeerInfo describes a peer, connected or kept.
type PeerInfo struct {
	ID        peer.ID
	Addrs     []string // the remote ends of its connections; when there are none, the addresses known
	Connected bool
	Inbound   bool          // it dialled this node
	Limited   bool          // reached over a relay only: gossip doesn't run over that
	Static    bool          // kept connected
	UserAgent string        // what it calls itself; empty when not known
	Latency   time.Duration // smoothed; 0 when not measured
	Since     time.Time     // of its oldest connection; zero without one
	Protocols []string      // Parley's own that it speaks, sorted
	Origin    Origin        // how this node came to it
}

// AddPeers keeps further peers connected from now on, like those of
// [Config.StaticPeers]. The addresses are full multiaddrs, see [ParsePeer]; to
// remember them beyond a restart is up to the caller. It doesn't wait for a
// connection: use [Network.Connect] for that.
func (n *Network) AddPeers(addrs ...string) error { return n.KeepPeers(OriginAdded, addrs...) }

// KeepPeers is AddPeers for peers that came in some other way than by hand.
func (n *Network) KeepPeers(origin Origin, addrs ...string) error {
	infos, err := ParsePeers(addrs)
	if err != nil {
		return err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		return errClosed()
	}
	fresh := 0
	for _, info := range infos {
		if n.kept[info.ID] == nil {
			fresh++
		}
	}
	if len(n.kept)+fresh > MaxStaticPeers {
		return protocol.Errorf(protocol.CodeOverQuota, "peers", "more than %d static peers", MaxStaticPeers)
	}
	for _, info := range infos {
		n.keep(info, origin)
	}
	return nil
}

// RemovePeer stops keeping a peer and closes its connections.
func (n *Network) RemovePeer(id peer.ID) error {
	n.mu.Lock()
	if k := n.kept[id]; k != nil {
		k.stop()
		delete(n.kept, id)
		n.host.ConnManager().Unprotect(id, staticTag)
	}
	n.mu.Unlock()
	return n.host.Network().ClosePeer(id)
}

// Keeps reports whether the peer is a static one.
func (n *Network) Keeps(id peer.ID) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.kept[id] != nil
}

// Connect dials a peer once and waits for the connection. The address is a full
// multiaddr, see [ParsePeer].
func (n *Network) Connect(ctx context.Context, addr string) (peer.ID, error) {
	info, err := ParsePeer(addr)
	if err != nil {
		return "", err
	}
	if info.ID == n.host.ID() {
		return "", protocol.Errorf(protocol.CodeUsage, "", "that is this node's own address")
	}
	if err := n.host.Connect(ctx, info); err != nil {
		return "", protocol.Errorf(protocol.CodeTimeout, "", "can't reach %s: %w", addr, err)
	}
	return info.ID, nil
}

// Peers lists those connected and those kept, ordered by ID.
func (n *Network) Peers() []PeerInfo {
	ids := n.host.Network().Peers()
	n.mu.Lock()
	static := make(map[peer.ID]Origin, len(n.kept))
	for id, k := range n.kept {
		static[id] = k.origin
		ids = append(ids, id)
	}
	n.mu.Unlock()
	slices.SortFunc(ids, func(a, b peer.ID) int { return cmp.Compare(a, b) })
	ids = slices.Compact(ids)

	infos := make([]PeerInfo, len(ids))
	for i, id := range ids {
		infos[i] = n.describe(id)
		if origin, kept := static[id]; kept {
			infos[i].Static, infos[i].Origin = true, origin
		}
	}
	return infos
}

func (n *Network) describe(id peer.ID) PeerInfo {
	store := n.host.Peerstore()
	info := PeerInfo{ID: id, Latency: store.LatencyEWMA(id), Origin: n.Origin(id), Protocols: n.speaks(id)}
	if agent, err := store.Get(id, "AgentVersion"); err == nil {
		info.UserAgent, _ = agent.(string)
	}
	conns := n.host.Network().ConnsToPeer(id)
	info.Connected = len(conns) > 0
	info.Limited = info.Connected
	for i, conn := range conns {
		info.Addrs = append(info.Addrs, conn.RemoteMultiaddr().String())
		info.Limited = info.Limited && conn.Stat().Limited
		if opened := conn.Stat().Opened; info.Since.IsZero() || opened.Before(info.Since) {
			info.Since = opened
		}
		if i == 0 {
			info.Inbound = conn.Stat().Direction == network.DirInbound
		}
	}
	if !info.Connected {
		for _, addr := range store.Addrs(id) {
			info.Addrs = append(info.Addrs, addr.String())
		}
	}
	return info
}

// OnPeer calls f for every peer that comes or goes, one call at a time and in
// order, until stop is called. f must not block for long.
func (n *Network) OnPeer(f func(PeerEvent)) (stop func()) { return n.watchers.add(f) }

// watch passes libp2p's events on until the subscription is closed.
func (n *Network) watch() {
	for e := range n.events.Out() {
		change, ok := e.(event.EvtPeerConnectednessChanged)
		if !ok {
			continue
		}
		connected := isConnected(change.Connectedness)
		n.mu.Lock()
		k := n.kept[change.Peer]
		n.mu.Unlock()
		if k != nil && !connected {
			k.lost()
		}
		n.watchers.tell(PeerEvent{Peer: change.Peer, Connected: connected})
	}
}

func (n *Network) connected(id peer.ID) bool {
	return isConnected(n.host.Network().Connectedness(id))
}

func isConnected(c network.Connectedness) bool {
	return c == network.Connected || c == network.Limited
}

// watchers are the functions of OnPeer.
type watchers struct {
	mu   sync.Mutex
	next int
	list map[int]func(PeerEvent)
}

func (w *watchers) add(f func(PeerEvent)) (stop func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.list == nil {
		w.list = make(map[int]func(PeerEvent))
	}
	key := w.next
	w.next++
	w.list[key] = f
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.list, key)
	}
}

func (w *watchers) tell(e PeerEvent) {
	w.mu.Lock()
	keys := make([]int, 0, len(w.list))
	for key := range w.list {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	funcs := make([]func(PeerEvent), len(keys))
	for i, key := range keys {
		funcs[i] = w.list[key]
	}
	w.mu.Unlock()
	for _, f := range funcs {
		f(e)
	}
}

// keeper keeps one static peer connected.
type keeper struct {
	origin Origin
	stop   context.CancelFunc
	wake   chan struct{} // a value: the connection was lost
}

func (k *keeper) lost() {
	select {
	case k.wake <- struct{}{}:
	default: // it is awake
	}
}

// keep makes a peer static. n.mu is held. Before the start it only notes the
// peer's addresses.
func (n *Network) keep(info peer.AddrInfo, origin Origin) {
	if info.ID == n.host.ID() {
		return // one's own address in a list that is shared between nodes
	}
	if !n.gate.allows(info.ID) {
		return
	}
	n.host.Peerstore().AddAddrs(info.ID, info.Addrs, peerstore.PermanentAddrTTL)
	if !n.started {
		n.static = addInfo(n.static, info)
		return
	}
	if n.kept[info.ID] != nil {
		return
	}
	n.host.ConnManager().Protect(info.ID, staticTag)
	ctx, stop := context.WithCancel(n.ctx)
	k := &keeper{origin: origin, stop: stop, wake: make(chan struct{}, 1)}
	n.kept[info.ID] = k
	n.work.Go(func() { n.redial(ctx, info.ID, k.wake) })
}

func addInfo(infos []peer.AddrInfo, info peer.AddrInfo) []peer.AddrInfo {
	at := slices.IndexFunc(infos, func(p peer.AddrInfo) bool { return p.ID == info.ID })
	if at < 0 {
		return append(infos, info)
	}
	infos[at].Addrs = ma.Unique(append(infos[at].Addrs, info.Addrs...))
	return infos
}

// redial connects to a peer whenever it isn't connected, with growing pauses.
func (n *Network) redial(ctx context.Context, id peer.ID, wake <-chan struct{}) {
	pause := redialFirst
	for ctx.Err() == nil {
		attempt, cancel := context.WithTimeout(ctx, n.cfg.DialTimeout)
		err := n.host.Connect(attempt, peer.AddrInfo{ID: id})
		cancel()
		// A dial that joins one that has just ended may be told of a closed
		// connection, of which no further event comes.
		if err != nil || !n.connected(id) {
			sleep(ctx, jitter(pause))
			pause = min(2*pause, redialMost)
			continue
		}
		since := time.Now()
		select {
		case <-ctx.Done():
			return
		case <-wake:
		}
		// A peer that hangs up at once is treated like one that is away.
		if time.Since(since) > pause {
			pause = redialFirst
		} else {
			sleep(ctx, jitter(pause))
			pause = min(2*pause, redialMost)
		}
	}
}

// jitter spreads pauses by a quarter either way, so that the peers of a node
// that restarts don't come back in step.
func jitter(d time.Duration) time.Duration {
	return d - d/4 + rand.N(d/2+1)
}

func sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
