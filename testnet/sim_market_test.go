package testnet_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ipfs/go-cid"
	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/parley-protocol/parley/node/book"
	"github.com/parley-protocol/parley/node/config"
	"github.com/parley-protocol/parley/node/desk"
	"github.com/parley-protocol/parley/node/event"
	"github.com/parley-protocol/parley/node/store"
	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/deal"
	"github.com/parley-protocol/parley/protocol/decimal"
	"github.com/parley-protocol/parley/protocol/record"
)

// Whole nodes in five markets, switched off and killed at random, parted twice.
// Whatever happens:
//
//   - each offer reaches its customer, once, and is told to the person once at most;
//   - what was accepted ends as one agreement, the same on both sides;
//   - in the end every node of a market has the same live requests and withdrawals,
//     all that there are, and nobody owes anybody anything.
//
// PARLEY_NODES, PARLEY_INTENTS and PARLEY_SEEDS are its sizes, PARLEY_SEED the
// first seed, which decides everything but keys and the order of goroutines.

func TestMarkets(t *testing.T) {
	nodes := sized(t, "PARLEY_NODES", 8, 30)
	intents := sized(t, "PARLEY_INTENTS", 2*nodes, 5*nodes)
	first := sized(t, "PARLEY_SEED", 1, 1)
	for i := range sized(t, "PARLEY_SEEDS", 1, 20) {
		seed := uint64(first + i)
		ok := t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			began, cpu := time.Now(), cpuTime()
			var f *fair
			dir := memoryDir(t)
			synctest.Test(t, func(t *testing.T) {
				f = newFair(t, dir, seed, nodes, intents)
				defer f.close()
				f.open()
				f.hold()
				f.settle()
				f.judge()
			})
			t.Logf("%d nodes, %d requests, seed %d: %s, %s of CPU; %+v", nodes, intents, seed,
				time.Since(began).Round(time.Second/10), (cpuTime() - cpu).Round(time.Second/10), f.met)
		})
		if !ok {
			return
		}
	}
}

