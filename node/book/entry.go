package book

import (
	"fmt"

	"github.com/ipfs/go-cid"

	"github.com/parley-protocol/parley/crypto"
	"github.com/parley-protocol/parley/node/keyring"
	"github.com/parley-protocol/parley/protocol/codec"
	"github.com/parley-protocol/parley/protocol/record"
)

// The kinds of ledger entries. They are written to disk: never rename one.
const (
	kindRecord     = "record"
	kindReceipt    = "receipt"
	kindSetting    = "setting"
	kindRecovering = "recovering"
	kindErased     = "erased"
)

// entry is one payload of the ledger, a DAG-CBOR map.
type entry struct {
	kind    string
	dealKey keyring.KeyID // it is sealed under that deal key, zero: under the home's

	// kindRecord
	rec  *record.Record
	own  bool          // this node signed it
	seed keyring.KeyID // the sealing seed behind the record's replyTo, zero when none
	to   []crypto.DID  // sellers to whom an own record is sealed, when no deal says so

	reply *record.ReplyTo // where its recipient wants it, when nothing else in the book tells

	topic cid.Cid // the intent that a record is written down for; not stored
	// found: an own intent that the book had lost, or never had, and that came
	// from outside
	found bool

	// kindReceipt: the recipient has this record on its disk; lost: it had, and
	// asks for it again
	receipt Delivery
	lost    bool

	// kindRecovering: from here on, what was signed on this intent, or on all that
	// are known and older when it is undefined, may be incomplete
	intent cid.Cid
	why    Why
	at     int64

	// kindSetting: an empty value takes the setting back
	key, value string

	// kindErased
	tombstone Tombstone
}

// kept is what the book remembers of a record's entry, for as long as it is open.
type kept struct {
	rec     *record.Record
	own     bool
	dealKey keyring.KeyID
	seed    keyring.KeyID
	to      []crypto.DID
	reply   *record.ReplyTo
}

func (e entry) kept() kept { return kept{e.rec, e.own, e.dealKey, e.seed, e.to, e.reply} }

func (e entry) encode() ([]byte, error) {
	m := map[string]any{"kind": e.kind}
	switch e.kind {
	case kindRecord:
		m["raw"] = e.rec.Raw()
		m["own"] = e.own
		if e.seed != (keyring.KeyID{}) {
			m["seed"] = e.seed[:]
		}
		if len(e.to) > 0 {
			to := make([]any, len(e.to))
			for i, did := range e.to {
				to[i] = string(did)
			}
			m["to"] = to
		}
		if e.found {
			m["found"] = true
		}
		if e.reply != nil {
			m["reply"] = encodeAddress(e.reply)
		}
	case kindReceipt:
		m["record"], m["by"] = e.receipt.Record, string(e.receipt.To)
		if e.lost {
			m["lost"] = true
		}
	case kindRecovering:
		m["why"], m["at"] = string(e.why), e.at
		if e.intent.Defined() {
			m["intent"] = e.intent
		}
	case kindSetting:
		m["key"], m["value"] = e.key, e.value
	case kindErased:
		e.tombstone.encode(m)
	}
	return codec.Message().Encode(m)
}

// decodeEntry reads an entry in clear.
func decodeEntry(payload []byte) (e entry, err error) {
	m, err := decodeMap(payload)
	if err != nil {
		return entry{}, err
	}
	e.kind, _ = m["kind"].(string)
	switch e.kind {
	case kindRecord:
		raw, _ := m["raw"].([]byte)
		// The ledger's checksums cover these bytes, and the signature was
		// verified before they were written.
		if e.rec, err = record.ParseUnverified(raw); err != nil {
			return entry{}, fmt.Errorf("ledger entry holds no record: %w", err)
		}
		e.own, _ = m["own"].(bool)
		seed, _ := m["seed"].([]byte)
		copy(e.seed[:], seed)
		to, _ := m["to"].([]any)
		for _, did := range to {
			s, _ := did.(string)
			e.to = append(e.to, crypto.DID(s))
		}
		e.found, _ = m["found"].(bool)
		if at, ok := m["reply"].(map[string]any); ok {
			e.reply = decodeAddress(at)
		}
	case kindErased:
		if e.tombstone, err = decodeTombstone(m); err != nil {
			return entry{}, err
		}
	case kindReceipt:
		by, _ := m["by"].(string)
		e.receipt.To = crypto.DID(by)
		var ok bool
		if e.receipt.Record, ok = m["record"].(cid.Cid); !ok {
			return entry{}, fmt.Errorf("ledger entry: a receipt names no record")
		}
		e.lost, _ = m["lost"].(bool)
	case kindRecovering:
		why, _ := m["why"].(string)
		e.why = Why(why)
		e.at, _ = m["at"].(int64)
		e.intent, _ = m["intent"].(cid.Cid)
	case kindSetting:
		e.key, _ = m["key"].(string)
		e.value, _ = m["value"].(string)
	default:
		return entry{}, fmt.Errorf("ledger entry of an unknown kind %q: it was written by a newer program", e.kind)
	}
	return e, nil
}

func decodeMap(payload []byte) (map[string]any, error) {
	v, err := codec.Message().Decode(payload)
	if err != nil {
		return nil, err
	}
	m, ok := v.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("ledger entry is not a map")
	}
	return m, nil
}
