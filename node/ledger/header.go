package ledger

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
)

// A log file starts with a header, integers big-endian:
//
//	0  magic, 8 bytes: "PARLEYLG"
//	8  version, uint16: 1
//	10 zero, 2 bytes
//	12 segment, uint32: the number of this file, from 1
//	16 ledger ID, 16 random bytes, the same in every file of a ledger
//	32 sequence number of the first frame, uint64
//	40 hash of the frame before it, 32 bytes; zero in the first file
//	72 sum, 8 bytes: the head of the header's hash
//
// The header's hash is SHA-256 over everything before the sum; the first frame
// carries it. This version writes a single file; the fields are there so that
// a later one can go on in a second file.
const (
	headerSize    = 80
	headerVersion = 1
	firstSegment  = 1
)

var headerMagic = [8]byte{'P', 'A', 'R', 'L', 'E', 'Y', 'L', 'G'}

// ledgerID tells the files of one ledger from those of another.
type ledgerID [16]byte

// header is what a log file says about itself.
type header struct {
	segment uint32
	id      ledgerID
	first   uint64
	prev    chainHash
}

// encode returns the header's bytes and the position of the first frame.
func (h header) encode() ([]byte, cursor) {
	b := make([]byte, 0, headerSize)
	b = append(b, headerMagic[:]...)
	b = binary.BigEndian.AppendUint16(b, headerVersion)
	b = append(b, 0, 0)
	b = binary.BigEndian.AppendUint32(b, h.segment)
	b = append(b, h.id[:]...)
	b = binary.BigEndian.AppendUint64(b, h.first)
	b = append(b, h.prev[:]...)
	hash := sha256.Sum256(b)
	return append(b, hash[:8]...), cursor{offset: headerSize, seq: h.first, prev: hash}
}

// errVersion means that the file is of a later version, and whole.
var errVersion = fmt.Errorf("the format's version is not %d", headerVersion)

// decodeHeader verifies a log file's header and returns the position of the
// first frame.
func decodeHeader(data []byte) (header, cursor, error) {
	if len(data) < headerSize {
		return header{}, cursor{}, fmt.Errorf("the file's header is cut short")
	}
	data = data[:headerSize]
	if !bytes.Equal(data[:8], headerMagic[:]) {
		return header{}, cursor{}, fmt.Errorf("this is not a ledger's log file")
	}
	hash := sha256.Sum256(data[:72])
	if !bytes.Equal(data[72:], hash[:8]) {
		return header{}, cursor{}, fmt.Errorf("the header's checksum does not match")
	}
	if binary.BigEndian.Uint16(data[8:]) != headerVersion || data[10]|data[11] != 0 {
		return header{}, cursor{}, errVersion
	}
	h := header{
		segment: binary.BigEndian.Uint32(data[12:]),
		id:      ledgerID(data[16:32]),
		first:   binary.BigEndian.Uint64(data[32:]),
		prev:    chainHash(data[40:72]),
	}
	return h, cursor{offset: headerSize, seq: h.first, prev: hash}, nil
}
