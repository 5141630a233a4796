package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/parley-protocol/parley/node/api"
	"github.com/parley-protocol/parley/protocol"
)

// offering is what the flags of offer make say.
type offering struct {
	in             api.NewOffer
	items, charges []string
	price, until   string
	valid          string
	out            string
	format         string
	conditions     func(*api.NewOffer) error // what the offer says beside its prices
}

// defaultFirm is how long an offer is firm when nobody says otherwise.
const defaultFirm = "48h"

func (a *app) offerMakeCommand() *cobra.Command {
	o := &offering{}
	cmd := &cobra.Command{
		Use:   "make [REQUEST|FILE] [OFFER]",
		Short: "As a seller: make an offer on a request",
		Long: `As a seller: make an offer on a request.

The offer is firm until the time that it names: when the customer accepts by
then, this node confirms by itself, and that is the agreement.

Where the customer has answered an offer of yours with a counter, the next offer
answers that. With --changes DEAL the offer is to change an agreement, which
stays in force until this one is agreed.

A FILE is one of "parley intent share", and an OFFER one with an Offer of
schema.org in JSON-LD, as shops have them: lines, charges and prices are taken
from it, and what can't be is told. With --out the offer is also written to
a file, sealed for the customer, who takes it in with "parley import".`,
		Example: `  parley offer make h4xk2 --price 120 --currency GBP --valid 3d
  parley offer make h4xk2 --item "Oak boards:12:MTR=96" --item Brackets:8=20 --charge delivery=12.5 --total 128.5
  parley offer make request.car --price 99.90 --out offer.msg
  parley offer make --changes t6wa7 --price 110 --description "Two chairs more"
  parley offer make h4xk2 product.jsonld --format schemaorg --charge delivery=12.5`,
		Args: cobra.MaximumNArgs(2),
	}
	f := cmd.Flags()
	f.StringArrayVar(&o.items, "item", nil, "one line, `NAME[:QUANTITY[:UNIT]]=PRICE`, the price of the whole line (repeatable)")
	f.StringVar(&o.price, "price", "", "`price` of everything, as one line")
	f.StringVar(&o.in.PriceCurrency, "currency", "", "`currency`, three letters (that of the request's budget by default)")
	f.StringArrayVar(&o.charges, "charge", nil, "what comes on top, `KIND=PRICE[:NAME]`; kinds: tax, delivery, fee, discount, other (repeatable)")
	f.StringVar(&o.in.TotalPrice, "total", "", "the sum, as a check: the offer is refused if it isn't exact")
	f.StringVar(&o.valid, "valid", defaultFirm, "how long it is firm: `time` such as 48h or 7d")
	f.StringVar(&o.until, "until", "", "firm until this `time` instead: a date, or RFC 3339")
	f.StringVar(&o.in.Terms, "terms", "", "`terms` to agree to, of those that the request names")
	f.StringVar(&o.in.Description, "description", "", "what the customer should know")
	f.Int64Var(&o.in.Round, "round", 0, "round of the deal (the last by default)")
	f.StringVar(&o.in.Answers, "answers", "", "`counter` that it answers (by default the newest that no offer answers)")
	f.StringVar(&o.in.Changes, "changes", "", "`deal` whose agreement it would replace; REQUEST may be left out then")
	f.StringVar(&o.out, "out", "", "also write it, sealed for the customer, to this `file`")
	cmd.MarkFlagsMutuallyExclusive("valid", "until")
	cmd.MarkFlagsMutuallyExclusive("item", "price")
	c := &conditions{}
	c.add(cmd)
	f.StringVar(&o.format, "format", "", "`format` of OFFER: schemaorg")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		request, err := a.requestArg(cmd.Context(), o.in, args)
		if err != nil {
			return err
		}
		if err := a.offerFile(o, args[min(1, len(args)):], cmd.Flags().Changed("valid")); err != nil {
			return err
		}
		o.conditions = func(in *api.NewOffer) error { return c.into(cmd, in) }
		return a.makeOffer(cmd.Context(), o, request)
	}
	return cmd
}

func (a *app) makeOffer(ctx context.Context, o *offering, request string) error {
	if err := o.read(); err != nil {
		return err
	}
	request, err := a.requestOf(ctx, request)
	if err != nil {
		return err
	}
	var intent api.Intent
	if err := a.call(ctx, http.MethodGet, api.Path("/v1/intents/%s", request), nil, &intent); err != nil {
		return err
	}
	o.in.Intent = intent.ID
	if o.in.PriceCurrency == "" {
		if intent.Budget == nil {
			return usagef("--currency", "give --currency GBP, for instance", "the request names no currency")
		}
		o.in.PriceCurrency = intent.Budget.PriceCurrency
	}
	if o.price != "" {
		o.in.Items = []api.Line{{Name: intent.Name, Price: o.price}}
	}
	if err := o.conditions(&o.in); err != nil {
		return err
	}
	var made api.Offer
	if err := a.call(ctx, http.MethodPost, "/v1/offers", o.in, &made); err != nil {
		return err
	}
	if err := a.sealTo(ctx, made.ID, o.out); err != nil {
		return err
	}
	return a.printOffer(made)
}

// read makes the flags into lines, charges and times.
func (o *offering) read() error {
	if len(o.items) == 0 && o.price == "" && len(o.in.Items) == 0 {
		return usagef("--price", "give --price AMOUNT, or --item for each line", "the offer has no price")
	}
	if o.price != "" {
		var err error
		if o.price, err = parseAmount("--price", o.price); err != nil {
			return err
		}
	}
	lines, err := parseLines(o.items)
	if err != nil {
		return err
	}
	charges, err := parseCharges(o.charges)
	if err != nil {
		return err
	}
	o.in.Items, o.in.Charges = append(o.in.Items, lines...), append(o.in.Charges, charges...)
	if o.in.TotalPrice != "" {
		var err error
		if o.in.TotalPrice, err = parseAmount("--total", o.in.TotalPrice); err != nil {
			return err
		}
	}
	flag, text := "--valid", o.valid
	if o.until != "" {
		flag, text = "--until", o.until
	}
	until, err := parseTime(flag, text, time.Now())
	o.in.ValidUntil = until
	return err
}

// requestOf is the request's ID, after its file was taken in if it is one.
func (a *app) requestOf(ctx context.Context, request string) (string, error) {
	if info, err := os.Stat(request); err != nil || info.IsDir() {
		return request, nil // an ID, or the node says what is wrong with it
	}
	data, err := a.readInput(request)
	if err != nil {
		return "", err
	}
	var v api.Imported
	if err := a.call(ctx, http.MethodPost, "/v1/import", data, &v); err != nil {
		return "", err
	}
	if len(v.IDs) != 1 {
		return "", &protocol.Error{Code: protocol.CodeUsage, Field: "file", Detail: fmt.Sprintf("%s has %d records, not one request", request, len(v.IDs)),
			Hint: "parley import it, then name the request by its ID"}
	}
	return v.IDs[0], nil
}
