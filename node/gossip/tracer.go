package gossip

import (
	"sync"
	"sync/atomic"

	pubsub "github.com/libp2p/go-libp2p-pubsub"
	"github.com/libp2p/go-libp2p/core/peer"
	lp2p "github.com/libp2p/go-libp2p/core/protocol"
)

// Stats counts what happened since the start. Frames unless said otherwise.
type Stats struct {
	Received   uint64 `json:"received"`   // distinct frames that peers forwarded and Check saw
	Relayed    uint64 `json:"relayed"`    // accepted, own ones included
	Rejected   uint64 `json:"rejected"`   // malformed or forged
	Ignored    uint64 `json:"ignored"`    // expired, over quota, known
	Duplicates uint64 `json:"duplicates"` // further copies of a frame seen before

	DroppedUnchecked  uint64 `json:"droppedUnchecked"`  // the queue to Check was full; another peer may bring it
	DroppedUnverified uint64 `json:"droppedUnverified"` // the queue to Verify was full; lost for SeenFor
	DroppedUnsent     uint64 `json:"droppedUnsent"`     // messages that a slow peer's queue had no room for

	CatchupSessions uint64 `json:"catchupSessions"` // times that a peer was asked and answered to the end
	CatchupFailed   uint64 `json:"catchupFailed"`   // times that it wasn't
	CatchupReceived uint64 `json:"catchupReceived"` // new frames that came of it
	CatchupServed   uint64 `json:"catchupServed"`   // frames given to peers that asked
	CatchupRefused  uint64 `json:"catchupRefused"`  // questions over a peer's rate
	CatchupMissing  uint64 `json:"catchupMissing"`  // records that peers told of and didn't give
}

// counters are Stats while they count.
type counters struct {
	received, relayed, rejected, ignored, duplicates   atomic.Uint64
	droppedUnchecked, droppedUnverified, droppedUnsent atomic.Uint64
	catchupSessions, catchupFailed                     atomic.Uint64
	catchupReceived, catchupServed, catchupRefused     atomic.Uint64
	catchupMissing                                     atomic.Uint64
}

func (c *counters) stats() Stats {
	return Stats{
		Received:          c.received.Load(),
		Relayed:           c.relayed.Load(),
		Rejected:          c.rejected.Load(),
		Ignored:           c.ignored.Load(),
		Duplicates:        c.duplicates.Load(),
		DroppedUnchecked:  c.droppedUnchecked.Load(),
		DroppedUnverified: c.droppedUnverified.Load(),
		DroppedUnsent:     c.droppedUnsent.Load(),
		CatchupSessions:   c.catchupSessions.Load(),
		CatchupFailed:     c.catchupFailed.Load(),
		CatchupReceived:   c.catchupReceived.Load(),
		CatchupServed:     c.catchupServed.Load(),
		CatchupRefused:    c.catchupRefused.Load(),
		CatchupMissing:    c.catchupMissing.Load(),
	}
}

// tracer hears of everything that pubsub does. It is the only way to know what
// its full queues dropped, and how large a topic's mesh is.
type tracer struct {
	counters counters
	gone     func(peer.ID) // a peer's stream has ended
	unsent   func(peer.ID) // frames for a peer were dropped

	mu   sync.Mutex
	mesh map[string]map[peer.ID]struct{} // by topic
}

var _ pubsub.RawTracer = (*tracer)(nil)

func (t *tracer) meshSize(topic string) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.mesh[topic])
}

func (t *tracer) inMesh(topic string, id peer.ID) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	_, ok := t.mesh[topic][id]
	return ok
}

func (t *tracer) Graft(id peer.ID, topic string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.mesh == nil {
		t.mesh = make(map[string]map[peer.ID]struct{})
	}
	if t.mesh[topic] == nil {
		t.mesh[topic] = make(map[peer.ID]struct{})
	}
	t.mesh[topic][id] = struct{}{}
}

func (t *tracer) Prune(id peer.ID, topic string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.mesh[topic], id)
}

func (t *tracer) Leave(topic string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.mesh, topic)
}

// OnClosedOutboundStream takes the peer out of every mesh: the router does that
// without a Prune.
func (t *tracer) OnClosedOutboundStream(id peer.ID) {
	t.mu.Lock()
	for _, mesh := range t.mesh {
		delete(mesh, id)
	}
	t.mu.Unlock()
	t.gone(id)
}

func (t *tracer) RejectMessage(_ *pubsub.Message, reason string) {
	switch reason {
	case pubsub.RejectValidationQueueFull:
		t.counters.droppedUnchecked.Add(1)
	case pubsub.RejectValidationThrottled:
		t.counters.droppedUnverified.Add(1)
	case pubsub.RejectValidationIgnored:
		t.counters.ignored.Add(1)
	default: // failed, or signed by someone
		t.counters.rejected.Add(1)
	}
}

// DropRPC: what the peer doesn't get it finds when it sees that this node asks.
func (t *tracer) DropRPC(rpc *pubsub.RPC, id peer.ID) {
	t.counters.droppedUnsent.Add(1)
	if len(rpc.GetPublish()) > 0 {
		t.unsent(id)
	}
}

func (t *tracer) ValidateMessage(*pubsub.Message)      { t.counters.received.Add(1) }
func (t *tracer) DeliverMessage(*pubsub.Message)       { t.counters.relayed.Add(1) }
func (t *tracer) DuplicateMessage(*pubsub.Message)     { t.counters.duplicates.Add(1) }
func (t *tracer) UndeliverableMessage(*pubsub.Message) {}
func (t *tracer) OnNewOutboundStream(peer.ID, lp2p.ID) {}
func (t *tracer) Join(string)                          {}
func (t *tracer) ThrottlePeer(peer.ID)                 {}
func (t *tracer) RecvRPC(*pubsub.RPC)                  {}
func (t *tracer) SendRPC(*pubsub.RPC, peer.ID)         {}
