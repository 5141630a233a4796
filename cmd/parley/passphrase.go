package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/parley-protocol/parley/node/config"
	"github.com/parley-protocol/parley/node/home"
	"github.com/parley-protocol/parley/node/keyring"
	"github.com/parley-protocol/parley/node/ledger/disk"
	"github.com/parley-protocol/parley/node/vault"
	"github.com/parley-protocol/parley/protocol"
)

// protectionView is what a home's keys are under.
type protectionView struct {
	Home       string           `json:"home"`
	Protection vault.Protection `json:"protection"`
}

func (v protectionView) sentence() string {
	switch v.Protection {
	case vault.Passphrase:
		return "The keys in " + v.Home + " are under a passphrase."
	case vault.SystemKeys:
		return "The keys in " + v.Home + " are under a key in the system's keyring."
	}
	return "The keys in " + v.Home + " are under no passphrase: whoever can read your files can use them."
}

func (a *app) passphraseCommand() *cobra.Command {
	noun := &cobra.Command{
		Use:   "passphrase",
		Short: "Put the keys of this node under a passphrase",
		Long: `Put the keys of this node under a passphrase.

All that the node keeps is encrypted from its first start on. Without a
passphrase the key to it lies beside it, and only the folder's permissions keep
others out. Setting one is quick, also while the node runs; it is asked for at
the next start.

Nobody can open the folder without the passphrase. The 24 words bring back the
keys that sign, and not what you have agreed on: keep a backup.`,
		Example: "  parley passphrase set\n  parley passphrase status",
	}
	noun.AddCommand(a.passphraseSet(), a.passphraseChange(), a.passphraseRemove(), a.passphraseStatus())
	return noun
}

func (a *app) passphraseStatus() *cobra.Command {
	return &cobra.Command{
		Use:     "status",
		Short:   "Show what the keys are under",
		Example: "  parley passphrase status --json",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			h, err := a.homeWithKeys()
			if err != nil {
				return err
			}
			r, err := keyring.Inspect(h.Keys(), keyring.Options{})
			if err != nil {
				return err
			}
			return a.printProtection(h, r.Protection)
		},
	}
}

func (a *app) printProtection(h home.Home, p vault.Protection) error {
	v := protectionView{h.Dir, p}
	return a.print(v, func(w io.Writer) { fmt.Fprintln(w, v.sentence()) })
}

func (a *app) passphraseSet() *cobra.Command {
	var newFile string
	var system bool
	cmd := &cobra.Command{
		Use:   "set",
		Short: "Set a passphrase, or have the system's keyring keep the key",
		Long: `Set a passphrase, or, with --system-keyring, have the keyring of your desktop
keep a key, so that the node starts when you are logged in.

The passphrase is asked for at the terminal, or read from a file; it is never an
argument. The old file is written over; on an SSD its bytes may survive until
the drive reuses them, so set the passphrase before there is anything to protect.`,
		Example: "  parley passphrase set\n  parley passphrase set --new-passphrase-file FILE\n  parley passphrase set --system-keyring",
		Args:    cobra.NoArgs,
	}
	cmd.Flags().StringVar(&newFile, "new-passphrase-file", "", "`file` with the passphrase, - for the standard input")
	cmd.Flags().BoolVar(&system, "system-keyring", false, "let the system's keyring keep a key instead")
	cmd.MarkFlagsMutuallyExclusive("new-passphrase-file", "system-keyring")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		h, err := a.homeWithKeys()
		if err != nil {
			return err
		}
		r, err := keyring.Inspect(h.Keys(), keyring.Options{})
		if err != nil {
			return err
		}
		if r.Protection != vault.Clear {
			return usagef("", a.hint("passphrase change")+", or "+a.hint("passphrase remove"), "%s", protectionView{h.Dir, r.Protection}.sentence())
		}
		return a.protect(cmd.Context(), "", func(_ home.Home, v *vault.Vault) error {
			if system {
				return v.UseSystemKeyring(cmd.Context())
			}
			return a.setNew(cmd.Context(), v, newFile)
		})
	}
	return cmd
}

func (a *app) passphraseChange() *cobra.Command {
	var oldFile, newFile string
	cmd := &cobra.Command{
		Use:     "change",
		Short:   "Put another passphrase in place of the one that is set",
		Example: "  parley passphrase change\n  parley passphrase change --passphrase-file OLD --new-passphrase-file NEW",
		Args:    cobra.NoArgs,
	}
	addPassphraseFile(cmd.Flags(), &oldFile)
	cmd.Flags().StringVar(&newFile, "new-passphrase-file", "", "`file` with the new passphrase, - for the standard input")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return a.protect(cmd.Context(), oldFile, func(h home.Home, v *vault.Vault) error {
			if v.Protection() == vault.Clear {
				return usagef("", a.hint("passphrase set"), "no passphrase is set in %s", h.Dir)
			}
			return a.setNew(cmd.Context(), v, newFile)
		})
	}
	return cmd
}

func (a *app) passphraseRemove() *cobra.Command {
	var oldFile string
	cmd := &cobra.Command{
		Use:   "remove",
		Short: "Take the passphrase off: the key then lies beside what it opens",
		Long: `Take the passphrase off, or the key out of the system's keyring. The key then
lies in the folder: whoever can read your files can read what the node keeps.`,
		Example: "  parley passphrase remove",
		Args:    cobra.NoArgs,
	}
	addPassphraseFile(cmd.Flags(), &oldFile)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return a.protect(cmd.Context(), oldFile, func(h home.Home, v *vault.Vault) error {
			if v.Protection() == vault.Clear {
				return nil
			}
			return v.Unprotect(cmd.Context())
		})
	}
	return cmd
}

