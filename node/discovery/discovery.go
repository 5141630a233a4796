// Package discovery finds the nodes of a market without a server of anybody's:
// among those met before, by asking good peers, and in a Kademlia table under
// Parley's own protocol ID, in which each node notes the markets that it is in. Any
// node of the table is as good a way in as any other. Specification:
// spec/08-transport.md, "Finding nodes".
package discovery

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/ipfs/go-cid"
	dht "github.com/libp2p/go-libp2p-kad-dht"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	coreprotocol "github.com/libp2p/go-libp2p/core/protocol"
	"github.com/multiformats/go-multihash"

	parley "github.com/parley-protocol/parley/node/network"
	"github.com/parley-protocol/parley/node/peers"
	"github.com/parley-protocol/parley/protocol"
)

// prefix is what the table's protocol ID begins with; Kademlia's own part follows.
const prefix coreprotocol.ID = "/parley"

// TableProtocol is spoken by the nodes that keep a part of the table for others.
const TableProtocol = prefix + "/kad/1.0.0"

// Mode says whether a node keeps a part of the table for others.
type Mode string

// The modes.
const (
	Auto   Mode = "auto"   // while others can reach it
	Client Mode = "client" // never: it only asks
	Server Mode = "server" // always
)

// Options are what a Discovery is told.
type Options struct {
	Mode Mode
	// Bootstrap are nodes to begin with, asked for whenever the table is empty.
	Bootstrap func() []peer.AddrInfo
	// Peers is how many nodes of a market are connected, and how many of them
	// this node has chosen and dialled itself. Those alone count for enough:
	// others can come in any number.
	Peers func(market string) (all, dialled int)
	// Memory are the nodes met before; nil: none.
	Memory Memory
	// Exchange is what peers tell each other; its functions may be nil.
	Exchange Exchange
	// Found is told how a node that is about to be dialled was found.
	Found func(id peer.ID, how parley.Origin)
	// Local takes private addresses for good ones, for networks that are no part
	// of the internet.
	Local bool
	Log   *slog.Logger
	Timing
}

// Memory are the nodes met before.
type Memory interface {
	// Pick is up to n nodes of a market, of any when it is empty.
	Pick(market string, n int, skip func(peer.ID) bool) []peers.Peer
	// Failed is told of a dial in vain.
	Failed(id peer.ID)
}

// Timing is how often things are done; the zero value is right for a node.
type Timing struct {
	First     time.Duration // the pause after a first look that found too few, 5 s when 0
	Most      time.Duration // pauses double up to this, 10 min when 0; six times that when nodes of the market are there
	Ask       time.Duration // how often one peer is asked for others of a market, 10 min when 0
	Advertise time.Duration // how often a market is noted again, 8 h when 0; notes last two days
}

func (t Timing) withDefaults() Timing {
	set := func(d *time.Duration, to time.Duration) {
		if *d == 0 {
			*d = to
		}
	}
	set(&t.First, 5*time.Second)
	set(&t.Most, 10*time.Minute)
	set(&t.Ask, askEvery)
	set(&t.Advertise, 8*time.Hour)
	return t
}

const (
	enough     = 6                // nodes of a market that were dialled: no more are looked for
	anchors    = 2                // nodes met before that are dialled however many came by themselves
	findMost   = 100              // nodes that one look in the table takes notice of
	lookFor    = 30 * time.Second // at most
	connectFor = 15 * time.Second
)

// Discovery is safe for concurrent use.
type Discovery struct {
	host host.Host
	opts Options
	dht  *dht.IpfsDHT

	exchange *exchange

	ctx  context.Context
	stop context.CancelFunc
	work sync.WaitGroup

	mu      sync.Mutex
	closed  bool
	markets map[string]context.CancelFunc
	asked   map[string]time.Time // by market and peer
}

