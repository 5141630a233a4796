package gossip

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/metrics"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	lp2p "github.com/libp2p/go-libp2p/core/protocol"

	parley "github.com/parley-protocol/parley/node/network"
	"github.com/parley-protocol/parley/node/nodetest"
	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/reconcile"
)

// A peer that takes the question and never answers holds up neither who leaves the
// market nor who closes.
func TestSilentPeerHoldsUpNoEnd(t *testing.T) {
	for _, id := range []lp2p.ID{protocol.ProtocolReconcile, ProtocolCatchup} {
		for end, do := range map[string]func(n *node) error{
			"leave": func(n *node) error { return n.Leave(testMarket) },
			"close": func(n *node) error { return n.Close() },
		} {
			t.Run(fmt.Sprint(id, " ", end), func(t *testing.T) {
				simulate(t, 2, func(t *testing.T, hosts []host.Host) {
					attach(t, hosts[0], Options{})
					asked, over := make(chan struct{}, 16), make(chan struct{})
					defer close(over)
					hosts[0].SetStreamHandler(id, func(s network.Stream) {
						asked <- struct{}{}
						<-over
						s.Reset()
					})
					n := attachBoth(t, hosts[1], quick())
					connect(t, hosts[1], hosts[0])
					<-asked
					time.Sleep(time.Second)
					began := time.Now()
					if err := do(n); err != nil {
						t.Fatal(err)
					}
					if took := time.Since(began); took > 2*time.Second {
						t.Errorf("it took %s", took)
					}
				})
			})
		}
	}
}

// filled is a desk that has n frames of some size.
func filled(n, size int, skip func(int) bool) *desk {
	d := &desk{kept: make(map[string]Path)}
	for i := range n {
		if skip != nil && skip(i) {
			continue
		}
		frame := fmt.Sprintf("frame %d %s", i, strings.Repeat(".", size))
		d.kept[frame] = PathGossip
		d.order = append(d.order, frame)
	}
	return d
}

// traffic counts the bytes of the protocol's streams, as libp2p does.
type traffic struct {
	metrics.Reporter
	sent, received atomic.Int64
}

func (*traffic) LogSentMessage(int64) {}
func (*traffic) LogRecvMessage(int64) {}

func (c *traffic) LogSentMessageStream(size int64, id lp2p.ID, _ peer.ID) {
	if id == protocol.ProtocolReconcile {
		c.sent.Add(size)
	}
}

func (c *traffic) LogRecvMessageStream(size int64, id lp2p.ID, _ peer.ID) {
	if id == protocol.ProtocolReconcile {
		c.received.Add(size)
	}
}

// Ten differences among so many records: what goes over the wire, both ways and
// with everything that libp2p adds, is bounded by the difference. PARLEY_RECONCILE
// says how many records there are.
func TestBandwidthIsThatOfTheDifference(t *testing.T) {
	n := sized(t, "PARLEY_RECONCILE", 20_000)
	const size = 600
	left := filled(n, size, func(i int) bool { return i%(n/5) == 7 })
	right := filled(n, size, func(i int) bool { return i%(n/5) == 1234 })
	timing := quick()
	timing.Second = 200 * time.Millisecond
	counter := new(traffic)
	a, b := loopback(t, libp2p.BandwidthReporter(counter)), loopback(t)
	first := attach(t, a, Options{Handler: left, Catchup: left, Timing: timing})
	second := attach(t, b, Options{Handler: right, Catchup: right, Timing: timing})
	connect(t, a, b)
	nodetest.Await(t, "both have everything", func() bool { return left.size() == n && right.size() == n })
	nodetest.Await(t, "both have looked twice", func() bool { return first.Stats().CatchupSessions == 2 && second.Stats().CatchupSessions == 2 })
	out, in := counter.sent.Load(), counter.received.Load()
	total := out + in
	t.Logf("%d records of %d bytes, 5 differences either way: %d bytes out and %d in, of both nodes' sessions", n, size, out, in)
	if total > 64<<10 {
		t.Errorf("%d bytes went over the wire, more than 64 KiB", total)
	}
	if total < 10*size {
		t.Errorf("%d bytes were counted: fewer than the records have", total)
	}
	if s := first.Stats(); s.CatchupReceived != 5 || s.CatchupMissing != 0 {
		t.Errorf("%+v", s)
	}
}

// A node that has nothing fetches everything, page by page, from one that has much.
func TestEverythingIsMissing(t *testing.T) {
	simulate(t, 2, func(t *testing.T, hosts []host.Host) {
		const frames = 3000
		full := filled(frames, 400, nil)
		attach(t, hosts[0], Options{Handler: full, Catchup: full, Timing: quick()})
		n := attachBoth(t, hosts[1], quick())
		connect(t, hosts[1], hosts[0])
		time.Sleep(time.Minute)
		if n.desk.size() != frames {
			t.Errorf("%d frames came, want %d: %+v", n.desk.size(), frames, n.Stats())
		}
	})
}

