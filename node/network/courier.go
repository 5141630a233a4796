package network

import (
	"context"
	"crypto/rand"
	"fmt"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/connmgr"
	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	ma "github.com/multiformats/go-multiaddr"

	parley "github.com/parley-protocol/parley/protocol"
)

// CourierConfig says how a [Courier] works. Zero values mean the defaults.
type CourierConfig struct {
	UserAgent   string        // default [UserAgent]; be the same as the node's
	MaxHosts    int           // throw-away hosts at once; default 128
	Idle        time.Duration // how long an unused host is kept; default 30 s
	DialTimeout time.Duration // default 15 s
	TestProfile bool          // see [Config.TestProfile]
	// Options makes the options of one host, which then is a full one. Tests put
	// a simulated network in through it.
	Options func() []libp2p.Option
}

// Courier carries streams to mailboxes over throw-away hosts: a fresh Ed25519
// key for each purpose, no listener, no announced address. A mailbox that
// serves two purposes of one person sees two unrelated peers; that they share an
// IP address it sees too, and nothing here hides that.
type Courier struct {
	cfg CourierConfig

	mu     sync.Mutex
	closed bool
	hosts  map[string]*errand
	freed  chan struct{} // closed and replaced when a host may have become free
	work   sync.WaitGroup

	account   sync.Once // the first host opens the accounts of all
	resources network.ResourceManager
	refused   error
}

// errand is one throw-away host. Its fields other than the host are guarded by
// the courier's mutex.
type errand struct {
	ready   chan struct{} // closed when host and err are set
	host    host.Host
	err     error
	users   int
	relayed bool // it has used a relay
	lastUse time.Time
	idle    *time.Timer // runs while nobody uses the host
}

// NewCourier makes a courier. It opens nothing before the first use.
func NewCourier(cfg CourierConfig) *Courier {
	if cfg.UserAgent == "" {
		cfg.UserAgent = UserAgent
	}
	if cfg.MaxHosts <= 0 {
		cfg.MaxHosts = 128
	}
	if cfg.Idle <= 0 {
		cfg.Idle = 30 * time.Second
	}
	if cfg.DialTimeout <= 0 {
		cfg.DialTimeout = 15 * time.Second
	}
	return &Courier{cfg: cfg, hosts: make(map[string]*errand), freed: make(chan struct{})}
}

// Do connects to a peer under the purpose's own identity, opens a stream of the
// protocol and lets use have it. The stream is reset when use fails and closed
// when it succeeds. Purposes are opaque: an intent, a deal. With MaxHosts busy
// it waits for one to become free, at most as long as ctx allows.
func (c *Courier) Do(ctx context.Context, purpose string, to peer.AddrInfo, proto protocol.ID, use func(network.Stream) error) error {
	e, release, err := c.acquire(ctx, purpose)
	if err != nil {
		return err
	}
	defer release()

	stream, err := c.open(ctx, e.host, to, proto)
	if err != nil {
		return err
	}
	if stream.Conn().Stat().Limited {
		c.mu.Lock()
		e.relayed = true
		c.mu.Unlock()
	}
	if err := use(stream); err != nil {
		stream.Reset()
		return err
	}
	// The exchange is complete. That closing fails, when the other side has left
	// the stream before, is no news.
	stream.Close()
	return nil
}

// preferTCP leaves out QUIC where the peer has TCP: a mailbox that was killed is
// then known to be gone at once, and not when a request to it times out. That
// there is a relay with TCP is no reason to leave out a direct way.
func preferTCP(to peer.AddrInfo) peer.AddrInfo {
	var addrs []ma.Multiaddr
	for _, relayed := range []bool{false, true} {
		var tcp, all []ma.Multiaddr
		for _, a := range to.Addrs {
			if isCircuit(a) != relayed {
				continue
			}
			all = append(all, a)
			if _, err := a.ValueForProtocol(ma.P_TCP); err == nil {
				tcp = append(tcp, a)
			}
		}
		if len(tcp) > 0 {
			all = tcp
		}
		addrs = append(addrs, all...)
	}
	return peer.AddrInfo{ID: to.ID, Addrs: addrs}
}

func (c *Courier) open(ctx context.Context, h host.Host, to peer.AddrInfo, proto protocol.ID) (network.Stream, error) {
	ctx, cancel := context.WithTimeout(ctx, c.cfg.DialTimeout)
	defer cancel()
	ctx = network.WithAllowLimitedConn(ctx, string(proto))
	err := h.Connect(ctx, preferTCP(to))
	if err != nil && ctx.Err() == nil {
		err = h.Connect(ctx, to)
	}
	if err != nil {
		return nil, parley.Errorf(parley.CodeTimeout, "", "can't reach the mailbox %s: %w", to.ID, err)
	}
	stream, err := h.NewStream(ctx, to.ID, proto)
	if err != nil {
		return nil, parley.Errorf(parley.CodeTimeout, "", "the mailbox %s opens no stream: %w", to.ID, err)
	}
	return stream, nil
}

// Hosts is how many throw-away hosts are open.
func (c *Courier) Hosts() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.hosts)
}

