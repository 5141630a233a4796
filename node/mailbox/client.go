package mailbox

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	lp2p "github.com/libp2p/go-libp2p/core/protocol"

	"github.com/parley-protocol/parley/crypto"
	parley "github.com/parley-protocol/parley/node/network"
	"github.com/parley-protocol/parley/protocol"
)

// Courier carries streams to peers under an identity of the purpose's own. The
// stream is reset when use fails and closed when it doesn't. [parley.Courier]
// is one.
type Courier interface {
	Do(ctx context.Context, purpose string, to peer.AddrInfo, proto lp2p.ID, use func(network.Stream) error) error
}

var _ Courier = (*parley.Courier)(nil)

// Client leaves envelopes at mailboxes and picks them up. Its methods are safe
// for concurrent use. A purpose, such as an intent or a deal, is what mailboxes
// may see together; see [parley.Courier].
type Client struct {
	courier Courier
	own     *Server // may be nil

	turns  *turns // of the pick-ups that wait at others' mailboxes
	health *health
}

// DefaultPolls is how many pick-ups wait at others' mailboxes at once. Each keeps
// a throw-away host busy, and deposits need some too. With more addresses than
// that, those with news have their turn at once and the others every few minutes.
const DefaultPolls = 64

// NewClient makes a client. own is this node's mailbox, nil when it has none:
// what is addressed to it doesn't touch the network. polls bounds the pick-ups
// that wait at once; 0: [DefaultPolls].
func NewClient(courier Courier, own *Server, polls int) *Client {
	if polls <= 0 {
		polls = DefaultPolls
	}
	return &Client{courier: courier, own: own, turns: newTurns(polls), health: newHealth()}
}

