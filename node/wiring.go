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
	"github.com/parley-protocol/parley/protocol/record"
)

// wiring leads from the rooms below to the desk, which is built on them. Nothing
// comes through before the host listens, and by then the desk is there.
type wiring struct {
	desk *desk.Desk
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

// Live is [gossip.Catchup].
func (w *wiring) Live(ctx context.Context, market, cursor string, limit int) ([][]byte, string, error) {
	return w.desk.Live(ctx, market, cursor, limit)
}

// peerCame is told by gossip of everybody new in a market.
func (w *wiring) peerCame(market string, id peer.ID) {
	w.met(market, id)
	if d := w.desk; d != nil {
		d.PeerCame()
	}
}

func (w *wiring) blocked(did crypto.DID) bool { return w.desk.Blocked(did) }

func (w *wiring) gone(intent *record.Record) bool { return w.desk.Gone(intent) }

func (w *wiring) known(id cid.Cid) bool { return w.desk.Known(id) }

// post is [desk.Mail] on mailboxes.
type post struct{ client *mailbox.Client }

// Deposit leaves the envelope in one of the mailboxes.
func (p post) Deposit(ctx context.Context, purpose string, mailboxes []string, token [32]byte, envelope []byte) error {
	_, err := p.client.Deposit(ctx, purpose, mailboxes, token, envelope)
	return err
}

// Receive hands over what is left for the seed's token.
func (p post) Receive(ctx context.Context, purpose string, mailboxes []string, seed crypto.SealingSeed, handle func(context.Context, []byte) error) error {
	return p.client.Receive(ctx, purpose, mailboxes, seed, func(ctx context.Context, e mailbox.Envelope) error {
		return handle(ctx, e.Bytes)
	})
}

// broadcast is [desk.Gossip].
type broadcast struct {
	*gossip.Gossip
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
