package main

import (
	"net/http"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/parley-protocol/parley/node/api"
)

func (a *app) relationshipCommand() *cobra.Command {
	noun := &cobra.Command{Use: "relationship", Short: "Customers and sellers who know each other", Example: "  parley relationship list"}
	list := &cobra.Command{
		Use:   "list",
		Short: "List whom you know beyond one request",
		Long: `List whom you know beyond one request.

A customer introduces itself to each seller under another name, so that two
sellers can't tell that they have the same customer.`,
		Example: "  parley relationship list",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			all, err := getList[api.Relationship](cmd.Context(), a, "/v1/relationships")
			if err != nil {
				return err
			}
			return printList(a, all, "No relationships.", func(t *table) {
				t.row("YOU ARE", "WITH", "SINCE", "REQUESTS", "AGREEMENTS", "CUSTOMER'S ID")
				for _, r := range all {
					role, with := "the seller", sellerText(r.Name, r.DID)
					if r.Own {
						role, with = "the customer", sellerText(r.SellerName, r.Seller)
					}
					t.row(role, with, when(r.Since), strconv.Itoa(len(r.Intents)), strconv.Itoa(len(r.Agreements)), r.DID)
				}
			})
		},
	}
	introduce := &cobra.Command{
		Use:   "introduce DEAL",
		Short: "Let a seller know you again",
		Long: `Let a seller know you again.

After an agreement you may tell the seller, and nobody else, a name under which
it knows you from now on. Later requests to that seller carry it if you publish
them with --introduce. It can't be taken back: the seller can then join what
you do with it.`,
		Example: "  parley relationship introduce t6wa7",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var d api.Deal
			if err := a.call(cmd.Context(), http.MethodPost, api.Path("/v1/deals/%s/introduce", args[0]), nil, &d); err != nil {
				return err
			}
			return a.printDealState(d)
		},
	}
	noun.AddCommand(list, introduce)
	return noun
}
