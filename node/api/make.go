package api

import (
	"encoding/json"
	"time"

	"github.com/ipfs/go-cid"

	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/decimal"
	"github.com/parley-protocol/parley/protocol/draft"
	"github.com/parley-protocol/parley/protocol/ocds"
	"github.com/parley-protocol/parley/protocol/record"
	"github.com/parley-protocol/parley/protocol/schemaorg"
)

// draftOf makes what was asked for into an intent, from its document first.
func draftOf(in NewIntent, now int64) (*draft.Draft, error) {
	d := &draft.Draft{Intent: &record.Intent{Market: in.Market}}
	opt := draft.Options{Now: now, Market: in.Market, ValidUntil: unix(in.ValidUntil)}
	var err error
	switch in.Format {
	case "":
		if len(in.Document) > 0 {
			return nil, &protocol.Error{Code: protocol.CodeUnsupportedFormat, Field: "format", Detail: "the document's format isn't named", Hint: "give schema.org or ocds"}
		}
	case "ocds":
		d, err = ocds.Draft(in.Document, ocds.Options{Options: opt, AllowAwarded: in.AsRequest})
	case "schema.org":
		d, err = schemaorg.Draft(in.Document, schemaorg.Options{Options: opt})
	default:
		return nil, &protocol.Error{Code: protocol.CodeUnsupportedFormat, Field: "format", Detail: "this format isn't known: " + in.Format, Hint: "schema.org or ocds"}
	}
	if err != nil {
		return nil, err
	}
	return d, overlay(d.Intent, in)
}

// overlay puts the fields that were set over those of the document.
func overlay(i *record.Intent, in NewIntent) (err error) {
	text := func(to *string, from string) {
		if from != "" {
			*to = from
		}
	}
	text(&i.Name, in.Name)
	text(&i.Description, in.Description)
	text(&i.InLanguage, in.InLanguage)
	if len(in.Category) > 0 {
		i.Category = in.Category
	}
	if len(i.Category) == 0 {
		i.Category = categoriesOf(i.Market)
	}
	if len(in.ItemOffered) > 0 {
		i.ItemOffered = nil
		for _, w := range in.ItemOffered {
			item := record.DemandItem{Name: w.Name, Description: w.Description, Category: w.Category}
			if item.Quantity, err = quantity(w.Quantity); err != nil {
				return err
			}
			i.ItemOffered = append(i.ItemOffered, item)
		}
	}
	if len(i.ItemOffered) == 0 && i.Name != "" {
		// What is asked for is the request itself.
		i.ItemOffered = []record.DemandItem{{Name: i.Name}}
	}
	if in.AreaServed != nil {
		area := record.Area(*in.AreaServed)
		i.AreaServed = &area
	}
	if b := in.PriceSpecification; b != nil {
		p := &record.PriceSpecification{PriceCurrency: b.PriceCurrency}
		if p.MinPrice, err = price("priceSpecification.minPrice", b.MinPrice); err != nil {
			return err
		}
		if p.MaxPrice, err = price("priceSpecification.maxPrice", b.MaxPrice); err != nil {
			return err
		}
		i.PriceSpecification = p
	}
	instant := func(to *int64, from *time.Time) {
		if from != nil {
			*to = from.Unix()
		}
	}
	instant(&i.AvailabilityStarts, in.AvailabilityStarts)
	instant(&i.AvailabilityEnds, in.AvailabilityEnds)
	instant(&i.ValidUntil, in.ValidUntil)
	if len(in.Terms) > 0 {
		if i.Terms, err = termsRefs(in.Terms); err != nil {
			return err
		}
	}
	if in.Awards != 0 {
		i.Awards = in.Awards
	}
	return nil
}

// categoriesOf is what usually belongs into a market, for a request that doesn't
// say more; nil for a market that takes anything.
func categoriesOf(market string) []string {
	for _, m := range protocol.Markets() {
		if m.Name == market {
			return m.Categories
		}
	}
	return nil
}

func unix(t *time.Time) int64 {
	if t == nil {
		return 0
	}
	return t.Unix()
}

func quantity(q *Quantity) (*record.QuantitativeValue, error) {
	if q == nil {
		return nil, nil
	}
	v, err := decimal.Parse(q.Value)
	if err != nil {
		return nil, protocol.Errorf(protocol.CodeBadField, "eligibleQuantity.value", "%w", err)
	}
	unit := q.UnitCode
	if unit == "" {
		unit = "C62"
	}
	return &record.QuantitativeValue{Value: v, UnitCode: unit}, nil
}

func price(field, text string) (*decimal.Decimal, error) {
	if text == "" {
		return nil, nil
	}
	d, err := decimal.Parse(text)
	if err != nil {
		return nil, protocol.Errorf(protocol.CodeBadField, field, "%w", err)
	}
	return &d, nil
}

// termsRefs reads roster IDs and the CIDs of terms records.
func termsRefs(texts []string) ([]record.TermsRef, error) {
	var out []record.TermsRef
	for _, t := range texts {
		ref, err := termsRef(t)
		if err != nil {
			return nil, err
		}
		out = append(out, ref)
	}
	return out, nil
}

func termsRef(text string) (record.TermsRef, error) {
	if text == "" {
		return record.TermsRef{}, nil
	}
	if id, err := cid.Decode(text); err == nil {
		return record.TermsRef{Record: id}, nil
	}
	return record.TermsRef{Roster: text}, nil
}

// offerOf makes what was asked for into an offer; an empty total is the sum.
func offerOf(in NewOffer) (o record.Offer, err error) {
	o = record.Offer{
		Description: in.Description, PriceCurrency: in.PriceCurrency, ValidUntil: in.ValidUntil.Unix(),
		AvailabilityStarts: unix(in.AvailabilityStarts), AvailabilityEnds: unix(in.AvailabilityEnds),
	}
	if o.Terms, err = termsRef(in.Terms); err != nil {
		return o, err
	}
	if o.ItemOffered, err = offerLines(in.Items); err != nil {
		return o, err
	}
	if o.Charges, err = offerCharges(in.Charges); err != nil {
		return o, err
	}
	if err := in.Conditions.into(&o); err != nil {
		return o, err
	}
	if in.TotalPrice != "" {
		if o.TotalPrice, err = decimal.Parse(in.TotalPrice); err != nil {
			return o, protocol.Errorf(protocol.CodeBadField, "totalPrice", "%w", err)
		}
		return o, nil
	}
	o.TotalPrice, err = o.Sum()
	return o, err
}

// profileOf makes what was asked for into a profile.
func profileOf(in Profile) (record.Profile, error) {
	p := record.Profile{Name: in.Name, Description: in.Description, URL: in.URL, Category: in.Category, Markets: in.Markets}
	for _, a := range in.AreaServed {
		p.AreaServed = append(p.AreaServed, record.Area(a))
	}
	var err error
	p.Terms, err = termsRefs(in.Terms)
	return p, err
}

func raw(rec *record.Record) json.RawMessage {
	b, err := rec.JSON()
	if err != nil {
		return nil
	}
	return b
}
