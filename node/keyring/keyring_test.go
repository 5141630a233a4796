package keyring

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/parley-protocol/parley/crypto"
	"github.com/parley-protocol/parley/node/fault"
	"github.com/parley-protocol/parley/node/keyring/keyfile"
	"github.com/parley-protocol/parley/node/ledger/disk"
	"github.com/parley-protocol/parley/protocol"
)

const home = "/home/keys"

func newRoot(t *testing.T) crypto.Root {
	t.Helper()
	phrase, err := crypto.NewPhrase()
	if err != nil {
		t.Fatal(err)
	}
	return phrase.Root()
}

// create makes a keyring's folder on a disk.
func create(t *testing.T, d *fault.Disk) crypto.Root {
	t.Helper()
	root := newRoot(t)
	if err := Create(home, root, 3, Options{FS: d}); err != nil {
		t.Fatal(err)
	}
	return root
}

// start opens a keyring and starts it with what the ledger tells of.
func start(t *testing.T, d *fault.Disk, used ...KeyID) *Keyring {
	t.Helper()
	k, err := Open(home, Options{FS: d, Pool: 8, LowWater: 3})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { k.Close() })
	k.MarkUsed(used...)
	if err := k.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	return k
}

//spec:shows KEY-14 NET-2
func TestIdentity(t *testing.T) {
	d := fault.New()
	root := create(t, d)
	k := start(t, d.PowerCut(nil))
	id := k.Identity()
	if id.Device() != 3 || id.PersonaNumber() != 0 {
		t.Errorf("device %d, persona key %d", id.Device(), id.PersonaNumber())
	}
	if id.Customer().Bytes() != root.Branch(crypto.BranchCustomer, 3).Bytes() {
		t.Error("the customer branch is another one")
	}
	branch := root.Branch(crypto.BranchPersona, 3)
	if id.Persona().DID() != branch.PersonaKey(0).DID() {
		t.Error("the persona's key is another one")
	}
	if id.NextPersona() != crypto.KeyCommitment(branch.PersonaKey(1).PublicKey()) {
		t.Error("the commitment is to another key")
	}
	if id.TransportSeed() == ([32]byte{}) {
		t.Error("there is no transport key")
	}
	if err := Create(home, root, 3, Options{FS: d}); protocol.CodeOf(err) == "" {
		t.Error("an identity was written over another")
	}
}

//spec:shows KEY-10
func TestTheDiskHoldsNoMoreThanItMay(t *testing.T) {
	d := fault.New()
	root := create(t, d)
	data, err := d.Content(identityPath(home))
	if err != nil {
		t.Fatal(err)
	}
	branch := root.Branch(crypto.BranchPersona, 3)
	secret, next := branch.Bytes(), branch.PersonaKey(1).Seed()
	if bytes.Contains(data, secret[:]) || bytes.Contains(data, next[:]) {
		t.Error("the persona branch or the next key is on the disk")
	}
}

