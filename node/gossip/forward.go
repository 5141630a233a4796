package gossip

import (
	"context"

	pubsub "github.com/libp2p/go-libp2p-pubsub"
	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/parley-protocol/parley/protocol"
)

// Judge passes a frame that a peer handed over, before gossip has it, through the
// same checks as gossip's ([PathStem]), and blames the peer for what is malformed
// or forged. It stores and relays nothing. The error says why the verdict isn't
// Accept; it may be nil where the handler left no reason.
func (g *Gossip) Judge(ctx context.Context, name string, from peer.ID, frame []byte) (protocol.Verdict, error) {
	if _, err := g.market(name); err != nil {
		return protocol.Ignore, err
	}
	m := &Message{Market: name, From: from, Path: PathStem, Frame: frame}
	verdict := g.checkFrame(ctx, m)
	if verdict == protocol.Accept {
		verdict = g.verifyFrame(ctx, m)
	}
	if verdict == protocol.Reject {
		g.tracer.counters.rejected.Add(1)
		// It fails only when gossip is being closed.
		_ = g.pubsub.PeerFeedback(topicOf(name), from, pubsub.PeerFeedbackInvalidMessage)
	}
	return verdict, m.Err
}

// Forward brings a frame of somebody else to a market, as if gossip had brought
// it here. What gossip has relayed meanwhile is refused with the handler's reason.
func (g *Gossip) Forward(ctx context.Context, name string, frame []byte) error {
	m, err := g.market(name)
	if err != nil {
		return err
	}
	f := &inFlight{Message: Message{Market: name, From: g.host.ID(), Path: PathGossip, Frame: frame}}
	if err := m.topic.Publish(ctx, frame, pubsub.WithValidatorData(f)); err != nil {
		return f.refusal(err)
	}
	return nil
}
