package node_test

import (
	"context"
	"crypto/ed25519"
	"encoding/binary"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dgraph-io/badger/v4"

	"github.com/parley-protocol/parley/crypto"
	"github.com/parley-protocol/parley/node"
	"github.com/parley-protocol/parley/node/gossip"
	"github.com/parley-protocol/parley/node/ingest"
	"github.com/parley-protocol/parley/node/network"
	"github.com/parley-protocol/parley/node/store"
	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/record"
	"github.com/parley-protocol/parley/protocol/record/recordtest"
)

// window is how many frames are on their way at once: fewer than a peer's
// outbound queue takes, so that nothing is dropped.
const window = 96

// sizeOf reads a size from a variable, for measurements that can be made larger.
func sizeOf(tb testing.TB, variable string, usual int) int {
	tb.Helper()
	text := os.Getenv(variable)
	if text == "" {
		return usual
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		tb.Fatalf("%s=%q is no size", variable, text)
	}
	return n
}

// signed are intents of about 600 bytes, each of an author of its own.
func signed(tb testing.TB, n int) []*record.Record {
	tb.Helper()
	reply := recordtest.NewParty("reply").ReplyTo(tb)
	now := time.Now().Unix()
	recs := make([]*record.Record, n)
	for i := range recs {
		var salt [32]byte
		binary.BigEndian.PutUint64(salt[:], uint64(i))
		recs[i] = recordtest.NewParty(fmt.Sprint("author ", i)).SignHeader(tb, record.Header{At: now, RetainUntil: now + 40*recordtest.Day}, &record.Intent{
			Salt: salt, Market: market, Name: fmt.Sprint("Something that somebody wants, number ", i),
			Description: "In good order, with what belongs to it; to be brought or fetched by Friday at the latest.",
			Category:    []string{fmt.Sprint("cpv:", 10000000+i%200)}, ItemOffered: []record.DemandItem{{Name: "One of these things"}},
			ValidUntil: now + 3600 + int64(i%1000), Terms: []record.TermsRef{{Roster: "PDC-INTENT"}}, Awards: 1, ReplyTo: reply,
		})
	}
	return recs
}

// BenchmarkPipeline brings pre-signed intents from one node to another: gossip,
// checks, signature, store, query. Beside it, in the same run and on the same
// records, are its bare parts, each with all of the machine to itself:
//
//	gossip/s    GossipSub alone, between two hosts, with the nodes' parameters
//	verify/s    Ed25519 verification alone, on all processors
//	badger/s    Badger alone: batches of the very keys and values that the receiver wrote
//
// Both nodes verify and store every record (a node does that with what it
// publishes too), and the parts share the machine, so the bound is
//
//	composed/s = 1 / (1/gossip + 2/verify + 2/badger)
//
// and percent is what the nodes reach of it. On a machine that others use too
// the clock says little, so the same is done with the processor time that each
// took: cpu-percent is (gossip + 2 verify + 2 badger) / pipeline, and the µs
// figures are its parts, for a record. PARLEY_BENCH_RECORDS sets how many records
// go through.
func BenchmarkPipeline(b *testing.B) {
	n := sizeOf(b, "PARLEY_BENCH_RECORDS", 5000)
	recs := signed(b, n)
	bytes := 0
	frames := make([][]byte, n)
	for i, r := range recs {
		bytes += r.Size()
		frames[i] = record.EncodeFrame(r.Raw(), nil)
	}
	for b.Loop() {
		pipeline, view := measurePipeline(b, frames)
		parts := map[string]cost{
			"gossip": measureGossip(b, frames),
			"verify": measureVerify(b, recs),
			"badger": measureBadger(b, view),
		}
		parts["composed"] = parts["gossip"].plus(parts["verify"], 2).plus(parts["badger"], 2)
		parts["pipeline"] = pipeline
		for name, c := range parts {
			b.ReportMetric(c.rate(), name+"/s")
			b.ReportMetric(c.cpu*1e6, name+"-cpu-µs")
		}
		b.ReportMetric(float64(bytes)/float64(n), "B/record")
		b.ReportMetric(100*parts["composed"].wall/pipeline.wall, "percent")
		b.ReportMetric(100*parts["composed"].cpu/pipeline.cpu, "cpu-percent")
	}
}

