package gossip

import (
	"encoding/binary"
	"io"
	"testing"
	"time"

	pb "github.com/libp2p/go-libp2p-pubsub/pb"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-msgio"
	"google.golang.org/protobuf/proto"

	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/codec"
	"github.com/parley-protocol/parley/spec/vectors"
	"github.com/parley-protocol/parley/spec/vectors/fuzzing"
)

func pbMessage(data string) *pb.Message { return &pb.Message{Data: []byte(data)} }

// eavesdrop makes a host a peer that speaks GossipSub by hand and collects what
// it is sent.
func eavesdrop(t *testing.T, h host.Host) <-chan *pb.RPC {
	t.Helper()
	heard := make(chan *pb.RPC, 1024)
	h.SetStreamHandler(protocol.ProtocolGossip, func(s network.Stream) {
		r := msgio.NewVarintReaderSize(s, maxRPC)
		for {
			raw, err := r.ReadMsg()
			if err != nil {
				s.Reset()
				return
			}
			rpc := new(pb.RPC)
			if err := proto.Unmarshal(raw, rpc); err != nil {
				t.Error(err)
			}
			heard <- rpc
		}
	})
	return heard
}

// speak opens the stream on which a peer talks GossipSub.
func speak(t *testing.T, from, to host.Host) func(*pb.RPC) {
	t.Helper()
	s, err := from.NewStream(t.Context(), to.ID(), protocol.ProtocolGossip)
	if err != nil {
		t.Fatal(err)
	}
	return func(rpc *pb.RPC) {
		t.Helper()
		raw, err := proto.Marshal(rpc)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Write(append(binary.AppendUvarint(nil, uint64(len(raw))), raw...)); err != nil {
			t.Fatal(err)
		}
	}
}

func subscribe(topics ...string) *pb.RPC {
	rpc := new(pb.RPC)
	for _, topic := range topics {
		rpc.Subscriptions = append(rpc.Subscriptions, &pb.RPC_SubOpts{Subscribe: proto.Bool(true), Topicid: proto.String(topic)})
	}
	return rpc
}

func graft(topic string) *pb.RPC {
	return &pb.RPC{Control: &pb.ControlMessage{Graft: []*pb.ControlGraft{{TopicID: proto.String(topic)}}}}
}

//spec:shows NET-7
func TestNothingOnTheWireNamesTheAuthor(t *testing.T) {
	simulate(t, 3, func(t *testing.T, hosts []host.Host) {
		author, relay := attach(t, hosts[0], Options{Flood: true}), attach(t, hosts[1], Options{})
		heard := eavesdrop(t, hosts[2])
		connect(t, hosts[0], hosts[1])
		connect(t, hosts[2], hosts[0])
		connect(t, hosts[2], hosts[1])
		for _, h := range hosts[:2] {
			say := speak(t, hosts[2], h)
			say(subscribe(topicOf(testMarket)))
			say(graft(topicOf(testMarket)))
		}
		time.Sleep(3 * time.Second)
		publish(t, author, "who said this?")
		time.Sleep(3 * time.Second)
		if !relay.desk.has("who said this?") {
			t.Error("the relay doesn't have it")
		}
		copies := 0
		for len(heard) > 0 {
			for _, m := range (<-heard).GetPublish() {
				copies++
				if m.From != nil || m.Seqno != nil || m.Signature != nil || m.Key != nil {
					t.Errorf("a message with From %x, seqno %x, signature %x, key %x", m.From, m.Seqno, m.Signature, m.Key)
				}
				if len(m.ProtoReflect().GetUnknown()) != 0 {
					t.Error("a message with something else")
				}
			}
		}
		if copies == 0 {
			t.Error("the eavesdropper heard nothing")
		}
	})
}

//spec:shows NET-7
func TestMessagesThatNameAnAuthorAreRefused(t *testing.T) {
	simulate(t, 2, func(t *testing.T, hosts []host.Host) {
		n := attach(t, hosts[0], Options{})
		eavesdrop(t, hosts[1])
		connect(t, hosts[1], hosts[0])
		say := speak(t, hosts[1], hosts[0])
		say(subscribe(topicOf(testMarket)))
		time.Sleep(time.Second)
		topic := proto.String(topicOf(testMarket))
		say(&pb.RPC{Publish: []*pb.Message{
			{Topic: topic, Data: []byte("from"), From: []byte(hosts[1].ID())},
			{Topic: topic, Data: []byte("seqno"), Seqno: []byte{1}},
			{Topic: topic, Data: []byte("signature"), Signature: []byte{1}},
			{Topic: topic, Data: []byte("plain")},
		}})
		time.Sleep(time.Second)
		if !n.desk.has("plain") || n.desk.size() != 1 {
			t.Errorf("%d frames were taken", n.desk.size())
		}
	})
}

