package store

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/dgraph-io/badger/v4"

	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/reconcile"
	"github.com/parley-protocol/parley/protocol/record"
)

// Bounds of the live sets in memory.
const (
	maxLiveSets  = 128
	liveUnused   = time.Hour // after which a set is forgotten
	maxLiveDelta = 1 << 14   // changes that wait until the next reader folds them in
)

// gossipTags are the types that are carried in markets.
var gossipTags = func() (tags []tag) {
	for _, t := range protocol.RecordTypes() {
		if t.Gossip {
			tags = append(tags, tagOfText(kindType, t.Name))
		}
	}
	return tags
}()

// liveItem is the row in a market's live set; ok is false if it has no place there.
// The record's time is when it stops being of use: the earlier of its validUntil
// and its retainUntil.
func (r *row) liveItem(d digest, market string) (it reconcile.Item, ok bool) {
	if r.withdrawn || !slices.Contains(r.markets, market) || !slices.ContainsFunc(gossipTags, r.has) {
		return it, false
	}
	return reconcile.Item{Time: uint64(max(0, min(r.expires, r.retain))), ID: d}, true
}

// liveSets are the sets of the markets that have been asked for, kept up with what
// is written.
type liveSets struct {
	mu       sync.Mutex
	byMarket map[string]*liveSet
}

// liveSet is one market's.
type liveSet struct {
	turn  chan struct{} // taken by whoever builds the set
	built bool          // by whoever has the turn

	// Guarded by liveSets.mu.
	set   *reconcile.Set
	delta map[reconcile.Item]bool // what has come since, and what has gone
	used  time.Time
}

