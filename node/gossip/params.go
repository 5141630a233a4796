package gossip

import (
	"crypto/sha256"
	"log/slog"
	"net"
	"time"

	pubsub "github.com/libp2p/go-libp2p-pubsub"
	pb "github.com/libp2p/go-libp2p-pubsub/pb"
	"github.com/libp2p/go-libp2p/core/peer"
	lp2p "github.com/libp2p/go-libp2p/core/protocol"

	"github.com/parley-protocol/parley/protocol"
)

const (
	maxRPC        = protocol.MaxFrameBytes // of one message on the wire
	maxControl    = 32 << 10
	inlineQueue   = 1024 // frames that wait for Check
	unverified    = 448  // frames past Check that wait for Verify, each peer's in a line of its own
	verifying     = 512  // the library's own bound of them, which knows no lines
	outboundQueue = 128  // messages that wait to be sent to one peer
)

// pubsubOptions are GossipSub's settings, all per instance: the library's
// package-level variables are shared by every node in the process.
func (g *Gossip) pubsubOptions(o Options) []pubsub.Option {
	logger := o.Logger
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	return []pubsub.Option{
		pubsub.WithLogger(slog.New(quieter{logger.Handler()})),
		pubsub.WithGossipSubProtocols([]lp2p.ID{protocol.ProtocolGossip}, features),
		pubsub.WithGossipSubParams(gossipParams()),
		pubsub.WithPeerScore(scoreParams(o.Favoured), scoreThresholds()),
		pubsub.WithPeerScoreInspect(pubsub.ExtendedPeerScoreInspectFn(g.scores.look), lookAtScores),
		// StrictNoSign alone still lets From and a sequence number through.
		pubsub.WithMessageSignaturePolicy(pubsub.StrictNoSign),
		pubsub.WithNoAuthor(),
		pubsub.WithMessageIdFn(messageID),
		pubsub.WithSeenMessagesTTL(SeenFor),
		pubsub.WithMaxMessageSize(maxRPC),
		pubsub.WithMaxControlMessageSize(maxControl),
		pubsub.WithSubscriptionFilter(&g.subscriptions),
		pubsub.WithFloodPublish(o.Flood),
		pubsub.WithPeerExchange(false),
		pubsub.WithPeerOutboundQueueSize(outboundQueue),
		pubsub.WithValidateQueueSize(inlineQueue),
		pubsub.WithValidateThrottle(verifying),
		pubsub.WithDefaultValidator(g.check, pubsub.WithValidatorInline(true)),
		pubsub.WithDefaultValidator(g.verify, pubsub.WithValidatorConcurrency(verifying)),
		pubsub.WithRawTracer(&g.tracer),
	}
}

// features of the one protocol ID: GossipSub 1.2 without peer exchange.
func features(feature pubsub.GossipSubFeature, _ lp2p.ID) bool {
	return feature == pubsub.GossipSubFeatureMesh || feature == pubsub.GossipSubFeatureIdontwant
}

// messageID is over the whole frame, so that a copy with a spoiled signature
// can't stand in for the honest one.
func messageID(m *pb.Message) string {
	sum := sha256.Sum256(m.GetData())
	return string(sum[:])
}

// gossipParams fit markets of a few nodes to a few thousand. A longer history
// than the library's lets a peer that was away for some seconds be told by IHAVE.
func gossipParams() pubsub.GossipSubParams {
	p := pubsub.DefaultGossipSubParams()
	p.D, p.Dlo, p.Dhi = 6, 4, 12
	p.Dscore, p.Dout, p.Dlazy = 4, 2, 6
	p.HistoryLength, p.HistoryGossip = 10, 6
	p.HeartbeatInterval = time.Second
	p.PruneBackoff = time.Minute
	// A node that is restarted wants back into the mesh at once, and isn't to be
	// blamed for it.
	p.UnsubscribeBackoff = time.Second
	p.FanoutTTL = time.Minute
	p.MaxIHaveLength, p.MaxIHaveMessages = 512, 10 // 512 IDs fit maxControl
	return p
}

// scoreParams blame peers for what they do (invalid frames, broken promises,
// floods of grafts) and never for what they don't: a market may be silent for
// days, and a score that asks for deliveries would throw everyone out.
func scoreParams(favoured func(peer.ID) bool) *pubsub.PeerScoreParams {
	return &pubsub.PeerScoreParams{
		Topics:            map[string]*pubsub.TopicScoreParams{},
		TopicScoreCap:     20,
		AppSpecificWeight: 1,
		AppSpecificScore: func(id peer.ID) float64 {
			if favoured != nil && favoured(id) {
				return favour
			}
			return 0
		},
		IPColocationFactorWeight:    -1, // P6
		IPColocationFactorThreshold: 10,
		IPColocationFactorWhitelist: sharedRanges(),
		BehaviourPenaltyWeight:      -10, // P7
		BehaviourPenaltyThreshold:   6,
		BehaviourPenaltyDecay:       pubsub.ScoreParameterDecay(10 * time.Minute),
		DecayInterval:               pubsub.DefaultDecayInterval,
		DecayToZero:                 pubsub.DefaultDecayToZero,
		RetainScore:                 time.Hour,
		// Who brought which frame is needed only until it is verified; under a flood
		// it is what takes the most memory.
		SeenMsgTTL: 10 * time.Second,
	}
}

func topicScoreParams() *pubsub.TopicScoreParams {
	return &pubsub.TopicScoreParams{
		TopicWeight:                    1,
		TimeInMeshWeight:               0.01, // P1: 3 at most
		TimeInMeshQuantum:              time.Second,
		TimeInMeshCap:                  300,
		FirstMessageDeliveriesWeight:   0.5, // P2: 10 at most
		FirstMessageDeliveriesDecay:    pubsub.ScoreParameterDecay(time.Hour),
		FirstMessageDeliveriesCap:      20,
		MeshMessageDeliveriesWeight:    0,   // P3: off
		MeshFailurePenaltyWeight:       0,   // P3b: off
		InvalidMessageDeliveriesWeight: -20, // P4, of the square of their number
		InvalidMessageDeliveriesDecay:  pubsub.ScoreParameterDecay(time.Hour),
		// With P3 off these only have to pass the library's own checks.
		MeshMessageDeliveriesDecay:      pubsub.ScoreParameterDecay(time.Hour),
		MeshMessageDeliveriesCap:        1,
		MeshMessageDeliveriesThreshold:  1,
		MeshMessageDeliveriesWindow:     time.Second,
		MeshMessageDeliveriesActivation: time.Hour,
		MeshFailurePenaltyDecay:         pubsub.ScoreParameterDecay(time.Hour),
	}
}

// scoreThresholds: two invalid frames within the hour put a peer out of the
// mesh, three stop gossip with it, eight shut it out. A mesh whose median is below
// what silence earns (3, by being there) takes in, once a minute, two of those that
// do bring something.
func scoreThresholds() *pubsub.PeerScoreThresholds {
	return &pubsub.PeerScoreThresholds{
		GossipThreshold:             -100,
		PublishThreshold:            -400,
		GraylistThreshold:           -1000,
		OpportunisticGraftThreshold: 4,
	}
}

// sharedRanges are addresses that many honest nodes have at once: loopback,
// private networks and carrier NAT.
func sharedRanges() []*net.IPNet {
	var ranges []*net.IPNet
	for _, text := range []string{
		"127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16",
		"169.254.0.0/16", "100.64.0.0/10", "::1/128", "fc00::/7", "fe80::/10",
	} {
		if _, ipnet, err := net.ParseCIDR(text); err == nil {
			ranges = append(ranges, ipnet)
		}
	}
	return ranges
}