//spec:shows KEY-16
func TestSealingSeeds(t *testing.T) {
	d := fault.New()
	create(t, d)
	k := start(t, d)
	taken := map[KeyID]crypto.SealingSeed{}
	for range 50 { // more than the pool holds
		id, seed, err := k.Take(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, twice := taken[id]; twice || seed.IsZero() {
			t.Fatal("a seed was given out twice, or isn't one")
		}
		taken[id] = seed
	}
	var used []KeyID
	for id := range taken {
		used = append(used, id)
	}
	k = start(t, d.PowerCut(nil), used...)
	for id, seed := range taken {
		if got, err := k.Get(id); err != nil || got != seed {
			t.Fatalf("seed %s is lost: %v", id, err)
		}
	}
	for range 20 {
		id, _, err := k.Take(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, twice := taken[id]; twice {
			t.Fatal("a seed that is in use was given out")
		}
	}
}

func TestTakeWritesNothing(t *testing.T) {
	d := fault.New()
	create(t, d)
	k := start(t, d)
	before := d.Ops()
	for range 5 { // down to the low-water mark
		if _, _, err := k.Take(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	for range 5 {
		if _, _, err := k.TakeDealKey(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if d.Ops() != before {
		t.Error("Take wrote to the disk")
	}
	if k.Fresh() != 3 {
		t.Errorf("%d are fresh", k.Fresh())
	}
}

func TestRefillInTheBackground(t *testing.T) {
	d := fault.New()
	create(t, d)
	k := start(t, d)
	refilled := make(chan struct{}, 1)
	d.Hook(func(op fault.Op) error {
		if op.Kind == fault.SyncDir {
			select {
			case refilled <- struct{}{}:
			default:
			}
		}
		return nil
	})
	for range 6 {
		if _, _, err := k.Take(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	<-refilled
}

//spec:shows KEY-16
func TestDestroy(t *testing.T) {
	d := fault.New()
	create(t, d)
	k := start(t, d)
	id, seed, err := k.Take(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	dealID, dealKey, err := k.TakeDealKey(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var olds []disk.File
	for _, path := range sealingFile(d, home).Paths() {
		old, err := d.OpenFile(path, os.O_RDONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		olds = append(olds, old)
	}
	for range 2 { // a second time changes nothing
		if err := k.Destroy(t.Context(), id, dealID); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := k.DealKey(dealID); protocol.CodeOf(err) != protocol.CodeNotFound {
		t.Errorf("DealKey gives %v", err)
	}
	if _, err := k.Get(id); protocol.CodeOf(err) != protocol.CodeNotFound {
		t.Errorf("Get gives %v", err)
	}
	for _, old := range olds {
		if !disk.ChecksModes {
			break // where an open file can't be replaced it isn't wiped
		}
		was := make([]byte, 1<<16)
		n, _ := old.ReadAt(was, 0)
		if n == 0 || !bytes.Equal(was[:n], make([]byte, n)) {
			t.Error("an old file still has its bytes")
		}
	}
	d = d.PowerCut(nil)
	k = start(t, d, id)
	if _, err := k.Get(id); protocol.CodeOf(err) != protocol.CodeNotFound {
		t.Errorf("Get gives %v after a power cut", err)
	}
	all := k.Secrets()
	for _, path := range sealingFile(d, home).Paths() {
		plain, _, err := (sealed{keyfile.File{FS: d, Path: path, Magic: k.file.Magic, Limit: k.file.Limit}, k.file.key}).read()
		if err != nil || bytes.Contains(plain, seed[:]) || bytes.Contains(plain, dealKey[:]) || len(plain) != len(all.encode()) {
			t.Errorf("%s holds what was destroyed: %v", path, err)
		}
	}
}

// live creates a keyring, takes and destroys, and takes one more to keep, until
// the disk goes off. It
// returns what must be there afterwards and what must not.
func live(d *fault.Disk, root crypto.Root, rounds int) (kept, gone map[KeyID]crypto.SealingSeed, created bool, err error) {
	kept, gone = map[KeyID]crypto.SealingSeed{}, map[KeyID]crypto.SealingSeed{}
	ctx := context.Background()
	there, err := Exists(home, Options{FS: d})
	if err != nil {
		return kept, gone, false, err
	}
	if !there {
		if err := Create(home, root, 1, Options{FS: d}); err != nil {
			return kept, gone, false, err
		}
	}
	k, err := Open(home, Options{FS: d, Pool: 2, LowWater: 1})
	if err != nil {
		return kept, gone, true, err
	}
	defer k.Close()
	if err := k.Start(ctx); err != nil {
		return kept, gone, true, err
	}
	for range rounds {
		id, seed, err := k.Take(ctx)
		if err != nil {
			return kept, gone, true, err
		}
		if err := k.Destroy(ctx, id); err != nil {
			return kept, gone, true, err
		}
		gone[id] = seed
	}
	id, seed, err := k.Take(ctx)
	if err == nil {
		kept[id] = seed
	}
	return kept, gone, true, err
}

// survive cuts the power at every operation, at once or after the process has
// been started again, and returns the first violation.
func survive(root crypto.Root, mutant string) error {
	for n := range 60 {
		for variant := range 10 {
			d := fault.New()
			d.IgnoreSync(mutant)
			d.StopAfter(n)
			kept, gone, created, err := live(d, root, 2)
			if err != nil && !errors.Is(err, fault.ErrOff) {
				return fmt.Errorf("operation %d: %w", n, err)
			}
			if variant == 0 {
				d = d.Kill()
				d.IgnoreSync(mutant)
				more, _, _, err := live(d, root, 0)
				if err != nil {
					return fmt.Errorf("killed at operation %d: %w", n, err)
				}
				created = true
				for id, seed := range more {
					kept[id] = seed
				}
			}
			var rng *rand.Rand
			if variant > 1 {
				rng = rand.New(rand.NewPCG(uint64(n), uint64(variant)))
			}
			d = d.PowerCut(rng)
			if err := verify(d, kept, gone, created); err != nil {
				return fmt.Errorf("power cut at operation %d, variant %d: %w", n, variant, err)
			}
		}
	}
	return nil
}

func verify(d *fault.Disk, kept, gone map[KeyID]crypto.SealingSeed, created bool) error {
	there, err := Exists(home, Options{FS: d})
	if err != nil {
		return err
	}
	if !there {
		if created {
			return errors.New("the identity is lost")
		}
		return nil
	}
	k, err := Open(home, Options{FS: d})
	if err != nil {
		return err
	}
	defer k.Close()
	for id, seed := range kept {
		if got, err := k.Get(id); err != nil || got != seed {
			return fmt.Errorf("a seed is lost: %w", err)
		}
	}
	for id := range gone {
		if _, err := k.Get(id); err == nil {
			return errors.New("a destroyed seed is back")
		}
	}
	return nil
}

func TestPowerCuts(t *testing.T) {
	if err := survive(newRoot(t), ""); err != nil {
		t.Fatal(err)
	}
}

// line is the number of the outermost line of a sync's site.
func line(site string) string { return site[strings.LastIndex(site, ":")+1:] }

func TestEveryFsyncIsNeeded(t *testing.T) {
	root := newRoot(t)
	d := fault.New()
	for range 2 {
		if _, _, _, err := live(d, root, 2); err != nil {
			t.Fatal(err)
		}
	}
	for _, site := range d.SyncSites() {
		if strings.Contains(site, "Wipe") {
			continue // wiping is for the raw disk, which no file shows
		}
		if strings.HasSuffix(site, "vault.(*Vault).write:"+line(site)) && strings.Contains(site, "keyfile.File.Write:") && !strings.Contains(site, "disk.") {
			continue // the next file's writing syncs the same folder
		}
		if err := survive(root, site); err == nil {
			t.Errorf("nothing goes wrong without %s", site)
		} else {
			t.Logf("%s: %v", site, err)
		}
	}
}

func TestEveryFlippedByteIsMended(t *testing.T) {
	d := fault.New()
	create(t, d)
	k := start(t, d)
	kept, seed, err := k.Take(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := k.Close(); err != nil {
		t.Fatal(err)
	}
	for _, file := range []keyfile.File{identityFile(d, home), sealingFile(d, home)} {
		paths := file.Paths()
		data, err := d.Content(paths[0])
		if err != nil {
			t.Fatal(err)
		}
		set := func(path string, content []byte) {
			t.Helper()
			if err := d.SetContent(path, content); err != nil {
				t.Fatal(err)
			}
		}
		for at := 0; at < len(data); at += 1 + len(data)/200 {
			damaged := bytes.Clone(data)
			damaged[at] ^= 1 << (at % 8)
			for what, content := range map[string][]byte{"flipped": damaged, "cut": data[:at]} {
				spoilt := paths[at%2]
				set(spoilt, content)
				k, err := Open(home, Options{FS: d})
				if err != nil {
					t.Fatalf("%s %s at byte %d gives %v", spoilt, what, at, err)
				}
				if wrong := k.Mended(); len(wrong) != 1 || !strings.Contains(wrong[0].Error(), spoilt) {
					t.Fatalf("%s %s at byte %d: %v isn't named", spoilt, what, at, wrong)
				}
				if got, err := k.Get(kept); err != nil || got != seed {
					t.Fatalf("%s %s at byte %d: the seed is lost: %v", spoilt, what, at, err)
				}
				k.Close()
				if after, err := d.Content(spoilt); err != nil || !bytes.Equal(after, data) {
					t.Fatalf("%s isn't mended: %v", spoilt, err)
				}
				for _, path := range paths {
					set(path, content)
				}
				if _, err := Open(home, Options{FS: d}); protocol.CodeOf(err) != protocol.CodeDamaged {
					t.Fatalf("both copies of %s %s at byte %d give %v", paths[0], what, at, err)
				}
				for _, path := range paths {
					set(path, data)
				}
			}
		}
	}
	for _, path := range sealingFile(d, home).Paths() {
		if err := d.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := Open(home, Options{FS: d}); protocol.CodeOf(err) != protocol.CodeDamaged {
		t.Errorf("without the sealing file Open gives %v", err)
	}
}

// What version 1 wrote stood alone and in clear. It is read, and sealed.
func TestFilesOfVersion1(t *testing.T) {
	d := fault.New()
	if err := d.Mkdir("/home", 0o700); err != nil {
		t.Fatal(err)
	}
	if err := d.Mkdir(home, 0o700); err != nil {
		t.Fatal(err)
	}
	id := NewIdentity(newRoot(t), 5, 0)
	seed := crypto.NewSealingSeed()
	seedID := KeyID{1, 2, 3}
	list := append(append([]byte{0, 0, 0, 1}, seedID[:]...), seed[:]...)
	for name, content := range map[string][]byte{"PARLEYID" + identityPath(home): id.encode(), "PARLEYSK" + sealingPath(home): list} {
		frame := append([]byte(name[:8]), 0, 1, 0, 0)
		frame = binary.BigEndian.AppendUint32(frame, uint32(len(content)))
		frame = append(frame, content...)
		sum := sha256.Sum256(frame)
		if err := disk.WriteTemp(d, name[8:], append(frame, sum[:]...), 0o600, ""); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		k := start(t, d, seedID)
		if k.Identity().Persona().DID() != id.Persona().DID() {
			t.Error("the identity is another one")
		}
		if got, err := k.Get(seedID); err != nil || got != seed {
			t.Errorf("Get gives %v", err)
		}
		k.Close()
	}
	for _, file := range []keyfile.File{identityFile(d, home), sealingFile(d, home)} {
		for _, path := range file.Paths() {
			data, err := d.Content(path)
			if err != nil || bytes.Contains(data, seed[:]) || bytes.Contains(data, id.customer[:]) {
				t.Errorf("%s is not sealed: %v", path, err)
			}
		}
	}
}

func TestFailures(t *testing.T) {
	d := fault.New()
	create(t, d)
	k := start(t, d)
	id, _, err := k.Take(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	wrong := error(syscall.ENOSPC)
	d.Hook(func(op fault.Op) error {
		if op.Kind == fault.Write {
			return wrong
		}
		return nil
	})
	if err := k.Destroy(t.Context(), id); protocol.CodeOf(err) != protocol.CodeDiskFull {
		t.Errorf("a full disk gives %v", err)
	}
	d.Hook(nil)
	if err := k.Destroy(t.Context(), id); err != nil {
		t.Errorf("with room again: %v", err)
	}
	wrong = syscall.EIO
	d.Hook(func(op fault.Op) error {
		if op.Kind == fault.SyncDir {
			return wrong
		}
		return nil
	})
	id, _, err = k.Take(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := k.Destroy(t.Context(), id); protocol.CodeOf(err) != protocol.CodeInternal {
		t.Errorf("a failed sync gives %v", err)
	}
	d.Hook(nil)
	if err := k.Destroy(t.Context(), id); !errors.Is(err, syscall.EIO) {
		t.Errorf("after a failed sync: %v", err)
	}
}

func TestOrderOfCalls(t *testing.T) {
	d := fault.New()
	if _, err := Open(home, Options{FS: d}); protocol.CodeOf(err) != protocol.CodeNotFound {
		t.Errorf("without a folder Open gives %v", err)
	}
	create(t, d)
	if _, err := Open(home, Options{FS: d, Pool: -1}); protocol.CodeOf(err) != protocol.CodeUsage {
		t.Errorf("a negative pool gives %v", err)
	}
	k, err := Open(home, Options{FS: d})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := k.Take(t.Context()); !errors.Is(err, ErrNotStarted) {
		t.Errorf("Take before Start gives %v", err)
	}
	if err := errors.Join(k.Start(t.Context()), k.Start(t.Context()), k.Close(), k.Close()); err != nil {
		t.Error(err)
	}
	if _, _, err := k.Take(t.Context()); !errors.Is(err, ErrClosed) {
		t.Errorf("Take after Close gives %v", err)
	}
	if err := k.Destroy(t.Context(), KeyID{}); !errors.Is(err, ErrClosed) {
		t.Errorf("Destroy after Close gives %v", err)
	}
}

func TestConcurrentUse(t *testing.T) {
	d := fault.New()
	create(t, d)
	k := start(t, d)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 20 {
				id, seed, err := k.Take(t.Context())
				if err != nil {
					t.Error(err)
					return
				}
				if got, err := k.Get(id); err != nil || got != seed {
					t.Errorf("Get gives %v", err)
				}
				if err := k.Destroy(t.Context(), id); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}

func TestPermissions(t *testing.T) {
	if !disk.ChecksModes {
		t.Skip("this system has no permission bits")
	}
	dir := t.TempDir() + "/keys"
	if err := Create(dir, newRoot(t), 0, Options{}); err != nil {
		t.Fatal(err)
	}
	for path, right := range map[string]os.FileMode{dir: 0o700, identityPath(dir): 0o600, sealingPath(dir) + ".copy": 0o600, dir + "/vault": 0o600} {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != right {
			t.Errorf("%s has mode %o", path, info.Mode().Perm())
		}
		for _, loose := range []os.FileMode{right | 0o040, right | 0o004, right | 0o020, right | 0o001} {
			if err := os.Chmod(path, loose); err != nil {
				t.Fatal(err)
			}
			_, err := Open(dir, Options{})
			e, ok := errors.AsType[*protocol.Error](err)
			if !ok || e.Code != protocol.CodeNotPermitted || !strings.HasPrefix(e.Hint, "chmod 0") {
				t.Errorf("%s with mode %o gives %v", path, loose, err)
			}
		}
		if err := os.Chmod(path, right); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := Open(dir, Options{}); err != nil {
		t.Error(err)
	}
}

//spec:shows ERR-3
func TestSecretsDoNotPrint(t *testing.T) {
	d := fault.New()
	create(t, d)
	k := start(t, d)
	id := k.Identity()
	_, seed, err := k.Take(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	log := slog.New(slog.NewTextHandler(&out, nil))
	for _, v := range []any{k, id, struct{ K *Keyring }{k}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%d"} {
			fmt.Fprintf(&out, verb, v)
		}
		log.Info("it", "value", v)
		text, _ := json.Marshal(v)
		out.Write(text)
	}
	transport := id.TransportSeed()
	for _, secret := range [][]byte{seed[:], id.customer[:], id.persona[:], transport[:]} {
		decimal := strings.Trim(fmt.Sprint(secret[:8]), "[]")
		for _, form := range []string{string(secret), hex.EncodeToString(secret), decimal} {
			if strings.Contains(out.String(), form) {
				t.Errorf("a secret was printed")
			}
		}
	}
}
