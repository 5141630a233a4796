package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/parley-protocol/parley/node/api"
	"github.com/parley-protocol/parley/protocol"
)

func (a *app) assertionCommand() *cobra.Command {
	noun := &cobra.Command{Use: "assertion", Short: "What you say of yourself: preferences, memberships, purchases", Example: "  parley assertion list"}
	noun.AddCommand(a.preferenceCommand(), a.membershipCommand(), a.historyCommand(), a.assertionListCommand(), a.assertionShowCommand(),
		a.assertionShareCommand(), a.assertionKeepCommand(), a.issueCommand())
	return noun
}

const nobodyYet = `

It is signed by a key for it alone, and nobody gets it before you share it.`

// assert posts an assertion and shows it.
func (a *app) assert(ctx context.Context, path string, in api.NewAssertion) error {
	var v api.Assertion
	if err := a.call(ctx, http.MethodPost, path, in, &v); err != nil {
		return err
	}
	return a.printAssertion(v)
}

func addSupersedes(cmd *cobra.Command, in *api.NewAssertion) {
	cmd.Flags().StringVar(&in.Supersedes, "supersedes", "", "an `assertion` of yours that this one takes the place of")
}

func (a *app) preferenceCommand() *cobra.Command {
	in := api.NewAssertion{Type: protocol.TypePreference}
	var value, object string
	cmd := &cobra.Command{
		Use:   "preference NAME",
		Short: "Say what you prefer",
		Long:  "Say what you prefer." + nobodyYet,
		Example: `  parley assertion preference Packaging --value "as little as can be"
  parley assertion preference Shoes --object '{"size":"43","width":"F"}' --category gpc:63010200`,
		Args: cobra.ExactArgs(1),
	}
	f := cmd.Flags()
	f.StringVar(&value, "value", "", "the preference, as `text`")
	f.StringVar(&object, "object", "", "the preference, as a `JSON` object")
	f.StringArrayVar(&in.Category, "category", nil, "what it is about, `SCHEME:CODE` (repeatable)")
	addSupersedes(cmd, &in)
	cmd.MarkFlagsMutuallyExclusive("value", "object")
	cmd.MarkFlagsOneRequired("value", "object")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		in.Name = args[0]
		in.Value, _ = json.Marshal(value)
		if object != "" {
			if !json.Valid([]byte(object)) {
				return usagef("--object", `write {"size":"43"}`, "%q is no JSON", object)
			}
			in.Value = json.RawMessage(object)
		}
		return a.assert(cmd.Context(), "/v1/assertions", in)
	}
	return cmd
}

// addMembership adds the flags of both kinds of membership; the function reads
// them.
func addMembership(cmd *cobra.Command, in *api.NewAssertion) func() error {
	var from, through string
	f := cmd.Flags()
	f.StringVar(&in.MembershipNumber, "number", "", "the member's `number`")
	f.StringVar(&from, "from", "", "valid from this `date`")
	f.StringVar(&through, "through", "", "valid through this `date`")
	return func() error {
		now := time.Now()
		if from != "" {
			at, err := parseDay("--from", from, now)
			if err != nil {
				return err
			}
			in.ValidFrom = &at
		}
		if through != "" {
			at, err := readTime("--through", through, now)
			if err != nil {
				return err
			}
			in.ValidThrough = &at
		}
		return nil
	}
}

func (a *app) membershipCommand() *cobra.Command {
	in := api.NewAssertion{Type: protocol.TypeMembership}
	cmd := &cobra.Command{
		Use:     "membership PROGRAMME",
		Short:   "Say that you are a member of something",
		Long:    "Say that you are a member of something. It is your own word: an organisation\nissues better ones with \"parley assertion issue\"." + nobodyYet,
		Example: `  parley assertion membership "City library" --number 4711 --through 2027-12-31`,
		Args:    cobra.ExactArgs(1),
	}
	read := addMembership(cmd, &in)
	addSupersedes(cmd, &in)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		in.ProgramName = args[0]
		if err := read(); err != nil {
			return err
		}
		return a.assert(cmd.Context(), "/v1/assertions", in)
	}
	return cmd
}

func (a *app) issueCommand() *cobra.Command {
	in := api.NewAssertion{Type: protocol.TypeMembership}
	cmd := &cobra.Command{
		Use:   "issue DEAL PROGRAMME",
		Short: "As a seller: make the customer of a deal a member",
		Long: `As a seller: make the customer of a deal a member.

The customer gets the membership, signed by you, and may keep it.`,
		Example: `  parley assertion issue t6wa7 "Friends of the shop" --through 2027-12-31`,
		Args:    cobra.ExactArgs(2),
	}
	read := addMembership(cmd, &in)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		in.ProgramName = args[1]
		if err := read(); err != nil {
			return err
		}
		return a.assert(cmd.Context(), api.Path("/v1/deals/%s/memberships", args[0]), in)
	}
	return cmd
}

func (a *app) historyCommand() *cobra.Command {
	in := api.NewAssertion{Type: protocol.TypeTransactionHistory}
	cmd := &cobra.Command{
		Use:     "history [DEAL…]",
		Short:   "Say what you have bought",
		Long:    "Say what you have bought: in these deals, or in all of your agreements." + nobodyYet,
		Example: "  parley assertion history t6wa7\n  parley assertion history",
	}
	cmd.Args = cobra.ArbitraryArgs
	addSupersedes(cmd, &in)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		in.Deals = args
		return a.assert(cmd.Context(), "/v1/assertions", in)
	}
	return cmd
}

