package record

import (
	"github.com/ipfs/go-cid"

	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/decimal"
)

// Counter is what a customer would accept instead of an offer. It binds nobody.
// At least one of ItemOffered, TotalPrice, Description and the two availability
// times is there.
type Counter struct {
	Deal               DealKey          // deal
	Offer              cid.Cid          // offer: the one that it would rather have like this
	ItemOffered        []OfferItem      // itemOffered, optional: 1..200; then there is a total, the exact sum
	Charges            []Charge         // charges, optional: 1..32; with itemOffered only
	PriceCurrency      string           // priceCurrency, optional: with totalPrice
	TotalPrice         *decimal.Decimal // totalPrice, optional: >= 0, with priceCurrency
	Description        string           // description, optional: ..4000
	AvailabilityStarts int64            // availabilityStarts, optional
	AvailabilityEnds   int64            // availabilityEnds, optional
	Reason             string           // reason, optional: code of spec/registry/reasons.csv
	ValidUntil         int64            // validUntil: until when an answer is welcome
}

// TermsCounter is the one counter-offer of other terms that a seller has in a
// deal. It isn't an offer: whoever adopts it publishes a new intent.
type TermsCounter struct {
	Deal        DealKey  // deal
	Terms       TermsRef // terms: not among the intent's
	Description string   // description, optional: ..4000
	ReplyTo     ReplyTo  // replyTo: where an intent under these terms may be sealed to
}

// NextRound is a customer's word for a further round: after a void, or to
// change an agreement.
type NextRound struct {
	Deal        DealKey  // deal: the key of the round that it opens, 2..1000
	Previous    cid.Cid  // previous: the void or the agreement of the round before
	Reason      string   // reason, optional: code
	Description string   // description, optional: ..4000
	ReplyTo     *ReplyTo // replyTo, optional
}

// Type is "counter".
func (*Counter) Type() string { return protocol.TypeCounter }

// Type is "terms-counter".
func (*TermsCounter) Type() string { return protocol.TypeTermsCounter }

// Type is "next-round".
func (*NextRound) Type() string { return protocol.TypeNextRound }

func (b *Counter) fields(f *form) {
	field(f, "deal", &b.Deal, dealKey{})
	field(f, "offer", &b.Offer, link{})
	optionalList(f, "itemOffered", &b.ItemOffered, listOf(1, protocol.MaxItems, objectOf((*OfferItem).fields)))
	optionalList(f, "charges", &b.Charges, listOf(1, protocol.MaxCharges, objectOf((*Charge).fields)))
	optional(f, "priceCurrency", &b.PriceCurrency, currencyToken)
	pointer(f, "totalPrice", &b.TotalPrice, number{})
	optional(f, "description", &b.Description, longText{4000})
	availability(f, &b.AvailabilityStarts, &b.AvailabilityEnds)
	optional(f, "reason", &b.Reason, reasonToken)
	field(f, "validUntil", &b.ValidUntil, instant{})

	moneyPair(f, b.PriceCurrency, b.TotalPrice)
	if b.TotalPrice != nil {
		checkTotal(f, *b.TotalPrice, b.ItemOffered, b.Charges)
		return
	}
	f.require(len(b.ItemOffered) == 0, "totalPrice", "lines have prices, and so there is a total")
	f.require(len(b.Charges) == 0, "charges", "charges come on top of lines, and there are none")
	if b.Description == "" && b.AvailabilityStarts == 0 && b.AvailabilityEnds == 0 {
		f.fail(protocol.CodeBadField, "the counter says nothing: lines, a total, a description or a time")
	}
}

// moneyPair checks that a total and its currency are both there or both absent.
func moneyPair(f *form, currency string, total *decimal.Decimal) {
	f.require(total == nil || currency != "", "priceCurrency", "a total has a currency")
	f.require(total != nil || currency == "", "totalPrice", "a currency without a total says nothing")
}

func (b *TermsCounter) fields(f *form) {
	field(f, "deal", &b.Deal, dealKey{})
	field(f, "terms", &b.Terms, termsRef{})
	optional(f, "description", &b.Description, longText{4000})
	field(f, "replyTo", &b.ReplyTo, objectOf((*ReplyTo).fields))
}

func (b *NextRound) fields(f *form) {
	field(f, "deal", &b.Deal, dealKey{})
	field(f, "previous", &b.Previous, link{})
	optional(f, "reason", &b.Reason, reasonToken)
	optional(f, "description", &b.Description, longText{4000})
	pointer(f, "replyTo", &b.ReplyTo, objectOf((*ReplyTo).fields))

	f.require(b.Deal.Round > 1, "deal", "the first round is open without being asked for")
}
