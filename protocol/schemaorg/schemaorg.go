// Package schemaorg goes between schema.org's Demand and Offer, as JSON-LD, and
// intents and offers. It is pure: time is an argument, and no context is ever
// fetched.
package schemaorg

import (
	"slices"
	"strings"

	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/decimal"
	"github.com/parley-protocol/parley/protocol/draft"
	"github.com/parley-protocol/parley/protocol/record"
)

// Options is what the caller knows and the document doesn't.
type Options struct{ draft.Options }

// Draft makes the draft of an intent from a JSON-LD document with one
// schema.org Demand. What a request has no place for is in the notes, property
// by property; streets and exact postcodes are never taken over.
//
// Refusals, each with a hint: [protocol.CodeMalformed] for what isn't JSON,
// [protocol.CodeUnsupportedFormat] for what isn't schema.org or has no Demand,
// [protocol.CodeAmbiguous] for several, [protocol.CodeNotARequest] for an Offer,
// [protocol.CodeExpired] for a validThrough that has passed, and
// [protocol.CodeMissingField] where name or deadline is absent.
func Draft(data []byte, opt Options) (*draft.Draft, error) {
	notes := new(draft.Notes)
	document, err := draft.Read(data, notes)
	if err != nil {
		return nil, err
	}
	demand, err := findDemand(document)
	if err != nil {
		return nil, err
	}

	intent := &record.Intent{Market: opt.Market}
	through := demand.Get("validThrough")
	if intent.ValidUntil, err = draft.Deadline(opt.Options, through.Time(true), through.Path(), notes); err != nil {
		return nil, err
	}
	intent.Description = demand.Get("description").Text(draft.MaxDescription)
	intent.InLanguage = language(demand.Get("inLanguage"), notes)
	intent.ItemOffered = items(demand, notes)
	intent.Name = demand.Get("name").Line(draft.MaxName)
	if intent.Name == "" && len(intent.ItemOffered) > 0 {
		intent.Name = draft.Cut(intent.ItemOffered[0].Name, draft.MaxName)
	}
	if intent.Name == "" {
		return nil, draft.Refuse(protocol.CodeMissingField, "name", "give the Demand or what it asks for a name", "the Demand has no name")
	}
	if len(intent.ItemOffered) == 0 {
		intent.ItemOffered = []record.DemandItem{{Name: intent.Name}}
	}
	if len(intent.ItemOffered) == 1 && intent.ItemOffered[0].Quantity == nil {
		intent.ItemOffered[0].Quantity = quantity(demand.Get("eligibleQuantity"), notes)
	} else if demand.Get("eligibleQuantity").Exists() {
		notes.Addf("eligibleQuantity", "eligibleQuantity was left out: it doesn't say which of the things asked for it counts")
	}
	intent.Category = category(demand, intent.ItemOffered, notes)
	intent.AreaServed = areaServed(demand, notes)
	intent.PriceSpecification = price(demand, notes)
	intent.AvailabilityStarts, intent.AvailabilityEnds = draft.Availability(
		demand.Get("availabilityStarts").Time(false), demand.Get("availabilityEnds").Time(true), opt.Now, "availabilityEnds", notes)
	intent.Identifier = identifiers(demand, notes)
	noteRest(demand, notes, "name", "description", "inLanguage", "category", "itemOffered", "includesObject", "eligibleQuantity",
		"areaServed", "eligibleRegion", "priceSpecification", "price", "priceCurrency", "validThrough", "availabilityStarts",
		"availabilityEnds", "identifier")
	draft.Fit(intent, notes)
	return &draft.Draft{Intent: intent, Notes: notes.List()}, nil
}