type stringFlags interface {
	StringVar(p *string, name, value, usage string)
}

func addPassphraseFile(f stringFlags, to *string) {
	f.StringVar(to, "passphrase-file", "", "`file` with the passphrase of the keys, - for the standard input (default $PARLEY_PASSPHRASE_FILE, else it is asked for)")
}

// protect opens a home's vault, changes what it is under, and shows it. A node
// that runs has read the vault already, and doesn't write it.
func (a *app) protect(ctx context.Context, oldFile string, change func(home.Home, *vault.Vault) error) error {
	h, err := a.homeWithKeys()
	if err != nil {
		return err
	}
	c, err := config.Load(h.Config(), a.getenv)
	if err != nil {
		return err
	}
	if oldFile == "" {
		oldFile = c.PassphraseFile
	}
	v, err := vault.Open(ctx, disk.OS{}, h.Keys(), a.unlock(oldFile))
	if protocol.CodeOf(err) == protocol.CodeNotFound {
		e := protocol.Errorf(protocol.CodeUnsupportedFormat, "", "the keys in %s were written by an earlier version", h.Dir)
		e.Hint = "start the node once: " + a.hint("up")
		return e
	}
	if err != nil {
		return err
	}
	defer v.Close()
	if err := change(h, v); err != nil {
		return home.Explain(err, h.Keys())
	}
	return a.printProtection(h, v.Protection())
}

func (a *app) homeWithKeys() (home.Home, error) {
	h, err := a.home()
	if err == nil && !h.Exists() {
		err = &protocol.Error{Code: protocol.CodeNotFound, Field: "home", Detail: "no node has been set up in " + h.Dir, Hint: a.hint("init")}
	}
	return h, err
}

// setNew reads a new passphrase, twice where somebody types it.
func (a *app) setNew(ctx context.Context, v *vault.Vault, file string) error {
	pass, err := a.newPassphrase(ctx, file)
	if err != nil {
		return err
	}
	defer clear(pass)
	return v.SetPassphrase(ctx, pass)
}

func (a *app) newPassphrase(ctx context.Context, file string) ([]byte, error) {
	if file != "" {
		return a.readPassphrase(file)
	}
	if !isTerminal(a.stdin) {
		return nil, usagef("--new-passphrase-file", "give it as a file, or - for the standard input", "there is no terminal to ask for the new passphrase")
	}
	pass, err := a.askPassphrase(ctx, "New passphrase: ")
	if err != nil {
		return nil, err
	}
	again, err := a.askPassphrase(ctx, "The same again: ")
	if err != nil {
		return nil, err
	}
	defer clear(again)
	if !bytes.Equal(pass, again) {
		clear(pass)
		return nil, usagef("passphrase", "try again; nothing has been changed", "the two are not the same")
	}
	return pass, nil
}

// unlock is how this program gets at keys: from a file, or from the person.
func (a *app) unlock(file string) vault.Unlock {
	u := vault.Unlock{}
	switch {
	case file != "":
		u.Passphrase = func(context.Context) ([]byte, error) { return a.readPassphrase(file) }
	case isTerminal(a.stdin):
		u.Passphrase = func(ctx context.Context) ([]byte, error) { return a.askPassphrase(ctx, "Passphrase of the keys: ") }
	}
	return u
}

// readPassphrase reads a file, or a pipe such as /dev/fd/3.
func (a *app) readPassphrase(file string) ([]byte, error) {
	in := a.stdin
	if file == "-" && a.typed != nil {
		return bytes.Clone(a.typed), nil
	}
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return nil, usagef("--passphrase-file", "check the path: it may stand in the settings (passphrase_file) or in PARLEY_PASSPHRASE_FILE", "%v", err)
		}
		defer f.Close()
		if info, err := f.Stat(); err == nil && disk.ChecksModes && info.Mode().IsRegular() && info.Mode().Perm()&0o077 != 0 {
			a.note("note: others than you may read %s (chmod 600)", filepath.Base(file))
		}
		in = f
	}
	b, err := io.ReadAll(io.LimitReader(in, vault.MaxPassphrase+3))
	if err != nil {
		return nil, fmt.Errorf("the passphrase can't be read: %w", err)
	}
	pass := vault.TrimPassphrase(b)
	if file == "-" {
		a.typed = bytes.Clone(pass)
	}
	return pass, nil
}

// askPassphrase asks at the terminal, without showing what is typed.
func (a *app) askPassphrase(ctx context.Context, prompt string) ([]byte, error) {
	f, ok := a.stdin.(*os.File)
	if !ok {
		return nil, fs.ErrInvalid
	}
	before, err := term.GetState(int(f.Fd()))
	if err != nil {
		return nil, err
	}
	type answer struct {
		pass []byte
		err  error
	}
	fmt.Fprint(a.stderr, prompt)
	typed := make(chan answer, 1)
	go func() {
		pass, err := term.ReadPassword(int(f.Fd()))
		typed <- answer{pass, err}
	}()
	select {
	case got := <-typed:
		fmt.Fprintln(a.stderr)
		return got.pass, got.err
	case <-ctx.Done(): // the terminal must show again what is typed
		fmt.Fprintln(a.stderr)
		_ = term.Restore(int(f.Fd()), before)
		return nil, ctx.Err()
	}
}
