package testnet_test

import (
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/parley-protocol/parley/testnet"
)

// A restore whose process dies before or after any write, fsync or rename leaves
// a folder that no node starts in, or the whole node; run again it ends well. And
// a backup that dies leaves no file of its name.
//
// The plain run takes a sample of the places; PARLEY_FAILPOINTS=all takes each.
//
//spec:shows BAK-8
func TestDeathsOfARestore(t *testing.T) {
	program := binary(t, programs.failpoints)
	s := story{t: t, net: testnet.Start(t, testnet.Spec{Binary: program, Nodes: []testnet.NodeSpec{{Name: "customer", Phrase: words(t)}}})}
	s.must("customer", http.MethodPost, "/v1/markets", map[string]string{"name": market}, nil)
	for _, title := range []string{"Chairs", "Desks"} {
		if _, err := s.publish(tender(testnet.SampleTender()), title); err != nil {
			t.Fatal(err)
		}
	}
	customer := s.node("customer")
	dir := t.TempDir()
	// run is a command of a process of its own; ended says that it wasn't killed.
	run := func(point string, args ...string) (out []byte, ended bool, err error) {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), program, args...)
		cmd.Env = append(os.Environ(), point)
		out, err = cmd.Output()
		return out, cmd.ProcessState.ExitCode() >= 0, err
	}
	places := func(log string) (points []string) {
		t.Helper()
		text, err := os.ReadFile(log)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			if point := strings.TrimSpace(line); !slices.Contains(points, point) {
				points = append(points, point)
			}
		}
		switch how := os.Getenv("PARLEY_FAILPOINTS"); how {
		case "all", "every":
			return points
		default:
			n, err := strconv.Atoi(how)
			if err != nil {
				n = 2
			}
			var some []string
			for i := range min(n, len(points)) {
				some = append(some, points[i*len(points)/min(n, len(points))])
			}
			return some
		}
	}

	// The backup, by a process that asks the node that runs.
	file, log := filepath.Join(dir, "backup.age"), filepath.Join(dir, "log")
	if _, _, err := run("PARLEY_FAILPOINT_LOG="+log, "backup", file, "--home", customer.Home); err != nil {
		t.Fatal(err)
	}
	for i, point := range places(log) {
		name := filepath.Join(dir, "dies"+strconv.Itoa(i))
		if _, ended, err := run("PARLEY_FAILPOINT="+point, "backup", name, "--home", customer.Home); ended {
			t.Errorf("backup at %s: it didn't die: %v", point, err)
		}
		_, err := os.Stat(name)
		if late := strings.HasSuffix(point, "after-rename") || strings.HasSuffix(point, "after-fsync-dir"); late != (err == nil) {
			t.Errorf("backup at %s: %v", point, err)
		}
		if _, _, err := run("NONE=", "backup", name, "--home", customer.Home); err != nil {
			t.Errorf("backup at %s, and again: %v", point, err)
		}
	}
	if err := customer.Kill(); err != nil {
		t.Fatal(err)
	}

	restore := func(point, home string) (records int, ended bool, err error) {
		t.Helper()
		out, ended, err := run(point, "restore", file, "--phrase-file", customer.Home+".words", "--home", home, "--json")
		var v struct{ Records int }
		if err == nil {
			err = json.Unmarshal(out, &v)
		}
		return v.Records, ended, err
	}
	log += "2"
	want, _, err := restore("PARLEY_FAILPOINT_LOG="+log, filepath.Join(dir, "whole"))
	if err != nil || want < 2 {
		t.Fatalf("%d records, %v", want, err)
	}
	unfinished := 0
	points := places(log)
	for i, point := range points {
		home := filepath.Join(dir, "home"+strconv.Itoa(i))
		if _, ended, err := restore("PARLEY_FAILPOINT="+point, home); ended {
			t.Errorf("restore at %s: it didn't die: %v", point, err)
		}
		if _, err := os.Stat(filepath.Join(home, "keys")); err == nil {
			again := filepath.Join(dir, "again"+strconv.Itoa(i)+".age")
			if _, _, err := run("NONE=", "backup", again, "--home", home); err != nil {
				t.Errorf("restore at %s: a home that isn't whole: %v", point, err)
			}
			continue
		}
		if _, err := os.Stat(filepath.Join(home, "restoring")); err == nil {
			unfinished++
			if out, ended, err := run("NONE=", "up", "--home", home); !ended || err == nil {
				t.Fatalf("restore at %s: a node starts in half a home: %s", point, out)
			}
		}
		if got, _, err := restore("NONE=", home); err != nil || got != want {
			t.Errorf("restore at %s, run again: %d records of %d, %v", point, got, want, err)
		}
	}
	if unfinished == 0 {
		t.Error("no death left half a home: the test shows less than it should")
	}
	t.Logf("%d deaths of a restore, %d of them with half a home left", len(points), unfinished)
}
