// Fuzz runs every fuzz target of the module for a while, one after the other, and
// prints what came of it. It asks "go test -list" for the targets, so that none is
// forgotten. It fails if a target fails, or if there is none.
//
//	go run ./spec/fuzz                          # 10 seconds each
//	go run ./spec/fuzz -fuzztime 20000000x      # so many executions each
//	go run ./spec/fuzz -run 'record/|CAR' ./protocol/...
//
// An input that breaks a target is written to testdata/fuzz beside it, where it
// stays as a seed once the fault is mended. Inputs that reach new code stay in the
// build cache, as with "go test -fuzz", and the next run goes on from there.
package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
)

type target struct{ pkg, name string }

func (t target) String() string { return strings.TrimPrefix(t.pkg, module) + "/" + t.name }

const module = "github.com/parley-protocol/parley/"

type result struct {
	target
	execs, interesting, corpus int64
	took                       time.Duration
	failed                     bool
}

func main() {
	fuzztime := flag.String("fuzztime", "10s", "how long each target runs, or how many executions: `10s` or 1000000x")
	only := flag.String("run", "", "only targets such as protocol/record/FuzzParse that match the `regexp`")
	parallel := flag.Int("parallel", runtime.GOMAXPROCS(0), "worker processes of one target")
	list := flag.Bool("list", false, "list the targets and end")
	flag.Parse()
	match, err := regexp.Compile(*only)
	if err != nil {
		fatal("-run: %v", err)
	}
	packages := flag.Args()
	if len(packages) == 0 {
		packages = []string{module + "..."}
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()

	targets, err := discover(ctx, packages)
	if err != nil {
		fatal("%v", err)
	}
	var chosen []target
	for _, t := range targets {
		if match.MatchString(t.String()) {
			chosen = append(chosen, t)
		}
	}
	if len(chosen) == 0 {
		fatal("no fuzz target")
	}
	if *list {
		for _, t := range chosen {
			fmt.Println(t)
		}
		return
	}
	results, err := runAll(ctx, chosen, *fuzztime, *parallel)
	report(results)
	if err != nil {
		fatal("%v", err)
	}
	for _, r := range results {
		if r.failed {
			os.Exit(1)
		}
	}
}

func fatal(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "fuzz: "+format+"\n", args...)
	os.Exit(1)
}

// discover lists the targets of packages, in their order.
func discover(ctx context.Context, packages []string) ([]target, error) {
	cmd := command(ctx, "", append([]string{"go", "test", "-list", "^Fuzz"}, packages...)...)
	cmd.Stderr = os.Stderr // what doesn't build is told there
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go test -list: %w", err)
	}
	var found []target
	var names []string
	for line := range strings.Lines(string(out)) {
		fields := strings.Fields(line)
		switch {
		case len(fields) == 1 && strings.HasPrefix(fields[0], "Fuzz"):
			names = append(names, fields[0])
		case len(fields) > 1 && fields[0] == "ok":
			for _, name := range names {
				found = append(found, target{fields[1], name})
			}
			names = nil
		}
	}
	if len(names) > 0 {
		return nil, fmt.Errorf("go test -list names %v of no package", names)
	}
	return found, nil
}

// runAll builds each package once and runs its targets.
func runAll(ctx context.Context, targets []target, fuzztime string, parallel int) ([]result, error) {
	dir, err := os.MkdirTemp("", "fuzz-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	cache, err := command(ctx, "", "go", "env", "GOCACHE").Output()
	if err != nil {
		return nil, err
	}
	var results []result
	built, source, binary := "", "", filepath.Join(dir, "fuzz.test")
	for _, t := range targets {
		if t.pkg != built {
			if out, err := command(ctx, "", "go", "test", "-c", "-fuzz", "Fuzz", "-o", binary, t.pkg).CombinedOutput(); err != nil {
				return results, fmt.Errorf("building %s: %w\n%s", t.pkg, err, out)
			}
			out, err := command(ctx, "", "go", "list", "-f", "{{.Dir}}", t.pkg).Output()
			if err != nil {
				return results, err
			}
			built, source = t.pkg, strings.TrimSpace(string(out))
		}
		r := run(ctx, t, binary, source, filepath.Join(strings.TrimSpace(string(cache)), "fuzz", t.pkg), fuzztime, parallel)
		results = append(results, r)
		if ctx.Err() != nil {
			return results, ctx.Err()
		}
	}
	return results, nil
}

// verdict is one word.
func (r result) verdict() string {
	switch {
	case r.failed:
		return "FAILED"
	case r.execs == 0:
		return "seeds" // the time was over before anything new was tried
	}
	return "ok"
}

// progress is the line in which the testing package tells how far it is.
var progress = regexp.MustCompile(`execs: (\d+) \(.*new interesting: (\d+) \(total: (\d+)\)`)

func run(ctx context.Context, t target, binary, source, cache, fuzztime string, parallel int) result {
	began := time.Now()
	out, err := command(ctx, source, binary, "-test.run", "^$", "-test.fuzz", "^"+t.name+"$", "-test.fuzztime", fuzztime,
		"-test.fuzzcachedir", cache, "-test.parallel", strconv.Itoa(parallel),
		// Without it each input that reaches new code is made smaller for up to a minute.
		"-test.fuzzminimizetime", "200x").CombinedOutput()
	r := result{target: t, took: time.Since(began), failed: err != nil && ctx.Err() == nil && !timeIsUp(out)}
	if all := progress.FindAllSubmatch(out, -1); len(all) > 0 {
		last := all[len(all)-1]
		for i, n := range []*int64{&r.execs, &r.interesting, &r.corpus} {
			*n, _ = strconv.ParseInt(string(last[1+i]), 10, 64) // digits; too many of them read as the most
		}
	}
	if r.failed {
		os.Stdout.Write(tail(out))
	}
	fmt.Printf("%-6s %s: %d executions in %s\n", r.verdict(), t, r.execs, r.took.Round(time.Second))
	return r
}

// timeIsUp tells that a target failed for nothing but the end of its time, which
// the testing package now and then takes for a failure (go.dev/issue/48591).
func timeIsUp(out []byte) bool {
	return bytes.Contains(out, []byte("context deadline exceeded")) && !bytes.Contains(out, []byte("Failing input")) && !bytes.Contains(out, []byte("panic"))
}

// tail is the end of what a target printed, where the failure is.
func tail(out []byte) []byte {
	const most = 8 << 10
	if len(out) <= most {
		return out
	}
	return append([]byte("…\n"), out[bytes.IndexByte(out[len(out)-most:], '\n')+len(out)-most+1:]...)
}

func report(results []result) {
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "\ntarget\texecutions\ta second\tnew inputs\tall inputs\t\t")
	var execs int64
	failed := 0
	for _, r := range results {
		if r.failed {
			failed++
		}
		execs += r.execs
		fmt.Fprintf(w, "%s\t%d\t%.0f\t%d\t%d\t%s\t\n", r.target, r.execs, float64(r.execs)/r.took.Seconds(), r.interesting, r.corpus, r.verdict())
	}
	fmt.Fprintf(w, "%d targets\t%d\t\t\t\t%d failed\t\n", len(results), execs, failed)
	w.Flush()
}

func command(ctx context.Context, dir string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Dir = dir
	// The workers of a target go with it: give it time to end them.
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 10 * time.Second
	return cmd
}
