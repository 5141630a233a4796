package testnet_test

import (
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/parley-protocol/parley/node/api"
	"github.com/parley-protocol/parley/testnet"
)

// stops waits until a second node of the seller has ended by itself, and looks at
// how.
func (s story) stops(n *testnet.Node) {
	s.t.Helper()
	err := n.Start(s.t.Context())
	if err == nil {
		select {
		case <-n.Exited():
		case <-time.After(patience):
			_ = n.Kill()
			s.t.Fatalf("%s goes on; it wrote:\n%s", n.Name, n.Stderr())
		}
	}
	if code := n.State().ExitCode(); code != 4 || !strings.Contains(n.Stderr(), "another node signs as this seller") {
		s.t.Errorf("%s ended with %d and wrote:\n%s", n.Name, code, n.Stderr())
	}
}

func (s story) warned(name string) {
	s.t.Helper()
	until(s, name, "the warning", "/v1/doctor", func(v list[api.Check]) bool {
		for _, c := range v.Items {
			if c.Name == "writers" && c.Status == "warn" {
				return true
			}
		}
		return false
	})
}

// Of two nodes of one seller the later one stops: a copied home, a copy that was
// made while the first one was off, and a restored one. The first goes on, also
// after restarts.
//
//spec:shows INT-25 INT-26
func TestSecondWriterStops(t *testing.T) {
	s := pair(t)
	north := s.node("north")
	file := s.backup("north")
	second := func(name string, fill func(dir string)) {
		dir := filepath.Join(s.net.Dir(), name)
		fill(dir)
		n, err := north.Copy(name, dir)
		if err != nil {
			t.Fatal(err)
		}
		// Starts are told in seconds, and of two in one second either may stop.
		now := time.Now()
		<-time.After(now.Truncate(time.Second).Add(time.Second).Sub(now))
		s.stops(n)
		if !north.Running() {
			t.Fatalf("the first one stopped, because of the %s; it wrote:\n%s", name, north.Stderr())
		}
		s.warned("north")
	}
	second("copied", func(dir string) { copyHome(t, north.Home, dir) })
	second("restored", func(dir string) {
		n, err := north.Copy("restorer", dir)
		if err != nil {
			t.Fatal(err)
		}
		args := []string{"restore", file, "--phrase-file", north.Home + ".words", "--listen", "/ip4/127.0.0.1/tcp/0", "--listen", "/ip4/127.0.0.1/udp/0/quic-v1"}
		if _, err := n.CLI(t.Context(), args...); err != nil {
			t.Fatal(err)
		}
	})
	for range 2 {
		if err := north.Restart(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	until(s, "north", "a connection", "/v1/node", func(v api.Node) bool { return v.Peers > 0 })
	_, offer := s.offered("After restarts")
	if err := s.acceptOffer(offer); err != nil {
		t.Fatal(err)
	}
	s.phase("north", offer.Deal, "agreed")
	if !north.Running() {
		t.Fatalf("it stopped because of itself; it wrote:\n%s", north.Stderr())
	}
	// Without a profile nobody is told, and nobody stops.
	customer := s.node("customer")
	dir := filepath.Join(s.net.Dir(), "customer2")
	copyHome(t, customer.Home, dir)
	n, err := customer.Copy("customer2", dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := n.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.must("customer", http.MethodGet, "/v1/node", nil, nil)
	if !n.Running() || !customer.Running() {
		t.Error("a customer's node stopped")
	}
	if err := n.Stop(); err != nil {
		t.Fatal(err)
	}
}
