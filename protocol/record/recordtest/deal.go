package recordtest

import (
	"github.com/ipfs/go-cid"

	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/decimal"
	"github.com/parley-protocol/parley/protocol/record"
)

// Option changes what a fixture is about to sign.
type Option[B any] func(h *record.Header, body *B)

// At dates a fixture, e.g. At[record.Offer](Now + 60).
func At[B any](at int64) Option[B] {
	return func(h *record.Header, _ *B) { h.At = at }
}

// finish applies options and signs.
func finish[B any, P interface {
	*B
	record.Body
}](tb TB, by Party, at int64, body P, opts []Option[B]) *record.Record {
	tb.Helper()
	h := record.Header{At: at}
	for _, opt := range opts {
		opt(&h, body)
	}
	return by.SignHeader(tb, h, body)
}

// Intent asks for a bicycle, at [Now], valid for 30 days.
func Intent(tb TB, customer Party, opts ...Option[record.Intent]) *record.Record {
	tb.Helper()
	budget := decimal.MustParse("900")
	return finish(tb, customer, Now, &record.Intent{
		Salt:        Bytes32(customer.seed + "/salt"),
		Market:      protocol.MarketVehicles,
		Name:        "City bicycle",
		Description: "With lights and a rack.\nUsed is fine.",
		InLanguage:  "en",
		Category:    []string{"cpv:34430000"},
		ItemOffered: []record.DemandItem{{
			Name:     "City bicycle, 28 inch",
			Quantity: &record.QuantitativeValue{Value: decimal.MustParse("1"), UnitCode: "C62"},
		}},
		AreaServed:         &record.Area{AddressCountry: "AT", AddressLocality: "Graz"},
		PriceSpecification: &record.PriceSpecification{PriceCurrency: "EUR", MaxPrice: &budget},
		ValidUntil:         Now + 30*Day,
		Terms:              []record.TermsRef{{Roster: protocol.TermsPDCIntent}, {Roster: protocol.TermsSDBase}},
		Awards:             1,
		ReplyTo:            customer.ReplyTo(tb),
	}, opts)
}

// Withdrawal takes an intent back, an hour after [Now].
func Withdrawal(tb TB, customer Party, intent *record.Record, opts ...Option[record.Withdrawal]) *record.Record {
	tb.Helper()
	return finish(tb, customer, Now+3600, &record.Withdrawal{
		Intent: intent.ID(),
		Market: intent.Market(),
		Reason: protocol.ReasonBought,
	}, opts)
}

// Profile presents a seller, at [Now].
func Profile(tb TB, vendor Party, opts ...Option[record.Profile]) *record.Record {
	tb.Helper()
	return finish(tb, vendor, Now, &record.Profile{
		Name:        "Bicycles of Graz",
		Description: "New and used bicycles, and their repair.",
		URL:         "https://example.com/bicycles",
		Category:    []string{"cpv:34430000"},
		AreaServed:  []record.Area{{AddressCountry: "AT", AddressRegion: "Steiermark"}},
		Markets:     []string{protocol.MarketVehicles},
		Terms:       []record.TermsRef{{Roster: protocol.TermsPDCIntent}},
		NextKey:     Bytes32(vendor.seed + "/next"),
		ReplyTo:     vendor.ReplyTo(tb),
	}, opts)
}

// Offer answers an intent in the first round, an hour after [Now], under the
// first of its terms, firm for 7 days.
func Offer(tb TB, vendor Party, intent *record.Record, opts ...Option[record.Offer]) *record.Record {
	tb.Helper()
	asked, ok := intent.Body().(*record.Intent)
	if !ok {
		tb.Fatalf("an offer answers an intent, not a record of type %s", intent.Type())
	}
	line := int64(0)
	return finish(tb, vendor, Now+3600, &record.Offer{
		Deal:   record.DealKey{Intent: intent.ID(), Vendor: vendor.DID(), Round: 1},
		Number: 1,
		ItemOffered: []record.OfferItem{{
			Name:     "City bicycle, 28 inch, blue",
			Item:     &line,
			Quantity: &record.QuantitativeValue{Value: decimal.MustParse("1"), UnitCode: "C62"},
			Price:    decimal.MustParse("700"),
		}},
		Charges: []record.Charge{
			{Kind: "delivery", Price: decimal.MustParse("25.5")},
			{Kind: "tax", Name: "VAT 20%", Price: decimal.MustParse("145.1")},
		},
		PriceCurrency: "EUR",
		TotalPrice:    decimal.MustParse("870.6"),
		Terms:         asked.Terms[0],
		ValidUntil:    Now + 3600 + 7*Day,
		ReplyTo:       vendor.ReplyTo(tb),
	}, opts)
}

