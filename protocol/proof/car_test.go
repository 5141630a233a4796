package proof

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/ipfs/go-cid"
	"pgregory.net/rapid"

	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/codec"
	"github.com/parley-protocol/parley/protocol/record"
	"github.com/parley-protocol/parley/spec/vectors"
	"github.com/parley-protocol/parley/spec/vectors/fuzzing"
)

// car builds a CAR out of a header and sections, right or wrong.
func car(header any, sections ...[]byte) []byte {
	block, err := codec.Message().Encode(header)
	if err != nil {
		panic(err)
	}
	return append(frame(block), bytes.Join(sections, nil)...)
}

func frame(b []byte) []byte { return append(binary.AppendUvarint(nil, uint64(len(b))), b...) }

func section(id cid.Cid, block []byte) []byte { return frame(append(id.Bytes(), block...)) }

func encode(value any) (cid.Cid, []byte) {
	block, err := codec.Message().Encode(value)
	if err != nil {
		panic(err)
	}
	return codec.Sum(block), block
}

func header(roots ...any) any { return map[string]any{"version": int64(1), "roots": roots} }

// manifestCAR is a CAR with that manifest and those sections.
func manifestCAR(manifest map[string]any, sections ...[]byte) []byte {
	root, block := encode(manifest)
	return car(header(root), append([][]byte{section(root, block)}, sections...)...)
}

func TestDealRoundTrip(t *testing.T) {
	c := newCast(t)
	file := c.archive(t, c.whole()...)
	archive, err := Read(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	want := []*record.Record{c.intent, c.terms, c.offer, c.acceptance, c.confirmation}
	if len(archive.Records) != len(want) || archive.Manifest.Agreement != c.confirmation.ID() || archive.Bytes != int64(len(file)) {
		t.Fatalf("got %d records, agreement %s, %d bytes", len(archive.Records), archive.Manifest.Agreement, archive.Bytes)
	}
	for i, r := range archive.Records {
		if r.ID() != want[i].ID() || !bytes.Equal(r.Raw(), want[i].Raw()) {
			t.Errorf("record %d is %s, want %s", i, r, want[i])
		}
	}
	// Order and repetitions don't matter, and neither does how the bytes arrive.
	if again := c.archive(t, c.confirmation, c.offer, c.intent, c.terms, c.offer, c.acceptance); !bytes.Equal(again, file) {
		t.Error("the same records give another file")
	}
	if _, err := Read(iotest.OneByteReader(bytes.NewReader(file))); err != nil {
		t.Error(err)
	}
	if _, err := Read(iotest.ErrReader(io.ErrClosedPipe)); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("an error of the reader came as %v", err)
	}
}

func TestWriteDealRefusals(t *testing.T) {
	c := newCast(t)
	otherKey := record.DealKey{Intent: c.intent.ID(), Vendor: c.other.DID(), Round: 1}
	otherOffer := c.offerOf(t, otherKey, c.other)
	stray := c.sign(t, c.seller, 5, &record.Terms{Name: "Others", Text: "No."})
	tests := []struct {
		name string
		recs []*record.Record
		code protocol.Code
	}{
		{"no record", nil, protocol.CodeMissingRecord},
		{"two deals", []*record.Record{c.offer, otherOffer}, protocol.CodeDealMismatch},
		{"a record that isn't cited", []*record.Record{c.offer, stray}, protocol.CodeDealMismatch},
	}
	for _, test := range tests {
		if _, err := WriteDeal(io.Discard, c.intent, test.recs); protocol.CodeOf(err) != test.code {
			t.Errorf("%s: got %v, want %s", test.name, err, test.code)
		}
	}
	if _, err := WriteDeal(io.Discard, c.offer, c.whole()); protocol.CodeOf(err) != protocol.CodeDealMismatch {
		t.Errorf("an offer as the intent: %v", err)
	}
	if _, err := WriteDeal(failing{}, c.intent, c.whole()); !errors.Is(err, io.ErrShortWrite) {
		t.Errorf("an error of the writer came as %v", err)
	}
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, io.ErrShortWrite }

