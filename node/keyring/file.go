package keyring

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/parley-protocol/parley/node/ledger/disk"
	"github.com/parley-protocol/parley/protocol"
)

// Both files have one frame, integers big-endian:
//
//	0  magic, 8 bytes: "PARLEYID" or "PARLEYSK"
//	8  version, uint16: 1
//	10 zero, 2 bytes
//	12 length of the content, uint32
//	16 content
//	…  sum, 32 bytes: SHA-256 over everything before
const (
	envelopeHeader   = 16
	envelopeOverhead = envelopeHeader + sha256.Size
	fileVersion      = 1
)

type magic [8]byte

var (
	identityMagic = magic{'P', 'A', 'R', 'L', 'E', 'Y', 'I', 'D'}
	sealingMagic  = magic{'P', 'A', 'R', 'L', 'E', 'Y', 'S', 'K'}
)

// wrap puts a file's frame around its content.
func wrap(m magic, content []byte) []byte {
	b := make([]byte, 0, envelopeOverhead+len(content))
	b = append(b, m[:]...)
	b = binary.BigEndian.AppendUint16(b, fileVersion)
	b = append(b, 0, 0)
	b = binary.BigEndian.AppendUint32(b, uint32(len(content)))
	b = append(b, content...)
	sum := sha256.Sum256(b)
	return append(b, sum[:]...)
}

var (
	errSum     = errors.New("its checksum does not match")
	errContent = errors.New("its content is not well formed")
	errMissing = errors.New("it is missing")
	errVersion = errors.New("a later version of the program wrote it")
)

// unwrap verifies a file's frame and returns the content, which aliases data.
func unwrap(m magic, data []byte) ([]byte, error) {
	if len(data) < envelopeOverhead {
		return nil, errSum
	}
	body, sum := data[:len(data)-sha256.Size], data[len(data)-sha256.Size:]
	if want := sha256.Sum256(body); !bytes.Equal(sum, want[:]) {
		return nil, errSum
	}
	if !bytes.Equal(body[:8], m[:]) {
		return nil, errContent
	}
	if binary.BigEndian.Uint16(body[8:]) != fileVersion || body[10]|body[11] != 0 {
		return nil, errVersion
	}
	if uint64(binary.BigEndian.Uint32(body[12:])) != uint64(len(body)-envelopeHeader) {
		return nil, errContent
	}
	return body[envelopeHeader:], nil
}

// read reads a secret file after looking at its permissions.
func read(fsys FS, path string, m magic, limit int64) ([]byte, error) {
	if err := checkMode(fsys, path, 0o600); err != nil {
		return nil, err
	}
	data, err := disk.ReadFile(fsys, path, limit)
	if err != nil && !errors.Is(err, disk.ErrTooLong) {
		return nil, diskError(err, path+" can't be read")
	}
	var content []byte
	if err == nil {
		content, err = unwrap(m, data)
	}
	if err != nil {
		return nil, fileError(path, err)
	}
	return content, nil
}

// fileError codes what is wrong with a file's bytes.
func fileError(path string, cause error) error {
	if errors.Is(cause, errVersion) {
		e := protocol.Errorf(protocol.CodeUnsupportedFormat, "", "%s: %w", path, cause)
		e.Hint = "Use the version of the program that wrote it, or a later one."
		return e
	}
	e := protocol.Errorf(protocol.CodeDamaged, "", "%s: %w", path, cause)
	e.Hint = "Put this file back from a backup. The 24 words alone bring back the identity, but no sealing keys."
	return e
}

// checkMode refuses a file or folder that others than its owner may use.
func checkMode(fsys FS, path string, want fs.FileMode) error {
	info, err := fsys.Stat(path)
	if err != nil {
		return diskError(err, path+" can't be looked at")
	}
	if mode := info.Mode().Perm(); disk.ChecksModes && mode&^want&0o077 != 0 {
		e := protocol.Errorf(protocol.CodeNotPermitted, "", "%s has mode %04o: others may get at the keys", path, mode)
		e.Hint = fmt.Sprintf("chmod %04o %s", want, path)
		return e
	}
	return nil
}

// diskError codes a failed operation: not_found, disk_full, or internal.
func diskError(err error, detail string) error {
	code := protocol.CodeInternal
	switch {
	case disk.IsFull(err):
		code = protocol.CodeDiskFull
	case errors.Is(err, fs.ErrNotExist):
		code = protocol.CodeNotFound
	}
	return &protocol.Error{Code: code, Detail: fmt.Sprintf("%s: %v", detail, err), Hint: code.Hint(), Err: err}
}

// The names in the folder.
const (
	identityName = "identity"
	sealingName  = "sealing"
)

func identityPath(dir string) string { return filepath.Join(dir, identityName) }
func sealingPath(dir string) string  { return filepath.Join(dir, sealingName) }
