package vault

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"sync"

	"github.com/parley-protocol/parley/node/keyring/keyfile"
	"github.com/parley-protocol/parley/protocol"
)

// Protection is what a home's data key is under.
type Protection string

// The kinds of protection. Clear is a file that only its owner may read.
const (
	Clear      Protection = "none"
	Passphrase Protection = "passphrase"
	SystemKeys Protection = "system-keyring"
)

// The content of the file is one byte that tells the kind, then what
// passphrase.go and system.go say; in clear, the data key.
const (
	kindClear      = 0
	kindPassphrase = 1
	kindSystem     = 2
)

// FS is the file layer that a vault lies on.
type FS = keyfile.FS

// Unlock is how a vault gets what it takes to open. The zero value opens a home
// whose data key is in clear.
type Unlock struct {
	// Passphrase asks for the passphrase; the bytes are cleared after use. Nil:
	// there is nobody to ask.
	Passphrase func(context.Context) ([]byte, error)
	// System is the system's keyring, the machine's when nil.
	System SystemKeyring
	// Cost is what a new passphrase takes, [DefaultCost] when zero.
	Cost Cost
}

func (u Unlock) system() SystemKeyring {
	if u.System == nil {
		return System()
	}
	return u.System
}

func (u Unlock) cost() Cost {
	if u.Cost == (Cost{}) {
		return DefaultCost()
	}
	return u.Cost
}

// Vault holds a home's data key. Its methods may be called concurrently. It
// prints as a placeholder.
type Vault struct {
	file   keyfile.File
	unlock Unlock
	mended error

	mu      sync.Mutex
	data    Key
	content []byte // of the file
	serial  uint64
}

func fileIn(fsys FS, dir string) keyfile.File {
	return keyfile.File{
		FS: fsys, Path: filepath.Join(dir, "vault"), Magic: [8]byte{'P', 'A', 'R', 'L', 'E', 'Y', 'V', 'K'},
		Limit: 4096, Point: "keyring/vault",
	}
}

// Exists reports whether a folder has a vault.
func Exists(fsys FS, dir string) (bool, error) { return fileIn(fsys, dir).Exists() }

// Missing is the error of a folder that should have a vault.
func Missing(fsys FS, dir string) error {
	return fileIn(fsys, dir).Damaged(fmt.Errorf("it is missing"))
}

// Create writes a new data key into a folder, under a passphrase, or in clear if
// that is nil. One that is there is replaced: what it has sealed is lost.
func Create(fsys FS, dir string, unlock Unlock, pass []byte) (*Vault, error) {
	v := &Vault{file: fileIn(fsys, dir), unlock: unlock, data: NewKey()}
	content := append([]byte{kindClear}, v.data[:]...)
	if pass != nil {
		var err error
		if content, err = byPassphrase(v.data, pass, unlock.cost()); err != nil {
			return nil, err
		}
	}
	if err := v.write(content); err != nil {
		return nil, err
	}
	return v, nil
}

// Inspect tells what the data key is under, and which copy of the file is spoilt,
// if one is. Nothing is opened or changed.
func Inspect(fsys FS, dir string) (p Protection, spoilt, err error) {
	f := fileIn(fsys, dir)
	c, err := f.Read()
	if err != nil {
		return "", nil, err
	}
	defer clear(c.Data)
	p, err = protectionOf(f, c.Data)
	return p, c.Spoilt, err
}

func protectionOf(f keyfile.File, content []byte) (Protection, error) {
	if len(content) > 0 {
		switch content[0] {
		case kindClear:
			if len(content) == 1+KeySize {
				return Clear, nil
			}
		case kindPassphrase:
			if _, ok := costOf(content); ok {
				return Passphrase, nil
			}
		case kindSystem:
			if len(content) == systemHead+KeySize+BoxOverhead {
				return SystemKeys, nil
			}
		default:
			e := protocol.Errorf(protocol.CodeUnsupportedFormat, "", "%s: its data key is under something that this program doesn't know", f.Path)
			e.Hint = "Use the version of the program that wrote it, or a later one."
			return "", e
		}
	}
	return "", f.Damaged(keyfile.ErrContent)
}