func TestStoreRoundTrip(t *testing.T) {
	c := newCast(t)
	rapid.Check(t, func(t *rapid.T) {
		pool := append(c.whole(), c.intent)
		recs := rapid.SliceOfN(rapid.SampledFrom(pool), 0, 12).Draw(t, "records")
		var file bytes.Buffer
		root, err := WriteStore(&file, each(recs...))
		if err != nil {
			t.Fatal(err)
		}
		reader, err := NewReader(&file)
		if err != nil {
			t.Fatal(err)
		}
		var want, got []cid.Cid
		for _, r := range recs {
			if !slices.Contains(want, r.ID()) {
				want = append(want, r.ID())
			}
		}
		for {
			r, err := reader.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, r.ID())
		}
		if !slices.Equal(got, want) || reader.Len() != len(want) || reader.Root() != root {
			t.Fatalf("got %v, want %v", got, want)
		}
	})
}

// TestStorePages writes more records than one page lists.
func TestStorePages(t *testing.T) {
	c := newCast(t)
	var recs []*record.Record
	for i := range MaxList + 10 {
		recs = append(recs, c.sign(t, c.customer, int64(i), &record.Terms{Name: "My terms", Text: fmt.Sprint(i)}))
	}
	var file bytes.Buffer
	if _, err := WriteStore(&file, each(recs...)); err != nil {
		t.Fatal(err)
	}
	archive, err := Read(&file)
	if err != nil {
		t.Fatal(err)
	}
	if len(archive.Records) != len(recs) || len(archive.Manifest.Pages) != 2 {
		t.Errorf("%d records on %d pages", len(archive.Records), len(archive.Manifest.Pages))
	}
	if report := Verify(archive); !report.OK || len(report.Checks) != 2*len(recs) {
		t.Errorf("ok %t, %d checks", report.OK, len(report.Checks))
	}
}

func TestStoreThatChanges(t *testing.T) {
	c := newCast(t)
	for name, second := range map[string][]*record.Record{
		"one more": {c.offer, c.acceptance, c.confirmation},
		"one less": {c.offer},
		"another":  {c.offer, c.confirmation},
	} {
		pass := 0
		_, err := WriteStore(io.Discard, func(yield func(*record.Record, error) bool) {
			if pass++; pass == 1 {
				each(c.offer, c.acceptance)(yield)
				return
			}
			each(second...)(yield)
		})
		if protocol.CodeOf(err) != protocol.CodeInternal {
			t.Errorf("%s: got %v", name, err)
		}
	}
	_, err := WriteStore(io.Discard, func(yield func(*record.Record, error) bool) { yield(nil, io.ErrUnexpectedEOF) })
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("an error of the sequence came as %v", err)
	}
}

