package record

import (
	"crypto/sha256"
	"math/bits"

	"github.com/ipfs/go-cid"

	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/codec"
)

// frameVersion is the first entry of a gossip frame.
const frameVersion = 1

// stampDomain goes before what a stamp's work is counted over, with a zero byte.
const stampDomain = "parley/1/stamp"

// EncodeFrame puts a record's block and its stamp, 8 bytes or none, into a
// gossip frame. It returns nil for what fits no frame.
func EncodeFrame(block, stamp []byte) []byte {
	if !stampFits(stamp) {
		return nil
	}
	frame, err := frameLimits().Encode([]any{int64(frameVersion), block, stamp})
	if err != nil {
		return nil
	}
	return frame
}

// DecodeFrame takes a gossip frame apart. It doesn't look into the block. It
// fails with what [codec.Limits.Decode] fails with, malformed and
// unsupported_version.
func DecodeFrame(frame []byte) (block, stamp []byte, err error) {
	value, err := frameLimits().Decode(frame)
	if err != nil {
		return nil, nil, err
	}
	parts, _ := value.([]any)
	if len(parts) == 0 {
		return nil, nil, protocol.Errorf(protocol.CodeMalformed, "", "a frame is a list of version, record and stamp")
	}
	if v, ok := parts[0].(int64); ok && v != frameVersion {
		return nil, nil, protocol.Errorf(protocol.CodeUnsupportedVersion, "", "version %d of frames is not known here", v)
	}
	if len(parts) == 3 {
		var okVersion, okBlock, okStamp bool
		_, okVersion = parts[0].(int64)
		block, okBlock = parts[1].([]byte)
		stamp, okStamp = parts[2].([]byte)
		if okVersion && okBlock && len(block) > 0 && okStamp && stampFits(stamp) {
			return block, stamp, nil
		}
	}
	return nil, nil, protocol.Errorf(protocol.CodeMalformed, "", "a frame is a list of version, record and stamp")
}

// frameLimits is what a gossip frame may be.
func frameLimits() codec.Limits {
	return codec.Limits{Size: protocol.MaxFrameBytes, Depth: 1, Values: 4}
}

func stampFits(stamp []byte) bool { return len(stamp) == 0 || len(stamp) == protocol.MaxStampBytes }

// StampBits is how much work a stamp shows for the record: the leading zero bits
// of SHA-256("parley/1/stamp", 0x00, ID, stamp). No stamp shows none.
func StampBits(id cid.Cid, stamp []byte) int {
	if len(stamp) != protocol.MaxStampBytes {
		return 0
	}
	message := append([]byte(stampDomain), 0)
	message = append(message, id.KeyString()...)
	message = append(message, stamp...)
	digest := sha256.Sum256(message)
	zeros := 0
	for _, b := range digest {
		zeros += bits.LeadingZeros8(b)
		if b != 0 {
			break
		}
	}
	return zeros
}
