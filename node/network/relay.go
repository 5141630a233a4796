package network

import (
	"time"

	"github.com/libp2p/go-libp2p/core/host"
	circuit "github.com/libp2p/go-libp2p/p2p/protocol/circuitv2/relay"
	ma "github.com/multiformats/go-multiaddr"
)

// Bounds of what a node relays for others, for a small machine. A circuit takes
// the largest envelope and the largest page of catching up, and little more.
const (
	relayedBytes    = 384 << 10 // of one circuit, each way
	relayedTime     = 2 * time.Minute
	relayPlaces     = 64 // nodes that have a place
	relayPlacesOfIP = 8
	relayCircuits   = 16 // of one node at once
	relayBuffer     = 4 << 10
)

// serveRelay relays for others on h, within narrow limits, until it is closed.
func serveRelay(h host.Host, test bool) (*circuit.Relay, error) {
	r := circuit.DefaultResources()
	r.Limit = &circuit.RelayLimit{Duration: relayedTime, Data: relayedBytes}
	r.MaxReservations, r.MaxReservationsPerIP = relayPlaces, relayPlacesOfIP
	r.MaxCircuits, r.BufferSize = relayCircuits, relayBuffer
	options := []circuit.Option{circuit.WithResources(r)}
	if test {
		r.MaxReservationsPerIP, r.MaxReservationsPerASN, r.MaxCircuits = relayPlaces, relayPlaces, relayPlaces
		options = []circuit.Option{circuit.WithResources(r), circuit.WithReservationAddressFilter(func(ma.Multiaddr) bool { return true })}
	}
	return circuit.New(h, options...)
}
