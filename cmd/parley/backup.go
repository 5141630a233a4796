package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"filippo.io/age"
	"github.com/spf13/cobra"

	"github.com/parley-protocol/parley/crypto"
	"github.com/parley-protocol/parley/node/api"
	"github.com/parley-protocol/parley/node/backup"
	"github.com/parley-protocol/parley/node/book"
	"github.com/parley-protocol/parley/node/config"
	"github.com/parley-protocol/parley/node/desk"
	"github.com/parley-protocol/parley/node/home"
	"github.com/parley-protocol/parley/node/keyring"
	"github.com/parley-protocol/parley/node/ledger"
	"github.com/parley-protocol/parley/node/spool"
	"github.com/parley-protocol/parley/protocol"
)

func (a *app) backupCommand() *cobra.Command {
	var ask api.NewBackup
	var passphraseFile, phraseFile string
	cmd := &cobra.Command{
		Use:   "backup FILE",
		Short: "Write everything that can't be rebuilt to an encrypted file",
		Long: `Write everything that can't be rebuilt to an encrypted file (- for the standard
output): requests, deals, offers that wait, settings and the keys to which
replies are still expected. The node may run meanwhile.

The file opens with the 24 words; a home that is older than backups asks for them
once. --recipient adds others who can open it, in the form of age (age1...). With
--passphrase-file it is under that passphrase alone. The words are needed to
restore in any case: the keys themselves are not in the file.`,
		Example: `  parley backup parley.age
  parley backup parley.age --recipient age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p`,
		Args: cobra.ExactArgs(1),
	}
	cmd.Flags().StringArrayVar(&ask.Recipients, "recipient", nil, "`recipient` that can open the file too (repeatable)")
	cmd.Flags().StringVar(&passphraseFile, "passphrase-file", "", "`file` with a passphrase for the backup, - for the standard input")
	cmd.Flags().StringVar(&phraseFile, "phrase-file", "", "`file` with the 24 words, if they are asked for")
	cmd.MarkFlagsMutuallyExclusive("recipient", "passphrase-file")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		h, err := a.home()
		if err != nil {
			return err
		}
		if !h.Exists() {
			return &protocol.Error{Code: protocol.CodeNotFound, Field: "home", Detail: "no node has been set up in " + h.Dir, Hint: a.hint("init")}
		}
		if passphraseFile != "" {
			pass, err := a.readPassphrase(passphraseFile)
			if err != nil {
				return err
			}
			ask.Passphrase = string(pass)
		} else if err := a.knowRecipient(cmd.Context(), h, phraseFile); err != nil {
			return err
		}
		write := func(w io.Writer) error {
			err := api.NewClient(h.Socket()).Do(cmd.Context(), http.MethodPost, "/v1/backup", ask, w)
			if protocol.CodeOf(err) == protocol.CodeNotRunning {
				err = a.backupOffline(cmd.Context(), h, ask, w)
			}
			return err
		}
		if args[0] == "-" {
			return write(a.stdout)
		}
		file, err := save(args[0], write)
		return a.printSaved(file, err)
	}
	return cmd
}

// knowRecipient asks for the words if the home doesn't know yet to whom its backups
// are encrypted.
func (a *app) knowRecipient(ctx context.Context, h home.Home, phraseFile string) error {
	_, err := backup.RecipientOf(h)
	if protocol.CodeOf(err) != protocol.CodeNotFound {
		return err
	}
	root, err := a.needRoot(phraseFile)
	if err != nil {
		return err
	}
	defer root.Destroy()
	id, err := a.identityHere(ctx, h)
	if err != nil {
		return err
	}
	if err := sameWords(root, id); err != nil {
		return err
	}
	return backup.KeepRecipient(h, root)
}

// sameWords tells whether the words are those of a home.
func sameWords(root crypto.Root, p api.Persona) error {
	if string(keyring.NewIdentity(root, p.Device, p.Number).Persona().DID()) != p.DID {
		return &protocol.Error{Code: protocol.CodeNotPermitted, Field: "phrase", Detail: "these 24 words are not those of this node",
			Hint: "the words that were shown when it was set up"}
	}
	return nil
}

// identityHere is who the home is, as its node tells, or its files.
func (a *app) identityHere(ctx context.Context, h home.Home) (p api.Persona, err error) {
	err = a.call(ctx, http.MethodGet, "/v1/persona", nil, &p)
	if protocol.CodeOf(err) != protocol.CodeNotRunning {
		return p, err
	}
	keys, err := a.openKeys(ctx, h)
	if err != nil {
		return p, err
	}
	defer keys.Close()
	return api.PersonaOf(keys.Identity()), nil
}

// openKeys opens the keys of a home whose node is off.
func (a *app) openKeys(ctx context.Context, h home.Home) (*keyring.Keyring, error) {
	c, err := config.Load(h.Config(), a.getenv)
	if err != nil {
		return nil, err
	}
	keys, err := keyring.OpenContext(ctx, h.Keys(), keyring.Options{Unlock: a.unlock(c.PassphraseFile)})
	return keys, home.Explain(err, h.Keys())
}

