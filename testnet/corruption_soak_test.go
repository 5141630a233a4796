package testnet_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/parley-protocol/parley/node/api"
	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/testnet"
)

// Bits are flipped, and files cut, in every kind of file of a customer's home,
// half of them in a home that was left by SIGKILL. Each time the node either
// doesn't start and names the file, or starts with everything that it was told
// to keep, byte for byte; what it lacks it names. Nothing is read that nobody
// wrote. PARLEY_FLIPS says how many; 16 is the usual, 1000 the soak.
func TestDamagedHomes(t *testing.T) {
	flips := sized(t, "PARLEY_FLIPS", 16, 1000)
	c := newCorruption(t)
	for _, home := range c.homes {
		c.check(home, "nothing", func(contents) string { return "" })
		if got := c.table["nothing"]; got.harmless != 1 {
			t.Fatalf("an undamaged home (%s) isn't itself: %+v", home.name, got)
		}
		delete(c.table, "nothing")
	}
	for n := range flips {
		home := c.homes[n%2]
		kind := home.kinds[n/2%len(home.kinds)]
		c.check(home, kind, func(files contents) string { return c.flip(files, kind) })
		if n%8 == 7 { // and a cut
			c.check(home, kind, func(files contents) string { return c.cut(files, kind) })
		}
	}
	t.Logf("what was damaged, how often, and what came of it:\n%s", c.table)
	c.comeBack()
}

// outcomes counts what came of damage to one kind of file.
type outcomes struct {
	tried, refused, named, harmless int
	why                             map[string]int // for what is harmless or named
}

type outcomeTable map[string]*outcomes

func (o outcomeTable) String() string {
	var b strings.Builder
	all := outcomes{}
	fmt.Fprintf(&b, "%-14s %5s %8s %6s %9s  why\n", "file", "tried", "refused", "named", "harmless")
	for _, kind := range sortedKeys(o) {
		r := o[kind]
		fmt.Fprintf(&b, "%-14s %5d %8d %6d %9d  %v\n", kind, r.tried, r.refused, r.named, r.harmless, r.why)
		all.tried += r.tried
		all.refused += r.refused
		all.named += r.named
		all.harmless += r.harmless
	}
	fmt.Fprintf(&b, "%-14s %5d %8d %6d %9d", "all", all.tried, all.refused, all.named, all.harmless)
	return b.String()
}

func sortedKeys[V any](m map[string]V) []string {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// kept is everything that a customer's node tells of what it keeps.
type kept struct {
	Ledger  []byte                     // all records of the ledger, an archive
	Deals   map[string]json.RawMessage // by ID, with their records
	Offers  map[string]json.RawMessage // received, with their records
	Own     map[string]json.RawMessage // requests of one's own
	Foreign map[string]json.RawMessage // requests of others
	DID     string
}

// specimen is a home to be damaged, and what its node told before.
type specimen struct {
	name  string
	files contents
	kinds []string // in an order of its own
	truth kept
}

// contents are a home's files by their names, relative to it.
type contents map[string]content

// content is a file's bytes without the zeros that end it, and its size.
type content struct {
	data []byte
	size int64
}

// kindOf sorts files by what is in them; empty for what holds no data.
func kindOf(path string) string {
	path = filepath.ToSlash(path)
	dir, base, _ := strings.Cut(path, "/")
	switch {
	case dir == "ledger" && strings.HasSuffix(base, ".log"):
		return "ledger log"
	case dir == "inbox" && base == "journal":
		return "inbox journal"
	case dir == "inbox":
		return "inbox message"
	case dir == "view" && (base == "LOCK" || base == "view.lock"), dir == "mailbox", dir == "lock", strings.HasSuffix(path, ".sock"):
		return ""
	case dir == "view":
		return "view " + strings.TrimPrefix(filepath.Ext(base), ".") + map[bool]string{true: base}[filepath.Ext(base) == ""]
	case dir == "keys":
		return "keys " + base
	case base == "":
		return dir
	}
	return dir + " " + base
}

// of lists the files of a kind that hold data.
func (f contents) of(kind string) (names []string) {
	for _, name := range sortedKeys(f) {
		if kindOf(name) == kind && len(f[name].data) > 0 {
			names = append(names, name)
		}
	}
	return names
}

// readHome reads what a node that isn't running has left.
func readHome(dir string) (contents, error) {
	files := contents{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(path)
		rel, _ := filepath.Rel(dir, path)
		files[rel] = content{bytes.Clone(bytes.TrimRight(data, "\x00")), int64(len(data))}
		return err
	})
	return files, err
}

