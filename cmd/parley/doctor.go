package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/parley-protocol/parley/node/api"
	"github.com/parley-protocol/parley/node/config"
	"github.com/parley-protocol/parley/node/home"
	"github.com/parley-protocol/parley/node/keyring"
	"github.com/parley-protocol/parley/node/space"
	"github.com/parley-protocol/parley/node/vault"
	"github.com/parley-protocol/parley/protocol"
)

// The outcomes of a check.
const (
	checkOK   = "ok"
	checkWarn = "warn"
	checkFail = "fail"
)

// littleSpace is how much free disk space is a reason for a warning.
const littleSpace = 1 << 30

func (a *app) doctorCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "doctor",
		Short: "Look at what tends to go wrong",
		Long: `Look at what tends to go wrong: folder, keys, settings, disk, ports, and, while
it runs, the node itself. Ends with exit code 1 if something is broken.`,
		Example: "  parley doctor\n  parley doctor --json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			h, err := a.home()
			if err != nil {
				return err
			}
			checks := a.examine(cmd.Context(), h)
			if err := printList(a, checks, "", func(t *table) {
				for _, c := range checks {
					t.row(strings.ToUpper(c.Status), c.Name, c.Text)
					if c.Hint != "" && c.Status != checkOK {
						t.row("", "", "hint: "+c.Hint)
					}
				}
			}); err != nil {
				return err
			}
			for _, c := range checks {
				if c.Status == checkFail {
					return exitError(exitFailed)
				}
			}
			return nil
		},
	}
}

// examine looks at what can be seen from outside, then asks the node.
func (a *app) examine(ctx context.Context, h home.Home) []api.Check {
	if !h.Exists() {
		return []api.Check{{Name: "home", Status: checkFail, Text: "no node has been set up in " + h.Dir, Hint: a.hint("up") + " sets one up"}}
	}
	checks := []api.Check{{Name: "home", Status: checkOK, Text: h.Dir}, checkKeys(h)}
	c, err := config.Load(h.Config(), a.getenv)
	checks = append(checks, checkOf("settings", h.Config(), err), checkDisk(h))
	asked, nodeErr := getList[api.Check](ctx, a, "/v1/doctor")
	if err == nil && protocol.CodeOf(nodeErr) == protocol.CodeNotRunning {
		checks = append(checks, checkPorts(c))
	}
	switch {
	case protocol.CodeOf(nodeErr) == protocol.CodeNotRunning:
		return append(checks, api.Check{Name: "node", Status: checkWarn, Text: "no node is running here", Hint: a.hint("up")})
	case nodeErr != nil:
		return append(checks, checkOf("node", "", nodeErr))
	}
	return append(append(checks, api.Check{Name: "node", Status: checkOK, Text: "is running"}), asked...)
}

// checkOf is a check that fails with an error, or passes with a text.
func checkOf(name, text string, err error) api.Check {
	if err == nil {
		return api.Check{Name: name, Status: checkOK, Text: text}
	}
	f := failureOf(err)
	return api.Check{Name: name, Status: checkFail, Text: f.sentence(), Hint: f.Hint}
}

func checkKeys(h home.Home) api.Check {
	r, err := keyring.Inspect(h.Keys(), keyring.Options{})
	text := "only you can read them"
	switch r.Protection {
	case vault.Passphrase:
		text += ", and they are under a passphrase"
	case vault.SystemKeys:
		text += ", and they are under a key in the system's keyring"
	}
	if c := checkOf("keys", text, err); err != nil || len(r.Spoilt) == 0 {
		return c
	}
	return api.Check{Name: "keys", Status: checkWarn, Text: fmt.Sprintf("a copy is spoilt: %v", errors.Join(r.Spoilt...)),
		Hint: "start the node again, which mends it from the other copy, and look after this disk"}
}

func checkDisk(h home.Home) api.Check {
	free, total, err := space.Measure(h.Dir)
	if err != nil {
		return api.Check{Name: "disk", Status: checkWarn, Text: "its free space can't be told: " + err.Error()}
	}
	c := api.Check{Name: "disk", Status: checkOK, Text: fmt.Sprintf("%.1f GB free", float64(free)/1e9)}
	if free < littleSpace {
		c.Status, c.Hint = checkWarn, "make room, or move the home folder to a larger disk"
	}
	if free < space.Reserve(total, space.Own) {
		c.Status = checkFail
	}
	return c
}

func checkPorts(c config.Config) api.Check {
	if busy := c.Busy(); len(busy) > 0 {
		return checkOf("ports", "", &protocol.Error{Code: protocol.CodeUsage, Field: "listen", Detail: "another program listens at " + strings.Join(busy, ", "),
			Hint: "stop it, or choose another port in the settings"})
	}
	return api.Check{Name: "ports", Status: checkOK, Text: "free for this node"}
}
