package store

import (
	"bytes"
	"context"
	"strings"

	"github.com/dgraph-io/badger/v4"
	"github.com/ipfs/go-cid"

	"github.com/parley-protocol/parley/protocol"
)

// idTextLen is the length of a record's ID as text: "b" and 58 characters of base32.
const idTextLen = 59

// Resolve finds the one record whose ID, as text, begins with prefix. The codes
// are "not_found", "ambiguous", and "usage" for what no ID begins with.
func (s *Store) Resolve(ctx context.Context, prefix string) (cid.Cid, error) {
	end, err := s.begin(ctx)
	if err != nil {
		return cid.Undef, err
	}
	defer end()
	low, high, ok := textRange(strings.ToLower(prefix))
	if !ok {
		return cid.Undef, protocol.Errorf(protocol.CodeUsage, "", "%.64q is not the beginning of an ID", prefix)
	}
	var found []digest
	err = s.view(func(txn *badger.Txn) error {
		if bytes.Compare(low[:4], idPrefix[:]) > 0 || bytes.Compare(high[:4], idPrefix[:]) < 0 {
			return nil
		}
		first, last := rowKey(digest{}), rowKey(digest(bytes.Repeat([]byte{0xff}, digestLen)))
		if [4]byte(low[:4]) == idPrefix {
			copy(first[1:], low[4:])
		}
		if [4]byte(high[:4]) == idPrefix {
			copy(last[1:], high[4:])
		}
		it := txn.NewIterator(keysOnly([]byte{kindRow}, false))
		defer it.Close()
		for it.Seek(first); it.Valid() && len(found) < 2; it.Next() {
			key := it.Item().Key()
			if bytes.Compare(key, last) > 0 {
				break
			}
			found = append(found, digest(key[1:]))
		}
		return nil
	})
	switch {
	case err != nil:
		return cid.Undef, err
	case len(found) == 0:
		return cid.Undef, protocol.Errorf(protocol.CodeNotFound, "", "no record's ID begins with %q", prefix)
	case len(found) > 1:
		return cid.Undef, protocol.Errorf(protocol.CodeAmbiguous, "", "several records' IDs begin with %q", prefix)
	}
	return found[0].id(), nil
}

// textRange gives the smallest and the greatest ID, as bytes, whose text begins
// with prefix. A character is 5 bits.
func textRange(prefix string) (low, high [len(idPrefix) + digestLen]byte, ok bool) {
	const alphabet = "abcdefghijklmnopqrstuvwxyz234567"
	if prefix == "" || prefix[0] != 'b' || len(prefix) > idTextLen {
		return low, high, false
	}
	for i := range high {
		high[i] = 0xff
	}
	for i, c := range []byte(prefix[1:]) {
		v := strings.IndexByte(alphabet, c)
		if v < 0 {
			return low, high, false
		}
		for bit := range 5 {
			at := i*5 + bit
			set := v>>(4-bit)&1 == 1
			if at >= len(low)*8 {
				if set {
					return low, high, false // the text's last bits are always zero
				}
				continue
			}
			if mask := byte(0x80 >> (at % 8)); set {
				low[at/8] |= mask
			} else {
				high[at/8] &^= mask
			}
		}
	}
	return low, high, true
}