// What one side refuses isn't fetched again with every session.
//
//spec:shows NET-33
func TestRefusedIsNotFetchedAgain(t *testing.T) {
	simulate(t, 2, func(t *testing.T, hosts []host.Host) {
		full := filled(10, 0, nil)
		full.order = append(full.order, "old news") // the other's Check ignores it
		server := attach(t, hosts[0], Options{Handler: full, Catchup: full, Timing: quick()})
		n := attachBoth(t, hosts[1], Timing{Periodic: 30 * time.Second})
		connect(t, hosts[1], hosts[0])
		time.Sleep(8 * time.Minute)
		if s := n.Stats(); s.CatchupSessions < 5 || n.desk.size() != 10 {
			t.Errorf("%d frames after %+v", n.desk.size(), s)
		}
		if got := server.Stats().CatchupServed; got != 11 {
			t.Errorf("%d frames were given, want each once", got)
		}
	})
}

// Who is asked and sees that the other has something asks in return, though nothing
// else would have made it.
//
//spec:shows NET-35
func TestWhoIsAskedAsksBack(t *testing.T) {
	simulate(t, 2, func(t *testing.T, hosts []host.Host) {
		empty := attachBoth(t, hosts[0], Timing{First: time.Hour, Periodic: time.Hour})
		full := filled(5, 0, nil)
		attach(t, hosts[1], Options{Handler: full, Catchup: full, Timing: quick()})
		connect(t, hosts[1], hosts[0])
		time.Sleep(10 * time.Second)
		if empty.desk.size() != 5 {
			t.Errorf("%d frames, want 5: %+v", empty.desk.size(), empty.Stats())
		}
	})
}

// What full queues drop comes by asking, with the next round.
func TestDroppedFramesComeByAsking(t *testing.T) {
	simulate(t, 2, func(t *testing.T, hosts []host.Host) {
		full := new(desk)
		author := attach(t, hosts[0], Options{Handler: full, Catchup: full, Timing: quick()})
		stuck := &desk{slow: make(chan struct{})}
		n := attach(t, hosts[1], Options{Handler: stuck, Catchup: stuck})
		connect(t, hosts[1], hosts[0])
		time.Sleep(5 * time.Second)
		const frames = 3 * verifying
		for i := range frames {
			publish(t, author, fmt.Sprint("frame ", i))
			time.Sleep(10 * time.Millisecond)
		}
		if n.Stats().DroppedUnverified == 0 {
			t.Fatalf("nothing was dropped: %+v", n.Stats())
		}
		close(stuck.slow)
		time.Sleep(5 * time.Minute)
		if stuck.size() != frames {
			t.Errorf("%d frames of %d: %+v", stuck.size(), frames, n.Stats())
		}
	})
}

// liar answers a peer that reconciles by hand.
type liar func(s network.Stream, request []byte) error

func (l liar) handle(s network.Stream) {
	for {
		raw, err := readFramed(s)
		if err == nil {
			err = l(s, raw)
		}
		if err != nil {
			s.Reset()
			return
		}
	}
}

func readFramed(s io.Reader) ([]byte, error) {
	b := byteReader{s}
	n, err := binary.ReadUvarint(b)
	if err != nil || n > 1<<20 {
		return nil, errors.Join(err, io.ErrUnexpectedEOF)
	}
	raw := make([]byte, n)
	_, err = io.ReadFull(s, raw)
	return raw, err
}

type byteReader struct{ io.Reader }

func (r byteReader) ReadByte() (byte, error) {
	var b [1]byte
	_, err := io.ReadFull(r, b[:])
	return b[0], err
}

func say(s network.Stream, body map[string]any) error {
	raw, err := encodeMap(body)
	if err != nil {
		return err
	}
	_, err = s.Write(framed(raw))
	return err
}

// wants reports whether a request is for records.
func wants(request []byte) bool {
	body, err := parley.DecodeMap(request)
	return err == nil && body["want"] != nil
}

func invented(from, n int) *reconcile.Set {
	var items []reconcile.Item
	for i := range n {
		items = append(items, reconcile.Item{Time: farOff, ID: sha256.Sum256(fmt.Appendf(nil, "invented %d", from+i))})
	}
	return reconcile.NewSet(items)
}

