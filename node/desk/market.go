package desk

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"sort"

	"github.com/ipfs/go-cid"
	"github.com/multiformats/go-multihash"

	"github.com/parley-protocol/parley/crypto"
	"github.com/parley-protocol/parley/node/event"
	"github.com/parley-protocol/parley/node/ingest"
	"github.com/parley-protocol/parley/node/network"
	"github.com/parley-protocol/parley/node/store"
	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/reconcile"
	"github.com/parley-protocol/parley/protocol/record"
)

// The settings that the desk keeps in the book.
const (
	settingMarket  = "market/"
	settingContact = "contact/"
)

// JoinMarket takes part in a market's gossip, now and after every start.
func (d *Desk) JoinMarket(ctx context.Context, market string) error {
	if !network.ValidMarket(market) {
		return &protocol.Error{Code: protocol.CodeBadField, Field: "market", Detail: "a market's name is one or two words of small letters, digits and hyphens, as in home/plumbing",
			Hint: "parley market list"}
	}
	if d.book.Setting(settingMarket+market) == "" {
		if err := d.book.Set(ctx, settingMarket+market, "joined"); err != nil {
			return err
		}
	}
	return d.gossip.Join(ctx, market)
}

// LeaveMarket ends that.
func (d *Desk) LeaveMarket(ctx context.Context, market string) error {
	if d.book.Setting(settingMarket+market) == "" {
		return protocol.Errorf(protocol.CodeNotFound, "market", "this node isn't in the market %q", market)
	}
	if err := d.book.Set(ctx, settingMarket+market, ""); err != nil {
		return err
	}
	return d.gossip.Leave(market)
}

// Markets are those that this node takes part in.
func (d *Desk) Markets() []string {
	var out []string
	for m := range d.book.Settings(settingMarket) {
		out = append(out, m)
	}
	sort.Strings(out)
	return out
}

// Arrive takes what the markets brought into the view.
func (d *Desk) Arrive(ctx context.Context, batch []ingest.Arrival) error {
	items := make([]store.Item, len(batch))
	for i, a := range batch {
		items[i] = store.Item{Record: a.Record, Class: store.ClassForeign, Market: a.Market}
	}
	outcomes, err := d.store.Put(ctx, items)
	if err != nil {
		return err
	}
	for i, a := range batch {
		if outcomes[i] != store.Added || d.book.Own(a.Record.ID()) {
			continue
		}
		switch body := a.Record.Body().(type) {
		case *record.Intent:
			if d.ownIntentOf(a.Record) {
				d.work.add(func(ctx context.Context) {
					if err := d.findOwn(ctx, a.Record); err != nil && ctx.Err() == nil {
						d.cfg.Log.Error("an own request could not be taken back", "error", err)
					}
				})
				continue
			}
			d.publish(a.Record, event.IntentSeen, "Someone asks the market for something.", nil)
		case *record.Withdrawal:
			d.events.Publish(event.Event{At: d.cfg.Now(), Kind: event.IntentWithdrawn, Record: a.Record.ID().String(), Intent: body.Intent.String(),
				Type: a.Record.Type(), By: string(a.Record.Header().By), Text: "A request was withdrawn."})
			if _, ok := d.book.Intent(body.Intent); !ok {
				continue // strangers' withdrawals of strangers' requests: the view has them
			}
			d.work.add(func(ctx context.Context) {
				if err := d.takeWithdrawal(ctx, a.Record, body); err != nil && !errors.Is(err, errRefused) && ctx.Err() == nil {
					d.cfg.Log.Error("a withdrawal could not be kept", "error", err)
				}
			})
		case *record.Writer:
			d.hearWriter(a.Record)
		case *record.Profile:
			d.sendAgain(a.Record.Header().By)
			d.work.add(func(ctx context.Context) {
				if err := errors.Join(d.follow(ctx, a.Record), d.followAgain(ctx, a.Record)); err != nil && ctx.Err() == nil {
					d.cfg.Log.Error("it could not be told whether a seller has moved to another key", "error", err)
				}
			})
			d.publish(a.Record, event.ProfileSeen, "A seller presents itself.", nil)
		}
	}
	return nil
}

// Known tells whether the node has a record already.
func (d *Desk) Known(id cid.Cid) bool {
	if d.book.Has(id) {
		return true
	}
	has, err := d.store.Has(d.ctx, id)
	return err == nil && has
}

// Gone tells whether an intent's author has withdrawn it.
func (d *Desk) Gone(intent *record.Record) bool {
	if in, ok := d.book.Intent(intent.ID()); ok && in.Withdrawal != nil {
		return true
	}
	gone, err := d.store.Withdrawn(d.ctx, intent.ID(), intent.Header().By)
	return err == nil && gone
}

