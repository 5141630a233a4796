package recordtest

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/ipfs/go-cid"
	"pgregory.net/rapid"

	"github.com/parley-protocol/parley/crypto"
	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/codec"
	"github.com/parley-protocol/parley/protocol/decimal"
	"github.com/parley-protocol/parley/protocol/record"
)

// AnyRecord generates valid records of any type, the unregistered included.
func AnyRecord() *rapid.Generator[*record.Record] {
	return rapid.Custom(func(t *rapid.T) *record.Record {
		party := NewParty(fmt.Sprintf("party %d", rapid.IntRange(0, 7).Draw(t, "party")))
		h, body := AnyStatement().Draw(t, "statement").Split()
		r, err := record.Sign(h, body, party.Key)
		if err != nil {
			t.Fatalf("a generated %s is refused: %v", body.Type(), err)
		}
		return r
	})
}

// Statement is what a record says, before it is signed.
type Statement struct {
	Header record.Header
	Body   record.Body
}

// Split returns the statement's parts.
func (s Statement) Split() (record.Header, record.Body) { return s.Header, s.Body }

// AnyStatement generates headers with valid bodies of any type; By is unset.
func AnyStatement() *rapid.Generator[Statement] {
	return rapid.Custom(func(t *rapid.T) Statement {
		h := record.Header{At: rapid.Int64Range(0, protocol.MaxTime-2*protocol.MaxRetention).Draw(t, "at")}
		if rapid.Bool().Draw(t, "has ext") {
			h.Ext = anyExtension(true).Draw(t, "ext")
			for _, key := range codec.SortedKeys(h.Ext) {
				if rapid.Bool().Draw(t, "critical") && len(h.Crit) < protocol.MaxCrit {
					h.Crit = append(h.Crit, key)
				}
			}
		}
		body := anyBody(h.At).Draw(t, "body")
		least, most := h.At, h.At+protocol.MaxRetention
		switch b := body.(type) {
		case *record.Intent:
			least, most = b.ValidUntil, h.At+protocol.MaxIntentRetention
		case *record.Withdrawal:
			most = h.At + protocol.MaxIntentRetention
		case *record.Offer:
			least = b.ValidUntil
		case *record.Counter:
			least = b.ValidUntil
		case *record.Writer:
			most = h.At + protocol.MaxWriterRetention
		}
		h.RetainUntil = rapid.Int64Range(least, most).Draw(t, "retainUntil")
		return Statement{h, body}
	})
}

