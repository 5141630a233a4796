package stem

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ipfs/go-cid"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/x/simlibp2p"
	"github.com/marcopolo/simnet"

	"github.com/parley-protocol/parley/node/gossip"
	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/codec"
	"github.com/parley-protocol/parley/protocol/record"
)

const testMarket = "home"

// seen is when a node first heard of a record, and from whom.
type seen struct {
	at   time.Time
	from peer.ID
	path gossip.Path
}

// handler lets everything through whose block doesn't begin with "forged", and
// notes what a spy would.
type handler struct {
	mu    sync.Mutex
	first map[cid.Cid]seen      // by any way
	shown map[cid.Cid]time.Time // by gossip
	told  func(cid.Cid)         // of what gossip has brought
}

func idOf(frame []byte) cid.Cid {
	block, _, err := record.DecodeFrame(frame)
	if err != nil {
		return cid.Undef
	}
	return codec.Sum(block)
}

func (h *handler) Check(_ context.Context, m *gossip.Message) protocol.Verdict {
	block, _, err := record.DecodeFrame(m.Frame)
	if err != nil {
		m.Err = err
		return protocol.Reject
	}
	if string(block[:min(len(block), 6)]) == "forged" {
		m.Err = protocol.Errorf(protocol.CodeBadSignature, "", "forged")
		return protocol.Reject
	}
	if string(block[:min(len(block), 4)]) == "gone" {
		m.Err = protocol.Errorf(protocol.CodeWithdrawn, "", "gone")
		return protocol.Ignore
	}
	id := codec.Sum(block)
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.first == nil {
		h.first, h.shown = map[cid.Cid]seen{}, map[cid.Cid]time.Time{}
	}
	if _, had := h.first[id]; !had && m.Path != gossip.PathOwn {
		h.first[id] = seen{time.Now(), m.From, m.Path}
	}
	if _, had := h.shown[id]; had && m.Path != gossip.PathOwn {
		m.Err = protocol.Errorf(protocol.CodeDuplicate, "", "relayed already")
		return protocol.Ignore
	}
	return protocol.Accept
}

func (h *handler) Verify(_ context.Context, m *gossip.Message) protocol.Verdict {
	if m.Path == gossip.PathStem {
		return protocol.Accept
	}
	id := idOf(m.Frame)
	h.mu.Lock()
	if _, had := h.shown[id]; !had {
		h.shown[id] = time.Now()
	}
	h.mu.Unlock()
	if m.Path == gossip.PathGossip && h.told != nil {
		h.told(id)
	}
	return protocol.Accept
}

func (h *handler) heard(id cid.Cid) (seen, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	s, ok := h.first[id]
	return s, ok
}

func (h *handler) has(id cid.Cid) (time.Time, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	at, ok := h.shown[id]
	return at, ok
}

// node is one of a simulated network; stem is nil where it is off.
type node struct {
	host    host.Host
	gossip  *gossip.Gossip
	stem    *Stem
	handler *handler

	mu        sync.Mutex
	published []cid.Cid
}

// apart has each pair of nodes 5 to 50 ms apart.
func apart(p *simnet.Packet) time.Duration {
	a, b := p.From.String(), p.To.String()
	if a > b {
		a, b = b, a
	}
	sum := sha256.Sum256([]byte(a + " " + b))
	return 5*time.Millisecond + time.Duration(binary.BigEndian.Uint32(sum[:]))%(45*time.Millisecond)
}

// simulate runs a test on hosts of a simulated network, in virtual time.
func simulate(t *testing.T, hosts int, test func(t *testing.T, hosts []host.Host)) {
	t.Helper()
	simulateWith(t, hosts, apart, test)
}

func simulateWith(t *testing.T, hosts int, latency simlibp2p.LatencyFunc, test func(t *testing.T, hosts []host.Host)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		link := simnet.LinkSettings{BitsPerSecond: 20 * simlibp2p.OneMbps}
		network, meta, err := simlibp2p.SimpleLibp2pNetwork([]simlibp2p.NodeLinkSettingsAndCount{
			{LinkSettings: simnet.NodeBiDiLinkSettings{Downlink: link, Uplink: link}, Count: hosts},
		}, latency, simlibp2p.NetworkSettings{})
		if err != nil {
			t.Fatal(err)
		}
		network.Start()
		defer network.Close()
		defer func() {
			for _, h := range meta.Nodes {
				h.Close()
			}
		}()
		test(t, meta.Nodes)
	})
}

// attach puts gossip and, with a timing, the stem on a host, closed with the test.
func attach(t *testing.T, h host.Host, timing *Timing) *node {
	t.Helper()
	n := &node{host: h, handler: &handler{}}
	var err error
	if n.gossip, err = gossip.New(h, gossip.Options{Handler: n.handler}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.gossip.Close() })
	if timing != nil {
		n.stem = New(h, n.gossip, Options{Secret: sha256.Sum256([]byte(h.ID())), Timing: *timing, Published: func(id cid.Cid) {
			n.mu.Lock()
			defer n.mu.Unlock()
			n.published = append(n.published, id)
		}})
		n.handler.told = n.stem.Seen
		t.Cleanup(func() { n.stem.Close() })
	}
	if err := n.gossip.Join(t.Context(), testMarket); err != nil {
		t.Fatal(err)
	}
	return n
}

// passes makes a node pass on what it is handed, whatever its secret says.
func (n *node) passes() {
	for i := uint64(0); n.stem.routes.diffuser(testMarket, time.Now()); i++ {
		binary.BigEndian.PutUint64(n.stem.routes.secret[:], i)
	}
}

func always() bool { return true }

// say publishes a record by the stem, or without it.
func (n *node) say(t *testing.T, text string) cid.Cid {
	t.Helper()
	frame := record.EncodeFrame([]byte(text), nil)
	var err error
	if n.stem != nil {
		err = n.stem.Send(testMarket, always, frame)
	} else {
		_, err = n.gossip.Publish(t.Context(), testMarket, frame)
	}
	if err != nil {
		t.Error(err)
	}
	return codec.Sum([]byte(text))
}

func connect(t *testing.T, from, to host.Host) {
	t.Helper()
	if err := from.Connect(t.Context(), peer.AddrInfo{ID: to.ID(), Addrs: to.Addrs()}); err != nil {
		t.Fatal(err)
	}
}

// mesh has each node dial some others, the same ones for the same seed.
func mesh(t *testing.T, nodes []*node, each int) {
	t.Helper()
	dice := rand.New(rand.NewPCG(1, uint64(len(nodes))))
	for i, n := range nodes {
		connect(t, n.host, nodes[(i+1)%len(nodes)].host) // in one piece
		for range each - 1 {
			if j := dice.IntN(len(nodes)); j != i {
				connect(t, n.host, nodes[j].host)
			}
		}
	}
	time.Sleep(10 * time.Second)
}

func names(n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprintf("request %03d", i)
	}
	return out
}