// Live is the set of a market's live records, for a peer that reconciles; without
// what is withheld.
func (d *Desk) Live(ctx context.Context, market string, cutoff int64) (*reconcile.Set, error) {
	set, err := d.store.Live(ctx, market, cutoff)
	if err != nil {
		return nil, err
	}
	hidden := map[reconcile.Item]bool{}
	own := store.Filter{Market: market, Types: gossiped(), Classes: []store.Class{store.ClassOwn}, Live: true, Now: cutoff}
	for e, err := range d.store.Query(ctx, own) {
		if err != nil {
			return nil, err
		}
		if d.withheld(e.Record) {
			at := min(e.Expires, e.Record.Header().RetainUntil)
			hidden[reconcile.Item{Time: uint64(max(0, at)), ID: digestOf(e.Record.ID())}] = false
		}
	}
	if len(hidden) > 0 {
		set = set.With(hidden)
	}
	return set, nil
}

// Frame is that of one of them.
func (d *Desk) Frame(ctx context.Context, market string, cutoff int64, digest [sha256.Size]byte) ([]byte, error) {
	rec, err := d.store.LiveRecord(ctx, market, cutoff, digest)
	if err != nil {
		return nil, err
	}
	if d.withheld(rec) {
		return nil, protocol.Errorf(protocol.CodeNotFound, "", "no market has it yet")
	}
	return record.EncodeFrame(rec.Raw(), nil), nil
}

// Noted tells whether the view has the record with that SHA-256, noted for the
// market. What is withheld counts as not there: that a peer has it is news.
func (d *Desk) Noted(ctx context.Context, market string, digest [sha256.Size]byte) bool {
	has, err := d.store.HasIn(ctx, market, digest)
	if err != nil || !has {
		return false
	}
	rec, own := d.book.Record(idOf(digest))
	return !own || !d.withheld(rec)
}

func digestOf(id cid.Cid) [sha256.Size]byte {
	return [sha256.Size]byte(id.Hash()[len(id.Hash())-sha256.Size:])
}

// idOf is the record's ID with that SHA-256.
func idOf(digest [sha256.Size]byte) cid.Cid {
	hash, err := multihash.Encode(digest[:], multihash.SHA2_256)
	if err != nil {
		return cid.Undef // not reached: the length fits
	}
	return cid.NewCidV1(cid.DagCBOR, hash)
}

// Page is the frames of a market's live records, for a peer that joined later
// and asks for them all; without what is withheld. The cursor is empty at the
// start, and at the end.
func (d *Desk) Page(ctx context.Context, market, cursor string, limit int) (frames [][]byte, next string, err error) {
	f := store.Filter{Market: market, Types: gossiped(), Live: true, Now: d.now(), Cursor: cursor, Limit: limit}
	had := 0
	for e, err := range d.store.Query(ctx, f) {
		if err != nil {
			return nil, "", err
		}
		had++
		next = e.Cursor()
		if !d.withheld(e.Record) {
			frames = append(frames, record.EncodeFrame(e.Record.Raw(), nil))
		}
	}
	if had < limit {
		next = ""
	}
	return frames, next, nil
}

func gossiped() []string {
	var out []string
	for _, t := range protocol.RecordTypes() {
		if t.Gossip {
			out = append(out, t.Name)
		}
	}
	return out
}

// Contact is what the person knows of another author.
type Contact struct {
	DID     crypto.DID `json:"did"`
	Name    string     `json:"name,omitempty"`
	Blocked bool       `json:"blocked"`
}

// SetContact keeps a contact; an empty one forgets it.
func (d *Desk) SetContact(ctx context.Context, c Contact) error {
	if _, err := crypto.ParseDID(string(c.DID)); err != nil {
		return &protocol.Error{Code: protocol.CodeBadKey, Field: "did", Detail: err.Error(), Hint: "a seller's ID starts with did:key:z6Mk; parley id shows one's own"}
	}
	for _, other := range d.Contacts() {
		if c.Name != "" && other.Name == c.Name && other.DID != c.DID {
			return protocol.Errorf(protocol.CodeDuplicate, "name", "the name %q is taken by %s", c.Name, other.DID)
		}
	}
	value := ""
	if c.Name != "" || c.Blocked {
		b, err := json.Marshal(c)
		if err != nil {
			return err
		}
		value = string(b)
	}
	return d.book.Set(ctx, settingContact+string(c.DID), value)
}

// Contacts are all contacts, by name, then DID.
func (d *Desk) Contacts() []Contact {
	var out []Contact
	for did, value := range d.book.Settings(settingContact) {
		c := Contact{}
		if json.Unmarshal([]byte(value), &c) == nil {
			c.DID = crypto.DID(did)
			out = append(out, c)
		}
	}
	sort.Slice(out, func(i, j int) bool {
		if out[i].Name != out[j].Name {
			return out[i].Name < out[j].Name
		}
		return out[i].DID < out[j].DID
	})
	return out
}

// Blocked tells whether the person doesn't want to hear of an author.
func (d *Desk) Blocked(did crypto.DID) bool {
	v := d.book.Setting(settingContact + string(did))
	if v == "" {
		return false
	}
	c := Contact{}
	return json.Unmarshal([]byte(v), &c) == nil && c.Blocked
}
