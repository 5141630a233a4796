package api

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/parley-protocol/parley/node/ledger"
	"github.com/parley-protocol/parley/node/outbox"
	"github.com/parley-protocol/parley/node/space"
)

// doctor looks at what tends to go wrong.
func (s *Server) doctor(ctx context.Context, _ *none) (*with[list[Check]], error) {
	checks := []func() Check{
		s.checkLedger, s.checkMemory, s.checkWriters, s.checkRoom, s.checkView, s.checkInbox,
		s.checkPeers, s.checkDiscovery, s.checkAddrs, s.checkReach, s.checkPortMapping, s.checkRelayed, s.checkRelay,
		s.checkMailboxes, s.checkMarkets, s.checkStem, s.checkOwed, s.checkIngest, s.checkClock,
	}
	out := make([]Check, len(checks))
	for i, check := range checks {
		out[i] = check()
	}
	return items(out), nil
}

func (s *Server) checkLedger() Check {
	c := Check{Name: "ledger", Status: "ok", Text: fmt.Sprintf("%d entries, whole from the first to the last", s.node.Ledger.Len())}
	if err := s.node.Ledger.Err(); err != nil {
		c.Status, c.Text, c.Hint = "fail", "nothing can be written any more: "+err.Error(), "free some disk space or look after the disk, then restart the node; what was promised is safe"
		if damage, ok := errors.AsType[*ledger.DamageError](err); ok {
			c.Hint = damage.Hint
		}
	}
	return c
}

// checkRoom tells what the node refuses for lack of room.
func (s *Server) checkRoom() Check {
	err := s.node.Space.Check(space.Foreign)
	if err == nil {
		return Check{Name: "room", Status: "ok", Text: "there is room for everybody's records"}
	}
	c := Check{Name: "room", Status: "warn", Text: "others' records are refused: " + err.Error(), Hint: problemOf(err).Hint}
	if own := s.node.Space.Check(space.Own); own != nil {
		c.Status, c.Text, c.Hint = "fail", "nothing is taken any more, not even your own records: "+own.Error(), problemOf(own).Hint
	}
	return c
}

// checkView tells what reading the view's files in the background has found.
func (s *Server) checkView() Check {
	if err := s.node.Store.Damage(); err != nil {
		return Check{Name: "view", Status: "fail", Text: err.Error(), Hint: "restart the node: the view is built anew from the ledger and the markets"}
	}
	return Check{Name: "view", Status: "ok", Text: "no damage was found in its files"}
}

// checkInbox names what was acknowledged to others and is lost.
func (s *Server) checkInbox() Check {
	inbox, mailbox := s.node.Damaged()
	if len(inbox)+len(mailbox) == 0 {
		return Check{Name: "inbox", Status: "ok", Text: "all that was received is there"}
	}
	c := Check{Name: "inbox", Status: "fail", Text: fmt.Sprintf("lost although their senders were told that they are safe: %d messages in the inbox, %d in the mailbox", len(inbox), len(mailbox)),
		Hint: "check the disk; ask who has sent you something to send it again"}
	for _, d := range append(inbox, mailbox...) {
		c.Text += fmt.Sprintf("; number %d, kept until %s: %s: %s", d.Arrival, d.Expires.Format(time.DateOnly), d.Path, d.What)
	}
	return c
}

// checkMemory tells whether the node may have signed more than it knows.
func (s *Server) checkMemory() Check {
	c := Check{Name: "memory", Status: "ok", Text: "nothing was signed that this node doesn't know, as far as it can tell"}
	open := 0
	for _, d := range s.desk().Book().Deals() {
		if d.Options.Restored && !d.State.Phase.Final() {
			open++
		}
	}
	if at := s.desk().Book().RestoredAt(); at != 0 {
		c.Text = fmt.Sprintf("restored from a backup on %s: what was signed after that backup is missing, and nothing more is accepted on older requests", when(at).Format(time.DateTime))
		c.Status = "warn"
	}
	if open > 0 {
		c.Status = "warn"
		c.Text += fmt.Sprintf("; the other side is being asked about %d deals", open)
	}
	if c.Status == "warn" {
		c.Hint = "the old node must not run again; parley deal list shows what came of it"
	}
	return c
}

// checkWriters tells whether another node signs as this seller.
func (s *Server) checkWriters() Check {
	if seen := s.desk().OtherWriter(); s.now()-seen.Unix() < 600 {
		return Check{Name: "writers", Status: "warn", Text: "another node signs as this seller, since a short while ago: " + seen.UTC().Format(time.DateTime),
			Hint: "stop it: two of them would contradict each other"}
	}
	return Check{Name: "writers", Status: "ok", Text: "no other node signs as this seller, as far as is known"}
}