// backupOffline reads the home of a node that is off.
func (a *app) backupOffline(ctx context.Context, h home.Home, ask api.NewBackup, w io.Writer) (err error) {
	to, err := backup.Recipients(h, ask.Recipients, ask.Passphrase)
	if err != nil {
		return err
	}
	unlock, err := h.Lock()
	if err != nil {
		return err
	}
	defer unlock()
	keys, err := a.openKeys(ctx, h)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, keys.Close()) }()
	in, err := spool.Open(h.Inbox(), spool.Limits{})
	if err != nil {
		return home.Explain(err, h.Inbox())
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	l, err := ledger.Open(h.Ledger(), ledger.Options{})
	if err != nil {
		return home.Explain(err, h.Ledger())
	}
	defer func() { err = errors.Join(err, l.Close()) }()
	b, err := book.Open(ctx, l, in, keys, func(book.Change) {})
	if err != nil {
		return err
	}
	now := time.Now()
	return backup.Write(ctx, w, backup.Source{Keys: keys, Book: b, Now: now,
		InUse: func() []keyring.KeyID { return desk.SeedsInUse(b, now.Unix()) }}, to...)
}

// restored is what a restore reports.
type restored struct {
	Home    string    `json:"home"`
	DID     string    `json:"did"`
	At      time.Time `json:"backupAt"`
	Records int       `json:"records"`
	Waiting int       `json:"waiting"`
	Listen  []string  `json:"listen"`
}

func (a *app) restoreCommand() *cobra.Command {
	var phraseFile, passphraseFile string
	cmd := &cobra.Command{
		Use:   "restore FILE",
		Short: "Make a node of a backup",
		Long: `Make a node of a backup, in a folder that is new or empty. It asks for the 24
words.

What was signed after the backup is missing in it, so the node is careful: nothing
more is accepted on requests that are in the backup, sellers are asked what they
decided, and a seller asks its customers. The old node must not run again: a
seller's two nodes would contradict each other.`,
		Example: `  parley restore parley.age --home ~/parley
  parley restore parley.age --phrase-file words.txt`,
		Args: cobra.ExactArgs(1),
	}
	s := addSettings(cmd.Flags())
	cmd.Flags().StringVar(&phraseFile, "phrase-file", "", "`file` with the 24 words, - for the standard input")
	cmd.Flags().StringVar(&passphraseFile, "backup-passphrase-file", "", "`file` with the passphrase that the backup is under")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		h, err := a.home()
		if err != nil {
			return err
		}
		c, err := config.Load("", noEnv)
		if err != nil {
			return err
		}
		s.apply(&c)
		if err := c.Validate(); err != nil {
			return err
		}
		file, err := os.Open(args[0])
		if errors.Is(err, os.ErrNotExist) {
			return &protocol.Error{Code: protocol.CodeNotFound, Field: "file", Detail: "there is no file " + args[0], Err: err}
		}
		if err != nil {
			return err
		}
		defer file.Close()
		var open age.Identity
		if passphraseFile != "" {
			pass, err := a.readPassphrase(passphraseFile)
			if err != nil {
				return err
			}
			if open, err = backup.FromPassphrase(pass); err != nil {
				return err
			}
		}
		root, err := a.needRoot(phraseFile)
		if err != nil {
			return err
		}
		defer root.Destroy()
		out, err := backup.Restore(cmd.Context(), bufio.NewReader(file), backup.Target{Home: h, Root: root, Open: open, Now: time.Now(), Finish: func() error {
			if err := c.PinPorts(); err != nil {
				return err
			}
			return errors.Join(writeConfig(h, c), backup.KeepRecipient(h, root))
		}})
		if err != nil {
			return err
		}
		v := restored{Home: h.Dir, DID: out.DID, At: time.Unix(out.At, 0).UTC(), Records: out.Records, Waiting: out.Waiting, Listen: c.Listen}
		return a.print(v, func(w io.Writer) {
			fmt.Fprintf(w, "Restored in %s: %d records, and %d that wait for an answer, as of %s.\nIts ID is %s\n", v.Home, v.Records, v.Waiting, when(v.At), v.DID)
			a.note("The old node must not run again. Start this one with: %s", a.hint("up"))
		})
	}
	return cmd
}

// needRoot is what the 24 words stand for; destroy it.
func (a *app) needRoot(file string) (crypto.Root, error) {
	phrase, err := a.needPhrase(file)
	if err != nil {
		return crypto.Root{}, err
	}
	defer phrase.Destroy()
	return phrase.Root(), nil
}

// needPhrase reads the 24 words from a file, or asks for them.
func (a *app) needPhrase(file string) (crypto.Phrase, error) {
	if file != "" {
		return a.readPhrase(file)
	}
	if !isTerminal(a.stdin) {
		return crypto.Phrase{}, usagef("--phrase-file", "--phrase-file FILE, or - for the standard input", "the 24 words are needed")
	}
	a.note("The 24 words, in one line:")
	line, err := bufio.NewReader(io.LimitReader(a.stdin, 1<<12)).ReadString('\n')
	if err != nil {
		return crypto.Phrase{}, usagef("--phrase-file", "", "the phrase can't be read: %v", err)
	}
	return a.parsePhrase(line)
}
