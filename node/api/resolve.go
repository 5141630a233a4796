package api

import (
	"context"
	"fmt"
	"strings"

	"github.com/ipfs/go-cid"

	"github.com/parley-protocol/parley/crypto"
	"github.com/parley-protocol/parley/node/book"
	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/record"
)

// idStart is how every ID of a record or deal begins; people leave it out.
const idStart = "bafyrei"

// minShort is how few characters of an ID are still worth looking up.
const minShort = 4

func fullPrefix(text string) (string, error) {
	text = strings.ToLower(strings.TrimSpace(text))
	if !strings.HasPrefix(text, idStart) {
		text = idStart + text
	}
	if len(text) < len(idStart)+minShort {
		return "", protocol.Errorf(protocol.CodeUsage, "id", "%d characters at least are needed to find something by its ID", minShort)
	}
	return text, nil
}

// record finds a record by its ID or a unique beginning of it.
func (s *Server) record(ctx context.Context, text string) (*record.Record, error) {
	prefix, err := fullPrefix(text)
	if err != nil {
		return nil, err
	}
	b := s.desk().Book()
	if id, err := cid.Decode(prefix); err == nil {
		if rec, ok := b.Record(id); ok {
			return rec, nil
		}
		return s.node.Store.Get(ctx, id)
	}
	found := map[cid.Cid]bool{}
	for _, rec := range b.Unanswered() { // all that don't wait are in the store too
		if strings.HasPrefix(rec.ID().String(), prefix) {
			found[rec.ID()] = true
		}
	}
	id, err := s.node.Store.Resolve(ctx, prefix)
	switch protocol.CodeOf(err) {
	case "":
		found[id] = true
	case protocol.CodeNotFound:
	default:
		return nil, err
	}
	switch len(found) {
	case 0:
		return nil, notFound("nothing here has an ID that begins with %s", prefix)
	case 1:
		for id := range found {
			if rec, ok := b.Record(id); ok {
				return rec, nil
			}
			return s.node.Store.Get(ctx, id)
		}
	}
	return nil, &protocol.Error{Code: protocol.CodeAmbiguous, Field: "id", Detail: fmt.Sprintf("several IDs begin with %s", prefix), Hint: "give more of it"}
}

// typed finds a record of one type.
func (s *Server) typed(ctx context.Context, text, want, called string) (*record.Record, error) {
	rec, err := s.record(ctx, text)
	if err != nil {
		return nil, err
	}
	if rec.Type() != want {
		return nil, notFound("%s isn't %s", text, called)
	}
	return rec, nil
}

// deal finds a deal by its ID, a unique beginning of it, or any of its records.
func (s *Server) deal(ctx context.Context, text string) (*book.Deal, error) {
	prefix, err := fullPrefix(text)
	if err != nil {
		return nil, err
	}
	found := s.desk().Book().DealsBeginning(prefix)
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		if rec, err := s.record(ctx, text); err == nil {
			if key, ok := rec.Deal(); ok {
				if d, ok := s.desk().Book().Deal(key.ID()); ok {
					return d, nil
				}
			}
		}
		if err := s.gone(prefix); err != nil {
			return nil, err
		}
		return nil, notFound("there is no deal whose ID begins with %s", prefix)
	}
	return nil, &protocol.Error{Code: protocol.CodeAmbiguous, Field: "id", Detail: fmt.Sprintf("%d deals have an ID that begins with %s", len(found), prefix), Hint: "give more of it"}
}

// did finds an author by DID or by the local name of a contact.
func (s *Server) did(text string) (crypto.DID, error) {
	if did, err := crypto.ParseDID(text); err == nil {
		return did, nil
	}
	for _, c := range s.desk().Contacts() {
		if c.Name == text {
			return c.DID, nil
		}
	}
	return "", &protocol.Error{Code: protocol.CodeNotFound, Field: "seller", Detail: fmt.Sprintf("nobody is known as %q", text), Hint: "a name from parley contact list, or the ID that parley id shows there"}
}

func notFound(format string, args ...any) error {
	return protocol.Errorf(protocol.CodeNotFound, "id", format, args...)
}
