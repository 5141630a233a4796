package book

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/parley-protocol/parley/node/keyring"
	"github.com/parley-protocol/parley/node/ledger"
	"github.com/parley-protocol/parley/protocol"
)

// opened is an entry of the ledger, or why it can't be opened.
type opened struct {
	seq   uint64
	entry entry
	err   error
}

// ledgerEntries opens all entries in their order, some hundreds at a time on all
// processors: with most of a start's time spent here, it shows.
func (b *Book) ledgerEntries(ctx context.Context) iter.Seq2[opened, error] {
	return func(yield func(opened, error) bool) {
		const atOnce = 512
		some := make([]ledger.Entry, 0, atOnce)
		flush := func() bool {
			out := make([]opened, len(some))
			var next atomic.Int64
			var work sync.WaitGroup
			for range min(runtime.GOMAXPROCS(0), len(some)) {
				work.Go(func() {
					for i := next.Add(1) - 1; i < int64(len(some)); i = next.Add(1) - 1 {
						e, err := b.sealer.open(some[i].Payload)
						out[i] = opened{some[i].Seq, e, err}
					}
				})
			}
			work.Wait()
			some = some[:0]
			for _, o := range out {
				if !yield(o, nil) {
					return false
				}
			}
			return true
		}
		for raw, err := range b.ledger.All() {
			if err == nil {
				err = ctx.Err()
			}
			if err != nil {
				if flush() {
					yield(opened{}, err)
				}
				return
			}
			if some = append(some, raw); len(some) == atOnce && !flush() {
				return
			}
		}
		flush()
	}
}

// read reads the ledger: its entries without those that were erased.
func (b *Book) read(ctx context.Context) ([]entry, error) {
	var entries []entry
	gone := map[keyring.KeyID]uint64{} // keys that aren't there, by the first entry that wants them
	dead := map[keyring.KeyID]bool{}
	for raw, err := range b.ledgerEntries(ctx) {
		if err != nil {
			return nil, err
		}
		e, err := raw.entry, raw.err
		if err == errKeyGone {
			if _, known := gone[e.dealKey]; !known {
				gone[e.dealKey] = raw.seq
			}
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("ledger entry %d: %w", raw.seq, err)
		}
		if e.kind == kindErased {
			b.erased[e.tombstone.Of] = e.tombstone
			for _, id := range e.tombstone.keys {
				dead[id] = true
			}
		}
		entries = append(entries, e)
	}
	for id, seq := range gone {
		if !dead[id] {
			e := protocol.Errorf(protocol.CodeDamaged, "", "ledger entry %d: its key %s isn't in the keyring, and nobody has destroyed it", seq, id)
			e.Hint = "The keys are older than the ledger: put the folder keys back from a backup that is as new as the ledger."
			return nil, e
		}
	}
	// The last run may have died before this; usually there is nothing to do.
	if len(dead) > 0 {
		if err := b.sealer.keys.Destroy(ctx, slices.Collect(maps.Keys(dead))...); err != nil {
			return nil, err
		}
	}
	entries = slices.DeleteFunc(entries, func(e entry) bool { return dead[e.dealKey] })
	used := map[keyring.KeyID]bool{}
	for _, e := range entries {
		used[e.dealKey], used[e.seed] = true, true
	}
	b.sealer.keys.MarkUsed(slices.Collect(maps.Keys(used))...)
	return entries, nil
}
