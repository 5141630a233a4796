package record

import (
	"crypto/ed25519"
	"fmt"
	"regexp"
	"strings"
	"unicode"

	"github.com/ipfs/go-cid"
	"github.com/multiformats/go-multibase"

	"github.com/parley-protocol/parley/crypto"
	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/codec"
	"github.com/parley-protocol/parley/protocol/decimal"
)

// text is one line of 1 to max bytes, without control characters.
type text struct{ max int }

func (k text) read(at spot, value any) string { return readText(at, value, k.max, "") }
func (k text) write(_ spot, value string) any { return value }

// longText is text of 1 to max bytes that may have line breaks and tabs.
type longText struct{ max int }

func (k longText) read(at spot, value any) string { return readText(at, value, k.max, "\n\t") }
func (k longText) write(_ spot, value string) any { return value }

func readText(at spot, value any, max int, controls string) string {
	s, ok := value.(string)
	switch {
	case !ok:
		at.wants("text", value)
	case s == "":
		at.fail(protocol.CodeBadField, "the text is empty")
	case len(s) > max:
		at.fail(protocol.CodeBadField, "the text has %d bytes; at most %d are allowed", len(s), max)
	default:
		for i, r := range s {
			if unicode.IsControl(r) && !strings.ContainsRune(controls, r) {
				at.fail(protocol.CodeBadField, "the text has the control character %U at byte %d", r, i)
				break
			}
		}
	}
	return s
}

// token is text of one form.
type token struct {
	form *regexp.Regexp
	max  int
	what string // for people
}

// The forms. They are as in spec/records.cddl.
var (
	typeToken     = token{regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+)*$`), 64, "a record type, e.g. award-notice"}
	marketToken   = token{regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*(/[a-z0-9]+(-[a-z0-9]+)*)?$`), protocol.MaxMarketBytes, "a market, e.g. home/furniture"}
	categoryToken = token{regexp.MustCompile(`^[a-z][a-z0-9-]{0,15}:[A-Za-z0-9._-]{1,64}$`), 81, "a category, e.g. cpv:30213100"}
	currencyToken = token{regexp.MustCompile(`^[A-Z]{3}$`), 3, "an ISO 4217 currency, e.g. EUR"}
	countryToken  = token{regexp.MustCompile(`^[A-Z]{2}$`), 2, "an ISO 3166-1 country, e.g. DE"}
	unitToken     = token{regexp.MustCompile(`^[A-Z0-9]{2,3}$`), 3, "a UN/CEFACT unit, e.g. C62"}
	languageToken = token{regexp.MustCompile(`^[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*$`), 35, "a BCP 47 language, e.g. de-AT"}
	rosterToken   = token{regexp.MustCompile(`^[A-Z][A-Z0-9]*(-[A-Z0-9]+)*$`), 32, "a roster ID, e.g. PDC-INTENT"}
	reasonToken   = token{regexp.MustCompile(`^[a-z][a-z0-9]*(_[a-z0-9]+)*$`), 32, "a reason's code, e.g. out_of_stock"}
	codeToken     = token{reasonToken.form, 32, "a registered code, e.g. delivered"}
	chargeToken   = token{regexp.MustCompile(`^(tax|delivery|fee|discount|other)$`), 8, "tax, delivery, fee, discount or other"}
	urlToken      = token{regexp.MustCompile(`^https://[A-Za-z0-9.-]+(:[0-9]{1,5})?([/?#][!-~]*)?$`), 512, "an https URL"}
)

func (k token) read(at spot, value any) string {
	s, ok := value.(string)
	if !ok {
		at.wants(k.what, value)
	} else if len(s) > k.max || !k.form.MatchString(s) {
		at.fail(protocol.CodeBadField, "%s is not %s", plainKey(s), k.what)
	}
	return s
}

func (k token) write(_ spot, value string) any { return value }

// integer is a whole number from min to max.
type integer struct{ min, max int64 }

func (k integer) read(at spot, value any) int64 {
	n, ok := value.(int64)
	if !ok {
		at.wants("an integer", value)
	} else if n < k.min || n > k.max {
		at.fail(protocol.CodeBadField, "%d is not from %d to %d", n, k.min, k.max)
	}
	return n
}

func (k integer) write(_ spot, value int64) any { return value }

// instant is a time: Unix seconds, UTC.
type instant struct{}

func (instant) read(at spot, value any) int64 {
	if at.pass.projecting {
		at.pass.times = append(at.pass.times, at)
	}
	return integer{0, protocol.MaxTime}.read(at, value)
}

func (instant) write(_ spot, value int64) any { return value }

