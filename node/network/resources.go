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
// there until it looks. perAddress is how many of them come from one IP address.
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
	limits.PeerBaseLimit, limits.ProtocolBaseLimit = limits.SystemBaseLimit, limits.SystemBaseLimit
	limits.ProtocolPeerBaseLimit, limits.ServiceBaseLimit, limits.ServicePeerBaseLimit = limits.SystemBaseLimit, limits.SystemBaseLimit, limits.SystemBaseLimit
	// All deals may have the same mailbox, and nobody dials a courier: it isn't held
	// to a number for one address.
	return newManager(limits.Scale(0, 8*hosts), anyNumber)
}

// anyNumber of connections of one address.
const anyNumber = math.MaxInt

// newManager holds each address to a number of connections, and to a rate at
// which they come: as many again in 40 seconds, twice as many at once. An IPv6
// address is its /56, of which a household has one, and a /48 has eight times as
// much. Loopback is exempt. libp2p's own numbers, 8 and one in 5 seconds, shut out
// a person who asks one mailbox for the mail of more than a few deals, each under
// another identity.
func newManager(limits rcmgr.ConcreteLimitConfig, perAddress int) (network.ResourceManager, error) {
	options := []rcmgr.Option{rcmgr.WithMetricsDisabled()}
	if perAddress == anyNumber {
		options = append(options,
			rcmgr.WithNetworkPrefixLimit(
				[]rcmgr.NetworkPrefixLimit{{Network: netip.MustParsePrefix("0.0.0.0/0"), ConnCount: anyNumber}},
				[]rcmgr.NetworkPrefixLimit{{Network: netip.MustParsePrefix("::/0"), ConnCount: anyNumber}}),
			rcmgr.WithConnRateLimiters(&rate.Limiter{}))
	} else {
		number := func(bits, n int) rcmgr.ConnLimitPerSubnet {
			return rcmgr.ConnLimitPerSubnet{PrefixLength: bits, ConnCount: n}
		}
		pace := func(bits, n int) rate.SubnetLimit {
			return rate.SubnetLimit{PrefixLength: bits, Limit: rate.Limit{RPS: float64(n) / 40, Burst: 2 * n}}
		}
		options = append(options,
			rcmgr.WithLimitPerSubnet(
				[]rcmgr.ConnLimitPerSubnet{number(32, perAddress)},
				[]rcmgr.ConnLimitPerSubnet{number(56, perAddress), number(48, 8*perAddress)}),
			rcmgr.WithConnRateLimiters(&rate.Limiter{
				NetworkPrefixLimits: []rate.PrefixLimit{{Prefix: netip.MustParsePrefix("127.0.0.0/8")}, {Prefix: netip.MustParsePrefix("::1/128")}},
				SubnetRateLimiter: rate.SubnetLimiter{
					IPv4SubnetLimits: []rate.SubnetLimit{pace(32, perAddress)},
					IPv6SubnetLimits: []rate.SubnetLimit{pace(56, perAddress), pace(48, 8*perAddress)},
					GracePeriod:      time.Minute,
				},
			}))
	}
	return rcmgr.NewResourceManager(rcmgr.NewFixedLimiter(limits), options...)
}
