package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"

	"github.com/spf13/cobra"

	"github.com/parley-protocol/parley/node/api"
	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/proof"
)

func (a *app) exportCommand() *cobra.Command {
	var all bool
	var out, format string
	cmd := &cobra.Command{
		Use:   "export DEAL|FILE",
		Short: "Write the proof of a deal to a file, or an agreement in another form",
		Long: `Write the proof of a deal to a file.

The file holds the deal's signed records and nothing else; anybody can check it
with "parley verify", without a node. With --all it holds everything that this
node must not lose, instead, and shows that all of your requests are yours.

With --format it is the agreement in a form for other programs, and proves
nothing: odrl is an ODRL Agreement, what the terms permit and prohibit; consent
a consent receipt of ISO/IEC TS 27560; schemaorg an order of schema.org. All are
JSON-LD. These are also made of a FILE with a proof, without a node.`,
		Example: "  parley export t6wa7 --out deal.car\n  parley export --all --out everything.car\n  parley export t6wa7 --format odrl",
		Args:    cobra.MaximumNArgs(1),
	}
	cmd.Flags().BoolVar(&all, "all", false, "everything, which links all of your requests to each other")
	cmd.Flags().StringVar(&out, "out", "", "`file` to write, - for the standard output")
	cmd.Flags().StringVar(&format, "format", formatProof, "`form` of the file: proof, odrl, consent or schemaorg")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if all == (len(args) > 0) {
			return usagef("DEAL", "parley export DEAL, or parley export --all", "name one deal, or all")
		}
		if format != formatProof {
			return a.exportAs(cmd.Context(), format, args, out)
		}
		path := "/v1/store/archive"
		if !all {
			path = api.Path("/v1/deals/%s/proof", args[0])
		}
		file, err := a.download(cmd.Context(), path, out)
		return a.printSaved(file, err)
	}
	return cmd
}

// printSaved reports a file that was written; nil: it went to the standard output.
func (a *app) printSaved(file *saved, err error) error {
	if err != nil || file == nil {
		return err
	}
	return a.print(file, func(w io.Writer) { fmt.Fprintf(w, "Written: %s (%d bytes)\n", file.File, file.Bytes) })
}

func (a *app) importCommand() *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use:   "import FILE",
		Short: "Take in a file: a request, a proof, or a sealed message",
		Long: `Take in a file (- for the standard input): a request of "parley intent share", a
proof of "parley export", or a message that was written with --out.

A message may be answered at once, as an acceptance is with the confirmation;
--out writes that answer to a file, sealed for the other side.`,
		Example: "  parley import offer.msg\n  parley import acceptance.msg --out confirmation.msg",
		Args:    cobra.ExactArgs(1),
	}
	cmd.Flags().StringVar(&out, "out", "", "also write the answer, if there is one, to this `file`")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		data, err := a.readInput(args[0])
		if err != nil {
			return err
		}
		if len(data) == 0 {
			return protocol.Errorf(protocol.CodeMalformed, "file", "%s is empty", args[0])
		}
		var v api.Imported
		if err := a.call(cmd.Context(), http.MethodPost, "/v1/import", data, &v); err != nil {
			return err
		}
		if v.Reply != "" {
			if err := a.sealTo(cmd.Context(), v.Reply, out); err != nil {
				return err
			}
		} else if out != "" {
			a.note("There is nothing to answer, so %s wasn't written.", out)
		}
		if v.Deal != "" && !a.json {
			var d api.Deal
			if err := a.call(cmd.Context(), http.MethodGet, api.Path("/v1/deals/%s", v.Deal), nil, &d); err != nil {
				return err
			}
			return a.printDealState(d)
		}
		return a.print(v, func(w io.Writer) {
			fmt.Fprintf(w, "Taken in: %d of %d records were new.\n", v.Added, v.Records)
			if len(v.IDs) == 1 {
				fmt.Fprintf(w, "Record  %s\n", shortID(v.IDs[0]))
			}
		})
	}
	return cmd
}

func (a *app) verifyCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "verify FILE",
		Short: "Check a proof, without a node",
		Long: `Check a proof, without a node: every hash, signature and link of the file, and
what its records add up to. Ends with exit code 1 if anything fails.`,
		Example: "  parley verify deal.car\n  parley verify deal.car --json",
		Args:    cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			data, err := a.readInput(args[0])
			if err != nil {
				return err
			}
			archive, err := proof.Read(bytes.NewReader(data))
			if err != nil {
				return err
			}
			report := proof.Verify(archive)
			if err := a.print(report, func(w io.Writer) { printReport(w, report) }); err != nil {
				return err
			}
			if !report.OK {
				return exitError(exitFailed)
			}
			return nil
		},
	}
}

func printReport(w io.Writer, r *proof.Report) {
	verdict := "The proof holds."
	if !r.OK {
		verdict = "The proof does NOT hold."
	}
	passed := 0
	t := newTable(w)
	fmt.Fprintln(w, verdict)
	for _, c := range r.Checks {
		if c.Status == proof.Passed {
			passed++
			continue
		}
		t.row("  "+string(c.Status), c.Name, shortID(c.Subject.String()), clip(c.Detail, 160))
	}
	t.flush()
	fmt.Fprintf(w, "%d of %d checks passed.\n\nWhat it proves:\n", passed, len(r.Checks))
	for _, s := range r.Proves {
		fmt.Fprintf(w, "  - %s\n", clean(s))
	}
	fmt.Fprintln(w, "\nWhat it doesn't prove:")
	for _, s := range r.DoesNotProve {
		fmt.Fprintf(w, "  - %s\n", s)
	}
}
