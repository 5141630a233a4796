package testnet_test

import (
	"bufio"
	"context"
	"crypto/ed25519"
	"crypto/rand"

	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	pb "github.com/libp2p/go-libp2p-pubsub/pb"
	"github.com/libp2p/go-libp2p/core/host"
	libp2p "github.com/libp2p/go-libp2p/core/network"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/parley-protocol/parley/crypto"
	"github.com/parley-protocol/parley/node/network"
	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/record"
	"github.com/parley-protocol/parley/protocol/record/recordtest"
)

// The flood comes from a process of its own, on one processor and with the lowest
// priority, so that what is measured is the nodes. It signs as it goes, and writes
// gossip's messages itself: many records in one message, and nothing comes back, as
// it is in no mesh.

// floodRole says that this process is to be the flood.
const floodRole = "PARLEY_FLOOD_ROLE"

// floodOrder is what the flood is told, as JSON on its standard input. A line after
// it lets it go on beyond Hold.
type floodOrder struct {
	Nodes     [][]string // addresses, of one node each
	Strangers int
	Records   int
	Hold      int // wait after so many
	PerSecond int
}

// flood is the other process.
type flood struct {
	sent  atomic.Int64
	size  int // bytes of its first record
	cmd   *exec.Cmd
	order io.WriteCloser
	read  sync.WaitGroup
}

// startFlood begins to flood the nodes.
func startFlood(tb testing.TB, o floodOrder) *flood {
	tb.Helper()
	f := &flood{size: newSpammer(tb).intent(tb).Size()}
	args := []string{os.Args[0]}
	if nice, err := exec.LookPath("nice"); err == nil {
		args = []string{nice, "-n", "19", os.Args[0]}
	}
	f.cmd = exec.CommandContext(tb.Context(), args[0], args[1:]...)
	f.cmd.Env = append(os.Environ(), floodRole+"=1", "GOMAXPROCS=1")
	f.cmd.Stderr = os.Stderr
	out, err := f.cmd.StdoutPipe()
	if err == nil {
		f.order, err = f.cmd.StdinPipe()
	}
	if err == nil {
		err = f.cmd.Start()
	}
	if err == nil {
		err = json.NewEncoder(f.order).Encode(o)
	}
	if err != nil {
		tb.Fatal(err)
	}
	f.read.Go(func() {
		for lines := bufio.NewScanner(out); lines.Scan(); {
			var n int64
			if _, err := fmt.Sscan(lines.Text(), &n); err == nil {
				f.sent.Store(n)
			}
		}
	})
	return f
}

// goOn lets it send what comes after Hold.
func (f *flood) goOn() { _, _ = io.WriteString(f.order, "\n") }

// wait waits until all is sent.
func (f *flood) wait() error {
	f.read.Wait()
	return f.cmd.Wait()
}

// beFlood is the other process's main: it tells on its standard output how much it
// has sent.
func beFlood() error {
	in := bufio.NewReader(os.Stdin)
	line, err := in.ReadBytes('\n')
	if err != nil {
		return err
	}
	var o floodOrder
	if err := json.Unmarshal(line, &o); err != nil {
		return err
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	released := make(chan struct{})
	go func() {
		_, _ = in.ReadByte()
		close(released)
		_, _ = io.Copy(io.Discard, in) // until the test is over
		stop()
	}()
	var hosts []*stranger
	for range o.Strangers {
		s, err := newStranger(ctx, o.Nodes)
		if err != nil {
			return err
		}
		defer s.close()
		hosts = append(hosts, s)
	}
	spam := newSpammer(noTest{})
	sent := 0
	paced(ctx, o.PerSecond, func(n int) bool {
		batches := make([][][]byte, len(hosts))
		for range n {
			if sent == o.Hold {
				fmt.Println(sent)
				select {
				case <-released:
				case <-ctx.Done():
					return false
				}
			}
			if sent == o.Records {
				break
			}
			var r *record.Record
			if r, err = spam.sign(); err != nil {
				return false
			}
			to := sent % len(hosts)
			batches[to] = append(batches[to], record.EncodeFrame(r.Raw(), nil))
			sent++
		}
		for i, frames := range batches {
			if err = hosts[i].send(frames); err != nil {
				return false
			}
		}
		fmt.Println(sent)
		return sent < o.Records
	})
	if err == nil && sent < o.Records {
		err = context.Cause(ctx)
	}
	for _, s := range hosts {
		err = errors.Join(err, s.finish())
	}
	return err
}

// stranger is connected to nodes and says what it likes.
type stranger struct {
	net     *network.Network
	streams []libp2p.Stream
}

func newStranger(ctx context.Context, nodes [][]string) (*stranger, error) {
	c := network.DefaultConfig()
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		return nil, err
	}
	c.Seed, c.TestProfile, c.ListenAddrs = [32]byte(key.Seed()), true, nil
	n, err := network.New(c)
	if err != nil {
		return nil, err
	}
	s := &stranger{net: n}
	if err := n.Start(ctx); err != nil { // before, it dials nobody
		s.close()
		return nil, err
	}
	for _, addrs := range nodes {
		stream, err := gossipStream(ctx, n.Host(), addrs)
		if err != nil {
			s.close()
			return nil, err
		}
		s.streams = append(s.streams, stream)
	}
	return s, nil
}

