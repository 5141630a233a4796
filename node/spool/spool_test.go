package spool

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/parley-protocol/parley/node/fault"
	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/spec/vectors/fuzzing"
)

const home = "/home/spool"

var (
	now   = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	later = now.Add(time.Hour)
)

func open(t *testing.T, d *fault.Disk, limits Limits) *Spool {
	t.Helper()
	s, err := Open(home, limits, WithFS(d), WithClock(func() time.Time { return now }))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func blobOf(n int) (ID, []byte) {
	blob := bytes.Repeat(fmt.Appendf(nil, "blob %d ", n), 1+n%50)
	return sha256.Sum256(blob), blob
}

func put(t *testing.T, s *Spool, bucket string, n int) ID {
	t.Helper()
	id, blob := blobOf(n)
	existed, err := s.Put(t.Context(), bucket, id, blob, later)
	if err != nil || existed {
		t.Fatalf("Put gives %v, %v", existed, err)
	}
	return id
}

func TestPutGetDelete(t *testing.T) {
	d := fault.New()
	s := open(t, d, Limits{})
	id, blob := blobOf(1)
	put(t, s, "ab", 1)
	if existed, err := s.Put(t.Context(), "ab", id, blob, later); !existed || err != nil {
		t.Errorf("a second Put gives %v, %v", existed, err)
	}
	if existed, err := s.Put(t.Context(), "cd", id, blob, later); existed || err != nil {
		t.Errorf("Put into another bucket gives %v, %v", existed, err)
	}
	for range 2 {
		if got, err := s.Get(t.Context(), "ab", id); err != nil || !bytes.Equal(got, blob) {
			t.Errorf("Get gives %q, %v", got, err)
		}
		if u := s.Usage(); u != (Usage{Buckets: 2, Blobs: 2, Bytes: 2 * int64(len(blob))}) {
			t.Errorf("usage %+v", u)
		}
		d = d.PowerCut(nil)
		s = open(t, d, Limits{})
	}
	if err := s.Delete("ab", id); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Get(t.Context(), "ab", id); protocol.CodeOf(err) != protocol.CodeNotFound {
		t.Errorf("Get gives %v", err)
	}
	if err := s.Delete("ab", id); protocol.CodeOf(err) != protocol.CodeNotFound {
		t.Errorf("Delete gives %v", err)
	}
	if u := s.Usage(); u.Buckets != 1 || u.Blobs != 1 || s.bytes != u.Bytes || len(s.buckets) != 1 {
		t.Errorf("usage %+v", u)
	}
}

func TestOrderOfArrival(t *testing.T) {
	d := fault.New()
	s := open(t, d, Limits{})
	var want []ID
	for n := range 40 {
		want = append(want, put(t, s, []string{"aa", "bb"}[n%2], n))
	}
	for range 2 {
		var all []ID
		for info := range s.All() {
			all = append(all, info.ID)
		}
		if !slices.Equal(all, want) {
			t.Error("All isn't in the order of arrival")
		}
		for i, info := range s.Bucket("bb") {
			if info.ID != want[2*i+1] || !info.Expires.Equal(later) || info.Bucket != "bb" {
				t.Errorf("number %d of the bucket is %+v", i, info)
			}
		}
		s = open(t, d.Kill(), Limits{})
	}
}

func TestLimits(t *testing.T) {
	s := open(t, fault.New(), Limits{PerBucketCount: 2, PerBucketBytes: 100, TotalBytes: 150, MaxAge: 2 * time.Hour})
	try := func(bucket string, size int, expires time.Time) protocol.Code {
		blob := make([]byte, size)
		blob = append(blob, byte(s.arrival), byte(size))
		_, err := s.Put(t.Context(), bucket, sha256.Sum256(blob), blob, expires)
		return protocol.CodeOf(err)
	}
	for i, step := range []struct {
		bucket  string
		size    int
		expires time.Time
		want    protocol.Code
	}{
		{"aa", 8, later, ""},
		{"aa", 8, later, ""},
		{"aa", 8, later, protocol.CodeMailboxFull},
		{"bb", 99, later, protocol.CodeMailboxFull},
		{"bb", 98, later, ""},
		{"cc", 50, later, protocol.CodeOverQuota},
		{"cc", 8, now, protocol.CodeExpired},
		{"cc", 8, now.Add(3 * time.Hour), protocol.CodeLifeTooLong},
		{"", 8, later, protocol.CodeUsage},
		{"../x", 8, later, protocol.CodeUsage},
		{"AB", 8, later, protocol.CodeUsage},
		{"cc", MaxBlob, later, protocol.CodeTooLarge},
	} {
		if got := try(step.bucket, step.size, step.expires); got != step.want {
			t.Errorf("step %d gives %q, not %q", i, got, step.want)
		}
	}
	if u := s.Usage(); u.Blobs != 3 || s.bytes != u.Bytes {
		t.Errorf("usage %+v, counted %d", u, s.bytes)
	}
}

func TestSweep(t *testing.T) {
	d := fault.New()
	s := open(t, d, Limits{})
	for n := range 10 {
		id, blob := blobOf(n)
		if _, err := s.Put(t.Context(), "aa", id, blob, now.Add(time.Duration(n+1)*time.Minute)); err != nil {
			t.Fatal(err)
		}
	}
	if n, err := s.Sweep(now.Add(4 * time.Minute)); n != 4 || err != nil {
		t.Errorf("Sweep gives %d, %v", n, err)
	}
	if u := open(t, d, Limits{}).Usage(); u.Blobs != 6 || u.Blobs != s.Usage().Blobs {
		t.Errorf("%d blobs are left", u.Blobs)
	}
}

func TestEveryFlippedByteShows(t *testing.T) {
	d := fault.New()
	s := open(t, d, Limits{})
	id := put(t, s, "abcd", 3)
	path := s.path(s.Bucket("abcd")[0])
	data, err := d.Content(path)
	if err != nil {
		t.Fatal(err)
	}
	for at := range data {
		flipped := bytes.Clone(data)
		flipped[at] ^= 1 << (at % 8)
		for _, content := range [][]byte{flipped, data[:at], append(bytes.Clone(data), flipped[at])} {
			if err := d.SetContent(path, content); err != nil {
				t.Fatal(err)
			}
			if blob, err := s.Get(t.Context(), "abcd", id); blob != nil || protocol.CodeOf(err) != protocol.CodeDamaged {
				t.Fatalf("byte %d: Get gives %q, %v", at, blob, err)
			}
		}
	}
	// A whole file under another's name isn't taken for it either.
	other := put(t, s, "abcd", 4)
	if err := d.SetContent(s.path(s.Bucket("abcd")[1]), data); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Get(t.Context(), "abcd", other); protocol.CodeOf(err) != protocol.CodeDamaged {
		t.Errorf("a file under another's name gives %v", err)
	}
	if err := d.Remove(path); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Get(t.Context(), "abcd", id); protocol.CodeOf(err) != protocol.CodeDamaged {
		t.Errorf("a file that is gone gives %v", err)
	}
}

func TestConcurrentUse(t *testing.T) {
	s := open(t, fault.New(), Limits{})
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			for n := range 30 {
				id, blob := blobOf(n) // the same ones from every side
				bucket := []string{"aa", "bb"}[w%2]
				if _, err := s.Put(t.Context(), bucket, id, blob, later); err != nil {
					t.Error(err)
				}
				if got, err := s.Get(t.Context(), bucket, id); err != nil || !bytes.Equal(got, blob) {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if u := s.Usage(); u.Blobs != 60 || s.bytes != u.Bytes {
		t.Errorf("usage %+v", u)
	}
	if !slices.IsSortedFunc(s.Bucket("aa"), byArrival) {
		t.Error("the bucket isn't in the order of arrival")
	}
}

func TestWaitingForATurnCanBeCancelled(t *testing.T) {
	s := open(t, fault.New(), Limits{})
	b, err := s.enter(t.Context(), "aa")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	id, blob := blobOf(1)
	if _, err := s.Put(ctx, "aa", id, blob, later); !errors.Is(err, context.Canceled) {
		t.Errorf("Put gives %v", err)
	}
	s.leave("aa", b)
	if len(s.buckets) != 0 {
		t.Error("an empty bucket stays")
	}
}

func TestFailures(t *testing.T) {
	d := fault.New()
	s := open(t, d, Limits{TotalBytes: 1000})
	id, blob := blobOf(1)
	fail := func(kind fault.Kind, with error) error {
		d.Hook(func(op fault.Op) error {
			if op.Kind == kind {
				return with
			}
			return nil
		})
		_, err := s.Put(t.Context(), "aa", id, blob, later)
		d.Hook(nil)
		return err
	}
	if err := fail(fault.Write, syscall.ENOSPC); protocol.CodeOf(err) != protocol.CodeDiskFull {
		t.Errorf("a full disk gives %v", err)
	}
	if err := fail(fault.Sync, syscall.EIO); protocol.CodeOf(err) != protocol.CodeInternal {
		t.Errorf("a failed sync gives %v", err)
	}
	if s.bytes != 0 || s.Usage().Blobs != 0 {
		t.Errorf("%d bytes stay counted", s.bytes)
	}
	put(t, s, "aa", 2) // neither has done any harm
	if err := fail(fault.SyncDir, syscall.EIO); protocol.CodeOf(err) != protocol.CodeInternal {
		t.Errorf("a failed sync of a folder gives %v", err)
	}
	if _, err := s.Put(t.Context(), "aa", id, blob, later); !errors.Is(err, syscall.EIO) {
		t.Errorf("after it Put gives %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Put(t.Context(), "aa", id, blob, later); !errors.Is(err, ErrClosed) {
		t.Errorf("after Close Put gives %v", err)
	}
}

// live puts blobs until the disk goes off. It returns what was acknowledged.
func live(d *fault.Disk, count int) (acked []int, err error) {
	s, err := Open(home, Limits{}, WithFS(d), WithClock(func() time.Time { return now }))
	if err != nil {
		return nil, err
	}
	for n := range count {
		id, blob := blobOf(n)
		if _, err := s.Put(context.Background(), "aa", id, blob, later); err != nil {
			return acked, err
		}
		acked = append(acked, n)
	}
	// One that goes again, and its file too.
	id, blob := blobOf(count + 100)
	if _, err := s.Put(context.Background(), "bb", id, blob, later); err != nil {
		return acked, err
	}
	return acked, errors.Join(s.Delete("bb", id), s.Close())
}

// survive cuts the power at many moments, at once or after the process has been
// started again, and returns how often and the first violation.
func survive(mutant string) (cuts int, err error) {
	const opened = 262 // operations of a first Open: most make one of 256 folders
	if err := deleting(mutant); err != nil {
		return 0, err
	}
	for n := 0; n < opened+46; n++ {
		if n > 6 && n < opened-8 && n%16 != 0 {
			continue
		}
		for variant := range 5 {
			d := fault.New()
			d.IgnoreSync(mutant)
			d.StopAfter(n)
			acked, err := live(d, 4)
			if err != nil && !errors.Is(err, fault.ErrOff) {
				return cuts, fmt.Errorf("operation %d: %w", n, err)
			}
			if variant < 2 {
				d = d.Kill()
				d.IgnoreSync(mutant)
				more, err := live(d, 5)
				if err != nil {
					return cuts, fmt.Errorf("killed at operation %d: %w", n, err)
				}
				acked = append(acked, more...)
			}
			var rng *rand.Rand
			if variant != 0 && variant != 2 {
				rng = rand.New(rand.NewPCG(uint64(n), uint64(variant)))
			}
			d = d.PowerCut(rng)
			cuts++
			if err := verify(d, acked); err != nil {
				return cuts, fmt.Errorf("power cut at operation %d, variant %d: %w", n, variant, err)
			}
		}
	}
	return cuts, nil
}

// deleting cuts the power right after the files of deleted blobs went: whatever
// of that arrives, nothing is missed.
func deleting(mutant string) error {
	d := fault.New()
	for round, deleted := range []int{1, 0} {
		d.IgnoreSync(mutant)
		s, err := Open(home, Limits{}, WithFS(d), WithClock(func() time.Time { return now }))
		if err != nil {
			return err
		}
		for n := range 2 {
			id, blob := blobOf(n)
			if _, err := s.Put(context.Background(), "aa", id, blob, later); round == 0 && err != nil {
				return err
			}
		}
		id, _ := blobOf(deleted)
		if err := errors.Join(s.Delete("aa", id), s.Close()); err != nil {
			return err
		}
		for seed := range uint64(60) {
			if err := verify(d.PowerCut(rand.New(rand.NewPCG(seed, 3))), nil); err != nil {
				return fmt.Errorf("round %d, seed %d: %w", round, seed, err)
			}
		}
		d = d.Kill()
	}
	return nil
}

func verify(d *fault.Disk, acked []int) error {
	s, err := Open(home, Limits{}, WithFS(d), WithClock(func() time.Time { return now }))
	if err != nil {
		return err
	}
	if missed := s.Damaged(); len(missed) > 0 {
		return fmt.Errorf("missed, although nothing was lost: %+v", missed)
	}
	for _, n := range acked {
		id, blob := blobOf(n)
		if got, err := s.Get(context.Background(), "aa", id); err != nil || !bytes.Equal(got, blob) {
			return fmt.Errorf("blob %d is lost: %w", n, err)
		}
	}
	for info := range s.All() {
		if _, err := s.Get(context.Background(), info.Bucket, info.ID); err != nil {
			return fmt.Errorf("a blob that nobody damaged: %w", err)
		}
	}
	for b := range 256 {
		entries, err := d.ReadDir(home + "/" + shardName(byte(b)))
		if err != nil {
			return err
		}
		for _, entry := range entries {
			if _, ok := parseName(entry.Name()); !ok {
				return fmt.Errorf("%s is left over", entry.Name())
			}
		}
	}
	return nil
}

func TestPowerCuts(t *testing.T) {
	cuts, err := survive("")
	if err != nil {
		t.Fatal(err)
	}
	if cuts < 200 {
		t.Errorf("%d power cuts; the test is meant to have 200", cuts)
	}
}

func TestEveryFsyncIsNeeded(t *testing.T) {
	d := fault.New()
	for range 2 {
		if _, err := live(d, 1); err != nil {
			t.Fatal(err)
		}
	}
	// And once with a blob that the journal doesn't have.
	id, _ := blobOf(0)
	if err := errors.Join(d.Remove(home+"/"+journalName), open(t, d, Limits{}).Delete("aa", id)); err != nil {
		t.Fatal(err)
	}
	for _, site := range d.SyncSites() {
		if _, err := survive(site); err == nil {
			t.Errorf("nothing goes wrong without %s", site)
		} else {
			t.Logf("%s: %v", site, err)
		}
	}
}

func FuzzParseName(f *testing.F) {
	id, blob := blobOf(5)
	f.Add(Info{Bucket: "ab", ID: id, Size: len(blob), Expires: later, Arrival: 7}.fileName())
	f.Add("....")
	f.Fuzz(func(t *testing.T, name string) {
		var info Info
		var ok bool
		fuzzing.Bounded(t, len(name), func() { info, ok = parseName(name) })
		if ok && info.fileName() != name {
			t.Errorf("%q is read as %+v", name, info)
		}
	})
}

func BenchmarkPut(b *testing.B) {
	s, err := Open(b.TempDir(), Limits{})
	if err != nil {
		b.Fatal(err)
	}
	blob := make([]byte, 4096)
	expires := time.Now().Add(time.Hour)
	n := uint64(0)
	for b.Loop() {
		n++
		id := ID(sha256.Sum256(fmt.Appendf(nil, "%d", n)))
		if _, err := s.Put(b.Context(), id.String(), id, blob, expires); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkOpen200k(b *testing.B) {
	dir := b.TempDir()
	s, err := Open(dir, Limits{})
	if err != nil {
		b.Fatal(err)
	}
	for n := range 200_000 {
		id := ID(sha256.Sum256(fmt.Appendf(nil, "%d", n)))
		info := Info{Bucket: id.String(), ID: id, Expires: later, Arrival: uint64(n) + 1}
		if err := os.WriteFile(s.path(info), nil, 0o600); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		if s, err = Open(dir, Limits{}); err != nil || s.Usage().Blobs != 200_000 {
			b.Fatal(err)
		}
	}
}
