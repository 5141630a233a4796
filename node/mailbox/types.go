package mailbox

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/parley-protocol/parley/node/spool"
	"github.com/parley-protocol/parley/protocol"
)

// ID names an envelope: the SHA-256 of its bytes.
type ID = spool.ID

// IDOf is the ID of an envelope.
func IDOf(envelope []byte) ID { return sha256.Sum256(envelope) }

// Token names what a mailbox keeps for one recipient: the SHA-256 of the public
// pick-up key.
type Token [sha256.Size]byte

// bucket is the token's name in the store.
func (t Token) bucket() string { return hex.EncodeToString(t[:]) }

// Envelope is a sealed envelope as it was picked up.
type Envelope struct {
	ID    ID
	Bytes []byte
}

// Receipt is a mailbox's word that it has an envelope and that the envelope is
// durable there. It says nothing of the recipient.
type Receipt struct {
	Mailbox peer.ID
	ID      ID
	Until   time.Time // when the mailbox will throw the envelope away, in whole seconds
	Proof   []byte    // its signature, see [Receipt.Verify]; none of one's own mailbox
}

// Page is what one pick-up brings.
type Page struct {
	Envelopes []Envelope
	More      bool // there is more than fitted
}

// Store keeps envelopes durably. [spool.Spool] is one, with [SpoolLimits].
type Store interface {
	Put(ctx context.Context, bucket string, id ID, blob []byte, expires time.Time) (existed bool, err error)
	Get(ctx context.Context, bucket string, id ID) ([]byte, error)
	Delete(bucket string, id ID) error
	Bucket(name string) []spool.Info
	Fill() float64 // how much of its room is taken, 0 to 1
	Sweep(now time.Time) (removed int, err error)
}

var _ Store = (*spool.Spool)(nil)

// SpoolLimits are a mailbox's quotas per token, with so many bytes in all.
func SpoolLimits(total int64) spool.Limits {
	return spool.Limits{
		PerBucketCount: protocol.MaxTokenEnvelopes,
		PerBucketBytes: protocol.MaxTokenBytes,
		TotalBytes:     total,
		MaxAge:         retention + time.Hour,
	}
}

const retention = protocol.MailboxRetention * time.Second
