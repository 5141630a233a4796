package main

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/spf13/cobra"

	"github.com/parley-protocol/parley/node/api"
	"github.com/parley-protocol/parley/protocol"
)

func (a *app) intentCommand() *cobra.Command {
	noun := &cobra.Command{
		Use:     "intent",
		Aliases: []string{"request"},
		Short:   "Requests: what somebody asks for",
		Example: "  parley intent list",
	}
	noun.AddCommand(a.intentPublishCommand(), a.intentListCommand(), a.intentShowCommand(), a.intentWithdrawCommand(),
		a.intentShareCommand(), a.intentDeclineCommand(), a.eraseCommand("intent"))
	return noun
}

func (a *app) intentListCommand() *cobra.Command {
	var own, all bool
	var market, category string
	limit := 100
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List requests, newest first",
		Example: `  parley intent list --own
  parley intent list --market repair --category cpv:50 --json`,
		Args: cobra.NoArgs,
	}
	f := cmd.Flags()
	f.BoolVar(&own, "own", false, "only your own")
	f.BoolVar(&all, "all", false, "expired and withdrawn ones too")
	f.StringVar(&market, "market", "", "only of this `market`")
	f.StringVar(&category, "category", "", "only of this category, a `code` such as cpv:50")
	f.IntVar(&limit, "limit", limit, "at most so many")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if limit < 1 {
			return usagef("--limit", "", "%d is not at least 1", limit)
		}
		q := url.Values{}
		if own {
			q.Set("own", "true")
		}
		if all {
			q.Set("all", "true")
		}
		if market != "" {
			q.Set("market", market)
		}
		if category != "" {
			q.Set("category", category)
		}
		found, err := getPages[api.Intent](cmd.Context(), a, "/v1/intents", q, limit)
		if err != nil {
			return err
		}
		return printList(a, found, "No requests.", func(t *table) {
			budgets := make([]string, len(found))
			for i, v := range found {
				budgets[i] = budgetText(v.Budget)
			}
			budgets = right(append([]string{"BUDGET"}, budgets...))
			t.row("ID", "STATE", "UNTIL", "MARKET", budgets[0], "OFFERS", "WHAT")
			for i, v := range found {
				t.row(shortID(v.ID), intentState(v), when(v.ValidUntil), marketText(v), budgets[i+1], fmt.Sprintf("%6d", v.Offers), clip(v.Name, 50))
			}
		})
	}
	return cmd
}

// intentState is own, sealed or the state of others' requests.
func intentState(v api.Intent) string {
	state := v.Status
	if v.Own {
		state += ", yours"
	}
	if v.OnItsWay {
		state += ", on its way"
	}
	return state
}

func marketText(v api.Intent) string {
	if v.Market == "" {
		return "(sealed)"
	}
	return v.Market
}

func budgetText(b *api.Budget) string {
	switch {
	case b == nil:
		return ""
	case b.MinPrice == "":
		return "up to " + b.MaxPrice + " " + b.PriceCurrency
	case b.MaxPrice == "":
		return "from " + b.MinPrice + " " + b.PriceCurrency
	}
	return b.MinPrice + " to " + b.MaxPrice + " " + b.PriceCurrency
}

func (a *app) intentShowCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "show ID",
		Short:   "Show a request",
		Example: "  parley intent show h4xk2",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var v api.Intent
			if err := a.call(cmd.Context(), http.MethodGet, api.Path("/v1/intents/%s", args[0]), nil, &v); err != nil {
				return err
			}
			return a.print(v, func(w io.Writer) {
				t := newTable(w)
				t.row("Request", shortID(v.ID))
				t.row("State", intentState(v))
				if v.Text != "" {
					t.row("", v.Text)
				}
				t.row("Offers", fmt.Sprint(v.Offers))
				if v.Known != nil {
					t.row("Customer", sellerText(v.Known.Name, v.Known.DID)+", who has introduced itself")
				}
				t.list("Sent to", v.To)
				t.flush()
				printRequest(w, v.Record, v.Terms)
				printNotices(w, v.Notices)
			})
		},
	}
}

func (a *app) intentWithdrawCommand() *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use:     "withdraw ID",
		Short:   "Take a request of yours back",
		Example: "  parley intent withdraw h4xk2 --reason bought",
		Args:    cobra.ExactArgs(1),
	}
	addReason(cmd, &reason, protocol.ReasonChangedMind, protocol.TypeWithdrawal)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		var v api.Intent
		if err := a.call(cmd.Context(), http.MethodPost, api.Path("/v1/intents/%s/withdraw", args[0]), map[string]string{"reason": reason}, &v); err != nil {
			return err
		}
		return a.print(v, func(w io.Writer) {
			fmt.Fprintf(w, "Withdrawn: %s  %s\n", shortID(v.ID), v.Name)
			a.note("Those who have seen it are told. An offer that you have accepted stays accepted.")
		})
	}
	return cmd
}

func (a *app) intentShareCommand() *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use:   "share ID",
		Short: "Write a request to a file, to be brought to a seller",
		Long: `Write a request to a file, to be brought to a seller.

The seller answers it with "parley offer make FILE --out ANSWER": no network is
needed in between.`,
		Example: "  parley intent share h4xk2 --out request.car",
		Args:    cobra.ExactArgs(1),
	}
	cmd.Flags().StringVar(&out, "out", "", "`file` to write, - for the standard output")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		file, err := a.download(cmd.Context(), api.Path("/v1/intents/%s/file", args[0]), out)
		return a.printSaved(file, err)
	}
	return cmd
}

func (a *app) intentDeclineCommand() *cobra.Command {
	return a.refusal(&cobra.Command{
		Short:   "As a seller: tell the customer that there will be no offer",
		Example: "  parley intent decline h4xk2 --reason out_of_stock",
	}, "/v1/intents/%s/decline", protocol.ReasonNoOffer, protocol.TypeVoid)
}

// defaultLife is how long a request runs when nobody says otherwise.
const defaultLife = 7 * 24 * time.Hour
