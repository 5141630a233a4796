// Package network is a node's attachment to other nodes: a libp2p host that
// speaks QUIC and TCP with Ed25519 peers only, the peers that a person has
// chosen, invites, and throw-away hosts for deliveries that must not carry the
// node's own identity. Specification: spec/08-transport.md.
package network
