package backup

import (
	"bufio"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"hash"
	"io"

	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/codec"
)

// The kinds of section that a backup has beside the ledger's entries.
const (
	kindBackup = "backup"
	kindInbox  = "inbox"
	kindSeed   = "seed"
	kindEnd    = "end"
)

// version is the format that this program writes and reads.
const version = 1

// maxSection is the longest section in bytes.
const maxSection = 1 << 20

// Header tells whose backup it is.
type Header struct {
	At      int64  // Unix seconds
	Device  uint32 // number of the device
	Persona uint32 // number of the persona's key
	DID     string // name of that key
}

func (h Header) encode() ([]byte, error) {
	return codec.Message().Encode(map[string]any{"kind": kindBackup, "parley": int64(version), "at": h.At,
		"device": int64(h.Device), "persona": int64(h.Persona), "did": h.DID})
}

func decodeHeader(section []byte) (Header, error) {
	v, err := codec.Message().Decode(section)
	m, ok := v.(map[string]any)
	if err != nil || !ok || m["kind"] != kindBackup {
		return Header{}, protocol.Errorf(protocol.CodeUnsupportedFormat, "file", "what is encrypted in this file isn't a backup of a node")
	}
	if m["parley"] != int64(version) {
		e := protocol.Errorf(protocol.CodeUnsupportedFormat, "file", "this backup has version %v of the format, and this program reads version %d", m["parley"], version)
		e.Hint = "Use the version of the program that wrote it, or a later one."
		return Header{}, e
	}
	h := Header{}
	h.At, _ = m["at"].(int64)
	device, ok1 := m["device"].(int64)
	persona, ok2 := m["persona"].(int64)
	h.DID, _ = m["did"].(string)
	if !ok1 || !ok2 || device < 0 || device > 1<<32-1 || persona < 0 || persona > 1<<16 {
		return Header{}, damaged("its first section isn't well formed")
	}
	h.Device, h.Persona = uint32(device), uint32(persona)
	return h, nil
}

// writer writes sections and keeps the authentication code of what it wrote.
type writer struct {
	out   *bufio.Writer
	mac   hash.Hash
	count int64
}

func newWriter(w io.Writer, key [32]byte) *writer {
	return &writer{out: bufio.NewWriterSize(w, 64<<10), mac: hmac.New(sha256.New, key[:])}
}

func (w *writer) section(b []byte) error {
	if len(b) == 0 || len(b) > maxSection {
		return protocol.Errorf(protocol.CodeTooLarge, "", "a section of a backup has 1 to %d bytes, not %d", maxSection, len(b))
	}
	head := binary.AppendUvarint(nil, uint64(len(b)))
	for _, part := range [][]byte{head, b} {
		w.mac.Write(part)
		if _, err := w.out.Write(part); err != nil {
			return err
		}
	}
	w.count++
	return nil
}

// end writes the last section, which authenticates the others.
func (w *writer) end() error {
	last, err := codec.Message().Encode(map[string]any{"kind": kindEnd, "sections": w.count, "mac": w.mac.Sum(nil)})
	if err != nil {
		return err
	}
	if err := w.section(last); err != nil {
		return err
	}
	return w.out.Flush()
}

// reader reads sections.
type reader struct {
	in    *bufio.Reader
	mac   hash.Hash // once the key is known
	early []byte    // what was read before
	count int64
}

func newReader(r io.Reader) *reader { return &reader{in: bufio.NewReaderSize(r, 64<<10)} }

// key sets the key of the authentication code, after the header.
func (r *reader) key(key [32]byte) {
	r.mac = hmac.New(sha256.New, key[:])
	r.mac.Write(r.early)
	r.early = nil
}

// next reads a section.
func (r *reader) next() ([]byte, error) {
	n, err := binary.ReadUvarint(r.in)
	if err != nil {
		return nil, broken(err)
	}
	if n == 0 || n > maxSection {
		return nil, damaged("a section says that it has %d bytes", n)
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(r.in, b); err != nil {
		return nil, broken(err)
	}
	return b, nil
}

// took notes that a section was read and isn't the last.
func (r *reader) took(b []byte) {
	head := binary.AppendUvarint(nil, uint64(len(b)))
	if r.mac == nil {
		r.early = append(append(r.early, head...), b...)
	} else {
		r.mac.Write(head)
		r.mac.Write(b)
	}
	r.count++
}

// finish checks the last section, and that nothing follows.
func (r *reader) finish(m map[string]any) error {
	mac, _ := m["mac"].([]byte)
	if m["sections"] != r.count || !hmac.Equal(mac, r.mac.Sum(nil)) {
		return damaged("it wasn't written by a node with these keys")
	}
	if _, err := r.in.ReadByte(); !errors.Is(err, io.EOF) {
		if err == nil {
			return damaged("something follows its end")
		}
		return broken(err)
	}
	return nil
}

func damaged(format string, args ...any) error {
	e := protocol.Errorf(protocol.CodeDamaged, "file", "this backup can't be used: "+format, args...)
	e.Hint = "Nothing was restored. Take another copy of the file, or an older backup."
	return e
}

// broken codes a failure of reading what is encrypted.
func broken(err error) error {
	if e, ok := errors.AsType[*protocol.Error](err); ok {
		return e
	}
	return damaged("it is cut short or was changed (%w)", err)
}
