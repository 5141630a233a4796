package main

import (
	"crypto"
	"crypto/ed25519"
	"crypto/sha512"
	"encoding/binary"
	"fmt"
	"math/big"
	"slices"

	"filippo.io/edwards25519"

	"github.com/parley-protocol/parley/spec/gen/vectors/kit"
)

// signatures is document 3, "Signatures".
func signatures() kit.File {
	f := file("signatures", "signature", "Signatures at the edges of Ed25519. The first ones are RFC 8032's.")
	add := func(name string, valid bool, key, message, signature []byte, musts ...string) {
		f.Add(name, musts, kit.Values{"key": key, "message": message, "signature": signature}, kit.Values{"valid": valid})
	}
	for _, v := range rfc8032() {
		seed, message, signature := unhex(v.seed), unhex(v.message), unhex(v.signature)
		add(v.name, true, kit.KeyOf(seed).Public(), message, signature, "KEY-7")
		add(v.name+"-another-message", false, kit.KeyOf(seed).Public(), append(message, 0), signature, "KEY-7")
	}

	key, message := kit.Customer, []byte("a message")
	public, signature := key.Public(), key.Sign(message)
	add("valid", true, public, message, signature, "KEY-3", "KEY-4", "KEY-5", "KEY-6", "KEY-7")
	add("valid-of-no-message", true, public, nil, key.Sign(nil), "KEY-7")
	for _, n := range []int{0, 31, 33} {
		add(fmt.Sprintf("key-of-%d-bytes", n), false, append(slices.Clone(public), 0)[:n], message, signature, "KEY-3")
	}
	for _, n := range []int{0, 32, 63, 65} {
		add(fmt.Sprintf("signature-of-%d-bytes", n), false, public, message, append(slices.Clone(signature), 0)[:n], "KEY-3")
	}
	for _, at := range []int{0, 31, 32, 62} {
		spoiled := slices.Clone(signature)
		spoiled[at] ^= 1
		add(fmt.Sprintf("bit-flipped-in-byte-%d", at), false, public, message, spoiled, "KEY-7")
	}
	add("by-another-key", false, kit.Stranger.Public(), message, signature, "KEY-7")
	context, err := ed25519.NewKeyFromSeed(key.Seed).Sign(nil, message, &ed25519.Options{Context: "parley"})
	must(err)
	add("with-a-context", false, public, message, context, "KEY-7")
	hash := sha512.Sum512(message)
	prehashed, err := ed25519.NewKeyFromSeed(key.Seed).Sign(nil, hash[:], &ed25519.Options{Hash: crypto.SHA512})
	must(err)
	add("with-a-prehash", false, public, message, prehashed, "KEY-7")
	add("with-a-prehash-over-its-hash", false, public, hash[:], prehashed, "KEY-7")

	for n := int64(1); n < 16; n += 7 {
		s := new(big.Int).Add(littleEndian(signature[32:]), new(big.Int).Mul(order(), big.NewInt(n)))
		add(fmt.Sprintf("s-and-%d-orders", n), false, public, message, kit.Join(signature[:32], encodeY(s, false)), "KEY-6")
	}
	add("s-is-the-order", false, public, message, kit.Join(signature[:32], encodeY(order(), false)), "KEY-6")
	add("s-all-ones", false, public, message, kit.Join(signature[:32], slices.Repeat([]byte{0xff}, 32)), "KEY-6")

	torsion := points(smallOrder())
	edges(add, torsion)
	for i, p := range nonCanonical() {
		// r·B with S = r holds for a small order A whose multiple vanishes.
		message, signature := vanishing(p)
		if signature == nil {
			message, signature = []byte("a message"), key.Sign(message)
		}
		add(fmt.Sprintf("key-non-canonical-%d", i+1), false, p, message, signature, "KEY-4")
		add(fmt.Sprintf("r-non-canonical-%d", i+1), false, public, []byte("a message"), kit.Join(p, challengeOnly(key, p, []byte("a message"))), "KEY-4")
	}
	for i, p := range noPoint() {
		add(fmt.Sprintf("key-no-point-%d", i+1), false, p, message, signature, "KEY-4")
		add(fmt.Sprintf("r-no-point-%d", i+1), false, public, message, kit.Join(p, signature[32:]), "KEY-4")
	}
	return f
}

