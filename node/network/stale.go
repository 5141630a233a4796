package network

import (
	"context"
	"errors"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/protocol"
	"github.com/libp2p/go-libp2p/p2p/protocol/ping"
	"github.com/multiformats/go-multistream"
)

// probeTime is how long a connection gets to show that it lives.
const probeTime = 3 * time.Second

// probeOlder looks after the older connections to a peer that has just made
// another one. A process that was killed says no goodbye over QUIC, and its
// successor is quickly back under the same name: everything sent to it would go
// down the dead connection for half a minute, until it times out.
func (n *Network) probeOlder(_ network.Network, fresh network.Conn) {
	for _, old := range n.host.Network().ConnsToPeer(fresh.RemotePeer()) {
		if old == fresh || old.IsClosed() || old.Stat().Limited {
			continue
		}
		n.mu.Lock()
		if !n.closed {
			n.work.Go(func() { n.probe(old) })
		}
		n.mu.Unlock()
	}
}

// probe closes all connections to the peer unless the other side answers on this
// one; who dialled dials again. To close the dead one alone would not do:
// pubsub then goes on with the same peer, and gives it up after four times.
func (n *Network) probe(c network.Conn) {
	ctx, cancel := context.WithTimeout(n.ctx, probeTime)
	defer cancel()
	if !answers(ctx, c) && n.ctx.Err() == nil {
		_ = n.host.Network().ClosePeer(c.RemotePeer())
	}
}

func answers(ctx context.Context, c network.Conn) bool {
	s, err := c.NewStream(ctx)
	if err != nil {
		return false
	}
	defer s.Reset()
	if err := s.SetDeadline(time.Now().Add(probeTime)); err != nil {
		return false
	}
	err = multistream.SelectProtoOrFail(protocol.ID(ping.ID), s)
	var unsupported multistream.ErrNotSupported[protocol.ID]
	return err == nil || errors.As(err, &unsupported)
}
