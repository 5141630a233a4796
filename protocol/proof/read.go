package proof

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"slices"

	"github.com/ipfs/go-cid"

	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/codec"
	"github.com/parley-protocol/parley/protocol/record"
)

// Reader reads an archive record by record. It holds one block and the list of
// IDs in memory, at most 36 bytes for each listed record. Every refusal has a
// code and names the byte at which the trouble starts.
type Reader struct {
	in       *bufio.Reader
	offset   int64 // of what is read next
	root     cid.Cid
	manifest *Manifest
	listed   []cid.Cid // all records, in order
	next     int       // index into listed
	err      error     // sticky
}

// NewReader reads an archive's header, manifest and pages.
//
// The codes: [protocol.CodeMalformed] for what is truncated, trailing or no CAR;
// [protocol.CodeUnsupportedFormat] and [protocol.CodeUnsupportedVersion] for CARs
// of others; [protocol.CodeDamaged] where a block doesn't match its CID;
// [protocol.CodeMissingRecord] where a listed block isn't in its place;
// [protocol.CodeDuplicate], [protocol.CodeTooLarge], [protocol.CodeBadField] and
// [protocol.CodeUnknownField]; and the codes of [record.Parse]. Errors of the
// underlying reader come as they are.
func NewReader(r io.Reader) (*Reader, error) {
	a := &Reader{in: bufio.NewReaderSize(r, 64<<10)}
	if err := a.open(); err != nil {
		return nil, err
	}
	return a, nil
}

// Root is the manifest's ID.
func (a *Reader) Root() cid.Cid { return a.root }

// Manifest is the archive's table of contents.
func (a *Reader) Manifest() Manifest { return *a.manifest }

// Len is how many records the archive lists.
func (a *Reader) Len() int { return len(a.listed) }

// Next is the next record, its signature verified; [io.EOF] comes after the
// last one, and only if the file ends there too. After an error there is no
// going on.
func (a *Reader) Next() (*record.Record, error) { return a.read(record.Parse) }

func (a *Reader) read(parse func([]byte) (*record.Record, error)) (*record.Record, error) {
	if a.err != nil {
		return nil, a.err
	}
	r, err := a.readRecord(parse)
	a.err = err
	return r, err
}

func (a *Reader) readRecord(parse func([]byte) (*record.Record, error)) (*record.Record, error) {
	start := a.offset
	if a.next == len(a.listed) {
		if _, err := a.in.ReadByte(); !errors.Is(err, io.EOF) {
			if err != nil {
				return nil, err
			}
			return nil, at(start, protocol.CodeMalformed, "", "there is more after the last block that is listed")
		}
		return nil, io.EOF
	}
	block, err := a.expect(a.listed[a.next])
	if err != nil {
		return nil, err
	}
	a.next++
	r, err := parse(block)
	if err != nil {
		return nil, placed(start, err)
	}
	return r, nil
}

// open reads everything before the records.
func (a *Reader) open() error {
	// A short header is one byte of length and then a map; saying so first gives
	// a better answer to any other file than that it ends too early.
	if start, _ := a.in.Peek(2); len(start) == 2 && start[0] < 0x80 && start[1]>>5 != 5 {
		return at(0, protocol.CodeUnsupportedFormat, "", "this is not a CAR file of Parley")
	}
	header, err := a.frame(maxHeader, "the header")
	if err != nil {
		return err
	}
	if a.root, err = decodeHeader(header); err != nil {
		return placed(0, err)
	}
	start := a.offset
	block, err := a.expect(a.root)
	if err != nil {
		return err
	}
	if a.manifest, err = decodeManifest(block); err != nil {
		return placed(start, err)
	}
	if a.manifest.Kind == KindDeal {
		a.listed = a.manifest.Records
		return a.checkListed(start)
	}
	for _, page := range a.manifest.Pages {
		start = a.offset
		if block, err = a.expect(page); err != nil {
			return err
		}
		value, err := codec.Decode(block)
		if err != nil {
			return placed(start, err)
		}
		links, err := decodeLinks("page", value, 1)
		if err != nil {
			return placed(start, err)
		}
		a.listed = append(a.listed, links...)
	}
	return a.checkListed(start)
}

// checkListed refuses IDs that are listed twice, be it on two pages.
func (a *Reader) checkListed(start int64) error {
	seen := make(map[cid.Cid]bool, len(a.listed)+len(a.manifest.Pages)+1)
	for _, id := range slices.Concat([]cid.Cid{a.root}, a.manifest.Pages, a.listed) {
		if seen[id] {
			return at(start, protocol.CodeDuplicate, "", "%s is listed twice", id)
		}
		seen[id] = true
	}
	return nil
}

