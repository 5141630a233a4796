package node_test

import (
	"bytes"
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/ipfs/go-cid"

	"github.com/parley-protocol/parley/crypto"
	"github.com/parley-protocol/parley/node"
	"github.com/parley-protocol/parley/node/book"
	"github.com/parley-protocol/parley/node/config"
	"github.com/parley-protocol/parley/node/desk"
	"github.com/parley-protocol/parley/node/home"
	"github.com/parley-protocol/parley/node/keyring"
	"github.com/parley-protocol/parley/protocol/deal"
	"github.com/parley-protocol/parley/protocol/decimal"
	"github.com/parley-protocol/parley/protocol/proof"
	"github.com/parley-protocol/parley/protocol/record"
)

const market = "test"

// start runs a node in this process, on loopback.
func start(t testing.TB, dir string, change func(*config.Config)) *node.Node {
	t.Helper()
	return startWith(t, dir, change, nil)
}

// startWith is start with further options.
func startWith(t testing.TB, dir string, change func(*config.Config), options func(*node.Options)) *node.Node {
	t.Helper()
	h, err := home.At(dir)
	if err != nil {
		t.Fatal(err)
	}
	if !h.Exists() {
		phrase, err := crypto.NewPhrase()
		if err != nil {
			t.Fatal(err)
		}
		if err := h.Create(); err != nil {
			t.Fatal(err)
		}
		if err := keyring.Create(h.Keys(), phrase.Root(), 0, keyring.Options{}); err != nil {
			t.Fatal(err)
		}
	}
	c := config.Default()
	c.Listen = []string{"/ip4/127.0.0.1/tcp/0"}
	c.MDNS, c.TestNetwork = false, true
	if change != nil {
		change(&c)
	}
	level := slog.LevelWarn
	o := node.Options{Home: h, Config: c, Log: slog.New(slog.NewTextHandler(logWriter{t}, &slog.HandlerOptions{Level: level}))}
	if options != nil {
		options(&o)
	}
	n := node.New(o)
	if err := n.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	})
	return n
}

type logWriter struct{ t testing.TB }

func (w logWriter) Write(p []byte) (int, error) {
	w.t.Log(string(bytes.TrimSpace(p)))
	return len(p), nil
}

// until waits for a condition that changes only with the desk's events.
func until(t testing.TB, n *node.Node, what string, holds func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	events, stop := n.Desk.Watch()
	defer stop()
	for !holds() {
		select {
		case <-events:
		case <-ctx.Done():
			t.Fatalf("waited in vain until %s", what)
		}
	}
}

func join(t testing.TB, n *node.Node, others ...*node.Node) {
	t.Helper()
	for _, o := range others {
		if err := n.JoinPeers(t.Context(), o.Network.Addrs()); err != nil {
			t.Fatal(err)
		}
	}
	if err := n.Desk.JoinMarket(t.Context(), market); err != nil {
		t.Fatal(err)
	}
}

func request() desk.IntentRequest {
	return desk.IntentRequest{Intent: record.Intent{
		Market: market, Name: "Twelve chairs", Category: []string{"cpv:39112000"},
		ItemOffered: []record.DemandItem{{Name: "Chair"}}, ValidUntil: time.Now().Add(time.Hour).Unix(),
	}}
}

func offerOf(price string) record.Offer {
	p := decimal.MustParse(price)
	return record.Offer{
		ItemOffered: []record.OfferItem{{Name: "Chair", Price: p}}, PriceCurrency: "EUR", TotalPrice: p,
		ValidUntil: time.Now().Add(time.Hour).Unix(),
	}
}

