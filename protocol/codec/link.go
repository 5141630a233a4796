package codec

import (
	"crypto/sha256"
	"slices"

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

// Links lists the links in a block that [Decode] takes, in the order of its
// bytes, each once. It decodes nothing else. Of any other block it gives what
// stands before the first thing that can't be read.
func Links(block []byte) []cid.Cid {
	w := linkWalker{block: block}
	w.walk()
	return w.links
}

// linkWalker walks the heads of a block for its links.
type linkWalker struct {
	block []byte
	links []cid.Cid
	seen  map[cid.Cid]struct{} // once there are many
}

// walk counts the values that are still to come instead of entering them, so
// depth needs no bound.
func (w *linkWalker) walk() {
	heads := walker{block: w.block}
	for left := uint64(1); left > 0; left-- {
		major, argument, err := heads.head()
		if err != nil {
			return
		}
		rest := uint64(len(w.block) - heads.at)
		switch major {
		case majorBytes, majorText:
			if argument > rest {
				return
			}
			heads.at += int(argument)
		case majorArray, majorMap:
			if argument > rest {
				return
			}
			if major == majorMap {
				argument *= 2
			}
			left += argument
		case majorTag:
			left++
			const head = 2 // of the bytes: 0x58 and their number, then a zero byte
			if argument == linkTag && rest >= head+1+linkSize {
				if id, err := parseLink(w.block[heads.at+head+1:][:linkSize]); err == nil {
					w.add(id)
				}
			}
		}
	}
}

// add notes a link, unless it is there already.
func (w *linkWalker) add(id cid.Cid) {
	const few = 8
	if len(w.links) < few {
		if !slices.Contains(w.links, id) {
			w.links = append(w.links, id)
		}
		return
	}
	if w.seen == nil {
		w.seen = make(map[cid.Cid]struct{}, 2*few)
		for _, link := range w.links {
			w.seen[link] = struct{}{}
		}
	}
	if _, twice := w.seen[id]; !twice {
		w.seen[id] = struct{}{}
		w.links = append(w.links, id)
	}
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
