package node

import (
	"context"

	"github.com/ipfs/go-cid"
	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/parley-protocol/parley/crypto"
	"github.com/parley-protocol/parley/node/desk"
	"github.com/parley-protocol/parley/node/discovery"
	"github.com/parley-protocol/parley/node/gossip"
	"github.com/parley-protocol/parley/node/ingest"
	"github.com/parley-protocol/parley/node/mailbox"
	"github.com/parley-protocol/parley/node/outbox"
	"github.com/parley-protocol/parley/node/stem"
	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/codec"
	"github.com/parley-protocol/parley/protocol/reconcile"
	"github.com/parley-protocol/parley/protocol/record"
)

// wiring leads from the rooms below to the desk, which is built on them. Nothing
// comes through before the host listens, and by then the desk is there.
type wiring struct {
	desk *desk.Desk
	stem *stem.Stem   // nil when it is off
	room func() error // for strangers' records
	met  func(market string, id peer.ID)
}

// Arrive is [ingest.Sink].
func (w *wiring) Arrive(ctx context.Context, batch []ingest.Arrival) error {
	if err := w.room(); err != nil {
		return err
	}
	return w.desk.Arrive(ctx, batch)
}

// Live is part of [gossip.Catchup], as the three that follow.
func (w *wiring) Live(ctx context.Context, market string, cutoff int64) (*reconcile.Set, error) {
	return w.desk.Live(ctx, market, cutoff)
}

// Frame gives a record of the set.
func (w *wiring) Frame(ctx context.Context, market string, cutoff int64, id gossip.ID) ([]byte, error) {
	return w.desk.Frame(ctx, market, cutoff, id)
}

// Noted tells what is here already.
func (w *wiring) Noted(ctx context.Context, market string, id gossip.ID) bool {
	return w.desk.Noted(ctx, market, id)
}

// Page gives a part of the set to a peer that doesn't reconcile.
func (w *wiring) Page(ctx context.Context, market, cursor string, limit int) ([][]byte, string, error) {
	return w.desk.Page(ctx, market, cursor, limit)
}

// spread tells the desk of an own record that this node has brought to gossip.
func (w *wiring) spread(id cid.Cid) { w.desk.Spread(id) }

// peerCame is told by gossip of everybody new in a market.
func (w *wiring) peerCame(market string, id peer.ID) {
	w.met(market, id)
	if d := w.desk; d != nil {
		d.PeerCame()
	}
}

func (w *wiring) blocked(did crypto.DID) bool { return w.desk.Blocked(did) }

func (w *wiring) gone(intent *record.Record) bool { return w.desk.Gone(intent) }

func (w *wiring) known(id cid.Cid, market string) (has, noted bool) {
	noted = w.desk.Noted(context.Background(), market, gossip.IDOf(id))
	return noted || w.desk.Known(id), noted
}

// post is [desk.Mail] on mailboxes.
type post struct{ client *mailbox.Client }

// Deposit leaves the envelope in some of the mailboxes.
func (p post) Deposit(ctx context.Context, m outbox.Message) ([]outbox.Custody, error) {
	kept, err := p.client.Deposit(ctx, m.Purpose, m.Mailboxes, m.Token, m.Envelope, m.Copies)
	out := make([]outbox.Custody, len(kept))
	for i, r := range kept {
		out[i] = outbox.Custody{Mailbox: r.Mailbox.String(), Token: m.Token, Envelope: r.ID, Until: r.Until, Proof: r.Proof}
	}
	return out, err
}

// Receive hands over what is left for the seed's token.
func (p post) Receive(ctx context.Context, purpose string, mailboxes []string, seed crypto.SealingSeed, handle func(context.Context, []byte) error) error {
	return p.client.Receive(ctx, purpose, mailboxes, seed, func(ctx context.Context, e mailbox.Envelope) error {
		return handle(ctx, e.Bytes)
	})
}

// heard is the gossip's handler, and tells what markets have shown.
type heard struct {
	*ingest.Ingest
	rooms *wiring
}

// Verify is [gossip.Handler].
func (h heard) Verify(ctx context.Context, m *gossip.Message) protocol.Verdict {
	verdict := h.Ingest.Verify(ctx, m)
	if rec, ok := m.Parsed.(*record.Record); ok {
		h.rooms.shown(rec.ID(), m, verdict)
	}
	return verdict
}

// shown notes that a market has shown a record: gossip has brought it and this node
// relays it, or a peer had it when it was asked. One's own relays had it from this
// node, perhaps, so that their word counts for nothing.
func (w *wiring) shown(id cid.Cid, m *gossip.Message, verdict protocol.Verdict) {
	switch m.Path {
	case gossip.PathGossip:
		if verdict != protocol.Accept {
			return
		}
	case gossip.PathCatchup:
		if verdict == protocol.Reject || w.stem != nil && w.stem.Relay(m.Market, m.From) {
			return
		}
	default:
		return
	}
	if w.stem != nil {
		w.stem.Seen(id)
	}
	w.desk.Spread(id)
}

// broadcast is [desk.Gossip].
type broadcast struct {
	*gossip.Gossip
	stem      *stem.Stem           // nil when it is off
	spread    func(cid.Cid)        // told of what was published without it
	discovery *discovery.Discovery // nil when it is off
}

// Join takes part in a market, and looks for others who do.
func (b broadcast) Join(ctx context.Context, market string) error {
	err := b.Gossip.Join(ctx, market)
	if err == nil && b.discovery != nil {
		b.discovery.Join(market)
	}
	return err
}

// Leave ends both.
func (b broadcast) Leave(market string) error {
	if b.discovery != nil {
		b.discovery.Leave(market)
	}
	return b.Gossip.Leave(market)
}

// Publish brings a frame to a market, once there is anybody in it.
func (b broadcast) Publish(ctx context.Context, market string, frame []byte) error {
	if !b.AwaitMesh(ctx, market) {
		return ctx.Err()
	}
	_, err := b.Gossip.Publish(ctx, market, frame)
	return err
}

// Whisper brings frames to a market by the stem, once there is anybody in it.
func (b broadcast) Whisper(ctx context.Context, market string, wanted func() bool, frames ...[]byte) error {
	if !b.AwaitMesh(ctx, market) {
		return ctx.Err()
	}
	if b.stem != nil {
		return b.stem.Send(market, wanted, frames...)
	}
	if !wanted() {
		return nil
	}
	for _, frame := range frames {
		if _, err := b.Gossip.Publish(ctx, market, frame); err != nil {
			return err
		}
	}
	block, _, err := record.DecodeFrame(frames[len(frames)-1])
	if err == nil {
		b.spread(codec.Sum(block))
	}
	return err
}
