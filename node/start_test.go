package node_test

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/parley-protocol/parley/node"
	"github.com/parley-protocol/parley/node/config"
	"github.com/parley-protocol/parley/node/desk"
	"github.com/parley-protocol/parley/node/home"
	"github.com/parley-protocol/parley/node/network"
	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/deal"
)

func tryStart(t *testing.T, dir string, change func(*config.Config)) error {
	t.Helper()
	c := config.Default()
	c.Listen, c.MDNS, c.TestNetwork = []string{"/ip4/127.0.0.1/tcp/0"}, false, true
	if change != nil {
		change(&c)
	}
	n := node.New(node.Options{Home: home.Home{Dir: dir}, Config: c})
	err := n.Start(t.Context())
	if err == nil {
		err = n.Close()
	}
	return err
}

func TestStartRefuses(t *testing.T) {
	if err := tryStart(t, t.TempDir(), nil); protocol.CodeOf(err) != protocol.CodeNotFound {
		t.Errorf("without keys: %v", err)
	}
	dir := t.TempDir()
	running := start(t, dir, nil)
	if err := tryStart(t, dir, nil); protocol.CodeOf(err) != protocol.CodeLocked {
		t.Errorf("a second one: %v", err)
	}
	if err := running.Close(); err != nil {
		t.Fatal(err)
	}
	// What was opened before a failure is closed again.
	for range 2 {
		taken := func(c *config.Config) { c.Listen = []string{"/ip4/192.0.2.1/tcp/4100"} }
		if err := tryStart(t, dir, taken); protocol.CodeOf(err) != protocol.CodeUsage {
			t.Errorf("an address that isn't here: %v", err)
		}
	}
	if err := tryStart(t, dir, nil); err != nil {
		t.Errorf("after that: %v", err)
	}
}

// The promises are in the ledger: the view can be lost as a whole.
func TestViewIsBuiltAnew(t *testing.T) {
	dir := t.TempDir()
	n := start(t, dir, nil)
	intent, err := n.Desk.PublishIntent(t.Context(), request())
	if err != nil {
		t.Fatal(err)
	}
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	h, _ := home.At(dir)
	if err := os.RemoveAll(h.View()); err != nil {
		t.Fatal(err)
	}
	n = start(t, dir, nil)
	if got, err := n.Store.Get(t.Context(), intent.ID()); err != nil || got.ID() != intent.ID() {
		t.Errorf("%v", err)
	}
	if n.Ledger.Len() == 0 || len(n.Desk.Markets()) != 1 {
		t.Errorf("%d entries, markets %v", n.Ledger.Len(), n.Desk.Markets())
	}
}

// A ledger that can't be read whole is no reason to go on as if nothing had been.
func TestDamagedLedgerStopsTheStart(t *testing.T) {
	dir := t.TempDir()
	n := start(t, dir, nil)
	for i := range 10 { // beyond what the last mark has a copy of
		if err := n.Desk.Book().Set(t.Context(), "test/"+strconv.Itoa(i), strings.Repeat("x", 3000)); err != nil {
			t.Fatal(err)
		}
	}
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	h, _ := home.At(dir)
	logs, err := filepath.Glob(h.Ledger() + "/*.log")
	if err != nil || len(logs) != 1 {
		t.Fatalf("%v, %v", logs, err)
	}
	flip(t, logs[0], 200)
	if err := tryStart(t, dir, nil); protocol.CodeOf(err) != protocol.CodeDamaged {
		t.Errorf("%v", err)
	}
}

func flip(t *testing.T, path string, at int64) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b := make([]byte, 1)
	if _, err := f.ReadAt(b, at); err != nil && !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	b[0] ^= 0x10
	if _, err := f.WriteAt(b, at); err != nil {
		t.Fatal(err)
	}
}

// The customer and the seller are restarted between acceptance and decision, and
// the mailbox after it.
func TestAgreementOverRestarts(t *testing.T) {
	boxDir, customerDir, sellerDir := t.TempDir(), t.TempDir(), t.TempDir()
	var at []string
	serve := func(c *config.Config) {
		c.ServeMailbox = true
		if at != nil {
			c.Listen = at
		}
	}
	mailbox := start(t, boxDir, serve)
	address := mailbox.Network.Addrs()
	at = []string{mailbox.Network.Host().Addrs()[0].String()}
	through := func(c *config.Config) { c.Mailboxes, c.Peers = address, address }
	customer, seller := start(t, customerDir, through), start(t, sellerDir, through)
	for _, n := range []*node.Node{mailbox, customer, seller} {
		if err := n.Desk.JoinMarket(t.Context(), market); err != nil {
			t.Fatal(err)
		}
	}
	intent, err := customer.Desk.PublishIntent(t.Context(), request())
	if err != nil {
		t.Fatal(err)
	}
	until(t, seller, "the request came", func() bool { return seller.Desk.Known(intent.ID()) })
	offer, err := seller.Desk.MakeOffer(t.Context(), desk.OfferRequest{Intent: intent.ID(), Offer: offerOf("100")})
	if err != nil {
		t.Fatal(err)
	}
	until(t, customer, "the offer came", func() bool { return customer.Desk.Book().Has(offer.ID()) })
	shut := func(n *node.Node) {
		t.Helper()
		if err := n.Close(); err != nil {
			t.Fatal(err)
		}
	}
	shut(seller)
	if _, err := customer.Desk.AcceptOffer(t.Context(), offer.ID(), false); err != nil {
		t.Fatal(err)
	}
	shut(customer)
	shut(mailbox)
	start(t, boxDir, serve)
	customer, seller = start(t, customerDir, through), start(t, sellerDir, through)
	key, _ := offer.Deal()
	for _, n := range []*node.Node{customer, seller} {
		until(t, n, "the deal is agreed", func() bool {
			d, ok := n.Desk.Book().Deal(key.ID())
			return ok && d.State.Phase == deal.PhaseAgreed
		})
		until(t, n, "nothing is owed any more", func() bool { return len(n.Desk.Outbox().Pending()) == 0 })
	}
	if d, _ := customer.Desk.Book().Deal(key.ID()); len(d.All()) != 3 {
		t.Errorf("%d records: something was signed twice", len(d.All()))
	}
}

func TestJoinPeersIsRemembered(t *testing.T) {
	dir := t.TempDir()
	other := start(t, t.TempDir(), nil)
	n := start(t, dir, nil)
	if err := n.JoinPeers(t.Context(), []string{"/ip4/127.0.0.1/tcp/1"}); protocol.CodeOf(err) != protocol.CodeBadField {
		t.Errorf("an address without a node: %v", err)
	}
	if err := n.JoinPeers(t.Context(), other.Network.Addrs()); err != nil {
		t.Fatal(err)
	}
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	n = start(t, dir, nil)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	met := make(chan struct{}, 8)
	defer n.Network.OnPeer(func(network.PeerEvent) { met <- struct{}{} })()
	for len(n.Network.Host().Network().ConnsToPeer(other.Network.ID())) == 0 {
		select {
		case <-met:
		case <-ctx.Done():
			t.Fatal("it doesn't come back")
		}
	}
}
