package book

import (
	"bytes"
	"testing"

	"github.com/parley-protocol/parley/crypto"
	"github.com/parley-protocol/parley/node/keyring"
	"github.com/parley-protocol/parley/protocol/record/recordtest"
	"github.com/parley-protocol/parley/spec/vectors/fuzzing"
)

// Every payload of the ledger is refused, or says what it says when it is written
// again.
func FuzzDecodeEntry(f *testing.F) {
	d := recordtest.NewDeal(f, "fuzz")
	for _, e := range []entry{
		{kind: kindRecord, rec: d.Intent, own: true, seed: keyring.KeyID{1}, to: []crypto.DID{d.Vendor.DID()}},
		{kind: kindRecord, rec: d.Offer},
		{kind: kindReceipt, receipt: Delivery{Record: d.Offer.ID(), To: d.Customer.DID()}},
		{kind: kindSetting, key: "market/a", value: "joined"},
	} {
		payload, err := e.encode()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(payload)
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		var e entry
		var err error
		fuzzing.Bounded(t, len(payload), func() { e, err = decodeEntry(payload) })
		if err != nil {
			return
		}
		first, err := e.encode()
		if err != nil {
			t.Fatalf("%x was read and can't be written: %v", payload, err)
		}
		back, err := decodeEntry(first)
		if err != nil {
			t.Fatalf("%x was written and can't be read: %v", first, err)
		}
		if second, err := back.encode(); err != nil || !bytes.Equal(first, second) {
			t.Fatalf("%x was written as %x and then as %x, %v", payload, first, second, err)
		}
	})
}