// expect reads the section of one block, which must be the next in the file.
func (a *Reader) expect(id cid.Cid) ([]byte, error) {
	start := a.offset
	section, err := a.frame(maxSection, "a block")
	if err != nil {
		return nil, err
	}
	if len(section) <= linkSize {
		return nil, at(start, protocol.CodeMalformed, "", "a section of %d bytes has no room for a block", len(section))
	}
	stated, block := section[:linkSize], section[linkSize:]
	actual := codec.Sum(block)
	if !bytes.Equal(stated, actual.Bytes()) {
		return nil, at(start, protocol.CodeDamaged, "", "the block does not match the ID that stands before it")
	}
	if actual != id {
		return nil, at(start, protocol.CodeMissingRecord, "", "%s should stand here, and %s does", id, actual)
	}
	return block, nil
}

// frame reads a length and as many bytes, at most limit.
func (a *Reader) frame(limit int, what string) ([]byte, error) {
	start := a.offset
	length, err := a.varint(what)
	if err != nil {
		return nil, err
	}
	if length == 0 {
		return nil, at(start, protocol.CodeMalformed, "", "%s has no bytes", what)
	}
	if length > uint64(limit) {
		return nil, at(start, protocol.CodeTooLarge, "", "%s has %d bytes; at most %d are allowed", what, length, limit)
	}
	frame := make([]byte, length)
	n, err := io.ReadFull(a.in, frame)
	a.offset += int64(n)
	if err != nil {
		return nil, a.ended(err, start, what)
	}
	return frame, nil
}

// varint reads an unsigned LEB128 number in its shortest form.
func (a *Reader) varint(what string) (uint64, error) {
	start := a.offset
	var value uint64
	for shift := 0; ; shift += 7 {
		b, err := a.in.ReadByte()
		if err != nil {
			return 0, a.ended(err, start, what)
		}
		a.offset++
		if shift == 28 {
			return 0, at(start, protocol.CodeMalformed, "", "the length of %s is out of range", what)
		}
		value |= uint64(b&0x7f) << shift
		if b < 0x80 {
			if b == 0 && shift > 0 {
				return 0, at(start, protocol.CodeNotCanonical, "", "the length of %s is not in its shortest form", what)
			}
			return value, nil
		}
	}
}

// ended makes a refusal of the file's early end; other errors stay what they are.
func (a *Reader) ended(err error, start int64, what string) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return at(start, protocol.CodeMalformed, "", "the file ends where %s should be, at byte %d", what, a.offset)
	}
	return err
}

// decodeHeader reads a CAR header and returns its only root.
func decodeHeader(block []byte) (cid.Cid, error) {
	value, err := codec.Decode(block)
	if protocol.CodeOf(err) == protocol.CodeNotCanonical {
		return cid.Undef, err
	}
	entries, ok := value.(map[string]any)
	if err != nil || !ok {
		return cid.Undef, protocol.Errorf(protocol.CodeUnsupportedFormat, "", "this is not a CAR file of Parley")
	}
	if version, ok := entries["version"].(int64); !ok {
		return cid.Undef, protocol.Errorf(protocol.CodeUnsupportedFormat, "version", "this is not a CAR file of Parley")
	} else if version != 1 {
		return cid.Undef, protocol.Errorf(protocol.CodeUnsupportedVersion, "version", "this is a CAR of version %d; version 1 is read", version)
	}
	roots, _ := entries["roots"].([]any)
	if len(roots) != 1 || len(entries) != 2 {
		return cid.Undef, protocol.Errorf(protocol.CodeUnsupportedFormat, "roots", "an archive has one root, the manifest; this CAR has %d", len(roots))
	}
	root, ok := roots[0].(cid.Cid)
	if !ok || root.Prefix().Codec != cid.DagCBOR {
		return cid.Undef, protocol.Errorf(protocol.CodeUnsupportedFormat, "roots", "the root is not a link to a DAG-CBOR block")
	}
	return root, nil
}

// at makes a refusal that names its place in the file.
func at(offset int64, code protocol.Code, field, format string, args ...any) *protocol.Error {
	err := protocol.Errorf(code, field, format, args...)
	err.Detail = place(offset) + err.Detail
	return err
}

// placed puts the place in the file into an error's detail.
func placed(offset int64, err error) error {
	if refusal, ok := errors.AsType[*protocol.Error](err); ok {
		located := *refusal
		located.Detail = place(offset) + located.Detail
		return &located
	}
	return at(offset, protocol.CodeMalformed, "", "%w", err)
}