func anyBody(at int64) *rapid.Generator[record.Body] {
	return rapid.Custom(func(t *rapid.T) record.Body {
		switch rapid.SampledFrom(bodyTypes()).Draw(t, "type") {
		case protocol.TypeIntent:
			return intentAt(t, at)
		case protocol.TypeWithdrawal:
			return &record.Withdrawal{
				Intent: anyLink().Draw(t, "intent"),
				Market: maybe(t, "market", anyMarket()),
				Reason: maybe(t, "reason", anyReason()),
			}
		case protocol.TypeProfile:
			return profile(t)
		case protocol.TypeTerms:
			b := &record.Terms{
				Name:       anyText(200, false).Draw(t, "name"),
				Text:       anyText(2000, true).Draw(t, "text"),
				InLanguage: maybe(t, "inLanguage", anyLanguage()),
				BasedOn:    maybe(t, "basedOn", anyRoster()),
			}
			if rapid.Bool().Draw(t, "has policy") {
				b.Policy = anyExtension(false).Draw(t, "policy")
			}
			return b
		case protocol.TypeOffer:
			return offerAt(t, at)
		case protocol.TypeAcceptance:
			return &record.Acceptance{Deal: anyDeal(t), Offer: anyLink().Draw(t, "offer"), ReplyTo: anyReplyTo().Draw(t, "replyTo")}
		case protocol.TypeConfirmation:
			return &record.Confirmation{Deal: anyDeal(t), Acceptance: anyLink().Draw(t, "acceptance")}
		case protocol.TypeVoid:
			return &record.Void{
				Deal:    anyDeal(t),
				Reason:  anyReason().Draw(t, "reason"),
				Cites:   maybe(t, "cites", anyLink()),
				ReplyTo: maybePointer(t, "replyTo", anyReplyTo()),
			}
		case protocol.TypeCancel:
			return &record.Cancel{Ask: anyAsk(t)}
		case protocol.TypeDecline:
			return &record.Decline{Ask: anyAsk(t)}
		case protocol.TypeAwardNotice:
			return &record.AwardNotice{Ask: anyAsk(t), OffersReceived: maybe(t, "offersReceived", rapid.Int64Range(1, 100_000))}
		case protocol.TypeRestored:
			return &record.Restored{Deal: anyDeal(t), ReplyTo: anyReplyTo().Draw(t, "replyTo")}
		case protocol.TypeHeld:
			return &record.Held{Deal: anyDeal(t), Restored: anyLink().Draw(t, "restored"), Decision: anyLink().Draw(t, "decision")}
		case protocol.TypeCustomerVoid:
			return &record.CustomerVoid{Deal: anyDeal(t), Restored: anyLink().Draw(t, "restored")}
		case protocol.TypeDeliveryReceipt:
			return &record.DeliveryReceipt{Records: rapid.SliceOfNDistinct(anyLink(), 1, 8, rapid.ID[cid.Cid]).Draw(t, "records")}
		case protocol.TypeCounter:
			return counterAt(t, at)
		case protocol.TypeTermsCounter:
			return &record.TermsCounter{
				Deal:        anyDeal(t),
				Terms:       anyTermsRef().Draw(t, "terms"),
				Description: maybe(t, "description", anyText(500, true)),
				ReplyTo:     anyReplyTo().Draw(t, "replyTo"),
			}
		case protocol.TypeNextRound:
			b := &record.NextRound{
				Deal:        anyDeal(t),
				Previous:    anyLink().Draw(t, "previous"),
				Reason:      maybe(t, "reason", anyReason()),
				Description: maybe(t, "description", anyText(500, true)),
				ReplyTo:     maybePointer(t, "replyTo", anyReplyTo()),
			}
			b.Deal.Round = max(b.Deal.Round, 2)
			return b
		case protocol.TypeOrderEvent:
			return orderEvent(t)
		case protocol.TypeReceipt:
			return receipt(t)
		case protocol.TypeOutcome:
			return outcome(t)
		case protocol.TypeIntroduction:
			key := NewParty(fmt.Sprintf("relationship %d", rapid.IntRange(0, 3).Draw(t, "relationship"))).Key
			b, err := record.Introduce(anyLink().Draw(t, "intent"), anyDID(t, "vendor"), key)
			if err != nil {
				t.Fatalf("introduce: %v", err)
			}
			return b
		case protocol.TypePreference:
			b := &record.Preference{
				Salt:       anySalt(t),
				Name:       anyText(200, false).Draw(t, "name"),
				Category:   orNil(anyCategories(0, 8).Draw(t, "category")),
				Supersedes: maybe(t, "supersedes", anyLink()),
			}
			if rapid.Bool().Draw(t, "is text") {
				b.Value.Text = anyText(500, true).Draw(t, "value")
			} else {
				b.Value.Fields = anyExtension(false).Draw(t, "value")
			}
			return b
		case protocol.TypeMembership:
			return membership(t)
		case protocol.TypeTransactionHistory:
			return transactionHistory(t)
		case protocol.TypeDeletionNotice:
			return deletionNotice(t)
		case protocol.TypeWriter:
			return &record.Writer{
				Instance: [16]byte(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "instance")),
				Started:  rapid.Int64Range(0, at).Draw(t, "started"),
			}
		default:
			return &record.Opaque{
				Name:   rapid.SampledFrom([]string{"rating", "x-1"}).Draw(t, "name"),
				Fields: anyOpaqueFields().Draw(t, "fields"),
			}
		}
	})
}

// bodyTypes is the types that have a body of their own, and "" for all others.
func bodyTypes() []string {
	types := []string{""}
	for _, rt := range protocol.RecordTypes() {
		if rt.Status == "current" {
			types = append(types, rt.Name)
		}
	}
	return types
}

