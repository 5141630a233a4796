package schemaorg

import (
	"math/big"
	"slices"
	"strings"

	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/decimal"
	"github.com/parley-protocol/parley/protocol/draft"
	"github.com/parley-protocol/parley/protocol/record"
)

// OfferDraft is an offer made from a foreign document. What it answers, its
// number, terms and reply address are the caller's to fill in before it is
// signed; so is ValidUntil where the document names none.
type OfferDraft struct {
	Offer *record.Offer
	Notes []draft.Note // what was changed or left out
}

// DraftOffer makes the draft of an offer from a JSON-LD document with one
// schema.org Offer, on its own or as that of one Product or Service. What an
// offer has no place for is in the notes, property by property; no price is
// taken that the document doesn't state, or that doesn't add up.
//
// Refusals, each with a hint: [protocol.CodeMalformed] for what isn't JSON,
// [protocol.CodeUnsupportedFormat] for what isn't schema.org or has no Offer,
// [protocol.CodeAmbiguous] for several, or one of a range of prices,
// [protocol.CodeExpired] for a validThrough that has passed,
// [protocol.CodeMissingField] where name, price or currency is absent, and
// [protocol.CodeTotalMismatch] where the parts aren't the price.
func DraftOffer(data []byte, now int64) (*OfferDraft, error) {
	notes := new(draft.Notes)
	document, err := draft.Read(data, notes)
	if err != nil {
		return nil, err
	}
	node, product, err := findOffer(document)
	if err != nil {
		return nil, err
	}
	offer := &record.Offer{Description: node.Get("description").Text(maxOfferText)}
	for _, key := range [...]string{"validThrough", "priceValidUntil"} {
		if until := node.Get(key); offer.ValidUntil == 0 {
			offer.ValidUntil = until.Time(true)
		}
	}
	if offer.ValidUntil != 0 && offer.ValidUntil <= now {
		return nil, draft.Refuse(protocol.CodeExpired, "validThrough", "give --until with a date in the future", "the offer ran out before today")
	}
	offer.AvailabilityStarts, offer.AvailabilityEnds = draft.Availability(
		node.Get("availabilityStarts").Time(false), node.Get("availabilityEnds").Time(true), now, "availabilityEnds", notes)
	lines := offeredThings(node, product, notes)
	if len(lines) == 0 {
		return nil, draft.Refuse(protocol.CodeMissingField, "name", "give the Offer or what it offers a name", "the Offer names nothing that it offers")
	}
	if all := len(lines); all > protocol.MaxItems {
		return nil, draft.Refuse(protocol.CodeTooLarge, "itemOffered", "make several offers", "the Offer has %d things, and an offer has %d lines at most", all, protocol.MaxItems)
	}
	offer.ItemOffered = lines
	if err := prices(offer, node, notes); err != nil {
		return nil, err
	}
	for _, key := range [...]string{"seller", "offeredBy"} {
		if node.Get(key).Exists() {
			notes.Addf(key, "%s was left out: the seller is who signs", key)
		}
	}
	noteRest(node, notes, "name", "description", "validFrom", "validThrough", "priceValidUntil", "availabilityStarts", "availabilityEnds", "itemOffered",
		"includesObject", "eligibleQuantity", "price", "priceCurrency", "priceSpecification", "seller", "offeredBy")
	return &OfferDraft{offer, notes.List()}, nil
}

// Limits of an offer's text, and of its charges.
const (
	maxOfferText = 4000
	maxCharges   = 32
)