// cost is what one record takes: seconds by the clock, and of all processors.
type cost struct{ wall, cpu float64 }

func (c cost) rate() float64 { return 1 / c.wall }

func (c cost) plus(d cost, times float64) cost {
	return cost{c.wall + times*d.wall, c.cpu + times*d.cpu}
}

// meter measures from now on; calling what it returns gives the cost of each of n.
func meter() func(n int) cost {
	began, used := time.Now(), cpuTime()
	return func(n int) cost {
		return cost{time.Since(began).Seconds() / float64(n), (cpuTime() - used).Seconds() / float64(n)}
	}
}

// await looks again and again until holds; what it looks at costs next to nothing.
func await(tb testing.TB, what string, holds func() bool) {
	tb.Helper()
	deadline := time.Now().Add(5 * time.Minute)
	tick := time.NewTicker(200 * time.Microsecond)
	defer tick.Stop()
	for !holds() {
		if <-tick.C; time.Now().After(deadline) {
			tb.Fatalf("waited in vain until %s", what)
		}
	}
}

// publish sends frames with at most a window's worth on their way.
func publish(tb testing.TB, g *gossip.Gossip, frames [][]byte, arrived func() int) {
	tb.Helper()
	for i, frame := range frames {
		if i-arrived() >= window {
			await(tb, "frames arrive", func() bool { return i-arrived() < window/2 })
		}
		if _, err := g.Publish(tb.Context(), market, frame); err != nil {
			tb.Fatal(err)
		}
	}
}

// measurePipeline also returns the receiver's folder, closed.
func measurePipeline(b *testing.B, frames [][]byte) (c cost, view string) {
	b.Helper()
	wide := func(o *node.Options) { o.Ingest = ingest.Limits{PerPeerRate: 1e9, PerPeerBurst: 1e9} }
	sender, receiver := startWith(b, b.TempDir(), nil, wide), startWith(b, b.TempDir(), nil, wide)
	join(b, sender)
	join(b, receiver, sender)
	if !sender.Gossip.AwaitMesh(b.Context(), market) {
		b.Fatal("no mesh")
	}
	// Both have asked each other what they missed, twice, and go on to gossip.
	await(b, "catching up is over", func() bool {
		return sender.Gossip.Stats().CatchupSessions >= 2 && receiver.Gossip.Stats().CatchupSessions >= 2
	})
	accepted := func() int { return int(receiver.Ingest.Stats().Accepted) }
	took := meter()
	publish(b, sender.Gossip, frames, accepted)
	await(b, "all is stored", func() bool { return receiver.Store.Stats().Foreign.Count == len(frames) })
	found := 0
	for _, err := range receiver.Store.Query(b.Context(), store.Filter{Market: market, Live: true, Now: time.Now().Unix(), Order: store.Newest, Limit: 50}) {
		if err != nil {
			b.Fatal(err)
		}
		found++
	}
	c = took(len(frames))
	if found != min(50, len(frames)) {
		b.Fatalf("%d records are found", found)
	}
	for _, n := range []*node.Node{receiver, sender} {
		if err := n.Close(); err != nil {
			b.Fatal(err)
		}
	}
	return c, receiver.Home().View()
}

// counting accepts everything, and counts.
type counting struct{ n atomic.Int64 }

func (*counting) Check(context.Context, *gossip.Message) protocol.Verdict { return protocol.Accept }

func (c *counting) Verify(context.Context, *gossip.Message) protocol.Verdict {
	c.n.Add(1)
	return protocol.Accept
}

