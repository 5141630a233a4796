// Package catchup tells a node what it missed in a market: two peers reconcile
// their live sets over one stream, and the one that asks fetches what it lacks.
// What a session moves is proportional to the difference of the sets, and at
// every moment it holds one message or one page. Specification: spec/08-transport.md.
//
// The side that answers keeps nothing but the snapshot of its set between two
// requests. A session that is cut off loses nothing: the next one finds what is
// still missing.
package catchup
