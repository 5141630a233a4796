package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/parley-protocol/parley/node/api"
	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/record"
	"github.com/parley-protocol/parley/protocol/terms"
)

// The roster is part of the program: no node is asked.
func (a *app) termsCommand() *cobra.Command {
	noun := &cobra.Command{Use: "terms", Short: "What sellers may do with what you tell them", Example: "  parley terms list"}
	list := &cobra.Command{
		Use:     "list",
		Short:   "List the agreements that a request can carry",
		Example: "  parley terms list",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			roster := rosterViews()
			return printList(a, roster, "", func(t *table) {
				t.row("", "TERMS", "WHAT THEY SAY")
				for _, v := range roster {
					mark := ""
					if v.Default {
						mark = "*"
					}
					t.row(mark, v.ID, v.Sentence)
				}
			})
		},
	}
	show := &cobra.Command{
		Use:     "show TERMS",
		Short:   "Show one agreement",
		Example: "  parley terms show PDC-INTENT",
		Args:    cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			for _, v := range rosterViews() {
				if v.ID == strings.ToUpper(args[0]) {
					return a.print(v, func(w io.Writer) { fmt.Fprintf(w, "%s: %s\n\n%s\n", v.ID, v.Name, v.Sentence) })
				}
			}
			return &protocol.Error{Code: protocol.CodeUnknownAgreement, Detail: fmt.Sprintf("%q isn't in the roster of terms", args[0]), Hint: "parley terms list"}
		},
	}
	noun.AddCommand(list, show)
	return noun
}

func rosterViews() []api.Terms {
	var out []api.Terms
	for _, r := range protocol.Roster() {
		ref := record.TermsRef{Roster: r.ID}
		out = append(out, api.Terms{ID: r.ID, Name: r.Name, Sentence: terms.Describe(ref), Default: ref == terms.Default()})
	}
	return out
}