// version is v: this version of the format.
type version struct{}

// formatVersion is the value of v.
const formatVersion = 1

func (version) read(at spot, value any) int64 {
	n, ok := value.(int64)
	if !ok {
		at.wants("an integer", value)
	} else if n != formatVersion {
		at.fail(protocol.CodeUnsupportedVersion, "version %d is not known here", n)
	}
	return n
}

func (version) write(_ spot, value int64) any { return value }

// digest is 32 bytes.
type digest struct{}

func (digest) read(at spot, value any) (d [32]byte) {
	copyExactly(at, d[:], value)
	return d
}

func (digest) write(_ spot, value [32]byte) any { return value[:] }

// signature is the 64 bytes of an Ed25519 signature.
type signature struct{}

func (signature) read(at spot, value any) (s [ed25519.SignatureSize]byte) {
	copyExactly(at, s[:], value)
	return s
}

func (signature) write(_ spot, value [ed25519.SignatureSize]byte) any { return value[:] }

// tag is 16 bytes.
type tag struct{}

func (tag) read(at spot, value any) (t [16]byte) {
	copyExactly(at, t[:], value)
	return t
}

func (tag) write(_ spot, value [16]byte) any { return value[:] }

// copyExactly fills dst with bytes of its length.
func copyExactly(at spot, dst []byte, value any) {
	b, ok := value.([]byte)
	switch {
	case !ok:
		at.wants(fmt.Sprintf("%d bytes", len(dst)), value)
	case len(b) != len(dst):
		at.fail(protocol.CodeBadField, "want %d bytes, not %d", len(dst), len(b))
	default:
		copy(dst, b)
	}
}

// boolean is true or false.
type boolean struct{}

func (boolean) read(at spot, value any) bool {
	b, ok := value.(bool)
	if !ok {
		at.wants("true or false", value)
	}
	return b
}

func (boolean) write(_ spot, value bool) any { return value }

// octets are bytes whose form depends on another field.
type octets struct{}

func (octets) read(at spot, value any) []byte {
	b, ok := value.([]byte)
	if !ok {
		at.wants("bytes", value)
	}
	return b
}

func (octets) write(_ spot, value []byte) any { return value }

// suite is the number of a sealing suite.
type suite struct{}

func (suite) read(at spot, value any) crypto.Suite {
	n, ok := value.(int64)
	if !ok {
		at.wants("an integer", value)
		return 0
	}
	if n != int64(crypto.SuiteX25519) && n != int64(crypto.SuiteMLKEM768X25519) {
		at.fail(protocol.CodeSealUnknownSuite, "suite %d is not known here", n)
		return 0
	}
	return crypto.Suite(n)
}

func (suite) write(_ spot, value crypto.Suite) any { return int64(value) }

// author is a DID.
type author struct{}

func (author) read(at spot, value any) crypto.DID {
	did, _ := readDID(at, value, crypto.ParseDIDKey)
	return did
}

func readDID(at spot, value any, parse func(string) (ed25519.PublicKey, error)) (crypto.DID, ed25519.PublicKey) {
	s, ok := value.(string)
	if !ok {
		at.wants("a did:key", value)
		return "", nil
	}
	key, err := parse(s)
	if err != nil {
		at.fail(protocol.CodeBadKey, "%w", err)
		return "", nil
	}
	return crypto.DID(s), key
}

// signer is the author of the record itself: its key is kept for the signature, with
// which it is settled whether it is one.
type signer struct{ author }

func (signer) read(at spot, value any) crypto.DID {
	did, key := readDID(at, value, crypto.ParseDIDText)
	at.pass.signer = key
	return did
}

func (author) write(_ spot, value crypto.DID) any { return string(value) }

// link is the ID of a record.
type link struct{}

func (link) read(at spot, value any) cid.Cid {
	id, ok := value.(cid.Cid)
	if !ok {
		at.wants("a link", value)
	} else if id.Type() != cid.DagCBOR {
		at.fail(protocol.CodeBadField, "%s is not a record's ID: want the codec dag-cbor", id)
	}
	return id
}

func (link) write(at spot, value cid.Cid) any {
	if !value.Defined() {
		at.fail(protocol.CodeMissingField, "this field is required")
		return nil
	}
	if err := codec.CheckLink(value); err != nil {
		at.fail(protocol.CodeBadField, "%s is not a record's ID: want a CIDv1 with SHA-256", value)
		return nil
	}
	return value
}

// number is a decimal.
type number struct{}