// items reads what is asked for: itemOffered, and includesObject, where each
// thing has an amount of its own.
func items(demand draft.Node, notes *draft.Notes) []record.DemandItem {
	var list []record.DemandItem
	add := func(thing draft.Node, amount *record.QuantitativeValue) {
		item := item(thing, notes)
		if amount != nil {
			item.Quantity = amount
		}
		if item.Name == "" {
			notes.Addf(thing.Path(), "%s was left out: it has no name", thing.Path())
			return
		}
		list = append(list, item)
	}
	for _, thing := range demand.Get("itemOffered").List() {
		add(thing, nil)
	}
	for _, node := range demand.Get("includesObject").List() {
		add(node.Get("typeOfGood"), amount(node.Get("amountOfThisGood"), node, notes))
		noteRest(node, notes, "typeOfGood", "amountOfThisGood", "unitCode", "unitText")
	}
	if all := len(list); all > protocol.MaxItems {
		notes.Addf("itemOffered", "only the first %d of %d items were taken", protocol.MaxItems, all)
		list = list[:protocol.MaxItems]
	}
	return list
}

// item reads a Product or Service, or a bare name.
func item(thing draft.Node, notes *draft.Notes) record.DemandItem {
	if !thing.IsObject() {
		return record.DemandItem{Name: thing.Line(draft.MaxItemName)}
	}
	item := record.DemandItem{
		Name:        thing.Get("name").Line(draft.MaxItemName),
		Description: thing.Get("description").Text(draft.MaxItemDescription),
		Category:    categories(thing.Get("category"), notes),
		Quantity:    quantity(thing.Get("eligibleQuantity"), notes),
		AreaServed:  areaServed(thing, notes),
	}
	noteRest(thing, notes, "name", "description", "category", "eligibleQuantity", "areaServed")
	return item
}

// quantity reads a QuantitativeValue or a bare number.
func quantity(node draft.Node, notes *draft.Notes) *record.QuantitativeValue {
	if !node.IsObject() {
		return amount(node, draft.Node{}, notes)
	}
	noteRest(node, notes, "value", "unitCode", "unitText")
	return amount(node.Get("value"), node, notes)
}

// amount reads a number in the unit that owner states; without a unit it counts
// pieces. A number in a unit that isn't known is left out: it would be wrong.
func amount(number, owner draft.Node, notes *draft.Notes) *record.QuantitativeValue {
	value, ok := number.Decimal()
	if !ok {
		return nil
	}
	if value.Sign() <= 0 {
		notes.Addf(number.Path(), "a quantity of %s was left out", value)
		return nil
	}
	code, text := owner.Get("unitCode").Line(40), owner.Get("unitText").Line(40)
	if code == "" && text == "" {
		return draft.Quantity(value, draft.One)
	}
	unit := draft.Unit("uncefact", code, text)
	if unit == "" {
		notes.Addf(number.Path(), "the quantity %s was left out: the unit %q is not known", value, strings.TrimSpace(code+" "+text))
		return nil
	}
	return draft.Quantity(value, unit)
}

// category finds the intent's categories: its own, else its items', else the
// kind of thing that the first item is.
func category(demand draft.Node, items []record.DemandItem, notes *draft.Notes) []string {
	list := categories(demand.Get("category"), notes)
	for _, item := range items {
		for _, c := range item.Category {
			if !slices.Contains(list, c) && len(list) < protocol.MaxCategories {
				list = append(list, c)
			}
		}
	}
	if len(list) > 0 {
		return list
	}
	kind := "Product"
	if things := demand.Get("itemOffered").List(); len(things) > 0 {
		for _, t := range typesOf(things[0]) {
			if fallback := draft.Category("schemaorg", t); fallback != "" {
				kind = t
			}
		}
	}
	notes.Addf("category", "the Demand has no category of the form scheme:code; schemaorg:%s stands in", kind)
	return []string{draft.Category("schemaorg", kind)}
}

