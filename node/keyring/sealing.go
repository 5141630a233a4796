package keyring

import (
	"bytes"
	"encoding/binary"
	"maps"
	"slices"

	"github.com/parley-protocol/parley/crypto"
	"github.com/parley-protocol/parley/node/keyring/keyfile"
	"github.com/parley-protocol/parley/node/vault"
	"github.com/parley-protocol/parley/protocol"
)

// The content of the sealing file: the sealing seeds, then the deal keys; each a
// uint32 count, then for every one, in the order of the IDs, the ID (16 bytes)
// and the secret (32 bytes). Version 1 ends behind the seeds.
const (
	secretSize = 32
	entrySize  = len(KeyID{}) + secretSize

	// maxSecrets bounds each of the two lists, and so the file, which is rewritten
	// whole: 24 MiB.
	maxSecrets     = 1 << 18
	maxSecretsFile = 2*(4+maxSecrets*int64(entrySize)) + vault.BoxOverhead
)

// Secrets are the keys that can be destroyed, one by one.
type Secrets struct {
	Seeds    map[KeyID]crypto.SealingSeed
	DealKeys map[KeyID]vault.Key
}

func (s Secrets) clone() Secrets {
	c := Secrets{maps.Clone(s.Seeds), maps.Clone(s.DealKeys)}
	if c.Seeds == nil {
		c.Seeds = map[KeyID]crypto.SealingSeed{}
	}
	if c.DealKeys == nil {
		c.DealKeys = map[KeyID]vault.Key{}
	}
	return c
}

func (s Secrets) has(id KeyID) bool {
	_, seed := s.Seeds[id]
	_, key := s.DealKeys[id]
	return seed || key
}

func (s Secrets) remove(id KeyID) (had bool) {
	had = s.has(id)
	delete(s.Seeds, id)
	delete(s.DealKeys, id)
	return had
}

func (s Secrets) clear() {
	clear(s.Seeds)
	clear(s.DealKeys)
}

func (s Secrets) encode() []byte {
	b := make([]byte, 0, 8+(len(s.Seeds)+len(s.DealKeys))*entrySize)
	b = appendSecrets(b, s.Seeds)
	return appendSecrets(b, s.DealKeys)
}

func appendSecrets[S ~[secretSize]byte](b []byte, secrets map[KeyID]S) []byte {
	b = binary.BigEndian.AppendUint32(b, uint32(len(secrets)))
	for _, id := range slices.SortedFunc(maps.Keys(secrets), compareIDs) {
		secret := [secretSize]byte(secrets[id])
		b = append(b, id[:]...)
		b = append(b, secret[:]...)
	}
	return b
}

func compareIDs(a, b KeyID) int { return bytes.Compare(a[:], b[:]) }

// takeSecrets reads one list and returns what stands behind it.
func takeSecrets[S ~[secretSize]byte](b []byte) (secrets map[KeyID]S, rest []byte, err error) {
	if len(b) < 4 {
		return nil, nil, keyfile.ErrContent
	}
	count := int64(binary.BigEndian.Uint32(b))
	if b = b[4:]; count > maxSecrets || int64(len(b)) < count*int64(entrySize) {
		return nil, nil, keyfile.ErrContent
	}
	secrets = make(map[KeyID]S, count)
	list := b[:int(count)*entrySize]
	for entry := range slices.Chunk(list, entrySize) {
		secrets[KeyID(entry)] = S(entry[len(KeyID{}):])
	}
	if len(secrets) != int(count) {
		return nil, nil, keyfile.ErrContent
	}
	return secrets, b[len(list):], nil
}

func decodeSecrets(version uint16, b []byte) (s Secrets, err error) {
	if s.Seeds, b, err = takeSecrets[crypto.SealingSeed](b); err != nil {
		return Secrets{}, err
	}
	if s.DealKeys = map[KeyID]vault.Key{}; version > 1 {
		if s.DealKeys, b, err = takeSecrets[vault.Key](b); err != nil {
			return Secrets{}, err
		}
	}
	if len(b) != 0 {
		return Secrets{}, keyfile.ErrContent
	}
	return s, nil
}

// readSecrets reads the sealing file. It is there since the identity is.
func readSecrets(f sealed) (Secrets, keyfile.Content, error) {
	plain, c, err := f.read()
	if err != nil {
		return Secrets{}, c, err
	}
	defer clear(plain)
	s, err := decodeSecrets(c.Version, plain)
	if err != nil {
		return Secrets{}, c, f.Damaged(err)
	}
	return s, c, nil
}

// writeSecrets rewrites the sealing file and wipes the old one.
func writeSecrets(f sealed, serial uint64, s Secrets) error {
	if len(s.Seeds) > maxSecrets || len(s.DealKeys) > maxSecrets {
		return protocol.Errorf(protocol.CodeOverQuota, "", "the keyring holds %d sealing seeds and as many deal keys at most", maxSecrets)
	}
	content := s.encode()
	defer clear(content)
	return f.write(serial, content)
}