// findOffer finds the one Offer of a document, and the product that it is in, if
// it is in one.
func findOffer(document draft.Node) (offer, product draft.Node, err error) {
	candidates, err := things(document)
	if err != nil {
		return offer, product, err
	}
	type found struct{ offer, product draft.Node }
	var all []found
	var others []string
	for _, candidate := range candidates {
		types := typesOf(candidate)
		switch offers := candidate.Get("offers").List(); {
		case slices.Contains(types, "Offer"):
			all = append(all, found{offer: candidate})
		case len(offers) > 0:
			for _, inner := range offers {
				if slices.Contains(typesOf(inner), "AggregateOffer") {
					return offer, product, draft.Refuse(protocol.CodeAmbiguous, inner.Path(), "give a document with one Offer",
						"this is a range of prices of several offers, not an offer")
				}
				all = append(all, found{inner, candidate})
			}
		default:
			others = append(others, strings.Join(types, " and "))
		}
	}
	switch {
	case len(all) > 1:
		return offer, product, draft.Refuse(protocol.CodeAmbiguous, "offers", "give a document with one Offer",
			"the document holds %d Offers, and one can be taken at a time", len(all))
	case len(all) == 0 && slices.Contains(others, "Demand"):
		return offer, product, draft.Refuse(protocol.CodeUnsupportedFormat, "@type", "give an Offer: what somebody sells, not what somebody wants",
			"this is a Demand, not an Offer")
	case len(all) == 0:
		return offer, product, draft.Refuse(protocol.CodeUnsupportedFormat, "@type", `give an object with "@type": "Offer"`,
			"the document holds no Offer, only: %s", draft.Cut(strings.Join(others, ", "), 200))
	}
	return all[0].offer, all[0].product, nil
}

// offeredThings reads what is offered: itemOffered, includesObject, or the
// product that the Offer is in, or else the Offer's own name.
func offeredThings(node, product draft.Node, notes *draft.Notes) (lines []record.OfferItem) {
	for _, wanted := range items(node, notes) {
		lines = append(lines, record.OfferItem{Name: wanted.Name, Description: wanted.Description, Category: wanted.Category, Quantity: wanted.Quantity})
		if wanted.AreaServed != nil {
			notes.Addf("itemOffered", "the area of %q was left out: an offer has no place for it", draft.Cut(wanted.Name, 80))
		}
	}
	if len(lines) == 0 && product.IsObject() {
		line := record.OfferItem{
			Name: product.Get("name").Line(draft.MaxItemName), Description: product.Get("description").Text(draft.MaxItemDescription),
			Category: categories(product.Get("category"), notes),
		}
		if line.Name != "" {
			lines = append(lines, line)
		}
		noteRest(product, notes, "name", "description", "category", "offers")
	}
	if name := node.Get("name").Line(draft.MaxItemName); name != "" && len(lines) == 0 {
		lines = append(lines, record.OfferItem{Name: name})
	}
	if q := node.Get("eligibleQuantity"); q.Exists() {
		switch {
		case len(lines) != 1:
			notes.Addf(q.Path(), "%s was left out: it doesn't say which of the things it counts", q.Path())
		case lines[0].Quantity == nil:
			lines[0].Quantity = quantity(q, notes)
		}
	}
	return lines
}

