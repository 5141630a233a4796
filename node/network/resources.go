package network

import (
	"math"
	"net/netip"
	"time"

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
func newResources(memory int64, conns, perAddress int) (network.ResourceManager, error) {
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
	return newManager(limits.Scale(memory, max(leastFiles, 2*conns)), perAddress)
}

// newCourierResources is for so many hosts that dial one mailbox each at a time.
func newCourierResources(hosts int) (network.ResourceManager, error) {
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
	return newManager(limits.Scale(0, 8*hosts), unlimited)
}

// Connections from one address: an IPv4 address, or an IPv6 network of a
// subscriber's. The library lets 8 stand and 0.2 a second come, which is too few
// for a mailbox: whoever picks up for many deals has a host for each.
const (
	usualPerAddress  = 0 // the library's
	mailboxPerAddr   = 128
	mailboxPerSecond = 4
	unlimited        = math.MaxInt
)

func newManager(limits rcmgr.ConcreteLimitConfig, perAddress int) (network.ResourceManager, error) {
	options := []rcmgr.Option{rcmgr.WithMetricsDisabled()}
	switch perAddress {
	case usualPerAddress:
	case unlimited:
		options = append(options,
			rcmgr.WithNetworkPrefixLimit(
				[]rcmgr.NetworkPrefixLimit{{Network: netip.MustParsePrefix("0.0.0.0/0"), ConnCount: math.MaxInt}},
				[]rcmgr.NetworkPrefixLimit{{Network: netip.MustParsePrefix("::/0"), ConnCount: math.MaxInt}}),
			rcmgr.WithConnRateLimiters(&rate.Limiter{}))
	default:
		come := rate.Limit{RPS: mailboxPerSecond, Burst: 2 * perAddress}
		options = append(options,
			rcmgr.WithLimitPerSubnet(
				[]rcmgr.ConnLimitPerSubnet{{PrefixLength: 32, ConnCount: perAddress}},
				[]rcmgr.ConnLimitPerSubnet{{PrefixLength: 56, ConnCount: perAddress}, {PrefixLength: 48, ConnCount: 8 * perAddress}}),
			rcmgr.WithConnRateLimiters(&rate.Limiter{
				NetworkPrefixLimits: []rate.PrefixLimit{{Prefix: netip.MustParsePrefix("127.0.0.0/8")}, {Prefix: netip.MustParsePrefix("::1/128")}},
				SubnetRateLimiter: rate.SubnetLimiter{
					IPv4SubnetLimits: []rate.SubnetLimit{{PrefixLength: 32, Limit: come}},
					IPv6SubnetLimits: []rate.SubnetLimit{{PrefixLength: 56, Limit: come}, {PrefixLength: 48, Limit: rate.Limit{RPS: 8 * come.RPS, Burst: 8 * come.Burst}}},
					GracePeriod:      time.Minute,
				},
			}))
	}
	return rcmgr.NewResourceManager(rcmgr.NewFixedLimiter(limits), options...)
}
