package peers

import (
	"bytes"
	"crypto/ed25519"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/peer"
	"pgregory.net/rapid"

	"github.com/parley-protocol/parley/node/vault"
)

// idOf is the ID of a node, a different one for every number.
func idOf(t testing.TB, n int) peer.ID {
	t.Helper()
	seed := make([]byte, ed25519.SeedSize)
	binary.BigEndian.PutUint64(seed, uint64(n))
	key, err := crypto.UnmarshalEd25519PublicKey(ed25519.NewKeyFromSeed(seed).Public().(ed25519.PublicKey))
	if err != nil {
		t.Fatal(err)
	}
	id, err := peer.IDFromPublicKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

type clock struct{ at time.Time }

func (c *clock) now() time.Time { return c.at }

func newClock() *clock { return &clock{time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)} }

func open(t testing.TB, dir string, c *clock) *Store {
	t.Helper()
	return Open(Options{Path: filepath.Join(dir, "peers"), Key: vault.Key{1}, Now: c.now})
}

func at(ip string) []string { return []string{"/ip4/" + ip + "/udp/4001/quic-v1"} }

func TestRemembersOverRestarts(t *testing.T) {
	dir, c := t.TempDir(), newClock()
	s := open(t, dir, c)
	s.Met(Peer{ID: idOf(t, 1), Addrs: at("192.0.2.1"), Markets: []string{"repair"}, Source: "discovery", Reached: true})
	c.at = c.at.Add(time.Hour)
	s.Met(Peer{ID: idOf(t, 1), Addrs: at("192.0.2.99"), Markets: []string{"books"}, Source: "incoming"})
	s.Met(Peer{ID: idOf(t, 2), Addrs: []string{"no address"}})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(filepath.Join(dir, "peers"))
	if err != nil || bytes.Contains(raw, []byte("192.0.2")) || bytes.Contains(raw, []byte("repair")) {
		t.Errorf("%v: the file tells whom one knows: %q", err, raw)
	}
	if info, err := os.Stat(filepath.Join(dir, "peers")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	s = open(t, dir, c)
	list := s.List()
	if s.Began() != nil || len(list) != 1 {
		t.Fatalf("%v, %+v", s.Began(), list)
	}
	p := list[0]
	if p.ID != idOf(t, 1) || !slices.Equal(p.Addrs, append(at("192.0.2.1"), at("192.0.2.99")...)) || !slices.Equal(p.Markets, []string{"books", "repair"}) ||
		p.Source != "discovery" || !p.Reached || p.known() != time.Hour {
		t.Errorf("%+v", p)
	}
	if !s.Forget(p.ID) || s.Forget(p.ID) {
		t.Error("forgotten not once")
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if s = open(t, dir, c); len(s.List()) != 0 {
		t.Error("what was forgotten is back")
	}
}

// A file that was damaged anywhere, cut, or is another home's is begun anew with
// a message, and written again.
func TestDamagedFileIsBegunAnew(t *testing.T) {
	dir, c := t.TempDir(), newClock()
	path := filepath.Join(dir, "peers")
	s := open(t, dir, c)
	s.Met(Peer{ID: idOf(t, 1), Addrs: at("192.0.2.1"), Reached: true})
	s.Close()
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	spoilt := map[string][]byte{"empty": {}, "cut": good[:len(good)-1], "longer": append(bytes.Clone(good), 0), "huge": make([]byte, maxFile+1)}
	for i := 0; i < len(good); i += 5 {
		b := bytes.Clone(good)
		b[i] ^= 1
		spoilt[fmt.Sprint("flipped at ", i)] = b
	}
	for name, content := range spoilt {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		s := open(t, dir, c)
		if s.Began() == nil || len(s.List()) != 0 {
			t.Fatalf("%s: %v, %d peers", name, s.Began(), len(s.List()))
		}
		s.Met(Peer{ID: idOf(t, 2), Addrs: at("192.0.2.2"), Reached: true})
		s.Close()
		if s = open(t, dir, c); s.Began() != nil || len(s.List()) != 1 {
			t.Fatalf("%s, after it was written anew: %v, %d peers", name, s.Began(), len(s.List()))
		}
	}
	other := Open(Options{Path: path, Key: vault.Key{2}, Now: c.now})
	if other.Began() == nil || len(other.List()) != 0 {
		t.Errorf("with another key: %v", other.Began())
	}
}

func TestExpiry(t *testing.T) {
	dir, c := t.TempDir(), newClock()
	s := open(t, dir, c)
	s.Met(Peer{ID: idOf(t, 1), Addrs: at("192.0.2.1"), Reached: true})
	s.Met(Peer{ID: idOf(t, 2), Addrs: at("192.0.2.2")})
	s.Met(Peer{ID: idOf(t, 3), Addrs: at("192.0.2.3"), Reached: true})
	s.Close()
	c.at = c.at.Add(keepHeard + time.Hour)
	s = open(t, dir, c)
	if list := s.List(); len(list) != 2 {
		t.Errorf("%d are there after three days, not those who were reached", len(list))
	}
	c.at = c.at.Add(failedFor)
	for range mostFailed {
		s.Failed(idOf(t, 3))
	}
	if _, ok := s.Get(idOf(t, 3)); ok {
		t.Error("who is away for a week and never answers is kept")
	}
	s.Close()
	c.at = c.at.Add(keepReached)
	if s = open(t, dir, c); len(s.List()) != 0 {
		t.Error("kept for ever")
	}
}

// A clock that was years ahead for a while keeps nobody for years.
func TestClockThatWasAhead(t *testing.T) {
	dir, c := t.TempDir(), newClock()
	today := c.at
	c.at = today.AddDate(10, 0, 0)
	s := open(t, dir, c)
	s.Met(Peer{ID: idOf(t, 1), Addrs: at("192.0.2.1"), Reached: true})
	s.Close()
	c.at = today
	s = open(t, dir, c)
	s.Failed(idOf(t, 1))
	s.Close()
	c.at = today.Add(keepReached + time.Hour)
	if s = open(t, dir, c); len(s.List()) != 0 {
		t.Errorf("%+v", s.List())
	}
}

// Thousands of strangers that come by themselves or make this node dial them, from a few networks: whoever was known before stays.
func TestFloodPushesNobodyOut(t *testing.T) {
	c := newClock()
	s := open(t, t.TempDir(), c)
	var honest []peer.ID
	for i := range 40 { // some of them in the attackers' own networks
		ip := fmt.Sprintf("%d.1.0.%d", 20+i%20, i)
		s.Met(Peer{ID: idOf(t, i), Addrs: at(ip), Markets: []string{"repair"}, Reached: true})
		honest = append(honest, idOf(t, i))
	}
	c.at = c.at.Add(time.Hour)
	for _, id := range honest {
		p, _ := s.Get(id)
		s.Met(p)
	}
	for i := range 3000 {
		id := idOf(t, 1000+i)
		ip := fmt.Sprintf("%d.1.%d.%d", 20+i%30, i/250, i%250)
		s.Met(Peer{ID: id, Addrs: at(ip), Markets: []string{"repair"}, Reached: i%2 == 0})
		c.at = c.at.Add(time.Second)
	}
	for i, id := range honest {
		if _, ok := s.Get(id); !ok {
			t.Errorf("honest node %d was pushed out", i)
		}
	}
	if n := len(s.List()); n > MaxPeers {
		t.Errorf("%d are remembered", n)
	}
	// Of those that are dialled first, half at least are among those known for
	// longest.
	mine := 0
	for _, p := range s.Pick("repair", 8, func(peer.ID) bool { return false }) {
		if slices.Contains(honest, p.ID) {
			mine++
		}
	}
	if mine < 4 {
		t.Errorf("%d of 8 picked are honest", mine)
	}
}

func TestPick(t *testing.T) {
	c := newClock()
	s := open(t, t.TempDir(), c)
	for i := range 6 {
		s.Met(Peer{ID: idOf(t, i), Addrs: at(fmt.Sprintf("20.%d.0.1", i/2)), Markets: []string{[]string{"repair", "books"}[i%2]}, Reached: true})
	}
	none := func(peer.ID) bool { return false }
	got := s.Pick("repair", 3, none)
	groups := map[string]bool{}
	for _, p := range got {
		groups[p.group] = true
		if !slices.Contains(p.Markets, "repair") {
			t.Errorf("%+v isn't in the market", p)
		}
	}
	if len(got) != 3 || len(groups) != 3 {
		t.Errorf("%d picked, of %d parts of the internet", len(got), len(groups))
	}
	if got := s.Pick("", 100, func(id peer.ID) bool { return id == idOf(t, 0) }); len(got) != 5 {
		t.Errorf("%d picked of all but one", len(got))
	}
}

// Whatever comes in, the bounds hold, and a copy read from the file is the same.
func TestBounds(t *testing.T) {
	dir := t.TempDir()
	ids := make([]peer.ID, 301)
	for i := range ids {
		ids[i] = idOf(t, i)
	}
	rapid.Check(t, func(rt *rapid.T) {
		c := newClock()
		os.Remove(filepath.Join(dir, "peers"))
		s := open(t, dir, c)
		for range rapid.IntRange(0, 250).Draw(rt, "events") {
			id := rapid.SampledFrom(ids).Draw(rt, "peer")
			switch rapid.IntRange(0, 9).Draw(rt, "what") {
			case 0:
				s.Failed(id)
			case 1:
				s.Forget(id)
			case 2:
				c.at = c.at.Add(time.Duration(rapid.IntRange(0, 100).Draw(rt, "hours")) * time.Hour)
			default:
				ip := fmt.Sprintf("%d.0.0.%d", rapid.SampledFrom([]int{10, 20, 30, 127}).Draw(rt, "net"), rapid.IntRange(1, 250).Draw(rt, "host"))
				s.Met(Peer{ID: id, Addrs: at(ip), Markets: []string{"m"}, Reached: rapid.Bool().Draw(rt, "reached")})
			}
		}
		groups, heard := map[string]int{}, 0
		for _, p := range s.List() {
			if groups[p.group]++; groups[p.group] > p.limit {
				rt.Fatalf("%d of %s", groups[p.group], p.group)
			}
			if !p.Reached {
				heard++
			}
			if len(p.Addrs) == 0 || len(p.Addrs) > MaxAddrs || p.Last.Before(p.First) {
				rt.Fatalf("%+v", p)
			}
		}
		if heard > maxHeard {
			rt.Fatalf("%d only heard of", heard)
		}
		s.Close()
		var kept int
		for _, p := range s.List() {
			if !p.expired(c.at) {
				kept++
			}
		}
		if again := open(t, dir, c); again.Began() != nil || len(again.List()) != kept {
			rt.Fatalf("%v: %d of %d are back", again.Began(), len(again.List()), kept)
		}
	})
}

// What was met is on the disk within seconds, though nobody closes; and when
// there is no room it is written as soon as there is.
func TestIsWrittenSoon(t *testing.T) {
	dir := t.TempDir()
	full := errors.New("full")
	synctest.Test(t, func(t *testing.T) {
		id := idOf(t, 1)
		s := Open(Options{Path: filepath.Join(dir, "peers"), Key: vault.Key{1}, Room: func() error { return full },
			Connected: func() []peer.ID { return []peer.ID{id} }})
		if err := s.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		s.Met(Peer{ID: id, Addrs: at("192.0.2.1"), Reached: true})
		read := func() []Peer {
			synctest.Wait()
			return Open(Options{Path: filepath.Join(dir, "peers"), Key: vault.Key{1}}).List()
		}
		time.Sleep(10 * time.Second)
		if len(read()) != 0 {
			t.Error("written without room")
		}
		full = nil
		time.Sleep(2 * time.Minute)
		if len(read()) != 1 {
			t.Error("not written when there was room")
		}
		// Who stays connected is there still.
		time.Sleep(time.Hour)
		if list := read(); len(list) != 1 || time.Since(list[0].Last) > 15*time.Minute {
			t.Errorf("%+v", list)
		}
		s.Close()
	})
}
