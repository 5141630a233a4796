package backup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"filippo.io/age"

	"github.com/parley-protocol/parley/crypto"
	"github.com/parley-protocol/parley/node/book"
	"github.com/parley-protocol/parley/node/failpoint"
	"github.com/parley-protocol/parley/node/home"
	"github.com/parley-protocol/parley/node/keyring"
	"github.com/parley-protocol/parley/node/ledger"
	"github.com/parley-protocol/parley/node/ledger/disk"
	"github.com/parley-protocol/parley/node/spool"
	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/codec"
	"github.com/parley-protocol/parley/protocol/record"
)

// Restored tells what a restore brought.
type Restored struct {
	Header
	Records int // of the ledger
	Waiting int // in the inbox
	Seeds   int
}

// Target is where a backup is restored to, and how.
type Target struct {
	Home home.Home
	Root crypto.Root  // of the 24 words
	Open age.Identity // what opens the file beside the words; nil: nothing
	Now  time.Time
	// Finish is called when all is there but the keys, to put further files into
	// the folder.
	Finish func() error
}

// batch is how many entries are appended to the ledger at once.
const batch = 256

// Restore makes a home of a backup. The keys come last: before, the folder is no
// home, and a restore that died can be run again. After an error nothing is left
// behind. Errors by code: not_permitted for words that don't open the file or
// a folder that isn't empty, damaged, unsupported_format, disk_full, read_only,
// internal.
func Restore(ctx context.Context, file io.Reader, t Target) (out *Restored, err error) {
	id, err := IdentityOf(t.Root)
	if err != nil {
		return nil, err
	}
	ids := []age.Identity{id}
	if t.Open != nil {
		ids = append(ids, t.Open)
	}
	plain, err := unseal(file, ids...)
	if err != nil {
		return nil, err
	}
	r := newReader(plain)
	first, err := r.next()
	if err != nil {
		return nil, err
	}
	head, err := decodeHeader(first)
	if err != nil {
		return nil, err
	}
	if head.Persona > keyring.MaxPersona {
		return nil, damaged("its persona has %d keys", head.Persona+1)
	}
	r.took(first)
	identity := keyring.NewIdentity(t.Root, head.Device, head.Persona)
	if string(identity.Persona().DID()) != head.DID {
		return nil, &protocol.Error{Code: protocol.CodeNotPermitted, Field: "phrase", Detail: "these 24 words are not those of the node that this backup is of",
			Hint: "the words that were shown when that node was set up"}
	}
	r.key(identity.Customer().BackupMAC())

	site, err := prepare(t.Home)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(home.Explain(err, t.Home.Dir), site.remove())
		}
		site.unlock()
	}()
	out = &Restored{Header: head}
	if err := site.fill(ctx, r, identity, t.Now, out); err != nil {
		return nil, err
	}
	if t.Finish != nil {
		if err := t.Finish(); err != nil {
			return nil, err
		}
	}
	return out, site.publish()
}

// site is a home under construction: what is restored lies in a folder of its own
// in it, until it is whole.
type site struct {
	home   home.Home
	work   home.Home
	made   bool // the home's folder was made for this
	unlock func()
}

// prepare looks whether there is room for a home, and clears away what an earlier
// restore that died has left.
func prepare(h home.Home) (*site, error) {
	s := &site{home: h, work: home.Home{Dir: h.Restoring()}}
	_, err := os.Stat(h.Dir)
	s.made = errors.Is(err, fs.ErrNotExist)
	if err := h.Create(); err != nil {
		return nil, err
	}
	if s.unlock, err = h.Lock(); err != nil {
		return nil, err
	}
	fail := func(err error) (*site, error) {
		s.unlock()
		return nil, home.Explain(err, h.Dir)
	}
	names, err := os.ReadDir(h.Dir)
	if err != nil {
		return fail(err)
	}
	unfinished := h.Unfinished()
	for _, n := range names {
		if n.Name() == "lock" || unfinished && ofRestore(h, n.Name()) {
			continue
		}
		return fail(&protocol.Error{Code: protocol.CodeNotPermitted, Field: "home", Detail: fmt.Sprintf("%s isn't empty: there is %s in it", h.Dir, n.Name()),
			Hint: "restore into a new folder: --home DIR"})
	}
	if err := s.clear(); err != nil {
		return fail(err)
	}
	if err := disk.MakeDir(disk.OS{}, s.work.Dir, 0o700); err != nil {
		return fail(err)
	}
	return s, nil
}

// ofRestore tells whether a restore that died may have left that.
func ofRestore(h home.Home, name string) bool {
	for _, path := range []string{h.Restoring(), h.Ledger(), h.Inbox(), h.Config(), h.Config() + disk.TempSuffix, h.BackupRecipient(), h.BackupRecipient() + disk.TempSuffix} {
		if filepath.Base(path) == name {
			return true
		}
	}
	return false
}