//spec:shows NET-5 ERR-4
func TestSubscriptionsAreBounded(t *testing.T) {
	simulate(t, 2, func(t *testing.T, hosts []host.Host) {
		n := attach(t, hosts[0], Options{})
		eavesdrop(t, hosts[1])
		connect(t, hosts[1], hosts[0])
		say := speak(t, hosts[1], hosts[0])
		say(subscribe("/other/1/home", topicOf("Not A Market"), topicOf("")))
		for i := range 10 {
			var topics []string
			for j := range MaxMarkets {
				topics = append(topics, topicOf("m"+string(rune('a'+i))+"-"+string(rune('a'+j/26))+string(rune('a'+j%26))))
			}
			say(subscribe(topics...))
		}
		time.Sleep(time.Second)
		n.subscriptions.mu.Lock()
		noted := len(n.subscriptions.topics[hosts[1].ID()])
		n.subscriptions.mu.Unlock()
		if noted != MaxMarkets {
			t.Errorf("%d topics noted of a peer, limit %d", noted, MaxMarkets)
		}
		if err := hosts[1].Network().ClosePeer(hosts[0].ID()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		n.subscriptions.mu.Lock()
		defer n.subscriptions.mu.Unlock()
		if len(n.subscriptions.topics) != 0 {
			t.Error("a peer that went isn't forgotten")
		}
	})
}

// rawAsk sends bytes to the catch-up protocol and returns all that comes back.
func rawAsk(t *testing.T, from, to host.Host, raw []byte, closeWrite bool) ([]byte, error) {
	t.Helper()
	s, err := from.NewStream(t.Context(), to.ID(), ProtocolCatchup)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Reset()
	if _, err := s.Write(raw); err != nil {
		return nil, err
	}
	if closeWrite {
		s.CloseWrite()
	}
	return io.ReadAll(s)
}

func framed(raw []byte) []byte {
	return append(binary.AppendUvarint(nil, uint64(len(raw))), raw...)
}

func TestGarbageForCatchup(t *testing.T) {
	simulate(t, 2, func(t *testing.T, hosts []host.Host) {
		attach(t, hosts[0], Options{Handler: new(desk), Catchup: new(desk)})
		connect(t, hosts[1], hosts[0])
		for name, raw := range map[string][]byte{
			"nothing":    {},
			"no message": {0},
			"cut":        {10, 1, 2},
			"too long":   binary.AppendUvarint(nil, maxRequest+1),
			"huge":       {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
		} {
			if reply, err := rawAsk(t, hosts[1], hosts[0], raw, true); err == nil || len(reply) != 0 {
				t.Errorf("%s: %x, %v; want a reset", name, reply, err)
			}
		}
		// What is a message and no request gets an error.
		for name, raw := range map[string][]byte{
			"no CBOR":      {0xff},
			"no map":       {0x01},
			"empty map":    {0xa0},
			"wrong market": must(request{market: "food", limit: 1}.encode()),
		} {
			reply, err := rawAsk(t, hosts[1], hosts[0], framed(raw), true)
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			_, n := binary.Uvarint(reply)
			if p, err := decodePage(reply[n:]); err != nil || p.code == "" {
				t.Errorf("%s: %+v, %v", name, p, err)
			}
		}
		// Who sends half a request and falls silent is cut off.
		began := time.Now()
		if _, err := rawAsk(t, hosts[1], hosts[0], []byte{10, 1}, false); err == nil {
			t.Error("half a request was answered")
		}
		if took := time.Since(began); took > answerTime+time.Second {
			t.Errorf("it took %s to cut a silent peer off", took)
		}
	})
}

func must(raw []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return raw
}

func TestRequestComesBack(t *testing.T) {
	for _, r := range []request{{market: "home", limit: 1}, {market: "home/berlin", after: "x", limit: MaxPageFrames}} {
		got, err := decodeRequest(must(r.encode()))
		if err != nil || got != r {
			t.Errorf("%+v, %v; want %+v", got, err, r)
		}
	}
	for _, r := range []request{{market: "Home", limit: 1}, {market: "home"}, {market: "home", limit: MaxPageFrames + 1}, {market: "home", limit: 1, after: string(make([]byte, MaxCursor+1))}} {
		if got, err := decodeRequest(must(r.encode())); err == nil {
			t.Errorf("%+v passes", got)
		}
	}
}

func FuzzDecodeRequest(f *testing.F) {
	f.Add(must(request{market: "home", after: "x", limit: 7}.encode()))
	f.Add([]byte{0xa0})
	fuzzing.Each(f, "catchup-message", func(in message) {
		if in.Direction == "request" {
			f.Add(in.content())
		}
	})
	f.Fuzz(func(t *testing.T, raw []byte) {
		var r request
		var err error
		fuzzing.Bounded(t, len(raw), func() { r, err = decodeRequest(raw) })
		if err != nil {
			return
		}
		if again := must(r.encode()); string(again) != string(raw) {
			t.Fatalf("%x was read as %+v and written as %x", raw, r, again)
		}
	})
}

// message is a vector of the protocol: a whole stream.
type message struct {
	Direction string
	Stream    vectors.Hex
}

// content is the message without its length, whether that is right or not.
func (m message) content() []byte {
	_, n := binary.Uvarint(m.Stream)
	return m.Stream[max(n, 0):]
}

func FuzzDecodePage(f *testing.F) {
	f.Add(must(page{frames: [][]byte{{1}, {2, 3}}, next: "x"}.encode()))
	f.Add(must(page{code: protocol.CodeOverQuota, hint: "later"}.encode()))
	fuzzing.Each(f, "catchup-message", func(in message) {
		if in.Direction != "request" {
			f.Add(in.content())
		}
	})
	f.Fuzz(func(t *testing.T, raw []byte) {
		var p page
		var err error
		fuzzing.Bounded(t, len(raw), func() { p, err = decodePage(raw) })
		if err != nil {
			return
		}
		if len(p.frames) > MaxPageFrames || len(p.next) > MaxCursor {
			t.Fatalf("%d frames, cursor of %d bytes", len(p.frames), len(p.next))
		}
	})
}

func encodeMap(body map[string]any) ([]byte, error) { return codec.Message().Encode(body) }
