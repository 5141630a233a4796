package store

import (
	"errors"
	"math/rand/v2"
	"os"
	"testing"
)

// What Open leaves to Scrub, Scrub finds, and the next Open refuses it.
func TestScrub(t *testing.T) {
	t.Parallel()
	pristine, records := filledFolder(t)
	rng := rand.New(rand.NewPCG(6, 6))
	found := 0
	for n := range 12 {
		dir := copyFolder(t, pristine)
		name := pick(rng, tables(t, dir))
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		if n > 0 { // the first one stays whole
			flip(t, name, rng.Int64N(info.Size()*3/4), 1<<rng.IntN(8))
		}
		s, err := Open(t.Context(), dir, Options{trusting: true})
		if err != nil {
			wantRebuild(t, err, FolderDamaged)
			continue
		}
		if len(s.left) == 0 {
			t.Fatal("Open has left nothing to be scrubbed")
		}
		err = s.Scrub(t.Context())
		if (err == nil) != (n == 0) || !errors.Is(err, s.Damage()) {
			t.Errorf("folder %d: Scrub gives %v, Damage %v", n, err, s.Damage())
		}
		if err != nil {
			found++
			wantRebuild(t, err, FolderDamaged)
		}
		s.Close() // may fail, being damaged
		if again, err := Open(t.Context(), dir, Options{trusting: true}); err == nil {
			if n > 0 {
				t.Error("a damaged folder opens again")
			}
			readAll(t, again, records)
			again.Close()
		}
	}
	if found < 8 {
		t.Errorf("Scrub was asked %d times only", found)
	}
}

// The state file has no checksum: any change of it shows.
func TestFlippedState(t *testing.T) {
	t.Parallel()
	for _, st := range []state{{Schema: schema}, {Schema: schema, Open: true}} {
		dir := t.TempDir()
		if err := writeState(dir, st); err != nil {
			t.Fatal(err)
		}
		name := dir + "/" + stateFile
		raw, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for bit := range len(raw) * 8 {
			flipped := append([]byte(nil), raw...)
			flipped[bit/8] ^= 1 << (bit % 8)
			write(t, name, string(flipped))
			if got, _, err := readState(dir); err == nil {
				t.Errorf("bit %d: %q is read as %+v", bit, flipped, got)
			}
		}
	}
}
