package vault_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/zalando/go-keyring"

	"github.com/parley-protocol/parley/node/fault"
	"github.com/parley-protocol/parley/node/vault"
	"github.com/parley-protocol/parley/protocol"
)

const dir = "/keys"

// quick is a cost that tests can pay often.
var quick = vault.Cost{Time: 1, Memory: 64, Threads: 1}

func newDisk(t *testing.T) *fault.Disk {
	t.Helper()
	d := fault.New()
	if err := errors.Join(d.Mkdir(dir, 0o700), d.SyncDir("/")); err != nil {
		t.Fatal(err)
	}
	return d
}

func says(pass string) vault.Unlock {
	return vault.Unlock{Cost: quick, Passphrase: func(context.Context) ([]byte, error) { return []byte(pass), nil }}
}

func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// files are the bytes of every file in the vault's folder.
func files(t *testing.T, d *fault.Disk) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, e := range must[[]string](t)(names(d)) {
		out[e] = string(must[[]byte](t)(d.Content(dir + "/" + e)))
	}
	return out
}

func names(d *fault.Disk) (out []string, err error) {
	entries, err := d.ReadDir(dir)
	for _, e := range entries {
		out = append(out, e.Name())
	}
	return out, err
}

//spec:shows REST-2
func TestPassphrase(t *testing.T) {
	d := newDisk(t)
	v := must[*vault.Vault](t)(vault.Create(d, dir, says(""), nil))
	key := v.Key("ledger")
	if v.Key("view") == key {
		t.Error("two uses have one key")
	}
	if err := v.SetPassphrase(t.Context(), []byte("correct horse")); err != nil {
		t.Fatal(err)
	}
	before := files(t, d)
	for _, c := range []struct {
		unlock vault.Unlock
		code   protocol.Code
	}{
		{vault.Unlock{}, protocol.CodePassphraseNeeded},
		{says("wrong"), protocol.CodePassphraseWrong},
		{says(""), protocol.CodePassphraseWrong},
		{says(strings.Repeat("x", vault.MaxPassphrase+1)), protocol.CodePassphraseWrong},
	} {
		_, err := vault.Open(t.Context(), d, dir, c.unlock)
		e, ok := errors.AsType[*protocol.Error](err)
		if !ok || e.Code != c.code || e.Hint == "" && c.code.Hint() == "" {
			t.Errorf("gives %v and not %s with a hint", err, c.code)
		}
		if now := files(t, d); fmt.Sprint(now) != fmt.Sprint(before) {
			t.Error("a refusal changed the files")
		}
	}
	v = must[*vault.Vault](t)(vault.Open(t.Context(), d.PowerCut(nil), dir, says("correct horse")))
	if v.Key("ledger") != key || v.Protection() != vault.Passphrase {
		t.Errorf("under %s; the key is another one: %v", v.Protection(), v.Key("ledger") != key)
	}
	for _, bad := range []string{"", strings.Repeat("x", vault.MaxPassphrase+1)} {
		if err := v.SetPassphrase(t.Context(), []byte(bad)); protocol.CodeOf(err) != protocol.CodeUsage {
			t.Errorf("a passphrase of %d bytes gives %v", len(bad), err)
		}
	}
	if err := v.Check([]byte("correct horse")); err != nil {
		t.Error(err)
	}
	if err := v.Check([]byte("else")); protocol.CodeOf(err) != protocol.CodePassphraseWrong {
		t.Errorf("another passphrase gives %v", err)
	}
}

// The power goes at every operation while the protection changes: the home opens
// with the old one or the new one, and after success with the new one alone.
//
//spec:shows REST-2
func TestACrashWhileTheProtectionChanges(t *testing.T) {
	changes := []struct {
		name          string
		before, after string
		change        func(context.Context, *vault.Vault) error
	}{
		{"set", "", "new", func(ctx context.Context, v *vault.Vault) error { return v.SetPassphrase(ctx, []byte("new")) }},
		{"change", "old", "new", func(ctx context.Context, v *vault.Vault) error { return v.SetPassphrase(ctx, []byte("new")) }},
		{"remove", "old", "", func(ctx context.Context, v *vault.Vault) error { return v.Unprotect(ctx) }},
	}
	opens := func(d *fault.Disk, pass string, want vault.Key) bool {
		unlock := says(pass)
		if pass == "" {
			unlock.Passphrase = nil
		}
		v, err := vault.Open(t.Context(), d, dir, unlock)
		return err == nil && v.Key("x") == want
	}
	for _, c := range changes {
		t.Run(c.name, func(t *testing.T) {
			finished := 0
			for n := range 40 {
				for variant := range 5 {
					d := newDisk(t)
					v := must[*vault.Vault](t)(vault.Create(d, dir, says(""), nil))
					if c.before != "" {
						if err := v.SetPassphrase(t.Context(), []byte(c.before)); err != nil {
							t.Fatal(err)
						}
					}
					key := v.Key("x")
					d.StopAfter(n)
					done := c.change(t.Context(), v) == nil
					if variant == 0 {
						d = d.Kill()
					} else {
						d = d.PowerCut(rand.New(rand.NewPCG(uint64(n), uint64(variant))))
					}
					first, then := c.before, c.after
					if done {
						finished++
						if then != "" && opens(d.Copy(), first, key) { // in clear it opens whatever one says
							t.Fatalf("operation %d: it still opens as before", n)
						}
						first = then
					}
					if !opens(d.Copy(), first, key) && !opens(d.Copy(), then, key) {
						t.Fatalf("operation %d, variant %d: it opens with neither", n, variant)
					}
				}
			}
			if finished == 0 {
				t.Error("it never came to the end")
			}
		})
	}
}

