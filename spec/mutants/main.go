// Mutants plants one violation of the specification at a time and sees to it that
// the test which is named for it fails. It exits with 1 if a violation goes
// unnoticed, can't be planted any more, or doesn't build.
//
//	go run ./spec/mutants              # all
//	go run ./spec/mutants -quick       # one for each document
//	go run ./spec/mutants -run awards
//
// The violations are the files <document>/<name>.mutant in this folder: a sentence
// that says what is wrong, a head, and what to change:
//
//	An offer may cost something else than its parts.
//
//	breaks: DEAL-4
//	file: protocol/record/bodies.go
//	test: ./protocol TestVectorsOfRecords
//	quick: yes
//
//	-	if !sum.Equal(total) {
//	+	if false {
//
// Lines with "-" are taken out, lines with "+" put in, lines with a space stay;
// together they must stand in the file just once. A line "@@" begins another
// change to the same file. Nothing is written to the tree: the compiler reads the
// changed file in place of the other (go help build, -overlay).
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"text/tabwriter"
	"time"
)

func main() {
	quick := flag.Bool("quick", false, "one mutant for each document")
	only := flag.String("run", "", "only mutants such as 06-deals/awards that match the `regexp`")
	parallel := flag.Int("parallel", 2, "how many to run at a time")
	flag.Parse()
	match, err := regexp.Compile(*only)
	if err != nil {
		fatal(err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	root, err := moduleRoot(ctx)
	if err != nil {
		fatal(err)
	}
	all, err := load(root)
	if err != nil {
		fatal(err)
	}
	var chosen []*mutant
	for _, m := range all {
		if match.MatchString(m.name) && (m.quick || !*quick) {
			chosen = append(chosen, m)
		}
	}
	if len(chosen) == 0 {
		fatal(fmt.Errorf("no mutant is called %s", *only))
	}
	r := runner{root: root, baseline: map[string]func() error{}}
	began := time.Now()
	bad := r.all(ctx, chosen, *parallel)
	fmt.Printf("\n%d of %d mutants were caught, in %s\n", len(chosen)-bad, len(chosen), time.Since(began).Round(time.Second))
	if bad > 0 || ctx.Err() != nil {
		os.Exit(1)
	}
}

func fatal(err error) {
	fmt.Fprintln(os.Stderr, "mutants:", err)
	os.Exit(1)
}

func moduleRoot(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}").Output()
	if err != nil {
		return "", fmt.Errorf("go list -m: %w", err)
	}
	return strings.TrimSpace(string(out)), nil
}

// runner runs tests with and without mutants.
type runner struct {
	root string

	mu       sync.Mutex
	baseline map[string]func() error // by test: whether it passes as things are
}

// all prints a table and returns how many mutants weren't caught.
func (r *runner) all(ctx context.Context, chosen []*mutant, parallel int) (bad int) {
	verdicts := make([]verdict, len(chosen))
	var work sync.WaitGroup
	slots := make(chan struct{}, max(parallel, 1))
	for i, m := range chosen {
		slots <- struct{}{}
		work.Go(func() {
			defer func() { <-slots }()
			verdicts[i] = r.try(ctx, m)
			fmt.Fprintf(os.Stderr, "%-9s %s\n", verdicts[i].word, m.name)
		})
	}
	work.Wait()
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "MUTANT\tBREAKS\tTEST\tVERDICT\tSECONDS")
	for i, m := range chosen {
		v := verdicts[i]
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%.0f\n", m.name, m.breaks, m.pkg+" "+m.test, v.word, v.took.Seconds())
	}
	w.Flush()
	for i, m := range chosen {
		if v := verdicts[i]; v.word != caught {
			bad++
			fmt.Printf("\n%s (%s)\n%s\n%s\n", m.name, m.path, m.what, v.why)
		}
	}
	return bad
}

type verdict struct {
	word string
	why  string
	took time.Duration
}

// What can come of a mutant.
const (
	caught   = "caught"
	survived = "SURVIVED"
	broken   = "BROKEN" // it can't be planted, or can't be told from a test that fails anyhow
)

func (r *runner) try(ctx context.Context, m *mutant) verdict {
	began := time.Now()
	v := verdict{word: broken}
	fail := func(format string, args ...any) verdict {
		v.why, v.took = fmt.Sprintf(format, args...), time.Since(began)
		return v
	}
	source := filepath.Join(r.root, filepath.FromSlash(m.file))
	text, err := os.ReadFile(source)
	if err != nil {
		return fail("%v", err)
	}
	changed, err := m.plant(string(text))
	if err != nil {
		return fail("%v", err)
	}
	if err := r.passes(ctx, m); err != nil {
		return fail("%v", err)
	}
	dir, err := os.MkdirTemp("", "mutant-")
	if err != nil {
		return fail("%v", err)
	}
	defer os.RemoveAll(dir)
	overlay, err := writeOverlay(dir, source, changed)
	if err != nil {
		return fail("%v", err)
	}
	out, err := r.test(ctx, m, "-overlay", overlay, "-count=1")
	switch {
	case ctx.Err() != nil:
		return fail("%v", ctx.Err())
	case err == nil:
		v.word = survived
		return fail("%s passes with it: either the test sees too little, or it is no violation.", m.test)
	case buildFailed.Match(out):
		return fail("it doesn't build:\n%s", out)
	}
	v.word, v.took = caught, time.Since(began)
	return v
}

// failures is the lines of a test's output that say what went wrong, or the last
// ones.
func failures(out []byte) string {
	var told []string
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	for _, line := range lines {
		if !strings.HasPrefix(strings.TrimSpace(line), "--- PASS") && !strings.HasPrefix(line, "=== ") {
			told = append(told, line)
		}
	}
	return strings.Join(told[max(0, len(told)-20):], "\n")
}

var (
	buildFailed = regexp.MustCompile(`(?m)\[(build|setup) failed\]`)
	ran         = regexp.MustCompile(`(?m)^=== RUN `)
)

// passes sees to it that the mutant's test is there and passes without it.
func (r *runner) passes(ctx context.Context, m *mutant) error {
	key := m.pkg + " " + m.test
	r.mu.Lock()
	once := r.baseline[key]
	if once == nil {
		once = sync.OnceValue(func() error {
			out, err := r.test(ctx, m, "-v")
			if err != nil {
				return fmt.Errorf("%s fails without any mutant: %w\n%s", key, err, failures(out))
			}
			if !ran.Match(out) {
				return fmt.Errorf("there is no test %s", key)
			}
			return nil
		})
		r.baseline[key] = once
	}
	r.mu.Unlock()
	return once()
}

func (r *runner) test(ctx context.Context, m *mutant, flags ...string) ([]byte, error) {
	args := append([]string{"test", "-timeout", "5m", "-run", "^" + m.test + "$"}, flags...)
	cmd := exec.CommandContext(ctx, "go", append(args, m.pkg)...)
	cmd.Dir = r.root
	return cmd.CombinedOutput()
}
