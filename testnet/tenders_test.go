package testnet_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/parley-protocol/parley/node/api"
	"github.com/parley-protocol/parley/protocol"
)

// The journeys over real demand.
const (
	journeys   = 100
	atOnce     = 20
	realDemand = "uk-tenders.ndjson"
)

// tenders reads the 190 real notices, or skips.
func tenders(t *testing.T) [][]byte {
	t.Helper()
	dir := os.Getenv("PARLEY_DATA")
	if dir == "" {
		dir = filepath.Join("..", "..", "shared", "data")
	}
	f, err := os.Open(filepath.Join(dir, realDemand))
	if errors.Is(err, os.ErrNotExist) {
		t.Skipf("real tenders are not here: put %s into ../shared/data or name its folder in PARLEY_DATA", realDemand)
	} else if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var out [][]byte
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		out = append(out, bytes.Clone(lines.Bytes()))
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

// Every real tender becomes a valid request or is refused with a reason, and
// the whole story runs over a hundred of them, twenty at once.
func TestRealTenders(t *testing.T) {
	all := tenders(t)
	s := parties(t, binary(t, programs.plain))
	refused := map[string]int{}
	var good []api.NewIntent
	for i, doc := range all {
		ask := tender(doc)
		var draft api.Draft
		err := s.do("customer", http.MethodPost, "/v1/intents/draft", ask, &draft)
		if err == nil {
			good = append(good, ask)
			continue
		}
		e, ok := errors.AsType[*protocol.Error](err)
		if !ok || e.Code == protocol.CodeInternal || e.Detail == "" || e.Hint == "" {
			t.Errorf("tender %d is refused without a reason that helps: %v", i, err)
			continue
		}
		refused[string(e.Code)]++
	}
	t.Logf("%d tenders: %d are valid requests with a new deadline, refused are %v", len(all), len(good), refused)
	if len(good) < journeys {
		t.Fatalf("%d valid requests, %d are needed", len(good), journeys)
	}

	began := time.Now()
	slots := make(chan struct{}, atOnce)
	var mu sync.Mutex
	var took []time.Duration
	agreements := map[string]bool{}
	var work sync.WaitGroup
	for i, ask := range good[:journeys] {
		slots <- struct{}{}
		work.Go(func() {
			defer func() { <-slots }()
			guest := story{t: &guest{TB: t}, net: s.net}
			start := time.Now()
			agreement := guest.journey(ask, i)
			mu.Lock()
			defer mu.Unlock()
			took = append(took, time.Since(start))
			agreements[agreement] = true
		})
	}
	work.Wait()
	if t.Failed() {
		return
	}
	if len(agreements) != journeys {
		t.Errorf("%d agreements of %d journeys", len(agreements), journeys)
	}
	s.nothingOwed()
	slices.Sort(took)
	t.Logf("%d journeys, %d at once: %s in all; one took %s (median), %s (longest)", journeys, atOnce,
		time.Since(began).Round(time.Millisecond), took[len(took)/2].Round(time.Millisecond), took[len(took)-1].Round(time.Millisecond))
}

// guest lets a story be told in a goroutine of its own: to fail ends that
// goroutine, and the test when all are done.
type guest struct{ testing.TB }

func (g *guest) Fatalf(format string, args ...any) {
	g.Helper()
	g.Errorf(format, args...)
	runtime.Goexit()
}

func (g *guest) Fatal(args ...any) {
	g.Helper()
	g.Error(args...)
	runtime.Goexit()
}

// journey is the whole story of one request.
func (s story) journey(ask api.NewIntent, n int) (agreement string) {
	s.t.Helper()
	var intent api.Intent
	s.must("customer", http.MethodPost, "/v1/intents", ask, &intent)
	for i, seller := range []string{"north", "south"} {
		until(s, seller, "the request", api.Path("/v1/intents/%s", intent.ID), func(v api.Intent) bool { return v.ID == intent.ID })
		if err := s.offer(seller, intent, fmt.Sprint(100+n+10*i)); err != nil {
			s.t.Fatal(err)
		}
	}
	s.poll("the acceptance", func() (bool, error) { err := s.accept(intent); return err == nil, err })
	return s.ending(intent)
}
