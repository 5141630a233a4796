package api

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/p2p/protocol/ping"

	"github.com/parley-protocol/parley/node/network"
	"github.com/parley-protocol/parley/protocol"
)

// Peer is another node, as this one sees it.
type Peer struct {
	ID        string     `json:"id"`
	Connected bool       `json:"connected"`
	Direction string     `json:"direction,omitempty" enum:"in,out" doc:"Who dialled"`
	Path      string     `json:"path,omitempty" enum:"direct,relayed" doc:"Gossip doesn't run over relayed connections"`
	Since     *time.Time `json:"since,omitempty" doc:"Of the connection"`
	LatencyMS float64    `json:"latencyMs,omitempty" doc:"There and back, as last measured"`
	Addrs     []string   `json:"addrs" doc:"Of the connections; without one, those known"`
	Agent     string     `json:"agent,omitempty" doc:"What it calls itself"`
	Protocols []string   `json:"protocols" doc:"Parley's own that it speaks"`
	Features  []string   `json:"features" doc:"Those of them that this version knows, by name"`
	Mailbox   bool       `json:"mailbox" doc:"It takes mail: for itself, or for others too"`
	Markets   []string   `json:"markets" doc:"That both are in"`
	Mesh      []string   `json:"mesh" doc:"Markets in which whole records go straight between the two"`
	Score     float64    `json:"score" doc:"Below 0 it is in no mesh"`
	Source    string     `json:"source,omitempty" enum:"config,invite,added,mdns,discovery,exchange,stored,incoming" doc:"How this node came to it"`
	Kept      bool       `json:"kept" doc:"This node stays connected to it"`
	Blocked   bool       `json:"blocked"`
	FirstMet  *time.Time `json:"firstMet,omitempty"`
	LastMet   *time.Time `json:"lastMet,omitempty"`
	Failed    int        `json:"failed,omitempty" doc:"Dials in vain since it was last met"`
}

func (s *Server) peerRoutes() {
	const get, post, del = http.MethodGet, http.MethodPost, http.MethodDelete
	handle(s, get, "/v1/peers", "listPeers", "Nodes that are connected, or kept connected", s.listPeers)
	handle(s, post, "/v1/peers", "addPeer", "Stay connected to a node from now on", s.addPeer)
	handle(s, get, "/v1/peers/{id}", "showPeer", "One node, asked just now how far away it is", s.showPeer)
	handle(s, del, "/v1/peers/{id}", "removePeer", "Forget a node and hang up", s.removePeer)
	handle(s, post, "/v1/peers/{id}/block", "blockPeer", "Forget a node, and never deal with it again", s.blockPeer)
	handle(s, post, "/v1/peers/{id}/unblock", "unblockPeer", "Let a node in again", s.unblockPeer)
}

// peers describes all that are known: connected, kept, blocked or met before.
func (s *Server) peers() []Peer {
	var out []Peer
	known := map[peer.ID]bool{}
	for _, info := range s.node.Network.Peers() {
		known[info.ID] = true
		out = append(out, s.peerView(info))
	}
	rest := s.node.BlockedPeers()
	if s.node.Peers != nil {
		for _, p := range s.node.Peers.List() {
			rest = append(rest, p.ID)
		}
	}
	for _, id := range rest {
		if !known[id] {
			known[id] = true
			out = append(out, s.peerView(network.PeerInfo{ID: id}))
		}
	}
	slices.SortFunc(out, func(a, b Peer) int { return strings.Compare(a.ID, b.ID) })
	return out
}

func (s *Server) peerView(info network.PeerInfo) Peer {
	place := s.node.Gossip.Standing(info.ID)
	v := Peer{ID: info.ID.String(), Connected: info.Connected, Addrs: append([]string{}, info.Addrs...), Agent: info.UserAgent,
		Protocols: append([]string{}, info.Protocols...), Features: []string{}, Markets: append([]string{}, place.Markets...), Mesh: append([]string{}, place.Mesh...),
		Score: place.Score, Source: string(info.Origin), Kept: info.Static, Blocked: s.node.PeerBlocked(info.ID), LatencyMS: info.Latency.Seconds() * 1000}
	if info.Connected {
		v.Direction, v.Path = "out", "direct"
		if info.Inbound {
			v.Direction = "in"
		}
		if info.Limited {
			v.Path = "relayed"
		}
		v.Since = instantOf(info.Since.Unix())
	}
	for _, p := range info.Protocols {
		if name := protocol.ProtocolName(p); name != "" {
			v.Features = append(v.Features, name)
		}
	}
	slices.Sort(v.Features)
	v.Mailbox = slices.Contains(v.Features, "mailbox")
	if s.node.Peers != nil {
		if p, ok := s.node.Peers.Get(info.ID); ok {
			v.FirstMet, v.LastMet, v.Failed = instantOf(p.First.Unix()), instantOf(p.Last.Unix()), p.Failed
			if len(v.Addrs) == 0 {
				v.Addrs = p.Addrs
			}
			if v.Source == "" {
				v.Source = p.Source
			}
		}
	}
	return v
}

