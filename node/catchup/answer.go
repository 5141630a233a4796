package catchup

import (
	"context"
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"

	parley "github.com/parley-protocol/parley/node/network"
	"github.com/parley-protocol/parley/node/network/limiter"
	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/reconcile"
)

// Bounds of a session, on the side that answers.
const (
	service     = "parley.reconcile"
	sessionTime = 3 * time.Minute
	sessions    = 16 // at once
	perPeer     = 3  // of them with one peer
	requests    = 2048

	// What goes out, in bytes: a peer gets a market of some 90,000 records at
	// once, and all peers together no more than what a home line has.
	peerBytesPerSecond = 256 << 10
	peerBurst          = 64 << 20
	allBytesPerSecond  = 4 << 20
	allBurst           = 256 << 20
)

// Source is what a node has to tell.
type Source interface {
	// Live is the set of a market's live records after the cutoff, in Unix seconds.
	Live(ctx context.Context, market string, cutoff int64) (*reconcile.Set, error)
	// Frame is that of a record in this set; the code is not_found if it isn't there.
	Frame(ctx context.Context, market string, cutoff int64, id ID) ([]byte, error)
}

// Server answers peers that ask. Its methods are safe for concurrent use.
type Server struct {
	source  Source
	now     func() time.Time
	in      func(market string) error
	differs func(market string, from peer.ID)
	peers   *limiter.Limiter
	all     *limiter.Limiter
	ctx     context.Context
	stop    context.CancelFunc

	mu     sync.Mutex
	open   map[peer.ID]int
	opened int

	served, refused atomic.Uint64
}

// NewServer makes a server. in is why a market isn't answered for, nil if it is.
// differs is told when a peer that asks has something that this node lacks, as far
// as can be told; it must not block.
func NewServer(source Source, now func() time.Time, in func(market string) error, differs func(market string, from peer.ID)) *Server {
	s := &Server{
		source: source, now: now, in: in, differs: differs,
		peers: limiter.New(peerBytesPerSecond, peerBurst, 4096),
		all:   limiter.New(allBytesPerSecond, allBurst, 1),
		open:  make(map[peer.ID]int),
	}
	s.ctx, s.stop = context.WithCancel(context.Background())
	return s
}

// Served is how many frames have been given.
func (s *Server) Served() uint64 { return s.served.Load() }

// Refused is how many requests were over a peer's share.
func (s *Server) Refused() uint64 { return s.refused.Load() }

// Close ends all sessions that are under way.
func (s *Server) Close() { s.stop() }

// Handle serves one stream.
func (s *Server) Handle(stream network.Stream) {
	defer context.AfterFunc(s.ctx, func() { stream.Reset() })()
	if err := s.session(stream); err != nil {
		stream.Reset()
		return
	}
	stream.Close()
}

// answering is a session under way.
type answering struct {
	from   peer.ID
	market string
	cutoff int64
	set    *reconcile.Set // nil before the first message
}

func (s *Server) session(stream network.Stream) error {
	if err := stream.Scope().SetService(service); err != nil {
		return err
	}
	// The answer is held as frames and once more as bytes.
	if err := stream.Scope().ReserveMemory(2*maxAnswer, network.ReservationPriorityLow); err != nil {
		return err
	}
	defer stream.Scope().ReleaseMemory(2 * maxAnswer)
	ctx, cancel := context.WithTimeout(s.ctx, sessionTime)
	defer cancel()
	q := &answering{from: stream.Conn().RemotePeer()}
	if !s.enter(q.from) {
		s.refused.Add(1)
		return reply(stream, answer{code: protocol.CodeOverQuota, hint: "ask again later"})
	}
	defer s.exit(q.from)
	for range requests {
		if err := stream.SetDeadline(time.Now().Add(answerTime)); err != nil {
			return err
		}
		raw, release, err := parley.ReadMessage(stream, maxRequest)
		if errors.Is(err, io.EOF) {
			return nil // the peer has what it wanted
		}
		if err != nil {
			return err
		}
		a, err := s.answer(ctx, q, raw)
		release()
		if err != nil {
			code := protocol.CodeOf(err)
			if code == protocol.CodeOverQuota {
				s.refused.Add(1)
			}
			return reply(stream, answer{code: code, hint: code.Hint()})
		}
		if err := reply(stream, a); err != nil {
			return err
		}
		s.served.Add(uint64(len(a.frames)))
	}
	return nil
}

