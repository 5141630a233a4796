package keyring

import (
	"bytes"
	"encoding/binary"
	"maps"
	"slices"

	"github.com/parley-protocol/parley/crypto"
	"github.com/parley-protocol/parley/node/ledger/disk"
	"github.com/parley-protocol/parley/protocol"
)

// The content of the sealing file: uint32 count, then for every seed, in the
// order of the IDs, the ID (16 bytes) and the seed (32 bytes).
const (
	seedEntrySize = len(KeyID{}) + crypto.SeedSize

	// maxSeeds bounds the file, which is rewritten whole: 3 MiB.
	maxSeeds = 1 << 16
)

func encodeSeeds(seeds map[KeyID]crypto.SealingSeed) []byte {
	b := make([]byte, 0, 4+len(seeds)*seedEntrySize)
	b = binary.BigEndian.AppendUint32(b, uint32(len(seeds)))
	for _, id := range slices.SortedFunc(maps.Keys(seeds), compareIDs) {
		seed := seeds[id]
		b = append(b, id[:]...)
		b = append(b, seed[:]...)
	}
	return b
}

func compareIDs(a, b KeyID) int { return bytes.Compare(a[:], b[:]) }

func decodeSeeds(b []byte) (map[KeyID]crypto.SealingSeed, error) {
	if len(b) < 4 {
		return nil, errContent
	}
	count := int(binary.BigEndian.Uint32(b))
	if b = b[4:]; count > maxSeeds || len(b) != count*seedEntrySize {
		return nil, errContent
	}
	seeds := make(map[KeyID]crypto.SealingSeed, count)
	for entry := range slices.Chunk(b, seedEntrySize) {
		seeds[KeyID(entry)] = crypto.SealingSeed(entry[len(KeyID{}):])
	}
	if len(seeds) != count {
		return nil, errContent
	}
	return seeds, nil
}

// readSeeds reads the sealing file. It is there since the identity is.
func readSeeds(fsys FS, dir string) (map[KeyID]crypto.SealingSeed, error) {
	path := sealingPath(dir)
	there, err := disk.Exists(fsys, path)
	if err != nil {
		return nil, diskError(err, path+" can't be looked at")
	}
	if !there {
		return nil, fileError(path, errMissing)
	}
	content, err := read(fsys, path, sealingMagic, int64(envelopeOverhead+4+maxSeeds*seedEntrySize))
	if err != nil {
		return nil, err
	}
	defer clear(content)
	seeds, err := decodeSeeds(content)
	if err != nil {
		return nil, fileError(path, err)
	}
	return seeds, nil
}

// writeSeeds rewrites the sealing file and wipes the old one.
func writeSeeds(fsys FS, dir string, seeds map[KeyID]crypto.SealingSeed) error {
	if len(seeds) > maxSeeds {
		return protocol.Errorf(protocol.CodeOverQuota, "", "the keyring holds %d sealing seeds at most", maxSeeds)
	}
	content := encodeSeeds(seeds)
	defer clear(content)
	data := wrap(sealingMagic, content)
	defer clear(data)
	if err := disk.ReplaceAndWipe(fsys, sealingPath(dir), data, 0o600, "keyring/sealing"); err != nil {
		return diskError(err, sealingPath(dir)+" can't be written")
	}
	return nil
}