// Deposit leaves an envelope at so many of the recipient's mailboxes, full
// multiaddrs in the recipient's order of preference: it tries one after the other
// until as many have it durably. Copies are all the same bytes, so that a
// recipient knows them for one. It returns who has it; only when none has is
// there an error, which joins what each said.
func (c *Client) Deposit(ctx context.Context, purpose string, mailboxes []string, token Token, envelope []byte, copies int) (kept []Receipt, err error) {
	boxes, errs := c.parse(mailboxes)
	if len(boxes) == 0 && len(errs) == 0 {
		return nil, protocol.Errorf(protocol.CodeMissingField, "mailboxes", "the recipient has no mailbox")
	}
	copies = max(copies, 1)
	type outcome struct {
		receipt Receipt
		err     error
	}
	outcomes := make(chan outcome)
	next, running := 0, 0
	for len(kept)+running < copies && next < len(boxes) || running > 0 {
		for ; len(kept)+running < copies && next < len(boxes) && ctx.Err() == nil; next++ {
			box := boxes[next]
			running++
			go func() {
				receipt, err := c.depositAt(ctx, purpose, box, token, envelope)
				if err != nil {
					err = fmt.Errorf("mailbox %s: %w", box.ID, err)
				}
				c.health.note(box.ID, err)
				outcomes <- outcome{receipt, err}
			}()
		}
		if running == 0 {
			break // ctx has ended
		}
		o := <-outcomes
		running--
		if o.err == nil {
			kept = append(kept, o.receipt)
		} else {
			errs = append(errs, o.err)
		}
	}
	if len(kept) > 0 {
		return kept, nil
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	return nil, errors.Join(errs...)
}

// depositAt leaves an envelope at one mailbox, and does the work that it asks for.
func (c *Client) depositAt(ctx context.Context, purpose string, box peer.AddrInfo, token Token, envelope []byte) (Receipt, error) {
	if c.isOwn(box.ID) {
		return c.own.Deposit(ctx, token, envelope)
	}
	r := &request{Op: opDeposit, Token: token, Envelope: envelope}
	a, err := c.exchange(ctx, purpose, box, r)
	if a != nil && a.Code == protocol.CodeStampTooWeak && a.Bits > 0 && a.Bits <= protocol.MaxDepositStampBits {
		if r.Stamp, err = work(ctx, box.ID, token, IDOf(envelope), a.Bits); err != nil {
			return Receipt{}, err
		}
		a, err = c.exchange(ctx, purpose, box, r)
	}
	if err != nil {
		return Receipt{}, err
	}
	if a.Stored != IDOf(envelope) {
		return Receipt{}, protocol.Errorf(protocol.CodeMalformed, "stored", "the mailbox acknowledges something else")
	}
	receipt := Receipt{Mailbox: box.ID, ID: a.Stored, Until: time.Unix(a.Until, 0).UTC(), Proof: a.Receipt}
	return receipt, receipt.Verify(token)
}

// Pickup asks one mailbox once: see [Server.Pickup]. wait is at most a minute.
func (c *Client) Pickup(ctx context.Context, purpose string, mailbox string, seed crypto.SealingSeed, after []byte, max int, wait time.Duration) (Page, error) {
	box, err := parley.ParsePeer(mailbox)
	if err != nil {
		return Page{}, err
	}
	return c.pickupAt(ctx, purpose, box, seed, after, max, wait)
}

func (c *Client) pickupAt(ctx context.Context, purpose string, box peer.AddrInfo, seed crypto.SealingSeed, after []byte, max int, wait time.Duration) (Page, error) {
	if c.isOwn(box.ID) {
		return c.own.Pickup(ctx, seed.Token(), after, max, wait)
	}
	wait = min(wait, protocol.MaxPickupWait*time.Second)
	a, err := c.proveTo(ctx, purpose, box, seed, &request{Op: opPickup, After: after, Max: max, Wait: wait})
	if err != nil {
		return Page{}, err
	}
	if len(a.Envelopes) > max {
		return Page{}, protocol.Errorf(protocol.CodeMalformed, "envelopes", "more than were asked for")
	}
	return Page{Envelopes: a.Envelopes, More: a.More}, nil
}

// Remove deletes envelopes, 1 to 256, at one mailbox and returns how many were
// there.
func (c *Client) Remove(ctx context.Context, purpose string, mailbox string, seed crypto.SealingSeed, ids ...ID) (int, error) {
	box, err := parley.ParsePeer(mailbox)
	if err != nil {
		return 0, err
	}
	return c.removeAt(ctx, purpose, box, seed, ids)
}

func (c *Client) removeAt(ctx context.Context, purpose string, box peer.AddrInfo, seed crypto.SealingSeed, ids []ID) (int, error) {
	if c.isOwn(box.ID) {
		return c.own.Remove(ctx, seed.Token(), ids...)
	}
	a, err := c.proveTo(ctx, purpose, box, seed, &request{Op: opRemove, IDs: ids})
	if err != nil {
		return 0, err
	}
	return min(a.Removed, len(ids)), nil
}

// proveTo sends a request with the proof of the pick-up key. When the clocks
// disagree, it proves once more by the mailbox's own clock: the proof is bound to
// that mailbox, so a wrong time there gives nobody else anything.
func (c *Client) proveTo(ctx context.Context, purpose string, box peer.AddrInfo, seed crypto.SealingSeed, r *request) (*answer, error) {
	key := seed.PickupKey()
	defer key.Destroy()
	r.prove(key, box.ID, time.Now())
	a, err := c.exchange(ctx, purpose, box, r)
	if a != nil && a.Code == protocol.CodeClockSkew && a.Time > 0 && a.Time <= protocol.MaxTime {
		r.prove(key, box.ID, time.Unix(a.Time, 0))
		a, err = c.exchange(ctx, purpose, box, r)
	}
	return a, err
}

// exchange sends a request and reads its answer. With an error that the mailbox
// told, the answer is returned too.
func (c *Client) exchange(ctx context.Context, purpose string, box peer.AddrInfo, r *request) (a *answer, err error) {
	raw, err := r.encode()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, r.Wait+2*requestTime)
	defer cancel()
	var told error
	err = c.courier.Do(ctx, purpose, box, protocol.ProtocolMailbox, func(s network.Stream) error {
		defer context.AfterFunc(ctx, func() { s.Reset() })()
		reply, release, err := converse(s, raw, r.Wait)
		if err != nil {
			return err
		}
		defer release()
		a, told = decodeAnswer(r.Op, reply)
		if a == nil {
			return told
		}
		return nil // a refusal is an answer, too
	})
	switch {
	case a != nil:
		return a, told // even if the stream didn't close well
	case ctx.Err() != nil:
		return nil, ctx.Err()
	default:
		return nil, err
	}
}

func converse(s network.Stream, raw []byte, wait time.Duration) (reply []byte, release func(), err error) {
	if err := s.Scope().SetService(serviceName); err != nil {
		return nil, nil, err
	}
	if err := s.SetDeadline(time.Now().Add(wait + requestTime)); err != nil {
		return nil, nil, err
	}
	if err := parley.WriteMessage(s, raw); err != nil {
		return nil, nil, err
	}
	if err := s.CloseWrite(); err != nil {
		return nil, nil, err
	}
	return parley.ReadMessage(s, maxAnswer)
}

// parse reads the mailboxes, one entry for each peer. What can't be read is an
// error of its own: others may still work.
func (c *Client) parse(mailboxes []string) (boxes []peer.AddrInfo, errs []error) {
	var good []string
	for _, text := range mailboxes {
		if _, err := parley.ParsePeer(text); err != nil {
			errs = append(errs, err)
		} else {
			good = append(good, text)
		}
	}
	boxes, err := parley.ParsePeers(good)
	if err != nil {
		errs = append(errs, err)
	}
	if len(boxes) > protocol.MaxMailboxes {
		boxes = boxes[:protocol.MaxMailboxes]
	}
	return boxes, errs
}

func (c *Client) isOwn(id peer.ID) bool { return c.own != nil && c.own.ID() == id }