func (s *Server) listPeers(_ context.Context, in *struct {
	All bool `query:"all" doc:"Those met before and those blocked, too"`
}) (*with[list[Peer]], error) {
	return items(slices.DeleteFunc(s.peers(), func(p Peer) bool { return !in.All && !p.Connected && !p.Kept })), nil
}

// peerStart is how every node's ID begins; people leave it out.
const peerStart = "12D3KooW"

// peer finds a node by its ID or a unique beginning of it.
func (s *Server) peer(text string) (peer.ID, error) {
	if id, err := peer.Decode(text); err == nil {
		return id, nil
	}
	prefix := peerStart + strings.TrimPrefix(text, peerStart)
	if len(prefix) < len(peerStart)+minShort {
		return "", protocol.Errorf(protocol.CodeUsage, "id", "%d characters at least are needed to find a node by its ID", minShort)
	}
	var found []string
	for _, p := range s.peers() {
		if strings.HasPrefix(p.ID, prefix) {
			found = append(found, p.ID)
		}
	}
	switch len(found) {
	case 0:
		return "", &protocol.Error{Code: protocol.CodeNotFound, Field: "id", Detail: fmt.Sprintf("no node here has an ID that begins with %s", prefix), Hint: "parley peer list --all"}
	case 1:
		return peer.Decode(found[0])
	}
	return "", &protocol.Error{Code: protocol.CodeAmbiguous, Field: "id", Detail: fmt.Sprintf("%d nodes have an ID that begins with %s", len(found), prefix), Hint: "give more of it"}
}

func (s *Server) onePeer(id peer.ID) (Peer, bool) {
	for _, p := range s.peers() {
		if p.ID == id.String() {
			return p, true
		}
	}
	return s.peerView(network.PeerInfo{ID: id}), false
}

// pingFor is how long a node has to answer.
const pingFor = 5 * time.Second

func (s *Server) showPeer(ctx context.Context, in *byID) (*with[Peer], error) {
	id, err := s.peer(in.ID)
	if err != nil {
		return nil, err
	}
	if len(s.node.Network.Host().Network().ConnsToPeer(id)) > 0 {
		asking, cancel := context.WithTimeout(ctx, pingFor)
		<-ping.Ping(asking, s.node.Network.Host(), id) // it notes the latency
		cancel()
	}
	p, ok := s.onePeer(id)
	if !ok {
		return nil, &protocol.Error{Code: protocol.CodeNotFound, Field: "id", Detail: "this node has never met " + id.String(), Hint: "parley peer list --all"}
	}
	return body(p), nil
}

func (s *Server) addPeer(ctx context.Context, in *with[struct {
	Addr string `json:"addr" doc:"A multiaddr that ends in /p2p/NODE"`
}]) (*with[Peer], error) {
	info, err := network.ParsePeer(in.Body.Addr)
	if err != nil {
		return nil, err
	}
	if err := s.node.AddPeers(ctx, []string{in.Body.Addr}); err != nil {
		return nil, err
	}
	p, _ := s.onePeer(info.ID)
	return body(p), nil
}

// withPeer does something to a node and shows it after that.
func (s *Server) withPeer(ctx context.Context, text string, do func(context.Context, peer.ID) error) (*with[Peer], error) {
	id, err := s.peer(text)
	if err != nil {
		return nil, err
	}
	if err := do(ctx, id); err != nil {
		return nil, err
	}
	p, _ := s.onePeer(id)
	return body(p), nil
}

func (s *Server) removePeer(ctx context.Context, in *byID) (*with[Peer], error) {
	return s.withPeer(ctx, in.ID, s.node.RemovePeer)
}

func (s *Server) blockPeer(ctx context.Context, in *byID) (*with[Peer], error) {
	return s.withPeer(ctx, in.ID, s.node.BlockPeer)
}

func (s *Server) unblockPeer(ctx context.Context, in *byID) (*with[Peer], error) {
	return s.withPeer(ctx, in.ID, s.node.UnblockPeer)
}
