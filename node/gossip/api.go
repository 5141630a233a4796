// Package gossip spreads the records that everyone may read: intents,
// withdrawals and profiles, one topic per market. Specification: spec/06-network.md.
package gossip

import (
	"context"

	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/parley-protocol/parley/protocol"
)

// Path is the way on which a frame came.
type Path uint8

// The paths.
const (
	PathGossip  Path = iota // relayed by a peer
	PathOwn                 // published by this node
	PathCatchup             // asked of a peer
)

// Message is a frame on its way through the checks.
type Message struct {
	Market string
	From   peer.ID // who forwarded it, not who wrote it; this node's own for PathOwn
	Path   Path
	Frame  []byte // read only
	Parsed any    // for the handler: what Check learnt and Verify needs
}

// Handler judges frames. Both methods are called from many goroutines.
type Handler interface {
	// Check does what is cheap: size, canonical form, expiry, stamp, quota by
	// the forwarding peer. It runs inline and must not block.
	Check(ctx context.Context, m *Message) protocol.Verdict
	// Verify is called with what Check accepted. It checks the signature and
	// stores the record; Accept lets the frame go on to other nodes. Returning
	// Ignore for what is merely stored already would stop its spread.
	Verify(ctx context.Context, m *Message) protocol.Verdict
}

// Catchup gives what a node has to tell to one that asks what it missed.
type Catchup interface {
	// Live returns frames of the market's live records that follow the cursor,
	// at most limit, and the cursor after the last of them: empty when there
	// are no more. Cursors are the implementation's own, of at most 128 bytes; the
	// first is empty.
	Live(ctx context.Context, market, after string, limit int) (frames [][]byte, next string, err error)
}

// Options of [New].
type Options struct {
	Handler    Handler
	Catchup    Catchup                         // optional: without it the node neither asks nor answers
	OnPeerJoin func(market string, id peer.ID) // optional: a peer has joined a market that this node is in; must not block
	Flood      bool                            // own frames go to every peer in the market: faster, and easier to trace
}

// Reach is how many peers a published frame had in sight.
type Reach struct {
	Mesh  int // peers that this node exchanges full messages with
	Topic int // peers known to be in the market
}

// Gossip is a node's part in the markets.
type Gossip struct{}

// New attaches gossip to a host.
func New(h host.Host, options Options) (*Gossip, error) { return &Gossip{}, nil }

// Join takes part in a market: frames arrive and are relayed.
func (g *Gossip) Join(ctx context.Context, market string) error { return nil }

// Leave stops taking part.
func (g *Gossip) Leave(market string) error { return nil }

// Markets lists those joined, sorted.
func (g *Gossip) Markets() []string { return nil }

// Publish sends an own frame; the market must be joined.
func (g *Gossip) Publish(ctx context.Context, market string, frame []byte) (Reach, error) {
	return Reach{}, nil
}

// Peers lists the peers known to be in a market.
func (g *Gossip) Peers(market string) []peer.ID { return nil }

// Stats counts what happened since the start.
type Stats struct{}

// Stats is a snapshot of the counters.
func (g *Gossip) Stats() Stats { return Stats{} }

// Close leaves every market and ends all work.
func (g *Gossip) Close() error { return nil }
