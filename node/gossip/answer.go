package gossip

import (
	"context"
	"errors"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"

	parley "github.com/parley-protocol/parley/node/network"
	"github.com/parley-protocol/parley/protocol"
)

// Rates and times of answering.
const (
	catchupService = "parley.catchup"
	answerTime     = 30 * time.Second
	pagesPerSecond = 0.5 // of one peer
	pagesBurst     = 40
)

// answer serves one request.
func (g *Gossip) answer(s network.Stream) {
	if err := g.serve(s); err != nil {
		s.Reset()
		return
	}
	s.Close()
}

func (g *Gossip) serve(s network.Stream) error {
	if err := s.Scope().SetService(catchupService); err != nil {
		return err
	}
	if err := s.SetDeadline(time.Now().Add(answerTime)); err != nil {
		return err
	}
	raw, release, err := parley.ReadMessage(s, maxRequest)
	if err != nil {
		return err
	}
	defer release()
	// What Page returns is held as frames and once more as the answer.
	if err := s.Scope().ReserveMemory(2*maxAnswer, network.ReservationPriorityLow); err != nil {
		return err
	}
	defer s.Scope().ReleaseMemory(2 * maxAnswer)

	ctx, cancel := context.WithTimeout(g.ctx, answerTime)
	defer cancel()
	p := g.pageFor(ctx, s.Conn().RemotePeer(), raw)
	reply, err := p.encode()
	if err != nil {
		return err
	}
	if err := parley.WriteMessage(s, reply); err != nil {
		return err
	}
	g.tracer.counters.catchupServed.Add(uint64(len(p.frames)))
	return nil
}

// pageFor makes the answer to a request, or a refusal.
func (g *Gossip) pageFor(ctx context.Context, from peer.ID, raw []byte) page {
	refuse := func(err error) page {
		code := protocol.CodeOf(err)
		return page{code: code, hint: code.Hint()}
	}
	if _, ok := g.askers.Take(string(from), 1, time.Now()); !ok {
		g.tracer.counters.catchupRefused.Add(1)
		return page{code: protocol.CodeOverQuota, hint: "ask again later"}
	}
	r, err := decodeRequest(raw)
	if err != nil {
		return refuse(err)
	}
	if _, err := g.market(r.market); err != nil {
		return refuse(err)
	}
	p, err := g.live(ctx, r)
	if err != nil {
		return refuse(err)
	}
	return p
}

// live gets a page that fits. When the frames are too large together, it asks
// once more for as many as fit, to get the cursor that goes with them.
func (g *Gossip) live(ctx context.Context, r request) (page, error) {
	for limit := r.limit; ; {
		frames, next, err := g.catchup.Page(ctx, r.market, r.after, limit)
		if err != nil {
			return page{}, err
		}
		if len(next) > MaxCursor || len(frames) > limit {
			return page{}, errors.New("gossip: Page went beyond its bounds")
		}
		fit, size := 0, 0
		for _, frame := range frames {
			if size += len(frame); size > MaxPageBytes {
				break
			}
			fit++
		}
		if fit == len(frames) {
			return page{frames: frames, next: next}, nil
		}
		if fit == 0 || fit >= limit {
			return page{}, errors.New("gossip: Page gave a frame beyond any size")
		}
		limit = fit
	}
}
