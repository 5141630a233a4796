package gossip

import (
	parley "github.com/parley-protocol/parley/node/network"
	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/codec"
)

// ProtocolCatchup is the protocol ID of catching up. On each stream the one who
// asks sends a request and gets one answer, both DAG-CBOR maps with a varint
// length before them:
//
//	request {market: text, limit: 1..1000, after?: text ..128}
//	answer  {frames: [bytes], next?: text ..128}   next: there is more after it
//	     or {error: code, hint?: text}
const ProtocolCatchup = "/parley/catchup/1"

// Bounds of catching up.
const (
	MaxPageFrames = 1000
	MaxPageBytes  = 256 << 10 // of a page's frames together
	MaxCursor     = 128       // bytes

	maxRequest = 512                  // bytes
	maxAnswer  = MaxPageBytes + 8<<10 // bytes: each frame has a head of at most 5
)

// request asks for a page of a market.
type request struct {
	market string
	after  string
	limit  int
}

func (r request) encode() ([]byte, error) {
	body := map[string]any{"market": r.market, "limit": int64(r.limit)}
	if r.after != "" {
		body["after"] = r.after
	}
	return codec.Message().Encode(body)
}

func decodeRequest(raw []byte) (request, error) {
	body, err := parley.DecodeMap(raw)
	if err != nil {
		return request{}, err
	}
	var r request
	for key, value := range body {
		ok := false
		switch key {
		case "market":
			r.market, ok = value.(string)
			ok = ok && parley.ValidMarket(r.market)
		case "after":
			r.after, ok = value.(string)
			ok = ok && r.after != "" && len(r.after) <= MaxCursor
		case "limit":
			var n int64
			n, ok = value.(int64)
			ok = ok && n >= 1 && n <= MaxPageFrames
			r.limit = int(n)
		}
		if !ok {
			return request{}, protocol.Errorf(protocol.CodeBadField, key, "not what a request may say")
		}
	}
	if r.market == "" || r.limit == 0 {
		return request{}, protocol.Errorf(protocol.CodeMissingField, "", "a request has a market and a limit")
	}
	return r, nil
}

// page answers a request. A page with a code has nothing else.
type page struct {
	frames [][]byte
	next   string
	code   protocol.Code
	hint   string
}

func (p page) encode() ([]byte, error) {
	if p.code != "" {
		return parley.EncodeRefusal(p.code, p.hint)
	}
	frames := make([]any, len(p.frames))
	for i, frame := range p.frames {
		frames[i] = frame
	}
	body := map[string]any{"frames": frames}
	if p.next != "" {
		body["next"] = p.next
	}
	return codec.Message().Encode(body)
}

// decodePage reads an answer. Keys that this version doesn't know are ignored.
func decodePage(raw []byte) (page, error) {
	body, err := parley.DecodeMap(raw)
	if err != nil {
		return page{}, err
	}
	if code, failed := body["error"].(string); failed {
		return page{code: protocol.Code(code)}, nil
	}
	list, ok := body["frames"].([]any)
	if !ok || len(list) > MaxPageFrames {
		return page{}, protocol.Errorf(protocol.CodeMalformed, "frames", "no list of at most %d", MaxPageFrames)
	}
	var p page
	size := 0
	for _, item := range list {
		frame, ok := item.([]byte)
		if size += len(frame); !ok || size > MaxPageBytes {
			return page{}, protocol.Errorf(protocol.CodeMalformed, "frames", "not byte strings of at most %d together", MaxPageBytes)
		}
		p.frames = append(p.frames, frame)
	}
	if next, has := body["next"]; has {
		if p.next, ok = next.(string); !ok || p.next == "" || len(p.next) > MaxCursor {
			return page{}, protocol.Errorf(protocol.CodeMalformed, "next", "not a cursor")
		}
	}
	return p, nil
}
