package schemaorg

import (
	"encoding/json"
	"time"

	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/decimal"
	"github.com/parley-protocol/parley/protocol/record"
)

// FromIntent shows an intent as a schema.org Demand in JSON-LD. It is a
// projection for other programs to read: signature, reply key and terms have no
// words in schema.org and are left out; "@id" leads to the record. A record of
// another type is refused with [protocol.CodeBadField].
func FromIntent(r *record.Record) ([]byte, error) {
	intent, ok := r.Body().(*record.Intent)
	if !ok {
		return nil, protocol.Errorf(protocol.CodeBadField, "type", "a %s is not an intent", r.Type())
	}
	things := make([]thing, len(intent.ItemOffered))
	for i, item := range intent.ItemOffered {
		things[i] = thing{
			product: product{Type: "Product", Name: item.Name, Description: item.Description, Category: item.Category, AreaServed: areaNode(item.AreaServed)},
			amount:  item.Quantity,
		}
	}
	demand := document{
		Context:            vocabulary,
		Type:               "Demand",
		ID:                 iri(r),
		Name:               intent.Name,
		Description:        intent.Description,
		InLanguage:         intent.InLanguage,
		Category:           intent.Category,
		AreaServed:         areaNode(intent.AreaServed),
		AvailabilityStarts: instant(intent.AvailabilityStarts),
		AvailabilityEnds:   instant(intent.AvailabilityEnds),
		ValidFrom:          instant(r.Header().At),
		ValidThrough:       instant(intent.ValidUntil),
	}
	demand.ItemOffered, demand.IncludesObject, demand.EligibleQuantity = goods(things)
	if p := intent.PriceSpecification; p != nil {
		demand.PriceSpecification = &priceNode{Type: "PriceSpecification", PriceCurrency: p.PriceCurrency, MinPrice: number(p.MinPrice), MaxPrice: number(p.MaxPrice)}
	}
	for _, id := range intent.Identifier {
		demand.Identifier = append(demand.Identifier, propertyValue{Type: "PropertyValue", PropertyID: id.PropertyID, Value: id.Value})
	}
	return json.MarshalIndent(demand, "", "  ")
}

// FromOffer shows an offer as a schema.org Offer in JSON-LD, its lines and
// charges as components of the price. What [FromIntent] says of words that
// schema.org doesn't have holds here too. A record of another type is refused
// with [protocol.CodeBadField].
func FromOffer(r *record.Record) ([]byte, error) {
	offer, ok := r.Body().(*record.Offer)
	if !ok {
		return nil, protocol.Errorf(protocol.CodeBadField, "type", "a %s is not an offer", r.Type())
	}
	things := make([]thing, len(offer.ItemOffered))
	total := priceNode{Type: "CompoundPriceSpecification", PriceCurrency: offer.PriceCurrency, Price: number(&offer.TotalPrice)}
	for i, item := range offer.ItemOffered {
		things[i] = thing{
			product: product{Type: "Product", Name: item.Name, Description: item.Description, Category: item.Category},
			amount:  item.Quantity,
		}
		total.Components = append(total.Components, priceNode{
			Type: "UnitPriceSpecification", Name: item.Name, PriceCurrency: offer.PriceCurrency, Price: number(&item.Price),
		})
	}
	for _, charge := range offer.Charges {
		component := priceNode{Type: chargeType(charge.Kind), Name: charge.Name, PriceCurrency: offer.PriceCurrency, Price: number(&charge.Price)}
		if component.Name == "" {
			component.Name = charge.Kind
		}
		total.Components = append(total.Components, component)
	}
	out := document{
		Context:            vocabulary,
		Type:               "Offer",
		ID:                 iri(r),
		Description:        offer.Description,
		Price:              number(&offer.TotalPrice),
		PriceCurrency:      offer.PriceCurrency,
		PriceSpecification: &total,
		AvailabilityStarts: instant(offer.AvailabilityStarts),
		AvailabilityEnds:   instant(offer.AvailabilityEnds),
		ValidFrom:          instant(r.Header().At),
		ValidThrough:       instant(offer.ValidUntil),
		OfferedBy:          &reference{ID: string(r.Header().By)},
	}
	out.ItemOffered, out.IncludesObject, out.EligibleQuantity = goods(things)
	return json.MarshalIndent(out, "", "  ")
}

const vocabulary = "https://schema.org"