// prices puts the prices in: those of the parts where the document states them,
// and always what they come to.
func prices(offer *record.Offer, node draft.Node, notes *draft.Notes) error {
	specs := current(node.Get("priceSpecification").List(), notes)
	if len(specs) > 1 {
		return draft.Refuse(protocol.CodeAmbiguous, "priceSpecification", "leave the one that counts, or make it a CompoundPriceSpecification",
			"the Offer has %d price specifications, and doesn't say which one counts", len(specs))
	}
	spec := node
	if len(specs) == 1 {
		spec = specs[0]
	}
	offer.PriceCurrency = strings.ToUpper(spec.Get("priceCurrency").Line(16))
	if offer.PriceCurrency == "" {
		offer.PriceCurrency = strings.ToUpper(node.Get("priceCurrency").Line(16))
	}
	if !draft.IsCurrency(offer.PriceCurrency) {
		return draft.Refuse(protocol.CodeMissingField, "priceCurrency", "give the currency as three letters", "the Offer names no currency that is known")
	}
	if other := strings.ToUpper(node.Get("priceCurrency").Line(16)); other != "" && other != offer.PriceCurrency {
		return draft.Refuse(protocol.CodeAmbiguous, "priceCurrency", "give one currency", "the Offer is in %s, and its priceSpecification in %s", other, offer.PriceCurrency)
	}
	taxIncluded(offer, spec)
	priced := spec.Get("price")
	if !priced.Exists() {
		priced = node.Get("price")
	}
	hasPrice := priced.Exists()
	var stated decimal.Decimal
	if hasPrice {
		var err error
		if stated, err = exactPrice(priced); err != nil {
			return err
		}
	}
	components := spec.Get("priceComponent").List()
	switch {
	case len(components) > 0:
		if err := parts(offer, components, notes); err != nil {
			return err
		}
	case !hasPrice:
		return draft.Refuse(protocol.CodeMissingField, "price", "give the Offer a price", "the Offer has no price")
	case len(offer.ItemOffered) > 1:
		return draft.Refuse(protocol.CodeMissingField, "priceSpecification.priceComponent", "give a CompoundPriceSpecification with a price for each thing",
			"the Offer has one price for %d things, and an offer has a price on each line", len(offer.ItemOffered))
	default:
		if err := wholeLine(&offer.ItemOffered[0], spec, stated, notes); err != nil {
			return err
		}
		stated, hasPrice = offer.ItemOffered[0].Price, true
	}
	var all []decimal.Decimal
	for _, line := range offer.ItemOffered {
		all = append(all, line.Price)
	}
	for _, charge := range offer.Charges {
		all = append(all, charge.Price)
	}
	sum, err := decimal.Sum(all...)
	if err != nil || hasPrice && sum.Cmp(stated) != 0 {
		return draft.Refuse(protocol.CodeTotalMismatch, "price", "make the price the exact sum of its parts", "the parts come to %s, and the price is %s", sum, stated)
	}
	if sum.Sign() < 0 {
		return draft.Refuse(protocol.CodeBadField, "price", "check the signs", "the price, %s, is below zero", sum)
	}
	offer.TotalPrice = sum
	if spec.Path() != node.Path() {
		noteRest(spec, notes, "name", "price", "priceCurrency", "priceComponent", "referenceQuantity", "eligibleQuantity", "unitCode", "unitText", "valueAddedTaxIncluded", "priceType")
	}
	return nil
}

func taxIncluded(offer *record.Offer, spec draft.Node) {
	spec.Get("valueAddedTaxIncluded").Rewrite(func(value any) any {
		switch value {
		case true, "true", "True", "https://schema.org/True", "http://schema.org/True":
			offer.TaxIncluded = new(bool)
			*offer.TaxIncluded = true
		case false, "false", "False", "https://schema.org/False", "http://schema.org/False":
			offer.TaxIncluded = new(bool)
		}
		return value
	})
}

// current leaves out prices that aren't asked for: those of before, and of lists.
func current(specs []draft.Node, notes *draft.Notes) (asked []draft.Node) {
	for _, spec := range specs {
		kind := term(spec.Get("priceType").Line(80))
		if kind != "" && kind != "SalePrice" && kind != "InvoicePrice" && kind != "RegularPrice" {
			notes.Addf(spec.Path(), "%s was left out: it is a %s, not what is asked", spec.Path(), draft.Cut(kind, 40))
			continue
		}
		asked = append(asked, spec)
	}
	return asked
}

// wholeLine sets the price of the one line. A unit price is for so much of it:
// what the line has of that is counted.
func wholeLine(line *record.OfferItem, spec draft.Node, price decimal.Decimal, notes *draft.Notes) error {
	line.Price = price
	if !slices.Contains(typesOf(spec), "UnitPriceSpecification") {
		return nil
	}
	per := quantity(spec.Get("referenceQuantity"), notes)
	if per == nil && (spec.Get("unitCode").Exists() || spec.Get("unitText").Exists()) {
		per = amount(spec.Get("price").Rewrite(func(any) any { return "1" }), spec, notes)
	}
	one := decimal.MustParse("1")
	if per == nil {
		per = draft.Quantity(one, draft.One)
	}
	if line.Quantity == nil {
		line.Quantity = per
		return nil
	}
	if line.Quantity.UnitCode != per.UnitCode {
		return draft.Refuse(protocol.CodeBadField, spec.Path(), "give price and quantity in one unit", "the price is for %s, and the quantity is in %s", per.UnitCode, line.Quantity.UnitCode)
	}
	total, exact := times(price, line.Quantity.Value, per.Value)
	if !exact {
		return draft.Refuse(protocol.CodeTotalMismatch, spec.Path(), "give the price of the whole line",
			"%s for %s of %s doesn't come out at four decimals", price, line.Quantity.Value, per.Value)
	}
	line.Price = total
	if per.Value.Cmp(one) == 0 {
		line.UnitPrice = &price
	}
	return nil
}

