package desk

import (
	"context"

	"github.com/ipfs/go-cid"

	"github.com/parley-protocol/parley/node/book"
	"github.com/parley-protocol/parley/node/ingest"
	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/record"
)

// DealRecords are the records of an own deal in all its rounds, with its intent,
// what both sides have said since, and the terms in somebody's own words that
// are cited, for its proof.
func (d *Desk) DealRecords(id cid.Cid) (*book.Deal, []*record.Record, error) {
	dl, ok := d.book.Deal(id)
	if !ok {
		return nil, nil, protocol.Errorf(protocol.CodeNotFound, "deal", "there is no deal with the ID %s", id)
	}
	recs := []*record.Record{dl.Intent.Record}
	for _, round := range rounds(d.book.DealsOf(dl.Key.Intent), dl.Key) {
		for _, rec := range round.All() {
			recs = append(append(recs, rec), d.citedTerms(rec)...)
		}
		recs = append(recs, round.After...)
	}
	return dl, recs, nil
}

// Import keeps records that came as a file: those of own deals as if they had
// been delivered, intents, profiles and withdrawals as if a market had brought
// them, and everything else, types of others included, as it is. It tells how
// many were new.
func (d *Desk) Import(ctx context.Context, recs []*record.Record) (added int, err error) {
	var late error
	for _, rec := range recs {
		if d.book.InLedger(rec.ID()) {
			continue
		}
		isNew, err := d.importOne(ctx, rec, recs)
		if protocol.CodeOf(err) == protocol.CodeExpired {
			late = err // an old archive has what is past, and what is not
			continue
		}
		if err != nil {
			return added, err
		}
		if isNew {
			added++
		}
	}
	if added == 0 {
		return 0, late
	}
	return added, nil
}

func (d *Desk) importOne(ctx context.Context, rec *record.Record, all []*record.Record) (bool, error) {
	switch body := rec.Body().(type) {
	case *record.Intent:
		if d.ownIntentOf(rec) {
			return true, d.findOwn(ctx, rec)
		}
		return d.view(ctx, rec)
	case *record.Profile:
		if d.ours(rec.Header().By) {
			return d.importProfile(ctx, rec)
		}
		return d.view(ctx, rec)
	case *record.Withdrawal:
		if _, ok := d.book.Intent(body.Intent); ok {
			return true, d.takeWithdrawal(ctx, rec, body)
		}
		return d.view(ctx, rec)
	}
	if key, ok := rec.Deal(); ok {
		if in, ok := d.book.Intent(key.Intent); ok && !in.Waiting && (in.Own || d.ours(key.Vendor) && rec.Header().By != key.Vendor) {
			return true, d.takeInDeal(ctx, []*record.Record{rec})
		}
		if d.ours(key.Vendor) {
			if taken, err := d.importOwn(ctx, key, rec, all); taken || err != nil {
				return taken, err
			}
		}
	}
	return true, d.book.Update(ctx, rec.ID(), func(tx *book.Tx) error {
		tx.Keep(rec)
		return nil
	})
}

// view keeps a public record beside those that the markets brought.
func (d *Desk) view(ctx context.Context, rec *record.Record) (bool, error) {
	if err := rec.CheckTime(d.now()); err != nil {
		return false, err
	}
	has, err := d.store.Has(ctx, rec.ID())
	if err != nil || has {
		return false, err
	}
	return true, d.Arrive(ctx, []ingest.Arrival{{Record: rec, Market: rec.Market()}})
}
