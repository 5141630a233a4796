// Command archives makes the vectors of document 10.
package main

import (
	"bytes"
	"encoding/binary"
	"slices"

	"github.com/parley-protocol/parley/spec/gen/vectors/kit"
)

//go:generate go run .

func main() { kit.Main(files()) }

// files is all of the chapter, in its order.
func files() []kit.File {
	f := &file{kit.File{Path: "10-archives/archives.json", Kind: "archive", Description: "Archives of deals and of stores, whole and spoiled."}}
	s := newScene()
	deals(f, s)
	rounds(f, s)
	stores(f, s)
	spoiled(f, s)
	return []kit.File{f.File}
}

type file struct{ kit.File }

// scene is the records of one agreement.
type scene struct {
	intent, offer, acceptance, confirmation, cancel kit.Block
	key                                             kit.List
}

func newScene() scene {
	var s scene
	s.intent = kit.Customer.Record(kit.BodyOf("intent").Min)
	s.key = kit.List{s.intent.ID(), kit.Vendor.DID(), 1}
	say := func(typ string, at int, pairs ...any) kit.Block {
		b := kit.BodyOf(typ)
		return b.Key.Record(kit.WithAll(b.Min, append([]any{"deal", s.key, "at", kit.T0 + at}, pairs...)...))
	}
	s.offer = say("offer", 10)
	s.acceptance = say("acceptance", 20, "offer", s.offer.ID())
	s.cancel = say("cancel", 25)
	s.confirmation = say("confirmation", 30, "acceptance", s.acceptance.ID())
	return s
}

func (s scene) void(at int, pairs ...any) kit.Block {
	b := kit.BodyOf("void")
	return b.Key.Record(kit.WithAll(b.Min, append([]any{"deal", s.key, "at", kit.T0 + at}, pairs...)...))
}

// section is a block with its CID and length.
func section(id kit.ID, block []byte) []byte { return kit.Stream(kit.Join(id[:], block)) }

// car is the bytes of an archive, part by part, so that one can be spoiled.
type car struct {
	header   []byte // with its length
	sections [][]byte
}

func (c car) bytes() []byte { return kit.Join(append([][]byte{c.header}, c.sections...)...) }

func header(value any) []byte { return kit.Stream(kit.Encode(value)) }

func newCar(root []byte, blocks ...[]byte) car {
	c := car{header: header(kit.Map{"roots": kit.List{kit.SumID(root)}, "version": 1})}
	for _, b := range append([][]byte{root}, blocks...) {
		c.sections = append(c.sections, section(kit.SumID(b), b))
	}
	return c
}

func idsOf(records []kit.Block) (ids kit.List) {
	ids = kit.List{}
	for _, r := range records {
		ids = append(ids, r.ID())
	}
	return ids
}

func bytesOf(records []kit.Block) (blocks [][]byte) {
	for _, r := range records {
		blocks = append(blocks, r)
	}
	return blocks
}

// dealManifest states the agreement if it isn't nil.
func (s scene) dealManifest(agreement kit.Block, records ...kit.Block) kit.Map {
	m := kit.Map{"parley": 1, "kind": "deal", "deal": s.key, "records": idsOf(records)}
	if agreement != nil {
		m["agreement"] = agreement.ID()
	}
	return m
}

func (s scene) dealCar(agreement kit.Block, records ...kit.Block) car {
	return newCar(kit.Encode(s.dealManifest(agreement, records...)), bytesOf(records)...)
}

func (f *file) good(name string, musts []string, kind string, root []byte, c car, records []kit.Block, deals ...any) {
	f.Add(name, musts, kit.Values{"car": c.bytes()}, kit.Values{
		"root": kit.SumID(root), "kind": kind, "records": idsOf(records), "deals": append([]any{}, deals...),
	})
}

func (f *file) bad(name string, musts []string, car []byte, codes ...string) {
	f.Fail(name, musts, kit.Values{"car": car}, codes...)
}

func (s scene) fact(phase string, agreement kit.Block) kit.Values {
	v := kit.Values{
		"deal": kit.Values{"intent": s.intent.ID(), "vendor": kit.Vendor.DID(), "round": 1},
		"id":   kit.SumID(kit.Encode(s.key)), "phase": phase, "agreement": nil, "inForce": agreement != nil,
	}
	if agreement != nil {
		v["agreement"] = agreement.ID()
	}
	return v
}

