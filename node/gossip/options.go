package gossip

import (
	"log/slog"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/parley-protocol/parley/protocol"
)

// Bounds.
const (
	// MaxFrame is the largest frame: a record of the greatest size with a stamp.
	// It leaves room for the rest of a 64 KiB gossip message.
	MaxFrame = 1 + 1 + (3 + protocol.MaxBlockBytes) + (1 + protocol.MaxStampBytes)
	// MaxMarkets is how many markets a node can be in, and how many it notes of
	// each peer.
	MaxMarkets = 128
	// SeenFor is how long the hash of a frame is remembered. Publishing the same
	// bytes within it does nothing.
	SeenFor = 120 * time.Second
)

// Options of [New].
type Options struct {
	// Handler judges every frame. Required.
	Handler Handler
	// Catchup answers peers that ask. Without it the node neither answers nor asks.
	Catchup Catchup
	// OnPeerJoin is told of every peer found to be in a market that this node
	// is in, one call at a time per market. It may publish; it must not leave the
	// market, close gossip or block for long.
	OnPeerJoin func(market string, id peer.ID)
	// Flood sends own frames to every peer known in the market and not just to
	// the mesh: faster and surer in a sparse market, and easier to trace to this
	// node. Sellers want it; customers don't.
	Flood bool
	// Favoured tells whom the person chose to be connected to: no number of
	// strangers pushes them out of a mesh. It must not block. Nobody when nil.
	Favoured func(peer.ID) bool
	// Timing of catching up; the zero value is right outside of tests.
	Timing Timing
	// Now is the clock by which records expire, time.Now by default.
	Now func() time.Time
	// Logger gets what pubsub has to say; without it nothing is logged.
	Logger *slog.Logger
}

// Timing paces the questions to peers. Zero fields mean the defaults.
type Timing struct {
	First    time.Duration // pause before a new peer is asked; default 250 ms
	Second   time.Duration // pause before it is asked what came in meanwhile; default 3 s
	Again    time.Duration // pause before the same peer is asked again; default 5 s
	Pace     time.Duration // one session of a market per so long, after a burst of 8; default 5 s
	Periodic time.Duration // some peer of each market is asked every so often; default 3 min
	Relayed  time.Duration // pause before a peer behind a relay is asked again, as gossip doesn't come from there; default 1 min
	Settled  time.Duration // how long in a market until news from a peer is relayed; default 30 s
}

func (t Timing) withDefaults() Timing {
	for _, field := range []struct {
		value *time.Duration
		usual time.Duration
	}{
		{&t.First, 250 * time.Millisecond},
		{&t.Second, 3 * time.Second},
		{&t.Again, 5 * time.Second},
		{&t.Pace, 5 * time.Second},
		{&t.Periodic, 3 * time.Minute},
		{&t.Relayed, time.Minute},
		{&t.Settled, 30 * time.Second},
	} {
		if *field.value <= 0 {
			*field.value = field.usual
		}
	}
	return t
}
