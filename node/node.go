// Package node is one running Parley node: its rooms, put together. A thousand
// of them fit in one process; nothing is global.
package node

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/libp2p/go-libp2p"

	"github.com/parley-protocol/parley/node/config"
	"github.com/parley-protocol/parley/node/desk"
	"github.com/parley-protocol/parley/node/discovery"
	"github.com/parley-protocol/parley/node/gossip"
	"github.com/parley-protocol/parley/node/home"
	"github.com/parley-protocol/parley/node/ingest"
	"github.com/parley-protocol/parley/node/keyring"
	"github.com/parley-protocol/parley/node/ledger"
	"github.com/parley-protocol/parley/node/mailbox"
	"github.com/parley-protocol/parley/node/network"
	"github.com/parley-protocol/parley/node/peers"
	"github.com/parley-protocol/parley/node/space"
	"github.com/parley-protocol/parley/node/spool"
	"github.com/parley-protocol/parley/node/stem"
	"github.com/parley-protocol/parley/node/store"
	"github.com/parley-protocol/parley/node/vault"
	"github.com/parley-protocol/parley/protocol"
)

// Options are what a program that embeds a node may change.
type Options struct {
	Home   home.Home
	Config config.Config
	Log    *slog.Logger
	// Now is the clock, time.Now by default.
	Now func() time.Time
	// Unlock is how the keys are opened that are under a passphrase.
	Unlock vault.Unlock
	// HostOptions are added to those of every libp2p host that the node makes, the
	// throw-away ones too; tests put a simulated network in through them.
	HostOptions []libp2p.Option
	// Ingest bounds what others can make the node do; the zero value is right
	// but for measurements.
	Ingest ingest.Limits
}

// Node is a running node. Its fields are set once Start has returned.
type Node struct {
	opts    Options
	close   []func() error // in the order of starting
	failed  chan error
	mail    *mailbox.Client
	inbox   *spool.Spool
	custody *spool.Spool
	silent  chan meeting // peers that didn't say yet where they are

	Space   *space.Watch
	Keys    *keyring.Keyring
	Ledger  *ledger.Ledger
	Store   *store.Store
	Network *network.Network
	Gossip  *gossip.Gossip
	// Stem is nil when it is off.
	Stem *stem.Stem
	// deskThere is set once Desk is: discovery asks for peers before.
	deskThere atomic.Bool
	// Discovery and Peers, the nodes met, are nil when it is off.
	Discovery *discovery.Discovery
	Peers     *peers.Store
	Mailbox   *mailbox.Server
	Ingest    *ingest.Ingest
	Desk      *desk.Desk

	Started, Ready time.Time
}

// Bounds of what others may leave on the disk.
const custodyBytes = 1 << 30

var inboxLimits = spool.Limits{PerBucketCount: 256, PerBucketBytes: 8 << 20, TotalBytes: 512 << 20}

// New makes a node; nothing is opened before Start.
func New(opts Options) *Node {
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	return &Node{opts: opts, failed: make(chan error, 1), silent: make(chan meeting, silentMost)}
}

// Failed tells why a node that runs must be closed: it does nothing useful any more.
func (n *Node) Failed() <-chan error { return n.failed }

func (n *Node) fail(err error) {
	select {
	case n.failed <- err:
	default: // once is enough
	}
}

// Home is where the node keeps its files.
func (n *Node) Home() home.Home { return n.opts.Home }

// Config is what the node was told.
func (n *Node) Config() config.Config { return n.opts.Config }

// Start opens what is on disk, joins the network and goes on with what was
// under way. When it fails, what it had opened is closed again.
func (n *Node) Start(ctx context.Context) (err error) {
	defer func() {
		if err != nil {
			err = errors.Join(err, n.Close())
		}
	}()
	n.Started = n.opts.Now()
	if err := n.openDisk(ctx); err != nil {
		return err
	}
	return n.openNetwork(ctx)
}

// opened notes how to close what was opened.
func (n *Node) opened(close func() error) { n.close = append(n.close, close) }

// Close ends everything in the opposite order. What was promised is on disk.
func (n *Node) Close() error {
	var errs []error
	for i := len(n.close) - 1; i >= 0; i-- {
		errs = append(errs, n.close[i]())
	}
	n.close = nil
	return errors.Join(errs...)
}