func (s *Server) checkAddrs() Check {
	addrs := s.node.Network.Addrs()
	if len(addrs) == 0 {
		return Check{Name: "addresses", Status: "warn", Text: "the node listens on no address: it can only dial out", Hint: "set listen in " + s.node.Home().Config()}
	}
	return Check{Name: "addresses", Status: "ok", Text: fmt.Sprintf("listens at %s and %d more", addrs[0], len(addrs)-1)}
}

// checkMailboxes tells where replies are left, and which of the mailboxes that
// this node deals with, its own and others', don't do their part.
func (s *Server) checkMailboxes() Check {
	configured, found := len(s.node.Config().Mailboxes), len(s.node.FoundMailboxes())
	c := Check{Name: "mailboxes", Status: "ok"}
	switch {
	case configured > 0:
		c.Text = fmt.Sprintf("%d mailboxes of the settings take replies while this node is off, and %d connected nodes could", configured, found)
	case found > 0:
		c.Text = fmt.Sprintf("replies to requests are left at some of %d connected nodes that serve everybody", found)
	default:
		c.Status, c.Text = "warn", "replies are left at this node itself: it must be on to get them, and those who reply see its address"
		c.Hint = "set mailboxes in " + s.node.Home().Config() + ", or connect to a node that serves everybody"
	}
	if configured+found == 1 {
		c.Status, c.Hint = "warn", "name a second mailbox: if this one fails, replies wait for it"
	}
	for _, h := range s.node.MailboxHealth() {
		if h.Down() {
			c.Status = "warn"
			c.Text += fmt.Sprintf("; %s has failed %d times in a row, since %s at the latest: %v", h.Mailbox, h.Fails, h.Failed.UTC().Format(time.DateTime), h.Err)
		}
	}
	return c
}

// checkStem tells whether it is hard to find out whose the own requests are.
func (s *Server) checkStem() Check {
	c := Check{Name: "hiding", Status: "ok", Text: "requests go along a few other nodes before their market sees them"}
	if s.node.Stem == nil {
		c.Status, c.Text, c.Hint = "warn", "requests go straight to their market: the nodes next to this one can tell that they are yours", "set stem = true in "+s.node.Home().Config()
		return c
	}
	st := s.node.Stem.Stats()
	c.Text += fmt.Sprintf("; %d of %d had to be published by this node itself, %d were passed on for others", st.Direct, st.Own, st.Taken)
	for _, market := range s.desk().Markets() {
		if len(s.node.Gossip.Peers(market)) > 0 && s.node.Stem.Relays(market) == 0 {
			c.Status, c.Text = "warn", "no node of the market "+market+" passes requests on: yours go straight to it, after a few seconds"
			c.Hint = "connect to more nodes (parley join)"
		}
	}
	return c
}

func (s *Server) checkOwed() Check {
	failing := 0
	pending := s.desk().Outbox().Pending()
	var last error
	for _, p := range pending {
		if p.Err != nil {
			failing++
			last = p.Err
		}
	}
	if failing > 0 {
		return Check{Name: "deliveries", Status: "warn", Text: fmt.Sprintf("%d of %d deliveries failed so far and are tried again: %v", failing, len(pending), last)}
	}
	c := Check{Name: "deliveries", Status: "ok", Text: fmt.Sprintf("%d deliveries wait for the other side's word", len(pending))}
	// Mail that a mailbox has said it keeps, and that nobody speaks of, may have
	// vanished there.
	for _, p := range pending {
		if since := time.Unix(s.now(), 0).Sub(p.Since); len(p.Custody) > 0 && since > silentFor {
			c.Status, c.Hint = "warn", "the other side may be away; ask it whether it got anything: parley deal show says where it lies, and with --json has the signed receipts"
			c.Text += fmt.Sprintf("; %s is kept for it at %s since %s", p.Record, boxesOf(p.Custody), p.Since.UTC().Format(time.DateTime))
		}
	}
	return c
}

// silentFor is how long the other side may say nothing before the doctor mentions
// it.
const silentFor = 24 * time.Hour

func boxesOf(kept []outbox.Custody) string {
	var ids []string
	for _, k := range kept {
		ids = append(ids, k.Mailbox)
	}
	return strings.Join(ids, " and ")
}

func (s *Server) checkIngest() Check {
	st := s.node.Ingest.Stats()
	c := Check{Name: "markets' records", Status: "ok", Text: fmt.Sprintf("%d let in, %d ignored, %d refused as malformed or forged", st.Accepted, st.Ignored, st.Rejected)}
	if st.Dropped > 0 {
		c.Status, c.Hint = "warn", "make room on the disk"
		c.Text += fmt.Sprintf("; %d lost because they could not be written", st.Dropped)
	}
	if lost := s.node.Gossip.Stats().DroppedUnverified; lost > 0 {
		c.Status, c.Hint = "warn", "the machine is too slow for these markets: leave some"
		c.Text += fmt.Sprintf("; %d lost because more came than could be checked", lost)
	}
	return c
}
