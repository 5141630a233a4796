package backup

import (
	"context"
	"fmt"
	"io"
	"time"

	"filippo.io/age"

	"github.com/parley-protocol/parley/node/book"
	"github.com/parley-protocol/parley/node/keyring"
	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/codec"
)

// Source is what is backed up. It may be in use: the backup is of one moment.
type Source struct {
	Keys *keyring.Keyring
	Book *book.Book
	// InUse are the sealing seeds behind the addresses at which something is still
	// expected: only these go along.
	InUse func() []keyring.KeyID
	Now   time.Time
}

// Write encrypts everything to the recipients. The file is whole only if Write
// returns nil.
func Write(ctx context.Context, out io.Writer, src Source, recipients ...age.Recipient) error {
	if len(recipients) == 0 {
		return protocol.Errorf(protocol.CodeUsage, "recipient", "a backup is encrypted to somebody")
	}
	sealed, err := age.Encrypt(out, recipients...)
	if err != nil {
		return &protocol.Error{Code: protocol.CodeUsage, Field: "recipient", Detail: "the backup can't be encrypted: " + err.Error(), Err: err}
	}
	id := src.Keys.Identity()
	w := newWriter(sealed, id.Customer().BackupMAC())
	head, err := Header{At: src.Now.Unix(), Device: id.Device(), Persona: id.PersonaNumber(), DID: string(id.Persona().DID())}.encode()
	if err != nil {
		return err
	}
	if err := w.section(head); err != nil {
		return err
	}
	// The inbox before the ledger: what moves from one to the other meanwhile is in
	// both then, and not in neither.
	for rec, until := range src.Book.Waiting(ctx) {
		if err := w.put(map[string]any{"kind": kindInbox, "raw": rec.Raw(), "expires": until}); err != nil {
			return err
		}
	}
	for entry, err := range src.Book.Entries() {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return err
		}
		if err := w.section(entry); err != nil {
			return err
		}
	}
	for _, id := range src.InUse() {
		seed, err := src.Keys.Get(id)
		if protocol.CodeOf(err) == protocol.CodeNotFound {
			continue // destroyed
		}
		if err != nil {
			return err
		}
		if err := w.put(map[string]any{"kind": kindSeed, "id": id[:], "seed": seed[:]}); err != nil {
			return err
		}
	}
	if err := w.end(); err != nil {
		return err
	}
	if err := sealed.Close(); err != nil {
		return fmt.Errorf("the backup can't be finished: %w", err)
	}
	return nil
}

func (w *writer) put(m map[string]any) error {
	b, err := codec.Message().Encode(m)
	if err != nil {
		return err
	}
	return w.section(b)
}
