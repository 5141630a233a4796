// Package gossip spreads the records that everyone may read: intents,
// withdrawals and profiles, one topic per market. Specification: spec/08-transport.md.
//
// Gossip has no history and forgets: a frame's hash stays in a peer's cache of
// what it has seen for [SeenFor], within which the same bytes go no further, and
// a node that comes later never hears of it. What was published before is had by
// asking: whenever a peer comes into a market, each of the two asks the other
// for the market's live records, page by page, over a stream of its own
// ([Catchup]).
package gossip