// categories reads texts of the form scheme:code and CategoryCode objects.
func categories(node draft.Node, notes *draft.Notes) []string {
	var list []string
	for _, c := range node.List() {
		var scheme, code, text string
		if c.IsObject() {
			scheme, code = name(c.Get("inCodeSet")), c.Get("codeValue").Line(80)
			text = strings.TrimSpace(scheme + " " + code)
		} else {
			text = c.Line(draft.MaxName)
			scheme, code, _ = strings.Cut(text, ":")
		}
		found := draft.Category(scheme, code)
		switch {
		case found == "":
			notes.Addf(c.Path(), "the category %q was left out: it doesn't have the form scheme:code, such as cpv:39155000", draft.Cut(text, 80))
		case slices.Contains(list, found):
		case len(list) == protocol.MaxCategories:
			notes.Addf(c.Path(), "the category %s was left out: %d are enough", found, protocol.MaxCategories)
		default:
			list = append(list, found)
		}
	}
	return list
}

// price reads priceSpecification, or price and priceCurrency of the Demand
// itself. A single price is the most that may be paid.
func price(demand draft.Node, notes *draft.Notes) *record.PriceSpecification {
	specs := demand.Get("priceSpecification").List()
	if len(specs) == 0 {
		specs = []draft.Node{demand}
	} else {
		if demand.Get("price").Exists() {
			notes.Addf("price", "price was left out: priceSpecification says it")
		}
		noteRest(specs[0], notes, "price", "minPrice", "maxPrice", "priceCurrency")
	}
	if len(specs) > 1 {
		notes.Addf("priceSpecification", "only the first of %d price specifications was taken", len(specs))
	}
	spec := record.PriceSpecification{PriceCurrency: strings.ToUpper(specs[0].Get("priceCurrency").Line(16))}
	if most, ok := specs[0].Get("maxPrice").Decimal(); ok {
		spec.MaxPrice = &most
	} else if most, ok := specs[0].Get("price").Decimal(); ok {
		spec.MaxPrice = &most
	}
	if least, ok := specs[0].Get("minPrice").Decimal(); ok {
		spec.MinPrice = &least
	}
	for _, p := range [...]**decimal.Decimal{&spec.MinPrice, &spec.MaxPrice} {
		if *p != nil && (*p).Sign() < 0 {
			notes.Addf(specs[0].Path(), "the price %s was left out: it is below zero", **p)
			*p = nil
		}
	}
	if spec.MinPrice != nil && spec.MaxPrice != nil && spec.MinPrice.Cmp(*spec.MaxPrice) > 0 {
		notes.Addf(specs[0].Path(), "the least price, %s, was left out: it is above the most, %s", spec.MinPrice, spec.MaxPrice)
		spec.MinPrice = nil
	}
	if spec.MinPrice == nil && spec.MaxPrice == nil {
		return nil
	}
	if !draft.IsCurrency(spec.PriceCurrency) {
		notes.Addf("priceCurrency", "the price was left out: %q is not a currency code", spec.PriceCurrency)
		return nil
	}
	return &spec
}

// identifiers reads names in other systems: PropertyValue objects.
func identifiers(demand draft.Node, notes *draft.Notes) []record.PropertyValue {
	var list []record.PropertyValue
	for _, node := range demand.Get("identifier").List() {
		id := record.PropertyValue{PropertyID: "identifier", Value: ""}
		if node.IsObject() {
			id.PropertyID, id.Value = node.Get("propertyID").Line(64), node.Get("value").Line(draft.MaxIdentifier)
		} else {
			id.Value = node.Line(draft.MaxIdentifier)
		}
		if id.PropertyID == "" || id.Value == "" || len(list) == protocol.MaxIdentifiers || slices.Contains(list, id) {
			notes.Addf(node.Path(), "%s was left out: at most %d identifiers, each with a propertyID and a value, are taken", node.Path(), protocol.MaxIdentifiers)
			continue
		}
		list = append(list, id)
	}
	return list
}

func language(node draft.Node, notes *draft.Notes) string {
	raw := ""
	if node.IsObject() { // a Language
		raw = node.Get("alternateName").Line(draft.MaxName)
	} else if tags := node.List(); len(tags) > 0 {
		raw = tags[0].Line(draft.MaxName)
	}
	tag := draft.Language(raw)
	if node.Exists() && tag == "" {
		notes.Addf(node.Path(), "inLanguage was left out: %q is not a language tag", draft.Cut(raw, 40))
	}
	return tag
}
