package record_test

import (
	"crypto/ed25519"
	"testing"

	"github.com/mr-tron/base58"

	"github.com/parley-protocol/parley/crypto"
	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/record"
	"github.com/parley-protocol/parley/protocol/record/recordtest"
)

// keyless signs as an author whose key is no key.
type keyless crypto.DID

func (k keyless) DID() crypto.DID { return crypto.DID(k) }

func (keyless) Sign([]byte) []byte { return make([]byte, ed25519.SignatureSize) }

// A name that looks right and whose key isn't a point of the curve is no author's,
// and it is said so.
func TestAuthorWithoutAKey(t *testing.T) {
	pub := make([]byte, ed25519.PublicKeySize)
	for pub[0] = 2; crypto.ValidatePublicKey(pub) == nil; pub[0]++ {
	}
	did := "did:key:z" + base58.Encode(append([]byte("\xed\x01"), pub...))
	if _, err := crypto.ParseDIDText(did); err != nil {
		t.Fatal(err)
	}
	intent := recordtest.Intent(t, recordtest.NewParty("customer"))
	r, err := record.Sign(intent.Header(), intent.Body(), keyless(did))
	if err != nil {
		t.Fatal(err)
	}
	_, err = record.Parse(r.Raw())
	if e, ok := err.(*protocol.Error); !ok || e.Code != protocol.CodeBadKey || e.Field != "by" {
		t.Errorf("%v, want bad_key of by", err)
	}
	unverified, err := record.ParseUnverified(r.Raw())
	if err != nil {
		t.Fatal(err)
	}
	if err := unverified.Verify(); protocol.CodeOf(err) != protocol.CodeBadKey || protocol.VerdictOf(err) != protocol.Reject {
		t.Errorf("%v, want bad_key, which is rejected", err)
	}
}