// Acceptance takes an offer, two hours after [Now].
func Acceptance(tb TB, customer Party, offer *record.Record, opts ...Option[record.Acceptance]) *record.Record {
	tb.Helper()
	return finish(tb, customer, Now+2*3600, &record.Acceptance{
		Deal:    dealOf(tb, offer),
		Offer:   offer.ID(),
		ReplyTo: customer.ReplyTo(tb),
	}, opts)
}

// Confirmation confirms an acceptance, three hours after [Now].
func Confirmation(tb TB, vendor Party, acceptance *record.Record, opts ...Option[record.Confirmation]) *record.Record {
	tb.Helper()
	return finish(tb, vendor, Now+3*3600, &record.Confirmation{
		Deal:       dealOf(tb, acceptance),
		Acceptance: acceptance.ID(),
	}, opts)
}

// Void voids a deal, three hours after [Now]. cites may be [cid.Undef].
func Void(tb TB, vendor Party, deal record.DealKey, reason string, cites cid.Cid, opts ...Option[record.Void]) *record.Record {
	tb.Helper()
	return finish(tb, vendor, Now+3*3600, &record.Void{Deal: deal, Reason: reason, Cites: cites}, opts)
}

// Cancel asks for a void, two and a half hours after [Now].
func Cancel(tb TB, customer Party, deal record.DealKey, opts ...Option[record.Cancel]) *record.Record {
	tb.Helper()
	body := &record.Cancel{Ask: record.Ask{Deal: deal, Reason: protocol.ReasonChangedMind}}
	return finish(tb, customer, Now+9000, body, opts)
}

// Decline says that no offer is wanted, two and a half hours after [Now].
func Decline(tb TB, customer Party, deal record.DealKey, opts ...Option[record.Decline]) *record.Record {
	tb.Helper()
	body := &record.Decline{Ask: record.Ask{Deal: deal, Reason: protocol.ReasonPrice}}
	return finish(tb, customer, Now+9000, body, opts)
}

// AwardNotice says that others were chosen, four hours after [Now].
func AwardNotice(tb TB, customer Party, deal record.DealKey, opts ...Option[record.AwardNotice]) *record.Record {
	tb.Helper()
	body := &record.AwardNotice{
		Ask:            record.Ask{Deal: deal, Reason: protocol.ReasonAwardedElsewhere},
		OffersReceived: 3,
	}
	return finish(tb, customer, Now+4*3600, body, opts)
}

// Restored says that the vendor came back, a day after [Now].
func Restored(tb TB, vendor Party, deal record.DealKey, opts ...Option[record.Restored]) *record.Record {
	tb.Helper()
	return finish(tb, vendor, Now+Day, &record.Restored{Deal: deal, ReplyTo: vendor.ReplyTo(tb)}, opts)
}

// Held answers a restored with a decision, an hour later than [Restored].
func Held(tb TB, customer Party, restored, decision *record.Record, opts ...Option[record.Held]) *record.Record {
	tb.Helper()
	body := &record.Held{Deal: dealOf(tb, restored), Restored: restored.ID(), Decision: decision.ID()}
	return finish(tb, customer, Now+Day+3600, body, opts)
}

// CustomerVoid answers a restored without a decision, an hour later than
// [Restored].
func CustomerVoid(tb TB, customer Party, restored *record.Record, opts ...Option[record.CustomerVoid]) *record.Record {
	tb.Helper()
	body := &record.CustomerVoid{Deal: dealOf(tb, restored), Restored: restored.ID()}
	return finish(tb, customer, Now+Day+3600, body, opts)
}

// DeliveryReceipt acknowledges records, five hours after [Now].
func DeliveryReceipt(tb TB, by Party, received ...*record.Record) *record.Record {
	tb.Helper()
	ids := make([]cid.Cid, len(received))
	for i, r := range received {
		ids[i] = r.ID()
	}
	return by.Sign(tb, Now+5*3600, &record.DeliveryReceipt{Records: ids})
}

func dealOf(tb TB, r *record.Record) record.DealKey {
	tb.Helper()
	key, ok := r.Deal()
	if !ok {
		tb.Fatalf("%s belongs to no deal", r)
	}
	return key
}

