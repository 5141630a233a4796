// Package discovery finds the nodes of a market without a server of anybody's: a
// Kademlia table under Parley's own protocol ID, in which each node notes the
// markets that it is in. Any node of the table is as good a way in as any
// other. Specification: spec/08-transport.md.
package discovery

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/ipfs/go-cid"
	dht "github.com/libp2p/go-libp2p-kad-dht"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peer"
	coreprotocol "github.com/libp2p/go-libp2p/core/protocol"
	"github.com/multiformats/go-multihash"
)

// prefix is what the table's protocol ID begins with; Kademlia's own part
// follows: /parley/kad/1.0.0.
const prefix coreprotocol.ID = "/parley"

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
	// Peers is how many nodes of a market are known already.
	Peers func(market string) int
	// Local takes private addresses for good ones, for networks that are no part
	// of the internet.
	Local bool
	Log   *slog.Logger
	Timing
}

// Timing is how often things are done; the zero value is right for a node.
type Timing struct {
	First     time.Duration // the pause after a first look that found too few, 5 s when 0
	Most      time.Duration // pauses double up to this, 10 min when 0
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
	set(&t.Advertise, 8*time.Hour)
	return t
}

const (
	enough     = 6                // nodes of a market: no more are looked for
	findMost   = 20               // nodes that one look takes
	lookFor    = 30 * time.Second // at most
	connectFor = 15 * time.Second
)

// Discovery is safe for concurrent use.
type Discovery struct {
	host host.Host
	opts Options
	dht  *dht.IpfsDHT

	ctx  context.Context
	stop context.CancelFunc
	work sync.WaitGroup

	mu      sync.Mutex
	closed  bool
	markets map[string]context.CancelFunc
}

// New sets the table's protocol handlers on the host; nothing is asked before
// Start.
func New(h host.Host, opts Options) (*Discovery, error) {
	if opts.Log == nil {
		opts.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	opts.Timing = opts.Timing.withDefaults()
	d := &Discovery{host: h, opts: opts, markets: map[string]context.CancelFunc{}}
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
	for pause := d.opts.First; ctx.Err() == nil; pause = min(2*pause, d.opts.Most) {
		if d.opts.Peers(market) < enough && d.dht.RoutingTable().Size() > 0 {
			d.look(ctx, key)
		}
		sleep(ctx, pause)
	}
}

func (d *Discovery) look(ctx context.Context, key cid.Cid) {
	looking, cancel := context.WithTimeout(ctx, lookFor)
	defer cancel()
	var dials sync.WaitGroup
	for info := range d.dht.FindProvidersAsync(looking, key, findMost) {
		if info.ID == d.host.ID() || len(info.Addrs) == 0 {
			continue
		}
		dials.Go(func() {
			dialling, cancel := context.WithTimeout(ctx, connectFor)
			defer cancel()
			if err := d.host.Connect(dialling, info); err != nil {
				d.opts.Log.Debug("a node of the market can't be reached", "peer", info.ID, "error", err)
			}
		})
	}
	dials.Wait()
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
