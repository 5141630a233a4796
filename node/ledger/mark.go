package ledger

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
)

// The mark file has two slots, each at a multiple of slotSize. A slot,
// integers big-endian:
//
//	0   magic, 8 bytes: "PARLEYMK"
//	8   version, uint16: 1
//	10  zero, 2 bytes
//	12  segment, uint32: the log file that this is about
//	16  ledger ID, 16 bytes
//	32  generation, uint64: counts up by one; its parity is the slot
//	40  start of the last group in the log, uint64
//	48  sequence number there, uint64
//	56  hash of the frame before it, 32 bytes
//	88  start of the copy in the log, uint64
//	96  end of the log, uint64
//	104 sequence number of the next frame, uint64
//	112 hash of the last frame, 32 bytes
//	144 sum, 32 bytes: SHA-256 over everything else in the slot
//	176 copy: the log's bytes from the copy's start to the log's end
//
// What follows the copy in a slot is left over and means nothing.
const (
	slotHeaderSize = 176
	slotSumAt      = 144
	slotVersion    = 1

	// pageSize is the unit in which a disk may tear what it was writing.
	pageSize = 4096

	// maxGroup is the largest group in bytes whose copy goes into a slot.
	maxGroup = 256 << 10

	// slotSize has room for the header, the rest of the page before the group,
	// and the group.
	slotSize = pageSize + pageSize + maxGroup
)

var slotMagic = [8]byte{'P', 'A', 'R', 'L', 'E', 'Y', 'M', 'K'}

// mark is a state of the log that was acknowledged.
type mark struct {
	segment    uint32
	id         ledgerID
	generation uint64
	group      cursor // where the last group starts
	end        cursor // where the log ends
	copyFrom   int64  // where the copy starts
	copied     []byte // the log's bytes from copyFrom to end
}

// slot is the place in the mark file for a generation.
func slot(generation uint64) int64 { return int64(generation%2) * slotSize }

// pageOf is the start of the page in which an offset lies.
func pageOf(offset int64) int64 { return offset &^ (pageSize - 1) }

// encode returns the slot's bytes.
func (m mark) encode() []byte {
	b := make([]byte, 0, slotHeaderSize+len(m.copied))
	b = append(b, slotMagic[:]...)
	b = binary.BigEndian.AppendUint16(b, slotVersion)
	b = append(b, 0, 0)
	b = binary.BigEndian.AppendUint32(b, m.segment)
	b = append(b, m.id[:]...)
	b = binary.BigEndian.AppendUint64(b, m.generation)
	b = binary.BigEndian.AppendUint64(b, uint64(m.group.offset))
	b = binary.BigEndian.AppendUint64(b, m.group.seq)
	b = append(b, m.group.prev[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(m.copyFrom))
	b = binary.BigEndian.AppendUint64(b, uint64(m.end.offset))
	b = binary.BigEndian.AppendUint64(b, m.end.seq)
	b = append(b, m.end.prev[:]...)
	sum := slotSum(b, m.copied)
	b = append(b, sum[:]...)
	return append(b, m.copied...)
}

// slotLen is how many bytes the slot whose head is given says that it has, or 0
// when it can't be a slot.
func slotLen(head []byte) int {
	if len(head) < slotHeaderSize {
		return 0
	}
	copyFrom, end := binary.BigEndian.Uint64(head[88:]), binary.BigEndian.Uint64(head[96:])
	if end < copyFrom || end-copyFrom > slotSize-slotHeaderSize {
		return 0
	}
	return slotHeaderSize + int(end-copyFrom)
}

func slotSum(head, copied []byte) [sha256.Size]byte {
	h := sha256.New()
	h.Write(head)
	h.Write(copied)
	return [sha256.Size]byte(h.Sum(nil))
}

// errSlot means that a slot was never written, was torn by a crash, or is
// damaged.
var errSlot = errors.New("the slot does not verify")

// decodeMark verifies the slot at the head of data. The mark aliases data.
// [errVersion] means that the slot verifies and a later version wrote it.
func decodeMark(data []byte) (mark, error) {
	if len(data) < slotHeaderSize || !bytes.Equal(data[:8], slotMagic[:]) {
		return mark{}, errSlot
	}
	m := mark{
		segment:    binary.BigEndian.Uint32(data[12:]),
		id:         ledgerID(data[16:32]),
		generation: binary.BigEndian.Uint64(data[32:]),
		group: cursor{
			offset: int64(binary.BigEndian.Uint64(data[40:])),
			seq:    binary.BigEndian.Uint64(data[48:]),
			prev:   chainHash(data[56:88]),
		},
		copyFrom: int64(binary.BigEndian.Uint64(data[88:])),
		end: cursor{
			offset: int64(binary.BigEndian.Uint64(data[96:])),
			seq:    binary.BigEndian.Uint64(data[104:]),
			prev:   chainHash(data[112:144]),
		},
	}
	size := m.end.offset - m.copyFrom
	if m.copyFrom < 0 || m.group.offset < headerSize || m.group.offset > m.end.offset ||
		size < 0 || size > int64(len(data)-slotHeaderSize) {
		return mark{}, errSlot
	}
	m.copied = data[slotHeaderSize : slotHeaderSize+size]
	sum := slotSum(data[:slotSumAt], m.copied)
	if !bytes.Equal(data[slotSumAt:slotHeaderSize], sum[:]) {
		return mark{}, errSlot
	}
	if binary.BigEndian.Uint16(data[8:]) != slotVersion {
		return mark{}, errVersion
	}
	return m, nil
}
