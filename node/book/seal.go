package book

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"sync"

	"github.com/ipfs/go-cid"

	"github.com/parley-protocol/parley/node/keyring"
	"github.com/parley-protocol/parley/node/spool"
	"github.com/parley-protocol/parley/node/vault"
	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/codec"
	"github.com/parley-protocol/parley/protocol/record"
)

// Keys seal what the book holds: what belongs to one deal or one intent under a
// key of its own, so that it can be erased by destroying the key, and the rest
// under the home's.
type Keys interface {
	// Key is the home's key for one use.
	Key(use string) vault.Key
	// TakeDealKey gives out a key that nobody has had; it is on disk already.
	TakeDealKey(ctx context.Context) (keyring.KeyID, vault.Key, error)
	DealKey(id keyring.KeyID) (vault.Key, error)
	// MarkUsed keeps keys from being given out again.
	MarkUsed(ids ...keyring.KeyID)
	// Destroy returns when the keys are on no disk of this home any more.
	Destroy(ctx context.Context, ids ...keyring.KeyID) error
}

// A sealed entry is a DAG-CBOR map: v is 2, kind is the entry's, key is the ID of
// the deal key (absent: the home's), and box holds the entry's map of version 1,
// which had no v and no box around it.
const sealedVersion = 2

// errKeyGone means that an entry's key isn't in the keyring: it was destroyed,
// or it is lost.
var errKeyGone = errors.New("its key is gone")

// sealer seals and opens entries. Its map of keys has a lock of its own.
type sealer struct {
	keys  Keys
	home  vault.Key // of entries that belong to no deal or intent
	inbox vault.Key

	mu sync.Mutex
	of map[cid.Cid]keyring.KeyID // by deal or intent
}

func newSealer(keys Keys) *sealer {
	return &sealer{keys: keys, home: keys.Key("ledger"), inbox: keys.Key("inbox"), of: map[cid.Cid]keyring.KeyID{}}
}

// scopeOf is the deal or the intent that a record belongs to, and is erased
// with; undefined for what belongs to none. intent is the one that it was written
// down for, if that is known.
func scopeOf(rec *record.Record, intent cid.Cid) cid.Cid {
	if key, ok := rec.Deal(); ok {
		return key.ID()
	}
	if s, ok := rec.FollowsUp(); ok {
		return s.Deal.ID()
	}
	switch rec.Type() {
	case protocol.TypeProfile:
		return cid.Undef
	case protocol.TypeDeletionNotice:
		return rec.ID() // it outlives what it is about
	}
	if intent.Defined() {
		return intent
	}
	return topic(rec)
}

// note remembers under which key a deal or an intent is.
func (s *sealer) note(e entry) {
	if e.kind != kindRecord || e.dealKey == (keyring.KeyID{}) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if scope := scopeOf(e.rec, cid.Undef); scope.Defined() {
		s.of[scope] = e.dealKey
	}
}

// keyFor is the key of an entry that is to be written: that of its deal or
// intent, a new one if it has none.
func (s *sealer) keyFor(ctx context.Context, e *entry) (vault.Key, error) {
	if e.kind == kindRecord {
		if scope := scopeOf(e.rec, e.topic); scope.Defined() {
			s.mu.Lock()
			id, ok := s.of[scope]
			s.mu.Unlock()
			if !ok {
				var key vault.Key
				var err error
				if id, key, err = s.keys.TakeDealKey(ctx); err != nil {
					return vault.Key{}, err
				}
				s.mu.Lock()
				s.of[scope], e.dealKey = id, id // updates of one scope come one after the other
				s.mu.Unlock()
				return key, nil
			}
			e.dealKey = id
		}
	}
	if e.dealKey == (keyring.KeyID{}) {
		return s.home, nil
	}
	return s.keys.DealKey(e.dealKey)
}

// forget drops what is known of a scope that was erased.
func (s *sealer) forget(scope cid.Cid) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.of, scope)
}

func sealContext(kind string, id keyring.KeyID) []byte {
	return append(append([]byte("parley/1/ledger-entry\x00"+kind), 0), id[:]...)
}

// seal is the payload of an entry; it notes the entry's key.
func (s *sealer) seal(ctx context.Context, e *entry) ([]byte, error) {
	key, err := s.keyFor(ctx, e)
	if err != nil {
		return nil, err
	}
	plain, err := e.encode()
	if err != nil {
		return nil, err
	}
	m := map[string]any{"v": int64(sealedVersion), "kind": e.kind, "box": key.Seal(sealContext(e.kind, e.dealKey), plain)}
	if e.dealKey != (keyring.KeyID{}) {
		m["key"] = e.dealKey[:]
	}
	return codec.Message().Encode(m)
}

// open reads a payload. With errKeyGone the entry has no more than its kind and
// its key.
func (s *sealer) open(payload []byte) (entry, error) {
	m, err := decodeMap(payload)
	if err != nil {
		return entry{}, err
	}
	version, sealed := m["v"].(int64)
	if !sealed {
		return decodeEntry(payload)
	}
	if version != sealedVersion {
		return entry{}, fmt.Errorf("ledger entry of version %d: it was written by a newer program", version)
	}
	e := entry{}
	e.kind, _ = m["kind"].(string)
	box, _ := m["box"].([]byte)
	key := s.home
	if id, ok := m["key"].([]byte); ok {
		if len(id) != len(e.dealKey) {
			return entry{}, fmt.Errorf("ledger entry: the key's ID has %d bytes", len(id))
		}
		e.dealKey = keyring.KeyID(id)
		if key, err = s.keys.DealKey(e.dealKey); err != nil {
			if protocol.CodeOf(err) == protocol.CodeNotFound {
				err = errKeyGone
			}
			return e, err
		}
	}
	plain, err := key.Open(sealContext(e.kind, e.dealKey), box)
	if err != nil {
		return entry{}, fmt.Errorf("ledger entry: %w", err)
	}
	id, kind := e.dealKey, e.kind
	if e, err = decodeEntry(plain); err == nil && e.kind != kind {
		err = fmt.Errorf("ledger entry of kind %q says that it is of kind %q", e.kind, kind)
	}
	e.dealKey = id
	return e, err
}

// The inbox's files are named by a keyed hash, so that their names don't tell
// which intents are this person's.

func (s *sealer) blind(id cid.Cid) (out spool.ID) {
	mac := hmac.New(sha256.New, s.inbox[:])
	mac.Write(digest(id))
	return spool.ID(mac.Sum(nil))
}

// bucket is the inbox folder of a record: one for each intent, so that the
// offers on one can't crowd out those on another, and one for sealed requests.
func (s *sealer) bucket(rec *record.Record) string {
	if key, ok := rec.Deal(); ok {
		id := s.blind(key.Intent)
		return hex.EncodeToString(id[:])
	}
	if !rec.Registered() {
		return "01" // what nobody here can judge takes no room from what they can
	}
	return "00"
}

func inboxContext(id spool.ID) []byte { return append([]byte("parley/1/inbox\x00"), id[:]...) }

func (s *sealer) sealWaiting(rec *record.Record) (spool.ID, []byte) {
	id := s.blind(rec.ID())
	return id, s.inbox.Seal(inboxContext(id), rec.Raw())
}

// openWaiting reads a file of the inbox; clear tells that an earlier version
// wrote it, which didn't seal.
func (s *sealer) openWaiting(id spool.ID, blob []byte) (rec *record.Record, clear bool, err error) {
	if raw, err := s.inbox.Open(inboxContext(id), blob); err == nil {
		rec, err = record.Parse(raw)
		return rec, false, err
	}
	rec, err = record.Parse(blob)
	return rec, true, err
}
