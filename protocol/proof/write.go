package proof

import (
	"encoding/binary"
	"io"
	"iter"
	"slices"

	"github.com/ipfs/go-cid"

	"github.com/parley-protocol/parley/crypto"
	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/codec"
	"github.com/parley-protocol/parley/protocol/deal"
	"github.com/parley-protocol/parley/protocol/record"
)

// WriteDeal writes the proof of what one customer key and one vendor have agreed
// on one intent: the intent, the records of all their rounds, the follow-up
// records about these, and the terms that all of them cite, as far as recs has
// them. Order and repetitions of recs don't matter: the same records give the
// same bytes. It returns the archive's root.
//
// The manifest names the round whose agreement is in force, the last one if
// there are several; without any, the last round that has a record.
//
// A record of another deal, or one that neither belongs here nor is cited by
// one that does, is refused with [protocol.CodeDealMismatch]: a proof shows no
// more than it must. What neither side has signed, or the wrong one, is left
// out. Without any record of a deal the code is [protocol.CodeMissingRecord],
// with too many [protocol.CodeTooLarge].
func WriteDeal(w io.Writer, intent *record.Record, recs []*record.Record) (cid.Cid, error) {
	members, vendor, err := dealMembers(intent, recs)
	if err != nil {
		return cid.Undef, err
	}
	rounds, err := deal.FoldRounds(intent, vendor, members, deal.Options{})
	if err != nil {
		return cid.Undef, err
	}
	state := subject(rounds)
	manifest := Manifest{Kind: KindDeal, Deal: state.Key, Agreement: state.Agreement}
	all := append([]*record.Record{intent}, members...)
	if len(all) > MaxList {
		return cid.Undef, protocol.Errorf(protocol.CodeTooLarge, "records", "the deal has %d records; an archive takes %d", len(all), MaxList)
	}
	for _, r := range all {
		manifest.Records = append(manifest.Records, r.ID())
	}
	block, err := manifest.encode()
	if err != nil {
		return cid.Undef, err
	}
	root := codec.Sum(block)
	out := carWriter{w: w}
	out.header(root)
	out.section(root, block)
	for _, r := range all {
		out.section(r.ID(), r.Raw())
	}
	return root, out.err
}

// subject is the round that an archive is about: the last whose agreement is in
// force, else the last. There is at least one.
func subject(rounds deal.Rounds) deal.State {
	if inForce := rounds.InForce(); len(inForce) > 0 {
		rounds = inForce
	}
	return rounds[len(rounds)-1]
}

// dealMembers sorts what belongs into the proof behind the intent: by time, then
// ID, each once.
func dealMembers(intent *record.Record, recs []*record.Record) ([]*record.Record, crypto.DID, error) {
	var vendor crypto.DID
	var members []*record.Record
	found := false
	cited := make(map[cid.Cid]bool)
	note := func(r *record.Record) {
		for _, link := range r.Links() {
			cited[link] = true
		}
	}
	note(intent)
	for _, r := range recs {
		key, ok := about(r)
		if !ok {
			continue
		}
		if vendor == "" {
			vendor = key.Vendor
		}
		if key.Vendor != vendor || key.Intent != intent.ID() {
			return nil, vendor, protocol.Errorf(protocol.CodeDealMismatch, "records", "%s belongs to another deal", r.ID())
		}
		if !speaks(r, key, intent.Header().By) {
			continue
		}
		if _, ok := r.Deal(); ok {
			found = true
		}
		members = append(members, r)
		note(r)
	}
	if !found {
		return nil, vendor, protocol.Errorf(protocol.CodeMissingRecord, "records", "there is no record of a deal on this request")
	}
	for _, r := range recs {
		if _, ok := about(r); ok || r.ID() == intent.ID() {
			continue
		}
		if !cited[r.ID()] {
			return nil, vendor, protocol.Errorf(protocol.CodeDealMismatch, "records", "%s is not part of the deal and not cited in it", r.ID())
		}
		members = append(members, r)
	}
	slices.SortFunc(members, inOrder)
	members = slices.CompactFunc(members, func(a, b *record.Record) bool { return a.ID() == b.ID() })
	return members, vendor, nil
}

// about is the deal that a record is of or, for a follow-up record, about.
func about(r *record.Record) (record.DealKey, bool) {
	if subject, ok := r.FollowsUp(); ok {
		return subject.Deal, true
	}
	return r.Deal()
}

