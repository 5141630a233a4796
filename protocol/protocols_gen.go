// Code generated from spec/registry/protocols.csv by spec/gen. DO NOT EDIT.

package protocol

// The protocol IDs, and the topics up to the part that varies.
const (
	ProtocolCatchup     = "/parley/catchup/1"      // Asks a peer for the live records of a market, page by page.
	ProtocolGossip      = "/parley/meshsub/1.2.0"  // GossipSub v1.2 under an ID of its own; 64 KiB per message.
	ProtocolMailbox     = "/parley/mailbox/1"      // Deposit, pick-up and removal of sealed envelopes.
	ProtocolMailboxOpen = "/parley/mailbox-open/1" // The same, spoken by mailboxes that keep envelopes for everybody.
	TopicMarketPrefix   = "/parley/1/"             // The gossip topic of a market: intents, withdrawals, profiles.
	ProtocolPeers       = "/parley/peers/1"        // Asks a peer for others of a market.
	ProtocolReconcile   = "/parley/reconcile/1"    // Finds how two peers' sets of a market's live records differ, and fetches what one lacks.
	ProtocolStem        = "/parley/stem/1"         // Hands a frame to one peer, who passes it on along the stem or brings it to gossip.
)
