package spool

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
)

// A blob's file, integers big-endian:
//
//	0  magic, 8 bytes: "PARLEYSP"
//	8  version, uint16: 1
//	10 length of the bucket's name, uint16
//	12 size of the blob, uint32
//	16 arrival, uint64
//	24 expiry in Unix seconds, int64
//	32 ID, 32 bytes
//	64 sum, 32 bytes: SHA-256 over everything else
//	96 bucket's name, blob
const (
	fileHeaderSize = 96
	fileSumAt      = 64
	fileVersion    = 1
)

var fileMagic = [8]byte{'P', 'A', 'R', 'L', 'E', 'Y', 'S', 'P'}

// MaxBlob is the largest blob in bytes.
const MaxBlob = 16 << 20

// maxFile is the largest file.
const maxFile = fileHeaderSize + maxBucket + MaxBlob

var (
	errFileVersion = errors.New("a later version of the program wrote it")
	errFileSum     = errors.New("its checksum does not match")
	errFileName    = errors.New("it does not belong to its name")
)

// encodeFile is the content of a blob's file.
func encodeFile(info Info, blob []byte) []byte {
	b := make([]byte, 0, fileHeaderSize+len(info.Bucket)+len(blob))
	b = append(b, fileMagic[:]...)
	b = binary.BigEndian.AppendUint16(b, fileVersion)
	b = binary.BigEndian.AppendUint16(b, uint16(len(info.Bucket)))
	b = binary.BigEndian.AppendUint32(b, uint32(len(blob)))
	b = binary.BigEndian.AppendUint64(b, info.Arrival)
	b = binary.BigEndian.AppendUint64(b, uint64(info.Expires.Unix()))
	b = append(b, info.ID[:]...)
	b = append(b, make([]byte, sha256.Size)...)
	b = append(b, info.Bucket...)
	b = append(b, blob...)
	sum := fileSum(b)
	copy(b[fileSumAt:], sum[:])
	return b
}

func fileSum(data []byte) [sha256.Size]byte {
	h := sha256.New()
	h.Write(data[:fileSumAt])
	h.Write(data[fileHeaderSize:])
	return [sha256.Size]byte(h.Sum(nil))
}

// decodeFile verifies a file's content against what its name says and returns
// the blob, which aliases data.
func decodeFile(info Info, data []byte) ([]byte, error) {
	if len(data) < fileHeaderSize || !bytes.Equal(data[:8], fileMagic[:]) {
		return nil, errFileSum
	}
	sum := fileSum(data)
	if !bytes.Equal(sum[:], data[fileSumAt:fileHeaderSize]) {
		return nil, errFileSum
	}
	if binary.BigEndian.Uint16(data[8:]) != fileVersion {
		return nil, errFileVersion
	}
	if len(data) != fileHeaderSize+len(info.Bucket)+info.Size {
		return nil, errFileName
	}
	blob := data[fileHeaderSize+len(info.Bucket):]
	if !bytes.Equal(encodeFile(info, blob)[:fileSumAt], data[:fileSumAt]) ||
		string(data[fileHeaderSize:fileHeaderSize+len(info.Bucket)]) != info.Bucket {
		return nil, errFileName
	}
	return blob, nil
}
