package proof

import (
	"errors"
	"fmt"
	"io"

	"github.com/ipfs/go-cid"

	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/record"
)

// Archive is an archive in memory. Its blocks match their IDs and are records of
// valid form; the signatures are not verified before [Verify] has been asked.
type Archive struct {
	Root     cid.Cid
	Manifest Manifest
	Records  []*record.Record // in the manifest's order
	Bytes    int64            // size of the file
}

// Read reads a whole archive of at most [MaxArchive] bytes. The codes are those
// of [NewReader].
func Read(r io.Reader) (*Archive, error) {
	reader, err := NewReader(r)
	if err != nil {
		return nil, err
	}
	archive := &Archive{Root: reader.Root(), Manifest: reader.Manifest()}
	for {
		rec, err := reader.read(record.ParseUnverified)
		if errors.Is(err, io.EOF) {
			archive.Bytes = reader.offset
			return archive, nil
		}
		if err != nil {
			return nil, err
		}
		if reader.offset > MaxArchive {
			return nil, at(reader.offset, protocol.CodeTooLarge, "", "the archive is larger than %d bytes", MaxArchive)
		}
		archive.Records = append(archive.Records, rec)
	}
}

// place says where in the file something is.
func place(offset int64) string { return fmt.Sprintf("at byte %d: ", offset) }
