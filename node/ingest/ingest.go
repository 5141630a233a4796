// Package ingest decides what of a market's gossip is kept and relayed, and
// brings it to the store in batches. Cheap checks come first, the signature
// last; what is over a limit is ignored, never waited for, so that one's own
// deals pass before strangers' records. Specification: spec/08-transport.md.
package ingest

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/ipfs/go-cid"
	"github.com/libp2p/go-libp2p/core/peer"
	"golang.org/x/time/rate"

	"github.com/parley-protocol/parley/crypto"
	"github.com/parley-protocol/parley/node/gossip"
	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/record"
)

// Arrival is a verified record that gossip or catching up brought.
type Arrival struct {
	Record *record.Record
	Market string
}

// Sink takes what has been let in, a batch at a time. Its errors lose the batch
// (catching up brings it again) and are counted.
type Sink interface {
	Arrive(ctx context.Context, batch []Arrival) error
}

// Limits bound what others can make a node do. The zero value of a field means
// its default.
type Limits struct {
	PerPeerRate  float64       // records a second from one forwarding peer, default 200
	PerPeerBurst int           // and at once, default 2000
	TotalRate    float64       // records a second from all peers, default 600; beyond it each has its assured part
	TotalBurst   int           // and at once, default 6000
	Queue        int           // verified records that wait for the store, default 256
	Batch        int           // records in one write, default 64: own records wait for the one under way
	Linger       time.Duration // how long a batch waits for more, default 5 ms
	StampBits    int           // work that a frame must show, default 0
}

// What each peer may bring when there is more than the total: those who flood get
// no more of it than those who relay a few records.
const (
	assuredRate  = 20
	assuredBurst = 200
)

const (
	peersRemembered  = 1024
	relaysRemembered = 1 << 15
)

func (l Limits) withDefaults() Limits {
	def := func(v *int, d int) {
		if *v == 0 {
			*v = d
		}
	}
	if l.PerPeerRate == 0 {
		l.PerPeerRate = 200
	}
	if l.Linger == 0 {
		l.Linger = 5 * time.Millisecond
	}
	if l.TotalRate == 0 {
		l.TotalRate = 600
	}
	def(&l.PerPeerBurst, 2000)
	def(&l.TotalBurst, 6000)
	def(&l.Queue, 256)
	def(&l.Batch, 64)
	return l
}

// Ingest is safe for concurrent use.
type Ingest struct {
	sink    Sink
	blocked func(crypto.DID) bool
	known   func(id cid.Cid, market string) (has, noted bool)
	gone    func(*record.Record) bool
	now     func() time.Time
	limits  Limits

	peers   *lru.Cache[peer.ID, *share]
	total   *rate.Limiter
	relayed *lru.Cache[cid.Cid, struct{}]
	queue   chan Arrival

	accepted, ignored, rejected, dropped, early atomic.Uint64

	closing chan struct{}
	once    sync.Once // closes it
	done    sync.WaitGroup
}

// New makes the gate of all markets. blocked tells which authors the person
// doesn't want to hear of, known which records the node has, and whether noted for
// a market, gone which intents their authors have withdrawn.
func New(sink Sink, blocked func(crypto.DID) bool, known func(cid.Cid, string) (has, noted bool), gone func(*record.Record) bool, now func() time.Time, limits Limits) *Ingest {
	limits = limits.withDefaults()
	// New fails only for a size that isn't positive.
	peers, _ := lru.New[peer.ID, *share](peersRemembered)
	relayed, _ := lru.New[cid.Cid, struct{}](relaysRemembered)
	return &Ingest{
		sink: sink, blocked: blocked, known: known, gone: gone, now: now, limits: limits,
		peers: peers, relayed: relayed,
		total:   rate.NewLimiter(rate.Limit(limits.TotalRate), limits.TotalBurst),
		queue:   make(chan Arrival, limits.Queue),
		closing: make(chan struct{}),
	}
}

// Start begins to write batches.
func (in *Ingest) Start(context.Context) error {
	in.done.Go(in.run)
	return nil
}

// Close writes what waits and stops.
func (in *Ingest) Close() error {
	in.once.Do(func() { close(in.closing) })
	in.done.Wait()
	return nil
}

