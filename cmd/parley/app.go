package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/parley-protocol/parley/node/api"
	"github.com/parley-protocol/parley/node/home"
	"github.com/parley-protocol/parley/protocol"
)

// callTimeout bounds one call to the node; it may have to wait for its disk.
const callTimeout = 60 * time.Second

// app is one run of the program: what it was given, and the global flags.
type app struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	getenv         func(string) string
	args           []string

	homeDir string
	json    bool

	typed []byte // a passphrase that came on the standard input, which is read once
}

// run runs the command that the arguments name and returns the exit code.
func (a *app) run(ctx context.Context) int {
	root := a.root()
	root.SetArgs(a.args)
	root.SetIn(a.stdin)
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	return a.fail(root.ExecuteContext(ctx))
}

// root is the tree of all commands.
func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "parley",
		Short: "Ask for what you need; sellers answer",
		Long: `Ask for what you need; sellers answer.

With Parley you publish a request, sellers answer with offers, and you accept
one. Both sides then hold the same signed agreement. One program is everything:
start it with "parley up" and talk to it with the other commands.

Exit codes: 0 ok, 1 failed, 2 usage, 3 no node running, 4 not permitted,
8 pending: the seller hasn't answered yet.`,
		Example: `  parley up
  parley intent publish --name "Gas boiler service" --market repair --until 7d
  parley offer list
  parley offer accept h4xk2`,
		Args:              cobra.NoArgs,
		SilenceErrors:     true,
		SilenceUsage:      true,
		Version:           versionText(),
		CompletionOptions: cobra.CompletionOptions{HiddenDefaultCmd: false},
	}
	root.SetVersionTemplate("parley {{.Version}}\n")
	root.SetUsageTemplate(strings.Replace(root.UsageTemplate(), "{{if .Runnable}}", "{{if not .HasAvailableSubCommands}}", 1))
	root.PersistentFlags().StringVar(&a.homeDir, "home", "", "the node's `folder` (default $PARLEY_HOME, else parley in the data folder)")
	root.PersistentFlags().BoolVar(&a.json, "json", false, "write JSON: one object, or a line each for lists and streams")
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error { return usageOf(cmd, err) })
	root.AddGroup(
		&cobra.Group{ID: groupBuy, Title: "Ask and accept:"},
		&cobra.Group{ID: groupSell, Title: "Whom you deal with:"},
		&cobra.Group{ID: groupNode, Title: "This node:"},
		&cobra.Group{ID: groupFile, Title: "Files and proofs:"},
	)
	root.SetHelpCommandGroupID(groupNode)
	root.SetCompletionCommandGroupID(groupNode)
	root.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	for _, c := range a.commands() {
		root.AddCommand(c)
	}
	checkArgs(root)
	return root
}

// The groups of the help text.
const (
	groupBuy  = "buy"
	groupSell = "sell"
	groupNode = "node"
	groupFile = "file"
)

func (a *app) commands() []*cobra.Command {
	return slices.Concat(
		inGroup(groupBuy, a.intentCommand(), a.offerCommand(), a.dealCommand(), a.orderCommand(), a.termsCommand()),
		inGroup(groupSell, a.profileCommand(), a.personaCommand(), a.marketCommand(), a.contactCommand(), a.relationshipCommand(), a.assertionCommand()),
		inGroup(groupFile, a.exportCommand(), a.importCommand(), a.verifyCommand(), a.recordCommand(), a.backupCommand(), a.restoreCommand()),
		inGroup(groupNode, a.initCommand(), a.upCommand(), a.idCommand(), a.inviteCommand(), a.joinCommand(), a.peerCommand(), a.watchCommand(),
			a.doctorCommand(), a.pathsCommand(), a.passphraseCommand(), a.configCommand(), a.testnetCommand(), a.versionCommand()),
	)
}

func inGroup(id string, commands ...*cobra.Command) []*cobra.Command {
	for _, c := range commands {
		c.GroupID = id
	}
	return commands
}

// checkArgs makes wrong arguments of every command a usage error, and a noun
// without its verb too.
func checkArgs(cmd *cobra.Command) {
	check := cmd.Args
	if check == nil {
		check = cobra.NoArgs
	}
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		if cmd.HasSubCommands() && len(args) > 0 {
			e := &protocol.Error{Code: protocol.CodeUsage, Detail: fmt.Sprintf("%s has no command %q", cmd.CommandPath(), args[0]), Hint: cmd.CommandPath() + " --help"}
			if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
				e.Hint = cmd.CommandPath() + " " + near[0]
			}
			return e
		}
		if err := check(cmd, args); err != nil {
			return usageOf(cmd, err)
		}
		return exclusive(cmd, cmd.ValidateFlagGroups())
	}
	cmd.SuggestionsMinimumDistance = 2
	if cmd.HasSubCommands() && cmd.RunE == nil && cmd.HasParent() {
		cmd.RunE = func(cmd *cobra.Command, _ []string) error {
			return &protocol.Error{Code: protocol.CodeUsage, Detail: cmd.CommandPath() + " needs a command", Hint: cmd.CommandPath() + " --help"}
		}
	}
	for _, c := range cmd.Commands() {
		checkArgs(c)
	}
}

// home is the folder of the node that is meant.
func (a *app) home() (home.Home, error) {
	if a.homeDir != "" {
		return home.At(a.homeDir)
	}
	return home.Default()
}

// call asks the node; out is as for [api.Client.Do].
func (a *app) call(ctx context.Context, method, path string, in, out any) error {
	h, err := a.home()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	return api.NewClient(h.Socket()).Do(ctx, method, path, in, out)
}

// print writes one result: as JSON, or for people by text.
func (a *app) print(v any, text func(io.Writer)) error {
	if a.json {
		return writeJSON(a.stdout, v)
	}
	out := &errWriter{w: a.stdout}
	text(out)
	return out.err
}

// note writes something beside the result, for people.
func (a *app) note(format string, args ...any) {
	fmt.Fprintf(a.stderr, format+"\n", args...)
}

func writeJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

// errWriter keeps the first error, so that a full disk or a closed pipe behind
// stdout isn't taken for success.
type errWriter struct {
	w   io.Writer
	err error
}

func (w *errWriter) Write(p []byte) (int, error) {
	if w.err != nil {
		return 0, w.err
	}
	n, err := w.w.Write(p)
	w.err = err
	return n, err
}

// isTerminal tells whether a person is at the other end.
func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