func (n *Node) openDisk(ctx context.Context) error {
	h := n.opts.Home
	if !h.Exists() {
		return &protocol.Error{Code: protocol.CodeNotFound, Field: "home", Detail: "no node has been set up in " + h.Dir, Hint: "parley init"}
	}
	unlock, err := h.Lock()
	if err != nil {
		return err
	}
	n.opened(func() error { unlock(); return nil })
	n.Space = space.New(h.Dir, space.Options{Log: n.opts.Log, Freed: n.refill})
	if n.Keys, err = keyring.OpenContext(ctx, h.Keys(), keyring.Options{Unlock: n.opts.Unlock}); err != nil {
		return home.Explain(err, h.Keys())
	}
	n.opened(n.Keys.Close)
	for _, wrong := range n.Keys.Mended() {
		n.opts.Log.Warn("a file of keys was spoilt and is mended from its copy", "file", wrong)
	}
	if n.inbox, err = spool.Open(h.Inbox(), inboxLimits, spool.WithClock(n.opts.Now), spool.WithRoom(n.Space.For(space.Own))); err != nil {
		return home.Explain(err, h.Inbox())
	}
	n.opened(n.inbox.Close)
	if n.custody, err = spool.Open(h.Mailbox(), mailbox.SpoolLimits(custodyBytes), spool.WithClock(n.opts.Now), spool.WithRoom(n.Space.For(space.Foreign))); err != nil {
		return home.Explain(err, h.Mailbox())
	}
	n.opened(n.custody.Close)
	if n.Ledger, err = ledger.Open(h.Ledger(), ledger.Options{Room: n.Space.For(space.Own)}); err != nil {
		return home.Explain(err, h.Ledger())
	}
	n.opened(n.Ledger.Close)
	n.Store, err = n.openView(ctx)
	if err != nil {
		return home.Explain(err, h.View())
	}
	n.opened(n.Store.Close)
	return nil
}

// openView opens the store; a damaged one is dropped, as the desk fills it anew
// from the ledger and the markets.
func (n *Node) openView(ctx context.Context) (*store.Store, error) {
	key := [32]byte(n.Keys.Key("view"))
	opts := store.Options{Logger: n.opts.Log, Key: &key, Room: n.Space.For(space.View), Quota: store.Quota{Bytes: n.opts.Config.MarketBytes()}}
	st, err := store.Open(ctx, n.opts.Home.View(), opts)
	if rebuild, ok := errors.AsType[*store.RebuildError](err); ok {
		n.opts.Log.Warn("the view is built anew from the ledger", "reason", rebuild)
		if err := store.Drop(n.opts.Home.View()); err != nil {
			return nil, err
		}
		return store.Open(ctx, n.opts.Home.View(), opts)
	}
	return st, err
}

// refill brings into the view what it had no room for.
func (n *Node) refill() {
	if err := n.Desk.Refill(context.Background()); err != nil && !errors.Is(err, store.ErrClosed) {
		n.opts.Log.Error("the view could not be filled again", "error", err)
	}
}

