package book

import (
	"slices"

	"github.com/ipfs/go-cid"

	"github.com/parley-protocol/parley/crypto"
	"github.com/parley-protocol/parley/protocol/record"
)

// introduce notes who stands behind an intent's key; the caller holds mu or is
// alone.
func (b *Book) introduce(rec *record.Record) {
	intent := rec.Body().(*record.Introduction).Intent
	b.introduced[intent] = append(without(b.introduced[intent], rec.ID()), rec)
}

// unintroduce forgets one that waited for too long.
func (b *Book) unintroduce(rec *record.Record) {
	intent := rec.Body().(*record.Introduction).Intent
	if b.introduced[intent] = without(b.introduced[intent], rec.ID()); len(b.introduced[intent]) == 0 {
		delete(b.introduced, intent)
	}
}

// SealedTo are those to whom an own record goes beside the other side of its
// deal.
func (b *Book) SealedTo(id cid.Cid) []crypto.DID {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.entries[id].to
}

// Introductions are those of an intent's author, one's own or another's, in the
// order in which they came.
func (b *Book) Introductions(intent cid.Cid) []*record.Record {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return slices.Clone(b.introduced[intent])
}

// Relationships are all introductions by the relationship that they name.
func (b *Book) Relationships() map[crypto.DID][]*record.Record {
	b.mu.RLock()
	defer b.mu.RUnlock()
	out := map[crypto.DID][]*record.Record{}
	for _, recs := range b.introduced {
		for _, rec := range recs {
			did := rec.Body().(*record.Introduction).Relationship
			out[did] = append(out[did], rec)
		}
	}
	return out
}
