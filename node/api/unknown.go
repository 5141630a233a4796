package api

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/codec"
	"github.com/parley-protocol/parley/protocol/record"
)

// Unknown is a record of a type that this version doesn't know: it is kept and
// passed on as it is, and nobody acts on it.
type Unknown struct {
	ID          string          `json:"id"`
	Type        string          `json:"type"`
	By          string          `json:"by"`
	At          time.Time       `json:"at"`
	RetainUntil time.Time       `json:"retainUntil"`
	Kept        bool            `json:"kept" doc:"Otherwise it waits, and goes after a while"`
	Size        int             `json:"size" doc:"Bytes"`
	Record      json.RawMessage `json:"record,omitempty"`
}

func (s *Server) unknownRoutes() {
	const get, post = http.MethodGet, http.MethodPost
	handle(s, get, "/v1/unknown", "listUnknown", "Records of types that this version doesn't know, newest first", s.listUnknown)
	handle(s, post, "/v1/unknown/{id}/keep", "keepUnknown", "Keep such a record for good", s.keepUnknown)
	huma.Register(s.api, s.operation(get, "/v1/unknown/{id}/file", "sealUnknown", "Such a record, sealed for somebody, as a file", typeMessage),
		func(ctx context.Context, in *sealTo) (*blob, error) {
			out, err := s.sealUnknown(ctx, in)
			if err != nil {
				return nil, problemOf(err)
			}
			return out, nil
		})
}

func unknownView(rec *record.Record, kept bool) Unknown {
	h := rec.Header()
	return Unknown{ID: rec.ID().String(), Type: rec.Type(), By: string(h.By), At: when(h.At), RetainUntil: when(h.RetainUntil), Kept: kept, Size: rec.Size()}
}

func (s *Server) listUnknown(context.Context, *none) (*with[list[Unknown]], error) {
	var out []Unknown
	for _, u := range s.desk().UnknownRecords() {
		out = append(out, unknownView(u.Record, u.Kept))
	}
	return items(out), nil
}

// unknown finds a record of an unknown type.
func (s *Server) unknown(ctx context.Context, text string) (*record.Record, error) {
	rec, err := s.record(ctx, text)
	if err != nil {
		return nil, err
	}
	if rec.Registered() {
		return nil, &protocol.Error{Code: protocol.CodeNotFound, Field: "id", Detail: text + " is a " + rec.Type() + ", which is kept or not by what becomes of it", Hint: "parley record list"}
	}
	return rec, nil
}

func (s *Server) keepUnknown(ctx context.Context, in *byID) (*with[Unknown], error) {
	rec, err := s.unknown(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	if err := s.desk().KeepUnknown(ctx, rec.ID()); err != nil {
		return nil, err
	}
	v := unknownView(rec, true)
	v.Record = raw(rec)
	return body(v), nil
}

type sealTo struct {
	ID string `path:"id"`
	To string `query:"to" doc:"A contact's name or a DID"`
}

func (s *Server) sealUnknown(ctx context.Context, in *sealTo) (*blob, error) {
	rec, err := s.unknown(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	to, err := s.did(in.To)
	if err != nil {
		return nil, err
	}
	token, envelope, err := s.desk().SealUnknown(ctx, rec.ID(), to)
	if err != nil {
		return nil, err
	}
	file, err := codec.Message().Encode(map[string]any{"parley": int64(1), "token": token[:], "envelope": envelope})
	return &blob{typeMessage, file}, err
}