// Live is the set of a market's live records whose time is after the cutoff, in
// Unix seconds: those of the types that markets carry, withdrawn intents left out.
// It is as the store was when it was asked, and doesn't change.
//
// A market's first call reads its rows, some seconds for 100,000; the
// set then stays in memory, 42 bytes a record, and a call costs what has changed
// since the one before plus one pass over the set, some milliseconds.
func (s *Store) Live(ctx context.Context, market string, cutoff int64) (*reconcile.Set, error) {
	end, err := s.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer end()
	l := s.live.of(market)
	for {
		select {
		case l.turn <- struct{}{}:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		if l.built {
			break
		}
		// Who asked may not wait that long; the next one then finds the set there.
		s.calls.Add(1)
		done := make(chan error, 1)
		go func() {
			defer s.calls.Done()
			err := s.build(market, l)
			l.built = err == nil
			<-l.turn
			done <- err
		}()
		select {
		case err := <-done:
			if err != nil {
				return nil, err
			}
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	defer func() { <-l.turn }()
	return s.live.current(l).After(uint64(max(0, cutoff))), nil
}

// build reads a market's rows. What is written meanwhile goes to the delta, which
// by then is being kept.
func (s *Store) build(market string, l *liveSet) error {
	s.write.Lock()
	s.live.begin(l)
	txn := s.db.NewTransaction(false)
	s.write.Unlock()
	defer txn.Discard()
	var items []reconcile.Item
	err := guard(func() error {
		prefix := tagOfText(kindMarket, market).as(kindMarketExp).prefix()
		it := txn.NewIterator(keysOnly(prefix, false))
		defer it.Close()
		for it.Seek(prefix); it.Valid(); it.Next() {
			if err := s.interrupted(s.ctx); err != nil {
				return err
			}
			key := it.Item().Key()
			if len(key) != len(prefix)+suffixLen {
				return errRow
			}
			d := digest(key[len(key)-digestLen:])
			item, ok, err := liveRow(txn, d, market)
			if err != nil {
				return err
			}
			if ok {
				items = append(items, item)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	s.live.put(l, reconcile.NewSet(items))
	return nil
}

// liveRow looks at one row. A damaged one has no place in a set: nobody can be
// given it.
func liveRow(txn *badger.Txn, d digest, market string) (it reconcile.Item, ok bool, err error) {
	item, err := txn.Get(rowKey(d))
	if errors.Is(err, badger.ErrKeyNotFound) {
		return it, false, nil
	}
	if err != nil {
		return it, false, err
	}
	err = item.Value(func(value []byte) error {
		r, _, err := decodeRow(d, value)
		if err == nil {
			it, ok = r.liveItem(d, market)
		}
		return nil
	})
	return it, ok, err
}

// LiveRecord gives a record if it is in the market's live set after the cutoff. The
// code is "not_found" if not, whatever else the store has under that ID.
func (s *Store) LiveRecord(ctx context.Context, market string, cutoff int64, id [digestLen]byte) (*record.Record, error) {
	end, err := s.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer end()
	d := digest(id)
	var rec *record.Record
	err = s.view(func(txn *badger.Txn) error {
		r, raw, err := readRow(txn, d)
		if err != nil {
			return err
		}
		if it, ok := r.liveItem(d, market); !ok || it.Time <= uint64(max(0, cutoff)) {
			return badger.ErrKeyNotFound
		}
		rec, err = s.record(d, &r, raw)
		return err
	})
	if err != nil {
		return nil, s.readError(d, err)
	}
	return rec, nil
}

// HasIn reports whether the record is held and noted for the market.
func (s *Store) HasIn(ctx context.Context, market string, id [digestLen]byte) (has bool, err error) {
	end, err := s.begin(ctx)
	if err != nil {
		return false, err
	}
	defer end()
	d := digest(id)
	err = s.view(func(txn *badger.Txn) error {
		item, err := txn.Get(rowKey(d))
		if err != nil {
			return err
		}
		return item.Value(func(value []byte) error {
			r, _, err := decodeRow(d, value)
			has = err == nil && slices.Contains(r.markets, market)
			return err
		})
	})
	if err != nil && !errors.Is(err, badger.ErrKeyNotFound) {
		return false, s.readError(d, err)
	}
	return has, nil
}

// of is the market's set, perhaps not built yet. Those that nobody has asked for in
// a while are forgotten.
func (ls *liveSets) of(market string) *liveSet {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	now := time.Now()
	l := ls.byMarket[market]
	if l == nil {
		for name, other := range ls.byMarket {
			if now.Sub(other.used) > liveUnused || len(ls.byMarket) >= maxLiveSets {
				delete(ls.byMarket, name)
			}
		}
		if ls.byMarket == nil {
			ls.byMarket = make(map[string]*liveSet)
		}
		l = &liveSet{turn: make(chan struct{}, 1)}
		ls.byMarket[market] = l
	}
	l.used = now
	return l
}

// begin has changes noted from here on.
func (ls *liveSets) begin(l *liveSet) {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	l.delta = make(map[reconcile.Item]bool)
}

// current is the set with all changes in it.
func (ls *liveSets) current(l *liveSet) *reconcile.Set {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	l.fold()
	return l.set
}

// fold brings the changes into the set.
func (l *liveSet) fold() {
	if len(l.delta) > 0 {
		l.set, l.delta = l.set.With(l.delta), make(map[reconcile.Item]bool)
	}
}

func (ls *liveSets) put(l *liveSet, set *reconcile.Set) {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	l.set = set
}

// note brings a row's change to the sets that it is in; nil stands for no row. It is
// called once the change is written, in the order of writing.
func (ls *liveSets) note(d digest, before, after *row) {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	for market, l := range ls.byMarket {
		if l.delta == nil {
			continue
		}
		var was, is bool
		var old, cur reconcile.Item
		if before != nil {
			old, was = before.liveItem(d, market)
		}
		if after != nil {
			cur, is = after.liveItem(d, market)
		}
		if was && (!is || old != cur) {
			l.delta[old] = false
		}
		if is && (!was || old != cur) {
			l.delta[cur] = true
		}
		if len(l.delta) > maxLiveDelta && l.set != nil {
			l.fold()
		}
	}
}
