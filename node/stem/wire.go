package stem

import (
	"github.com/parley-protocol/parley/node/network"
	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/codec"
)

// On each stream one frame is handed over and answered, in DAG-CBOR maps with a
// varint length before them:
//
//	request {frame: bytes, market: text}
//	answer  {} or {error: code, hint?: text}
const (
	maxRequest = protocol.MaxFrameBytes + 256 // bytes
	maxAnswer  = 512                          // bytes
)

// request hands a frame over.
type request struct {
	market string
	frame  []byte
}

func (r request) encode() ([]byte, error) {
	return codec.Message().Encode(map[string]any{"frame": r.frame, "market": r.market})
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
		case "frame":
			r.frame, ok = value.([]byte)
			ok = ok && len(r.frame) > 0 && len(r.frame) <= protocol.MaxFrameBytes
		case "market":
			r.market, ok = value.(string)
			ok = ok && network.ValidMarket(r.market)
		}
		if !ok {
			return request{}, protocol.Errorf(protocol.CodeBadField, key, "not what a request may say")
		}
	}
	if r.market == "" || r.frame == nil {
		return request{}, protocol.Errorf(protocol.CodeMissingField, "", "a request has a frame and a market")
	}
	return r, nil
}

// encodeAnswer says that the frame is taken, or the code why it isn't.
func encodeAnswer(code protocol.Code) ([]byte, error) {
	if code != "" {
		return network.EncodeRefusal(code, code.Hint())
	}
	return codec.Message().Encode(map[string]any{})
}

// decodeAnswer reads an answer; the code is empty when the frame is taken. Keys
// that this version doesn't know are ignored.
func decodeAnswer(raw []byte) (protocol.Code, error) {
	body, err := network.DecodeMap(raw)
	if err != nil {
		return "", protocol.Errorf(protocol.CodeMalformed, "", "not an answer: %w", err)
	}
	value, refused := body["error"]
	if !refused {
		return "", nil
	}
	code, ok := value.(string)
	switch {
	case !ok:
		return "", protocol.Errorf(protocol.CodeMalformed, "error", "not a code")
	case code == "":
		return protocol.CodeInternal, nil
	}
	return protocol.Code(code), nil
}
