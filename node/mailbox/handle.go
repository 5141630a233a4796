package mailbox

import (
	"context"
	"errors"
	"net/netip"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	manet "github.com/multiformats/go-multiaddr/net"

	parley "github.com/parley-protocol/parley/node/network"
	"github.com/parley-protocol/parley/protocol"
)

// serviceName is the mailbox's in libp2p's resource manager.
const serviceName = "parley.mailbox"

// handle serves one stream: one request.
func (s *Server) handle(stream network.Stream) {
	if !s.enter() {
		stream.Reset()
		return
	}
	defer s.leave()
	if err := s.serve(stream); err != nil {
		stream.Reset()
		return
	}
	stream.Close()
}

// enter counts a stream in, so that Close can wait for it.
func (s *Server) enter() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	select {
	case s.streams <- struct{}{}:
		s.work.Add(1)
		return true
	default:
		return false
	}
}

func (s *Server) leave() {
	<-s.streams
	s.work.Done()
}

func (s *Server) serve(stream network.Stream) error {
	if err := stream.Scope().SetService(serviceName); err != nil {
		return err
	}
	if err := stream.SetDeadline(time.Now().Add(requestTime)); err != nil {
		return err
	}
	// A peer that is slow to send its request must not keep Close waiting.
	defer context.AfterFunc(s.ctx, func() { stream.Reset() })()

	raw, release, err := parley.ReadMessage(stream, maxRequest)
	if err != nil {
		return err
	}
	defer release()
	r, err := decodeRequest(raw)
	if err != nil {
		return s.reply(stream, "", refusal(err))
	}
	if err := stream.SetDeadline(time.Now().Add(r.Wait + requestTime)); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(s.ctx, r.Wait+requestTime)
	defer cancel()
	a, err := s.do(ctx, r, originOf(stream))
	if err != nil {
		a = refusal(err)
	}
	// The envelopes were read within the server's own bound on pages; the message
	// that they become is reserved for.
	size := a.size()
	if err := stream.Scope().ReserveMemory(size, network.ReservationPriorityMedium); err != nil {
		return s.reply(stream, r.Op, refusal(errBusy()))
	}
	defer stream.Scope().ReleaseMemory(size)
	return s.reply(stream, r.Op, a)
}

func (s *Server) reply(stream network.Stream, op string, a *answer) error {
	raw, err := a.encode(op)
	if err != nil {
		return err
	}
	return parley.WriteMessage(stream, raw)
}

// do carries a stranger's request out.
func (s *Server) do(ctx context.Context, r *request, from origin) (*answer, error) {
	now := time.Now()
	if err := s.admit(r, from, now); err != nil {
		return nil, err
	}
	if r.Op == opDeposit {
		if s.limits.For != nil && !s.limits.For(r.Token) {
			return nil, &protocol.Error{Code: protocol.CodeNotPermitted, Detail: "this mailbox keeps mail for its owner alone"}
		}
		if err := s.afford(r, from, now); err != nil {
			return nil, err
		}
		receipt, err := s.Deposit(ctx, r.Token, r.Envelope)
		if err == nil {
			err = s.sign(r.Token, &receipt)
		}
		if err != nil {
			return nil, err
		}
		return &answer{Stored: receipt.ID, Until: receipt.Until.Unix(), Receipt: receipt.Proof}, nil
	}
	token, err := r.proven(s.host.ID(), now)
	if err != nil {
		return nil, err
	}
	s.quotas.sawOwner(token, from.address, now)
	if r.Op == opRemove {
		n, err := s.Remove(ctx, token, r.IDs...)
		return &answer{Removed: n}, err
	}
	page, err := s.Pickup(ctx, token, r.After, r.Max, r.Wait)
	if from.relayed {
		page = page.within(relayedPage)
	}
	return &answer{Envelopes: page.Envelopes, More: page.More}, err
}

// admit holds depositors to a rate by peer and by address, others by address
// alone: their peer IDs are made for the purpose.
func (s *Server) admit(r *request, from origin, now time.Time) error {
	if r.Op != opDeposit {
		if _, ok := s.requests.Take(from.address, 1, now); !ok {
			return protocol.Errorf(protocol.CodeOverQuota, "", "too many requests from one address")
		}
		return nil
	}
	size := float64(max(len(r.Envelope), leastDeposit))
	for _, key := range []string{from.peer, from.address} {
		if _, ok := s.deposits.Take(key, size, now); !ok {
			return protocol.Errorf(protocol.CodeOverQuota, "", "too many envelopes from one depositor")
		}
	}
	return nil
}

// origin is what a rate is kept for.
type origin struct {
	peer    string
	address string // IPv4 address, IPv6 network of a subscriber, or the relay
	relayed bool   // what goes to it has to be little
}

func originOf(stream network.Stream) origin {
	conn := stream.Conn()
	o := origin{peer: "peer " + string(conn.RemotePeer()), relayed: conn.Stat().Limited}
	addr := conn.RemoteMultiaddr()
	// Behind a relay there is no address of the depositor's own: all that come
	// through the relay share its rate.
	ip, err := manet.ToIP(addr)
	if err != nil {
		o.address = "addr " + addr.String()
		return o
	}
	a, _ := netip.AddrFromSlice(ip)
	a = a.Unmap()
	if a.Is6() {
		network, _ := a.Prefix(56) // what a subscriber gets
		a = network.Addr()
	}
	o.address = "addr " + a.String()
	return o
}

// refusal is the answer to a request that failed. Only the code and its general
// hint go to a stranger.
func refusal(err error) *answer {
	code := protocol.CodeOf(err)
	a := &answer{Code: code, Hint: code.Hint()}
	if code == protocol.CodeClockSkew {
		a.Time = time.Now().Unix()
	}
	if weak, ok := errors.AsType[*weakStamp](err); ok {
		a.Bits = weak.bits
	}
	return a
}

func errBusy() error {
	return protocol.Errorf(protocol.CodeOverQuota, "", "the mailbox is busy")
}
