package record

import (
	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/decimal"
)

// described is a body that the specification has.
type described interface {
	Body
	// fields is the body's description: every key, its kind and limits, and the
	// rules among the fields.
	fields(f *form)
}

// newBody is an empty body of the type, nil if the specification has none.
func newBody(name string) described {
	switch name {
	case protocol.TypeIntent:
		return new(Intent)
	case protocol.TypeWithdrawal:
		return new(Withdrawal)
	case protocol.TypeProfile:
		return new(Profile)
	case protocol.TypeTerms:
		return new(Terms)
	case protocol.TypeOffer:
		return new(Offer)
	case protocol.TypeAcceptance:
		return new(Acceptance)
	case protocol.TypeConfirmation:
		return new(Confirmation)
	case protocol.TypeVoid:
		return new(Void)
	case protocol.TypeCancel:
		return new(Cancel)
	case protocol.TypeDecline:
		return new(Decline)
	case protocol.TypeAwardNotice:
		return new(AwardNotice)
	case protocol.TypeRestored:
		return new(Restored)
	case protocol.TypeHeld:
		return new(Held)
	case protocol.TypeCustomerVoid:
		return new(CustomerVoid)
	case protocol.TypeDeliveryReceipt:
		return new(DeliveryReceipt)
	case protocol.TypeCounter:
		return new(Counter)
	case protocol.TypeTermsCounter:
		return new(TermsCounter)
	case protocol.TypeNextRound:
		return new(NextRound)
	case protocol.TypeOrderEvent:
		return new(OrderEvent)
	case protocol.TypeReceipt:
		return new(Receipt)
	case protocol.TypeOutcome:
		return new(Outcome)
	case protocol.TypeIntroduction:
		return new(Introduction)
	case protocol.TypePreference:
		return new(Preference)
	case protocol.TypeMembership:
		return new(Membership)
	case protocol.TypeTransactionHistory:
		return new(TransactionHistory)
	case protocol.TypeDeletionNotice:
		return new(DeletionNotice)
	case protocol.TypeWriter:
		return new(Writer)
	default:
		return nil
	}
}

// Type is "intent".
func (*Intent) Type() string { return protocol.TypeIntent }

// Type is "withdrawal".
func (*Withdrawal) Type() string { return protocol.TypeWithdrawal }

// Type is "profile".
func (*Profile) Type() string { return protocol.TypeProfile }

// Type is "terms".
func (*Terms) Type() string { return protocol.TypeTerms }

// Type is "offer".
func (*Offer) Type() string { return protocol.TypeOffer }

// Type is "acceptance".
func (*Acceptance) Type() string { return protocol.TypeAcceptance }

// Type is "confirmation".
func (*Confirmation) Type() string { return protocol.TypeConfirmation }

// Type is "void".
func (*Void) Type() string { return protocol.TypeVoid }

// Type is "cancel".
func (*Cancel) Type() string { return protocol.TypeCancel }

// Type is "decline".
func (*Decline) Type() string { return protocol.TypeDecline }

// Type is "award-notice".
func (*AwardNotice) Type() string { return protocol.TypeAwardNotice }

// Type is "restored".
func (*Restored) Type() string { return protocol.TypeRestored }

// Type is "held".
func (*Held) Type() string { return protocol.TypeHeld }

// Type is "customer-void".
func (*CustomerVoid) Type() string { return protocol.TypeCustomerVoid }

// Type is "delivery-receipt".
func (*DeliveryReceipt) Type() string { return protocol.TypeDeliveryReceipt }

// Type is the name that the record states.
func (o *Opaque) Type() string { return o.Name }

func (h *Header) fields(f *form) {
	field(f, "by", &h.By, signer{})
	field(f, "at", &h.At, instant{})
	field(f, "retainUntil", &h.RetainUntil, instant{})
	optionalList(f, "crit", &h.Crit, setOf(1, protocol.MaxCrit, text{64}))
	optionalMap(f, "ext", &h.Ext, free{null: true})

	f.require(h.RetainUntil >= h.At, "retainUntil", "lies before at")
	for i, key := range h.Crit {
		if _, there := h.Ext[key]; !there {
			f.at("crit").entry(i).fail(protocol.CodeBadField, "ext has no key %s", plainKey(key))
		}
	}
}