// hostOf is a node's host without the node.
func hostOf(tb testing.TB, peers ...string) *network.Network {
	tb.Helper()
	c := network.DefaultConfig()
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		tb.Fatal(err)
	}
	c.Seed = [32]byte(key.Seed())
	c.ListenAddrs, c.StaticPeers, c.TestProfile = []string{"/ip4/127.0.0.1/tcp/0"}, peers, true
	n, err := network.New(c)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { n.Close() })
	return n
}

func measureGossip(b *testing.B, frames [][]byte) cost {
	b.Helper()
	var handlers [2]counting
	var parts [2]*gossip.Gossip
	var addrs []string
	for i := range parts {
		n := hostOf(b, addrs...)
		var err error
		if parts[i], err = gossip.New(n.Host(), gossip.Options{Handler: &handlers[i]}); err != nil {
			b.Fatal(err)
		}
		if err := n.Start(b.Context()); err != nil {
			b.Fatal(err)
		}
		defer n.Close()
		defer parts[i].Close()
		if err := parts[i].Join(b.Context(), market); err != nil {
			b.Fatal(err)
		}
		addrs = n.Addrs()
	}
	if !parts[0].AwaitMesh(b.Context(), market) {
		b.Fatal("no mesh")
	}
	arrived := func() int { return int(handlers[1].n.Load()) }
	took := meter()
	publish(b, parts[0], frames, arrived)
	await(b, "all frames are there", func() bool { return arrived() == len(frames) })
	return took(len(frames))
}

func measureVerify(b *testing.B, recs []*record.Record) cost {
	b.Helper()
	type check struct {
		key      ed25519.PublicKey
		msg, sig []byte
	}
	checks := make([]check, len(recs))
	for i, r := range recs {
		raw := r.Raw()
		body := raw[1 : len(raw)-66]
		checks[i] = check{r.Header().By.PublicKey(), append([]byte("parley/1/record\x00"), body...), raw[len(raw)-64:]}
	}
	var next atomic.Int64
	done := make(chan bool)
	took := meter()
	workers := runtime.GOMAXPROCS(0)
	for range workers {
		go func() {
			good := true
			for i := next.Add(1) - 1; i < int64(len(checks)); i = next.Add(1) - 1 {
				c := &checks[i]
				good = crypto.Verify(c.key, c.msg, c.sig) && good
			}
			done <- good
		}()
	}
	for range workers {
		if !<-done {
			b.Fatal("a signature doesn't verify")
		}
	}
	return took(len(recs))
}

// measureBadger writes what stands in a view to another folder, in batches of as
// many records as the nodes' own.
func measureBadger(b *testing.B, view string) cost {
	b.Helper()
	groups := contents(b, view)
	db, err := badger.Open(store.Profile(b.TempDir(), store.Options{}))
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	const batch = 512
	took := meter()
	for i := 0; i < len(groups); i += batch {
		w := db.NewWriteBatch()
		for _, group := range groups[i:min(i+batch, len(groups))] {
			for _, kv := range group {
				if err := w.Set(kv[0], kv[1]); err != nil {
					b.Fatal(err)
				}
			}
		}
		if err := w.Flush(); err != nil {
			b.Fatal(err)
		}
	}
	return took(len(groups))
}

// contents are the keys and values of a view's records, a record at a time: all
// of its keys end in the record's hash.
func contents(b *testing.B, view string) (groups [][][2][]byte) {
	b.Helper()
	db, err := badger.Open(store.Profile(view, store.Options{}))
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	byHash := map[[32]byte]int{}
	err = db.View(func(txn *badger.Txn) error {
		it := txn.NewIterator(badger.DefaultIteratorOptions)
		defer it.Close()
		for it.Rewind(); it.Valid(); it.Next() {
			key := it.Item().KeyCopy(nil)
			if len(key) < 33 {
				continue // counts
			}
			value, err := it.Item().ValueCopy(nil)
			if err != nil {
				return err
			}
			hash := [32]byte(key[len(key)-32:])
			at, ok := byHash[hash]
			if !ok {
				at = len(groups)
				byHash[hash] = at
				groups = append(groups, nil)
			}
			groups[at] = append(groups[at], [2][]byte{key, value})
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	return groups
}