// Stats counts verdicts since the start; Dropped are records ignored because the
// node was closing or the store refused them, Early those dated ahead of the clock.
type Stats struct{ Accepted, Ignored, Rejected, Dropped, Early uint64 }

// Stats returns the counts so far.
func (in *Ingest) Stats() Stats {
	return Stats{in.accepted.Load(), in.ignored.Load(), in.rejected.Load(), in.dropped.Load(), in.early.Load()}
}

// Check does what is cheap, of every frame that arrives.
func (in *Ingest) Check(_ context.Context, m *gossip.Message) protocol.Verdict {
	rec, err := in.admit(m)
	m.Parsed, m.Err = rec, err
	if rec != nil {
		m.ID = gossip.IDOf(rec.ID())
	}
	if err == nil {
		return protocol.Accept
	}
	if protocol.CodeOf(err) == protocol.CodeNotYetValid {
		in.early.Add(1)
	}
	return in.count(protocol.VerdictOf(err))
}

// Verify checks the signature of what Check let in, and puts it in line for the
// store.
func (in *Ingest) Verify(ctx context.Context, m *gossip.Message) protocol.Verdict {
	rec := m.Parsed.(*record.Record)
	m.Fresh = in.now().Unix()-rec.Header().At < int64(gossip.SeenFor/time.Second)
	// What has just been signed is new, as a rule; if not, the store tells.
	known, noted := false, false
	if m.Path == gossip.PathCatchup || m.Path == gossip.PathStem || !m.Fresh {
		known, noted = in.known(rec.ID(), m.Market)
	}
	if noted && m.Path == gossip.PathCatchup {
		return in.count(protocol.Ignore)
	}
	if m.Path == gossip.PathStem {
		return in.judgeStem(m, rec, known)
	}
	if m.Err = in.judge(rec, known); m.Err != nil {
		return in.count(protocol.VerdictOf(m.Err))
	}
	if m.Path == gossip.PathCatchup {
		// It hasn't been relayed: when gossip brings it too, others still need it.
	} else if had, _ := in.relayed.ContainsOrAdd(rec.ID(), struct{}{}); had && m.Path != gossip.PathOwn {
		// Another frame of it, with another stamp, came through meanwhile.
		m.Err = protocol.Errorf(protocol.CodeDuplicate, "", "relayed already")
		return in.count(protocol.Ignore)
	}
	if !noted {
		if m.Err = in.enqueue(ctx, Arrival{Record: rec, Market: m.Market}); m.Err != nil {
			in.relayed.Remove(rec.ID())
			in.dropped.Add(1)
			return in.count(protocol.Ignore)
		}
	}
	return in.count(protocol.Accept)
}

// judgeStem judges what is to be passed on and must leave no trace here: it comes
// again, by gossip. What the market has had needs no stem.
func (in *Ingest) judgeStem(m *gossip.Message, rec *record.Record, known bool) protocol.Verdict {
	if known {
		m.Err = protocol.Errorf(protocol.CodeDuplicate, "", "known already")
	} else {
		m.Err = in.judge(rec, false)
	}
	if m.Err != nil {
		return in.count(protocol.VerdictOf(m.Err))
	}
	return protocol.Accept
}

// enqueue puts a record in line for the store, and waits for room: who calls Verify
// lets few in, and sends away what is too much by who brought it.
func (in *Ingest) enqueue(ctx context.Context, a Arrival) error {
	select {
	case in.queue <- a:
		return nil
	case <-in.closing:
	case <-ctx.Done():
	}
	return protocol.Errorf(protocol.CodeOverQuota, "", "more comes in than can be stored")
}

// judge does what takes longer, the signature last: that of a known record was
// verified before, as its ID is over the signature too.
func (in *Ingest) judge(rec *record.Record, known bool) error {
	if rec.Type() == protocol.TypeIntent && in.gone(rec) {
		return protocol.Errorf(protocol.CodeWithdrawn, "", "its author has withdrawn it")
	}
	if known {
		return nil
	}
	return rec.Verify()
}

func (in *Ingest) count(v protocol.Verdict) protocol.Verdict {
	switch v {
	case protocol.Accept:
		in.accepted.Add(1)
	case protocol.Ignore:
		in.ignored.Add(1)
	default:
		in.rejected.Add(1)
	}
	return v
}