// edges is signatures with parts of small order. They are found by counting
// messages up until the challenge has the residue that is wanted.
func edges(add func(string, bool, []byte, []byte, []byte, ...string), torsion []*edwards25519.Point) {
	a, r := scalar("secret a"), scalar("nonce r")
	A, R := basePoint(a), basePoint(r)
	eighth := torsion[4] // of order 8
	mixedA := new(edwards25519.Point).Add(A, eighth)
	mixedR := new(edwards25519.Point).Add(R, eighth)
	zero := edwards25519.NewScalar()

	// try finds a message for which the equation without the cofactor holds, or
	// not, and gives S = r + k·a.
	try := func(name string, valid, holds bool, A, R *edwards25519.Point, r, a *edwards25519.Scalar, musts ...string) {
		for i := uint32(0); ; i++ {
			message := binary.BigEndian.AppendUint32([]byte("message "), i)
			k := challenge(R.Bytes(), A.Bytes(), message)
			S := edwards25519.NewScalar().MultiplyAdd(k, a, r)
			right := new(edwards25519.Point).Add(R, new(edwards25519.Point).ScalarMult(k, A))
			if (basePoint(S).Equal(right) == 1) == holds {
				add(name, valid, A.Bytes(), message, kit.Join(R.Bytes(), S.Bytes()), musts...)
				return
			}
			if i > 1000 {
				panic(name + " can't be had")
			}
		}
	}
	try("key-of-mixed-order", true, true, mixedA, R, r, a, "KEY-5", "KEY-7")
	try("key-of-mixed-order-that-needs-the-cofactor", false, false, mixedA, R, r, a, "KEY-7")
	try("both-of-mixed-order", true, true, mixedA, mixedR, r, a, "KEY-5", "KEY-7")
	try("both-of-mixed-order-that-needs-the-cofactor", false, false, mixedA, mixedR, r, a, "KEY-7")
	try("r-of-mixed-order-that-needs-the-cofactor", false, false, A, mixedR, r, a, "KEY-7")
	for i, t := range torsion {
		try(fmt.Sprintf("key-of-small-order-%d", i+1), false, true, t, R, r, zero, "KEY-5")
		if i == 0 {
			try("r-of-small-order-1", false, true, A, t, zero, a, "KEY-5")
			continue
		}
		// Only a key of mixed order makes up for the R.
		try(fmt.Sprintf("r-of-small-order-%d", i+1), false, true, mixedA, t, zero, a, "KEY-5")
	}
	try("both-of-small-order", false, true, torsion[1], torsion[1], zero, zero, "KEY-5")
	try("identity-for-both-and-s-0", false, true, torsion[0], torsion[0], zero, zero, "KEY-5")
}

// vanishing is a signature that a lax verifier takes under a non-canonical key
// of small order; none if the key isn't of small order.
func vanishing(key []byte) (message, signature []byte) {
	p, err := new(edwards25519.Point).SetBytes(key) // lax about what is canonical
	if err != nil || new(edwards25519.Point).MultByCofactor(p).Equal(edwards25519.NewIdentityPoint()) != 1 {
		return nil, nil
	}
	r := scalar("nonce r")
	for i := uint32(0); ; i++ {
		message := binary.BigEndian.AppendUint32([]byte("message "), i)
		k := challenge(basePoint(r).Bytes(), key, message)
		if new(edwards25519.Point).ScalarMult(k, p).Equal(edwards25519.NewIdentityPoint()) == 1 {
			return message, kit.Join(basePoint(r).Bytes(), r.Bytes())
		}
	}
}

// challengeOnly is k·a, the S that goes with an R that is the identity.
func challengeOnly(key kit.Key, r, message []byte) []byte {
	hash := sha512.Sum512(key.Seed)
	a, err := edwards25519.NewScalar().SetBytesWithClamping(hash[:32])
	must(err)
	return edwards25519.NewScalar().Multiply(challenge(r, key.Public(), message), a).Bytes()
}

// mixedOrder is two keys that are a sum of a key and a point of small order.
func mixedOrder() [][]byte {
	torsion := points(smallOrder())
	A := basePoint(scalar("secret a"))
	return [][]byte{
		new(edwards25519.Point).Add(A, torsion[1]).Bytes(),
		new(edwards25519.Point).Add(A, torsion[4]).Bytes(),
	}
}

func points(encoded [][]byte) []*edwards25519.Point {
	list := make([]*edwards25519.Point, len(encoded))
	for i, b := range encoded {
		p, err := new(edwards25519.Point).SetBytes(b)
		must(err)
		list[i] = p
	}
	return list
}

func challenge(r, a, message []byte) *edwards25519.Scalar {
	hash := sha512.Sum512(kit.Join(r, a, message))
	k, err := edwards25519.NewScalar().SetUniformBytes(hash[:])
	must(err)
	return k
}

func scalar(name string) *edwards25519.Scalar {
	hash := sha512.Sum512([]byte(name))
	s, err := edwards25519.NewScalar().SetUniformBytes(hash[:])
	must(err)
	return s
}

func basePoint(s *edwards25519.Scalar) *edwards25519.Point {
	return new(edwards25519.Point).ScalarBaseMult(s)
}

// order is L.
func order() *big.Int {
	l, _ := new(big.Int).SetString("27742317777372353535851937790883648493", 10)
	return l.Add(l, new(big.Int).Lsh(big.NewInt(1), 252))
}

func littleEndian(b []byte) *big.Int {
	b = slices.Clone(b)
	slices.Reverse(b)
	return new(big.Int).SetBytes(b)
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

type rfcVector struct{ name, seed, message, signature string }

// rfc8032 is from RFC 8032, 7.1.
func rfc8032() []rfcVector {
	return []rfcVector{
		{
			"rfc-8032-1",
			"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60", "",
			"e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
		},
		{
			"rfc-8032-2",
			"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb", "72",
			"92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
		},
		{
			"rfc-8032-3",
			"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7", "af82",
			"6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
		},
		{
			"rfc-8032-sha-abc",
			"833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
			"ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
			"dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704",
		},
	}
}
