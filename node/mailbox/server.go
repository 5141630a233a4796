package mailbox

import (
	"context"
	"errors"
	"sync"
	"time"

	lp2p "github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/parley-protocol/parley/node/network/limiter"
	"github.com/parley-protocol/parley/protocol"
)

// Server is this node's mailbox. Its methods are the way in for the node
// itself, without rates; strangers come over streams.
type Server struct {
	host     host.Host
	key      lp2p.PrivKey // of the host, for receipts
	quotas   *quotas
	store    Store
	limits   Limits
	deposits *limiter.Limiter // bytes, by peer and by address
	requests *limiter.Limiter // by address
	streams  chan struct{}
	pages    chan struct{}

	mu       sync.Mutex
	closed   bool
	boxes    map[Token]*box
	waits    int
	arriving int // bytes

	ctx  context.Context // ends when the server is closed
	stop context.CancelFunc
	work sync.WaitGroup
}

// box is what is in memory for one token: envelopes on their way to the disk
// and those who wait for some. It exists while it has either.
type box struct {
	arrivals []*arrival
	waiters  map[int]func() // told when an envelope arrives; must not block
	next     int
	waits    int // pick-ups among the waiters
}

// arrival is an envelope between its deposit and the end of its fsync.
type arrival struct {
	Envelope
	removed bool // it was picked up and removed before it was durable
}

// NewServer makes the mailbox and lets it answer on h. It uses the store from
// now on and doesn't close it. The only error is a missing argument. Where the
// limits have it serve everybody, it says so by [protocol.ProtocolMailboxOpen].
func NewServer(h host.Host, store Store, limits Limits) (*Server, error) {
	if h == nil || store == nil {
		return nil, errors.New("mailbox: a host and a store are required")
	}
	key := h.Peerstore().PrivKey(h.ID())
	if key == nil {
		return nil, errors.New("mailbox: the host has no key of its own")
	}
	limits = limits.withDefaults()
	s := &Server{
		host:     h,
		key:      key,
		quotas:   newQuotas(limits),
		store:    store,
		limits:   limits,
		deposits: limiter.New(limits.DepositBytesPerSecond, limits.DepositBurst, rateKeys),
		requests: limiter.New(limits.RequestsPerSecond, limits.RequestBurst, rateKeys),
		streams:  make(chan struct{}, limits.Streams),
		pages:    make(chan struct{}, pagesAtOnce),
		boxes:    make(map[Token]*box),
	}
	s.ctx, s.stop = context.WithCancel(context.Background())
	s.work.Go(s.sweep)
	h.SetStreamHandler(protocol.ProtocolMailbox, s.handle)
	if limits.For == nil {
		h.SetStreamHandler(protocol.ProtocolMailboxOpen, s.handle)
	}
	return s, nil
}

// sweep throws expired envelopes away now and then.
func (s *Server) sweep() {
	ticker := time.NewTicker(sweepEvery)
	defer ticker.Stop()
	for {
		select {
		case <-s.ctx.Done():
			return
		case <-ticker.C:
			// What can't be removed now is tried again, and isn't given out.
			_, _ = s.store.Sweep(time.Now())
		}
	}
}

// Close stops answering, ends the waits and waits until no request is under
// way. Further calls do nothing.
func (s *Server) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	s.mu.Unlock()
	s.host.RemoveStreamHandler(protocol.ProtocolMailbox)
	s.host.RemoveStreamHandler(protocol.ProtocolMailboxOpen)
	s.stop()
	s.work.Wait()
	return nil
}

// ID is the peer that this mailbox answers as.
func (s *Server) ID() peer.ID { return s.host.ID() }

// Deposit takes an envelope in and returns when it is durable. Those who wait
// for it may have it before. Depositing it again is no error and keeps the first
// one's time. The codes are too_large, mailbox_full, over_quota and those of the
// disk.
func (s *Server) Deposit(ctx context.Context, token Token, envelope []byte) (Receipt, error) {
	if len(envelope) == 0 || len(envelope) > protocol.MaxEnvelopeBytes {
		return Receipt{}, protocol.Errorf(protocol.CodeTooLarge, "envelope",
			"%d bytes; 1 to %d", len(envelope), protocol.MaxEnvelopeBytes)
	}
	a := &arrival{Envelope: Envelope{ID: IDOf(envelope), Bytes: envelope}}
	if err := s.announce(token, a); err != nil {
		return Receipt{}, err
	}
	until := time.Now().Add(retention).Truncate(time.Second)
	existed, err := s.store.Put(ctx, token.bucket(), a.ID, envelope, until)
	if removed := s.landed(token, a); removed && err == nil {
		// Nobody needs it any more. If it can't be removed it is given out once
		// more, which recipients stand.
		_ = s.store.Delete(token.bucket(), a.ID)
	}
	if err != nil {
		return Receipt{}, err
	}
	if existed {
		until = s.expiry(token, a.ID, until)
	}
	return Receipt{Mailbox: s.host.ID(), ID: a.ID, Until: until}, nil
}

// announce shows an arrival to those who wait.
func (s *Server) announce(token Token, a *arrival) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return errClosed()
	}
	if s.arriving+len(a.Bytes) > s.limits.ArrivingBytes {
		return protocol.Errorf(protocol.CodeOverQuota, "", "too many envelopes arrive at once")
	}
	s.arriving += len(a.Bytes)
	b := s.box(token)
	b.arrivals = append(b.arrivals, a)
	for _, wake := range b.waiters {
		wake()
	}
	return nil
}

// landed takes an arrival out again and reports whether it was removed.
func (s *Server) landed(token Token, a *arrival) (removed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.arriving -= len(a.Bytes)
	b := s.box(token)
	for i, other := range b.arrivals {
		if other == a {
			b.arrivals = append(b.arrivals[:i:i], b.arrivals[i+1:]...)
			break
		}
	}
	s.forget(token, b)
	return a.removed
}

// expiry is when an envelope that was there before goes.
func (s *Server) expiry(token Token, id ID, otherwise time.Time) time.Time {
	for _, info := range s.store.Bucket(token.bucket()) {
		if info.ID == id {
			return info.Expires
		}
	}
	return otherwise
}

// Watch calls wake whenever an envelope arrives for the token, until stop is
// called. wake is called under the server's lock: it must not block, nor call
// the server. What was there before isn't told.
func (s *Server) Watch(token Token, wake func()) (stop func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.watch(token, wake)
}

// watch is Watch with s.mu held.
func (s *Server) watch(token Token, wake func()) (stop func()) {
	b := s.box(token)
	key := b.next
	b.next++
	b.waiters[key] = wake
	return sync.OnceFunc(func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(b.waiters, key)
		s.forget(token, b)
	})
}

// box returns the token's box, making one. s.mu is held.
func (s *Server) box(token Token) *box {
	b := s.boxes[token]
	if b == nil {
		b = &box{waiters: make(map[int]func())}
		s.boxes[token] = b
	}
	return b
}

// forget drops a box that has nothing in it. s.mu is held.
func (s *Server) forget(token Token, b *box) {
	if len(b.arrivals) == 0 && len(b.waiters) == 0 && s.boxes[token] == b {
		delete(s.boxes, token)
	}
}

func errClosed() error {
	return protocol.Errorf(protocol.CodeNotRunning, "", "the mailbox is closed")
}
