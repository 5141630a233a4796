package desk

import (
	"context"
	"sync"

	"golang.org/x/time/rate"

	"github.com/parley-protocol/parley/node/failpoint"
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

// announce brings an own public record to a market.
func (d *Desk) announce(ctx context.Context, market string, rec *record.Record) {
	if rec.CheckTime(d.now()) != nil || rec.Type() == protocol.TypeIntent && d.Gone(rec) {
		return
	}
	if rec.Type() == protocol.TypeProfile {
		if cur := d.book.Profile(); cur != nil && cur.ID() != rec.ID() {
			return
		}
	}
	d.announceTerms(ctx, rec)
	frame := record.EncodeFrame(rec.Raw(), nil)
	// After a restart others have it already and ignore it: nothing is lost.
	failpoint.Hit("desk/before-publish")
	err := d.gossip.Publish(ctx, market, frame)
	failpoint.Hit("desk/after-publish")
	if err != nil && ctx.Err() == nil {
		d.cfg.Log.Warn("a record could not be published; nodes that join the market ask for it", "market", market, "error", err)
	}
}
