// Package proof writes records into archives that anybody can check offline, and
// checks them. An archive is a CARv1 file with a manifest block as its root:
//
//	file     = header *section
//	header   = varint(length) DAG-CBOR {"roots": [root], "version": 1}
//	section  = varint(length of CID and block) CID block
//	sections = manifest, then the pages, then the records, in the manifest's order
//
// The manifest of a deal and of a store, in CDDL:
//
//	deal-manifest  = {"parley": 1, "kind": "deal", "deal": deal-key,
//	                  "records": [1*1024 link], ? "agreement": link}
//	store-manifest = {"parley": 1, "kind": "store", "pages": [0*1024 link]}
//	page           = [1*1024 link]
//
// where deal-key is [intent, vendor, round] as in records. Every block is
// listed exactly once and stands in the listed order, so that a reader needs one
// block and the list in memory, and the same records always give the same file.
// The first record of a deal is its intent; the archive of a deal has the records
// of all rounds between the two, and what was said about their agreements since.
// It is pure. Specification: spec/10-archives.md.
package proof

import "github.com/parley-protocol/parley/protocol"

// Limits of archives.
const (
	// MaxList is the most links in a manifest's list or in a page.
	MaxList = 1024
	// MaxArchive is the most that [Read] takes into memory, in bytes. Larger
	// stores are read record by record with a [Reader].
	MaxArchive = 64 << 20

	maxHeader  = 256
	linkSize   = 36
	maxSection = linkSize + protocol.MaxBlockBytes
)
