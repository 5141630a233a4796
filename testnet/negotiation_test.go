package testnet_test

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/parley-protocol/parley/node/api"
	"github.com/parley-protocol/parley/protocol/proof"
	"github.com/parley-protocol/parley/testnet"
)

// bargain is a story in which nodes are killed at given places and started again.
type bargain struct {
	story
	armed  map[string]string // node -> the place where it is to die
	deaths int
}

func newBargain(t *testing.T) *bargain {
	return &bargain{story: parties(t, binary(t, programs.failpoints)), armed: map[string]string{}}
}

// arm starts a node again, to die at a place.
func (b *bargain) arm(node, place string) {
	b.t.Helper()
	n := b.node(node)
	if err := n.Kill(); err != nil {
		b.t.Fatal(err)
	}
	b.armed[node] = place
	err := n.Start(b.t.Context(), "PARLEY_FAILPOINT="+place)
	if early, ok := errors.AsType[*testnet.ExitError](err); err != nil && (!ok || early.State.ExitCode() != -1) {
		b.t.Fatal(err)
	}
}

// revive starts those that have died.
func (b *bargain) revive() {
	b.t.Helper()
	for _, n := range b.net.Nodes() {
		if n.Running() {
			continue
		}
		if b.armed[n.Name] == "" {
			b.t.Fatalf("%s ended by itself:\n%s", n.Name, n.Stderr())
		}
		b.deaths++
		b.t.Logf("%s died at %s", n.Name, b.armed[n.Name])
		delete(b.armed, n.Name)
		if err := n.Start(b.t.Context()); err != nil {
			b.t.Fatalf("%s doesn't start again: %v", n.Name, err)
		}
	}
}

// step does something once, however often nodes die meanwhile, and waits for
// what comes of it: did looks whether it was done already. Each pair of places is
// a node and where it dies; all must have died at the end.
func (b *bargain) step(what string, places []string, did func() (bool, error), act func() error, then func() (bool, error)) {
	b.t.Helper()
	began := time.Now()
	defer func() { b.t.Logf("%s: %s", what, time.Since(began).Round(time.Millisecond)) }()
	for i := 0; i < len(places); i += 2 {
		b.arm(places[i], places[i+1])
	}
	b.poll(what, func() (bool, error) {
		b.revive()
		done, err := did()
		if err != nil || done {
			return done, err
		}
		return false, act()
	})
	b.poll("what comes of it: "+what, func() (bool, error) {
		b.revive()
		return then()
	})
	b.poll("the deaths: "+what, func() (bool, error) {
		b.revive()
		return len(b.armed) == 0, fmt.Errorf("%v still live", b.armed)
	})
}

// get reads from a node.
func get[V any](b *bargain, node, path string) (v V, err error) {
	err = b.do(node, http.MethodGet, path, nil, &v)
	return v, err
}

// deal is a node's deal in a round on a request; there may be none yet.
func (b *bargain) deal(node, intent string, round int64) (api.Deal, error) {
	all, err := get[list[api.Deal]](b, node, "/v1/deals?intent="+intent)
	if err != nil {
		return api.Deal{}, err
	}
	for _, d := range all.Items {
		if d.Round == round {
			return get[api.Deal](b, node, api.Path("/v1/deals/%s", d.ID))
		}
	}
	return api.Deal{}, nil
}

// has tells whether a node's deal holds so many records of a type, and fails when
// there are more.
func (b *bargain) has(node, intent string, round int64, recordType string, want int) func() (bool, error) {
	return func() (bool, error) {
		d, err := b.deal(node, intent, round)
		n := count(d)[recordType]
		if n > want {
			b.t.Fatalf("%s has %d records of the type %s, not %d", node, n, recordType, want)
		}
		return n == want, err
	}
}

func (b *bargain) post(node, path string, in any) func() error {
	return func() error { return b.do(node, http.MethodPost, path, in, nil) }
}

