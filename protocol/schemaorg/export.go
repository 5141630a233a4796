package schemaorg

import (
	"strconv"

	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/agreement"
	"github.com/parley-protocol/parley/protocol/decimal"
	"github.com/parley-protocol/parley/protocol/jsonld"
	"github.com/parley-protocol/parley/protocol/record"
	"github.com/parley-protocol/parley/protocol/terms"
)

// FromIntent shows an intent as a schema.org Demand in JSON-LD, in the bytes of
// [jsonld.Encode]. It is a projection for other programs to read: signature,
// reply key and terms have no words in schema.org and are left out; "@id" leads
// to the record. A record of another type is refused with
// [protocol.CodeBadField].
func FromIntent(r *record.Record) ([]byte, error) {
	intent, ok := r.Body().(*record.Intent)
	if !ok {
		return nil, protocol.Errorf(protocol.CodeBadField, "type", "a %s is not an intent", r.Type())
	}
	things := make([]thing, len(intent.ItemOffered))
	for i, item := range intent.ItemOffered {
		product := product(item.Name, item.Description, item.Category)
		put(product, "areaServed", areaNode(item.AreaServed))
		things[i] = thing{product, item.Quantity}
	}
	demand := jsonld.Object{"@context": context(), "@type": "Demand", "@id": jsonld.IRI(r.ID()), "name": intent.Name}
	put(demand, "description", intent.Description)
	put(demand, "inLanguage", intent.InLanguage)
	put(demand, "category", texts(intent.Category))
	put(demand, "areaServed", areaNode(intent.AreaServed))
	period(demand, "availabilityStarts", intent.AvailabilityStarts, "availabilityEnds", intent.AvailabilityEnds)
	period(demand, "validFrom", r.Header().At, "validThrough", intent.ValidUntil)
	goods(demand, things)
	if p := intent.PriceSpecification; p != nil {
		budget := jsonld.Object{"@type": "PriceSpecification", "priceCurrency": p.PriceCurrency}
		for key, price := range map[string]*decimal.Decimal{"minPrice": p.MinPrice, "maxPrice": p.MaxPrice} {
			if price != nil {
				budget[key] = jsonld.Decimal(*price)
			}
		}
		demand["priceSpecification"] = budget
	}
	put(demand, "identifier", identifierNodes(intent.Identifier))
	return jsonld.Encode(demand)
}

// FromOffer shows an offer as a schema.org Offer in JSON-LD, its lines and
// charges as components of the price. What [FromIntent] says of words that
// schema.org doesn't have holds here too. A record of another type is refused
// with [protocol.CodeBadField].
func FromOffer(r *record.Record) ([]byte, error) {
	body, ok := r.Body().(*record.Offer)
	if !ok {
		return nil, protocol.Errorf(protocol.CodeBadField, "type", "a %s is not an offer", r.Type())
	}
	node := offerNode(r, body)
	node["@context"] = context()
	return jsonld.Encode(node)
}

// FromAgreement shows an agreement as a schema.org Order in JSON-LD, in the
// bytes of [jsonld.Encode]. Its number is the deal's ID, and its status what both
// sides have said about it since.
func FromAgreement(a *agreement.Agreement) ([]byte, error) {
	order := jsonld.Object{
		"@context": context(), "@type": "Order", "@id": jsonld.IRI(a.ID), "name": a.Asked.Name,
		"orderNumber": a.Deal.ID().String(), "confirmationNumber": a.ID.String(),
		"orderDate": jsonld.Instant(a.Acceptance.Header().At), "orderStatus": jsonld.Schema + orderStatus(a.After.Events),
		"customer": party(a.Customer()), "seller": party(a.Vendor()),
	}
	put(order, "identifier", identifierNodes(a.Asked.Identifier))
	offer := offerNode(a.Offer, a.Offered)
	if about := termsNode(a); about != nil {
		offer["subjectOf"] = about
	}
	order["acceptedOffer"] = offer
	var lines jsonld.List
	for i, item := range a.Offered.ItemOffered {
		line := jsonld.Object{"@type": "OrderItem", "orderItemNumber": strconv.Itoa(i + 1), "orderedItem": offered(item, a.Offered.PriceCurrency)}
		put(line, "orderQuantity", quantityNode(item.Quantity))
		lines = append(lines, line)
	}
	order["orderedItem"] = lines
	delivery := jsonld.Object{"@type": "ParcelDelivery"}
	starts, ends := a.Offered.AvailabilityStarts, a.Offered.AvailabilityEnds
	if w := a.Offered.DeliveryWindow; w != nil {
		starts, ends = w.Starts, w.Ends
	}
	period(delivery, "expectedArrivalFrom", starts, "expectedArrivalUntil", ends)
	if area := a.Asked.AreaServed; area != nil {
		delivery["deliveryAddress"] = addressNode(area)
	}
	if len(delivery) > 1 {
		order["orderDelivery"] = delivery
	}
	return jsonld.Encode(order)
}

