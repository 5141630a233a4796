package main

import (
	"bytes"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// every calls f with each command of the program.
func every(t *testing.T, f func(*testing.T, *cobra.Command)) {
	t.Helper()
	var walk func(*cobra.Command)
	walk = func(c *cobra.Command) {
		t.Run(c.CommandPath(), func(t *testing.T) { f(t, c) })
		for _, sub := range c.Commands() {
			walk(sub)
		}
	}
	walk(new(app).root())
}

func TestEveryCommandExplainsItself(t *testing.T) {
	every(t, func(t *testing.T, c *cobra.Command) {
		if c.Short == "" || strings.HasSuffix(c.Short, ".") {
			t.Errorf("its short text is %q", c.Short)
		}
		if c.Example == "" {
			t.Error("it has no example")
		}
		for line := range strings.Lines(c.Example) {
			if !strings.HasPrefix(line, "  parley") {
				t.Errorf("the example %q doesn't begin with the program", line)
			}
		}
		c.Flags().VisitAll(func(f *pflag.Flag) {
			if f.Usage == "" {
				t.Errorf("--%s says nothing of itself", f.Name)
			}
		})
	})
}

// A command's flags must not hide those of the whole program.
func TestFlagsDoNotCollide(t *testing.T) {
	global := new(app).root().PersistentFlags()
	every(t, func(t *testing.T, c *cobra.Command) {
		if !c.HasParent() {
			return
		}
		c.LocalNonPersistentFlags().VisitAll(func(f *pflag.Flag) {
			if global.Lookup(f.Name) != nil {
				t.Errorf("--%s hides the program's own", f.Name)
			}
			if f.Shorthand != "" && f.Name != "help" {
				t.Errorf("-%s: short flags are not for single commands", f.Shorthand)
			}
		})
	})
}

func TestEveryCommandHelps(t *testing.T) {
	every(t, func(t *testing.T, c *cobra.Command) {
		var out, errs bytes.Buffer
		a := &app{stdin: strings.NewReader(""), stdout: &out, stderr: &errs, getenv: noEnv,
			args: append(strings.Fields(c.CommandPath())[1:], "--help")}
		if code := a.run(t.Context()); code != exitOK || errs.Len() > 0 {
			t.Fatalf("exit code %d: %s", code, errs.String())
		}
		if !strings.Contains(out.String(), "Usage:") {
			t.Errorf("no usage in %q", out.String())
		}
	})
}

// Examples are commands that exist, with flags that exist.
func TestExamplesParse(t *testing.T) {
	every(t, func(t *testing.T, c *cobra.Command) {
		for line := range strings.Lines(c.Example) {
			args := shellWords(strings.TrimSpace(line))[1:]
			root := new(app).root()
			cmd, rest, err := root.Find(args)
			if err != nil {
				t.Fatalf("%s: %v", line, err)
			}
			if err := cmd.ParseFlags(rest); err != nil {
				t.Errorf("%s: %v", line, err)
			} else if err := cmd.ValidateArgs(cmd.Flags().Args()); err != nil && cmd.Runnable() {
				t.Errorf("%s: %v", line, err)
			}
		}
	})
}

var wordForm = regexp.MustCompile(`(?:"[^"]*"|[^\s"])+`)

func shellWords(line string) []string {
	words := wordForm.FindAllString(line, -1)
	for i, w := range words {
		words[i] = strings.ReplaceAll(w, `"`, "")
	}
	return words
}

// What customers read says seller, request and agreement, and none of the
// machinery's words.
func TestCustomersWords(t *testing.T) {
	machinery := regexp.MustCompile(`\b(?:[Pp]eers?|CIDs?|DIDs?|[Gg]ossip|[Mm]ultiaddrs?|[Vv]endors?|libp2p)\b`)
	for _, noun := range []string{"intent", "offer", "deal", "terms"} {
		every(t, func(t *testing.T, c *cobra.Command) {
			if !strings.HasPrefix(c.CommandPath(), "parley "+noun) {
				return
			}
			text := c.Short + "\n" + c.Long + "\n" + c.LocalNonPersistentFlags().FlagUsages()
			if word := machinery.FindString(text); word != "" {
				t.Errorf("it says %q", word)
			}
		})
	}
}
