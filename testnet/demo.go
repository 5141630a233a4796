package testnet

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/parley-protocol/parley/node/api"
)

//go:embed sample/tender.json
var sampleTender []byte

// SampleTender is a public tender in OCDS form, written for this project.
func SampleTender() []byte { return bytes.Clone(sampleTender) }

// Demo is one request, two sellers and one agreement, between four processes.
type Demo struct {
	Binary string    // the parley program
	Tender []byte    // an OCDS release; the sample when nil
	Out    io.Writer // where the story is told
	Keep   bool      // leave the nodes running, until ctx ends

	net    *Network
	began  time.Time
	intent api.Intent
	deal   api.Deal
}

const demoMarket = "public-tenders"

// patience is how long one step of the demo may take.
const patience = 30 * time.Second

// Run tells the story as it happens.
func (d *Demo) Run(ctx context.Context) (err error) {
	if d.Tender == nil {
		d.Tender = SampleTender()
	}
	d.began = time.Now()
	dir, err := os.MkdirTemp("", "parley-demo")
	if err != nil {
		return err
	}
	defer func() {
		if d.net != nil {
			err = errors.Join(err, d.net.Close())
		}
		err = errors.Join(err, os.RemoveAll(dir))
	}()
	for _, step := range []func(context.Context, string) error{d.start, d.request, d.agree, d.prove} {
		if err := step(ctx, dir); err != nil {
			return err
		}
	}
	d.say("\nThat took %.1f seconds. No company stood in the middle: four processes, each with its own disk and keys.", time.Since(d.began).Seconds())
	if d.Keep {
		return d.keep(ctx)
	}
	d.say("Everything is cleaned up again. KEEP=1 leaves the nodes running.")
	return nil
}

func (d *Demo) say(format string, args ...any) { fmt.Fprintf(d.Out, format+"\n", args...) }

func (d *Demo) step(n int, title string) { d.say("\n%d. %s", n, title) }

func (d *Demo) node(name string) *Node { return d.net.Node(name) }

func (d *Demo) do(ctx context.Context, node, method, path string, in, out any) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := d.node(node).API().Do(ctx, method, path, in, out); err != nil {
		return fmt.Errorf("%s: %w", node, err)
	}
	return nil
}

// await asks until what comes back is as wanted.
func await[V any](ctx context.Context, d *Demo, node, what, path string, good func(V) bool) (V, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		var v V
		err := d.node(node).API().Do(ctx, http.MethodGet, path, nil, &v)
		if err == nil && good(v) {
			return v, nil
		}
		select {
		case <-ctx.Done():
			return v, errors.Join(fmt.Errorf("%s: waited in vain for %s", node, what), err)
		case <-tick.C:
		}
	}
}

type listOf[T any] struct {
	Items []T `json:"items"`
}

func (d *Demo) start(ctx context.Context, dir string) error {
	d.step(1, "Four nodes start on this machine, each a process of its own.")
	var err error
	d.net, err = New(ctx, Spec{Binary: d.Binary, Dir: dir, Nodes: []NodeSpec{
		{Name: "mailbox", ServeMailbox: true},
		{Name: "customer", Peers: []string{"mailbox"}, Mailbox: "mailbox"},
		{Name: "north", Peers: []string{"mailbox"}},
		{Name: "south", Peers: []string{"mailbox"}},
	}})
	if err != nil {
		return err
	}
	d.say("   customer   wants something, and says so under a key made for this one request")
	d.say("   north      a seller        south      another seller; they share nothing but the network")
	d.say("   mailbox    keeps sealed messages for those who are off; it can't read them")
	for _, n := range d.net.Nodes() {
		if err := d.do(ctx, n.Name, http.MethodPost, "/v1/markets", map[string]string{"name": demoMarket}, nil); err != nil {
			return err
		}
	}
	for name, title := range map[string]string{"north": "North Supplies", "south": "South Traders"} {
		profile := api.Profile{Name: title, Markets: []string{demoMarket}, Terms: []string{"PDC-INTENT", "SD-BASE"}}
		if err := d.do(ctx, name, http.MethodPut, "/v1/profile", profile, nil); err != nil {
			return err
		}
	}
	return nil
}

func (d *Demo) request(ctx context.Context, _ string) error {
	d.step(2, "The customer tells the market what they want, on terms of their own.")
	until := time.Now().Add(48 * time.Hour).Truncate(time.Second)
	ask := api.NewIntent{Format: "ocds", Document: json.RawMessage(d.Tender), Market: demoMarket, ValidUntil: &until, AsRequest: true}
	var draft api.Draft
	if err := d.do(ctx, "customer", http.MethodPost, "/v1/intents/draft", ask, &draft); err != nil {
		return err
	}
	for _, w := range draft.Warnings {
		d.say("   before it goes out, a warning: in %s, %s %q", w.Field, w.Text, w.Excerpt)
	}
	if err := d.do(ctx, "customer", http.MethodPost, "/v1/intents", ask, &d.intent); err != nil {
		return err
	}
	d.say("   request    %q (%d bytes)", d.intent.Name, d.intent.Size)
	for _, item := range d.intent.ItemOffered {
		line := item.Name
		if q := item.Quantity; q != nil {
			line = q.Value + " × " + line
		}
		d.say("              %s", line)
	}
	d.say("   terms      %q", d.intent.Terms[0].Sentence)
	d.say("   Public is what the notice itself says, and where sealed replies may be left: no address of the customer's")
	d.say("   node, and no key that it uses a second time.")

	d.step(3, "Both sellers see it and answer in private.")
	for i, name := range []string{"north", "south"} {
		if _, err := await(ctx, d, name, "the request", api.Path("/v1/intents/%s", d.intent.ID), func(v api.Intent) bool { return v.ID == d.intent.ID }); err != nil {
			return err
		}
		offer := d.offer([]int64{95, 110}[i])
		var made api.Offer
		if err := d.do(ctx, name, http.MethodPost, "/v1/offers", offer, &made); err != nil {
			return err
		}
		d.say("   %-10s offers %s %s, firm until %s, sealed to the customer alone", name, made.TotalPrice, made.PriceCurrency, made.ValidUntil.Local().Format("2 January 15:04"))
	}
	return nil
}

