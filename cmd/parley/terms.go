package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/parley-protocol/parley/node/api"
	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/odrl"
	"github.com/parley-protocol/parley/protocol/record"
	"github.com/parley-protocol/parley/protocol/terms"
)

func (a *app) termsCommand() *cobra.Command {
	noun := &cobra.Command{Use: "terms", Short: "What sellers may do with what you tell them", Example: "  parley terms list"}
	noun.AddCommand(a.termsListCommand(), a.termsShowCommand(), a.termsAddCommand(), a.termsRemoveCommand(), a.termsApproveCommand(), a.termsRevokeCommand(),
		a.termsCounterCommand(), a.termsProposalsCommand(), a.termsAdoptCommand(), a.termsDeclineCommand())
	return noun
}

// The roster is part of the program: no node is asked for it.
func (a *app) termsListCommand() *cobra.Command {
	var own, approved bool
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List the agreements that a request can carry",
		Example: "  parley terms list\n  parley terms list --own\n  parley terms list --approved",
		Args:    cobra.NoArgs,
	}
	cmd.Flags().BoolVar(&own, "own", false, "your own texts instead")
	cmd.Flags().BoolVar(&approved, "approved", false, "as a seller: the customers' texts that you have approved, instead")
	cmd.MarkFlagsMutuallyExclusive("own", "approved")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		switch {
		case own:
			texts, err := getList[api.Terms](cmd.Context(), a, "/v1/terms?own=true")
			if err != nil {
				return err
			}
			return printList(a, texts, "No texts of your own. parley terms add FILE keeps one.", func(t *table) {
				t.row("NAME", "REQUESTS", "BASED ON", "TEXT")
				for _, v := range texts {
					t.row(clip(v.Name, 40), fmt.Sprintf("%8d", v.Requests), v.BasedOn, clip(v.Text, 60))
				}
			})
		case approved:
			found, err := getList[api.Approval](cmd.Context(), a, "/v1/approvals")
			if err != nil {
				return err
			}
			return printList(a, found, "No customer's text has been approved.", func(t *table) {
				t.row("TEXT", "NAME", "APPROVED", "AS IN")
				for _, v := range found {
					t.row(v.Hash[:10], clip(v.Name, 40), when(v.At), shortID(v.Record))
				}
			})
		}
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
	}
	return cmd
}

func (a *app) termsShowCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "show TERMS",
		Short: "Show one agreement, or a text in somebody's own words",
		Long: `Show one agreement, or a text in somebody's own words.

TERMS is an agreement of "parley terms list", the name of a text of yours, or
the ID of a text that a request or a seller's proposal names.`,
		Example: "  parley terms show PDC-INTENT\n  parley terms show no-resale",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			for _, v := range rosterViews() {
				if v.ID == strings.ToUpper(args[0]) {
					return a.printTerms(v)
				}
			}
			if isRosterID(args[0]) {
				return &protocol.Error{Code: protocol.CodeUnknownAgreement, Detail: fmt.Sprintf("%q isn't in the roster of terms", args[0]), Hint: "parley terms list"}
			}
			var v api.Terms
			if err := a.call(cmd.Context(), http.MethodGet, api.Path("/v1/terms/%s", args[0]), nil, &v); err != nil {
				return err
			}
			return a.printTerms(v)
		},
	}
}

// isRosterID tells IDs of the roster, which are in capitals, from other names.
func isRosterID(text string) bool { return text != "" && text == strings.ToUpper(text) }

func (a *app) printTerms(v api.Terms) error {
	return a.print(v, func(w io.Writer) {
		if v.Text == "" {
			fmt.Fprintf(w, "%s: %s\n\n%s\n", v.ID, v.Name, v.Sentence)
			return
		}
		printText(w, v)
		if v.Approved {
			fmt.Fprintln(w, "\nApproved: this seller's program may agree to it.")
		}
	})
}

// termsText says in a line what terms are.
func termsText(v api.Terms) string {
	switch {
	case v.Missing:
		return fmt.Sprintf("Words of somebody's own that aren't here to be read (%s)", shortID(v.ID))
	case v.Text != "" && v.Approved:
		return fmt.Sprintf("“%s”, in words of somebody's own, which you have approved (%s)", clip(v.Name, 60), shortID(v.ID))
	case v.Text != "":
		return fmt.Sprintf("“%s”, in words of somebody's own: parley terms show %s", clip(v.Name, 60), shortID(v.ID))
	}
	return fmt.Sprintf("%s (%s)", v.Sentence, v.ID)
}

// printText shows terms in somebody's own words, whole.
func printText(w io.Writer, v api.Terms) {
	fmt.Fprintf(w, "%s, in words of somebody's own:\n\n", clip(v.Name, 200))
	for line := range strings.Lines(strings.TrimSpace(v.Text) + "\n") {
		fmt.Fprintf(w, "  | %s\n", clean(strings.TrimRight(line, "\r\n")))
	}
	fmt.Fprintln(w)
	if v.BasedOn != "" {
		fmt.Fprintf(w, "It builds on %s: %s\n", v.BasedOn, terms.Describe(record.TermsRef{Roster: v.BasedOn}))
	}
	if len(v.Policy) > 0 {
		fmt.Fprintf(w, "The same for machines (the text binds):\n%s", cleanLines(indent(v.Policy)))
	}
	for _, field := range v.Unknown {
		fmt.Fprintf(w, "Not understood: %s. This program is too old for this text, and can't agree to it.\n", clean(field))
	}
}

// cleanLines is clean that leaves line breaks where they are.
func cleanLines(text string) string {
	lines := strings.Split(text, "\n")
	for i := range lines {
		lines[i] = clean(lines[i])
	}
	return strings.Join(lines, "\n")
}