func intentAt(t *rapid.T, at int64) *record.Intent {
	b := &record.Intent{
		Salt:        Bytes32(fmt.Sprint(rapid.Uint64().Draw(t, "salt"))),
		Market:      maybe(t, "market", anyMarket()),
		Name:        anyText(200, false).Draw(t, "name"),
		Description: maybe(t, "description", anyText(500, true)),
		InLanguage:  maybe(t, "inLanguage", anyLanguage()),
		Category:    anyCategories(1, 8).Draw(t, "category"),
		ItemOffered: rapid.SliceOfN(rapid.Custom(demandItem), 1, 6).Draw(t, "itemOffered"),
		AreaServed:  maybePointer(t, "areaServed", anyArea()),
		ValidUntil:  rapid.Int64Range(at+1, at+protocol.MaxIntentLife).Draw(t, "validUntil"),
		Terms:       anyTermsRefs(1, 8).Draw(t, "terms"),
		Awards:      rapid.Int64Range(1, 1000).Draw(t, "awards"),
		ReplyTo:     anyReplyTo().Draw(t, "replyTo"),
		Identifier: rapid.SliceOfN(rapid.Custom(func(t *rapid.T) record.PropertyValue {
			return record.PropertyValue{
				PropertyID: anyText(64, false).Draw(t, "propertyID"),
				Value:      anyText(256, false).Draw(t, "value"),
			}
		}), 0, 4).Draw(t, "identifier"),
	}
	b.Identifier = orNil(b.Identifier)
	b.AvailabilityStarts, b.AvailabilityEnds = availability(t)
	if rapid.Bool().Draw(t, "has priceSpecification") {
		b.PriceSpecification = priceSpecification(t)
	}
	return b
}

func priceSpecification(t *rapid.T) *record.PriceSpecification {
	b := &record.PriceSpecification{PriceCurrency: anyCurrency().Draw(t, "priceCurrency")}
	low := AnyDecimal().Filter(func(d decimal.Decimal) bool { return d.Sign() >= 0 }).Draw(t, "minPrice")
	high := AnyDecimal().Filter(func(d decimal.Decimal) bool { return d.Sign() >= 0 }).Draw(t, "maxPrice")
	if high.Cmp(low) < 0 {
		low, high = high, low
	}
	which := rapid.IntRange(1, 3).Draw(t, "prices")
	if which&1 != 0 {
		b.MinPrice = &low
	}
	if which&2 != 0 {
		b.MaxPrice = &high
	}
	return b
}

func demandItem(t *rapid.T) record.DemandItem {
	return record.DemandItem{
		Name:        anyText(100, false).Draw(t, "name"),
		Description: maybe(t, "description", anyText(200, true)),
		Category:    orNil(anyCategories(0, 8).Draw(t, "category")),
		Quantity:    maybePointer(t, "eligibleQuantity", anyQuantity()),
		AreaServed:  maybePointer(t, "areaServed", anyArea()),
	}
}

func profile(t *rapid.T) *record.Profile {
	return &record.Profile{
		Name:        anyText(200, false).Draw(t, "name"),
		Description: maybe(t, "description", anyText(500, true)),
		URL:         maybe(t, "url", anyURL()),
		Category:    orNil(anyCategories(0, 32).Draw(t, "category")),
		AreaServed:  orNil(rapid.SliceOfNDistinct(anyArea(), 0, 4, rapid.ID[record.Area]).Draw(t, "areaServed")),
		Markets:     orNil(rapid.SliceOfNDistinct(anyMarket(), 0, 4, rapid.ID[string]).Draw(t, "markets")),
		Terms:       orNil(anyTermsRefs(0, 8).Draw(t, "terms")),
		NextKey:     Bytes32(fmt.Sprint(rapid.Uint64().Draw(t, "nextKey"))),
		Previous:    maybe(t, "previous", anyLink()),
		ReplyTo:     anyReplyTo().Draw(t, "replyTo"),
	}
}

