package keyring

import (
	"bytes"
	"testing"

	"github.com/parley-protocol/parley/crypto"
	"github.com/parley-protocol/parley/node/vault"
	"github.com/parley-protocol/parley/spec/vectors/fuzzing"
)

// Whatever a file holds is read as what it would be written as, or refused. The
// frame around it has a fuzz target of its own (keyfile).

func FuzzIdentity(f *testing.F) {
	phrase, err := crypto.NewPhrase()
	if err != nil {
		f.Fatal(err)
	}
	whole := NewIdentity(phrase.Root(), 7, 0).encode()
	f.Add(whole)
	f.Add(whole[:len(whole)-1])
	f.Fuzz(func(t *testing.T, data []byte) {
		var id *Identity
		fuzzing.Bounded(t, len(data), func() { id, _ = decodeIdentity(data) })
		if id != nil && !bytes.Equal(id.encode(), data) {
			t.Fatalf("%x is read as another identity", data)
		}
	})
}

func FuzzSecrets(f *testing.F) {
	one := Secrets{Seeds: map[KeyID]crypto.SealingSeed{{1}: {2}, {3}: {4}}, DealKeys: map[KeyID]vault.Key{{5}: {6}}}.encode()
	f.Add(Secrets{}.encode(), uint16(2))
	f.Add(one, uint16(2))
	f.Add(one[:len(one)-4-entrySize], uint16(1))
	f.Add(append(bytes.Clone(one), one[4:]...), uint16(2))
	f.Add([]byte{0, 1, 0, 0}, uint16(2))
	f.Add([]byte{0xff, 0xff, 0xff, 0xff}, uint16(1))
	f.Fuzz(func(t *testing.T, data []byte, version uint16) {
		var s Secrets
		var err error
		fuzzing.Bounded(t, len(data), func() { s, err = decodeSecrets(version, data) })
		if err != nil {
			return
		}
		again := s.encode()
		if version <= 1 {
			again = again[:len(again)-4]
		}
		if len(again) != len(data) { // the order may be another
			t.Fatalf("%d seeds and %d keys of %d bytes", len(s.Seeds), len(s.DealKeys), len(data))
		}
		for id, seed := range s.Seeds {
			if !bytes.Contains(data, append(id[:], seed[:]...)) {
				t.Fatalf("a seed that isn't in %x", data)
			}
		}
	})
}
