package stem

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"

	parley "github.com/parley-protocol/parley/node/network"
	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/codec"
	"github.com/parley-protocol/parley/protocol/record"
)

const (
	service = "parley.stem"
	hopTime = 10 * time.Second // of a request and its answer together
)

// handle serves one stream.
func (s *Stem) handle(stream network.Stream) {
	if err := s.serve(stream); err != nil {
		stream.Reset()
		return
	}
	stream.Close()
}

func (s *Stem) serve(stream network.Stream) error {
	if err := stream.Scope().SetService(service); err != nil {
		return err
	}
	if err := stream.SetDeadline(time.Now().Add(hopTime)); err != nil {
		return err
	}
	raw, release, err := parley.ReadMessage(stream, maxRequest)
	if err != nil {
		return err
	}
	defer release()
	ctx, cancel := context.WithTimeout(s.ctx, hopTime)
	defer cancel()
	code := s.take(ctx, stream.Conn().RemotePeer(), raw)
	if code != "" {
		s.counters.refused.Add(1)
	}
	answer, err := encodeAnswer(code)
	if err != nil {
		return err
	}
	return parley.WriteMessage(stream, answer)
}

// take takes a frame on, or tells why not. What depends on what this node knows,
// has or thinks of the author doesn't show in the answer: nobody can ask whether a
// record that gossip hasn't brought yet is here.
func (s *Stem) take(ctx context.Context, from peer.ID, raw []byte) protocol.Code {
	if _, ok := s.askers.Take(string(from), 1, time.Now()); !ok {
		return protocol.CodeOverQuota
	}
	r, err := decodeRequest(raw)
	if err != nil {
		return protocol.CodeOf(err)
	}
	block, _, unreadable := record.DecodeFrame(r.frame)
	if unreadable == nil {
		if p := s.holds(codec.Sum(block)); p != nil && p.market == r.market {
			select {
			case p.again <- from:
			default: // it goes round and round
			}
			return ""
		}
	}
	verdict, err := s.gossip.Judge(ctx, r.market, from, r.frame)
	switch {
	case verdict == protocol.Reject || unreadable != nil:
		if code := protocol.CodeOf(errors.Join(err, unreadable)); code != "" {
			return code
		}
		return protocol.CodeMalformed
	case verdict == protocol.Ignore:
		if code := protocol.CodeOf(err); !slices.Contains(silent, code) {
			return code
		}
		return ""
	}
	p := newParcel(codec.Sum(block), r.market, slices.Clone(r.frame))
	p.from = from
	if !s.hold(p) {
		if s.holds(p.id) != nil {
			return "" // it came from two sides at once
		}
		return protocol.CodeOverQuota
	}
	s.counters.taken.Add(1)
	s.run(func(ctx context.Context) { s.carry(ctx, p) })
	return ""
}

// silent are the codes that would tell what is known or thought here.
var silent = []protocol.Code{protocol.CodeDuplicate, protocol.CodeWithdrawn, protocol.CodeNotPermitted}

// send hands a frame to a peer, and returns the code with which it refuses.
func (s *Stem) send(ctx context.Context, to peer.ID, r request) (protocol.Code, error) {
	ctx, cancel := context.WithTimeout(ctx, hopTime)
	defer cancel()
	ctx = network.WithAllowLimitedConn(network.WithNoDial(ctx, protocol.ProtocolStem), protocol.ProtocolStem)
	stream, err := s.host.NewStream(ctx, to, protocol.ProtocolStem)
	if err != nil {
		return "", err
	}
	defer context.AfterFunc(ctx, func() { stream.Reset() })()
	code, err := exchange(stream, r)
	if err != nil {
		stream.Reset()
		return "", err
	}
	stream.Close()
	return code, nil
}

func exchange(stream network.Stream, r request) (protocol.Code, error) {
	if err := stream.Scope().SetService(service); err != nil {
		return "", err
	}
	if err := stream.SetDeadline(time.Now().Add(hopTime)); err != nil {
		return "", err
	}
	raw, err := r.encode()
	if err != nil {
		return "", err
	}
	if err := parley.WriteMessage(stream, raw); err != nil {
		return "", err
	}
	if err := stream.CloseWrite(); err != nil {
		return "", err
	}
	reply, release, err := parley.ReadMessage(stream, maxAnswer)
	if err != nil {
		return "", err
	}
	defer release()
	return decodeAnswer(reply)
}