// write puts the files in place of those that are there. Holes stay holes.
func (f contents) write(dir string) error {
	old, err := readHome(dir)
	if err != nil {
		return err
	}
	for name := range old {
		if _, ok := f[name]; !ok {
			if err := os.Remove(filepath.Join(dir, name)); err != nil {
				return err
			}
		}
	}
	for name, c := range f {
		if is, ok := old[name]; ok && is.size == c.size && bytes.Equal(is.data, c.data) {
			continue
		}
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, c.data, 0o600), os.Truncate(path, c.size)); err != nil {
			return err
		}
	}
	return nil
}

// corruption is a customer that has seen some business, twice over: its home as
// it was closed, and as it was killed.
type corruption struct {
	story
	rng   *rand.Rand
	homes [2]*specimen
	table outcomeTable
}

func newCorruption(t *testing.T) *corruption {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	c := &corruption{story: parties(t, binary(t, programs.plain)), rng: rand.New(rand.NewPCG(seed, 2)), table: outcomeTable{}}
	customer := c.node("customer")
	for i, name := range []string{"closed", "killed"} {
		c.business(name)
		truth := c.look()
		if len(truth.Offers) < 3+2*i || len(truth.Deals) < 4 || len(truth.Foreign) < 5 {
			t.Fatalf("too little to lose: %d offers, %d deals, %d requests of others", len(truth.Offers), len(truth.Deals), len(truth.Foreign))
		}
		end := customer.Kill
		if name == "closed" {
			end = customer.Stop
		}
		if err := end(); err != nil {
			t.Fatal(err)
		}
		files, err := readHome(customer.Home)
		if err != nil {
			t.Fatal(err)
		}
		home := &specimen{name: name, files: files, truth: truth}
		for file, c := range files {
			if k := kindOf(file); k != "" && len(c.data) > 0 && !slices.Contains(home.kinds, k) {
				home.kinds = append(home.kinds, k)
			}
		}
		slices.Sort(home.kinds)
		c.rng.Shuffle(len(home.kinds), func(i, j int) { home.kinds[i], home.kinds[j] = home.kinds[j], home.kinds[i] })
		c.homes[i] = home
		if i == 0 {
			if err := customer.Start(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	// From here on the customer is alone, so that nobody gives it back what it
	// has lost.
	for _, n := range c.net.Nodes() {
		if err := n.Kill(); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

// business makes an agreement, a request with offers that wait, and some
// requests of others.
func (c *corruption) business(name string) {
	c.t.Helper()
	for i := range 3 {
		intent, err := c.publish(tender(testnet.SampleTender()), fmt.Sprintf("%s %d", name, i))
		if err != nil {
			c.t.Fatal(err)
		}
		for j, seller := range []string{"north", "south"} {
			c.poll("an offer", func() (bool, error) {
				err := c.offer(seller, intent, []string{"95.5", "110"}[j])
				return err == nil, err
			})
		}
		if i == 0 {
			c.poll("the acceptance", func() (bool, error) { err := c.accept(intent); return err == nil, err })
			c.ending(intent)
		} else {
			until(c.story, "customer", "the offers", "/v1/offers?intent="+intent.ID, func(v list[api.Offer]) bool { return len(v.Items) == 2 })
		}
	}
	for i := range 6 {
		ask := tender(testnet.SampleTender())
		ask.Name = fmt.Sprintf("Of another, %s %d", name, i)
		ask.Description = strings.Repeat(ask.Name+". ", 60)
		var in api.Intent
		c.must("north", http.MethodPost, "/v1/intents", ask, &in)
		until(c.story, "customer", "a request of another", api.Path("/v1/intents/%s", in.ID), func(v api.Intent) bool { return v.ID == in.ID })
	}
	c.nothingOwed()
}

// look reads everything that the customer's node keeps.
func (c *corruption) look() kept {
	c.t.Helper()
	k, err := c.read()
	if err != nil {
		c.t.Fatal(err)
	}
	return k
}

func (c *corruption) read() (k kept, err error) {
	k = kept{Deals: map[string]json.RawMessage{}, Offers: map[string]json.RawMessage{}, Own: map[string]json.RawMessage{}, Foreign: map[string]json.RawMessage{}}
	var me api.Node
	var archive bytes.Buffer
	var deals list[api.Deal]
	var offers list[api.Offer]
	var intents list[api.Intent]
	for path, out := range map[string]any{"/v1/node": &me, "/v1/store/archive": &archive, "/v1/deals": &deals, "/v1/offers": &offers, "/v1/intents?all=true&limit=1000": &intents} {
		if err := c.do("customer", http.MethodGet, path, nil, out); err != nil {
			return k, fmt.Errorf("%s: %w", path, err)
		}
	}
	k.DID, k.Ledger = me.DID, archive.Bytes()
	for _, d := range deals.Items {
		var full api.Deal
		if err := c.do("customer", http.MethodGet, api.Path("/v1/deals/%s", d.ID), nil, &full); err != nil {
			return k, err
		}
		k.Deals[d.ID], _ = json.Marshal(struct {
			Phase, Agreement string
			Records          map[string]string
		}{full.Phase, full.Agreement, ids(full)})
	}
	record := func(id string) (raw json.RawMessage, err error) {
		err = c.do("customer", http.MethodGet, api.Path("/v1/records/%s", id), nil, &raw)
		return raw, err
	}
	for _, o := range offers.Items {
		if k.Offers[o.ID], err = record(o.ID); err != nil {
			return k, err
		}
	}
	for _, in := range intents.Items {
		into := k.Foreign
		if in.Own {
			into = k.Own
		}
		if into[in.ID], err = record(in.ID); err != nil {
			return k, err
		}
	}
	return k, nil
}

// flip changes a bit of a byte that holds data, and tells where.
func (c *corruption) flip(files contents, kind string) string {
	names := files.of(kind)
	name := names[c.rng.IntN(len(names))]
	f := files[name]
	at := c.rng.IntN(len(f.data))
	for f.data[at] == 0 { // padding, or as good as
		at = (at + 1) % len(f.data)
	}
	f.data = bytes.Clone(f.data)
	f.data[at] ^= 1 << c.rng.IntN(8)
	files[name] = f
	return fmt.Sprintf("bit flipped at byte %d of %d of %s", at, len(f.data), name)
}

// cut cuts a file: anywhere in its data, or where a frame of the ledger begins.
func (c *corruption) cut(files contents, kind string) string {
	names := files.of(kind)
	name := names[c.rng.IntN(len(names))]
	f := files[name]
	end := c.rng.IntN(len(f.data))
	if frame := []byte("PLF\x01"); kind == "ledger log" {
		starts := []int{}
		for at := 0; at < len(f.data); at++ {
			if bytes.HasPrefix(f.data[at:], frame) {
				starts = append(starts, at)
			}
		}
		end = starts[c.rng.IntN(len(starts))]
	}
	files[name] = content{f.data[:end], int64(end)}
	return fmt.Sprintf("cut to %d of %d bytes: %s", end, f.size, name)
}

// check damages a copy of a home, starts its node, and judges what it does.
func (c *corruption) check(home *specimen, kind string, damage func(contents) string) {
	t := c.t
	t.Helper()
	node := c.node("customer")
	if err := node.Kill(); err != nil {
		t.Fatal(err)
	}
	files := maps.Clone(home.files)
	what := damage(files)
	if err := files.write(node.Home); err != nil {
		t.Fatal(err)
	}
	before := node.Stderr()
	row := c.table[kind]
	if row == nil {
		row = &outcomes{why: map[string]int{}}
		c.table[kind] = row
	}
	row.tried++
	err := node.Start(t.Context())
	if early, ok := errors.AsType[*testnet.ExitError](err); ok {
		row.refused++
		said := after(before, early.Stderr)
		if !strings.Contains(said, `{"error":{`) || strings.Contains(said, "goroutine ") {
			t.Errorf("%s home, %s: it crashes:\n%s", home.name, what, said)
		}
		c.namesIt(home, kind, what, said)
		return
	}
	if err != nil {
		t.Fatalf("%s home, %s: %v", home.name, what, err)
	}
	got, err := c.read()
	if !node.Running() {
		t.Errorf("%s home, %s: it dies:\n%s", home.name, what, after(before, node.Stderr()))
		return
	}
	said := after(before, node.Stderr()) + c.doctor()
	if err != nil {
		if protocol.CodeOf(err) != protocol.CodeDamaged {
			t.Errorf("%s home, %s: reading gives %v", home.name, what, err)
		}
		row.named++
		row.why["reading says so"]++
		return
	}
	lost := home.truth.compare(got, func(format string, args ...any) {
		t.Errorf("%s home, %s: %s", home.name, what, fmt.Sprintf(format, args...))
	})
	isView := strings.HasPrefix(kind, "view ")
	rebuilt := strings.Contains(said, "built anew")
	mended := strings.Contains(said, "is mended")
	switch {
	case len(lost) == 0 && rebuilt:
		row.named++
		row.why["view rebuilt"]++
	case len(lost) == 0 && mended:
		row.named++
		row.why["mended from its copy"]++
	case len(lost) == 0:
		row.harmless++
		row.why["all is there"]++
	case isView && rebuilt && onlyForeign(lost):
		row.named++
		row.why["view rebuilt; markets bring others' again"]++
	case isView && onlyForeign(lost):
		// Badger's log ends early, as after a crash: the ledger fills in one's
		// own, the markets bring the others' again (see comeBack).
		row.harmless++
		row.why["markets bring others' again"]++
	case kind == "inbox message" && strings.Contains(said, "acknowledged is lost"):
		row.named++
		row.why["lost offer named"]++
	default:
		t.Errorf("%s home, %s: lost without a word: %v; it said:\n%s", home.name, what, lost, said)
	}
}

// after is what a process wrote since it had written before; the testnet keeps
// only the end.
func after(before, now string) string {
	if rest, ok := strings.CutPrefix(now, before); ok {
		return rest
	}
	end := before[max(0, len(before)-1000):]
	return now[strings.LastIndex(now, end)+len(end):]
}

// namesIt checks that a refusal says which file it is about.
func (c *corruption) namesIt(home *specimen, kind, what, said string) {
	dir, base, _ := strings.Cut(kind, " ")
	named := strings.Contains(said, filepath.Join(c.node("customer").Home, dir)) || base != "" && strings.Contains(said, base) ||
		kind == "config.toml" && strings.Contains(said, `"field":`) // the setting
	if !named {
		c.t.Errorf("%s home, %s: the refusal doesn't name the file:\n%s", home.name, what, said)
	}
	o := c.table[kind]
	for _, code := range []protocol.Code{protocol.CodeDamaged, protocol.CodeUnsupportedFormat, protocol.CodeUsage, protocol.CodeNotPermitted} {
		if strings.Contains(said, string(code)) {
			o.why[string(code)]++
			return
		}
	}
	o.why["refused in other words"]++
}

func (c *corruption) doctor() string {
	var checks list[api.Check]
	if err := c.do("customer", http.MethodGet, "/v1/doctor", nil, &checks); err != nil {
		return err.Error()
	}
	var b strings.Builder
	for _, check := range checks.Items {
		if check.Status == "fail" {
			fmt.Fprintln(&b, check.Name, check.Text)
		}
	}
	return b.String()
}

// compare returns what isn't there any more, and complains of what is there and
// was never kept.
func (k kept) compare(got kept, complain func(string, ...any)) (lost []string) {
	if got.DID != k.DID {
		complain("it is somebody else: %s", got.DID)
	}
	if !bytes.Equal(got.Ledger, k.Ledger) {
		complain("the ledger's records are others: %d bytes and %d", len(got.Ledger), len(k.Ledger))
	}
	for what, pair := range map[string][2]map[string]json.RawMessage{
		"deal": {k.Deals, got.Deals}, "offer": {k.Offers, got.Offers}, "own request": {k.Own, got.Own}, "request of another": {k.Foreign, got.Foreign},
	} {
		for id, want := range pair[0] {
			switch is, ok := pair[1][id]; {
			case !ok:
				lost = append(lost, what+" "+id)
			case !bytes.Equal(is, want) && what == "deal":
				// A deal that lacks a lost offer is told by the offer.
				lost = append(lost, "part of "+what+" "+id)
			case !bytes.Equal(is, want):
				complain("the %s %s is %s and was %s", what, id, is, want)
			}
		}
		for id := range pair[1] {
			if pair[0][id] == nil {
				complain("there is a %s %s that was never kept", what, id)
			}
		}
	}
	slices.Sort(lost)
	return lost
}

func onlyForeign(lost []string) bool {
	return !slices.ContainsFunc(lost, func(what string) bool { return !strings.HasPrefix(what, "request of another") })
}

// comeBack damages the view, starts the others again, and waits until the markets
// have brought back what was lost.
func (c *corruption) comeBack() {
	t := c.t
	t.Helper()
	home := c.homes[1]
	node := c.node("customer")
	if err := node.Kill(); err != nil {
		t.Fatal(err)
	}
	files := maps.Clone(home.files)
	manifest := filepath.Join("view", "MANIFEST")
	files[manifest] = content{files[manifest].data[:3], 3}
	if err := files.write(node.Home); err != nil {
		t.Fatal(err)
	}
	for _, n := range c.net.Nodes() {
		if err := n.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	began := time.Now()
	c.poll("the markets to bring back what was lost", func() (bool, error) {
		got, err := c.read()
		if err != nil {
			return false, err
		}
		lost := home.truth.compare(got, t.Errorf)
		return len(lost) == 0, fmt.Errorf("not there: %v", lost)
	})
	t.Logf("a lost view was whole again after %s", time.Since(began).Round(time.Millisecond))
}
