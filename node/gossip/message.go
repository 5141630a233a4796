package gossip

import (
	"context"

	"github.com/ipfs/go-cid"
	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/parley-protocol/parley/node/catchup"
	"github.com/parley-protocol/parley/protocol"
)

// ID is the SHA-256 in a record's ID.
type ID = catchup.ID

// IDOf is that of a record's ID.
func IDOf(id cid.Cid) ID { return ID(id.Hash()[len(id.Hash())-len(ID{}):]) }

// Path is the way on which a frame came.
type Path uint8

// The paths.
const (
	PathGossip  Path = iota // relayed by a peer
	PathOwn                 // published by this node
	PathCatchup             // asked of a peer
	PathStem                // handed over by a peer, to be passed on before gossip has it
)

// String is a word for logs.
func (p Path) String() string {
	switch p {
	case PathGossip:
		return "gossip"
	case PathOwn:
		return "own"
	case PathStem:
		return "stem"
	default:
		return "catchup"
	}
}

// Message is a frame on its way through the checks.
type Message struct {
	Market string
	From   peer.ID // who forwarded it, not who wrote it; this node's own for PathOwn
	Path   Path
	Frame  []byte // read only
	ID     ID     // the handler's word, of Check: the SHA-256 in the record's ID
	Parsed any    // the handler's own: what Check learnt and Verify needs
	Err    error  // the handler may leave its reason here; Publish returns it
	Fresh  bool   // the handler's word that the record was signed within [SeenFor]
}

// Handler judges frames. Both methods are called from many goroutines at once.
type Handler interface {
	// Check does what is cheap: size, canonical form, expiry, stamp, quota by
	// the forwarding peer. It runs in the way of all that arrives and must not
	// block.
	Check(ctx context.Context, m *Message) protocol.Verdict

	// Verify gets what Check accepted, checks the signature and stores the
	// record. Accept lets the frame go on to other nodes. On PathGossip and
	// PathOwn that is right even for a record that is stored already (one's own,
	// reconciled): only what gossip itself has relayed before is Ignore. On
	// PathCatchup Accept means that the record is new to this node; what it has
	// is Ignore, or two nodes that meet would flood their market with what
	// everyone has.
	Verify(ctx context.Context, m *Message) protocol.Verdict
}

// Catchup gives what this node has to tell to one that asks what it missed.
type Catchup interface {
	catchup.Source

	// Noted reports whether this node has the record, and knows that it is of the
	// market.
	Noted(ctx context.Context, market string, id ID) bool

	// Page returns frames of the market's live records that follow the cursor,
	// at most limit, and the cursor after the last of them, empty when there
	// are no more. Cursors are the implementation's own text, of at most
	// [MaxCursor] bytes; the first is empty. It is for peers that don't reconcile.
	Page(ctx context.Context, market, after string, limit int) (frames [][]byte, next string, err error)
}
