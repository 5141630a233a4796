package desk

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io/fs"
	"sync"
	"time"

	"github.com/ipfs/go-cid"

	"github.com/parley-protocol/parley/node/event"
	"github.com/parley-protocol/parley/node/ledger/disk"
	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/record"
)

// One persona has one writer. A node that presents a seller says in its markets
// that it signs as that seller now; of two that hear each other the later one
// stops. Specification: [INT-26].

const (
	writerLife    = 600 // seconds that an announcement is worth something
	answerEvery   = time.Second
	announceEvery = time.Minute // to peers that come
	signsOfLife   = 4           // announcements, each newer than the one before, that no dead node makes
	maxInstances  = 64
)

// writers is what a node knows of those who sign as its persona.
type writers struct {
	file     string // remembers the announcements of this home; empty: in memory alone
	instance [16]byte
	started  int64

	mu     sync.Mutex
	signed map[string]int64 // own announcements by ID, and until when they count
	last   int64            // at of the newest
	next   time.Time        // when the next one may be signed
	due    bool             // one is waiting for that
	heard  map[[16]byte]heardWriter
	seen   time.Time // when another one was last heard that is there
}

type heardWriter struct {
	at    int64
	times int
}

func newWriters(file string, now int64) (*writers, error) {
	w := &writers{file: file, started: now, signed: map[string]int64{}, heard: map[[16]byte]heardWriter{}}
	rand.Read(w.instance[:])
	if file == "" {
		return w, nil
	}
	text, err := disk.ReadFile(disk.OS{}, file, 1<<20)
	if errors.Is(err, fs.ErrNotExist) {
		return w, nil
	}
	if err != nil {
		return nil, err
	}
	if json.Unmarshal(text, &w.signed) != nil {
		w.signed = map[string]int64{} // a node that stops once too often does no harm
	}
	return w, nil
}

// remember writes an announcement down, before anybody hears it.
func (w *writers) remember(id cid.Cid, until, now int64) error {
	for old, end := range w.signed {
		if end < now {
			delete(w.signed, old)
		}
	}
	w.signed[id.String()] = until
	if w.file == "" {
		return nil
	}
	text, err := json.Marshal(w.signed)
	if err != nil {
		return err
	}
	return disk.Replace(disk.OS{}, w.file, text, 0o600, "writers")
}

// OtherWriter is when another node that signs as this seller was last heard; zero:
// never.
func (d *Desk) OtherWriter() time.Time {
	d.writers.mu.Lock()
	defer d.writers.mu.Unlock()
	return d.writers.seen
}

// PeerCame tells that somebody new is in a market: they don't know yet who signs
// here.
func (d *Desk) PeerCame() { d.announceWriter(announceEvery) }

// announceWriter says that this node signs as its persona; not more often than
// every so long, but once more when it was asked to meanwhile.
func (d *Desk) announceWriter(every time.Duration) {
	if p := d.book.Profile(); p == nil {
		return
	}
	w := d.writers
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Now()
	if wait := w.next.Sub(now); wait > 0 {
		if every == answerEvery && !w.due {
			w.due = true
			d.run(func(ctx context.Context) {
				select {
				case <-ctx.Done():
				case <-time.After(min(wait, answerEvery)):
					w.mu.Lock()
					w.due, w.next = false, time.Time{}
					w.mu.Unlock()
					d.announceWriter(answerEvery)
				}
			})
		}
		return
	}
	w.next = now.Add(every)
	at := max(d.now(), w.last+1, w.started)
	rec, err := record.Sign(record.Header{At: at, RetainUntil: at + writerLife}, &record.Writer{Instance: w.instance, Started: w.started}, d.keys.Identity().Persona())
	if err == nil {
		err = w.remember(rec.ID(), at+writerLife, d.now())
	}
	if err != nil {
		d.cfg.Log.Error("this node can't say that it signs here", "error", err)
		return
	}
	w.last = at
	d.run(func(ctx context.Context) { d.spread(ctx, rec) })
}

// spread brings an announcement to the markets in which the seller presents itself.
func (d *Desk) spread(ctx context.Context, rec *record.Record) {
	ctx, cancel := context.WithTimeout(ctx, writerLife*time.Second)
	defer cancel()
	p, ok := d.book.Profile().Body().(*record.Profile)
	if !ok {
		return
	}
	frame := record.EncodeFrame(rec.Raw(), nil)
	for _, m := range p.Markets {
		if err := d.gossip.Publish(ctx, m, frame); err != nil && ctx.Err() == nil {
			d.cfg.Log.Debug("an announcement could not be published", "market", m, "error", err)
		}
	}
}

// hearWriter takes an announcement that somebody signs as this persona.
func (d *Desk) hearWriter(rec *record.Record) {
	body, ok := rec.Body().(*record.Writer)
	if !ok || !d.ours(rec.Header().By) || rec.CheckTime(d.now()) != nil {
		return
	}
	w := d.writers
	w.mu.Lock()
	_, own := w.signed[rec.ID().String()]
	if own || body.Instance == w.instance {
		w.mu.Unlock()
		return
	}
	h := w.heard[body.Instance]
	if rec.Header().At > h.at {
		h.at = rec.Header().At
		h.times++
	}
	if len(w.heard) < maxInstances || h.times > 1 {
		w.heard[body.Instance] = h
	}
	// What a node said that is gone may go round for a while. One that is there
	// answers to what it hears.
	alive := rec.Header().At >= w.started || h.times >= signsOfLife
	earlier := cmp.Or(cmp.Compare(body.Started, w.started), bytes.Compare(body.Instance[:], w.instance[:])) < 0
	if alive {
		w.seen = d.cfg.Now()
	}
	w.mu.Unlock()

	d.announceWriter(answerEvery)
	if !alive {
		return
	}
	e := event.Event{At: d.cfg.Now(), Kind: event.WriterSeen, Record: rec.ID().String(), Type: rec.Type(), By: string(rec.Header().By),
		Text: "Another node signs as this seller. It was started later and should stop by itself; see to it that it does."}
	if !earlier {
		d.events.Publish(e)
		d.cfg.Log.Warn("another node signs as this seller; it was started later")
		return
	}
	e.Text = "Another node, which was started earlier, signs as this seller: this one stops."
	d.events.Publish(e)
	if d.cfg.Stop != nil {
		d.cfg.Stop(&protocol.Error{Code: protocol.CodeSecondWriter, Field: "persona",
			Detail: "another node signs as this seller since " + time.Unix(body.Started, 0).UTC().Format(time.RFC3339) + "; two of them would contradict each other, so this one stops",
			Hint:   "use the other node; or stop it for good, and start this one then"})
	}
}
