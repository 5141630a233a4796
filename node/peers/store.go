package peers

import (
	"cmp"
	"context"
	"io"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/parley-protocol/parley/node/vault"
)

// Pauses of writing. A change is on the disk soon; many changes are one write.
const (
	writeSoon  = 2 * time.Second
	writeEvery = time.Minute
	lookEvery  = 10 * time.Minute // at who is connected still
)

// Options of a Store.
type Options struct {
	Path string
	Key  vault.Key
	// Connected tells who is connected, and so has just been met.
	Connected func() []peer.ID
	// Room tells why nothing may be written now; nil: it may.
	Room func() error
	Now  func() time.Time // time.Now by default
	Log  *slog.Logger
}

// Store is what is remembered. It is safe for concurrent use.
type Store struct {
	opts  Options
	began error

	mu    sync.Mutex
	peers map[peer.ID]Peer
	dirty bool
	// failing: the last write did.
	failing bool

	wake chan struct{}
	stop context.CancelFunc
	work sync.WaitGroup
}

// Open reads the file. What can't be read is begun anew: [Store.Began] tells why.
func Open(o Options) *Store {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	s := &Store{opts: o, peers: map[peer.ID]Peer{}, wake: make(chan struct{}, 1), stop: func() {}}
	var list []Peer
	if list, s.began = read(o.Path, &s.opts.Key); s.began != nil {
		o.Log.Warn("the nodes met before are forgotten, their file can't be read; they are met again by looking around", "error", s.began)
		return s
	}
	now := o.Now()
	for _, p := range list {
		// A clock that was ahead must not keep anybody for ever.
		if p.Last.After(now) {
			p.Last = now
		}
		if p.First.After(p.Last) {
			p.First = p.Last
		}
		if p.bounded() && !p.expired(now) {
			s.peers[p.ID] = p
		}
	}
	s.fit()
	return s
}

// Began is why the file could not be read, nil when it could or there was none.
func (s *Store) Began() error { return s.began }

// Start writes changes in the background until Close.
func (s *Store) Start(context.Context) error {
	ctx, stop := context.WithCancel(context.Background())
	s.stop = stop
	s.work.Go(func() { s.run(ctx) })
	return nil
}

// Close writes what has changed.
func (s *Store) Close() error {
	s.stop()
	s.work.Wait()
	s.look()
	s.save()
	return nil // nothing depends on it
}

func (s *Store) run(ctx context.Context) {
	pause := time.NewTimer(writeSoon)
	defer pause.Stop()
	ready := false // to write
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-look.C:
			s.look()
		case <-s.wake:
			if ready {
				ready = false
				pause.Reset(writeSoon)
			}
		case <-pause.C:
			if !s.save() {
				ready = true
				continue
			}
			pause.Reset(writeEvery)
		}
	}
}

// look notes that those who are connected are there.
func (s *Store) look() {
	if s.opts.Connected == nil {
		return
	}
	now := s.opts.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, id := range s.opts.Connected() {
		if p, ok := s.peers[id]; ok {
			p.Last, p.Failed = now, 0
			s.peers[id] = p
			s.changed()
		}
	}
}

