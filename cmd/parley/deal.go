package main

import (
	"fmt"
	"io"
	"net/http"
	"net/url"

	"github.com/spf13/cobra"

	"github.com/parley-protocol/parley/node/api"
	"github.com/parley-protocol/parley/protocol"
)

func (a *app) dealCommand() *cobra.Command {
	noun := &cobra.Command{Use: "deal", Short: "Deals: where you stand with each seller or customer", Example: "  parley deal list"}
	noun.AddCommand(a.dealListCommand(), a.dealShowCommand(), a.dealCancelCommand(), a.eraseCommand("deal"), a.dealNextCommand(), a.dealChangeCommand())
	return noun
}

func (a *app) dealListCommand() *cobra.Command {
	var intent, phase string
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List deals, newest first",
		Example: "  parley deal list\n  parley deal list --phase agreed --json",
		Args:    cobra.NoArgs,
	}
	cmd.Flags().StringVar(&intent, "intent", "", "only of this `request`")
	cmd.Flags().StringVar(&phase, "phase", "", "only in this `phase`: open, pending, agreed, voided or conflict")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		switch phase {
		case "", "open", "pending", "agreed", "voided", "conflict":
		default:
			return usagef("--phase", "open, pending, agreed, voided or conflict", "%q is no phase", phase)
		}
		q := url.Values{}
		if intent != "" {
			q.Set("intent", intent)
		}
		if phase != "" {
			q.Set("phase", phase)
		}
		deals, err := getList[api.Deal](cmd.Context(), a, "/v1/deals?"+q.Encode())
		if err != nil {
			return err
		}
		return printList(a, deals, "No deals.", func(t *table) {
			prices := []string{"PRICE"}
			for _, d := range deals {
				prices = append(prices, priceText(d))
			}
			prices = right(prices)
			t.row("ID", "PHASE", "YOU ARE", "SELLER", prices[0], "CHANGED", "WHAT")
			for i, d := range deals {
				t.row(shortID(d.ID), phaseText(d), roleText(d), sellerText(d.SellerName, d.Seller), prices[i+1], when(d.Updated), clip(d.IntentName, 40))
			}
		})
	}
	return cmd
}

func phaseText(d api.Deal) string {
	if d.InDoubt {
		return "in doubt"
	}
	return d.Phase
}

func roleText(d api.Deal) string {
	if d.Role == "vendor" {
		return "seller"
	}
	return d.Role
}

func priceText(d api.Deal) string {
	if d.PriceTotal == "" {
		return ""
	}
	return d.PriceTotal + " " + d.PriceCurrency
}

func (a *app) dealShowCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "show ID",
		Short: "Show a deal with its records",
		Long: `Show a deal with its records.

ID is the deal's, or that of any of its records, such as an offer.`,
		Example: "  parley deal show t6wa7",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var d api.Deal
			if err := a.call(cmd.Context(), http.MethodGet, api.Path("/v1/deals/%s", args[0]), nil, &d); err != nil {
				return err
			}
			return a.printDeal(d)
		},
	}
}

// printDealState is the short form: what the deal has come to.
func (a *app) printDealState(d api.Deal) error {
	return a.print(d, func(w io.Writer) {
		fmt.Fprintln(w, d.Text)
		t := newTable(w)
		t.row("Deal", shortID(d.ID))
		if d.Agreement != "" {
			t.row("Agreement", d.Agreement)
		}
		t.flush()
	})
}

func (a *app) printDeal(d api.Deal) error {
	return a.print(d, func(w io.Writer) {
		t := newTable(w)
		t.row("Deal", shortID(d.ID))
		t.row("Request", shortID(d.Intent)+"  "+clip(d.IntentName, 60))
		t.row("You are", "the "+roleText(d))
		t.row("Seller", sellerText(d.SellerName, d.Seller))
		if d.Known != nil && d.Role == "vendor" {
			t.row("Customer", sellerText(d.Known.Name, d.Known.DID)+", who has introduced itself")
		}
		t.row("State", d.Text)
		if d.Reason != "" {
			t.row("Reason", reasonText(d.Reason))
		}
		if d.PriceTotal != "" {
			t.row("Price", priceText(d))
		}
		if d.Agreement != "" {
			t.row("Agreement", d.Agreement)
		}
		roundRows(t, d)
		t.flush()
		printNegotiation(w, d)
		fmt.Fprintln(w)
		t = newTable(w)
		t.row("RECORD", "WHEN", "FROM", "WHAT", "")
		for _, r := range d.Records {
			from, note := "them", r.Misfit
			if r.Own {
				from = "you"
				if r.Delivery != nil {
					note = deliveryText(*r.Delivery)
				}
			}
			switch {
			case r.Evidence:
				note = "proof of the contradiction"
			case r.Waiting != "":
				note = "waits for " + shortID(r.Waiting)
			}
			t.row(shortID(r.ID), when(r.At), from, r.Type, note)
		}
		t.flush()
		printNotices(w, d.Notices)
	})
}

func (a *app) dealCancelCommand() *cobra.Command {
	var reason, out string
	cmd := &cobra.Command{
		Use:   "cancel ID",
		Short: "Ask the seller to call a deal off",
		Long: `Ask the seller to call a deal off.

It ends nothing by itself: the seller decides, and the answer may be the
confirmation that was already under way.`,
		Example: "  parley deal cancel t6wa7 --reason changed_mind",
		Args:    cobra.ExactArgs(1),
	}
	addReason(cmd, &reason, protocol.ReasonChangedMind, protocol.TypeCancel)
	cmd.Flags().StringVar(&out, "out", "", "also write it, sealed for the seller, to this `file`")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		var d api.Deal
		if err := a.call(cmd.Context(), http.MethodPost, api.Path("/v1/deals/%s/cancel", args[0]), map[string]string{"reason": reason}, &d); err != nil {
			return err
		}
		if err := a.sealTo(cmd.Context(), ownRecord(d, protocol.TypeCancel), out); err != nil {
			return err
		}
		return a.printDealState(d)
	}
	return cmd
}
