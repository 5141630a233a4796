package book

import (
	"maps"
	"slices"

	"github.com/parley-protocol/parley/protocol/record"
)

// Unanswered are the records of the inbox, in no order.
func (b *Book) Unanswered() []*record.Record {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return slices.Collect(maps.Values(b.waiting))
}
