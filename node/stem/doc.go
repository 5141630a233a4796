// Package stem hides where a record comes from. A customer's record goes first
// along a path of a few nodes, from one to the next over streams, and only the
// last of them brings it to gossip: whoever watches gossip finds that one.
// Specification: spec/08-transport.md, after Dandelion++ (Fanti et al., 2018).
//
// For each epoch a node has two relays among its peers, to each of which it hands
// what comes from some of its peers, and to one of which its own; and it either
// passes on what others hand to it or brings all of it to gossip. Who has handed
// a record on waits until gossip brings it back; if that takes too long, a relay
// brings it to gossip itself, and the author tries its other relay first.
package stem
