package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/spf13/cobra"

	"github.com/parley-protocol/parley/node/api"
	"github.com/parley-protocol/parley/protocol"
)

func (a *app) offerCommand() *cobra.Command {
	noun := &cobra.Command{Use: "offer", Short: "Offers: what sellers answer", Example: "  parley offer list"}
	noun.AddCommand(a.offerMakeCommand(), a.offerListCommand(), a.offerShowCommand(), a.offerAcceptCommand(), a.offerCounterCommand(), a.offerDeclineCommand())
	return noun
}

func (a *app) offerListCommand() *cobra.Command {
	var own bool
	cmd := &cobra.Command{
		Use:     "list [REQUEST]",
		Short:   "List the offers that you got, cheapest first",
		Example: "  parley offer list\n  parley offer list h4xk2 --json\n  parley offer list --own",
		Args:    cobra.MaximumNArgs(1),
	}
	cmd.Flags().BoolVar(&own, "own", false, "those that you made, as a seller")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		q := url.Values{}
		if own {
			q.Set("own", "true")
		}
		if len(args) > 0 {
			q.Set("intent", args[0])
		}
		offers, err := getList[api.Offer](cmd.Context(), a, "/v1/offers?"+q.Encode())
		if err != nil {
			return err
		}
		return printList(a, offers, "No offers.", func(t *table) {
			prices := []string{"PRICE"}
			for _, o := range offers {
				prices = append(prices, o.TotalPrice+" "+o.PriceCurrency)
			}
			prices = right(prices)
			t.row("ID", "REQUEST", "NO", "SELLER", prices[0], "FIRM UNTIL", "STATE", "SINCE THE ONE BEFORE")
			for i, o := range offers {
				t.row(shortID(o.ID), shortID(o.Intent), offerNumber(o), sellerText(o.SellerName, o.Seller), prices[i+1], when(o.ValidUntil), offerState(o), changedText(o))
			}
		})
	}
	return cmd
}

// sellerText is the seller's name, or enough of its ID to tell two apart.
func sellerText(name, did string) string {
	if name != "" {
		return clip(name, 30)
	}
	const start = len("did:key:")
	return "…" + did[max(start, len(did)-8):]
}

func offerState(o api.Offer) string {
	switch {
	case o.Accepted && o.Phase == "agreed":
		return "agreed"
	case o.Accepted && o.Phase == "pending":
		return "accepted, pending"
	case o.Phase == "voided":
		return "over"
	case o.Phase == "conflict":
		return "contradiction"
	case o.Own && o.Delivery != nil:
		return deliveryText(*o.Delivery)
	case !o.Own && !o.Acceptable && o.WhyNot != nil:
		return "can't be accepted: " + o.WhyNot.Detail
	}
	return "open"
}

func deliveryText(d api.Delivery) string {
	switch d.State {
	case "persisted":
		return "received"
	case "stored":
		return "waits to be picked up" + custodyText(d.Custody)
	}
	return "being sent"
}

// custodyText says where a delivery lies, by the word of who keeps it.
func custodyText(kept []api.Custody) string {
	var until time.Time
	for _, k := range kept {
		if k.Until.After(until) {
			until = k.Until
		}
	}
	switch len(kept) {
	case 0:
		return ""
	case 1:
		return ", in a mailbox until " + when(until)
	default:
		return fmt.Sprintf(", in %d mailboxes until %s", len(kept), when(until))
	}
}

func (a *app) offerShowCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "show ID",
		Short:   "Show an offer",
		Example: "  parley offer show m3qzt",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var o api.Offer
			if err := a.call(cmd.Context(), http.MethodGet, api.Path("/v1/offers/%s", args[0]), nil, &o); err != nil {
				return err
			}
			return a.printOffer(o)
		},
	}
}

func (a *app) printOffer(o api.Offer) error {
	return a.print(o, func(w io.Writer) {
		t := newTable(w)
		t.row("Offer", shortID(o.ID))
		t.row("Request", shortID(o.Intent))
		t.row("Seller", sellerText(o.SellerName, o.Seller))
		if o.Moved != nil {
			t.row("", o.Moved.Text)
		}
		haggling(t, o)
		t.row("Firm until", when(o.ValidUntil))
		t.row("State", offerState(o))
		t.row("Terms", termsText(o.Terms))
		conditionRows(t, o)
		for _, field := range o.Unknown {
			t.row("Not understood", clean(field)+": this program is too old for this offer, which can't be accepted with it")
		}
		t.flush()
		if o.Description != "" {
			fmt.Fprintf(w, "\n%s\n", clean(o.Description))
		}
		fmt.Fprintln(w)
		printPrices(w, o)
		if o.Since != "" {
			fmt.Fprintf(w, "\nCompared with the offer %s:\n", shortID(o.Since))
			if len(o.Differences) == 0 {
				fmt.Fprintln(w, "  nothing has changed")
			}
			printDifferences(w, o.Differences)
		}
	})
}

