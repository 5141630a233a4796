package catchup

import (
	"github.com/parley-protocol/parley/node/network"
	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/codec"
	"github.com/parley-protocol/parley/protocol/reconcile"
)

// Bounds of the protocol, in bytes unless said otherwise.
const (
	MaxMessage    = 32 << 10 // of reconciliation
	MaxWant       = 1000     // IDs that are asked for at once
	MaxPageFrames = MaxWant  // frames that come back
	MaxPageBytes  = 256 << 10

	maxRequest = 40 << 10
	maxAnswer  = MaxPageBytes + 8<<10 // each frame has a head of at most 5
)

// ID is the SHA-256 in a record's ID.
type ID = [reconcile.IDSize]byte

// request is one of three: the first message of a session with market and cutoff,
// a further message, or want.
type request struct {
	market  string
	cutoff  int64
	message []byte
	want    []ID
}

func (r request) encode() ([]byte, error) {
	body := map[string]any{}
	switch {
	case r.want != nil:
		ids := make([]any, len(r.want))
		for i, id := range r.want {
			ids[i] = id[:]
		}
		body["want"] = ids
	case r.market != "":
		body["market"], body["cutoff"] = r.market, r.cutoff
		fallthrough
	default:
		body["message"] = r.message
	}
	return codec.Message().Encode(body)
}

func decodeRequest(raw []byte) (request, error) {
	body, err := network.DecodeMap(raw)
	if err != nil {
		return request{}, err
	}
	var r request
	for key, value := range body {
		ok := false
		switch key {
		case "market":
			r.market, ok = value.(string)
			ok = ok && network.ValidMarket(r.market)
		case "cutoff":
			r.cutoff, ok = value.(int64)
			ok = ok && r.cutoff >= 0 && r.cutoff <= protocol.MaxTime
		case "message":
			r.message, ok = value.([]byte)
			ok = ok && len(r.message) > 0 && len(r.message) <= MaxMessage
		case "want":
			r.want, ok = decodeIDs(value)
		}
		if !ok {
			return request{}, protocol.Errorf(protocol.CodeBadField, key, "not what a request may say")
		}
	}
	has := func(key string) bool { _, ok := body[key]; return ok }
	switch {
	case has("want") && len(body) > 1:
		return request{}, protocol.Errorf(protocol.CodeBadField, "want", "stands alone")
	case has("want"):
	case !has("message"):
		return request{}, protocol.Errorf(protocol.CodeMissingField, "message", "a request has a message or wants something")
	case has("market") != has("cutoff"):
		return request{}, protocol.Errorf(protocol.CodeMissingField, "", "a session begins with a market and a cutoff")
	}
	return r, nil
}

func decodeIDs(value any) (ids []ID, ok bool) {
	list, ok := value.([]any)
	if !ok || len(list) == 0 || len(list) > MaxWant {
		return nil, false
	}
	for _, item := range list {
		b, ok := item.([]byte)
		if !ok || len(b) != reconcile.IDSize {
			return nil, false
		}
		ids = append(ids, ID(b))
	}
	return ids, true
}

// answer is one of three: a message, a page, or a code.
type answer struct {
	message []byte
	frames  [][]byte
	through int // how many of the wanted IDs the page is about
	code    protocol.Code
	hint    string
}

func (a answer) encode() ([]byte, error) {
	body := map[string]any{}
	switch {
	case a.code != "":
		return network.EncodeRefusal(a.code, a.hint)
	case a.message != nil:
		body["message"] = a.message
	default:
		frames := make([]any, len(a.frames))
		for i, frame := range a.frames {
			frames[i] = frame
		}
		body["frames"], body["through"] = frames, int64(a.through)
	}
	return codec.Message().Encode(body)
}

// decodeAnswer reads an answer. Keys that this version doesn't know are ignored.
func decodeAnswer(raw []byte) (answer, error) {
	body, err := network.DecodeMap(raw)
	if err != nil {
		return answer{}, err
	}
	wrong := func(key string) (answer, error) {
		return answer{}, protocol.Errorf(protocol.CodeMalformed, key, "not what an answer says")
	}
	if value, failed := body["error"]; failed {
		code, ok := value.(string)
		if !ok {
			return wrong("error")
		}
		return answer{code: protocol.Code(code)}, nil
	}
	if value, has := body["message"]; has {
		message, ok := value.([]byte)
		if !ok || len(message) == 0 || len(message) > MaxMessage {
			return wrong("message")
		}
		return answer{message: message}, nil
	}
	list, ok := body["frames"].([]any)
	if !ok || len(list) > MaxPageFrames {
		return wrong("frames")
	}
	through, ok := body["through"].(int64)
	if !ok || through < 1 || through > MaxWant || int64(len(list)) > through {
		return wrong("through")
	}
	a := answer{through: int(through)}
	size := 0
	for _, item := range list {
		frame, ok := item.([]byte)
		if size += len(frame); !ok || size > MaxPageBytes {
			return wrong("frames")
		}
		a.frames = append(a.frames, frame)
	}
	return a, nil
}
