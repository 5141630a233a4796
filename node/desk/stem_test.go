package desk

import (
	"context"
	"slices"
	"sync"
	"testing"

	"github.com/ipfs/go-cid"

	"github.com/parley-protocol/parley/node/store"
	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/codec"
	"github.com/parley-protocol/parley/protocol/record"
)

// stems takes what is to be whispered and brings it nowhere.
type stems struct {
	Gossip
	took chan struct{}

	mu     sync.Mutex
	frames [][]byte
	wanted func() bool
}

func (s *stems) Whisper(_ context.Context, _ string, wanted func() bool, frames ...[]byte) error {
	s.mu.Lock()
	s.frames, s.wanted = append(s.frames, frames...), wanted
	s.mu.Unlock()
	s.took <- struct{}{}
	return nil
}

// ids are those of the records that were whispered, in their order.
func (s *stems) ids() (out []cid.Cid) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, frame := range s.frames {
		block, _, _ := record.DecodeFrame(frame)
		out = append(out, codec.Sum(block))
	}
	return out
}

// live is what others are given who ask for what is in the market.
func (s *side) live() (out []cid.Cid) {
	s.w.t.Helper()
	ctx := s.w.t.Context()
	frames, _, err := s.Page(ctx, market, "", 100)
	if err != nil {
		s.w.t.Fatal(err)
	}
	shown := map[[32]byte]bool{}
	for _, frame := range frames {
		block, _, _ := record.DecodeFrame(frame)
		out = append(out, codec.Sum(block))
		shown[digestOf(codec.Sum(block))] = true
	}
	// Who reconciles finds the same, and no more by its ID.
	set, err := s.Live(ctx, market, s.now())
	if err != nil {
		s.w.t.Fatal(err)
	}
	for _, it := range set.Items() {
		if !shown[it.ID] {
			s.w.t.Error("reconciling shows a record that pages don't")
		}
	}
	if set.Len() != len(frames) {
		s.w.t.Errorf("reconciling shows %d records, pages %d", set.Len(), len(frames))
	}
	for e, err := range s.store.Query(ctx, store.Filter{Market: market}) {
		if err != nil {
			s.w.t.Fatal(err)
		}
		id := digestOf(e.Record.ID())
		if _, err := s.Frame(ctx, market, s.now(), id); (err == nil) != shown[id] {
			s.w.t.Errorf("a %s is given by its ID: %v; shown: %v", e.Record.Type(), err, shown[id])
		}
	}
	return out
}

// Nobody finds a customer's record at its node before a market has shown it: not
// the request, not a text of the customer's that it cites, not the withdrawal. Once
// it is shown it isn't published again, not even after a restart.
//
//spec:shows STEM-4 STEM-5 STEM-11
func TestOwnRecordsAreWithheldUntilAMarketShowsThem(t *testing.T) {
	w := newWorld(t)
	s := w.node("customer")
	way := &stems{Gossip: s.Desk.gossip, took: make(chan struct{}, 8)}
	s.Desk.gossip = way
	s.addTerms("no-resale", noResale)
	rec := s.asks(nil, "no-resale")
	<-way.took
	text := termsIn(rec)[0].Record
	if ids := way.ids(); !slices.Equal(ids, []cid.Cid{text, rec.ID()}) {
		t.Fatalf("whispered %v", ids)
	}
	if ids := s.live(); len(ids) != 0 || !way.wanted() {
		t.Errorf("shown to others before its time: %v", ids)
	}

	// It left nobody before the node ended: it is whispered again.
	s = s.again()
	s.until("it is whispered again", func() bool { return !s.withheld(rec) }) // the world brings it to the market
	if ids := s.live(); len(ids) != 2 || !slices.Contains(ids, rec.ID()) || !slices.Contains(ids, text) {
		t.Errorf("others are given %v", ids)
	}

	// And from now on it is like anybody's.
	said := func() int {
		w.mu.Lock()
		defer w.mu.Unlock()
		return len(w.frames)
	}
	before := said()
	s = s.again()
	way = &stems{Gossip: s.Desk.gossip, took: make(chan struct{}, 8)}
	s.Desk.gossip = way
	out, err := s.WithdrawIntent(t.Context(), rec.ID(), protocol.ReasonChangedMind)
	if err != nil {
		t.Fatal(err)
	}
	<-way.took
	if ids := way.ids(); !slices.Equal(ids, []cid.Cid{out.ID()}) || said() != before {
		t.Errorf("whispered %v, and %d records were published again", ids, said()-before)
	}
	if ids := s.live(); slices.Contains(ids, out.ID()) {
		t.Error("a withdrawal is shown to others before its time")
	}
}