// admit returns the record of a frame, as far as it could be read, and why it isn't
// let in.
func (in *Ingest) admit(m *gossip.Message) (*record.Record, error) {
	// What this node has asked for is bounded by how it asks: a share would cut
	// off the end of every long market.
	if (m.Path == gossip.PathGossip || m.Path == gossip.PathStem) && !in.allow(m.From) {
		return nil, protocol.Errorf(protocol.CodeOverQuota, "", "this peer sends more than its share")
	}
	block, stamp, err := record.DecodeFrame(m.Frame)
	if err != nil {
		return nil, err
	}
	rec, err := record.ParseUnverified(block)
	if err != nil {
		return nil, err
	}
	if m.Path == gossip.PathGossip && in.relayed.Contains(rec.ID()) {
		return rec, protocol.Errorf(protocol.CodeDuplicate, "", "relayed already")
	}
	if err := rec.CheckGossip(); err != nil {
		return rec, err
	}
	if !belongs(rec, m.Market) {
		return rec, protocol.Errorf(protocol.CodeWrongMarket, "market", "this record isn't for the market %q", m.Market)
	}
	if h := rec.Header(); rec.Type() == protocol.TypeTerms && h.RetainUntil > h.At+protocol.MaxIntentRetention {
		return rec, protocol.Errorf(protocol.CodeLifeTooLong, "retainUntil", "a text may be kept for longer, but not by a market")
	}
	if err := rec.CheckTime(in.now().Unix()); err != nil {
		return rec, err
	}
	if in.limits.StampBits > 0 && record.StampBits(rec.ID(), stamp) < in.limits.StampBits {
		return rec, protocol.Errorf(protocol.CodeStampTooWeak, "", "a stamp of %d bits is asked for", in.limits.StampBits)
	}
	if in.blocked(rec.Header().By) {
		return rec, protocol.Errorf(protocol.CodeNotPermitted, "by", "its author is blocked here")
	}
	return rec, nil
}

// belongs tells whether a record may travel in a market: what is asked for in
// the one that it names, everything else in any.
func belongs(rec *record.Record, market string) bool {
	switch rec.Body().(type) {
	case *record.Intent, *record.Withdrawal:
		return rec.Market() == market
	}
	return true
}

// share is what one peer may bring: at most so much, and at least so much.
type share struct{ most, assured *rate.Limiter }

func (in *Ingest) allow(from peer.ID) bool {
	s, ok := in.peers.Get(from)
	if !ok {
		s = &share{
			rate.NewLimiter(rate.Limit(in.limits.PerPeerRate), in.limits.PerPeerBurst),
			rate.NewLimiter(assuredRate, assuredBurst),
		}
		if old, had, _ := in.peers.PeekOrAdd(from, s); had {
			s = old
		}
	}
	now := in.now()
	return s.most.AllowN(now, 1) && (in.total.AllowN(now, 1) || s.assured.AllowN(now, 1))
}

// run writes batches until the gate closes, then what is left.
func (in *Ingest) run() {
	for {
		select {
		case first := <-in.queue:
			in.write(in.collect(first))
		case <-in.closing:
			for {
				select {
				case first := <-in.queue:
					in.write(in.collect(first))
				default:
					return
				}
			}
		}
	}
}

func (in *Ingest) collect(first Arrival) []Arrival {
	batch := []Arrival{first}
	timer := time.NewTimer(in.limits.Linger)
	defer timer.Stop()
	for len(batch) < in.limits.Batch {
		select {
		case a := <-in.queue:
			batch = append(batch, a)
			continue
		default:
		}
		select {
		case a := <-in.queue:
			batch = append(batch, a)
		case <-timer.C:
			return batch
		case <-in.closing:
			return batch
		}
	}
	return batch
}

func (in *Ingest) write(batch []Arrival) {
	// A batch that is under way is finished even while the node closes.
	if err := in.sink.Arrive(context.Background(), batch); err != nil {
		in.dropped.Add(uint64(len(batch)))
		for _, a := range batch {
			in.relayed.Remove(a.Record.ID()) // so that catching up can bring it again
		}
	}
}