// request publishes a request once.
func (b *bargain) request(name string, places []string, seller string, ask api.NewIntent) (intent api.Intent) {
	b.t.Helper()
	ask.Name, ask.Market = name, market
	ask.Category, ask.ItemOffered, ask.ValidUntil = []string{"cpv:39"}, []api.Wanted{{Name: name}}, tender(nil).ValidUntil
	b.step("the request", places, func() (found bool, err error) { intent, found = b.find(name); return found, nil },
		b.post("customer", "/v1/intents", ask),
		func() (bool, error) {
			got, err := get[api.Intent](b, seller, api.Path("/v1/intents/%s", intent.ID))
			whole := err == nil
			for _, terms := range got.Terms {
				whole = whole && !terms.Missing
			}
			return whole, err
		})
	return intent
}

// offer makes the nth offer of a round once, and waits until the customer has it.
func (b *bargain) offer(seller string, o api.NewOffer, intent string, round int64, n int, places ...string) {
	b.t.Helper()
	o = withUntil(o)
	b.step(fmt.Sprintf("offer %d of round %d", n, round), places, b.has(seller, intent, round, "offer", n),
		b.post(seller, "/v1/offers", o), b.has("customer", intent, round, "offer", n))
}

// agree accepts the newest offer of a round, and waits until both sides have the
// same agreement, and the same proof of it.
func (b *bargain) agree(seller, intent string, round int64, places ...string) string {
	b.t.Helper()
	var agreement string
	b.step("the acceptance", places, b.has("customer", intent, round, "acceptance", 1),
		func() error {
			d, err := b.deal("customer", intent, round)
			if err != nil || len(d.Offers) == 0 {
				return err
			}
			return b.do("customer", http.MethodPost, api.Path("/v1/offers/%s/accept", d.Offers[len(d.Offers)-1].ID), struct{}{}, nil)
		},
		func() (bool, error) {
			mine, err := b.deal("customer", intent, round)
			if err != nil {
				return false, err
			}
			theirs, err := b.deal(seller, intent, round)
			agreement = mine.Agreement
			return mine.Phase == "agreed" && theirs.Phase == "agreed" && agreement == theirs.Agreement, err
		})
	b.settled(seller)
	d, err := b.deal("customer", intent, round)
	if err != nil {
		b.t.Fatal(err)
	}
	excludeEachOtherBut(b.t, d)
	b.equalProofs(d.ID, "customer", seller)
	return agreement
}

// excludeEachOtherBut is [excludeEachOther] for deals of several offers.
func excludeEachOtherBut(t testing.TB, d api.Deal) {
	t.Helper()
	for _, once := range []string{"acceptance", "confirmation", "void", "next-round", "terms-counter"} {
		if n := count(d)[once]; n > 1 {
			t.Errorf("deal %s has %d records of the type %s", d.ID, n, once)
		}
	}
	for _, r := range d.Records {
		if r.Misfit != "" || r.Evidence {
			t.Errorf("deal %s: a %s that doesn't fit: %s", d.ID, r.Type, r.Misfit)
		}
	}
}

// settled waits until the two owe nothing.
func (b *bargain) settled(seller string) {
	b.t.Helper()
	began := time.Now()
	defer func() { b.t.Logf("everything was acknowledged after %s", time.Since(began).Round(time.Millisecond)) }()
	b.poll("everything to be acknowledged", func() (bool, error) {
		b.revive()
		for _, name := range []string{"customer", seller} {
			if v, err := get[api.Node](b, name, "/v1/node"); err != nil || v.Owed > 0 {
				return false, fmt.Errorf("%s owes %d: %w", name, v.Owed, err)
			}
		}
		return true, nil
	})
}

func (b *bargain) equalProofs(deal string, sides ...string) (archive *proof.Archive) {
	b.t.Helper()
	var first []byte
	for _, name := range sides {
		var file bytes.Buffer
		b.must(name, http.MethodGet, api.Path("/v1/deals/%s/proof", deal), nil, &file)
		var err error
		if archive, err = proof.Read(bytes.NewReader(file.Bytes())); err != nil {
			b.t.Fatalf("%s: %v", name, err)
		}
		if report := proof.Verify(archive); !report.OK {
			b.t.Fatalf("%s: the proof doesn't hold: %+v", name, report.Checks)
		}
		if first == nil {
			first = file.Bytes()
		} else if !bytes.Equal(first, file.Bytes()) {
			b.t.Fatalf("the proofs of %v differ", sides)
		}
	}
	return archive
}

