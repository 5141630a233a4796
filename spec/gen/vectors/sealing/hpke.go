package main

import (
	"crypto/ecdh"
	"crypto/hkdf"
	"crypto/hpke"
	"crypto/mlkem"
	"crypto/mlkem/mlkemtest"
	"crypto/sha256"
	"crypto/sha3"
	"encoding/binary"

	"golang.org/x/crypto/chacha20poly1305"

	"github.com/parley-protocol/parley/spec/gen/vectors/kit"
)

// Sealing draws random bytes, and vectors may not. So what is random is given
// here, and the steps of RFC 9180 and draft-ietf-hpke-pq that lead from it to
// the envelope are written out, for base mode and single shot alone.

// The algorithms' numbers, of the KEMs by suite.
var kems = map[byte]uint16{1: 0x0020, 2: 0x647a}

const (
	kdfHKDFSHA256        = 0x0001
	aeadChaCha20Poly1305 = 0x0003
)

// sealed is how one envelope comes about.
type sealed struct {
	version, suite byte
	recipient      []byte // public key
	infoSuite      byte   // in info; suite if it's right
	infoKey        []byte // whose hash is in info; recipient if it's right
	label          string
	ephemeral      []byte // input of the ephemeral key's DeriveKeyPair; of suite 2 also m ‖ e
	point, dh      []byte // of suite 2, if set: the X25519 half of enc, and what it gives
	plaintext      []byte
	associated     []byte // none if it's right
}

// seal makes an envelope by the rules, from a plaintext that may break them.
func seal(suite byte, recipient, ephemeral, plaintext []byte) sealed {
	return sealed{version: 1, suite: suite, recipient: recipient, infoSuite: suite, infoKey: recipient,
		label: "parley/1/seal", ephemeral: ephemeral, plaintext: plaintext}
}

// pad puts a payload into the smallest size class.
func pad(payload []byte) []byte {
	class := 1024
	for class < 4+len(payload) {
		class *= 2
	}
	return padTo(payload, class)
}

func padTo(payload []byte, class int) []byte {
	plaintext := make([]byte, class)
	binary.BigEndian.PutUint32(plaintext, uint32(len(payload)))
	copy(plaintext[4:], payload)
	return plaintext
}

// envelope is the bytes.
func (s sealed) envelope() []byte {
	shared, enc := s.encapsulate()
	info := kit.Join([]byte(s.label), []byte{0, s.infoSuite}, kit.Sum(s.infoKey))
	return kit.Join([]byte{s.version, s.suite}, enc, encrypt(s.suite, shared, info, s.plaintext, s.associated))
}

// encrypt is KeySchedule and the first Seal of RFC 9180, 5.1 and 5.2.
func encrypt(suite byte, shared, info, plaintext, associated []byte) []byte {
	id := binary.BigEndian.AppendUint16([]byte("HPKE"), kems[suite])
	id = binary.BigEndian.AppendUint16(id, kdfHKDFSHA256)
	id = binary.BigEndian.AppendUint16(id, aeadChaCha20Poly1305)
	context := kit.Join([]byte{0}, labeledExtract(id, nil, "psk_id_hash", nil), labeledExtract(id, nil, "info_hash", info))
	secret := labeledExtract(id, shared, "secret", nil)
	aead, err := chacha20poly1305.New(labeledExpand(id, secret, "key", context, chacha20poly1305.KeySize))
	must(err)
	return aead.Seal(nil, labeledExpand(id, secret, "base_nonce", context, chacha20poly1305.NonceSize), plaintext, associated)
}

// encapsulate is the KEM of a suite with a given ephemeral key.
func (s sealed) encapsulate() (shared, enc []byte) {
	recipient := s.recipient
	if s.suite == 1 {
		key := x25519(s.ephemeral)
		public, err := ecdh.X25519().NewPublicKey(recipient)
		must(err)
		dh, err := key.ECDH(public)
		must(err)
		enc = key.PublicKey().Bytes()
		id := binary.BigEndian.AppendUint16([]byte("KEM"), kems[1])
		prk := labeledExtract(id, nil, "eae_prk", dh)
		return labeledExpand(id, prk, "shared_secret", kit.Join(enc, recipient), 32), enc
	}
	const pqSize = mlkem.EncapsulationKeySize768
	pq, err := mlkem.NewEncapsulationKey768(recipient[:pqSize])
	must(err)
	m, key := kit.Sum(s.ephemeral), x25519(s.ephemeral)
	if len(s.ephemeral) == 64 {
		m = s.ephemeral[:32]
		key, err = ecdh.X25519().NewPrivateKey(s.ephemeral[32:])
		must(err)
	}
	pqShared, pqEnc, err := mlkemtest.Encapsulate768(pq, m)
	must(err)
	public, err := ecdh.X25519().NewPublicKey(recipient[pqSize:])
	must(err)
	dh, err := key.ECDH(public)
	must(err)
	traditional := key.PublicKey().Bytes()
	if s.point != nil {
		traditional, dh = s.point, s.dh
	}
	all := sha3.Sum256(kit.Join(pqShared, dh, traditional, recipient[pqSize:], []byte(`\.//^\`)))
	return all[:], kit.Join(pqEnc, traditional)
}

// x25519 is DeriveKeyPair of DHKEM(X25519, HKDF-SHA256).
func x25519(ikm []byte) *ecdh.PrivateKey {
	id := binary.BigEndian.AppendUint16([]byte("KEM"), kems[1])
	key, err := ecdh.X25519().NewPrivateKey(labeledExpand(id, labeledExtract(id, nil, "dkp_prk", ikm), "sk", nil, 32))
	must(err)
	return key
}

func labeledExtract(id, salt []byte, label string, ikm []byte) []byte {
	key, err := hkdf.Extract(sha256.New, kit.Join([]byte("HPKE-v1"), id, []byte(label), ikm), salt)
	must(err)
	return key
}

func labeledExpand(id, key []byte, label string, info []byte, n int) []byte {
	full := kit.Join(binary.BigEndian.AppendUint16(nil, uint16(n)), []byte("HPKE-v1"), id, []byte(label), info)
	out, err := hkdf.Expand(sha256.New, key, string(full), n)
	must(err)
	return out
}

// keys is what comes from a sealing seed.
type keys struct{ ikm, private, public []byte }

func keysOf(seed []byte, suite byte) keys {
	ikm := derive(seed, "parley/1/sealing-key\x00"+string(rune(suite)))
	if suite == 1 {
		key := x25519(ikm)
		return keys{ikm, key.Bytes(), key.PublicKey().Bytes()}
	}
	key, err := hpke.MLKEM768X25519().DeriveKeyPair(ikm)
	must(err)
	private, err := key.Bytes()
	must(err)
	return keys{ikm, private, key.PublicKey().Bytes()}
}

func derive(seed []byte, info string) []byte {
	key, err := hkdf.Key(sha256.New, seed, nil, info, 32)
	must(err)
	return key
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
