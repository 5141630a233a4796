package node

import (
	"context"
	"slices"
	"sync"
	"time"

	libp2p "github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	coreprotocol "github.com/libp2p/go-libp2p/core/protocol"
	circuit "github.com/libp2p/go-libp2p/p2p/protocol/circuitv2/proto"
	ma "github.com/multiformats/go-multiaddr"

	"github.com/parley-protocol/parley/node/discovery"
	"github.com/parley-protocol/parley/node/network"
	"github.com/parley-protocol/parley/node/peers"
	"github.com/parley-protocol/parley/node/space"
	"github.com/parley-protocol/parley/protocol"
)

// openPeers reads which nodes were met, unless the person wants none but those
// that they choose.
func (n *Node) openPeers() {
	if n.opts.Config.Discovery == "off" {
		return
	}
	n.Peers = peers.Open(peers.Options{
		Path: n.opts.Home.Peers(), Key: n.Keys.Key("peers"), Connected: n.Network.Host().Network().Peers,
		Room: n.Space.For(space.Own), Now: n.opts.Now, Log: n.opts.Log,
	})
	n.opened(n.Peers.Close)
}

// met remembers a node that is in a market with this one. A node that came by
// itself says at which addresses it can be reached; one that was dialled was there.
func (n *Node) met(market string, id peer.ID) {
	if n.Peers != nil && !n.remember(market, id) {
		select {
		case n.silent <- meeting{market, id}:
		default: // it is remembered another time
		}
	}
}

// remember tells whether there is something to remember a node by.
func (n *Node) remember(market string, id peer.ID) bool {
	p := peers.Peer{ID: id, Markets: []string{market}, Source: string(n.Network.Origin(id))}
	var at ma.Multiaddr
	if a, dialled := n.Network.Dialled(id); dialled {
		at, p.Reached = a, true
	} else if conns := n.Network.Host().Network().ConnsToPeer(id); len(conns) > 0 {
		at = conns[0].RemoteMultiaddr()
	} else {
		return false
	}
	for _, a := range n.Network.AddrsFor(id, at, peers.MaxAddrs) {
		p.Addrs = append(p.Addrs, a.String())
	}
	n.Peers.Met(p)
	return len(p.Addrs) > 0
}

// meeting is a peer that came into a market.
type meeting struct {
	market string
	id     peer.ID
}

// Of those that came and didn't say yet at which addresses they can be reached.
const (
	silentMost  = 64
	silentAgain = 3 * time.Second
	silentTries = 20
)

// startPeers remembers from now on.
func (n *Node) startPeers(ctx context.Context) error {
	if n.Peers == nil {
		return nil
	}
	background, stop := context.WithCancel(context.Background())
	var work sync.WaitGroup
	work.Go(func() { n.listen(background) })
	n.opened(func() error { stop(); work.Wait(); return nil })
	return n.Peers.Start(ctx)
}

// listen looks again at those who haven't said where they are: a node that has
// just started knows its addresses a little later than its peers know it.
func (n *Node) listen(ctx context.Context) {
	tries := map[meeting]int{}
	var again <-chan time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case m := <-n.silent:
			if len(tries) < silentMost {
				tries[m] = 0
			}
		case <-again:
			again = nil
			for m := range tries {
				if tries[m]++; n.remember(m.market, m.id) || tries[m] == silentTries {
					delete(tries, m)
				}
			}
		}
		if len(tries) > 0 && again == nil {
			again = time.After(silentAgain)
		}
	}
}

// openDiscovery makes ready to look for nodes of one's markets, unless the
// person has turned that off.
func (n *Node) openDiscovery() (err error) {
	c := n.opts.Config
	if c.Discovery == "off" {
		return nil
	}
	n.Discovery, err = discovery.New(n.Network.Host(), discovery.Options{
		Mode:      discovery.Mode(c.Discovery),
		Bootstrap: n.bootstrap,
		Peers:     n.inMarket,
		Memory:    n.Peers,
		Exchange:  discovery.Exchange{Ask: n.askable, Share: n.shareable, Addrs: n.Network.AddrsFor},
		Found:     n.Network.NoteOrigin,
		Local:     c.TestNetwork,
		Log:       n.opts.Log,
	})
	if err == nil {
		n.opened(n.Discovery.Close)
	}
	return err
}

// inMarket is how many nodes of a market are connected, and how many of them this
// node has dialled itself and finds nothing wrong with.
func (n *Node) inMarket(market string) (all, dialled int) {
	ids := n.Gossip.Peers(market)
	for _, id := range ids {
		if n.good(id) {
			dialled++
		}
	}
	return len(ids), dialled
}

// good tells whether a peer is one that this node chose: it dialled it, or the
// person did, and it has done nothing wrong.
func (n *Node) good(id peer.ID) bool {
	_, dialled := n.Network.Dialled(id)
	return (dialled || n.Network.Keeps(id)) && n.Gossip.Standing(id).Score >= 0
}

// askable are the peers of a market that are asked for others: of any market if
// it has none yet.
func (n *Node) askable(market string) []peer.ID {
	ids := n.Gossip.Peers(market)
	if len(ids) == 0 {
		ids = n.Network.Host().Network().Peers()
	}
	return n.speaking(slices.DeleteFunc(slices.Clone(ids), func(id peer.ID) bool { return !n.good(id) }), protocol.ProtocolPeers)
}

// shareable are the peers of a market that others may be told of; nil when this
// node isn't in it. Who serves nobody isn't named: a customer's node at home
// gains nothing by being known to more.
func (n *Node) shareable(market string) []peer.ID {
	if !slices.Contains(n.Gossip.Markets(), market) {
		return nil
	}
	ids := slices.DeleteFunc(n.Gossip.Peers(market), func(id peer.ID) bool {
		return n.Network.Host().Network().Connectedness(id) != libp2p.Connected || n.Gossip.Standing(id).Score < 0
	})
	return append([]peer.ID{}, n.speaking(ids, publicServices()...)...)
}

// publicServices are the protocols of nodes that are there for others: the table of
// discovery, mail for everybody, and relaying.
func publicServices() []coreprotocol.ID {
	return []coreprotocol.ID{discovery.TableProtocol, protocol.ProtocolMailboxOpen, circuit.ProtoIDv2Hop}
}

// speaking keeps those who speak one of the protocols.
func (n *Node) speaking(ids []peer.ID, protocols ...coreprotocol.ID) []peer.ID {
	return slices.DeleteFunc(ids, func(id peer.ID) bool {
		spoken, err := n.Network.Host().Peerstore().SupportsProtocols(id, protocols...)
		return err != nil || len(spoken) == 0
	})
}

// bootstrap are the nodes to begin with: those of the settings, those that were
// joined, and some of those that were met.
func (n *Node) bootstrap() []peer.AddrInfo {
	addrs := slices.Concat(n.opts.Config.Bootstrap, n.opts.Config.Peers)
	if n.deskThere.Load() {
		for a := range n.Desk.Book().Settings(settingPeer) {
			addrs = append(addrs, a)
		}
	}
	infos, err := network.ParsePeers(addrs) // each was read before
	if err != nil {
		n.opts.Log.Warn("an address to begin with isn't one", "error", err)
	}
	for _, info := range infos {
		n.Network.NoteOrigin(info.ID, network.OriginConfig)
	}
	for _, p := range n.Peers.Pick("", metToBegin, func(peer.ID) bool { return false }) {
		n.Network.NoteOrigin(p.ID, network.OriginStored)
		infos = append(infos, p.Info())
	}
	return infos
}

// metToBegin is how many of the nodes met are tried when the table is empty.
const metToBegin = 8
