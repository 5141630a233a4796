package backup

import (
	"errors"
	"io/fs"
	"os"
	"strings"

	"filippo.io/age"

	"github.com/parley-protocol/parley/crypto"
	"github.com/parley-protocol/parley/node/home"
	"github.com/parley-protocol/parley/node/ledger/disk"
	"github.com/parley-protocol/parley/protocol"
)

// KeepRecipient writes down in a home to whom its backups are encrypted: from then
// on a backup takes no phrase.
func KeepRecipient(h home.Home, root crypto.Root) error {
	id, err := IdentityOf(root)
	if err != nil {
		return err
	}
	text := []byte(id.Recipient().String() + "\n")
	return home.Explain(disk.Replace(disk.OS{}, h.BackupRecipient(), text, 0o600, "backup-recipient"), h.BackupRecipient())
}

// RecipientOf is to whom a home's backups are encrypted; the code is not_found
// when it doesn't know.
func RecipientOf(h home.Home) (age.Recipient, error) {
	text, err := os.ReadFile(h.BackupRecipient())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &protocol.Error{Code: protocol.CodeNotFound, Field: "recipient", Detail: "this home doesn't know yet to whom its backups are encrypted",
			Hint: "parley backup asks for the 24 words once", Err: err}
	}
	if err != nil {
		return nil, home.Explain(err, h.BackupRecipient())
	}
	r, err := age.ParseX25519Recipient(strings.TrimSpace(string(text)))
	if err != nil {
		return nil, &protocol.Error{Code: protocol.CodeDamaged, Field: "recipient", Detail: h.BackupRecipient() + ": " + err.Error(),
			Hint: "remove the file; parley backup asks for the 24 words then", Err: err}
	}
	return r, nil
}

// Recipients are those of one backup: the home's own and those that are named, or
// a passphrase alone.
func Recipients(h home.Home, named []string, passphrase string) ([]age.Recipient, error) {
	if passphrase != "" {
		if len(named) > 0 {
			return nil, &protocol.Error{Code: protocol.CodeUsage, Field: "recipient", Detail: "a backup under a passphrase has no other recipients"}
		}
		r, err := ByPassphrase([]byte(passphrase))
		return []age.Recipient{r}, err
	}
	own, err := RecipientOf(h)
	if err != nil {
		return nil, err
	}
	others, err := ParseRecipients(named)
	return append([]age.Recipient{own}, others...), err
}