// Counter says what would be accepted instead of an offer: 800 for all of it,
// ninety minutes after [Now].
func Counter(tb TB, customer Party, offer *record.Record, opts ...Option[record.Counter]) *record.Record {
	tb.Helper()
	total := decimal.MustParse("800")
	return finish(tb, customer, Now+5400, &record.Counter{
		Deal:          dealOf(tb, offer),
		Offer:         offer.ID(),
		PriceCurrency: "EUR",
		TotalPrice:    &total,
		Reason:        protocol.ReasonPrice,
		ValidUntil:    Now + 3*Day,
	}, opts)
}

// TermsCounter asks for terms that the intent doesn't have, half an hour after
// [Now].
func TermsCounter(tb TB, vendor Party, deal record.DealKey, opts ...Option[record.TermsCounter]) *record.Record {
	tb.Helper()
	return finish(tb, vendor, Now+1800, &record.TermsCounter{
		Deal:        deal,
		Terms:       record.TermsRef{Roster: protocol.TermsSDBaseA},
		Description: "We count visits.",
		ReplyTo:     vendor.ReplyTo(tb),
	}, opts)
}

// NextRound opens the round after that of previous, a void or a confirmation,
// five hours after [Now].
func NextRound(tb TB, customer Party, previous *record.Record, opts ...Option[record.NextRound]) *record.Record {
	tb.Helper()
	key := dealOf(tb, previous)
	key.Round++
	return finish(tb, customer, Now+5*3600, &record.NextRound{Deal: key, Previous: previous.ID()}, opts)
}

// OrderEvent says what happened about the agreement that a confirmation made,
// a day after [Now].
func OrderEvent(tb TB, by Party, confirmation *record.Record, status string, opts ...Option[record.OrderEvent]) *record.Record {
	tb.Helper()
	return finish(tb, by, Now+Day, &record.OrderEvent{Subject: subjectOf(tb, confirmation), OrderStatus: status}, opts)
}

// Receipt is the proof of purchase for an agreement of [Offer]'s prices, two
// days after [Now].
func Receipt(tb TB, vendor Party, confirmation *record.Record, opts ...Option[record.Receipt]) *record.Record {
	tb.Helper()
	return finish(tb, vendor, Now+2*Day, &record.Receipt{
		Subject:       subjectOf(tb, confirmation),
		OrderDate:     Now + 3*3600,
		PriceCurrency: "EUR",
		TotalPrice:    decimal.MustParse("870.6"),
		Identifier:    "2026-0001",
	}, opts)
}

// Outcome says what came of an agreement, ten days after [Now].
func Outcome(tb TB, by Party, confirmation *record.Record, result string, opts ...Option[record.Outcome]) *record.Record {
	tb.Helper()
	return finish(tb, by, Now+10*Day, &record.Outcome{Subject: subjectOf(tb, confirmation), Result: result}, opts)
}

// Introduction introduces the author of an intent to a vendor, by the key of
// another party, at [Now].
func Introduction(tb TB, customer Party, intent *record.Record, vendor, relationship Party) *record.Record {
	tb.Helper()
	body, err := record.Introduce(intent.ID(), vendor.DID(), relationship.Key)
	if err != nil {
		tb.Fatalf("introduce: %v", err)
	}
	return customer.Sign(tb, Now, body)
}

func subjectOf(tb TB, confirmation *record.Record) record.Subject {
	tb.Helper()
	return record.Subject{Deal: dealOf(tb, confirmation), Agreement: confirmation.ID()}
}

// Deal is an agreed deal, from the intent to the confirmation.
type Deal struct {
	Customer, Vendor Party
	Key              record.DealKey
	Intent           *record.Record
	Offer            *record.Record
	Acceptance       *record.Record
	Confirmation     *record.Record
}

// NewDeal is the deal of a seed, between parties of its own.
func NewDeal(tb TB, seed string) Deal {
	tb.Helper()
	return DealBetween(tb, NewParty(seed+"/customer"), NewParty(seed+"/vendor"))
}

// DealBetween is the deal of two parties.
func DealBetween(tb TB, customer, vendor Party) Deal {
	tb.Helper()
	d := Deal{Customer: customer, Vendor: vendor}
	d.Intent = Intent(tb, customer)
	d.Offer = Offer(tb, vendor, d.Intent)
	d.Acceptance = Acceptance(tb, customer, d.Offer)
	d.Confirmation = Confirmation(tb, vendor, d.Acceptance)
	d.Key = dealOf(tb, d.Offer)
	return d
}

// Records is the deal's four records in the order in which they were made.
func (d Deal) Records() []*record.Record {
	return []*record.Record{d.Intent, d.Offer, d.Acceptance, d.Confirmation}
}