// save writes the file if something has changed, and tells whether it has.
func (s *Store) save() bool {
	s.mu.Lock()
	changed := s.dirty
	list := s.sorted()
	s.dirty = false
	s.mu.Unlock()
	if !changed {
		return false
	}
	err := error(nil)
	if s.opts.Room != nil {
		err = s.opts.Room()
	}
	if err == nil {
		err = write(s.opts.Path, &s.opts.Key, list)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil && !s.failing {
		s.opts.Log.Warn("the nodes met could not be written down; it is tried again every minute", "error", err)
	}
	s.failing = err != nil
	s.dirty = s.dirty || s.failing
	return true
}

func (s *Store) changed() {
	s.dirty = true
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Met notes that a peer is there. Reached, and its addresses, are added to what
// is known of it; those given come first. First and Last are the store's.
func (s *Store) Met(p Peer) {
	if !p.bounded() {
		return
	}
	now := s.opts.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	p.First, p.Last, p.Failed = now, now, 0
	if old, ok := s.peers[p.ID]; ok {
		p.First, p.Source = old.First, old.Source
		if old.Reached && !p.Reached {
			// What this node has seen stands before the other's word.
			p.Addrs = append(slices.Clone(old.Addrs), p.Addrs...)
		} else {
			p.Addrs = append(slices.Clone(p.Addrs), old.Addrs...)
		}
		p.Addrs = unique(p.Addrs)
		p.Markets = unique(append(slices.Clone(p.Markets), old.Markets...))
		p.Reached = p.Reached || old.Reached
		p.bounded()
	}
	s.peers[p.ID] = p
	s.fit()
	s.changed()
}

// Failed notes a dial in vain.
func (s *Store) Failed(id peer.ID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, ok := s.peers[id]
	if !ok {
		return
	}
	p.Failed++
	if s.peers[id] = p; p.expired(s.opts.Now()) {
		delete(s.peers, id)
	}
	s.changed()
}

// Forget drops a peer, and tells whether it was there.
func (s *Store) Forget(id peer.ID) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, ok := s.peers[id]
	delete(s.peers, id)
	if ok {
		s.changed()
	}
	return ok
}

// Get is what is known of a peer.
func (s *Store) Get(id peer.ID) (Peer, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, ok := s.peers[id]
	return p, ok
}

// List is all that are remembered, sorted by ID.
func (s *Store) List() []Peer {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sorted()
}

func (s *Store) sorted() []Peer {
	list := make([]Peer, 0, len(s.peers))
	for _, p := range s.peers {
		list = append(list, p)
	}
	slices.SortFunc(list, func(a, b Peer) int { return cmp.Compare(a.ID, b.ID) })
	return list
}

// Pick is up to n peers to dial for a market, any market when it is empty,
// without those to skip: first, by turns, the one that is known for longest and
// any other, and no two of one part of the internet while there are others.
func (s *Store) Pick(market string, n int, skip func(peer.ID) bool) []Peer {
	now := s.opts.Now()
	s.mu.Lock()
	var fit []Peer
	for _, p := range s.sorted() {
		if !p.expired(now) && !skip(p.ID) && (market == "" || slices.Contains(p.Markets, market)) {
			fit = append(fit, p)
		}
	}
	s.mu.Unlock()
	// The worst last.
	slices.SortStableFunc(fit, func(a, b Peer) int {
		switch {
		case worse(b, a):
			return -1
		case worse(a, b):
			return 1
		}
		return 0
	})
	var out []Peer
	groups := map[string]bool{}
	for len(out) < n && len(fit) > 0 {
		at := 0
		if len(out)%2 == 1 {
			at = rand.IntN(len(fit))
		}
		if other := slices.IndexFunc(fit[at:], func(p Peer) bool { return !groups[p.group] }); other >= 0 {
			at += other
		}
		groups[fit[at].group] = true
		out = append(out, fit[at])
		fit = slices.Delete(fit, at, at+1)
	}
	return out
}

// fit brings the store back into its bounds. mu is held, or nobody else is there
// yet.
func (s *Store) fit() {
	all, heard := map[string]int{}, map[string]int{} // by part of the internet
	heards := 0
	for _, p := range s.peers {
		all[p.group]++
		if !p.Reached {
			heard[p.group]++
			heards++
		}
	}
	for {
		over := ""
		for _, p := range s.peers {
			if all[p.group] > p.limit {
				over = p.group
				break
			}
		}
		var gone Peer
		switch {
		case over != "":
			gone = s.drop(over, false)
		case heards > maxHeard:
			gone = s.drop(most(heard), true)
		case len(s.peers) > MaxPeers:
			gone = s.drop(most(all), false)
		default:
			return
		}
		all[gone.group]--
		if !gone.Reached {
			heard[gone.group]--
			heards--
		}
	}
}

// most is the part of the internet with the most peers.
func most(groups map[string]int) (g string) {
	for name, n := range groups {
		if g == "" || n > groups[g] || n == groups[g] && name > g {
			g = name
		}
	}
	return g
}

// drop forgets the worst of a part of the internet, or of those there that were
// never dialled.
func (s *Store) drop(group string, heard bool) (worst Peer) {
	for _, p := range s.peers {
		if p.group == group && !(heard && p.Reached) && (worst.ID == "" || worse(p, worst)) {
			worst = p
		}
	}
	delete(s.peers, worst.ID)
	return worst
}

func unique(list []string) []string {
	var out []string
	for _, v := range list {
		if !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	return out
}
