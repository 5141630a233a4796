package node_test

import (
	"context"
	"testing"
	"time"

	libp2p "github.com/libp2p/go-libp2p/core/network"
	lp2p "github.com/libp2p/go-libp2p/core/protocol"

	"github.com/parley-protocol/parley/crypto"
	"github.com/parley-protocol/parley/node"
	"github.com/parley-protocol/parley/node/config"
	"github.com/parley-protocol/parley/node/gossip"
	"github.com/parley-protocol/parley/node/network"
	"github.com/parley-protocol/parley/node/nodetest"
	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/codec"
	"github.com/parley-protocol/parley/protocol/record"
)

// later are protocols of a version that doesn't exist.
var later = []lp2p.ID{"/parley/meshsub/2.0.0", "/parley/catchup/2", "/parley/mailbox/2", "/parley/peers/2"}

// A node of today deals with one of a later version: one that speaks protocols
// that today's doesn't know beside today's, sends frames of a later version,
// records of later types, and messages with keys that today's doesn't have. The
// journey is done, and what isn't known is held against nobody.
//
//spec:shows VER-1 VER-2 VER-3 VER-4
func TestLaterVersion(t *testing.T) {
	today := start(t, t.TempDir(), nil)
	newer := start(t, t.TempDir(), func(c *config.Config) { c.Peers = today.Network.Addrs() })
	for _, id := range later {
		newer.Network.Host().SetStreamHandler(id, func(s libp2p.Stream) { s.Reset() })
	}
	for _, n := range []*node.Node{today, newer} {
		if err := n.Desk.JoinMarket(t.Context(), market); err != nil {
			t.Fatal(err)
		}
	}
	meet(t, newer, today.Network.ID())

	// It offers its newest first, and settles on what both have.
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	s, err := newer.Network.Host().NewStream(ctx, today.Network.ID(), "/parley/peers/2", protocol.ProtocolPeers)
	if err != nil || s.Protocol() != protocol.ProtocolPeers {
		t.Fatalf("%v, %v", s, err)
	}
	s.Reset()
	if s, err := newer.Network.Host().NewStream(ctx, today.Network.ID(), later...); err == nil {
		t.Errorf("a stream of %s was opened", s.Protocol())
	}

	// Messages of a later version on streams of today's are refused with a code.
	for id, message := range map[lp2p.ID]map[string]any{
		protocol.ProtocolPeers:   {"market": market, "limit": int64(4), "colour": "red"},
		protocol.ProtocolCatchup: {"market": market, "limit": int64(4), "colour": "red"},
		protocol.ProtocolMailbox: {"op": "forward", "colour": "red"},
	} {
		if code := refusal(ctx, t, newer, today, id, message); code != string(protocol.CodeBadField) {
			t.Errorf("%s: %q", id, code)
		}
	}

	// Frames that today's can't judge go no further, and cost their sender nothing.
	stranger := hostOf(t)
	if err := stranger.Start(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := stranger.Connect(ctx, today.Network.Addrs()[0]); err != nil {
		t.Fatal(err)
	}
	g, err := gossip.New(stranger.Host(), gossip.Options{Handler: ownOnly{}})
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	if err := g.Join(ctx, market); err != nil || !g.AwaitMesh(ctx, market) {
		t.Fatal(err)
	}
	before := today.Ingest.Stats()
	block := signed(t, 1)[0].Raw()
	frames := 0
	send := func(raw []byte) {
		frames++
		if _, err := g.Publish(ctx, market, raw); err != nil {
			t.Fatal(err)
		}
	}
	second, err := codec.Message().Encode([]any{int64(2), block, []byte{}})
	if err != nil {
		t.Fatal(err)
	}
	send(second)
	laterBody := laterRecord(t)
	send(record.EncodeFrame(laterBody, nil))
	nodetest.Await(t, "both frames were looked at", func() bool { return today.Ingest.Stats().Ignored >= before.Ignored+uint64(frames) })
	if st := today.Ingest.Stats(); st.Rejected != before.Rejected {
		t.Errorf("%d frames of a later version count as malformed", st.Rejected-before.Rejected)
	}
	if today.Network.Host().Network().Connectedness(stranger.ID()) != libp2p.Connected || today.Gossip.Standing(stranger.ID()).Score < 0 {
		t.Errorf("who sent them has to suffer for it: %+v", today.Gossip.Standing(stranger.ID()))
	}

	trade(t, newer, today)
	trade(t, today, newer)
	for _, n := range []*node.Node{today, newer} {
		for _, p := range n.Network.Peers() {
			other := p.ID == today.Network.ID() || p.ID == newer.Network.ID()
			if n.Gossip.Standing(p.ID).Score < 0 || other && p.UserAgent != network.UserAgent {
				t.Errorf("%+v: %+v", p, n.Gossip.Standing(p.ID))
			}
		}
	}
}

// refusal is the code with which a node answers a message on a stream.
func refusal(ctx context.Context, t *testing.T, from, to *node.Node, id lp2p.ID, message map[string]any) string {
	t.Helper()
	s, err := from.Network.Host().NewStream(ctx, to.Network.ID(), id)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Reset()
	raw, err := codec.Message().Encode(message)
	if err != nil {
		t.Fatal(err)
	}
	if err := network.WriteMessage(s, raw); err != nil {
		t.Fatal(err)
	}
	reply, release, err := network.ReadMessage(s, 1<<20)
	if err != nil {
		t.Fatalf("%s: %v", id, err)
	}
	defer release()
	answer, err := codec.Message().Decode(reply)
	if err != nil {
		t.Fatal(err)
	}
	code, _ := answer.(map[string]any)["error"].(string)
	return code
}

// laterRecord is a record of a type that today's version doesn't know, rightly
// signed.
func laterRecord(t *testing.T) []byte {
	t.Helper()
	key, now := crypto.GenerateSigner(), time.Now().Unix()
	body := map[string]any{"type": "pledge", "v": int64(1), "by": string(key.DID()), "at": now, "retainUntil": now + 3600,
		"market": market, "ext": map[string]any{"colour": "red"}}
	raw, err := codec.Encode(body)
	if err != nil {
		t.Fatal(err)
	}
	block, err := codec.Encode([]any{body, key.Sign(append([]byte("parley/1/record\x00"), raw...))})
	if err != nil {
		t.Fatal(err)
	}
	return block
}
