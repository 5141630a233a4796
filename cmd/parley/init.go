package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/parley-protocol/parley/crypto"
	"github.com/parley-protocol/parley/node/backup"
	"github.com/parley-protocol/parley/node/config"
	"github.com/parley-protocol/parley/node/home"
	"github.com/parley-protocol/parley/node/keyring"
	"github.com/parley-protocol/parley/node/ledger/disk"
	"github.com/parley-protocol/parley/node/vault"
	"github.com/parley-protocol/parley/protocol"
)

// settings are the flags that mirror the configuration.
type settings struct {
	flags        *pflag.FlagSet
	listen       []string
	peers        []string
	mailboxes    []string
	serveMailbox bool
	relays       []string
	serveRelay   bool
	noMDNS       bool
	testNetwork  bool
	passphrase   string
}

func addSettings(f *pflag.FlagSet) *settings {
	s := &settings{flags: f}
	f.StringArrayVar(&s.listen, "listen", nil, "`address` to listen on, a multiaddr such as /ip4/127.0.0.1/tcp/4100 (repeatable; port 0: a free one)")
	f.StringArrayVar(&s.peers, "peer", nil, "`address` of a node to stay connected to (repeatable)")
	f.StringArrayVar(&s.mailboxes, "mailbox", nil, "`address` of a mailbox where replies are left for you (repeatable)")
	f.BoolVar(&s.serveMailbox, "serve-mailbox", false, "keep sealed messages for others too")
	f.StringArrayVar(&s.relays, "relay", nil, "`address` of a node to be reached through (repeatable; those met that relay by default)")
	f.BoolVar(&s.serveRelay, "serve-relay", false, "relay for nodes that others can't reach")
	f.BoolVar(&s.noMDNS, "no-mdns", false, "don't look for nodes on the local network")
	f.BoolVar(&s.testNetwork, "test-network", false, "lift the limits per IP address, for many nodes on one machine")
	addPassphraseFile(f, &s.passphrase)
	return s
}

// apply puts the flags that were given over the configuration.
func (s *settings) apply(c *config.Config) {
	for _, l := range []struct {
		name string
		from []string
		to   *[]string
	}{{"listen", s.listen, &c.Listen}, {"peer", s.peers, &c.Peers}, {"mailbox", s.mailboxes, &c.Mailboxes}, {"relay", s.relays, &c.Relays}} {
		if s.flags.Changed(l.name) {
			*l.to = l.from
		}
	}
	if s.flags.Changed("passphrase-file") {
		c.PassphraseFile = s.passphrase
	}
	if s.flags.Changed("serve-mailbox") {
		c.ServeMailbox = s.serveMailbox
	}
	if s.flags.Changed("serve-relay") {
		c.ServeRelay = s.serveRelay
	}
	if s.flags.Changed("no-mdns") {
		c.MDNS = !s.noMDNS
	}
	if s.flags.Changed("test-network") {
		c.TestNetwork = s.testNetwork
	}
}

// created is what init reports.
type created struct {
	Home     string   `json:"home"`
	DID      string   `json:"did"`
	Config   string   `json:"config"`
	Listen   []string `json:"listen"`
	Restored bool     `json:"restored"`
}

func (a *app) initCommand() *cobra.Command {
	var phraseFile string
	cmd := &cobra.Command{
		Use:   "init",
		Short: "Make keys and settings for a new node",
		Long: `Make keys and settings for a new node.

The keys come from a phrase of 24 words, which is shown once on the standard
error output and stored nowhere. "parley up" does all this by itself on its
first run.

With --passphrase-file, or PARLEY_PASSPHRASE_FILE, what the node keeps is under
that passphrase from the start; "parley passphrase set" does it later. The
settings remember the file, so that the node starts by itself.

With --phrase-file the keys are those of a phrase that you have already; - reads
it from the standard input. A phrase brings back keys, and neither settings nor
deals: those are in the folder and its backups.`,
		Example: `  parley init
  parley init --home ~/shop --listen /ip4/0.0.0.0/tcp/4100
  parley init --phrase-file words.txt`,
		Args: cobra.NoArgs,
	}
	s := addSettings(cmd.Flags())
	cmd.Flags().StringVar(&phraseFile, "phrase-file", "", "`file` with the 24 words of existing keys, - for the standard input")
	cmd.RunE = func(*cobra.Command, []string) error {
		h, err := a.home()
		if err != nil {
			return err
		}
		var phrase *crypto.Phrase
		if phraseFile != "" {
			p, err := a.readPhrase(phraseFile)
			if err != nil {
				return err
			}
			defer p.Destroy()
			phrase = &p
		}
		c, err := a.setUp(h, s, phrase)
		if err != nil {
			return err
		}
		return a.print(c, func(w io.Writer) {
			fmt.Fprintf(w, "A node is set up in %s.\nIts ID is %s\n", c.Home, c.DID)
			a.note("Start it with: %s", a.hint("up"))
		})
	}
	return cmd
}

// hint is a command line that works for the same home.
func (a *app) hint(command string) string {
	if a.homeDir == "" {
		return "parley " + command
	}
	return "parley --home " + a.homeDir + " " + command
}

