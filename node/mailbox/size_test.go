package mailbox

import (
	"crypto/rand"
	"encoding/binary"
	"os"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p"

	"github.com/parley-protocol/parley/node/spool"
)

// TestFullMailbox holds many deliveries, PARLEY_DELIVERIES of them, four to a
// token, and tells what a pick-up, a restart and its memory cost. It fails where
// they are far off what a mailbox of 200,000 is to reach: 10 ms, 3 s, 200 MB.
func TestFullMailbox(t *testing.T) {
	deliveries := 400
	if s := os.Getenv("PARLEY_DELIVERIES"); s != "" {
		var err error
		if deliveries, err = strconv.Atoi(s); err != nil {
			t.Fatal(err)
		}
	}
	dir := t.TempDir()
	store, err := spool.Open(dir, SpoolLimits(1<<40))
	if err != nil {
		t.Fatal(err)
	}
	tokenOf := func(i int) (token Token) {
		binary.BigEndian.PutUint64(token[:], uint64(i/4))
		return token
	}
	envelope := make([]byte, 2162) // of suite 2, the smallest class
	rand.Read(envelope)
	for i := range deliveries {
		binary.BigEndian.PutUint64(envelope, uint64(i))
		if _, err := store.Put(t.Context(), tokenOf(i).bucket(), IDOf(envelope), envelope, time.Now().Add(retention)); err != nil {
			t.Fatal(err)
		}
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	before := heapInUse()
	began := time.Now()
	if store, err = spool.Open(dir, SpoolLimits(1<<40)); err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	restart, memory := time.Since(began), heapInUse()-before

	h, err := libp2p.New(libp2p.NoListenAddrs, libp2p.DisableMetrics())
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	server, err := NewServer(h, store, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	began = time.Now()
	const pickups = 100
	for i := range pickups {
		page, err := server.Pickup(t.Context(), tokenOf(i*deliveries/pickups), nil, 64, 0)
		if err != nil || len(page.Envelopes) != 4 {
			t.Fatalf("%d envelopes, %v", len(page.Envelopes), err)
		}
	}
	pickup := time.Since(began) / pickups
	t.Logf("%d deliveries: pick-up %s, restart %s, %d MB in memory", deliveries, pickup, restart, memory>>20)
	if pickup > 100*time.Millisecond || restart > 30*time.Second || memory > 600<<20 {
		t.Error("far off")
	}
}

func heapInUse() int {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}
