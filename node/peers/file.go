package peers

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/parley-protocol/parley/node/ledger/disk"
	"github.com/parley-protocol/parley/node/vault"
)

// The file: its magic, then a box that is sealed with the magic as its context
// and holds the list as JSON.
const (
	magic   = "PARLEYP1"
	maxFile = 4 << 20
)

// read gives what the file holds; none is no error.
func read(path string, key *vault.Key) ([]Peer, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, err
	}
	box, ok := bytes.CutPrefix(raw, []byte(magic))
	if !ok || len(raw) > maxFile {
		return nil, fmt.Errorf("%s is no file of this kind", path)
	}
	plain, err := key.Open([]byte(magic), box)
	if err != nil {
		return nil, fmt.Errorf("%s is damaged, or another home's: %w", path, err)
	}
	var list []Peer
	if err := json.Unmarshal(plain, &list); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return list, nil
}

// write puts a new file in the place of the old one.
func write(path string, key *vault.Key, list []Peer) error {
	plain, err := json.Marshal(list)
	if err != nil {
		return err
	}
	return disk.Replace(disk.OS{}, path, append([]byte(magic), key.Seal([]byte(magic), plain)...), 0o600, "peers")
}
