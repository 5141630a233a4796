package ingest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ipfs/go-cid"
	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/parley-protocol/parley/crypto"
	"github.com/parley-protocol/parley/node/gossip"
	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/record"
	"github.com/parley-protocol/parley/protocol/record/recordtest"
)

// room is what a gate stands before.
type room struct {
	mu      sync.Mutex
	batches [][]Arrival
	fail    error
	hold    chan struct{}
	known   map[cid.Cid]bool
	gone    map[cid.Cid]bool
	blocked map[crypto.DID]bool
	now     int64
}

func (r *room) Arrive(_ context.Context, batch []Arrival) error {
	if r.hold != nil {
		<-r.hold
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.fail != nil {
		return r.fail
	}
	r.batches = append(r.batches, slices.Clone(batch))
	return nil
}

func (r *room) count() (n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, b := range r.batches {
		n += len(b)
	}
	return n
}

func newRoom() *room {
	return &room{known: map[cid.Cid]bool{}, gone: map[cid.Cid]bool{}, blocked: map[crypto.DID]bool{}, now: recordtest.Now + 7200}
}

func (r *room) gate(limits Limits) *Ingest {
	return New(r, func(d crypto.DID) bool { return r.blocked[d] }, func(id cid.Cid, _ string) (has, noted bool) { return r.known[id], r.known[id] },
		func(rec *record.Record) bool { return r.gone[rec.ID()] }, func() time.Time { return time.Unix(r.now, 0) }, limits)
}

const market = protocol.MarketVehicles

func frameOf(rec *record.Record) *gossip.Message {
	return &gossip.Message{Market: market, From: "peer", Frame: record.EncodeFrame(rec.Raw(), nil)}
}

func intents(t testing.TB, n int) []*record.Record {
	recs := make([]*record.Record, n)
	for i := range recs {
		recs[i] = recordtest.Intent(t, recordtest.NewParty(fmt.Sprint("customer ", i)))
	}
	return recs
}

// pass takes a message through both checks, as gossip does.
func pass(t testing.TB, in *Ingest, m *gossip.Message) protocol.Verdict {
	v := in.Check(t.Context(), m)
	if v == protocol.Accept {
		v = in.Verify(t.Context(), m)
	}
	return v
}

//spec:shows NET-15 REC-39
func TestVerdicts(t *testing.T) {
	customer, vendor := recordtest.NewParty("customer"), recordtest.NewParty("vendor")
	intent := recordtest.Intent(t, customer)
	changed := func(at int) *gossip.Message {
		m := frameOf(intent)
		m.Frame[at] ^= 1
		return m
	}
	opaque := func() *record.Record {
		return vendor.Sign(t, recordtest.Now, &record.Opaque{Name: "someday", Fields: map[string]any{"a": int64(1)}})
	}
	terms := func(life int64) *record.Record {
		return customer.SignHeader(t, record.Header{At: recordtest.Now, RetainUntil: recordtest.Now + life}, &record.Terms{Name: "Mine", Text: "No resale."})
	}
	own := func(m *gossip.Message) *gossip.Message { m.Path, m.From = gossip.PathOwn, ""; return m }
	caught := func(m *gossip.Message) *gossip.Message { m.Path = gossip.PathCatchup; return m }
	size := len(frameOf(intent).Frame)
	for _, c := range []struct {
		name   string
		m      *gossip.Message
		change func(*room, *Limits)
		accept bool
		want   protocol.Verdict // unless accepted
		code   protocol.Code
	}{
		{name: "an intent", accept: true, m: frameOf(intent)},
		{name: "a withdrawal", accept: true, m: frameOf(recordtest.Withdrawal(t, customer, intent))},
		{name: "a profile", accept: true, m: frameOf(recordtest.Profile(t, vendor))},
		{name: "terms", accept: true, m: frameOf(terms(protocol.MaxIntentRetention))},
		{name: "terms, asked for", accept: true, m: caught(frameOf(terms(protocol.MaxIntentRetention)))},
		{name: "terms for longer than an intent", m: frameOf(terms(protocol.MaxIntentRetention + 1)), want: protocol.Reject, code: protocol.CodeLifeTooLong},
		{name: "one's own", accept: true, m: own(frameOf(intent))},
		{name: "asked for", accept: true, m: caught(frameOf(intent))},
		{name: "known, by gossip", accept: true, m: frameOf(intent), change: func(r *room, _ *Limits) { r.known[intent.ID()] = true }},
		{name: "known, asked for", m: caught(frameOf(intent)), want: protocol.Ignore, change: func(r *room, _ *Limits) { r.known[intent.ID()] = true }},
		{name: "nothing", m: &gossip.Message{Market: market}, want: protocol.Reject, code: protocol.CodeMalformed},
		{name: "no frame", m: &gossip.Message{Market: market, Frame: []byte("hello")}, want: protocol.Reject, code: protocol.CodeMalformed},
		{name: "no record in it", m: &gossip.Message{Market: market, Frame: record.EncodeFrame([]byte{0x80}, nil)}, want: protocol.Reject, code: protocol.CodeMalformed},
		{name: "a forged signature", m: changed(size - 10), want: protocol.Reject, code: protocol.CodeBadSignature},
		{name: "expired", m: frameOf(intent), want: protocol.Ignore, code: protocol.CodeExpired, change: func(r *room, _ *Limits) { r.now += 31 * recordtest.Day }},
		{name: "of tomorrow", m: frameOf(intent), want: protocol.Ignore, code: protocol.CodeNotYetValid, change: func(r *room, _ *Limits) { r.now -= recordtest.Day }},
		{name: "an offer", m: frameOf(recordtest.Offer(t, vendor, intent)), want: protocol.Ignore, code: protocol.CodeUnknownType},
		{name: "an unknown type", m: frameOf(opaque()), want: protocol.Ignore, code: protocol.CodeUnknownType},
		{name: "another market", m: func() *gossip.Message { m := frameOf(intent); m.Market = "test"; return m }(), want: protocol.Reject, code: protocol.CodeWrongMarket},
		{name: "a profile in a market that it doesn't list", accept: true, m: func() *gossip.Message { m := frameOf(recordtest.Profile(t, vendor)); m.Market = "test"; return m }()},
		{name: "withdrawn", m: frameOf(intent), want: protocol.Ignore, code: protocol.CodeWithdrawn, change: func(r *room, _ *Limits) { r.gone[intent.ID()] = true }},
		{name: "blocked", m: frameOf(intent), want: protocol.Ignore, code: protocol.CodeNotPermitted, change: func(r *room, _ *Limits) { r.blocked[customer.DID()] = true }},
		{name: "no stamp", m: frameOf(intent), want: protocol.Ignore, code: protocol.CodeStampTooWeak, change: func(_ *room, l *Limits) { l.StampBits = 40 }},
		{name: "no queue left, and none to come", m: frameOf(intent), want: protocol.Ignore, code: protocol.CodeOverQuota, change: func(_ *room, l *Limits) { l.Queue = -1 }},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, limits := newRoom(), Limits{}
			if c.change != nil {
				c.change(r, &limits)
			}
			full := limits.Queue < 0
			if full {
				limits.Queue = 1
			}
			in := r.gate(limits)
			if full {
				in.queue <- Arrival{}
				in.Close()
			}
			want := c.want
			if c.accept {
				want = protocol.Accept
			}
			if v := pass(t, in, c.m); v != want {
				t.Errorf("verdict %v, want %v", v, want)
			}
			if code := protocol.CodeOf(c.m.Err); code != c.code {
				t.Errorf("%v, want the code %q", c.m.Err, c.code)
			}
			s := in.Stats()
			if s.Accepted+s.Ignored+s.Rejected != 1 {
				t.Errorf("counted %+v", s)
			}
		})
	}
}