func deals(f *file, s scene) {
	musts := kit.Musts("ARC-1", "ARC-2", "ARC-4", "ARC-5", "ARC-6")
	add := func(name, phase string, agreement kit.Block, records ...kit.Block) {
		root := kit.Encode(s.dealManifest(agreement, records...))
		f.good(name, musts, "deal", root, s.dealCar(agreement, records...), records, s.fact(phase, agreement))
	}
	add("deal-open", "open", nil, s.intent, s.offer)
	add("deal-pending", "pending", nil, s.intent, s.offer, s.acceptance)
	add("deal-agreed", "agreed", s.confirmation, s.intent, s.offer, s.acceptance, s.confirmation)
	add("deal-agreed-despite-a-cancel", "agreed", s.confirmation, s.intent, s.offer, s.acceptance, s.cancel, s.confirmation)
	void := s.void(40, "cites", s.cancel.ID())
	add("deal-voided", "voided", nil, s.intent, s.offer, s.acceptance, s.cancel, void)
	add("deal-in-conflict", "conflict", nil, s.intent, s.offer, s.acceptance, s.cancel, s.confirmation, void)
	add("deal-without-its-offer", "pending", nil, s.intent, s.acceptance, s.confirmation)

	// What is cited and of no deal may be there: here a terms record that an offer
	// cites (which makes it a misfit), and one that only an extension links to.
	terms := kit.BodyOf("terms")
	own := terms.Key.Record(kit.With(terms.Min, "at", kit.T0+5))
	of := func(at int, pairs ...any) kit.Block {
		b := kit.BodyOf("offer")
		return b.Key.Record(kit.WithAll(b.Min, append([]any{"deal", s.key, "at", kit.T0 + at}, pairs...)...))
	}
	add("deal-with-the-terms-that-an-offer-cites", "open", nil, s.intent, own, of(10, "terms", own.ID()))
	add("deal-with-what-an-extension-links-to", "open", nil, s.intent, own, of(10, "ext", kit.Map{"x": kit.List{own.ID()}}))

	five := kit.Musts("ARC-5")
	bad := func(name string, musts []string, agreement kit.Block, code string, records ...kit.Block) {
		f.bad(name, musts, s.dealCar(agreement, records...).bytes(), code)
	}
	bad("deal-without-a-record-of-it", five, nil, "missing_record", s.intent)
	bad("deal-in-another-order", five, s.confirmation, "bad_field", s.intent, s.acceptance, s.offer, s.confirmation)
	bad("deal-with-its-intent-last", kit.Musts("ARC-2", "ARC-5"), nil, "bad_field", s.offer, s.intent)
	bad("deal-without-its-intent", kit.Musts("ARC-2"), nil, "bad_field", s.offer)
	bad("deal-with-a-record-that-is-not-cited", five, nil, "deal_mismatch", s.intent, own, s.offer)
	deeper := terms.Key.Record(kit.WithAll(terms.Min, "at", kit.T0+6, "ext", kit.Map{"x": own.ID()}))
	bad("deal-with-what-a-cited-record-cites", five, nil, "deal_mismatch", s.intent, own, deeper, of(10, "terms", deeper.ID()))
	cancel := kit.BodyOf("cancel")
	anothers := kit.List{s.intent.ID(), kit.Stranger.DID(), 1}
	other := cancel.Key.Record(kit.WithAll(cancel.Min, "deal", anothers, "at", kit.T0+25))
	bad("deal-with-a-record-of-another-deal", five, nil, "deal_mismatch", s.intent, s.offer, other)
	bad("deal-with-a-record-of-another-deal-that-is-cited", five, nil, "deal_mismatch", s.intent, s.offer, other, s.void(40, "cites", other.ID()))
	strangers := kit.Stranger.Record(kit.WithAll(cancel.Min, "deal", s.key, "at", kit.T0+25, "by", kit.Stranger.DID()))
	bad("deal-with-a-strangers-record", five, nil, "wrong_author", s.intent, s.offer, strangers)
	two := kit.Musts("ARC-2", "ARC-6")
	bad("agreement-not-stated", two, nil, "bad_field", s.intent, s.offer, s.acceptance, s.confirmation)
	bad("agreement-that-is-none", two, s.confirmation, "bad_field", s.intent, s.offer, s.acceptance)
	bad("agreement-that-is-another-record", two, s.acceptance, "bad_field", s.intent, s.offer, s.acceptance, s.confirmation)
	profile := kit.BodyOf("profile")
	presented := profile.Key.Record(kit.With(profile.Min, "at", kit.T0))
	foreign := kit.List{presented.ID(), kit.Vendor.DID(), 1}
	offer := kit.BodyOf("offer")
	bid := offer.Key.Record(kit.WithAll(offer.Min, "deal", foreign, "at", kit.T0+10))
	records := []kit.Block{presented, bid}
	manifest := kit.Map{"parley": 1, "kind": "deal", "deal": foreign, "records": idsOf(records)}
	f.bad("deal-on-what-is-no-intent", kit.Musts("ARC-2"), newCar(kit.Encode(manifest), bytesOf(records)...).bytes(), "bad_field")
}

