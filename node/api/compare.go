package api

import (
	"fmt"
	"strings"
	"time"

	"github.com/parley-protocol/parley/protocol/record"
)

// Difference is something that one document says otherwise than another.
type Difference struct {
	Field string `json:"field" doc:"The field's key; of a line or charge with its name"`
	From  string `json:"from,omitempty" doc:"Empty: it wasn't there"`
	To    string `json:"to,omitempty" doc:"Empty: it isn't there any more"`
}

// sheet is what a document says, a text for each field, in the order of first
// mention.
type sheet struct {
	fields []string
	values map[string]string
}

func (s *sheet) put(field, value string) {
	if value == "" {
		return
	}
	if s.values == nil {
		s.values = map[string]string{}
	}
	name := field
	for n := 2; s.values[name] != ""; n++ {
		name = fmt.Sprintf("%s (%d)", field, n) // two lines of one name
	}
	s.fields = append(s.fields, name)
	s.values[name] = value
}

func (s *sheet) time(field string, unix int64) {
	if unix != 0 {
		s.put(field, when(unix).Format(time.RFC3339))
	}
}

func (s *sheet) lines(items []record.OfferItem, charges []record.Charge, currency string) {
	for _, l := range items {
		text := l.Price.String() + " " + currency
		if q := l.Quantity; q != nil {
			text = strings.TrimSuffix(q.Value.String()+" "+q.UnitCode, " C62") + " for " + text
		}
		if l.UnitPrice != nil {
			text += ", " + l.UnitPrice.String() + " each"
		}
		if l.TaxRate != nil {
			text += ", " + l.TaxRate.String() + " % tax"
		}
		if l.Description != "" {
			text += ": " + l.Description
		}
		s.put("itemOffered: "+l.Name, text)
	}
	for _, c := range charges {
		field := "charges: " + c.Kind
		if c.Name != "" {
			field += " " + c.Name
		}
		text := c.Price.String() + " " + currency
		if c.TaxRate != nil {
			text += ", " + c.TaxRate.String() + " % tax"
		}
		s.put(field, text)
	}
}

// offerSheet is all that an offer says, but for where replies go.
func offerSheet(o *record.Offer) (s sheet) {
	s.put("totalPrice", o.TotalPrice.String()+" "+o.PriceCurrency)
	s.lines(o.ItemOffered, o.Charges, o.PriceCurrency)
	s.put("terms", termsID(o.Terms))
	s.time("availabilityStarts", o.AvailabilityStarts)
	s.time("availabilityEnds", o.AvailabilityEnds)
	if w := o.DeliveryWindow; w != nil {
		s.time("deliveryWindow.starts", w.Starts)
		s.time("deliveryWindow.ends", w.Ends)
	}
	if p := o.ReturnPolicy; p != nil {
		text := p.Category
		if p.Days != nil {
			text += fmt.Sprintf(", %d days", *p.Days)
		}
		if p.Fees != "" {
			text += ", " + p.Fees
		}
		if p.FeeAmount != nil {
			text += " " + p.FeeAmount.String() + " " + o.PriceCurrency
		}
		if p.Description != "" {
			text += ": " + p.Description
		}
		s.put("returnPolicy", text)
	}
	if o.TaxIncluded != nil {
		s.put("taxIncluded", fmt.Sprint(*o.TaxIncluded))
	}
	s.put("description", o.Description)
	s.time("validUntil", o.ValidUntil)
	return s
}

// counterSheet is what a counter says of an offer: what it leaves out, it leaves
// as it is.
func counterSheet(c *record.Counter) (s sheet) {
	if c.TotalPrice != nil {
		s.put("totalPrice", c.TotalPrice.String()+" "+c.PriceCurrency)
	}
	s.lines(c.ItemOffered, c.Charges, c.PriceCurrency)
	s.time("availabilityStarts", c.AvailabilityStarts)
	s.time("availabilityEnds", c.AvailabilityEnds)
	return s
}

// differences are what to says otherwise than from. With part, what to leaves out
// is left as it is, but for lines and charges when it has any.
func differences(from, to sheet, part bool) []Difference {
	out := []Difference{}
	lists := false
	for _, f := range to.fields {
		lists = lists || isList(f)
		if from.values[f] != to.values[f] {
			out = append(out, Difference{f, from.values[f], to.values[f]})
		}
	}
	for _, f := range from.fields {
		if _, ok := to.values[f]; !ok && (!part || lists && isList(f)) {
			out = append(out, Difference{f, from.values[f], ""})
		}
	}
	return out
}

func isList(field string) bool {
	return strings.HasPrefix(field, "itemOffered: ") || strings.HasPrefix(field, "charges: ")
}