// speaks reports whether the record's author is the side that may sign such a
// record of the deal or about it.
func speaks(r *record.Record, key record.DealKey, customer crypto.DID) bool {
	by := r.Header().By
	switch r.Body().(type) {
	case *record.Offer, *record.Confirmation, *record.Void, *record.Restored, *record.TermsCounter, *record.Receipt:
		return by == key.Vendor
	case *record.OrderEvent, *record.Outcome:
		return by == key.Vendor || by == customer
	default:
		return by == customer
	}
}

// inOrder sorts by time, then ID.
func inOrder(a, b *record.Record) int {
	if a.Header().At != b.Header().At {
		if a.Header().At < b.Header().At {
			return -1
		}
		return 1
	}
	return compareIDs(a.ID(), b.ID())
}

func compareIDs(a, b cid.Cid) int {
	switch as, bs := a.KeyString(), b.KeyString(); {
	case as < bs:
		return -1
	case as > bs:
		return 1
	}
	return 0
}

// WriteStore writes all records of a node, in the order of the sequence, each
// once. The sequence is gone through twice, first for the IDs and then for the
// blocks, and must be the same both times; memory is needed for the IDs alone. It
// returns the archive's root.
//
// A sequence that changed in between is refused with [protocol.CodeInternal],
// one of more than MaxList² records with [protocol.CodeTooLarge]; what was
// written before that must be thrown away.
func WriteStore(w io.Writer, recs iter.Seq2[*record.Record, error]) (cid.Cid, error) {
	ids, err := listIDs(recs)
	if err != nil {
		return cid.Undef, err
	}
	manifest := Manifest{Kind: KindStore}
	var pages [][]byte
	for chunk := range slices.Chunk(ids, MaxList) {
		page, err := codec.Encode(encodeLinks(chunk))
		if err != nil {
			return cid.Undef, err
		}
		pages = append(pages, page)
		manifest.Pages = append(manifest.Pages, codec.Sum(page))
	}
	if len(pages) > MaxList {
		return cid.Undef, protocol.Errorf(protocol.CodeTooLarge, "pages", "the store has %d records; an archive takes %d", len(ids), MaxList*MaxList)
	}
	block, err := manifest.encode()
	if err != nil {
		return cid.Undef, err
	}
	root := codec.Sum(block)
	out := carWriter{w: w}
	out.header(root)
	out.section(root, block)
	for i, page := range pages {
		out.section(manifest.Pages[i], page)
	}
	if err := writeRecords(&out, recs, ids); err != nil {
		return cid.Undef, err
	}
	return root, nil
}

// listIDs is the IDs of a sequence, each once.
func listIDs(recs iter.Seq2[*record.Record, error]) ([]cid.Cid, error) {
	var ids []cid.Cid
	seen := make(map[cid.Cid]bool)
	for r, err := range recs {
		if err != nil {
			return nil, err
		}
		if !seen[r.ID()] {
			seen[r.ID()] = true
			ids = append(ids, r.ID())
		}
	}
	return ids, nil
}

// writeRecords writes the records whose IDs were listed, in that order.
func writeRecords(out *carWriter, recs iter.Seq2[*record.Record, error], ids []cid.Cid) error {
	written := make(map[cid.Cid]bool, len(ids))
	for r, err := range recs {
		switch {
		case err != nil:
			return err
		case written[r.ID()]:
			continue
		case len(written) == len(ids) || ids[len(written)] != r.ID():
			return protocol.Errorf(protocol.CodeInternal, "records", "the store changed while it was written: %s", r.ID())
		}
		written[r.ID()] = true
		if out.section(r.ID(), r.Raw()); out.err != nil {
			return out.err
		}
	}
	if len(written) != len(ids) {
		return protocol.Errorf(protocol.CodeInternal, "records", "the store changed while it was written: %s is gone", ids[len(written)])
	}
	return out.err
}

// carWriter writes CARv1 and keeps the first error.
type carWriter struct {
	w   io.Writer
	err error
}

func (c *carWriter) header(root cid.Cid) {
	block, err := codec.Encode(map[string]any{"version": int64(1), "roots": []any{root}})
	if err != nil {
		c.err = err
		return
	}
	c.write(binary.AppendUvarint(nil, uint64(len(block))), block)
}

func (c *carWriter) section(id cid.Cid, block []byte) {
	c.write(binary.AppendUvarint(nil, uint64(id.ByteLen()+len(block))), id.Bytes(), block)
}

func (c *carWriter) write(parts ...[]byte) {
	for _, part := range parts {
		if c.err != nil {
			return
		}
		_, c.err = c.w.Write(part)
	}
}
