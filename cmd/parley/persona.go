package main

import (
	"fmt"
	"io"
	"net/http"

	"github.com/spf13/cobra"

	"github.com/parley-protocol/parley/node/api"
	"github.com/parley-protocol/parley/node/keyring"
)

func (a *app) personaCommand() *cobra.Command {
	noun := &cobra.Command{Use: "persona", Short: "The key that sellers are known by", Example: "  parley persona show"}
	noun.AddCommand(&cobra.Command{
		Use:     "show",
		Short:   "Show the key that this node's seller is known by, and those of before",
		Example: "  parley persona show",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var p api.Persona
			if err := a.call(cmd.Context(), http.MethodGet, "/v1/persona", nil, &p); err != nil {
				return err
			}
			return a.printPersona(p)
		},
	}, a.personaRotateCommand())
	return noun
}

func (a *app) personaRotateCommand() *cobra.Command {
	var phraseFile string
	cmd := &cobra.Command{
		Use:   "rotate",
		Short: "Move this node's seller to its next key",
		Long: `Move this node's seller to its next key, which it promised in its profile. It asks
for the 24 words: whoever has stolen today's key can't do it.

Customers' nodes see that it is the same seller. Deals that have begun stay with
the key that they name.`,
		Example: "  parley persona rotate\n  parley persona rotate --phrase-file words.txt",
		Args:    cobra.NoArgs,
	}
	cmd.Flags().StringVar(&phraseFile, "phrase-file", "", "`file` with the 24 words, - for the standard input")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		var p api.Persona
		if err := a.call(cmd.Context(), http.MethodGet, "/v1/persona", nil, &p); err != nil {
			return err
		}
		root, err := a.needRoot(phraseFile)
		if err != nil {
			return err
		}
		defer root.Destroy()
		if err := sameWords(root, p); err != nil {
			return err
		}
		next := keyring.SuccessionOf(root, p.Device, p.Number+1).Bytes()
		defer clear(next)
		if err := a.call(cmd.Context(), http.MethodPost, "/v1/persona/rotate", api.Rotation{Key: next}, &p); err != nil {
			return err
		}
		return a.printPersona(p)
	}
	return cmd
}

func (a *app) printPersona(p api.Persona) error {
	return a.print(p, func(w io.Writer) {
		t := newTable(w)
		t.row("ID", p.DID)
		t.row("Rotated", fmt.Sprintf("%d times", p.Number))
		t.list("Before", p.Before)
		t.flush()
	})
}