//spec:shows NET-14
func TestRelayedOnce(t *testing.T) {
	in := newRoom().gate(Limits{})
	intent := intents(t, 1)[0]
	stamped := frameOf(intent)
	stamped.Frame = record.EncodeFrame(intent.Raw(), make([]byte, 8))
	if v := pass(t, in, frameOf(intent)); v != protocol.Accept {
		t.Fatal(v)
	}
	for _, m := range []*gossip.Message{frameOf(intent), stamped} {
		if v := pass(t, in, m); v != protocol.Ignore || protocol.CodeOf(m.Err) != protocol.CodeDuplicate {
			t.Errorf("%v, %v", v, m.Err)
		}
	}
}

// To have asked for a record is no reason not to relay it.
//
//spec:shows NET-14
func TestCaughtUpIsStillRelayed(t *testing.T) {
	r := newRoom()
	in := r.gate(Limits{})
	intent := intents(t, 1)[0]
	asked := frameOf(intent)
	asked.Path = gossip.PathCatchup
	if v := pass(t, in, asked); v != protocol.Accept {
		t.Fatal(v)
	}
	r.known[intent.ID()] = true
	if v := pass(t, in, frameOf(intent)); v != protocol.Accept {
		t.Errorf("by gossip, after that: %v", v)
	}
	if v := pass(t, in, frameOf(intent)); v != protocol.Ignore {
		t.Errorf("again: %v", v)
	}
	if len(in.queue) != 1 {
		t.Errorf("%d in line for the store", len(in.queue))
	}
}