// document is a Demand or an Offer, with the properties of either.
type document struct {
	Context            string          `json:"@context"`
	Type               string          `json:"@type"`
	ID                 string          `json:"@id"`
	Name               string          `json:"name,omitempty"`
	Description        string          `json:"description,omitempty"`
	InLanguage         string          `json:"inLanguage,omitempty"`
	Category           []string        `json:"category,omitempty"`
	ItemOffered        []product       `json:"itemOffered,omitempty"`
	IncludesObject     []typedQuantity `json:"includesObject,omitempty"`
	EligibleQuantity   *quantityNode   `json:"eligibleQuantity,omitempty"`
	AreaServed         *placeNode      `json:"areaServed,omitempty"`
	Price              json.Number     `json:"price,omitempty"`
	PriceCurrency      string          `json:"priceCurrency,omitempty"`
	PriceSpecification *priceNode      `json:"priceSpecification,omitempty"`
	AvailabilityStarts string          `json:"availabilityStarts,omitempty"`
	AvailabilityEnds   string          `json:"availabilityEnds,omitempty"`
	ValidFrom          string          `json:"validFrom,omitempty"`
	ValidThrough       string          `json:"validThrough,omitempty"`
	Identifier         []propertyValue `json:"identifier,omitempty"`
	OfferedBy          *reference      `json:"offeredBy,omitempty"`
}

type reference struct {
	ID string `json:"@id"`
}

type product struct {
	Type        string     `json:"@type"`
	Name        string     `json:"name"`
	Description string     `json:"description,omitempty"`
	Category    []string   `json:"category,omitempty"`
	AreaServed  *placeNode `json:"areaServed,omitempty"`
}

type quantityNode struct {
	Type     string      `json:"@type"`
	Value    json.Number `json:"value"`
	UnitCode string      `json:"unitCode"`
}

// typedQuantity is schema.org's way to say how much of each of several things.
type typedQuantity struct {
	Type             string      `json:"@type"`
	AmountOfThisGood json.Number `json:"amountOfThisGood,omitempty"`
	UnitCode         string      `json:"unitCode,omitempty"`
	TypeOfGood       product     `json:"typeOfGood"`
}

type placeNode struct {
	Type    string        `json:"@type"`
	Address postalAddress `json:"address"`
}

type postalAddress struct {
	Type            string `json:"@type"`
	AddressCountry  string `json:"addressCountry,omitempty"`
	AddressRegion   string `json:"addressRegion,omitempty"`
	AddressLocality string `json:"addressLocality,omitempty"`
	PostalCode      string `json:"postalCode,omitempty"`
}

type priceNode struct {
	Type          string      `json:"@type"`
	Name          string      `json:"name,omitempty"`
	PriceCurrency string      `json:"priceCurrency"`
	Price         json.Number `json:"price,omitempty"`
	MinPrice      json.Number `json:"minPrice,omitempty"`
	MaxPrice      json.Number `json:"maxPrice,omitempty"`
	Components    []priceNode `json:"priceComponent,omitempty"`
}

type propertyValue struct {
	Type       string `json:"@type"`
	PropertyID string `json:"propertyID"`
	Value      string `json:"value"`
}

// thing is one item, wanted or offered.
type thing struct {
	product product
	amount  *record.QuantitativeValue
}

// goods puts one thing into itemOffered with its quantity beside it; several
// with quantities go into includesObject, which has a place for each.
func goods(things []thing) (offered []product, included []typedQuantity, single *quantityNode) {
	counted := false
	for _, t := range things {
		counted = counted || t.amount != nil
	}
	if len(things) > 1 && counted {
		for _, t := range things {
			node := typedQuantity{Type: "TypeAndQuantityNode", TypeOfGood: t.product}
			if t.amount != nil {
				node.AmountOfThisGood, node.UnitCode = number(&t.amount.Value), t.amount.UnitCode
			}
			included = append(included, node)
		}
		return nil, included, nil
	}
	for _, t := range things {
		offered = append(offered, t.product)
		if t.amount != nil {
			single = &quantityNode{Type: "QuantitativeValue", Value: number(&t.amount.Value), UnitCode: t.amount.UnitCode}
		}
	}
	return offered, nil, single
}

// chargeType is schema.org's type for a component of the price.
func chargeType(kind string) string {
	if kind == "delivery" {
		return "DeliveryChargeSpecification"
	}
	return "PriceSpecification"
}

func areaNode(area *record.Area) *placeNode {
	if area == nil {
		return nil
	}
	return &placeNode{Type: "Place", Address: postalAddress{
		Type: "PostalAddress", AddressCountry: area.AddressCountry, AddressRegion: area.AddressRegion,
		AddressLocality: area.AddressLocality, PostalCode: area.PostalCode,
	}}
}

// number writes a decimal as a JSON number, digit by digit.
func number(d *decimal.Decimal) json.Number {
	if d == nil {
		return ""
	}
	return json.Number(d.String())
}

func instant(seconds int64) string {
	if seconds == 0 {
		return ""
	}
	return time.Unix(seconds, 0).UTC().Format(time.RFC3339)
}

// iri names the record where other programs can resolve it.
func iri(r *record.Record) string { return "ipfs://" + r.ID().String() }
