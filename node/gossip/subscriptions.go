package gossip

import (
	"strings"
	"sync"

	pubsub "github.com/libp2p/go-libp2p-pubsub"
	pb "github.com/libp2p/go-libp2p-pubsub/pb"
	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/parley-protocol/parley/node/network"
	"github.com/parley-protocol/parley/protocol"
)

// subscriptions lets only the topics of markets be subscribed to, and each peer
// only to so many: what peers subscribe to is kept in memory.
type subscriptions struct {
	mu     sync.Mutex
	topics map[peer.ID]map[string]struct{}
}

var _ pubsub.SubscriptionFilter = (*subscriptions)(nil)

// CanSubscribe reports whether the topic is a market's.
func (s *subscriptions) CanSubscribe(topic string) bool {
	_, ok := marketOf(topic)
	return ok
}

// FilterIncomingSubscriptions drops what isn't a market's topic or is more than
// a peer may have.
func (s *subscriptions) FilterIncomingSubscriptions(from peer.ID, subs []*pb.RPC_SubOpts) ([]*pb.RPC_SubOpts, error) {
	if len(subs) > 2*MaxMarkets {
		return nil, pubsub.ErrTooManySubscriptions
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.topics == nil {
		s.topics = make(map[peer.ID]map[string]struct{})
	}
	mine := s.topics[from]
	if mine == nil {
		mine = make(map[string]struct{})
		s.topics[from] = mine
	}
	kept := pubsub.FilterSubscriptions(subs, s.CanSubscribe)
	n := 0
	for _, sub := range kept {
		topic := sub.GetTopicid()
		if !sub.GetSubscribe() {
			delete(mine, topic)
		} else if _, has := mine[topic]; !has && len(mine) >= MaxMarkets {
			continue
		} else {
			mine[topic] = struct{}{}
		}
		kept[n] = sub
		n++
	}
	return kept[:n], nil
}

// forget drops what is known of a peer that went.
func (s *subscriptions) forget(id peer.ID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.topics, id)
}

func topicOf(market string) string { return protocol.TopicMarketPrefix + market }

func marketOf(topic string) (string, bool) {
	market, ok := strings.CutPrefix(topic, protocol.TopicMarketPrefix)
	return market, ok && network.ValidMarket(market)
}