func offerAt(t *rapid.T, at int64) *record.Offer {
	b := &record.Offer{
		Deal:          anyDeal(t),
		Number:        rapid.Int64Range(1, 1000).Draw(t, "number"),
		Description:   maybe(t, "description", anyText(500, true)),
		ItemOffered:   rapid.SliceOfN(rapid.Custom(offerItem), 1, 6).Draw(t, "itemOffered"),
		PriceCurrency: anyCurrency().Draw(t, "priceCurrency"),
		Terms:         anyTermsRef().Draw(t, "terms"),
		ValidUntil:    rapid.Int64Range(at+1, at+protocol.MaxOfferLife).Draw(t, "validUntil"),
		ReplyTo:       anyReplyTo().Draw(t, "replyTo"),
	}
	b.Charges = charges(t)
	b.AvailabilityStarts, b.AvailabilityEnds = availability(t)
	b.DeliveryWindow = maybePointer(t, "deliveryWindow", rapid.Custom(func(t *rapid.T) record.DeliveryWindow {
		starts := rapid.Int64Range(0, protocol.MaxTime).Draw(t, "starts")
		return record.DeliveryWindow{Starts: starts, Ends: rapid.Int64Range(starts, protocol.MaxTime).Draw(t, "ends")}
	}))
	b.ReturnPolicy = maybePointer(t, "returnPolicy", rapid.Custom(returnPolicy))
	b.TaxIncluded = maybePointer(t, "taxIncluded", rapid.Bool())
	if b.Number > 1 {
		b.Counter = maybe(t, "counter", anyLink())
	}
	if b.Deal.Round > 1 {
		b.Changes = maybe(t, "changes", anyLink())
	}
	b.TotalPrice = balance(b.ItemOffered, b.Charges)
	return b
}

func returnPolicy(t *rapid.T) record.ReturnPolicy {
	return record.ReturnPolicy{
		Category:    anyReason().Draw(t, "returnPolicyCategory"),
		Days:        maybePointer(t, "merchantReturnDays", rapid.Int64Range(0, protocol.MaxReturnDays)),
		Fees:        maybe(t, "returnFees", anyReason()),
		FeeAmount:   maybePointer(t, "returnFeeAmount", anyAmount()),
		Description: maybe(t, "description", anyText(500, true)),
	}
}

func charges(t *rapid.T) []record.Charge {
	return orNil(rapid.SliceOfN(rapid.Custom(func(t *rapid.T) record.Charge {
		return record.Charge{
			Kind:    rapid.SampledFrom([]string{"tax", "delivery", "fee", "discount", "other"}).Draw(t, "kind"),
			Name:    maybe(t, "name", anyText(200, false)),
			Price:   AnyDecimal().Draw(t, "price"),
			TaxRate: maybePointer(t, "taxRate", anyPercent()),
		}
	}), 0, 4).Draw(t, "charges"))
}

func counterAt(t *rapid.T, at int64) *record.Counter {
	b := &record.Counter{
		Deal:       anyDeal(t),
		Offer:      anyLink().Draw(t, "offer"),
		Reason:     maybe(t, "reason", anyReason()),
		ValidUntil: rapid.Int64Range(at+1, at+protocol.MaxOfferLife).Draw(t, "validUntil"),
	}
	b.AvailabilityStarts, b.AvailabilityEnds = availability(t)
	switch rapid.IntRange(0, 2).Draw(t, "says") {
	case 0:
		b.Description = anyText(500, true).Draw(t, "description")
	case 1:
		total := anyAmount().Draw(t, "totalPrice")
		b.TotalPrice, b.PriceCurrency = &total, anyCurrency().Draw(t, "priceCurrency")
	default:
		b.ItemOffered = rapid.SliceOfN(rapid.Custom(offerItem), 1, 6).Draw(t, "itemOffered")
		b.Charges = charges(t)
		total := balance(b.ItemOffered, b.Charges)
		b.TotalPrice, b.PriceCurrency = &total, anyCurrency().Draw(t, "priceCurrency")
	}
	return b
}

