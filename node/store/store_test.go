package store

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/ipfs/go-cid"

	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/record"
	"github.com/parley-protocol/parley/protocol/record/recordtest"
)

func memory(t *testing.T, quota Quota) *Store {
	t.Helper()
	s := open(t, "", Options{InMemory: true, Quota: quota})
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func put(t *testing.T, s *Store, class Class, records ...*record.Record) []Outcome {
	t.Helper()
	var items []Item
	for _, r := range records {
		items = append(items, Item{Record: r, Class: class})
	}
	outcomes, err := s.Put(t.Context(), items)
	if err != nil {
		t.Fatal(err)
	}
	return outcomes
}

func entry(t *testing.T, s *Store, r *record.Record) Entry {
	t.Helper()
	e, err := s.Entry(t.Context(), r.ID())
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func ids(t *testing.T, s *Store, f Filter) (out []cid.Cid) {
	t.Helper()
	for e, err := range s.Query(t.Context(), f) {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, e.Record.ID())
	}
	return out
}

// link is the ID of a record that nobody has made.
func link(seed string) cid.Cid { return digest(recordtest.Bytes32(seed)).id() }

func wantCode(t *testing.T, err error, code protocol.Code) {
	t.Helper()
	if got := protocol.CodeOf(err); got != code {
		t.Errorf("code %q, want %q: %v", got, code, err)
	}
}

func TestPutIsIdempotentAndClassRises(t *testing.T) {
	t.Parallel()
	s := memory(t, Quota{})
	intent := recordtest.Intent(t, recordtest.NewParty("customer"))
	for _, step := range []struct {
		put     Class
		outcome Outcome
		is      Class
	}{
		{ClassForeign, Added, ClassForeign},
		{ClassForeign, Known, ClassForeign},
		{ClassDeal, Changed, ClassDeal},
		{ClassForeign, Known, ClassDeal},
		{ClassOwn, Changed, ClassOwn},
		{ClassDeal, Known, ClassOwn},
	} {
		if got := put(t, s, step.put, intent)[0]; got != step.outcome {
			t.Errorf("put %v: %v, want %v", step.put, got, step.outcome)
		}
		if got := entry(t, s, intent).Class; got != step.is {
			t.Errorf("after %v the class is %v, want %v", step.put, got, step.is)
		}
		stats := s.Stats()
		if u := stats.of(step.is); *u != s.Stats().Total() || u.Count != 1 || u.Bytes != int64(intent.Size()) {
			t.Errorf("stats %+v", s.Stats())
		}
	}
}

//spec:shows INT-13
func TestWithdrawalStandsWhicheverComesFirst(t *testing.T) {
	t.Parallel()
	customer, other := recordtest.NewParty("customer"), recordtest.NewParty("other")
	intent := recordtest.Intent(t, customer)
	withdrawal := recordtest.Withdrawal(t, customer, intent)
	forged := recordtest.Withdrawal(t, other, intent)
	live := Filter{Types: []string{protocol.TypeIntent}, Live: true, Now: now}
	for name, order := range map[string][]*record.Record{
		"after":    {intent, withdrawal},
		"before":   {withdrawal, intent},
		"together": {forged, withdrawal, intent},
	} {
		s := memory(t, Quota{})
		for _, r := range order {
			put(t, s, ClassForeign, r)
		}
		if !entry(t, s, intent).Withdrawn || len(ids(t, s, live)) != 0 {
			t.Errorf("%s: the intent lives", name)
		}
		if found, err := s.Withdrawn(t.Context(), intent.ID(), customer.DID()); !found || err != nil {
			t.Errorf("%s: %v, %v", name, found, err)
		}
	}
	s := memory(t, Quota{})
	put(t, s, ClassForeign, forged, intent)
	if entry(t, s, intent).Withdrawn || len(ids(t, s, live)) != 1 {
		t.Error("a stranger took the intent back")
	}
	// The withdrawal outlives its own retainUntil for as long as an intent may
	// live, and an evicted intent comes back withdrawn.
	put(t, s, ClassForeign, withdrawal)
	if _, err := s.Delete(t.Context(), intent.ID()); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Expire(t.Context(), withdrawal.Header().RetainUntil+1); err != nil {
		t.Fatal(err)
	}
	put(t, s, ClassForeign, intent)
	if !entry(t, s, intent).Withdrawn {
		t.Error("the intent came back to life")
	}
}

func TestExpireKeepsDealsWhole(t *testing.T) {
	t.Parallel()
	s := memory(t, Quota{})
	mine := recordtest.NewDeal(t, "mine")
	theirs := recordtest.NewDeal(t, "theirs")
	put(t, s, ClassForeign, mine.Intent, theirs.Intent)
	put(t, s, ClassDeal, mine.Offer, mine.Confirmation, theirs.Offer)
	put(t, s, ClassOwn, mine.Acceptance)
	if got := entry(t, s, mine.Offer).Class; got != ClassDeal {
		t.Errorf("class of what an own record cites: %v", got)
	}
	far := int64(now + 4000*recordtest.Day)
	n, err := s.Expire(t.Context(), far)
	if err != nil || n != 2 { // the strangers' intent and offer
		t.Errorf("expired %d, %v", n, err)
	}
	for _, r := range []*record.Record{mine.Intent, mine.Offer, mine.Acceptance, mine.Confirmation} {
		entry(t, s, r)
	}
	_, err = s.Get(t.Context(), theirs.Offer.ID())
	wantCode(t, err, protocol.CodeNotFound)
	if n, err := s.Delete(t.Context(), mine.Acceptance.ID(), mine.Acceptance.ID()); n != 1 || err != nil {
		t.Errorf("deleted %d, %v", n, err)
	}
	if n, err := s.Expire(t.Context(), far); n != 3 || err != nil {
		t.Errorf("expired %d, %v: nothing holds them any more", n, err)
	}
}

func TestExpireAtTheSecond(t *testing.T) {
	t.Parallel()
	s := memory(t, Quota{})
	intent := recordtest.Intent(t, recordtest.NewParty("customer"))
	put(t, s, ClassForeign, intent)
	for _, step := range []struct {
		at   int64
		want int
	}{{intent.ValidUntil() - 1, 0}, {intent.ValidUntil(), 1}} {
		if n, err := s.Expire(t.Context(), step.at); n != step.want || err != nil {
			t.Errorf("at %d: %d, %v", step.at, n, err)
		}
	}
}

func TestQuotaEvictsTheEarliest(t *testing.T) {
	t.Parallel()
	s := memory(t, Quota{Count: 3, PerAuthor: 2})
	var intents []*record.Record
	for i := range 6 {
		intents = append(intents, recordtest.Intent(t, recordtest.NewParty(strings.Repeat("x", i+1)),
			func(h *record.Header, b *record.Intent) {
				// The later it was signed, the sooner it ends: that gives it no place.
				h.At, b.ValidUntil = now+int64(i), now+int64(9-i)*recordtest.Day
			}))
	}
	if got := put(t, s, ClassForeign, intents[1:5]...); !slices.Equal(got, []Outcome{Refused, Added, Added, Added}) {
		t.Errorf("outcomes %v", got)
	}
	if got := put(t, s, ClassForeign, intents[0], intents[5]); !slices.Equal(got, []Outcome{Refused, Added}) {
		t.Errorf("outcomes %v", got)
	}
	if got := s.Stats().Foreign.Count; got != 3 {
		t.Errorf("%d foreign records", got)
	}
	if ok, err := s.Has(t.Context(), intents[2].ID()); ok || err != nil {
		t.Errorf("the earliest is still there: %v", err)
	}
	put(t, s, ClassOwn, intents[0])
	put(t, s, ClassDeal, intents[1])
	if got := s.Stats(); got.Foreign.Count != 3 || got.Own.Count != 1 || got.Deal.Count != 1 {
		t.Errorf("stats %+v", got)
	}

	vendor := recordtest.NewParty("vendor")
	for i, want := range []Outcome{Added, Added, Refused} {
		profile := recordtest.Profile(t, vendor, recordtest.At[record.Profile](now+400*recordtest.Day+int64(i)))
		if got := put(t, s, ClassForeign, profile)[0]; got != want {
			t.Errorf("profile %d: %v, want %v", i, got, want)
		}
	}
}

// TestBigRecords puts what fills Badger's transactions: the largest records,
// with as many links as they hold, and an own record that cites them all.
func TestBigRecords(t *testing.T) {
	t.Parallel()
	s := memory(t, Quota{Bytes: 1 << 20})
	by := recordtest.NewParty("big")
	var big []*record.Record
	var cited []any
	for i := range 30 {
		var links []any
		for j := range 1300 {
			links = append(links, link(string(rune(i))+"/"+string(rune(j))))
		}
		r := by.Sign(t, now+int64(i), &record.Opaque{Name: "big", Fields: map[string]any{"links": links}})
		big = append(big, r)
		cited = append(cited, r.ID())
	}
	outcomes := put(t, s, ClassForeign, big...)
	if n := s.Stats().Foreign; n.Bytes > 1<<20 || n.Count < 15 || n.Count > 28 || len(outcomes) != 30 {
		t.Errorf("%+v", n)
	}
	kept := s.Stats().Foreign.Count
	put(t, s, ClassOwn, by.Sign(t, now, &record.Opaque{Name: "list", Fields: map[string]any{"links": cited}}))
	if got := s.Stats(); got.Deal.Count != kept || got.Foreign.Count != 0 {
		t.Errorf("%+v, want %d cited", got, kept)
	}
	if n := len(ids(t, s, Filter{Cites: link(string(rune(29)) + "/" + string(rune(5)))})); n != 1 {
		t.Errorf("%d cite it", n)
	}
}

func TestResolve(t *testing.T) {
	t.Parallel()
	s := memory(t, Quota{})
	w := newWorld(t, 8)
	var texts []string
	for range 200 {
		r := w.record(t)
		put(t, s, ClassForeign, r)
		texts = append(texts, r.ID().String())
	}
	for i, r := range w.all {
		text := texts[i]
		for n := 1; n <= len(text); n++ {
			var fits []string
			for _, other := range texts {
				if strings.HasPrefix(other, text[:n]) {
					fits = append(fits, other)
				}
			}
			id, err := s.Resolve(t.Context(), text[:n])
			if len(fits) == 1 && (err != nil || id != r.ID()) {
				t.Fatalf("%q: %v, %v", text[:n], id, err)
			}
			if len(fits) > 1 {
				wantCode(t, err, protocol.CodeAmbiguous)
			}
			if n > 14 && n < len(text) {
				n = len(text) - 1
			}
		}
	}
	for prefix, code := range map[string]protocol.Code{
		"":                              protocol.CodeUsage,
		"Q":                             protocol.CodeUsage,
		"bafy!":                         protocol.CodeUsage,
		strings.Repeat("b", 60):         protocol.CodeUsage,
		"ba7":                           protocol.CodeNotFound,
		"bafyreiaaaaaaaaaaaaaaaaaaaaaa": protocol.CodeNotFound,
	} {
		_, err := s.Resolve(t.Context(), prefix)
		wantCode(t, err, code)
	}
}

func TestMeta(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir, Options{Logger: slog.New(slog.DiscardHandler)})
	intent := recordtest.Intent(t, recordtest.NewParty("customer"))
	if _, err := s.Put(t.Context(), []Item{{Record: intent, Class: ClassOwn}}, KV{"mark", []byte("7")}, KV{"empty", []byte{}}); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir, Options{})
	defer s.Close()
	for key, want := range map[string]string{"mark": "7", "empty": "", "none": ""} {
		got, err := s.Meta(t.Context(), key)
		if err != nil || string(got) != want || (got == nil) != (key == "none") {
			t.Errorf("%s is %q, %v", key, got, err)
		}
	}
	if err := s.SetMeta(t.Context(), KV{Key: "mark"}); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Meta(t.Context(), "mark"); got != nil || err != nil {
		t.Errorf("deleted, and is %q, %v", got, err)
	}
	for _, bad := range []KV{{}, {Key: strings.Repeat("k", 257)}, {Key: "k", Value: make([]byte, 1<<17)}} {
		if err := s.SetMeta(t.Context(), bad); err == nil {
			t.Errorf("took a key of %d and a value of %d bytes", len(bad.Key), len(bad.Value))
		}
	}
}

