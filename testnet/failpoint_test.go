package testnet_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/parley-protocol/parley/node/api"
	"github.com/parley-protocol/parley/testnet"
)

// A process that dies before or after any write, fsync, rename or send of the
// story is started again, and the story ends as if nothing had been: nothing
// that was acknowledged is lost, nothing is signed twice.
//
// The plain run takes a sample of the places; PARLEY_FAILPOINTS=all takes every
// place at its first hit, PARLEY_FAILPOINTS=every each hit of every place, and
// PARLEY_FAILPOINTS="customer at book/after-append:1" that one.
//
//spec:shows DEAL-14 REC-31 SEAL-13
func TestDeathAtEveryStep(t *testing.T) {
	f := newDeaths(t)
	// What a node does by the clock isn't hit in every story, and nobody dies there.
	cases, again := f.watched("nobody dies"), f.watched("nobody dies again")
	cases = slices.DeleteFunc(cases, func(c death) bool { return !slices.Contains(again, c) })
	switch how := os.Getenv("PARLEY_FAILPOINTS"); {
	case how == "every":
	case strings.Contains(how, " at "):
		cases = slices.DeleteFunc(cases, func(c death) bool { return c.String() != how })
	case how == "all":
		cases = slices.DeleteFunc(cases, func(c death) bool { return c.hit > 1 })
	default:
		n := 8
		if how != "" {
			var err error
			if n, err = strconv.Atoi(how); err != nil {
				t.Fatalf("PARLEY_FAILPOINTS is all, every or a number, not %q", how)
			}
		}
		cases = sample(cases, n)
	}
	died := 0
	var slowest time.Duration
	for _, c := range cases {
		restart, ok := f.tell(c.String(), &c)
		if ok {
			died++
		}
		slowest = max(slowest, restart)
	}
	t.Logf("%d deaths in %d stories; the slowest restart was ready after %s", died, len(cases), slowest)
	if died < len(cases)*9/10 {
		t.Errorf("only %d of %d places were reached: the test shows less than it should", died, len(cases))
	}
	if slowest > 6*time.Second {
		t.Errorf("a restart took %s; 2 s is the aim", slowest)
	}
}

// death is a place where a node dies.
type death struct {
	node  string
	point string
	hit   int
}

func (d death) String() string { return fmt.Sprintf("%s at %s:%d", d.node, d.point, d.hit) }

// sample takes n evenly spread ones.
func sample(cases []death, n int) []death {
	if len(cases) <= n {
		return cases
	}
	var out []death
	for i := range n {
		out = append(out, cases[i*len(cases)/n])
	}
	return out
}

// deaths tells the story again and again on one network.
type deaths struct {
	story
	logs  string
	count int
}

func newDeaths(t *testing.T) *deaths {
	f := &deaths{logs: t.TempDir()}
	f.story = parties(t, binary(t, programs.failpoints))
	return f
}

// watched tells a story and returns the places that were hit in it, by node: first
// hits first, so that a sample has many places rather than many hits of one.
func (f *deaths) watched(name string) []death {
	f.t.Helper()
	log := func(node string) string { return filepath.Join(f.logs, name+" "+node) }
	for _, n := range f.net.Nodes() {
		// Every hit is written down, in a file a node.
		if err := n.Restart(f.t.Context(), "PARLEY_FAILPOINT_LOG="+log(n.Name)); err != nil {
			f.t.Fatal(err)
		}
	}
	f.tell(name, nil)
	var out []death
	for _, n := range f.net.Nodes() {
		text, err := os.ReadFile(log(n.Name))
		if err != nil {
			f.t.Fatal(err)
		}
		hits := map[string]int{}
		for point := range strings.Lines(string(text)) {
			point = strings.TrimSpace(point)
			hits[point]++
			out = append(out, death{n.Name, point, hits[point]})
		}
		if len(hits) < 8 {
			f.t.Fatalf("%s hit only %d places", n.Name, len(hits))
		}
	}
	slices.SortStableFunc(out, func(a, b death) int { return a.hit - b.hit })
	return out
}

// tell tells one story, in which the victim dies where it is told to, and is
// started again. It returns how long that took, and whether it died at all.
func (f *deaths) tell(name string, victim *death) (restart time.Duration, died bool) {
	f.t.Helper()
	revive := func() {
		for _, n := range f.net.Nodes() {
			if n.Running() {
				continue
			}
			died = true
			began := time.Now()
			if err := n.Start(f.t.Context()); err != nil {
				f.t.Fatalf("%s: it doesn't start again: %v", name, err)
			}
			restart = max(restart, time.Since(began))
		}
	}
	if victim != nil {
		n := f.node(victim.node)
		if err := n.Kill(); err != nil {
			f.t.Fatal(err)
		}
		err := n.Start(f.t.Context(), fmt.Sprintf("PARLEY_FAILPOINT=%s:%d", victim.point, victim.hit))
		if early, ok := errors.AsType[*testnet.ExitError](err); err != nil && !ok {
			f.t.Fatalf("%s: %v", name, err)
		} else if ok && early.State.ExitCode() != -1 {
			f.t.Fatalf("%s: it ended by itself: %v", name, err)
		}
		revive()
	}

	f.count++
	title := fmt.Sprintf("Library furniture %d", f.count)
	var intent api.Intent
	promised := false
	f.poll(name+": the request", func() (bool, error) {
		revive()
		var found bool
		if intent, found = f.find(title); found {
			return true, nil
		}
		if promised {
			f.t.Fatalf("%s: a published request is gone", name)
		}
		var err error
		intent, err = f.publish(tender(testnet.SampleTender()), title)
		promised = err == nil
		return false, err
	})
	for i, seller := range []string{"north", "south"} {
		f.poll(name+": an offer of "+seller, func() (bool, error) {
			revive()
			err := f.offer(seller, intent, []string{"95.5", "110"}[i])
			return err == nil, err
		})
	}
	f.poll(name+": the acceptance", func() (bool, error) {
		revive()
		err := f.accept(intent)
		return err == nil, err
	})
	began := time.Now()
	f.poll(name+": all that was said to arrive", func() (bool, error) {
		revive()
		owed := 0
		for _, n := range []string{"customer", "north", "south"} {
			var v api.Node
			if err := f.do(n, "GET", "/v1/node", nil, &v); err != nil {
				return false, err
			}
			owed += v.Owed
		}
		var deals [3]list[api.Deal]
		for i, n := range []string{"customer", "north", "south"} {
			if err := f.do(n, "GET", "/v1/deals?intent="+intent.ID, nil, &deals[i]); err != nil {
				return false, err
			}
		}
		open := 0
		for _, ds := range deals {
			for _, d := range ds.Items {
				if d.Phase == "open" || d.Phase == "pending" {
					open++
				}
			}
		}
		return owed == 0 && open == 0, fmt.Errorf("%d deliveries are owed, %d deals undecided", owed, open)
	})
	f.ending(intent)
	if took := time.Since(began); took > 10*time.Second {
		f.t.Logf("%s: slow", name)
	}
	f.t.Logf("%s: restart %s, settled %s after the acceptance", name, restart.Round(time.Millisecond), time.Since(began).Round(time.Millisecond))
	return restart, died
}
