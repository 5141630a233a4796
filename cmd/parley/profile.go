package main

import (
	"context"
	"fmt"
	"io"
	"net/http"

	"github.com/spf13/cobra"

	"github.com/parley-protocol/parley/node/api"
	"github.com/parley-protocol/parley/protocol"
)

func (a *app) profileCommand() *cobra.Command {
	noun := &cobra.Command{Use: "profile", Short: "How sellers present themselves", Example: "  parley profile show"}
	noun.AddCommand(a.profileSetCommand(), &cobra.Command{
		Use:     "show [SELLER]",
		Short:   "Show your own profile or another seller's",
		Example: "  parley profile show\n  parley profile show corner-shop",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			path := "/v1/profile"
			if len(args) > 0 {
				path = api.Path("/v1/profiles/%s", args[0])
			}
			var p api.Profile
			if err := a.call(cmd.Context(), http.MethodGet, path, nil, &p); err != nil {
				return err
			}
			return a.printProfile(p)
		},
	})
	return noun
}

func (a *app) profileSetCommand() *cobra.Command {
	var p api.Profile
	var area api.Area
	cmd := &cobra.Command{
		Use:   "set",
		Short: "Present yourself to customers, publicly",
		Long: `Present yourself to customers, publicly.

What isn't given stays as it was. The profile is published in the markets that
it names, and this node joins them.`,
		Example: `  parley profile set --name "Corner Shop" --market repair --country GB --locality Leeds
  parley profile set --description "Repairs while you wait"`,
		Args: cobra.NoArgs,
	}
	f := cmd.Flags()
	f.StringVar(&p.Name, "name", "", "what customers know you by")
	f.StringVar(&p.Description, "description", "", "what you do")
	f.StringVar(&p.URL, "url", "", "your web `address`")
	f.StringArrayVar(&p.Category, "category", nil, "what you sell, a `code` such as cpv:50 (repeatable)")
	f.StringArrayVar(&p.Markets, "market", nil, "`market` to present yourself in (repeatable)")
	f.StringArrayVar(&p.Terms, "terms", nil, "`terms` that you agree to, an ID of parley terms list (repeatable)")
	addArea(f, &area)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		old, err := a.ownProfile(cmd.Context())
		if err != nil {
			return err
		}
		keep := func(flag string, restore func()) {
			if !f.Changed(flag) {
				restore()
			}
		}
		keep("name", func() { p.Name = old.Name })
		keep("description", func() { p.Description = old.Description })
		keep("url", func() { p.URL = old.URL })
		keep("category", func() { p.Category = old.Category })
		keep("market", func() { p.Markets = old.Markets })
		keep("terms", func() { p.Terms = old.Terms })
		p.AreaServed = old.AreaServed
		if area != (api.Area{}) {
			p.AreaServed = []api.Area{area}
		}
		if err := a.call(cmd.Context(), http.MethodPut, "/v1/profile", p, &p); err != nil {
			return err
		}
		return a.printProfile(p)
	}
	return cmd
}

// ownProfile is empty when there is none yet.
func (a *app) ownProfile(ctx context.Context) (api.Profile, error) {
	var p api.Profile
	err := a.call(ctx, http.MethodGet, "/v1/profile", nil, &p)
	if protocol.CodeOf(err) == protocol.CodeNotFound {
		return api.Profile{}, nil
	}
	return p, err
}

func (a *app) printProfile(p api.Profile) error {
	return a.print(p, func(w io.Writer) {
		t := newTable(w)
		t.row("Seller", clip(p.Name, 200))
		t.row("ID", p.DID)
		if p.URL != "" {
			t.row("Web", clean(p.URL))
		}
		t.list("Markets", p.Markets)
		t.list("Categories", p.Category)
		for _, area := range p.AreaServed {
			t.row("Where", areaText(area))
		}
		t.list("Agrees to", p.Terms)
		t.flush()
		if p.Description != "" {
			fmt.Fprintf(w, "\n%s\n", clean(p.Description))
		}
	})
}