func (a *app) assertionListCommand() *cobra.Command {
	var received, all bool
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List what you have said of yourself, or what others have shared with you",
		Example: "  parley assertion list\n  parley assertion list --received",
		Args:    cobra.NoArgs,
	}
	cmd.Flags().BoolVar(&received, "received", false, "those that others have shared with you")
	cmd.Flags().BoolVar(&all, "all", false, "superseded ones and copies too")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		q := url.Values{}
		if received {
			q.Set("received", "true")
		}
		if all {
			q.Set("all", "true")
		}
		list, err := getList[api.Assertion](cmd.Context(), a, "/v1/assertions?"+q.Encode())
		if err != nil {
			return err
		}
		return printList(a, list, "No assertions.", func(t *table) {
			t.row("ID", "KIND", "WHAT", "BY", "WHEN", "")
			for _, v := range list {
				by, note := "you", ""
				if !v.Own {
					by = sellerText(v.ByName, v.By)
					if !v.Kept {
						note = "goes after a while; parley assertion keep"
					}
				}
				switch {
				case v.SupersededBy != "":
					note = "superseded"
				case v.Expired:
					note = "not valid today"
				case len(v.SharedWith) > 0:
					note = fmt.Sprintf("shared with %d", len(v.SharedWith))
				}
				t.row(shortID(v.ID), kindText(v), clip(whatText(v), 50), by, when(v.At), note)
			}
		})
	}
	return cmd
}

func kindText(v api.Assertion) string {
	if v.Type == protocol.TypeTransactionHistory {
		return "purchases"
	}
	return v.Type
}

func whatText(v api.Assertion) string {
	switch v.Type {
	case protocol.TypePreference:
		return v.Name + ": " + valueText(v.Value)
	case protocol.TypeMembership:
		return strings.TrimSpace(v.ProgramName + " " + v.MembershipNumber)
	default:
		return fmt.Sprintf("%d agreements", len(v.Transactions))
	}
}

func valueText(value json.RawMessage) string {
	var text string
	if json.Unmarshal(value, &text) == nil {
		return text
	}
	return string(value)
}

func (a *app) assertionShowCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "show ID",
		Short:   "Show an assertion and what it is worth",
		Example: "  parley assertion show m3qzt",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var v api.Assertion
			if err := a.call(cmd.Context(), http.MethodGet, api.Path("/v1/assertions/%s", args[0]), nil, &v); err != nil {
				return err
			}
			return a.printAssertion(v)
		},
	}
}

func (a *app) printAssertion(v api.Assertion) error {
	return a.print(v, func(w io.Writer) {
		t := newTable(w)
		t.row("Assertion", shortID(v.ID))
		t.row("Says", clean(kindText(v)+": "+whatText(v)))
		if v.Own {
			t.row("By", "you")
		} else {
			t.row("By", strings.TrimSpace(clean(v.ByName)+" "+v.By))
		}
		t.row("When", when(v.At))
		if v.Member != "" {
			t.row("Member", v.Member)
		}
		if v.ValidFrom != nil {
			t.row("Valid from", when(*v.ValidFrom))
		}
		if v.ValidThrough != nil {
			t.row("Valid through", when(*v.ValidThrough))
		}
		t.row("Worth", v.Standing)
		for i, did := range v.SharedWith {
			state := ""
			if i < len(v.Delivery) {
				state = deliveryText(v.Delivery[i])
			}
			t.row("Shared with", sellerText("", did)+"  "+state)
		}
		for _, field := range v.Unknown {
			t.row("Not understood", clean(field))
		}
		t.flush()
		if len(v.Transactions) == 0 {
			return
		}
		fmt.Fprintln(w)
		t = newTable(w)
		t.row("AGREEMENT", "WHEN", "PRICE", "WHAT", "")
		for _, p := range v.Transactions {
			day, note := "", ""
			if p.OrderDate != nil {
				day = when(*p.OrderDate)
			}
			if p.Confirmed {
				note = "held here"
			}
			t.row(shortID(p.Agreement), day, strings.TrimSpace(p.TotalPrice+" "+p.PriceCurrency), clip(p.Name, 50), note)
		}
		t.flush()
	})
}

func (a *app) assertionShareCommand() *cobra.Command {
	var to string
	cmd := &cobra.Command{
		Use:   "share ID",
		Short: "Give a seller a copy of what you say",
		Long: `Give a seller a copy of what you say.

The copy is signed under the name that this seller knows you by, so introduce
yourself first. What was shared can't be taken back; a newer one can take its
place.`,
		Example: "  parley assertion share m3qzt --to corner-shop",
		Args:    cobra.ExactArgs(1),
	}
	cmd.Flags().StringVar(&to, "to", "", "`seller`: a name of yours, or an ID")
	_ = cmd.MarkFlagRequired("to")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		var v api.Assertion
		if err := a.call(cmd.Context(), http.MethodPost, api.Path("/v1/assertions/%s/share", args[0]), map[string]string{"to": to}, &v); err != nil {
			return err
		}
		return a.printAssertion(v)
	}
	return cmd
}

func (a *app) assertionKeepCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "keep ID",
		Short:   "Keep what somebody has shared with you",
		Example: "  parley assertion keep m3qzt",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var v api.Assertion
			if err := a.call(cmd.Context(), http.MethodPost, api.Path("/v1/assertions/%s/keep", args[0]), nil, &v); err != nil {
				return err
			}
			return a.printAssertion(v)
		},
	}
}