// TestFalseReconciliation: liars of every kind, eight of each, came to a node before
// the one honest peer that has what it missed. What it gets all the same, and when.
//
//spec:shows NET-32
func TestFalseReconciliation(t *testing.T) {
	const liars, frames = 8, 500
	var turn atomic.Int64
	for name, lie := range map[string]liar{
		"tells of records that it doesn't have": func(s network.Stream, request []byte) error {
			body, err := parley.DecodeMap(request)
			if err != nil {
				return err
			}
			if ids, ok := body["want"].([]any); ok {
				return say(s, map[string]any{"frames": []any{}, "through": int64(len(ids))})
			}
			answer, err := reconcile.Answer(invented(int(turn.Add(5000)), 5000), body["message"].([]byte), 32<<10)
			if err != nil {
				return err
			}
			return say(s, map[string]any{"message": answer})
		},
		"never ends": func(s network.Stream, request []byte) error {
			if wants(request) {
				return io.EOF
			}
			// Another fingerprint of everything, each time.
			message := append([]byte{0x61, 0, 0, 1}, invented(int(turn.Add(1)), 1).Items()[0].ID[:16]...)
			return say(s, map[string]any{"message": message})
		},
		"lists out of order": func(s network.Stream, _ []byte) error {
			return say(s, map[string]any{"message": []byte{0x61, 9, 1, 9, 0, 1, 1, 8, 0}})
		},
		"is cut off": func(s network.Stream, _ []byte) error {
			return say(s, map[string]any{"message": []byte{0x61, 0, 0, 2, 0xff, 0xff, 0x7f}})
		},
		"too large": func(s network.Stream, _ []byte) error {
			_, err := s.Write(binary.AppendUvarint(nil, 1<<40))
			return err
		},
		"gives other records": func(s network.Stream, request []byte) error {
			if wants(request) {
				return say(s, map[string]any{"frames": []any{fmt.Appendf(nil, "unasked %d", turn.Add(1))}, "through": int64(1)})
			}
			return say(s, map[string]any{"message": must(reconcile.Answer(invented(0, 20), first(request), 32<<10))})
		},
		"gives forged records": func(s network.Stream, request []byte) error {
			if wants(request) {
				return say(s, map[string]any{"frames": []any{[]byte("forged")}, "through": int64(1)})
			}
			return say(s, map[string]any{"message": must(reconcile.Answer(invented(0, 20), first(request), 32<<10))})
		},
		"page about nothing": func(s network.Stream, request []byte) error {
			if wants(request) {
				return say(s, map[string]any{"frames": []any{}, "through": int64(0)})
			}
			return say(s, map[string]any{"message": must(reconcile.Answer(invented(0, 20), first(request), 32<<10))})
		},
		"says nothing": func(s network.Stream, _ []byte) error {
			_, err := io.Copy(io.Discard, s)
			return errors.Join(err, io.EOF)
		},
		"refuses": func(s network.Stream, _ []byte) error {
			return say(s, map[string]any{"error": "over_quota"})
		},
		"trickles": func(s network.Stream, request []byte) error {
			if wants(request) {
				if err := s.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
					return err
				}
				if _, err := io.Copy(io.Discard, s); !errors.Is(err, os.ErrDeadlineExceeded) {
					return io.EOF
				}
				return errors.Join(s.SetReadDeadline(time.Time{}), say(s, map[string]any{"frames": []any{}, "through": int64(1)}))
			}
			return say(s, map[string]any{"message": must(reconcile.Answer(invented(0, 20), first(request), 32<<10))})
		},
	} {
		t.Run(name, func(t *testing.T) {
			simulate(t, liars+2, func(t *testing.T, hosts []host.Host) {
				var received, answered atomic.Int64
				for _, h := range hosts[1 : liars+1] {
					attach(t, h, Options{})
					h.SetStreamHandler(protocol.ProtocolReconcile, liar(func(s network.Stream, request []byte) error {
						received.Add(int64(len(request)))
						answered.Add(1)
						return lie(s, request)
					}).handle)
				}
				n := attachBoth(t, hosts[0], Timing{})
				for _, h := range hosts[1 : liars+1] {
					connect(t, hosts[0], h)
				}
				time.Sleep(time.Second)
				full := filled(frames, 100, nil)
				attach(t, hosts[liars+1], Options{Handler: full, Catchup: full})
				connect(t, hosts[0], hosts[liars+1])
				began := time.Now()
				for n.desk.size() < frames && time.Since(began) < 10*time.Minute {
					time.Sleep(100 * time.Millisecond)
				}
				took := time.Since(began)
				time.Sleep(10*time.Minute - took)
				t.Logf("all %d records after %s; the liars were asked %d times and got %d bytes in ten minutes", n.desk.size(), took.Round(100*time.Millisecond), answered.Load(), received.Load())
				if n.desk.size() < frames || took > 90*time.Second {
					t.Errorf("%d of %d records after %s: %+v", n.desk.size(), frames, took, n.Stats())
				}
				if most := int64(64 << 20); received.Load() > most {
					t.Errorf("the liars drew %d bytes", received.Load())
				}
			})
		})
	}
}

// first is the message of a request.
func first(request []byte) []byte {
	body, err := parley.DecodeMap(request)
	if err != nil {
		return nil
	}
	message, _ := body["message"].([]byte)
	return message
}
