package crypto_test

import (
	"bytes"
	"encoding/gob"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/parley-protocol/parley/crypto"
)

// TestSecretsNeverShow prints, logs and marshals every secret type in every way
// that comes to mind, and looks for its bytes.
//
//spec:shows ERR-3
func TestSecretsNeverShow(t *testing.T) {
	phrase, err := crypto.ParsePhrase(vectorPhrase)
	if err != nil {
		t.Fatal(err)
	}
	root := phrase.Root()
	branch := root.Branch(crypto.BranchCustomer, 0)
	branchBytes := branch.Bytes()
	key := crypto.NewSigner(counting(1))
	seed := crypto.SealingSeed(counting(32))

	type inside struct {
		Phrase crypto.Phrase
		Root   crypto.Root
		Branch crypto.Branch
		Key    *crypto.SigningKey
		Seed   crypto.SealingSeed
	}
	needles := []string{"legal", "winner"}
	for _, b := range [][32]byte{branchBytes, counting(1), counting(32), unhex32(t, strings.Repeat("7f", 32)),
		unhex32(t, "77036746249b2a5c33cf998e51d66bce56d09a7268e76a25375635e764ca1e6f")} {
		needles = append(needles,
			string(b[:8]), hex.EncodeToString(b[:8]), strings.ToUpper(hex.EncodeToString(b[:8])),
			strings.Trim(fmt.Sprintf("%d", b[:6]), "[]"), strings.Trim(fmt.Sprintf("%#v", b[:6])[len("[]byte"):], "{}"))
	}
	check := func(how, out string) {
		t.Helper()
		for _, needle := range needles {
			if strings.Contains(out, needle) {
				t.Errorf("%s gives a secret away: %q", how, out)
			}
		}
	}

	for name, secret := range map[string]any{
		"Phrase": phrase, "*Phrase": &phrase, "Root": root, "Branch": branch,
		"*SigningKey": key, "SigningKey": *key, "SealingSeed": seed, "*SealingSeed": &seed,
		"[]SealingSeed": []crypto.SealingSeed{seed}, "map": map[string]crypto.Branch{"b": branch},
		"struct": inside{phrase, root, branch, key, seed}, "*struct": &inside{phrase, root, branch, key, seed},
	} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "% x", "%d", "%t", "%o", "%08b", "%c", "%U", "%e"} {
			check(name+" "+verb, fmt.Sprintf(verb, secret))
		}
		// %p asks no method. All but the seed, whose bytes are its value, withstand
		// it too; go vet refuses it for the seed.
		if !strings.Contains(name, "SealingSeed") && name != "struct" {
			check(name+" %p", fmt.Sprintf("%p", secret))
		}
		check(name+" Println", fmt.Sprintln(secret))
		var log bytes.Buffer
		slog.New(slog.NewTextHandler(&log, nil)).Info("text", "secret", secret)
		slog.New(slog.NewJSONHandler(&log, nil)).Info("json", "secret", secret)
		check(name+" slog", log.String())

		out, err := json.Marshal(secret)
		check(name+" JSON", string(out))
		if !errors.Is(err, crypto.ErrSecret) {
			t.Errorf("%s: json.Marshal says %v", name, err)
		}
		var stream bytes.Buffer
		if err := gob.NewEncoder(&stream).Encode(secret); err == nil {
			t.Errorf("%s: gob encodes it", name)
		}
		check(name+" gob", stream.String())
	}
	for name, secret := range map[string]interface {
		fmt.Stringer
		slog.LogValuer
	}{"Phrase": phrase, "Root": root, "Branch": branch, "SigningKey": key, "SealingSeed": seed} {
		if secret.String() != "[redacted]" || secret.LogValue().String() != "[redacted]" || fmt.Sprint(secret) != "[redacted]" {
			t.Errorf("%s shows as %q, %v, %q", name, secret.String(), secret.LogValue(), fmt.Sprint(secret))
		}
	}
}