// memoryDir is a folder in memory where there is one: what is simulated are
// nodes and networks, and not disks.
func memoryDir(t *testing.T) string {
	const memory = "/dev/shm"
	dir, err := os.MkdirTemp(memory, "parley")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// The plot, in virtual time from when all nodes are on.
const (
	fairTime     = 12 * time.Minute // in which requests are published
	fairPause    = 4 * time.Minute  // after which everything works again
	fairStep     = time.Second
	fairPatience = 20 * time.Minute // for what is still under way then
	fairMarkets  = 5
	fairLife     = 24 * time.Hour // of requests and offers
)

// fair is one history.
type fair struct {
	t        *testing.T
	rng      *rand.Rand
	sim      *simulation
	began    time.Time
	visitors []*visitor
	asks     []*ask
	parting  [2][2]time.Duration // the partitions: when each begins and ends
	parted   bool
	met      fairTally
}

// fairTally is what a history met with.
type fairTally struct {
	Offers, Accepted, Withdrawn, Stops, Kills, Untold int
	Offered, Agreed, Same, Quiet                      time.Duration // after the last healing: until each was so
	MB                                                int           // sent, by all nodes
}

// visitor is one node with who is behind it.
type visitor struct {
	*simulated
	markets []string
	mailbox bool
	toggle  time.Duration // when it is switched off or on next
	busy    chan struct{} // closed when it has been; nil: it isn't being
	err     error
	lives   int

	mu   sync.Mutex
	told map[string]int // offers, by ID
	stop func()
}

// ask is one request, with what its author and those who answer will do.
type ask struct {
	at       time.Duration
	by       *visitor
	market   string
	sellers  []*visitor
	withdraw time.Duration // when, 0: never
	accept   time.Duration // when, 0: never

	intent    *record.Record
	withdrawn bool
	offers    map[*visitor]*record.Record
	accepted  cid.Cid
}

func newFair(t *testing.T, dir string, seed uint64, nodes, intents int) *fair {
	f := &fair{t: t, rng: rand.New(rand.NewPCG(seed, 0)), sim: newSimulation(t, dir)}
	boxes := max(2, nodes/20)
	for i := range nodes {
		v := &visitor{mailbox: i < boxes, told: map[string]int{}}
		for _, m := range f.rng.Perm(fairMarkets)[:1+f.rng.IntN(3)] {
			v.markets = append(v.markets, fmt.Sprint("fair/", m))
		}
		v.toggle = f.within(30*time.Second, fairTime)
		f.visitors = append(f.visitors, v)
	}
	for i := range fairMarkets { // nobody is alone
		m := fmt.Sprint("fair/", i)
		for len(f.in(m)) < 3 {
			v := f.visitors[f.rng.IntN(nodes)]
			if !slices.Contains(v.markets, m) {
				v.markets = append(v.markets, m)
			}
		}
	}
	for range intents {
		v := f.visitors[f.rng.IntN(nodes)]
		a := &ask{at: f.within(0, fairTime), by: v, market: v.markets[f.rng.IntN(len(v.markets))], offers: map[*visitor]*record.Record{}}
		others := slices.DeleteFunc(f.in(a.market), func(o *visitor) bool { return o == v })
		for _, k := range f.rng.Perm(len(others))[:min(len(others), f.rng.IntN(4))] {
			a.sellers = append(a.sellers, others[k])
		}
		switch f.rng.IntN(10) {
		case 0, 1:
			a.withdraw = a.at + f.within(0, 5*time.Minute)
		case 2, 3, 4, 5, 6:
			a.accept = a.at + f.within(10*time.Second, 3*time.Minute)
		}
		f.asks = append(f.asks, a)
	}
	slices.SortFunc(f.asks, func(a, b *ask) int { return int(a.at - b.at) })
	// The second partition lasts until everything works.
	begin := f.within(2*time.Minute, 4*time.Minute)
	f.parting[0] = [2]time.Duration{begin, begin + f.within(time.Minute, 3*time.Minute)}
	f.parting[1] = [2]time.Duration{fairTime - f.within(time.Minute, 4*time.Minute), fairTime}
	return f
}

func (f *fair) within(from, to time.Duration) time.Duration {
	return from + time.Duration(f.rng.Int64N(int64(to-from)))
}

func (f *fair) in(market string) (out []*visitor) {
	for _, v := range f.visitors {
		if slices.Contains(v.markets, market) {
			out = append(out, v)
		}
	}
	return out
}

// open sets all nodes up and starts them. Each joins some of those before it, as
// with an invite, and one of those that keep a part of the table of nodes.
func (f *fair) open() {
	boxes := max(2, len(f.visitors)/20)
	for i, v := range f.visitors {
		var err error
		v.simulated, err = f.sim.add(fmt.Sprint("node", i), func(c *config.Config) {
			c.ServeMailbox, c.Discovery = v.mailbox, "client"
			if v.mailbox {
				c.Discovery = "server"
			}
			if !v.mailbox {
				for _, k := range f.rng.Perm(boxes)[:2] {
					c.Mailboxes = append(c.Mailboxes, f.visitors[k].node.Network.Addrs()...)
				}
			}
		})
		if err != nil {
			f.t.Fatal(err)
		}
		if err := v.up(f.t.Context()); err != nil {
			f.t.Fatal(err)
		}
		for _, k := range append(f.rng.Perm(i)[:min(i, 3)], f.rng.IntN(max(1, min(i, boxes)))) {
			if k == i {
				continue
			}
			if err := v.node.JoinPeers(f.t.Context(), f.visitors[k].node.Network.Addrs()); err != nil {
				f.t.Fatal(err)
			}
		}
		for _, m := range v.markets {
			if err := v.node.Desk.JoinMarket(f.t.Context(), m); err != nil {
				f.t.Fatal(err)
			}
		}
	}
	f.began = time.Now()
}

// up starts the node and listens to what it tells its person.
func (v *visitor) up(ctx context.Context) error {
	if err := v.Start(ctx); err != nil {
		return err
	}
	v.lives++
	events, stop := v.node.Desk.Watch()
	done := make(chan struct{})
	go func() {
		defer close(done)
		for e := range events {
			if e.Kind == event.OfferReceived {
				v.mu.Lock()
				v.told[e.Record]++
				v.mu.Unlock()
			}
		}
	}()
	v.stop = func() { stop(); <-done }
	return nil
}

// down ends it.
func (v *visitor) down(kill bool) error {
	v.stop()
	if kill {
		return v.Kill()
	}
	return v.Stop()
}

// on tells whether the node is up, and not about to be switched.
func (v *visitor) on() bool {
	if v.busy != nil {
		select {
		case <-v.busy:
			v.busy = nil
		default:
			return false
		}
	}
	return v.node != nil
}

func (f *fair) close() {
	for _, v := range f.visitors {
		if v.busy != nil {
			<-v.busy
		}
		if v.simulated != nil && v.node != nil {
			v.stop()
		}
	}
	f.sim.close()
}

func (f *fair) now() time.Duration { return time.Since(f.began) }

// hold plays the plot.
func (f *fair) hold() {
	for f.now() < fairTime {
		f.part()
		for _, v := range f.visitors {
			f.toggle(v)
		}
		f.trade()
		time.Sleep(fairStep)
	}
	f.sim.wires.heal()
	for _, v := range f.visitors {
		if v.busy != nil {
			<-v.busy
		}
		if !v.on() {
			f.flip(v, false)
		}
	}
	for _, v := range f.visitors {
		for !v.on() {
			<-v.busy
			f.must(v.err)
		}
	}
}

// part begins and ends the partitions. Sides are drawn anew for each.
func (f *fair) part() {
	want := false
	for _, p := range f.parting {
		want = want || p[0] <= f.now() && f.now() < p[1]
	}
	if want == f.parted {
		return
	}
	f.parted = want
	if !want {
		f.sim.wires.heal()
		return
	}
	sides := map[netip.Addr]int{}
	for _, v := range f.visitors {
		sides[v.machine.ip] = f.rng.IntN(2)
	}
	f.sim.wires.partition(sides)
}

// toggle switches a node off, or on again, when its time has come.
func (f *fair) toggle(v *visitor) {
	on := v.on()
	f.must(v.err)
	if v.busy != nil || f.now() < v.toggle {
		return
	}
	kill := f.rng.IntN(2) == 0
	switch {
	case !on:
		v.toggle = f.now() + f.within(time.Minute, fairTime)
	case kill:
		f.met.Kills++
	default:
		f.met.Stops++
	}
	if on {
		v.toggle = f.now() + f.within(5*time.Second, 3*time.Minute)
	}
	f.flip(v, kill)
}

// flip switches a node, which takes a while.
func (f *fair) flip(v *visitor, kill bool) {
	on := v.node != nil
	v.busy = make(chan struct{})
	go func() {
		defer close(v.busy)
		if on {
			v.err = v.down(kill)
		} else {
			v.err = v.up(f.t.Context())
		}
	}()
}

func (f *fair) must(err error) {
	f.t.Helper()
	if err != nil {
		f.t.Fatal(err)
	}
}

// trade does what is due at the nodes that are on.
func (f *fair) trade() {
	for _, a := range f.asks {
		if f.now() < a.at {
			return // they are in order
		}
		if a.by.on() {
			f.demand(a)
		}
		if a.intent == nil {
			continue
		}
		for _, s := range a.sellers {
			if a.offers[s] == nil && s.on() && s.node.Desk.Known(a.intent.ID()) {
				f.offer(a, s)
			}
		}
	}
}

// demand is the customer's part.
func (f *fair) demand(a *ask) {
	d := a.by.node.Desk
	until := f.began.Add(fairLife).Unix()
	switch {
	case a.intent == nil:
		rec, err := d.PublishIntent(f.t.Context(), desk.IntentRequest{Intent: record.Intent{
			Market: a.market, Name: "Twelve chairs", Category: []string{"cpv:39112000"},
			ItemOffered: []record.DemandItem{{Name: "Chair"}}, ValidUntil: until,
		}})
		if err != nil {
			f.t.Fatalf("%s publishes: %v", a.by.Name, err)
		}
		a.intent = rec
	case a.withdraw != 0 && a.withdraw < f.now() && !a.withdrawn:
		if _, err := d.WithdrawIntent(f.t.Context(), a.intent.ID(), ""); err != nil {
			f.t.Fatalf("%s withdraws: %v", a.by.Name, err)
		}
		a.withdrawn = true
		f.met.Withdrawn++
	case a.accept != 0 && a.accept < f.now() && !a.accepted.Defined():
		for _, dl := range d.Book().DealsOf(a.intent.ID()) {
			if len(dl.State.Offers) == 0 || dl.State.Phase != deal.PhaseOpen {
				continue
			}
			offer := dl.State.Offers[0]
			if _, err := d.AcceptOffer(f.t.Context(), offer.ID(), false); err != nil {
				f.t.Fatalf("%s accepts: %v", a.by.Name, err)
			}
			a.accepted = offer.ID()
			f.met.Accepted++
			return
		}
	}
}

// offer is a seller's part. Who hears of the withdrawal first makes none.
func (f *fair) offer(a *ask, s *visitor) {
	price := decimal.MustParse("100")
	rec, err := s.node.Desk.MakeOffer(f.t.Context(), desk.OfferRequest{Intent: a.intent.ID(), Offer: record.Offer{
		ItemOffered: []record.OfferItem{{Name: "Chair", Price: price}}, PriceCurrency: "EUR", TotalPrice: price,
		ValidUntil: f.began.Add(fairLife).Unix(),
	}})
	if err != nil {
		if !a.withdrawn {
			f.t.Fatalf("%s offers: %v", s.Name, err)
		}
		return
	}
	a.offers[s] = rec
	f.met.Offers++
}

// settle waits, now that everything works, for all that is still under way.
func (f *fair) settle() {
	healed := f.now()
	goals := []struct {
		took *time.Duration
		left func() []string
	}{
		{&f.met.Offered, f.notOffered}, {&f.met.Agreed, f.notAgreed}, {&f.met.Same, f.notSame}, {&f.met.Quiet, f.owed},
	}
	for len(goals) > 0 {
		f.trade()
		goals = slices.DeleteFunc(goals, func(g struct {
			took *time.Duration
			left func() []string
		}) bool {
			*g.took = f.now() - healed
			return len(g.left()) == 0
		})
		if f.now()-healed > fairPatience {
			f.whoKnowsWhom()
			for _, g := range goals {
				f.t.Error("still not: " + strings.Join(g.left(), "; "))
			}
			f.t.FailNow()
		}
		time.Sleep(fairStep)
	}
}

// whoKnowsWhom logs who knows whom in each market.
func (f *fair) whoKnowsWhom() {
	names := map[peer.ID]string{}
	for _, v := range f.visitors {
		names[v.node.Network.ID()] = v.Name
	}
	for _, v := range f.visitors {
		line := v.Name + " (" + fmt.Sprint(v.node.Discovery.Status()) + "), connected to " + fmt.Sprint(len(v.node.Network.Host().Network().Peers()))
		for _, m := range v.markets {
			line += ", in " + m + " with"
			for _, id := range v.node.Gossip.Peers(m) {
				line += " " + names[id]
			}
		}
		f.t.Log(line)
	}
}

// notOffered lists who doesn't know of a request that it would answer, and what
// customers wait for.
func (f *fair) notOffered() (out []string) {
	for i, a := range f.asks {
		if a.intent == nil {
			out = append(out, fmt.Sprintf("%s publishes request %d", a.by.Name, i))
			continue
		}
		for _, s := range a.sellers {
			if rec := a.offers[s]; rec == nil && !a.withdrawn {
				out = append(out, fmt.Sprintf("%s answers request %d of %s", s.Name, i, a.by.Name))
			} else if rec != nil && !a.by.node.Desk.Book().Has(rec.ID()) {
				out = append(out, fmt.Sprintf("%s has the offer of %s on request %d", a.by.Name, s.Name, i))
			}
		}
	}
	return out
}

// notAgreed lists the deals that aren't over on both sides.
func (f *fair) notAgreed() (out []string) {
	for i, a := range f.asks {
		if a.accept != 0 && !a.accepted.Defined() && len(a.sellers) > 0 {
			out = append(out, fmt.Sprintf("%s accepts an offer on request %d", a.by.Name, i))
		}
		for s, offer := range a.offers {
			want := deal.PhaseOpen
			switch {
			case a.accepted == offer.ID():
				want = deal.PhaseAgreed
			case a.accepted.Defined():
				want = deal.PhaseVoided // another was chosen
			}
			for _, side := range []*visitor{a.by, s} {
				if dl := dealAt(side, offer); dl == nil || dl.State.Phase != want {
					out = append(out, fmt.Sprintf("the deal of %s and %s on request %d is %s at %s", a.by.Name, s.Name, i, want, side.Name))
				}
			}
		}
	}
	return out
}

func dealAt(v *visitor, offer *record.Record) *book.Deal {
	key, _ := offer.Deal()
	dl, _ := v.node.Desk.Book().Deal(key.ID())
	return dl
}

// notSame lists who lacks, or has too much of, what is live in a market.
func (f *fair) notSame() (out []string) {
	want := map[string]map[cid.Cid]bool{}
	for _, a := range f.asks {
		if want[a.market] == nil {
			want[a.market] = map[cid.Cid]bool{}
		}
		if a.intent != nil && !a.withdrawn {
			want[a.market][a.intent.ID()] = true
		}
	}
	for _, v := range f.visitors {
		for _, m := range v.markets {
			got := f.live(v, m)
			for id := range want[m] {
				if !got[id] {
					out = append(out, fmt.Sprintf("%s has %s in %s", v.Name, id, m))
				}
			}
			for id := range got {
				if !want[m][id] {
					out = append(out, fmt.Sprintf("%s has lost %s in %s", v.Name, id, m))
				}
			}
		}
	}
	return out
}

// live are a market's requests that a node takes for live.
func (f *fair) live(v *visitor, market string) map[cid.Cid]bool {
	out := map[cid.Cid]bool{}
	filter := store.Filter{Market: market, Types: []string{protocol.TypeIntent}, Live: true, Now: time.Now().Unix()}
	for e, err := range v.node.Store.Query(f.t.Context(), filter) {
		if err != nil {
			f.t.Fatalf("%s: %v", v.Name, err)
		}
		out[e.Record.ID()] = true
	}
	return out
}

func (f *fair) owed() (out []string) {
	for _, v := range f.visitors {
		for _, p := range v.node.Desk.Outbox().Pending() {
			out = append(out, fmt.Sprintf("%s owes nothing (%d tries, kept since %v, %v)", v.Name, p.Attempts, p.Stored, p.Err))
		}
	}
	return out
}

// judge looks at what must hold for ever.
func (f *fair) judge() {
	for i, a := range f.asks {
		var agreements []cid.Cid
		deals := a.by.node.Desk.Book().DealsOf(a.intent.ID())
		if len(deals) != len(a.offers) {
			f.t.Errorf("request %d: %d deals for %d offers", i, len(deals), len(a.offers))
		}
		for s, offer := range a.offers {
			mine, theirs := dealAt(a.by, offer), dealAt(s, offer)
			if len(mine.State.Offers) != 1 || mine.State.Offers[0].ID() != offer.ID() {
				f.t.Errorf("request %d: %s has %d offers of %s", i, a.by.Name, len(mine.State.Offers), s.Name)
			}
			if mine.State.Agreement != theirs.State.Agreement {
				f.t.Errorf("request %d: two names for one agreement", i)
			}
			if mine.State.Agreement.Defined() {
				agreements = append(agreements, mine.State.Agreement)
			}
			a.by.mu.Lock()
			switch n := a.by.told[offer.ID().String()]; {
			case n > 1:
				f.t.Errorf("request %d: the offer of %s was told %d times", i, s.Name, n)
			case n == 0 && a.by.lives == 1:
				f.t.Errorf("request %d: the offer of %s was not told", i, s.Name)
			case n == 0:
				f.met.Untold++
			}
			a.by.mu.Unlock()
		}
		if want := a.accepted.Defined(); want != (len(agreements) == 1) {
			f.t.Errorf("request %d: %d agreements", i, len(agreements))
		}
	}
	for _, v := range f.visitors {
		f.met.MB += v.machine.traffic().BytesSent >> 20
	}
}
