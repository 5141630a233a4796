package desk

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/parley-protocol/parley/crypto"
	"github.com/parley-protocol/parley/node/book"
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

// sellerNames are the keys of one seller, as far as its proven moves are known
// here: the one that is asked for, those before it, the nearest first, and those
// after it.
func (d *Desk) sellerNames(did crypto.DID) []crypto.DID {
	names := []crypto.DID{did}
	for len(names) <= maxMoves {
		m, ok := d.MoveOf(names[len(names)-1])
		if !ok || !m.Proven || slices.Contains(names, m.From) {
			break
		}
		names = append(names, m.From)
	}
	for later := did; len(names) <= maxMoves; {
		next, ok := d.movedTo(later)
		if !ok || slices.Contains(names, next) {
			break
		}
		names, later = append(names, next), next
	}
	return names
}

// movedTo is the key that a seller's key has promised and that has presented
// itself.
func (d *Desk) movedTo(did crypto.DID) (crypto.DID, bool) {
	for by := range d.book.Settings(settingMoved) {
		if m, ok := d.MoveOf(crypto.DID(by)); ok && m.Proven && m.From == did {
			return crypto.DID(by), true
		}
	}
	return "", false
}

// maxMoves bounds the moves that are noted of sellers with whom the person has
// nothing to do: anybody can sign profiles that cite others.
const maxMoves = 256

// knows tells whether the person has to do with a seller: there is a name or
// a block, a deal, or a request that was sealed to it.
func (d *Desk) knows(seller crypto.DID) bool {
	if slices.ContainsFunc(d.Contacts(), func(c Contact) bool { return c.DID == seller }) ||
		slices.ContainsFunc(d.book.Deals(), func(dl *book.Deal) bool { return dl.Key.Vendor == seller }) {
		return true
	}
	return slices.ContainsFunc(d.book.Intents(), func(in *book.Intent) bool {
		return in.Own && slices.Contains(d.book.SealedTo(in.Record.ID()), seller)
	})
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
	if !d.knows(from) && len(d.book.Settings(settingMoved)) >= maxMoves {
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
