package codec

import (
	"crypto/sha256"

	"github.com/ipfs/go-cid"
	"github.com/multiformats/go-multihash"

	"github.com/parley-protocol/parley/protocol"
)

// linkSize is the size of every link: version 1, a one-byte codec, and SHA-256
// with its two bytes of header.
const linkSize = 4 + sha256.Size

// Sum is the ID of a block: its CIDv1 with codec dag-cbor and SHA-256.
func Sum(block []byte) cid.Cid {
	digest := sha256.Sum256(block)
	link := [linkSize]byte{1, cid.DagCBOR, multihash.SHA2_256, sha256.Size}
	copy(link[4:], digest[:])
	_, id, err := cid.CidFromBytes(link[:])
	if err != nil {
		panic(err) // the header is a constant
	}
	return id
}

// CheckLink reports whether a CID may be a link: version 1, any codec of one
// byte, SHA-256. The error's code is bad_field.
func CheckLink(id cid.Cid) error {
	if !isLink(id.KeyString()) {
		return protocol.Errorf(protocol.CodeBadField, "", "not a link: want a CIDv1 with SHA-256")
	}
	return nil
}

func isLink(b string) bool {
	return len(b) == linkSize && b[0] == 1 && b[1] < 0x80 && b[2] == multihash.SHA2_256 && b[3] == sha256.Size
}

// parseLink reads the binary form that stands behind a link's zero byte.
func parseLink(b []byte) (cid.Cid, error) {
	if !isLink(string(b)) {
		return cid.Undef, protocol.Errorf(protocol.CodeNotCanonical, "", "not a link: want a CIDv1 with SHA-256")
	}
	id, err := cid.Cast(b)
	if err != nil {
		return cid.Undef, protocol.Errorf(protocol.CodeNotCanonical, "", "not a link: %w", err)
	}
	return id, nil
}
