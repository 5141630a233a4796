package main

import (
	"fmt"
	"io"
	"net/http"

	"github.com/spf13/cobra"

	"github.com/parley-protocol/parley/node/api"
	"github.com/parley-protocol/parley/protocol"
)

// eraseCommand erases a deal, or a request with its deals.
func (a *app) eraseCommand(noun string) *cobra.Command {
	what := map[string]string{"deal": "a deal", "intent": "a request of yours with its deals"}[noun]
	var yes, agreement, dryRun bool
	cmd := &cobra.Command{
		Use:   "erase ID",
		Short: "Erase " + what + " from this node",
		Long: `Erase ` + what + ` from this node, for good.

What is to go is shown first. Its keys are destroyed, so that what is left of it
on the disk can't be read any more; the other side is told what was erased, and
keeps its own copy. Rounds with one seller go together. What remains is a note
that there was something, so that nothing is ever signed in it again.

While an offer may still be accepted, or a decision is on its way, nothing is
erased. An agreement is kept until the end of its time, and goes then only with
--agreement. Other deals that came to nothing go by themselves at that time.

An SSD may keep the old bytes for a while, and so may backups and snapshots of
the disk: nothing here reaches those.`,
		Example: "  parley " + noun + " erase t6wa7\n  parley " + noun + " erase t6wa7 --yes",
		Args:    cobra.ExactArgs(1),
	}
	f := cmd.Flags()
	f.BoolVar(&yes, "yes", false, "erase without asking")
	f.BoolVar(&dryRun, "dry-run", false, "only show what would go")
	f.BoolVar(&agreement, "agreement", false, "an agreement may go too, once it need not be kept any longer")
	cmd.MarkFlagsMutuallyExclusive("yes", "dry-run")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		var plan, done api.Erasure
		if err := a.call(cmd.Context(), http.MethodGet, api.Path("/v1/"+noun+"s/%s/erasure", args[0]), nil, &plan); err != nil {
			return err
		}
		if dryRun {
			return a.print(plan, func(w io.Writer) { printErasure(w, plan) })
		}
		if !plan.Allowed {
			return &protocol.Error{Code: protocol.CodeNotPermitted, Field: noun, Detail: plan.Why, Hint: plan.Hint}
		}
		if plan.Agreement && !agreement {
			return &protocol.Error{Code: protocol.CodeNotPermitted, Field: noun, Detail: "there is an agreement, or evidence, among what would go", Hint: "look with --dry-run, then add --agreement"}
		}
		if !yes {
			printErasure(a.stderr, plan)
			if err := a.confirm("", "Erase this for good?", "Nothing was erased."); err != nil {
				return err
			}
		}
		if err := a.call(cmd.Context(), http.MethodPost, api.Path("/v1/"+noun+"s/%s/erase", args[0]), map[string]bool{"agreement": agreement}, &done); err != nil {
			return err
		}
		return a.print(done, func(w io.Writer) {
			fmt.Fprintf(w, "Erased: %s.\n", erasedText(done))
			if done.Notice != "" {
				fmt.Fprintln(w, "The other side is told; its own copy is its own.")
			}
			fmt.Fprintln(w, "An SSD, a snapshot or a backup of this disk may still hold the old bytes.")
		})
	}
	return cmd
}

func erasedText(e api.Erasure) string {
	text := count(len(e.Deals), "deal") + ", " + count(e.Records, "record")
	if e.Request {
		text += ", the request among them"
	}
	return text
}

func printErasure(w io.Writer, e api.Erasure) {
	fmt.Fprintf(w, "This would go: %s.\n", erasedText(e))
	t := newTable(w)
	t.row("Request", shortID(e.Intent))
	for _, id := range e.Deals {
		t.row("Deal", shortID(id))
	}
	if e.Undelivered > 0 {
		t.row("Not delivered", count(e.Undelivered, "record")+" of yours, which will not be sent again")
	}
	if e.Agreement {
		t.row("Agreement", "an agreement, or evidence, is among them")
	}
	if e.KeepUntil != nil {
		t.row("Kept until", when(*e.KeepUntil))
	}
	if !e.Allowed {
		t.row("Not yet", e.Why)
	}
	t.flush()
}

// printNotices shows what either side says that it has erased.
func printNotices(w io.Writer, notices []api.Notice) {
	for _, n := range notices {
		who := "They say"
		if n.Own {
			who = "You said"
		}
		fmt.Fprintf(w, "\n%s (%s): %s erased, %s kept.\n", who, when(n.At), count(len(n.Erased), "record"), count(len(n.Kept), "record"))
		t := newTable(w)
		for _, id := range n.Erased {
			t.row("", shortID(id), "erased")
		}
		for _, k := range n.Kept {
			until := ""
			if k.Until != nil {
				until = "until " + when(*k.Until)
			}
			t.row("", shortID(k.Record), "kept: "+reasonText(k.Reason), until)
		}
		t.flush()
		if n.Description != "" {
			fmt.Fprintln(w, n.Description)
		}
	}
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