func offerFor(intent, price string) api.NewOffer {
	return api.NewOffer{Intent: intent, PriceCurrency: "GBP", Items: []api.Line{{Name: "All of it", Price: price}}}
}

// withUntil makes an offer firm for longer than any test.
func withUntil(o api.NewOffer) api.NewOffer {
	o.ValidUntil = *in(12 * time.Hour)
	return o
}

// A customer with terms of their own and a seller bargain: counter, second offer,
// agreement, a change of it. Either side dies at the bad moments, signed and not
// sent, arrived and not acknowledged, and is started again.
//
//spec:shows DEAL-14
func TestBargainSurvivesDeaths(t *testing.T) {
	b := newBargain(t)
	const seller = "north"
	b.must("customer", http.MethodPost, "/v1/terms", api.NewTerms{Name: "no-resale", Text: "What I tell you stays with you."}, nil)
	ask := api.NewIntent{Terms: []string{"no-resale"}}
	intent := b.request("Reading lamps", []string{"customer", "desk/before-publish"}, seller, ask).ID

	// The seller's program refuses the text until a person approves it.
	if err := b.do(seller, http.MethodPost, "/v1/offers", withUntil(offerFor(intent, "100")), nil); err == nil {
		t.Fatal("an offer under a text that nobody has approved")
	}
	seen, err := get[api.Intent](b, seller, api.Path("/v1/intents/%s", intent))
	if err != nil {
		t.Fatal(err)
	}
	text := seen.Terms[0].ID
	approved := func() (bool, error) {
		v, err := get[list[api.Approval]](b, seller, "/v1/approvals")
		return len(v.Items) == 1, err
	}
	b.step("the approval", []string{seller, "book/after-append"}, approved, b.post(seller, api.Path("/v1/terms/%s/approve", text), nil), approved)

	b.offer(seller, offerFor(intent, "100"), intent, 1, 1)
	deal, err := b.deal("customer", intent, 1)
	if err != nil {
		t.Fatal(err)
	}
	counter := api.NewCounter{TotalPrice: "80", Reason: "price"}
	b.step("the counter", []string{"customer", "book/after-append", seller, "desk/after-take-counter"}, b.has("customer", intent, 1, "counter", 1),
		b.post("customer", api.Path("/v1/offers/%s/counter", deal.Offers[0].ID), counter), b.has(seller, intent, 1, "counter", 1))
	b.offer(seller, offerFor(intent, "85"), intent, 1, 2, seller, "book/after-append", "customer", "desk/after-take-offer")
	second, err := b.deal("customer", intent, 1)
	if err != nil {
		t.Fatal(err)
	}
	if o := second.Offers[len(second.Offers)-1]; o.Number != 2 || o.Answers != second.Counters[0].ID {
		t.Fatalf("the second offer has the number %d and answers %q", o.Number, o.Answers)
	}
	old := b.agree(seller, intent, 1, "customer", "outbox/before-send", seller, "desk/after-take-acceptance")
	carried := false
	for _, rec := range b.equalProofs(deal.ID, "customer", seller).Records {
		carried = carried || rec.ID().String() == text
	}
	if !carried {
		t.Error("the proof lacks the customer's own terms")
	}

	b.step("the wish to change it", []string{"customer", "book/after-append", seller, "desk/after-take-next-round"}, b.has("customer", intent, 2, "next-round", 1),
		b.post("customer", api.Path("/v1/deals/%s/change", deal.ID), map[string]string{"description": "Two more, please."}), b.has(seller, intent, 2, "next-round", 1))
	change := offerFor("", "110")
	change.Changes = deal.ID
	b.offer(seller, change, intent, 2, 1, seller, "outbox/after-send", "customer", "desk/after-take-offer")
	now := b.agree(seller, intent, 2, "customer", "book/after-append", seller, "book/before-append")
	if now == old {
		t.Fatal("the change has changed nothing")
	}
	for _, n := range b.net.Nodes() {
		if err := n.Restart(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	for _, side := range []string{"customer", seller} {
		for round := range int64(2) {
			d, err := b.deal(side, intent, round+1)
			if err != nil {
				t.Fatal(err)
			}
			if d.InForce != now || d.Agreement != []string{old, now}[round] {
				t.Errorf("%s, round %d: in force is %s, its agreement %s", side, round+1, d.InForce, d.Agreement)
			}
		}
	}
	t.Logf("%d deaths", b.deaths)
}

// After a void there is another round, and another seller's own terms are taken by
// a new request; with deaths as before.
func TestRoundsAndProposalsSurviveDeaths(t *testing.T) {
	b := newBargain(t)
	const seller, other = "north", "south"
	intent := b.request("Shelves", nil, seller, api.NewIntent{}).ID
	b.offer(seller, offerFor(intent, "100"), intent, 1, 1)
	deal, err := b.deal("customer", intent, 1)
	if err != nil {
		t.Fatal(err)
	}
	b.step("the refusal", []string{seller, "book/after-append"}, b.has("customer", intent, 1, "decline", 1),
		b.post("customer", api.Path("/v1/offers/%s/decline", deal.Offers[0].ID), map[string]string{"reason": "price"}), b.has("customer", intent, 1, "void", 1))
	b.step("the wish for another round", []string{"customer", "outbox/before-send", seller, "desk/before-take-next-round"}, b.has("customer", intent, 2, "next-round", 1),
		b.post("customer", api.Path("/v1/deals/%s/next", deal.ID), map[string]string{}), b.has(seller, intent, 2, "next-round", 1))
	b.offer(seller, offerFor(intent, "90"), intent, 2, 1, seller, "book/after-append")
	b.agree(seller, intent, 2, "customer", "outbox/after-send")

	b.must(other, http.MethodPut, "/v1/profile", api.Profile{Name: "South", Markets: []string{market}}, nil)
	b.poll("the seller to be known", func() (bool, error) {
		_, err := get[api.Profile](b, "customer", api.Path("/v1/profiles/%s", b.node(other).Info().DID))
		return err == nil, err
	})
	lamp := b.request("Lamp", nil, other, api.NewIntent{}).ID
	proposal := api.NewProposal{Text: &api.NewTerms{Name: "ours", Text: "We keep your order for ten years."}}
	b.step("the proposal", []string{other, "book/after-append", "customer", "desk/after-take-terms-counter"}, b.has(other, lamp, 1, "terms-counter", 1),
		b.post(other, api.Path("/v1/intents/%s/terms", lamp), proposal), b.has("customer", lamp, 1, "terms-counter", 1))
	var adopted api.Intent
	b.step("the adoption", []string{"customer", "book/after-append", other, "desk/after-take-intent"},
		func() (bool, error) {
			mine, err := get[list[api.Intent]](b, "customer", "/v1/intents?own=true&limit=1000")
			for _, i := range mine.Items {
				if i.Name == "Lamp" && len(i.To) > 0 {
					adopted = i
				}
			}
			return adopted.ID != "", err
		},
		func() error {
			d, err := b.deal("customer", lamp, 1)
			if err != nil {
				return err
			}
			return b.do("customer", http.MethodPost, api.Path("/v1/proposals/%s/adopt", d.Proposal.ID), api.Adoption{}, nil)
		},
		func() (bool, error) {
			v, err := get[api.Intent](b, other, api.Path("/v1/intents/%s", adopted.ID))
			return err == nil && len(v.Terms) == 1 && !v.Terms[0].Missing, err
		})
	// The seller's own words need nobody's approval there.
	b.offer(other, offerFor(adopted.ID, "20"), adopted.ID, 1, 1)
	b.agree(other, adopted.ID, 1, other, "desk/after-take-acceptance")
	d, err := b.deal("customer", adopted.ID, 1)
	if err != nil {
		t.Fatal(err)
	}
	carried := false
	for _, rec := range b.equalProofs(d.ID, "customer", other).Records {
		carried = carried || rec.ID().String() == d.Offers[0].Terms.ID
	}
	if !carried {
		t.Error("the proof lacks the seller's terms")
	}
	t.Logf("%d deaths", b.deaths)
}
