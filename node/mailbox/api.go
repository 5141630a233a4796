// Package mailbox takes sealed envelopes in for those who aren't there to
// receive them, and fetches one's own from others. Specification: spec/07-mailbox.md.
package mailbox

import (
	"context"
	"time"

	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	lp2p "github.com/libp2p/go-libp2p/core/protocol"

	"github.com/parley-protocol/parley/crypto"
)

// ID of an envelope: its SHA-256.
type ID [32]byte

// Token names a mailbox's bucket: SHA-256 of the pick-up key.
type Token [32]byte

// Envelope is a sealed envelope as picked up.
type Envelope struct {
	ID    ID
	Bytes []byte
}

// Receipt is a mailbox's word that an envelope is durable there.
type Receipt struct {
	Mailbox peer.ID
	ID      ID
	Until   time.Time
}

// Store keeps envelopes durably; spool.Spool is one.
type Store interface {
	Put(ctx context.Context, bucket string, id [32]byte, blob []byte, expires time.Time) (existed bool, err error)
	Get(ctx context.Context, bucket string, id [32]byte) ([]byte, error)
}

// Limits of a server; zero values mean the defaults.
type Limits struct{}

// Server is this node's mailbox.
type Server struct{}

// NewServer makes a mailbox that answers on h.
func NewServer(h host.Host, store Store, limits Limits) (*Server, error) { return &Server{}, nil }

// Deposit stores an envelope of this node's own, in process.
func (s *Server) Deposit(ctx context.Context, token Token, envelope []byte) (Receipt, error) {
	return Receipt{}, nil
}

// Watch calls wake whenever an envelope arrives for the token, until stop is called.
func (s *Server) Watch(token Token, wake func()) (stop func()) { return func() {} }

// Close stops answering.
func (s *Server) Close() error { return nil }

// Courier carries streams; network.Courier is one.
type Courier interface {
	Do(ctx context.Context, purpose string, to peer.AddrInfo, proto lp2p.ID, use func(network.Stream) error) error
}

// Client deposits at and picks up from mailboxes.
type Client struct{}

// NewClient makes a client; own may be nil.
func NewClient(c Courier, own *Server) *Client { return &Client{} }

// Deposit tries the mailboxes in turn until one has stored the envelope.
func (c *Client) Deposit(ctx context.Context, purpose string, mailboxes []string, token Token, envelope []byte) (Receipt, error) {
	return Receipt{}, nil
}

// Receive picks up from every mailbox until ctx ends. An envelope is removed
// there once handle has returned nil for it, and given again otherwise.
func (c *Client) Receive(ctx context.Context, purpose string, mailboxes []string, seed crypto.SealingSeed, handle func(context.Context, Envelope) error) error {
	return nil
}
