package vault

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"time"

	"github.com/zalando/go-keyring"

	"github.com/parley-protocol/parley/protocol"
)

// SystemKeyring is the machine's store of passwords: the Keychain of macOS, the
// Credential Manager of Windows, the Secret Service of a Linux desktop.
type SystemKeyring interface {
	Set(service, account, secret string) error
	// Get gives [keyring.ErrNotFound] when there is no such entry.
	Get(service, account string) (string, error)
	Delete(service, account string) error
}

// System is the keyring of the machine that the program runs on.
func System() SystemKeyring { return systemKeyring{} }

type systemKeyring struct{}

func (systemKeyring) Set(service, account, secret string) error {
	return keyring.Set(service, account, secret)
}
func (systemKeyring) Get(service, account string) (string, error) {
	return keyring.Get(service, account)
}
func (systemKeyring) Delete(service, account string) error {
	return keyring.Delete(service, account)
}

// service is what entries in the system's keyring are filed under.
const service = "parley"

const (
	accountSize = 16
	systemHead  = 1 + accountSize
)

// bySystem is the content of a vault's file under a key in the system's keyring,
// behind its kind: the entry's account (16 bytes), box. The entry is new, so the
// one that is in use stays until the file has changed.
func bySystem(ctx context.Context, data Key, sys SystemKeyring) ([]byte, error) {
	b := make([]byte, systemHead, systemHead+KeySize+BoxOverhead)
	b[0] = kindSystem
	rand.Read(b[1:])
	wrap := NewKey()
	defer clear(wrap[:])
	err := waiting(ctx, func() error {
		return sys.Set(service, accountOf(b), base64.StdEncoding.EncodeToString(wrap[:]))
	})
	if err != nil {
		return nil, noKeyring(err)
	}
	return append(b, wrap.Seal(b, data[:])...), nil
}

func accountOf(b []byte) string { return hex.EncodeToString(b[1:systemHead]) }

// patience is how long a keyring may wait for somebody to unlock it.
const patience = 2 * time.Minute

func openSystem(ctx context.Context, b []byte, sys SystemKeyring) (Key, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var text string
	err := waiting(ctx, func() (err error) {
		text, err = sys.Get(service, accountOf(b))
		return err
	})
	if err != nil {
		return Key{}, noKeyring(err)
	}
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(raw) != KeySize {
		return Key{}, noKeyring(errors.New("its entry for this home is not a key"))
	}
	defer clear(raw)
	wrap := Key(raw)
	defer clear(wrap[:])
	data, err := wrap.Open(b[:systemHead], b[systemHead:])
	if err != nil {
		return Key{}, noKeyring(errors.New("its entry for this home is another key"))
	}
	defer clear(data)
	return Key(data), nil
}

// waiting lets a call that knows no context be given up: a keyring that is
// locked asks the person, who may not be there.
func waiting(ctx context.Context, call func() error) error {
	done := make(chan error, 1)
	go func() { done <- call() }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func noKeyring(cause error) error {
	if errors.Is(cause, context.Canceled) {
		return cause
	}
	detail := "the system's keyring doesn't give the key of this home: %w"
	if errors.Is(cause, keyring.ErrNotFound) {
		detail = "the system's keyring has no entry for this home: %w"
	}
	return protocol.Errorf(protocol.CodeKeyringUnavailable, "", detail, cause)
}
