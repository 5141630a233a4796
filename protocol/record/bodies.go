package record

import (
	"github.com/ipfs/go-cid"

	"github.com/parley-protocol/parley/crypto"
	"github.com/parley-protocol/parley/protocol/decimal"
)

// Body is what one type of record says. Every registered type has a struct
// here; [Opaque] stands for all others. Times are Unix seconds, UTC. Field
// comments give the key on the wire, whether it may be absent, and the limits
// (bytes for text); the zero value of an optional field means absent.
// Specification: spec/records.cddl.
type Body interface {
	// Type is the record type as registered in spec/registry/record-types.csv.
	Type() string
}

// Intent is what a customer asks the market for. Its author is a key made for
// this intent alone.
type Intent struct {
	Salt               [32]byte            // salt: public salt of the author's key derivation
	Market             string              // market, optional: absent when sealed to named sellers only
	Name               string              // name: 1..200
	Description        string              // description, optional: ..8000
	InLanguage         string              // inLanguage, optional: BCP 47, ..35
	Category           []string            // category: 1..8 of scheme:code
	ItemOffered        []DemandItem        // itemOffered: 1..200 (schema.org Demand.itemOffered)
	AreaServed         *Area               // areaServed, optional: roughly where
	PriceSpecification *PriceSpecification // priceSpecification, optional: the budget
	AvailabilityStarts int64               // availabilityStarts, optional: wanted from
	AvailabilityEnds   int64               // availabilityEnds, optional: wanted until
	ValidUntil         int64               // validUntil: offers are welcome until then
	Terms              []TermsRef          // terms: 1..8, most preferred first
	Awards             int64               // awards: 1..1000, how many sellers may win
	ReplyTo            ReplyTo             // replyTo: where sealed replies are left
	Identifier         []PropertyValue     // identifier, optional: 1..4, e.g. an OCDS ocid
}

// DemandItem is one thing asked for.
type DemandItem struct {
	Name        string             // name: 1..500
	Description string             // description, optional: ..2000
	Category    []string           // category, optional: 1..8
	Quantity    *QuantitativeValue // eligibleQuantity, optional
	AreaServed  *Area              // areaServed, optional
}

// QuantitativeValue is an amount in a UN/CEFACT Recommendation 20 unit.
type QuantitativeValue struct {
	Value    decimal.Decimal // value: > 0
	UnitCode string          // unitCode: [A-Z0-9]{2,3}, e.g. C62 (one), KGM, HUR
}

// Area is a place, no finer than its author wants it known.
type Area struct {
	AddressCountry  string // addressCountry, optional: ISO 3166-1 alpha-2
	AddressRegion   string // addressRegion, optional: ..100
	AddressLocality string // addressLocality, optional: ..100
	PostalCode      string // postalCode, optional: ..16
}

// PriceSpecification is a budget: at least one of the two prices.
type PriceSpecification struct {
	PriceCurrency string           // priceCurrency: ISO 4217
	MinPrice      *decimal.Decimal // minPrice, optional: >= 0
	MaxPrice      *decimal.Decimal // maxPrice, optional: >= minPrice
}

// PropertyValue names something in another system.
type PropertyValue struct {
	PropertyID string // propertyID: 1..64, e.g. "ocid"
	Value      string // value: 1..256
}

// TermsRef cites terms: a roster agreement by its ID, or a terms record by its
// link. Exactly one of the two is set.
type TermsRef struct {
	Roster string  // as text: [A-Z][A-Z0-9]*(-[A-Z0-9]+)*, ..32
	Record cid.Cid // as link
}

// ReplyTo says where and under which key sealed messages are left.
type ReplyTo struct {
	Suite     crypto.Suite // suite: 1 or 2
	Key       []byte       // key: the suite's public key
	Token     [32]byte     // token: SHA-256 of the pick-up key
	Mailboxes []string     // mailboxes: 0..8 multiaddrs ending in /p2p/PEER, ..256 each; none: reply by file
}

// Withdrawal takes an intent back. Its author is the intent's own key.
type Withdrawal struct {
	Intent cid.Cid // intent
	Market string  // market, optional: the intent's
	Reason string  // reason, optional: code of spec/registry/reasons.csv
}

// Profile is how a seller presents itself. Newest (at, then ID) wins.
type Profile struct {
	Name        string     // name: 1..200
	Description string     // description, optional: ..4000
	URL         string     // url, optional: ..512, https
	Category    []string   // category, optional: 1..32
	AreaServed  []Area     // areaServed, optional: 1..32
	Markets     []string   // markets, optional: 1..32
	Terms       []TermsRef // terms, optional: 1..32, what the seller agrees to
	NextKey     [32]byte   // nextKey: SHA-256 of the next persona key
	Previous    cid.Cid    // previous, optional: the profile that this one follows
	ReplyTo     ReplyTo    // replyTo: where sealed requests are left
}

// Terms is an agreement in words of one's own.
type Terms struct {
	Name       string         // name: 1..200
	Text       string         // text: 1..32768
	InLanguage string         // inLanguage, optional
	BasedOn    string         // basedOn, optional: roster ID
	Policy     map[string]any // policy, optional: an ODRL policy
}