// context is short, and enough: nobody has to fetch schema.org's own.
func context() jsonld.Object {
	return jsonld.Object{"@vocab": jsonld.Schema, "orderStatus": jsonld.Object{"@type": "@id"}}
}

func party(did string) jsonld.Object { return jsonld.Object{"@id": did, "identifier": did} }

// termsNode is what is known of the agreed terms; nil for a roster ID that
// this program doesn't know.
func termsNode(a *agreement.Agreement) jsonld.Object {
	if a.Own != nil {
		node := jsonld.Object{"@type": "CreativeWork", "@id": jsonld.IRI(a.Terms.ID()), "name": a.Own.Name, "text": a.Own.Text}
		put(node, "inLanguage", a.Own.InLanguage)
		return node
	}
	entry, known := terms.Lookup(a.Offered.Terms.Roster)
	if !known {
		return nil
	}
	return jsonld.Object{"@type": "CreativeWork", "@id": terms.IRI(entry.ID), "name": entry.Name, "text": entry.Sentence, "inLanguage": "en"}
}

func offerNode(r *record.Record, offer *record.Offer) jsonld.Object {
	things := make([]thing, len(offer.ItemOffered))
	var components jsonld.List
	price := func(typ, name string, amount decimal.Decimal) jsonld.Object {
		return jsonld.Object{"@type": typ, "name": name, "priceCurrency": offer.PriceCurrency, "price": jsonld.Decimal(amount)}
	}
	for i, item := range offer.ItemOffered {
		things[i] = thing{offered(item, offer.PriceCurrency), item.Quantity}
		component := price("PriceSpecification", item.Name, item.Price)
		if item.Quantity != nil { // so much for so many
			component["@type"], component["referenceQuantity"] = "UnitPriceSpecification", quantityNode(item.Quantity)
		}
		components = append(components, component)
	}
	for _, charge := range offer.Charges {
		typ, name := "PriceSpecification", charge.Name
		if charge.Kind == "delivery" {
			typ = "DeliveryChargeSpecification"
		}
		if name == "" {
			name = charge.Kind
		}
		component := price(typ, name, charge.Price)
		component["additionalType"] = charge.Kind
		components = append(components, component)
	}
	total := jsonld.Object{
		"@type": "CompoundPriceSpecification", "priceCurrency": offer.PriceCurrency,
		"price": jsonld.Decimal(offer.TotalPrice), "priceComponent": components,
	}
	if offer.TaxIncluded != nil {
		total["valueAddedTaxIncluded"] = *offer.TaxIncluded
	}
	node := jsonld.Object{
		"@type": "Offer", "@id": jsonld.IRI(r.ID()), "offeredBy": party(string(r.Header().By)),
		"price": jsonld.Decimal(offer.TotalPrice), "priceCurrency": offer.PriceCurrency, "priceSpecification": total,
	}
	put(node, "description", offer.Description)
	put(node, "hasMerchantReturnPolicy", returns(offer))
	period(node, "availabilityStarts", offer.AvailabilityStarts, "availabilityEnds", offer.AvailabilityEnds)
	period(node, "validFrom", r.Header().At, "validThrough", offer.ValidUntil)
	goods(node, things)
	return node
}

// offered is what a line of an offer is about, and what one of it costs.
func offered(item record.OfferItem, currency string) jsonld.Object {
	node := product(item.Name, item.Description, item.Category)
	if item.UnitPrice != nil {
		node["offers"] = jsonld.Object{"@type": "Offer", "price": jsonld.Decimal(*item.UnitPrice), "priceCurrency": currency}
	}
	if item.TaxRate != nil {
		node["additionalProperty"] = jsonld.List{jsonld.Object{
			"@type": "PropertyValue", "propertyID": "taxRate", "value": jsonld.Decimal(*item.TaxRate), "unitCode": percent,
		}}
	}
	return node
}

