package main

import (
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/parley-protocol/parley/node/api"
	"github.com/parley-protocol/parley/protocol"
)

// conditions are the flags of what an offer says beside its prices.
type conditions struct {
	taxRate           string
	taxIncluded       bool
	deliverFrom       string
	deliverBy         string
	returns           string
	returnFees        string
	returnDescription string
}

func (c *conditions) add(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&c.taxRate, "tax-rate", "", "`percent` of tax on the lines, for information")
	f.BoolVar(&c.taxIncluded, "tax-included", false, "the prices include tax; =false: they don't")
	f.StringVar(&c.deliverFrom, "deliver-from", "", "delivered from this `time` on")
	f.StringVar(&c.deliverBy, "deliver-by", "", "delivered by this `time`: a date, or 14d")
	f.StringVar(&c.returns, "returns", "", "goods can be given back within so many `days`; none, or unlimited")
	f.StringVar(&c.returnFees, "return-fees", "", "who pays for giving back: free, customer_pays, or an `amount`")
	f.StringVar(&c.returnDescription, "return-policy", "", "what else there is to say about giving back")
}

// into puts them on an offer.
func (c *conditions) into(cmd *cobra.Command, in *api.NewOffer) error {
	now := time.Now()
	if cmd.Flags().Changed("tax-included") {
		in.TaxIncluded = &c.taxIncluded
	}
	if c.taxRate != "" {
		rate, err := parseAmount("--tax-rate", c.taxRate)
		if err != nil {
			return err
		}
		for i := range in.Items {
			in.Items[i].TaxRate = rate
		}
	}
	if c.deliverBy != "" || c.deliverFrom != "" {
		if c.deliverBy == "" {
			return usagef("--deliver-by", "give --deliver-by too", "a delivery that begins and has no end")
		}
		w := &api.Window{Starts: now}
		var err error
		if w.Ends, err = parseTime("--deliver-by", c.deliverBy, now); err != nil {
			return err
		}
		if c.deliverFrom != "" {
			if w.Starts, err = parseDay("--deliver-from", c.deliverFrom, now); err != nil {
				return err
			}
		}
		in.DeliveryWindow = w
	}
	return c.returnsInto(in)
}

func (c *conditions) returnsInto(in *api.NewOffer) error {
	if c.returns == "" {
		if c.returnFees != "" || c.returnDescription != "" {
			return usagef("--returns", "give --returns DAYS too", "it isn't said whether goods can be given back")
		}
		return nil
	}
	p := &api.ReturnPolicy{Description: c.returnDescription}
	switch c.returns {
	case "none":
		p.ReturnPolicyCategory = protocol.ReturnNotPermitted
	case "unlimited":
		p.ReturnPolicyCategory = protocol.ReturnUnlimitedWindow
	default:
		days, err := strconv.ParseInt(c.returns, 10, 64)
		if err != nil {
			return usagef("--returns", "a number of days, none, or unlimited", "%q is no number of days", c.returns)
		}
		p.ReturnPolicyCategory, p.MerchantReturnDays = protocol.ReturnFiniteWindow, &days
	}
	switch c.returnFees {
	case "", "free", "customer_pays":
		p.ReturnFees = c.returnFees
	default:
		amount, err := parseAmount("--return-fees", c.returnFees)
		if err != nil {
			return err
		}
		p.ReturnFees, p.ReturnFeeAmount = "fixed", amount
	}
	in.ReturnPolicy = p
	return nil
}

// conditionRows shows the conditions of an offer.
func conditionRows(t *table, o api.Offer) {
	if w := o.DeliveryWindow; w != nil {
		t.row("Delivery", "until "+when(w.Ends)+", from "+when(w.Starts))
	}
	if p := o.ReturnPolicy; p != nil {
		text := codeText(p.ReturnPolicyCategory)
		switch {
		case p.MerchantReturnDays != nil:
			text = "within " + strconv.FormatInt(*p.MerchantReturnDays, 10) + " days"
		case p.ReturnPolicyCategory == protocol.ReturnNotPermitted:
			text = "none"
		case p.ReturnPolicyCategory == protocol.ReturnUnlimitedWindow:
			text = "at any time"
		}
		switch p.ReturnFees {
		case "free":
			text += ", free of charge"
		case "customer_pays":
			text += ", at your cost"
		case "fixed":
			text += ", for " + p.ReturnFeeAmount + " " + o.PriceCurrency
		}
		if p.Description != "" {
			text += ": " + clip(p.Description, 120)
		}
		t.row("Returns", text)
	}
	if o.TaxIncluded != nil {
		text := "in the prices"
		if !*o.TaxIncluded {
			text = "not in the prices"
		}
		t.row("Tax", text)
	}
}