// Open opens the vault in a folder. Errors by code: not_found, not_permitted for
// a mode that lets others in, damaged, unsupported_format, passphrase_needed,
// passphrase_wrong, keyring_unavailable, internal. A refusal changes nothing.
func Open(ctx context.Context, fsys FS, dir string, unlock Unlock) (*Vault, error) {
	f := fileIn(fsys, dir)
	c, err := f.Read()
	if err != nil {
		return nil, err
	}
	kind, err := protectionOf(f, c.Data)
	if err != nil {
		return nil, err
	}
	v := &Vault{file: f, unlock: unlock, mended: c.Spoilt, content: c.Data, serial: c.Serial}
	switch kind {
	case Clear:
		v.data = Key(c.Data[1:])
	case Passphrase:
		v.data, err = unlock.open(ctx, c.Data)
	case SystemKeys:
		v.data, err = openSystem(ctx, c.Data, unlock.system())
	}
	if err != nil {
		return nil, err
	}
	if err := f.Mend(c); err != nil {
		return nil, err
	}
	return v, nil
}

// open asks for the passphrase of a content.
func (u Unlock) open(ctx context.Context, content []byte) (Key, error) {
	if u.Passphrase == nil {
		return Key{}, protocol.Errorf(protocol.CodePassphraseNeeded, "", "this home's keys are under a passphrase")
	}
	pass, err := u.Passphrase(ctx)
	if err != nil {
		return Key{}, err
	}
	defer clear(pass)
	return openPassphrase(content, pass)
}

// Key is the key for one use, derived from the data key. It is the same for as
// long as the home lives.
func (v *Vault) Key(use string) Key {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.data.Derive(use)
}

// Protection is what the data key is under.
func (v *Vault) Protection() Protection {
	v.mu.Lock()
	defer v.mu.Unlock()
	p, _ := protectionOf(v.file, v.content)
	return p
}

// Mended says which copy of the file was spoilt when it was opened, nil for none.
func (v *Vault) Mended() error { return v.mended }

// SetPassphrase puts the data key under a passphrase, in place of whatever it was
// under. What is sealed stays as it is. After an error the old protection holds,
// or, when the error's code is internal, perhaps the new one.
func (v *Vault) SetPassphrase(ctx context.Context, pass []byte) error {
	return v.protect(ctx, func(data Key) ([]byte, error) { return byPassphrase(data, pass, v.unlock.cost()) })
}

// UseSystemKeyring puts the data key under a new key in the system's keyring.
func (v *Vault) UseSystemKeyring(ctx context.Context) error {
	return v.protect(ctx, func(data Key) ([]byte, error) { return bySystem(ctx, data, v.unlock.system()) })
}

// Unprotect puts the data key into the file in clear.
func (v *Vault) Unprotect(ctx context.Context) error {
	return v.protect(ctx, func(data Key) ([]byte, error) { return append([]byte{kindClear}, data[:]...), nil })
}

func (v *Vault) protect(ctx context.Context, wrap func(Key) ([]byte, error)) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	content, err := wrap(v.data)
	if err != nil {
		return err
	}
	old := v.content
	if err := v.write(content); err != nil {
		return err
	}
	if len(old) > 0 && old[0] == kindSystem {
		// Best effort: what is left there opens nothing any more.
		_ = waiting(ctx, func() error { return v.unlock.system().Delete(service, accountOf(old)) })
	}
	return nil
}

// write is called with mu held, or before anybody else has the vault.
func (v *Vault) write(content []byte) error {
	v.serial++ // also for a writing that fails: a copy may have got it
	if err := v.file.Write(v.serial, content); err != nil {
		return err
	}
	v.content = content
	return nil
}

// Check tells whether a passphrase is the vault's. It is nil for a vault that is
// under none.
func (v *Vault) Check(pass []byte) error {
	v.mu.Lock()
	content := v.content
	v.mu.Unlock()
	if content[0] != kindPassphrase {
		return nil
	}
	key, err := openPassphrase(content, pass)
	clear(key[:])
	return err
}

// Close forgets the data key.
func (v *Vault) Close() {
	v.mu.Lock()
	defer v.mu.Unlock()
	clear(v.data[:])
}

// String is a placeholder.
func (v *Vault) String() string { return redactedText }

// Format writes a placeholder for every verb.
func (v *Vault) Format(f fmt.State, _ rune) { io.WriteString(f, redactedText) }

// LogValue gives log/slog a placeholder.
func (v *Vault) LogValue() slog.Value { return slog.StringValue(redactedText) }
