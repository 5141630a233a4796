package node_test

import (
	"context"
	"crypto/ed25519"
	"encoding/binary"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dgraph-io/badger/v4"

	"github.com/parley-protocol/parley/crypto"
	"github.com/parley-protocol/parley/node"
	"github.com/parley-protocol/parley/node/gossip"
	"github.com/parley-protocol/parley/node/ingest"
	"github.com/parley-protocol/parley/node/network"
	"github.com/parley-protocol/parley/node/nodetest"
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
// records, a few hundred of them at a time in turns, are its bare parts:
//
//	gossip    GossipSub alone, between two hosts, with the nodes' parameters
//	verify    Ed25519 verification alone, on all processors
//	badger    Badger alone: batches of the very keys and values that a view has,
//	          encrypted as a node's are
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
	const turn = 250
	n := sizeOf(b, "PARLEY_BENCH_RECORDS", 5000)
	recs := signed(b, n)
	size := 0
	frames := make([][]byte, n)
	for i, r := range recs {
		size += r.Size()
		frames[i] = record.EncodeFrame(r.Raw(), nil)
	}
	sum := map[string]cost{}
	for b.Loop() {
		parts := []struct {
			name string
			do   func(from, to int)
		}{
			{"pipeline", pipelinePart(b, frames)},
			{"gossip", gossipPart(b, frames)},
			{"verify", verifyPart(b, recs)},
			{"badger", badgerPart(b, recs)},
		}
		for from := 0; from < n; from += turn {
			for _, p := range parts {
				began, used := time.Now(), cpuTime()
				p.do(from, min(from+turn, n))
				sum[p.name] = sum[p.name].plus(cost{time.Since(began).Seconds(), (cpuTime() - used).Seconds()}, 1)
			}
		}
	}
	total := float64(n * b.N)
	sum["composed"] = sum["gossip"].plus(sum["verify"], 2).plus(sum["badger"], 2)
	for name, c := range sum {
		b.ReportMetric(total/c.wall, name+"/s")
		b.ReportMetric(1e6*c.cpu/total, name+"-cpu-µs")
	}
	b.ReportMetric(float64(size)/float64(n), "B/record")
	b.ReportMetric(100*sum["composed"].wall/sum["pipeline"].wall, "percent")
	b.ReportMetric(100*sum["composed"].cpu/sum["pipeline"].cpu, "cpu-percent")
}

// cost is seconds by the clock, and of all processors.
type cost struct{ wall, cpu float64 }

func (c cost) plus(d cost, times float64) cost {
	return cost{c.wall + times*d.wall, c.cpu + times*d.cpu}
}

// publish sends frames with at most a window's worth on their way; arrived
// counts those of them that are there.
func publish(tb testing.TB, g *gossip.Gossip, frames [][]byte, arrived func() int) {
	tb.Helper()
	for i, frame := range frames {
		if i-arrived() >= window {
			nodetest.Await(tb, "frames arrive", func() bool { return i-arrived() < window/2 })
		}
		if _, err := g.Publish(tb.Context(), market, frame); err != nil {
			tb.Fatal(err)
		}
	}
}

// unlimited lets one peer bring all that there is.
func unlimited(o *node.Options) {
	o.Ingest = ingest.Limits{PerPeerRate: 1e9, PerPeerBurst: 1e9, TotalRate: 1e9, TotalBurst: 1e9}
}

func pipelinePart(b *testing.B, frames [][]byte) func(from, to int) {
	b.Helper()
	sender, receiver := startWith(b, b.TempDir(), nil, unlimited), startWith(b, b.TempDir(), nil, unlimited)
	join(b, sender)
	join(b, receiver, sender)
	if !sender.Gossip.AwaitMesh(b.Context(), market) {
		b.Fatal("no mesh")
	}
	// Both have asked each other what they missed, twice, and go on to gossip.
	nodetest.Await(b, "catching up is over", func() bool {
		return sender.Gossip.Stats().CatchupSessions >= 2 && receiver.Gossip.Stats().CatchupSessions >= 2
	})
	return func(from, to int) {
		stored := func() int { return receiver.Store.Stats().Foreign.Count - from }
		publish(b, sender.Gossip, frames[from:to], func() int { return int(receiver.Ingest.Stats().Accepted) - from })
		nodetest.Await(b, "all is stored", func() bool { return stored() == to-from })
		found := 0
		for _, err := range receiver.Store.Query(b.Context(), store.Filter{Market: market, Live: true, Now: time.Now().Unix(), Order: store.Newest, Limit: 50}) {
			if err != nil {
				b.Fatal(err)
			}
			found++
		}
		if found != min(50, to) {
			b.Fatalf("%d records are found", found)
		}
	}
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

func gossipPart(b *testing.B, frames [][]byte) func(from, to int) {
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
		b.Cleanup(func() { parts[i].Close() })
		if err := n.Start(b.Context()); err != nil {
			b.Fatal(err)
		}
		if err := parts[i].Join(b.Context(), market); err != nil {
			b.Fatal(err)
		}
		addrs = n.Addrs()
	}
	if !parts[0].AwaitMesh(b.Context(), market) {
		b.Fatal("no mesh")
	}
	return func(from, to int) {
		arrived := func() int { return int(handlers[1].n.Load()) - from }
		publish(b, parts[0], frames[from:to], arrived)
		nodetest.Await(b, "all frames are there", func() bool { return arrived() == to-from })
	}
}

func verifyPart(b *testing.B, recs []*record.Record) func(from, to int) {
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
	return func(from, to int) {
		var next, bad atomic.Int64
		next.Store(int64(from))
		var work sync.WaitGroup
		for range runtime.GOMAXPROCS(0) {
			work.Go(func() {
				for i := next.Add(1) - 1; i < int64(to); i = next.Add(1) - 1 {
					if c := &checks[i]; !crypto.Verify(c.key, c.msg, c.sig) {
						bad.Add(1)
					}
				}
			})
		}
		if work.Wait(); bad.Load() > 0 {
			b.Fatal("a signature doesn't verify")
		}
	}
}

// badgerPart writes what stands in a view of the records to another folder.
func badgerPart(b *testing.B, recs []*record.Record) func(from, to int) {
	b.Helper()
	groups := contents(b, recs)
	db, err := badger.Open(store.Profile(b.TempDir(), store.Options{Key: &[32]byte{1}})) // a node's is encrypted
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { db.Close() })
	return func(from, to int) {
		w := db.NewWriteBatch()
		for _, group := range groups[from:to] {
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
}

// contents are the keys and values that a view has of the records, a record at a
// time: all of its keys end in the record's hash.
func contents(b *testing.B, recs []*record.Record) [][][2][]byte {
	b.Helper()
	view := b.TempDir()
	s, err := store.Open(b.Context(), view, store.Options{})
	if err != nil {
		b.Fatal(err)
	}
	items := make([]store.Item, len(recs))
	at := map[[32]byte]int{}
	for i, r := range recs {
		items[i] = store.Item{Record: r, Class: store.ClassForeign, Market: market}
		at[[32]byte(r.ID().Hash()[2:])] = i
	}
	if _, err := s.Put(b.Context(), items); err != nil {
		b.Fatal(err)
	}
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
	db, err := badger.Open(store.Profile(view, store.Options{}))
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	groups := make([][][2][]byte, len(recs))
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
			i := at[[32]byte(key[len(key)-32:])]
			groups[i] = append(groups[i], [2][]byte{key, value})
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	return groups
}
