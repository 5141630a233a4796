package testnet_test

import (
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/parley-protocol/parley/crypto"
	"github.com/parley-protocol/parley/node/api"
	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/testnet"
)

func words(t *testing.T) string {
	t.Helper()
	p, err := crypto.NewPhrase()
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(p.Words(), " ")
}

// pair is a customer and a seller with words that the test knows, and a mailbox
// between them.
func pair(t *testing.T) story { return pairOf(t, programs.plain) }

func pairOf(t *testing.T, program func() (string, error)) story {
	t.Helper()
	s := story{t: t, net: testnet.Start(t, testnet.Spec{Binary: binary(t, program), Nodes: []testnet.NodeSpec{
		{Name: "mailbox", ServeMailbox: true},
		{Name: "customer", Peers: []string{"mailbox"}, Mailbox: "mailbox", Phrase: words(t)},
		{Name: "north", Peers: []string{"mailbox"}, Mailbox: "mailbox", Phrase: words(t)},
	}})}
	for _, n := range s.net.Nodes() {
		s.must(n.Name, http.MethodPost, "/v1/markets", map[string]string{"name": market}, nil)
	}
	s.must("north", http.MethodPut, "/v1/profile", api.Profile{Name: "North", Markets: []string{market}}, nil)
	return s
}

// backup makes one of a node that runs.
func (s story) backup(name string) string {
	s.t.Helper()
	file := filepath.Join(s.net.Dir(), name+".age")
	if _, err := s.node(name).CLI(s.t.Context(), "backup", file); err != nil {
		s.t.Fatal(err)
	}
	return file
}

// comeBack ends a node's process as a power cut would, and makes it of a backup.
func (s story) die(name string) {
	s.t.Helper()
	if err := s.node(name).Kill(); err != nil {
		s.t.Fatal(err)
	}
}

