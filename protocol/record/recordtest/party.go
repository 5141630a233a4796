// Package recordtest makes records for tests: parties with fixed keys, the
// records of a whole deal, and generators of any valid record. What it makes
// from the same arguments has the same bytes.
package recordtest

import (
	"crypto/sha256"

	"github.com/multiformats/go-multibase"

	"github.com/parley-protocol/parley/crypto"
	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/record"
)

// TB is what the package needs of *testing.T, *testing.B, *testing.F or *rapid.T.
type TB interface {
	Helper()
	Fatalf(format string, args ...any)
}

// Now is the time at which fixtures play: 2026-01-01T00:00:00Z.
const Now = 1_767_225_600

// Day is a day in seconds.
const Day = 24 * 60 * 60

// Party is somebody with keys.
type Party struct {
	Key     *crypto.SigningKey // signs records
	Sealing crypto.SealingSeed // opens what is sealed to the party
	seed    string
}

// NewParty is the party of a seed: any text, the same keys for the same text.
func NewParty(seed string) Party {
	return Party{
		Key:     crypto.NewSigner(Bytes32(seed + "/signing")),
		Sealing: crypto.SealingSeed(Bytes32(seed + "/sealing")),
		seed:    seed,
	}
}

// DID names the party.
func (p Party) DID() crypto.DID { return p.Key.DID() }

// ReplyTo leads to the party, by suite 1 and one mailbox.
func (p Party) ReplyTo(tb TB) record.ReplyTo {
	tb.Helper()
	return p.ReplyToSuite(tb, crypto.SuiteX25519)
}

// ReplyToSuite leads to the party by a suite and one mailbox.
func (p Party) ReplyToSuite(tb TB, suite crypto.Suite) record.ReplyTo {
	tb.Helper()
	key, err := p.Sealing.PublicKey(suite)
	if err != nil {
		tb.Fatalf("sealing key of %s: %v", p.seed, err)
	}
	return record.ReplyTo{
		Suite:     suite,
		Key:       key,
		Token:     p.Sealing.Token(),
		Mailboxes: []string{MailboxAddress(p.seed)},
	}
}

// Sign makes a record of the party's, dated at. It is retained for 90 days, or
// as long as it is valid.
func (p Party) Sign(tb TB, at int64, body record.Body) *record.Record {
	tb.Helper()
	return p.SignHeader(tb, record.Header{At: at}, body)
}

// SignHeader is [Party.Sign] with a header of one's own; a zero RetainUntil is
// filled in.
func (p Party) SignHeader(tb TB, h record.Header, body record.Body) *record.Record {
	tb.Helper()
	if h.RetainUntil == 0 {
		h.RetainUntil = max(h.At+90*Day, validUntil(body))
		if body.Type() == protocol.TypeWriter {
			h.RetainUntil = h.At + protocol.MaxWriterRetention
		}
	}
	r, err := record.Sign(h, body, p.Key)
	if err != nil {
		tb.Fatalf("sign %s: %v", body.Type(), err)
	}
	return r
}

func validUntil(body record.Body) int64 {
	switch b := body.(type) {
	case *record.Intent:
		return b.ValidUntil
	case *record.Offer:
		return b.ValidUntil
	case *record.Counter:
		return b.ValidUntil
	default:
		return 0
	}
}

// Bytes32 is 32 bytes that follow from a seed.
func Bytes32(seed string) [32]byte { return sha256.Sum256([]byte(seed)) }

// PeerID is the ID of an Ed25519 peer that follows from a seed.
func PeerID(seed string) string {
	digest := Bytes32(seed + "/peer")
	id, err := multibase.Encode(multibase.Base58BTC, append([]byte("\x00\x24\x08\x01\x12\x20"), digest[:]...))
	if err != nil {
		panic(err) // base58btc takes any bytes
	}
	return id[1:]
}

// MailboxAddress is the address of a mailbox that follows from a seed. Nobody
// answers there: the network is one kept for documentation.
func MailboxAddress(seed string) string {
	return "/ip4/192.0.2.1/udp/4001/quic-v1/p2p/" + PeerID(seed)
}