// Any number of frames of one record, with different stamps, at the same time.
func TestRelayedOnceAtTheSameTime(t *testing.T) {
	in := newRoom().gate(Limits{})
	intent := intents(t, 1)[0]
	messages := make([]*gossip.Message, 16)
	for i := range messages {
		messages[i] = frameOf(intent)
		messages[i].Frame = record.EncodeFrame(intent.Raw(), []byte{byte(i), 0, 0, 0, 0, 0, 0, 0})
		if v := in.Check(t.Context(), messages[i]); v != protocol.Accept {
			t.Fatal(v)
		}
	}
	var work sync.WaitGroup
	for _, m := range messages {
		work.Go(func() { in.Verify(t.Context(), m) })
	}
	work.Wait()
	if s := in.Stats(); s.Accepted != 1 || len(in.queue) != 1 {
		t.Errorf("%+v, %d queued", s, len(in.queue))
	}
}

//spec:shows NET-16 ERR-4
func TestShareOfAPeer(t *testing.T) {
	r := newRoom()
	in := r.gate(Limits{PerPeerRate: 10, PerPeerBurst: 5})
	recs := intents(t, 30)
	send := func(from peer.ID, path gossip.Path, recs []*record.Record) (accepted int) {
		for _, rec := range recs {
			m := frameOf(rec)
			m.From, m.Path = from, path
			if pass(t, in, m) == protocol.Accept {
				accepted++
			} else if protocol.CodeOf(m.Err) != protocol.CodeOverQuota {
				t.Errorf("%v", m.Err)
			}
		}
		return accepted
	}
	if n := send("a", gossip.PathGossip, recs[:8]); n != 5 {
		t.Errorf("%d of a burst of 8", n)
	}
	if n := send("b", gossip.PathGossip, recs[8:10]); n != 2 {
		t.Errorf("%d of another peer", n)
	}
	if n := send("a", gossip.PathCatchup, recs[10:20]); n != 10 {
		t.Errorf("%d of 10 that this node asked for", n)
	}
	r.now++
	if n := send("a", gossip.PathGossip, recs[20:]); n != 5 {
		t.Errorf("%d after a second", n)
	}
}

func TestBatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRoom()
		r.hold = make(chan struct{})
		in := r.gate(Limits{Batch: 4, Queue: 9})
		if err := in.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		recs := intents(t, 30)
		if v := pass(t, in, frameOf(recs[0])); v != protocol.Accept {
			t.Fatal(v)
		}
		time.Sleep(time.Second) // the first batch is full of what lingered: one
		verdicts := make(chan protocol.Verdict, len(recs))
		for i, rec := range recs[1:20] {
			m := frameOf(rec)
			if i%2 == 0 {
				m.Path = gossip.PathCatchup
			}
			go func() { verdicts <- pass(t, in, m) }()
		}
		synctest.Wait()
		if len(verdicts) != 9 {
			t.Errorf("%d were let in while the store stood still, want the queue's 9", len(verdicts))
		}
		ctx, cancel := context.WithCancel(t.Context())
		late := frameOf(recs[20])
		if v := in.Check(ctx, late); v != protocol.Accept {
			t.Fatal(v)
		}
		gaveUp := make(chan protocol.Verdict, 1)
		go func() { gaveUp <- in.Verify(ctx, late) }()
		synctest.Wait()
		cancel()
		if v := <-gaveUp; v != protocol.Ignore || protocol.CodeOf(late.Err) != protocol.CodeOverQuota {
			t.Errorf("%v, %v", v, late.Err)
		}
		close(r.hold)
		synctest.Wait()
		for range 19 {
			if v := <-verdicts; v != protocol.Accept {
				t.Errorf("%v", v)
			}
		}
		if err := in.Close(); err != nil {
			t.Fatal(err)
		}
		if n := r.count(); n != 20 {
			t.Errorf("%d were stored of 20", n)
		}
		for i, b := range r.batches {
			if len(b) > 4 {
				t.Errorf("batch %d has %d", i, len(b))
			}
		}
	})
}

