package testnet_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/parley-protocol/parley/node/api"
	"github.com/parley-protocol/parley/testnet"
)

// anyPort is how a host of a world listens.
var anyPort = []string{"/ip4/0.0.0.0/tcp/0", "/ip4/0.0.0.0/udp/0/quic-v1"}

// onlyInFull leaves the test out unless it is asked for: its networks take a
// minute.
func onlyInFull(t *testing.T) {
	t.Helper()
	if os.Getenv("PARLEY_ROUNDS") == "" && os.Getenv("PARLEY_SOAK") != "1" {
		t.Skip("make test-full runs it, with PARLEY_ROUNDS")
	}
}

// apart starts the four of the story on four hosts: the mailbox, which relays too,
// where everybody reaches it, and the customer and the sellers behind a router
// each.
func apart(t *testing.T, customer, sellers testnet.Mapping) story {
	t.Helper()
	onlyInFull(t)
	w := testnet.NewWorld(t)
	public := w.Public()
	s := story{t: t, net: testnet.Start(t, testnet.Spec{Binary: binary(t, programs.plain), Nodes: []testnet.NodeSpec{
		{Name: "mailbox", ServeMailbox: true, Relay: true, Under: public, Listen: anyPort},
		{Name: "customer", Peers: []string{"mailbox"}, Mailbox: "mailbox", Under: w.Router(customer).Host(), Listen: anyPort},
		{Name: "north", Peers: []string{"mailbox"}, Under: w.Router(sellers).Host(), Listen: anyPort},
		{Name: "south", Peers: []string{"mailbox"}, Under: w.Router(sellers).Host(), Listen: anyPort},
	}})}
	for _, n := range s.net.Nodes() {
		s.must(n.Name, http.MethodPost, "/v1/markets", map[string]string{"name": market}, nil)
	}
	return s
}

// throughRelay waits until a node has an address through a relay.
func (s story) throughRelay(name string) api.Node {
	s.t.Helper()
	return until(s, name, "an address through a relay", "/v1/node", func(v api.Node) bool {
		return strings.Contains(strings.Join(v.Addrs, " "), "/p2p-circuit/")
	})
}

// agree tells a whole story.
func (s story) agree(title string) {
	s.t.Helper()
	intent, err := s.publish(tender(testnet.SampleTender()), title)
	if err != nil {
		s.t.Fatal(err)
	}
	for i, seller := range []string{"north", "south"} {
		until(s, seller, "the request", api.Path("/v1/intents/%s", intent.ID), func(v api.Intent) bool { return v.ID == intent.ID })
		if err := s.offer(seller, intent, []string{"95.5", "110"}[i]); err != nil {
			s.t.Fatal(err)
		}
	}
	s.poll("the offers", func() (bool, error) { err := s.accept(intent); return err == nil, err })
	s.ending(intent)
	s.nothingOwed()
}

// meet has one node join another by an invite, as people would.
func (s story) meet(guest, inviting string) {
	s.t.Helper()
	var invite api.Invite
	s.must(inviting, http.MethodPost, "/v1/invites", map[string]any{"markets": []string{market}}, &invite)
	s.must(guest, http.MethodPost, "/v1/join", map[string]string{"link": invite.Link}, nil)
}

// Two that stand behind routers come to an agreement. Where both routers keep
// ports the two get a direct connection from a relayed one, and where they don't
// it stays relayed.
//
//spec:shows NAT-5
func TestBehindRouters(t *testing.T) {
	for name, test := range map[string]struct {
		customer, sellers testnet.Mapping
		direct            bool
	}{
		"that keep ports":     {testnet.KeepsPorts, testnet.KeepsPorts, true},
		"that scramble ports": {testnet.ScramblesPorts, testnet.ScramblesPorts, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := apart(t, test.customer, test.sellers)
			for _, n := range []string{"customer", "north"} {
				if v := s.throughRelay(n); v.Reach.Reachable != "no" || len(v.Reach.Relays) != 1 {
					t.Errorf("%s knows of itself: %+v", n, v.Reach)
				}
			}
			s.meet("customer", "north")
			met := until(s, "north", "the customer, by a way that the routers allow", "/v1/node", func(v api.Node) bool {
				if test.direct {
					return v.Reach.Punched > 0 && v.Reach.Relayed == 0 && v.Peers > 1
				}
				return v.Reach.Unpunched > 0 && v.Reach.Punched == 0 && v.Reach.Relayed > 0
			})
			t.Logf("the seller's node: %+v", met.Reach)
			s.agree("Library furniture")
		})
	}
}

// Of the four behind and between routers any is killed at any moment of the story
// and started again, and the story ends as it should, PARLEY_ROUNDS times: 2 is
// the usual, 50 the soak.
func TestKillsBehindRouters(t *testing.T) {
	rounds := sized(t, "PARLEY_ROUNDS", 2, 50)
	s := apart(t, testnet.KeepsPorts, testnet.ScramblesPorts)
	seed := uint64(time.Now().UnixNano())
	rng := rand.New(rand.NewPCG(seed, 1))
	nodes := s.net.Nodes()
	killed := map[string]int{}
	var slowest time.Duration
	began := time.Now()
	for round := range rounds {
		victim := nodes[rng.IntN(len(nodes))]
		if round < len(nodes) { // each once, to begin with
			victim = nodes[round]
		}
		step := rng.IntN(4)
		strike := func(now int) {
			if now != step {
				return
			}
			if err := victim.Kill(); err != nil {
				t.Fatal(err)
			}
			if err := victim.Start(t.Context()); err != nil {
				t.Fatalf("round %d: %s doesn't start again: %v", round, victim.Name, err)
			}
			killed[victim.Name]++
		}
		title := fmt.Sprintf("Library furniture %d", round)
		started := time.Now()
		var intent api.Intent
		s.poll("the request", func() (bool, error) {
			var found bool
			if intent, found = s.find(title); found {
				return true, nil
			}
			var err error
			intent, err = s.publish(tender(testnet.SampleTender()), title)
			return err == nil, err
		})
		strike(0)
		for i, seller := range []string{"north", "south"} {
			s.poll("an offer of "+seller, func() (bool, error) {
				err := s.offer(seller, intent, []string{"95.5", "110"}[i])
				return err == nil, err
			})
		}
		strike(1)
		s.poll("the acceptance", func() (bool, error) { err := s.accept(intent); return err == nil, err })
		strike(2)
		if step == 3 { // while it says what is left to say
			until(s, "north", "the agreement", "/v1/deals?intent="+intent.ID, func(v list[api.Deal]) bool { return len(v.Items) == 1 && v.Items[0].Phase == "agreed" })
		}
		strike(3)
		s.ending(intent)
		s.nothingOwed()
		slowest = max(slowest, time.Since(started))
	}
	t.Logf("seed %d: %d journeys with a kill each (%v): %d ended right, 0 lost, 0 signed twice; %s each, the slowest %s",
		seed, rounds, killed, rounds, (time.Since(began) / time.Duration(rounds)).Round(time.Millisecond), slowest.Round(time.Millisecond))
}