func reply(stream network.Stream, a answer) error {
	raw, err := a.encode()
	if err != nil {
		return err
	}
	return parley.WriteMessage(stream, raw)
}

// enter lets a session in.
func (s *Server) enter(from peer.ID) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.opened >= sessions || s.open[from] >= perPeer {
		return false
	}
	s.opened++
	s.open[from]++
	return true
}

func (s *Server) exit(from peer.ID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.opened--
	if s.open[from]--; s.open[from] == 0 {
		delete(s.open, from)
	}
}

// answer is what is said to one request.
func (s *Server) answer(ctx context.Context, q *answering, raw []byte) (answer, error) {
	r, err := decodeRequest(raw)
	if err != nil {
		return answer{}, err
	}
	if r.want == nil {
		return s.message(ctx, q, r)
	}
	return s.page(ctx, q, r.want)
}

func (s *Server) message(ctx context.Context, q *answering, r request) (answer, error) {
	if (r.market != "") == (q.set != nil) {
		return answer{}, protocol.Errorf(protocol.CodeBadField, "market", "the first message names a market, and no other does")
	}
	if err := s.pay(q.from, MaxMessage); err != nil {
		return answer{}, err
	}
	first := q.set == nil
	if first {
		if err := s.begin(ctx, q, r); err != nil {
			return answer{}, err
		}
	}
	message, err := reconcile.Answer(q.set, r.message, MaxMessage)
	if err != nil {
		return answer{}, err
	}
	if first && reconcile.Lacks(q.set, r.message) {
		s.differs(q.market, q.from)
	}
	return answer{message: message}, nil
}

// begin takes the snapshot that a session is about.
func (s *Server) begin(ctx context.Context, q *answering, r request) error {
	if err := s.in(r.market); err != nil {
		return err
	}
	now := s.now().Unix()
	if r.cutoff > now+protocol.MaxClockAhead || r.cutoff < now-protocol.MaxClockAhead {
		return protocol.Errorf(protocol.CodeClockSkew, "cutoff", "%d seconds from this node's clock", r.cutoff-now)
	}
	set, err := s.source.Live(ctx, r.market, r.cutoff)
	if err != nil {
		return err
	}
	q.market, q.cutoff, q.set = r.market, r.cutoff, set
	return nil
}

// page gives what is there of the records that are wanted, as far as it fits.
func (s *Server) page(ctx context.Context, q *answering, want []ID) (answer, error) {
	if q.set == nil {
		return answer{}, protocol.Errorf(protocol.CodeMissingField, "market", "a session begins with a message")
	}
	if err := s.pay(q.from, MaxPageBytes); err != nil {
		return answer{}, err
	}
	a := answer{}
	size := 0
	for _, id := range want {
		frame, err := s.source.Frame(ctx, q.market, q.cutoff, id)
		if err != nil && protocol.CodeOf(err) != protocol.CodeNotFound {
			if ctx.Err() != nil {
				return answer{}, ctx.Err()
			}
			frame = nil // damaged: somebody else has it
		}
		if size += len(frame); size > MaxPageBytes {
			break
		}
		if a.through++; frame != nil {
			a.frames = append(a.frames, frame)
		}
	}
	return a, nil
}

// pay takes an answer's bytes from what the peer, and everybody, may have.
func (s *Server) pay(from peer.ID, bytes float64) error {
	now := time.Now()
	if _, ok := s.peers.Take(string(from), bytes, now); !ok {
		return protocol.Errorf(protocol.CodeOverQuota, "", "this peer has had its share")
	}
	if _, ok := s.all.Take("", bytes, now); !ok {
		return protocol.Errorf(protocol.CodeOverQuota, "", "all peers together ask for too much")
	}
	return nil
}
