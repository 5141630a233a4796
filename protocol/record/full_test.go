package record_test

import (
	"testing"

	"github.com/ipfs/go-cid"

	"github.com/parley-protocol/parley/crypto"
	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/codec"
	"github.com/parley-protocol/parley/protocol/decimal"
	"github.com/parley-protocol/parley/protocol/record"
	"github.com/parley-protocol/parley/protocol/record/recordtest"
)

const (
	now = recordtest.Now
	day = recordtest.Day
)

// author signs all records of the tables.
func author() recordtest.Party { return recordtest.NewParty("author") }

func someID(name string) cid.Cid { return codec.Sum([]byte(name)) }

// fullBodies is a body of every type with every optional field present.
func fullBodies(t *testing.T) []record.Body {
	amount := func(s string) *decimal.Decimal { d := decimal.MustParse(s); return &d }
	index, days, included := int64(3), int64(14), true
	reply := author().ReplyTo(t)
	second := author().ReplyToSuite(t, crypto.SuiteMLKEM768X25519)
	area := record.Area{AddressCountry: "AT", AddressRegion: "Steiermark", AddressLocality: "Graz", PostalCode: "8010"}
	quantity := record.QuantitativeValue{Value: decimal.MustParse("2.5"), UnitCode: "KGM"}
	deal := record.DealKey{Intent: someID("intent"), Vendor: recordtest.NewParty("vendor").DID(), Round: 2}
	ask := record.Ask{Deal: deal, Reason: protocol.ReasonPrice, ReplyTo: &reply}
	subject := record.Subject{Deal: deal, Agreement: someID("agreement")}
	terms := []record.TermsRef{{Roster: "PDC-INTENT"}, {Record: someID("terms")}}
	return []record.Body{
		&record.Intent{
			Salt: recordtest.Bytes32("salt"), Market: "home/garden-tools", Name: "A name", Description: "One line\nand\tmore",
			InLanguage: "de-AT", Category: []string{"cpv:16000000", "gpc:10003738"},
			ItemOffered: []record.DemandItem{
				{Name: "first", Description: "what\nfor", Category: []string{"cpv:1"}, Quantity: &quantity, AreaServed: &area},
				{Name: "second"},
			},
			AreaServed:         &area,
			PriceSpecification: &record.PriceSpecification{PriceCurrency: "EUR", MinPrice: amount("0"), MaxPrice: amount("10.25")},
			AvailabilityStarts: now + day, AvailabilityEnds: now + 2*day, ValidUntil: now + 30*day,
			Terms: terms, Awards: 2, ReplyTo: reply,
			Identifier: []record.PropertyValue{{PropertyID: "ocid", Value: "ocds-213czf-000-00001"}},
		},
		&record.Withdrawal{Intent: someID("intent"), Market: "home", Reason: protocol.ReasonBought},
		&record.Profile{
			Name: "A seller", Description: "of\nthings", URL: "https://example.com:8443/a?b#c", Category: []string{"cpv:1"},
			AreaServed: []record.Area{area}, Markets: []string{"home", "travel"}, Terms: terms,
			NextKey: recordtest.Bytes32("next"), Previous: someID("profile"), ReplyTo: second,
		},
		&record.Terms{
			Name: "My terms", Text: "Be\nkind.", InLanguage: "en", BasedOn: "SD-BASE-ATP-S3P",
			Policy: map[string]any{"@type": "Set", "permission": []any{map[string]any{"action": "use"}}},
		},
		&record.Offer{
			Deal: deal, Number: 4, Description: "an\noffer",
			ItemOffered: []record.OfferItem{
				{Name: "line", Description: "a\nline", Category: []string{"cpv:1"}, Item: &index, Quantity: &quantity,
					UnitPrice: amount("4"), Price: decimal.MustParse("10"), TaxRate: amount("19")},
				{Name: "rebate", Price: decimal.MustParse("-0.5")},
			},
			Charges:       []record.Charge{{Kind: "tax", Name: "VAT", Price: decimal.MustParse("1.9"), TaxRate: amount("19")}},
			PriceCurrency: "EUR", TotalPrice: decimal.MustParse("11.4"), Terms: terms[0],
			AvailabilityStarts: now + day, AvailabilityEnds: now + day, ValidUntil: now + 7*day, ReplyTo: reply,
			DeliveryWindow: &record.DeliveryWindow{Starts: now + day, Ends: now + 2*day},
			ReturnPolicy: &record.ReturnPolicy{
				Category: protocol.ReturnFiniteWindow, Days: &days, Fees: protocol.ReturnFixed,
				FeeAmount: amount("4.9"), Description: "Unused\nonly.",
			},
			TaxIncluded: &included, Counter: someID("counter"), Changes: someID("agreement"),
		},
		&record.Acceptance{Deal: deal, Offer: someID("offer"), ReplyTo: second},
		&record.Confirmation{Deal: deal, Acceptance: someID("acceptance")},
		&record.Void{Deal: deal, Reason: protocol.ReasonCustomerAsked, Cites: someID("cancel"), ReplyTo: &reply},
		&record.Cancel{Ask: ask},
		&record.Decline{Ask: ask},
		&record.AwardNotice{Ask: ask, OffersReceived: 5},
		&record.Restored{Deal: deal, ReplyTo: reply},
		&record.Held{Deal: deal, Restored: someID("restored"), Decision: someID("decision")},
		&record.CustomerVoid{Deal: deal, Restored: someID("restored")},
		&record.DeliveryReceipt{Records: []cid.Cid{someID("a"), someID("b")}},
		&record.Counter{
			Deal: deal, Offer: someID("offer"),
			ItemOffered:   []record.OfferItem{{Name: "line", Price: decimal.MustParse("9")}},
			Charges:       []record.Charge{{Kind: "delivery", Price: decimal.MustParse("1")}},
			PriceCurrency: "EUR", TotalPrice: amount("10"), Description: "a\ncounter",
			AvailabilityStarts: now + day, AvailabilityEnds: now + day, Reason: protocol.ReasonDelivery, ValidUntil: now + 7*day,
		},
		&record.TermsCounter{Deal: deal, Terms: terms[1], Description: "other\nterms", ReplyTo: reply},
		&record.NextRound{Deal: deal, Previous: someID("void"), Reason: protocol.ReasonOther, Description: "once\nmore", ReplyTo: &second},
		&record.OrderEvent{
			Subject: subject, OrderStatus: protocol.OrderStatusPaid, Occurred: now - day, Description: "by\ntransfer",
			TrackingURL: "https://example.com/t/1", Items: []int64{0, 199},
			Payment: &record.Payment{PriceCurrency: "EUR", Price: decimal.MustParse("11.4"), Method: "SEPA"},
		},
		&record.Receipt{
			Subject: subject, OrderDate: now - day, PriceCurrency: "EUR", TotalPrice: decimal.MustParse("10"),
			Items:      []record.OfferItem{{Name: "line", Price: decimal.MustParse("9")}},
			Charges:    []record.Charge{{Kind: "delivery", Price: decimal.MustParse("1")}},
			Identifier: "2026-0001", PaymentMethod: "cash", Seller: &record.Seller{LegalName: "A Ltd", TaxID: "ATU1", Address: "1 Road, Graz"},
		},
		&record.Outcome{
			Subject: subject, Result: protocol.OutcomePartly, Description: "half\nof it",
			Measure: []record.Measure{{Name: "delivered", Value: decimal.MustParse("-0.5"), UnitCode: "KGM"}},
		},
		introduction(t, "intent"),
		&record.Preference{
			Salt: recordtest.Bytes32("salt"), Name: "Size", Category: []string{"cpv:1"},
			Value: record.PreferenceValue{Text: "M\nor L"}, Supersedes: someID("preference"),
		},
		&record.Membership{
			Salt: recordtest.Bytes32("salt"), Member: author().DID(), ProgramName: "Club", HostingOrganization: deal.Vendor,
			MembershipNumber: "7", ValidFrom: now - day, ValidThrough: now + day, Supersedes: someID("membership"),
		},
		&record.TransactionHistory{
			Salt: recordtest.Bytes32("salt"), PeriodStarts: now - 9*day, PeriodEnds: now, Supersedes: someID("history"),
			Transactions: []record.Transaction{{
				Agreement: someID("agreement"), Seller: deal.Vendor, OrderDate: now - day, Name: "A bicycle", Category: []string{"cpv:1"},
				PriceCurrency: "EUR", TotalPrice: amount("10"), Receipt: someID("receipt"),
			}, {Agreement: someID("agreement 2")}},
		},
		&record.DeletionNotice{
			Intent: deal.Intent, Deal: &deal, Erased: []cid.Cid{someID("offer"), someID("payload")},
			Kept:        []record.Kept{{Record: someID("agreement"), Reason: protocol.ReasonAgreement, Until: now + 9*day}},
			Description: "all\nelse",
		},
		&record.Writer{Instance: [16]byte{1, 2, 3}, Started: now - 60},
		&record.Opaque{Name: "rating", Fields: map[string]any{"deal": someID("deal"), "inner": map[string]any{"a": int64(1)}}},
	}
}

// introduction introduces the author of an intent to the tables' vendor.
func introduction(t *testing.T, intent string) *record.Introduction {
	t.Helper()
	body, err := record.Introduce(someID(intent), recordtest.NewParty("vendor").DID(), recordtest.NewParty("relationship").Key)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// fullRecords is a record of every type with every optional field present, by
// type.
func fullRecords(t *testing.T) map[string]*record.Record {
	t.Helper()
	records := map[string]*record.Record{}
	for _, body := range fullBodies(t) {
		retain := int64(now + 90*day)
		if body.Type() == protocol.TypeWriter {
			retain = now + 600
		}
		r := author().SignHeader(t, record.Header{
			At: now, RetainUntil: retain,
			Crit: []string{"example.com/a"},
			Ext:  map[string]any{"example.com/a": nil, "example.com/b": []any{int64(1), nil}},
		}, body)
		records[r.Type()] = r
	}
	return records
}
