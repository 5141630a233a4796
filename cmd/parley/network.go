package main

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/spf13/cobra"

	"github.com/parley-protocol/parley/node/api"
)

func (a *app) inviteCommand() *cobra.Command {
	var markets []string
	cmd := &cobra.Command{
		Use:   "invite",
		Short: "Make a link that lets another node join",
		Long: `Make a link that lets another node join.

Whoever has the link learns this node's network addresses, and connects to it
with "parley join". The two are then a network, without anybody's server.`,
		Example: "  parley invite\n  parley invite --market repair",
		Args:    cobra.NoArgs,
	}
	cmd.Flags().StringArrayVar(&markets, "market", nil, "`market` to join (repeatable; this node's own by default)")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		var v api.Invite
		if err := a.call(cmd.Context(), http.MethodPost, "/v1/invites", map[string]any{"markets": markets}, &v); err != nil {
			return err
		}
		return a.print(v, func(w io.Writer) { fmt.Fprintln(w, v.Link) })
	}
	return cmd
}

func (a *app) joinCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "join LINK",
		Short:   "Connect to the node behind an invite",
		Example: "  parley join parley://join/omVhZGRyc4F4...",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var v api.Invite
			if err := a.call(cmd.Context(), http.MethodPost, "/v1/join", map[string]string{"link": args[0]}, &v); err != nil {
				return err
			}
			return a.print(v, func(w io.Writer) {
				fmt.Fprintln(w, "Joined. This node stays connected to it from now on.")
				if len(v.Markets) > 0 {
					fmt.Fprintf(w, "Markets: %s\n", strings.Join(v.Markets, ", "))
				}
			})
		},
	}
}

func (a *app) marketCommand() *cobra.Command {
	noun := &cobra.Command{Use: "market", Short: "Markets: where requests are published", Example: "  parley market list"}
	list := &cobra.Command{
		Use:     "list",
		Short:   "List the markets that you are in, and those of the registry",
		Example: "  parley market list\n  parley market list --json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			markets, err := getList[api.Market](cmd.Context(), a, "/v1/markets")
			if err != nil {
				return err
			}
			return printList(a, markets, "No markets.", func(t *table) {
				t.row("", "MARKET", "ABOUT")
				for _, m := range markets {
					mark, about := "", m.Summary
					if m.Joined {
						mark = "*"
					}
					if !m.Registered {
						about = "(not in the registry)"
					}
					t.row(mark, m.Name, about)
				}
			})
		},
	}
	join := &cobra.Command{
		Use:     "join MARKET",
		Short:   "Take part in a market",
		Example: "  parley market join repair",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var m api.Market
			if err := a.call(cmd.Context(), http.MethodPost, "/v1/markets", map[string]string{"name": args[0]}, &m); err != nil {
				return err
			}
			return a.print(m, func(w io.Writer) {
				fmt.Fprintf(w, "This node takes part in the market %s.\n", m.Name)
				a.noteMarket(&m)
			})
		},
	}
	leave := &cobra.Command{
		Use:     "leave MARKET",
		Short:   "Leave a market",
		Example: "  parley market leave repair",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var m api.Market
			if err := a.call(cmd.Context(), http.MethodDelete, "/v1/markets?name="+url.QueryEscape(args[0]), nil, &m); err != nil {
				return err
			}
			return a.print(m, func(w io.Writer) { fmt.Fprintf(w, "This node has left the market %s.\n", m.Name) })
		},
	}
	noun.AddCommand(list, join, leave)
	return noun
}

// noteMarket says when a market is one that nobody has registered: a typing
// error makes an empty market.
func (a *app) noteMarket(m *api.Market) {
	if m != nil && !m.Registered {
		a.note("The market %q isn't in the registry: only those who know its name see it (parley market list).", m.Name)
	}
}
