package book_test

import (
	"context"
	"crypto/rand"
	"sync"

	"github.com/parley-protocol/parley/node/book"
	"github.com/parley-protocol/parley/node/keyring"
	"github.com/parley-protocol/parley/node/ledger"
	"github.com/parley-protocol/parley/node/vault"
	"github.com/parley-protocol/parley/protocol"
)

// drawer is a keyring without a disk.
type drawer struct {
	mu        sync.Mutex
	home      vault.Key
	keys      map[keyring.KeyID]vault.Key
	used      map[keyring.KeyID]bool
	destroyed []keyring.KeyID
	fail      error // of Destroy
}

func newDrawer() *drawer {
	return &drawer{home: vault.NewKey(), keys: map[keyring.KeyID]vault.Key{}, used: map[keyring.KeyID]bool{}}
}

func (d *drawer) Key(use string) vault.Key { return d.home.Derive(use) }

func (d *drawer) TakeDealKey(context.Context) (id keyring.KeyID, key vault.Key, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	rand.Read(id[:])
	d.keys[id] = vault.NewKey()
	return id, d.keys[id], nil
}

func (d *drawer) DealKey(id keyring.KeyID) (vault.Key, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	key, ok := d.keys[id]
	if !ok {
		return key, protocol.Errorf(protocol.CodeNotFound, "", "no key %s", id)
	}
	return key, nil
}

func (d *drawer) MarkUsed(ids ...keyring.KeyID) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, id := range ids {
		d.used[id] = true
	}
}

func (d *drawer) Destroy(_ context.Context, ids ...keyring.KeyID) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.fail != nil {
		return d.fail
	}
	for _, id := range ids {
		if _, had := d.keys[id]; had {
			d.destroyed = append(d.destroyed, id)
		}
		delete(d.keys, id)
	}
	return nil
}

// onDisk is a ledger with the keys that it is under.
type onDisk struct {
	*ledger.Ledger
	keys *drawer
}

// keysOf are the keys of a ledger.
func keysOf(l book.Ledger) *drawer {
	if d, ok := l.(onDisk); ok {
		return d.keys
	}
	if m, ok := l.(*memory); ok {
		m.mu.Lock()
		defer m.mu.Unlock()
		if m.keys == nil {
			m.keys = newDrawer()
		}
		return m.keys
	}
	return newDrawer()
}
