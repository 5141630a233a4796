package api

import (
	"time"

	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/decimal"
	"github.com/parley-protocol/parley/protocol/record"
)

// Window is when something is delivered.
type Window struct {
	Starts time.Time `json:"starts"`
	Ends   time.Time `json:"ends"`
}

// ReturnPolicy is what a seller says about giving goods back.
type ReturnPolicy struct {
	ReturnPolicyCategory string `json:"returnPolicyCategory" doc:"A code of spec/registry/return-policies.csv"`
	MerchantReturnDays   *int64 `json:"merchantReturnDays,omitempty"`
	ReturnFees           string `json:"returnFees,omitempty" enum:"free,customer_pays,fixed"`
	ReturnFeeAmount      string `json:"returnFeeAmount,omitempty"`
	Description          string `json:"description,omitempty"`
}

// Conditions are what an offer says beside its prices.
type Conditions struct {
	DeliveryWindow *Window       `json:"deliveryWindow,omitempty"`
	ReturnPolicy   *ReturnPolicy `json:"returnPolicy,omitempty"`
	TaxIncluded    *bool         `json:"taxIncluded,omitempty" doc:"Whether the prices include tax; absent when nothing is said"`
}

func linesView(items []record.OfferItem) (out []Line) {
	for _, l := range items {
		line := Line{Name: l.Name, Description: l.Description, Item: l.Item, Quantity: quantityView(l.Quantity), Price: l.Price.String(),
			UnitPrice: decimalText(l.UnitPrice), TaxRate: decimalText(l.TaxRate)}
		out = append(out, line)
	}
	return out
}

func chargesView(charges []record.Charge) (out []Charge) {
	for _, c := range charges {
		out = append(out, Charge{Kind: c.Kind, Name: c.Name, Price: c.Price.String(), TaxRate: decimalText(c.TaxRate)})
	}
	return out
}

func decimalText(d *decimal.Decimal) string {
	if d == nil {
		return ""
	}
	return d.String()
}

func offerLines(lines []Line) (out []record.OfferItem, err error) {
	for _, l := range lines {
		item := record.OfferItem{Name: l.Name, Description: l.Description, Item: l.Item}
		if item.Quantity, err = quantity(l.Quantity); err != nil {
			return nil, err
		}
		if item.UnitPrice, err = price("itemOffered.unitPrice", l.UnitPrice); err != nil {
			return nil, err
		}
		if item.TaxRate, err = price("itemOffered.taxRate", l.TaxRate); err != nil {
			return nil, err
		}
		if item.Price, err = decimal.Parse(l.Price); err != nil {
			return nil, protocol.Errorf(protocol.CodeBadField, "itemOffered.price", "%w", err)
		}
		out = append(out, item)
	}
	return out, nil
}

func offerCharges(charges []Charge) (out []record.Charge, err error) {
	for _, c := range charges {
		charge := record.Charge{Kind: c.Kind, Name: c.Name}
		if charge.TaxRate, err = price("charges.taxRate", c.TaxRate); err != nil {
			return nil, err
		}
		if charge.Price, err = decimal.Parse(c.Price); err != nil {
			return nil, protocol.Errorf(protocol.CodeBadField, "charges.price", "%w", err)
		}
		out = append(out, charge)
	}
	return out, nil
}

func conditionsView(o *record.Offer) Conditions {
	v := Conditions{TaxIncluded: o.TaxIncluded}
	if w := o.DeliveryWindow; w != nil {
		v.DeliveryWindow = &Window{when(w.Starts), when(w.Ends)}
	}
	if p := o.ReturnPolicy; p != nil {
		v.ReturnPolicy = &ReturnPolicy{p.Category, p.Days, p.Fees, decimalText(p.FeeAmount), p.Description}
	}
	return v
}

// into puts the conditions on an offer.
func (c Conditions) into(o *record.Offer) (err error) {
	o.TaxIncluded = c.TaxIncluded
	if w := c.DeliveryWindow; w != nil {
		o.DeliveryWindow = &record.DeliveryWindow{Starts: w.Starts.Unix(), Ends: w.Ends.Unix()}
	}
	if p := c.ReturnPolicy; p != nil {
		o.ReturnPolicy = &record.ReturnPolicy{Category: p.ReturnPolicyCategory, Days: p.MerchantReturnDays, Fees: p.ReturnFees, Description: p.Description}
		o.ReturnPolicy.FeeAmount, err = price("returnPolicy.returnFeeAmount", p.ReturnFeeAmount)
	}
	return err
}