func (b *Intent) fields(f *form) {
	field(f, "salt", &b.Salt, digest{})
	optional(f, "market", &b.Market, marketToken)
	field(f, "name", &b.Name, text{200})
	optional(f, "description", &b.Description, longText{8000})
	optional(f, "inLanguage", &b.InLanguage, languageToken)
	field(f, "category", &b.Category, setOf(1, protocol.MaxCategories, categoryToken))
	field(f, "itemOffered", &b.ItemOffered, listOf(1, protocol.MaxItems, objectOf((*DemandItem).fields)))
	pointer(f, "areaServed", &b.AreaServed, objectOf((*Area).fields))
	pointer(f, "priceSpecification", &b.PriceSpecification, objectOf((*PriceSpecification).fields))
	availability(f, &b.AvailabilityStarts, &b.AvailabilityEnds)
	field(f, "validUntil", &b.ValidUntil, instant{})
	field(f, "terms", &b.Terms, setOf(1, protocol.MaxTerms, termsRef{}))
	field(f, "awards", &b.Awards, integer{1, protocol.MaxAwards})
	field(f, "replyTo", &b.ReplyTo, objectOf((*ReplyTo).fields))
	optionalList(f, "identifier", &b.Identifier, listOf(1, protocol.MaxIdentifiers, objectOf((*PropertyValue).fields)))
}

func (b *DemandItem) fields(f *form) {
	field(f, "name", &b.Name, text{500})
	optional(f, "description", &b.Description, longText{2000})
	optionalList(f, "category", &b.Category, setOf(1, protocol.MaxCategories, categoryToken))
	pointer(f, "eligibleQuantity", &b.Quantity, objectOf((*QuantitativeValue).fields))
	pointer(f, "areaServed", &b.AreaServed, objectOf((*Area).fields))
}

func (b *QuantitativeValue) fields(f *form) {
	field(f, "value", &b.Value, number{})
	field(f, "unitCode", &b.UnitCode, unitToken)

	f.require(b.Value.Sign() > 0, "value", "%s is not above 0", b.Value)
}

func (b *Area) fields(f *form) {
	optional(f, "addressCountry", &b.AddressCountry, countryToken)
	optional(f, "addressRegion", &b.AddressRegion, text{100})
	optional(f, "addressLocality", &b.AddressLocality, text{100})
	optional(f, "postalCode", &b.PostalCode, text{16})

	if *b == (Area{}) {
		f.fail(protocol.CodeBadField, "the area says nothing; leave it out")
	}
}

func (b *PriceSpecification) fields(f *form) {
	field(f, "priceCurrency", &b.PriceCurrency, currencyToken)
	pointer(f, "minPrice", &b.MinPrice, number{})
	pointer(f, "maxPrice", &b.MaxPrice, number{})

	switch {
	case b.MinPrice == nil && b.MaxPrice == nil:
		f.fail(protocol.CodeBadField, "minPrice or maxPrice is required")
	case b.MinPrice != nil && b.MinPrice.Sign() < 0:
		f.at("minPrice").fail(protocol.CodeBadField, "%s is below 0", b.MinPrice)
	case b.MaxPrice != nil && b.MaxPrice.Sign() < 0:
		f.at("maxPrice").fail(protocol.CodeBadField, "%s is below 0", b.MaxPrice)
	case b.MinPrice != nil && b.MaxPrice != nil && b.MaxPrice.Cmp(*b.MinPrice) < 0:
		f.at("maxPrice").fail(protocol.CodeBadField, "%s is below minPrice, %s", b.MaxPrice, b.MinPrice)
	}
}

func (b *PropertyValue) fields(f *form) {
	field(f, "propertyID", &b.PropertyID, text{64})
	field(f, "value", &b.Value, text{256})
}

func (b *ReplyTo) fields(f *form) {
	field(f, "suite", &b.Suite, suite{})
	field(f, "key", &b.Key, octets{})
	field(f, "token", &b.Token, digest{})
	field(f, "mailboxes", &b.Mailboxes, setOf(0, protocol.MaxMailboxes, mailbox{}))

	size := b.Suite.PublicKeySize()
	f.require(len(b.Key) == size, "key", "a key of suite %d has %d bytes, not %d", b.Suite, size, len(b.Key))
}

