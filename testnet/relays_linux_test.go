package testnet_test

import (
	"net/http"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/parley-protocol/parley/node/api"
	"github.com/parley-protocol/parley/testnet"
)

// A mailbox that stands behind a router is reached through two relays. One stops
// passing anything on while its connections stay, as a bad one would, and then
// dies; the other carries on, and a third takes its place.
func TestRelaysFail(t *testing.T) {
	onlyInFull(t)
	w := testnet.NewWorld(t)
	var specs []testnet.NodeSpec
	for _, name := range []string{"relay-1", "relay-2", "relay-3"} {
		specs = append(specs, testnet.NodeSpec{Name: name, Relay: true, Under: w.Public(), Listen: anyPort})
	}
	relays := []string{"relay-1", "relay-2", "relay-3"}
	specs = append(specs,
		// Its relays are the only way in; nobody is its mailbox but itself.
		testnet.NodeSpec{Name: "customer", Peers: relays, Under: w.Router(testnet.ScramblesPorts).Host(), Listen: anyPort},
		testnet.NodeSpec{Name: "north", Peers: relays, Under: w.Router(testnet.ScramblesPorts).Host(), Listen: anyPort},
		testnet.NodeSpec{Name: "south", Peers: relays, Under: w.Router(testnet.ScramblesPorts).Host(), Listen: anyPort})
	s := story{t: t, net: testnet.Start(t, testnet.Spec{Binary: binary(t, programs.plain), Nodes: specs})}
	for _, n := range s.net.Nodes() {
		s.must(n.Name, http.MethodPost, "/v1/markets", map[string]string{"name": market}, nil)
	}
	places := func(what string, good func([]string) bool) []string {
		return until(s, "customer", what, "/v1/node", func(v api.Node) bool { return good(v.Reach.Relays) }).Reach.Relays
	}
	two := func(relays []string) bool { return len(relays) == 2 }
	for _, name := range []string{"north", "south"} {
		until(s, name, "places at two relays", "/v1/node", func(v api.Node) bool { return two(v.Reach.Relays) })
	}
	before := places("places at two relays", two)
	s.agree("with both")

	bad := func() *testnet.Node {
		for _, name := range relays {
			if n := s.node(name); n.Info().PeerID == before[0] {
				return n
			}
		}
		t.Fatalf("%s is no relay of the test", before[0])
		return nil
	}()
	// What is published now names both, and one passes nothing on any more.
	began := time.Now()
	if err := syscall.Kill(bad.PID(), syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	s.agree("with one that drops")
	dropping := time.Since(began)
	if err := bad.Kill(); err != nil {
		t.Fatal(err)
	}
	after := places("a place at another relay", func(v []string) bool { return two(v) && !slices.Contains(v, before[0]) })
	replaced := time.Since(began)
	s.agree("with another")
	t.Logf("agreed %s after a relay dropped everything; %s after that another took its place: %s, then %s", dropping.Round(time.Millisecond), (replaced - dropping).Round(time.Millisecond), before, after)
}
