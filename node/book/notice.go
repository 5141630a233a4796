package book

import (
	"slices"

	"github.com/ipfs/go-cid"

	"github.com/parley-protocol/parley/crypto"
	"github.com/parley-protocol/parley/protocol/record"
)

// SignTo adds an own record that is sealed to somebody at an address that the
// book may not know for long.
func (tx *Tx) SignTo(rec *record.Record, to crypto.DID, at record.ReplyTo) {
	tx.entries = append(tx.entries, entry{kind: kindRecord, rec: rec, own: true, to: []crypto.DID{to}, reply: &at, topic: tx.intent})
}

// AddressFor is the address that [Tx.SignTo] was given for a record.
func (b *Book) AddressFor(id cid.Cid) (record.ReplyTo, bool) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	if at := b.entries[id].reply; at != nil {
		return *at, true
	}
	return record.ReplyTo{}, false
}

// Notices are both sides' deletion notices about an intent and its deals, in the
// order in which they came. They outlive what they are about.
func (b *Book) Notices(intent cid.Cid) []*record.Record {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return slices.Clone(b.notices[intent])
}

func encodeAddress(at *record.ReplyTo) map[string]any {
	boxes := make([]any, len(at.Mailboxes))
	for i, m := range at.Mailboxes {
		boxes[i] = m
	}
	return map[string]any{"suite": int64(at.Suite), "key": at.Key, "token": at.Token[:], "mailboxes": boxes}
}

func decodeAddress(m map[string]any) *record.ReplyTo {
	at := &record.ReplyTo{}
	suite, _ := m["suite"].(int64)
	at.Suite = crypto.Suite(suite)
	at.Key, _ = m["key"].([]byte)
	token, _ := m["token"].([]byte)
	copy(at.Token[:], token)
	boxes, _ := m["mailboxes"].([]any)
	for _, b := range boxes {
		s, _ := b.(string)
		at.Mailboxes = append(at.Mailboxes, s)
	}
	return at
}
