// Package wycheproof_test runs Wycheproof's Ed25519 vectors through package
// crypto. It stands apart because importing the vectors adds 100 MB to a test
// binary.
package wycheproof_test

import (
	"encoding/hex"
	"encoding/json"
	"io/fs"
	"testing"

	"github.com/c2sp/wycheproof"

	"github.com/parley-protocol/parley/crypto"
)

func TestEd25519(t *testing.T) {
	data, err := fs.ReadFile(wycheproof.TestVectors, "ed25519_test.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		NumberOfTests int
		TestGroups    []struct {
			PublicKey struct{ Pk string }
			Tests     []struct {
				TcID             int
				Comment          string
				Msg, Sig, Result string
			}
		}
	}
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	run := 0
	for _, group := range file.TestGroups {
		pub := unhex(t, group.PublicKey.Pk)
		if err := crypto.ValidatePublicKey(pub); err != nil {
			t.Errorf("key %x: %v", pub, err)
		}
		for _, v := range group.Tests {
			run++
			// Wycheproof's third verdict, "acceptable", would leave room; there is
			// none in this file, and none in the profile.
			if v.Result != "valid" && v.Result != "invalid" {
				t.Fatalf("case %d has the verdict %q", v.TcID, v.Result)
			}
			got := crypto.Verify(pub, unhex(t, v.Msg), unhex(t, v.Sig))
			if want := v.Result == "valid"; got != want {
				t.Errorf("case %d (%s): verdict %t, want %t", v.TcID, v.Comment, got, want)
			}
		}
	}
	if run == 0 || run != file.NumberOfTests {
		t.Errorf("%d cases ran, the file promises %d", run, file.NumberOfTests)
	}
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
