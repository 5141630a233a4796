package catchup

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"go.uber.org/goleak"

	"github.com/parley-protocol/parley/node/nodetest"
	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/reconcile"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	market = "furniture/office"
	now    = 1_800_000_000
)

// shelf is a source: records of the market, and one that isn't of it.
type shelf struct{ live, other map[ID][]byte }

func newShelf(n int, size int) *shelf {
	s := &shelf{live: map[ID][]byte{}, other: map[ID][]byte{}}
	for i := range n {
		frame := append(fmt.Appendf(nil, "frame %d", i), make([]byte, size)...)
		s.live[sha256.Sum256(frame)] = frame
	}
	s.other[secret] = []byte("an acceptance")
	return s
}

var secret = ID(sha256.Sum256([]byte("an acceptance")))

func (s *shelf) Live(context.Context, string, int64) (*reconcile.Set, error) {
	var items []reconcile.Item
	for id := range s.live {
		items = append(items, reconcile.Item{Time: now + 60, ID: id})
	}
	return reconcile.NewSet(items), nil
}

func (s *shelf) Frame(_ context.Context, _ string, _ int64, id ID) ([]byte, error) {
	if frame, ok := s.live[id]; ok {
		return frame, nil
	}
	return nil, protocol.Errorf(protocol.CodeNotFound, "", "not here")
}

// pair is a server and a host that asks it.
func pair(t *testing.T, source Source) (server *Server, from host.Host, to peer.ID) {
	t.Helper()
	var hosts [2]host.Host
	for i := range hosts {
		h, err := libp2p.New(libp2p.ListenAddrStrings("/ip4/127.0.0.1/tcp/0"), libp2p.DisableRelay(), libp2p.DisableMetrics())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { h.Close() })
		hosts[i] = h
	}
	server = NewServer(source, func() time.Time { return time.Unix(now, 0) }, func(name string) error {
		if name != market {
			return protocol.Errorf(protocol.CodeWrongMarket, "market", "not here")
		}
		return nil
	}, func(string, peer.ID) {})
	t.Cleanup(server.Close)
	hosts[1].SetStreamHandler(protocol.ProtocolReconcile, server.Handle)
	if err := hosts[0].Connect(t.Context(), *host.InfoFromHost(hosts[1])); err != nil {
		t.Fatal(err)
	}
	return server, hosts[0], hosts[1].ID()
}

func dial(t *testing.T, from host.Host, to peer.ID) network.Stream {
	t.Helper()
	s, err := from.NewStream(t.Context(), to, protocol.ProtocolReconcile)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Reset() })
	if err := s.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	return s
}