// DealKey names a deal: one customer key and one seller on one intent, in one
// round. On the wire: deal: [intent, vendor, round].
type DealKey struct {
	Intent cid.Cid
	Vendor crypto.DID
	Round  int64 // 1..1000
}

// Offer is firm until ValidUntil. The sum of all item and charge prices is
// exactly TotalPrice.
type Offer struct {
	Deal               DealKey         // deal
	Number             int64           // number: 1..1000
	Description        string          // description, optional: ..4000
	ItemOffered        []OfferItem     // itemOffered: 1..200
	Charges            []Charge        // charges, optional: 1..32
	PriceCurrency      string          // priceCurrency
	TotalPrice         decimal.Decimal // totalPrice: >= 0
	Terms              TermsRef        // terms: one of the intent's
	AvailabilityStarts int64           // availabilityStarts, optional
	AvailabilityEnds   int64           // availabilityEnds, optional
	DeliveryWindow     *DeliveryWindow // deliveryWindow, optional: for information
	ReturnPolicy       *ReturnPolicy   // returnPolicy, optional: for information (schema.org hasMerchantReturnPolicy)
	TaxIncluded        *bool           // taxIncluded, optional: for information (schema.org valueAddedTaxIncluded)
	ValidUntil         int64           // validUntil
	Counter            cid.Cid         // counter, optional: the counter that it answers; then number is above 1
	Changes            cid.Cid         // changes, optional: the agreement that it would replace; then round is above 1
	ReplyTo            ReplyTo         // replyTo
}

// DeliveryWindow is when goods would arrive.
type DeliveryWindow struct {
	Starts int64 // starts
	Ends   int64 // ends: >= starts
}

// ReturnPolicy is how goods can be given back (schema.org MerchantReturnPolicy).
type ReturnPolicy struct {
	Category    string           // returnPolicyCategory: code of spec/registry/return-policies.csv
	Days        *int64           // merchantReturnDays, optional: 0..3660
	Fees        string           // returnFees, optional: code of spec/registry/return-policies.csv
	FeeAmount   *decimal.Decimal // returnFeeAmount, optional: >= 0, in the offer's priceCurrency
	Description string           // description, optional: ..2000
}

// OfferItem is one line of an offer.
type OfferItem struct {
	Name        string             // name: 1..500
	Description string             // description, optional: ..2000
	Category    []string           // category, optional: 1..8
	Item        *int64             // item, optional: index in the intent's itemOffered, from 0
	Quantity    *QuantitativeValue // eligibleQuantity, optional
	UnitPrice   *decimal.Decimal   // unitPrice, optional: for information
	Price       decimal.Decimal    // price: of the whole line; may be negative (a rebate)
	TaxRate     *decimal.Decimal   // taxRate, optional: percent, 0..100, for information
}

// Charge is what comes on top of the lines.
type Charge struct {
	Kind    string           // kind: tax, delivery, fee, discount or other
	Name    string           // name, optional: ..200
	Price   decimal.Decimal  // price
	TaxRate *decimal.Decimal // taxRate, optional: percent, 0..100, for information
}

// Acceptance takes one offer. There is at most one in a deal.
type Acceptance struct {
	Deal    DealKey // deal
	Offer   cid.Cid // offer
	ReplyTo ReplyTo // replyTo: for what follows
}

// Confirmation is the seller's decision for the deal. Its ID names the agreement.
type Confirmation struct {
	Deal       DealKey // deal
	Acceptance cid.Cid // acceptance
}

// Void is the seller's decision against the deal.
type Void struct {
	Deal    DealKey  // deal
	Reason  string   // reason: code of spec/registry/reasons.csv
	Cites   cid.Cid  // cites, optional: the ask, the late acceptance or the customer-void that makes it lawful
	ReplyTo *ReplyTo // replyTo, optional
}

// Ask is the common shape of a customer's three ways to ask for a void.
type Ask struct {
	Deal    DealKey  // deal
	Reason  string   // reason: code
	ReplyTo *ReplyTo // replyTo, optional
}

// Cancel asks the seller to void a deal, pending or not.
type Cancel struct{ Ask }

// Decline says that the offers of this deal are not wanted.
type Decline struct{ Ask }

// AwardNotice tells a seller that others were chosen, and why.
type AwardNotice struct {
	Ask
	OffersReceived int64 // offersReceived, optional: 1..100000, offers that were compared
}

// Restored says that the seller came back from an old backup.
type Restored struct {
	Deal    DealKey // deal
	ReplyTo ReplyTo // replyTo
}

// Held is the customer's answer to restored: the decision that it holds.
type Held struct {
	Deal     DealKey // deal
	Restored cid.Cid // restored
	Decision cid.Cid // decision: a confirmation or void
}

// CustomerVoid is the customer's other answer to restored: it holds none.
type CustomerVoid struct {
	Deal     DealKey // deal
	Restored cid.Cid // restored
}

// DeliveryReceipt says that records are on the recipient's disk for good.
type DeliveryReceipt struct {
	Records []cid.Cid // records: 1..64
}

// Opaque is the body of a type that this program doesn't know: kept, shared one
// to one and exported byte for byte.
type Opaque struct {
	Name   string         // the type
	Fields map[string]any // everything but the header; nil for nothing
}
