package desk

import (
	"context"
	"errors"
	"sync"

	"github.com/ipfs/go-cid"
	"golang.org/x/time/rate"

	"github.com/parley-protocol/parley/node/book"
	"github.com/parley-protocol/parley/node/event"
	"github.com/parley-protocol/parley/node/failpoint"
	"github.com/parley-protocol/parley/node/store"
	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/record"
)

// Own records go out no faster than other nodes take them of one peer: after a
// restart there may be thousands.
const (
	announcePerSecond = 100
	announceAtOnce    = 100
)

// announcements are the own records that wait to be published: in each market
// one goes after the other, the newest first, as long as it takes until there is
// anybody in the market.
type announcements struct {
	mu      sync.Mutex
	waiting map[string][]*record.Record // by market, which is there while it is worked off
}

// announceSoon has an own public record brought to its markets.
func (d *Desk) announceSoon(rec *record.Record) {
	markets := []string{rec.Market()}
	if p, ok := rec.Body().(*record.Profile); ok {
		markets = p.Markets
	}
	for _, m := range markets {
		if d.announcements.add(m, rec) {
			d.run(func(ctx context.Context) { d.announceAll(ctx, m) })
		}
	}
}

// add puts a record in line, and tells whether nobody works on the market yet.
func (a *announcements) add(market string, rec *record.Record) (first bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.waiting == nil {
		a.waiting = map[string][]*record.Record{}
	}
	line, busy := a.waiting[market]
	a.waiting[market] = append(line, rec)
	return !busy
}

// next takes the newest of a market out of the line; nil ends the work on it.
func (a *announcements) next(market string) *record.Record {
	a.mu.Lock()
	defer a.mu.Unlock()
	line := a.waiting[market]
	if len(line) == 0 {
		delete(a.waiting, market)
		return nil
	}
	last := len(line) - 1
	rec := line[last]
	line[last] = nil
	a.waiting[market] = line[:last]
	return rec
}

// announceAll works off one market.
func (d *Desk) announceAll(ctx context.Context, market string) {
	pace := rate.NewLimiter(announcePerSecond, announceAtOnce)
	for rec := d.announcements.next(market); rec != nil; rec = d.announcements.next(market) {
		if pace.Wait(ctx) != nil {
			return
		}
		d.announce(ctx, market, rec)
	}
}

// announce brings an own public record to a market: a seller's openly, a
// customer's in a way that doesn't show whose it is, behind the texts that it cites.
func (d *Desk) announce(ctx context.Context, market string, rec *record.Record) {
	wanted := func() bool {
		return rec.CheckTime(d.now()) == nil && d.withheld(rec) && (rec.Type() != protocol.TypeIntent || !d.Gone(rec))
	}
	give := func(frames [][]byte) error { return d.gossip.Whisper(ctx, market, wanted, frames...) }
	recs := append(d.citedTerms(rec), rec)
	if rec.Type() == protocol.TypeProfile {
		wanted = func() bool {
			cur := d.book.Profile()
			return rec.CheckTime(d.now()) == nil && (cur == nil || cur.ID() == rec.ID())
		}
		give = func(frames [][]byte) error { return d.gossip.Publish(ctx, market, frames[0]) }
		recs = []*record.Record{rec}
	}
	if !wanted() {
		if err := d.showTexts(ctx, rec); err != nil && ctx.Err() == nil {
			d.cfg.Log.Error("the view did not take a text", "error", err)
		}
		return
	}
	frames := make([][]byte, len(recs))
	for i, r := range recs {
		frames[i] = record.EncodeFrame(r.Raw(), nil)
	}
	failpoint.Hit("desk/before-publish")
	err := give(frames)
	failpoint.Hit("desk/after-publish")
	if err != nil && ctx.Err() == nil {
		d.cfg.Log.Warn("a record could not be published; nodes that join the market ask for it", "market", market, "error", err)
	}
}

// withheld tells whether a record is a customer's own that no market has shown yet.
// Who asks this node for what it has must not find it: nobody else could have it.
func (d *Desk) withheld(rec *record.Record) bool {
	switch rec.Type() {
	case protocol.TypeIntent, protocol.TypeWithdrawal, protocol.TypeTerms:
		return d.book.Own(rec.ID()) && !d.book.Receipted(book.Delivery{Record: rec.ID(), To: book.Market})
	}
	return false
}

// OnItsWay tells whether an own record is published and no market has shown it yet.
func (d *Desk) OnItsWay(rec *record.Record) bool { return rec.Market() != "" && d.withheld(rec) }

// Spread notes that a market has shown a record: if it is an own one, it has left
// this node, and is not published again. A node that repeats what is old shows that
// it is its own.
func (d *Desk) Spread(id cid.Cid) {
	if rec, ok := d.book.Record(id); !ok || !d.withheld(rec) {
		return
	}
	d.work.add(func(ctx context.Context) {
		rec, ok := d.book.Record(id)
		if !ok || !d.withheld(rec) {
			return
		}
		if err := d.noteSpread(ctx, rec); err != nil {
			if ctx.Err() == nil {
				d.cfg.Log.Error("it could not be written down that a market has a record; it is published again", "error", err)
			}
			return
		}
		d.publish(rec, event.RecordSpread, "The market has it.", nil)
	})
}

// noteSpread writes down that the market has an own record, and so the texts that
// it cites.
func (d *Desk) noteSpread(ctx context.Context, rec *record.Record) error {
	done := []book.Delivery{{Record: rec.ID(), To: book.Market}}
	for _, text := range d.citedTerms(rec) {
		done = append(done, book.Delivery{Record: text.ID(), To: book.Market})
	}
	return errors.Join(d.book.Acknowledge(ctx, done...), d.showTexts(ctx, rec))
}

// showTexts gives the texts that an own record cites to those who ask for what is
// in its market. A text names no market; the view learns it here.
func (d *Desk) showTexts(ctx context.Context, rec *record.Record) error {
	var texts []store.Item
	for _, text := range d.citedTerms(rec) {
		if !d.withheld(text) {
			texts = append(texts, store.Item{Record: text, Class: classOf(d.book.Own(text.ID())), Market: rec.Market()})
		}
	}
	if len(texts) == 0 {
		return nil
	}
	_, err := d.store.Put(ctx, texts)
	return err
}
