package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"github.com/spf13/cobra"

	"github.com/parley-protocol/parley/node/api"
)

func (a *app) recordCommand() *cobra.Command {
	noun := &cobra.Command{Use: "record", Short: "Records: the signed things themselves", Example: "  parley record show m3qzt"}
	noun.AddCommand(&cobra.Command{
		Use:     "show ID",
		Short:   "Show a record as JSON",
		Example: "  parley record show m3qzt",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var v json.RawMessage
			if err := a.call(cmd.Context(), http.MethodGet, api.Path("/v1/records/%s", args[0]), nil, &v); err != nil {
				return err
			}
			return a.print(v, func(w io.Writer) { io.WriteString(w, indent(v)) })
		},
	}, a.recordListCommand(), a.recordKeepCommand(), a.recordSealCommand())
	return noun
}

func (a *app) recordListCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List records of types that this program doesn't know",
		Long: `List records of types that this program doesn't know.

Somebody's newer program sent them. They are shown, and nothing is done about
them; those that wait go after a while, unless you keep them.`,
		Example: "  parley record list",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			found, err := getList[api.Unknown](cmd.Context(), a, "/v1/unknown")
			if err != nil {
				return err
			}
			return printList(a, found, "No records of unknown types.", func(t *table) {
				t.row("ID", "TYPE", "WHEN", "FROM", "BYTES", "STATE")
				for _, v := range found {
					state := "waits"
					if v.Kept {
						state = "kept"
					}
					t.row(shortID(v.ID), clip(v.Type, 40), when(v.At), sellerText("", v.By), fmt.Sprintf("%5d", v.Size), state)
				}
			})
		},
	}
}

func (a *app) recordKeepCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "keep ID",
		Short:   "Keep a record of an unknown type for good",
		Example: "  parley record keep m3qzt",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var v api.Unknown
			if err := a.call(cmd.Context(), http.MethodPost, api.Path("/v1/unknown/%s/keep", args[0]), nil, &v); err != nil {
				return err
			}
			return a.print(v, func(w io.Writer) { fmt.Fprintf(w, "Kept: %s  %s\n", shortID(v.ID), clip(v.Type, 40)) })
		},
	}
}

func (a *app) recordSealCommand() *cobra.Command {
	var to, out string
	cmd := &cobra.Command{
		Use:     "seal ID",
		Short:   "Write a record of an unknown type to a file, sealed for somebody",
		Example: "  parley record seal m3qzt --to corner-shop --out record.msg",
		Args:    cobra.ExactArgs(1),
	}
	cmd.Flags().StringVar(&to, "to", "", "for whom: a contact's name or an `ID`")
	cmd.Flags().StringVar(&out, "out", "", "`file` to write, - for the standard output")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if to == "" {
			return usagef("--to", "give --to NAME", "nobody is named")
		}
		file, err := a.download(cmd.Context(), api.Path("/v1/unknown/%s/file", args[0])+"?"+url.Values{"to": {to}}.Encode(), out)
		return a.printSaved(file, err)
	}
	return cmd
}
