package network

import (
	"bufio"
	"io"
	"os"
	"runtime"
	"strconv"
	"testing"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	circuit "github.com/libp2p/go-libp2p/p2p/protocol/circuitv2/client"
	relays "github.com/libp2p/go-libp2p/p2p/protocol/circuitv2/relay"
	ma "github.com/multiformats/go-multiaddr"
)

// TestCourierIsLean holds the couriers of many open deals to what a personal
// machine can spare: each keeps a stream to its mailbox, as a pick-up that waits
// does. What the mailbox itself has for a connection is counted too.
func TestCourierIsLean(t *testing.T) {
	deals := 20
	if s := os.Getenv("PARLEY_COURIERS"); s != "" {
		var err error
		if deals, err = strconv.Atoi(s); err != nil {
			t.Fatal(err)
		}
	}
	for name, listen := range map[string]string{"TCP": loopTCP, "QUIC": loopQUIC} {
		t.Run(name, func(t *testing.T) {
			n := start(t, config(t, listen))
			n.Host().SetStreamHandler(echoProtocol, func(s network.Stream) {
				io.Copy(s, s)
				s.Close()
			})
			infos, err := ParsePeers(n.Addrs())
			if err != nil {
				t.Fatal(err)
			}
			c := courier(t, CourierConfig{MaxHosts: deals})
			goroutines, heap := footprint(t)
			leave := make(chan struct{})
			opened, done := make(chan struct{}), make(chan error)
			for i := range deals {
				go func() {
					done <- c.Do(t.Context(), strconv.Itoa(i), peer.AddrInfo{ID: infos[0].ID, Addrs: infos[0].Addrs}, echoProtocol, func(s network.Stream) error {
						if _, err := io.WriteString(s, "hello\n"); err != nil {
							return err
						}
						if _, err := bufio.NewReader(s).ReadString('\n'); err != nil {
							return err
						}
						opened <- struct{}{}
						<-leave
						return nil
					})
				}()
				select {
				case <-opened:
				case err := <-done:
					t.Fatal(err)
				}
			}
			g, h := footprint(t)
			each, bytes := float64(g-goroutines)/float64(deals), (h-heap)/deals
			t.Logf("%d deals: %.1f goroutines and %d KiB each", deals, each, bytes>>10)
			if each > 20 || bytes > 1<<20 {
				t.Error("a courier takes too much")
			}
			close(leave)
			for range deals {
				if err := <-done; err != nil {
					t.Error(err)
				}
			}
		})
	}
}

func footprint(t *testing.T) (goroutines, heap int) {
	t.Helper()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return runtime.NumGoroutine(), int(m.HeapAlloc + m.StackInuse)
}

// TestCourierThroughRelay reaches a mailbox that can't be dialled.
//
//spec:shows NET-25
func TestCourierThroughRelay(t *testing.T) {
	between := start(t, config(t, loopTCP))
	service, err := relays.New(between.Host())
	if err != nil {
		t.Fatal(err)
	}
	defer service.Close()
	via, err := ParsePeers(between.Addrs())
	if err != nil {
		t.Fatal(err)
	}
	hidden, err := libp2p.New(libp2p.NoListenAddrs, libp2p.EnableRelay(), libp2p.DisableMetrics())
	if err != nil {
		t.Fatal(err)
	}
	defer hidden.Close()
	hidden.SetStreamHandler(echoProtocol, func(s network.Stream) {
		io.Copy(s, s)
		s.Close()
	})
	if err := hidden.Connect(t.Context(), via[0]); err != nil {
		t.Fatal(err)
	}
	if _, err := circuit.Reserve(t.Context(), hidden, via[0]); err != nil {
		t.Fatal(err)
	}
	at, err := ma.NewMultiaddr(between.Addrs()[0] + "/p2p-circuit")
	if err != nil {
		t.Fatal(err)
	}
	to := peer.AddrInfo{ID: hidden.ID(), Addrs: []ma.Multiaddr{at}}
	if err := courier(t, CourierConfig{}).Do(t.Context(), "a", to, echoProtocol, sayHello); err != nil {
		t.Fatal(err)
	}
}

// TestConnectionsOfOneAddress: a person with many deals has a host for each, all
// behind one address.
func TestConnectionsOfOneAddress(t *testing.T) {
	from := ma.StringCast("/ip4/192.0.2.7/tcp/4001")
	for name, c := range map[string]struct {
		dir  network.Direction
		make func() (network.ResourceManager, error)
		want int
	}{
		"a node":    {network.DirInbound, func() (network.ResourceManager, error) { return newResources(128<<20, 512, usualPerAddress) }, 8},
		"a mailbox": {network.DirInbound, func() (network.ResourceManager, error) { return newResources(128<<20, 512, mailboxPerAddr) }, mailboxPerAddr},
		"couriers":  {network.DirOutbound, func() (network.ResourceManager, error) { return newCourierResources(128) }, 200},
	} {
		t.Run(name, func(t *testing.T) {
			m, err := c.make()
			if err != nil {
				t.Fatal(err)
			}
			defer m.Close()
			n := 0
			for range 200 {
				scope, err := m.OpenConnection(c.dir, true, from)
				if err != nil {
					break
				}
				defer scope.Done()
				n++
			}
			if n != c.want {
				t.Errorf("%d connections, want %d", n, c.want)
			}
		})
	}
}