func TestLocked(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir, Options{})
	_, err := Open(t.Context(), dir, Options{})
	wantCode(t, err, protocol.CodeLocked)
	wantCode(t, Drop(dir), protocol.CodeLocked)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := Drop(dir); err != nil {
		t.Fatal(err)
	}
	if err := Drop(dir + "/none"); err != nil {
		t.Errorf("dropping what isn't there: %v", err)
	}
}

func TestCloseEndsCalls(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir(), Options{})
	w := newWorld(t, 4)
	for range 50 {
		put(t, s, ClassForeign, w.record(t))
	}
	inLoop, closed := make(chan struct{}), make(chan error, 1)
	go func() {
		<-inLoop
		closed <- s.Close()
	}()
	var last error
	n := 0
	for _, err := range s.Query(context.WithoutCancel(t.Context()), Filter{}) {
		if n++; n == 1 {
			close(inLoop)
			<-s.ctx.Done()
			if _, err := s.Get(context.Background(), w.all[0].ID()); !errors.Is(err, ErrClosed) {
				t.Errorf("a call after Close began: %v", err)
			}
		}
		last = err
	}
	if !errors.Is(last, ErrClosed) || n != 2 {
		t.Errorf("the query ended after %d with %v", n, last)
	}
	if err := <-closed; err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Errorf("closed again: %v", err)
	}
	if _, err := s.Put(t.Context(), nil); !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
	for _, err := range s.All(t.Context()) {
		if !errors.Is(err, ErrClosed) {
			t.Error(err)
		}
	}
}