func TestBrokenArchives(t *testing.T) {
	c := newCast(t)
	good := c.archive(t, c.whole()...)
	dealEntry := []any{c.key.Intent, string(c.key.Vendor), c.key.Round}
	intent, offer := section(c.intent.ID(), c.intent.Raw()), section(c.offer.ID(), c.offer.Raw())
	deal := func(edit func(map[string]any)) map[string]any {
		m := map[string]any{"parley": int64(1), "kind": "deal", "deal": dealEntry, "records": []any{c.intent.ID(), c.offer.ID()}}
		if edit != nil {
			edit(m)
		}
		return m
	}
	set := func(key string, value any) map[string]any { return deal(func(m map[string]any) { m[key] = value }) }
	flip := func(i int) []byte {
		file := bytes.Clone(good)
		file[(i+len(file))%len(file)] ^= 1
		return file
	}
	manifestID, manifestBlock := encode(deal(nil))
	pageID, page := encode([]any{c.offer.ID(), c.offer.ID()})
	page1ID, page1 := encode([]any{c.offer.ID()})
	page2ID, page2 := encode([]any{c.offer.ID(), c.intent.ID()})
	notRecordID, notRecord := encode(map[string]any{"a": int64(1)})
	raw := cid.NewCidV1(cid.Raw, c.intent.ID().Hash())

	if _, err := Read(bytes.NewReader(manifestCAR(deal(nil), intent, offer))); err != nil {
		t.Fatalf("the archive that the broken ones are made of: %v", err)
	}
	tests := []struct {
		name string
		file []byte
		code protocol.Code
		says string
	}{
		{"empty", nil, protocol.CodeMalformed, "at byte 0: the file ends"},
		{"text", []byte("Dear reader, this is no archive"), protocol.CodeUnsupportedFormat, "not a CAR"},
		{"JSON", []byte(`{"parley": 1}` + strings.Repeat(" ", 300)), protocol.CodeUnsupportedFormat, "not a CAR"},
		{"CARv2", append([]byte("\x0a\xa1\x67version\x02"), make([]byte, 40)...), protocol.CodeUnsupportedVersion, "version 2"},
		{"no roots", car(header()), protocol.CodeUnsupportedFormat, "this CAR has 0"},
		{"two roots", car(header(manifestID, pageID)), protocol.CodeUnsupportedFormat, "this CAR has 2"},
		{"a raw root", car(header(raw)), protocol.CodeUnsupportedFormat, "not a link to a DAG-CBOR block"},
		{"a root that isn't there", car(header(manifestID)), protocol.CodeMalformed, "the file ends"},
		{"another block first", car(header(manifestID), intent), protocol.CodeMissingRecord, "should stand here"},
		{"a CAR of somebody else", car(header(notRecordID), section(notRecordID, notRecord)), protocol.CodeUnsupportedFormat, "not a manifest"},
		{"a later version", manifestCAR(set("parley", int64(2))), protocol.CodeUnsupportedVersion, "version 2"},
		{"an unknown kind", manifestCAR(set("kind", "diary")), protocol.CodeUnsupportedFormat, "diary"},
		{"an unknown field", manifestCAR(set("note", "x")), protocol.CodeUnknownField, "note"},
		{"no deal", manifestCAR(set("deal", "x")), protocol.CodeBadField, "deal"},
		{"a round of 0", manifestCAR(set("deal", []any{c.key.Intent, string(c.key.Vendor), int64(0)})), protocol.CodeBadField, "deal"},
		{"no records", manifestCAR(set("records", []any{})), protocol.CodeBadField, "records"},
		{"records that are no links", manifestCAR(set("records", []any{"x"})), protocol.CodeBadField, "entry 0"},
		{"raw records", manifestCAR(set("records", []any{raw})), protocol.CodeBadField, "entry 0"},
		{"the intent isn't first", manifestCAR(set("records", []any{c.offer.ID(), c.intent.ID()})), protocol.CodeBadField, "first record"},
		{"a record twice", manifestCAR(set("records", []any{c.intent.ID(), c.intent.ID()})), protocol.CodeDuplicate, "listed twice"},
		{"an agreement that is no link", manifestCAR(set("agreement", "x")), protocol.CodeBadField, "agreement"},
		{"a record is missing", manifestCAR(deal(nil), intent), protocol.CodeMalformed, "the file ends"},
		{"records in another order", manifestCAR(deal(nil), offer, intent), protocol.CodeMissingRecord, "should stand here"},
		{"a record too many", manifestCAR(deal(nil), intent, offer, offer), protocol.CodeMalformed, "more after the last block"},
		{"a byte too many", append(bytes.Clone(good), 0), protocol.CodeMalformed, "more after the last block"},
		{"a byte too few", good[:len(good)-1], protocol.CodeMalformed, "the file ends"},
		{"the last bit flipped", flip(-1), protocol.CodeDamaged, "does not match"},
		{"a bit of the root's ID flipped", flip(30), protocol.CodeMissingRecord, "should stand here"},
		{"a block under another's ID", manifestCAR(deal(nil), section(c.intent.ID(), c.offer.Raw())), protocol.CodeDamaged, "does not match"},
		{"a block that is no record", manifestCAR(map[string]any{"parley": int64(1), "kind": "deal", "deal": []any{notRecordID, string(c.key.Vendor), int64(1)}, "records": []any{notRecordID}}, section(notRecordID, notRecord)), protocol.CodeMalformed, ""},
		{"a section without a block", manifestCAR(deal(nil), frame(c.intent.ID().Bytes())), protocol.CodeMalformed, "no room"},
		{"a section of no bytes", manifestCAR(deal(nil), []byte{0}), protocol.CodeMalformed, "no bytes"},
		{"a long length", manifestCAR(deal(nil), []byte{0x80, 0x00}), protocol.CodeNotCanonical, "shortest"},
		{"a huge section", manifestCAR(deal(nil), binary.AppendUvarint(nil, maxSection+1)), protocol.CodeTooLarge, "at most"},
		{"a length beyond all bounds", manifestCAR(deal(nil), bytes.Repeat([]byte{0xff}, 12)), protocol.CodeMalformed, "out of range"},
		{"a manifest that isn't canonical", car(header(codec.Sum([]byte{0xbf, 0xff})), section(codec.Sum([]byte{0xbf, 0xff}), []byte{0xbf, 0xff})), protocol.CodeNotCanonical, ""},
		{"a page with a record twice", manifestCAR(map[string]any{"parley": int64(1), "kind": "store", "pages": []any{pageID}}, section(pageID, page)), protocol.CodeDuplicate, "listed twice"},
		{"a record on two pages", manifestCAR(map[string]any{"parley": int64(1), "kind": "store", "pages": []any{page1ID, page2ID}}, section(page1ID, page1), section(page2ID, page2)), protocol.CodeDuplicate, "listed twice"},
		{"a page that is no list", manifestCAR(map[string]any{"parley": int64(1), "kind": "store", "pages": []any{manifestID}}, section(manifestID, manifestBlock)), protocol.CodeBadField, "page"},
		{"a store without pages", manifestCAR(map[string]any{"parley": int64(1), "kind": "store"}), protocol.CodeMissingField, "pages"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := Read(bytes.NewReader(test.file))
			if protocol.CodeOf(err) != test.code || !strings.Contains(fmt.Sprint(err), test.says) || !strings.Contains(fmt.Sprint(err), "at byte ") {
				t.Errorf("got %v; want %s with %q and the place", err, test.code, test.says)
			}
		})
	}
}

