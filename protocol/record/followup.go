package record

import (
	"github.com/ipfs/go-cid"

	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/decimal"
)

// Subject is what every follow-up record states: the deal and the agreement
// that it is about. Follow-up records change no deal.
type Subject struct {
	Deal      DealKey // deal
	Agreement cid.Cid // agreement: the confirmation's ID
}

// OrderEvent is something that has happened about an agreement, in the words of
// one side.
type OrderEvent struct {
	Subject
	OrderStatus string   // orderStatus: code of spec/registry/order-statuses.csv
	Occurred    int64    // occurred, optional: when it happened
	Description string   // description, optional: ..2000
	TrackingURL string   // trackingUrl, optional: ..512, https
	Payment     *Payment // payment, optional
	Items       []int64  // items, optional: 1..200 indexes of the offer's lines, from 0; none: all
}

// Payment is money that was paid, is due or came back. Parley moves none.
type Payment struct {
	PriceCurrency string          // priceCurrency
	Price         decimal.Decimal // price: >= 0
	Method        string          // method, optional: ..64
}

// Receipt is a seller's proof of purchase.
type Receipt struct {
	Subject
	OrderDate     int64           // orderDate
	PriceCurrency string          // priceCurrency
	TotalPrice    decimal.Decimal // totalPrice: >= 0, the exact sum if there are lines
	Items         []OfferItem     // items, optional: 1..200
	Charges       []Charge        // charges, optional: 1..32; with items only
	Identifier    string          // identifier, optional: ..64, e.g. an invoice's number
	PaymentMethod string          // paymentMethod, optional: ..64
	Seller        *Seller         // seller, optional
}

// Seller is who sold, as the law may want it: at least one of the three.
type Seller struct {
	LegalName string // legalName, optional: ..200
	TaxID     string // taxID, optional: ..64
	Address   string // address, optional: ..500
}

// Outcome is what came of an agreement, in the words of one side.
type Outcome struct {
	Subject
	Result      string    // result: code of spec/registry/outcomes.csv
	Description string    // description, optional: ..4000
	Measure     []Measure // measure, optional: 1..16
}

// Measure is one figure of an outcome.
type Measure struct {
	Name     string          // name: 1..100
	Value    decimal.Decimal // value
	UnitCode string          // unitCode, optional
}

// Type is "order-event".
func (*OrderEvent) Type() string { return protocol.TypeOrderEvent }

// Type is "receipt".
func (*Receipt) Type() string { return protocol.TypeReceipt }

// Type is "outcome".
func (*Outcome) Type() string { return protocol.TypeOutcome }

func (b *Subject) fields(f *form) {
	field(f, "deal", &b.Deal, dealKey{})
	field(f, "agreement", &b.Agreement, link{})
}

func (b *OrderEvent) fields(f *form) {
	b.Subject.fields(f)
	field(f, "orderStatus", &b.OrderStatus, codeToken)
	optional(f, "occurred", &b.Occurred, instant{})
	optional(f, "description", &b.Description, longText{2000})
	optional(f, "trackingUrl", &b.TrackingURL, urlToken)
	pointer(f, "payment", &b.Payment, objectOf((*Payment).fields))
	optionalList(f, "items", &b.Items, setOf(1, protocol.MaxItems, integer{0, protocol.MaxItems - 1}))
}

func (b *Payment) fields(f *form) {
	field(f, "priceCurrency", &b.PriceCurrency, currencyToken)
	field(f, "price", &b.Price, amount{})
	optional(f, "method", &b.Method, text{64})
}

func (b *Receipt) fields(f *form) {
	b.Subject.fields(f)
	field(f, "orderDate", &b.OrderDate, instant{})
	field(f, "priceCurrency", &b.PriceCurrency, currencyToken)
	field(f, "totalPrice", &b.TotalPrice, number{})
	optionalList(f, "items", &b.Items, listOf(1, protocol.MaxItems, objectOf((*OfferItem).fields)))
	optionalList(f, "charges", &b.Charges, listOf(1, protocol.MaxCharges, objectOf((*Charge).fields)))
	optional(f, "identifier", &b.Identifier, text{64})
	optional(f, "paymentMethod", &b.PaymentMethod, text{64})
	pointer(f, "seller", &b.Seller, objectOf((*Seller).fields))

	checkTotal(f, b.TotalPrice, b.Items, b.Charges)
}

func (b *Seller) fields(f *form) {
	optional(f, "legalName", &b.LegalName, text{200})
	optional(f, "taxID", &b.TaxID, text{64})
	optional(f, "address", &b.Address, text{500})

	if *b == (Seller{}) {
		f.fail(protocol.CodeBadField, "the seller has no name, tax ID or address; leave it out")
	}
}

func (b *Outcome) fields(f *form) {
	b.Subject.fields(f)
	field(f, "result", &b.Result, codeToken)
	optional(f, "description", &b.Description, longText{4000})
	optionalList(f, "measure", &b.Measure, listOf(1, protocol.MaxMeasures, objectOf((*Measure).fields)))
}

func (b *Measure) fields(f *form) {
	field(f, "name", &b.Name, text{100})
	field(f, "value", &b.Value, number{})
	optional(f, "unitCode", &b.UnitCode, unitToken)
}
