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
// its texts, and for each key and value the longest head that they may have.
func size(intent *record.Intent) int {
	const entry = 32 // key with its head, head of the value, numbers and units
	n := 16*entry + len(intent.Name) + len(intent.Description) + categories(intent.Category) + area(intent.AreaServed)
	for _, id := range intent.Identifier {
		n += entry + len(id.PropertyID) + len(id.Value)
	}
	for _, item := range intent.ItemOffered {
		n += 5*entry + len(item.Name) + len(item.Description) + categories(item.Category) + area(item.AreaServed)
	}
	return n
}

func categories(list []string) int {
	n := 0
	for _, category := range list {
		n += 3 + len(category)
	}
	return n
}

func area(a *record.Area) int {
	if a == nil {
		return 0
	}
	return 4*20 + len(a.AddressCountry) + len(a.AddressRegion) + len(a.AddressLocality) + len(a.PostalCode)
}
