package gossip

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"

	parley "github.com/parley-protocol/parley/node/network"
	"github.com/parley-protocol/parley/protocol"
)

// askPages bounds the pages of one session.
const askPages = 256

// pages asks for page after page and returns the cursor after the last whole
// one; when all went well, that before the last page.
func (a *asker) pages(ctx context.Context, id peer.ID, after string, settled bool) (string, error) {
	for range askPages {
		p, err := a.g.ask(ctx, id, request{market: a.m.name, after: after, limit: MaxPageFrames})
		if err != nil {
			return after, err
		}
		if p.code != "" {
			return after, protocol.Errorf(p.code, "", "the peer refuses")
		}
		for _, frame := range p.frames {
			if _, _, err := a.accept(ctx, id, frame, settled); err != nil {
				return after, err
			}
		}
		if p.next == "" {
			return after, nil
		}
		if p.next == after {
			return after, errors.New("gossip: the peer goes in circles")
		}
		after = p.next
	}
	return after, fmt.Errorf("gossip: more than %d pages", askPages)
}

// ask sends one request and reads its answer.
func (g *Gossip) ask(ctx context.Context, id peer.ID, r request) (page, error) {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	s, err := g.open(ctx, id, ProtocolCatchup)
	if err != nil {
		return page{}, err
	}
	// A peer that was killed must not keep those waiting who leave the market.
	defer context.AfterFunc(ctx, func() { s.Reset() })()
	p, err := exchange(s, r)
	if err != nil {
		s.Reset()
		return page{}, err
	}
	s.Close()
	return p, nil
}

func exchange(s network.Stream, r request) (page, error) {
	if err := s.Scope().SetService(catchupService); err != nil {
		return page{}, err
	}
	if err := s.SetDeadline(time.Now().Add(answerTime)); err != nil {
		return page{}, err
	}
	raw, err := r.encode()
	if err != nil {
		return page{}, err
	}
	if err := parley.WriteMessage(s, raw); err != nil {
		return page{}, err
	}
	if err := s.CloseWrite(); err != nil {
		return page{}, err
	}
	reply, release, err := parley.ReadMessage(s, maxAnswer)
	if err != nil {
		return page{}, err
	}
	defer release()
	return decodePage(reply)
}