func TestContextEndsCalls(t *testing.T) {
	t.Parallel()
	s := memory(t, Quota{})
	w := newWorld(t, 4)
	for range 20 {
		put(t, s, ClassForeign, w.record(t))
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	n := 0
	for _, err := range s.Query(ctx, Filter{}) {
		if n++; n == 5 {
			cancel()
		}
		if (err != nil) != (n == 6) {
			t.Errorf("step %d: %v", n, err)
		}
	}
	calls := map[string]func() error{
		"Put":     func() error { _, err := s.Put(ctx, nil); return err },
		"Get":     func() error { _, err := s.Get(ctx, w.all[0].ID()); return err },
		"Has":     func() error { _, err := s.Has(ctx, w.all[0].ID()); return err },
		"Delete":  func() error { _, err := s.Delete(ctx, w.all[0].ID()); return err },
		"Expire":  func() error { _, err := s.Expire(ctx, now+1000); return err },
		"Resolve": func() error { _, err := s.Resolve(ctx, "b"); return err },
		"Meta":    func() error { _, err := s.Meta(ctx, "k"); return err },
		"Verify":  func() error { return s.Verify(ctx) },
		"Open":    func() error { _, err := Open(ctx, t.TempDir(), Options{}); return err },
	}
	for name, call := range calls {
		if err := call(); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestBadCursor(t *testing.T) {
	t.Parallel()
	s := memory(t, Quota{})
	w := newWorld(t, 4)
	put(t, s, ClassForeign, w.record(t))
	cursor := ""
	for e, err := range s.Query(t.Context(), Filter{}) {
		if err != nil {
			t.Fatal(err)
		}
		cursor = e.Cursor()
	}
	for _, f := range []Filter{{Cursor: "x"}, {Cursor: cursor, Order: Newest}, {Cursor: cursor[1:]}} {
		for _, err := range s.Query(t.Context(), f) {
			wantCode(t, err, protocol.CodeUsage)
		}
	}
	if got := ids(t, s, Filter{Cursor: cursor}); len(got) != 0 {
		t.Errorf("%d results after the last", len(got))
	}
}

func TestUnknownIDs(t *testing.T) {
	t.Parallel()
	s := memory(t, Quota{})
	raw, err := cid.Decode("bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy")
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []cid.Cid{cid.Undef, raw, link("nothing")} {
		_, err := s.Get(t.Context(), id)
		wantCode(t, err, protocol.CodeNotFound)
		if ok, err := s.Has(t.Context(), id); ok || err != nil {
			t.Errorf("has %v: %v", ok, err)
		}
	}
}
