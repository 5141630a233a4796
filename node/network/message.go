package network

import (
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-msgio"

	"github.com/parley-protocol/parley/node/tap"
	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/codec"
)

// ReadMessage reads a stream's next message, which has its length before it as
// a varint. Memory for it is reserved in the stream's scope as soon as the length
// is known, and only if it is 1 to limit bytes; release gives it back. The caller
// has set a deadline.
func ReadMessage(s network.Stream, limit int) (raw []byte, release func(), err error) {
	reader := msgio.NewVarintReaderSize(s, limit)
	size, err := reader.NextMsgLen()
	if err != nil {
		return nil, nil, err
	}
	if size <= 0 || size > limit {
		return nil, nil, protocol.Errorf(protocol.CodeTooLarge, "", "a message of %d bytes; 1 to %d", size, limit)
	}
	if err := s.Scope().ReserveMemory(size, network.ReservationPriorityMedium); err != nil {
		return nil, nil, err
	}
	release = func() { s.Scope().ReleaseMemory(size) }
	raw = make([]byte, size)
	// Read takes one whole message, or fails and still returns the length that
	// it should have had: io.ReadFull would take that for success.
	if _, err := reader.Read(raw); err != nil {
		release()
		return nil, nil, err
	}
	tap.Saw(raw)
	return raw, release, nil
}

// WriteMessage writes a message with its length before it.
func WriteMessage(s network.Stream, raw []byte) error {
	return msgio.NewVarintWriter(s).WriteMsg(raw)
}

// DecodeMap reads a message, which is a map in DAG-CBOR.
func DecodeMap(raw []byte) (map[string]any, error) {
	value, err := codec.Message().Decode(raw)
	if err != nil {
		return nil, err
	}
	body, ok := value.(map[string]any)
	if !ok {
		return nil, protocol.Errorf(protocol.CodeMalformed, "", "not a map")
	}
	return body, nil
}

// EncodeRefusal writes the answer of a node that says no: {error: code, hint?: text}.
func EncodeRefusal(code protocol.Code, hint string) ([]byte, error) {
	body := map[string]any{"error": string(code)}
	if hint != "" {
		body["hint"] = hint
	}
	return codec.Message().Encode(body)
}