// availability is the pair of times that intents and offers have in common.
func availability(f *form, starts, ends *int64) {
	optional(f, "availabilityStarts", starts, instant{})
	optional(f, "availabilityEnds", ends, instant{})

	f.require(*ends == 0 || *ends >= *starts, "availabilityEnds", "lies before availabilityStarts")
}

func (b *Withdrawal) fields(f *form) {
	field(f, "intent", &b.Intent, link{})
	optional(f, "market", &b.Market, marketToken)
	optional(f, "reason", &b.Reason, reasonToken)
}

func (b *Profile) fields(f *form) {
	field(f, "name", &b.Name, text{200})
	optional(f, "description", &b.Description, longText{4000})
	optional(f, "url", &b.URL, urlToken)
	optionalList(f, "category", &b.Category, setOf(1, protocol.MaxProfileCategories, categoryToken))
	optionalList(f, "areaServed", &b.AreaServed, setOf(1, protocol.MaxProfileAreas, objectOf((*Area).fields)))
	optionalList(f, "markets", &b.Markets, setOf(1, protocol.MaxProfileMarkets, marketToken))
	optionalList(f, "terms", &b.Terms, setOf(1, protocol.MaxProfileTerms, termsRef{}))
	field(f, "nextKey", &b.NextKey, digest{})
	optional(f, "previous", &b.Previous, link{})
	field(f, "replyTo", &b.ReplyTo, objectOf((*ReplyTo).fields))
}

func (b *Terms) fields(f *form) {
	field(f, "name", &b.Name, text{200})
	field(f, "text", &b.Text, longText{32768})
	optional(f, "inLanguage", &b.InLanguage, languageToken)
	optional(f, "basedOn", &b.BasedOn, rosterToken)
	optionalMap(f, "policy", &b.Policy, free{})
}

func (b *Offer) fields(f *form) {
	field(f, "deal", &b.Deal, dealKey{})
	field(f, "number", &b.Number, integer{1, protocol.MaxOfferNumber})
	optional(f, "description", &b.Description, longText{4000})
	field(f, "itemOffered", &b.ItemOffered, listOf(1, protocol.MaxItems, objectOf((*OfferItem).fields)))
	optionalList(f, "charges", &b.Charges, listOf(1, protocol.MaxCharges, objectOf((*Charge).fields)))
	field(f, "priceCurrency", &b.PriceCurrency, currencyToken)
	field(f, "totalPrice", &b.TotalPrice, number{})
	field(f, "terms", &b.Terms, termsRef{})
	availability(f, &b.AvailabilityStarts, &b.AvailabilityEnds)
	pointer(f, "deliveryWindow", &b.DeliveryWindow, objectOf((*DeliveryWindow).fields))
	pointer(f, "returnPolicy", &b.ReturnPolicy, objectOf((*ReturnPolicy).fields))
	pointer(f, "taxIncluded", &b.TaxIncluded, boolean{})
	field(f, "validUntil", &b.ValidUntil, instant{})
	optional(f, "counter", &b.Counter, link{})
	optional(f, "changes", &b.Changes, link{})
	field(f, "replyTo", &b.ReplyTo, objectOf((*ReplyTo).fields))

	f.require(!b.Counter.Defined() || b.Number > 1, "counter", "the first offer answers no counter")
	f.require(!b.Changes.Defined() || b.Deal.Round > 1, "changes", "the first round has no agreement to change")
	checkTotal(f, b.TotalPrice, b.ItemOffered, b.Charges)
}

// Sum is the exact sum of the prices of all lines and charges, what TotalPrice
// has to be. It fails with [decimal.ErrRange].
func (b *Offer) Sum() (decimal.Decimal, error) { return sum(b.ItemOffered, b.Charges) }

func sum(items []OfferItem, charges []Charge) (decimal.Decimal, error) {
	prices := make([]decimal.Decimal, 0, len(items)+len(charges))
	for _, item := range items {
		prices = append(prices, item.Price)
	}
	for _, charge := range charges {
		prices = append(prices, charge.Price)
	}
	return decimal.Sum(prices...)
}

