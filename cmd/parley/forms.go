package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"os"

	"github.com/parley-protocol/parley/node/api"
	"github.com/parley-protocol/parley/protocol/agreement"
	"github.com/parley-protocol/parley/protocol/consent"
	"github.com/parley-protocol/parley/protocol/odrl"
	"github.com/parley-protocol/parley/protocol/proof"
	"github.com/parley-protocol/parley/protocol/schemaorg"
)

// formatProof is the form of an export that proves something.
const formatProof = "proof"

// form is the function that shows an agreement in a form; nil: there is none.
func form(name string) func(*agreement.Agreement) ([]byte, error) {
	switch name {
	case "odrl":
		return odrl.FromAgreement
	case "consent":
		return consent.FromAgreement
	case "schemaorg", "schema.org":
		return schemaorg.FromAgreement
	}
	return nil
}

// exportAs writes the agreement of a deal, or of a file with its proof, in a
// form of others.
func (a *app) exportAs(ctx context.Context, format string, args []string, out string) error {
	show := form(format)
	if show == nil {
		return usagef("--format", "proof, odrl, consent or schemaorg", "%q is no form of export", format)
	}
	if len(args) == 0 {
		return usagef("--format", "name one deal", "only one agreement can be shown in another form")
	}
	var data bytes.Buffer
	if info, err := os.Stat(args[0]); args[0] == "-" || err == nil && !info.IsDir() {
		file, err := a.readInput(args[0])
		if err != nil {
			return err
		}
		data.Write(file)
	} else if err := a.call(ctx, http.MethodGet, api.Path("/v1/deals/%s/proof", args[0]), nil, &data); err != nil {
		return err
	}
	archive, err := proof.Read(&data)
	if err != nil {
		return err
	}
	agreed, err := agreement.Of(archive)
	if err != nil {
		return err
	}
	text, err := show(agreed)
	if err != nil {
		return err
	}
	file, err := a.save(out, func(w io.Writer) error {
		_, err := w.Write(text)
		return err
	})
	return a.printSaved(file, err)
}