func TestAgreement(t *testing.T) {
	mailbox := start(t, t.TempDir(), func(c *config.Config) { c.ServeMailbox = true })
	customer := start(t, t.TempDir(), func(c *config.Config) { c.Mailboxes = mailbox.Network.Addrs() })
	sellers := []*node.Node{start(t, t.TempDir(), nil), start(t, t.TempDir(), nil)}
	for _, n := range append(sellers, customer, mailbox) {
		join(t, n, mailbox)
	}
	intent, err := customer.Desk.PublishIntent(t.Context(), request())
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range sellers {
		until(t, s, "the seller sees the request", func() bool { return s.Desk.Known(intent.ID()) })
		price := []string{"100", "120.5"}[i]
		if _, err := s.Desk.MakeOffer(t.Context(), desk.OfferRequest{Intent: intent.ID(), Offer: offerOf(price)}); err != nil {
			t.Fatal(err)
		}
	}
	until(t, customer, "both offers are there", func() bool { return len(customer.Desk.Book().DealsOf(intent.ID())) == 2 })
	var chosen *book.Deal
	for _, d := range customer.Desk.Book().DealsOf(intent.ID()) {
		if d.Key.Vendor == sellers[0].Keys.Identity().Persona().DID() {
			chosen = d
		}
	}
	if _, err := customer.Desk.AcceptOffer(t.Context(), chosen.State.Offers[0].ID(), false); err != nil {
		t.Fatal(err)
	}
	phase := func(n *node.Node, id cid.Cid) deal.Phase {
		d, ok := n.Desk.Book().Deal(id)
		if !ok {
			return ""
		}
		return d.State.Phase
	}
	until(t, customer, "the deal is agreed", func() bool { return phase(customer, chosen.ID) == deal.PhaseAgreed })
	until(t, sellers[0], "the seller has it too", func() bool { return phase(sellers[0], chosen.ID) == deal.PhaseAgreed })
	mine, _ := customer.Desk.Book().Deal(chosen.ID)
	theirs, _ := sellers[0].Desk.Book().Deal(chosen.ID)
	if !mine.State.Agreement.Defined() || mine.State.Agreement != theirs.State.Agreement {
		t.Fatalf("two names for one agreement: %s and %s", mine.State.Agreement, theirs.State.Agreement)
	}
	var proofs [2]bytes.Buffer
	for i, d := range []*book.Deal{mine, theirs} {
		if _, err := proof.WriteDeal(&proofs[i], d.Intent.Record, d.All()); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(proofs[0].Bytes(), proofs[1].Bytes()) {
		t.Error("the two sides' proofs differ")
	}
	loser := sellers[1]
	until(t, loser, "the other seller is told", func() bool {
		for _, d := range loser.Desk.Book().DealsOf(intent.ID()) {
			return d.State.Phase == deal.PhaseVoided && len(d.State.Asks) == 1
		}
		return false
	})
	for _, n := range append(sellers, customer) {
		until(t, n, "nothing is owed any more", func() bool { return len(n.Desk.Outbox().Pending()) == 0 })
	}
	t.Logf("rounds of fsync: customer %d, seller %d", customer.Ledger.Syncs(), sellers[0].Ledger.Syncs())
}

// From the intent to the seller's decision there are six fsyncs one after the
// other: intent, offer, two of the offer's file in the customer's inbox (the file,
// its folder), acceptance, decision. Mailboxes hand on what they are still
// writing, so theirs are beside the way and not on it.
func TestRoundsOfFsync(t *testing.T) {
	mailbox := start(t, t.TempDir(), func(c *config.Config) { c.ServeMailbox = true })
	customer := start(t, t.TempDir(), func(c *config.Config) { c.Mailboxes = mailbox.Network.Addrs() })
	seller := start(t, t.TempDir(), nil)
	for _, n := range []*node.Node{seller, customer, mailbox} {
		join(t, n, mailbox)
	}
	one := func(what string, n *node.Node, do func()) {
		t.Helper()
		before := n.Ledger.Syncs()
		do()
		if rounds := n.Ledger.Syncs() - before; rounds != 1 {
			t.Errorf("%s took %d rounds of fsync, not one", what, rounds)
		}
	}
	var intent, offer *record.Record
	var err error
	one("the intent", customer, func() {
		if intent, err = customer.Desk.PublishIntent(t.Context(), request()); err != nil {
			t.Fatal(err)
		}
	})
	until(t, seller, "the seller sees the request", func() bool { return seller.Desk.Known(intent.ID()) })
	// That the market has it is written down beside the way.
	until(t, customer, "the market has it", func() bool {
		return customer.Desk.Book().Receipted(book.Delivery{Record: intent.ID(), To: book.Market})
	})
	one("the offer", seller, func() {
		if offer, err = seller.Desk.MakeOffer(t.Context(), desk.OfferRequest{Intent: intent.ID(), Offer: offerOf("100")}); err != nil {
			t.Fatal(err)
		}
	})
	began := time.Now()
	one("the offer's way into the inbox and the acceptance", customer, func() {
		until(t, customer, "the offer is there", func() bool { return customer.Desk.Book().Has(offer.ID()) })
		until(t, seller, "the seller knows that it is", func() bool { return len(seller.Desk.Outbox().Pending()) == 0 })
		if _, err = customer.Desk.AcceptOffer(t.Context(), offer.ID(), false); err != nil {
			t.Fatal(err)
		}
	})
	one("the acceptance's arrival and the decision", seller, func() {
		key, _ := offer.Deal()
		until(t, seller, "the deal is decided", func() bool {
			d, ok := seller.Desk.Book().Deal(key.ID())
			return ok && d.State.Phase == deal.PhaseAgreed
		})
	})
	t.Logf("offer to decision: %s", time.Since(began).Round(time.Millisecond))
}
