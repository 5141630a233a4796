package testnet_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/parley-protocol/parley/node/api"
	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/proof"
	"github.com/parley-protocol/parley/testnet"
)

const market = "public-tenders"

// patience is how long anything may take that isn't measured here.
const patience = 2 * time.Minute

// story is the first agreement between a customer, two sellers and a mailbox.
// Every step can be asked for again after any process has died: a step that
// has been done already is found to be done.
type story struct {
	t       testing.TB
	net     *testnet.Network  // nil in a simulation
	members map[string]member // of a simulation
}

// cast are the four nodes of the story.
func cast() []testnet.NodeSpec {
	return []testnet.NodeSpec{
		{Name: "mailbox", ServeMailbox: true},
		{Name: "customer", Peers: []string{"mailbox"}, Mailbox: "mailbox"},
		{Name: "north", Peers: []string{"mailbox"}},
		{Name: "south", Peers: []string{"mailbox"}},
	}
}

// parties starts the four nodes of the story as processes.
func parties(t *testing.T, binary string, env ...string) story {
	t.Helper()
	net := testnet.Start(t, testnet.Spec{Binary: binary, Env: env, Nodes: cast()})
	s := story{t: t, net: net}
	s.joinMarket()
	return s
}

func (s story) joinMarket() {
	s.t.Helper()
	for _, n := range cast() {
		s.must(n.Name, http.MethodPost, "/v1/markets", map[string]string{"name": market}, nil)
	}
}

func (s story) node(name string) *testnet.Node { return s.net.Node(name) }

// member is a node of whichever network.
func (s story) member(name string) member {
	if s.net == nil {
		return s.members[name]
	}
	return s.net.Node(name)
}

// do calls a node's API; a node that died meanwhile is an error of not_running
// or a broken connection.
func (s story) do(name, method, path string, in, out any) error {
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	return s.member(name).API().Do(ctx, method, path, in, out)
}

func (s story) must(name, method, path string, in, out any) {
	s.t.Helper()
	if err := s.do(name, method, path, in, out); err != nil {
		s.t.Fatalf("%s: %s %s: %v", name, method, path, err)
	}
}

type list[T any] struct {
	Items []T `json:"items"`
}

// until asks a node until the answer is good.
func until[V any](s story, name, what, path string, good func(V) bool) V {
	s.t.Helper()
	var v V
	s.poll(what+" at "+name, func() (bool, error) {
		v = *new(V)
		err := s.do(name, http.MethodGet, path, nil, &v)
		return err == nil && good(v), err
	})
	return v
}

// poll tries until done; the last error is told when time runs out.
func (s story) poll(what string, try func() (done bool, err error)) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	tick := time.NewTicker(25 * time.Millisecond)
	defer tick.Stop()
	for {
		done, err := try()
		if done {
			return
		}
		select {
		case <-ctx.Done():
			s.t.Fatalf("waited in vain for %s: %v", what, err)
		case <-tick.C:
		}
	}
}

func in(d time.Duration) *time.Time {
	t := time.Now().Add(d).Truncate(time.Second)
	return &t
}

func tender(document []byte) api.NewIntent {
	return api.NewIntent{Format: "ocds", Document: json.RawMessage(document), Market: market, ValidUntil: in(24 * time.Hour)}
}

func offerOn(intent api.Intent, price string) api.NewOffer {
	return api.NewOffer{Intent: intent.ID, PriceCurrency: "GBP", ValidUntil: *in(12 * time.Hour), Items: []api.Line{{Name: "All of it", Price: price}}}
}

// publish publishes once, also when the node dies while it does: marked tells
// whether a request with this name is there already.
func (s story) publish(ask api.NewIntent, name string) (intent api.Intent, err error) {
	ask.Name = name
	if err := s.do("customer", http.MethodPost, "/v1/intents", ask, &intent); err == nil {
		return intent, nil
	} else if _, refused := errors.AsType[*protocol.Error](err); refused && protocol.CodeOf(err) != protocol.CodeNotRunning {
		return intent, err
	}
	return intent, fmt.Errorf("the customer's node died")
}

// find returns the customer's request of that name, if it was kept.
func (s story) find(name string) (api.Intent, bool) {
	var all list[api.Intent]
	if s.do("customer", http.MethodGet, "/v1/intents?own=true&limit=1000", nil, &all) != nil {
		return api.Intent{}, false
	}
	for _, i := range all.Items {
		if i.Name == name {
			return i, true
		}
	}
	return api.Intent{}, false
}

// offer makes one offer, unless the seller has made it already.
func (s story) offer(seller string, intent api.Intent, price string) error {
	var made list[api.Offer]
	if err := s.do(seller, http.MethodGet, "/v1/offers?own=true&intent="+intent.ID, nil, &made); err != nil {
		return err
	}
	if len(made.Items) > 0 {
		return nil
	}
	return s.do(seller, http.MethodPost, "/v1/offers", offerOn(intent, price), nil)
}

