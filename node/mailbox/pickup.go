package mailbox

import (
	"bytes"
	"context"
	"time"

	"github.com/parley-protocol/parley/protocol"
)

// Pickup returns the token's envelopes in the order in which they arrived, from
// the one after the cursor on: the ID of the last one had before, or nothing.
// After a cursor that is unknown by now it begins with the first. If there are
// none it waits for one to arrive, at most as long as wait, and then returns an
// empty page. A page has at most max envelopes and fits one message.
func (s *Server) Pickup(ctx context.Context, token Token, after []byte, max int, wait time.Duration) (Page, error) {
	woken := make(chan struct{}, 1)
	stop, patient, err := s.enterWait(token, func() {
		select {
		case woken <- struct{}{}:
		default:
		}
	})
	if err != nil {
		return Page{}, err
	}
	defer stop()
	if !patient {
		wait = 0
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	for {
		page, err := s.page(ctx, token, after, max)
		if err != nil || len(page.Envelopes) > 0 || wait == 0 {
			return page, err
		}
		select {
		case <-woken:
		case <-timer.C:
			return Page{}, nil
		case <-s.ctx.Done():
			return Page{}, errClosed()
		case <-ctx.Done():
			return Page{}, ctx.Err()
		}
	}
}

// enterWait counts a pick-up in, if there is room for one that waits.
func (s *Server) enterWait(token Token, wake func()) (stop func(), patient bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, false, errClosed()
	}
	b := s.box(token)
	if s.waits >= s.limits.Waits || b.waits >= s.limits.WaitsPerToken {
		s.forget(token, b)
		return func() {}, false, nil
	}
	s.waits++
	b.waits++
	unwatch := s.watch(token, wake)
	return func() {
		s.mu.Lock()
		s.waits--
		b.waits--
		s.mu.Unlock()
		unwatch()
	}, true, nil
}

// page collects envelopes: those on the disk and then those on their way to it.
func (s *Server) page(ctx context.Context, token Token, after []byte, max int) (Page, error) {
	select {
	case s.pages <- struct{}{}:
		defer func() { <-s.pages }()
	case <-ctx.Done():
		return Page{}, ctx.Err()
	}
	var page Page
	room := maxAnswer - answerHead
	for _, ref := range s.list(token, after) {
		envelope := ref.envelope
		if envelope == nil {
			var err error
			envelope, err = s.store.Get(ctx, token.bucket(), ref.id)
			if skip := s.unreadable(token, ref.id, err); skip {
				continue
			} else if err != nil {
				return Page{}, err
			}
		}
		room -= len(envelope) + perEnvelope
		if len(page.Envelopes) >= max || room < 0 {
			page.More = true
			break
		}
		page.Envelopes = append(page.Envelopes, Envelope{ID: ref.id, Bytes: envelope})
	}
	return page, nil
}

// relayedPage is how many bytes of envelopes go over a relayed connection at
// once, which carries only so much.
const relayedPage = 64 << 10

// within is the page's beginning of at most so many bytes, and of one envelope at
// least.
func (p Page) within(most int) Page {
	for i, e := range p.Envelopes {
		if most -= len(e.Bytes); most < 0 && i > 0 {
			return Page{Envelopes: p.Envelopes[:i], More: true}
		}
	}
	return p
}

// unreadable reports whether an envelope can't be had and the others can. A
// damaged one is deleted: its sender has it until the recipient has said so, and
// a copy that stays would stand in the way of the next one.
func (s *Server) unreadable(token Token, id ID, err error) bool {
	switch protocol.CodeOf(err) {
	case protocol.CodeNotFound: // removed meanwhile
		return true
	case protocol.CodeDamaged:
		_ = s.store.Delete(token.bucket(), id)
		return true
	default:
		return false
	}
}

// ref is an envelope that is there; its bytes are set while it is in memory.
type ref struct {
	id       ID
	envelope []byte
}

// list is what there is after a cursor.
func (s *Server) list(token Token, after []byte) []ref {
	// The arrivals are taken first: one that lands in between is then in both
	// lists, and never in neither.
	s.mu.Lock()
	var arrivals []ref
	gone := make(map[ID]bool)
	if b := s.boxes[token]; b != nil {
		for _, a := range b.arrivals {
			if a.removed {
				gone[a.ID] = true
			} else {
				arrivals = append(arrivals, ref{id: a.ID, envelope: a.Bytes})
			}
		}
	}
	s.mu.Unlock()

	now := time.Now()
	var refs []ref
	seen := make(map[ID]bool)
	for _, info := range s.store.Bucket(token.bucket()) {
		if info.Expires.After(now) && !gone[info.ID] {
			refs = append(refs, ref{id: info.ID})
			seen[info.ID] = true
		}
	}
	for _, a := range arrivals {
		if !seen[a.id] {
			refs = append(refs, a)
			seen[a.id] = true
		}
	}
	for i, r := range refs {
		if bytes.Equal(r.id[:], after) {
			return refs[i+1:]
		}
	}
	return refs
}

// Remove deletes envelopes of a token and returns how many were there.
func (s *Server) Remove(_ context.Context, token Token, ids ...ID) (removed int, err error) {
	for _, id := range ids {
		arriving := s.removeArrival(token, id)
		err := s.store.Delete(token.bucket(), id)
		switch {
		case err == nil || arriving:
			removed++
		case protocol.CodeOf(err) != protocol.CodeNotFound:
			return removed, err
		}
	}
	return removed, nil
}

// removeArrival marks an envelope that isn't durable yet, to be deleted as soon
// as it is.
func (s *Server) removeArrival(token Token, id ID) (found bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if b := s.boxes[token]; b != nil {
		for _, a := range b.arrivals {
			if a.ID == id && !a.removed {
				a.removed = true
				found = true
			}
		}
	}
	return found
}
