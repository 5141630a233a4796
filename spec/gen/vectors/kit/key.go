package kit

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"math/big"
	"strings"
)

// ID is a CIDv1 with dag-cbor and SHA-256.
type ID [36]byte

// SumID is the ID of a block.
func SumID(block []byte) ID {
	hash := sha256.Sum256(block)
	return ID(Join([]byte{0x01, 0x71, 0x12, 0x20}, hash[:]))
}

// String is the text form: multibase base32.
func (id ID) String() string {
	return "b" + strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(id[:]))
}

// Hash is SHA-256 of a text: made-up bytes that are always the same.
func Hash(text string) []byte {
	sum := sha256.Sum256([]byte(text))
	return sum[:]
}

// Sum is SHA-256.
func Sum(b []byte) []byte {
	sum := sha256.Sum256(b)
	return sum[:]
}

// Filler is n made-up bytes.
func Filler(text string, n int) []byte {
	var out []byte
	for i := uint32(0); len(out) < n; i++ {
		out = append(out, Sum(binary.BigEndian.AppendUint32([]byte(text), i))...)
	}
	return out[:n]
}

// Key is an author's key.
type Key struct {
	Seed   []byte
	secret ed25519.PrivateKey
}

// NewKey is the key that a name in the vectors always has.
func NewKey(name string) Key { return KeyOf(Hash("parley test vectors: " + name)) }

// KeyOf is the key with a secret seed.
func KeyOf(seed []byte) Key { return Key{seed, ed25519.NewKeyFromSeed(seed)} }

// Public is the public key, 32 bytes.
func (k Key) Public() []byte { return k.secret.Public().(ed25519.PublicKey) }

// DID names the key.
func (k Key) DID() string { return DIDOf(k.Public()) }

// Sign signs a message as it is.
func (k Key) Sign(message []byte) []byte { return ed25519.Sign(k.secret, message) }

// DIDOf is the did:key of an Ed25519 public key, good or bad.
func DIDOf(public []byte) string { return "did:key:z" + Base58(Join([]byte{0xed, 0x01}, public)) }

// PeerOf is the bytes of the peer ID of an Ed25519 key.
func PeerOf(public []byte) []byte { return Join([]byte("\x00\x24\x08\x01\x12\x20"), public) }

// Peer is the text of the peer ID that a name in the vectors always has.
func Peer(name string) string { return Base58(PeerOf(NewKey(name).Public())) }

const base58Digits = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"

// Base58 is base58btc without a multibase prefix.
func Base58(b []byte) string {
	var text []byte
	n, base, digit := new(big.Int).SetBytes(b), big.NewInt(58), new(big.Int)
	for n.Sign() > 0 {
		n.DivMod(n, base, digit)
		text = append(text, base58Digits[digit.Int64()])
	}
	for _, zero := range b {
		if zero != 0 {
			break
		}
		text = append(text, '1')
	}
	for i, j := 0, len(text)-1; i < j; i, j = i+1, j-1 {
		text[i], text[j] = text[j], text[i]
	}
	return string(text)
}

// Record signs a body by the key; what it says under by isn't touched.
func (k Key) Record(body Map) Block { return k.RecordOver(Encode(body)) }

// RecordOver signs a body's bytes as they stand.
func (k Key) RecordOver(body []byte) Block { return Signed(body, k.Sign(RecordMessage(body))) }

// RecordMessage is what a record's signature is over.
func RecordMessage(body []byte) []byte { return Join([]byte("parley/1/record\x00"), body) }

// Signed is the block of a body and a signature.
func Signed(body, signature []byte) Block {
	return Join([]byte{0x82}, body, Encode(signature))
}

// Block is a record's bytes.
type Block []byte

// ID is the record's ID.
func (b Block) ID() ID { return SumID(b) }

// Clone is a copy to spoil.
func (b Block) Clone() Block { return bytes.Clone(b) }
