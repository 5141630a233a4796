package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/parley-protocol/parley/node"
	"github.com/parley-protocol/parley/node/api"
	"github.com/parley-protocol/parley/node/config"
	"github.com/parley-protocol/parley/node/home"
	"github.com/parley-protocol/parley/protocol"
)

func (a *app) upCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "up",
		Aliases: []string{"run"},
		Short:   "Start this node and stay until it is interrupted",
		Long: `Start this node and stay until it is interrupted.

The first run makes the folder, the keys and the settings, as "parley init"
does, with the flags that are given. Later the flags go over the settings of
config.toml and of the PARLEY_* variables, for this run alone.

Keys that are under a passphrase ("parley passphrase") are opened with the one
that is typed at the terminal, or that stands in the file of --passphrase-file or
PARLEY_PASSPHRASE_FILE. A file can be a descriptor: --passphrase-file /dev/fd/3.

When the node is ready it says so in one line; with --json that line is an
object whose event is "ready".`,
		Example: `  parley up
  parley up --home ~/shop --no-mdns
  parley up --json --listen /ip4/127.0.0.1/tcp/0`,
		Args: cobra.NoArgs,
	}
	s := addSettings(cmd.Flags())
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return a.up(cmd.Context(), s) }
	return cmd
}

// memoryLimit is from where on the program rather spends time than memory, in
// bytes: a node is a guest on its person's machine. GOMEMLIMIT says otherwise.
const memoryLimit = 160 << 20

func (a *app) up(ctx context.Context, s *settings) error {
	if a.getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(memoryLimit)
	}
	h, err := a.home()
	if err != nil {
		return err
	}
	first := !h.Exists()
	if first {
		if _, err := a.setUp(h, s, nil); err != nil {
			return err
		}
	}
	c, err := config.Load(h.Config(), a.getenv)
	if err != nil {
		return err
	}
	if !first { // the first run has written them, with the ports that were free
		s.apply(&c)
	}
	if s.passphrase != "" {
		c.PassphraseFile = s.passphrase
	}
	if err := c.Validate(); err != nil {
		return err
	}
	return a.serve(ctx, h, c)
}

// serve runs a node until ctx ends.
func (a *app) serve(ctx context.Context, h home.Home, c config.Config) (err error) {
	n := node.New(node.Options{Home: h, Config: c, Log: a.logger(c.LogLevel), Unlock: a.unlock(c.PassphraseFile)})
	if err := n.Start(ctx); err != nil {
		return interrupted(ctx, err)
	}
	defer func() { err = errors.Join(err, n.Close()) }()
	server := api.NewServer(n, versionText())
	if err := server.Start(ctx); err != nil {
		return interrupted(ctx, err)
	}
	defer func() { err = errors.Join(err, server.Close()) }()
	var v api.Node
	if err := a.call(ctx, http.MethodGet, "/v1/node", nil, &v); err != nil {
		return interrupted(ctx, err)
	}
	if err := a.ready(v); err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		return nil
	case err := <-n.Failed():
		return err
	}
}

// interrupted forgives an error of a start that was given up.
func interrupted(ctx context.Context, err error) error {
	if ctx.Err() != nil && (errors.Is(err, context.Canceled) || protocol.CodeOf(err) == protocol.CodeInternal) {
		return nil
	}
	return err
}

func (a *app) ready(v api.Node) error {
	if !a.json {
		_, err := fmt.Fprintf(a.stdout, "Ready: %s (%s)\n", v.DID, v.Home)
		return err
	}
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(a.stdout, "{\"event\":\"ready\",%s\n", b[1:])
	return err
}

// logger writes to the standard error output; Validate has passed the level.
func (a *app) logger(level string) *slog.Logger {
	var l slog.Level
	_ = l.UnmarshalText([]byte(level))
	opts := &slog.HandlerOptions{Level: l}
	if a.json {
		return slog.New(slog.NewJSONHandler(a.stderr, opts))
	}
	return slog.New(slog.NewTextHandler(a.stderr, opts))
}