func page(records ...kit.Block) []byte { return kit.Encode(idsOf(records)) }

func storeManifest(pages ...[]byte) []byte {
	ids := kit.List{}
	for _, p := range pages {
		ids = append(ids, kit.SumID(p))
	}
	return kit.Encode(kit.Map{"parley": 1, "kind": "store", "pages": ids})
}

func stores(f *file, s scene) {
	musts := kit.Musts("ARC-1", "ARC-3", "ARC-4", "ARC-6")
	empty := storeManifest()
	f.good("store-empty", musts, "store", empty, newCar(empty), nil)
	profile := kit.BodyOf("profile")
	presented := profile.Key.Record(profile.Min)
	all := []kit.Block{presented, s.intent, s.offer, s.acceptance, s.confirmation}
	one := page(all...)
	root := storeManifest(one)
	f.good("store-of-a-page", musts, "store", root, newCar(root, append([][]byte{one}, bytesOf(all)...)...), all, s.fact("agreed", s.confirmation))
	a, b := page(all[:2]...), page(all[2:]...)
	root = storeManifest(a, b)
	f.good("store-of-two-pages", musts, "store", root, newCar(root, append([][]byte{a, b}, bytesOf(all)...)...), all, s.fact("agreed", s.confirmation))
	backwards := slices.Clone(all)
	slices.Reverse(backwards)
	one = page(backwards...)
	root = storeManifest(one)
	f.good("store-in-another-order", musts, "store", root, newCar(root, append([][]byte{one}, bytesOf(backwards)...)...), backwards, s.fact("agreed", s.confirmation))
	cancel := kit.BodyOf("cancel")
	strangers := kit.Stranger.Record(kit.WithAll(cancel.Min, "deal", s.key, "at", kit.T0+25, "by", kit.Stranger.DID()))
	kept := append(slices.Clone(all), strangers)
	page3 := page(kept...)
	root = storeManifest(page3)
	f.good("store-with-a-strangers-record", musts, "store", root, newCar(root, append([][]byte{page3}, bytesOf(kept)...)...), kept, s.fact("agreed", s.confirmation))
	lone := []kit.Block{s.offer}
	one = page(lone...)
	root = storeManifest(one)
	f.good("store-without-the-deals-intent", musts, "store", root, newCar(root, append([][]byte{one}, bytesOf(lone)...)...), lone)

	three := kit.Musts("ARC-3")
	none := page()
	root = storeManifest(none)
	f.bad("store-with-an-empty-page", three, newCar(root, none).bytes(), "bad_field")
	page2 := page(all[:2]...)
	root = storeManifest(page2, page2)
	f.bad("store-with-a-page-twice", kit.Musts("ARC-4"), newCar(root, page2, all[0], all[1]).bytes(), "duplicate")
	both := page(all[0], all[0])
	root = storeManifest(both)
	f.bad("store-with-a-record-twice-on-a-page", kit.Musts("ARC-4"), newCar(root, both, all[0], all[0]).bytes(), "duplicate")
	first, second := page(all[0], all[1]), page(all[1])
	root = storeManifest(first, second)
	f.bad("store-with-a-record-on-two-pages", kit.Musts("ARC-4"), newCar(root, first, second, all[0], all[1]).bytes(), "duplicate")
	root = storeManifest(a, b)
	f.bad("store-with-pages-in-another-order", kit.Musts("ARC-4"), newCar(root, append([][]byte{b, a}, bytesOf(all)...)...).bytes(), "missing_record")
	f.bad("store-without-a-page", kit.Musts("ARC-4"), newCar(root, append([][]byte{a}, bytesOf(all)...)...).bytes(), "missing_record")
}