func (number) read(at spot, value any) (d decimal.Decimal) {
	s, ok := value.(string)
	if !ok {
		at.wants("a decimal as text", value)
		return d
	}
	d, err := decimal.Parse(s)
	if err != nil {
		at.fail(protocol.CodeBadField, "%s: %w", plainKey(s), err)
	}
	return d
}

func (number) write(_ spot, value decimal.Decimal) any { return value.String() }

// amount is a decimal that isn't negative.
type amount struct{ number }

func (k amount) read(at spot, value any) decimal.Decimal {
	d := k.number.read(at, value)
	if d.Sign() < 0 {
		at.fail(protocol.CodeBadField, "%s is below 0", d)
	}
	return d
}

// percent is a decimal from 0 to 100.
type percent struct{ amount }

func (k percent) read(at spot, value any) decimal.Decimal {
	d := k.amount.read(at, value)
	if d.Cmp(decimal.MustParse("100")) > 0 {
		at.fail(protocol.CodeBadField, "%s is above 100", d)
	}
	return d
}

// dealKey is [intent, vendor, round].
type dealKey struct{}

func (dealKey) read(at spot, value any) (k DealKey) {
	parts, ok := value.([]any)
	if !ok || len(parts) != 3 {
		at.wants("a list of intent, vendor and round", value)
		return k
	}
	k.Intent = link{}.read(at.entry(0), parts[0])
	k.Vendor = author{}.read(at.entry(1), parts[1])
	k.Round = roundRange.read(at.entry(2), parts[2])
	return k
}

func (dealKey) write(at spot, value DealKey) any {
	return []any{
		link{}.write(at.entry(0), value.Intent),
		author{}.write(at.entry(1), value.Vendor),
		roundRange.write(at.entry(2), value.Round),
	}
}

var roundRange = integer{1, protocol.MaxRound}

// termsRef is a roster ID as text or the link of a terms record.
type termsRef struct{}

func (termsRef) read(at spot, value any) (ref TermsRef) {
	switch value.(type) {
	case string:
		ref.Roster = rosterToken.read(at, value)
	case cid.Cid:
		ref.Record = link{}.read(at, value)
	default:
		at.wants("a roster ID or a link", value)
	}
	return ref
}

func (termsRef) write(at spot, value TermsRef) any {
	switch {
	case value.Roster != "" && value.Record.Defined():
		at.fail(protocol.CodeBadField, "terms are a roster ID or a link, not both")
		return nil
	case value.Roster != "":
		return value.Roster
	default:
		return link{}.write(at, value.Record)
	}
}

// mailbox is the address of a mailbox: a multiaddr that ends in /p2p/PEER.
type mailbox struct{}

// maxMailbox is the longest address of a mailbox, in bytes.
const maxMailbox = 256

// peerPrefix is how an Ed25519 peer ID begins: an identity multihash of 36
// bytes with the key's protobuf (type 1 is Ed25519, then 32 bytes of key).
const peerPrefix = "\x00\x24\x08\x01\x12\x20"

func (mailbox) read(at spot, value any) string {
	s, ok := value.(string)
	if !ok {
		at.wants("a multiaddr as text", value)
		return s
	}
	const ending = "/p2p/"
	end := strings.LastIndex(s, ending)
	if len(s) > maxMailbox || end < 0 || !isTransport(s[:end]) {
		at.fail(protocol.CodeBadField, "%s is not a multiaddr that ends in /p2p/PEER", plainKey(s))
		return s
	}
	id := s[end+len(ending):]
	_, peer, err := multibase.Decode(string(multibase.Base58BTC) + id)
	if err != nil || len(peer) != len(peerPrefix)+ed25519.PublicKeySize || string(peer[:len(peerPrefix)]) != peerPrefix {
		at.fail(protocol.CodeBadField, "%s is not the ID of an Ed25519 peer", plainKey(id))
	}
	return s
}

// isTransport reports whether s has the form of a multiaddr: "/" before each of
// its parts, which are visible ASCII. Whether there are such protocols is for
// who dials to find out.
func isTransport(s string) bool {
	if s == "" || s[0] != '/' || s[len(s)-1] == '/' || strings.Contains(s, "//") {
		return false
	}
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

func (mailbox) write(_ spot, value string) any { return value }

// free is a map without a description: an extension or a policy.
type free struct{ null bool } // whether null is allowed in it

func (k free) read(at spot, value any) map[string]any {
	m, ok := value.(map[string]any)
	switch {
	case !ok:
		at.wants("a map", value)
	case len(m) == 0:
		at.fail(protocol.CodeBadField, "the map is empty; leave the field out")
	case !k.null && hasNull(m):
		refuseNull(at, m)
	}
	return m
}

func (free) write(_ spot, value map[string]any) any { return value }
