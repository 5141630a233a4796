package mailbox

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"math/bits"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/parley-protocol/parley/protocol"
)

const stampLabel = "parley/1/deposit-stamp\x00"

// stampMessage is what the work of a deposit's stamp is done on, with room for
// the stamp at its end:
//
//	"parley/1/deposit-stamp" 0x00 ‖ mailbox's peer ID ‖ token ‖ envelope's ID ‖ stamp
func stampMessage(mailbox peer.ID, token Token, id ID) []byte {
	m := make([]byte, 0, len(stampLabel)+len(mailbox)+len(token)+len(id)+protocol.MaxStampBytes)
	m = append(m, stampLabel...)
	m = append(m, mailbox...)
	m = append(m, token[:]...)
	return append(m, id[:]...)
}

// stampBits is the work of a stamp: the leading zero bits of the SHA-256. No
// stamp has none.
func stampBits(mailbox peer.ID, token Token, id ID, stamp []byte) int {
	if len(stamp) == 0 {
		return 0
	}
	return zeros(sha256.Sum256(append(stampMessage(mailbox, token, id), stamp...)))
}

func zeros(sum [sha256.Size]byte) (n int) {
	for _, b := range sum {
		n += bits.LeadingZeros8(b)
		if b != 0 {
			break
		}
	}
	return n
}

// work looks for a stamp with at least so many bits. On average it takes
// 2^least tries; it ends with ctx.
func work(ctx context.Context, mailbox peer.ID, token Token, id ID, least int) ([]byte, error) {
	message := append(stampMessage(mailbox, token, id), make([]byte, protocol.MaxStampBytes)...)
	stamp := message[len(message)-protocol.MaxStampBytes:]
	rand.Read(stamp) // a begin of its own: two tries don't show that they are by one
	for n := binary.BigEndian.Uint64(stamp); ; n++ {
		binary.BigEndian.PutUint64(stamp, n)
		if zeros(sha256.Sum256(message)) >= least {
			return stamp, nil
		}
		if n%4096 == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
}
