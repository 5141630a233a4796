package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/parley-protocol/parley/node/config"
)

// pathsView is where a node keeps what.
type pathsView struct {
	Home    string `json:"home"`
	Config  string `json:"config"`
	Keys    string `json:"keys"`
	Ledger  string `json:"ledger"`
	Inbox   string `json:"inbox"`
	Mailbox string `json:"mailbox"`
	View    string `json:"view"`
	Socket  string `json:"socket"`
}

func (a *app) pathsCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "paths",
		Short:   "Show where the node keeps its files",
		Example: "  parley paths\n  parley paths --json",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			h, err := a.home()
			if err != nil {
				return err
			}
			v := pathsView{h.Dir, h.Config(), h.Keys(), h.Ledger(), h.Inbox(), h.Mailbox(), h.View(), h.Socket()}
			return a.print(v, func(w io.Writer) {
				t := newTable(w)
				t.row("home", v.Home, "everything below, to back up while the node is off")
				t.row("config", v.Config, "settings")
				t.row("keys", v.Keys, "secret: whoever has them can act in your name")
				t.row("ledger", v.Ledger, "your requests and deals: what nothing else can rebuild")
				t.row("inbox", v.Inbox, "offers that wait for your answer")
				t.row("mailbox", v.Mailbox, "sealed messages that wait to be picked up")
				t.row("view", v.View, "indexes: built anew if they are lost")
				t.row("socket", v.Socket, "where the running node listens to these commands")
				t.flush()
			})
		},
	}
}

// configView is what the settings come to.
type configView struct {
	File     string        `json:"file"`
	OK       bool          `json:"ok"`
	Settings config.Config `json:"settings"`
}

func (a *app) configCommand() *cobra.Command {
	noun := &cobra.Command{Use: "config", Short: "Settings", Example: "  parley config check"}
	noun.AddCommand(&cobra.Command{
		Use:   "check",
		Short: "Check the settings and show what they come to",
		Long: `Check config.toml and the PARLEY_* variables, and show what they come to
together. Nothing secret stands in them.`,
		Example: "  parley config check",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			h, err := a.home()
			if err != nil {
				return err
			}
			c, err := config.Load(h.Config(), a.getenv)
			if err != nil {
				return err
			}
			text, err := c.Text()
			if err != nil {
				return err
			}
			for _, list := range []*[]string{&c.Listen, &c.Announce, &c.Peers, &c.Mailboxes} {
				if *list == nil {
					*list = []string{} // in JSON an empty list, not null
				}
			}
			return a.print(configView{h.Config(), true, c}, func(w io.Writer) {
				fmt.Fprintf(w, "%s", text)
				a.note("%s is in order.", h.Config())
			})
		},
	})
	return noun
}
