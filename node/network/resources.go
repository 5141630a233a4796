package network

import (
	"math"
	"net/netip"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/network"
	rcmgr "github.com/libp2p/go-libp2p/p2p/host/resource-manager"
	"github.com/libp2p/go-libp2p/x/rate"
)

// leastFiles is how many sockets the node's connections may hold at least.
const leastFiles = 256

// newResources sizes libp2p's resource manager for a small machine. Its
// defaults grow with the machine's memory; a node is a guest there. conns is how
// many connections the connection manager leaves standing: as many again may be
// there until it looks.
func newResources(memory int64, conns int, test bool) (network.ResourceManager, error) {
	limits := rcmgr.DefaultLimits // a copy: the package's own stay as they are
	libp2p.SetDefaultServiceLimits(&limits)
	limits.ServiceBaseLimit = rcmgr.BaseLimit{
		StreamsInbound: 512, StreamsOutbound: 512, Streams: 1024, Memory: 32 << 20,
	}
	limits.ServicePeerBaseLimit = rcmgr.BaseLimit{
		StreamsInbound: 24, StreamsOutbound: 24, Streams: 48, Memory: 8 << 20,
	}
	for _, scope := range []*rcmgr.BaseLimit{&limits.SystemBaseLimit, &limits.TransientBaseLimit} {
		scope.Conns = max(scope.Conns, 2*conns)
		scope.ConnsInbound = max(scope.ConnsInbound, 2*conns)
		scope.ConnsOutbound = max(scope.ConnsOutbound, 2*conns)
		scope.Streams = max(scope.Streams, 16*conns)
		scope.StreamsInbound = max(scope.StreamsInbound, 8*conns)
		scope.StreamsOutbound = max(scope.StreamsOutbound, 8*conns)
		scope.FD = max(scope.FD, 2*conns)
	}
	return newManager(limits.Scale(memory, max(leastFiles, 2*conns)), test)
}

// newCourierResources is for so many hosts that dial one mailbox each at a time.
func newCourierResources(hosts int, test bool) (network.ResourceManager, error) {
	limits := rcmgr.DefaultLimits
	libp2p.SetDefaultServiceLimits(&limits)
	limits.SystemBaseLimit = rcmgr.BaseLimit{
		// Nobody dials a courier, but a race of addresses can hold a few connections
		// for a moment.
		ConnsOutbound: 8 * hosts, Conns: 8 * hosts, Streams: 16 * hosts, StreamsInbound: 8 * hosts, StreamsOutbound: 8 * hosts,
		Memory: int64(16<<20 + hosts<<20), FD: 8 * hosts,
	}
	limits.TransientBaseLimit = limits.SystemBaseLimit
	// All deals may have the same mailbox.
	limits.PeerBaseLimit, limits.ProtocolBaseLimit = limits.SystemBaseLimit, limits.SystemBaseLimit
	limits.ProtocolPeerBaseLimit, limits.ServiceBaseLimit, limits.ServicePeerBaseLimit = limits.SystemBaseLimit, limits.SystemBaseLimit, limits.SystemBaseLimit
	return newManager(limits.Scale(0, 8*hosts), test)
}

func newManager(limits rcmgr.ConcreteLimitConfig, test bool) (network.ResourceManager, error) {
	options := []rcmgr.Option{rcmgr.WithMetricsDisabled()}
	if test {
		options = append(options,
			rcmgr.WithNetworkPrefixLimit(
				[]rcmgr.NetworkPrefixLimit{{Network: netip.MustParsePrefix("0.0.0.0/0"), ConnCount: math.MaxInt}},
				[]rcmgr.NetworkPrefixLimit{{Network: netip.MustParsePrefix("::/0"), ConnCount: math.MaxInt}}),
			rcmgr.WithConnRateLimiters(&rate.Limiter{}))
	}
	return rcmgr.NewResourceManager(rcmgr.NewFixedLimiter(limits), options...)
}