// offer prices each item of the request at so much apiece, and adds delivery.
func (d *Demo) offer(each int64) api.NewOffer {
	offer := api.NewOffer{Intent: d.intent.ID, PriceCurrency: "GBP", ValidUntil: time.Now().Add(24 * time.Hour).Truncate(time.Second)}
	if b := d.intent.Budget; b != nil {
		offer.PriceCurrency = b.PriceCurrency
	}
	for i, item := range d.intent.ItemOffered {
		index := int64(i)
		line := api.Line{Name: item.Name, Item: &index, Quantity: item.Quantity}
		total := each
		if q := item.Quantity; q != nil {
			// A quantity that isn't whole is sold by the lot.
			if n, err := strconv.ParseInt(q.Value, 10, 32); err == nil {
				total *= n
				line.UnitPrice = strconv.FormatInt(each, 10)
			}
		}
		line.Price = strconv.FormatInt(total, 10)
		offer.Items = append(offer.Items, line)
	}
	offer.Charges = []api.Charge{{Kind: "delivery", Price: "12.5"}}
	return offer
}

func (d *Demo) agree(ctx context.Context, _ string) error {
	d.step(4, "The customer opens the offers on their own machine, compares, and accepts one.")
	offers, err := await(ctx, d, "customer", "two offers", "/v1/offers?intent="+d.intent.ID, func(v listOf[api.Offer]) bool { return len(v.Items) == 2 })
	if err != nil {
		return err
	}
	for i, o := range offers.Items {
		d.say("   %d. %-16s %10s %s", i+1, o.SellerName, o.TotalPrice, o.PriceCurrency)
	}
	best := offers.Items[0]
	if err := d.do(ctx, "customer", http.MethodPost, api.Path("/v1/offers/%s/accept", best.ID), struct{}{}, &d.deal); err != nil {
		return err
	}
	d.say("   accepted: %s. %s", best.SellerName, d.deal.Text)

	d.step(5, "The seller confirms. Now it is an agreement, and both hold the same one.")
	agreed := func(v api.Deal) bool { return v.Phase == "agreed" }
	mine, err := await(ctx, d, "customer", "the confirmation", api.Path("/v1/deals/%s", d.deal.ID), agreed)
	if err != nil {
		return err
	}
	theirs, err := await(ctx, d, d.winner(best), "the agreement", api.Path("/v1/deals/%s", d.deal.ID), agreed)
	if err != nil {
		return err
	}
	d.say("   customer   %s", mine.Agreement)
	d.say("   %-10s %s", d.winner(best), theirs.Agreement)
	if mine.Agreement != theirs.Agreement {
		return errors.New("the two sides hold different agreements")
	}
	d.deal = mine

	d.step(6, "The other seller isn't left in the dark: a signed notice with a reason.")
	loser := "south"
	if d.winner(best) == "south" {
		loser = "north"
	}
	told, err := await(ctx, d, loser, "the notice", "/v1/deals?intent="+d.intent.ID, func(v listOf[api.Deal]) bool { return len(v.Items) == 1 && v.Items[0].Phase == "voided" })
	if err != nil {
		return err
	}
	d.say("   %-10s reason: %s. %s", loser, told.Items[0].Reason, told.Items[0].Text)
	return nil
}

// winner is the node behind an offer.
func (d *Demo) winner(o api.Offer) string {
	for _, name := range []string{"north", "south"} {
		if d.node(name).Info().DID == o.Seller {
			return name
		}
	}
	return ""
}

func (d *Demo) prove(ctx context.Context, dir string) error {
	d.step(7, "Each side takes its proof away as a file, and anybody can check it without a network.")
	for _, name := range []string{"customer", d.winner(api.Offer{Seller: d.deal.Seller})} {
		file := filepath.Join(dir, name+".car")
		if _, err := d.node(name).CLI(ctx, "export", d.deal.ID, "--out", file); err != nil {
			return err
		}
		out, err := d.node(name).CLI(ctx, "verify", file)
		if err != nil {
			return err
		}
		if !bytes.Contains(out, []byte(d.deal.Agreement)) {
			return fmt.Errorf("the proof of %s names another agreement:\n%s", name, out)
		}
		d.say("   parley verify %s.car", name)
		if name != "customer" {
			d.say("      The proof holds: the same agreement.")
			continue
		}
		for line := range strings.Lines(string(out)) {
			d.say("      %s", strings.TrimRight(line, "\n"))
		}
	}
	return nil
}

func (d *Demo) keep(ctx context.Context) error {
	d.say("\nThe nodes go on running. Talk to them from another terminal, for example:")
	for _, n := range d.net.Nodes() {
		d.say("   %s --home %s deal list", d.Binary, n.Home)
	}
	d.say("Ctrl-C here ends them and removes their folders.")
	<-ctx.Done()
	return nil
}
