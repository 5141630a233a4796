package ocds

import (
	"strings"

	"github.com/parley-protocol/parley/protocol/decimal"
	"github.com/parley-protocol/parley/protocol/draft"
	"github.com/parley-protocol/parley/protocol/record"
)

// budget reads tender.value as the most and tender.minValue as the least that
// the buyer expects to pay. It answers nil when neither can be used.
func budget(tender draft.Node, notes *draft.Notes) *record.PriceSpecification {
	most, mostCurrency := amount(tender.Get("value"), notes)
	least, leastCurrency := amount(tender.Get("minValue"), notes)
	switch {
	case most == nil && least == nil:
		return nil
	case most == nil:
		return &record.PriceSpecification{PriceCurrency: leastCurrency, MinPrice: least}
	case least != nil && leastCurrency != mostCurrency:
		notes.Addf("tender.minValue", "the least value was left out: it is in %s and the value in %s", leastCurrency, mostCurrency)
		least = nil
	case least != nil && least.Cmp(*most) > 0:
		notes.Addf("tender.minValue", "the least value, %s, was left out: it is above the value, %s", least, most)
		least = nil
	}
	return &record.PriceSpecification{PriceCurrency: mostCurrency, MinPrice: least, MaxPrice: most}
}

// amount reads an OCDS value: an amount above zero with its currency.
func amount(value draft.Node, notes *draft.Notes) (*decimal.Decimal, string) {
	sum, ok := value.Get("amount").Decimal()
	if !ok {
		return nil, ""
	}
	if sum.Sign() <= 0 {
		notes.Addf(value.Path(), "a value of %s says nothing and was left out", sum)
		return nil, ""
	}
	currency := strings.ToUpper(value.Get("currency").Line(16))
	if !draft.IsCurrency(currency) {
		notes.Addf(value.Path(), "the value %s was left out: %q is not a currency code", sum, currency)
		return nil, ""
	}
	return &sum, currency
}

// period is when the contract runs: the tender's own period, or from the first
// to the last day of its lots.
func period(tender draft.Node, now int64, notes *draft.Notes) (starts, ends int64) {
	own := tender.Get("contractPeriod")
	if own.Exists() {
		return draft.Availability(own.Get("startDate").Time(false), own.Get("endDate").Time(true), now, own.Path(), notes)
	}
	for _, lot := range tender.Get("lots").List() {
		lotPeriod := lot.Get("contractPeriod")
		if first := lotPeriod.Get("startDate").Time(false); first != 0 && (starts == 0 || first < starts) {
			starts = first
		}
		ends = max(ends, lotPeriod.Get("endDate").Time(true))
	}
	return draft.Availability(starts, ends, now, "tender.lots", notes)
}