// clear removes what a restore makes, the mark of one under way last.
func (s *site) clear() error {
	h := s.home
	for _, path := range []string{h.Ledger(), h.Inbox(), h.Config(), h.BackupRecipient(), h.Restoring()} {
		if err := os.RemoveAll(path); err != nil {
			return err
		}
	}
	return nil
}

// remove clears everything away after a failure.
func (s *site) remove() error {
	if s.home.Exists() {
		return nil // it was the last step that failed, after it had its effect
	}
	err := s.clear()
	if s.made && err == nil {
		err = os.RemoveAll(s.home.Dir)
	}
	return err
}

// fill reads the file to its end into the folder of work.
func (s *site) fill(ctx context.Context, r *reader, identity *keyring.Identity, now time.Time, out *Restored) (err error) {
	var closers []func() error
	defer func() {
		for i := len(closers) - 1; i >= 0; i-- {
			err = errors.Join(err, closers[i]())
		}
	}()
	// The seeds stand at the file's end, and the ledger's keys are needed now: the
	// keyring is made without them first, and takes them in then.
	if err := keyring.CreateFrom(s.work.Keys(), identity, keyring.Secrets{}, keyring.Options{}); err != nil {
		return err
	}
	keys, err := keyring.Open(s.work.Keys(), keyring.Options{})
	if err != nil {
		return err
	}
	closers = append(closers, keys.Close)
	if err := keys.Start(ctx); err != nil {
		return err
	}
	inbox, err := spool.Open(s.work.Inbox(), spool.Limits{})
	if err != nil {
		return err
	}
	closers = append(closers, inbox.Close)
	log, err := ledger.Open(s.work.Ledger(), ledger.Options{})
	if err != nil {
		return err
	}
	closers = append(closers, log.Close)
	b, err := book.Open(ctx, log, inbox, keys, func(book.Change) {})
	if err != nil {
		return err
	}
	var waiting []func() error
	var entries [][]byte
	flush := func() error {
		if len(entries) == 0 {
			return nil
		}
		err := b.Import(ctx, verify, entries...)
		entries = entries[:0]
		return err
	}
	seeds := map[keyring.KeyID]crypto.SealingSeed{}
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		section, err := r.next()
		if err != nil {
			return err
		}
		v, err := codec.Message().Decode(section)
		m, ok := v.(map[string]any)
		if err != nil || !ok {
			return damaged("a section isn't well formed")
		}
		switch m["kind"] {
		case kindEnd:
			if err := r.finish(m); err != nil {
				return err
			}
			if err := flush(); err != nil {
				return err
			}
			for _, put := range waiting {
				if err := put(); err != nil {
					return err
				}
			}
			for range b.Records() {
				out.Records++
			}
			out.Waiting, out.Seeds = len(b.Unanswered()), len(seeds)
			if err := keys.Keep(ctx, seeds); err != nil {
				return err
			}
			return b.Restored(ctx, now.Unix())
		case kindInbox:
			raw, _ := m["raw"].([]byte)
			rec, err := record.Parse(raw)
			if err != nil {
				return damaged("a record in it isn't one: %w", err)
			}
			until, _ := m["expires"].(int64)
			waiting = append(waiting, func() error {
				if b.InLedger(rec.ID()) {
					return nil
				}
				_, err := b.Receive(ctx, rec, time.Unix(until, 0))
				return err
			})
		case kindSeed:
			id, _ := m["id"].([]byte)
			seed, _ := m["seed"].([]byte)
			if len(id) != len(keyring.KeyID{}) || len(seed) != crypto.SeedSize {
				return damaged("a key in it isn't well formed")
			}
			seeds[keyring.KeyID(id)] = crypto.SealingSeed(seed)
		default:
			if entries = append(entries, section); len(entries) == batch {
				if err := flush(); err != nil {
					return err
				}
				failpoint.Hit("backup/after-batch")
			}
		}
		r.took(section)
	}
}

// verify checks a record as if it had come from outside.
func verify(rec *record.Record, _ bool) error {
	if err := rec.Verify(); err != nil {
		return damaged("a record in it isn't one: %w", err)
	}
	return nil
}

// publish moves what is whole into its place, the keys last.
func (s *site) publish() error {
	for _, move := range [][2]string{{s.work.Ledger(), s.home.Ledger()}, {s.work.Inbox(), s.home.Inbox()}, {s.work.Keys(), s.home.Keys()}} {
		failpoint.Hit("backup/before-move")
		if err := os.Rename(move[0], move[1]); err != nil {
			return err
		}
		if err := (disk.OS{}).SyncDir(s.home.Dir); err != nil {
			return err
		}
	}
	failpoint.Hit("backup/after-keys")
	return os.RemoveAll(s.work.Dir)
}