// setUp makes a node's folder with keys and settings: of the phrase, or of a
// new one, which it shows.
func (a *app) setUp(h home.Home, s *settings, phrase *crypto.Phrase) (*created, error) {
	if h.Exists() {
		return nil, &protocol.Error{Code: protocol.CodeNotPermitted, Field: "home", Detail: "there is a node already in " + h.Dir,
			Hint: "start it with parley up, or give --home DIR for another one; keys are never written over"}
	}
	if h.Unfinished() {
		return nil, &protocol.Error{Code: protocol.CodeNotPermitted, Field: "home", Detail: "a restore into " + h.Dir + " was not finished",
			Hint: "run parley restore again, or give --home DIR for another folder"}
	}
	// A file that somebody put there before the first run counts.
	c, err := config.Load(h.Config(), noEnv)
	if err != nil {
		return nil, err
	}
	s.apply(&c)
	if err := c.Validate(); err != nil {
		return nil, err
	}
	if err := h.Create(); err != nil {
		return nil, err
	}
	unlock, err := h.Lock()
	if err != nil {
		return nil, err
	}
	defer unlock()
	if err := c.PinPorts(); err != nil {
		return nil, err
	}
	pass, err := a.firstPassphrase(&c)
	if err != nil {
		return nil, err
	}
	defer clear(pass)
	if err := writeConfig(h, c); err != nil {
		return nil, err
	}
	restored := phrase != nil
	if !restored {
		p, err := crypto.NewPhrase()
		if err != nil {
			return nil, err
		}
		defer p.Destroy()
		phrase = &p
	}
	root := phrase.Root()
	defer root.Destroy()
	// The keys come last: without them the folder is no node, and init can be
	// run again.
	if err := keyring.Create(h.Keys(), root, 0, keyring.Options{Passphrase: pass}); err != nil {
		return nil, home.Explain(err, h.Keys())
	}
	if !restored {
		a.showPhrase(*phrase)
	}
	if err := backup.KeepRecipient(h, root); err != nil {
		return nil, err
	}
	open := vault.Unlock{Passphrase: func(context.Context) ([]byte, error) { return bytes.Clone(pass), nil }}
	keys, err := keyring.Open(h.Keys(), keyring.Options{Unlock: open})
	if err != nil {
		return nil, err
	}
	defer keys.Close()
	return &created{Home: h.Dir, DID: string(keys.Identity().Persona().DID()), Config: h.Config(), Listen: c.Listen, Restored: restored}, nil
}

// firstPassphrase reads the passphrase that new keys are to be under, nil for
// none. The settings remember a file by its whole path, and the standard input
// not at all.
func (a *app) firstPassphrase(c *config.Config) ([]byte, error) {
	file := c.PassphraseFile
	if file == "" {
		file = a.getenv("PARLEY_PASSPHRASE_FILE")
	} else if file == "-" {
		c.PassphraseFile = ""
	} else {
		whole, err := filepath.Abs(file)
		if err != nil {
			return nil, usagef("--passphrase-file", "", "%v", err)
		}
		c.PassphraseFile = whole
	}
	if file == "" {
		return nil, nil
	}
	return a.readPassphrase(file)
}

// noEnv keeps the variables of one run out of the settings that are written.
func noEnv(string) string { return "" }

func writeConfig(h home.Home, c config.Config) error {
	text, err := c.Text()
	if err != nil {
		return err
	}
	return home.Explain(disk.Replace(disk.OS{}, h.Config(), text, 0o600, "config"), h.Config())
}

// showPhrase writes the words to the standard error output: a result that is
// piped into a file must not take them along.
func (a *app) showPhrase(p crypto.Phrase) {
	a.note("Write these 24 words down, on paper:\n")
	words := p.Words()
	for i := 0; i < len(words); i += 6 {
		a.note("  %2d  %s", i+1, strings.Join(words[i:i+6], " "))
	}
	a.note("\nThey are the only way back to these keys. They are stored nowhere, and this is\n" +
		"the only time that they are shown. Whoever has them can act in your name.\n")
}

func (a *app) readPhrase(file string) (crypto.Phrase, error) {
	in := a.stdin
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return crypto.Phrase{}, usagef("--phrase-file", "", "%v", err)
		}
		defer f.Close()
		in = f
	}
	text, err := io.ReadAll(io.LimitReader(in, 1<<12))
	if err != nil {
		return crypto.Phrase{}, fmt.Errorf("the phrase can't be read: %w", err)
	}
	defer clear(text)
	return a.parsePhrase(string(text))
}

func (a *app) parsePhrase(text string) (crypto.Phrase, error) {
	p, err := crypto.ParsePhrase(text)
	if err != nil {
		hint := "24 English words, as parley init showed them"
		if e, ok := errors.AsType[*crypto.PhraseError](err); ok && e.Suggestion() != "" && isTerminal(a.stderr) {
			// Part of the secret: for the person's eyes, and no log's.
			hint = fmt.Sprintf("was it %q?", e.Suggestion())
		}
		return crypto.Phrase{}, usagef("--phrase-file", hint, "%v", err)
	}
	return p, nil
}
