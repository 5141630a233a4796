package api

import (
	"bytes"
	"context"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/codec"
	"github.com/parley-protocol/parley/protocol/proof"
	"github.com/parley-protocol/parley/protocol/record"
)

// The content types that aren't JSON.
const (
	typeEvents  = "application/jsonl"
	typeCAR     = "application/vnd.ipld.car"
	typeMessage = "application/vnd.parley.message"
)

func (s *Server) exportDeal(ctx context.Context, in *byID) (*blob, error) {
	d, err := s.deal(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	_, recs, err := s.desk().DealRecords(d.ID)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if _, err := proof.WriteDeal(&out, d.Intent.Record, recs[1:]); err != nil {
		return nil, err
	}
	return &blob{typeCAR, out.Bytes()}, nil
}

func (s *Server) shareIntent(ctx context.Context, in *byID) (*blob, error) {
	rec, err := s.typed(ctx, in.ID, protocol.TypeIntent, "a request")
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	_, err = proof.WriteStore(&out, func(yield func(*record.Record, error) bool) { yield(rec, nil) })
	return &blob{typeCAR, out.Bytes()}, err
}

func (s *Server) exportAll(ctx huma.Context) {
	ctx.SetHeader("Content-Type", typeCAR)
	// An archive that breaks off isn't one: reading it says so.
	_, _ = proof.WriteStore(ctx.BodyWriter(), func(yield func(*record.Record, error) bool) {
		for rec := range s.desk().Book().Records() {
			if !yield(rec, nil) {
				return
			}
		}
	})
}

// A message file is DAG-CBOR {"envelope": bytes, "parley": 1, "token": bytes}.
func (s *Server) sealRecord(ctx context.Context, in *byID) (*blob, error) {
	rec, err := s.record(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	token, envelope, err := s.desk().SealForFile(ctx, rec)
	if err != nil {
		return nil, err
	}
	file, err := codec.Message().Encode(map[string]any{"parley": int64(1), "token": token[:], "envelope": envelope})
	return &blob{typeMessage, file}, err
}

func (s *Server) importFile(ctx context.Context, in *struct{ RawBody []byte }) (*with[Imported], error) {
	if token, envelope, ok := message(in.RawBody); ok {
		return s.importMessage(ctx, token, envelope)
	}
	archive, err := proof.Read(bytes.NewReader(in.RawBody))
	if err != nil {
		return nil, err
	}
	out := Imported{Kind: "archive", Records: len(archive.Records), IDs: []string{}}
	for _, rec := range archive.Records {
		if err := rec.Verify(); err != nil {
			return nil, err
		}
		out.IDs = append(out.IDs, rec.ID().String())
	}
	out.Added, err = s.desk().Import(ctx, archive.Records)
	return body(out), err
}

func message(file []byte) (token [32]byte, envelope []byte, ok bool) {
	v, err := codec.Message().Decode(file)
	if err != nil {
		return token, nil, false
	}
	m, isMap := v.(map[string]any)
	if !isMap || m["parley"] != int64(1) {
		return token, nil, false
	}
	t, _ := m["token"].([]byte)
	envelope, _ = m["envelope"].([]byte)
	return token, envelope, copy(token[:], t) == len(token) && len(t) == len(token) && len(envelope) > 0
}

func (s *Server) importMessage(ctx context.Context, token [32]byte, envelope []byte) (*with[Imported], error) {
	rec, err := s.desk().OpenDeposit(ctx, token, envelope)
	if err != nil {
		return nil, err
	}
	out := Imported{Kind: "message", Records: 1, Added: 1, IDs: []string{rec.ID().String()}}
	if key, ok := rec.Deal(); ok {
		out.Deal = key.ID().String()
		// What this node answered, now or before, can go back as a file too.
		if d, ok := s.desk().Book().Deal(key.ID()); ok {
			for _, r := range d.Records {
				if s.desk().Book().Own(r.ID()) && slices.Contains(r.Links(), rec.ID()) {
					out.Reply = r.ID().String()
				}
			}
		}
	}
	return body(out), nil
}
