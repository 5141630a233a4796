package main

import (
	"strconv"

	"github.com/parley-protocol/parley/spec/gen/vectors/kit"
)

// order is the Order of schema.org.
func (s scene) order() object {
	customer, vendor := kit.Customer.DID(), kit.Vendor.DID()
	party := func(did any) object { return object{"@id": did, "identifier": did} }
	price := s.offered["totalPrice"]
	offer := object{
		"@type": "Offer", "@id": ipfs(s.offer), "offeredBy": party(vendor), "price": number(price), "priceCurrency": "EUR",
		"validFrom": offeredAt, "validThrough": "2026-01-08T00:00:00Z",
	}
	var components, things, lines list
	items := s.offered["itemOffered"].(kit.List)
	counted := false
	for i, entry := range items {
		item := entry.(kit.Map)
		product := object{"@type": "Product", "name": item["name"]}
		component := object{"@type": "PriceSpecification", "name": item["name"], "priceCurrency": "EUR", "price": number(item["price"])}
		line := object{"@type": "OrderItem", "orderItemNumber": strconv.Itoa(i + 1), "orderedItem": product}
		if item["description"] != nil {
			product["description"] = item["description"]
		}
		if item["category"] != nil {
			product["category"] = list(item["category"].(kit.List))
		}
		if item["unitPrice"] != nil {
			product["offers"] = object{"@type": "Offer", "price": number(item["unitPrice"]), "priceCurrency": "EUR"}
		}
		if item["taxRate"] != nil {
			product["additionalProperty"] = list{object{"@type": "PropertyValue", "propertyID": "taxRate", "value": number(item["taxRate"]), "unitCode": "P1"}}
		}
		node := object{"@type": "TypeAndQuantityNode", "typeOfGood": product}
		if q, ok := item["eligibleQuantity"].(kit.Map); ok {
			counted = true
			amount := object{"@type": "QuantitativeValue", "value": number(q["value"]), "unitCode": q["unitCode"]}
			line["orderQuantity"] = amount
			component["@type"], component["referenceQuantity"] = "UnitPriceSpecification", amount
			node["amountOfThisGood"], node["unitCode"] = number(q["value"]), q["unitCode"]
		}
		components, things, lines = append(components, component), append(things, node), append(lines, line)
	}
	if counted && len(items) > 1 {
		offer["includesObject"] = things
	} else {
		offer["itemOffered"] = list{things[0].(object)["typeOfGood"]}
	}
	if charges, ok := s.offered["charges"].(kit.List); ok {
		for _, entry := range charges {
			charge := entry.(kit.Map)
			component := object{"@type": "PriceSpecification", "name": charge["kind"], "additionalType": charge["kind"], "priceCurrency": "EUR", "price": number(charge["price"])}
			if charge["name"] != nil {
				component["name"] = charge["name"]
			}
			if charge["kind"] == "delivery" {
				component["@type"] = "DeliveryChargeSpecification"
			}
			components = append(components, component)
		}
	}
	offer["priceSpecification"] = object{"@type": "CompoundPriceSpecification", "price": number(price), "priceCurrency": "EUR", "priceComponent": components}
	if s.own != nil {
		offer["subjectOf"] = object{"@type": "CreativeWork", "@id": ipfs(s.terms), "name": "My terms", "text": "Be kind.\nDelete soon.", "inLanguage": "en"}
	} else if sentences[s.roster] != "" {
		offer["subjectOf"] = object{"@type": "CreativeWork", "@id": p7 + s.roster, "name": rosterNames[s.roster], "text": sentences[s.roster], "inLanguage": "en"}
	}
	doc := object{
		"@context": object{"@vocab": "https://schema.org/", "orderStatus": object{"@type": "@id"}},
		"@id":      ipfs(s.confirmation), "@type": "Order", "name": "A desk",
		"orderNumber": kit.SumID(kit.Encode(s.key)).String(), "confirmationNumber": s.confirmation.ID().String(),
		"orderDate": accepted, "orderStatus": "https://schema.org/OrderProcessing",
		"customer": party(customer), "seller": party(vendor), "acceptedOffer": offer, "orderedItem": lines,
	}
	if len(items) > 1 { // the full one
		offer["description"] = "Two desks."
		offer["priceSpecification"].(object)["valueAddedTaxIncluded"] = true
		offer["hasMerchantReturnPolicy"] = object{
			"@type": "MerchantReturnPolicy", "returnPolicyCategory": ref("https://schema.org/MerchantReturnFiniteReturnWindow"), "merchantReturnDays": 14,
			"returnFees": ref("https://schema.org/ReturnShippingFees"), "description": "Unused\nonly.",
			"returnShippingFeesAmount": object{"@type": "MonetaryAmount", "value": number("4.9"), "currency": "EUR"},
		}
		offer["availabilityStarts"], offer["availabilityEnds"] = "2026-01-04T00:00:00Z", "2026-01-10T00:00:00Z"
		doc["identifier"] = list{object{"@type": "PropertyValue", "propertyID": "ocid", "value": "ocds-213czf-000-00001"}}
		doc["orderDelivery"] = object{
			"@type": "ParcelDelivery", "expectedArrivalFrom": "2026-01-04T00:00:00Z", "expectedArrivalUntil": "2026-01-06T00:00:00Z",
			"deliveryAddress": object{"@type": "PostalAddress", "addressCountry": "DE", "addressRegion": "Bayern", "addressLocality": "München", "postalCode": "80331"},
		}
	}
	return doc
}
