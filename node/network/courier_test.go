package network

import (
	"bufio"
	"context"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
)

const echoProtocol = "/test/echo/1"

// visit is who came to the echo server, as the server sees it.
type visit struct{ id peer.ID }

// echo serves lines and tells of each visit.
func echo(t *testing.T, listen ...string) (peer.AddrInfo, *Network, <-chan visit) {
	t.Helper()
	n := start(t, config(t, listen...))
	visits := make(chan visit, 64)
	n.Host().SetStreamHandler(echoProtocol, func(s network.Stream) {
		defer s.Close()
		id := s.Conn().RemotePeer()
		line, err := bufio.NewReader(s).ReadString('\n')
		if err != nil {
			s.Reset()
			return
		}
		visits <- visit{id: id}
		io.WriteString(s, line)
	})
	info, err := ParsePeers(n.Addrs())
	if err != nil {
		t.Fatal(err)
	}
	return info[0], n, visits
}

func sayHello(s network.Stream) error {
	if _, err := io.WriteString(s, "hello\n"); err != nil {
		return err
	}
	line, err := bufio.NewReader(s).ReadString('\n')
	if err == nil && line != "hello\n" {
		err = errors.New("another echo")
	}
	return err
}

func courier(t *testing.T, cfg CourierConfig) *Courier {
	t.Helper()
	cfg.TestProfile = true
	c := NewCourier(cfg)
	t.Cleanup(func() { c.Close() })
	return c
}

//spec:shows BOX-13 NET-24
func TestCourierHasAnIdentityPerPurpose(t *testing.T) {
	for name, listen := range map[string]string{"QUIC": loopQUIC, "TCP": loopTCP} {
		t.Run(name, func(t *testing.T) {
			to, server, visits := echo(t, listen)
			c := courier(t, CourierConfig{})
			seen := make(map[string]peer.ID)
			for _, purpose := range []string{"a", "b", "a"} {
				if err := c.Do(t.Context(), purpose, to, echoProtocol, sayHello); err != nil {
					t.Fatal(err)
				}
				v := <-visits
				if before, again := seen[purpose]; again && before != v.id {
					t.Errorf("purpose %s has two identities", purpose)
				}
				seen[purpose] = v.id
				if addrs := server.Host().Peerstore().Addrs(v.id); len(addrs) > 1 {
					t.Errorf("a courier announces itself at %s", addrs)
				}
				if agent, _ := server.Host().Peerstore().Get(v.id, "AgentVersion"); agent != nil && agent != UserAgent {
					t.Errorf("a courier calls itself %q", agent)
				}
			}
			if seen["a"] == seen["b"] {
				t.Error("two purposes share an identity")
			}
		})
	}
}

//spec:shows NET-24
func TestCourierListensNowhere(t *testing.T) {
	c := courier(t, CourierConfig{})
	e, release, err := c.acquire(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	h := e.host
	if addrs := h.Network().ListenAddresses(); len(addrs) != 0 {
		t.Errorf("it listens on %s", addrs)
	}
	if addrs := h.Addrs(); len(addrs) != 0 {
		t.Errorf("it announces %s", addrs)
	}
}

func TestCourierIsBounded(t *testing.T) {
	to, _, _ := echo(t, loopQUIC)
	c := courier(t, CourierConfig{MaxHosts: 2})
	inUse, leave := make(chan struct{}), make(chan struct{})
	done := make(chan error, 2)
	for _, purpose := range []string{"a", "b"} {
		go func() {
			done <- c.Do(t.Context(), purpose, to, echoProtocol, func(s network.Stream) error {
				inUse <- struct{}{}
				<-leave
				return sayHello(s)
			})
		}()
		<-inUse
	}
	short, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := c.Do(short, "c", to, echoProtocol, sayHello); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a third host while two are busy: %v", err)
	}
	waiting := make(chan error, 1)
	go func() { waiting <- c.Do(t.Context(), "c", to, echoProtocol, sayHello) }()
	close(leave)
	for range 2 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if err := <-waiting; err != nil {
		t.Errorf("the one that waited: %v", err)
	}
	if n := c.Hosts(); n > 2 {
		t.Errorf("%d hosts, limit 2", n)
	}
}

func TestCourierDropsIdleHosts(t *testing.T) {
	to, server, visits := echo(t, loopQUIC)
	gone := make(chan PeerEvent, 16)
	defer server.OnPeer(func(e PeerEvent) {
		if !e.Connected {
			gone <- e
		}
	})()
	c := courier(t, CourierConfig{Idle: 10 * time.Millisecond})
	if err := c.Do(t.Context(), "a", to, echoProtocol, sayHello); err != nil {
		t.Fatal(err)
	}
	first := <-visits
	expect(t, gone, PeerEvent{Peer: first.id})
	if err := c.Do(t.Context(), "a", to, echoProtocol, sayHello); err != nil {
		t.Fatal(err)
	}
	if second := <-visits; second.id == first.id {
		t.Error("an identity came back after its host was dropped")
	}
}

func TestCourierFailures(t *testing.T) {
	to, _, _ := echo(t, loopQUIC)
	c := courier(t, CourierConfig{DialTimeout: 2 * time.Second})
	mine := errors.New("mine")
	if err := c.Do(t.Context(), "a", to, echoProtocol, func(network.Stream) error { return mine }); !errors.Is(err, mine) {
		t.Errorf("the caller's error became %v", err)
	}
	if err := c.Do(t.Context(), "a", to, "/test/none/1", sayHello); err == nil {
		t.Error("a protocol that the peer doesn't have")
	}
	other := start(t, config(t, loopQUIC))
	wrong := peer.AddrInfo{ID: other.ID(), Addrs: to.Addrs}
	if err := c.Do(t.Context(), "b", wrong, echoProtocol, sayHello); err == nil {
		t.Error("another peer at that address")
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	if err := c.Do(t.Context(), "a", to, echoProtocol, sayHello); err == nil {
		t.Error("a closed courier went")
	}
}
