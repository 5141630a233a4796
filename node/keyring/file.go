package keyring

import (
	"errors"
	"fmt"
	"path/filepath"

	"github.com/parley-protocol/parley/node/keyring/keyfile"
	"github.com/parley-protocol/parley/node/vault"
	"github.com/parley-protocol/parley/protocol"
)

// The files in the folder; each has a copy. Their contents are sealed under keys
// that derive from the home's data key, which the vault beside them holds. Files
// of version 1 were not sealed and stood alone; they are sealed when they are
// opened.
const (
	identityName = "identity"
	sealingName  = "sealing"
)

func identityPath(dir string) string { return filepath.Join(dir, identityName) }
func sealingPath(dir string) string  { return filepath.Join(dir, sealingName) }

func identityFile(fsys FS, dir string) keyfile.File {
	return keyfile.File{FS: fsys, Path: identityPath(dir), Point: "keyring/identity", Limit: 4096,
		Magic: [8]byte{'P', 'A', 'R', 'L', 'E', 'Y', 'I', 'D'}}
}

func sealingFile(fsys FS, dir string) keyfile.File {
	return keyfile.File{FS: fsys, Path: sealingPath(dir), Point: "keyring/sealing", Limit: maxSecretsFile,
		Magic: [8]byte{'P', 'A', 'R', 'L', 'E', 'Y', 'S', 'K'}}
}

// sealed is a key file whose content is sealed.
type sealed struct {
	keyfile.File
	key vault.Key
}

func (s sealed) write(serial uint64, content []byte) error {
	return s.Write(serial, s.key.Seal(s.Magic[:], content))
}

// read gives the content in clear. Whoever finds it well formed mends the copies
// with settle.
func (s sealed) read() (plain []byte, c keyfile.Content, err error) {
	if c, err = s.Read(); err != nil {
		if protocol.CodeOf(err) == protocol.CodeNotFound {
			err = s.Damaged(errors.New("it is missing"))
		}
		return nil, c, err
	}
	if c.Version == 1 {
		return c.Data, c, nil
	}
	if plain, err = s.key.Open(s.Magic[:], c.Data); err != nil {
		return nil, c, s.Damaged(fmt.Errorf("its content belongs to another home: %w", err))
	}
	return plain, c, nil
}

// settle makes both copies whole, and seals what an earlier version wrote.
func (s sealed) settle(plain []byte, c keyfile.Content) error {
	if c.Version == 1 {
		return s.write(c.Serial+1, plain)
	}
	return s.Mend(c)
}
