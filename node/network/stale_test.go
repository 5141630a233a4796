package network

import (
	"context"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/p2p/protocol/ping"
	ma "github.com/multiformats/go-multiaddr"
)

// relay passes UDP packets between one client and a server, and can go dead as
// a machine does that loses its power: without a word.
type relay struct {
	front  *net.UDPConn
	server *net.UDPAddr
	work   sync.WaitGroup

	mu   sync.Mutex
	back *net.UDPConn
	cut  bool
}

func newRelay(t *testing.T, server *net.UDPAddr) *relay {
	t.Helper()
	front, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	r := &relay{front: front, server: server}
	r.work.Go(r.forth)
	t.Cleanup(func() {
		front.Close()
		r.mu.Lock()
		if r.back != nil {
			r.back.Close()
		}
		r.mu.Unlock()
		r.work.Wait()
	})
	return r
}

func (r *relay) die() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.cut = true
}

func (r *relay) dead() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.cut
}

func (r *relay) forth() {
	buf := make([]byte, 1<<16)
	for {
		n, client, err := r.front.ReadFromUDP(buf)
		if err != nil {
			return
		}
		r.mu.Lock()
		if r.back == nil {
			if r.back, err = net.DialUDP("udp4", nil, r.server); err == nil {
				back := r.back
				r.work.Go(func() { r.backTo(back, client) })
			}
		}
		back := r.back
		r.mu.Unlock()
		if err != nil {
			return
		}
		if !r.dead() {
			_, _ = back.Write(buf[:n]) // packets may be lost
		}
	}
}

func (r *relay) backTo(back *net.UDPConn, client *net.UDPAddr) {
	buf := make([]byte, 1<<16)
	for {
		n, err := back.Read(buf)
		if err != nil {
			return
		}
		if !r.dead() {
			_, _ = r.front.WriteToUDP(buf[:n], client)
		}
	}
}

// A peer that lost its power and comes back under the same name is not sent
// anything down the connection of its former life, which over QUIC takes half a
// minute to time out.
func TestRestartedPeerIsFoundOut(t *testing.T) {
	b := start(t, config(t, loopQUIC))
	listens := b.Host().Addrs()[0]
	port, err := listens.ValueForProtocol(ma.P_UDP)
	if err != nil {
		t.Fatal(err)
	}
	server, err := net.ResolveUDPAddr("udp4", "127.0.0.1:"+port)
	if err != nil {
		t.Fatal(err)
	}
	r := newRelay(t, server)
	through := ma.StringCast("/ip4/127.0.0.1/udp/" + itoa(r.front) + "/quic-v1/p2p/" + b.ID().String())

	before := config(t, loopQUIC)
	a := start(t, before)
	if _, err := a.Connect(t.Context(), through.String()); err != nil {
		t.Fatal(err)
	}
	id := a.ID()
	old := connTo(t, b, a)
	r.die()

	again := config(t, loopQUIC)
	again.Seed = before.Seed
	a2 := start(t, again)
	began := time.Now()
	if _, err := a2.Connect(t.Context(), b.Addrs()[0]); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	// The peer's event may come before its last connection is closed.
	for tick := time.Tick(10 * time.Millisecond); !old.IsClosed(); {
		select {
		case <-tick:
		case <-ctx.Done():
			t.Fatal("the old connection is still there")
		}
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("the old connection was found out after %s", took)
	}
	// All connections were closed, so that pubsub takes the peer for a new one;
	// who dialled dials again.
	if _, err := a2.Connect(ctx, b.Addrs()[0]); err != nil {
		t.Fatal(err)
	}
	if res := <-ping.Ping(ctx, b.Host(), id); res.Error != nil {
		t.Error(res.Error)
	}
}

// A second connection of a peer that lives harms nothing.
func TestSecondConnectionIsKept(t *testing.T) {
	b, a := start(t, config(t, loopQUIC, loopTCP)), start(t, config(t, loopQUIC))
	if _, err := a.Connect(t.Context(), b.Addrs()[0]); err != nil {
		t.Fatal(err)
	}
	old := connTo(t, b, a)
	done := make(chan struct{})
	b.work.Go(func() { b.probe(old); close(done) })
	<-done
	if old.IsClosed() {
		t.Error("a living peer was cut off")
	}
}

func connTo(t *testing.T, n, other *Network) network.Conn {
	t.Helper()
	// The side that was dialled may be a moment behind.
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if res := <-ping.Ping(ctx, other.Host(), n.ID()); res.Error != nil {
		t.Fatal(res.Error)
	}
	conns := n.Host().Network().ConnsToPeer(other.ID())
	if len(conns) != 1 {
		t.Fatalf("%d connections", len(conns))
	}
	return conns[0]
}

func itoa(c *net.UDPConn) string {
	_, port, _ := net.SplitHostPort(c.LocalAddr().String())
	return port
}