func anySubject(t *rapid.T) record.Subject {
	return record.Subject{Deal: anyDeal(t), Agreement: anyLink().Draw(t, "agreement")}
}

func orderEvent(t *rapid.T) *record.OrderEvent {
	return &record.OrderEvent{
		Subject:     anySubject(t),
		OrderStatus: anyReason().Draw(t, "orderStatus"),
		Occurred:    maybe(t, "occurred", rapid.Int64Range(1, protocol.MaxTime)),
		Description: maybe(t, "description", anyText(500, true)),
		TrackingURL: maybe(t, "trackingUrl", anyURL()),
		Payment: maybePointer(t, "payment", rapid.Custom(func(t *rapid.T) record.Payment {
			return record.Payment{
				PriceCurrency: anyCurrency().Draw(t, "priceCurrency"),
				Price:         anyAmount().Draw(t, "price"),
				Method:        maybe(t, "method", anyText(64, false)),
			}
		})),
		Items: orNil(rapid.SliceOfNDistinct(rapid.Int64Range(0, protocol.MaxItems-1), 0, 8, rapid.ID[int64]).Draw(t, "items")),
	}
}

func receipt(t *rapid.T) *record.Receipt {
	b := &record.Receipt{
		Subject:       anySubject(t),
		OrderDate:     rapid.Int64Range(0, protocol.MaxTime).Draw(t, "orderDate"),
		PriceCurrency: anyCurrency().Draw(t, "priceCurrency"),
		Items:         orNil(rapid.SliceOfN(rapid.Custom(offerItem), 0, 6).Draw(t, "items")),
		Identifier:    maybe(t, "identifier", anyText(64, false)),
		PaymentMethod: maybe(t, "paymentMethod", anyText(64, false)),
	}
	if len(b.Items) > 0 {
		b.Charges = charges(t)
		b.TotalPrice = balance(b.Items, b.Charges)
	} else {
		b.TotalPrice = anyAmount().Draw(t, "totalPrice")
	}
	if rapid.Bool().Draw(t, "has seller") {
		b.Seller = &record.Seller{
			LegalName: anyText(200, false).Draw(t, "legalName"),
			TaxID:     maybe(t, "taxID", anyText(64, false)),
			Address:   maybe(t, "address", anyText(500, false)),
		}
	}
	return b
}

func outcome(t *rapid.T) *record.Outcome {
	return &record.Outcome{
		Subject:     anySubject(t),
		Result:      anyReason().Draw(t, "result"),
		Description: maybe(t, "description", anyText(500, true)),
		Measure: orNil(rapid.SliceOfN(rapid.Custom(func(t *rapid.T) record.Measure {
			return record.Measure{
				Name:     anyText(100, false).Draw(t, "name"),
				Value:    AnyDecimal().Draw(t, "value"),
				UnitCode: maybe(t, "unitCode", rapid.StringMatching(`[A-Z0-9]{2,3}`)),
			}
		}), 0, 4).Draw(t, "measure")),
	}
}

func membership(t *rapid.T) *record.Membership {
	b := &record.Membership{
		Salt:             anySalt(t),
		ProgramName:      anyText(200, false).Draw(t, "programName"),
		MembershipNumber: maybe(t, "membershipNumber", anyText(64, false)),
		Supersedes:       maybe(t, "supersedes", anyLink()),
	}
	if rapid.Bool().Draw(t, "has member") {
		b.Member, b.HostingOrganization = anyDID(t, "member"), anyDID(t, "hostingOrganization")
	}
	b.ValidFrom, b.ValidThrough = availability(t)
	return b
}

