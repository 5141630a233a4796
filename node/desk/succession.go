package desk

import (
	"context"
	"encoding/json"

	"github.com/parley-protocol/parley/crypto"
	"github.com/parley-protocol/parley/node/event"
	"github.com/parley-protocol/parley/node/store"
	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/record"
)

// settingMoved marks a seller's key that came after another one; its value is
// a [Move].
const settingMoved = "moved/"

// Move is what a profile says of the key before.
type Move struct {
	From crypto.DID `json:"from"`
	At   int64      `json:"at"`
	// Proven: the key before had promised this one. Else it is another seller, who
	// says that it is the same.
	Proven bool `json:"proven"`
}

// MoveOf tells whether a seller says that it had another key before.
func (d *Desk) MoveOf(did crypto.DID) (m Move, ok bool) {
	v := d.book.Setting(settingMoved + string(did))
	return m, v != "" && json.Unmarshal([]byte(v), &m) == nil
}

// follow looks whether a profile says that its seller has moved to another key,
// and takes what the person has said of the old key over to the new one. The rule
// is [KEY-15].
func (d *Desk) follow(ctx context.Context, rec *record.Record) error {
	body, by := rec.Body().(*record.Profile), rec.Header().By
	if !body.Previous.Defined() || d.ours(by) {
		return nil
	}
	before, err := d.store.Get(ctx, body.Previous)
	if protocol.CodeOf(err) == protocol.CodeNotFound {
		return nil // nothing can be said about it until it comes
	}
	if err != nil {
		return err
	}
	from := before.Header().By
	if before.Type() != protocol.TypeProfile || from == by {
		return nil
	}
	newest, err := d.newestProfile(ctx, from)
	if err != nil {
		return err
	}
	m := Move{From: from, At: rec.Header().At, Proven: crypto.KeyCommitment(by.PublicKey()) == newest.Body().(*record.Profile).NextKey}
	if old, ok := d.MoveOf(by); ok && old.From == m.From && old.Proven == m.Proven {
		return nil
	}
	text, err := json.Marshal(m)
	if err != nil {
		return err
	}
	if err := d.book.Set(ctx, settingMoved+string(by), string(text)); err != nil {
		return err
	}
	e := event.Event{At: d.cfg.Now(), Kind: event.SellerMoved, Record: rec.ID().String(), Type: rec.Type(), By: string(by),
		Text: "A seller moved to a new key."}
	if !m.Proven {
		e.Text = "A profile says that it is a seller that you know, under a new key, and the old key had not promised this one: take it for a different seller."
	} else if err := d.carryOver(ctx, from, by); err != nil {
		return err
	}
	d.events.Publish(e)
	return nil
}

// carryOver gives the new key the name and the block of the old one.
func (d *Desk) carryOver(ctx context.Context, from, to crypto.DID) error {
	for _, c := range d.Contacts() {
		if c.DID == to {
			return nil // the person has spoken
		}
	}
	for _, c := range d.Contacts() {
		if c.DID != from {
			continue
		}
		// The name leads to the new key; the old one stays blocked if it was.
		if c.Name != "" {
			if err := d.SetContact(ctx, Contact{DID: from, Blocked: c.Blocked}); err != nil {
				return err
			}
		}
		return d.SetContact(ctx, Contact{DID: to, Name: c.Name, Blocked: c.Blocked})
	}
	return nil
}

// followAgain looks at the profiles that cite one of this author, which has only
// come now, or is a newer one.
func (d *Desk) followAgain(ctx context.Context, rec *record.Record) error {
	for e, err := range d.store.Query(ctx, store.Filter{Types: []string{protocol.TypeProfile}, Cites: rec.ID(), Order: store.Newest, Limit: 16}) {
		if err != nil {
			return err
		}
		if err := d.follow(ctx, e.Record); err != nil {
			return err
		}
	}
	return nil
}
