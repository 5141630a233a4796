package mailbox

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	lp2p "github.com/libp2p/go-libp2p/core/protocol"
	"github.com/libp2p/go-libp2p/x/simlibp2p"
	"github.com/marcopolo/simnet"

	"github.com/parley-protocol/parley/crypto"
	"github.com/parley-protocol/parley/node/spool"
)

// simulate runs a test on hosts of a simulated network, in virtual time.
func simulate(t *testing.T, hosts int, test func(t *testing.T, hosts []host.Host)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		link := simnet.LinkSettings{BitsPerSecond: 100 * simlibp2p.OneMbps}
		network, meta, err := simlibp2p.SimpleLibp2pNetwork([]simlibp2p.NodeLinkSettingsAndCount{
			{LinkSettings: simnet.NodeBiDiLinkSettings{Downlink: link, Uplink: link}, Count: hosts},
		}, simnet.StaticLatency(10*time.Millisecond), simlibp2p.NetworkSettings{})
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

// direct is a courier over one host, with the rules of the real one.
type direct struct{ host host.Host }

func (d direct) Do(ctx context.Context, _ string, to peer.AddrInfo, proto lp2p.ID, use func(network.Stream) error) error {
	if err := d.host.Connect(ctx, to); err != nil {
		return err
	}
	s, err := d.host.NewStream(ctx, to.ID, proto)
	if err != nil {
		return err
	}
	if err := use(s); err != nil {
		s.Reset()
		return err
	}
	s.Close()
	return nil
}

// memory is a store whose Puts can be held up.
type memory struct {
	mu      sync.Mutex
	blobs   map[string][]spool.Info
	bytes   map[ID][]byte
	arrival uint64
	gate    chan struct{} // when set, Put waits for it before it is durable
	fail    error         // when set, Put fails
	fill    float64
}

func (m *memory) Put(ctx context.Context, bucket string, id ID, blob []byte, expires time.Time) (bool, error) {
	if m.gate != nil {
		select {
		case <-m.gate:
		case <-ctx.Done():
			return false, ctx.Err()
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail != nil {
		return false, m.fail
	}
	if m.bytes == nil {
		m.blobs, m.bytes = make(map[string][]spool.Info), make(map[ID][]byte)
	}
	for _, info := range m.blobs[bucket] {
		if info.ID == id {
			return true, nil
		}
	}
	m.arrival++
	m.blobs[bucket] = append(m.blobs[bucket], spool.Info{Bucket: bucket, ID: id, Size: len(blob), Expires: expires, Arrival: m.arrival})
	m.bytes[id] = blob
	return false, nil
}

func (m *memory) Get(_ context.Context, _ string, id ID) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if blob, ok := m.bytes[id]; ok {
		return blob, nil
	}
	return nil, errNotFound
}

func (m *memory) Delete(bucket string, id ID) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i, info := range m.blobs[bucket] {
		if info.ID == id {
			m.blobs[bucket] = append(m.blobs[bucket][:i:i], m.blobs[bucket][i+1:]...)
			return nil
		}
	}
	return errNotFound
}

func (m *memory) Bucket(bucket string) []spool.Info {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]spool.Info(nil), m.blobs[bucket]...)
}

func (m *memory) Fill() float64 { return m.fill }

func (m *memory) Sweep(time.Time) (int, error) { return 0, nil }

// serve makes a mailbox on a host, closed with the test, with the real store
// unless another is given.
func serve(t *testing.T, h host.Host, store Store, limits Limits) *Server {
	t.Helper()
	if store == nil {
		sp, err := spool.Open(t.TempDir(), SpoolLimits(64<<20))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { sp.Close() })
		store = sp
	}
	s, err := NewServer(h, store, limits)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// addr is a host's full multiaddr.
func addr(h host.Host) string { return h.Addrs()[0].String() + "/p2p/" + h.ID().String() }

// token is what envelopes for a seed are left under.
func token(seed crypto.SealingSeed) Token { return seed.Token() }

// letter is the i-th of some envelopes.
func letter(i int) []byte { return fmt.Appendf(nil, "envelope %d", i) }

// leave deposits one copy.
func leave(t *testing.T, c *Client, mailboxes []string, token Token, envelope []byte) (Receipt, error) {
	t.Helper()
	kept, err := c.Deposit(t.Context(), "p", mailboxes, token, envelope, 1)
	if err != nil {
		return Receipt{}, err
	}
	if len(kept) != 1 {
		t.Fatalf("one copy lies at %d mailboxes", len(kept))
	}
	return kept[0], nil
}

// inbox collects what Receive hands over.
type inbox struct {
	got   chan Envelope
	close func()
}

// receive runs Receive in the background until the test ends. refuse, when set,
// tells the envelopes that the handler doesn't take.
func receive(t *testing.T, c *Client, seed crypto.SealingSeed, refuse func(Envelope) error, mailboxes ...string) *inbox {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	in := &inbox{got: make(chan Envelope, 1024)}
	done := make(chan error, 1)
	go func() {
		done <- c.Receive(ctx, "purpose", mailboxes, seed, func(_ context.Context, e Envelope) error {
			in.got <- e
			if refuse != nil {
				return refuse(e)
			}
			return nil
		})
	}()
	in.close = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != context.Canceled {
			t.Errorf("Receive ended with %v", err)
		}
	})
	t.Cleanup(in.close)
	return in
}

// next waits for an envelope.
func (in *inbox) next(t *testing.T, within time.Duration) Envelope {
	t.Helper()
	select {
	case e := <-in.got:
		return e
	case <-time.After(within):
		t.Fatalf("nothing came within %s", within)
		return Envelope{}
	}
}
