// Package peers remembers the nodes that this one has met, so that it finds its
// way back into its markets without anybody's help. What it knows stands in one
// small file, sealed as it tells whom one knows; nothing depends on it, so a
// damaged one is begun anew.
//
// Strangers decide what comes in, so it is bounded in every direction: a node is
// worth remembering most once this node has reached it at its address itself, the
// most crowded part of the internet gives way first, and within it who is known
// for the shortest time. Specification: spec/08-transport.md, "Finding nodes".
package peers