// printPrices shows the lines, the charges and the sum, amounts to the right.
func printPrices(w io.Writer, o api.Offer) {
	var what, amounts []string
	for _, l := range o.Items {
		text := clip(l.Name, 60)
		if l.Quantity != nil {
			text = quantityText(l.Quantity) + " " + text
		}
		if l.UnitPrice != "" {
			text += " at " + l.UnitPrice
		}
		what, amounts = append(what, text), append(amounts, l.Price)
	}
	for _, c := range o.Charges {
		text := c.Kind
		if c.Name != "" {
			text += ": " + clip(c.Name, 60)
		}
		what, amounts = append(what, text), append(amounts, c.Price)
	}
	what, amounts = append(what, "In all"), append(amounts, o.TotalPrice)
	amounts = right(alignPoint(amounts))
	t := newTable(w)
	for i := range what {
		t.row("  "+what[i], amounts[i]+" "+o.PriceCurrency)
	}
	t.flush()
}

func (a *app) offerAcceptCommand() *cobra.Command {
	var override bool
	var out string
	var wait time.Duration
	cmd := &cobra.Command{
		Use:   "accept ID",
		Short: "Accept an offer",
		Long: `Accept an offer.

Your acceptance is signed and sent. It is binding, for both sides, once the
seller confirms it; until then the command ends with exit code 8: pending. With
--wait it waits for the seller's word and ends with 0 when you have agreed.`,
		Example: "  parley offer accept m3qzt --wait 1m\n  parley offer accept m3qzt --out acceptance.msg",
		Args:    cobra.ExactArgs(1),
	}
	f := cmd.Flags()
	f.BoolVar(&override, "override", false, "accept more offers than the request is for, and perhaps buy twice")
	f.StringVar(&out, "out", "", "also write it, sealed for the seller, to this `file`")
	f.DurationVar(&wait, "wait", 0, "how long to wait for the seller's word")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		ctx := cmd.Context()
		var d api.Deal
		if err := a.call(ctx, http.MethodPost, api.Path("/v1/offers/%s/accept", args[0]), map[string]bool{"override": override}, &d); err != nil {
			return err
		}
		if err := a.sealTo(ctx, ownRecord(d, protocol.TypeAcceptance), out); err != nil {
			return err
		}
		d, err := a.untilDecided(ctx, d, wait)
		if err != nil {
			return err
		}
		if err := a.printDealState(d); err != nil {
			return err
		}
		switch d.Phase {
		case "pending":
			return errPending
		case "agreed":
			return nil
		}
		return exitError(exitFailed)
	}
	return cmd
}

// untilDecided waits while a deal is pending, at most so long, and returns it as
// it is then.
func (a *app) untilDecided(ctx context.Context, d api.Deal, wait time.Duration) (api.Deal, error) {
	path := api.Path("/v1/deals/%s", d.ID)
	timeout, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for d.Phase == "pending" && wait > 0 {
		select {
		case <-timeout.Done():
			return d, ctx.Err()
		case <-tick.C:
		}
		if err := a.call(ctx, http.MethodGet, path, nil, &d); err != nil {
			return d, err
		}
	}
	return d, nil
}

// sayNo sends a refusal with its reason, and writes the record of that type,
// sealed, to the file out if there is to be one.
func (a *app) sayNo(ctx context.Context, path, reason, recordType, out string) error {
	var d api.Deal
	if err := a.call(ctx, http.MethodPost, path, map[string]string{"reason": reason}, &d); err != nil {
		return err
	}
	if err := a.sealTo(ctx, ownRecord(d, recordType), out); err != nil {
		return err
	}
	return a.printDealState(d)
}

// refusal is a command that says no to what ID names.
func (a *app) refusal(cmd *cobra.Command, path, reason, recordType string) *cobra.Command {
	var out string
	cmd.Use, cmd.Args = "decline ID", cobra.ExactArgs(1)
	addReason(cmd, &reason, reason, recordType)
	cmd.Flags().StringVar(&out, "out", "", "also write it, sealed for the other side, to this `file`")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return a.sayNo(cmd.Context(), api.Path(path, args[0]), reason, recordType, out)
	}
	return cmd
}

func (a *app) offerDeclineCommand() *cobra.Command {
	return a.refusal(&cobra.Command{
		Short:   "Tell a seller that you want none of its offers on a request",
		Example: "  parley offer decline m3qzt --reason price",
	}, "/v1/offers/%s/decline", protocol.ReasonOther, protocol.TypeDecline)
}