func (s story) comeBack(name, file string) {
	s.t.Helper()
	n := s.node(name)
	if err := n.Restore(s.t.Context(), file); err != nil {
		s.t.Fatal(err)
	}
	if err := n.Start(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
}

// offered is a request with an offer on it that the customer has.
func (s story) offered(title string) (api.Intent, api.Offer) {
	s.t.Helper()
	intent, err := s.publish(tender(testnet.SampleTender()), title)
	if err != nil {
		s.t.Fatal(err)
	}
	s.poll("the seller's offer", func() (bool, error) { err := s.offer("north", intent, "95.5"); return err == nil, err })
	return intent, s.hasOffer(intent)
}

func (s story) hasOffer(intent api.Intent) api.Offer {
	s.t.Helper()
	return until(s, "customer", "the offer", "/v1/offers?intent="+intent.ID, func(v list[api.Offer]) bool { return len(v.Items) == 1 }).Items[0]
}

func (s story) acceptOffer(offer api.Offer) error {
	return s.do("customer", http.MethodPost, api.Path("/v1/offers/%s/accept", offer.ID), struct{}{}, nil)
}

func (s story) phase(name, deal, phase string) api.Deal {
	s.t.Helper()
	return until(s, name, "the deal to be "+phase, api.Path("/v1/deals/%s", deal), func(v api.Deal) bool { return v.Phase == phase })
}

func types(d api.Deal) []string {
	var out []string
	for _, r := range d.Records {
		out = append(out, r.Type)
	}
	slices.Sort(out)
	return out
}

func (s story) sameRecords(deal string, want ...string) {
	s.t.Helper()
	slices.Sort(want)
	for _, name := range []string{"customer", "north"} {
		got := until(s, name, "all records", api.Path("/v1/deals/%s", deal), func(v api.Deal) bool { return len(v.Records) >= len(want) })
		if !slices.Equal(types(got), want) {
			s.t.Errorf("%s has %v, want %v", name, types(got), want)
		}
	}
}

// The customer dies after an acceptance that its backup doesn't know, and gets the
// agreement back from the seller.
//
//spec:shows DEAL-24 DEAL-78
func TestCustomerForgetsItsAcceptance(t *testing.T) {
	s := pair(t)
	intent, offer := s.offered("Library furniture")
	file := s.backup("customer")
	if err := s.acceptOffer(offer); err != nil {
		t.Fatal(err)
	}
	before := s.phase("customer", offer.Deal, "agreed")
	later, err := s.publish(tender(testnet.SampleTender()), "Published after the backup")
	if err != nil {
		t.Fatal(err)
	}
	until(s, "north", "the later request", api.Path("/v1/intents/%s", later.ID), func(v api.Intent) bool { return v.ID == later.ID })
	s.die("customer")
	s.comeBack("customer", file)

	after := s.phase("customer", offer.Deal, "agreed")
	if after.Agreement != before.Agreement || after.Recovering != "restored" {
		t.Errorf("%+v", after)
	}
	s.sameRecords(offer.Deal, "offer", "acceptance", "confirmation", "cancel")
	s.phase("north", offer.Deal, "agreed")
	if err := s.acceptOffer(offer); err == nil {
		t.Error("it accepts a second time")
	}
	var v api.Intent
	s.must("customer", http.MethodGet, api.Path("/v1/intents/%s", intent.ID), nil, &v)
	if v.Recovering != "restored" || v.Text == "" {
		t.Errorf("%+v", v)
	}
	// The request of after the backup is found again in the market.
	found := until(s, "customer", "the lost request", api.Path("/v1/intents/%s", later.ID), func(v api.Intent) bool { return v.Own })
	if found.Recovering != "found" {
		t.Errorf("%+v", found)
	}
	if err := s.offer("north", later, "80"); err != nil {
		t.Fatal(err)
	}
	s.must("customer", http.MethodPost, api.Path("/v1/intents/%s/withdraw", later.ID), map[string]string{"reason": "changed_mind"}, nil)
	until(s, "north", "the withdrawal", api.Path("/v1/intents/%s", later.ID), func(v api.Intent) bool { return v.Status == "withdrawn" })
	// A request of after the restore is like any other.
	_, fresh := s.offered("After the restore")
	if err := s.acceptOffer(fresh); err != nil {
		t.Fatal(err)
	}
	s.phase("north", fresh.Deal, "agreed")
}

// The seller dies after a confirmation that its backup doesn't know, and gets it
// back from the customer.
//
//spec:shows DEAL-26 DEAL-27 DEAL-28
func TestSellerForgetsItsConfirmation(t *testing.T) {
	s := pair(t)
	older, err := s.publish(tender(testnet.SampleTender()), "Never answered")
	if err != nil {
		t.Fatal(err)
	}
	_, offer := s.offered("Library furniture")
	file := s.backup("north")
	if err := s.acceptOffer(offer); err != nil {
		t.Fatal(err)
	}
	before := s.phase("customer", offer.Deal, "agreed")
	s.die("north")
	s.comeBack("north", file)
	after := s.phase("north", offer.Deal, "agreed")
	if after.Agreement != before.Agreement {
		t.Errorf("%s, was %s", after.Agreement, before.Agreement)
	}
	s.sameRecords(offer.Deal, "offer", "acceptance", "confirmation", "restored", "held")
	s.phase("customer", offer.Deal, "agreed")
	// On what is older than the restore it makes no offer: it could be the second.
	until(s, "north", "the older request", api.Path("/v1/intents/%s", older.ID), func(v api.Intent) bool { return v.ID == older.ID })
	if err := s.offer("north", older, "70"); protocol.CodeOf(err) != protocol.CodeRecovering {
		t.Errorf("an offer on an older request: %v", err)
	}
}

// The backup doesn't even know the offer, and the customer accepts it while the
// seller is away.
//
//spec:shows DEAL-76 DEAL-77 DEAL-79
func TestSellerForgetsItsOffer(t *testing.T) {
	s := pair(t)
	file := s.backup("north")
	_, offer := s.offered("Library furniture")
	s.die("north")
	if err := s.acceptOffer(offer); err != nil {
		t.Fatal(err)
	}
	s.phase("customer", offer.Deal, "pending")
	s.comeBack("north", file)
	s.phase("north", offer.Deal, "voided")
	s.phase("customer", offer.Deal, "voided")
	s.sameRecords(offer.Deal, "offer", "acceptance", "restored", "customer-void", "void")
}

// Both have forgotten the agreement: neither signs anything that binds.
//
//spec:shows DEAL-25
func TestBothForget(t *testing.T) {
	s := pair(t)
	_, offer := s.offered("Library furniture")
	files := []string{s.backup("customer"), s.backup("north")}
	if err := s.acceptOffer(offer); err != nil {
		t.Fatal(err)
	}
	s.phase("customer", offer.Deal, "agreed")
	s.die("customer")
	s.die("north")
	s.comeBack("customer", files[0])
	s.comeBack("north", files[1])
	s.sameRecords(offer.Deal, "offer", "cancel", "restored")
	for _, name := range []string{"customer", "north"} {
		if d := s.phase(name, offer.Deal, "open"); !strings.Contains(d.Text, "doesn't know all that was signed") {
			t.Errorf("%s: %s", name, d.Text)
		}
	}
	if err := s.acceptOffer(offer); err == nil {
		t.Error("the customer accepts again")
	}
}

// copyHome copies a folder, as people do.
func copyHome(t *testing.T, from, to string) {
	t.Helper()
	err := filepath.WalkDir(from, func(path string, e fs.DirEntry, err error) error {
		rest, _ := filepath.Rel(from, path)
		switch {
		case err != nil:
			return err
		case e.IsDir():
			return os.MkdirAll(filepath.Join(to, rest), 0o700)
		case !e.Type().IsRegular():
			return nil
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, rest), data, 0o600)
	})
	if err != nil {
		t.Fatal(err)
	}
}