// openNetwork puts the rooms that talk to others on top of those on the disk.
// The host listens last: by then every handler is in place.
func (n *Node) openNetwork(ctx context.Context) error {
	c := n.opts.Config
	settings := network.DefaultConfig()
	settings.Seed = n.opts.Home.TransportSeed(n.Keys.Identity().TransportSeed())
	settings.ListenAddrs, settings.AnnounceAddrs, settings.StaticPeers = c.Listen, c.Announce, c.Peers
	settings.Mailbox = c.ServeMailbox
	settings.MDNS, settings.TestProfile, settings.Options = c.MDNS, c.TestNetwork, n.opts.HostOptions
	// A simulated network's addresses look like the internet's, and the host that
	// dials others for AutoNAT would look for them there.
	settings.Traversal = c.Traversal && len(n.opts.HostOptions) == 0
	settings.PortMapping, settings.Relays, settings.ServeRelay = c.PortMapping, c.Relays, c.ServeRelay
	switch {
	case c.TestNetwork:
		settings.ConnsLow, settings.ConnsHigh, settings.Memory = 1024, 2048, 1<<30
	case c.ServeMailbox || c.ServeRelay:
		settings.ConnsLow, settings.ConnsHigh = 256, 512
	}
	var err error
	if n.Network, err = network.New(settings); err != nil {
		return err
	}
	n.opened(n.Network.Close)
	errands := network.CourierConfig{TestProfile: c.TestNetwork, MaxHosts: n.courierHosts()}
	if len(n.opts.HostOptions) > 0 {
		errands.Options = func() []libp2p.Option { return n.opts.HostOptions }
	}
	courier := network.NewCourier(errands)
	n.opened(courier.Close)

	n.openPeers()
	rooms := &wiring{room: n.Space.For(space.Foreign), met: n.met}
	if n.Mailbox, err = mailbox.NewServer(n.Network.Host(), n.custody, n.mailboxLimits(rooms)); err != nil {
		return err
	}
	n.opened(n.Mailbox.Close)
	n.mail = mailbox.NewClient(courier, n.Mailbox, n.courierHosts()/2)

	n.Ingest = ingest.New(rooms, rooms.blocked, rooms.known, rooms.gone, n.opts.Now, n.opts.Ingest)
	n.Gossip, err = gossip.New(n.Network.Host(), gossip.Options{
		OnPeerJoin: rooms.peerCame, Favoured: n.Network.Keeps, Handler: heard{n.Ingest, rooms}, Catchup: rooms,
		Flood: c.Flood, Now: n.opts.Now, Logger: n.opts.Log,
	})
	if err != nil {
		return err
	}
	n.opened(n.Gossip.Close)
	n.openStem(rooms)
	if err := n.openDiscovery(); err != nil {
		return err
	}
	n.Desk, err = desk.New(ctx, n.Ledger, n.inbox, n.Keys, n.Store, post{n.mail}, broadcast{n.Gossip, n.Stem, rooms.spread, n.Discovery}, desk.Config{
		Writers: n.opts.Home.Writers(), Stop: n.fail,
		Mailboxes: n.Mailboxes, SellersMailboxes: n.sellersMailboxes, Now: n.opts.Now, Log: n.opts.Log,
	})
	if err != nil {
		return err
	}
	n.deskThere.Store(true)
	rooms.desk = n.Desk
	n.blockPeers()
	n.opened(n.Desk.Close)
	n.watchHealth()
	n.Keys.MarkUsed(n.Desk.Book().Seeds()...)
	if err := n.Keys.Start(ctx); err != nil {
		return err
	}
	if err := n.Ingest.Start(ctx); err != nil {
		return err
	}
	n.opened(n.Ingest.Close)
	if err := n.Network.Start(ctx); err != nil {
		return err
	}
	if err := n.startPeers(ctx); err != nil {
		return err
	}
	if n.Discovery != nil {
		if err := n.Discovery.Start(ctx); err != nil {
			return err
		}
	}
	n.rejoin()
	if err := n.Desk.Start(ctx); err != nil {
		return err
	}
	if err := n.Space.Start(ctx); err != nil {
		return err
	}
	n.opened(n.Space.Close)
	n.Ready = n.opts.Now()
	return nil
}

// reachable leaves out what only this machine can reach, unless that is all.
func reachable(addrs []string) []string {
	local := func(a string) bool { return strings.HasPrefix(a, "/ip4/127.") || strings.HasPrefix(a, "/ip6/::1/") }
	others := slices.DeleteFunc(slices.Clone(addrs), local)
	if len(others) == 0 {
		return addrs
	}
	return others
}

// courierHosts is how many throw-away identities are open at once; 0: the usual.
func (n *Node) courierHosts() int {
	if n.opts.Config.TestNetwork {
		return 1024
	}
	return 0
}

// mailboxLimits are wide on a test network, whose nodes share one address, and
// shut out strangers' mail where the node isn't to keep any.
func (n *Node) mailboxLimits(rooms *wiring) mailbox.Limits {
	var l mailbox.Limits
	if !n.opts.Config.ServeMailbox {
		l.For = func(t mailbox.Token) bool { return rooms.desk.Book().Expects(t) }
	}
	if n.opts.Config.TestNetwork {
		l.DepositBytesPerSecond, l.DepositBurst = 1<<30, 1<<30
		l.RequestsPerSecond, l.RequestBurst = 1e6, 1e6
		l.Waits = 1 << 14
	}
	return l
}