// New sets the table's protocol handlers on the host; nothing is asked before
// Start.
func New(h host.Host, opts Options) (*Discovery, error) {
	if opts.Log == nil {
		opts.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	opts.Timing = opts.Timing.withDefaults()
	d := &Discovery{host: h, opts: opts, markets: map[string]context.CancelFunc{}, asked: map[string]time.Time{}, exchange: newExchange(opts.Exchange)}
	d.ctx, d.stop = context.WithCancel(context.Background())
	mode := map[Mode]dht.ModeOpt{"": dht.ModeAuto, Auto: dht.ModeAuto, Client: dht.ModeClient, Server: dht.ModeServer}
	options := []dht.Option{
		dht.ProtocolPrefix(prefix),
		dht.Mode(mode[opts.Mode]),
		dht.DisableValues(), // it says where nodes are, and holds nothing else
		dht.BootstrapPeersFunc(opts.Bootstrap),
	}
	if !opts.Local {
		options = append(options, dht.QueryFilter(dht.PublicQueryFilter), dht.RoutingTableFilter(dht.PublicRoutingTableFilter),
			dht.RoutingTablePeerDiversityFilter(dht.NewRTPeerDiversityFilter(h, 2, 3)))
	}
	var err error
	if d.dht, err = dht.New(h, options...); err != nil {
		d.stop()
		return nil, fmt.Errorf("the table of nodes: %w", err)
	}
	if opts.Exchange.Share != nil {
		h.SetStreamHandler(protocol.ProtocolPeers, d.answer)
	}
	return d, nil
}

// Start fills the table in the background.
func (d *Discovery) Start(ctx context.Context) error {
	return d.dht.Bootstrap(ctx)
}

// Close ends everything. Further calls do nothing.
func (d *Discovery) Close() error {
	d.mu.Lock()
	if d.closed {
		d.mu.Unlock()
		return nil
	}
	d.closed = true
	d.mu.Unlock()
	d.stop()
	d.host.RemoveStreamHandler(protocol.ProtocolPeers)
	err := d.dht.Close()
	d.work.Wait()
	return err
}

// Join looks for the nodes of a market while there are few, and lets others find
// this one. To join again does nothing.
func (d *Discovery) Join(market string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed || d.markets[market] != nil {
		return
	}
	ctx, stop := context.WithCancel(d.ctx)
	d.markets[market] = stop
	d.work.Go(func() { d.find(ctx, market) })
	d.work.Go(func() { d.advertise(ctx, market) })
}

// Leave ends that; what others were told is forgotten within two days.
func (d *Discovery) Leave(market string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if stop := d.markets[market]; stop != nil {
		stop()
		delete(d.markets, market)
	}
}

// Status is what the doctor tells.
type Status struct {
	Nodes  int  // of the table that this node knows
	Serves bool // whether it keeps a part of the table for others
}

// Status is the table's state.
func (d *Discovery) Status() Status {
	return Status{Nodes: d.dht.RoutingTable().Size(), Serves: d.dht.Mode() == dht.ModeServer}
}

// Rendezvous is the key under which the nodes of a market are found: the raw
// CIDv1 of the SHA-256 of its topic.
func Rendezvous(market string) (cid.Cid, error) {
	hash, err := multihash.Sum([]byte("/parley/1/"+market), multihash.SHA2_256, -1)
	if err != nil {
		return cid.Undef, err
	}
	return cid.NewCidV1(cid.Raw, hash), nil
}

// find connects to nodes of a market, with growing pauses.
func (d *Discovery) find(ctx context.Context, market string) {
	key, err := Rendezvous(market)
	if err != nil {
		return
	}
	d.remembered(ctx, market, anchors)
	pause := d.opts.First
	for ctx.Err() == nil {
		if d.lacks(market) > 0 {
			d.look(ctx, market, key)
		}
		sleep(ctx, pause)
		most := d.opts.Most
		if all, _ := d.opts.Peers(market); all > 0 {
			most *= 6
		}
		pause = min(2*pause, most)
	}
}

// lacks is how many more nodes of a market are looked for.
func (d *Discovery) lacks(market string) int {
	_, dialled := d.opts.Peers(market)
	return max(0, enough-dialled)
}

// look goes on until there are enough: among the nodes met before, by asking good
// peers, in the table.
func (d *Discovery) look(ctx context.Context, market string, key cid.Cid) {
	d.remembered(ctx, market, d.lacks(market))
	d.askAround(ctx, market)
	if d.lacks(market) == 0 || d.dht.RoutingTable().Size() == 0 {
		return
	}
	looking, cancel := context.WithTimeout(ctx, lookFor)
	defer cancel()
	var found []peer.AddrInfo
	for info := range d.dht.FindProvidersAsync(looking, key, findMost) {
		found = append(found, info)
	}
	// Who answers first isn't who is dialled first.
	d.dial(ctx, spread(found, 2*enough), parley.OriginDiscovery)
}

// remembered dials nodes that were met before.
func (d *Discovery) remembered(ctx context.Context, market string, n int) {
	if d.opts.Memory == nil || n == 0 {
		return
	}
	list := d.opts.Memory.Pick(market, n, d.skip)
	if len(list) == 0 {
		if all, _ := d.opts.Peers(market); all == 0 {
			list = d.opts.Memory.Pick("", n, d.skip) // who may know of others
		}
	}
	var infos []peer.AddrInfo
	for _, p := range list {
		infos = append(infos, p.Info())
	}
	for _, id := range d.dial(ctx, infos, parley.OriginStored) {
		d.opts.Memory.Failed(id)
	}
}

func (d *Discovery) skip(id peer.ID) bool {
	return id == d.host.ID() || d.host.Network().Connectedness(id) != network.NotConnected
}

// askAround asks some good peers, each not too often, and dials a few of those
// whom each names.
func (d *Discovery) askAround(ctx context.Context, market string) {
	if d.opts.Exchange.Ask == nil {
		return
	}
	good := d.opts.Exchange.Ask(market)
	rand.Shuffle(len(good), func(i, j int) { good[i], good[j] = good[j], good[i] })
	asked := 0
	for _, id := range good {
		if d.lacks(market) == 0 || asked == askMost || ctx.Err() != nil {
			return
		}
		if !d.mayAsk(market, id) {
			continue
		}
		asked++
		infos, err := d.ask(ctx, id, market, maxNamed)
		if err != nil {
			d.opts.Log.Debug("a peer that was asked for others names none", "peer", id, "error", err)
			continue
		}
		infos = slices.DeleteFunc(infos, func(p peer.AddrInfo) bool { return d.skip(p.ID) })
		d.dial(ctx, spread(infos, takeMost), parley.OriginExchange)
	}
}

// mayAsk notes that a peer is asked now, unless it was lately.
func (d *Discovery) mayAsk(market string, id peer.ID) bool {
	now, key := time.Now(), market+"/"+string(id)
	d.mu.Lock()
	defer d.mu.Unlock()
	for k, at := range d.asked {
		if now.Sub(at) >= d.opts.Ask {
			delete(d.asked, k)
		}
	}
	if _, lately := d.asked[key]; lately {
		return false
	}
	d.asked[key] = now
	return true
}

// dial connects to nodes, all at once, and returns those that can't be reached.
func (d *Discovery) dial(ctx context.Context, infos []peer.AddrInfo, how parley.Origin) (failed []peer.ID) {
	var dials sync.WaitGroup
	var mu sync.Mutex
	for _, info := range infos {
		if d.skip(info.ID) || len(info.Addrs) == 0 {
			continue
		}
		if d.opts.Found != nil {
			d.opts.Found(info.ID, how)
		}
		dials.Go(func() {
			dialling, cancel := context.WithTimeout(ctx, connectFor)
			defer cancel()
			if err := d.host.Connect(dialling, info); err != nil && ctx.Err() == nil {
				d.opts.Log.Debug("a node of the market can't be reached", "peer", info.ID, "error", err)
				mu.Lock()
				failed = append(failed, info.ID)
				mu.Unlock()
			}
		})
	}
	dials.Wait()
	return failed
}

// spread chooses n at random, no two of one part of the internet while there are
// others.
func spread(infos []peer.AddrInfo, n int) []peer.AddrInfo {
	infos = slices.Clone(infos)
	rand.Shuffle(len(infos), func(i, j int) { infos[i], infos[j] = infos[j], infos[i] })
	groups := map[string]int{}
	order := make(map[peer.ID]int, len(infos))
	for _, info := range infos {
		group := ""
		if len(info.Addrs) > 0 {
			group = peers.Group(info.Addrs[0])
		}
		order[info.ID] = groups[group]
		groups[group]++
	}
	slices.SortStableFunc(infos, func(a, b peer.AddrInfo) int { return cmp.Compare(order[a.ID], order[b.ID]) })
	return infos[:min(n, len(infos))]
}

// advertise notes that this node is in a market, as soon as there is a table to
// note it in.
func (d *Discovery) advertise(ctx context.Context, market string) {
	key, err := Rendezvous(market)
	if err != nil {
		return
	}
	pause := d.opts.First
	for ctx.Err() == nil {
		err := errors.New("no node of the table is known")
		if d.dht.RoutingTable().Size() > 0 {
			noting, cancel := context.WithTimeout(ctx, time.Minute)
			err = d.dht.Provide(noting, key, true)
			cancel()
		}
		if err == nil {
			sleep(ctx, d.opts.Advertise)
			pause = d.opts.First
			continue
		}
		d.opts.Log.Debug("the market could not be noted", "market", market, "error", err)
		sleep(ctx, pause)
		pause = min(2*pause, d.opts.Most)
	}
}

func sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
