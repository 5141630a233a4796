package discovery

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"

	parley "github.com/parley-protocol/parley/node/network"
	"github.com/parley-protocol/parley/node/peers"
	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/codec"
	"github.com/parley-protocol/parley/spec/vectors"
	"github.com/parley-protocol/parley/spec/vectors/vectorstest"
)

// among is an exchange in which everybody who is connected to h counts as in the
// one market and as good.
func among(h host.Host) Exchange {
	return Exchange{
		Ask: func(string) []peer.ID { return h.Network().Peers() },
		Share: func(market string) []peer.ID {
			if market != "repair" {
				return nil
			}
			return append([]peer.ID{}, h.Network().Peers()...)
		},
		Addrs: func(id peer.ID, _ ma.Multiaddr, limit int) []ma.Multiaddr {
			addrs := h.Peerstore().Addrs(id)
			return addrs[:min(limit, len(addrs))]
		},
	}
}

func connect(t *testing.T, a, b host.Host) {
	t.Helper()
	if err := a.Connect(t.Context(), info(b)); err != nil {
		t.Fatal(err)
	}
}

// TestFriendsOfAFriendMeet: two nodes that have only joined the same third meet,
// though nobody keeps a table, and stay together without it.
//
//spec:shows PEER-4 PEER-6
func TestFriendsOfAFriendMeet(t *testing.T) {
	friend, a, b := newHost(t), newHost(t), newHost(t)
	connect(t, a, friend)
	connect(t, b, friend)
	var how atomic.Value
	beginWith(t, friend, Options{Mode: Client, Exchange: among(friend)})
	d := beginWith(t, a, Options{Mode: Client, Exchange: among(a), Found: func(id peer.ID, o parley.Origin) {
		if id == b.ID() {
			how.Store(o)
		}
	}})
	d.Join("repair")
	await(t, a, b.ID())
	if how.Load() != parley.Origin("exchange") {
		t.Errorf("found by %v", how.Load())
	}
}

// One answer fills nobody's table: of the many that a peer names only a few are
// dialled, and who isn't asked again isn't believed again.
//
//spec:shows PEER-5
func TestOneAnswerIsNotBelievedWhole(t *testing.T) {
	liar, victim := newHost(t), newHost(t)
	var names []any
	for i := range maxAddrs {
		sybil := newHost(t)
		names = append(names, fmt.Sprint(sybil.Addrs()[0], "/p2p/", sybil.ID()))
		if i == maxNamed { // the rest are names without a node
			break
		}
	}
	asked := make(chan struct{}, 8)
	liar.SetStreamHandler(protocol.ProtocolPeers, func(s network.Stream) {
		raw, err := codec.Message().Encode(map[string]any{"addrs": names, "colour": "red"})
		if err != nil {
			t.Error(err)
		}
		s.Write(append(binary.AppendUvarint(nil, uint64(len(raw))), raw...))
		s.Close()
		asked <- struct{}{}
	})
	connect(t, victim, liar)
	dialled := make(chan peer.ID, 64)
	e := Exchange{Ask: func(string) []peer.ID { return []peer.ID{liar.ID()} }}
	d := beginWith(t, victim, Options{Mode: Client, Exchange: e, Found: func(id peer.ID, _ parley.Origin) { dialled <- id }})
	d.opts.Ask = time.Hour
	d.askAround(t.Context(), "repair")
	d.askAround(t.Context(), "repair")
	if len(asked) != 1 || len(dialled) != takeMost {
		t.Errorf("asked %d times, %d dialled", len(asked), len(dialled))
	}
}

func TestExchangeRefuses(t *testing.T) {
	h, other := newHost(t), newHost(t)
	beginWith(t, h, Options{Mode: Client, Exchange: among(h)})
	d := beginWith(t, other, Options{Mode: Client, Exchange: among(other)})
	connect(t, other, h)
	ask := func(market string) string {
		_, err := d.ask(t.Context(), h.ID(), market, maxNamed)
		return string(protocol.CodeOf(err))
	}
	for i, want := range []string{"wrong_market", "", "bad_field", "", "", ""} {
		market := map[string]string{"wrong_market": "books", "bad_field": "No Such"}[want]
		if market == "" {
			market = "repair"
		}
		if got := ask(market); got != want {
			t.Errorf("question %d: %q, want %q", i, got, want)
		}
	}
	if got := ask("repair"); got != "over_quota" {
		t.Errorf("asked too often: %q", got)
	}
}

// memory is what was met, in an order.
type memory struct {
	list   []peers.Peer
	failed chan peer.ID
}

func (m *memory) Pick(market string, n int, skip func(peer.ID) bool) []peers.Peer {
	list := slices.DeleteFunc(slices.Clone(m.list), func(p peers.Peer) bool {
		return skip(p.ID) || market != "" && !slices.Contains(p.Markets, market)
	})
	return list[:min(n, len(list))]
}

func (m *memory) Failed(id peer.ID) { m.failed <- id }

// TestOldAcquaintances: nodes that were met are dialled without anybody's help,
// however many have come by themselves; one that is away is noted.
//
//spec:shows PEER-1 PEER-2
func TestOldAcquaintances(t *testing.T) {
	h, old, gone := newHost(t), newHost(t), newHost(t)
	away := info(gone)
	gone.Close()
	met := func(i peer.AddrInfo) peers.Peer {
		return peers.Peer{ID: i.ID, Addrs: []string{i.Addrs[0].String()}, Markets: []string{"repair"}, Reached: true}
	}
	m := &memory{list: []peers.Peer{met(away), met(info(old))}, failed: make(chan peer.ID, 8)}
	plenty := func(string) (int, int) { return 100, enough }
	beginWith(t, h, Options{Mode: Client, Memory: m, Peers: plenty}).Join("repair")
	await(t, h, old.ID())
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	select {
	case id := <-m.failed:
		if id != away.ID {
			t.Errorf("%s failed", id)
		}
	case <-ctx.Done():
		t.Error("nothing is noted of who is away")
	}
}

func TestVectorsOfExchange(t *testing.T) {
	type messageIn struct {
		Direction string
		Stream    vectors.Hex
	}
	vectorstest.Run(t, "peers-message", func(t *testing.T, c vectors.Case, in messageIn) (any, string) {
		limit := maxRequest
		if in.Direction == "response" {
			limit = maxAnswer
		}
		n, size := binary.Uvarint(in.Stream)
		if n > uint64(limit) {
			return nil, "reset"
		}
		raw := in.Stream[size:]
		out, err := c.Expected() // for unknown keys, which aren't shown
		if err != nil {
			t.Fatal(err)
		}
		if in.Direction == "request" {
			r, err := decodeRequest(raw)
			if err != nil {
				return nil, string(protocol.CodeOf(err))
			}
			if again, err := r.encode(); err != nil || !bytes.Equal(again, raw) {
				t.Errorf("encoded as %x, %v", again, err)
			}
			out["shape"] = "peers-request"
			return out, ""
		}
		a, err := decodeAnswer(raw)
		switch {
		case err != nil:
			return nil, string(protocol.CodeOf(err))
		case a.code != "":
			out["shape"] = "refusal"
		default:
			out["shape"] = "peers-named"
		}
		return out, ""
	})
}
