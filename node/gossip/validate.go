package gossip

import (
	"context"
	"errors"
	"runtime"

	pubsub "github.com/libp2p/go-libp2p-pubsub"
	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/parley-protocol/parley/node/tap"
	"github.com/parley-protocol/parley/protocol"
)

// verifiers is how many frames are in Verify at once: of what others bring, one
// processor is kept free for the person's own business, if there is more than one.
func verifiers() int { return max(1, runtime.GOMAXPROCS(0)-1) }

// inFlight is a frame between the two validators. Pubsub carries it as the
// message's validator data.
type inFlight struct {
	Message
	verdict  protocol.Verdict // of Check
	verified bool             // has been through Verify on another path
}

// refusal turns pubsub's error for an own frame into the handler's.
func (f *inFlight) refusal(err error) error {
	if _, invalid := errors.AsType[pubsub.ValidationError](err); !invalid {
		return err
	}
	if f.Err != nil {
		return f.Err
	}
	return protocol.Errorf(protocol.CodeNotPermitted, "frame", "this node's own checks don't let it out: %s", f.verdict)
}

// check is the inline validator.
func (g *Gossip) check(ctx context.Context, from peer.ID, m *pubsub.Message) pubsub.ValidationResult {
	f, own := m.ValidatorData.(*inFlight)
	if !own {
		market, ok := marketOf(m.GetTopic())
		if !ok {
			return pubsub.ValidationIgnore
		}
		tap.Saw(m.GetData())
		f = &inFlight{Message: Message{Market: market, From: from, Frame: m.GetData()}}
		m.ValidatorData = f
	}
	if f.verified {
		return pubsub.ValidationAccept
	}
	f.verdict = g.checkFrame(ctx, &f.Message)
	return result(f.verdict)
}

// verify is the asynchronous validator. Pubsub calls it even with what check
// ignored.
func (g *Gossip) verify(ctx context.Context, _ peer.ID, m *pubsub.Message) pubsub.ValidationResult {
	f, ok := m.ValidatorData.(*inFlight)
	if !ok || f.verdict != protocol.Accept {
		return pubsub.ValidationIgnore
	}
	if f.verified {
		return pubsub.ValidationAccept
	}
	f.verdict = g.verifyFrame(ctx, &f.Message)
	return result(f.verdict)
}

// checkFrame and verifyFrame are the way of every frame, wherever it came from.
func (g *Gossip) checkFrame(ctx context.Context, m *Message) protocol.Verdict {
	if len(m.Frame) == 0 || len(m.Frame) > MaxFrame {
		return protocol.Reject
	}
	return g.handler.Check(ctx, m)
}

func (g *Gossip) verifyFrame(ctx context.Context, m *Message) protocol.Verdict {
	if !g.turns.take(ctx, m.From, m.Path) {
		if ctx.Err() == nil {
			g.tracer.counters.droppedUnverified.Add(1)
		}
		return protocol.Ignore
	}
	defer g.turns.give()
	return g.handler.Verify(ctx, m)
}

func result(v protocol.Verdict) pubsub.ValidationResult {
	switch v {
	case protocol.Accept:
		return pubsub.ValidationAccept
	case protocol.Reject:
		return pubsub.ValidationReject
	default:
		return pubsub.ValidationIgnore
	}
}
