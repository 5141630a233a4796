package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"parley": main})
}

// The scripts run the program as people do, with nodes on the loopback alone.
//
//spec:shows ARC-7 REST-6
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                "testdata/script",
		RequireUniqueNames: true,
		Setup: func(e *testscript.Env) error {
			e.Setenv("PARLEY_LISTEN", "/ip4/127.0.0.1/tcp/0")
			e.Setenv("PARLEY_MDNS", "false")
			e.Setenv("TZ", "UTC")
			return nil
		},
		Condition: func(cond string) (bool, error) {
			if cond == "root" {
				return os.Geteuid() == 0, nil
			}
			return false, fmt.Errorf("no condition is called %q", cond)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits,
			"get":   get,
			"text":  text,
			"until": until,
			"flip":  flip,
			"term":  terminate,
		},
	})
}

// exits CODE PROGRAM ARGS... runs a program that must end with this exit code.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE PROGRAM ARGS...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		exit, ok := errors.AsType[*exec.ExitError](err)
		if !ok {
			ts.Fatalf("%v", err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d\n%s%s", got, want, ts.ReadFile("stdout"), ts.ReadFile("stderr"))
	}
}

// get VARIABLE FILE KEY puts a key of the JSON object in a file's first line,
// such as stdout's, into a variable.
func get(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: get VARIABLE FILE KEY")
	}
	line, _, _ := strings.Cut(ts.ReadFile(args[1]), "\n")
	var v map[string]any
	ts.Check(json.Unmarshal([]byte(line), &v))
	text, ok := v[args[2]].(string)
	if !ok || text == "" {
		ts.Fatalf("%s has no text %q: %s", args[1], args[2], line)
	}
	ts.Setenv(args[0], text)
	ts.Setenv(args[0]+"_SHORT", shortID(text))
}

// until PATTERN PROGRAM ARGS... runs a program again and again until what it
// prints matches the pattern.
func until(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: until PATTERN PROGRAM ARGS...")
	}
	pattern, err := regexp.Compile("(?m)" + args[0])
	ts.Check(err)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(time.Minute); ; <-tick.C {
		err := ts.Exec(args[1], args[2:]...)
		if err == nil && pattern.MatchString(ts.ReadFile("stdout")) {
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("waited in vain for %s: %v\n%s%s", args[0], err, ts.ReadFile("stdout"), ts.ReadFile("stderr"))
		}
	}
}

// text VARIABLE FILE puts the ID of the first terms of a request, as JSON in a
// file, into a variable.
func text(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: text VARIABLE FILE")
	}
	var v struct {
		Terms []struct {
			ID string `json:"id"`
		} `json:"terms"`
	}
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[1])), &v))
	if len(v.Terms) == 0 {
		ts.Fatalf("no terms in %s", args[1])
	}
	ts.Setenv(args[0], v.Terms[0].ID)
	ts.Setenv(args[0]+"_SHORT", shortID(v.Terms[0].ID))
}

// term asks all programs in the background to end, as a system that shuts down.
func terminate(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: term")
	}
	for _, cmd := range ts.BackgroundCmds() {
		ts.Check(cmd.Process.Signal(syscall.SIGTERM))
	}
}

// flip FILE OFFSET turns one bit of a file around; a negative offset counts from
// the end.
func flip(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: flip FILE OFFSET")
	}
	at, err := strconv.Atoi(args[1])
	ts.Check(err)
	data := []byte(ts.ReadFile(args[0]))
	if at < 0 {
		at += len(data)
	}
	data[at] ^= 1
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), data, 0o600))
}