func gossipStream(ctx context.Context, h host.Host, addrs []string) (libp2p.Stream, error) {
	infos, err := network.ParsePeers(addrs)
	if err != nil {
		return nil, err
	}
	if err := h.Connect(ctx, infos[0]); err != nil {
		return nil, err
	}
	return h.NewStream(ctx, infos[0].ID, protocol.ProtocolGossip)
}

func (s *stranger) close() { s.net.Close() }

// finish waits until the nodes have read all: each ends its side of the stream then.
func (s *stranger) finish() error {
	for _, stream := range s.streams {
		if err := stream.CloseWrite(); err != nil {
			return err
		}
		_ = stream.SetReadDeadline(time.Now().Add(time.Minute))
		if _, err := io.Copy(io.Discard, stream); err != nil {
			return err
		}
	}
	return nil
}

// send writes frames to every node, in messages of at most half of what one may have.
func (s *stranger) send(frames [][]byte) error {
	topic := protocol.TopicMarketPrefix + market
	for len(frames) > 0 {
		rpc, size := &pb.RPC{}, 0
		for len(frames) > 0 && size < protocol.MaxFrameBytes/2 {
			size += len(frames[0])
			rpc.Publish = append(rpc.Publish, &pb.Message{Data: frames[0], Topic: &topic})
			frames = frames[1:]
		}
		raw, err := proto.Marshal(rpc)
		if err != nil {
			return err
		}
		raw = append(protowire.AppendVarint(nil, uint64(len(raw))), raw...)
		for _, stream := range s.streams {
			_ = stream.SetWriteDeadline(time.Now().Add(time.Minute))
			if _, err := stream.Write(raw); err != nil {
				return err
			}
		}
	}
	return nil
}

// spammer signs valid intents of about 600 bytes, each by a new key.
type spammer struct {
	reply record.ReplyTo
	n     atomic.Uint64
}

func newSpammer(tb recordtest.TB) *spammer {
	return &spammer{reply: recordtest.NewParty("spam").ReplyTo(tb)}
}

// noTest is for the other process, which has none.
type noTest struct{}

func (noTest) Helper() {}

func (noTest) Fatalf(format string, args ...any) { panic(fmt.Sprintf(format, args...)) }

func (s *spammer) intent(tb testing.TB) *record.Record {
	r, err := s.sign()
	if err != nil {
		tb.Error(err)
	}
	return r
}

func (s *spammer) sign() (*record.Record, error) {
	n := s.n.Add(1)
	var seed, salt [32]byte
	_, _ = rand.Read(seed[:]) // never fails
	_, _ = rand.Read(salt[:])
	now := time.Now().Unix()
	return record.Sign(record.Header{At: now, RetainUntil: now + 90*recordtest.Day}, &record.Intent{
		Salt: salt, Market: market, Name: fmt.Sprint("Something that nobody wants, number ", n),
		Description: "In good order, with what belongs to it; to be brought or fetched by Friday at the latest.",
		Category:    []string{fmt.Sprint("cpv:", 10000000+n%200)}, ItemOffered: []record.DemandItem{{Name: "One of these things"}},
		ValidUntil: now + 30*recordtest.Day + int64(n%100_000), Terms: []record.TermsRef{{Roster: "PDC-INTENT"}}, Awards: 1, ReplyTo: s.reply,
	}, crypto.NewSigner(seed))
}

// paced calls do with a number that adds up to perSecond, until it returns false
// or ctx ends.
func paced(ctx context.Context, perSecond int, do func(n int) bool) {
	const step = 10 * time.Millisecond
	tick := time.NewTicker(step)
	defer tick.Stop()
	began, done := time.Now(), 0
	for {
		n := int(time.Since(began).Seconds()*float64(perSecond)) - done
		if n > perSecond { // it was held up: no burst afterwards
			began = began.Add(time.Duration(n) * time.Second / time.Duration(perSecond))
			n = 0
		}
		if n > 0 {
			if !do(n) {
				return
			}
			done += n
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
