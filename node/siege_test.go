package node_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	pb "github.com/libp2p/go-libp2p-pubsub/pb"
	"github.com/libp2p/go-libp2p/core/host"
	libp2p "github.com/libp2p/go-libp2p/core/network"
	lp2p "github.com/libp2p/go-libp2p/core/protocol"
	"google.golang.org/protobuf/proto"

	"github.com/parley-protocol/parley/node"
	"github.com/parley-protocol/parley/node/config"
	"github.com/parley-protocol/parley/node/desk"
	"github.com/parley-protocol/parley/node/gossip"
	"github.com/parley-protocol/parley/node/network"
	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/codec"
	"github.com/parley-protocol/parley/protocol/deal"
	"github.com/parley-protocol/parley/protocol/record"
)

// siege is an attack on one node for as long as ctx lasts.
type siege struct {
	t    *testing.T
	hub  *node.Node
	sent atomic.Int64 // invalid frames
}

// every calls do so many times a second.
func every(ctx context.Context, perSecond int, do func()) {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	began, done := time.Now(), 0
	for {
		for due := int(time.Since(began).Seconds() * float64(perSecond)); done < due && ctx.Err() == nil; done++ {
			do()
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// ownOnly lets out whatever is one's own, and takes nothing.
type ownOnly struct{}

func (ownOnly) Check(_ context.Context, m *gossip.Message) protocol.Verdict {
	if m.Path == gossip.PathOwn {
		return protocol.Accept
	}
	return protocol.Ignore
}

func (ownOnly) Verify(context.Context, *gossip.Message) protocol.Verdict { return protocol.Accept }

// host is a stranger's, connected to the hub; close it when the siege is over.
func (s *siege) host() (host.Host, func()) {
	n := hostOf(s.t)
	if err := n.Start(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
	infos, err := network.ParsePeers(s.hub.Network.Addrs())
	if err != nil {
		s.t.Fatal(err)
	}
	if err := n.Host().Connect(s.t.Context(), infos[0]); err != nil {
		s.t.Fatal(err)
	}
	return n.Host(), func() { n.Close() }
}

// gossiper takes part in the market without a node's checks.
func (s *siege) gossiper(ctx context.Context, act func(g *gossip.Gossip)) {
	h, end := s.host()
	defer end()
	g, err := gossip.New(h, gossip.Options{Handler: ownOnly{}})
	if err != nil {
		s.t.Error(err)
		return
	}
	defer g.Close()
	if err := g.Join(ctx, market); err == nil && g.AwaitMesh(ctx, market) {
		act(g)
	}
}

// invalidFrames: nothing readable, records whose signature is spoiled, and lists
// longer than any record may have, a thousand a second.
func (s *siege) invalidFrames(ctx context.Context) {
	good := signed(s.t, 1)[0].Raw()
	many := make([]any, 8000)
	for i := range many {
		many[i] = int64(0)
	}
	list, err := codec.Encode(map[string]any{"category": many, "type": "intent"})
	if err != nil {
		s.t.Error(err)
		return
	}
	s.gossiper(ctx, func(g *gossip.Gossip) {
		n := 0
		every(ctx, 1000, func() {
			n++
			var frame []byte
			switch n % 3 {
			case 0:
				frame = make([]byte, 600)
				_, _ = rand.Read(frame) // never fails
			case 1:
				raw := bytes.Clone(good)
				_, _ = rand.Read(raw[len(raw)-32:])
				frame = record.EncodeFrame(raw, nil)
			case 2:
				block := append([]byte{0x82}, list...)
				block = append(append(block, 0x58, 0x40), make([]byte, 64)...)
				binary.BigEndian.PutUint32(block[len(block)-8:], uint32(n))
				frame = record.EncodeFrame(block, nil)
			}
			if _, err := g.Publish(ctx, market, frame); err == nil {
				s.sent.Add(1)
			}
		})
	})
}

// validSpam is within what a peer may send.
func (s *siege) validSpam(ctx context.Context) {
	recs := signed(s.t, 2000)
	s.gossiper(ctx, func(g *gossip.Gossip) {
		n := 0
		every(ctx, 150, func() {
			_, _ = g.Publish(ctx, market, record.EncodeFrame(recs[n%len(recs)].Raw(), nil))
			n++
		})
	})
}

// giantLists writes gossip's own messages with as much as fits in every list.
func (s *siege) giantLists(ctx context.Context) {
	h, end := s.host()
	defer end()
	topic := protocol.TopicMarketPrefix + market
	var rpcs [][]byte
	for _, rpc := range giantRPCs(topic) {
		raw, err := proto.Marshal(rpc)
		if err != nil {
			s.t.Error(err)
			return
		}
		if len(raw) > 64<<10 {
			s.t.Errorf("a message of %d bytes isn't even read", len(raw))
		}
		rpcs = append(rpcs, append(binary.AppendUvarint(nil, uint64(len(raw))), raw...))
	}
	for ctx.Err() == nil {
		stream, err := h.NewStream(ctx, s.hub.Network.ID(), protocol.ProtocolGossip)
		if err != nil {
			if !pause(ctx, 50*time.Millisecond) {
				return
			}
			continue
		}
		for i := 0; ctx.Err() == nil; i++ {
			_ = stream.SetWriteDeadline(time.Now().Add(time.Second))
			if _, err := stream.Write(rpcs[i%len(rpcs)]); err != nil {
				break
			}
			pause(ctx, 5*time.Millisecond)
		}
		stream.Reset()
	}
}

func giantRPCs(topic string) []*pb.RPC {
	ids := make([]string, 1800)
	for i := range ids {
		ids[i] = fmt.Sprintf("%032d", i)
	}
	topicOf := func(i int) *string { return proto.String(fmt.Sprint(topic, "-", i)) }
	subs := &pb.RPC{}
	grafts, prunes := &pb.ControlMessage{}, &pb.ControlMessage{}
	for i := range 1500 {
		subs.Subscriptions = append(subs.Subscriptions, &pb.RPC_SubOpts{Subscribe: proto.Bool(true), Topicid: topicOf(i)})
		grafts.Graft = append(grafts.Graft, &pb.ControlGraft{TopicID: topicOf(i)})
		prunes.Prune = append(prunes.Prune, &pb.ControlPrune{TopicID: topicOf(i), Backoff: proto.Uint64(1 << 40)})
	}
	return []*pb.RPC{
		subs, {Control: grafts}, {Control: prunes},
		{Control: &pb.ControlMessage{Ihave: []*pb.ControlIHave{{TopicID: &topic, MessageIDs: ids}}}},
		{Control: &pb.ControlMessage{Iwant: []*pb.ControlIWant{{MessageIDs: ids}}}},
		{Control: &pb.ControlMessage{Idontwant: []*pb.ControlIDontWant{{MessageIDs: ids}}}},
	}
}

// badAnswers is a peer of the market that answers whoever catches up with a
// message that never ends, or with one of giant lists.
func (s *siege) badAnswers(ctx context.Context) {
	frames := make([]any, 8000)
	for i := range frames {
		frames[i] = []byte{}
	}
	list, err := codec.Message().Encode(map[string]any{"frames": frames})
	if err != nil {
		s.t.Error(err)
		return
	}
	for n := 0; ctx.Err() == nil; n++ {
		round, end := context.WithTimeout(ctx, time.Second)
		h, closeHost := s.host()
		h.SetStreamHandler(protocol.ProtocolCatchup, func(stream libp2p.Stream) {
			defer stream.Reset()
			if n%2 == 0 {
				_, _ = stream.Write(append(binary.AppendUvarint(nil, uint64(len(list))), list...))
				return
			}
			_, _ = stream.Write([]byte{0xff, 0xff, 0x0f}) // the length, and then
			<-round.Done()                                // nothing
		})
		g, err := gossip.New(h, gossip.Options{Handler: ownOnly{}})
		if err == nil {
			_ = g.Join(round, market)
			<-round.Done()
			g.Close()
		}
		closeHost()
		end()
	}
}

// streams opens streams of a protocol and treats each as told.
func (s *siege) streams(ctx context.Context, protocols []lp2p.ID, perSecond int, treat func(libp2p.Stream)) {
	h, end := s.host()
	defer end()
	n := 0
	every(ctx, perSecond, func() {
		short, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		stream, err := h.NewStream(short, s.hub.Network.ID(), protocols[n%len(protocols)])
		n++
		if err == nil {
			treat(stream)
		}
	})
}

var known = []lp2p.ID{protocol.ProtocolMailbox, protocol.ProtocolCatchup, protocol.ProtocolGossip}

// slow begins a message on each stream, and never ends it.
func (s *siege) slow(ctx context.Context) {
	s.streams(ctx, known, 100, func(stream libp2p.Stream) { _, _ = stream.Write([]byte{0x20}) })
}

func (s *siege) garbage(ctx context.Context) {
	s.streams(ctx, known, 200, func(stream libp2p.Stream) {
		raw := make([]byte, 4<<10)
		_, _ = rand.Read(raw) // never fails
		_ = stream.SetDeadline(time.Now().Add(time.Second))
		_, _ = stream.Write(raw)
		stream.CloseWrite()
		_, _ = io.CopyN(io.Discard, stream, 1<<10)
		stream.Reset()
	})
}

func (s *siege) unknownProtocols(ctx context.Context) {
	s.streams(ctx, []lp2p.ID{"/parley/mailbox/99", "/parley/catchup/0", "/meshsub/1.1.0", lp2p.ID("/" + strings.Repeat("x", 900))}, 100,
		func(stream libp2p.Stream) { stream.Reset() })
}

// halfOpen dials and says nothing, or half of a handshake.
func (s *siege) halfOpen(ctx context.Context) {
	var conns []net.Conn
	defer func() {
		for _, c := range conns {
			c.Close()
		}
	}()
	port, err := s.hub.Network.Host().Addrs()[0].ValueForProtocol(6) // TCP
	if err != nil {
		s.t.Error(err)
		return
	}
	every(ctx, 50, func() {
		c, err := net.DialTimeout("tcp", "127.0.0.1:"+port, time.Second)
		if err != nil {
			return
		}
		if conns = append(conns, c); len(conns)%2 == 0 {
			_, _ = c.Write([]byte("\x13/multistream/1.0.0\n\x07/noi"))
		}
	})
}

// pause waits, and tells whether there is still time.
func pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

// trade makes one deal between customer and seller.
func trade(t *testing.T, customer, seller *node.Node) time.Duration {
	t.Helper()
	began := time.Now()
	intent, err := customer.Desk.PublishIntent(t.Context(), request())
	if err != nil {
		t.Fatal(err)
	}
	until(t, seller, "the seller sees the request", func() bool { return seller.Desk.Known(intent.ID()) })
	offer, err := seller.Desk.MakeOffer(t.Context(), desk.OfferRequest{Intent: intent.ID(), Offer: offerOf("100")})
	if err != nil {
		t.Fatal(err)
	}
	until(t, customer, "the offer is there", func() bool { return customer.Desk.Book().Has(offer.ID()) })
	if _, err := customer.Desk.AcceptOffer(t.Context(), offer.ID(), false); err != nil {
		t.Fatal(err)
	}
	key, _ := offer.Deal()
	for _, n := range []*node.Node{customer, seller} {
		until(t, n, "the deal is agreed", func() bool {
			d, ok := n.Desk.Book().Deal(key.ID())
			return ok && d.State.Phase == deal.PhaseAgreed
		})
	}
	return time.Since(began)
}

// resting waits until nothing is owed, and tells how many goroutines there are
// and how much of the heap is in use, at the least within a while.
func resting(t *testing.T, enough func(goroutines int, heap uint64) bool, nodes ...*node.Node) (goroutines int, heap uint64) {
	t.Helper()
	for _, n := range nodes {
		until(t, n, "nothing is owed any more", func() bool { return len(n.Desk.Outbox().Pending()) == 0 })
	}
	deadline := time.Now().Add(time.Minute)
	for {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		goroutines, heap = runtime.NumGoroutine(), m.HeapAlloc
		if enough(goroutines, heap) || time.Now().After(deadline) {
			return goroutines, heap
		}
		pause(t.Context(), 250*time.Millisecond)
	}
}

// A node that customer and seller depend on is attacked in every way at once.
// They go on trading, the attacker whose frames are invalid is shut out, and
// within a minute of the end nothing is left of it. PARLEY_SIEGE_SECONDS sets how
// long it takes.
func TestSiege(t *testing.T) {
	usual := 4
	if os.Getenv("PARLEY_SOAK") != "" {
		usual = 60
	}
	long := time.Duration(sizeOf(t, "PARLEY_SIEGE_SECONDS", usual)) * time.Second
	hub := start(t, t.TempDir(), func(c *config.Config) { c.ServeMailbox = true })
	customer := start(t, t.TempDir(), func(c *config.Config) { c.Mailboxes = hub.Network.Addrs() })
	seller := start(t, t.TempDir(), func(c *config.Config) { c.Mailboxes = hub.Network.Addrs() })
	for _, n := range []*node.Node{hub, customer, seller} {
		join(t, n, hub)
	}
	trade(t, customer, seller)
	settled := func() func(int, uint64) bool {
		began := time.Now()
		return func(int, uint64) bool { return time.Since(began) > 2*time.Second }
	}
	one, _ := resting(t, settled(), customer, seller)
	quiet := trade(t, customer, seller)
	two, heap := resting(t, settled(), customer, seller)

	s := &siege{t: t, hub: hub}
	ctx, stop := context.WithTimeout(t.Context(), long)
	defer stop()
	var work sync.WaitGroup
	for _, attack := range []func(context.Context){
		s.invalidFrames, s.validSpam, s.giantLists, s.badAnswers, s.slow, s.garbage, s.unknownProtocols, s.halfOpen,
	} {
		work.Go(func() { attack(ctx) })
	}
	var worst time.Duration
	deals := 0
	for ; ctx.Err() == nil; deals++ {
		worst = max(worst, trade(t, customer, seller))
	}
	work.Wait()

	// Each deal leaves the addresses at which its sides go on listening.
	most := two + deals*max(0, two-one) + 30
	room := 2*heap + 32<<20
	began := time.Now()
	goroutines, left := resting(t, func(g int, h uint64) bool { return g <= most && h <= room }, customer, seller)
	t.Logf("%d deals within %s, the slowest in %s; one without the siege took %s", deals, long, worst.Round(time.Millisecond), quiet.Round(time.Millisecond))
	t.Logf("%d invalid frames were sent and %d looked at", s.sent.Load(), hub.Gossip.Stats().Rejected)
	t.Logf("%s after it: %d goroutines, %d before, %d for each deal; %.1f MiB of heap, %.1f before",
		time.Since(began).Round(time.Second), goroutines, two, two-one, float64(left)/(1<<20), float64(heap)/(1<<20))
	if goroutines > most {
		var stacks bytes.Buffer
		buf := make([]byte, 4<<20)
		stacks.Write(buf[:runtime.Stack(buf, true)])
		t.Errorf("%d goroutines, %d at most\n%s", goroutines, most, stacks.String())
	}
	if left > room {
		t.Errorf("%d bytes of heap in use, %d at most", left, room)
	}
	// Eight invalid frames shut a peer out; what waited in line by then is looked at.
	if rejected := hub.Gossip.Stats().Rejected; rejected == 0 || rejected > 3000 {
		t.Errorf("%d invalid frames were looked at", rejected)
	}
}
