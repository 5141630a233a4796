package discovery

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"

	parley "github.com/parley-protocol/parley/node/network"
	"github.com/parley-protocol/parley/node/network/limiter"
	"github.com/parley-protocol/parley/protocol"
)

// Bounds of the exchange of peers.
const (
	exchangeService = "parley.peers"
	exchangeTime    = 30 * time.Second
	asksPerSecond   = 1.0 / 60 // of one peer
	asksBurst       = 6
	shareAddrs      = 4                // of a peer
	askEvery        = 10 * time.Minute // the same peer for the same market
	askMost         = 2                // peers for one look
	takeMost        = 4                // of one answer: nobody fills a node's table alone
)

// Exchange is what peers tell each other of the peers of a market. It is what
// finds the others where nobody keeps a table: in a company, among friends who
// have all joined one node.
type Exchange struct {
	// Ask lists the market's peers that are good enough to be asked: those that
	// came by themselves are not, or whoever comes first could fill this node's
	// table with its own.
	Ask func(market string) []peer.ID
	// Share lists the market's peers that may be named to others, and nil when
	// this node isn't in it.
	Share func(market string) []peer.ID
	// Addrs are at most limit addresses of a peer that make sense at a place.
	Addrs func(id peer.ID, at ma.Multiaddr, limit int) []ma.Multiaddr
}

// exchange answers, and remembers whom it has asked.
type exchange struct {
	Exchange
	askers *limiter.Limiter
}

func newExchange(e Exchange) *exchange {
	return &exchange{Exchange: e, askers: limiter.New(asksPerSecond, asksBurst, 1024)}
}

func (d *Discovery) answer(s network.Stream) {
	if err := d.serve(s); err != nil {
		s.Reset()
		return
	}
	s.Close()
}

func (d *Discovery) serve(s network.Stream) error {
	if err := s.Scope().SetService(exchangeService); err != nil {
		return err
	}
	if err := s.SetDeadline(time.Now().Add(exchangeTime)); err != nil {
		return err
	}
	raw, release, err := parley.ReadMessage(s, maxRequest)
	if err != nil {
		return err
	}
	defer release()
	reply, err := d.told(s.Conn(), raw).encode()
	if err != nil {
		return err
	}
	return parley.WriteMessage(s, reply)
}

// told makes the answer to a request, or a refusal.
func (d *Discovery) told(c network.Conn, raw []byte) answer {
	if _, ok := d.exchange.askers.Take(string(c.RemotePeer()), 1, time.Now()); !ok {
		return answer{code: protocol.CodeOverQuota, hint: "ask again later"}
	}
	r, err := decodeRequest(raw)
	if err != nil {
		return answer{code: protocol.CodeOf(err), hint: protocol.CodeOf(err).Hint()}
	}
	ids := d.exchange.Share(r.market)
	if ids == nil {
		return answer{code: protocol.CodeWrongMarket, hint: protocol.CodeWrongMarket.Hint()}
	}
	rand.Shuffle(len(ids), func(i, j int) { ids[i], ids[j] = ids[j], ids[i] })
	var a answer
	named := 0
	for _, id := range ids {
		if id == c.RemotePeer() || named == r.limit {
			continue
		}
		addrs := d.exchange.Addrs(id, c.RemoteMultiaddr(), shareAddrs)
		for _, addr := range addrs {
			a.addrs = append(a.addrs, addr.String()+"/p2p/"+id.String())
		}
		if len(addrs) > 0 {
			named++
		}
	}
	return a
}

// ask asks one peer for others of a market.
func (d *Discovery) ask(ctx context.Context, id peer.ID, market string, limit int) ([]peer.AddrInfo, error) {
	ctx, cancel := context.WithTimeout(ctx, exchangeTime)
	defer cancel()
	ctx = network.WithAllowLimitedConn(network.WithNoDial(ctx, protocol.ProtocolPeers), protocol.ProtocolPeers)
	s, err := d.host.NewStream(ctx, id, protocol.ProtocolPeers)
	if err != nil {
		return nil, err
	}
	defer context.AfterFunc(ctx, func() { s.Reset() })()
	infos, err := exchanged(s, request{market: market, limit: limit})
	if err != nil {
		s.Reset()
		return nil, err
	}
	s.Close()
	return infos, nil
}

func exchanged(s network.Stream, r request) ([]peer.AddrInfo, error) {
	if err := s.Scope().SetService(exchangeService); err != nil {
		return nil, err
	}
	if err := s.SetDeadline(time.Now().Add(exchangeTime)); err != nil {
		return nil, err
	}
	raw, err := r.encode()
	if err != nil {
		return nil, err
	}
	if err := parley.WriteMessage(s, raw); err != nil {
		return nil, err
	}
	if err := s.CloseWrite(); err != nil {
		return nil, err
	}
	reply, release, err := parley.ReadMessage(s, maxAnswer)
	if err != nil {
		return nil, err
	}
	defer release()
	a, err := decodeAnswer(reply)
	if err != nil {
		return nil, err
	}
	if a.code != "" {
		return nil, &protocol.Error{Code: a.code, Detail: "the peer tells nobody"}
	}
	return a.infos(), nil
}
