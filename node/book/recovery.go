package book

import (
	"context"
	"fmt"
	"iter"

	"github.com/ipfs/go-cid"

	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/record"
)

// Why a side can't trust its own memory of an intent.
type Why string

// The reasons. They are written to disk: never rename one.
const (
	WhyRestored Why = "restored" // the node came back from a backup
	WhyFound    Why = "found"    // an own intent came from outside that the node didn't know
	WhyWriter   Why = "writer"   // a record signed with its key came from outside that it didn't know
)

// recovering tells why this side signs nothing new on an intent, empty when it
// may. After a restore that goes for every intent that is not clearly younger: a
// seller can't tell on which of the others it has made offers since the backup.
func (b *Book) recovering(intent *record.Record) Why {
	if why := b.doubtful[intent.ID()]; why != "" {
		return why
	}
	if in := b.intents[intent.ID()]; in != nil && in.Own {
		return ""
	}
	if b.restoredAt != 0 && intent.Header().At <= b.restoredAt+protocol.MaxClockAhead {
		return WhyRestored
	}
	return ""
}

// Recovering tells why this side signs nothing new on an intent, known or not;
// empty when it may.
func (b *Book) Recovering(intent *record.Record) Why {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.recovering(intent)
}

// RestoredAt is when the node came back from a backup last, in Unix seconds, 0:
// never.
func (b *Book) RestoredAt() int64 {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.restoredAt
}

// doubt takes a recovering entry; the caller holds mu or is alone.
func (b *Book) doubt(e entry, touched map[cid.Cid]bool) {
	mark := func(intent cid.Cid) {
		if b.doubtful[intent] == "" {
			b.doubtful[intent] = e.why
		}
		for _, id := range b.ofIntent[intent] {
			b.dealOf(b.deals[id].Key, touched)
		}
	}
	if e.intent.Defined() {
		mark(e.intent)
		return
	}
	b.restoredAt = max(b.restoredAt, e.at)
	for id := range b.intents {
		mark(id)
	}
	for id := range b.ofIntent {
		mark(id)
	}
}

// Doubt notes, with the update, that this side's memory of the intent is not
// whole. It stays so for good.
func (tx *Tx) Doubt(why Why, at int64) {
	tx.book.mu.RLock()
	known := tx.book.doubtful[tx.intent] != ""
	tx.book.mu.RUnlock()
	for _, e := range tx.entries {
		known = known || e.kind == kindRecovering
	}
	if !known {
		tx.entries = append(tx.entries, entry{kind: kindRecovering, intent: tx.intent, why: why, at: at})
	}
}

// Adopt adds a record that this side had signed and lost, as its own again.
func (tx *Tx) Adopt(rec *record.Record) {
	tx.entries = append(tx.entries, entry{kind: kindRecord, rec: rec, own: true})
}

// Find adds an own intent that came from outside: nothing is known of the sealing
// seed behind it, nor of what was signed on it.
func (tx *Tx) Find(rec *record.Record) {
	tx.entries = append(tx.entries, entry{kind: kindRecord, rec: rec, own: true, found: true})
}

// maxLost bounds how often one recipient can say that it has lost a record.
const maxLost = 16

// Lost notes that recipients don't have these records any more, although they
// had said so. It returns those that are owed again.
func (b *Book) Lost(ctx context.Context, ds ...Delivery) (owed []Delivery, err error) {
	var es []entry
	for _, d := range ds {
		b.mu.RLock()
		receipted, times := b.receipts[d], b.lost[d]
		b.mu.RUnlock()
		if receipted && times < maxLost {
			es, owed = append(es, entry{kind: kindReceipt, receipt: d, lost: true}), append(owed, d)
		}
	}
	return owed, b.append(ctx, es)
}

// Entries are all entries of the ledger in their order, each in the form that
// [Book.Import] takes, whatever the ledger's bytes look like. What is appended
// after the loop has begun isn't among them.
func (b *Book) Entries() iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		for e, err := range b.ledger.All() {
			var payload []byte
			if err == nil {
				var ent entry
				if ent, err = b.sealer.open(e.Payload); err == errKeyGone {
					continue // it was erased
				}
				if err != nil {
					err = fmt.Errorf("ledger entry %d: %w", e.Seq, err)
				} else {
					payload, err = ent.encode()
				}
			}
			if !yield(payload, err) || err != nil {
				return
			}
		}
	}
}

// Import appends entries of another book to this one, in one round. check may
// refuse a record before it is taken; own tells whether it is to be an own one.
func (b *Book) Import(ctx context.Context, check func(rec *record.Record, own bool) error, payloads ...[]byte) error {
	es := make([]entry, len(payloads))
	for i, p := range payloads {
		var err error
		if es[i], err = decodeEntry(p); err != nil {
			return err
		}
		if es[i].kind == kindRecord {
			if err := check(es[i].rec, es[i].own); err != nil {
				return err
			}
		}
	}
	return b.append(ctx, es)
}

// Restored notes that all that is in the book came from a backup: what was signed
// after it is missing.
func (b *Book) Restored(ctx context.Context, at int64) error {
	return b.append(ctx, []entry{{kind: kindRecovering, why: WhyRestored, at: at}})
}

// Waiting are the records in the inbox, with the time until which they wait
// (Unix seconds).
func (b *Book) Waiting(ctx context.Context) iter.Seq2[*record.Record, int64] {
	return func(yield func(*record.Record, int64) bool) {
		for info := range b.inbox.All() {
			blob, err := b.inbox.Get(ctx, info.Bucket, info.ID)
			if err != nil {
				continue // taken or expired meanwhile, or damaged: its sender has it too
			}
			rec, _, err := b.sealer.openWaiting(info.ID, blob)
			if err != nil {
				continue
			}
			if !yield(rec, info.Expires.Unix()) {
				return
			}
		}
	}
}
