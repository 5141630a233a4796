package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/options"
	"github.com/dgraph-io/badger/v4/table"
	"github.com/dgraph-io/ristretto/v2/z"
)

// checkTables looks at Badger's tables before Badger does. Badger ends the
// process on a damaged footer and panics in a goroutine of its own on a damaged
// block, which nobody can catch. Footers, indexes and last blocks are always
// looked at; with full, every block's checksum is.
func checkTables(dir string, full bool) error {
	f, err := os.Open(filepath.Join(dir, "MANIFEST"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	manifest, _, err := badger.ReplayManifestFile(f, 0, badger.DefaultOptions(dir))
	if err != nil {
		return fmt.Errorf("MANIFEST: %w", err)
	}
	for id, t := range manifest.Tables {
		name := table.NewFilename(id, dir)
		err := checkFooter(name)
		if err == nil {
			err = checkTable(name, t.Compression, full)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", filepath.Base(name), err)
		}
	}
	return nil
}

var errFooter = errors.New("the footer is damaged")

// checkFooter checks that the lengths in a table's footer lie within the file:
// index ‖ index's length ‖ checksum ‖ checksum's length.
func checkFooter(name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	end, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	length := func() (int64, error) {
		var b [4]byte
		if end < 4 {
			return 0, errFooter
		}
		if _, err := f.ReadAt(b[:], end-4); err != nil {
			return 0, err
		}
		n := int64(binary.BigEndian.Uint32(b[:]))
		if end -= 4; n == 0 || n > end {
			return 0, errFooter
		}
		end -= n
		return n, nil
	}
	if _, err := length(); err != nil { // the checksum
		return err
	}
	_, err = length() // the index
	return err
}

// checkTable opens a table as Badger would, where a panic can be caught.
func checkTable(name string, compression options.CompressionType, full bool) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("a block is damaged: %v", r)
		}
	}()
	file, err := z.OpenMmapFile(name, os.O_RDONLY, 0)
	if err != nil {
		return err
	}
	t, err := table.OpenTable(file, table.Options{
		ReadOnly:    true,
		BlockSize:   4 << 10,
		Compression: compression,
		ChkMode:     options.OnBlockRead,
	})
	if err != nil {
		return err // OpenTable has closed the file
	}
	defer func() { err = errors.Join(err, t.Close(-1)) }()
	if full {
		return t.VerifyChecksum()
	}
	return nil
}