// percent is the code of UN/CEFACT Recommendation 20.
const percent = "P1"

// returnTerms is what schema.org calls the codes of return policies.
var returnTerms = map[string]string{
	"finite_window": "MerchantReturnFiniteReturnWindow", "not_permitted": "MerchantReturnNotPermitted", "unlimited_window": "MerchantReturnUnlimitedWindow",
	"customer_pays": "ReturnFeesCustomerResponsibility", "fixed": "ReturnShippingFees", "free": "FreeReturn",
}

// returns is how goods can be given back; a code that schema.org has no name
// for stays text.
func returns(offer *record.Offer) jsonld.Object {
	policy := offer.ReturnPolicy
	if policy == nil {
		return nil
	}
	node := jsonld.Object{"@type": "MerchantReturnPolicy"}
	for key, code := range map[string]string{"returnPolicyCategory": policy.Category, "returnFees": policy.Fees} {
		if name := returnTerms[code]; name != "" {
			node[key] = jsonld.Ref(jsonld.Schema + name)
		} else if code != "" {
			node[key] = code
		}
	}
	if policy.Days != nil {
		node["merchantReturnDays"] = *policy.Days
	}
	if policy.FeeAmount != nil {
		node["returnShippingFeesAmount"] = jsonld.Object{"@type": "MonetaryAmount", "value": jsonld.Decimal(*policy.FeeAmount), "currency": offer.PriceCurrency}
	}
	put(node, "description", policy.Description)
	return node
}

func product(name, description string, category []string) jsonld.Object {
	node := jsonld.Object{"@type": "Product", "name": name}
	put(node, "description", description)
	put(node, "category", texts(category))
	return node
}

// thing is one item, wanted or offered.
type thing struct {
	product jsonld.Object
	amount  *record.QuantitativeValue
}

// goods puts one thing into itemOffered with its quantity beside it; several
// with quantities go into includesObject, which has a place for each.
func goods(node jsonld.Object, things []thing) {
	counted := false
	for _, t := range things {
		counted = counted || t.amount != nil
	}
	if len(things) == 1 {
		put(node, "eligibleQuantity", quantityNode(things[0].amount))
	}
	var list jsonld.List
	for _, t := range things {
		if len(things) == 1 || !counted {
			list = append(list, t.product)
			continue
		}
		included := jsonld.Object{"@type": "TypeAndQuantityNode", "typeOfGood": t.product}
		if t.amount != nil {
			included["amountOfThisGood"], included["unitCode"] = jsonld.Decimal(t.amount.Value), t.amount.UnitCode
		}
		list = append(list, included)
	}
	if len(things) == 1 || !counted {
		node["itemOffered"] = list
	} else {
		node["includesObject"] = list
	}
}

// put sets what isn't empty.
func put[T string | jsonld.List | jsonld.Object](node jsonld.Object, key string, value T) {
	if len(value) > 0 {
		node[key] = value
	}
}

// period sets the two ends that are known.
func period(node jsonld.Object, startKey string, start int64, endKey string, end int64) {
	if start != 0 {
		node[startKey] = jsonld.Instant(start)
	}
	if end != 0 {
		node[endKey] = jsonld.Instant(end)
	}
}

func texts(list []string) (out jsonld.List) {
	for _, text := range list {
		out = append(out, text)
	}
	return out
}

func quantityNode(q *record.QuantitativeValue) jsonld.Object {
	if q == nil {
		return nil
	}
	return jsonld.Object{"@type": "QuantitativeValue", "value": jsonld.Decimal(q.Value), "unitCode": q.UnitCode}
}

func identifierNodes(list []record.PropertyValue) (out jsonld.List) {
	for _, id := range list {
		out = append(out, jsonld.Object{"@type": "PropertyValue", "propertyID": id.PropertyID, "value": id.Value})
	}
	return out
}

func areaNode(area *record.Area) jsonld.Object {
	if area == nil {
		return nil
	}
	return jsonld.Object{"@type": "Place", "address": addressNode(area)}
}

func addressNode(area *record.Area) jsonld.Object {
	node := jsonld.Object{"@type": "PostalAddress"}
	put(node, "addressCountry", area.AddressCountry)
	put(node, "addressRegion", area.AddressRegion)
	put(node, "addressLocality", area.AddressLocality)
	put(node, "postalCode", area.PostalCode)
	return node
}