// parts sets the prices of lines and charges from the components of a price: in
// the order of the things where each has one, by their names otherwise.
func parts(offer *record.Offer, components []draft.Node, notes *draft.Notes) error {
	var lines []draft.Node
	for _, c := range components {
		if other := strings.ToUpper(c.Get("priceCurrency").Line(16)); other != "" && other != offer.PriceCurrency {
			return draft.Refuse(protocol.CodeAmbiguous, c.Path(), "give one currency", "a part is in %s, and the Offer in %s", other, offer.PriceCurrency)
		}
		kind := chargeKind(c)
		if kind == "" {
			lines = append(lines, c)
			continue
		}
		price, err := exactPrice(c.Get("price"))
		if err != nil {
			return err
		}
		charge := record.Charge{Kind: kind, Name: c.Get("name").Line(draft.MaxName), Price: price}
		if charge.Name == kind {
			charge.Name = ""
		}
		offer.Charges = append(offer.Charges, charge)
		noteRest(c, notes, "name", "price", "priceCurrency", "additionalType")
	}
	if len(offer.Charges) > maxCharges {
		return draft.Refuse(protocol.CodeTooLarge, "priceSpecification.priceComponent", "put some together", "the price has %d charges, and an offer has %d at most", len(offer.Charges), maxCharges)
	}
	if len(lines) != len(offer.ItemOffered) {
		return draft.Refuse(protocol.CodeMissingField, "priceSpecification.priceComponent", "give one part of the price for each thing, and the others an additionalType of tax, delivery, fee, discount or other",
			"the price has %d parts for %d things", len(lines), len(offer.ItemOffered))
	}
	for i := range offer.ItemOffered {
		c := lines[i]
		price, err := exactPrice(c.Get("price"))
		if err != nil {
			return err
		}
		if err := wholeLine(&offer.ItemOffered[i], c, price, notes); err != nil {
			return err
		}
		noteRest(c, notes, "name", "price", "priceCurrency", "referenceQuantity", "unitCode", "unitText")
	}
	return nil
}

// exactPrice reads a price as it stands: none is rounded.
func exactPrice(node draft.Node) (decimal.Decimal, error) {
	text := strings.TrimSpace(node.Raw())
	value, rounded, ok := draft.ParseDecimal(text)
	switch {
	case text == "":
		return value, draft.Refuse(protocol.CodeMissingField, node.Path(), "give a price", "there is no price at %s", node.Path())
	case !ok || rounded:
		return value, draft.Refuse(protocol.CodeBadField, node.Path(), "give a number with at most 15 digits and 4 decimals, and a point before these",
			"%q is no price that an offer can hold", draft.Cut(text, 40))
	}
	return value, nil
}

// times is price * count / per, if that is a decimal.
func times(price, count, per decimal.Decimal) (total decimal.Decimal, exact bool) {
	rat := func(d decimal.Decimal) *big.Rat {
		r, _ := new(big.Rat).SetString(d.String()) // always a number
		return r
	}
	product := new(big.Rat).Mul(rat(price), rat(count))
	product.Quo(product, rat(per)) // a quantity is above zero
	total, rounded, ok := draft.ParseDecimal(strings.TrimSpace(product.FloatString(4)))
	return total, ok && !rounded && rat(total).Cmp(product) == 0
}

// chargeKind is the kind of a component that is no line.
func chargeKind(c draft.Node) string {
	kind := c.Get("additionalType").Line(80)
	if slices.Contains([]string{"tax", "delivery", "fee", "discount", "other"}, kind) {
		return kind
	}
	switch types := typesOf(c); {
	case slices.Contains(types, "DeliveryChargeSpecification"):
		return "delivery"
	case slices.Contains(types, "PaymentChargeSpecification"):
		return "fee"
	}
	return ""
}
