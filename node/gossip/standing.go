package gossip

import (
	"maps"
	"slices"
	"sync"
	"time"

	pubsub "github.com/libp2p/go-libp2p-pubsub"
	"github.com/libp2p/go-libp2p/core/peer"
)

// lookAtScores is how often the scores are looked at.
const lookAtScores = 5 * time.Second

// favour is what the score of a peer that the person chose begins with: more than
// anybody earns, less than one invalid frame costs.
const favour = 15

// Standing is a peer's place among those that this node gossips with.
type Standing struct {
	Score   float64  // of a few seconds ago; below 0 it isn't in any mesh
	Markets []string // that both are in, sorted
	Mesh    []string // in which full frames are exchanged with it, sorted
}

// Standing is a peer's place; of one that isn't connected it is empty.
func (g *Gossip) Standing(id peer.ID) Standing {
	s := Standing{Score: g.scores.of(id)}
	g.mu.Lock()
	markets := maps.Clone(g.markets)
	g.mu.Unlock()
	for _, name := range slices.Sorted(maps.Keys(markets)) {
		if slices.Contains(markets[name].topic.ListPeers(), id) {
			s.Markets = append(s.Markets, name)
		}
		if g.tracer.inMesh(topicOf(name), id) {
			s.Mesh = append(s.Mesh, name)
		}
	}
	return s
}

// Mesh lists the peers with which full frames of a market are exchanged.
func (g *Gossip) Mesh(name string) []peer.ID {
	g.tracer.mu.Lock()
	defer g.tracer.mu.Unlock()
	return slices.Sorted(maps.Keys(g.tracer.mesh[topicOf(name)]))
}

// scores is the last look at the peers' scores.
type scores struct {
	mu   sync.Mutex
	last map[peer.ID]float64
}

func (s *scores) look(all map[peer.ID]*pubsub.PeerScoreSnapshot) {
	last := make(map[peer.ID]float64, len(all))
	for id, snapshot := range all {
		last[id] = snapshot.Score
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last = last
}

func (s *scores) of(id peer.ID) float64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.last[id]
}
