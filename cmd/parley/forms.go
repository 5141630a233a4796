package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"time"

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

// offerFile takes the lines, charges and times of an offer from a document. What
// flags say goes before it; charges come on top.
func (a *app) offerFile(o *offering, files []string, valid bool) error {
	switch {
	case len(files) == 0 && o.format != "":
		return usagef("--format", "give the OFFER too", "a format without a file")
	case len(files) == 0:
		return nil
	case o.format != "" && o.format != "schemaorg" && o.format != "schema.org":
		return usagef("--format", "schemaorg", "%q is no format of offers", o.format)
	case len(o.items) > 0 || o.price != "":
		return usagef("OFFER", "leave out --item and --price", "the prices are those of %s", files[0])
	}
	data, err := a.readInput(files[0])
	if err != nil {
		return err
	}
	d, err := schemaorg.DraftOffer(data, time.Now().Unix())
	if err != nil {
		return err
	}
	for _, n := range d.Notes {
		a.note("Note: %s", clean(n.Text))
	}
	offer := d.Offer
	for _, item := range offer.ItemOffered {
		line := api.Line{Name: item.Name, Description: item.Description, Price: item.Price.String()}
		if item.Quantity != nil {
			line.Quantity = &api.Quantity{Value: item.Quantity.Value.String(), UnitCode: item.Quantity.UnitCode}
		}
		if item.UnitPrice != nil {
			line.UnitPrice = item.UnitPrice.String()
		}
		if len(item.Category) > 0 {
			a.note("Note: the categories of %q were left out", clean(clip(item.Name, 60)))
		}
		o.in.Items = append(o.in.Items, line)
	}
	for _, charge := range offer.Charges {
		o.in.Charges = append(o.in.Charges, api.Charge{Kind: charge.Kind, Name: charge.Name, Price: charge.Price.String()})
	}
	if o.in.PriceCurrency == "" {
		o.in.PriceCurrency = offer.PriceCurrency
	}
	if o.in.PriceCurrency != offer.PriceCurrency {
		return usagef("--currency", "leave it out", "the prices are in %s", offer.PriceCurrency)
	}
	if o.in.Description == "" {
		o.in.Description = offer.Description
	}
	if offer.ValidUntil != 0 && o.until == "" && !valid {
		o.until = time.Unix(offer.ValidUntil, 0).UTC().Format(time.RFC3339)
	}
	if o.in.TaxIncluded == nil {
		o.in.TaxIncluded = offer.TaxIncluded
	}
	o.in.AvailabilityStarts, o.in.AvailabilityEnds = moment(offer.AvailabilityStarts), moment(offer.AvailabilityEnds)
	return nil
}

// moment is a time in Unix seconds; nil for 0.
func moment(seconds int64) *time.Time {
	if seconds == 0 {
		return nil
	}
	at := time.Unix(seconds, 0).UTC()
	return &at
}
