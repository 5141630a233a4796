package book

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"time"

	"github.com/ipfs/go-cid"

	"github.com/parley-protocol/parley/node/failpoint"
	"github.com/parley-protocol/parley/node/keyring"
	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/deal"
)

// Tombstone is what stays of a deal or an intent that was erased, so that nothing
// is ever signed again for it. It holds no word of it, and not its ID but that
// one's hash.
type Tombstone struct {
	Of      [32]byte   // see [ErasedHash]
	Kind    string     // record type of what was erased: "intent", or "" for a deal
	Role    Role       // of this side
	Phase   deal.Phase // the deal's
	Decided string     // type of the record that decided it; empty: nobody had
	At      int64      // when it was erased

	keys []keyring.KeyID // to be destroyed: the deal key, and the sealing seeds of its addresses
}

// ErasedHash is the hash under which a tombstone knows a deal or an intent.
func ErasedHash(id cid.Cid) [32]byte {
	return sha256.Sum256(append([]byte("parley/1/erased\x00"), id.Bytes()...))
}

func (t Tombstone) encode(m map[string]any) {
	keys := make([]any, len(t.keys))
	for i, id := range t.keys {
		keys[i] = id[:]
	}
	m["of"], m["what"], m["role"], m["phase"] = t.Of[:], t.Kind, string(t.Role), string(t.Phase)
	m["decided"], m["at"], m["keys"] = t.Decided, t.At, keys
}

func decodeTombstone(m map[string]any) (t Tombstone, err error) {
	bad := fmt.Errorf("ledger entry: what was erased can't be told")
	of, _ := m["of"].([]byte)
	keys, ok := m["keys"].([]any)
	if !ok || len(of) != len(t.Of) {
		return t, bad
	}
	copy(t.Of[:], of)
	t.Kind, _ = m["what"].(string)
	role, _ := m["role"].(string)
	phase, _ := m["phase"].(string)
	t.Role, t.Phase = Role(role), deal.Phase(phase)
	t.Decided, _ = m["decided"].(string)
	t.At, _ = m["at"].(int64)
	for _, k := range keys {
		b, _ := k.([]byte)
		if len(b) != len(keyring.KeyID{}) {
			return t, bad
		}
		t.keys = append(t.keys, keyring.KeyID(b))
	}
	return t, nil
}

// Erased is what the book has forgotten.
type Erased struct {
	ID      cid.Cid // of the deal or the intent
	Records []cid.Cid
	Tokens  [][32]byte // one's own addresses that were for it
}

// Erase adds the erasure of a deal or of the update's intent: when the update is
// on disk, its keys are destroyed, and the book has forgotten it. An intent
// can't be erased while it has deals that aren't, within the same update or
// before. Entries that were written before entries were sealed can't be: the
// code is not_supported then.
func (tx *Tx) Erase(id cid.Cid, t Tombstone) error {
	b := tx.book
	b.mu.RLock()
	defer b.mu.RUnlock()
	b.sealer.mu.Lock()
	key := b.sealer.of[id]
	b.sealer.mu.Unlock()
	t.Of, t.keys = ErasedHash(id), nil
	if key != (keyring.KeyID{}) {
		t.keys = append(t.keys, key)
	}
	for _, e := range b.entries {
		switch {
		case e.dealKey == key && key != (keyring.KeyID{}):
			if e.seed != (keyring.KeyID{}) {
				t.keys = append(t.keys, e.seed)
			}
		case scopeOf(e.rec, cid.Undef) == id:
			return protocol.Errorf(protocol.CodeNotSupported, "", "its records were written down by a version of the program that had no keys for single deals")
		}
	}
	slices.SortFunc(t.keys, func(x, y keyring.KeyID) int { return slices.Compare(x[:], y[:]) })
	tx.entries = append(tx.entries, entry{kind: kindErased, tombstone: t, topic: id})
	return nil
}

// refuseErased refuses what would be written down for something that was erased.
// A notice of what was erased isn't.
func (b *Book) refuseErased(es []entry) error {
	b.mu.RLock()
	defer b.mu.RUnlock()
	for _, e := range es {
		if e.kind != kindRecord {
			continue
		}
		if t, ok := b.erased[ErasedHash(scopeOf(e.rec, e.topic))]; ok {
			return protocol.Errorf(protocol.CodeErased, "", "what this %s belongs to was erased here on %s",
				e.rec.Type(), time.Unix(t.At, 0).UTC().Format(time.DateOnly))
		}
	}
	return nil
}

// bury forgets a deal or an intent that was erased; the caller holds mu.
func (b *Book) bury(id cid.Cid, t Tombstone) Erased {
	out := Erased{ID: id}
	dead := map[keyring.KeyID]bool{}
	for _, key := range t.keys {
		dead[key] = true
	}
	for rec, e := range b.entries {
		if !dead[e.dealKey] {
			continue
		}
		out.Records = append(out.Records, rec)
		delete(b.entries, rec)
		if rt, ok := e.rec.ReplyTo(); ok && e.own {
			out.Tokens = append(out.Tokens, rt.Token)
			delete(b.tokens, rt.Token)
		}
	}
	b.order = slices.DeleteFunc(slices.Clone(b.order), func(rec cid.Cid) bool {
		_, kept := b.entries[rec]
		return !kept
	})
	for d := range b.receipts {
		if _, kept := b.entries[d.Record]; !kept {
			delete(b.receipts, d)
		}
	}
	if d := b.deals[id]; d != nil {
		for _, rec := range d.Inbox {
			out.Records = append(out.Records, rec.ID())
			delete(b.waiting, rec.ID())
		}
		b.forget(d)
	}
	delete(b.intents, id)
	delete(b.introduced, id)
	b.erased[t.Of] = t
	b.sealer.forget(id)
	return out
}

// finish destroys the keys of what was erased. The tombstone is on disk: if the
// program dies in between, the next start does it.
func (b *Book) finish(ctx context.Context, es []entry) error {
	var keys []keyring.KeyID
	for _, e := range es {
		keys = append(keys, e.tombstone.keys...)
	}
	if len(keys) == 0 {
		return nil
	}
	failpoint.Hit("book/before-destroy")
	if err := b.sealer.keys.Destroy(context.WithoutCancel(ctx), keys...); err != nil {
		return fmt.Errorf("it is erased, but its keys could not be destroyed yet; the next start does that: %w", err)
	}
	failpoint.Hit("book/after-destroy")
	return nil
}

// Tombstone tells what stayed of a deal or an intent that was erased.
func (b *Book) Tombstone(id cid.Cid) (Tombstone, bool) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	t, ok := b.erased[ErasedHash(id)]
	return t, ok
}

// Erasures is how many deals and intents were erased.
func (b *Book) Erasures() int {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return len(b.erased)
}