// desktop is a keyring of a system.
type desktop struct {
	mu      sync.Mutex
	entries map[string]string
	gone    error
	silent  bool
}

func (s *desktop) Set(service, account, secret string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.gone == nil {
		s.entries[service+"/"+account] = secret
	}
	return s.gone
}

func (s *desktop) Get(service, account string) (string, error) {
	if s.silent {
		select {}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.gone != nil {
		return "", s.gone
	}
	secret, ok := s.entries[service+"/"+account]
	if !ok {
		return "", keyring.ErrNotFound
	}
	return secret, nil
}

func (s *desktop) Delete(service, account string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.entries, service+"/"+account)
	return s.gone
}

//spec:shows REST-2
func TestSystemKeyring(t *testing.T) {
	d := newDisk(t)
	sys := &desktop{entries: map[string]string{}}
	unlock := vault.Unlock{System: sys, Cost: quick}
	v := must[*vault.Vault](t)(vault.Create(d, dir, unlock, nil))
	key := v.Key("x")
	for range 2 { // the second time under a new key
		if err := v.UseSystemKeyring(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if len(sys.entries) != 1 {
		t.Errorf("%d entries", len(sys.entries))
	}
	if got := must[*vault.Vault](t)(vault.Open(t.Context(), d, dir, unlock)); got.Key("x") != key || got.Protection() != vault.SystemKeys {
		t.Errorf("under %s", got.Protection())
	}
	refused := func(what string, sys *desktop) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		_, err := vault.Open(ctx, d, dir, vault.Unlock{System: sys})
		if protocol.CodeOf(err) != protocol.CodeKeyringUnavailable || protocol.CodeKeyringUnavailable.Hint() == "" {
			t.Errorf("%s gives %v", what, err)
		}
	}
	other := map[string]string{}
	for name := range sys.entries {
		other[name] = "bm90IGEga2V5"
	}
	refused("no service", &desktop{gone: errors.New("the name org.freedesktop.secrets was not provided")})
	refused("an entry that is gone", &desktop{})
	refused("an entry that is no key", &desktop{entries: other})
	refused("a keyring that waits for somebody", &desktop{silent: true})
	before := files(t, d)
	sys.gone = errors.New("no service")
	if err := v.UseSystemKeyring(t.Context()); protocol.CodeOf(err) != protocol.CodeKeyringUnavailable {
		t.Errorf("no service gives %v", err)
	}
	if fmt.Sprint(files(t, d)) != fmt.Sprint(before) {
		t.Error("a refusal changed the files")
	}
	sys.gone = nil
	if err := v.Unprotect(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(sys.entries) != 0 {
		t.Error("an entry is left in the system's keyring")
	}
	if got := must[*vault.Vault](t)(vault.Open(t.Context(), d, dir, vault.Unlock{})); got.Key("x") != key {
		t.Error("the key is another one")
	}
}

//spec:shows ERR-3
func TestNothingPrintsASecret(t *testing.T) {
	d := newDisk(t)
	v := must[*vault.Vault](t)(vault.Create(d, dir, says(""), nil))
	key := v.Key("x")
	var out bytes.Buffer
	log := slog.New(slog.NewJSONHandler(&out, nil))
	for _, it := range []any{v, key, &key, struct{ K vault.Key }{key}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%d"} {
			fmt.Fprintf(&out, verb, it)
		}
		log.Info("it", "value", it)
	}
	decimal := strings.Trim(fmt.Sprint([]byte(key[:8])), "[]")
	for _, form := range []string{string(key[:]), fmt.Sprintf("%x", [32]byte(key)), decimal} {
		if strings.Contains(out.String(), form) {
			t.Error("a secret was printed")
		}
	}
}

func TestBoxes(t *testing.T) {
	key, other := vault.NewKey(), vault.NewKey()
	box := key.Seal([]byte("this"), []byte("text"))
	if got, err := key.Open([]byte("this"), box); err != nil || string(got) != "text" {
		t.Errorf("Open gives %q, %v", got, err)
	}
	for at := range box {
		spoilt := bytes.Clone(box)
		spoilt[at] ^= 1
		if _, err := key.Open([]byte("this"), spoilt); !errors.Is(err, vault.ErrBox) {
			t.Fatalf("spoilt at %d gives %v", at, err)
		}
		if _, err := key.Open([]byte("this"), box[:at]); !errors.Is(err, vault.ErrBox) {
			t.Fatalf("cut at %d gives %v", at, err)
		}
	}
	if _, err := other.Open([]byte("this"), box); !errors.Is(err, vault.ErrBox) {
		t.Errorf("another key gives %v", err)
	}
	if _, err := key.Open([]byte("that"), box); !errors.Is(err, vault.ErrBox) {
		t.Errorf("another context gives %v", err)
	}
}

// What a spoilt file asks for costs no memory.
func TestCostsAreBounded(t *testing.T) {
	d := newDisk(t)
	for _, cost := range []vault.Cost{{Time: 1000, Memory: 64, Threads: 1}, {Time: 1, Memory: 1 << 30, Threads: 1}, {Time: 1, Memory: 1, Threads: 1}} {
		v := must[*vault.Vault](t)(vault.Create(d, dir, vault.Unlock{Cost: quick}, nil))
		content := vault.PassphraseContent(cost)
		vault.Overwrite(t, v, content)
		if _, err := vault.Open(t.Context(), d, dir, says("x")); protocol.CodeOf(err) != protocol.CodeDamaged {
			t.Errorf("%+v gives %v", cost, err)
		}
	}
}
