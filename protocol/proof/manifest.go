package proof

import (
	"github.com/ipfs/go-cid"

	"github.com/parley-protocol/parley/crypto"
	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/codec"
	"github.com/parley-protocol/parley/protocol/record"
)

// Kind is what an archive holds.
type Kind string

// The kinds of archives.
const (
	KindDeal  Kind = "deal"  // the records of one deal: the default
	KindStore Kind = "store" // all records of a node: links all of a person's requests
)

// Manifest is an archive's table of contents, its root block.
type Manifest struct {
	Kind      Kind
	Deal      record.DealKey // of a deal
	Agreement cid.Cid        // of a deal: what the writer holds to be the agreement; undefined for none
	Records   []cid.Cid      // of a deal
	Pages     []cid.Cid      // of a store: blocks that list its records
}

// manifestVersion is the value of the key "parley".
const manifestVersion = 1

// encode is the manifest's block.
func (m *Manifest) encode() ([]byte, error) {
	entries := map[string]any{"parley": int64(manifestVersion), "kind": string(m.Kind)}
	switch m.Kind {
	case KindDeal:
		entries["deal"] = []any{m.Deal.Intent, string(m.Deal.Vendor), m.Deal.Round}
		entries["records"] = encodeLinks(m.Records)
		if m.Agreement.Defined() {
			entries["agreement"] = m.Agreement
		}
	case KindStore:
		entries["pages"] = encodeLinks(m.Pages)
	}
	return codec.Encode(entries)
}

func encodeLinks(links []cid.Cid) []any {
	list := make([]any, len(links))
	for i, link := range links {
		list[i] = link
	}
	return list
}

// decodeManifest reads a root block.
func decodeManifest(block []byte) (*Manifest, error) {
	value, err := codec.Decode(block)
	if err != nil {
		return nil, err
	}
	entries, ok := value.(map[string]any)
	if !ok || entries["parley"] == nil {
		return nil, protocol.Errorf(protocol.CodeUnsupportedFormat, "", "the archive's root is not a manifest of Parley")
	}
	if entries["parley"] != int64(manifestVersion) {
		return nil, protocol.Errorf(protocol.CodeUnsupportedVersion, "parley", "the manifest has version %v; %d is known", entries["parley"], manifestVersion)
	}
	m := new(Manifest)
	kind, _ := entries["kind"].(string)
	m.Kind = Kind(kind)
	keys := map[string]bool{"parley": true, "kind": true}
	switch m.Kind {
	case KindDeal:
		keys["deal"], keys["records"], keys["agreement"] = true, true, true
		if err := requireKeys(entries, "deal", "records"); err != nil {
			return nil, err
		}
		if m.Deal, err = decodeDealKey(entries["deal"]); err != nil {
			return nil, err
		}
		if m.Records, err = decodeLinks("records", entries["records"], 1); err != nil {
			return nil, err
		}
		if m.Records[0] != m.Deal.Intent {
			return nil, protocol.Errorf(protocol.CodeBadField, "records", "the first record of a deal must be its intent")
		}
		if agreement, found := entries["agreement"]; found {
			if m.Agreement, ok = agreement.(cid.Cid); !ok {
				return nil, protocol.Errorf(protocol.CodeBadField, "agreement", "not a link")
			}
		}
	case KindStore:
		keys["pages"] = true
		if err := requireKeys(entries, "pages"); err != nil {
			return nil, err
		}
		if m.Pages, err = decodeLinks("pages", entries["pages"], 0); err != nil {
			return nil, err
		}
	default:
		return nil, protocol.Errorf(protocol.CodeUnsupportedFormat, "kind", "an archive of kind %q is not known", kind)
	}
	for _, key := range codec.SortedKeys(entries) {
		if !keys[key] {
			return nil, protocol.Errorf(protocol.CodeUnknownField, key, "a manifest of kind %s has no such field", kind)
		}
	}
	return m, nil
}

// requireKeys refuses a manifest without one of the keys.
func requireKeys(entries map[string]any, keys ...string) error {
	for _, key := range keys {
		if _, there := entries[key]; !there {
			return protocol.Errorf(protocol.CodeMissingField, key, "a manifest of this kind has it")
		}
	}
	return nil
}

func decodeDealKey(value any) (key record.DealKey, err error) {
	list, _ := value.([]any)
	if len(list) == 3 {
		intent, okIntent := list[0].(cid.Cid)
		vendor, okVendor := list[1].(string)
		round, okRound := list[2].(int64)
		if _, err := crypto.ParseDID(vendor); okIntent && okVendor && okRound && err == nil && round >= 1 && round <= protocol.MaxRound {
			return record.DealKey{Intent: intent, Vendor: crypto.DID(vendor), Round: round}, nil
		}
	}
	return key, protocol.Errorf(protocol.CodeBadField, "deal", "want [intent, vendor, round]")
}

// decodeLinks reads a list of at least min links to records or pages, no two
// alike.
func decodeLinks(field string, value any, min int) ([]cid.Cid, error) {
	list, ok := value.([]any)
	if !ok || len(list) < min || len(list) > MaxList {
		return nil, protocol.Errorf(protocol.CodeBadField, field, "want a list of %d to %d links", min, MaxList)
	}
	links := make([]cid.Cid, len(list))
	seen := make(map[cid.Cid]bool, len(list))
	for i, value := range list {
		link, ok := value.(cid.Cid)
		if !ok || link.Prefix().Codec != cid.DagCBOR {
			return nil, protocol.Errorf(protocol.CodeBadField, field, "entry %d is not a link to a DAG-CBOR block", i)
		}
		if seen[link] {
			return nil, protocol.Errorf(protocol.CodeDuplicate, field, "%s is listed twice", link)
		}
		seen[link], links[i] = true, link
	}
	return links, nil
}
