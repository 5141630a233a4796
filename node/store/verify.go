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
	"github.com/dgraph-io/badger/v4/fb"
	"github.com/dgraph-io/badger/v4/options"
	"github.com/dgraph-io/badger/v4/pb"
	"github.com/dgraph-io/badger/v4/table"
	"github.com/dgraph-io/ristretto/v2"
	"github.com/dgraph-io/ristretto/v2/z"
)

// verifyAlways is how many bytes of tables are verified at every [Open]; a
// greater folder is verified when it wasn't closed, and by [Store.Verify]. It
// takes about 3 ms for each MiB.
const verifyAlways = 8 << 20

// checkTables looks at Badger's tables before Badger does. Badger ends the
// process on a damaged footer, panics in a goroutine of its own on some damaged
// blocks, which nobody can catch, and takes what stands in others for absent.
// Footers, indexes and last blocks are always looked at, all blocks' checksums
// when the tables are no larger than full bytes; else those that are left to be
// looked at are returned.
func checkTables(dir string, key *[32]byte, full int64) (left map[uint64]tableInfo, err error) {
	ids, err := listTables(dir, key)
	if err != nil {
		return nil, err
	}
	for id, info := range ids {
		name := table.NewFilename(id, dir)
		size, err := checkFooter(name)
		if full -= size; err == nil {
			err = checkTable(name, info, false)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", filepath.Base(name), err)
		}
	}
	if full < 0 {
		return ids, nil
	}
	for id, info := range ids {
		name := table.NewFilename(id, dir)
		if err := checkTable(name, info, true); err != nil {
			return nil, fmt.Errorf("%s: %w", filepath.Base(name), err)
		}
	}
	return nil, nil
}

// listTables reads Badger's manifest. Other tables in the folder are leftovers
// that Badger will remove.
func listTables(dir string, key *[32]byte) (map[uint64]tableInfo, error) {
	f, err := os.Open(filepath.Join(dir, "MANIFEST"))
	if errors.Is(err, fs.ErrNotExist) {
		// So it is where a process died before Badger wrote anything.
		if left, _ := filepath.Glob(filepath.Join(escapeGlob(dir), "*.sst")); len(left) > 0 {
			return nil, errors.New("MANIFEST is missing")
		}
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	manifest, _, err := badger.ReplayManifestFile(f, 0, badger.DefaultOptions(dir))
	if err != nil {
		return nil, fmt.Errorf("MANIFEST: %w", err)
	}
	keys, err := openKeys(dir, key)
	if err != nil {
		return nil, err
	}
	ids := make(map[uint64]tableInfo, len(manifest.Tables))
	for id, t := range manifest.Tables {
		info := tableInfo{compression: t.Compression}
		if info.key, err = keys.DataKey(t.KeyID); err != nil {
			return nil, fmt.Errorf("KEYREGISTRY: %w", err)
		}
		ids[id] = info
	}
	return ids, nil
}

var errFooter = errors.New("the footer is damaged")

// checkFooter checks that the lengths in a table's footer lie within the file:
// index ‖ index's length ‖ checksum ‖ checksum's length.
func checkFooter(name string) (size int64, err error) {
	f, err := os.Open(name)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	end, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return 0, err
	}
	size = end
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
		return size, err
	}
	_, err = length() // the index
	return size, err
}

// tableInfo is what it takes to read a table.
type tableInfo struct {
	compression options.CompressionType
	key         *pb.DataKey // nil: it isn't encrypted
}

// openKeys reads the keys of the tables, which are encrypted under the folder's.
func openKeys(dir string, key *[32]byte) (*badger.KeyRegistry, error) {
	o := badger.KeyRegistryOptions{Dir: dir, ReadOnly: true}
	if key != nil {
		o.EncryptionKey = key[:]
	}
	keys, err := badger.OpenKeyRegistry(o)
	if err != nil {
		return nil, fmt.Errorf("KEYREGISTRY: %w", err)
	}
	return keys, nil
}

// checkTable opens a table as Badger would, where a panic can be caught.
func checkTable(name string, info tableInfo, full bool) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("a block is damaged: %v", r)
		}
	}()
	file, err := z.OpenMmapFile(name, os.O_RDONLY, 0)
	if err != nil {
		return err
	}
	o := table.Options{
		ReadOnly:    true,
		BlockSize:   4 << 10,
		Compression: info.compression,
		ChkMode:     options.OnBlockRead,
		DataKey:     info.key,
	}
	if info.key != nil { // Badger can't read the index of an encrypted table without
		o.IndexCache, err = ristretto.NewCache(&ristretto.Config[uint64, *fb.TableIndex]{NumCounters: 64, MaxCost: 8 << 20, BufferItems: 64})
		if err != nil {
			return errors.Join(err, file.Close(-1))
		}
		defer o.IndexCache.Close()
	}
	t, err := table.OpenTable(file, o)
	if err != nil {
		return err // OpenTable has closed the file
	}
	defer func() { err = errors.Join(err, t.Close(-1)) }()
	if full {
		return t.VerifyChecksum()
	}
	return nil
}
