package ledger

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
)

// A frame is one entry in the log, integers big-endian:
//
//	0  magic, 4 bytes: "PLF" and the version 1
//	4  flags, 1 byte: bit 0 is set on the last frame of an atomic batch
//	5  zero, 3 bytes
//	8  length of the payload, uint32
//	12 sequence number, uint64
//	20 hash of the frame before it, 32 bytes; of the file's header in a file's first frame
//	52 payload
//	…  sum, 8 bytes: the head of the frame's hash
//
// The frame's hash is SHA-256 over everything before the sum. The next frame
// carries it whole, so an entry can't be changed, left out or moved without
// every later one showing it.
const (
	frameHeaderSize = 52
	frameSumSize    = 8
	frameOverhead   = frameHeaderSize + frameSumSize

	flagLast = 1 // the batch ends here
)

var frameMagic = [4]byte{'P', 'L', 'F', 1}

// MaxPayload is the longest payload of an entry in bytes.
const MaxPayload = 1 << 20

// chainHash is a frame's or a file header's hash.
type chainHash = [sha256.Size]byte

// cursor is a position in the log's chain: what the next frame must carry.
type cursor struct {
	offset int64     // where it starts
	seq    uint64    // its sequence number
	prev   chainHash // the hash before it
}

// frame is a frame that verified. Its payload aliases the bytes it was decoded
// from.
type frame struct {
	payload []byte
	last    bool
	next    cursor
}

// What may be wrong with a frame, apart from its being cut short.
var (
	errShort    = errors.New("the frame is cut short")
	errMagic    = errors.New("there is no frame here")
	errReserved = errors.New("reserved bits are set")
	errLength   = errors.New("the length is out of range")
	errSeq      = errors.New("the sequence number is not the next one")
	errChain    = errors.New("the frame does not follow the one before it")
	errSum      = errors.New("the checksum does not match")
)

// appendFrame appends the frame of a payload at a position to dst and returns
// the position after it.
func appendFrame(dst []byte, at cursor, payload []byte, last bool) ([]byte, cursor) {
	start := len(dst)
	var flags byte
	if last {
		flags = flagLast
	}
	dst = append(dst, frameMagic[:]...)
	dst = append(dst, flags, 0, 0, 0)
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(payload)))
	dst = binary.BigEndian.AppendUint64(dst, at.seq)
	dst = append(dst, at.prev[:]...)
	dst = append(dst, payload...)
	hash := sha256.Sum256(dst[start:])
	dst = append(dst, hash[:frameSumSize]...)
	return dst, cursor{offset: at.offset + int64(len(dst)-start), seq: at.seq + 1, prev: hash}
}

// frameLen tells the length of the frame whose head is given, sum included.
// The head is frameHeaderSize bytes and not verified beyond what it takes to
// know that much.
func frameLen(head []byte) (int, error) {
	if len(head) < frameHeaderSize {
		return 0, errShort
	}
	if !bytes.Equal(head[:4], frameMagic[:]) {
		return 0, errMagic
	}
	length := binary.BigEndian.Uint32(head[8:])
	if length > MaxPayload {
		return 0, errLength
	}
	return frameOverhead + int(length), nil
}

// decodeFrame verifies the frame at the head of data, which is at position at.
func decodeFrame(data []byte, at cursor) (frame, error) {
	size, err := frameLen(data)
	if err != nil {
		return frame{}, err
	}
	flags := data[4]
	if flags&^flagLast != 0 || data[5]|data[6]|data[7] != 0 {
		return frame{}, errReserved
	}
	if binary.BigEndian.Uint64(data[12:]) != at.seq {
		return frame{}, errSeq
	}
	if !bytes.Equal(data[20:frameHeaderSize], at.prev[:]) {
		return frame{}, errChain
	}
	if len(data) < size {
		return frame{}, errShort
	}
	body, sum := data[:size-frameSumSize], data[size-frameSumSize:size]
	hash := sha256.Sum256(body)
	if !bytes.Equal(sum, hash[:frameSumSize]) {
		return frame{}, errSum
	}
	return frame{
		payload: body[frameHeaderSize:],
		last:    flags&flagLast != 0,
		next:    cursor{offset: at.offset + int64(size), seq: at.seq + 1, prev: hash},
	}, nil
}
