package main

import (
	"fmt"
	"math/big"
	"strings"

	"github.com/parley-protocol/parley/spec/gen/vectors/kit"
)

// dids is document 3, "DIDs".
func dids() kit.File {
	f := file("dids", "did", "DIDs of authors. The first ones stand in the did:key specification and in the documents.")
	musts := kit.Musts("KEY-1", "KEY-2")
	good := func(name, did string, key []byte) {
		f.Add(name, musts, kit.Values{"did": did}, kit.Values{"key": key})
	}
	good("did-key-spec-1", "did:key:z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp", unhex("3b6a27bcceb6a42d62a3a8d02a6f0d73653215771de243a63ac048a18b59da29"))
	good("did-key-spec-2", "did:key:z6MkpTHR8VNsBxYAAWHut2Geadd9jSwuBV8xRoAnwWsdvktH", unhex("94966b7c08e405775f8de6cc1c4508f6eb227403e1025b2c8ad2d7477398c5b2"))
	good("document-2", "did:key:z6MkehRgf7yJbgaGfYsdoAsKdBPE3dj2CYhowQdcjqSJgvVd", kit.KeyOf(count(0, 32)).Public())
	good("document-6", "did:key:z6MkhFwXNFWosLeugvSf4wcL9t3uuRXueGSFTRgSvHhWj5G2", kit.KeyOf(count(0x20, 32)).Public())
	for _, name := range []string{"customer", "vendor", "stranger"} {
		good("key-of-"+name, kit.NewKey(name).DID(), kit.NewKey(name).Public())
	}
	for i, p := range mixedOrder() {
		good(fmt.Sprintf("mixed-order-%d", i+1), kit.DIDOf(p), p)
	}

	did, public := kit.Customer.DID(), kit.Customer.Public()
	one := kit.Musts("KEY-1")
	bad := func(name string, musts []string, did string) {
		f.Fail(name, musts, kit.Values{"did": did}, "bad_key")
	}
	prefixed := func(prefix ...byte) string { return "did:key:z" + kit.Base58(kit.Join(prefix, public)) }
	bad("empty", one, "")
	bad("key-alone", one, did[len("did:key:"):])
	bad("upper-case-method", one, "did:KEY:"+did[8:])
	bad("upper-case-scheme", one, "DID:key:"+did[8:])
	bad("method-web", one, "did:web:example.com")
	bad("method-plc", one, "did:plc:ewvi7nxzyoun6zhxrhs64oiz")
	bad("fragment", one, did+"#"+did[8:])
	bad("path", one, did+"/x")
	bad("query", one, did+"?x=1")
	bad("empty-fragment", one, did+"#")
	bad("space-before", one, " "+did)
	bad("space-after", one, did+" ")
	bad("line-feed-after", one, did+"\n")
	bad("character-missing", one, did[:55])
	bad("character-more", one, did+"2")
	bad("character-0", one, did[:55]+"0")
	bad("character-l", one, did[:55]+"l")
	bad("character-not-ascii", one, did[:55]+"é")
	bad("leading-1", one, "did:key:z1"+did[9:])
	bad("base58-flickr", one, "did:key:Z"+did[9:])
	bad("base16", one, "did:key:f"+fmt.Sprintf("ed01%x", public))
	bad("base32", one, "did:key:b"+strings.ToLower(kit.ID(append(kit.Join([]byte{0xed, 0x01}, public), 0, 0)).String()[1:56]))
	bad("codec-x25519", one, prefixed(0xec, 0x01))
	bad("codec-secp256k1", one, "did:key:zQ3shokFTS3brHcDQrn82RUDfCZESWL1ZdCEJwekUDPQiYBme")
	bad("codec-p256", one, prefixed(0x80, 0x24))
	bad("codec-ed25519-private", one, prefixed(0x80, 0x26))
	bad("codec-without-its-second-byte", one, prefixed(0xed))
	bad("codec-in-a-longer-varint", one, prefixed(0xed, 0x81, 0x00))
	bad("key-of-31-bytes", one, kit.DIDOf(public[:31]))
	bad("key-of-33-bytes", one, kit.DIDOf(append(public[:32:32], 0)))
	bad("no-key", one, kit.DIDOf(nil))
	for i, p := range smallOrder() {
		bad(fmt.Sprintf("small-order-%d", i+1), kit.Musts("KEY-2", "KEY-5"), kit.DIDOf(p))
	}
	for i, p := range nonCanonical() {
		bad(fmt.Sprintf("non-canonical-%d", i+1), kit.Musts("KEY-2", "KEY-4"), kit.DIDOf(p))
	}
	for i, p := range noPoint() {
		bad(fmt.Sprintf("no-point-%d", i+1), kit.Musts("KEY-2", "KEY-4"), kit.DIDOf(p))
	}
	return f
}

// count is n bytes that count up.
func count(from byte, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = from + byte(i)
	}
	return b
}

// smallOrder is the eight canonical points whose order divides 8: the five y of
// document 3, three of them with both signs.
func smallOrder() (points [][]byte) {
	for i, y := range []string{
		"0100000000000000000000000000000000000000000000000000000000000000",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"0000000000000000000000000000000000000000000000000000000000000000",
		"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
		"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
	} {
		points = append(points, unhex(y))
		if i > 1 {
			signed := unhex(y)
			signed[31] |= 0x80
			points = append(points, signed)
		}
	}
	return points
}

// nonCanonical is encodings of points that have another one: x = 0 with the
// sign set, and a y of p or more.
func nonCanonical() (points [][]byte) {
	for _, y := range []int64{1, -1} {
		points = append(points, encodeY(new(big.Int).Mod(big.NewInt(y), prime()), true))
	}
	for y := int64(0); y < 19; y++ {
		if isOnCurve(big.NewInt(y)) {
			points = append(points, encodeY(new(big.Int).Add(prime(), big.NewInt(y)), false))
		}
	}
	return append(points, encodeY(new(big.Int).Add(prime(), big.NewInt(1)), true), encodeY(prime(), true))
}

// noPoint is canonical y of no point.
func noPoint() (points [][]byte) {
	for y := int64(2); len(points) < 3; y++ {
		if !isOnCurve(big.NewInt(y)) {
			points = append(points, encodeY(big.NewInt(y), len(points) == 1))
		}
	}
	return points
}

// prime is 2^255 - 19.
func prime() *big.Int {
	p := new(big.Int).Lsh(big.NewInt(1), 255)
	return p.Sub(p, big.NewInt(19))
}

// isOnCurve reports whether -x² + y² = 1 + d·x²·y² has an x for the y, that is
// whether (y²-1) / (d·y²+1) is a square.
func isOnCurve(y *big.Int) bool {
	p := prime()
	d := new(big.Int).ModInverse(big.NewInt(121666), p)
	d.Mul(d, big.NewInt(-121665)).Mod(d, p)
	y2 := new(big.Int).Mul(y, y)
	numerator := new(big.Int).Sub(y2, big.NewInt(1))
	denominator := new(big.Int).Mul(d, y2)
	denominator.Add(denominator, big.NewInt(1)).ModInverse(denominator, p)
	x2 := numerator.Mul(numerator, denominator)
	return big.Jacobi(x2.Mod(x2, p), p) >= 0
}

// encodeY is y in 255 bits, little-endian, and the sign of x.
func encodeY(y *big.Int, sign bool) []byte {
	b := y.FillBytes(make([]byte, 32))
	for i, j := 0, 31; i < j; i, j = i+1, j-1 {
		b[i], b[j] = b[j], b[i]
	}
	if sign {
		b[31] |= 0x80
	}
	return b
}