func transactionHistory(t *rapid.T) *record.TransactionHistory {
	b := &record.TransactionHistory{
		Salt:       anySalt(t),
		Supersedes: maybe(t, "supersedes", anyLink()),
		Transactions: rapid.SliceOfN(rapid.Custom(func(t *rapid.T) record.Transaction {
			entry := record.Transaction{
				Agreement: anyLink().Draw(t, "agreement"),
				OrderDate: maybe(t, "orderDate", rapid.Int64Range(1, protocol.MaxTime)),
				Name:      maybe(t, "name", anyText(200, false)),
				Category:  orNil(anyCategories(0, 8).Draw(t, "category")),
				Receipt:   maybe(t, "receipt", anyLink()),
			}
			if rapid.Bool().Draw(t, "has seller") {
				entry.Seller = anyDID(t, "seller")
			}
			if rapid.Bool().Draw(t, "has totalPrice") {
				total := anyAmount().Draw(t, "totalPrice")
				entry.TotalPrice, entry.PriceCurrency = &total, anyCurrency().Draw(t, "priceCurrency")
			}
			return entry
		}), 1, 4).Draw(t, "transactions"),
	}
	b.PeriodStarts, b.PeriodEnds = availability(t)
	return b
}

func deletionNotice(t *rapid.T) *record.DeletionNotice {
	b := &record.DeletionNotice{
		Intent:      anyLink().Draw(t, "intent"),
		Description: maybe(t, "description", anyText(500, true)),
	}
	if rapid.Bool().Draw(t, "has deal") {
		key := anyDeal(t)
		key.Intent = b.Intent
		b.Deal = &key
	}
	ids := rapid.SliceOfNDistinct(anyLink(), 0, 8, rapid.ID[cid.Cid]).Draw(t, "records")
	for _, id := range ids {
		if rapid.Bool().Draw(t, "erased") {
			b.Erased = append(b.Erased, id)
			continue
		}
		b.Kept = append(b.Kept, record.Kept{
			Record: id,
			Reason: anyReason().Draw(t, "reason"),
			Until:  maybe(t, "until", rapid.Int64Range(1, protocol.MaxTime)),
		})
	}
	return b
}

// balance is the sum of the prices, which it makes 0 where the sum is out of
// range or negative.
func balance(items []record.OfferItem, charges []record.Charge) decimal.Decimal {
	sum, err := (&record.Offer{ItemOffered: items, Charges: charges}).Sum()
	if err != nil || sum.Sign() < 0 {
		for i := range items {
			items[i].Price = decimal.Decimal{}
		}
		for i := range charges {
			charges[i].Price = decimal.Decimal{}
		}
		sum = decimal.Decimal{}
	}
	return sum
}

func offerItem(t *rapid.T) record.OfferItem {
	return record.OfferItem{
		Name:        anyText(100, false).Draw(t, "name"),
		Description: maybe(t, "description", anyText(200, true)),
		Category:    orNil(anyCategories(0, 8).Draw(t, "category")),
		Item:        maybePointer(t, "item", rapid.Int64Range(0, 199)),
		Quantity:    maybePointer(t, "eligibleQuantity", anyQuantity()),
		UnitPrice:   maybePointer(t, "unitPrice", AnyDecimal()),
		Price:       AnyDecimal().Draw(t, "price"),
		TaxRate:     maybePointer(t, "taxRate", anyPercent()),
	}
}

func availability(t *rapid.T) (starts, ends int64) {
	starts = maybe(t, "availabilityStarts", rapid.Int64Range(1, protocol.MaxTime))
	ends = maybe(t, "availabilityEnds", rapid.Int64Range(max(1, starts), protocol.MaxTime))
	return starts, ends
}

func anyAsk(t *rapid.T) record.Ask {
	return record.Ask{
		Deal:    anyDeal(t),
		Reason:  anyReason().Draw(t, "reason"),
		ReplyTo: maybePointer(t, "replyTo", anyReplyTo()),
	}
}

func anyDeal(t *rapid.T) record.DealKey {
	return record.DealKey{
		Intent: anyLink().Draw(t, "deal intent"),
		Vendor: NewParty(fmt.Sprintf("vendor %d", rapid.IntRange(0, 3).Draw(t, "vendor"))).DID(),
		Round:  rapid.Int64Range(1, 1000).Draw(t, "round"),
	}
}

