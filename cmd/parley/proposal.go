package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/parley-protocol/parley/node/api"
)

func (a *app) termsCounterCommand() *cobra.Command {
	var in api.NewProposal
	var text api.NewTerms
	var policy, out string
	cmd := &cobra.Command{
		Use:   "counter REQUEST|DEAL",
		Short: "As a seller: propose other terms, once",
		Long: `As a seller: propose other terms than those of a request, once.

A proposal is no offer and changes no request: a customer who takes it sends a
new request under these terms. TERMS is an agreement of "parley terms list", the
name of a text of yours, or a FILE with a text.`,
		Example: `  parley terms counter h4xk2 --terms SD-BASE-A --description "We count visits"
  parley terms counter h4xk2 --terms ours.txt --name ours`,
		Args: cobra.ExactArgs(1),
	}
	f := cmd.Flags()
	f.StringVar(&in.Terms, "terms", "", "`terms` that you propose, or a file with a text")
	f.StringVar(&in.Description, "description", "", "why, in words")
	f.StringVar(&text.Name, "name", "", "what a text is called (the file's name by default)")
	f.StringVar(&text.BasedOn, "based-on", "", "`agreement` of \"parley terms list\" that a text builds on")
	f.StringVar(&policy, "policy", "", "a text for machines: a `file` with an ODRL policy in JSON")
	f.StringVar(&out, "out", "", "also write it, sealed for the customer, to this `file`")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if in.Terms == "" {
			return usagef("--terms", "give --terms ID, or --terms FILE", "no terms are named")
		}
		if info, err := os.Stat(in.Terms); err == nil && info.Mode().IsRegular() {
			if err := a.readText(&text, in.Terms, policy); err != nil {
				return err
			}
			in.Terms, in.Text = "", &text
		}
		var v api.Proposal
		if err := a.call(cmd.Context(), http.MethodPost, api.Path("/v1/intents/%s/terms", args[0]), in, &v); err != nil {
			return err
		}
		if err := a.sealTo(cmd.Context(), v.ID, out); err != nil {
			return err
		}
		return a.print(v, func(w io.Writer) { printProposal(w, v) })
	}
	return cmd
}

// printProposal shows the other terms that a seller proposes, and what they have
// otherwise.
func printProposal(w io.Writer, v api.Proposal) {
	who := sellerText(v.SellerName, v.Seller) + " proposes"
	if v.Own {
		who = "You propose"
	}
	fmt.Fprintf(w, "%s other terms (%s): %s\n", who, shortID(v.ID), termsText(v.Terms))
	for _, line := range v.Differences {
		fmt.Fprintf(w, "  %s\n", clip(line, 300))
	}
	if v.Description != "" {
		fmt.Fprintf(w, "  “%s”\n", clip(v.Description, 300))
	}
	if v.Terms.Text != "" {
		fmt.Fprintln(w)
		printText(w, v.Terms)
	}
	for _, field := range v.Unknown {
		fmt.Fprintf(w, "  Not understood: %s. This program is too old for all of this proposal.\n", clean(field))
	}
	if !v.Own && v.Phase == "open" {
		fmt.Fprintf(w, "To take them: parley terms adopt %s. To refuse: parley terms decline %s, or say nothing.\n", shortID(v.ID), shortID(v.ID))
	}
}

func (a *app) termsProposalsCommand() *cobra.Command {
	var own bool
	cmd := &cobra.Command{
		Use:     "proposals",
		Short:   "List the other terms that sellers have proposed to you",
		Example: "  parley terms proposals\n  parley terms proposals --own",
		Args:    cobra.NoArgs,
	}
	cmd.Flags().BoolVar(&own, "own", false, "those that you proposed, as a seller")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		path := "/v1/proposals"
		if own {
			path += "?own=true"
		}
		found, err := getList[api.Proposal](cmd.Context(), a, path)
		if err != nil {
			return err
		}
		return printList(a, found, "No terms have been proposed.", func(t *table) {
			t.row("ID", "REQUEST", "SELLER", "STATE", "TERMS", "FOR")
			for _, v := range found {
				name := v.Terms.ID
				if v.Terms.Text != "" || v.Terms.Missing {
					name = "“" + clip(v.Terms.Name, 30) + "”"
				}
				t.row(shortID(v.ID), shortID(v.Intent), sellerText(v.SellerName, v.Seller), v.Phase, name, clip(v.IntentName, 40))
			}
		})
	}
	return cmd
}

func (a *app) termsAdoptCommand() *cobra.Command {
	var in api.Adoption
	var until string
	var yes, dryRun bool
	cmd := &cobra.Command{
		Use:   "adopt PROPOSAL",
		Short: "Take terms that a seller proposes: send a new request under them",
		Long: `Take terms that a seller proposes: send a new request under them.

The new request says what the old one did, under the proposed terms, with a key
of its own. It goes, sealed, to that seller alone; with --market it goes where
the old one went. The old request stays as it is.`,
		Example: "  parley terms adopt k7pwq\n  parley terms adopt k7pwq --until 7d --yes",
		Args:    cobra.ExactArgs(1),
	}
	f := cmd.Flags()
	f.BoolVar(&in.Market, "market", false, "publish it in the old request's market, instead of sealing it to the seller")
	f.StringVar(&until, "until", "", "offers are welcome until this `time` (the old request's by default)")
	f.BoolVar(&yes, "yes", false, "send it without asking")
	f.BoolVar(&dryRun, "dry-run", false, "only show what would be sent")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if until != "" {
			at, err := parseTime("--until", until, time.Now())
			if err != nil {
				return err
			}
			in.ValidUntil = &at
		}
		return a.adopt(cmd.Context(), args[0], in, yes, dryRun)
	}
	return cmd
}

func (a *app) adopt(ctx context.Context, id string, in api.Adoption, yes, dryRun bool) error {
	var p api.Proposal
	if err := a.call(ctx, http.MethodGet, api.Path("/v1/proposals/%s", id), nil, &p); err != nil {
		return err
	}
	var d api.Draft
	if err := a.call(ctx, http.MethodPost, api.Path("/v1/proposals/%s/draft", id), in, &d); err != nil {
		return err
	}
	shown := &publishing{}
	if !in.Market {
		shown.in.To = []string{sellerText(p.SellerName, p.Seller)}
	}
	if dryRun {
		return a.print(d, func(w io.Writer) { a.preview(w, d, shown) })
	}
	if !a.json {
		a.preview(a.stderr, d, shown)
	}
	if !yes {
		if err := a.confirm("", "Send this?", "Nothing was sent."); err != nil {
			return err
		}
	}
	var v api.Intent
	if err := a.call(ctx, http.MethodPost, api.Path("/v1/proposals/%s/adopt", id), in, &v); err != nil {
		return err
	}
	return a.print(v, func(w io.Writer) {
		fmt.Fprintf(w, "Sent: %s  %s\n", shortID(v.ID), clip(v.Name, 60))
		a.note("The old request stays as it is: parley intent withdraw %s takes it back.", shortID(p.Intent))
	})
}

func (a *app) termsDeclineCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "decline PROPOSAL",
		Short: "Say no to a seller that proposes other terms",
		Long: `Say no to a seller that proposes other terms. To say nothing is an answer too:
your request stands as it is.`,
		Example: "  parley terms decline k7pwq",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var d api.Deal
			if err := a.call(cmd.Context(), http.MethodPost, api.Path("/v1/proposals/%s/decline", args[0]), nil, &d); err != nil {
				return err
			}
			return a.printDealState(d)
		},
	}
}
