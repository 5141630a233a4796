package backup

import (
	"context"
	"errors"
	"fmt"
	"io"
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
	FS     disk.FS // what the home lies on; nil: the machine's file system
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

	site, err := prepare(t.Home, t.FS)
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

// site is a home under construction. Until it is whole its keys are in a folder
// of another name, which is also the mark of a restore under way; a folder
// without keys is no home.
type site struct {
	fs     disk.FS
	home   home.Home
	made   bool // the home's folder was made for this
	unlock func()
}

// prepare looks whether there is room for a home, and clears away what an earlier
// restore that died has left.
func prepare(h home.Home, fsys disk.FS) (_ *site, err error) {
	s := &site{fs: fsys, home: h, unlock: func() {}}
	if fsys == nil {
		s.fs = disk.OS{}
	}
	there, err := disk.Exists(s.fs, h.Dir)
	if err != nil {
		return nil, home.Explain(err, h.Dir)
	}
	s.made = !there
	if err := disk.MakeDir(s.fs, h.Dir, 0o700); err != nil {
		return nil, home.Explain(err, h.Dir)
	}
	if fsys == nil { // locks are the machine's
		if s.unlock, err = h.Lock(); err != nil {
			return nil, err
		}
	}
	defer func() {
		if err != nil {
			err = home.Explain(err, h.Dir)
			s.unlock()
		}
	}()
	names, err := s.fs.ReadDir(h.Dir)
	if err != nil {
		return nil, err
	}
	whole, err := s.whole()
	if err != nil {
		return nil, err
	}
	unfinished, err := disk.Exists(s.fs, h.Restoring())
	if err != nil {
		return nil, err
	}
	for _, n := range names {
		if n.Name() == filepath.Base(h.LockFile()) || unfinished && !whole && ofRestore(h, n.Name()) {
			continue
		}
		return nil, &protocol.Error{Code: protocol.CodeNotPermitted, Field: "home", Detail: fmt.Sprintf("%s isn't empty: there is %s in it", h.Dir, n.Name()),
			Hint: "restore into a new folder: --home DIR"}
	}
	return s, s.clear()
}

// whole tells whether there are keys, and so a home.
func (s *site) whole() (bool, error) {
	return keyring.Exists(s.home.Keys(), keyring.Options{FS: s.fs})
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
	for _, path := range []string{h.Ledger(), h.Inbox(), h.Config(), h.Config() + disk.TempSuffix, h.BackupRecipient(), h.BackupRecipient() + disk.TempSuffix} {
		if err := disk.RemoveAll(s.fs, path); err != nil {
			return err
		}
	}
	failpoint.Hit("backup/before-unmark")
	if err := s.fs.SyncDir(h.Dir); err != nil {
		return err
	}
	if err := disk.RemoveAll(s.fs, h.Restoring()); err != nil {
		return err
	}
	failpoint.Hit("backup/after-unmark")
	return s.fs.SyncDir(h.Dir)
}

// remove clears everything away after a failure.
func (s *site) remove() error {
	if whole, err := s.whole(); whole || err != nil {
		return err // it was the last step that failed, after it had its effect
	}
	err := s.clear()
	if s.made && err == nil {
		err = disk.RemoveAll(s.fs, s.home.Dir)
	}
	return err
}

// fill reads the file to its end.
func (s *site) fill(ctx context.Context, r *reader, identity *keyring.Identity, now time.Time, out *Restored) (err error) {
	var closers []func() error
	defer func() {
		for i := len(closers) - 1; i >= 0; i-- {
			err = errors.Join(err, closers[i]())
		}
	}()
	// The seeds stand at the file's end, and the ledger's keys are needed now: the
	// keyring is made without them first, and takes them in then.
	options := keyring.Options{FS: s.fs}
	if err := keyring.CreateFrom(s.home.Restoring(), identity, keyring.Secrets{}, options); err != nil {
		return err
	}
	failpoint.Hit("backup/after-keyring")
	keys, err := keyring.Open(s.home.Restoring(), options)
	if err != nil {
		return err
	}
	closers = append(closers, keys.Close)
	if err := keys.Start(ctx); err != nil {
		return err
	}
	inbox, err := spool.Open(s.home.Inbox(), spool.Limits{}, spool.WithFS(s.fs))
	if err != nil {
		return err
	}
	closers = append(closers, inbox.Close)
	log, err := ledger.Open(s.home.Ledger(), ledger.Options{FS: s.fs})
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

// publish gives the keys their name, durably: from here on there is a home.
func (s *site) publish() error {
	return disk.Publish(s.fs, s.home.Restoring(), s.home.Keys(), "backup/publish")
}