// AnyDecimal generates decimals of all lengths.
func AnyDecimal() *rapid.Generator[decimal.Decimal] {
	return rapid.Custom(func(t *rapid.T) decimal.Decimal {
		whole := rapid.StringMatching(`0|[1-9][0-9]{0,14}`).Draw(t, "whole")
		fraction := rapid.StringMatching(`[0-9]{0,4}`).Draw(t, "fraction")
		text := whole
		if fraction = strings.TrimRight(fraction, "0"); fraction != "" {
			text += "." + fraction
		}
		if text != "0" && rapid.Bool().Draw(t, "negative") {
			text = "-" + text
		}
		return decimal.MustParse(text)
	})
}

func anyAmount() *rapid.Generator[decimal.Decimal] {
	return AnyDecimal().Filter(func(d decimal.Decimal) bool { return d.Sign() >= 0 })
}

func anyPercent() *rapid.Generator[decimal.Decimal] {
	return rapid.Map(rapid.StringMatching(`[1-9]?[0-9](\.[1-9])?|100`), decimal.MustParse)
}

func anyDID(t *rapid.T, label string) crypto.DID {
	return NewParty(fmt.Sprintf("vendor %d", rapid.IntRange(0, 3).Draw(t, label))).DID()
}

func anySalt(t *rapid.T) (salt [32]byte) {
	if rapid.Bool().Draw(t, "has salt") {
		salt = Bytes32(fmt.Sprint(rapid.Uint64().Draw(t, "salt")))
	}
	return salt
}

func anyURL() *rapid.Generator[string] {
	return rapid.StringMatching(`https://[a-z]{1,20}\.example(:[0-9]{1,5})?(/[a-z?=]{0,20})?`)
}

func anyQuantity() *rapid.Generator[record.QuantitativeValue] {
	return rapid.Custom(func(t *rapid.T) record.QuantitativeValue {
		return record.QuantitativeValue{
			Value:    AnyDecimal().Filter(func(d decimal.Decimal) bool { return d.Sign() > 0 }).Draw(t, "value"),
			UnitCode: rapid.StringMatching(`[A-Z0-9]{2,3}`).Draw(t, "unitCode"),
		}
	})
}

func anyArea() *rapid.Generator[record.Area] {
	return rapid.Custom(func(t *rapid.T) record.Area {
		return record.Area{
			AddressCountry:  rapid.StringMatching(`[A-Z]{2}`).Draw(t, "addressCountry"),
			AddressRegion:   maybe(t, "addressRegion", anyText(100, false)),
			AddressLocality: maybe(t, "addressLocality", anyText(100, false)),
			PostalCode:      maybe(t, "postalCode", anyText(16, false)),
		}
	})
}

func anyReplyTo() *rapid.Generator[record.ReplyTo] {
	return rapid.Custom(func(t *rapid.T) record.ReplyTo {
		party := NewParty(fmt.Sprintf("party %d", rapid.IntRange(0, 3).Draw(t, "recipient")))
		suite := rapid.SampledFrom([]crypto.Suite{crypto.SuiteX25519, crypto.SuiteX25519, crypto.SuiteMLKEM768X25519}).Draw(t, "suite")
		reply := party.ReplyToSuite(t, suite)
		reply.Mailboxes = nil
		for i := range rapid.IntRange(0, protocol.MaxMailboxes).Draw(t, "mailboxes") {
			reply.Mailboxes = append(reply.Mailboxes, MailboxAddress(fmt.Sprintf("mailbox %d", i)))
		}
		return reply
	})
}

func anyTermsRef() *rapid.Generator[record.TermsRef] {
	return rapid.OneOf(
		rapid.Map(anyRoster(), func(id string) record.TermsRef { return record.TermsRef{Roster: id} }),
		rapid.Map(anyLink(), func(id cid.Cid) record.TermsRef { return record.TermsRef{Record: id} }),
	)
}

func anyTermsRefs(least, most int) *rapid.Generator[[]record.TermsRef] {
	return rapid.SliceOfNDistinct(anyTermsRef(), least, most, rapid.ID[record.TermsRef])
}