// What the store refused can come again.
func TestFailedBatchComesAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRoom()
		r.fail = errors.New("the disk is full")
		in := r.gate(Limits{})
		if err := in.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		defer in.Close()
		intent := intents(t, 1)[0]
		if v := pass(t, in, frameOf(intent)); v != protocol.Accept {
			t.Fatal(v)
		}
		time.Sleep(time.Second)
		if s := in.Stats(); s.Dropped != 1 {
			t.Errorf("%+v", s)
		}
		r.mu.Lock()
		r.fail = nil
		r.mu.Unlock()
		again := frameOf(intent)
		again.Path = gossip.PathCatchup
		if v := pass(t, in, again); v != protocol.Accept {
			t.Errorf("%v: %v", v, again.Err)
		}
		time.Sleep(time.Second)
		if r.count() != 1 {
			t.Error("it is lost")
		}
	})
}

func TestCloseWithoutStart(t *testing.T) {
	if err := newRoom().gate(Limits{}).Close(); err != nil {
		t.Error(err)
	}
}

// Gossip relays at once what is fresh, even if it was asked for: it may have been
// lost on its way.
func TestFresh(t *testing.T) {
	r := newRoom()
	in := r.gate(Limits{})
	for _, c := range []struct {
		age  time.Duration
		want bool
	}{{0, true}, {gossip.SeenFor - time.Second, true}, {gossip.SeenFor, false}, {time.Hour, false}} {
		at := r.now - int64(c.age/time.Second)
		m := frameOf(recordtest.Intent(t, recordtest.NewParty(c.age.String()), recordtest.At[record.Intent](at)))
		if v := pass(t, in, m); v != protocol.Accept || m.Fresh != c.want {
			t.Errorf("%s old: %v, fresh %v", c.age, v, m.Fresh)
		}
	}
}

// What is known was verified when it came: its ID is over the signature too, so
// none of its bytes can be another's. It is told by a record that doesn't verify
// and is known all the same.
func TestKnownIsNotVerifiedAgain(t *testing.T) {
	r := newRoom()
	in := r.gate(Limits{})
	raw := slices.Clone(intents(t, 1)[0].Raw())
	raw[len(raw)-1] ^= 1
	forged, err := record.ParseUnverified(raw)
	if err != nil {
		t.Fatal(err)
	}
	if v := pass(t, in, frameOf(forged)); v != protocol.Reject {
		t.Fatalf("unknown: %v", v)
	}
	r.known[forged.ID()] = true
	if v := pass(t, in, frameOf(forged)); v != protocol.Accept {
		t.Errorf("known, by gossip: %v", v)
	}
	asked := frameOf(forged)
	asked.Path = gossip.PathCatchup
	if v := pass(t, r.gate(Limits{}), asked); v != protocol.Ignore {
		t.Errorf("known, asked for: %v", v)
	}
}

// When all peers together bring more than can be looked at, those who flood
// leave the others their part.
func TestFloodLeavesOthersTheirPart(t *testing.T) {
	in := newRoom().gate(Limits{TotalRate: 1, TotalBurst: 1000})
	flood := func(from peer.ID) (passed int) {
		for range 3000 {
			if in.allow(from) {
				passed++
			}
		}
		return passed
	}
	first := flood("flooder")
	if first < 1000 || first > 1000+2*assuredBurst {
		t.Errorf("%d records of the first", first)
	}
	if second := flood("another"); second < assuredBurst || second > 2*assuredBurst {
		t.Errorf("%d records of the second", second)
	}
	for range assuredBurst {
		if !in.allow("honest") {
			t.Fatal("somebody who sends little is refused")
		}
	}
}
