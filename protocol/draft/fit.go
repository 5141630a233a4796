package draft

import (
	"github.com/parley-protocol/parley/protocol/record"
)

// room is what a draft may take of a record's 60 KiB, in bytes: it leaves space
// for the header, a large reply key with eight mailboxes, terms and extensions.
const room = 48 << 10

// Fit shortens a draft that is within the limits of each field but too large
// for one record: first the items' descriptions, then their number.
func Fit(intent *record.Intent, notes *Notes) {
	for _, limit := range [...]int{1000, 500, 200, 80, 0} {
		if size(intent) <= room {
			return
		}
		for i := range intent.ItemOffered {
			intent.ItemOffered[i].Description = Cut(intent.ItemOffered[i].Description, limit)
		}
		if limit == 0 {
			notes.Addf("itemOffered", "the descriptions of the %d items were left out: they don't fit into one request", len(intent.ItemOffered))
		} else if size(intent) <= room {
			notes.Addf("itemOffered", "the descriptions of the items were shortened to %d bytes each, to fit into one request", limit)
		}
	}
	all := len(intent.ItemOffered)
	for size(intent) > room && len(intent.ItemOffered) > 1 {
		intent.ItemOffered = intent.ItemOffered[:len(intent.ItemOffered)-1]
	}
	if left := len(intent.ItemOffered); left < all {
		notes.Addf("itemOffered", "only the first %d of %d items fit into one request", left, all)
	}
}

// size bounds from above what the draft's part of a record takes when encoded:
// its texts, the keys, and the longest head that each may have.
func size(intent *record.Intent) int {
	const fixed = 400 // keys of the intent, times, prices, market's key and language
	n := fixed + len(intent.Market) + len(intent.Name) + len(intent.Description) + categories(intent.Category) + area(intent.AreaServed)
	for _, id := range intent.Identifier {
		n += len("propertyID") + len("value") + 8 + len(id.PropertyID) + len(id.Value)
	}
	for _, item := range intent.ItemOffered {
		n += 3 + text("name", item.Name) + text("description", item.Description) + categories(item.Category) + area(item.AreaServed)
		if item.Quantity != nil {
			n += len("eligibleQuantity") + text("value", item.Quantity.Value.String()) + text("unitCode", item.Quantity.UnitCode) + 3
		}
	}
	return n
}

// text is an entry of a map: a short key, a text with a head of up to 3 bytes.
func text(key, value string) int {
	if value == "" {
		return 0
	}
	return 1 + len(key) + 3 + len(value)
}

func categories(list []string) int {
	n := 0
	for _, category := range list {
		n += 2 + len(category)
	}
	if n > 0 {
		n += len("category") + 2
	}
	return n
}

func area(a *record.Area) int {
	if a == nil {
		return 0
	}
	return len("areaServed") + 3 + text("addressCountry", a.AddressCountry) + text("addressRegion", a.AddressRegion) +
		text("addressLocality", a.AddressLocality) + text("postalCode", a.PostalCode)
}
