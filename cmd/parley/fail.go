package main

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/spf13/cobra"

	"github.com/parley-protocol/parley/protocol"
)

// The exit codes, which scripts rely on.
const (
	exitOK           = 0
	exitFailed       = 1
	exitUsage        = 2
	exitNotRunning   = 3
	exitNotPermitted = 4
	exitPending      = 8
)

// exitError ends the program with a code when all has been said already.
type exitError int

func (e exitError) Error() string { return fmt.Sprintf("exit code %d", int(e)) }

// errPending ends a command whose deal waits for the seller's word.
const errPending = exitError(exitPending)

// usagef is a usage error with a hint.
func usagef(field, hint, format string, args ...any) error {
	return &protocol.Error{Code: protocol.CodeUsage, Field: field, Detail: fmt.Sprintf(format, args...), Hint: hint}
}

// usageOf makes an error of the flag parser one of code usage.
func usageOf(cmd *cobra.Command, err error) error {
	if err == nil {
		return nil
	}
	return &protocol.Error{Code: protocol.CodeUsage, Detail: err.Error(), Hint: cmd.CommandPath() + " --help", Err: err}
}

var groupForm = regexp.MustCompile(`\[([^\]]*)\] were all set`)

// exclusive puts the flag parser's error about flags that exclude each other
// into words.
func exclusive(cmd *cobra.Command, err error) error {
	if err == nil {
		return nil
	}
	m := groupForm.FindStringSubmatch(err.Error())
	if m == nil {
		return usageOf(cmd, err)
	}
	return usagef("", cmd.CommandPath()+" --help", "--%s exclude each other", strings.Join(strings.Fields(m[1]), " and --"))
}

// fail tells the person what went wrong and returns the exit code.
func (a *app) fail(err error) int {
	if err == nil {
		return exitOK
	}
	if code, ok := errors.AsType[exitError](err); ok {
		return int(code)
	}
	f := failureOf(err)
	if a.json || wantsJSON(a.args) {
		_ = writeJSON(a.stderr, map[string]failure{"error": f})
	} else {
		fmt.Fprintf(a.stderr, "parley: %s\n", f.sentence())
		if f.Hint != "" {
			fmt.Fprintf(a.stderr, "hint: %s\n", f.Hint)
		}
	}
	switch protocol.Code(f.Code) {
	case protocol.CodeUsage:
		return exitUsage
	case protocol.CodeNotRunning:
		return exitNotRunning
	case protocol.CodeNotPermitted, protocol.CodeSecondWriter:
		return exitNotPermitted
	}
	return exitFailed
}

// wantsJSON finds --json also where the flags couldn't be parsed.
func wantsJSON(args []string) bool {
	for _, arg := range args {
		switch arg {
		case "--":
			return false
		case "--json", "--json=true":
			return true
		}
	}
	return false
}

// failure is an error as it is printed.
type failure struct {
	Code   string `json:"code"`
	Field  string `json:"field,omitempty"`
	Detail string `json:"detail"`
	Hint   string `json:"hint,omitempty"`
}

func failureOf(err error) failure {
	f := failure{Code: string(protocol.CodeOf(err)), Detail: err.Error()}
	e, ok := errors.AsType[*protocol.Error](err)
	switch {
	case ok:
		f.Field, f.Detail, f.Hint = e.Field, e.Detail, e.Hint
		if f.Detail == "" {
			f.Detail = e.Code.Summary()
		}
	case errors.Is(err, context.Canceled):
		f.Detail = "interrupted"
	}
	registered := protocol.Code(f.Code).Hint()
	switch {
	case protocol.Code(f.Code) == protocol.CodeBadField && f.Hint == registered:
		f.Hint = "--help says how the flags are written" // the registry's is for programmers
	case f.Hint == "":
		f.Hint = registered
	}
	return f
}

// sentence is the detail, led by the field where the detail alone doesn't say
// what it is about.
func (f failure) sentence() string {
	if f.Field == "" || wholeSentences[f.Field] || strings.HasPrefix(f.Detail, f.Field) {
		return f.Detail
	}
	return f.Field + ": " + f.Detail
}

// wholeSentences are fields whose errors name what they are about.
var wholeSentences = map[string]bool{
	"id": true, "home": true, "intent": true, "offer": true, "deal": true, "seller": true, "profile": true, "record": true,
}
