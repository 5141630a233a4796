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

func (a *app) contactCommand() *cobra.Command {
	noun := &cobra.Command{Use: "contact", Short: "Your own names for others", Example: "  parley contact list"}
	add := &cobra.Command{
		Use:     "add ID NAME",
		Short:   "Give somebody a name of your own",
		Example: "  parley contact add did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK corner-shop",
		Args:    cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			if args[1] == "" {
				return usagef("NAME", "parley contact remove forgets a contact", "the name is empty")
			}
			return a.changeContact(cmd.Context(), args[0], true, func(c *api.Contact) { c.Name = args[1] }, "%s is known as %q.\n")
		},
	}
	block := &cobra.Command{
		Use:     "block ID|NAME",
		Short:   "Hear no more of somebody",
		Example: "  parley contact block corner-shop",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.changeContact(cmd.Context(), args[0], true, func(c *api.Contact) { c.Blocked = true }, "%s (%s) is blocked.\n")
		},
	}
	unblock := &cobra.Command{
		Use:     "unblock ID|NAME",
		Short:   "Hear of somebody again",
		Example: "  parley contact unblock corner-shop",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.changeContact(cmd.Context(), args[0], false, func(c *api.Contact) { c.Blocked = false }, "%s (%s) isn't blocked.\n")
		},
	}
	remove := &cobra.Command{
		Use:     "remove ID|NAME",
		Short:   "Forget a contact",
		Example: "  parley contact remove corner-shop",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.changeContact(cmd.Context(), args[0], false, func(c *api.Contact) { c.Name, c.Blocked = "", false }, "%s%s is forgotten.\n")
		},
	}
	list := &cobra.Command{
		Use:     "list",
		Short:   "List your contacts",
		Example: "  parley contact list",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			contacts, err := getList[api.Contact](cmd.Context(), a, "/v1/contacts")
			if err != nil {
				return err
			}
			return printList(a, contacts, "No contacts.", func(t *table) {
				t.row("NAME", "ID", "")
				for _, c := range contacts {
					mark := ""
					if c.Blocked {
						mark = "blocked"
					}
					t.row(c.Name, c.DID, mark)
				}
			})
		},
	}
	noun.AddCommand(add, list, block, unblock, remove)
	return noun
}

// changeContact changes a contact, found by its ID or name; with create it may
// be new. text takes the ID and the name.
func (a *app) changeContact(ctx context.Context, who string, create bool, change func(*api.Contact), text string) error {
	contacts, err := getList[api.Contact](ctx, a, "/v1/contacts")
	if err != nil {
		return err
	}
	c, found := api.Contact{DID: who}, false
	for _, known := range contacts {
		if known.DID == who || known.Name == who {
			c, found = known, true
		}
	}
	if !found && !create {
		return &protocol.Error{Code: protocol.CodeNotFound, Detail: fmt.Sprintf("%q is no contact", who), Hint: "parley contact list"}
	}
	change(&c)
	if err := a.call(ctx, http.MethodPut, "/v1/contacts", c, &c); err != nil {
		return err
	}
	return a.print(c, func(w io.Writer) { fmt.Fprintf(w, text, c.DID, c.Name) })
}
