package keyring

import (
	"bytes"
	"testing"

	"github.com/parley-protocol/parley/crypto"
	"github.com/parley-protocol/parley/spec/vectors/fuzzing"
)

// Whatever a file holds, with a right checksum or without, is read as what it
// would be written as, or refused.

func FuzzIdentity(f *testing.F) {
	phrase, err := crypto.NewPhrase()
	if err != nil {
		f.Fatal(err)
	}
	whole := newIdentity(phrase.Root(), 7).encode()
	f.Add(whole, true)
	f.Add(whole[:len(whole)-1], true)
	f.Add(wrap(identityMagic, whole), false)
	f.Add(wrap(sealingMagic, whole), false)
	f.Fuzz(func(t *testing.T, data []byte, frame bool) {
		if frame {
			data = wrap(identityMagic, data)
		}
		var id *Identity
		fuzzing.Bounded(t, len(data), func() {
			id = nil
			if content, err := unwrap(identityMagic, data); err == nil {
				id, _ = decodeIdentity(content)
			}
		})
		if id != nil && !bytes.Equal(wrap(identityMagic, id.encode()), data) {
			t.Fatalf("%x is read as another identity", data)
		}
	})
}

func FuzzSeeds(f *testing.F) {
	whole := encodeSeeds(map[KeyID]crypto.SealingSeed{{1}: {2}, {3}: {4}})
	f.Add(encodeSeeds(nil), true)
	f.Add(whole, true)
	f.Add(append(bytes.Clone(whole), whole[4:]...), true)
	f.Add([]byte{0, 1, 0, 0}, true)
	f.Add([]byte{0xff, 0xff, 0xff, 0xff}, true)
	f.Add(wrap(sealingMagic, whole), false)
	f.Fuzz(func(t *testing.T, data []byte, frame bool) {
		if frame {
			data = wrap(sealingMagic, data)
		}
		var seeds map[KeyID]crypto.SealingSeed
		fuzzing.Bounded(t, len(data), func() {
			seeds = nil
			if content, err := unwrap(sealingMagic, data); err == nil {
				seeds, _ = decodeSeeds(content)
			}
		})
		if seeds == nil {
			return
		}
		again := encodeSeeds(seeds)
		if len(again) != len(data)-envelopeOverhead {
			t.Fatalf("%d seeds of %d bytes", len(seeds), len(data))
		}
		for id, seed := range seeds {
			if !bytes.Contains(data, append(id[:], seed[:]...)) {
				t.Fatalf("a seed that isn't in %x", data)
			}
		}
	})
}