// accept accepts the cheapest offer, unless one is accepted already.
func (s story) accept(intent api.Intent) error {
	var offers list[api.Offer]
	if err := s.do("customer", http.MethodGet, "/v1/offers?intent="+intent.ID, nil, &offers); err != nil {
		return err
	}
	if len(offers.Items) < 2 {
		return fmt.Errorf("%d offers are there", len(offers.Items))
	}
	for _, o := range offers.Items {
		if o.Accepted {
			return nil
		}
	}
	return s.do("customer", http.MethodPost, api.Path("/v1/offers/%s/accept", offers.Items[0].ID), struct{}{}, nil)
}

// ending waits for the end of the story and holds the two sides against each
// other.
func (s story) ending(intent api.Intent) (agreement string) {
	s.t.Helper()
	phases := func(v list[api.Deal], want ...string) bool {
		if len(v.Items) != len(want) {
			return false
		}
		for i, w := range want {
			if v.Items[i].Phase != w {
				return false
			}
		}
		return true
	}
	path := "/v1/deals?intent=" + intent.ID
	won := until(s, "north", "the agreement", path, func(v list[api.Deal]) bool { return phases(v, "agreed") }).Items[0]
	until(s, "south", "the notice", path, func(v list[api.Deal]) bool { return phases(v, "voided") })
	until(s, "customer", "the agreement and the other seller's void", path, func(v list[api.Deal]) bool {
		return phases(v, "agreed", "voided") || phases(v, "voided", "agreed")
	})
	mine := until(s, "customer", "the agreement", api.Path("/v1/deals/%s", won.ID), func(v api.Deal) bool { return v.Phase == "agreed" })
	if mine.Agreement == "" || mine.Agreement != won.Agreement {
		s.t.Fatalf("two names for one agreement: %q and %q", mine.Agreement, won.Agreement)
	}
	s.sameProof(won.ID)
	count := map[string]int{}
	for _, r := range mine.Records {
		count[r.Type]++
	}
	if count["acceptance"] != 1 || count["confirmation"] != 1 || count["offer"] != 1 {
		s.t.Fatalf("something was signed twice: %v", count)
	}
	return mine.Agreement
}

// sameProof exports the deal on both sides, verifies both and compares them.
func (s story) sameProof(deal string) {
	s.t.Helper()
	var files [2]bytes.Buffer
	for i, name := range []string{"customer", "north"} {
		s.must(name, http.MethodGet, api.Path("/v1/deals/%s/proof", deal), nil, &files[i])
		archive, err := proof.Read(bytes.NewReader(files[i].Bytes()))
		if err != nil {
			s.t.Fatalf("%s: %v", name, err)
		}
		if report := proof.Verify(archive); !report.OK {
			s.t.Fatalf("%s: the proof doesn't hold: %+v", name, report.Checks)
		}
	}
	if !bytes.Equal(files[0].Bytes(), files[1].Bytes()) {
		s.t.Fatal("the two sides' proofs differ")
	}
}

// nothingOwed waits until every delivery has been acknowledged.
func (s story) nothingOwed() {
	s.t.Helper()
	for _, name := range []string{"customer", "north", "south"} {
		until(s, name, "everything to be acknowledged", "/v1/node", func(v api.Node) bool { return v.Owed == 0 })
	}
}

// firstAgreement is the whole of it, up to where nobody owes anybody anything.
func (s story) firstAgreement() (intent api.Intent, agreement string) {
	s.t.Helper()
	intent, err := s.publish(tender(testnet.SampleTender()), "Library furniture")
	if err != nil {
		s.t.Fatal(err)
	}
	s.answer(intent)
	s.poll("the offers", func() (bool, error) { err := s.accept(intent); return err == nil, err })
	agreement = s.ending(intent)
	s.nothingOwed()
	return intent, agreement
}

// answer has both sellers make an offer.
func (s story) answer(intent api.Intent) {
	s.t.Helper()
	for i, seller := range []string{"north", "south"} {
		until(s, seller, "the request", api.Path("/v1/intents/%s", intent.ID), func(v api.Intent) bool { return v.ID == intent.ID })
		if err := s.offer(seller, intent, []string{"95.5", "110"}[i]); err != nil {
			s.t.Fatal(err)
		}
	}
}

// stopAndStart stops all, then starts all: it is the same.
func (s story) stopAndStart(intent api.Intent, agreement string) {
	s.t.Helper()
	for _, n := range cast() {
		if err := s.member(n.Name).Stop(); err != nil {
			s.t.Fatal(err)
		}
	}
	for _, n := range cast() {
		if err := s.member(n.Name).Start(s.t.Context()); err != nil {
			s.t.Fatal(err)
		}
	}
	if again := s.ending(intent); again != agreement {
		s.t.Fatalf("after a restart the agreement is %s and was %s", again, agreement)
	}
}

//spec:shows INT-1
func TestStory(t *testing.T) {
	s := parties(t, binary(t, programs.plain))
	intent, agreement := s.firstAgreement()
	s.stopAndStart(intent, agreement)
	for _, n := range s.net.Nodes() {
		t.Logf("%s was ready after %d ms", n.Name, n.Info().ReadyMS)
	}
}