func spoiled(f *file, s scene) {
	// Short records will do: what they add up to is not looked at.
	extra, second := s.offer, s.cancel
	records := []kit.Block{s.intent, second, s.confirmation, s.void(40, "cites", second.ID())}
	right := s.dealCar(nil, records...)
	whole := right.bytes()
	four, form := kit.Musts("ARC-4"), kit.Musts("ARC-4", "ARC-6")
	f.bad("empty", form, nil, "malformed")
	f.bad("cut-by-a-byte", form, whole[:len(whole)-1], "malformed")
	f.bad("cut-after-the-header", form, right.header, "malformed")
	f.bad("cut-in-the-header", form, right.header[:10], "malformed")
	f.bad("cut-after-the-manifest", form, kit.Join(right.header, right.sections[0]), "malformed")
	f.bad("cut-before-the-last-block", form, whole[:len(whole)-len(right.sections[4])], "malformed")
	f.bad("cut-in-a-length", form, whole[:len(whole)-len(right.sections[4])+1], "malformed")
	f.bad("a-byte-more", four, append(slices.Clone(whole), 0), "malformed")
	f.bad("a-block-more", four, kit.Join(whole, section(extra.ID(), extra)), "malformed")
	f.bad("the-last-block-again", four, kit.Join(whole, right.sections[4]), "malformed")

	with := func(i int, parts ...[]byte) []byte {
		c := car{right.header, slices.Replace(slices.Clone(right.sections), i, i+1, parts...)}
		return c.bytes()
	}
	f.bad("block-missing", four, with(2), "missing_record")
	f.bad("block-twice", four, with(2, right.sections[2], right.sections[2]), "missing_record")
	f.bad("block-of-another-record", four, with(2, section(extra.ID(), extra)), "missing_record")
	f.bad("blocks-in-another-order", four, kit.Join(right.header, right.sections[0], right.sections[1], right.sections[3], right.sections[2], right.sections[4]), "missing_record")
	f.bad("manifest-missing", four, with(0), "missing_record")
	flipped := bytes.Clone(second)
	flipped[50] ^= 1
	f.bad("block-with-a-bit-flipped", kit.Musts("ARC-6"), with(2, section(second.ID(), flipped)), "damaged")
	f.bad("block-cut", kit.Musts("ARC-6"), with(2, section(second.ID(), second[:100])), "damaged")
	manifest := bytes.Clone(right.sections[0])
	manifest[len(manifest)-1] ^= 1
	f.bad("manifest-with-a-bit-flipped", kit.Musts("ARC-6"), with(0, manifest), "damaged")
	cid := second.ID()
	raw := cid
	raw[1] = 0x55
	f.bad("cid-of-another-codec", kit.Musts("ARC-4", "ARC-6"), with(2, section(raw, second)), "damaged")

	// Lengths in a longer form than needed.
	wide := func(part []byte) []byte {
		n, size := binary.Uvarint(part)
		short := binary.AppendUvarint(nil, n)
		short[len(short)-1] |= 0x80
		return kit.Join(short, []byte{0}, part[size:])
	}
	f.bad("header-length-in-a-longer-form", form, kit.Join(wide(right.header), kit.Join(right.sections...)), "not_canonical")
	f.bad("section-length-in-a-longer-form", form, with(2, wide(right.sections[2])), "not_canonical")

	root := kit.SumID(kit.Encode(s.dealManifest(nil, records...)))
	head := func(name string, value any, codes ...string) {
		f.bad(name, kit.Musts("ARC-6"), kit.Join(header(value), kit.Join(right.sections...)), codes...)
	}
	head("header-of-version-2", kit.Map{"roots": kit.List{root}, "version": 2}, "unsupported_version")
	head("header-without-a-version", kit.Map{"roots": kit.List{root}}, "unsupported_format")
	head("header-without-roots", kit.Map{"version": 1}, "unsupported_format")
	head("header-with-no-root", kit.Map{"roots": kit.List{}, "version": 1}, "unsupported_format")
	head("header-with-two-roots", kit.Map{"roots": kit.List{root, root}, "version": 1}, "unsupported_format")
	head("header-with-another-key", kit.Map{"roots": kit.List{root}, "version": 1, "x": 1}, "unsupported_format")
	head("header-with-another-root", kit.Map{"roots": kit.List{second.ID()}, "version": 1}, "missing_record")
	head("header-that-is-an-array", kit.List{root, 1}, "unsupported_format")
	head("header-with-keys-not-sorted", kit.Pairs{"version", 1, "roots", kit.List{root}}, "not_canonical")
	head("header-of-more-than-256-bytes", kit.Map{"roots": kit.List{root}, "version": 1, "x": kit.Letters(256)}, "too_large")
	long := kit.Join(kit.Join(right.header, right.sections[0], right.sections[1]), binary.AppendUvarint(nil, 61477))
	f.bad("section-of-more-than-61476-bytes", kit.Musts("ARC-6", "ERR-5"), kit.Join(long, make([]byte, 61477)), "too_large")

	man := func(name string, musts []string, value any, codes ...string) {
		f.bad(name, musts, newCar(kit.Encode(value), bytesOf(records)...).bytes(), codes...)
	}
	base := s.dealManifest(nil, records...)
	one := kit.Musts("ARC-1")
	man("manifest-of-version-2", one, kit.With(base, "parley", 2), "unsupported_version")
	man("manifest-without-a-version", one, kit.With(base, "parley", kit.Absent), "unsupported_format")
	man("manifest-of-another-kind", one, kit.With(base, "kind", "letter"), "unsupported_format")
	man("manifest-without-a-kind", one, kit.With(base, "kind", kit.Absent), "unsupported_format")
	man("manifest-that-is-an-array", one, kit.List{1}, "unsupported_format")
	man("manifest-with-another-key", one, kit.With(base, "colour", "red"), "unknown_field")
	man("manifest-with-a-key-of-a-store", one, kit.With(base, "pages", kit.List{}), "unknown_field")
	man("manifest-without-a-deal", one, kit.With(base, "deal", kit.Absent), "missing_field")
	man("manifest-without-records", one, kit.With(base, "records", kit.Absent), "missing_field")
	man("manifest-of-round-0", one, kit.With(base, "deal[2]", 0), "bad_field")
	man("manifest-keys-not-sorted", one, kit.Pairs{"kind", "deal", "deal", s.key, "parley", 1, "records", base["records"]}, "not_canonical")
	f.bad("manifest-with-a-record-twice", four, newCar(kit.Encode(kit.With(base, "records", idsOf(append(slices.Clone(records), second)))), bytesOf(append(slices.Clone(records), second))...).bytes(), "duplicate")
	f.bad("manifest-without-a-list-of-records", one, newCar(kit.Encode(kit.With(base, "records", kit.List{}))).bytes(), "bad_field")
	f.bad("store-without-pages", one, newCar(kit.Encode(kit.Map{"parley": 1, "kind": "store"})).bytes(), "missing_field")

	six := kit.Musts("ARC-6")
	forged := s.offer.Clone()
	forged[len(forged)-1] ^= 1
	inside := func(name string, records []kit.Block, codes ...string) {
		f.bad(name, six, s.dealCar(nil, records...).bytes(), codes...)
	}
	inside("record-forged", []kit.Block{s.intent, forged}, "bad_signature")
	offer := kit.BodyOf("offer")
	broken := offer.Key.Record(kit.WithAll(offer.Min, "deal", s.key, "totalPrice", "5"))
	inside("record-that-is-not-valid", []kit.Block{s.intent, broken}, "total_mismatch")
	inside("record-that-is-no-record", []kit.Block{s.intent, []byte("x")}, "malformed")
}