func anyCategories(least, most int) *rapid.Generator[[]string] {
	return rapid.SliceOfNDistinct(rapid.StringMatching(`[a-z][a-z0-9-]{0,15}:[A-Za-z0-9._-]{1,64}`), least, most, rapid.ID[string])
}

func anyMarket() *rapid.Generator[string] {
	return rapid.StringMatching(`[a-z0-9]{1,8}(-[a-z0-9]{1,8})?(/[a-z0-9]{1,8}(-[a-z0-9]{1,8})?)?`)
}

func anyLanguage() *rapid.Generator[string] {
	return rapid.StringMatching(`[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8}){0,2}`)
}

func anyRoster() *rapid.Generator[string] {
	return rapid.StringMatching(`[A-Z][A-Z0-9]{0,7}(-[A-Z0-9]{1,7}){0,3}`)
}

func anyCurrency() *rapid.Generator[string] { return rapid.StringMatching(`[A-Z]{3}`) }

func anyReason() *rapid.Generator[string] {
	return rapid.StringMatching(`[a-z][a-z0-9]{0,9}(_[a-z0-9]{1,9}){0,2}`)
}

// anyLink generates IDs of records, now and then the same one.
func anyLink() *rapid.Generator[cid.Cid] {
	return rapid.Map(rapid.Uint16(), func(n uint16) cid.Cid { return codec.Sum([]byte(fmt.Sprint("block ", n))) })
}

// anyText generates text of 1 to most bytes; long text may have line breaks.
func anyText(most int, long bool) *rapid.Generator[string] {
	runes := []rune{'a', ' ', '<', '"', '\\', 'ß', '水', '🥬'}
	if long {
		runes = append(runes, '\n', '\t')
	}
	tables := []*unicode.RangeTable{unicode.L, unicode.N, unicode.P, unicode.S, unicode.Zs}
	return rapid.StringOfN(rapid.RuneFrom(runes, tables...), 1, min(most, 60), most)
}

// anyExtension generates maps of anything that the codec takes, not empty.
func anyExtension(null bool) *rapid.Generator[map[string]any] {
	return rapid.MapOfN(anyText(64, false), AnyValue(4, null), 1, 4)
}

// anyOpaqueFields generates the fields of a body without a description, nil for
// none.
func anyOpaqueFields() *rapid.Generator[map[string]any] {
	return rapid.OneOf(
		rapid.Just(map[string]any(nil)),
		rapid.MapOfN(rapid.StringMatching(`field-[a-z]{1,8}`), AnyValue(4, false), 1, 5),
	)
}

// AnyValue generates whatever the codec takes, in up to depth arrays and maps;
// null only where allowed.
func AnyValue(depth int, null bool) *rapid.Generator[any] {
	gens := []*rapid.Generator[any]{
		rapid.Bool().AsAny(),
		rapid.Int64().AsAny(),
		rapid.String().AsAny(),
		rapid.SliceOfN(rapid.Byte(), 0, 40).AsAny(),
		anyLink().AsAny(),
	}
	if null {
		gens = append(gens, rapid.Just[any](nil))
	}
	if depth > 0 {
		inner := rapid.Deferred(func() *rapid.Generator[any] { return AnyValue(depth-1, null) })
		gens = append(gens,
			rapid.SliceOfN(inner, 0, 4).AsAny(),
			rapid.MapOfN(rapid.String(), inner, 0, 4).AsAny())
	}
	return rapid.OneOf(gens...)
}

// maybe draws a value, or the zero value for absent.
func maybe[T any](t *rapid.T, label string, g *rapid.Generator[T]) (value T) {
	if rapid.Bool().Draw(t, "has "+label) {
		value = g.Draw(t, label)
	}
	return value
}

// maybePointer draws a pointer to a value, or nil for absent.
func maybePointer[T any](t *rapid.T, label string, g *rapid.Generator[T]) *T {
	if !rapid.Bool().Draw(t, "has "+label) {
		return nil
	}
	value := g.Draw(t, label)
	return &value
}

// orNil is nil for an empty list, as in what Parse returns.
func orNil[T any](list []T) []T {
	if len(list) == 0 {
		return nil
	}
	return list
}
