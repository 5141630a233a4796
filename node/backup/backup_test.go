package backup_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"filippo.io/age"

	"github.com/parley-protocol/parley/crypto"
	"github.com/parley-protocol/parley/node/backup"
	"github.com/parley-protocol/parley/node/book"
	"github.com/parley-protocol/parley/node/home"
	"github.com/parley-protocol/parley/node/keyring"
	"github.com/parley-protocol/parley/node/ledger"
	"github.com/parley-protocol/parley/node/spool"
	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/record/recordtest"
)

// node is what is on a node's disk, open.
type node struct {
	keys  *keyring.Keyring
	book  *book.Book
	close func()
}

func open(t *testing.T, h home.Home) *node {
	t.Helper()
	keys, err := keyring.Open(h.Keys(), keyring.Options{Pool: 4})
	if err != nil {
		t.Fatal(err)
	}
	if err := keys.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	l, err := ledger.Open(h.Ledger(), ledger.Options{})
	if err != nil {
		t.Fatal(err)
	}
	in, err := spool.Open(h.Inbox(), spool.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	b, err := book.Open(t.Context(), l, in, keys, func(book.Change) {})
	if err != nil {
		t.Fatal(err)
	}
	return &node{keys, b, func() {
		if err := errors.Join(l.Close(), in.Close(), keys.Close()); err != nil {
			t.Error(err)
		}
	}}
}

// words is a phrase's root.
func words(t *testing.T) crypto.Root {
	t.Helper()
	p, err := crypto.NewPhrase()
	if err != nil {
		t.Fatal(err)
	}
	return p.Root()
}

func at(t *testing.T, dir string) home.Home {
	t.Helper()
	h, err := home.At(dir)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// full makes a home with every kind of entry, more of them than a batch.
func full(t *testing.T, root crypto.Root) (*node, keyring.KeyID) {
	t.Helper()
	return filled(t, root, 300)
}

// filled makes a home with every kind of entry and so many settings, and tells
// which sealing seed is in use.
func filled(t *testing.T, root crypto.Root, settings int) (*node, keyring.KeyID) {
	t.Helper()
	h := at(t, filepath.Join(t.TempDir(), "home"))
	if err := h.Create(); err != nil {
		t.Fatal(err)
	}
	if err := keyring.CreateFrom(h.Keys(), keyring.NewIdentity(root, 3, 2), keyring.Secrets{}, keyring.Options{}); err != nil {
		t.Fatal(err)
	}
	n := open(t, h)
	d := recordtest.NewDeal(t, "backup")
	seed, _, err := n.keys.Take(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	err = n.book.Update(t.Context(), d.Intent.ID(), func(tx *book.Tx) error {
		tx.Sign(d.Intent, seed, d.Vendor.DID())
		tx.Keep(d.Offer)
		tx.Sign(d.Acceptance, keyring.KeyID{})
		tx.Keep(d.Confirmation)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for i := range settings {
		if err := n.book.Set(t.Context(), fmt.Sprint("market/m", i), "joined"); err != nil {
			t.Fatal(err)
		}
	}
	if err := n.book.Acknowledge(t.Context(), book.Delivery{Record: d.Acceptance.ID(), To: d.Vendor.DID()}); err != nil {
		t.Fatal(err)
	}
	waits := recordtest.Offer(t, recordtest.NewParty("waits"), d.Intent)
	if _, err := n.book.Receive(t.Context(), waits, time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	return n, seed
}

func (n *node) write(t *testing.T, to ...age.Recipient) []byte {
	t.Helper()
	var out bytes.Buffer
	src := backup.Source{Keys: n.keys, Book: n.book, InUse: n.book.Seeds, Now: time.Unix(recordtest.Now, 0)}
	if err := backup.Write(t.Context(), &out, src, to...); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func recipient(t *testing.T, root crypto.Root) age.Recipient {
	t.Helper()
	id, err := backup.IdentityOf(root)
	if err != nil {
		t.Fatal(err)
	}
	return id.Recipient()
}

func restore(t *testing.T, file []byte, dir string, root crypto.Root) (*backup.Restored, error) {
	t.Helper()
	return backup.Restore(t.Context(), bytes.NewReader(file), backup.Target{Home: at(t, dir), Root: root, Now: time.Unix(recordtest.Now+5, 0)})
}

// digest is all that a book says.
func digest(b *book.Book) string {
	var s strings.Builder
	for rec, own := range b.Records() {
		fmt.Fprintf(&s, "%s %v %x\n", rec.ID(), own, rec.Raw())
	}
	var waiting []string
	for _, rec := range b.Unanswered() {
		waiting = append(waiting, rec.ID().String())
	}
	slices.Sort(waiting)
	fmt.Fprintln(&s, waiting, b.Settings(""), b.Seeds())
	for _, d := range b.Deals() {
		fmt.Fprintln(&s, d.ID, d.Role, d.State.Phase)
	}
	return s.String()
}

// An identity's text is what Python makes of the bytes, see crypto's tests.
//
//spec:shows KEY-17
func TestIdentityIsOfTheWords(t *testing.T) {
	p, err := crypto.ParsePhrase("legal winner thank year wave sausage worth useful legal winner thank year wave sausage worth useful legal winner thank year wave sausage worth title")
	if err != nil {
		t.Fatal(err)
	}
	id, err := backup.IdentityOf(p.Root())
	if err != nil {
		t.Fatal(err)
	}
	if id.String() != "AGE-SECRET-KEY-1TEMDZ0J4QLTN9LT35P0M3QHFMSLW7M5C6SEVA9CH02WTGLKAU8FQCY7CMM" ||
		id.Recipient().String() != "age1ne8j4xyfnkrl3z32qflyvd59gpdurlmazq8v3f8xhehrx5wy2p7s2zhqre" {
		t.Errorf("%s, %s", id, id.Recipient())
	}
}

//spec:shows BAK-1 BAK-2 BAK-5 BAK-6 BAK-7
func TestRestoredIsAsBackedUp(t *testing.T) {
	root := words(t)
	n, seedID := full(t, root)
	defer n.close()
	other, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	file := n.write(t, recipient(t, root), other.Recipient())
	dir := filepath.Join(t.TempDir(), "new")
	got, err := restore(t, file, dir, root)
	if err != nil {
		t.Fatal(err)
	}
	if got.Device != 3 || got.Persona != 2 || got.Records != 4 || got.Waiting != 1 || got.Seeds != 1 || got.At != recordtest.Now {
		t.Errorf("%+v", got)
	}
	m := open(t, at(t, dir))
	defer m.close()
	if a, b := digest(n.book), digest(m.book); a != b {
		t.Errorf("restored\n%s\nwas\n%s", b, a)
	}
	seed, err := m.keys.Get(seedID)
	if before, _ := n.keys.Get(seedID); err != nil || seed != before {
		t.Errorf("the sealing seed is another: %v", err)
	}
	a, b := n.keys.Identity(), m.keys.Identity()
	if !slices.Equal(a.Personas(), b.Personas()) || len(b.Personas()) != 3 || a.NextPersona() != b.NextPersona() || a.Customer().Bytes() != b.Customer().Bytes() {
		t.Error("the keys differ")
	}
	if a.TransportSeed() == b.TransportSeed() {
		t.Error("the transport key is the old one")
	}
	if m.book.RestoredAt() != recordtest.Now+5 {
		t.Errorf("restored at %d", m.book.RestoredAt())
	}
	// A third person's identity opens the file, and makes no node of it.
	plain, err := age.Decrypt(bytes.NewReader(file), other)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(plain)
	if err != nil {
		t.Fatal(err)
	}
	secret := a.TransportSeed()
	branch := a.Customer().Bytes()
	personal := a.Persona().Seed()
	for name, s := range map[string][32]byte{"transport key": secret, "customer branch": branch, "persona's key": personal} {
		if bytes.Contains(text, s[:]) {
			t.Errorf("the %s is in the backup", name)
		}
	}
	if _, err := restore(t, file, filepath.Join(t.TempDir(), "third"), words(t)); protocol.CodeOf(err) != protocol.CodeNotPermitted {
		t.Errorf("wrong words: %v", err)
	}
}

//spec:shows BAK-3
func TestPassphrase(t *testing.T) {
	root := words(t)
	n, _ := full(t, root)
	defer n.close()
	to, err := backup.ByPassphrase([]byte("correct horse"))
	if err != nil {
		t.Fatal(err)
	}
	to.(*age.ScryptRecipient).SetWorkFactor(4)
	file := n.write(t, to)
	for pass, want := range map[string]protocol.Code{"correct horse": "", "battery staple": protocol.CodeNotPermitted} {
		id, err := backup.FromPassphrase([]byte(pass))
		if err != nil {
			t.Fatal(err)
		}
		dir := filepath.Join(t.TempDir(), "new")
		target := backup.Target{Home: at(t, dir), Root: root, Open: id, Now: time.Now()}
		_, err = backup.Restore(t.Context(), bytes.NewReader(file), target)
		if protocol.CodeOf(err) != want {
			t.Errorf("%q: %v", pass, err)
		}
		// The words are needed all the same, for the keys.
		target.Root, target.Home = words(t), at(t, filepath.Join(t.TempDir(), "wrong"))
		if _, err = backup.Restore(t.Context(), bytes.NewReader(file), target); protocol.CodeOf(err) != protocol.CodeNotPermitted {
			t.Errorf("%q with wrong words: %v", pass, err)
		}
	}
}

// Every cut and every flipped byte is found, and leaves nothing.
//
//spec:shows BAK-4 BAK-8 BAK-9
func TestDamagedBackupLeavesNothing(t *testing.T) {
	root := words(t)
	n, _ := full(t, root)
	defer n.close()
	file := n.write(t, recipient(t, root))
	places := []int{0, 10, 60, 150, 199, 216, 300, len(file) / 2, len(file) - 17, len(file) - 1}
	parent := t.TempDir()
	for _, p := range places {
		flipped := slices.Clone(file)
		flipped[p] ^= 1
		for name, bad := range map[string][]byte{"cut": file[:p], "flipped": flipped} {
			dir := filepath.Join(parent, "new")
			_, err := restore(t, bad, dir, root)
			if code := protocol.CodeOf(err); code != protocol.CodeDamaged && code != protocol.CodeNotPermitted {
				t.Errorf("%s at %d: %v", name, p, err)
			}
			if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("%s at %d: the folder is there", name, p)
			}
		}
	}
	if _, err := restore(t, append(slices.Clone(file), 0), filepath.Join(parent, "new"), root); protocol.CodeOf(err) != protocol.CodeDamaged {
		t.Errorf("a byte more: %v", err)
	}
}

// Whoever knows the recipient alone can't make a backup that is taken.
//
//spec:shows KEY-18
func TestForgedBackup(t *testing.T) {
	root := words(t)
	n, _ := full(t, root)
	defer n.close()
	plain := func(file []byte) []byte {
		id, err := backup.IdentityOf(root)
		if err != nil {
			t.Fatal(err)
		}
		r, err := age.Decrypt(bytes.NewReader(file), id)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	seal := func(text []byte) []byte {
		var out bytes.Buffer
		w, err := age.Encrypt(&out, recipient(t, root))
		if err != nil {
			t.Fatal(err)
		}
		w.Write(text)
		w.Close()
		return out.Bytes()
	}
	text := plain(n.write(t, recipient(t, root)))
	if _, err := restore(t, seal(text), filepath.Join(t.TempDir(), "same"), root); err != nil {
		t.Fatalf("the same again: %v", err)
	}
	setting := bytes.Index(text, []byte("market/m7\x65"))
	if setting < 0 {
		setting = bytes.Index(text, []byte("market/m7"))
	}
	forged := slices.Clone(text)
	forged[setting+8] = 'x'
	newer := bytes.Replace(slices.Clone(text), []byte("fparley\x01"), []byte("fparley\x02"), 1)
	for name, c := range map[string]struct {
		text []byte
		want protocol.Code
	}{
		"another setting": {forged, protocol.CodeDamaged},
		"a newer format":  {newer, protocol.CodeUnsupportedFormat},
		"no backup":       {[]byte("\x03\x82\x01\x02"), protocol.CodeUnsupportedFormat},
		"nothing":         {nil, protocol.CodeDamaged},
		"the end is gone": {text[:len(text)-60], protocol.CodeDamaged},
	} {
		if _, err := restore(t, seal(c.text), filepath.Join(t.TempDir(), "forged"), root); protocol.CodeOf(err) != c.want {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestRestoreTakesAnEmptyFolderOnly(t *testing.T) {
	root := words(t)
	n, _ := full(t, root)
	defer n.close()
	file := n.write(t, recipient(t, root))
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "letter.txt"), []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := restore(t, file, dir, root); protocol.CodeOf(err) != protocol.CodeNotPermitted {
		t.Errorf("%v", err)
	}
	if text, err := os.ReadFile(filepath.Join(dir, "letter.txt")); err != nil || string(text) != "mine" {
		t.Errorf("%q, %v", text, err)
	}
	// What a restore that died has left is no obstacle; a home that is whole is.
	dir = t.TempDir()
	h := at(t, dir)
	for _, path := range []string{h.Restoring() + "/x", h.Ledger() + "/y"} {
		if err := os.MkdirAll(path, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if !h.Unfinished() {
		t.Error("it isn't seen that a restore died")
	}
	if _, err := restore(t, file, dir, root); err != nil {
		t.Fatal(err)
	}
	if h.Unfinished() || !h.Exists() {
		t.Error("it isn't finished")
	}
	if _, err := restore(t, file, dir, root); protocol.CodeOf(err) != protocol.CodeNotPermitted {
		t.Errorf("over a node: %v", err)
	}
	m := open(t, h)
	defer m.close()
	if a, b := digest(n.book), digest(m.book); a != b {
		t.Error("they differ")
	}
}

// failing takes some bytes and then has no room.
type failing struct{ left int }

func (f *failing) Write(p []byte) (int, error) {
	if f.left -= len(p); f.left < 0 {
		return 0, errors.New("no room")
	}
	return len(p), nil
}

func TestWriteTellsOfFailures(t *testing.T) {
	root := words(t)
	n, _ := full(t, root)
	defer n.close()
	src := backup.Source{Keys: n.keys, Book: n.book, InUse: n.book.Seeds, Now: time.Now()}
	size := len(n.write(t, recipient(t, root)))
	for _, left := range []int{0, 100, 300, size - 20} {
		if err := backup.Write(t.Context(), &failing{left}, src, recipient(t, root)); err == nil {
			t.Errorf("%d bytes of %d were enough", left, size)
		}
	}
}
