package spec_test

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/parley-protocol/parley/crypto"
	"github.com/parley-protocol/parley/protocol/codec"
	"github.com/parley-protocol/parley/protocol/record"
)

// The examples in the documents are what the code computes.

// counting is n bytes that count up from first.
func counting(first byte, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = first + byte(i)
	}
	return b
}

// example finds values in a document, whatever spaces it has between digits.
type example struct {
	t    *testing.T
	name string
	text string
}

func exampleOf(t *testing.T, name string) example {
	return example{t, name, strings.Join(strings.Fields(documents(t)[name]), "")}
}

func (e example) has(what, value string) {
	e.t.Helper()
	if !strings.Contains(e.text, value) {
		e.t.Errorf("%s doesn't have the %s %s", e.name, what, value)
	}
}

func (e example) hasBytes(what string, value []byte) {
	e.t.Helper()
	e.has(what, hex.EncodeToString(value))
}

var (
	exampleAuthor = crypto.NewSigner([32]byte(counting(0, 32)))
	exampleIntent = codec.Sum([]byte("an intent"))
)

func exampleRecord(t *testing.T) *record.Record {
	r, err := record.Sign(record.Header{At: 1767225600, RetainUntil: 1769904000},
		&record.Withdrawal{Intent: exampleIntent, Reason: "bought"}, exampleAuthor)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestExampleRecord(t *testing.T) {
	e := exampleOf(t, "02-records.md")
	r := exampleRecord(t)
	e.has("author", exampleAuthor.DID().String())
	e.has("intent", exampleIntent.String())
	e.hasBytes("record", r.Raw())
	e.has("ID", r.ID().String())
	sum := sha256.Sum256(r.Raw())
	e.hasBytes("hash", sum[:])
}

func TestExampleDealKey(t *testing.T) {
	e := exampleOf(t, "06-deals.md")
	vendor := crypto.NewSigner([32]byte(counting(32, 32))).DID()
	block, err := codec.Encode([]any{exampleIntent, vendor.String(), int64(1)})
	if err != nil {
		t.Fatal(err)
	}
	e.hasBytes("deal key", block)
	e.has("deal ID", record.DealKey{Intent: exampleIntent, Vendor: vendor, Round: 1}.ID().String())
}

func TestExampleEnvelope(t *testing.T) {
	e := exampleOf(t, "04-sealing-and-mailboxes.md")
	seed := crypto.SealingSeed(counting(64, 32))
	pub, err := seed.PublicKey(crypto.SuiteX25519)
	if err != nil {
		t.Fatal(err)
	}
	e.hasBytes("public key of suite 1", pub)
	sum := sha256.Sum256(pub)
	e.hasBytes("info", append([]byte("parley/1/seal\x00\x01"), sum[:]...))
	hybrid, err := seed.PublicKey(crypto.SuiteMLKEM768X25519)
	if err != nil {
		t.Fatal(err)
	}
	sum = sha256.Sum256(hybrid)
	e.hasBytes("hash of the public key of suite 2", sum[:])
	pickup := seed.PickupKey()
	e.hasBytes("pick-up key", pickup.PublicKey())
	token := seed.Token()
	e.hasBytes("token", token[:])

	bundle, err := record.EncodeBundle(exampleRecord(t))
	if err != nil {
		t.Fatal(err)
	}
	e.hasBytes("plaintext's length field", binary.BigEndian.AppendUint32(nil, uint32(len(bundle))))
	e.hasBytes("bundle's first bytes", bundle[:8])

	peer := append([]byte("\x00\x24\x08\x01\x12\x20"), crypto.NewSigner([32]byte(counting(128, 32))).PublicKey()...)
	proof := func(op string, ids []byte) []byte {
		m := append([]byte("parley/1/pickup\x00"), peer...)
		m = binary.BigEndian.AppendUint64(m, 1767225600)
		return append(append(append(m, op...), 0), ids...)
	}
	e.hasBytes("pick-up's message", proof("pickup", nil))
	e.hasBytes("pick-up's proof", pickup.Sign(proof("pickup", nil)))
	id, err := hex.DecodeString("b7486ab9ac46700d7382832878b78a427fe8c5ee700814f9985c2c24e305044b")
	if err != nil {
		t.Fatal(err)
	}
	e.hasBytes("envelope's ID", id)
	e.hasBytes("removal's proof", pickup.Sign(proof("remove", id)))
}

func TestExampleKeys(t *testing.T) {
	e := exampleOf(t, "03-identifiers-and-keys.md")
	customer, err := hex.DecodeString("100a6d44422bb7c70ff1901c1abebe2701ee7b8b23c0df848c9005d5ef0e43ab")
	if err != nil {
		t.Fatal(err)
	}
	e.hasBytes("customer branch", customer)
	e.has("author of the intent", crypto.BranchFromBytes([32]byte(customer)).IntentKey([32]byte(counting(0, 32))).DID().String())
	persona, err := hex.DecodeString("6e750ad356a2c1f888bad87a4b6f65e465d3d4e20eb84b1fd99fb57c60a7c42b")
	if err != nil {
		t.Fatal(err)
	}
	e.hasBytes("persona branch", persona)
	branch := crypto.BranchFromBytes([32]byte(persona))
	e.has("persona", branch.PersonaKey(0).DID().String())
	next := crypto.KeyCommitment(ed25519.PublicKey(branch.PersonaKey(1).PublicKey()))
	e.hasBytes("next key", next[:])
}
