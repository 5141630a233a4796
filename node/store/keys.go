package store

import (
	"crypto/sha256"
	"encoding/binary"

	"github.com/ipfs/go-cid"
	"github.com/multiformats/go-multihash"
)

// Rows and index keys. Every index key ends in a suffix (a time and an ID)
// that orders it, so that any index can be read in order, from any place, in
// either direction:
//
//	r  ID                        the record's row
//	a  at      ID                all records by time
//	y  type     at      ID       ┐
//	b  author   at      ID       │
//	m  market   at      ID       │ by one attribute, given as
//	c  category at      ID       │ the first 8 bytes of a hash
//	d  deal     at      ID       │
//	l  cited    at      ID       │
//	k  class    at      ID       ┘ classes deal and own only
//	i  market   at      ID       one market's intents; the hash is half of the market's, then
//	                             zeros, or half of a category's for those in that too
//	e  expires  ID               all records by expiry
//	x  market   expires ID       one market's, by expiry
//	f  due      ID               class foreign, by when it goes
//	o  at       ID               class foreign, by when it was signed; value: the record's length
//	g  due      ID               class deal, by when it may go
//	h  target   ID               own record ID holds target (what it cites, its deal)
//	t  intent   author  ID       withdrawal ID takes the author's intent back
//	n  key                       the node's small values
//	s                            counts
const (
	kindRow       = 'r'
	kindAt        = 'a'
	kindType      = 'y'
	kindAuthor    = 'b'
	kindMarket    = 'm'
	kindCategory  = 'c'
	kindDeal      = 'd'
	kindCites     = 'l'
	kindClass     = 'k'
	kindIntents   = 'i'
	kindExpires   = 'e'
	kindMarketExp = 'x'
	kindDueOf     = 'f'
	kindForeign   = 'o'
	kindDueOfDeal = 'g'
	kindHeld      = 'h'
	kindTombstone = 't'
	kindMeta      = 'n'
	kindStats     = 's'
)

const (
	timeLen   = 5 // the year 9999 fits 38 bits
	digestLen = sha256.Size
	suffixLen = timeLen + digestLen
	hashLen   = 8
	maxTime   = 253402300799
)

// digest is the SHA-256 inside a record's ID, which is all that tells two IDs apart.
type digest [digestLen]byte

// idPrefix is what stands before the digest in every record's ID: CIDv1,
// dag-cbor, sha2-256, 32 bytes.
var idPrefix = [4]byte{0x01, cid.DagCBOR, multihash.SHA2_256, digestLen}

// digestOf gives the digest of a record's ID. No record has an ID of another form.
func digestOf(id cid.Cid) (digest, bool) {
	b := id.Bytes()
	if len(b) != len(idPrefix)+digestLen || [4]byte(b[:4]) != idPrefix {
		return digest{}, false
	}
	return digest(b[4:]), true
}

// id is the record ID with that digest.
func (d digest) id() cid.Cid {
	b := make([]byte, 0, len(idPrefix)+digestLen)
	b = append(append(b, idPrefix[:]...), d[:]...)
	_, id, err := cid.CidFromBytes(b)
	if err != nil {
		return cid.Undef // not reached: the form is fixed
	}
	return id
}

// tag is an attribute of a record, shortened. A tag may collide, so it only
// ever narrows a search; the record itself decides.
type tag struct {
	kind byte
	hash [hashLen]byte
}

func tagOf(kind byte, value []byte) tag {
	sum := sha256.Sum256(value)
	return tag{kind, [hashLen]byte(sum[:])}
}

func tagOfText(kind byte, value string) tag { return tagOf(kind, []byte(value)) }

// classTag is the tag of a class; only deal and own have an index.
func classTag(c Class) tag { return tag{kind: kindClass, hash: [hashLen]byte{byte(c)}} }

// prefix is the key prefix of everything with the tag.
func (t tag) prefix() []byte {
	return append(append(make([]byte, 0, 1+hashLen+suffixLen), t.kind), t.hash[:]...)
}

// intentsOf is the tag of a market's intents, in a category if that isn't zero.
func intentsOf(market, category tag) (t tag) {
	t.kind = kindIntents
	copy(t.hash[:hashLen/2], market.hash[:])
	copy(t.hash[hashLen/2:], category.hash[:])
	return t
}

// as is the same value in another index.
func (t tag) as(kind byte) tag { return tag{kind, t.hash} }

func appendTime(key []byte, unix int64) []byte {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], uint64(min(max(unix, 0), maxTime)))
	return append(key, b[8-timeLen:]...)
}

func parseTime(b []byte) int64 {
	var full [8]byte
	copy(full[8-timeLen:], b[:timeLen])
	return int64(binary.BigEndian.Uint64(full[:]))
}

// indexKey is prefix, time, ID.
func indexKey(prefix []byte, unix int64, d digest) []byte {
	key := make([]byte, 0, len(prefix)+suffixLen)
	key = append(key, prefix...)
	return append(appendTime(key, unix), d[:]...)
}

func rowKey(d digest) []byte {
	return append(append(make([]byte, 0, 1+digestLen), kindRow), d[:]...)
}

func metaKey(key string) []byte { return append([]byte{kindMeta}, key...) }

// heldPrefix is the key prefix of all own records that hold the target.
func heldPrefix(target tag) []byte {
	return append(append(make([]byte, 0, 2+hashLen+digestLen), kindHeld, target.kind), target.hash[:]...)
}

// tombstonePrefix is the key prefix of all withdrawals of the intent by the author.
func tombstonePrefix(intent digest, author string) []byte {
	who := sha256.Sum256([]byte(author))
	key := make([]byte, 0, 1+3*digestLen)
	key = append(append(key, kindTombstone), intent[:]...)
	return append(key, who[:]...)
}