func (a *app) termsAddCommand() *cobra.Command {
	var v api.NewTerms
	var policy string
	cmd := &cobra.Command{
		Use:   "add FILE",
		Short: "Keep terms in words of your own",
		Long: `Keep terms in words of your own, from a text FILE (- for the standard input).

A request carries them with --terms NAME: the text is signed anew with each
request and becomes public with it. A seller's program doesn't agree to them
before a person there has read and approved that very text. Whoever sees the
same text in two requests knows that they come from one person.`,
		Example: "  parley terms add no-resale.txt\n  parley terms add terms.txt --name no-resale --based-on SD-BASE --policy odrl.json",
		Args:    cobra.ExactArgs(1),
	}
	f := cmd.Flags()
	f.StringVar(&v.Name, "name", "", "what you call them (the file's name by default); it becomes public too")
	f.StringVar(&v.BasedOn, "based-on", "", "`agreement` of \"parley terms list\" that they build on")
	f.StringVar(&v.InLanguage, "language", "", "`language` of the text, such as en")
	f.StringVar(&policy, "policy", "", "the same for machines: a `file` with an ODRL policy in JSON; the text binds")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := a.readText(&v, args[0], policy); err != nil {
			return err
		}
		var kept api.Terms
		if err := a.call(cmd.Context(), http.MethodPost, "/v1/terms", v, &kept); err != nil {
			return err
		}
		return a.print(kept, func(w io.Writer) {
			fmt.Fprintf(w, "Kept: %s\n", kept.Name)
			a.note("It becomes public with each request that has --terms %q, and links these to one person.", kept.Name)
		})
	}
	return cmd
}

// readText reads a text, and its policy if one is named, from files.
func (a *app) readText(v *api.NewTerms, file, policy string) error {
	data, err := a.readInput(file)
	if err != nil {
		return err
	}
	if !utf8.Valid(data) {
		return &protocol.Error{Code: protocol.CodeUnsupportedFormat, Field: "file", Detail: file + " isn't text", Hint: "plain text, in UTF-8"}
	}
	v.Text = strings.TrimSpace(strings.ReplaceAll(string(data), "\r\n", "\n"))
	if v.Text == "" {
		return protocol.Errorf(protocol.CodeMalformed, "file", "%s is empty", file)
	}
	if v.Name == "" {
		if file == "-" {
			return usagef("--name", "give --name NAME", "the text has no name")
		}
		base := filepath.Base(file)
		v.Name = strings.TrimSuffix(base, filepath.Ext(base))
	}
	if policy == "" {
		return nil
	}
	if data, err = a.readInput(policy); err != nil {
		return err
	}
	taken, notes, err := odrl.Policy(data)
	if err != nil {
		return err
	}
	for _, n := range notes {
		a.note("Note: %s", clean(n.Text))
	}
	v.Policy, err = json.Marshal(taken)
	return err
}

func (a *app) termsRemoveCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "remove NAME",
		Short: "Forget a text of your own",
		Long: `Forget a text of your own. Requests that carry it already, and agreements under
it, stay as they are.`,
		Example: "  parley terms remove no-resale",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var v api.Terms
			if err := a.call(cmd.Context(), http.MethodDelete, api.Path("/v1/terms/%s", args[0]), nil, &v); err != nil {
				return err
			}
			return a.print(v, func(w io.Writer) { fmt.Fprintf(w, "Removed: %s\n", v.Name) })
		},
	}
}

func (a *app) termsApproveCommand() *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use:   "approve ID",
		Short: "As a seller: let your program agree to a customer's own words",
		Long: `As a seller: let your program agree to a customer's own words.

The text is shown first. What you approve is that very text: it holds for every
request that carries it, and for no text that differs by a word. Offers are
made under it only from then on.`,
		Example: "  parley terms approve h4xk2\n  parley terms approve h4xk2 --yes",
		Args:    cobra.ExactArgs(1),
	}
	cmd.Flags().BoolVar(&yes, "yes", false, "you have read the text: approve without asking")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		var v api.Terms
		if err := a.call(cmd.Context(), http.MethodGet, api.Path("/v1/terms/%s", args[0]), nil, &v); err != nil {
			return err
		}
		if !a.json && v.Text != "" {
			printText(a.stderr, v)
			fmt.Fprintln(a.stderr)
		}
		if !yes {
			if err := a.confirm("", "Do you agree to this text?", "Nothing was approved."); err != nil {
				return err
			}
		}
		if err := a.call(cmd.Context(), http.MethodPost, api.Path("/v1/terms/%s/approve", v.ID), nil, &v); err != nil {
			return err
		}
		return a.print(v, func(w io.Writer) { fmt.Fprintf(w, "Approved: %s  %s\n", v.Hash[:10], clip(v.Name, 60)) })
	}
	return cmd
}

func (a *app) termsRevokeCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "revoke TEXT",
		Short: "As a seller: take an approval back",
		Long: `As a seller: take an approval back. Offers that were made under the text stay
firm, and agreements stand.`,
		Example: "  parley terms revoke 3f2a90c1d4",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var v api.Approval
			if err := a.call(cmd.Context(), http.MethodPost, api.Path("/v1/terms/%s/revoke", args[0]), nil, &v); err != nil {
				return err
			}
			return a.print(v, func(w io.Writer) { fmt.Fprintf(w, "Revoked: %s  %s\n", v.Hash[:10], clip(v.Name, 60)) })
		},
	}
}

func rosterViews() []api.Terms {
	var out []api.Terms
	for _, r := range protocol.Roster() {
		ref := record.TermsRef{Roster: r.ID}
		out = append(out, api.Terms{ID: r.ID, Name: r.Name, Sentence: terms.Describe(ref), Default: ref == terms.Default()})
	}
	return out
}