// ask sends one request and reads its answer.
func ask(t *testing.T, s network.Stream, r request) answer {
	t.Helper()
	raw, err := r.encode()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Write(append(binary.AppendUvarint(nil, uint64(len(raw))), raw...)); err != nil {
		t.Fatal(err)
	}
	var b [1]byte
	size, shift := 0, 0
	for {
		if _, err := io.ReadFull(s, b[:]); err != nil {
			t.Fatal(err)
		}
		size |= int(b[0]&0x7f) << shift
		if shift += 7; b[0] < 0x80 {
			break
		}
	}
	raw = make([]byte, size)
	if _, err := io.ReadFull(s, raw); err != nil {
		t.Fatal(err)
	}
	a, err := decodeAnswer(raw)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func begin() request {
	return request{market: market, cutoff: now, message: reconcile.NewSession(reconcile.NewSet(nil), MaxMessage).First()}
}

// What a node answers to requests of every kind, and that it gives nothing that
// isn't of the market's live set.
//
//spec:shows NET-30
func TestAnswers(t *testing.T) {
	source := newShelf(3, 0)
	_, from, to := pair(t, source)
	var known ID
	for known = range source.live {
		break
	}
	s := dial(t, from, to)
	if a := ask(t, s, begin()); len(a.message) < 3*reconcile.IDSize {
		t.Errorf("%+v; want three IDs", a)
	}
	a := ask(t, s, request{want: []ID{secret, known, {1}}})
	if a.through != 3 || len(a.frames) != 1 || string(a.frames[0]) != string(source.live[known]) {
		t.Errorf("%+v; want the one record that is of the market", a)
	}
	for name, c := range map[string]struct {
		say  []request
		want protocol.Code
	}{
		"another market":           {[]request{{market: "food", cutoff: now, message: []byte{0x61}}}, protocol.CodeWrongMarket},
		"a wrong clock":            {[]request{{market: market, cutoff: now + 601, message: []byte{0x61}}}, protocol.CodeClockSkew},
		"a slow clock":             {[]request{{market: market, cutoff: now - 601, message: []byte{0x61}}}, protocol.CodeClockSkew},
		"wants at once":            {[]request{{want: []ID{known}}}, protocol.CodeMissingField},
		"no market":                {[]request{{message: []byte{0x61}}}, protocol.CodeBadField},
		"a market again":           {[]request{begin(), begin()}, protocol.CodeBadField},
		"a message that is none":   {[]request{begin(), {message: []byte{0x61, 0, 0, 9}}}, protocol.CodeMalformed},
		"a message of other kind":  {[]request{{market: market, cutoff: now, message: []byte{0x10}}}, protocol.CodeUnsupportedVersion},
		"a message that goes down": {[]request{begin(), {message: []byte{0x61, 5, 1, 9, 0, 1, 1, 8, 0}}}, protocol.CodeMalformed},
	} {
		s := dial(t, from, to)
		var last answer
		for _, r := range c.say {
			last = ask(t, s, r)
		}
		if last.code != c.want {
			t.Errorf("%s: %+v, want %s", name, last, c.want)
		}
		if _, err := s.Read(make([]byte, 1)); err == nil {
			t.Errorf("%s: the session goes on", name)
		}
	}
}

// A page has as much as fits, and says how far it goes.
func TestPagesFit(t *testing.T) {
	source := newShelf(20, 60_000)
	server, from, to := pair(t, source)
	s := dial(t, from, to)
	ask(t, s, begin())
	var want []ID
	for id := range source.live {
		want = append(want, id)
	}
	got := 0
	for len(want) > 0 {
		a := ask(t, s, request{want: want})
		if len(a.frames) != a.through || a.through != MaxPageBytes/60_010 {
			t.Fatalf("%d frames through %d", len(a.frames), a.through)
		}
		got += len(a.frames)
		want = want[a.through:]
	}
	if got != 20 {
		t.Errorf("%d frames", got)
	}
	nodetest.Await(t, "the last is counted, once it is sent", func() bool { return server.Served() == 20 })
}

// One peer has so many sessions at once and no more, and gets so much and no more.
//
//spec:shows NET-30
func TestShares(t *testing.T) {
	server, from, to := pair(t, newShelf(1, 0))
	for range perPeer {
		ask(t, dial(t, from, to), begin())
	}
	if a := ask(t, dial(t, from, to), begin()); a.code != protocol.CodeOverQuota {
		t.Errorf("%+v; want over_quota for one session more", a)
	}
	id := from.ID()
	for range peerBurst / MaxPageBytes {
		_ = server.pay(id, MaxPageBytes)
	}
	if err := server.pay(id, MaxPageBytes); protocol.CodeOf(err) != protocol.CodeOverQuota {
		t.Errorf("%v; want over_quota for the peer", err)
	}
	if err := server.pay("another", MaxPageBytes); err != nil {
		t.Errorf("another peer: %v", err)
	}
	for i := range allBurst/peerBurst + 1 {
		for range peerBurst / MaxPageBytes {
			_ = server.pay(peer.ID(fmt.Sprint("sybil ", i)), MaxPageBytes)
		}
	}
	if err := server.pay("a newcomer", MaxPageBytes); protocol.CodeOf(err) != protocol.CodeOverQuota {
		t.Errorf("%v; want over_quota for all together", err)
	}
	if server.Refused() == 0 {
		t.Error("no refusal was counted")
	}
}

// An end of the server ends its sessions.
func TestCloseEndsSessions(t *testing.T) {
	server, from, to := pair(t, newShelf(1, 0))
	s := dial(t, from, to)
	ask(t, s, begin())
	server.Close()
	if _, err := s.Read(make([]byte, 1)); err == nil {
		t.Error("the session goes on")
	}
}