// Close closes every host, which fails the streams in use, and waits for that.
func (c *Courier) Close() error {
	c.mu.Lock()
	if !c.closed {
		c.closed = true
		for purpose, e := range c.hosts {
			c.drop(purpose, e)
		}
		c.announce()
	}
	c.mu.Unlock()
	c.work.Wait()
	if c.resources != nil {
		return c.resources.Close()
	}
	return nil
}

// acquire returns the purpose's host, making it if need be. release must be
// called once.
func (c *Courier) acquire(ctx context.Context, purpose string) (*errand, func(), error) {
	for {
		c.mu.Lock()
		if c.closed {
			c.mu.Unlock()
			return nil, nil, errClosed()
		}
		e := c.hosts[purpose]
		if e == nil && c.room() {
			e = c.hire(purpose)
		}
		if e == nil {
			freed := c.freed
			c.mu.Unlock()
			select {
			case <-freed:
				continue
			case <-ctx.Done():
				return nil, nil, ctx.Err()
			}
		}
		e.users++
		if e.idle != nil {
			e.idle.Stop()
		}
		c.mu.Unlock()

		release := sync.OnceFunc(func() { c.release(purpose, e) })
		<-e.ready // making a host takes milliseconds and can't be interrupted
		if e.err != nil {
			release()
			return nil, nil, e.err
		}
		return e, release, nil
	}
}

// room reports whether another host may be made, dropping the one unused for
// longest if that is what it takes. c.mu is held.
func (c *Courier) room() bool {
	if len(c.hosts) < c.cfg.MaxHosts {
		return true
	}
	var oldest string
	for purpose, e := range c.hosts {
		if e.users == 0 && (oldest == "" || e.lastUse.Before(c.hosts[oldest].lastUse)) {
			oldest = purpose
		}
	}
	if oldest == "" {
		return false
	}
	c.drop(oldest, c.hosts[oldest])
	return true
}

// hire starts to make a host. c.mu is held.
func (c *Courier) hire(purpose string) *errand {
	e := &errand{ready: make(chan struct{})}
	c.hosts[purpose] = e
	c.work.Go(func() {
		defer close(e.ready)
		e.host, e.err = c.newHost()
	})
	return e
}

func (c *Courier) newHost() (host.Host, error) {
	c.account.Do(func() { c.resources, c.refused = newCourierResources(c.cfg.MaxHosts) })
	if c.refused != nil {
		return nil, fmt.Errorf("couriers' resource manager: %w", c.refused)
	}
	if c.cfg.Options != nil {
		return c.newFullHost()
	}
	h, err := newLeanHost(c.resources, c.cfg.DialTimeout)
	if err != nil {
		return nil, fmt.Errorf("courier's host: %w", err)
	}
	return h, nil
}

func (c *Courier) newFullHost() (host.Host, error) {
	key, _, err := crypto.GenerateEd25519Key(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("courier's key: %w", err)
	}
	options := append(commonOptions(key, shared{c.resources}, c.cfg.UserAgent),
		libp2p.ConnectionManager(connmgr.NullConnMgr{}),
		libp2p.ConnectionGater(&gater{}),
		libp2p.Ping(false),
		libp2p.EnableRelay(), // to mailboxes that are reached through one
		libp2p.DisableIdentifyAddressDiscovery(),
		libp2p.WithDialTimeout(c.cfg.DialTimeout),
	)
	h, err := libp2p.New(append(options, c.cfg.Options()...)...)
	if err != nil {
		return nil, fmt.Errorf("courier's host: %w", err)
	}
	// Nobody is to come back to a courier, through a relay no more than otherwise.
	if s, ok := h.Network().(interface{ ListenClose(...ma.Multiaddr) }); ok {
		s.ListenClose(ma.StringCast("/p2p-circuit"))
	}
	return h, nil
}

// shared is a resource manager that outlives the host which it is given to.
type shared struct{ network.ResourceManager }

// Close does nothing.
func (shared) Close() error { return nil }

// release gives a host back and starts its idle clock.
func (c *Courier) release(purpose string, e *errand) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e.users--
	e.lastUse = time.Now()
	if e.users > 0 || c.hosts[purpose] != e {
		return
	}
	// A relay lets so much through a circuit and no more: the next exchange has
	// one of its own.
	if e.err != nil || e.relayed {
		c.drop(purpose, e)
	} else if e.idle != nil {
		e.idle.Reset(c.cfg.Idle)
	} else {
		e.idle = time.AfterFunc(c.cfg.Idle, func() { c.expire(purpose, e) })
	}
	c.announce()
}

// expire drops a host that nobody used for a while.
func (c *Courier) expire(purpose string, e *errand) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.hosts[purpose] == e && e.users == 0 {
		c.drop(purpose, e)
		c.announce()
	}
}

// drop forgets a host and closes it in the background. c.mu is held.
func (c *Courier) drop(purpose string, e *errand) {
	delete(c.hosts, purpose)
	if e.idle != nil {
		e.idle.Stop()
	}
	c.work.Go(func() {
		<-e.ready
		if e.host != nil {
			e.host.Close()
		}
	})
}

// announce wakes those who wait for a host. c.mu is held.
func (c *Courier) announce() {
	close(c.freed)
	c.freed = make(chan struct{})
}