// TestEveryFlippedBitIsFound: no byte of an archive can change unseen.
func TestEveryFlippedBitIsFound(t *testing.T) {
	c := newCast(t)
	good := c.archive(t, c.offer)
	for i := range good {
		bad := bytes.Clone(good)
		bad[i] ^= 1 << (i % 8)
		if _, err := Read(bytes.NewReader(bad)); !protocol.CodeOf(err).Known() {
			t.Fatalf("byte %d flipped: got %v", i, err)
		}
	}
	for i := range good {
		if _, err := Read(bytes.NewReader(good[:i])); !protocol.CodeOf(err).Known() {
			t.Fatalf("cut off at byte %d: got %v", i, err)
		}
	}
}

// TestReaderVerifies: what comes record by record has verified signatures.
func TestReaderVerifies(t *testing.T) {
	c := newCast(t)
	var file bytes.Buffer
	if _, err := WriteStore(&file, each(c.intent, forged(t, c.offer), c.acceptance)); err != nil {
		t.Fatal(err)
	}
	reader, err := NewReader(&file)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := reader.Next(); err != nil {
		t.Fatal(err)
	}
	for range 2 { // an error stays
		if _, err := reader.Next(); protocol.CodeOf(err) != protocol.CodeBadSignature {
			t.Errorf("got %v, want bad_signature", err)
		}
	}
}

func FuzzRead(f *testing.F) {
	c := newCast(f)
	f.Add(c.archive(f, c.whole()...))
	f.Add(c.archive(f, c.offer))
	var store bytes.Buffer
	if _, err := WriteStore(&store, each(c.intent, c.offer)); err != nil {
		f.Fatal(err)
	}
	f.Add(store.Bytes())
	f.Add([]byte("\x0a\xa1\x67version\x02"))
	fuzzing.Each(f, "archive", func(in struct{ CAR vectors.Hex }) { f.Add([]byte(in.CAR)) })
	f.Fuzz(func(t *testing.T, file []byte) {
		var archive *Archive
		var err error
		fuzzing.Bounded(t, len(file), func() { archive, err = Read(bytes.NewReader(file)) })
		if err != nil {
			if !protocol.CodeOf(err).Known() || protocol.CodeOf(err) == protocol.CodeInternal {
				t.Fatalf("refused without a code: %v", err)
			}
			return
		}
		if archive.Bytes != int64(len(file)) {
			t.Fatalf("%d of %d bytes were read", archive.Bytes, len(file))
		}
		Verify(archive)
		// What was read writes the same bytes again, as a store; a deal does too
		// unless its maker put the records into another order.
		if archive.Manifest.Kind == KindStore && len(archive.Records) <= MaxList {
			var again bytes.Buffer
			if _, err := WriteStore(&again, each(archive.Records...)); err != nil {
				t.Fatal(err)
			}
			if len(archive.Manifest.Pages) == 1 && !bytes.Equal(again.Bytes(), file) {
				t.Fatal("written again, the store is another file")
			}
		}
	})
}