// checkTotal checks a totalPrice against the lines and charges; without lines
// it stands alone.
func checkTotal(f *form, total decimal.Decimal, items []OfferItem, charges []Charge) {
	f.require(total.Sign() >= 0, "totalPrice", "%s is below 0", total)
	if len(items) == 0 {
		f.require(len(charges) == 0, "charges", "charges come on top of lines, and there are none")
		return
	}
	exact, err := sum(items, charges)
	switch at := f.at("totalPrice"); {
	case err != nil:
		at.fail(protocol.CodeTotalMismatch, "the sum of the lines and charges is out of range: %w", err)
	case exact != total:
		at.fail(protocol.CodeTotalMismatch, "the total says %s, but the lines and charges sum up to %s", total, exact)
	}
}

func (b *DeliveryWindow) fields(f *form) {
	field(f, "starts", &b.Starts, instant{})
	field(f, "ends", &b.Ends, instant{})

	f.require(b.Ends >= b.Starts, "ends", "lies before starts")
}

func (b *ReturnPolicy) fields(f *form) {
	field(f, "returnPolicyCategory", &b.Category, codeToken)
	pointer(f, "merchantReturnDays", &b.Days, integer{0, protocol.MaxReturnDays})
	optional(f, "returnFees", &b.Fees, codeToken)
	pointer(f, "returnFeeAmount", &b.FeeAmount, amount{})
	optional(f, "description", &b.Description, longText{2000})
}

func (b *OfferItem) fields(f *form) {
	field(f, "name", &b.Name, text{500})
	optional(f, "description", &b.Description, longText{2000})
	optionalList(f, "category", &b.Category, setOf(1, protocol.MaxCategories, categoryToken))
	pointer(f, "item", &b.Item, integer{0, protocol.MaxItems - 1})
	pointer(f, "eligibleQuantity", &b.Quantity, objectOf((*QuantitativeValue).fields))
	pointer(f, "unitPrice", &b.UnitPrice, number{})
	field(f, "price", &b.Price, number{})
	pointer(f, "taxRate", &b.TaxRate, percent{})
}

func (b *Charge) fields(f *form) {
	field(f, "kind", &b.Kind, chargeToken)
	optional(f, "name", &b.Name, text{200})
	field(f, "price", &b.Price, number{})
	pointer(f, "taxRate", &b.TaxRate, percent{})
}

func (b *Acceptance) fields(f *form) {
	field(f, "deal", &b.Deal, dealKey{})
	field(f, "offer", &b.Offer, link{})
	field(f, "replyTo", &b.ReplyTo, objectOf((*ReplyTo).fields))
}

func (b *Confirmation) fields(f *form) {
	field(f, "deal", &b.Deal, dealKey{})
	field(f, "acceptance", &b.Acceptance, link{})
}

func (b *Void) fields(f *form) {
	field(f, "deal", &b.Deal, dealKey{})
	field(f, "reason", &b.Reason, reasonToken)
	optional(f, "cites", &b.Cites, link{})
	pointer(f, "replyTo", &b.ReplyTo, objectOf((*ReplyTo).fields))
}

// fields serves [Cancel] and [Decline] too.
func (b *Ask) fields(f *form) {
	field(f, "deal", &b.Deal, dealKey{})
	field(f, "reason", &b.Reason, reasonToken)
	pointer(f, "replyTo", &b.ReplyTo, objectOf((*ReplyTo).fields))
}

func (b *AwardNotice) fields(f *form) {
	b.Ask.fields(f)
	optional(f, "offersReceived", &b.OffersReceived, integer{1, 100_000})
}

func (b *Restored) fields(f *form) {
	field(f, "deal", &b.Deal, dealKey{})
	field(f, "replyTo", &b.ReplyTo, objectOf((*ReplyTo).fields))
}

func (b *Held) fields(f *form) {
	field(f, "deal", &b.Deal, dealKey{})
	field(f, "restored", &b.Restored, link{})
	field(f, "decision", &b.Decision, link{})
}

func (b *CustomerVoid) fields(f *form) {
	field(f, "deal", &b.Deal, dealKey{})
	field(f, "restored", &b.Restored, link{})
}

func (b *DeliveryReceipt) fields(f *form) {
	field(f, "records", &b.Records, setOf(1, protocol.MaxReceiptRecords, link{}))
}
