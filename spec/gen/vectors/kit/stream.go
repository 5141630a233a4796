package kit

import "encoding/binary"

// Stream is a message as it goes over a stream: its length as a varint before
// it.
func Stream(message []byte) []byte {
	return append(binary.AppendUvarint(nil, uint64(len(message))), message...)
}
